using System;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>The options of a producer.</summary>
public sealed record ProducerOptions
{
    private static readonly Client.ProducerSettings Standard = Client.ProducerSettingsModule.standard;

    /// <summary>
    /// How many replicas must have a batch before the broker acknowledges it: all in-sync replicas unless set. With <c>Acks.None</c> the
    /// broker does not answer.
    /// </summary>
    public Acks Acks { get; init; } = Standard.Acks;

    /// <summary>
    /// How long the leader may wait for its followers: 10 seconds unless set. It should be well below
    /// <see cref="KafkaClientOptions.CallTimeout"/>, otherwise the answer may be lost.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan AckTimeout
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(AckTimeout));
    } = Standard.AckTimeout;

    /// <summary>
    /// The largest batch to send, in bytes, including its header: no limit unless set. A larger batch is rejected before anything is sent,
    /// with the fault <see cref="KafkaFaultKind.CannotEncode"/>, whose message has both sizes. Brokers have a limit of their own for each
    /// topic (<c>max.message.bytes</c>, 1,048,588 by default) and reject larger batches with MESSAGE_TOO_LARGE.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is zero or negative.</exception>
    public int MaxBatchBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(MaxBatchBytes));
            field = value;
        }
    } = Standard.MaxBatchBytes;

    internal Client.ProducerSettings ToSettings() => new(acks: Acks, ackTimeout: AckTimeout, maxBatchBytes: MaxBatchBytes);
}
