// Prints the records of a topic as a member of a group, until Ctrl-C: bootstrap topic group
using System;
using System.Threading;
using Confluent.Kafka;

static class GroupMember
{
    public static void Run(string bootstrap, string topic, string group, CancellationToken stop)
    {
        var config = new ConsumerConfig
        {
            BootstrapServers = bootstrap,
            GroupId = group,
            EnableAutoCommit = false,
            AutoOffsetReset = AutoOffsetReset.Earliest,
        };
        using var consumer = new ConsumerBuilder<string, string>(config)
            .SetPartitionsAssignedHandler((_, partitions) => Console.Error.WriteLine($"assigned: {string.Join(", ", partitions)}"))
            .SetPartitionsRevokedHandler((member, partitions) => member.Commit(partitions))
            .SetPartitionsLostHandler((_, partitions) => Console.Error.WriteLine($"lost: {string.Join(", ", partitions)}"))
            .Build();
        consumer.Subscribe(topic);
        for (var count = 1; !stop.IsCancellationRequested; )
        {
            if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is not { } result)
                continue;
            Console.WriteLine($"{result.TopicPartitionOffset}: {result.Message.Key} = {result.Message.Value}");
            if (count++ % 1000 == 0)
                consumer.Commit();
        }
        consumer.Commit();
        consumer.Close();
    }
}
