using System;
using System.Text;
using System.Threading;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>
/// Something went wrong, and there was no result that could say so: a connection was not made, an answer never came, bytes cannot be
/// read. <c>ThrowIfError</c> throws it too, for whoever would rather not look at the result. It is the one exception of this library
/// beside those that .NET has for a caller's mistakes, and <see cref="OperationCanceledException"/> for a call that the caller
/// cancelled.
/// </summary>
public sealed class KafkaException : Exception
{
    internal KafkaException(KafkaFault fault, ExchangeInfo? exchange = null, string? addition = null)
        : base(Describe(fault, exchange, addition))
    {
        Fault = fault;
        Exchange = exchange;
    }

    /// <summary>What went wrong.</summary>
    public KafkaFault Fault { get; }

    /// <summary>What kind of thing went wrong.</summary>
    public KafkaFaultKind Kind => Fault.Kind;

    /// <summary>The broker that it went wrong with; null where none had been chosen, or none is concerned.</summary>
    public BrokerAddress? Broker => Fault.Broker;

    /// <summary>The error code that the broker gave; <c>ErrorCode.None</c> where it is not by a code that things went wrong.</summary>
    public ErrorCode ErrorCode => Fault.ErrorCode;

    /// <summary>The call that failed; null where it did not come to one, or none was needed.</summary>
    public ExchangeInfo? Exchange { get; }

    /// <summary>What to throw for a fault: an <see cref="OperationCanceledException"/> where it is that the caller cancelled.</summary>
    internal static Exception For(KafkaFault fault, ExchangeInfo? exchange, CancellationToken cancellation, string? addition = null)
    {
        var exception = new KafkaException(fault, exchange, addition);
        return fault.Kind == KafkaFaultKind.Cancelled
            ? new OperationCanceledException(exception.Message, exception, cancellation)
            : exception;
    }

    private static string Describe(KafkaFault fault, ExchangeInfo? exchange, string? addition)
    {
        var text = new StringBuilder();
        if (exchange is not null)
        {
            text.Append(exchange.Api);
        }

        // The text of some names the broker itself.
        if (
            fault.Broker is { } broker
            && fault.Kind
                is not (
                    KafkaFaultKind.CannotConnect
                    or KafkaFaultKind.TlsExpected
                    or KafkaFaultKind.TlsNotSpoken
                    or KafkaFaultKind.TlsFailed
                )
        )
        {
            text.Append(text.Length == 0 ? "" : " to ").Append(broker);
        }

        text.Append(text.Length == 0 ? "" : ": ").Append(fault.Message);
        return addition is null ? text.ToString() : text.Append("; ").Append(addition).ToString();
    }
}
