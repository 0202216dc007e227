using System;
using LibKafka.Records;
using LibKafka.Wire;

namespace LibKafka;

/// <summary>Parses, opens, compresses, decompresses and forwards record batches.</summary>
public static class RecordBatchExtensions
{
    extension(RecordBatch)
    {
        /// <summary>
        /// The batch that consists of exactly these bytes, which are not copied. It is checked that they are complete, that the format is
        /// the current one (magic 2), and that the offsets ascend. Opening the batch checks the rest.
        /// </summary>
        /// <param name="bytes">The bytes, which must not change as long as the batch is used.</param>
        /// <returns>The batch.</returns>
        /// <exception cref="KafkaException">The bytes are not such a batch.</exception>
        public static RecordBatch Parse(ReadOnlyMemory<byte> bytes) =>
            RecordBatchModule.ofBytes(new Bytes(bytes)).ValueOrThrow("the batch");
    }

    /// <summary>
    /// Opens a batch for reading its records: verifies the checksum, checks that the codec exists and that the count is possible, and
    /// decompresses the records if necessary. The records themselves are read and checked one by one during iteration.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="options">Codecs and limits; null for no codecs and the standard limits.</param>
    /// <param name="buffer">
    /// Memory for decompressed records, which is reused from batch to batch: they are valid until its next use. Null for separate memory.
    /// </param>
    /// <returns>The records.</returns>
    /// <exception cref="KafkaException">
    /// The batch cannot be opened: <see cref="KafkaFaultKind.BadChecksum"/>, <see cref="KafkaFaultKind.CodecMissing"/>,
    /// <see cref="KafkaFaultKind.UnknownCodec"/>, <see cref="KafkaFaultKind.CodecFailed"/>, <see cref="KafkaFaultKind.LimitExceeded"/>
    /// or <see cref="KafkaFaultKind.Malformed"/>.
    /// </exception>
    public static RecordBatchRecords Records(this RecordBatch batch, RecordReadOptions? options = null, CodecBuffer? buffer = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var opened = RecordBatchModule.openRecords((options ?? RecordReadOptions.Default).ToReading(buffer), batch);
        return new(opened.ValueOrThrow(Describe(batch)), batch);
    }

    /// <summary>Whether the checksum is right.</summary>
    /// <param name="batch">The batch.</param>
    /// <returns>Whether it is right.</returns>
    public static bool IsChecksumValid(this RecordBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return RecordBatchModule.verify(batch).IsOk;
    }

    /// <summary>Compresses a batch. All other attributes and header fields are preserved.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="codec">The codec.</param>
    /// <param name="buffer">Memory for the new batch, which is valid until its next use; null for separate memory.</param>
    /// <returns>The compressed batch.</returns>
    /// <exception cref="KafkaException">
    /// <see cref="KafkaFaultKind.AlreadyCompressed"/>, <see cref="KafkaFaultKind.UnknownCodec"/>,
    /// <see cref="KafkaFaultKind.CodecFailed"/>; and <see cref="KafkaFaultKind.BadChecksum"/>, because a new checksum over damaged content
    /// would hide the damage.
    /// </exception>
    public static RecordBatch Compress(this RecordBatch batch, ICompressionCodec codec, CodecBuffer? buffer = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(codec);
        return RecordBatchModule.compressIn(buffer ?? new(), codec, batch).ValueOrThrow(Describe(batch));
    }

    /// <summary>
    /// Decompresses a batch. All other attributes and header fields are preserved. An uncompressed batch is returned as it is. The checksum
    /// is always verified, because a new checksum over damaged content would hide the damage.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="options">Codecs and limits.</param>
    /// <param name="buffer">Memory for the new batch, which is valid until its next use; null for separate memory.</param>
    /// <returns>The decompressed batch.</returns>
    /// <exception cref="KafkaException">
    /// <see cref="KafkaFaultKind.BadChecksum"/>, <see cref="KafkaFaultKind.CodecMissing"/>, <see cref="KafkaFaultKind.UnknownCodec"/>,
    /// <see cref="KafkaFaultKind.CodecFailed"/> or <see cref="KafkaFaultKind.LimitExceeded"/>.
    /// </exception>
    public static RecordBatch Decompress(this RecordBatch batch, RecordReadOptions options, CodecBuffer? buffer = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(options);
        return RecordBatchModule.decompress(options.ToReading(buffer), batch).ValueOrThrow(Describe(batch));
    }

