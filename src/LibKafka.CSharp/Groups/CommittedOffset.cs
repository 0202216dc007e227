namespace LibKafka;

/// <summary>A group's committed offset in a partition.</summary>
/// <param name="Offset">The offset of the next record to process: that of the last processed record plus one.</param>
/// <param name="LeaderEpoch">
/// The leader epoch of the last processed record, to detect log truncation later (KIP-320); -1 if it is not known.
/// </param>
/// <param name="Metadata">A text that is stored with the offset.</param>
public readonly record struct CommittedOffset(long Offset, int LeaderEpoch = -1, string Metadata = "")
{
    /// <summary>A text that is stored with the offset.</summary>
    public string Metadata
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Metadata);

    internal static CommittedOffset Of(Client.CommittedOffset core) => new(core.Offset, core.LeaderEpoch, core.Metadata);

    internal Client.CommittedOffset ToCore() => new(Offset, LeaderEpoch, Metadata ?? "");
}
