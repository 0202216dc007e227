// Copies a topic to another in upper case, each record once, until it is stopped: bootstrap from to group
using System;
using System.Text;
using System.Threading;
using LibKafka;

static class ExactlyOnceCopy
{
    public static void Run(string bootstrap, string from, string to, string group, CancellationToken stop)
    {
        var options = new ExactlyOnceOptions(group, group + "-copy", from);
        using var copy = new ExactlyOnce(new KafkaClientOptions(bootstrap), options, ToUpper);
        while (!stop.IsCancellationRequested)
            switch (copy.Poll(TimeSpan.FromSeconds(1), stop))
            {
                case ExactlyOnceFailed failed:
                    throw failed.Problem.ToException();
                case GroupFailed { IsFatal: true } failed:
                    throw failed.Failure.ToException();
                case { } other:
                    Console.Error.WriteLine(other);
                    break;
            }
        Console.Error.WriteLine(copy.Close());

        void ToUpper(TopicPartition _, FetchedRecords records, TransformOutput output)
        {
            foreach (ref readonly var record in records)
                output.Add(to, record.Key, Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(record.Value).ToUpperInvariant()));
        }
    }
}
