using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>The topics that a member of a group subscribes to.</summary>
public sealed class TopicSubscription
{
    private TopicSubscription(Topics.Subscription core)
    {
        Core = core;
    }

    internal Topics.Subscription Core { get; }

    /// <summary>Topics by name. One that does not exist yet is read as soon as it does.</summary>
    /// <param name="topics">The names, at least one.</param>
    /// <returns>The subscription.</returns>
    public static TopicSubscription To(params IEnumerable<string> topics) =>
        new(Topics.Subscription.NewTopics(Interop.RequiredAll(topics).ToFSharpList()));

    /// <summary>
    /// All topics whose whole name matches a regular expression, except Kafka's internal ones. In a classic group the client matches the names,
    /// with the constructs that .NET's <c>RegexOptions.NonBacktracking</c> supports. In a group of the new protocol the coordinator does, in RE2's
    /// syntax (version 1 of ConsumerGroupHeartbeat, Kafka 4.0).
    /// </summary>
    /// <param name="pattern">The regular expression.</param>
    /// <returns>The subscription.</returns>
    public static TopicSubscription Matching(string pattern) => new(Topics.Subscription.NewPattern(Interop.Required(pattern)));

    /// <summary>The topics or the pattern.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => Core.ToString();
}

/// <summary>The protocol by which the members of a group divide the partitions.</summary>
public sealed class RebalanceProtocol
{
    internal RebalanceProtocol(Topics.GroupProtocol core)
    {
        Core = core;
    }

    internal Topics.GroupProtocol Core { get; }

    /// <summary>
    /// JoinGroup and SyncGroup: one member assigns the partitions. The rebalances are cooperative (KIP-429) if all of the assignors are.
    /// </summary>
    /// <param name="assignors">
    /// The assignors that the member supports, in order of preference, at least one. All members must have one in common.
    /// </param>
    /// <returns>The protocol.</returns>
    public static RebalanceProtocol Classic(params IEnumerable<PartitionAssignor> assignors) =>
        new(Topics.GroupProtocol.NewClassic(PartitionAssignor.ToCore(Interop.RequiredAll(assignors))));

    /// <summary>ConsumerGroupHeartbeat (KIP-848, Kafka 4.0): the coordinator assigns the partitions.</summary>
    /// <param name="serverAssignor">The assignor that the coordinator should use; null for its own choice.</param>
    /// <returns>The protocol.</returns>
    public static RebalanceProtocol Consumer(string? serverAssignor = null) =>
        new(Topics.GroupProtocol.NewConsumer(Interop.OptionOf(serverAssignor)));

    /// <summary>Kafka's name for the protocol (<c>group.protocol</c>): <c>classic</c> or <c>consumer</c>.</summary>
    /// <returns>The name.</returns>
    public override string ToString() => Core.IsClassic ? "classic" : "consumer";
}

/// <summary>How a member takes part in its group, and where it starts to read.</summary>
public sealed record GroupConsumerOptions
{
    private static readonly Topics.GroupSettings Standard = Topics.GroupSettingsModule.make("", FSharpList<string>.Empty);

    /// <summary>Options with the topics by name.</summary>
    /// <param name="groupId">The group.</param>
    /// <param name="topics">The topics that the member subscribes to.</param>
    public GroupConsumerOptions(string groupId, params IEnumerable<string> topics)
        : this(groupId, TopicSubscription.To(topics)) { }

    /// <summary>Options with a subscription.</summary>
    /// <param name="groupId">The group.</param>
    /// <param name="subscription">The topics that the member subscribes to.</param>
    public GroupConsumerOptions(string groupId, TopicSubscription subscription)
    {
        GroupId = Interop.Required(groupId);
        Subscription = Interop.Required(subscription);
    }

    /// <summary>The group.</summary>
    public string GroupId
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>The topics that the member subscribes to at first: see <see cref="GroupConsumer.Subscribe"/>.</summary>
    public TopicSubscription Subscription
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>
    /// The protocol by which the members divide the partitions: classic with <see cref="PartitionAssignor.CooperativeSticky"/> unless set.
    /// </summary>
    public RebalanceProtocol Protocol
    {
        get;
        init => field = Interop.Required(value);
    } = new(Standard.Protocol);

