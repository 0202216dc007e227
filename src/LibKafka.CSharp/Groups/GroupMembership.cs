namespace LibKafka;

/// <summary>A member's identity in its group, by which the coordinator knows it.</summary>
/// <param name="MemberId">The id of the member.</param>
/// <param name="GenerationOrEpoch">
/// In a classic group the generation that the member joined; in a group of the new protocol the member's epoch (KIP-848).
/// </param>
/// <param name="GroupInstanceId">The instance id of a static member (KIP-345); null for a dynamic member.</param>
public sealed record GroupMembership(string MemberId, int GenerationOrEpoch, string? GroupInstanceId = null)
{
    /// <summary>For a client that is not a member. It may commit offsets while the group has no members.</summary>
    public static GroupMembership None { get; } = Of(Client.GroupMembershipModule.none);

    /// <summary>The id of the member.</summary>
    public string MemberId
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(MemberId);

    internal static GroupMembership Of(Client.GroupMembership core) =>
        new(core.MemberId, core.GenerationOrEpoch, core.GroupInstanceId.OrNull());

    internal Client.GroupMembership ToCore() => new(MemberId, GenerationOrEpoch, Interop.OptionOf(GroupInstanceId));
}
