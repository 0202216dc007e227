using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading;
using LibKafka.Protocol;
using LibKafka.Records;
using LibKafka.Wire;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>Conversions between F# types and the C# types for the same things, and checks of arguments.</summary>
internal static class Interop
{
    /// <summary>As in <c>1 record</c> or <c>2 records</c>.</summary>
    public static string Count(int number, string thing) => FormattableString.Invariant($"{number} {thing}{(number == 1 ? "" : "s")}");

    public static FSharpValueOption<T> Optional<T>(T? value)
        where T : struct => value is { } given ? FSharpValueOption<T>.NewValueSome(given) : FSharpValueOption<T>.ValueNone;

    public static FSharpOption<T>? OptionOf<T>(T? value)
        where T : class => value is null ? FSharpOption<T>.None : FSharpOption<T>.Some(value);

    public static FSharpOption<CancellationToken>? OptionOf(CancellationToken token) =>
        token.CanBeCanceled ? FSharpOption<CancellationToken>.Some(token) : FSharpOption<CancellationToken>.None;

    public static FSharpOption<Bytes>? OptionOf(ReadOnlyMemory<byte>? bytes) =>
        bytes is { } given ? FSharpOption<Bytes>.Some(new(given)) : FSharpOption<Bytes>.None;

    public static T? OrNull<T>(this FSharpOption<T>? option)
        where T : class => option?.Value;

    public static T? OrNull<T>(this FSharpValueOption<T> option)
        where T : struct => option.IsSome ? option.Value : null;

    public static ReadOnlyMemory<byte>? OrNull(this FSharpOption<Bytes>? option) =>
        option is null ? new ReadOnlyMemory<byte>?() : option.Value.Memory;

    public static FSharpList<T> ToFSharpList<T>(this IEnumerable<T> values) => ListModule.OfSeq(values);

    public static FSharpMap<TKey, TValue> ToFSharpMap<TKey, TValue>(IEnumerable<KeyValuePair<TKey, TValue>> entries) =>
        new(entries.Select(entry => Tuple.Create(entry.Key, entry.Value)));

    /// <summary>The value, or an exception for malformed bytes. The context names what was read or written.</summary>
    public static T ValueOrThrow<T>(this FSharpResult<T, Fault> result, string context) =>
        result.IsOk ? result.ResultValue : throw new KafkaException(KafkaFault.Of(result.ErrorValue, context));

    /// <summary>The value, or an exception for a batch that cannot be forwarded. The context names the batch.</summary>
    public static T ValueOrThrow<T>(this FSharpResult<T, NotForwardable> result, string context) =>
        result.IsOk ? result.ResultValue : throw new KafkaException(KafkaFault.Of(result.ErrorValue, context));

    /// <summary>The value, or an exception for an option that cannot be used.</summary>
    public static T ValueOrThrow<T>(this FSharpResult<T, Client.ClientFault> result) =>
        result.IsOk ? result.ResultValue : throw new KafkaException(KafkaFault.Of(result.ErrorValue, null));

    /// <summary>The value, or an exception that says why the leader of a group could not assign its partitions.</summary>
    public static T ValueOrThrow<T>(this FSharpResult<T, Groups.AssignFault> result) =>
        result.IsOk ? result.ResultValue : throw new KafkaException(KafkaFault.Of(result.ErrorValue));

    /// <summary>The partitions of several topics as one list.</summary>
    public static IReadOnlyList<TopicPartition> Spread(IEnumerable<ConsumerTopicPartitions> topics) =>
        new ValueList<TopicPartition>(
            topics.SelectMany(topic => topic.Partitions.Select(partition => new TopicPartition(topic.Topic, partition)))
        );

    /// <summary>Partitions grouped by topic; the topics are in the order in which they first appear.</summary>
    public static FSharpList<ConsumerTopicPartitions> Gather(IEnumerable<TopicPartition> partitions) =>
        partitions
            .GroupBy(partition => partition.Topic)
            .Select(topic => new ConsumerTopicPartitions(topic.Key, topic.Select(partition => partition.Partition).ToFSharpList()))
            .ToFSharpList();

    /// <summary>The time for a number of milliseconds since 1970; null if it is negative or beyond the calendar.</summary>
    public static DateTimeOffset? Time(long milliseconds) =>
        milliseconds >= 0 && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;

    /// <summary>The settings, which must be valid.</summary>
    public static T Checked<T>(FSharpResult<T, Client.ClientFault> settings, string name) =>
        settings.IsOk ? settings.ResultValue : throw new ArgumentException(settings.ErrorValue.ToString(), name);

    /// <summary>The settings of a consumer, which must fit those of its client.</summary>
    public static Topics.ConsumerSettings Checked(Client.ClientSettings client, Topics.ConsumerSettings consumer, string name)
    {
        Checked(Client.FetcherSettingsModule.check(client, consumer.Fetching), name);
        return consumer;
    }

