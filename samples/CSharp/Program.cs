// Produces ten records to a partition and reads them back: dotnet run -- [host:port] [topic]
using System;
using System.Linq;
using System.Text;
using System.Threading;
using LibKafka;

var options = new KafkaClientOptions(args.ElementAtOrDefault(0) ?? "localhost:9092");
var partition = new TopicPartition(args.ElementAtOrDefault(1) ?? "libkafka-sample", 0);

// An error code is a value, not an exception: here, one is expected.
if (KafkaCluster.FindLeader(options, partition).Error == ErrorCode.UnknownTopicOrPartition)
{
    using var admin = new AdminClient(options);
    admin.CreateTopics([new NewTopic(partition.Topic, partitions: 1, replicationFactor: 1)]).ThrowIfError();
    Thread.Sleep(1000); // until the brokers know the topic
}

// Building a batch, compressing it (not done here) and sending it are separate steps.
var builder = new RecordBatchBuilder();
for (var i = 0; i < 10; i++)
{
    builder.Add(Encoding.UTF8.GetBytes($"key {i}"), Encoding.UTF8.GetBytes($"value {i}"), DateTimeOffset.UtcNow);
}

using var producer = new PartitionProducer(options, partition);
var batch = builder.Build();
var produced = producer.Produce(batch).ThrowIfError();
Console.WriteLine(produced.Exchange);

// A fetcher reads at its position, which only the caller moves. This one reads what is committed.
var reading = new FetcherOptions { IsolationLevel = IsolationLevel.ReadCommitted };
using var fetcher = new PartitionFetcher(options, partition, reading) { Offset = produced.BaseOffset };
while (fetcher.Offset < produced.BaseOffset + batch.Count)
{
    var fetched = fetcher.Fetch().ThrowIfError();
    foreach (ref readonly var record in fetched.Records())
    {
        // A null value is a tombstone: compaction deletes the key.
        var value = record.HasValue ? Encoding.UTF8.GetString(record.Value) : "deleted";
        Console.WriteLine($"{record.Offset}: {Encoding.UTF8.GetString(record.Key)} = {value}");
    }
    fetcher.Position = fetched.NextPosition;
}
