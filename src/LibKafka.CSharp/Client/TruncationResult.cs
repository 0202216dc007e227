using System;
using System.Threading;
using LibKafka.Protocol;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>Whether a reader has read records that an election has since cut off (KIP-320).</summary>
public enum TruncationStatus
{
    /// <summary>It is not known: the position has no epoch, or there is a fault or an error code.</summary>
    NotKnown,

    /// <summary>What was read is in the log.</summary>
    Intact,

    /// <summary>The log parts from what was read at <see cref="TruncationResult.TruncatedAt"/>, which is where to go on.</summary>
    Truncated,

    /// <summary>It does, and the leader does not know where: the epoch of what was read is none of its own.</summary>
    TruncatedSomewhere,
}

/// <summary>
/// What a check for truncation found. An error code or a fault does not throw by itself: see <see cref="ThrowIfError"/>.
/// </summary>
public sealed class TruncationResult
{
    private readonly Core.TruncationCheck _check;
    private readonly CancellationToken _cancellation;

    internal TruncationResult(Core.TruncationCheck check, CancellationToken cancellation)
    {
        _check = check;
        _cancellation = cancellation;
        Exchange = new(check.Exchange.Info);
        Fault = check.Result.IsError ? KafkaFault.Of(check.Result.ErrorValue, Exchange.Broker) : null;
        if (check.Truncation?.Value is not { } truncation)
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
    public FetchPosition Position => FetchPosition.Of(_check.Position);

    /// <summary>Whether the log still has what was read.</summary>
    public TruncationStatus Status { get; }

    /// <summary>Where the log parts from what was read; null where it does not, or nobody knows where.</summary>
    public FetchPosition? TruncatedAt { get; }

    /// <summary>
    /// What the broker objects to, such as NOT_LEADER_OR_FOLLOWER; <c>ErrorCode.None</c> where it is nothing, or no answer came.
    /// </summary>
    public ErrorCode Error => _check.Result.IsOk ? _check.Result.ResultValue.Error : ErrorCode.None;

    /// <summary>Why no answer came; null where one did.</summary>
    public KafkaFault? Fault { get; }

    /// <summary>How long the client is asked to pause because it exceeded a quota; zero where it did not.</summary>
    public TimeSpan ThrottleTime => Exchange.ThrottleTime;

    /// <summary>The call.</summary>
    public ExchangeInfo Exchange { get; }

    /// <summary>Throws where there is a fault or an error code. That the log was cut off is neither.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is a fault or an error code.</exception>
    public TruncationResult ThrowIfError()
    {
        Interop.ThrowIfFailed(Fault, Error, Exchange, _cancellation);
        return this;
    }

    internal TruncationResult ThrowIfCancelled() => Fault is { Kind: KafkaFaultKind.Cancelled } ? ThrowIfError() : this;
}