    /// <summary>
    /// The instance id of a static member (KIP-345), which keeps its partitions if it comes back within the session time-out; null, unless set, for a
    /// dynamic member.
    /// </summary>
    public string? InstanceId { get; init; }

    /// <summary>The rack of the consumer, for assignors that place it near its replicas; null, unless set, for none.</summary>
    public string? RackId { get; init; }

    /// <summary>
    /// The coordinator considers the member dead if it gets no heartbeat for this long, and the member considers its partitions lost if the coordinator
    /// does not respond for this long: 45 seconds unless set. Brokers limit it in classic groups. In groups of the new protocol it is the group's config
    /// <c>consumer.session.timeout.ms</c>, to which this must be equal.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan SessionTimeout
    {
        get;
        init => field = CheckTime(value);
    } = Standard.SessionTimeout;

    /// <summary>
    /// The time between heartbeats in a classic group: 3 seconds unless set, and at most a third of <see cref="SessionTimeout"/>. In groups of the new
    /// protocol the coordinator sets it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan HeartbeatInterval
    {
        get;
        init => field = CheckTime(value);
    } = Standard.HeartbeatInterval;

    /// <summary>
    /// How long a rebalance waits for the member to return from the handling of an event and call <c>Poll</c>: a minute unless set.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan RebalanceTimeout
    {
        get;
        init => field = CheckTime(value);
    } = Standard.RebalanceTimeout;

    /// <summary>
    /// Whether a thread sends heartbeats while the caller handles an event, for handlers that take longer than the session time-out: false unless set.
    /// It stops after <see cref="RebalanceTimeout"/>, so that a member that hangs is removed. Without it everything happens in the caller's thread,
    /// inside <c>Poll</c>.
    /// </summary>
    public bool HeartbeatThread { get; init; } = Standard.HeartbeatThread;

    /// <summary>
    /// Where to start in a partition without a committed offset: <see cref="OffsetSpec.Earliest"/> unless set; null to report
    /// <see cref="GroupFailureKind.NoOffset"/> and to wait for <c>GroupConsumer.Seek</c>.
    /// </summary>
    public OffsetSpec? Reset { get; init; } = Standard.Reset?.Value;

    /// <summary>
    /// Whether to wait, before reading a committed offset, until no open transaction can change it (KIP-447, Kafka 2.5): false unless set. Required if the
    /// group's offsets are committed in transactions.
    /// </summary>
    public bool RequireStable { get; init; } = Standard.RequireStable;

    /// <summary>
    /// How often <c>Poll</c> commits what has been handled: every 5 seconds unless set. It then also commits before partitions are revoked, and
    /// <c>Close</c> commits. Null to commit only on request.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan? CommitInterval
    {
        get;
        init => field = value is { } interval ? CheckTime(interval) : null;
    } = Standard.CommitInterval?.Value;

    /// <summary>
    /// How often topics are looked up, to find new partitions and new topics that match a pattern: every minute unless set.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan MetadataInterval
    {
        get;
        init => field = CheckTime(value);
    } = Standard.MetadataInterval;

    /// <summary>
    /// Whether a static member leaves its group for good when it is closed: false unless set. A dynamic member always leaves.
    /// </summary>
    public bool StaticLeaves { get; init; } = Standard.StaticLeaves;

    internal Topics.GroupSettings ToCore() =>
        new(
            groupId: GroupId,
            subscription: Subscription.Core,
            protocol: Protocol.Core,
            instanceId: Interop.OptionOf(InstanceId),
            rackId: Interop.OptionOf(RackId),
            sessionTimeout: SessionTimeout,
            heartbeatInterval: HeartbeatInterval,
            rebalanceTimeout: RebalanceTimeout,
            heartbeatThread: HeartbeatThread,
            reset: Reset is { } reset ? FSharpOption<OffsetSpec>.Some(reset) : FSharpOption<OffsetSpec>.None,
            requireStable: RequireStable,
            commitInterval: CommitInterval is { } interval ? FSharpOption<TimeSpan>.Some(interval) : FSharpOption<TimeSpan>.None,
            metadataInterval: MetadataInterval,
            staticLeaves: StaticLeaves
        );

    private static TimeSpan CheckTime(TimeSpan value, [CallerMemberName] string name = "") =>
        Interop.CheckTime(value, TimeSpan.FromMilliseconds(1), name);
}
