using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka.Protocol;
using Microsoft.FSharp.Collections;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>A partition of a topic that is named by its id.</summary>
/// <param name="TopicId">The id of the topic.</param>
/// <param name="Partition">The number of the partition, from 0.</param>
public readonly record struct TopicIdPartition(Guid TopicId, int Partition);

/// <summary>What a member of a group of the new protocol tells its coordinator about itself (KIP-848).</summary>
public sealed record ConsumerGroupSubscription
{
    private static readonly Core.ConsumerGroupSubscription Standard = Core.ConsumerGroupSubscriptionModule.topics(FSharpList<string>.Empty);

    /// <summary>A dynamic member that wants these topics.</summary>
    /// <param name="topics">The topics.</param>
    public ConsumerGroupSubscription(params IEnumerable<string> topics)
    {
        ArgumentNullException.ThrowIfNull(topics);
        Topics = [.. topics];
    }

    /// <summary>The topics.</summary>
    public IReadOnlyList<string> Topics
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = new ValueList<string>(value);
        }
    }

    /// <summary>
    /// A regular expression in RE2's syntax that names further topics, from version 1 of the API on; null for no such topics.
    /// </summary>
    public string? TopicRegex { get; init; }

    /// <summary>The name of a static member, which keeps its place when it comes back; null for a dynamic one.</summary>
    public string? InstanceId { get; init; }

    /// <summary>The rack of the consumer, for assignors that put it near its replicas; null for none.</summary>
    public string? RackId { get; init; }

    /// <summary>How long the member may take to give up partitions: 5 minutes unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan RebalanceTimeout
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(value));
    } = Standard.RebalanceTimeout;

    /// <summary>The assignor that the coordinator is to use; null for its own choice.</summary>
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

/// <summary>What the coordinator of a group of the new protocol says to a heartbeat.</summary>
public sealed class ConsumerHeartbeatResult
{
    private readonly ConsumerGroupHeartbeat.Response _response;

    internal ConsumerHeartbeatResult(ConsumerGroupHeartbeat.Response response, ExchangeInfo exchange)
    {
        _response = response;
        Exchange = exchange;
    }

    /// <summary>
    /// What went wrong, such as FENCED_MEMBER_EPOCH when to join again; <c>ErrorCode.None</c> where all is well.
    /// </summary>
    public ErrorCode Error => _response.Error;

    /// <summary>What the broker says of the error; null where it says nothing.</summary>
    public string? ErrorMessage => _response.ErrorMessage.OrNull();

    /// <summary>The member's epoch.</summary>
    public int MemberEpoch => _response.MemberEpoch;

    /// <summary>How long to wait before the next heartbeat.</summary>
    public TimeSpan HeartbeatInterval => TimeSpan.FromMilliseconds(_response.HeartbeatIntervalMs);

    /// <summary>Whether the coordinator told which partitions the member is to have: see <see cref="ConsumerGroupClient.Assignment"/>.</summary>
    public bool HasAssignment => _response.Assignment is not null;

    /// <summary>How long the client is asked to pause because it exceeded a quota; zero where it did not.</summary>
    public TimeSpan ThrottleTime => Exchange.ThrottleTime;

    /// <summary>The call.</summary>
    public ExchangeInfo Exchange { get; }

    /// <summary>Throws where there is an error.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is one: <see cref="KafkaException.ErrorCode"/> has it.</exception>
    public ConsumerHeartbeatResult ThrowIfError()
    {
        Interop.ThrowIfError(Error, ErrorMessage, Exchange);
        return this;
    }
}

/// <summary>
/// One member of a group of the new protocol (KIP-848), on a connection of its own to the group's coordinator, which shares out the
/// partitions itself. The member joins, stays and learns its partitions by one kind of call, the heartbeat, which the user makes as often
/// as the answer says. Each is made once. It is not for use by several threads at a time.
/// </summary>
public sealed class ConsumerGroupClient : IDisposable
{
    private readonly Core.ConsumerGroupClient _core;

