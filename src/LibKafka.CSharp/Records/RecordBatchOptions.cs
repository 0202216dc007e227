using System;
using LibKafka.Records;

namespace LibKafka;

/// <summary>
/// The header fields of a record batch that do not follow from its records. The defaults are those of a batch to be sent by a producer that
/// is not idempotent.
/// </summary>
public sealed record RecordBatchOptions
{
    private static readonly BatchOptions Standard = BatchOptionsModule.standard;

    /// <summary>The offset of the first record. A producer sends 0, and the broker assigns the offsets.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative, or leaves no room for 2³¹ offsets.</exception>
    public long BaseOffset
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(BaseOffset));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, long.MaxValue - 1 - int.MaxValue, nameof(BaseOffset));
            field = value;
        }
    } = Standard.BaseOffset;

    /// <summary>The leader epoch in which the batch was appended. A producer sends -1, and the broker assigns it.</summary>
    public int PartitionLeaderEpoch { get; init; } = Standard.PartitionLeaderEpoch;

    /// <summary>The meaning of the records' timestamps.</summary>
    public TimestampType TimestampType { get; init; } = Standard.TimestampType;

    /// <summary>Whether the batch is part of a transaction (KIP-98).</summary>
    public bool IsTransactional { get; init; } = Standard.IsTransactional;

    /// <summary>Whether the records are control records. Brokers accept such batches from no client.</summary>
    public bool IsControl { get; init; } = Standard.IsControl;

    /// <summary>
    /// The time after which tombstones may be removed, in milliseconds since 1970-01-01 UTC (KIP-534); null for none. It is stored as the
    /// base timestamp.
    /// </summary>
    public long? DeleteHorizon { get; init; }

    /// <summary>The idempotent or transactional producer's id; -1 for none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is below -1.</exception>
    public long ProducerId
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, -1, nameof(ProducerId));
            field = value;
        }
    } = Standard.ProducerId;

    /// <summary>The producer's epoch; -1 for none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is below -1.</exception>
    public short ProducerEpoch
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, (short)-1, nameof(ProducerEpoch));
            field = value;
        }
    } = Standard.ProducerEpoch;

    /// <summary>The sequence of the first record; -1 for none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is below -1.</exception>
    public int BaseSequence
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, -1, nameof(BaseSequence));
            field = value;
        }
    } = Standard.BaseSequence;

    /// <summary>The base of the timestamp deltas, in milliseconds since 1970-01-01 UTC; null for the first record's timestamp.</summary>
    public long? BaseTimestamp { get; init; }

    /// <summary>
    /// The maximum timestamp, or the append time if the type is LogAppendTime, in milliseconds since 1970-01-01 UTC; null for the maximum of
    /// the records' timestamps.
    /// </summary>
    public long? MaxTimestamp { get; init; }

    /// <summary>
    /// The last offset that the batch covers, if it is not the last record's, as after compaction; null for the last record's.
    /// </summary>
    public long? LastOffset { get; init; }

    /// <summary>
    /// The options with which a batch of the same records gets the same header as another one, except for compression and unassigned
    /// attribute bits.
    /// </summary>
    /// <param name="batch">The other batch.</param>
    /// <returns>The options.</returns>
    public static RecordBatchOptions Like(RecordBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return Of(BatchOptionsModule.ofHeader(batch.Header));
    }

    internal static RecordBatchOptions Of(BatchOptions core) =>
        new()
        {
            BaseOffset = core.BaseOffset,
            PartitionLeaderEpoch = core.PartitionLeaderEpoch,
            TimestampType = core.TimestampType,
            IsTransactional = core.IsTransactional,
            IsControl = core.IsControl,
            DeleteHorizon = core.DeleteHorizon.OrNull(),
            ProducerId = core.ProducerId,
            ProducerEpoch = core.ProducerEpoch,
            BaseSequence = core.BaseSequence,
            BaseTimestamp = core.BaseTimestamp.OrNull(),
            MaxTimestamp = core.MaxTimestamp.OrNull(),
            LastOffset = core.LastOffset.OrNull(),
        };

    internal BatchOptions ToCore() =>
        new(
            baseOffset: BaseOffset,
            partitionLeaderEpoch: PartitionLeaderEpoch,
            timestampType: TimestampType,
            isTransactional: IsTransactional,
            isControl: IsControl,
            deleteHorizon: Interop.Optional(DeleteHorizon),
            producerId: ProducerId,
            producerEpoch: ProducerEpoch,
            baseSequence: BaseSequence,
            baseTimestamp: Interop.Optional(BaseTimestamp),
            maxTimestamp: Interop.Optional(MaxTimestamp),
            lastOffset: Interop.Optional(LastOffset)
        );
}
