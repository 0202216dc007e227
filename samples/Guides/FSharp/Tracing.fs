/// Passes a trace from a producer to a consumer in the headers of a record (W3C Trace Context): bootstrap topic
module LibKafka.Samples.Tracing

open System
open System.Diagnostics
open System.Text
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Client
open LibKafka.Topics

let private source = new ActivitySource "Orders"

let private send (brokers: Bootstrap) (topic: string) =
    use producer = TopicProducer.Open(ClientSettings.standard, brokers, topic) |> Result.defaultWith (failwithf "%O")
    use span = source.StartActivity("place order", ActivityKind.Producer)
    let headers = ResizeArray<RecordHeader>()
    let add _ name value = headers.Add(RecordHeader.create name (Bytes.ofString value))
    DistributedContextPropagator.Current.Inject(span, headers, add)
    let order = Encoding.UTF8.GetBytes "2 books"
    let now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()
    producer.Add(NullableSpan.Null, order, ReadOnlySpan(headers.ToArray()), now) |> ignore
    producer.Flush(TimeSpan.FromSeconds 30.0) |> ignore

let private receive (brokers: Bootstrap) (topic: string) =
    use consumer = new TopicConsumer(ClientSettings.standard, brokers, ConsumerSettings.standard)
    consumer.AddTopic(topic, Start.earliest) |> Result.defaultWith (failwithf "%O") |> ignore

    let rec poll () =
        match consumer.Poll(TimeSpan.FromSeconds 1.0) with
        | Some(ConsumerEvent.Fetched(_, records, _, _)) ->
            for record in records do
                let mutable parent = null

                for header in record.Headers do
                    if header.Name = "traceparent" then
                        parent <- Encoding.UTF8.GetString header.Value

                use _ = source.StartActivity("handle order", ActivityKind.Consumer, parent)
                printfn $"{Encoding.UTF8.GetString record.Value}"
        | _ -> poll ()

    poll ()

let run (bootstrap: string) (topic: string) =
    // OpenTelemetry does this with AddSource("Orders").
    use listener =
        new ActivityListener(
            ShouldListenTo = (fun source -> source.Name = "Orders"),
            Sample = SampleActivity(fun _ -> ActivitySamplingResult.AllDataAndRecorded),
            ActivityStopped = (fun span -> printfn $"{span.TraceId} {span.ParentSpanId} {span.SpanId} {span.DisplayName}")
        )

    ActivitySource.AddActivityListener listener
    let brokers = Bootstrap.parse bootstrap |> Result.defaultWith (failwithf "%O")
    send brokers topic
    receive brokers topic