    /// <summary>The argument, which must not be null.</summary>
    public static T Required<T>(T? value, [CallerArgumentExpression(nameof(value))] string? name = null)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(value, name);
        return value;
    }

    /// <summary>The partition, which must have a topic and a number from 0.</summary>
    public static TopicPartition Required(TopicPartition partition, [CallerArgumentExpression(nameof(partition))] string? name = null)
    {
        RequiredTopic(partition.Topic, name);
        ArgumentOutOfRangeException.ThrowIfNegative(partition.Partition, name);
        return partition;
    }

    /// <summary>The position, whose offset must not be negative.</summary>
    public static FetchPosition Required(FetchPosition position, [CallerArgumentExpression(nameof(position))] string? name = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position.Offset, name);
        return position;
    }

    /// <summary>The name of a topic, which must not be empty.</summary>
    public static string RequiredTopic(string? topic, [CallerArgumentExpression(nameof(topic))] string? name = null) =>
        Required(topic, name).Length > 0 ? topic! : throw new ArgumentException("The topic name is empty: give the name of a topic.", name);

    /// <summary>The broker, which must have a host.</summary>
    public static BrokerAddress Required(BrokerAddress broker, [CallerArgumentExpression(nameof(broker))] string? name = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(broker.Host, name);
        return broker;
    }

    /// <summary>The resource, which must have a name. The name may be empty.</summary>
    public static ConfigResource Required(ConfigResource resource, [CallerArgumentExpression(nameof(resource))] string? name = null) =>
        resource.Name is null ? throw new ArgumentException("The resource has no name.", name) : resource;

    /// <summary>The elements of an argument, none of which may be null.</summary>
    public static T[] RequiredAll<T>(IEnumerable<T>? values, [CallerArgumentExpression(nameof(values))] string? name = null)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(values, name);
        T[] all = [.. values];
        var index = Array.IndexOf(all, null);
        return index < 0 ? all : throw new ArgumentException($"The element at position {index} is null.", name);
    }

    /// <summary>The partitions of an argument, each of which must have a topic and a number from 0.</summary>
    public static TopicPartition[] RequiredAll(
        IEnumerable<TopicPartition>? partitions,
        [CallerArgumentExpression(nameof(partitions))] string? name = null
    )
    {
        ArgumentNullException.ThrowIfNull(partitions, name);
        return [.. partitions.Select(partition => Required(partition, name))];
    }

    /// <summary>The brokers of an argument, each of which must have a host.</summary>
    public static BrokerAddress[] RequiredAll(
        IEnumerable<BrokerAddress>? brokers,
        [CallerArgumentExpression(nameof(brokers))] string? name = null
    )
    {
        ArgumentNullException.ThrowIfNull(brokers, name);
        return [.. brokers.Select(broker => Required(broker, name))];
    }

    /// <summary>The resources of an argument, each of which must have a name.</summary>
    public static ConfigResource[] RequiredAll(
        IEnumerable<ConfigResource>? resources,
        [CallerArgumentExpression(nameof(resources))] string? name = null
    )
    {
        ArgumentNullException.ThrowIfNull(resources, name);
        return [.. resources.Select(resource => Required(resource, name))];
    }

    /// <summary>A dictionary without null as an immutable map, which is compared by content.</summary>
    public static FSharpMap<string, string> RequiredMap(
        IReadOnlyDictionary<string, string>? entries,
        [CallerArgumentExpression(nameof(entries))] string? name = null
    )
    {
        ArgumentNullException.ThrowIfNull(entries, name);
        var missing = entries.FirstOrDefault(entry => entry.Value is null).Key;
        return missing is null ? ToFSharpMap(entries) : throw new ArgumentException($"The value of '{missing}' is null.", name);
    }

    /// <summary>The entries of an argument, each of which must have a partition with a topic and a number from 0.</summary>
    public static KeyValuePair<TopicPartition, TValue>[] RequiredAll<TValue>(
        IEnumerable<KeyValuePair<TopicPartition, TValue>>? entries,
        [CallerArgumentExpression(nameof(entries))] string? name = null
    )
    {
        ArgumentNullException.ThrowIfNull(entries, name);
        return [.. entries.Select(entry => KeyValuePair.Create(Required(entry.Key, name), entry.Value))];
    }

    /// <summary>The entries of an argument, none of which may have null in it.</summary>
    public static KeyValuePair<TKey, TValue>[] RequiredAll<TKey, TValue>(
        IEnumerable<KeyValuePair<TKey, TValue>>? entries,
        [CallerArgumentExpression(nameof(entries))] string? name = null
    )
        where TKey : class
        where TValue : class
    {
        ArgumentNullException.ThrowIfNull(entries, name);
        KeyValuePair<TKey, TValue>[] all = [.. entries];
        var index = Array.FindIndex(all, entry => entry.Key is null || entry.Value is null);
        return index < 0 ? all : throw new ArgumentException($"The element at position {index} has null in it.", name);
    }

    /// <summary>The time, which must be a number of milliseconds that a request can carry.</summary>
    public static TimeSpan CheckTime(TimeSpan time, TimeSpan lowest, string name) =>
        IsTime(time, lowest) ? time : throw WrongTime(time, lowest, name, "");

    /// <summary>The time, which must be infinite or a number of milliseconds that a request can carry.</summary>
    public static TimeSpan CheckLimit(TimeSpan time, TimeSpan lowest, string name) =>
        time == Timeout.InfiniteTimeSpan || IsTime(time, lowest)
            ? time
            : throw WrongTime(time, lowest, name, ", or Timeout.InfiniteTimeSpan for no limit");

    /// <summary>The number of bytes, which must be positive if there is one.</summary>
    public static int? CheckSize(int? size, string name)
    {
        if (size is { } given)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(given, name);
        }

        return size;
    }

    /// <summary>The time-out, which must be infinite or a number of milliseconds that a request can carry.</summary>
    public static TimeSpan CheckTimeout(TimeSpan time, string name) => CheckLimit(time, TimeSpan.FromMilliseconds(1), name);

    private static bool IsTime(TimeSpan time, TimeSpan lowest) => time >= lowest && time.TotalMilliseconds <= int.MaxValue;

    private static ArgumentOutOfRangeException WrongTime(TimeSpan time, TimeSpan lowest, string name, string otherwise) =>
        new(name, time, $"The time must be between {lowest:c} and {TimeSpan.FromMilliseconds(int.MaxValue):c}{otherwise}.");
}
