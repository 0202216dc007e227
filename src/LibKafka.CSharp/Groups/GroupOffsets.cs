using System;
using System.Collections.Generic;
using LibKafka.Protocol;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>How far a group has read a partition.</summary>
/// <param name="Offset">The offset of the next record to read, one behind the last record processed.</param>
/// <param name="LeaderEpoch">
/// The leader epoch of the last record processed, for finding truncation later (KIP-320); -1 where it is not known.
/// </param>
/// <param name="Metadata">A note that is kept with the offset.</param>
public readonly record struct CommittedOffset(long Offset, int LeaderEpoch = -1, string Metadata = "")
{
    internal static CommittedOffset Of(Core.CommittedOffset core) => new(core.Offset, core.LeaderEpoch, core.Metadata);

    internal Core.CommittedOffset ToCore() => new(Offset, LeaderEpoch, Metadata ?? "");
}

/// <summary>The committed offset of one partition.</summary>
public sealed class GroupOffset
{
    internal GroupOffset(TopicPartition partition, CommittedOffset? committed, ErrorCode error, ExchangeInfo exchange)
    {
        Partition = partition;
        Committed = committed;
        Error = error;
        Exchange = exchange;
    }

    /// <summary>The partition.</summary>
    public TopicPartition Partition { get; }

    /// <summary>The offset; null where none is committed, and on an error.</summary>
    public CommittedOffset? Committed { get; }

    /// <summary>
    /// What went wrong, such as UNSTABLE_OFFSET_COMMIT; <c>ErrorCode.None</c> where all is well. It tells also what concerned the group as
    /// a whole.
    /// </summary>
    public ErrorCode Error { get; }

    /// <summary>The call.</summary>
    public ExchangeInfo Exchange { get; }

    /// <summary>Throws where there is an error. That no offset is committed is none.</summary>
    /// <returns>The offset itself.</returns>
    /// <exception cref="KafkaException">There is one: <see cref="KafkaException.ErrorCode"/> has it.</exception>
    public GroupOffset ThrowIfError()
    {
        Interop.ThrowIfError(Error, null, Exchange, Partition.ToString());
        return this;
    }

    internal static GroupOffset Of(Core.FetchedOffset core, ExchangeInfo exchange)
    {
        var partition = TopicPartition.Of(core.Partition);
        return core.Result.IsError ? new(partition, null, core.Result.ErrorValue, exchange)
            : core.Result.ResultValue is { } committed ? new(partition, CommittedOffset.Of(committed.Value), ErrorCode.None, exchange)
            : new(partition, null, ErrorCode.None, exchange);
    }
}

/// <summary>How far a group has read.</summary>
public sealed class GroupOffsets
{
    internal GroupOffsets(IReadOnlyList<GroupOffset> partitions, ErrorCode error, ExchangeInfo exchange)
    {
        Partitions = partitions;
        Error = error;
        Exchange = exchange;
    }

    /// <summary>One for each partition that was asked about, in that order, or all that have one.</summary>
    public IReadOnlyList<GroupOffset> Partitions { get; }

    /// <summary>What concerns the group as a whole, where everything was asked for; <c>ErrorCode.None</c> where it is nothing.</summary>
    public ErrorCode Error { get; }

    /// <summary>How long the client is asked to pause because it exceeded a quota; zero where it did not.</summary>
    public TimeSpan ThrottleTime => Exchange.ThrottleTime;

    /// <summary>The call.</summary>
    public ExchangeInfo Exchange { get; }

    /// <summary>Throws where there is an error, of the group or of a partition. That no offset is committed is none.</summary>
    /// <returns>The offsets themselves.</returns>
    /// <exception cref="KafkaException">There is an error: <see cref="KafkaException.ErrorCode"/> has the first one.</exception>
    public GroupOffsets ThrowIfError()
    {
        Interop.ThrowIfError(Error, null, Exchange);
        foreach (var partition in Partitions)
        {
            partition.ThrowIfError();
        }

        return this;
    }
}
