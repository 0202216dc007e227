using System;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>The result of a call whose answer has nothing but an error code.</summary>
public sealed class CallResult : KafkaResult
{
    internal CallResult(CallReport report, KafkaFault? fault, ErrorCode error)
        : base(report, fault, error) { }

    /// <inheritdoc/>
    public override ExchangeInfo Exchange => base.Exchange!;

    /// <summary>Throws if the call failed.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is a fault or an error code.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public CallResult ThrowIfError()
    {
        ThrowIfFailed();
        return this;
    }

    internal static CallResult Of<TRequest, TResponse>(
        Client.Exchange<TRequest, TResponse> exchange,
        Func<TResponse, ErrorCode> error,
        CallOptions call
    )
    {
        var report = new CallReport(exchange.Info, call.CancellationToken);
        return exchange.Result.IsOk
            ? new(report, null, error(exchange.Result.ResultValue))
            : new(report, report.FaultOf(exchange.Result.ErrorValue), ErrorCode.None);
    }
}
