// Tests a program on Kafka brokers inside the process: dotnet run. In a test project, the methods of OrderTests have the attributes of its framework.
using System;
using System.Collections.Generic;
using System.Text;
using LibKafka;
using LibKafka.Testing;

OrderTests.An_order_is_in_the_log();
OrderTests.An_order_is_in_the_log_once_even_if_the_broker_is_not_ready();
OrderTests.A_broker_stops();
Console.WriteLine("3 tests passed");

// The program: it produces an order.
static class Orders
{
    public static ProduceResult Place(string bootstrap, string order)
    {
        var options = new KafkaClientOptions(bootstrap);
        using var producer = new PartitionProducer(options, new TopicPartition("orders", 0));
        var builder = new RecordBatchBuilder();
        builder.Add(default, Encoding.UTF8.GetBytes(order), DateTimeOffset.UtcNow);
        return producer.Produce(builder.Build());
    }
}

// Its tests.
static class OrderTests
{
    public static void An_order_is_in_the_log()
    {
        using var kafka = TestBroker.Start(brokers: 3);
        kafka.Topic("orders", partitions: 1, replicas: 3);

        Orders.Place(kafka.Bootstrap, "order 1").ThrowIfError();

        Expect(kafka.Values("orders"), "order 1");
    }

    public static void An_order_is_in_the_log_once_even_if_the_broker_is_not_ready()
    {
        using var kafka = TestBroker.Start();
        kafka.Topic("orders");
        var refusal = kafka.Script.On(ApiKey.Produce, Reaction.Fail(ErrorCode.NotLeaderOrFollower));

        if (Orders.Place(kafka.Bootstrap, "order 1").Error == ErrorCode.NotLeaderOrFollower)
        {
            Orders.Place(kafka.Bootstrap, "order 1").ThrowIfError();
        }

        if (refusal.Hits != 1)
        {
            throw new InvalidOperationException("The request was not refused.");
        }

        Expect(kafka.Values("orders"), "order 1");
    }

    public static void A_broker_stops()
    {
        using var kafka = TestBroker.Start(new TestBrokerOptions { Brokers = 2, Release = "3.9" });
        kafka.Topic("orders", partitions: 1, replicas: 2);
        kafka.StopBroker(1);

        Orders.Place(kafka.Bootstrap, "order 1").ThrowIfError();

        Expect(kafka.Values("orders"), "order 1");
        kafka.WaitFor(ApiKey.Produce, TimeSpan.FromSeconds(1));
    }

    private static void Expect(IReadOnlyList<string?> values, string expected)
    {
        if (values.Count != 1 || values[0] != expected)
        {
            throw new InvalidOperationException($"The log has {string.Join(", ", values)}, not {expected}.");
        }
    }
}
