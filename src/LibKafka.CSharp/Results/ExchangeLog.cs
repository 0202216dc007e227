using System;
using System.Collections.Generic;
using LibKafka.Protocol;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>
/// Keeps the exchanges of a call for which the core returns only a value, such as the making of a connection. The client's settings report
/// every exchange to it; it keeps them only while such a call is made.
/// </summary>
internal sealed class ExchangeLog
{
    private List<Client.ExchangeInfo>? _kept;

    public void Add(Client.ExchangeInfo exchange) => _kept?.Add(exchange);

    /// <summary>Makes a call, and gives its result with the exchanges that it made.</summary>
    public KafkaResult<TValue> Run<TCore, TValue>(
        CallOptions call,
        Func<FSharpResult<TCore, Client.ClientFault>> make,
        Func<TCore, TValue> value
    )
    {
        var kept = new List<Client.ExchangeInfo>();
        _kept = kept;
        try
        {
            var result = make();
            var report = new CallReport(kept, call.CancellationToken);
            return result.IsOk ? new(report, value(result.ResultValue)) : new(report, report.FaultOf(result.ErrorValue), ErrorCode.None);
        }
        finally
        {
            _kept = null;
        }
    }
}
