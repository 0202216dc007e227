using System;
using System.Threading;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>
/// Reads record batches of one partition, each time with one call on a connection to the partition's leader. It reads at
/// <see cref="Offset"/>, which only the caller moves: fetching twice gives the same records twice. It is not for use by several threads
/// at a time.
/// </summary>
/// <remarks>
/// <code>
/// var fetched = fetcher.Fetch().ThrowIfError();
/// foreach (var item in fetched.Batches)
///     foreach (ref readonly var record in item.Records())
///         if (record.Offset >= fetched.Offset)
///             Use(record.Key, record.Value);
/// fetcher.Offset = fetched.NextOffset;
/// </code>
/// </remarks>
public sealed class PartitionFetcher : IDisposable
{
    private readonly LibKafka.Client.PartitionFetcher _core;
    private readonly bool _ownsClient;

    /// <summary>A fetcher with a client of its own, which is disposed of with it. It stands at offset 0.</summary>
    /// <param name="options">Where the cluster is, and how to connect.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="fetcherOptions">How much to ask for; null for up to 4 MiB, waiting half a second for the first byte.</param>
    public PartitionFetcher(KafkaClientOptions options, TopicPartition partition, FetcherOptions? fetcherOptions = null)
        : this(new PartitionClient(options, partition), fetcherOptions ?? new FetcherOptions())
    {
        _ownsClient = true;
    }

    /// <summary>A fetcher that uses a client of the caller's, and leaves it open when it is disposed of. It stands at offset 0.</summary>
    /// <param name="client">The client.</param>
    public PartitionFetcher(PartitionClient client)
        : this(client, new FetcherOptions()) { }

    /// <summary>A fetcher that uses a client of the caller's, and leaves it open when it is disposed of. It stands at offset 0.</summary>
    /// <param name="client">The client.</param>
    /// <param name="options">How much to ask for.</param>
    public PartitionFetcher(PartitionClient client, FetcherOptions options)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        Client = client;
        Options = options;
        _core = new(client.Inner, options.ToSettings(), 0);
    }

    /// <summary>The client that it calls through.</summary>
    public PartitionClient Client { get; }

    /// <summary>The options that it was made with.</summary>
    public FetcherOptions Options { get; }

    /// <summary>
    /// The offset of the first record that the next fetch asks for. Fetching does not move it; <see cref="FetchResult.NextOffset"/>
    /// says where to go on.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public long Offset
    {
        get => _core.Offset;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _core.Offset = value;
        }
    }

    /// <summary>Looks for an offset by its place or by a timestamp, and moves <see cref="Offset"/> there where it is found.</summary>
    /// <param name="spec">What to look for, such as <c>OffsetSpec.Earliest</c>.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What was found. Faults and error codes are part of it: see <see cref="OffsetResult.ThrowIfError"/>.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public OffsetResult Seek(OffsetSpec spec, CancellationToken cancellationToken = default)
    {
        Client.Begin(cancellationToken);
        return new OffsetResult(_core.Seek(spec, Interop.Optional(cancellationToken), null), cancellationToken).ThrowIfCancelled();
    }

    /// <summary>
    /// Looks for the first record with a timestamp or a later one, and moves <see cref="Offset"/> there where there is one.
    /// </summary>
    /// <param name="timestamp">The timestamp; Kafka counts whole milliseconds.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What was found. Faults and error codes are part of it: see <see cref="OffsetResult.ThrowIfError"/>.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public OffsetResult SeekToTime(DateTimeOffset timestamp, CancellationToken cancellationToken = default) =>
        Seek(OffsetSpec.AtTimestamp(timestamp.ToUnixTimeMilliseconds()), cancellationToken);

    /// <summary>Looks for an offset by its place or by a timestamp, without moving <see cref="Offset"/>.</summary>
    /// <param name="spec">What to look for, such as <c>OffsetSpec.Latest</c>.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What was found. Faults and error codes are part of it: see <see cref="OffsetResult.ThrowIfError"/>.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public OffsetResult FindOffset(OffsetSpec spec, CancellationToken cancellationToken = default)
    {
        Client.Begin(cancellationToken);
        return new OffsetResult(_core.Find(spec, Interop.Optional(cancellationToken), null), cancellationToken).ThrowIfCancelled();
    }

    /// <summary>
    /// Reads what there is from <see cref="Offset"/> on. Where that is the end of the log, the broker waits for more as long as the
    /// options allow.
    /// </summary>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What was read. Faults and error codes are part of it: see <see cref="FetchResult.ThrowIfError"/>.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public FetchResult Fetch(CancellationToken cancellationToken = default)
    {
        Client.Begin(cancellationToken);
        return new FetchResult(_core.Fetch(Interop.Optional(cancellationToken), null, null), cancellationToken).ThrowIfCancelled();
    }

    /// <summary>Closes the connection for good, where the client is the fetcher's own.</summary>
    public void Dispose()
    {
        if (_ownsClient)
        {
            Client.Dispose();
        }
    }
}
