// Prints the records of a topic as a member of a group, until it is stopped: bootstrap topic group
using System;
using System.Threading;
using LibKafka;
using static System.Text.Encoding;

static class GroupMember
{
    public static void Run(string bootstrap, string topic, string group, CancellationToken stop)
    {
        using var consumer = new GroupConsumer(new KafkaClientOptions(bootstrap), new GroupConsumerOptions(group, topic));
        while (!stop.IsCancellationRequested)
            switch (consumer.Poll(TimeSpan.FromSeconds(1), stop))
            {
                case RecordsFetched { Partition: var at } fetched:
                    foreach (ref readonly var record in fetched.Records)
                        Console.WriteLine($"{at} {record.Offset}: {UTF8.GetString(record.Key)} = {UTF8.GetString(record.Value)}");
                    Console.Error.WriteLine(consumer.Commit());
                    break;
                case GroupFailed { IsFatal: true } failed:
                    throw failed.Failure.ToException();
                case { } other:
                    Console.Error.WriteLine(other);
                    break;
            }
        Console.Error.WriteLine(consumer.Close());
    }
}
