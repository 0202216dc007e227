using System;
using System.Collections.Generic;
using System.Linq;
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

    public static FSharpOption<T>? OptionOf<T>(T? value)
        where T : class => value is null ? FSharpOption<T>.None : FSharpOption<T>.Some(value);

    public static T? OrNull<T>(this FSharpOption<T>? option)
        where T : class => option?.Value;

    public static T? OrNull<T>(this FSharpValueOption<T> option)
        where T : struct => option.IsSome ? option.Value : null;

    public static FSharpList<T> ToFSharpList<T>(this IEnumerable<T> values) => ListModule.OfSeq(values);

    public static ReadOnlyMemory<byte>? OrNull(this FSharpOption<Bytes>? option) =>
        option is null ? new ReadOnlyMemory<byte>?() : option.Value.Memory;

    public static FSharpMap<TKey, TValue> ToFSharpMap<TKey, TValue>(IEnumerable<KeyValuePair<TKey, TValue>> entries) =>
        new(entries.Select(entry => Tuple.Create(entry.Key, entry.Value)));

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

    /// <summary>What a call brought in the form made for its purpose, or an exception that says why there is nothing.</summary>
    public static TValue ValueOrThrow<TRequest, TResponse, TValue>(
        this Client.Reply<TRequest, TResponse, TValue> reply,
        ExchangeInfo info,
        CancellationToken cancellation
    ) =>
        reply.Result.IsOk
            ? reply.Result.ResultValue
            : throw KafkaException.For(KafkaFault.Of(reply.Result.ErrorValue, info.Broker), info, cancellation);

    /// <summary>The value, or an exception that says why the leader of a group could not share out its partitions.</summary>
    public static T ValueOrThrow<T>(this FSharpResult<T, Groups.AssignFault> result) =>
        result.IsOk ? result.ResultValue : throw new KafkaException(KafkaFault.Of(result.ErrorValue));

    /// <summary>Partitions one by one.</summary>
    public static IReadOnlyList<TopicPartition> Spread(IEnumerable<ConsumerTopicPartitions> topics) =>
        new ValueList<TopicPartition>(
            topics.SelectMany(topic => topic.Partitions.Select(partition => new TopicPartition(topic.Topic, partition)))
        );

    /// <summary>Partitions by topic, in the order in which the topics come first.</summary>
    public static FSharpList<ConsumerTopicPartitions> Gather(IEnumerable<TopicPartition> partitions) =>
        partitions
            .GroupBy(partition => partition.Topic)
            .Select(topic => new ConsumerTopicPartitions(topic.Key, topic.Select(partition => partition.Partition).ToFSharpList()))
            .ToFSharpList();

    public static FSharpOption<Bytes>? OptionOf(ReadOnlyMemory<byte>? bytes) =>
        bytes is { } given ? FSharpOption<Bytes>.Some(new(given)) : FSharpOption<Bytes>.None;

    /// <summary>An exception for an error code; none for <c>ErrorCode.None</c>.</summary>
    public static void ThrowIfError(ErrorCode error, string? message, ExchangeInfo exchange, string? addition = null)
    {
        if (error.IsError)
        {
            throw new KafkaException(KafkaFault.Of(error, message, exchange.Broker), exchange, addition);
        }
    }

    /// <summary>An exception for a fault, or else for an error code; none where there is neither.</summary>
    public static void ThrowIfFailed(KafkaFault? fault, ErrorCode error, ExchangeInfo exchange, CancellationToken cancellation)
    {
        if (fault is not null)
        {
            throw KafkaException.For(fault, exchange, cancellation);
        }

        ThrowIfError(error, null, exchange);
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

    /// <summary>A time that something may take, or no bound.</summary>
    public static TimeSpan CheckTimeout(TimeSpan time, string name) =>
        time == Timeout.InfiniteTimeSpan ? time : CheckTime(time, TimeSpan.FromMilliseconds(1), name);
}
