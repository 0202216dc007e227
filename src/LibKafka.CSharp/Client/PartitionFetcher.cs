using System;
using System.Threading;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>
/// Fetches record batches of one partition, each time with one call to the partition's leader, or to a closer replica. It fetches from
/// <see cref="Position"/>, which only the caller moves: fetching twice returns the same records twice. It is not thread-safe.
/// </summary>
/// <remarks>
/// <code>
/// var fetched = fetcher.Fetch().ThrowIfError();
/// foreach (ref readonly var record in fetched.Records())
///     Use(record.Key, record.Value);
/// fetcher.Position = fetched.NextPosition;
/// </code>
/// </remarks>
public sealed class PartitionFetcher : IDisposable
{
    private readonly LibKafka.Client.PartitionFetcher _core;
    private readonly bool _ownsClient;

    /// <summary>A fetcher with a client of its own, which is disposed of with the fetcher. It begins at offset 0.</summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="fetcherOptions">The options of the fetcher; null for up to 4 MiB, waiting up to half a second for the first byte.</param>
    /// <exception cref="ArgumentException">
    /// The partition has no topic or a negative number, or <see cref="FetcherOptions.MaxWait"/> is not shorter than
    /// <see cref="KafkaClientOptions.CallTimeout"/>.
    /// </exception>
    public PartitionFetcher(KafkaClientOptions options, TopicPartition partition, FetcherOptions? fetcherOptions = null)
        : this(new PartitionClient(options, partition), fetcherOptions ?? new FetcherOptions(), nameof(fetcherOptions))
    {
        _ownsClient = true;
    }

    /// <summary>A fetcher that uses the caller's client, which it does not dispose of. It begins at offset 0.</summary>
    /// <param name="client">The client.</param>
    public PartitionFetcher(PartitionClient client)
        : this(client, new FetcherOptions(), nameof(client)) { }

    /// <summary>A fetcher that uses the caller's client, which it does not dispose of. It begins at offset 0.</summary>
    /// <param name="client">The client.</param>
    /// <param name="options">The options of the fetcher.</param>
    /// <exception cref="ArgumentException">
    /// <see cref="FetcherOptions.MaxWait"/> is not shorter than <see cref="KafkaClientOptions.CallTimeout"/>.
    /// </exception>
    public PartitionFetcher(PartitionClient client, FetcherOptions options)
        : this(client, options, nameof(options)) { }

