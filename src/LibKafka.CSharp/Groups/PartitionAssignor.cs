using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka.Protocol;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Core = LibKafka.Groups;

namespace LibKafka;

/// <summary>A member of a group with its subscription, as the leader that assigns the partitions knows it.</summary>
/// <param name="MemberId">The id of the member.</param>
/// <param name="GroupInstanceId">The instance id of a static member (KIP-345); null for a dynamic member.</param>
/// <param name="Subscription">The subscription.</param>
public sealed record GroupSubscriber(string MemberId, string? GroupInstanceId, ConsumerSubscription Subscription)
{
    /// <summary>The id of the member.</summary>
    public string MemberId
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(MemberId);

    /// <summary>The subscription.</summary>
    public ConsumerSubscription Subscription
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Subscription);

    /// <summary>
    /// Why the member's subscription could not be read; null if it could. Such a member subscribes to no topics and gets no partitions, and the
    /// other members share them all.
    /// </summary>
    public KafkaFault? Unreadable { get; private init; }

    internal static GroupSubscriber Of(Core.Subscriber core) =>
        new(core.MemberId, core.GroupInstanceId.OrNull(), ConsumerSubscription.Of(core.Subscription))
        {
            Unreadable = core.Unreadable is { } fault ? KafkaFault.Of(fault.Value, "subscription") : null,
        };

    // Assignors do not look at the fault.
    internal Core.Subscriber ToCore() => new(MemberId, Interop.OptionOf(GroupInstanceId), Subscription.ToCore(), null);
}

/// <summary>The assignments that the leader of a group sends, one for each member.</summary>
public sealed class GroupAssignments : IReadOnlyList<MemberAssignment>
{
    private readonly MemberAssignment[] _all;

    internal GroupAssignments(Core.GroupAssignments core)
    {
        _all = [.. core.Assignments.Select(part => new MemberAssignment(part.MemberId, part.Assignment.Memory))];
        LeftOut = [.. core.LeftOut.Select(GroupSubscriber.Of)];
    }

    /// <summary>
    /// The members whose subscriptions could not be read, each with the reason (<see cref="GroupSubscriber.Unreadable"/>). Their assignments
    /// have no partitions.
    /// </summary>
    public IReadOnlyList<GroupSubscriber> LeftOut { get; }

    /// <summary>The number of members.</summary>
    public int Count => _all.Length;

    /// <summary>The assignment of one member.</summary>
    /// <param name="index">The position in the list, from 0.</param>
    public MemberAssignment this[int index] => _all[index];

    /// <inheritdoc/>
    public IEnumerator<MemberAssignment> GetEnumerator() => ((IEnumerable<MemberAssignment>)_all).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>
/// Assigns the partitions of topics to the members of a classic group. Its functions are pure: the same group gets the same assignment, whichever
/// member leads it. They agree with those of the Java client and librdkafka, so that any member can lead a mixed group.
/// </summary>
public sealed class PartitionAssignor
{
    private readonly Core.Assignor _core;

    private PartitionAssignor(Core.Assignor core)
    {
        _core = core;
    }

    /// <summary>
    /// <c>range</c>: each topic is divided into ranges of consecutive partitions, one for each member that subscribes to it.
    /// </summary>
    public static PartitionAssignor Range { get; } = new(Core.Assignors.range);

    /// <summary>
    /// <c>roundrobin</c>: the partitions of all topics are assigned one by one, in the order of topics and numbers. Members that do not subscribe to
    /// the topic are skipped.
    /// </summary>
    public static PartitionAssignor RoundRobin { get; } = new(Core.Assignors.roundRobin);

    /// <summary><c>sticky</c> (KIP-54): as balanced as the subscriptions allow, with as few partitions moved as possible.</summary>
    public static PartitionAssignor Sticky { get; } = new(Core.Assignors.sticky);

