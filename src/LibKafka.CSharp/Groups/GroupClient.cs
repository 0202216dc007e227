using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka.Protocol;
using Microsoft.FSharp.Collections;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>
/// A client of one group, of either protocol, on a connection of its own to the group's coordinator. The connection is made when it is
/// first needed; it is closed when a call fails or the broker says that it is not the coordinator, and the next call looks for the
/// coordinator again. It keeps no member's state: a membership is a value that goes in with each call. Each call is made once. It is not
/// for use by several threads at a time, and a join may take long: members in one process have a client each.
/// </summary>
public sealed class GroupClient : IDisposable
{
    private readonly CoordinatorAccess _coordinator;

    /// <summary>A client that has not connected yet.</summary>
    /// <param name="options">Where the cluster is, and how to connect.</param>
    /// <param name="groupId">The group.</param>
    public GroupClient(KafkaClientOptions options, string groupId)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(groupId);
        Options = options;
        Inner = new(options.ToSettings(), options.ToBootstrap(), groupId);
        _coordinator = new(Inner.Coordinator);
    }

    internal GroupClient(KafkaClientOptions options, Core.GroupClient inner)
    {
        Options = options;
        Inner = inner;
        _coordinator = new(inner.Coordinator);
    }

    /// <summary>The options that it was made with.</summary>
    public KafkaClientOptions Options { get; }

    /// <summary>The group.</summary>
    public string GroupId => Inner.GroupId;

    /// <summary>The coordinator that the connection goes to; null while there is no connection.</summary>
    public BrokerMetadata? Coordinator => _coordinator.Coordinator;

    /// <summary>
    /// The connection to the coordinator; null while there is none. It belongs to the client: whoever disposes of it disconnects the
    /// client.
    /// </summary>
    public KafkaConnection? Connection => _coordinator.Connection;

    internal Core.GroupClient Inner { get; }

    /// <summary>Makes the connection to the coordinator, unless there is one.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The connection, which belongs to the client.</returns>
    /// <exception cref="KafkaException">
    /// No broker can be used, or (<see cref="KafkaFaultKind.NoCoordinator"/>) the group has no coordinator.
    /// </exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaConnection Connect(CancellationToken cancellationToken = default) => _coordinator.Connect(this, cancellationToken);

    /// <summary>
    /// Joins a classic group, and waits until all members have come. A new member is told its id first and then joins by it, where the
    /// broker wants that (KIP-394): both rounds are part of the protocol and are made here.
    /// </summary>
    /// <param name="options">How it joins.</param>
    /// <param name="memberId">Empty for a new member, or the id that it has from an earlier join.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>The member's place in the group. An error code is part of it.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public JoinResult Join(JoinOptions options, string memberId = "", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(memberId);
        Begin(cancellationToken);
        var joined = Inner.Join(memberId, options.ToCore(), Interop.Optional(cancellationToken));
        var info = new ExchangeInfo(joined.Exchange.Info);
        return new(joined, joined.Exchange.ResponseOrThrow(info, cancellationToken), info);
    }

    /// <summary>Hands out the work, for the leader of a classic group, and receives the member's own part.</summary>
    /// <param name="membership">The member's place in the group.</param>
    /// <param name="protocolName">The protocol that the group has chosen; null to leave it unchecked.</param>
    /// <param name="assignments">
    /// The work of all members, from the leader (for consumers <see cref="PartitionAssignor.Assignments"/> makes it); null from the others.
    /// </param>
    /// <param name="protocolType">What kind of members the group has.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>The member's part. An error code is part of it.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public SyncResult Sync(
        GroupMembership membership,
        string? protocolName = null,
        IEnumerable<MemberAssignment>? assignments = null,
        string protocolType = ConsumerProtocol.ProtocolType,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(membership);
        Begin(cancellationToken);
        var exchange = Inner.Sync(
            membership.ToCore(),
            protocolType,
            Interop.OptionOf(protocolName),
            (assignments ?? []).Select(assignment => assignment.ToCore()).ToFSharpList(),
            Interop.Optional(cancellationToken)
        );
        var info = new ExchangeInfo(exchange.Info);
        return new(exchange.ResponseOrThrow(info, cancellationToken), info);
    }

    /// <summary>Tells the coordinator of a classic group that the member lives.</summary>
    /// <param name="membership">The member's place in the group.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>An error code, such as REBALANCE_IN_PROGRESS when the member should join again.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public CallResult Heartbeat(GroupMembership membership, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(membership);
        Begin(cancellationToken);
        return CallResult.Of(
            Inner.Heartbeat(membership.ToCore(), Interop.Optional(cancellationToken)),
            response => response.Error,
            cancellationToken
        );
    }

    /// <summary>
    /// Takes one member out of a classic group, so that the others need not wait until it is taken for dead. A static member is named by
    /// its static name and leaves for good.
    /// </summary>
    /// <param name="membership">The member's place in the group.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What became of the member.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public LeaveResult Leave(GroupMembership membership, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(membership);
        Begin(cancellationToken);
        return ToResult(Inner.Leave(membership.ToCore(), Interop.Optional(cancellationToken)), cancellationToken);
    }

    /// <summary>Takes members out of a classic group: oneself, or others, by their ids or static names.</summary>
    /// <param name="members">The members.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What became of each member.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public LeaveResult LeaveAll(IEnumerable<LeavingMember> members, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(members);
        Begin(cancellationToken);
        var leaving = members.Select(member => member.ToCore()).ToFSharpList();
        return ToResult(Inner.Leave(leaving, Interop.Optional(cancellationToken)), cancellationToken);
    }

    /// <summary>Stores how far the group has read some partitions.</summary>
    /// <param name="membership">The member's place in the group; <see cref="GroupMembership.None"/> for a client that is no member.</param>
    /// <param name="offsets">The offsets by partition.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; the offsets may be stored all the same.</param>
    /// <returns>What became of each.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public PartitionResults CommitOffsets(
        GroupMembership membership,
        IEnumerable<KeyValuePair<TopicPartition, CommittedOffset>> offsets,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(membership);
        Begin(cancellationToken);
        var reply = Inner.CommitOffsets(membership.ToCore(), ToCore(offsets), Interop.Optional(cancellationToken));
        return ToResults(reply, cancellationToken);
    }

    /// <summary>Stores how far the group has read one partition.</summary>
    /// <param name="membership">The member's place in the group; <see cref="GroupMembership.None"/> for a client that is no member.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="offset">The offset.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection; the offset may be stored all the same.</param>
    /// <returns>What became of it.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public CallResult CommitOffset(
        GroupMembership membership,
        TopicPartition partition,
        CommittedOffset offset,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(membership);
        Begin(cancellationToken);
        var reply = Inner.CommitOffset(membership.ToCore(), partition.ToCore(), offset.ToCore(), Interop.Optional(cancellationToken));
        var info = new ExchangeInfo(reply.Exchange.Info);
        return new(reply.ValueOrThrow(info, cancellationToken), info);
    }

    /// <summary>How far the group has read some partitions.</summary>
    /// <param name="partitions">The partitions.</param>
    /// <param name="requireStable">
    /// Whether an offset that an open transaction may still change is UNSTABLE_OFFSET_COMMIT instead (KIP-447, Kafka 2.5).
    /// </param>
    /// <param name="membership">
    /// The member's place in a group of the new protocol, whose members are checked (KIP-848); null for everyone else.
    /// </param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>The offset of each partition, or an error code.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public GroupOffsets FetchOffsets(
        IEnumerable<TopicPartition> partitions,
        bool requireStable = false,
        GroupMembership? membership = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(partitions);
        Begin(cancellationToken);
        var reply = Inner.FetchOffsets(
            (membership ?? GroupMembership.None).ToCore(),
            partitions.Select(partition => partition.ToCore()).ToFSharpList(),
            requireStable,
            Interop.Optional(cancellationToken)
        );
        var info = new ExchangeInfo(reply.Exchange.Info);
        var fetched = reply.ValueOrThrow(info, cancellationToken);
        return new([.. fetched.Select(offset => GroupOffset.Of(offset, info))], ErrorCode.None, info);
    }

    /// <summary>How far the group has read one partition.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>The offset, or an error code.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public GroupOffset FetchOffset(TopicPartition partition, CancellationToken cancellationToken = default) =>
        FetchOffsets([partition], cancellationToken: cancellationToken).Partitions[0];

    /// <summary>Every offset that the group has committed.</summary>
    /// <param name="requireStable">
    /// Whether an offset that an open transaction may still change is UNSTABLE_OFFSET_COMMIT instead (KIP-447, Kafka 2.5).
    /// </param>
    /// <param name="membership">The member's place in a group of the new protocol (KIP-848); null for everyone else.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>The offsets, or the code that concerns the group as a whole.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public GroupOffsets FetchAllOffsets(
        bool requireStable = false,
        GroupMembership? membership = null,
        CancellationToken cancellationToken = default
    )
    {
        Begin(cancellationToken);
        var reply = Inner.FetchAllOffsets(
            (membership ?? GroupMembership.None).ToCore(),
            requireStable,
            Interop.Optional(cancellationToken)
        );
        var info = new ExchangeInfo(reply.Exchange.Info);
        var fetched = reply.ValueOrThrow(info, cancellationToken);
        return fetched.IsOk
            ? new([.. fetched.ResultValue.Select(offset => GroupOffset.Of(offset, info))], ErrorCode.None, info)
            : new([], fetched.ErrorValue, info);
    }

    /// <summary>Closes the connection, if there is one. The next call looks for the coordinator and makes a new one.</summary>
    public void Disconnect() => _coordinator.Disconnect();

    /// <summary>Closes the connection for good. Members stay in the group until they leave or are taken for dead.</summary>
    public void Dispose() => _coordinator.Dispose();

    internal static FSharpList<Tuple<Core.TopicPartition, Core.CommittedOffset>> ToCore(
        IEnumerable<KeyValuePair<TopicPartition, CommittedOffset>> offsets
    )
    {
        ArgumentNullException.ThrowIfNull(offsets);
        return offsets.Select(offset => Tuple.Create(offset.Key.ToCore(), offset.Value.ToCore())).ToFSharpList();
    }

    internal static PartitionResults ToResults<TRequest, TResponse>(
        Core.Reply<TRequest, TResponse, FSharpList<Core.CommitResult>> reply,
        CancellationToken cancellation
    )
    {
        var info = new ExchangeInfo(reply.Exchange.Info);
        var results = reply.ValueOrThrow(info, cancellation);
        return new([.. results.Select(one => new PartitionResult(TopicPartition.Of(one.Partition), one.Error))], info);
    }

    internal void Begin(CancellationToken cancellationToken) => _coordinator.Begin(this, cancellationToken);

    private static LeaveResult ToResult(Core.Left left, CancellationToken cancellation)
    {
        ExchangeInfo[] exchanges = [.. left.Exchanges.Select(exchange => new ExchangeInfo(exchange.Info))];
        return left.Results.IsOk
            ? new(left.Results.ResultValue, exchanges)
            : throw KafkaException.For(KafkaFault.Of(left.Results.ErrorValue, exchanges[^1].Broker), exchanges[^1], cancellation);
    }
}
