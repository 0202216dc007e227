// Prints the activities and metrics of a produce call as OpenTelemetry's console exporter does: bootstrap topic
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
        // In a service: AddOtlpExporter, from OpenTelemetry.Exporter.OpenTelemetryProtocol, in place of AddConsoleExporter.
        using var traces = Sdk.CreateTracerProviderBuilder().AddSource("LibKafka").AddConsoleExporter().Build();
        using var metrics = Sdk.CreateMeterProviderBuilder().AddMeter("LibKafka").AddConsoleExporter().Build();

        var builder = new RecordBatchBuilder();
        builder.Add(default, UTF8.GetBytes("order 1"), DateTimeOffset.UtcNow);
        var batch = builder.Build();
        using var producer = new PartitionProducer(new KafkaClientOptions(bootstrap), new TopicPartition(topic, 0));
        RetryPolicy.Produce.Run(call => producer.Produce(batch, call)).ThrowIfError();
    }
}
