// The lines of README.md that are not those of another sample. They are compiled, and not run.
using System;
using System.Threading;
using LibKafka;
using LibKafka.Compression;
using LibKafka.Records;

static class Overview
{
    public static void Compressed(RecordBatchBuilder builder, PartitionProducer producer, PartitionFetcher fetcher)
    {
        var packed = builder.Build().Compress(new Zstd(level: 6));
        producer.Produce(packed).ThrowIfError();

        var reading = new RecordReadOptions { Codecs = AllCodecs.List, MaxDecompressedBytes = 64 * 1024 * 1024 };
        foreach (ref readonly var record in fetcher.Fetch().ThrowIfError().Records(reading))
        {
            Console.WriteLine(record.Offset);
        }
    }

    public static KafkaClientOptions Secured(string user, string password)
    {
        var options = new KafkaClientOptions("kafka-1:9093,kafka-2:9093")
        {
            TlsFiles = new() { Authorities = "ca.pem" },
            Sasl = SaslMechanism.ScramSha512(user, password),
        };
        return options;
    }

    public static ProduceResult Repeated(IdempotentProducer producer, RecordBatch batch, CancellationToken cancellationToken)
    {
        var produced = RetryPolicy.Idempotent.Run(call => producer.Produce(batch, call), cancellationToken);
        return produced;
    }
}
