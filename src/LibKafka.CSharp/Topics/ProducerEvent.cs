using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Records;

namespace LibKafka;

/// <summary>
/// What <see cref="TopicProducer.Poll"/> returns: <see cref="BatchDelivered"/>, <see cref="BatchUndelivered"/> or
/// <see cref="ProducerIdentityChanged"/>.
/// </summary>
public abstract class ProducerEvent
{
    private readonly Topics.ProducerEvent _core;

    private protected ProducerEvent(Topics.ProducerEvent core)
    {
        _core = core;
        Partition = TopicPartition.Of(core.Partition);
    }

    /// <summary>The partition.</summary>
    public TopicPartition Partition { get; }

    /// <summary>What has happened.</summary>
    /// <returns>A one-line description.</returns>
    public sealed override string ToString() => _core.ToString();

    internal static ProducerEvent Of(Topics.ProducerEvent core) =>
        core switch
        {
            Topics.ProducerEvent.Delivered it => new BatchDelivered(core, it.Item),
            Topics.ProducerEvent.Undelivered it => new BatchUndelivered(core, it.Item),
            _ => new ProducerIdentityChanged(core, ((Topics.ProducerEvent.IdentityChanged)core).Item),
        };
}

/// <summary>
/// A batch is in the log. <see cref="ProducerEvent.Partition"/> is the one that it is in, which is not that of its tickets if the batch was moved: see
/// <see cref="TopicProducerOptions.MoveKeyless"/>.
/// </summary>
public sealed class BatchDelivered : ProducerEvent
{
    private readonly Topics.Delivered _core;

    internal BatchDelivered(Topics.ProducerEvent core, Topics.Delivered delivered)
        : base(core)
    {
        _core = delivered;
        Life = new(delivered.Life);
    }

    /// <summary>The number that the tickets of its records have.</summary>
    public long BatchNumber => _core.Batch;

    /// <summary>
    /// The offset of its first record; -1 if the broker only reports that it already has the batch (DUPLICATE_SEQUENCE_NUMBER).
    /// </summary>
    public long BaseOffset => _core.BaseOffset;

    /// <summary>The time at which the broker appended the batch; null if the topic keeps the producer's timestamps.</summary>
    public DateTimeOffset? LogAppendTime => Interop.Time(_core.Acknowledgement.LogAppendTimeMs);

    /// <summary>The first offset of the partition's log; -1 if the broker does not report it.</summary>
    public long LogStartOffset => _core.Acknowledgement.LogStartOffset;

    /// <summary>Its life.</summary>
    public BatchLife Life { get; }

    /// <summary>The offset of the record with this ticket.</summary>
    /// <param name="ticket">The ticket.</param>
    /// <returns>The offset; -1 if it is not known.</returns>
    /// <exception cref="ArgumentException">The ticket is of another batch.</exception>
    public long OffsetOf(RecordTicket ticket) => _core.OffsetOf(ticket.ToCore());
}

/// <summary>Why a batch was not delivered.</summary>
public enum UndeliveredReason
{
    /// <summary>The last attempt to produce it was not acknowledged, and the retry policy allows no other.</summary>
    NotProduced,

    /// <summary>The codec failed.</summary>
    NotCompressed,

    /// <summary>The producer needs another identity for the partition, and could not get one.</summary>
    NoIdentity,

    /// <summary>Its partition could not be added to the transaction.</summary>
    NotInTransaction,

    /// <summary>
    /// An earlier batch for the partition could not be delivered, and the transaction must be aborted: see
    /// <see cref="TransactionClient.Abort(System.Threading.CancellationToken)"/> and, if the batch is in doubt,
    /// <see cref="TransactionClient.RaiseEpoch(TimeSpan, System.Threading.CancellationToken)"/>.
    /// </summary>
    TransactionFailed,

    /// <summary>The producer was closed before it was delivered.</summary>
    Closed,
}

/// <summary>A batch was given up. <see cref="ProducerEvent.Partition"/> is the one that it was last meant for.</summary>
public sealed class BatchUndelivered : ProducerEvent
{
    private readonly Topics.Undelivered _core;

