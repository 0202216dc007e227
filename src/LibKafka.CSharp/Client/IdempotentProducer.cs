using System;
using System.Threading;
using LibKafka.Protocol;
using LibKafka.Records;

namespace LibKafka;

/// <summary>Where an idempotent producer stands with its partition.</summary>
public enum IdempotentProducerStatus
{
    /// <summary>The next batch may be sent.</summary>
    Ready,

    /// <summary>
    /// A batch that was sent may or may not be in the log. Only it may be sent, with the sequence that it has: brokers take it once.
    /// </summary>
    InDoubt,

    /// <summary>
    /// The broker lets nothing more through from this identity, or has lost track of its sequences. Nothing may be sent until the
    /// producer has another identity.
    /// </summary>
    Fenced,
}

/// <summary>
/// Appends record batches to one partition so that each is in the log once, however often it is sent (KIP-98). It puts its identity and
/// the next sequence into a copy of each batch that does not have them yet. Where nobody knows what became of a batch,
/// <see cref="Retry(CancellationToken)"/> sends it again with the same sequence, as often as need be: brokers append it only where it is
/// missing. There are no retries but those. It is not for use by several threads at a time.
/// </summary>
public sealed class IdempotentProducer : IDisposable
{
    private readonly LibKafka.Client.IdempotentProducer _core;
    private readonly bool _ownsClient;

    /// <summary>A producer with a client of its own, which is disposed of with it.</summary>
    /// <param name="options">Where the cluster is, and how to connect.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="identity">
    /// Who it is: an identity that has not sent anything to the partition yet. <see cref="KafkaCluster.RequestProducerIdentity"/> gives
    /// one.
    /// </param>
    /// <param name="producerOptions">How batches are to be kept; null for all in-sync replicas within 10 seconds.</param>
    /// <exception cref="ArgumentException">The options do not ask for <c>Acks.All</c>.</exception>
    public IdempotentProducer(
        KafkaClientOptions options,
        TopicPartition partition,
        ProducerIdentity identity,
        ProducerOptions? producerOptions = null
    )
        : this(new PartitionClient(options, partition), identity, producerOptions ?? new ProducerOptions())
    {
        _ownsClient = true;
    }

    /// <summary>A producer that uses a client of the caller's, and leaves it open when it is disposed of.</summary>
    /// <param name="client">The client.</param>
    /// <param name="identity">Who it is: an identity that has not sent anything to the partition yet.</param>
    public IdempotentProducer(PartitionClient client, ProducerIdentity identity)
        : this(client, identity, new ProducerOptions()) { }

    /// <summary>A producer that uses a client of the caller's, and leaves it open when it is disposed of.</summary>
    /// <param name="client">The client.</param>
    /// <param name="identity">Who it is: an identity that has not sent anything to the partition yet.</param>
    /// <param name="options">How batches are to be kept.</param>
    /// <exception cref="ArgumentException">The options do not ask for <c>Acks.All</c>.</exception>
    public IdempotentProducer(PartitionClient client, ProducerIdentity identity, ProducerOptions options)
        : this(client, options, core => new(client.Inner, core, identity.ToCore())) { }

    /// <summary>
    /// A producer of a transaction's batches that uses a client of the caller's, and leaves it open when it is disposed of. That the
    /// partition is part of the transaction, and how that ends, is settled through a <see cref="TransactionClient"/>.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="identity">Who it is, as <see cref="TransactionClient.Identity"/> has it.</param>
    public IdempotentProducer(PartitionClient client, TransactionalIdentity identity)
        : this(client, identity, new ProducerOptions()) { }

    /// <summary>
    /// A producer of a transaction's batches that uses a client of the caller's, and leaves it open when it is disposed of.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="identity">Who it is, as <see cref="TransactionClient.Identity"/> has it.</param>
    /// <param name="options">How batches are to be kept.</param>
    /// <exception cref="ArgumentException">The options do not ask for <c>Acks.All</c>.</exception>
    public IdempotentProducer(PartitionClient client, TransactionalIdentity identity, ProducerOptions options)
        : this(client, options, core => new(client.Inner, core, identity.ToCore())) { }

