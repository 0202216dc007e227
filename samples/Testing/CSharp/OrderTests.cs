// Tests a program on Kafka brokers inside the process, with xunit: dotnet run, or dotnet test.
using System;
using System.Text;
using LibKafka;
using LibKafka.Testing;
using Xunit;

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

public sealed class OrderTests
{
    [Fact]
    public void An_order_is_in_the_log()
    {
        using var kafka = TestBroker.Start(brokers: 3);
        kafka.Topic("orders", partitions: 1, replicas: 3);

        Orders.Place(kafka.Bootstrap, "order 1").ThrowIfError();

        Assert.Equal(["order 1"], kafka.Values("orders"));
    }

    [Fact]
    public void An_order_is_in_the_log_once_even_if_the_broker_is_not_ready()
    {
        using var kafka = TestBroker.Start();
        kafka.Topic("orders");
        var refusal = kafka.Script.On(ApiKey.Produce, Reaction.Fail(ErrorCode.NotLeaderOrFollower));

        Assert.Equal(ErrorCode.NotLeaderOrFollower, Orders.Place(kafka.Bootstrap, "order 1").Error);
        Orders.Place(kafka.Bootstrap, "order 1").ThrowIfError();

        Assert.Equal(1, refusal.Hits);
        Assert.Equal(["order 1"], kafka.Values("orders"));
    }

    [Fact]
    public void A_broker_stops()
    {
        using var kafka = TestBroker.Start(new TestBrokerOptions { Brokers = 2, Release = "3.9" });
        kafka.Topic("orders", partitions: 1, replicas: 2);
        kafka.StopBroker(1);

        Orders.Place(kafka.Bootstrap, "order 1").ThrowIfError();

        Assert.Equal(["order 1"], kafka.Values("orders"));
        kafka.WaitFor(ApiKey.Produce, TimeSpan.FromSeconds(1));
    }
}
