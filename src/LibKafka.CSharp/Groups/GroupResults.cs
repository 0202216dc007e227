using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>What came of joining a classic group.</summary>
public sealed class JoinResult
{
    internal JoinResult(Core.Joined joined, JoinGroup.Response response, ExchangeInfo exchange)
    {
        Response = response;
        Exchange = exchange;
        Membership = joined.Membership is { } membership ? GroupMembership.Of(membership.Value) : null;
        IsLeader = joined.IsLeader;
        FirstRound = joined.FirstRound is { } first ? new(first.Value.Info) : null;
    }

    /// <summary>
    /// What went wrong, such as UNKNOWN_MEMBER_ID when to begin anew; <c>ErrorCode.None</c> where the member has joined.
    /// </summary>
    public ErrorCode Error => Response.Error;

    /// <summary>The member's place in the group; null where it has not joined.</summary>
    public GroupMembership? Membership { get; }

    /// <summary>Whether the member has joined and is to share out the work.</summary>
    public bool IsLeader { get; }

    /// <summary>The id of the member that shares out the work.</summary>
    public string LeaderId => Response.Leader;

    /// <summary>The protocol that the group has chosen; null where it is not told.</summary>
    public string? ProtocolName => Response.ProtocolName.OrNull();

    /// <summary>Whether the leader need not share out the work again (KIP-814).</summary>
    public bool SkipAssignment => Response.SkipAssignment;

    /// <summary>All members, for the leader; empty for the others.</summary>
    public IReadOnlyList<GroupMember> Members => [.. Response.Members.Select(GroupMember.Of)];

    /// <summary>How long the client is asked to pause because it exceeded a quota; zero where it did not.</summary>
    public TimeSpan ThrottleTime => Exchange.ThrottleTime;

    /// <summary>The call: the only round, or the second of two.</summary>
    public ExchangeInfo Exchange { get; }

    /// <summary>The round in which a new member was told its id (KIP-394); null where there was none.</summary>
    public ExchangeInfo? FirstRound { get; }

    internal JoinGroup.Response Response { get; }

    /// <summary>Throws where the member has not joined.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">It has not, for the reason in <see cref="KafkaException.ErrorCode"/>.</exception>
    public JoinResult ThrowIfError()
    {
        Interop.ThrowIfError(Error, null, Exchange);
        return this;
    }
}

/// <summary>A member of a classic group, as its leader is shown it.</summary>
/// <param name="MemberId">The id of the member.</param>
/// <param name="GroupInstanceId">The name of a static member (KIP-345); null for a dynamic one.</param>
/// <param name="Metadata">What the member sent with the protocol that was chosen: for consumers a subscription.</param>
public sealed record GroupMember(string MemberId, string? GroupInstanceId, ReadOnlyMemory<byte> Metadata)
{
    internal static GroupMember Of(JoinGroup.Member core) => new(core.MemberId, core.GroupInstanceId.OrNull(), core.Metadata.Memory);
}

/// <summary>The work of one member, as the leader of a classic group hands it out.</summary>
/// <param name="MemberId">The id of the member.</param>
/// <param name="Assignment">
/// The work: for consumers an assignment, which <see cref="ConsumerProtocol"/> writes. For all members at once,
/// <see cref="PartitionAssignor.Assignments"/> makes them.
/// </param>
public sealed record MemberAssignment(string MemberId, ReadOnlyMemory<byte> Assignment)
{
    internal SyncGroup.MemberAssignment ToCore() => new(MemberId, new(Assignment));
}

/// <summary>A member's part of the work.</summary>
public sealed class SyncResult
{
    private readonly SyncGroup.Response _response;

    internal SyncResult(SyncGroup.Response response, ExchangeInfo exchange)
    {
        _response = response;
        Exchange = exchange;
    }

    /// <summary>
    /// What went wrong, such as REBALANCE_IN_PROGRESS when to join again; <c>ErrorCode.None</c> where all is well.
    /// </summary>
    public ErrorCode Error => _response.Error;

    /// <summary>The member's part, as the leader wrote it; empty where the leader gave it none.</summary>
    public ReadOnlyMemory<byte> Assignment => _response.Assignment.Memory;

    /// <summary>The protocol that the group has chosen; null where it is not told.</summary>
    public string? ProtocolName => _response.ProtocolName.OrNull();

    /// <summary>How long the client is asked to pause because it exceeded a quota; zero where it did not.</summary>
    public TimeSpan ThrottleTime => Exchange.ThrottleTime;

    /// <summary>The call.</summary>
    public ExchangeInfo Exchange { get; }

    /// <summary>The part of a consumer.</summary>
    /// <returns>Its partitions, and what the assignor adds.</returns>
    /// <exception cref="KafkaException">The bytes are no assignment.</exception>
    public ConsumerAssignment GetAssignment() => ConsumerProtocol.DecodeAssignment(Assignment);

    /// <summary>Throws where there is an error.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is one: <see cref="KafkaException.ErrorCode"/> has it.</exception>
    public SyncResult ThrowIfError()
    {
        Interop.ThrowIfError(Error, null, Exchange);
        return this;
    }
}

/// <summary>A member that is to leave a classic group.</summary>
/// <param name="MemberId">The id of the member; may be empty where the other parameter names it.</param>
/// <param name="GroupInstanceId">The name of a static member (KIP-345); null for a dynamic one.</param>
/// <param name="Reason">Why it leaves, for the broker's log (KIP-800); null where that is not told.</param>
public sealed record LeavingMember(string MemberId, string? GroupInstanceId = null, string? Reason = null)
{
    internal LeaveGroup.MemberRequest ToCore() => new(MemberId, Interop.OptionOf(GroupInstanceId), Interop.OptionOf(Reason));
}

/// <summary>What became of one member that was to leave.</summary>
/// <param name="MemberId">The id of the member.</param>
/// <param name="GroupInstanceId">The name of a static member; null for a dynamic one.</param>
/// <param name="Error">What went wrong, such as UNKNOWN_MEMBER_ID; <c>ErrorCode.None</c> where it has left.</param>
public readonly record struct LeftMember(string MemberId, string? GroupInstanceId, ErrorCode Error);

/// <summary>What became of the members that were to leave a classic group.</summary>
public sealed class LeaveResult
{
    internal LeaveResult(IEnumerable<LeaveGroup.MemberResponse> members, IReadOnlyList<ExchangeInfo> exchanges)
    {
        Members = [.. members.Select(member => new LeftMember(member.MemberId, member.GroupInstanceId.OrNull(), member.Error))];
        Exchanges = exchanges;
    }

    /// <summary>One for each member, in the order given. The code tells also what concerned the request as a whole.</summary>
    public IReadOnlyList<LeftMember> Members { get; }

    /// <summary>The calls: brokers before Kafka 2.4 take one member in each.</summary>
    public IReadOnlyList<ExchangeInfo> Exchanges { get; }

    /// <summary>Throws where one of the members has an error. The others may have left all the same.</summary>
    /// <returns>The result itself.</returns>
    /// <exception cref="KafkaException">There is an error: <see cref="KafkaException.ErrorCode"/> has the first one.</exception>
    public LeaveResult ThrowIfError()
    {
        foreach (var member in Members)
        {
            Interop.ThrowIfError(member.Error, null, Exchanges[^1], $"member {member.MemberId}");
        }

        return this;
    }
}
