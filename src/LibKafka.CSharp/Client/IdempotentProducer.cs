using System;
using System.Threading;
using LibKafka.Protocol;
using LibKafka.Records;

namespace LibKafka;

/// <summary>The state of an idempotent producer.</summary>
public enum IdempotentProducerStatus
{
    /// <summary>The next batch may be sent.</summary>
    Ready,

    /// <summary>
    /// A batch that was sent may or may not be in the log. Only this batch may be sent, with the same sequence: brokers append it once.
    /// </summary>
    InDoubt,

    /// <summary>
    /// The broker accepts nothing more from this identity, or has lost its sequences. Nothing may be sent until the producer has another
    /// identity.
    /// </summary>
    Fenced,
}

/// <summary>
/// Appends record batches to one partition so that each is in the log once, however often it is sent (KIP-98). It puts its identity and
/// the next sequence into a copy of each batch that does not have them yet. If the outcome of a batch is unknown,
/// <see cref="Retry(CancellationToken)"/> sends it again with the same sequence, as often as necessary: brokers append it only if it is
/// missing. There are no other retries. It is not thread-safe.
/// </summary>
public sealed class IdempotentProducer : IDisposable
{
    private readonly LibKafka.Client.IdempotentProducer _core;
    private readonly bool _ownsClient;

    /// <summary>A producer with a client of its own, which is disposed of with the producer.</summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="identity">
    /// An identity that has not sent anything to the partition yet.
    /// <see cref="KafkaCluster.RequestProducerIdentity(KafkaClientOptions, CancellationToken)"/> gives one.
    /// </param>
    /// <param name="producerOptions">The options of the producer; null for all in-sync replicas within 10 seconds.</param>
    /// <exception cref="ArgumentException">The options do not have <c>Acks.All</c>.</exception>
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

    /// <summary>A producer that uses the caller's client, which it does not dispose of.</summary>
    /// <param name="client">The client.</param>
    /// <param name="identity">An identity that has not sent anything to the partition yet.</param>
    public IdempotentProducer(PartitionClient client, ProducerIdentity identity)
        : this(client, identity, new ProducerOptions()) { }

    /// <summary>A producer that uses the caller's client, which it does not dispose of.</summary>
    /// <param name="client">The client.</param>
    /// <param name="identity">An identity that has not sent anything to the partition yet.</param>
    /// <param name="options">The options of the producer.</param>
    /// <exception cref="ArgumentException">The options do not have <c>Acks.All</c>.</exception>
    public IdempotentProducer(PartitionClient client, ProducerIdentity identity, ProducerOptions options)
        : this(client, options, core => new(client.Inner, core, identity.ToCore())) { }

    /// <summary>
    /// A producer of a transaction's batches that uses the caller's client, which it does not dispose of. A <see cref="TransactionClient"/> adds
    /// the partition to the transaction, and ends the transaction.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="identity">The identity: <see cref="TransactionClient.Identity"/>.</param>
    public IdempotentProducer(PartitionClient client, TransactionalIdentity identity)
        : this(client, identity, new ProducerOptions()) { }

    /// <summary>
    /// A producer of a transaction's batches that uses the caller's client, which it does not dispose of.
    /// </summary>
    /// <param name="client">The client.</param>
    /// <param name="identity">The identity: <see cref="TransactionClient.Identity"/>.</param>
    /// <param name="options">The options of the producer.</param>
    /// <exception cref="ArgumentException">The options do not have <c>Acks.All</c>.</exception>
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

    /// <summary>The client.</summary>
    public PartitionClient Client { get; }

    /// <summary>The options of the producer.</summary>
    public ProducerOptions Options { get; }

    /// <summary>The identity in the batches.</summary>
    public ProducerIdentity Identity => ProducerIdentity.Of(_core.Identity);

    /// <summary>The transactional id; null for a producer without transactions.</summary>
    public string? TransactionalId => _core.TransactionalId.OrNull();

