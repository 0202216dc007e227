// Copies a topic from one cluster to the same partitions of another, until it is stopped
using System;
using System.Threading;
using Confluent.Kafka;

namespace LibKafka.Benchmarks.Twins;

public static class Mirror
{
    public static void Run(string source, string target, string topic, string group, CancellationToken stop)
    {
        var reading = new ConsumerConfig
        {
            BootstrapServers = source,
            GroupId = group,
            EnableAutoCommit = false,
            AutoOffsetReset = AutoOffsetReset.Earliest,
        };
        var writing = new ProducerConfig
        {
            BootstrapServers = target,
            EnableIdempotence = true,
            CompressionType = CompressionType.Zstd,
        };
        using var consumer = new ConsumerBuilder<byte[], byte[]>(reading).Build();
        using var producer = new ProducerBuilder<byte[], byte[]>(writing).Build();
        Error? failure = null;
        consumer.Subscribe(topic);
        for (var count = 1; failure == null && !stop.IsCancellationRequested; )
        {
            // Each record is decompressed, and compressed again.
            if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is not { } result)
                continue;
            producer.Produce(
                new TopicPartition(topic, result.Partition),
                result.Message,
                report => failure = report.Error.IsError ? report.Error : failure
            );
            if (count++ % 10_000 == 0 && producer.Flush(TimeSpan.FromSeconds(30)) == 0 && failure == null)
                consumer.Commit();
        }
        if (producer.Flush(TimeSpan.FromSeconds(30)) == 0 && failure == null)
            consumer.Commit();
        consumer.Close();
    }
}
