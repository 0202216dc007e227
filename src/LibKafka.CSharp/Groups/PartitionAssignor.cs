using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using Core = LibKafka.Groups;

namespace LibKafka;

/// <summary>A member of a group, as the leader that shares out the partitions sees it.</summary>
/// <param name="MemberId">The id of the member.</param>
/// <param name="GroupInstanceId">The name of a static member (KIP-345); null for a dynamic one.</param>
/// <param name="Subscription">What it wants.</param>
public sealed record GroupSubscriber(string MemberId, string? GroupInstanceId, ConsumerSubscription Subscription)
{
    internal static GroupSubscriber Of(Core.Subscriber core) =>
        new(core.MemberId, core.GroupInstanceId.OrNull(), ConsumerSubscription.Of(core.Subscription));

    internal Core.Subscriber ToCore() => new(MemberId, Interop.OptionOf(GroupInstanceId), Subscription.ToCore());
}

/// <summary>
/// A way of sharing out the partitions of topics among the members of a classic group. Its functions are pure: the same group gives the
/// same division, whoever leads it. They agree with the Java client's and librdkafka's, so that any member can lead a group of all three.
/// </summary>
public sealed class PartitionAssignor
{
    private readonly Core.Assignor _core;

    private PartitionAssignor(Core.Assignor core)
    {
        _core = core;
    }

    /// <summary>
    /// <c>range</c>: each topic by itself is cut into runs of neighbouring partitions, one for each member that wants it.
    /// </summary>
    public static PartitionAssignor Range { get; } = new(Core.Assignors.range);

    /// <summary>
    /// <c>roundrobin</c>: all partitions of all topics are dealt out one by one, in the order of topics and numbers; a member that does not
    /// want a topic is passed over.
    /// </summary>
    public static PartitionAssignor RoundRobin { get; } = new(Core.Assignors.roundRobin);

    /// <summary><c>sticky</c> (KIP-54): as even as subscriptions allow, and partitions stay where they were.</summary>
    public static PartitionAssignor Sticky { get; } = new(Core.Assignors.sticky);

    /// <summary>
    /// <c>cooperative-sticky</c> (KIP-429): as <see cref="Sticky"/>, but members keep what they have while the group rebalances.
    /// </summary>
    public static PartitionAssignor CooperativeSticky { get; } = new(Core.Assignors.cooperativeSticky);

    /// <summary>The name by which members agree on an assignor.</summary>
    public string Name => _core.Name;

    /// <summary>
    /// Whether members keep their partitions while the group rebalances and give up only those that they are no longer assigned, joining
    /// again when they have (KIP-429). Otherwise each gives up everything before it joins.
    /// </summary>
    public bool IsCooperative => _core.IsCooperative;

