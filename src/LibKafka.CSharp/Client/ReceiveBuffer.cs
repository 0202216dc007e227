namespace LibKafka;

/// <summary>
/// Memory for responses, one after another: see <see cref="CallOptions.Memory"/>. It grows to the size of the largest response and is then reused, so
/// no memory is allocated per response. Reading the batches and records of a response after the next one was read into the same memory throws an
/// <see cref="System.InvalidOperationException"/>. Use it for one call at a time.
/// </summary>
public sealed class ReceiveBuffer
{
    /// <summary>The largest response that fits without more memory, in bytes.</summary>
    public int Capacity => Core.Capacity;

    internal Client.ReceiveBuffer Core { get; } = new();
}
