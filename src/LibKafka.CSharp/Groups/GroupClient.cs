using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka.Protocol;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>
/// A client of one group, of either protocol, with a connection to the group's coordinator. It connects when it is first used. If a call fails or
/// the broker is no longer the coordinator, the connection is closed, and the next call finds the coordinator again. It keeps no state of a member:
/// a <see cref="GroupMembership"/> is passed to each call. There are no retries. It is not thread-safe, and a join may take long, so each member in
/// a process needs a client of its own.
/// </summary>
public sealed class GroupClient : IDisposable
{
    private readonly CoordinatorAccess _coordinator;

    /// <summary>A client that has not connected yet.</summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="groupId">The group.</param>
    public GroupClient(KafkaClientOptions options, string groupId)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(groupId);
        var log = new ExchangeLog();
        Options = options;
        Inner = new(options.ToSettings(log), options.ToBootstrap(), groupId);
        _coordinator = new(Inner.Coordinator, log);
    }

    internal GroupClient(KafkaClientOptions options, Core.GroupClient inner, ExchangeLog log)
    {
        Options = options;
        Inner = inner;
        _coordinator = new(inner.Coordinator, log);
    }

    /// <summary>The options.</summary>
    public KafkaClientOptions Options { get; }

    /// <summary>The group.</summary>
    public string GroupId => Inner.GroupId;

    /// <summary>The coordinator at the other end of the connection; null if there is no connection.</summary>
    public BrokerMetadata? Coordinator => _coordinator.Coordinator;

    /// <summary>The connection to the coordinator; null if there is none. It belongs to the client: disposing of it disconnects the client.</summary>
    public KafkaConnection? Connection => _coordinator.Connection;

    internal Core.GroupClient Inner { get; }

    /// <summary>Connects to the coordinator unless there is a connection.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>
    /// The connection, which belongs to the client, or the fault: <see cref="KafkaFaultKind.NoCoordinator"/> if there is no coordinator, for the
    /// reason in <see cref="KafkaResult.Error"/>.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaResult<KafkaConnection> Connect(CancellationToken cancellationToken = default) =>
        Connect(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Connect(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<KafkaConnection> Connect(CallOptions callOptions) => _coordinator.Connect(this, callOptions);

    /// <summary>
    /// Joins a classic group, and waits until all members have joined. If the broker requires it, a new member first gets its id and then joins with
    /// it (KIP-394): both rounds are made here.
    /// </summary>
    /// <param name="options">How the member joins.</param>
    /// <param name="memberId">Empty for a new member, or the id from an earlier join.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The membership. UNKNOWN_MEMBER_ID means that the member must join as a new one.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public JoinResult Join(JoinOptions options, string memberId = "", CancellationToken cancellationToken = default) =>
        Join(options, memberId, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Join(JoinOptions, string, CancellationToken)"/>
    /// <param name="options">How the member joins.</param>
    /// <param name="memberId">Empty for a new member, or the id from an earlier join.</param>
    /// <param name="callOptions">The options of the call.</param>
    public JoinResult Join(JoinOptions options, string memberId, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(memberId);
        Begin(callOptions);
        return new(Inner.Join(memberId, options.ToCore(), callOptions.ToCore()), callOptions, Inner.Settings.Limits);
    }

    /// <summary>Sends the assignments, from the leader of a classic group, and receives the member's own.</summary>
    /// <param name="membership">The membership.</param>
    /// <param name="protocolName">The protocol that the group has chosen; null to leave it unchecked.</param>
    /// <param name="assignments">
    /// The assignments of all members, from the leader (for consumers <see cref="PartitionAssignor.Assignments"/> makes them); null from the
    /// others.
    /// </param>
    /// <param name="protocolType">The protocol type of the group.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The member's assignment. REBALANCE_IN_PROGRESS means that the member must join again.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public SyncResult Sync(
        GroupMembership membership,
        string? protocolName = null,
        IEnumerable<MemberAssignment>? assignments = null,
        string protocolType = ConsumerProtocol.ProtocolType,
        CancellationToken cancellationToken = default
    ) => Sync(membership, protocolName, assignments, protocolType, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Sync(GroupMembership, string, IEnumerable{MemberAssignment}, string, CancellationToken)"/>
    /// <param name="membership">The membership.</param>
    /// <param name="protocolName">The protocol that the group has chosen; null to leave it unchecked.</param>
    /// <param name="assignments">The assignments of all members, from the leader; null from the others.</param>
    /// <param name="protocolType">The protocol type of the group.</param>
    /// <param name="callOptions">The options of the call.</param>
    public SyncResult Sync(
        GroupMembership membership,
        string? protocolName,
        IEnumerable<MemberAssignment>? assignments,
        string protocolType,
        CallOptions callOptions
    )
    {
        ArgumentNullException.ThrowIfNull(membership);
        ArgumentNullException.ThrowIfNull(protocolType);
        var parts = Interop.RequiredAll(assignments ?? [], nameof(assignments));
        Begin(callOptions);
        var reply = Inner.Sync(
            membership.ToCore(),
            protocolType,
            Interop.OptionOf(protocolName),
            parts.Select(assignment => assignment.ToCore()).ToFSharpList(),
            callOptions.ToCore()
        );
        return new(reply.Exchange, callOptions);
    }

    /// <summary>Sends a heartbeat to the coordinator of a classic group.</summary>
    /// <param name="membership">The membership.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The result. REBALANCE_IN_PROGRESS means that the member must join again.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public CallResult Heartbeat(GroupMembership membership, CancellationToken cancellationToken = default) =>
        Heartbeat(membership, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Heartbeat(GroupMembership, CancellationToken)"/>
    /// <param name="membership">The membership.</param>
    /// <param name="callOptions">The options of the call.</param>
    public CallResult Heartbeat(GroupMembership membership, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(membership);
        Begin(callOptions);
        return CallResult.Of(Inner.Heartbeat(membership.ToCore(), callOptions.ToCore()), callOptions);
    }

    /// <summary>
    /// Removes one member from a classic group, so that the group need not wait until its session expires. A static member is named by its instance
    /// id and leaves for good.
    /// </summary>
    /// <param name="membership">The membership.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The result for the member.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<LeavingMember>> Leave(GroupMembership membership, CancellationToken cancellationToken = default) =>
        Leave(membership, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Leave(GroupMembership, CancellationToken)"/>
    /// <param name="membership">The membership.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<LeavingMember>> Leave(GroupMembership membership, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(membership);
        return LeaveAll([new LeavingMember(membership.MemberId, membership.GroupInstanceId)], callOptions);
    }

    /// <summary>
    /// Removes members from a classic group: this one, or others. Brokers before Kafka 2.4 remove one per request: then there are as many requests as
    /// members, up to the first that fails.
    /// </summary>
    /// <param name="members">The members.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The result for each member.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<LeavingMember>> LeaveAll(
        IEnumerable<LeavingMember> members,
        CancellationToken cancellationToken = default
    ) => LeaveAll(members, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="LeaveAll(IEnumerable{LeavingMember}, CancellationToken)"/>
    /// <param name="members">The members.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<LeavingMember>> LeaveAll(IEnumerable<LeavingMember> members, CallOptions callOptions)
    {
        var leaving = Interop.RequiredAll(members);
        Begin(callOptions);
        return Left(leaving, Inner.Leave(leaving.Select(member => member.ToCore()).ToFSharpList(), callOptions.ToCore()), callOptions);
    }

    /// <summary>Commits offsets of several partitions.</summary>
    /// <param name="membership">The membership; <see cref="GroupMembership.None"/> for a client that is not a member.</param>
    /// <param name="offsets">The offsets by partition.</param>
    /// <param name="cancellationToken">Cancels the call. The offsets may be committed nevertheless.</param>
    /// <returns>The result for each partition.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<TopicPartition>> CommitOffsets(
        GroupMembership membership,
        IEnumerable<KeyValuePair<TopicPartition, CommittedOffset>> offsets,
        CancellationToken cancellationToken = default
    ) => CommitOffsets(membership, offsets, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="CommitOffsets(GroupMembership, IEnumerable{KeyValuePair{TopicPartition, CommittedOffset}}, CancellationToken)"/>
    /// <param name="membership">The membership; <see cref="GroupMembership.None"/> for a client that is not a member.</param>
    /// <param name="offsets">The offsets by partition.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<TopicPartition>> CommitOffsets(
        GroupMembership membership,
        IEnumerable<KeyValuePair<TopicPartition, CommittedOffset>> offsets,
        CallOptions callOptions
    )
    {
        ArgumentNullException.ThrowIfNull(membership);
        var given = Interop.RequiredAll(offsets);
        Begin(callOptions);
        return Inner
            .CommitOffsets(membership.ToCore(), ToCore(given), callOptions.ToCore())
            .ToResults(given.Select(entry => entry.Key), callOptions);
    }

    /// <summary>Commits the offset of one partition.</summary>
    /// <param name="membership">The membership; <see cref="GroupMembership.None"/> for a client that is not a member.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="offset">The offset.</param>
    /// <param name="cancellationToken">Cancels the call. The offset may be committed nevertheless.</param>
    /// <returns>The result.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResult<TopicPartition> CommitOffset(
        GroupMembership membership,
        TopicPartition partition,
        CommittedOffset offset,
        CancellationToken cancellationToken = default
    ) => CommitOffset(membership, partition, offset, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="CommitOffset(GroupMembership, TopicPartition, CommittedOffset, CancellationToken)"/>
    /// <param name="membership">The membership; <see cref="GroupMembership.None"/> for a client that is not a member.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="offset">The offset.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResult<TopicPartition> CommitOffset(
        GroupMembership membership,
        TopicPartition partition,
        CommittedOffset offset,
        CallOptions callOptions
    )
    {
        Interop.Required(partition);
        return CommitOffsets(membership, [KeyValuePair.Create(partition, offset)], callOptions)[0];
    }

    /// <summary>Fetches the committed offsets of some partitions.</summary>
    /// <param name="partitions">The partitions.</param>
    /// <param name="requireStable">
    /// Whether an offset that an open transaction may still change gives UNSTABLE_OFFSET_COMMIT instead (KIP-447, Kafka 2.5).
    /// </param>
    /// <param name="membership">
    /// The membership in a group of the new protocol, which checks its members (KIP-848); null for all other clients.
    /// </param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The offset of each partition: null if none is committed.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<TopicPartition, CommittedOffset?>> FetchOffsets(
        IEnumerable<TopicPartition> partitions,
        bool requireStable = false,
        GroupMembership? membership = null,
        CancellationToken cancellationToken = default
    ) => FetchOffsets(partitions, requireStable, membership, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="FetchOffsets(IEnumerable{TopicPartition}, bool, GroupMembership, CancellationToken)"/>
    /// <param name="partitions">The partitions.</param>
    /// <param name="requireStable">Whether an offset that an open transaction may still change gives UNSTABLE_OFFSET_COMMIT instead.</param>
    /// <param name="membership">The membership in a group of the new protocol; null for all other clients.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<TopicPartition, CommittedOffset?>> FetchOffsets(
        IEnumerable<TopicPartition> partitions,
        bool requireStable,
        GroupMembership? membership,
        CallOptions callOptions
    )
    {
        var asked = Interop.RequiredAll(partitions);
        Begin(callOptions);
        return Fetched(
            asked,
            Inner.FetchOffsets(
                (membership ?? GroupMembership.None).ToCore(),
                asked.Select(partition => partition.ToCore()).ToFSharpList(),
                requireStable,
                callOptions.ToCore()
            ),
            callOptions
        );
    }

    /// <summary>Fetches the committed offset of one partition.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The offset: null if none is committed.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResult<TopicPartition, CommittedOffset?> FetchOffset(
        TopicPartition partition,
        CancellationToken cancellationToken = default
    ) => FetchOffset(partition, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="FetchOffset(TopicPartition, CancellationToken)"/>
    /// <param name="partition">The partition.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResult<TopicPartition, CommittedOffset?> FetchOffset(TopicPartition partition, CallOptions callOptions)
    {
        Interop.Required(partition);
        return FetchOffsets([partition], false, null, callOptions)[0];
    }

    /// <summary>Fetches all committed offsets of the group.</summary>
    /// <param name="requireStable">
    /// Whether an offset that an open transaction may still change gives UNSTABLE_OFFSET_COMMIT instead (KIP-447, Kafka 2.5).
    /// </param>
    /// <param name="membership">The membership in a group of the new protocol (KIP-848); null for all other clients.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The offset of each partition that has one.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public ItemResults<ItemResult<TopicPartition, CommittedOffset?>> FetchAllOffsets(
        bool requireStable = false,
        GroupMembership? membership = null,
        CancellationToken cancellationToken = default
    ) => FetchAllOffsets(requireStable, membership, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="FetchAllOffsets(bool, GroupMembership, CancellationToken)"/>
    /// <param name="requireStable">Whether an offset that an open transaction may still change gives UNSTABLE_OFFSET_COMMIT instead.</param>
    /// <param name="membership">The membership in a group of the new protocol; null for all other clients.</param>
    /// <param name="callOptions">The options of the call.</param>
    public ItemResults<ItemResult<TopicPartition, CommittedOffset?>> FetchAllOffsets(
        bool requireStable,
        GroupMembership? membership,
        CallOptions callOptions
    )
    {
        Begin(callOptions);
        var reply = Inner.FetchAllOffsets((membership ?? GroupMembership.None).ToCore(), requireStable, callOptions.ToCore());
        var report = new CallReport(reply.Exchanges, callOptions.CancellationToken);
        return reply.Result.IsOk ? ToResults(report, reply.Result.ResultValue)
            : reply.Result.ErrorValue is Client.CallFailure.Fault it ? new(report, report.FaultOf(it.Item), [])
            : new(report, null, [], ((Client.CallFailure.Code)reply.Result.ErrorValue).Item);
    }

    /// <summary>Begins one round of a join as <c>Join</c> makes it. If the coordinator wants a new member to get an id first, the result has <c>MEMBER_ID_REQUIRED</c> and that id, with which to begin another round. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="options">See <c>Join</c>.</param>
    /// <param name="memberId">See <c>Join</c>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<JoinResult> BeginJoin(JoinOptions options, string memberId = "", CancellationToken cancellationToken = default) =>
        BeginJoin(options, memberId, CallOptions.Of(cancellationToken));

    /// <summary>Begins one round of a join as <c>Join</c> makes it. If the coordinator wants a new member to get an id first, the result has <c>MEMBER_ID_REQUIRED</c> and that id, with which to begin another round. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="options">See <c>Join</c>.</param>
    /// <param name="memberId">See <c>Join</c>.</param>
    /// <param name="callOptions">The options of the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<JoinResult> BeginJoin(JoinOptions options, string memberId, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(memberId);
        Begin(callOptions);
        return Inner
            .BeginJoin(memberId, options.ToCore(), callOptions.ToCore())
            .Map(reply => new JoinResult(reply, callOptions, Inner.Settings.Limits));
    }

    /// <summary>Sends what <c>Sync</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="membership">See <c>Sync</c>.</param>
    /// <param name="protocolName">See <c>Sync</c>.</param>
    /// <param name="assignments">See <c>Sync</c>.</param>
    /// <param name="protocolType">See <c>Sync</c>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<SyncResult> BeginSync(
        GroupMembership membership,
        string? protocolName = null,
        IEnumerable<MemberAssignment>? assignments = null,
        string protocolType = ConsumerProtocol.ProtocolType,
        CancellationToken cancellationToken = default
    ) => BeginSync(membership, protocolName, assignments, protocolType, CallOptions.Of(cancellationToken));

    /// <summary>Sends what <c>Sync</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="membership">See <c>Sync</c>.</param>
    /// <param name="protocolName">See <c>Sync</c>.</param>
    /// <param name="assignments">See <c>Sync</c>.</param>
    /// <param name="protocolType">See <c>Sync</c>.</param>
    /// <param name="callOptions">The options of the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<SyncResult> BeginSync(
        GroupMembership membership,
        string? protocolName,
        IEnumerable<MemberAssignment>? assignments,
        string protocolType,
        CallOptions callOptions
    )
    {
        ArgumentNullException.ThrowIfNull(membership);
        ArgumentNullException.ThrowIfNull(protocolType);
        var parts = Interop.RequiredAll(assignments ?? [], nameof(assignments));
        Begin(callOptions);
        return Inner
            .BeginSync(
                membership.ToCore(),
                protocolType,
                Interop.OptionOf(protocolName),
                parts.Select(assignment => assignment.ToCore()).ToFSharpList(),
                callOptions.ToCore()
            )
            .Map(reply => new SyncResult(reply.Exchange, callOptions));
    }

    /// <summary>Sends what <c>Heartbeat</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="membership">See <c>Heartbeat</c>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<CallResult> BeginHeartbeat(GroupMembership membership, CancellationToken cancellationToken = default) =>
        BeginHeartbeat(membership, CallOptions.Of(cancellationToken));

    /// <summary>Sends what <c>Heartbeat</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="membership">See <c>Heartbeat</c>.</param>
    /// <param name="callOptions">The options of the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<CallResult> BeginHeartbeat(GroupMembership membership, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(membership);
        Begin(callOptions);
        return Inner.BeginHeartbeat(membership.ToCore(), callOptions.ToCore()).Map(reply => CallResult.Of(reply, callOptions));
    }

    /// <summary>Sends what <c>Leave</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="membership">See <c>Leave</c>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<ItemResults<ItemResult<LeavingMember>>> BeginLeave(
        GroupMembership membership,
        CancellationToken cancellationToken = default
    ) => BeginLeave(membership, CallOptions.Of(cancellationToken));

    /// <summary>Sends what <c>Leave</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="membership">See <c>Leave</c>.</param>
    /// <param name="callOptions">The options of the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<ItemResults<ItemResult<LeavingMember>>> BeginLeave(GroupMembership membership, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(membership);
        Begin(callOptions);
        LeavingMember[] leaving = [new(membership.MemberId, membership.GroupInstanceId)];
        return Inner.BeginLeave(membership.ToCore(), callOptions.ToCore()).Map(left => Left(leaving, left, callOptions));
    }

    /// <summary>Sends what <c>CommitOffsets</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="membership">See <c>CommitOffsets</c>.</param>
    /// <param name="offsets">See <c>CommitOffsets</c>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<ItemResults<ItemResult<TopicPartition>>> BeginCommitOffsets(
        GroupMembership membership,
        IEnumerable<KeyValuePair<TopicPartition, CommittedOffset>> offsets,
        CancellationToken cancellationToken = default
    ) => BeginCommitOffsets(membership, offsets, CallOptions.Of(cancellationToken));

    /// <summary>Sends what <c>CommitOffsets</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="membership">See <c>CommitOffsets</c>.</param>
    /// <param name="offsets">See <c>CommitOffsets</c>.</param>
    /// <param name="callOptions">The options of the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<ItemResults<ItemResult<TopicPartition>>> BeginCommitOffsets(
        GroupMembership membership,
        IEnumerable<KeyValuePair<TopicPartition, CommittedOffset>> offsets,
        CallOptions callOptions
    )
    {
        ArgumentNullException.ThrowIfNull(membership);
        var given = Interop.RequiredAll(offsets);
        Begin(callOptions);
        return Inner
            .BeginCommitOffsets(membership.ToCore(), ToCore(given), callOptions.ToCore())
            .Map(reply => reply.ToResults(given.Select(entry => entry.Key), callOptions));
    }

    /// <summary>Sends what <c>FetchOffsets</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="partitions">See <c>FetchOffsets</c>.</param>
    /// <param name="requireStable">See <c>FetchOffsets</c>.</param>
    /// <param name="membership">See <c>FetchOffsets</c>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<ItemResults<ItemResult<TopicPartition, CommittedOffset?>>> BeginFetchOffsets(
        IEnumerable<TopicPartition> partitions,
        bool requireStable = false,
        GroupMembership? membership = null,
        CancellationToken cancellationToken = default
    ) => BeginFetchOffsets(partitions, requireStable, membership, CallOptions.Of(cancellationToken));

    /// <summary>Sends what <c>FetchOffsets</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="partitions">See <c>FetchOffsets</c>.</param>
    /// <param name="requireStable">See <c>FetchOffsets</c>.</param>
    /// <param name="membership">See <c>FetchOffsets</c>.</param>
    /// <param name="callOptions">The options of the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<ItemResults<ItemResult<TopicPartition, CommittedOffset?>>> BeginFetchOffsets(
        IEnumerable<TopicPartition> partitions,
        bool requireStable,
        GroupMembership? membership,
        CallOptions callOptions
    )
    {
        var asked = Interop.RequiredAll(partitions);
        Begin(callOptions);
        return Inner
            .BeginFetchOffsets(
                (membership ?? GroupMembership.None).ToCore(),
                asked.Select(partition => partition.ToCore()).ToFSharpList(),
                requireStable,
                callOptions.ToCore()
            )
            .Map(reply => Fetched(asked, reply, callOptions));
    }

    /// <summary>Closes the connection if there is one. The next call finds the coordinator and connects again.</summary>
    public void Disconnect() => _coordinator.Disconnect();

    /// <summary>Closes the connection for good. Members stay in the group until they leave or their session expires.</summary>
    public void Dispose() => _coordinator.Dispose();

    internal static FSharpList<Tuple<Core.TopicPartition, Core.CommittedOffset>> ToCore(
        IEnumerable<KeyValuePair<TopicPartition, CommittedOffset>> offsets
    ) => offsets.Select(offset => Tuple.Create(offset.Key.ToCore(), offset.Value.ToCore())).ToFSharpList();

    internal void Begin(CallOptions callOptions) => _coordinator.Begin(this, callOptions);

    private static ItemResults<ItemResult<LeavingMember>> Left(LeavingMember[] leaving, Core.Left left, CallOptions callOptions)
    {
        var report = new CallReport(left.Exchanges, callOptions.CancellationToken);
        if (left.Result.IsError && left.Result.ErrorValue is Core.LeaveFailure.Fault it)
        {
            var fault = report.FaultOf(it.Item);
            return new(report, fault, [.. leaving.Select(one => new ItemResult<LeavingMember>(one, report, fault, ErrorCode.None))]);
        }

        return new(report, [.. leaving.Zip(left.Members, (one, answer) => new ItemResult<LeavingMember>(one, report, null, answer.Error))]);
    }

    private static ItemResults<ItemResult<TopicPartition, CommittedOffset?>> Fetched(
        TopicPartition[] asked,
        Core.Reply<FSharpResult<FSharpList<Core.FetchedOffset>, Core.ClientFault>> reply,
        CallOptions callOptions
    )
    {
        var report = new CallReport(reply.Exchanges, callOptions.CancellationToken);
        if (reply.Result.IsOk)
        {
            return ToResults(report, reply.Result.ResultValue);
        }

        var fault = report.FaultOf(reply.Result.ErrorValue);
        return new(
            report,
            fault,
            [.. asked.Select(one => new ItemResult<TopicPartition, CommittedOffset?>(one, null, report, fault, ErrorCode.None))]
        );
    }

    private static ItemResults<ItemResult<TopicPartition, CommittedOffset?>> ToResults(
        CallReport report,
        IEnumerable<Core.FetchedOffset> offsets
    )
    {
        ItemResult<TopicPartition, CommittedOffset?> One(Core.FetchedOffset core) =>
            new(
                TopicPartition.Of(core.Partition),
                core.Result is { IsOk: true, ResultValue: { } committed } ? CommittedOffset.Of(committed.Value) : null,
                report,
                null,
                core.Result.IsError ? core.Result.ErrorValue : ErrorCode.None
            );

        return new(report, [.. offsets.Select(One)]);
    }
}
