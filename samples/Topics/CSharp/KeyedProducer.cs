// Produces the lines of the standard input, each "key value", to a topic: bootstrap topic
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using LibKafka;

static class KeyedProducer
{
    public static int Run(string bootstrap, string topic)
    {
        using var producer = TopicProducer.Open(new KafkaClientOptions(bootstrap), topic).ThrowIfError();
        var failed = 0;
        while (Console.ReadLine() is { } line)
        {
            var words = Array.ConvertAll(line.Split(' ', 2), Encoding.UTF8.GetBytes);
            var added = producer.Add(words[0], words[^1]);
            for (; added.Status == AddStatus.Full; added = producer.Add(words[0], words[^1]))
                Look(producer.Poll(TimeSpan.FromSeconds(1)));
            failed += added.IsAdded ? 0 : 1;
            Look(producer.Poll(TimeSpan.Zero));
        }
        Look(producer.Flush(TimeSpan.FromSeconds(30)));
        Look(producer.Close());
        Console.Error.WriteLine($"{failed} records were not delivered");
        return failed == 0 ? 0 : 1;

        void Look(IEnumerable<ProducerEvent> events) => failed += events.OfType<BatchUndelivered>().Sum(batch => batch.Records.Count);
    }
}