    /// <summary>A member that has not joined yet.</summary>
    /// <param name="options">Where the cluster is, and how to connect.</param>
    /// <param name="groupId">The group.</param>
    /// <param name="subscription">What the member wants.</param>
    public ConsumerGroupClient(KafkaClientOptions options, string groupId, ConsumerGroupSubscription subscription)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(groupId);
        ArgumentNullException.ThrowIfNull(subscription);
        Subscription = subscription;
        _core = new(options.ToSettings(), options.ToBootstrap(), groupId, subscription.ToCore());
        Group = new(options, _core.Group);
    }

    /// <summary>The client of the group that it calls through, for offsets. It is disposed of with this one.</summary>
    public GroupClient Group { get; }

    /// <summary>The id that the member goes by.</summary>
    public string MemberId => _core.MemberId;

    /// <summary>The member's epoch; 0 while it is not a member.</summary>
    public int Epoch => _core.Epoch;

    /// <summary>The member's place in the group, for committing and fetching offsets.</summary>
    public GroupMembership Membership => GroupMembership.Of(_core.Membership);

    /// <summary>What the member wants. What changes is told with the next heartbeat.</summary>
    public ConsumerGroupSubscription Subscription
    {
        get;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
            _core?.Subscription = value.ToCore();
        }
    }

    /// <summary>The partitions that the coordinator last told the member to have.</summary>
    public IReadOnlyList<TopicIdPartition> Assignment => Spread(_core.Assignment);

    /// <summary>
    /// The partitions that the member has now. It is for the user to set: when partitions that are not in the assignment any more have been
    /// given up, and when those of the assignment have been taken on. What changes is told with the next heartbeat, and the coordinator
    /// gives away only what has been given up.
    /// </summary>
    public IReadOnlyList<TopicIdPartition> Owned
    {
        get => Spread(_core.Owned);
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            _core.Owned = value
                .GroupBy(partition => partition.TopicId)
                .Select(topic => new HeartbeatTopicPartitions(topic.Key, topic.Select(partition => partition.Partition).ToFSharpList()))
                .ToFSharpList();
        }
    }

    /// <summary>
    /// Joins the group, where the member is not in it, and else tells that it lives and what has changed. With UNKNOWN_MEMBER_ID and
    /// FENCED_MEMBER_EPOCH the member has lost everything, so that <see cref="Assignment"/> and <see cref="Owned"/> are empty and the next
    /// heartbeat joins again. After a fault, or another error, the next heartbeat tells everything anew.
    /// </summary>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What the coordinator says. An error code is part of it.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ConsumerHeartbeatResult Heartbeat(CancellationToken cancellationToken = default)
    {
        Group.Begin(cancellationToken);
        return ToResult(_core.Heartbeat(Interop.Optional(cancellationToken)), cancellationToken);
    }

    /// <summary>Leaves the group for good. The next heartbeat would join again.</summary>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What the coordinator says. An error code is part of it.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ConsumerHeartbeatResult Leave(CancellationToken cancellationToken = default)
    {
        Group.Begin(cancellationToken);
        return ToResult(_core.Leave(Interop.Optional(cancellationToken)), cancellationToken);
    }

    /// <summary>
    /// Leaves the group for a while, as a static member that means to come back: its partitions wait for it as long as its session lasts.
    /// The next heartbeat joins again.
    /// </summary>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What the coordinator says. An error code is part of it.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ConsumerHeartbeatResult LeaveForAWhile(CancellationToken cancellationToken = default)
    {
        Group.Begin(cancellationToken);
        return ToResult(_core.LeaveForAWhile(Interop.Optional(cancellationToken)), cancellationToken);
    }

    /// <summary>Closes the connection for good. The member stays in the group until it leaves or is taken for dead.</summary>
    public void Dispose() => Group.Dispose();

    private static ValueList<TopicIdPartition> Spread(IEnumerable<HeartbeatTopicPartitions> topics) =>
        new(topics.SelectMany(topic => topic.Partitions.Select(partition => new TopicIdPartition(topic.TopicId, partition))));

    private static ConsumerHeartbeatResult ToResult(
        Core.Exchange<ConsumerGroupHeartbeat.Request, ConsumerGroupHeartbeat.Response> exchange,
        CancellationToken cancellation
    )
    {
        var info = new ExchangeInfo(exchange.Info);
        return new(exchange.ResponseOrThrow(info, cancellation), info);
    }
}
