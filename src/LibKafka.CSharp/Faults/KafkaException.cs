using System;
using System.Text;
using System.Threading;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>A fault or an error code, thrown.</summary>
/// <remarks>
/// <para>
/// The rule of this library: every call that may talk to a broker returns a <see cref="KafkaResult"/>, and faults, cancellation and error codes
/// are values of it. Nothing is lost and nothing is thrown until the caller asks for it: <c>ThrowIfError()</c> throws this exception, or returns
/// the value if the call succeeded. If the call was cancelled, <c>ThrowIfError()</c> throws an <see cref="OperationCanceledException"/> whose
/// inner exception is this one, as .NET programs expect.
/// </para>
/// <para>
/// Apart from that, only misuse throws, with the exceptions of .NET: a null argument, an option out of range, a client that has been disposed of,
/// a batch for a producer that is fenced.
/// </para>
/// <para>
/// Functions that only read or write bytes talk to no broker and have no result to put a fault in: opening a batch, reading its records, reading
/// a subscription, or loading a certificate throws this exception if the bytes or files are not what they should be.
/// </para>
/// </remarks>
public sealed class KafkaException : Exception
{
    internal KafkaException(KafkaFault fault, ExchangeInfo? exchange = null, string? subject = null, string? meaning = null)
        : base(Describe(fault, exchange, subject, meaning))
    {
        Fault = fault;
        Exchange = exchange;
    }

    /// <summary>The fault. An error code is a fault of the kind <see cref="KafkaFaultKind.BrokerError"/>.</summary>
    public KafkaFault Fault { get; }

    /// <summary>The kind of the fault.</summary>
    public KafkaFaultKind Kind => Fault.Kind;

    /// <summary>The broker concerned; null if none had been chosen or none is concerned.</summary>
    public BrokerAddress? Broker => Fault.Broker;

    /// <summary>The broker's error code; <c>ErrorCode.None</c> if there is none.</summary>
    public ErrorCode ErrorCode => Fault.ErrorCode;

    /// <summary>The call that failed; null if no request was made.</summary>
    public ExchangeInfo? Exchange { get; }

    /// <summary>The exception for a fault: an <see cref="OperationCanceledException"/> if the caller cancelled.</summary>
    internal static Exception For(
        KafkaFault fault,
        ExchangeInfo? exchange,
        string? subject,
        string? meaning,
        CancellationToken cancellation
    )
    {
        var exception = new KafkaException(fault, exchange, subject, meaning);
        return fault.Kind == KafkaFaultKind.Cancelled
            ? new OperationCanceledException(exception.Message, exception, cancellation)
            : exception;
    }

    private static string Describe(KafkaFault fault, ExchangeInfo? exchange, string? subject, string? meaning)
    {
        var text = new StringBuilder();
        if (exchange is not null)
        {
            text.Append(exchange.Api);
        }

        // The messages of some kinds name the broker themselves.
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

        text.Append(text.Length == 0 ? "" : ": ").Append(subject is null ? "" : $"{subject}: ").Append(fault.Message);
        return meaning is null ? text.ToString() : text.Append("; ").Append(meaning).ToString();
    }
}
