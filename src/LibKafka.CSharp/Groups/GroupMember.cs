using System;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>A member of a classic group, as its leader receives it.</summary>
/// <param name="MemberId">The id of the member.</param>
/// <param name="GroupInstanceId">The instance id of a static member (KIP-345); null for a dynamic member.</param>
/// <param name="Metadata">What the member sent for the protocol that was chosen: for consumers a subscription.</param>
public sealed record GroupMember(string MemberId, string? GroupInstanceId, ReadOnlyMemory<byte> Metadata)
{
    /// <summary>The id of the member.</summary>
    public string MemberId
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(MemberId);

    internal static GroupMember Of(JoinGroup.Member core) => new(core.MemberId, core.GroupInstanceId.OrNull(), core.Metadata.Memory);
}

/// <summary>The assignment of one member, as the leader of a classic group sends it.</summary>
/// <param name="MemberId">The id of the member.</param>
/// <param name="Assignment">
/// For consumers an assignment that <see cref="ConsumerProtocol"/> writes. <see cref="PartitionAssignor.Assignments"/> makes those of all members.
/// </param>
public sealed record MemberAssignment(string MemberId, ReadOnlyMemory<byte> Assignment)
{
    /// <summary>The id of the member.</summary>
    public string MemberId
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(MemberId);

    internal SyncGroup.MemberAssignment ToCore() => new(MemberId, new(Assignment));
}

/// <summary>A member that leaves a classic group, by its id or its instance id.</summary>
/// <param name="MemberId">The id of the member; empty if the instance id names it.</param>
/// <param name="GroupInstanceId">The instance id of a static member (KIP-345); null for a dynamic member.</param>
/// <param name="Reason">Why the member leaves, for the broker's log (KIP-800); null for none.</param>
public sealed record LeavingMember(string MemberId, string? GroupInstanceId = null, string? Reason = null)
{
    /// <summary>The id of the member; empty if the instance id names it.</summary>
    public string MemberId
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(MemberId);

    /// <summary>The id or instance id.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => MemberId.Length > 0 ? $"member {MemberId}" : $"member {GroupInstanceId}";

    internal LeaveGroup.MemberRequest ToCore() => new(MemberId, Interop.OptionOf(GroupInstanceId), Interop.OptionOf(Reason));
}
