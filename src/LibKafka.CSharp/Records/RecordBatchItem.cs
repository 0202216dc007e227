using System;
using System.Diagnostics.CodeAnalysis;
using LibKafka.Records;

namespace LibKafka;

/// <summary>
/// What stands next in a set of record batches: a batch, a message of an older format, or bytes that cannot be read as either.
/// </summary>
public readonly struct RecordBatchItem
{
    internal RecordBatchItem(RecordBatch batch)
    {
        Batch = batch;
    }

    internal RecordBatchItem(LegacyBatch legacy)
    {
        Legacy = legacy;
    }

    internal RecordBatchItem(UnreadableBatch unreadable)
    {
        Unreadable = unreadable;
    }

    /// <summary>The batch; null where there is something else.</summary>
    public RecordBatch? Batch { get; }

    /// <summary>
    /// The message of a format before Kafka 0.11 (magic 0 or 1), which stands for the records that are compressed in it where it is
    /// compressed; null where there is something else. Its records are read like those of a batch.
    /// </summary>
    public LegacyBatch? Legacy { get; }

    /// <summary>What is known of bytes that cannot be read; null where they can.</summary>
    public UnreadableBatch? Unreadable { get; }

    /// <summary>Whether there is a batch.</summary>
    [MemberNotNullWhen(true, nameof(Batch))]
    public bool IsBatch => Batch is not null;

    /// <summary>Whether there are bytes that cannot be read.</summary>
    [MemberNotNullWhen(true, nameof(Unreadable))]
    public bool IsUnreadable => Unreadable is not null;

    /// <summary>The batch, which must be one.</summary>
    /// <returns>The batch.</returns>
    /// <exception cref="KafkaException">The bytes cannot be read as a batch.</exception>
    /// <exception cref="InvalidOperationException">There is a message of an older format: see <see cref="Legacy"/>.</exception>
    public RecordBatch GetBatch() =>
        Batch
        ?? throw (
            Unreadable is null
                ? new InvalidOperationException($"There is no record batch, but a message of an older format: {Legacy}.")
                : new KafkaException(Unreadable.Fault)
        );

    /// <summary>
    /// Opens the batch or message, which must be one, for reading its records: see <see cref="RecordBatchExtensions.Records"/> and
    /// <see cref="LegacyBatchExtensions.Records"/>.
    /// </summary>
    /// <param name="options">Codecs and limits; null for no codec and the standard limits.</param>
    /// <param name="buffer">Memory for decompressed records; null for memory of their own.</param>
    /// <returns>The records.</returns>
    /// <exception cref="KafkaException">The bytes cannot be read, or what they hold cannot be opened.</exception>
    public BatchRecords Records(RecordReadOptions? options = null, CodecBuffer? buffer = null) =>
        Legacy is null ? GetBatch().Records(options, buffer) : Legacy.Records(options, buffer);

    /// <summary>Offsets and attributes, or what is wrong.</summary>
    /// <returns>One line for people.</returns>
    public override string ToString() => Batch?.ToString() ?? Legacy?.ToString() ?? Unreadable?.ToString() ?? "";
}

/// <summary>
/// A stretch of bytes that cannot be read as a record batch, where one should be. The batches around it can be read all the same.
/// </summary>
public sealed class UnreadableBatch
{
    private readonly CorruptBatch _core;

    internal UnreadableBatch(CorruptBatch core)
    {
        _core = core;
        Fault = KafkaFault.Of(core.Fault, "unreadable batch");
    }

    /// <summary>What is wrong; <see cref="KafkaFault.ByteOffset"/> counts from the start of the set.</summary>
    public KafkaFault Fault { get; }

    /// <summary>Bytes from the start of the set to this stretch.</summary>
    public int Position => _core.Position;

    /// <summary>All bytes of the stretch.</summary>
    public ReadOnlyMemory<byte> Bytes => _core.Bytes.Memory;

    /// <summary>
    /// The base offset that stands at its start. It is where reading the partition stopped, unless it is itself what is damaged.
    /// </summary>
    public long FirstOffset => _core.FirstOffset;

    /// <summary>
    /// The last offset that the stretch takes up, as its header has it; null where the header cannot be read: the base offset of the
    /// batch behind it, if there is one, then tells where to go on.
    /// </summary>
    public long? LastOffset => _core.LastOffset.OrNull();

    /// <summary>Its offsets, its length and what is wrong.</summary>
    /// <returns>One line for people.</returns>
    public override string ToString() => _core.ToString();
}
