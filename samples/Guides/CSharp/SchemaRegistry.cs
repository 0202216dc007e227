// Writes and reads values with Confluent's JSON serializer and its schema registry: bootstrap topic registry
using System;
using System.Linq;
using Confluent.Kafka;
using Confluent.Kafka.SyncOverAsync;
using Confluent.SchemaRegistry;
using Confluent.SchemaRegistry.Serdes;
using LibKafka;

sealed record Order(string Customer, int Books);

static class SchemaRegistry
{
    public static void Run(string bootstrap, string topic, string registryAddress)
    {
        var options = new KafkaClientOptions(bootstrap);
        using var registry = new CachedSchemaRegistryClient(new SchemaRegistryConfig { Url = registryAddress });
        var context = new SerializationContext(MessageComponentType.Value, topic);

        var naming = new JsonSerializerConfig { SubjectNameStrategy = SubjectNameStrategy.Topic };
        var serializer = new JsonSerializer<Order>(registry, naming).AsSyncOverAsync();
        using var producer = LibKafka.TopicProducer.Open(options, topic).ThrowIfError();
        producer.Add(default, serializer.Serialize(new Order("alice", 2), context));
        if (producer.Flush(TimeSpan.FromSeconds(30)).OfType<BatchUndelivered>().FirstOrDefault() is { } undelivered)
            throw new InvalidOperationException(undelivered.ToString());

        var deserializer = new JsonDeserializer<Order>(registry).AsSyncOverAsync();
        using var consumer = new TopicConsumer(options);
        consumer.AddTopic(topic, OffsetSpec.Earliest).ThrowIfError();
        while (true)
            if (consumer.Poll(TimeSpan.FromSeconds(1)) is RecordsFetched fetched)
            {
                foreach (ref readonly var record in fetched.Records)
                    Console.WriteLine(deserializer.Deserialize(record.Value, !record.HasValue, context));
                return;
            }
    }
}