    /// <summary>
    /// An assignor of the caller's own, whose members give up everything before they join. All members of a group need to know it.
    /// </summary>
    /// <param name="name">The name by which members agree on it.</param>
    /// <param name="assign">
    /// Shares out partitions: from the number of partitions of each topic and the members, what each member is to have, by its id. It has
    /// to give the same for the same group. Members that are not in the result get nothing.
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
            var given = assign(counts, [.. members.Select(GroupSubscriber.Of)]);
            return new(
                members
                    .Select(member => member.MemberId)
                    .Select(id => Tuple.Create(id, Interop.Gather(given.TryGetValue(id, out var part) ? part : [])))
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

    /// <summary>What a member that knows some assignors says when it joins.</summary>
    /// <param name="assignors">The assignors, the best first.</param>
    /// <param name="topics">The topics that it wants.</param>
    /// <param name="previous">What it had after the last rebalance; null for a new member.</param>
    /// <param name="generation">The generation of that; -1 for a new member.</param>
    /// <param name="rackId">The rack of the consumer (KIP-881); null for none.</param>
    /// <returns>For <see cref="JoinOptions.Protocols"/>.</returns>
    /// <exception cref="KafkaException">Something of it cannot be written.</exception>
    public static IReadOnlyList<GroupProtocol> Protocols(
        IEnumerable<PartitionAssignor> assignors,
        IEnumerable<string> topics,
        IEnumerable<TopicPartition>? previous = null,
        int generation = -1,
        string? rackId = null
    )
    {
        ArgumentNullException.ThrowIfNull(topics);
        var protocols = Core.AssignorModule.protocols(
            ToCore(assignors),
            topics.ToFSharpList(),
            Interop.Gather(previous ?? []),
            generation,
            Interop.OptionOf(rackId)
        );
        return [.. protocols.ValueOrThrow("subscription").Select(it => new GroupProtocol(it.Name, it.Metadata.Memory))];
    }

    /// <summary>The members of a group with what each wants, from the answer to the leader's join.</summary>
    /// <param name="joined">The answer.</param>
    /// <returns>The members.</returns>
    /// <exception cref="KafkaException">What a member says it wants cannot be read.</exception>
    public static IReadOnlyList<GroupSubscriber> Subscribers(JoinResult joined)
    {
        ArgumentNullException.ThrowIfNull(joined);
        return [.. Core.AssignorModule.subscribers(joined.Response.Members).ValueOrThrow().Select(GroupSubscriber.Of)];
    }

    /// <summary>The topics that any of the members wants: those whose number of partitions the leader must know.</summary>
    /// <param name="members">The members.</param>
    /// <returns>The topics, in the order of their names.</returns>
    public static IReadOnlyList<string> TopicsOf(IEnumerable<GroupSubscriber> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        return Core.AssignorModule.topicsOf(ToCore(members));
    }

    /// <summary>The number of partitions of each topic, for sharing them out. Topics with an error have none.</summary>
    /// <param name="metadata">What any broker tells of the topics: see <see cref="KafkaConnection.GetMetadata"/>.</param>
    /// <returns>The numbers by topic.</returns>
    public static IReadOnlyDictionary<string, int> PartitionCounts(ClusterMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return Core.AssignorModule.partitionCounts(metadata.Core.Topics);
    }

    /// <summary>
    /// What the leader of a group hands out: the division by the assignor that the group agreed on, which must be among those given.
    /// </summary>
    /// <param name="assignors">The leader's assignors.</param>
    /// <param name="partitionCounts">The number of partitions of each topic.</param>
    /// <param name="joined">The answer to the leader's join.</param>
    /// <returns>For <see cref="GroupClient.Sync"/>.</returns>
    /// <exception cref="KafkaException">
    /// The group agreed on another assignor (<see cref="KafkaFaultKind.UnknownAssignor"/>), or what a member says it wants cannot be read.
    /// </exception>
    public static IReadOnlyList<MemberAssignment> Assignments(
        IEnumerable<PartitionAssignor> assignors,
        IReadOnlyDictionary<string, int> partitionCounts,
        JoinResult joined
    )
    {
        ArgumentNullException.ThrowIfNull(partitionCounts);
        ArgumentNullException.ThrowIfNull(joined);
        var parts = Core.AssignorModule.assignments(ToCore(assignors), Interop.ToFSharpMap(partitionCounts), joined.Response);
        return [.. parts.ValueOrThrow().Select(part => new MemberAssignment(part.MemberId, part.Assignment.Memory))];
    }

    /// <summary>Shares out partitions.</summary>
    /// <param name="partitionCounts">The number of partitions of each topic. Topics that are not in it have none.</param>
    /// <param name="members">The members.</param>
    /// <returns>What each member is to have, by its id. Every member is in it.</returns>
    public IReadOnlyDictionary<string, IReadOnlyList<TopicPartition>> Assign(
        IReadOnlyDictionary<string, int> partitionCounts,
        IEnumerable<GroupSubscriber> members
    )
    {
        ArgumentNullException.ThrowIfNull(partitionCounts);
        ArgumentNullException.ThrowIfNull(members);
        return _core
            .Assign.Invoke(Interop.ToFSharpMap(partitionCounts))
            .Invoke(ToCore(members))
            .ToDictionary(part => part.Key, part => Interop.Spread(part.Value));
    }

    /// <summary>The <see cref="Name"/>.</summary>
    /// <returns>The name.</returns>
    public override string ToString() => Name;

    private static FSharpList<Core.Assignor> ToCore(IEnumerable<PartitionAssignor> assignors)
    {
        ArgumentNullException.ThrowIfNull(assignors);
        return assignors.Select(assignor => assignor._core).ToFSharpList();
    }

    private static FSharpList<Core.Subscriber> ToCore(IEnumerable<GroupSubscriber> members) =>
        members.Select(member => member.ToCore()).ToFSharpList();
}
