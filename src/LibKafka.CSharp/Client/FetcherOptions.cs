using System;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>How much a fetcher asks for, how long the broker may wait for it, and who is asked.</summary>
public sealed record FetcherOptions
{
    private static readonly Client.FetcherSettings Standard = Client.FetcherSettingsModule.standard;

    /// <summary>
    /// How long the broker may wait for <see cref="MinBytes"/> to come together: half a second unless set. It should be well below
    /// <see cref="KafkaClientOptions.CallTimeout"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan MaxWait
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(value));
    } = Standard.MaxWait;

    /// <summary>The broker answers as soon as it has this many bytes: 1 unless set; 0 to be answered at once.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public int MinBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = Standard.MinBytes;

    /// <summary>Most bytes to answer: 4 MiB unless set. The first batch comes whole even where it is larger.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is zero or negative.</exception>
    public int MaxBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = Standard.MaxBytes;

    /// <summary>How much of a transactional log is shown: records of open transactions too, unless set.</summary>
    public IsolationLevel IsolationLevel { get; init; } = Standard.IsolationLevel;

    /// <summary>
    /// The rack that the client is in, as the brokers call theirs; null, unless set, to read from the leader alone. With a rack, the
    /// leader may name a replica that is nearer (KIP-392), and the fetches that follow go there.
    /// </summary>
    public string? RackId { get; init; }

    /// <summary>
    /// How long fetches go to a replica until the leader is asked again whether there is a better one, and, where the replica failed,
    /// how long they go to the leader instead: 5 minutes unless set.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan ReplicaTime
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(value));
    } = Standard.ReplicaTime;

    /// <summary>
    /// Whether the broker is to remember what it has been asked (KIP-227): not unless set. For a client of one partition this saves a
    /// few dozen bytes a fetch; brokers keep a limited number of sessions (<c>max.incremental.fetch.session.cache.slots</c>).
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
