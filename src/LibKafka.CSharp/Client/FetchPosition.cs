using System.Collections.Generic;
using System.Linq;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>Where a reader stands in a partition.</summary>
/// <param name="Offset">The offset of the next record.</param>
/// <param name="LastEpoch">
/// The leader epoch of the record before it, by which a broker sees whether the log has since been cut off below it (KIP-320); -1 where it
/// is not known, and then nobody looks.
/// </param>
public readonly record struct FetchPosition(long Offset, int LastEpoch = -1)
{
    /// <summary>As in <c>offset 42 behind epoch 3</c>.</summary>
    /// <returns>One line for people.</returns>
    public override string ToString() => ToCore().ToString();

    internal static FetchPosition Of(Core.FetchPosition core) => new(core.Offset, core.LastEpoch);

    internal Core.FetchPosition ToCore() => new(Offset, LastEpoch);
}

/// <summary>What going on after a fetch means.</summary>
public enum FetchAdvanceKind
{
    /// <summary>Everything came whole.</summary>
    Onward,

    /// <summary>Some of what came is no readable batch, and to go on is to give it up.</summary>
    Damaged,

    /// <summary>An election has cut off records that were read: the log parts from them at the position.</summary>
    Truncated,
}

/// <summary>Where to go on after a fetch.</summary>
public sealed class FetchAdvance
{
    private readonly Core.Advance _core;

    internal FetchAdvance(Core.Advance core)
    {
        _core = core;
        switch (core)
        {
            case Core.Advance.To to:
                Position = FetchPosition.Of(to.Item);
                break;
            case Core.Advance.Damaged damaged:
                Kind = FetchAdvanceKind.Damaged;
                Position = damaged.next is { } next ? FetchPosition.Of(next.Value) : null;
                Corrupt = [.. damaged.stretches.Select(stretch => new CorruptRecordBatch(stretch))];
                break;
            case Core.Advance.Truncated truncated:
                Kind = FetchAdvanceKind.Truncated;
                Position = FetchPosition.Of(truncated.Item);
                break;
        }
    }

    /// <summary>What going on means.</summary>
    public FetchAdvanceKind Kind { get; }

    /// <summary>
    /// Where to go on. Behind the last batch that came whole, or the same position where nothing came; where the log was cut off, where it
    /// parts from what was read; null where a damaged stretch has no end that could be told: fetching again from the same position would
    /// bring the same.
    /// </summary>
    public FetchPosition? Position { get; }

    /// <summary>What cannot be read and would be given up; empty unless it is <see cref="FetchAdvanceKind.Damaged"/>.</summary>
    public IReadOnlyList<CorruptRecordBatch> Corrupt { get; } = [];

    /// <summary>What going on means, and where.</summary>
    /// <returns>One line for people.</returns>
    public override string ToString() => _core.ToString();
}
