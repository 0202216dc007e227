using System;
using System.Threading;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>
/// What a search for an offset found. An error code or a fault does not throw by itself: see <see cref="ThrowIfError"/>.
/// </summary>
public sealed class OffsetResult
{
    private readonly ListOffsets.PartitionResponse? _found;
    private readonly CancellationToken _cancellation;

    internal OffsetResult(Client.Sought sought, CancellationToken cancellation)
    {
        _cancellation = cancellation;
        Core = sought;
        Exchange = new(sought.Exchange.Info);
        Offset = sought.Offset is { } offset ? offset.Value : null;
        _found = sought.Result.IsOk ? sought.Result.ResultValue : null;
        Fault = sought.Result.IsError ? KafkaFault.Of(sought.Result.ErrorValue, Exchange.Broker) : null;
        ThrottleTime = TimeSpan.FromMilliseconds(sought.Exchange.Outcome.IsOk ? sought.Exchange.Outcome.ResultValue.ThrottleTimeMs : 0);
    }

    /// <summary>The offset; null where no record is that late, and on an error or a fault.</summary>
    public long? Offset { get; }

    /// <summary>
    /// The timestamp of the record at the offset, in milliseconds since 1970-01-01 UTC; -1 where none was looked for or none was found.
    /// </summary>
    public long Timestamp => _found?.Timestamp ?? -1;

    /// <summary>The leader epoch of the record at the offset; -1 where it is not known.</summary>
    public int LeaderEpoch => _found?.LeaderEpoch ?? -1;

    /// <summary>
    /// What the broker objects to, such as NOT_LEADER_OR_FOLLOWER; <c>ErrorCode.None</c> where it is nothing, or no answer came.
    /// </summary>
    public ErrorCode Error => _found?.Error ?? ErrorCode.None;

    /// <summary>Why no answer came; null where one did.</summary>
    public KafkaFault? Fault { get; }

    /// <summary>How long the client is asked to pause because it exceeded a quota; zero where it did not.</summary>
    public TimeSpan ThrottleTime { get; }

    /// <summary>The call.</summary>
    public ExchangeInfo Exchange { get; }

    internal Client.Sought Core { get; }

    /// <summary>Throws where there is a fault or an error code. That no record is that late is neither.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is a fault or an error code.</exception>
    public OffsetResult ThrowIfError()
    {
        Interop.ThrowIfFailed(Fault, Error, Exchange, _cancellation);
        return this;
    }

    internal OffsetResult ThrowIfCancelled() => Fault is { Kind: KafkaFaultKind.Cancelled } ? ThrowIfError() : this;
}
