using System;
using System.Threading;
using LibKafka.Records;

namespace LibKafka;

/// <summary>
/// Appends record batches to one partition, each with one call on a connection to the partition's leader. It never sends a batch twice:
/// whether to try again, and what to do where nobody knows what became of a batch, is for the caller to decide. It is not for use by
/// several threads at a time.
/// </summary>
public sealed class PartitionProducer : IDisposable
{
    private readonly LibKafka.Client.PartitionProducer _core;
    private readonly bool _ownsClient;

    /// <summary>A producer with a client of its own, which is disposed of with it.</summary>
    /// <param name="options">Where the cluster is, and how to connect.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="producerOptions">How batches are to be kept; null for all in-sync replicas within 10 seconds.</param>
    public PartitionProducer(KafkaClientOptions options, TopicPartition partition, ProducerOptions? producerOptions = null)
        : this(new PartitionClient(options, partition), producerOptions ?? new ProducerOptions())
    {
        _ownsClient = true;
    }

    /// <summary>A producer that uses a client of the caller's, and leaves it open when it is disposed of.</summary>
    /// <param name="client">The client.</param>
    public PartitionProducer(PartitionClient client)
        : this(client, new ProducerOptions()) { }

    /// <summary>A producer that uses a client of the caller's, and leaves it open when it is disposed of.</summary>
    /// <param name="client">The client.</param>
    /// <param name="options">How batches are to be kept.</param>
    public PartitionProducer(PartitionClient client, ProducerOptions options)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        Client = client;
        Options = options;
        _core = new(client.Inner, options.ToSettings());
    }

    /// <summary>The client that it calls through.</summary>
    public PartitionClient Client { get; }

    /// <summary>The options that it was made with.</summary>
    public ProducerOptions Options { get; }

    /// <summary>
    /// Appends a batch. It goes to the log as it is, compressed or not, be it built here or fetched elsewhere.
    /// </summary>
    /// <remarks>
    /// What becomes of the batch is in the result, faults included: an exception could not carry all that there is to know, least of
    /// all that a batch may be in the log although its call failed. So a call that is cancelled throws only where nothing has been
    /// sent; after that the result is <see cref="ProduceStatus.Unknown"/>.
    /// </remarks>
    /// <param name="batch">The batch.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What became of the batch.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled before anything was sent.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ProduceResult Produce(RecordBatch batch, CancellationToken cancellationToken = default) => Produce(batch, 1, cancellationToken);

    /// <summary>Appends a batch, as one of several attempts at it: see <see cref="Produce(RecordBatch, CancellationToken)"/>.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="attempt">The number of the attempt, from 1, for the exchange: <see cref="RetryPolicy{TResult}.Run"/> gives it.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What became of the batch.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled before anything was sent.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ProduceResult Produce(RecordBatch batch, int attempt, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Client.Begin(cancellationToken);
        var produced = _core.Produce(batch, Interop.Optional(cancellationToken), attempt);
        return new ProduceResult(produced, cancellationToken).ThrowIfCancelled();
    }

    /// <summary>Closes the connection for good, where the client is the producer's own.</summary>
    public void Dispose()
    {
        if (_ownsClient)
        {
            Client.Dispose();
        }
    }
}