    private PartitionFetcher(PartitionClient client, FetcherOptions options, string parameter)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(options);
        Client = client;
        Options = options;
        _core = new(
            client.Inner,
            Interop.Checked(LibKafka.Client.FetcherSettingsModule.check(client.Inner.Settings, options.ToSettings()), parameter),
            0
        );
    }

    /// <summary>The client.</summary>
    public PartitionClient Client { get; }

    /// <summary>The options of the fetcher.</summary>
    public FetcherOptions Options { get; }

    /// <summary>
    /// The offset of the first record to fetch. Fetching does not move it; <see cref="FetchResult.NextOffset"/> says where to continue. Setting
    /// it discards the epoch of the record before, without which log truncation is not detected: set <see cref="Position"/> if the epoch is
    /// known.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public long Offset
    {
        get => _core.Offset;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(Offset));
            _core.Offset = value;
        }
    }

    /// <summary>
    /// Where the next fetch begins. Fetching does not move it; <see cref="FetchResult.NextPosition"/> says where to continue.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Its offset is negative.</exception>
    public FetchPosition Position
    {
        get => FetchPosition.Of(_core.Position);
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value.Offset, nameof(Position));
            _core.Position = value.ToCore();
        }
    }

    /// <summary>The id of the replica that the next fetch goes to; null for the leader. See <see cref="FetcherOptions.RackId"/>.</summary>
    public int? Replica => _core.Replica is { } replica ? replica.Value : null;

    /// <summary>Finds an offset and moves <see cref="Position"/> there.</summary>
    /// <param name="spec">What to find, such as <c>OffsetSpec.Earliest</c>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>
    /// The offset, or the fault: <see cref="KafkaFaultKind.NoSuchOffset"/> if there is none. Then the position stays.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public OffsetResult Seek(OffsetSpec spec, CancellationToken cancellationToken = default) =>
        Seek(spec, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Seek(OffsetSpec, CancellationToken)"/>
    /// <param name="spec">What to find, such as <c>OffsetSpec.Earliest</c>.</param>
    /// <param name="callOptions">The options of the call.</param>
    public OffsetResult Seek(OffsetSpec spec, CallOptions callOptions)
    {
        Client.Begin(callOptions);
        return new(_core.Seek(spec, callOptions.ToCore()), callOptions);
    }

    /// <summary>
    /// Finds the first record whose timestamp is this one or later, and moves <see cref="Position"/> there.
    /// </summary>
    /// <param name="timestamp">The timestamp, which is truncated to milliseconds.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>
    /// The offset, or the fault: <see cref="KafkaFaultKind.NoSuchOffset"/> if no record is that late. Then the position stays; to continue at the
    /// end, seek <c>OffsetSpec.Latest</c>.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">The timestamp is before 1970.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public OffsetResult SeekToTime(DateTimeOffset timestamp, CancellationToken cancellationToken = default) =>
        SeekToTime(timestamp, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="SeekToTime(DateTimeOffset, CancellationToken)"/>
    /// <param name="timestamp">The timestamp, which is truncated to milliseconds.</param>
    /// <param name="callOptions">The options of the call.</param>
    public OffsetResult SeekToTime(DateTimeOffset timestamp, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(callOptions);
        return timestamp >= DateTimeOffset.UnixEpoch
            ? Seek(OffsetSpec.AtTimestamp(timestamp.ToUnixTimeMilliseconds()), callOptions)
            : throw new ArgumentOutOfRangeException(nameof(timestamp), timestamp, "The timestamp must not be before 1970.");
    }

    /// <summary>Finds an offset, without moving <see cref="Position"/>.</summary>
    /// <param name="spec">What to find, such as <c>OffsetSpec.Latest</c>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The offset; null if there is none, such as if no record is that late.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public OffsetResult FindOffset(OffsetSpec spec, CancellationToken cancellationToken = default) =>
        FindOffset(spec, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="FindOffset(OffsetSpec, CancellationToken)"/>
    /// <param name="spec">What to find, such as <c>OffsetSpec.Latest</c>.</param>
    /// <param name="callOptions">The options of the call.</param>
    public OffsetResult FindOffset(OffsetSpec spec, CallOptions callOptions)
    {
        Client.Begin(callOptions);
        return new(_core.FindOffset(spec, callOptions.ToCore()), callOptions);
    }

    /// <summary>
    /// Asks the leader whether the log still has what was read up to <see cref="Position"/>, which it tells from the epoch there. From version 12
    /// on, a fetch detects this by itself.
    /// </summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Whether the log was truncated, and where.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public TruncationResult CheckTruncation(CancellationToken cancellationToken = default) =>
        CheckTruncation(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="CheckTruncation(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public TruncationResult CheckTruncation(CallOptions callOptions)
    {
        Client.Begin(callOptions);
        return new(_core.CheckTruncation(callOptions.ToCore()), callOptions);
    }

    /// <summary>
    /// Fetches batches from <see cref="Position"/> on. At the end of the log, the broker waits for more as long as the options allow.
    /// </summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The batches, and where to continue.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public FetchResult Fetch(CancellationToken cancellationToken = default) => Fetch(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Fetch(CancellationToken)"/>
    /// <param name="callOptions">
    /// The options of the call. With <see cref="CallOptions.Memory"/>, the batches are valid until the next call with the same memory.
    /// </param>
    public FetchResult Fetch(CallOptions callOptions)
    {
        Client.Begin(callOptions);
        return new(_core.Fetch(callOptions.ToCore()), callOptions);
    }

    /// <summary>Begins to read as <c>Fetch</c> does, from <see cref="Position"/> as it is now. <see cref="Position"/> may be set meanwhile, for the next fetch. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<FetchResult> Begin(CancellationToken cancellationToken = default) => Begin(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Begin(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public PendingCall<FetchResult> Begin(CallOptions callOptions)
    {
        Client.Begin(callOptions);
        return _core.Begin(callOptions.ToCore()).Map(reply => new FetchResult(reply, callOptions));
    }

    /// <summary>Begins to find an offset as <c>Seek</c> does. <see cref="Position"/> is moved when the call is completed. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="spec">See <c>Seek</c>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<OffsetResult> BeginSeek(OffsetSpec spec, CancellationToken cancellationToken = default) =>
        BeginSeek(spec, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="BeginSeek(OffsetSpec, CancellationToken)"/>
    /// <param name="spec">See <c>Seek</c>.</param>
    /// <param name="callOptions">The options of the call.</param>
    public PendingCall<OffsetResult> BeginSeek(OffsetSpec spec, CallOptions callOptions)
    {
        Client.Begin(callOptions);
        return _core.BeginSeek(spec, callOptions.ToCore()).Map(reply => new OffsetResult(reply, callOptions));
    }

    /// <summary>Begins to find an offset as <c>FindOffset</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="spec">See <c>FindOffset</c>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<OffsetResult> BeginFindOffset(OffsetSpec spec, CancellationToken cancellationToken = default) =>
        BeginFindOffset(spec, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="BeginFindOffset(OffsetSpec, CancellationToken)"/>
    /// <param name="spec">See <c>FindOffset</c>.</param>
    /// <param name="callOptions">The options of the call.</param>
    public PendingCall<OffsetResult> BeginFindOffset(OffsetSpec spec, CallOptions callOptions)
    {
        Client.Begin(callOptions);
        return _core.BeginFindOffset(spec, callOptions.ToCore()).Map(reply => new OffsetResult(reply, callOptions));
    }

    /// <summary>Begins to ask the leader as <c>CheckTruncation</c> does. The answer is received by <see cref="PendingCall{TReply}.Complete"/>.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The call, which must be completed or abandoned before the client makes another one.</returns>
    public PendingCall<TruncationResult> BeginCheckTruncation(CancellationToken cancellationToken = default) =>
        BeginCheckTruncation(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="BeginCheckTruncation(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public PendingCall<TruncationResult> BeginCheckTruncation(CallOptions callOptions)
    {
        Client.Begin(callOptions);
        return _core.BeginCheckTruncation(callOptions.ToCore()).Map(reply => new TruncationResult(reply, callOptions));
    }

    internal LibKafka.Client.PartitionFetcher Core => _core;

    /// <summary>Closes the connection to a replica if there is one, and the client for good if it is the fetcher's own.</summary>
    public void Dispose()
    {
        ((IDisposable)_core).Dispose();
        if (_ownsClient)
        {
            Client.Dispose();
        }
    }
}
