using System;
using System.Diagnostics.CodeAnalysis;
using LibKafka.Records;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>
/// One item of a set of record batches: a batch, a message of an older format, or bytes that cannot be read as either.
/// </summary>
public readonly struct RecordBatchItem
{
    private readonly RecordSetItem? _core;

    internal RecordBatchItem(RecordSetItem core)
    {
        _core = core;
        Batch = (core as RecordSetItem.Batch)?.batch;
        Legacy = (core as RecordSetItem.Legacy)?.batch;
        Corrupt = core is RecordSetItem.Corrupt corrupt ? new(corrupt.Item) : null;
    }

    /// <summary>The batch; null if the item is something else.</summary>
    public RecordBatch? Batch { get; }

    /// <summary>
    /// The message of a format before Kafka 0.11 (magic 0 or 1), alone or with others compressed in it; null if the item is something else.
    /// Its records are read like those of a batch.
    /// </summary>
    public LegacyBatch? Legacy { get; }

    /// <summary>The bytes that cannot be read; null if they can.</summary>
    public CorruptRecordBatch? Corrupt { get; }

    /// <summary>Whether the item is a batch.</summary>
    [MemberNotNullWhen(true, nameof(Batch))]
    public bool IsBatch => Batch is not null;

    /// <summary>Whether the item cannot be read.</summary>
    [MemberNotNullWhen(true, nameof(Corrupt))]
    public bool IsCorrupt => Corrupt is not null;

    /// <summary>Bytes from the start of the set to the item.</summary>
    public int Position => _core?.Position ?? 0;

    /// <summary>The batch, which must be one.</summary>
    /// <returns>The batch.</returns>
    /// <exception cref="KafkaException">The bytes cannot be read as a batch.</exception>
    /// <exception cref="InvalidOperationException">The item is a message of an older format: see <see cref="Legacy"/>.</exception>
    public RecordBatch GetBatch() =>
        Batch
        ?? throw (
            Corrupt is null
                ? new InvalidOperationException($"The item is not a record batch, but a message of an older format: {Legacy}.")
                : new KafkaException(Corrupt.Fault)
        );

    /// <summary>
    /// Opens the batch or message, which must be one, for reading its records: see <see cref="RecordBatchExtensions.Records"/> and
    /// <see cref="LegacyBatchExtensions.Records"/>. If the item comes from a fetch, the records begin at the offset that was asked for, although
    /// the batch may begin before it.
    /// </summary>
    /// <param name="options">Codecs and limits; null for no codecs and the standard limits.</param>
    /// <param name="buffer">Memory for decompressed records; null for separate memory.</param>
    /// <returns>The records.</returns>
    /// <exception cref="KafkaException">The bytes cannot be read, or their records cannot be opened.</exception>
    public RecordBatchRecords Records(RecordReadOptions? options = null, CodecBuffer? buffer = null)
    {
        var batch = Legacy ?? (object)GetBatch();
        var opened = RecordSetItemModule.openRecords((options ?? RecordReadOptions.Default).ToReading(buffer), _core!);
        return new(opened.ValueOrThrow(RecordBatchExtensions.Describe(batch)), batch);
    }

    /// <summary>The beginning of the message of a fault in the item.</summary>
    internal static string Describe(FSharpValueOption<RecordSetItem> item) =>
        item.IsNone ? "the batch"
        : item.Value is RecordSetItem.Batch it ? RecordBatchExtensions.Describe(it.batch)
        : item.Value is RecordSetItem.Legacy legacy ? RecordBatchExtensions.Describe(legacy.batch)
        : "corrupt batch";

    /// <summary>Offsets and attributes, or the fault.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => Batch?.ToString() ?? Legacy?.ToString() ?? Corrupt?.ToString() ?? "";
}
