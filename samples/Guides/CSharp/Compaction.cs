// Keeps the latest value of each key in a compacted topic, deletes a key, and reads the table back: bootstrap topic
using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka;
using static System.Text.Encoding;

static class Compaction
{
    public static void Run(string bootstrap, string topic)
    {
        var options = new KafkaClientOptions(bootstrap);
        using var admin = new AdminClient(options);
        var compacted = new Dictionary<string, string> { ["cleanup.policy"] = "compact" };
        admin.CreateTopics([new NewTopic(topic, partitions: 1) { Configs = compacted }]).ThrowIfError();

        using var producer = RetryPolicy.Standard.Run(call => TopicProducer.Open(options, topic, null, call)).ThrowIfError();
        producer.Add(UTF8.GetBytes("alice"), UTF8.GetBytes("Lisbon"));
        producer.Add(UTF8.GetBytes("bob"), UTF8.GetBytes("Oslo"));
        producer.Add(UTF8.GetBytes("alice"), UTF8.GetBytes("Porto"));
        producer.Add(UTF8.GetBytes("bob"), default); // null, and not empty: a tombstone, which deletes the key
        if (producer.Flush(TimeSpan.FromSeconds(30)).OfType<BatchUndelivered>().FirstOrDefault() is { } undelivered)
            throw new InvalidOperationException(undelivered.ToString());

        foreach (var (name, city) in Read(options, new TopicPartition(topic, 0)))
            Console.WriteLine($"{name} = {city}");
    }

    static SortedDictionary<string, string> Read(KafkaClientOptions options, TopicPartition partition)
    {
        var table = new SortedDictionary<string, string>();
        using var fetcher = new PartitionFetcher(options, partition) { Offset = 0 };
        while (true)
        {
            var fetched = fetcher.Fetch().ThrowIfError();
            foreach (ref readonly var record in fetched.Records())
                if (record.HasValue)
                    table[UTF8.GetString(record.Key)] = UTF8.GetString(record.Value);
                else
                    table.Remove(UTF8.GetString(record.Key));
            fetcher.Position = fetched.NextPosition;
            if (fetcher.Offset >= fetched.HighWatermark)
                return table;
        }
    }
}
