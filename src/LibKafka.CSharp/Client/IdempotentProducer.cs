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

/// <summary>A batch that a producer stopped sending without knowing whether it is in the log.</summary>
/// <param name="Batch">The batch as it was sent.</param>
/// <param name="Reason">Why it is not known, according to the last attempt.</param>
public sealed record GivenUpBatch(RecordBatch Batch, string Reason)
{
    /// <summary>The batch as it was sent.</summary>
    public RecordBatch Batch
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Batch);

    /// <summary>Why it is not known, according to the last attempt.</summary>
    public string Reason
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Reason);

    internal static GivenUpBatch? Of(LibKafka.Client.GivenUpBatch? core) => core is null ? null : new(core.Batch, core.Doubt.ToString());
}

/// <summary>
/// Appends record batches to one partition so that each is in the log once, however often it is sent (KIP-98). It puts its identity and
/// the next sequence into a copy of each batch that does not have them yet. If the outcome of a batch is unknown,
/// <see cref="Retry(CancellationToken)"/> sends it again with the same sequence, as often as necessary: brokers append it only if it is
/// missing. If that does not settle it, <see cref="RaiseEpoch"/> gives the batch up and continues with the next. There are no other retries. It
/// is not thread-safe.
/// </summary>
/// <remarks>For batches of transactions, <see cref="TransactionClient.Producer"/> gives a producer.</remarks>
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
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        Client = client;
        Options = options;
        _core = new(client.Inner, options.ToSettings(), identity.ToCore());
    }

    /// <summary>A producer of a transaction's batches, which belongs to the client of the transaction.</summary>
    internal IdempotentProducer(PartitionClient client, ProducerOptions options, LibKafka.Client.IdempotentProducer core)
    {
        Client = client;
        Options = options;
        _core = core;
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
    /// The batch that was in doubt when the identity last changed, and so was given up; null if none was in doubt then. Whether it is in the log
    /// can be found out by reading only; sending it again may duplicate it.
    /// </summary>
    public GivenUpBatch? GivenUp => GivenUpBatch.Of(_core.GivenUp.OrNull());

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

    /// <summary>Sends a batch as <c>Produce</c> does. It is in doubt until the call is completed, and stays so if the call is abandoned. Its memory must not change while it is in doubt. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="batch">See <c>Produce</c>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<ProduceResult> Begin(RecordBatch batch, CancellationToken cancellationToken = default) =>
        Begin(batch, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Begin(RecordBatch, CancellationToken)"/>
    /// <param name="batch">See <c>Produce</c>.</param>
    /// <param name="callOptions">The options of the call.</param>
    public PendingCall<ProduceResult> Begin(RecordBatch batch, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Client.Begin(callOptions);
        return _core.Begin(batch, callOptions.ToCore()).Map(reply => new ProduceResult(reply, callOptions));
    }

    /// <summary>Sends the batch that is in doubt again, as <c>Retry</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<ProduceResult> BeginRetry(CancellationToken cancellationToken = default) =>
        BeginRetry(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="BeginRetry(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public PendingCall<ProduceResult> BeginRetry(CallOptions callOptions)
    {
        Client.Begin(callOptions);
        return _core.BeginRetry(callOptions.ToCore()).Map(reply => new ProduceResult(reply, callOptions));
    }

    internal LibKafka.Client.IdempotentProducer Core => _core;

    /// <summary>
    /// Continues in the next epoch of the identity, from sequence 0, which a producer without transactions may do by itself (KIP-360): after it
    /// was fenced by a code that is about its sequences, or if a batch stays refused or in doubt. Brokers reject batches of the earlier epoch that
    /// arrive late.
    /// </summary>
    /// <returns>The batch that is given up by that; null if none was in doubt. See <see cref="GivenUp"/>.</returns>
    /// <exception cref="InvalidOperationException">
    /// This was the last epoch: continue with another identity and <see cref="Renew"/>. Or it is a producer of a transaction, which
    /// <see cref="TransactionClient.RaiseEpoch(TimeSpan, CancellationToken)"/> renews.
    /// </exception>
    public GivenUpBatch? RaiseEpoch() => GivenUpBatch.Of(_core.RaiseEpoch().OrNull());

    /// <summary>
    /// Continues with another identity, from sequence 0. A batch that is in doubt is given up: see <see cref="GivenUp"/>.
    /// </summary>
    /// <param name="next">The identity.</param>
    /// <exception cref="ArgumentException">The producer already has this identity, whose sequences brokers know.</exception>
    /// <exception cref="InvalidOperationException">
    /// It is a producer of a transaction, which <see cref="TransactionClient.RaiseEpoch(TimeSpan, CancellationToken)"/> renews.
    /// </exception>
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
