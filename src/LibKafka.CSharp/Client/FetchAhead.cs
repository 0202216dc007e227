using System;
using System.Threading;

namespace LibKafka;

/// <summary>
/// Reads a partition in order, with the next fetch on its way while the caller handles the one before. Two receive buffers take turns, so in a
/// steady state no memory is allocated for answers. It uses a fetcher, and moves that fetcher's position.
/// <para>
/// The next fetch is sent only after a fetch without a fault and an error code, all of whose bytes can be read. After any other
/// nothing is on its way and the position is unchanged: the caller decides what follows, moves the fetcher if necessary, and continues with
/// <c>Next</c>, which fetches from there. So <c>Next</c> can be repeated by a <see cref="RetryPolicy{TResult}"/>. It is not thread-safe.
/// </para>
/// </summary>
public sealed class FetchAhead : IDisposable
{
    private readonly LibKafka.Client.FetchAhead _core;

    /// <summary>Reads from the position of a fetcher on, which is not disposed of.</summary>
    /// <param name="fetcher">The fetcher. While a fetch is on its way, only its position may be set: see <see cref="Settle"/>.</param>
    public FetchAhead(PartitionFetcher fetcher)
    {
        Fetcher = Interop.Required(fetcher);
        _core = new(fetcher.Core);
    }

    /// <summary>The fetcher.</summary>
    public PartitionFetcher Fetcher { get; }

    /// <summary>Whether a fetch is on its way.</summary>
    public bool IsAhead => _core.IsAhead;

    /// <summary>
    /// The fetch that is on its way, to wait for it with others; null if none is. Completing it here leaves its result to <c>Next</c>.
    /// </summary>
    public PendingCall? Pending => _core.Pending.OrNull();

    /// <summary>
    /// Waits for the fetch that is on its way, or makes one, and sends the next before it returns. The records and batches of the result refer
    /// to one of the two buffers: they are valid until the second call of <c>Next</c> from now. Where to continue after it is
    /// <see cref="FetchResult.Next"/>, and the fetcher is there already if all of its bytes can be read.
    /// </summary>
    /// <param name="cancellationToken">Cancels the fetches that it sends.</param>
    /// <returns>The result of the fetch.</returns>
    public FetchResult Next(CancellationToken cancellationToken = default) => Next(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Next(CancellationToken)"/>
    /// <param name="callOptions">The options of the fetches that it sends, whose memory is not used. The one on its way has those of the call before.</param>
    public FetchResult Next(CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(callOptions);
        Fetcher.Client.Begin(callOptions);
        return new(_core.Next(callOptions.ToCore()), callOptions);
    }

    /// <summary>
    /// Waits for the fetch that is on its way, if there is one, and drops it, so that the fetcher and its client can be used for other calls.
    /// <c>Next</c> continues at the fetcher's position.
    /// </summary>
    public void Settle() => _core.Settle();

    /// <summary>Abandons the fetch that is on its way, which closes its connection. The fetcher is not disposed of.</summary>
    public void Dispose() => ((IDisposable)_core).Dispose();
}
