using System;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>The options of a fetcher.</summary>
public sealed record FetcherOptions
{
    private static readonly Client.FetcherSettings Standard = Client.FetcherSettingsModule.standard;

    /// <summary>
    /// How long the broker may wait until it has <see cref="MinBytes"/>: half a second unless set. It must be shorter than
    /// <see cref="KafkaClientOptions.CallTimeout"/>, and should be well below the time-out of the call: the time-out includes the wait, so every
    /// fetch at the end of the log would time out.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan MaxWait
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(MaxWait));
    } = Standard.MaxWait;

    /// <summary>The broker answers as soon as it has this many bytes: 1 unless set. With 0 it answers at once.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int MinBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MinBytes));
            field = value;
        }
    } = Standard.MinBytes;

    /// <summary>The most bytes to return: 4 MiB unless set. The first batch is always returned whole, even if it is larger.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is zero or negative.</exception>
    public int MaxBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(MaxBytes));
            field = value;
        }
    } = Standard.MaxBytes;

    /// <summary>Whether to read only committed records: <c>ReadUncommitted</c>, which includes open and aborted transactions, unless set.</summary>
    public IsolationLevel IsolationLevel { get; init; } = Standard.IsolationLevel;

    /// <summary>
    /// The client's rack, by the name that the brokers use for theirs; null, unless set, to read from the leader only. With a rack, the leader
    /// may name a replica that is closer (KIP-392), and the following fetches go there.
    /// </summary>
    public string? RackId { get; init; }

    /// <summary>
    /// How long fetches go to a replica before the leader is asked again whether there is a better one: 5 minutes unless set. After a replica
    /// has failed, fetches go to the leader for a second, and for twice as long after each further failure in a row, but never longer than this
    /// or 256 seconds.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan ReplicaTime
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(ReplicaTime));
    } = Standard.ReplicaTime;

    /// <summary>
    /// Whether to use a fetch session (KIP-227): false unless set. For a client of one partition it saves a few dozen bytes per fetch. Brokers
    /// keep a limited number of sessions (<c>max.incremental.fetch.session.cache.slots</c>).
    /// </summary>
    public bool UseSession { get; init; } = Standard.UseSession;

    internal Client.FetcherSettings ToSettings() =>
        new(
            maxWait: MaxWait,
            minBytes: MinBytes,
            maxBytes: MaxBytes,
            isolationLevel: IsolationLevel,
            rackId: RackId ?? Standard.RackId,
            replicaTime: ReplicaTime,
            useSession: UseSession
        );
}
