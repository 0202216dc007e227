// Prints the records of a topic as a member of a group, until it is stopped
using System;
using System.Threading;
using Confluent.Kafka;

namespace LibKafka.Benchmarks.Twins;

public static class GroupMember
{
    public static void Run(string bootstrap, string topic, string group, Action<string> print, CancellationToken stop)
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = bootstrap,
            GroupId = group,
            EnableAutoCommit = false,
            AutoOffsetReset = AutoOffsetReset.Earliest,
        };
        using var consumer = new ConsumerBuilder<string, string>(config)
            .SetPartitionsAssignedHandler((_, partitions) => print($"assigned: {string.Join(", ", partitions)}"))
            .SetPartitionsRevokedHandler((member, partitions) => member.Commit(partitions))
            .SetPartitionsLostHandler((_, partitions) => print($"lost: {string.Join(", ", partitions)}"))
            .Build();
        consumer.Subscribe(topic);
        for (var count = 1; !stop.IsCancellationRequested; )
        {
            if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is not { } result)
                continue;
            print($"{result.TopicPartitionOffset}: {result.Message.Key} = {result.Message.Value}");
            if (count++ % 1000 == 0)
                consumer.Commit();
        }
        consumer.Commit();
        consumer.Close();
    }
}
