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

    internal Client.ProducerSettings ToSettings() => new(acks: Acks, ackTimeout: AckTimeout, maxBatchBytes: Standard.MaxBatchBytes);
}
