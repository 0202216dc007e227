using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace LibKafka;

/// <summary>Whether an offset was committed.</summary>
public enum CommitStatus
{
    /// <summary>The group has the offset.</summary>
    Stored,

    /// <summary>
    /// The coordinator has refused it. With ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID or STALE_MEMBER_EPOCH, the member no longer has the partition.
    /// </summary>
    Refused,

    /// <summary>The member does not have the partition, or no longer has it. Nothing was sent.</summary>
    NotAssigned,

    /// <summary>There is no response: the group may or may not have the offset.</summary>
    Unknown,
}

/// <summary>The commit of one partition.</summary>
public sealed class PartitionCommit
{
    private readonly Topics.PartitionCommit _core;

    internal PartitionCommit(Topics.PartitionCommit core)
    {
        _core = core;
        (Status, Fault) = core.Outcome switch
        {
            Topics.CommitOutcome.Refused it => (CommitStatus.Refused, KafkaFault.Of(it.Item, null, null)),
            Topics.CommitOutcome.Unknown it => (CommitStatus.Unknown, KafkaFault.Of(it.Item, null)),
            { IsNotAssigned: true } => (CommitStatus.NotAssigned, KafkaFault.NotAssigned("the member does not have the partition")),
            _ => (CommitStatus.Stored, (KafkaFault?)null),
        };
    }

    /// <summary>The partition.</summary>
    public TopicPartition Partition => TopicPartition.Of(_core.Partition);

    /// <summary>The offset.</summary>
    public CommittedOffset Offset => CommittedOffset.Of(_core.Offset);

    /// <summary>Whether it was committed.</summary>
    public CommitStatus Status { get; }

    /// <summary>
    /// Why the group does not have it, or may not; null if it has. An error code is a fault of the kind <see cref="KafkaFaultKind.BrokerError"/>.
    /// </summary>
    public KafkaFault? Fault { get; }

    /// <summary>The partition, the offset and the result.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();
}

/// <summary>
/// The result of a commit: an entry for each partition that was to be committed, and none if nothing was handled since the last commit.
/// </summary>
public sealed class GroupCommit
{
    private readonly Topics.GroupCommit _core;
    private readonly CancellationToken _cancellation;

    internal GroupCommit(Topics.GroupCommit core, CancellationToken cancellation = default)
    {
        _core = core;
        _cancellation = cancellation;
        Partitions = [.. core.Partitions.Select(one => new PartitionCommit(one))];
    }

    /// <summary>The partitions.</summary>
    public IReadOnlyList<PartitionCommit> Partitions { get; }

    /// <summary>Whether all offsets are stored.</summary>
    public bool IsStored => _core.IsStored;

    /// <summary>Throws if an offset is not stored, or may not be.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">The first offset that is not stored, or may not be, with the reason.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled. The offsets may be stored nevertheless.</exception>
    public GroupCommit ThrowIfError() =>
        Partitions.FirstOrDefault(one => one.Fault is not null) is { Fault: { } fault } failed
            ? throw KafkaException.For(
                fault,
                null,
                failed.Partition.ToString(),
                failed.Status == CommitStatus.Unknown ? "the offset may or may not be stored" : "the offset is not stored",
                _cancellation
            )
            : this;

    /// <summary>The partitions with their offsets and results.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();
}

/// <summary>How a member has left its group.</summary>
public enum GroupLeaveStatus
{
    /// <summary>The coordinator has removed the member.</summary>
    Left,

    /// <summary>The coordinator has responded with an error code.</summary>
    Refused,

    /// <summary>The coordinator could not be reached. It removes the member after the session time-out.</summary>
    NotTold,

    /// <summary>
    /// The coordinator was not told: it is a static member that may come back, or it was not in the group. Also a member whose first rebalance is
    /// in progress, if its brokers are older than Kafka 2.2: it gets its id only afterwards (KIP-394).
    /// </summary>
    Silent,
}

/// <summary>How a consumer was closed.</summary>
public sealed class GroupClosed
{
    private readonly string _text;

    internal GroupClosed(Topics.GroupClosed core, CancellationToken cancellation)
        : this(core.Leave, core.ToString())
    {
        Commit = core.Commit is { } commit ? new(commit.Value, cancellation) : null;
    }

    internal GroupClosed(Topics.GroupLeave leave)
        : this(leave, leave.ToString()) { }

    private GroupClosed(Topics.GroupLeave leave, string text)
    {
        _text = text;
        (Status, Fault) = leave switch
        {
            Topics.GroupLeave.Told { Item: { IsError: true } code } => (GroupLeaveStatus.Refused, KafkaFault.Of(code, null, null)),
            Topics.GroupLeave.Told => (GroupLeaveStatus.Left, null),
            Topics.GroupLeave.NotTold it => (GroupLeaveStatus.NotTold, KafkaFault.Of(it.Item, null)),
            _ => (GroupLeaveStatus.Silent, (KafkaFault?)null),
        };
    }

    /// <summary>The last commit; null if <see cref="GroupConsumerOptions.CommitInterval"/> is null.</summary>
    public GroupCommit? Commit { get; }

    /// <summary>How the member has left the group.</summary>
    public GroupLeaveStatus Status { get; }

    /// <summary>Why the coordinator has not removed the member, or may not have; null if nothing went wrong.</summary>
    public KafkaFault? Fault { get; }

    /// <summary>What was committed, and how the member has left.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _text;
}