    /// <summary>
    /// <c>cooperative-sticky</c> (KIP-429): like <see cref="Sticky"/>, but members keep their partitions during a rebalance.
    /// </summary>
    public static PartitionAssignor CooperativeSticky { get; } = new(Core.Assignors.cooperativeSticky);

    /// <summary>The name of the protocol.</summary>
    public string Name => _core.Name;

    /// <summary>
    /// Whether members keep their partitions during a rebalance, revoke only those that are no longer assigned to them, and then rejoin (KIP-429).
    /// Otherwise each member revokes all its partitions before it joins.
    /// </summary>
    public bool IsCooperative => _core.IsCooperative;

    /// <summary>
    /// A custom assignor, whose members revoke all their partitions before they join. All members of the group must support it.
    /// </summary>
    /// <param name="name">The name of the protocol.</param>
    /// <param name="assign">
    /// Assigns partitions: from the number of partitions of each topic and the members, it gives the partitions of each member by its id. It must be
    /// deterministic. Members that are not in the result get no partitions.
    /// </param>
    /// <returns>The assignor.</returns>
    public static PartitionAssignor Custom(
        string name,
        Func<
            IReadOnlyDictionary<string, int>,
            IReadOnlyList<GroupSubscriber>,
            IReadOnlyDictionary<string, IReadOnlyList<TopicPartition>>
        > assign
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(assign);
        FSharpMap<string, FSharpList<ConsumerTopicPartitions>> Assign(FSharpMap<string, int> counts, FSharpList<Core.Subscriber> members)
        {
            InvalidOperationException Misused() => new($"The function of the assignor '{name}' returned null.");
            var given = assign(counts, [.. members.Select(GroupSubscriber.Of)]) ?? throw Misused();
            return new(
                members
                    .Select(member => member.MemberId)
                    .Select(id => Tuple.Create(id, Interop.Gather(given.TryGetValue(id, out var part) ? part ?? throw Misused() : [])))
            );
        }

        return new(
            new Core.Assignor(
                name,
                false,
                Core.Assignors.range.Subscribe,
                FuncConvert.FromFunc<
                    FSharpMap<string, int>,
                    FSharpList<Core.Subscriber>,
                    FSharpMap<string, FSharpList<ConsumerTopicPartitions>>
                >(Assign)
            )
        );
    }

    /// <summary>The protocols of a member that supports some assignors.</summary>
    /// <param name="assignors">The assignors, in order of preference.</param>
    /// <param name="topics">The topics that it subscribes to.</param>
    /// <param name="previous">The partitions that it owns from the last rebalance; null for a new member.</param>
    /// <param name="generation">The generation of the last rebalance; -1 for a new member.</param>
    /// <param name="rackId">The rack of the consumer (KIP-881); null for none.</param>
    /// <returns>The protocols, for <see cref="JoinOptions.Protocols"/>.</returns>
    /// <exception cref="KafkaException">A subscription cannot be written.</exception>
    public static IReadOnlyList<GroupProtocol> Protocols(
        IEnumerable<PartitionAssignor> assignors,
        IEnumerable<string> topics,
        IEnumerable<TopicPartition>? previous = null,
        int generation = -1,
        string? rackId = null
    )
    {
        var wanted = Interop.RequiredAll(topics);
        var owned = Interop.RequiredAll(previous ?? [], nameof(previous));
        var protocols = Core.AssignorModule.protocols(
            ToCore(assignors),
            wanted.ToFSharpList(),
            Interop.Gather(owned),
            generation,
            Interop.OptionOf(rackId)
        );
        return [.. protocols.ValueOrThrow("subscription").Select(it => new GroupProtocol(it.Name, it.Metadata.Memory))];
    }

