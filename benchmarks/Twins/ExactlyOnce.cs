// Copies a topic to another in upper case, each record once, until it is stopped
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Confluent.Kafka;

namespace LibKafka.Benchmarks.Twins;

public static class ExactlyOnce
{
    public static void Run(string bootstrap, string from, string to, string group, CancellationToken stop)
    {
        var patience = TimeSpan.FromSeconds(30);
        var writing = new ProducerConfig { BootstrapServers = bootstrap, TransactionalId = group + "-copy" };
        var reading = new ConsumerConfig
        {
            BootstrapServers = bootstrap,
            GroupId = group,
            EnableAutoCommit = false,
            IsolationLevel = IsolationLevel.ReadCommitted,
            AutoOffsetReset = AutoOffsetReset.Earliest,
        };
        using var producer = new ProducerBuilder<string, string>(writing).Build();
        using var consumer = new ConsumerBuilder<string, string>(reading).SetPartitionsRevokedHandler((_, _) => { }).Build();
        producer.InitTransactions(patience);
        consumer.Subscribe(from);
        while (!stop.IsCancellationRequested)
        {
            var records = new List<ConsumeResult<string, string>>();
            while (records.Count < 1000 && consumer.Consume(TimeSpan.FromMilliseconds(100)) is { } record)
                records.Add(record);
            if (records.Count == 0)
                continue;
            producer.BeginTransaction();
            try
            {
                foreach (var record in records)
                    producer.Produce(
                        to,
                        new Message<string, string> { Key = record.Message.Key, Value = record.Message.Value.ToUpperInvariant() }
                    );
                var positions = consumer.Assignment.Select(partition => new TopicPartitionOffset(partition, consumer.Position(partition)));
                producer.SendOffsetsToTransaction(
                    positions.Where(position => position.Offset != Offset.Unset),
                    consumer.ConsumerGroupMetadata,
                    patience
                );
                producer.CommitTransaction(patience);
            }
            catch (KafkaException error) when (!error.Error.IsFatal)
            {
                producer.AbortTransaction(patience);
                foreach (var first in records.GroupBy(record => record.TopicPartition).Select(group => group.First()))
                    consumer.Seek(first.TopicPartitionOffset);
            }
        }
        consumer.Close();
    }
}
