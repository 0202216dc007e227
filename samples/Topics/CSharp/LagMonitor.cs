// Prints how far a group is behind in each partition of a topic, once a second, until it is stopped: bootstrap topic group partitions
using System;
using System.Linq;
using System.Threading;
using LibKafka;

static class LagMonitor
{
    public static void Run(string bootstrap, string topic, string group, int partitions, CancellationToken stop)
    {
        using var groups = new GroupClient(new KafkaClientOptions(bootstrap), group);
        using var admin = new AdminClient(new KafkaClientOptions(bootstrap));
        var all = Enumerable.Range(0, partitions).Select(partition => new TopicPartition(topic, partition)).ToList();
        do
        {
            var committed = RetryPolicy.Standard.Run(call => groups.FetchOffsets(all, false, null, call)).ThrowIfError();
            foreach (var (at, first, last) in committed.Zip(Find(OffsetSpec.Earliest), Find(OffsetSpec.Latest)))
                Console.WriteLine($"{at.Item}: {last.Value.Offset - Math.Max(at.Value?.Offset ?? 0, first.Value.Offset ?? 0)}");
        } while (!stop.WaitHandle.WaitOne(TimeSpan.FromSeconds(1)));
        ItemResults<ItemResult<TopicPartition, ListedOffset>> Find(OffsetSpec spec) =>
            RetryPolicy.Standard.Run(call => admin.ListOffsets(all.ToDictionary(at => at, _ => spec), null, call)).ThrowIfError();
    }
}
