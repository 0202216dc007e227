// Produces lines, each "key value", to a topic. The number of records that were not delivered is returned
using System;
using System.IO;
using Confluent.Kafka;

namespace LibKafka.Benchmarks.Twins;

public static class KeyedProducer
{
    public static int Run(string bootstrap, string topic, TextReader input)
    {
        var failed = 0;
        var config = new ProducerConfig { BootstrapServers = bootstrap, EnableIdempotence = true };
        using var producer = new ProducerBuilder<string, string>(config).Build();
        while (input.ReadLine() is { } line)
        {
            var words = line.Split(' ', 2);
            var message = new Message<string, string> { Key = words[0], Value = words[^1] };
            for (var isFull = true; isFull; )
                try
                {
                    producer.Produce(topic, message, report => failed += report.Error.IsError ? 1 : 0);
                    isFull = false;
                }
                catch (ProduceException<string, string> error) when (error.Error.Code == ErrorCode.Local_QueueFull)
                {
                    producer.Poll(TimeSpan.FromMilliseconds(100));
                }
        }
        failed += producer.Flush(TimeSpan.FromSeconds(30));
        return failed;
    }
}
