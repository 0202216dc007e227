using System;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>How much a fetcher asks for, and how long the broker may wait for it.</summary>
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

    internal Client.FetcherSettings ToSettings() =>
        new(
            maxWait: MaxWait,
            minBytes: MinBytes,
            maxBytes: MaxBytes,
            isolationLevel: IsolationLevel,
            rackId: Standard.RackId,
            replicaTime: Standard.ReplicaTime,
            useSession: Standard.UseSession
        );
}
