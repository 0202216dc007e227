// Lets asynchronous code produce: one thread has the producer, and each record has a task that ends with its offset: bootstrap topic
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using LibKafka;
using static System.Text.Encoding;

static class AsyncProducing
{
    public static async Task Run(string bootstrap, string topic)
    {
        // In a web application: a singleton.
        await using var sender = new RecordSender(new KafkaClientOptions(bootstrap), topic);
        var sent = Enumerable.Range(1, 3).Select(number => sender.SendAsync(UTF8.GetBytes("alice"), UTF8.GetBytes($"order {number}")));
        Console.WriteLine(string.Join(' ', await Task.WhenAll(sent)));
    }
}

/// <summary>Produces the records of any number of threads and tasks, in a thread of its own.</summary>
sealed class RecordSender : IAsyncDisposable
{
    private sealed record Item(byte[] Key, byte[] Value, TaskCompletionSource<long> Sent);

    // If it is full, SendAsync waits.
    private readonly Channel<Item> items = Channel.CreateBounded<Item>(new BoundedChannelOptions(1000) { SingleReader = true });
    private readonly Dictionary<long, List<(RecordTicket Ticket, TaskCompletionSource<long> Sent)>> batches = [];
    private readonly Task thread;

    public RecordSender(KafkaClientOptions options, string topic)
    {
        void Run() => Produce(options, topic);
        thread = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>The offset of the record, after it is in the log. It throws if the record was not delivered.</summary>
    public async Task<long> SendAsync(byte[] key, byte[] value)
    {
        var item = new Item(key, value, new(TaskCreationOptions.RunContinuationsAsynchronously));
        await items.Writer.WriteAsync(item);
        return await item.Sent.Task;
    }

    public async ValueTask DisposeAsync()
    {
        items.Writer.TryComplete();
        await thread;
    }

    private void Produce(KafkaClientOptions options, string topic)
    {
        try
        {
            using var producer = TopicProducer.Open(options, topic).ThrowIfError();
            while (producer.Outstanding > 0 || items.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                while (items.Reader.TryRead(out var item))
                    try
                    {
                        Add(producer, item);
                    }
                    catch (Exception error)
                    {
                        item.Sent.TrySetException(error);
                        throw;
                    }
                Settle(producer.Poll(TimeSpan.FromMilliseconds(5)));
            }
        }
        catch (Exception error)
        {
            items.Writer.TryComplete(error);
            while (items.Reader.TryRead(out var item))
                item.Sent.TrySetException(error);
            foreach (var (_, sent) in batches.Values.SelectMany(records => records))
                sent.TrySetException(error);
            throw;
        }
    }

    private void Add(TopicProducer producer, Item item)
    {
        var added = producer.Add(item.Key, item.Value);
        for (; added.Status == AddStatus.Full; added = producer.Add(item.Key, item.Value))
            Settle(producer.Poll(TimeSpan.FromSeconds(1)));

        if (!added.IsAdded)
            item.Sent.SetException(new ArgumentException(added.ToString()));
        else if (batches.TryGetValue(added.Ticket.BatchNumber, out var records))
            records.Add((added.Ticket, item.Sent));
        else
            batches[added.Ticket.BatchNumber] = [(added.Ticket, item.Sent)];
    }

    private void Settle(IEnumerable<ProducerEvent> events)
    {
        foreach (var one in events)
            switch (one)
            {
                case BatchDelivered batch when batches.Remove(batch.BatchNumber, out var records):
                    records.ForEach(record => record.Sent.SetResult(batch.OffsetOf(record.Ticket)));
                    break;
                case BatchUndelivered batch when batches.Remove(batch.BatchNumber, out var records):
                    records.ForEach(record => record.Sent.SetException(new InvalidOperationException(batch.ToString())));
                    break;
            }
    }
}
