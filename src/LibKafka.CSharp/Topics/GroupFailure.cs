using LibKafka.Protocol;

namespace LibKafka;

/// <summary>What a member of a group cannot do.</summary>
public enum GroupFailureKind
{
    /// <summary>
    /// The coordinator refuses the member, for a reason that does not go away by itself. The error code says what to change.
    /// </summary>
    Refused,

    /// <summary>The group cannot be reached, for a reason that does not go away by itself.</summary>
    Unreachable,

    /// <summary>The member leads the group and cannot assign the partitions.</summary>
    CannotAssign,

    /// <summary>
    /// The member leads the group and cannot read the subscription of another member, which gets no partitions. All subscriptions of the group
    /// together take at most <see cref="KafkaClientOptions.MaxDecodedBytes"/> of memory.
    /// </summary>
    MemberLeftOut,

    /// <summary>The leader's assignment cannot be read.</summary>
    BadAssignment,

    /// <summary>
    /// The group has no committed offset for the partition, and <see cref="GroupConsumerOptions.Reset"/> is null. The member has the partition and
    /// waits for <c>GroupConsumer.Seek</c>.
    /// </summary>
    NoOffset,

    /// <summary>
    /// The committed offset of the partition cannot be read. The member has the partition and tries again after a while.
    /// </summary>
    OffsetRefused,
}

/// <summary>What a member of a group cannot do, and why.</summary>
public sealed class GroupFailure
{
    private readonly Topics.GroupFailure _core;
    private readonly string? _subject;

    internal GroupFailure(Topics.GroupFailure core)
    {
        _core = core;
        (Kind, Fault, _subject) = core switch
        {
            Topics.GroupFailure.Refused it => (GroupFailureKind.Refused, RefusalOf(it), it.api.ToString()),
            Topics.GroupFailure.Unreachable it => (GroupFailureKind.Unreachable, KafkaFault.Of(it.Item, null), null),
            Topics.GroupFailure.CannotAssign it => (GroupFailureKind.CannotAssign, KafkaFault.Of(it.Item), null),
            Topics.GroupFailure.MemberLeftOut it => (GroupFailureKind.MemberLeftOut, KafkaFault.Of(it.Item2, "subscription"), it.memberId),
            Topics.GroupFailure.BadAssignment it => (
                GroupFailureKind.BadAssignment,
                KafkaFault.Of(it.Item, "the leader's assignment"),
                null
            ),
            Topics.GroupFailure.OffsetRefused it => (
                GroupFailureKind.OffsetRefused,
                KafkaFault.Of(it.Item2, null, null),
                it.Item1.ToString()
            ),
            _ => (GroupFailureKind.NoOffset, KafkaFault.NoCommittedOffset(core.ToString()), (string?)null),
        };
        Partition = core switch
        {
            Topics.GroupFailure.NoOffset it => TopicPartition.Of(it.Item),
            Topics.GroupFailure.OffsetRefused it => TopicPartition.Of(it.Item1),
            _ => null,
        };
        MemberId = (core as Topics.GroupFailure.MemberLeftOut)?.memberId;
    }

    /// <summary>What the member cannot do.</summary>
    public GroupFailureKind Kind { get; }

    /// <summary>Why. An error code is a fault of the kind <see cref="KafkaFaultKind.BrokerError"/>.</summary>
    public KafkaFault Fault { get; }

    /// <summary>The coordinator's error code; <c>ErrorCode.None</c> if there is none.</summary>
    public ErrorCode Error => Fault.ErrorCode;

    /// <summary>The partition; null unless it is about one.</summary>
    public TopicPartition? Partition { get; }

    /// <summary>The member that was left out; null unless it is about one.</summary>
    public string? MemberId { get; }

    /// <summary>Whether the member has left the group because of it, for good.</summary>
    public bool IsFatal => _core.IsFatal;

    /// <summary>An exception with the fault, for callers that cannot continue.</summary>
    /// <returns>The exception, which is not thrown.</returns>
    public KafkaException ToException() => new(Fault, null, _subject);

    /// <summary>What the member cannot do, and why.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();

    private static KafkaFault RefusalOf(Topics.GroupFailure.Refused refused) =>
        KafkaFault.Of(refused.Item2, refused.message.Length == 0 ? null : refused.message, null);
}
