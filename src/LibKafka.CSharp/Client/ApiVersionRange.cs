using System;

namespace LibKafka;

/// <summary>The versions of an API that a broker supports.</summary>
/// <param name="Lowest">The lowest version.</param>
/// <param name="Highest">The highest version.</param>
public readonly record struct ApiVersionRange(short Lowest, short Highest)
{
    /// <summary>Whether the range contains a version.</summary>
    /// <param name="version">The version.</param>
    /// <returns>True from <see cref="Lowest"/> to <see cref="Highest"/>, both included.</returns>
    public bool Contains(short version) => version >= Lowest && version <= Highest;

    /// <summary>As in <c>4-12</c>.</summary>
    /// <returns>The lowest and the highest version with a hyphen between them.</returns>
    public override string ToString() => FormattableString.Invariant($"{Lowest}-{Highest}");
}
