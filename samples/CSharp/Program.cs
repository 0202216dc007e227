// Produces ten records to a partition and reads them back: dotnet run -- [host:port] [topic]
using System;
using System.Linq;
using System.Text;
using System.Threading;
using LibKafka;
using LibKafka.Protocol;

var options = new KafkaClientOptions(args.ElementAtOrDefault(0) ?? "localhost:9092");
var partition = new TopicPartition(args.ElementAtOrDefault(1) ?? "libkafka-sample", 0);

// An error code is a value and not an exception: here, one is expected.
using (var controller = KafkaCluster.ConnectController(options))
{
    if (
        !controller.GetMetadata([partition.Topic]).TryGetLeader(partition, out _, out var error)
        && error == ErrorCode.UnknownTopicOrPartition
    )
    {
        controller.CreateTopics([new NewTopic(partition.Topic, partitions: 1)]).ThrowIfError();
        Thread.Sleep(1000); // for the brokers to hear of it
    }
}

// Building a batch, compressing it (not done here) and sending it are separate steps.
var builder = new RecordBatchBuilder();
for (var i = 0; i < 10; i++)
{
    builder.Add(Encoding.UTF8.GetBytes($"key {i}"), Encoding.UTF8.GetBytes($"value {i}"), DateTimeOffset.UtcNow);
}

using var producer = new PartitionProducer(options, partition);
var produced = producer.Produce(builder.Build()).ThrowIfError();
Console.WriteLine(produced.Exchange);

// A fetcher reads at its position, which only its user moves.
using var fetcher = new PartitionFetcher(options, partition) { Offset = produced.BaseOffset };
while (fetcher.Offset < produced.BaseOffset + builder.Count)
{
    var fetched = fetcher.Fetch().ThrowIfError();
    foreach (var item in fetched.Batches)
    foreach (ref readonly var record in item.Records())
    {
        Console.WriteLine($"{record.Offset}: {Encoding.UTF8.GetString(record.Key)} = {Encoding.UTF8.GetString(record.Value)}");
    }
    fetcher.Position = fetched.NextPosition;
}
