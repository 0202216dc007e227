using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka.Protocol;
using Microsoft.FSharp.Collections;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>A partition of a topic that is identified by its topic id.</summary>
/// <param name="TopicId">The id of the topic.</param>
/// <param name="Partition">The number of the partition, from 0.</param>
public readonly record struct TopicIdPartition(Guid TopicId, int Partition);

/// <summary>The subscription of a member of a group of the new protocol (KIP-848).</summary>
public sealed record ConsumerGroupSubscription
{
    private static readonly Core.ConsumerGroupSubscription Standard = Core.ConsumerGroupSubscriptionModule.topics(FSharpList<string>.Empty);

    /// <summary>A dynamic member that subscribes to topics.</summary>
    /// <param name="topics">The topics.</param>
    public ConsumerGroupSubscription(params IEnumerable<string> topics)
    {
        Topics = Interop.RequiredAll(topics);
    }

    /// <summary>The topics.</summary>
    public IReadOnlyList<string> Topics
    {
        get;
        init => field = new ValueList<string>(Interop.RequiredAll(value));
    }

    /// <summary>
    /// A regular expression in RE2 syntax for further topics, from version 1 of the API on; null for none.
    /// </summary>
    public string? TopicRegex { get; init; }

    /// <summary>The instance id of a static member, which keeps its partitions when it returns; null for a dynamic member.</summary>
    public string? InstanceId { get; init; }

    /// <summary>The rack of the consumer, for rack-aware assignors; null for none.</summary>
    public string? RackId { get; init; }

    /// <summary>How long the member may take to revoke partitions: 5 minutes unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan RebalanceTimeout
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(RebalanceTimeout));
    } = Standard.RebalanceTimeout;

    /// <summary>The assignor that the coordinator should use; null for its own choice.</summary>
    public string? ServerAssignor { get; init; }

    internal Core.ConsumerGroupSubscription ToCore() =>
        new(
            topics: Topics.ToFSharpList(),
            topicRegex: Interop.OptionOf(TopicRegex),
            instanceId: Interop.OptionOf(InstanceId),
            rackId: Interop.OptionOf(RackId),
            rebalanceTimeout: RebalanceTimeout,
            serverAssignor: Interop.OptionOf(ServerAssignor)
        );
}

/// <summary>
/// One member of a group of the new protocol (KIP-848), with a connection to the group's coordinator, which assigns the partitions itself. The
/// member joins, stays and learns its assignment by heartbeats, which the user sends at the interval of the last result. There are no retries. It
/// is not thread-safe.
/// </summary>
public sealed class ConsumerGroupClient : IDisposable
{
    private readonly Core.ConsumerGroupClient _core;

