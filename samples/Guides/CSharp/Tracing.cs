// Passes a trace from a producer to a consumer in the headers of a record (W3C Trace Context): bootstrap topic
using System;
using System.Collections.Generic;
using System.Diagnostics;
using LibKafka;
using static System.Text.Encoding;

static class Tracing
{
    static readonly ActivitySource Source = new("Orders");

    public static void Run(string bootstrap, string topic)
    {
        // OpenTelemetry does this with AddSource("Orders").
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Orders",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span => Console.WriteLine($"{span.TraceId} {span.ParentSpanId} {span.SpanId} {span.DisplayName}"),
        };
        ActivitySource.AddActivityListener(listener);

        var options = new KafkaClientOptions(bootstrap);
        Send(options, topic);
        Receive(options, topic);
    }

    static void Send(KafkaClientOptions options, string topic)
    {
        using var producer = TopicProducer.Open(options, topic).ThrowIfError();
        using var span = Source.StartActivity("place order", ActivityKind.Producer);
        var headers = new List<KafkaHeader>();
        DistributedContextPropagator.Current.Inject(span, headers, (_, name, value) => headers.Add(new(name, UTF8.GetBytes(value))));
        producer.Add(UTF8.GetBytes("order 1"), UTF8.GetBytes("2 books"), headers: [.. headers]);
        producer.Flush(TimeSpan.FromSeconds(30));
    }

    static void Receive(KafkaClientOptions options, string topic)
    {
        using var consumer = new TopicConsumer(options);
        consumer.AddTopic(topic, OffsetSpec.Earliest).ThrowIfError();
        while (true)
            if (consumer.Poll(TimeSpan.FromSeconds(1)) is RecordsFetched fetched)
            {
                foreach (ref readonly var record in fetched.Records)
                {
                    string? parent = null;
                    foreach (var header in record.Headers)
                        if (header.Key.SequenceEqual("traceparent"u8))
                            parent = UTF8.GetString(header.Value);
                    using var span = Source.StartActivity("handle order", ActivityKind.Consumer, parent);
                    Console.WriteLine(UTF8.GetString(record.Value));
                }
                return;
            }
    }
}
