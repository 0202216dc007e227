using System;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>The result of searching for an offset.</summary>
public sealed class OffsetResult : KafkaResult
{
    private readonly ListOffsets.PartitionResponse? _found;

    internal OffsetResult(Client.Sought core, CallOptions call)
        : this(core, core.Result.IsOk ? core.Result.ResultValue : null, new CallReport(core.Exchanges, call.CancellationToken)) { }

    private OffsetResult(Client.Sought core, ListOffsets.PartitionResponse? found, CallReport report)
        : base(report, report.FaultOf(core.Result), CallReport.CodeOf(core.Result))
    {
        Core = core;
        _found = found;
        Offset = core.Offset is { } offset ? offset.Value : null;
    }

    /// <summary>
    /// The offset; null if there is an error or a fault. <see cref="PartitionFetcher.FindOffset(OffsetSpec, CallOptions)"/> gives null without
    /// either if no record is that late.
    /// </summary>
    public long? Offset { get; }

    /// <summary>
    /// The timestamp of the record at the offset, in milliseconds since 1970-01-01 UTC; -1 unless the search was for a timestamp and found a
    /// record.
    /// </summary>
    public long Timestamp => _found?.Timestamp ?? -1;

    /// <summary>
    /// The leader epoch of the record at the offset or, at the end of the log, of the leader; -1 if it is not known. It is not the epoch of the
    /// record before the offset, which is what <see cref="FetchPosition.LastEpoch"/> needs.
    /// </summary>
    public int LeaderEpoch => _found?.LeaderEpoch ?? -1;

    /// <inheritdoc/>
    public override ExchangeInfo Exchange => base.Exchange!;

    internal Client.Sought Core { get; }

    /// <summary>Throws if there is a fault or an error code.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is a fault or an error code.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public OffsetResult ThrowIfError()
    {
        ThrowIfFailed();
        return this;
    }

    /// <summary>As in <c>offset 42</c>, or the error or fault.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() =>
        !IsSuccess ? base.ToString()
        : Offset is null ? "no such offset"
        : FormattableString.Invariant($"offset {Offset}");
}
