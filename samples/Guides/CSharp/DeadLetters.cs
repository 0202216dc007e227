// Handles the records of a topic; those that cannot be handled go to another topic: bootstrap topic dead-topic group
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka;
using LibKafka.Records;
using static System.Text.Encoding;

static class DeadLetters
{
    public static void Run(string bootstrap, string topic, string deadTopic, string group, CancellationToken stop)
    {
        var options = new KafkaClientOptions(bootstrap);
        using var dead = TopicProducer.Open(options, deadTopic).ThrowIfError();
        using var consumer = new GroupConsumer(options, new GroupConsumerOptions(group, topic));
        while (!stop.IsCancellationRequested)
            switch (consumer.Poll(TimeSpan.FromSeconds(1), stop))
            {
                case RecordsFetched fetched:
                    foreach (ref readonly var record in fetched.Records)
                        try
                        {
                            Handle(record);
                        }
                        catch (FormatException error)
                        {
                            Bury(dead, record, error, fetched.Partition);
                        }
                    // The event counts as handled at the next poll: what could not be handled must be in the other topic before.
                    var lost = dead.Flush(TimeSpan.FromMinutes(3)).OfType<BatchUndelivered>().FirstOrDefault();
                    if (lost is not null || dead.Outstanding > 0)
                        throw new InvalidOperationException(lost?.ToString() ?? "the records were not delivered in time");
                    break;
                case GroupFailed { IsFatal: true } failed:
                    throw failed.Failure.ToException();
                case { } other:
                    Console.Error.WriteLine(other);
                    break;
            }
        Console.Error.WriteLine(consumer.Close());
    }

    static void Handle(in Record record) => Console.WriteLine(int.Parse(UTF8.GetString(record.Value)));

    static void Bury(TopicProducer dead, in Record record, Exception error, TopicPartition from)
    {
        var headers = new List<KafkaHeader>();
        foreach (var header in record.Headers)
            headers.Add(new(header.Name, header.Value));
        headers.Add(new("error", UTF8.GetBytes(error.Message)));
        headers.Add(new("from", UTF8.GetBytes($"{from} {record.Offset}")));
        var added = dead.Add(record.Key, record.Value, headers: [.. headers]);
        if (!added.IsAdded)
            throw new InvalidOperationException($"{from} {record.Offset}: {added}", error);
    }
}
