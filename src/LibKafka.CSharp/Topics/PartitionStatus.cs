namespace LibKafka;

/// <summary>What a consumer knows of a partition.</summary>
public sealed class PartitionStatus
{
    private readonly Topics.PartitionStatus _core;

    private PartitionStatus(Topics.PartitionStatus core)
    {
        _core = core;
    }

    /// <summary>The partition.</summary>
    public TopicPartition Partition => TopicPartition.Of(_core.Partition);

    /// <summary>The position after all records that have been handled; null while its offset is being looked for.</summary>
    public FetchPosition? Position => _core.Position is { } position ? FetchPosition.Of(position.Value) : null;

    /// <summary>
    /// The high watermark in the last response: the offset after the last record that all in-sync replicas have. Null before the first.
    /// </summary>
    public long? HighWatermark => _core.HighWatermark?.Value;

    /// <summary>
    /// The number of offsets from the position to the high watermark: records, and the gaps that transactions and compaction leave. Null if one of
    /// them is not known.
    /// </summary>
    public long? Lag => _core.Lag?.Value;

    /// <summary>Whether it is paused.</summary>
    public bool IsPaused => _core.IsPaused;

    /// <summary>Whether the last event's step was <see cref="NextStep.GiveUp"/>.</summary>
    public bool IsGivenUp => _core.IsGivenUp;

    /// <summary>Whether it has an event that has not been handled.</summary>
    public bool IsInHand => _core.IsInHand;

    /// <summary>How often the partition could not be read since it last could.</summary>
    public int Failures => _core.Failures;

    /// <summary>The broker of the last response or connection; null before the first.</summary>
    public BrokerAddress? Broker => _core.Broker is { } broker ? BrokerAddress.Of(broker.Value) : null;

    /// <summary>As in <c>orders-3: offset 42 after epoch 3, lag 8, paused</c>.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();

    internal static PartitionStatus? Of(Topics.PartitionStatus? core) => core is null ? null : new(core);
}
