namespace LibKafka;

/// <summary>A member's place in its group, with which it is known to the coordinator.</summary>
/// <param name="MemberId">The id of the member.</param>
/// <param name="GenerationOrEpoch">
/// In a classic group the generation that the member joined, in a group of the new protocol the member's epoch (KIP-848).
/// </param>
/// <param name="GroupInstanceId">The name of a static member (KIP-345); null for a dynamic one.</param>
public sealed record GroupMembership(string MemberId, int GenerationOrEpoch, string? GroupInstanceId = null)
{
    /// <summary>That of a client which is not a member. It may commit offsets while the group has no members.</summary>
    public static GroupMembership None { get; } = Of(Client.GroupMembershipModule.none);

    internal static GroupMembership Of(Client.GroupMembership core) =>
        new(core.MemberId, core.GenerationOrEpoch, core.GroupInstanceId.OrNull());

    internal Client.GroupMembership ToCore() => new(MemberId, GenerationOrEpoch, Interop.OptionOf(GroupInstanceId));
}
