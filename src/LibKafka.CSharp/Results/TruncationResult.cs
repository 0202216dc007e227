using System;
using LibKafka.Protocol;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>Whether the log still has what a consumer has read (KIP-320).</summary>
public enum TruncationStatus
{
    /// <summary>Unknown: the position has no epoch, or there is a fault or an error code.</summary>
    NotKnown,

    /// <summary>The log has what was read.</summary>
    Intact,

    /// <summary>The log was truncated at <see cref="TruncationResult.TruncatedAt"/>, which is where to continue.</summary>
    Truncated,

    /// <summary>The log was truncated, but the leader does not know where: it has no epoch as early as that of the position.</summary>
    TruncatedSomewhere,
}

/// <summary>The result of a check for log truncation.</summary>
public sealed class TruncationResult : KafkaResult
{
    private readonly Core.TruncationCheck _core;

    internal TruncationResult(Core.TruncationCheck core, CallOptions call)
        : this(core, new CallReport(core.Exchanges, call.CancellationToken)) { }

    private TruncationResult(Core.TruncationCheck core, CallReport report)
        : base(report, report.FaultOf(core.Result), CallReport.CodeOf(core.Result))
    {
        _core = core;
        if (core.Truncation?.Value is not { } truncation)
        {
            return;
        }

        if (truncation is Core.Truncation.At at)
        {
            Status = TruncationStatus.Truncated;
            TruncatedAt = FetchPosition.Of(at.Item);
        }
        else if (!truncation.IsNotKnown)
        {
            Status = truncation.IsIntact ? TruncationStatus.Intact : TruncationStatus.TruncatedSomewhere;
        }
    }

    /// <summary>The position that was asked about.</summary>
    public FetchPosition Position => FetchPosition.Of(_core.Position);

    /// <summary>Whether the log still has what was read.</summary>
    public TruncationStatus Status { get; }

    /// <summary>Where the log was truncated; null if it was not, or the leader does not know where.</summary>
    public FetchPosition? TruncatedAt { get; }

    /// <inheritdoc/>
    public override ExchangeInfo Exchange => base.Exchange!;

    /// <summary>Throws if there is a fault or an error code. Log truncation is neither.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is a fault or an error code.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public TruncationResult ThrowIfError()
    {
        ThrowIfFailed();
        return this;
    }

    /// <summary>The status, and the position of the truncation if it is known.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() =>
        !IsSuccess ? base.ToString()
        : TruncatedAt is { } position ? $"{Status} at {position}"
        : $"{Status}";
}
