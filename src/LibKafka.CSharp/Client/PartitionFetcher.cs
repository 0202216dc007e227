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
/// fetcher.Position = fetched.NextPosition;
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
    /// says where to go on. Setting it forgets the epoch of the record before, and with it whether the log has been cut off below: set
    /// <see cref="Position"/> where that is known.
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

    /// <summary>
    /// Where the next fetch begins, with the epoch of the record before. Fetching does not move it;
    /// <see cref="FetchResult.NextPosition"/> says where to go on.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Its offset is negative.</exception>
    public FetchPosition Position
    {
        get => FetchPosition.Of(_core.Position);
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value.Offset, nameof(value));
            _core.Position = value.ToCore();
        }
    }

    /// <summary>The id of the replica that the next fetch goes to; null for the leader. See <see cref="FetcherOptions.RackId"/>.</summary>
    public int? Replica => _core.Replica is { } replica ? replica.Value : null;

    /// <summary>Looks for an offset by its place or by a timestamp, and moves <see cref="Offset"/> there where it is found.</summary>
    /// <param name="spec">What to look for, such as <c>OffsetSpec.Earliest</c>.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What was found. Faults and error codes are part of it: see <see cref="OffsetResult.ThrowIfError"/>.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public OffsetResult Seek(OffsetSpec spec, CancellationToken cancellationToken = default) => Seek(spec, 1, cancellationToken);

    /// <summary>
    /// Looks for an offset and moves <see cref="Position"/> there, as one of several attempts at it: see
    /// <see cref="Seek(OffsetSpec, CancellationToken)"/>.
    /// </summary>
    /// <param name="spec">What to look for, such as <c>OffsetSpec.Earliest</c>.</param>
    /// <param name="attempt">The number of the attempt, from 1, for the exchange: <see cref="RetryPolicy{TResult}.Run"/> gives it.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What was found. Faults and error codes are part of it: see <see cref="OffsetResult.ThrowIfError"/>.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public OffsetResult Seek(OffsetSpec spec, int attempt, CancellationToken cancellationToken)
    {
        Client.Begin(cancellationToken);
        return new OffsetResult(_core.Seek(spec, Interop.Optional(cancellationToken), attempt), cancellationToken).ThrowIfCancelled();
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
    public OffsetResult FindOffset(OffsetSpec spec, CancellationToken cancellationToken = default) =>
        FindOffset(spec, 1, cancellationToken);

    /// <summary>
    /// Looks for an offset, as one of several attempts at it: see <see cref="FindOffset(OffsetSpec, CancellationToken)"/>.
    /// </summary>
    /// <param name="spec">What to look for, such as <c>OffsetSpec.Latest</c>.</param>
    /// <param name="attempt">The number of the attempt, from 1, for the exchange: <see cref="RetryPolicy{TResult}.Run"/> gives it.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What was found. Faults and error codes are part of it: see <see cref="OffsetResult.ThrowIfError"/>.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public OffsetResult FindOffset(OffsetSpec spec, int attempt, CancellationToken cancellationToken)
    {
        Client.Begin(cancellationToken);
        return new OffsetResult(_core.Find(spec, Interop.Optional(cancellationToken), attempt), cancellationToken).ThrowIfCancelled();
    }

    /// <summary>
    /// Asks the leader whether the log still has what was read up to <see cref="Position"/>, which it knows by the epoch there: what a
    /// fetch finds out by itself from version 12 on.
    /// </summary>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What was found. Faults and error codes are part of it: see <see cref="TruncationResult.ThrowIfError"/>.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public TruncationResult CheckTruncation(CancellationToken cancellationToken = default)
    {
        Client.Begin(cancellationToken);
        return new TruncationResult(_core.CheckTruncation(Interop.Optional(cancellationToken), null), cancellationToken).ThrowIfCancelled();
    }

    /// <summary>
    /// Reads what there is from <see cref="Offset"/> on. Where that is the end of the log, the broker waits for more as long as the
    /// options allow.
    /// </summary>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What was read. Faults and error codes are part of it: see <see cref="FetchResult.ThrowIfError"/>.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public FetchResult Fetch(CancellationToken cancellationToken = default) => Fetch(1, cancellationToken);

    /// <summary>
    /// Reads what there is from <see cref="Position"/> on, as one of several attempts at it: see <see cref="Fetch(CancellationToken)"/>.
    /// </summary>
    /// <param name="attempt">The number of the attempt, from 1, for the exchange: <see cref="RetryPolicy{TResult}.Run"/> gives it.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What was read. Faults and error codes are part of it: see <see cref="FetchResult.ThrowIfError"/>.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public FetchResult Fetch(int attempt, CancellationToken cancellationToken) => Fetch(attempt, null, cancellationToken);

    /// <summary>
    /// Reads what there is from <see cref="Position"/> on into memory that the caller keeps, so that no memory is taken for the answer: see
    /// <see cref="Fetch(CancellationToken)"/>. The result's batches are good until the memory is used for the next call.
    /// </summary>
    /// <param name="attempt">The number of the attempt, from 1, for the exchange: <see cref="RetryPolicy{TResult}.Run"/> gives it.</param>
    /// <param name="memory">The memory; null for memory of the result's own.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What was read. Faults and error codes are part of it: see <see cref="FetchResult.ThrowIfError"/>.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public FetchResult Fetch(int attempt, LibKafka.Client.ReceiveBuffer? memory, CancellationToken cancellationToken)
    {
        Client.Begin(cancellationToken);
        var fetched = _core.Fetch(Interop.Optional(cancellationToken), attempt, Interop.OptionOf(memory));
        return new FetchResult(fetched, cancellationToken).ThrowIfCancelled();
    }

    /// <summary>
    /// Closes the connection to a replica, where there is one, and the client's for good where the client is the fetcher's own.
    /// </summary>
    public void Dispose()
    {
        ((IDisposable)_core).Dispose();
        if (_ownsClient)
        {
            Client.Dispose();
        }
    }
}
