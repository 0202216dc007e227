using System;
using System.Collections.Generic;
using System.Threading;
using LibKafka.Protocol;
using LibKafka.Wire;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>Between the core's F# types and those that C# has for the same things.</summary>
internal static class Interop
{
    public static FSharpOption<CancellationToken> Optional(CancellationToken cancellation) =>
        FSharpOption<CancellationToken>.Some(cancellation);

    public static FSharpValueOption<T> Optional<T>(T? value)
        where T : struct => value is { } given ? FSharpValueOption<T>.NewValueSome(given) : FSharpValueOption<T>.ValueNone;

    public static T? OrNull<T>(this FSharpOption<T>? option)
        where T : class => option?.Value;

    public static T? OrNull<T>(this FSharpValueOption<T> option)
        where T : struct => option.IsSome ? option.Value : null;

    public static FSharpList<T> ToFSharpList<T>(this IEnumerable<T> values) => ListModule.OfSeq(values);

    /// <summary>The value, or an exception that says in the context given what is wrong with the bytes.</summary>
    public static T ValueOrThrow<T>(this FSharpResult<T, Fault> result, string context) =>
        result.IsOk ? result.ResultValue : throw new KafkaException(KafkaFault.Of(result.ErrorValue, context));

    /// <summary>The value, or an exception that says why no connection was made.</summary>
    public static T ValueOrThrow<T>(
        this FSharpResult<T, Client.ClientFault> result,
        BrokerAddress? broker,
        CancellationToken cancellation
    ) => result.IsOk ? result.ResultValue : throw KafkaException.For(KafkaFault.Of(result.ErrorValue, broker), null, cancellation);

    /// <summary>The response of a call, or an exception that says why there is none.</summary>
    public static TResponse ResponseOrThrow<TRequest, TResponse>(
        this Client.Exchange<TRequest, TResponse> exchange,
        ExchangeInfo info,
        CancellationToken cancellation
    ) =>
        exchange.Outcome.IsOk
            ? exchange.Outcome.ResultValue
            : throw KafkaException.For(KafkaFault.Of(exchange.Outcome.ErrorValue, info.Broker), info, cancellation);

    /// <summary>An exception for an error code; none for <c>ErrorCode.None</c>.</summary>
    public static void ThrowIfError(ErrorCode error, string? message, ExchangeInfo exchange, string? addition = null)
    {
        if (error.IsError)
        {
            throw new KafkaException(KafkaFault.Of(error, message, exchange.Broker), exchange, addition);
        }
    }

    /// <summary>The point in time that Kafka counts in milliseconds; null for -1, and for what no calendar has.</summary>
    public static DateTimeOffset? Time(long milliseconds) =>
        milliseconds >= 0 && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;

    /// <summary>A whole number of milliseconds that a request can carry.</summary>
    public static TimeSpan CheckTime(TimeSpan time, TimeSpan least, string name) =>
        time >= least && time.TotalMilliseconds <= int.MaxValue
            ? time
            : throw new ArgumentOutOfRangeException(
                name,
                time,
                $"It must lie between {least} and {TimeSpan.FromMilliseconds(int.MaxValue)}."
            );
}