    /// <summary>Whether a batch may be sent, and which.</summary>
    public IdempotentProducerStatus Status =>
        _core.State switch
        {
            LibKafka.Client.ProducerState.Ready => IdempotentProducerStatus.Ready,
            LibKafka.Client.ProducerState.InDoubt => IdempotentProducerStatus.InDoubt,
            _ => IdempotentProducerStatus.Fenced,
        };

    /// <summary>The sequence of the next batch's first record; null unless <see cref="Status"/> is <see cref="IdempotentProducerStatus.Ready"/>.</summary>
    public int? NextSequence => _core.State is LibKafka.Client.ProducerState.Ready ready ? ready.nextSequence : null;

    /// <summary>The batch that may or may not be in the log, as it was sent; null if there is none.</summary>
    public RecordBatch? BatchInDoubt => _core.State is LibKafka.Client.ProducerState.InDoubt doubt ? doubt.Item : null;

    /// <summary>The error code that fenced the producer; <c>ErrorCode.None</c> if it is not fenced.</summary>
    public ErrorCode FencedBy => _core.State is LibKafka.Client.ProducerState.Fenced fenced ? fenced.Item : ErrorCode.None;

    /// <summary>
    /// The options with which a builder makes the next batch exactly as it will be sent, so that no copy is needed. Such a batch is sent from the
    /// memory that it was built in, which must not be used for another batch while this one is in doubt. Producing advances the sequence, building
    /// does not: call it for each batch.
    /// </summary>
    /// <param name="options">All other options of the batch; null for the default options.</param>
    /// <returns>The options.</returns>
    /// <exception cref="InvalidOperationException">No new batch may be sent: see <see cref="Status"/>.</exception>
    public RecordBatchOptions OptionsForNext(RecordBatchOptions? options = null) =>
        RecordBatchOptions.Of(_core.OptionsForNext((options ?? new RecordBatchOptions()).ToCore()));

    /// <summary>
    /// Appends a batch with the next sequence. To produce the same batch (the same object) again while it is in doubt is a
    /// <see cref="Retry(CancellationToken)"/>.
    /// </summary>
    /// <param name="batch">The batch. A batch with a wrong checksum is rejected, since it cannot be given a sequence.</param>
    /// <param name="cancellationToken">Cancels the call. If the batch has been sent, it is in doubt.</param>
    /// <returns>Whether the batch was appended.</returns>
    /// <exception cref="InvalidOperationException">Another batch is in doubt, or the producer is fenced: see <see cref="Status"/>.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ProduceResult Produce(RecordBatch batch, CancellationToken cancellationToken = default) =>
        Produce(batch, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Produce(RecordBatch, CancellationToken)"/>
    /// <param name="batch">The batch. A batch with a wrong checksum is rejected, since it cannot be given a sequence.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ProduceResult Produce(RecordBatch batch, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Client.Begin(callOptions);
        return new(_core.Produce(batch, callOptions.ToCore()), callOptions);
    }

    /// <summary>Sends the batch that is in doubt again, with the same sequence.</summary>
    /// <param name="cancellationToken">Cancels the call. The batch remains in doubt.</param>
    /// <returns>Whether the batch was appended.</returns>
    /// <exception cref="InvalidOperationException">No batch is in doubt: see <see cref="Status"/>.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ProduceResult Retry(CancellationToken cancellationToken = default) => Retry(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Retry(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public ProduceResult Retry(CallOptions callOptions)
    {
        Client.Begin(callOptions);
        return new(_core.Retry(callOptions.ToCore()), callOptions);
    }

    /// <summary>
    /// Continues with another identity, from sequence 0: after the producer was fenced, or when the coordinator has raised its epoch. A batch that
    /// is in doubt is given up: it may be in the log, and sending it again may duplicate it.
    /// </summary>
    /// <param name="next">The identity, such as <see cref="ProducerIdentity.NextEpoch"/> gives.</param>
    /// <exception cref="ArgumentException">The producer already has this identity, whose sequences brokers know.</exception>
    public void Renew(ProducerIdentity next) => _core.Renew(next.ToCore());

    /// <summary>Closes the connection for good, if the client is the producer's own.</summary>
    public void Dispose()
    {
        if (_ownsClient)
        {
            Client.Dispose();
        }
    }
}
