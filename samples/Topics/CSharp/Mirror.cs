// Copies a topic from one cluster to the same partitions of another, until it is stopped; batches stay compressed: source target topic group
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka;

static class Mirror
{
    public static void Run(string source, string target, string topic, string group, CancellationToken stop)
    {
        var to = new KafkaClientOptions(target);
        var producers = new Dictionary<TopicPartition, IdempotentProducer>();
        using var consumer = new GroupConsumer(new KafkaClientOptions(source), new GroupConsumerOptions(group, topic));
        while (!stop.IsCancellationRequested)
        {
            var polled = consumer.Poll(TimeSpan.FromSeconds(1), stop);
            if (polled is GroupFailed { IsFatal: true } failed)
                throw failed.Failure.ToException();
            if (polled is not RecordsFetched { Partition: var at } fetched)
                continue;
            if (!producers.TryGetValue(at, out var producer))
                producers[at] = producer = new(to, at, KafkaCluster.RequestProducerIdentity(to).ThrowIfError());
            foreach (var batch in fetched.Result.Batches.Select(item => item.GetBatch().ForForwarding()))
                RetryPolicy.Idempotent.Run(call => producer.Produce(batch, call)).ThrowIfError();
        }
        Console.Error.WriteLine(consumer.Close());
    }
}
