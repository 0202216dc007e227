using System;
using System.Diagnostics.CodeAnalysis;
using LibKafka.Records;

namespace LibKafka;

/// <summary>The kind of a control record. A number without a name is a kind that this library does not know.</summary>
public enum ControlMarkerKind
{
    /// <summary>The producer's transaction was aborted here: readers of committed data skip its records.</summary>
    Abort = 0,

    /// <summary>The producer's transaction was committed here.</summary>
    Commit = 1,

    /// <summary>A new leader of the metadata partition.</summary>
    LeaderChange = 2,

    /// <summary>The beginning of a metadata snapshot.</summary>
    SnapshotHeader = 3,

    /// <summary>The end of a metadata snapshot.</summary>
    SnapshotFooter = 4,

    /// <summary>The version of the metadata quorum's protocol.</summary>
    KRaftVersion = 5,

    /// <summary>The voters of the metadata quorum.</summary>
    KRaftVoters = 6,
}

/// <summary>
/// A record that a broker wrote to the log about the records before it, such as the end of a transaction. It has an offset like any other,
/// but it is not data. Batches of such records have <see cref="RecordBatch.IsControl"/> set.
/// </summary>
public sealed class ControlMarker
{
    private readonly ControlRecord _core;

    private ControlMarker(long offset, ControlRecord core)
    {
        Offset = offset;
        _core = core;
    }

    /// <summary>The offset in the partition.</summary>
    public long Offset { get; }

    /// <summary>The version of the key's format.</summary>
    public short Version => _core.Version;

    /// <summary>The kind.</summary>
    public ControlMarkerKind Kind => (ControlMarkerKind)_core.Type.Code;

    /// <summary>The content, whose format depends on the kind; null if there is none.</summary>
    public ReadOnlyMemory<byte>? Value => _core.Value.OrNull()?.Memory;

    /// <summary>Parses a record of a control batch.</summary>
    /// <param name="record">The record.</param>
    /// <returns>The marker, which shares no memory with the batch.</returns>
    /// <exception cref="KafkaException">The record's key is not that of a control record.</exception>
    public static ControlMarker Read(in Record record) =>
        new(
            record.Offset,
            ControlRecordModule.ofRecord(record).ValueOrThrow(FormattableString.Invariant($"the control record at offset {record.Offset}"))
        );

    /// <summary>Parses a record of a control batch, if it is one.</summary>
    /// <param name="record">The record.</param>
    /// <param name="marker">The marker, which shares no memory with the batch.</param>
    /// <returns>Whether the record's key is that of a control record.</returns>
    public static bool TryRead(in Record record, [NotNullWhen(true)] out ControlMarker? marker)
    {
        var read = ControlRecordModule.ofRecord(record);
        marker = read.IsOk ? new(record.Offset, read.ResultValue) : null;
        return read.IsOk;
    }

    /// <summary>Such as <c>offset 7: Commit</c>.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => FormattableString.Invariant($"offset {Offset}: {_core.Type}");
}
