using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>
/// What <c>GroupConsumer.Poll</c> returns: an event about a partition that the member reads (<see cref="ConsumerEvent"/>, such as
/// <see cref="RecordsFetched"/>), <see cref="PartitionsAssigned"/>, <see cref="PartitionsRevoking"/>, <see cref="PartitionsLost"/>,
/// <see cref="OffsetsCommitted"/>, <see cref="GroupCallFailed"/> or <see cref="GroupFailed"/>.
/// </summary>
public abstract class GroupEvent : ExactlyOnceEvent
{
    private protected GroupEvent() { }

    internal static GroupEvent Of(Topics.GroupEvent core, ConsumerEventCache events) =>
        core switch
        {
            Topics.GroupEvent.Read it => events.Of(it.Item),
            Topics.GroupEvent.Assigned it => new PartitionsAssigned(it),
            Topics.GroupEvent.Revoking it => new PartitionsRevoking(it),
            Topics.GroupEvent.Lost it => new PartitionsLost(it),
            Topics.GroupEvent.Committed it => new OffsetsCommitted(it),
            Topics.GroupEvent.CallFailed it => new GroupCallFailed(it),
            _ => new GroupFailed((Topics.GroupEvent.Failed)core),
        };
}

/// <summary>
/// The member has got partitions, and reads them from now on. If the first assignment after it has joined has no partitions, it is reported
/// too: the list is empty, and the member waits. Other members have the partitions, or the topics do not exist yet.
/// </summary>
public sealed class PartitionsAssigned : GroupEvent
{
    private readonly Topics.GroupEvent _core;

    internal PartitionsAssigned(Topics.GroupEvent.Assigned core)
    {
        _core = core;
        Partitions = [.. core.Item.Select(assigned => new AssignedPartition(assigned))];
    }

    /// <summary>The partitions, and where each is read from. Empty if the member has joined and waits for partitions.</summary>
    public IReadOnlyList<AssignedPartition> Partitions { get; }

    /// <summary>The partitions, and where each is read from.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();
}

/// <summary>A partition that a member of a group has got.</summary>
public sealed class AssignedPartition
{
    private readonly Topics.AssignedPartition _core;

    internal AssignedPartition(Topics.AssignedPartition core)
    {
        _core = core;
        Partition = TopicPartition.Of(core.Partition);
        Committed = core.Committed is { } committed ? CommittedOffset.Of(committed.Value) : null;
        Position = core.Start is Topics.Start.At at ? FetchPosition.Of(at.Item) : null;
    }

    /// <summary>The partition.</summary>
    public TopicPartition Partition { get; }

    /// <summary>The group's committed offset; null if there is none.</summary>
    public CommittedOffset? Committed { get; }

    /// <summary>
    /// Where the member starts to read; null if the leader is asked for the offset, as <see cref="GroupConsumerOptions.Reset"/> says.
    /// </summary>
    public FetchPosition? Position { get; }

    /// <summary>The partition, and where it is read from.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();
}

/// <summary>
/// The member must give up partitions, and gets no more records of them. Commit now what has been handled: they are given up in the next
/// <c>Poll</c>. With <see cref="GroupConsumerOptions.CommitInterval"/>, that <c>Poll</c> commits first.
/// </summary>
public sealed class PartitionsRevoking : GroupEvent
{
    private readonly Topics.GroupEvent _core;

    internal PartitionsRevoking(Topics.GroupEvent.Revoking core)
    {
        _core = core;
        Partitions = [.. core.Item.Select(TopicPartition.Of)];
    }

    /// <summary>The partitions.</summary>
    public IReadOnlyList<TopicPartition> Partitions { get; }

    /// <summary>The partitions.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();
}

/// <summary>Why a member has lost its partitions.</summary>
public enum LossReason
{
    /// <summary>
    /// The coordinator says that the member is not in the group, or that the group has a later generation: see <see cref="PartitionsLost.Error"/>.
    /// </summary>
    Removed,

