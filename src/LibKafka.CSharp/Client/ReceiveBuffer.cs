namespace LibKafka;

/// <summary>
/// Memory for answers, one after the other: see <see cref="CallOptions.Memory"/>. It grows to the size of the largest answer and is used again,
/// so that no memory is allocated for each answer. It is for one call at a time.
/// </summary>
public sealed class ReceiveBuffer
{
    /// <summary>The size of the largest answer that fits without growing, in bytes.</summary>
    public int Capacity => Core.Capacity;

    internal Client.ReceiveBuffer Core { get; } = new();
}
