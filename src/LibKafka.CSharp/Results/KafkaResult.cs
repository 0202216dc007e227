using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka.Protocol;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>
/// The result of a call to a broker, the base of all results. A fault and an error code are values: nothing is thrown until
/// <c>ThrowIfError</c> is called. <see cref="KafkaException"/> states the rule in full.
/// </summary>
public abstract class KafkaResult
{
    private readonly ErrorCode _error;

    private protected KafkaResult(CallReport report, KafkaFault? fault, ErrorCode error, string? errorMessage = null)
    {
        Report = report;
        _error = error;
        Fault = fault;
        ErrorMessage = errorMessage;
    }

    /// <summary>Whether the call was answered without an error code.</summary>
    public bool IsSuccess => Fault is null && !_error.IsError;

    /// <summary>Why there is no usable answer; null if there is one.</summary>
    public KafkaFault? Fault { get; }

    /// <summary>
    /// The error code of the answer, or the one that caused <see cref="Fault"/>, such as UNKNOWN_TOPIC_OR_PARTITION if the partition has no
    /// leader; <c>ErrorCode.None</c> if there is no error code.
    /// </summary>
    public ErrorCode Error => Fault is null || _error.IsError ? _error : Fault.ErrorCode;

    /// <summary>The broker's explanation of the error code; null if it gives none.</summary>
    public string? ErrorMessage { get; }

    /// <summary>
    /// Whether the fault or error code may go away by itself, so that the same call may succeed later. Whether repeating the call is safe is
    /// a separate question.
    /// </summary>
    public bool IsTransient => Fault?.IsTransient ?? _error.IsRetriable;

    /// <summary>
    /// Whether the call failed for a reason that may go away by itself, and may be repeated without harm. <see cref="RetryPolicy.Standard"/>
    /// repeats it then. A batch is not sent again if it might be duplicated; an administrative call that changes something is not made again if
    /// any of it was done.
    /// </summary>
    public virtual bool IsRetriable => IsTransient;

    /// <summary>
    /// The exchanges that led to the result, in order; the last one is the call itself. The exchanges of a connection that had to be made first are
    /// reported to <see cref="KafkaClientOptions.Observer"/>.
    /// </summary>
    public IReadOnlyList<ExchangeInfo> Exchanges => Report.Exchanges;

    /// <summary>The last of <see cref="Exchanges"/>; null if the call did not get as far as a request.</summary>
    public virtual ExchangeInfo? Exchange => Exchanges.Count > 0 ? Exchanges[^1] : null;

    /// <summary>How long the broker asks the client to pause because it exceeded a quota; zero if it does not.</summary>
    public TimeSpan ThrottleTime => Exchange?.ThrottleTime ?? TimeSpan.Zero;

    internal CallReport Report { get; }

    /// <summary>The item concerned, for the message of the exception. Null for none.</summary>
    internal virtual string? Subject => null;

    /// <summary>What the failure means, for the message of the exception. Null for nothing.</summary>
    internal virtual string? Meaning => null;

    /// <summary>The error or fault, or <c>OK</c>.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() =>
        Fault is not null ? Fault.ToString()
        : _error.IsError ? KafkaFault.Of(_error, ErrorMessage, null).ToString()
        : "OK";

    private protected void ThrowIfFailed()
    {
        if (!IsSuccess)
        {
            throw KafkaException.For(
                Fault ?? KafkaFault.Of(_error, ErrorMessage, Exchange?.Broker),
                Exchange,
                Subject,
                Meaning,
                Report.Cancellation
            );
        }
    }
}

/// <summary>The result of a call that has a value.</summary>
/// <typeparam name="TValue">The type of the value.</typeparam>
public sealed class KafkaResult<TValue> : KafkaResult
{
    internal KafkaResult(CallReport report, TValue value)
        : base(report, null, ErrorCode.None)
    {
        Value = value;
    }

    internal KafkaResult(CallReport report, KafkaFault? fault, ErrorCode error, string? errorMessage = null)
        : base(report, fault, error, errorMessage) { }

    /// <summary>The value; the default of its type if the call failed.</summary>
    public TValue? Value { get; }

    /// <summary>The value, or an exception if the call failed.</summary>
    /// <returns>The value.</returns>
    /// <exception cref="KafkaException">There is a fault or an error code.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public TValue ThrowIfError()
    {
        ThrowIfFailed();
        return Value!;
    }

    /// <summary>The failure as one of another type of value.</summary>
    internal KafkaResult<TOther> WithoutValue<TOther>() => new(Report, Fault, Fault is null ? Error : ErrorCode.None, ErrorMessage);

    /// <summary>The value as text, or the error or fault.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => IsSuccess ? $"{Value}" : base.ToString();
}

/// <summary>The exchanges of a call, and its token. The results for the call's items share it.</summary>
internal sealed class CallReport(IEnumerable<Client.ExchangeInfo> exchanges, CancellationToken cancellation)
{
    public CallReport(Client.ExchangeInfo exchange, CancellationToken cancellation)
        : this([exchange], cancellation) { }

    public IReadOnlyList<ExchangeInfo> Exchanges => field ??= [.. exchanges.Select(info => new ExchangeInfo(info))];

    public CancellationToken Cancellation { get; } = cancellation;

    /// <summary>The report of a call that continues with another exchange.</summary>
    public CallReport Then(Client.ExchangeInfo exchange) => new(exchanges.Append(exchange), Cancellation);

    public KafkaFault FaultOf(Client.ClientFault fault) => KafkaFault.Of(fault, Exchanges.Count > 0 ? Exchanges[^1].Broker : null);

    /// <summary>The fault because of which a call has no result; null if it has one, or an error code.</summary>
    public KafkaFault? FaultOf<T>(FSharpResult<T, Client.CallFailure> result) =>
        result.IsError && result.ErrorValue is Client.CallFailure.Fault it ? FaultOf(it.Item) : null;

    /// <summary>The error code because of which a call has no result; <c>None</c> if it has one, or a fault.</summary>
    public static ErrorCode CodeOf<T>(FSharpResult<T, Client.CallFailure> result) =>
        result.IsError && result.ErrorValue is Client.CallFailure.Code it ? it.Item : ErrorCode.None;
}
