/// Sends the activities and metrics of a produce call to an OpenTelemetry collector: bootstrap topic
module LibKafka.Samples.Telemetry

open System
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Client
open OpenTelemetry
open OpenTelemetry.Metrics
open OpenTelemetry.Trace

let run (bootstrap: string) (topic: string) =
    // OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL and OTEL_SERVICE_NAME configure the exporters.
    use traces = Sdk.CreateTracerProviderBuilder().AddSource("LibKafka").AddOtlpExporter().Build()
    use metrics = Sdk.CreateMeterProviderBuilder().AddMeter("LibKafka").AddOtlpExporter().Build()

    let builder = BatchBuilder(BatchOptions.standard, 1_000_000)
    builder.Add(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), NullableSpan.Null, Bytes.ofString "order 1")
    let batch = builder.Build()
    let brokers = Bootstrap.parse bootstrap |> Result.defaultWith (failwithf "%O")
    use client = new PartitionClient(ClientSettings.standard, brokers, { Topic = topic; Partition = 0 })
    let producer = new PartitionProducer(client, ProducerSettings.standard)
    let produced = RetryPolicy.produce.Run(fun call -> producer.Produce(batch, call))

    match produced.Result with
    | ProduceResult.Acknowledged at -> printfn $"offset {at.BaseOffset}"
    | failure -> failwith $"{failure}"
