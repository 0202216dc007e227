// Prints how far a group is behind in each partition of a topic, once a second, until it is stopped
using System;
using System.Linq;
using System.Threading;
using Confluent.Kafka;

namespace LibKafka.Benchmarks.Twins;

public static class LagMonitor
{
    public static void Run(string bootstrap, string topic, string group, int partitions, Action<string> print, CancellationToken stop)
    {
        using var consumer = new ConsumerBuilder<Ignore, Ignore>(
            new ConsumerConfig { BootstrapServers = bootstrap, GroupId = group }
        ).Build();
        var all = Enumerable.Range(0, partitions).Select(partition => new TopicPartition(topic, partition)).ToList();
        do foreach (var committed in consumer.Committed(all, TimeSpan.FromSeconds(10)))
        {
            var ends = consumer.QueryWatermarkOffsets(committed.TopicPartition, TimeSpan.FromSeconds(10));
            var position = Math.Max(committed.Offset.Value, ends.Low.Value);
            print($"{committed.TopicPartition}: {ends.High.Value - position}");
        }
        while (!stop.WaitHandle.WaitOne(TimeSpan.FromSeconds(1)));
    }
}
