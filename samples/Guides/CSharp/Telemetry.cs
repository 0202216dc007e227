// Sends the activities and metrics of a produce call to an OpenTelemetry collector: bootstrap topic
using System;
using LibKafka;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using static System.Text.Encoding;

static class Telemetry
{
    public static void Run(string bootstrap, string topic)
    {
        // OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL and OTEL_SERVICE_NAME configure the exporters.
        using var traces = Sdk.CreateTracerProviderBuilder().AddSource("LibKafka").AddOtlpExporter().Build();
        using var metrics = Sdk.CreateMeterProviderBuilder().AddMeter("LibKafka").AddOtlpExporter().Build();

        var builder = new RecordBatchBuilder();
        builder.Add(default, UTF8.GetBytes("order 1"), DateTimeOffset.UtcNow);
        var batch = builder.Build();
        using var producer = new PartitionProducer(new KafkaClientOptions(bootstrap), new TopicPartition(topic, 0));
        var produced = RetryPolicy.Produce.Run(call => producer.Produce(batch, call)).ThrowIfError();
        Console.WriteLine($"offset {produced.BaseOffset}");
    }
}