    /// <summary>A member that has not joined yet.</summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="groupId">The group.</param>
    /// <param name="subscription">The subscription.</param>
    public ConsumerGroupClient(KafkaClientOptions options, string groupId, ConsumerGroupSubscription subscription)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(groupId);
        ArgumentNullException.ThrowIfNull(subscription);
        var log = new ExchangeLog();
        Subscription = subscription;
        _core = new(options.ToSettings(log), options.ToBootstrap(), groupId, subscription.ToCore());
        Group = new(options, _core.Group, log);
    }

    /// <summary>The client of the group, for offsets. It is disposed of with this client.</summary>
    public GroupClient Group { get; }

    /// <summary>The id of the member.</summary>
    public string MemberId => _core.MemberId;

    /// <summary>The member's epoch; 0 while it is not a member.</summary>
    public int Epoch => _core.Epoch;

    /// <summary>The membership, for committing and fetching offsets.</summary>
    public GroupMembership Membership => GroupMembership.Of(_core.Membership);

    /// <summary>The subscription. A change is sent with the next heartbeat.</summary>
    public ConsumerGroupSubscription Subscription
    {
        get;
        set
        {
            field = Interop.Required(value);
            _core?.Subscription = value.ToCore();
        }
    }

    /// <summary>The partitions that the coordinator last assigned to the member.</summary>
    public IReadOnlyList<TopicIdPartition> Assignment => Spread(_core.Assignment);

    /// <summary>
    /// The partitions that the member owns now. The user sets it: after partitions that are no longer assigned have been revoked, and after newly
    /// assigned ones have been taken over. A change is sent with the next heartbeat, and the coordinator reassigns only partitions that have been
    /// revoked.
    /// </summary>
    public IReadOnlyList<TopicIdPartition> Owned
    {
        get => Spread(_core.Owned);
        set =>
            _core.Owned = Interop
                .Required(value)
                .GroupBy(partition => partition.TopicId)
                .Select(topic => new HeartbeatTopicPartitions(topic.Key, topic.Select(partition => partition.Partition).ToFSharpList()))
                .ToFSharpList();
    }

    /// <summary>
    /// Joins the group if the member is not in it, else keeps its session alive and sends what has changed. After UNKNOWN_MEMBER_ID and
    /// FENCED_MEMBER_EPOCH the member has lost its partitions: <see cref="Assignment"/> and <see cref="Owned"/> are empty, and the next heartbeat
    /// joins again. After a fault or another error code, the next heartbeat sends everything again.
    /// </summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The result, with the time until the next heartbeat.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ConsumerHeartbeatResult Heartbeat(CancellationToken cancellationToken = default) => Heartbeat(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Heartbeat(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public ConsumerHeartbeatResult Heartbeat(CallOptions callOptions)
    {
        Group.Begin(callOptions);
        return new(_core.Heartbeat(callOptions.ToCore()).Exchange, callOptions);
    }

    /// <summary>Leaves the group for good. The next heartbeat would join again.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The result.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ConsumerHeartbeatResult Leave(CancellationToken cancellationToken = default) => Leave(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Leave(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public ConsumerHeartbeatResult Leave(CallOptions callOptions)
    {
        Group.Begin(callOptions);
        return new(_core.Leave(callOptions.ToCore()).Exchange, callOptions);
    }

    /// <summary>
    /// Leaves the group temporarily, as a static member that will return: it keeps its partitions until its session expires. The next heartbeat
    /// joins again.
    /// </summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The result.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ConsumerHeartbeatResult LeaveTemporarily(CancellationToken cancellationToken = default) =>
        LeaveTemporarily(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="LeaveTemporarily(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public ConsumerHeartbeatResult LeaveTemporarily(CallOptions callOptions)
    {
        Group.Begin(callOptions);
        return new(_core.LeaveTemporarily(callOptions.ToCore()).Exchange, callOptions);
    }

    /// <summary>Sends what <c>Heartbeat</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<ConsumerHeartbeatResult> BeginHeartbeat(CancellationToken cancellationToken = default) =>
        BeginHeartbeat(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="BeginHeartbeat(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public PendingCall<ConsumerHeartbeatResult> BeginHeartbeat(CallOptions callOptions)
    {
        Group.Begin(callOptions);
        return _core.BeginHeartbeat(callOptions.ToCore()).Map(reply => new ConsumerHeartbeatResult(reply.Exchange, callOptions));
    }

    /// <summary>Sends what <c>Leave</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<ConsumerHeartbeatResult> BeginLeave(CancellationToken cancellationToken = default) =>
        BeginLeave(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="BeginLeave(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public PendingCall<ConsumerHeartbeatResult> BeginLeave(CallOptions callOptions)
    {
        Group.Begin(callOptions);
        return _core.BeginLeave(callOptions.ToCore()).Map(reply => new ConsumerHeartbeatResult(reply.Exchange, callOptions));
    }

    /// <summary>Sends what <c>LeaveTemporarily</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<ConsumerHeartbeatResult> BeginLeaveTemporarily(CancellationToken cancellationToken = default) =>
        BeginLeaveTemporarily(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="BeginLeaveTemporarily(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public PendingCall<ConsumerHeartbeatResult> BeginLeaveTemporarily(CallOptions callOptions)
    {
        Group.Begin(callOptions);
        return _core.BeginLeaveTemporarily(callOptions.ToCore()).Map(reply => new ConsumerHeartbeatResult(reply.Exchange, callOptions));
    }

    /// <summary>Closes the connection for good. The member stays in the group until it leaves or its session expires.</summary>
    public void Dispose() => Group.Dispose();

    private static ValueList<TopicIdPartition> Spread(IEnumerable<HeartbeatTopicPartitions> topics) =>
        new(topics.SelectMany(topic => topic.Partitions.Select(partition => new TopicIdPartition(topic.TopicId, partition))));
}