    /// <summary>The coordinator has not responded for the session time-out, after which it considers the member dead.</summary>
    SessionExpired,

    /// <summary>The member cannot stay in the group: see <see cref="PartitionsLost.Failure"/>.</summary>
    Failed,
}

/// <summary>
/// The member has lost partitions, which others may read already. Nothing can be committed for them any more.
/// </summary>
public sealed class PartitionsLost : GroupEvent
{
    private readonly Topics.GroupEvent _core;

    internal PartitionsLost(Topics.GroupEvent.Lost core)
    {
        _core = core;
        Partitions = [.. core.Item1.Select(TopicPartition.Of)];
        Reason = ReasonOf(core.Item2);
        Error = core.Item2 is Topics.LossReason.Removed removed ? removed.Item : ErrorCode.None;
        Failure = core.Item2 is Topics.LossReason.Failed failed ? new(failed.Item) : null;
    }

    /// <summary>The partitions.</summary>
    public IReadOnlyList<TopicPartition> Partitions { get; }

    /// <summary>Why.</summary>
    public LossReason Reason { get; }

    /// <summary>The coordinator's error code if it has removed the member; <c>ErrorCode.None</c> otherwise.</summary>
    public ErrorCode Error { get; }

    /// <summary>Why the member cannot stay in the group; null if that is not the reason.</summary>
    public GroupFailure? Failure { get; }

    /// <summary>The partitions and the reason.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();

    internal static LossReason ReasonOf(Topics.LossReason core) =>
        core.IsRemoved ? LossReason.Removed
        : core.IsFailed ? LossReason.Failed
        : LossReason.SessionExpired;
}

/// <summary>
/// The result of a commit that <c>Poll</c> has made: at the interval, before partitions were given up, or after <c>BeginCommit</c>.
/// </summary>
public sealed class OffsetsCommitted : GroupEvent
{
    private readonly Topics.GroupEvent _core;

    internal OffsetsCommitted(Topics.GroupEvent.Committed core)
    {
        _core = core;
        Commit = new(core.Item);
    }

    /// <summary>The result.</summary>
    public GroupCommit Commit { get; }

    /// <summary>The partitions with their offsets and results.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();
}

/// <summary>
/// A call of the member to its coordinator has failed for a reason that may go away by itself: the coordinator restarts or moves, or the network
/// is interrupted. The member calls again after a pause, without end, and reports each failed attempt: the pauses grow from 0.1 to 1 second.
/// </summary>
public sealed class GroupCallFailed : GroupEvent
{
    private readonly Topics.GroupEvent _core;

    internal GroupCallFailed(Topics.GroupEvent.CallFailed core)
    {
        _core = core;
        Api = core.Item.Api;
        Fault = KafkaFault.Of(core.Item.Failure);
        Attempt = core.Item.Attempt;
        Silence = core.Item.Silence;
    }

    /// <summary>What the member has called.</summary>
    public ApiKey Api { get; }

    /// <summary>Why it has failed. An error code is a fault of the kind <see cref="KafkaFaultKind.BrokerError"/>.</summary>
    public KafkaFault Fault { get; }

    /// <summary>The number of failures in a row, including this one.</summary>
    public int Attempt { get; }

    /// <summary>
    /// The time since the coordinator last confirmed that the member is in the group; since the member was made, if it never has.
    /// </summary>
    public TimeSpan Silence { get; }

    /// <summary>The call, the number of attempts and the fault.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();
}

/// <summary>
/// Something is wrong. If the failure is fatal, the member has left the group, and every further <c>Poll</c> returns the same.
/// </summary>
public sealed class GroupFailed : GroupEvent
{
    internal GroupFailed(Topics.GroupEvent.Failed core)
    {
        Failure = new(core.Item);
    }

    /// <summary>What is wrong.</summary>
    public GroupFailure Failure { get; }

    /// <summary>Whether the member has left the group because of it, for good.</summary>
    public bool IsFatal => Failure.IsFatal;

    /// <summary>What is wrong.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => Failure.ToString();
}