    private IdempotentProducer(
        PartitionClient client,
        ProducerOptions options,
        Func<LibKafka.Client.ProducerSettings, LibKafka.Client.IdempotentProducer> make
    )
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        Client = client;
        Options = options;
        _core = make(options.ToSettings());
    }

    /// <summary>The client that it calls through.</summary>
    public PartitionClient Client { get; }

    /// <summary>The options that it was made with.</summary>
    public ProducerOptions Options { get; }

    /// <summary>The identity that batches are sent with.</summary>
    public ProducerIdentity Identity => ProducerIdentity.Of(_core.Identity);

    /// <summary>The transactional id that batches are sent with; null for a producer without transactions.</summary>
    public string? TransactionalId => _core.TransactionalId.OrNull();

    /// <summary>What may be done next.</summary>
    public IdempotentProducerStatus Status =>
        _core.State switch
        {
            LibKafka.Client.ProducerState.Ready => IdempotentProducerStatus.Ready,
            LibKafka.Client.ProducerState.InDoubt => IdempotentProducerStatus.InDoubt,
            _ => IdempotentProducerStatus.Fenced,
        };

    /// <summary>The sequence of the next batch's first record; null unless a batch may be sent next.</summary>
    public int? NextSequence => _core.State is LibKafka.Client.ProducerState.Ready ready ? ready.nextSequence : null;

    /// <summary>The batch that may or may not be in the log, as it was sent; null where there is none.</summary>
    public RecordBatch? BatchInDoubt => _core.State is LibKafka.Client.ProducerState.InDoubt doubt ? doubt.Item : null;

    /// <summary>By what the producer was fenced; <c>ErrorCode.None</c> where it was not.</summary>
    public ErrorCode FencedBy => _core.State is LibKafka.Client.ProducerState.Fenced fenced ? fenced.Item : ErrorCode.None;

    /// <summary>
    /// The options with which a builder makes the next batch as it is to be sent, so that no copy is needed. Such a batch is sent from the
    /// memory that it was built in: as long as it is in doubt, that is not to be used for another. Sequences are taken up by what is
    /// produced and not by what is built, so ask again for each batch.
    /// </summary>
    /// <param name="options">Everything else about the batch; null for the standard options.</param>
    /// <returns>The options.</returns>
    /// <exception cref="InvalidOperationException">No batch may be sent next: see <see cref="Status"/>.</exception>
    public RecordBatchOptions OptionsForNext(RecordBatchOptions? options = null) =>
        RecordBatchOptions.Of(_core.OptionsForNext((options ?? new RecordBatchOptions()).ToCore()));

    /// <summary>
    /// Appends a batch, at the next sequence. The same batch again (the same object) while it is in doubt is a
    /// <see cref="Retry(CancellationToken)"/>.
    /// </summary>
    /// <param name="batch">The batch. One whose checksum is wrong cannot be given a sequence: it is rejected.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What became of the batch, faults included.</returns>
    /// <exception cref="InvalidOperationException">Another batch is in doubt, or the producer is fenced: see <see cref="Status"/>.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled before anything was sent.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ProduceResult Produce(RecordBatch batch, CancellationToken cancellationToken = default) => Produce(batch, 1, cancellationToken);

    /// <summary>Appends a batch, as one of several attempts at it: see <see cref="Produce(RecordBatch, CancellationToken)"/>.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="attempt">The number of the attempt, from 1, for the exchange: <see cref="RetryPolicy{TResult}.Run"/> gives it.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What became of the batch, faults included.</returns>
    /// <exception cref="InvalidOperationException">Another batch is in doubt, or the producer is fenced: see <see cref="Status"/>.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled before anything was sent.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ProduceResult Produce(RecordBatch batch, int attempt, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Client.Begin(cancellationToken);
        var produced = _core.Produce(batch, Interop.Optional(cancellationToken), attempt);
        return new ProduceResult(produced, cancellationToken).ThrowIfCancelled();
    }

    /// <summary>Sends the batch that is in doubt again, with the sequence that it has.</summary>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What became of the batch, faults included.</returns>
    /// <exception cref="InvalidOperationException">No batch is in doubt: see <see cref="Status"/>.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled before it began.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ProduceResult Retry(CancellationToken cancellationToken = default) => Retry(1, cancellationToken);

    /// <summary>Sends the batch that is in doubt again, as one of several attempts: see <see cref="Retry(CancellationToken)"/>.</summary>
    /// <param name="attempt">The number of the attempt, from 1, for the exchange: <see cref="RetryPolicy{TResult}.Run"/> gives it.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What became of the batch, faults included.</returns>
    /// <exception cref="InvalidOperationException">No batch is in doubt: see <see cref="Status"/>.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled before it began.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ProduceResult Retry(int attempt, CancellationToken cancellationToken)
    {
        Client.Begin(cancellationToken);
        return new(_core.Retry(Interop.Optional(cancellationToken), attempt), cancellationToken);
    }

    /// <summary>
    /// Goes on with another identity, from sequence 0: after the producer was fenced, or when the coordinator has raised its epoch. A
    /// batch that was in doubt is given up: it may be in the log, and if it is sent again it may be there twice.
    /// </summary>
    /// <param name="next">The identity, such as <see cref="ProducerIdentity.NextEpoch"/> gives.</param>
    /// <exception cref="ArgumentException">The producer has this identity already, so brokers know its sequences.</exception>
    public void Renew(ProducerIdentity next) => _core.Renew(next.ToCore());

    /// <summary>Closes the connection for good, where the client is the producer's own.</summary>
    public void Dispose()
    {
        if (_ownsClient)
        {
            Client.Dispose();
        }
    }
}
