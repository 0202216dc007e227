// The examples of the pages about concepts. They are compiled, and not run.
using System;
using System.Text;
using System.Threading;
using LibKafka;
using LibKafka.Records;

static class Concepts
{
    // Record batches.
    public static RecordBatch Build()
    {
        var builder = new RecordBatchBuilder(maxBytes: 1_000_000);
        var number = 0;
        while (builder.TryAdd(default, Encoding.UTF8.GetBytes($"order {number}"), DateTimeOffset.UtcNow))
            number++;

        var batch = builder.Build();
        Console.WriteLine($"{batch.Count} records in {batch.SizeInBytes} bytes");
        return batch;
    }

    // Three outcomes.
    public static void Produce(PartitionProducer producer, RecordBatch batch)
    {
        var produced = producer.Produce(batch);
        switch (produced.Status)
        {
            case ProduceStatus.Acknowledged:
                Console.WriteLine($"in the log at offset {produced.BaseOffset}");
                break;
            case ProduceStatus.Rejected:
                Console.WriteLine($"not in the log: {produced}");
                break;
            case ProduceStatus.Unknown:
                Console.WriteLine($"perhaps in the log: {produced}");
                break;
        }
    }

    // Positions and commits.
    public static void Read(PartitionFetcher fetcher, CancellationToken stop)
    {
        fetcher.Seek(OffsetSpec.Earliest).ThrowIfError();
        while (!stop.IsCancellationRequested)
        {
            var fetched = fetcher.Fetch(stop).ThrowIfError();
            foreach (ref readonly var record in fetched.Records())
                Console.WriteLine(record.Offset);

            if (fetched.Next is not { Kind: FetchAdvanceKind.Onward, Position: { } next })
                throw new InvalidOperationException($"{fetched.Next}");
            fetcher.Position = next;
        }
    }

    // Deadlines and retries.
    public static ProduceResult Retry(IdempotentProducer producer, RecordBatch batch, CancellationToken stop)
    {
        var policy = RetryPolicy.Idempotent with { Attempts = 10, TimeLimit = TimeSpan.FromMinutes(2) };
        return policy.Run(call => producer.Produce(batch, call with { Timeout = TimeSpan.FromSeconds(5) }), stop);
    }
}