    /// <summary>
    /// The members of a group with their subscriptions, from the result of the leader's join. A member whose subscription cannot be read
    /// subscribes to no topics: see <see cref="GroupSubscriber.Unreadable"/>. All subscriptions together take at most
    /// <see cref="KafkaClientOptions.MaxDecodedBytes"/> of memory; the larger ones are left out first.
    /// </summary>
    /// <param name="joined">The result.</param>
    /// <returns>The members.</returns>
    /// <exception cref="KafkaException">The join failed.</exception>
    public static IReadOnlyList<GroupSubscriber> Subscribers(JoinResult joined)
    {
        ArgumentNullException.ThrowIfNull(joined);
        var members = joined.ThrowIfError().Response!.Members;
        return [.. Core.AssignorModule.subscribersWithin(joined.Limits, members).Select(GroupSubscriber.Of)];
    }

    /// <summary>The topics that any of the members subscribes to: the leader needs their numbers of partitions.</summary>
    /// <param name="members">The members.</param>
    /// <returns>The topics, sorted by name.</returns>
    public static IReadOnlyList<string> TopicsOf(IEnumerable<GroupSubscriber> members)
    {
        return Core.AssignorModule.topicsOf(ToCore(members));
    }

    /// <summary>The number of partitions of each topic, for the assignment. Topics with an error code are left out.</summary>
    /// <param name="metadata">The metadata of the topics: see <see cref="KafkaConnection.GetMetadata(IEnumerable{string}, CancellationToken)"/>.</param>
    /// <returns>The numbers by topic.</returns>
    public static IReadOnlyDictionary<string, int> PartitionCounts(ClusterMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return Core.AssignorModule.partitionCounts(metadata.Core.Topics);
    }

    /// <summary>
    /// The assignments that the leader of a group sends, by the assignor that the group has chosen, which must be among those given. A member whose
    /// subscription cannot be read gets an assignment without partitions, and is named in <see cref="GroupAssignments.LeftOut"/>.
    /// </summary>
    /// <param name="assignors">The leader's assignors.</param>
    /// <param name="partitionCounts">The number of partitions of each topic.</param>
    /// <param name="joined">The result of the leader's join.</param>
    /// <returns>The assignments, to pass to <c>GroupClient.Sync</c>.</returns>
    /// <exception cref="KafkaException">
    /// The group chose another assignor (<see cref="KafkaFaultKind.UnknownAssignor"/>), an assignment cannot be written, or the join failed.
    /// </exception>
    public static GroupAssignments Assignments(
        IEnumerable<PartitionAssignor> assignors,
        IReadOnlyDictionary<string, int> partitionCounts,
        JoinResult joined
    )
    {
        ArgumentNullException.ThrowIfNull(partitionCounts);
        ArgumentNullException.ThrowIfNull(joined);
        var parts = Core.AssignorModule.assignmentsWithin(
            joined.Limits,
            ToCore(assignors),
            Interop.ToFSharpMap(partitionCounts),
            joined.ThrowIfError().Response!
        );
        return new(parts.ValueOrThrow());
    }

    /// <summary>Assigns partitions.</summary>
    /// <param name="partitionCounts">The number of partitions of each topic. Topics that are left out have none.</param>
    /// <param name="members">The members.</param>
    /// <returns>The partitions of each member by its id, for every member.</returns>
    public IReadOnlyDictionary<string, IReadOnlyList<TopicPartition>> Assign(
        IReadOnlyDictionary<string, int> partitionCounts,
        IEnumerable<GroupSubscriber> members
    )
    {
        ArgumentNullException.ThrowIfNull(partitionCounts);
        return _core
            .Assign.Invoke(Interop.ToFSharpMap(partitionCounts))
            .Invoke(ToCore(members))
            .ToDictionary(part => part.Key, part => Interop.Spread(part.Value));
    }

    /// <summary>The <see cref="Name"/>.</summary>
    /// <returns>The name.</returns>
    public override string ToString() => Name;

    internal static FSharpList<Core.Assignor> ToCore(IEnumerable<PartitionAssignor> assignors) =>
        Interop.RequiredAll(assignors).Select(assignor => assignor._core).ToFSharpList();

    private static FSharpList<Core.Subscriber> ToCore(IEnumerable<GroupSubscriber> members) =>
        Interop.RequiredAll(members).Select(member => member.ToCore()).ToFSharpList();
}
