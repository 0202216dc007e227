using System.Collections.Generic;
using System.Linq;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>A position in a partition, from which to read on.</summary>
/// <param name="Offset">The offset of the next record.</param>
/// <param name="LastEpoch">
/// The leader epoch of the record before it, from which the broker detects log truncation (KIP-320); -1 if it is not known: then truncation is
/// not detected.
/// </param>
public readonly record struct FetchPosition(long Offset, int LastEpoch = -1)
{
    /// <summary>The offset, and the epoch if it is known.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => ToCore().ToString();

    internal static FetchPosition Of(Core.FetchPosition core) => new(core.Offset, core.LastEpoch);

    internal Core.FetchPosition ToCore() => new(Offset, LastEpoch);
}

/// <summary>What continuing after a fetch means.</summary>
public enum FetchAdvanceKind
{
    /// <summary>Everything that was fetched can be read.</summary>
    Onward,

    /// <summary>Some bytes cannot be read as a batch. To continue is to give them up.</summary>
    Damaged,

    /// <summary>The log has been truncated: records that were read are gone from the position on.</summary>
    Truncated,

    /// <summary>
    /// The next batch is larger than <see cref="FetcherOptions.MaxBytes"/>, and only its beginning was received: raise the limit. Only brokers
    /// that speak no version of Fetch above 2 do not send the first batch whole.
    /// </summary>
    TooLarge,
}

/// <summary>Where to continue after a fetch.</summary>
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
                Fault = Corrupt[0].Fault;
                break;
            case Core.Advance.TooLarge tooLarge:
                Kind = FetchAdvanceKind.TooLarge;
                Fault = KafkaFault.Of(tooLarge.Item, "the next batch");
                break;
            case Core.Advance.Truncated truncated:
                Kind = FetchAdvanceKind.Truncated;
                Position = FetchPosition.Of(truncated.Item);
                break;
        }
    }

    /// <summary>What continuing means.</summary>
    public FetchAdvanceKind Kind { get; }

    /// <summary>
    /// Where to continue: after the last whole batch, at the same position if nothing was fetched, or at the place where the log was truncated.
    /// Null if the end of the unreadable bytes is not known, or the next batch is too large: fetching from the same position would return the
    /// same bytes again.
    /// </summary>
    public FetchPosition? Position { get; }

    /// <summary>The bytes that cannot be read; empty unless <see cref="Kind"/> is <see cref="FetchAdvanceKind.Damaged"/>.</summary>
    public IReadOnlyList<CorruptRecordBatch> Corrupt { get; } = [];

    /// <summary>What is wrong with what was received, for the first bytes that cannot be read; null if nothing is.</summary>
    public KafkaFault? Fault { get; }

    /// <summary>What continuing means, and where.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();
}