    /// <summary>
    /// A copy of a fetched batch that can be produced to another log, with its records still compressed as they are. It has base offset 0,
    /// leader epoch -1 and no producer's id, epoch and sequence, and it is not transactional: forward the batches of a transaction only
    /// after it has been committed, such as the data of a read-committed fetch. The checksum is verified and written anew. A batch that is
    /// already so is returned as it is.
    /// </summary>
    /// <remarks>
    /// <para>
    /// Every record has the timestamp from its producer. In a log with LogAppendTime, the broker's time was only in the header, and the
    /// target's broker sets its own if the topic has LogAppendTime. The header's maximum timestamp remains the source's append time,
    /// because the records may be compressed; brokers compute it anew when they append the batch. The delete horizon (KIP-534) becomes an
    /// ordinary base timestamp, so that the target keeps tombstones for as long as its own <c>delete.retention.ms</c> says.
    /// </para>
    /// <para>To give each record the source's append time instead, add the records to a <see cref="RecordBatchBuilder"/>.</para>
    /// </remarks>
    /// <param name="batch">The batch.</param>
    /// <returns>The batch for another log.</returns>
    /// <exception cref="KafkaException">
    /// <see cref="KafkaFaultKind.NotForwardable"/> if there is an obstacle, which <see cref="GetForwardingObstacle"/> returns without an
    /// exception; <see cref="KafkaFaultKind.BadChecksum"/>, <see cref="KafkaFaultKind.UnknownCodec"/>,
    /// <see cref="KafkaFaultKind.LimitExceeded"/> or <see cref="KafkaFaultKind.Malformed"/> if the batch is damaged.
    /// </exception>
    public static RecordBatch ForForwarding(this RecordBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return RecordBatchModule.forForwarding(batch).ValueOrThrow(Describe(batch));
    }

    /// <summary>
    /// Whether the header allows the batch to be forwarded, and the reason if it does not. The checksum is not verified.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <returns>The obstacle, or <see cref="ForwardingObstacle.None"/>.</returns>
    public static ForwardingObstacle GetForwardingObstacle(this RecordBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var obstacle = RecordBatchModule.forwardingObstacle(batch);
        return obstacle.IsNone ? ForwardingObstacle.None
            : obstacle.Value.IsControlBatch ? ForwardingObstacle.ControlBatch
            : obstacle.Value.IsNoRecords ? ForwardingObstacle.NoRecords
            : obstacle.Value.IsOffsetGaps ? ForwardingObstacle.OffsetGaps
            : ForwardingObstacle.Unreadable;
    }

    /// <summary>
    /// Like <see cref="ForForwarding"/>, but also for a batch with offset gaps, as compaction leaves it: its records are decompressed, get
    /// consecutive offsets from 0, and are compressed again with the codec of the same type. Keys, values, headers and the timestamps from
    /// the producers are preserved. If the codec compresses less than the source's did, the batch may become larger, although it has fewer
    /// records.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="options">Codecs and limits; null for no codecs and the standard limits.</param>
    /// <param name="buffer">
    /// Memory for decompressed records, which is reused from batch to batch. The new batch does not lie in it. Null for separate memory.
    /// </param>
    /// <returns>The batch for another log.</returns>
    /// <exception cref="KafkaException">
    /// <see cref="KafkaFaultKind.NotForwardable"/> for <see cref="ForwardingObstacle.ControlBatch"/> and
    /// <see cref="ForwardingObstacle.NoRecords"/>; and the kinds of <see cref="Records"/> if the batch cannot be read.
    /// </exception>
    public static RecordBatch Repack(this RecordBatch batch, RecordReadOptions? options = null, CodecBuffer? buffer = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var reading = (options ?? RecordReadOptions.Default).ToReading(buffer);
        return RecordBatchModule.repack(reading, batch).ValueOrThrow(Describe(batch));
    }

    /// <summary>The beginning of the message of a fault in a <see cref="RecordBatch"/> or <see cref="LegacyBatch"/>.</summary>
    internal static string Describe(object batch) =>
        batch switch
        {
            RecordBatch it => FormattableString.Invariant($"the batch of offsets {it.BaseOffset} to {it.LastOffset}"),
            LegacyBatch it => FormattableString.Invariant($"the message at offset {it.LastOffset}"),
            _ => "the batch",
        };
}
