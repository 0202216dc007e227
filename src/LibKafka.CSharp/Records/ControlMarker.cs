using System;
using System.Diagnostics.CodeAnalysis;
using LibKafka.Records;

namespace LibKafka;

/// <summary>What a control record says. A number without a name is a kind that is not known here.</summary>
public enum ControlMarkerKind
{
    /// <summary>The producer's transaction up to here was aborted: its records are not to be read as committed.</summary>
    Abort = 0,

    /// <summary>The producer's transaction up to here was committed.</summary>
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
/// A record that a broker wrote into the log to say something about the records before it: the records of a batch whose
/// <see cref="RecordBatch.IsControl"/> is set. It takes up an offset like any other, and is no data.
/// </summary>
public sealed class ControlMarker
{
    private readonly ControlRecord _core;

    private ControlMarker(long offset, ControlRecord core)
    {
        Offset = offset;
        _core = core;
    }

    /// <summary>Its place in the partition.</summary>
    public long Offset { get; }

    /// <summary>The version of the form of its key.</summary>
    public short Version => _core.Version;

    /// <summary>What it says.</summary>
    public ControlMarkerKind Kind => (ControlMarkerKind)_core.Type.Code;

    /// <summary>What it says in full, in a form that depends on the kind; null where there is none.</summary>
    public ReadOnlyMemory<byte>? Value => _core.Value.OrNull()?.Memory;

    /// <summary>Makes sense of a record of a control batch.</summary>
    /// <param name="record">The record.</param>
    /// <returns>The marker, which shares no memory with the batch.</returns>
    /// <exception cref="KafkaException">The record's key is not that of a control record.</exception>
    public static ControlMarker Read(in Record record) =>
        new(
            record.Offset,
            ControlRecordModule.ofRecord(record).ValueOrThrow(FormattableString.Invariant($"the control record at offset {record.Offset}"))
        );

    /// <summary>Makes sense of a record of a control batch, if it is one.</summary>
    /// <param name="record">The record.</param>
    /// <param name="marker">The marker, which shares no memory with the batch.</param>
    /// <returns>Whether the record's key is that of a control record.</returns>
    public static bool TryRead(in Record record, [NotNullWhen(true)] out ControlMarker? marker)
    {
        var read = ControlRecordModule.ofRecord(record);
        marker = read.IsOk ? new(record.Offset, read.ResultValue) : null;
        return read.IsOk;
    }

    /// <summary>As in <c>offset 7: Commit</c>.</summary>
    /// <returns>One line for people.</returns>
    public override string ToString() => FormattableString.Invariant($"offset {Offset}: {_core.Type}");
}
