using System;
using System.Collections.Generic;
using System.Linq;

namespace LibKafka;

/// <summary>
/// What <see cref="TopicConsumer"/> reports about a partition: <see cref="RecordsFetched"/>, <see cref="OffsetOutOfRange"/>,
/// <see cref="LogTruncated"/>, <see cref="LogDamaged"/>, <see cref="TopicRecreated"/> or <see cref="FetchFailed"/>. A
/// <see cref="GroupConsumer"/> reports the same about its partitions. The memory of fetched records is valid until the event has been handled: see
/// <c>TopicConsumer.Poll</c>.
/// </summary>
public abstract class ConsumerEvent : GroupEvent
{
    private protected ConsumerEvent(Topics.ConsumerEvent core)
    {
        Core = core;
        Partition = TopicPartition.Of(core.Partition);
    }

    /// <summary>The partition that the event is about.</summary>
    public TopicPartition Partition { get; }

    internal Topics.ConsumerEvent Core { get; }

    /// <summary>What has happened.</summary>
    /// <returns>A one-line description.</returns>
    public sealed override string ToString() => Core.ToString();

    internal static ConsumerEvent Of(Topics.ConsumerEvent core) =>
        core switch
        {
            Topics.ConsumerEvent.Fetched it => new RecordsFetched(it),
            Topics.ConsumerEvent.OutOfRange it => new OffsetOutOfRange(it),
            Topics.ConsumerEvent.Truncated it => new LogTruncated(it),
            Topics.ConsumerEvent.Damaged it => new LogDamaged(it),
            Topics.ConsumerEvent.Recreated it => new TopicRecreated(it),
            _ => new FetchFailed((Topics.ConsumerEvent.Failed)core),
        };
}

/// <summary>Records from the partition's position on. All checksums have been verified.</summary>
public sealed class RecordsFetched : ConsumerEvent
{
    private readonly Client.Fetched _fetched;

    internal RecordsFetched(Topics.ConsumerEvent.Fetched core)
        : base(core)
    {
        _fetched = core.fetched;
        Records = new(core.records);
        Next = FetchPosition.Of(core.next);
    }

    /// <summary>The records, read as <see cref="TopicConsumerOptions.Reading"/> says. Iterating over them allocates nothing for each record.</summary>
    public FetchedRecords Records { get; }

    /// <summary>The result of the fetch, with the batches and the high watermark.</summary>
    public FetchResult Result => field ??= new(_fetched, CallOptions.Default);

    /// <summary>The position after the records.</summary>
    public FetchPosition Next { get; }
}

/// <summary>The position is not in the log: its records have been deleted, or the log ends before it.</summary>
public sealed class OffsetOutOfRange : ConsumerEvent
{
    private readonly Client.Fetched _fetched;

    internal OffsetOutOfRange(Topics.ConsumerEvent.OutOfRange core)
        : base(core)
    {
        _fetched = core.fetched;
    }

    /// <summary>The result of the fetch.</summary>
    public FetchResult Result => field ??= new(_fetched, CallOptions.Default);
}

/// <summary>An election has removed records from the log that were read before.</summary>
public sealed class LogTruncated : ConsumerEvent
{
    private readonly Client.Fetched _fetched;

    internal LogTruncated(Topics.ConsumerEvent.Truncated core)
        : base(core)
    {
        _fetched = core.fetched;
        DivergesAt = FetchPosition.Of(core.divergesAt);
    }

    /// <summary>The result of the fetch.</summary>
    public FetchResult Result => field ??= new(_fetched, CallOptions.Default);

    /// <summary>Where the log diverges from what was read.</summary>
    public FetchPosition DivergesAt { get; }
}

/// <summary>
/// The bytes at the partition's position are not a readable batch. Readable records before the damage come in a <see cref="RecordsFetched"/> of their
/// own.
/// </summary>
public sealed class LogDamaged : ConsumerEvent
{
    private readonly Client.Fetched _fetched;

    internal LogDamaged(Topics.ConsumerEvent.Damaged core)
        : base(core)
    {
        _fetched = core.fetched;
        Corrupt = [.. core.stretches.Select(stretch => new CorruptRecordBatch(stretch))];
        Next = core.next is { } next ? FetchPosition.Of(next.Value) : null;
    }

    /// <summary>The result of the fetch.</summary>
    public FetchResult Result => field ??= new(_fetched, CallOptions.Default);

    /// <summary>The bytes that cannot be read.</summary>
    public IReadOnlyList<CorruptRecordBatch> Corrupt { get; }

    /// <summary>Where to continue; this skips the damaged records. Null if the end of the damage is not known.</summary>
    public FetchPosition? Next { get; }
}

/// <summary>
/// The topic was deleted and created again: it has another id than the one that was read. The position belongs to the old topic.
/// </summary>
public sealed class TopicRecreated : ConsumerEvent
{
    internal TopicRecreated(Topics.ConsumerEvent.Recreated core)
        : base(core)
    {
        Before = core.before;
        Now = core.now;
    }

    /// <summary>The id of the topic that was read.</summary>
    public Guid Before { get; }

    /// <summary>The id of the topic that there is now.</summary>
    public Guid Now { get; }
}

/// <summary>The partition could not be read.</summary>
public sealed class FetchFailed : ConsumerEvent
{
    internal FetchFailed(Topics.ConsumerEvent.Failed core)
        : base(core)
    {
        Attempt = core.attempt;
        IsTransient = core.failure.IsTransient;
        Fault = KafkaFault.Of(core.failure);
    }

    /// <summary>Why. An error code is a fault of the kind <see cref="KafkaFaultKind.BrokerError"/>.</summary>
    public KafkaFault Fault { get; }

    /// <summary>Whether it may go away by itself: brokers restart, leaders are elected.</summary>
    public bool IsTransient { get; }

    /// <summary>The number of failures in a row, including this one.</summary>
    public int Attempt { get; }
}

/// <summary>
/// The façade's event for one of the core. The same object is given to <see cref="TopicConsumerOptions.NextStep"/> and returned by a poll.
/// </summary>
internal sealed class ConsumerEventCache
{
    private ConsumerEvent? _last;

    public ConsumerEvent Of(Topics.ConsumerEvent core) =>
        _last is { } last && ReferenceEquals(last.Core, core) ? last : _last = ConsumerEvent.Of(core);
}
