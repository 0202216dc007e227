using System;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>How a producer asks for its batches to be kept.</summary>
public sealed record ProducerOptions
{
    private static readonly Client.ProducerSettings Standard = Client.ProducerSettingsModule.standard;

    /// <summary>
    /// How many replicas must have a batch before the broker answers: all that are in sync, unless set. With <c>Acks.None</c> it does
    /// not answer.
    /// </summary>
    public Acks Acks { get; init; } = Standard.Acks;

    /// <summary>
    /// How long the leader may wait for its followers: 10 seconds unless set. It should be well below
    /// <see cref="KafkaClientOptions.CallTimeout"/>, else the answer is lost.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan AckTimeout
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(value));
    } = Standard.AckTimeout;

    /// <summary>
    /// The largest batch to send, in bytes, header included: any unless set. A larger one is refused before anything is sent, with
    /// <see cref="KafkaFaultKind.CannotEncode"/>, which says both sizes. Brokers have a limit of their own for each topic
    /// (<c>max.message.bytes</c>, 1,048,588 unless set) and refuse what exceeds it with MESSAGE_TOO_LARGE.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is zero or negative.</exception>
    public int MaxBatchBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = Standard.MaxBatchBytes;

    internal Client.ProducerSettings ToSettings() => new(acks: Acks, ackTimeout: AckTimeout, maxBatchBytes: MaxBatchBytes);
}
