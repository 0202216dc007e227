// Produces the lines of the standard input, each "key value", to a topic: bootstrap topic
using System;
using Confluent.Kafka;

static class KeyedProducer
{
    public static int Run(string bootstrap, string topic)
    {
        var failed = 0;
        var config = new ProducerConfig { BootstrapServers = bootstrap, EnableIdempotence = true };
        using var producer = new ProducerBuilder<string, string>(config).Build();
        while (Console.ReadLine() is { } line)
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
        Console.Error.WriteLine($"{failed} records were not delivered");
        return failed == 0 ? 0 : 1;
    }
}
