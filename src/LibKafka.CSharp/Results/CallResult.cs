using System;
using LibKafka.Protocol;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>The result of a call whose answer has nothing but an error code.</summary>
public sealed class CallResult : KafkaResult
{
    internal CallResult(CallReport report, KafkaFault? fault, ErrorCode error, string? errorMessage = null)
        : base(report, fault, error, errorMessage) { }

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
        Client.Reply<TRequest, TResponse, FSharpResult<Unit, Client.CallFailure>> reply,
        CallOptions call
    )
    {
        var report = new CallReport(reply.Exchange.Info, call.CancellationToken);
        return new(report, report.FaultOf(reply.Result), CallReport.CodeOf(reply.Result));
    }
}