    internal BatchUndelivered(Topics.ProducerEvent core, Topics.Undelivered undelivered)
        : base(core)
    {
        _core = undelivered;
        Life = new(undelivered.Life);
        var broker = Life.Attempts is [.., var last] ? last.Broker : null;
        (Reason, Fault) = undelivered.Reason switch
        {
            Topics.UndeliveredReason.NotProduced it => (UndeliveredReason.NotProduced, ProduceResult.FailureOf(it.Item, broker)),
            Topics.UndeliveredReason.NotCompressed it => (UndeliveredReason.NotCompressed, KafkaFault.Of(it.Item, "batch")),
            Topics.UndeliveredReason.NotInTransaction { Item1: { IsError: true } code } => (
                UndeliveredReason.NotInTransaction,
                KafkaFault.Of(code, null, null)
            ),
            Topics.UndeliveredReason.NotInTransaction => (UndeliveredReason.NotInTransaction, null),
            Topics.UndeliveredReason.NoIdentity => (UndeliveredReason.NoIdentity, null),
            Topics.UndeliveredReason.TransactionFailed => (UndeliveredReason.TransactionFailed, null),
            _ => (UndeliveredReason.Closed, (KafkaFault?)null),
        };
    }

    /// <summary>The number that the tickets of its records have.</summary>
    public long BatchNumber => _core.Batch;

    /// <summary>Why.</summary>
    public UndeliveredReason Reason { get; }

    /// <summary>Why, as a one-line description.</summary>
    public string Message => _core.Reason.ToString();

    /// <summary>The fault or error code that is the reason; null if there is none.</summary>
    public KafkaFault? Fault { get; }

    /// <summary>Whether it may be in the log nevertheless. To send its records again may then duplicate them.</summary>
    public bool MayBeInLog => _core.MayBeInLog;

    /// <summary>The records, without compression and without a producer's identity. The memory is the batch's own.</summary>
    public RecordBatch Records => _core.Records;

    /// <summary>Its life.</summary>
    public BatchLife Life { get; }
}

/// <summary>
/// A partition's producer continues with another identity, or with the next epoch of the one that it had. Brokers recognize repetitions of a batch
/// only within one identity.
/// </summary>
public sealed class ProducerIdentityChanged : ProducerEvent
{
    private readonly Topics.IdentityChange _core;

    internal ProducerIdentityChanged(Topics.ProducerEvent core, Topics.IdentityChange change)
        : base(core)
    {
        _core = change;
    }

    /// <summary>The identity before.</summary>
    public ProducerIdentity Before => ProducerIdentity.Of(_core.Before);

    /// <summary>The identity now.</summary>
    public ProducerIdentity Now => ProducerIdentity.Of(_core.Now);

    /// <summary>What made that necessary: the producer was fenced, or a batch was given up while it was in doubt.</summary>
    public string Reason => _core.Because.ToString();
}

/// <summary>The life of a batch. Times count from <see cref="Began"/>.</summary>
public sealed class BatchLife
{
    private readonly Topics.BatchLife _core;

    internal BatchLife(Topics.BatchLife core)
    {
        _core = core;
    }

    /// <summary>The number of records.</summary>
    public int Records => _core.Records;

    /// <summary>When its first record was added.</summary>
    public DateTimeOffset Began => _core.Began;

    /// <summary>When it took no more records, because it was full or was about to be sent.</summary>
    public TimeSpan Sealed => _core.Sealed;

    /// <summary>When it had been compressed; null if it was not.</summary>
    public TimeSpan? Compressed => _core.Compressed?.Value;

    /// <summary>When it was sent for the first time; null if it never was.</summary>
    public TimeSpan? Sent => _core.Sent?.Value;

    /// <summary>When its fate was known: it was acknowledged, or given up.</summary>
    public TimeSpan Ended => _core.Ended;

    /// <summary>Its size in bytes before compression, including its header.</summary>
    public int Bytes => _core.Bytes;

    /// <summary>Its size in bytes as it was sent, or would have been.</summary>
    public int SentBytes => _core.SentBytes;

    /// <summary>The exchange of every attempt to send it, in order.</summary>
    public IReadOnlyList<ExchangeInfo> Attempts => field ??= [.. _core.Attempts.Select(attempt => new ExchangeInfo(attempt))];

    /// <summary>Records, sizes, attempts and duration.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();
}
