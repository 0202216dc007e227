using LibKafka.Records;

namespace LibKafka;

/// <summary>Why a batch cannot be forwarded by <see cref="RecordBatchExtensions.ForForwarding"/>.</summary>
public enum ForwardingObstacle
{
    /// <summary>Nothing in the header: the batch can be forwarded, unless its checksum is wrong.</summary>
    None,

    /// <summary>
    /// The batch has control records, such as the end of a transaction, which only brokers write. Leave it out.
    /// </summary>
    ControlBatch,

    /// <summary>The batch has no records; compaction may have removed them. There is nothing to forward.</summary>
    NoRecords,

    /// <summary>
    /// Compaction has removed some of the batch's records. Brokers append a batch only if it has a record for each of its offsets:
    /// <see cref="RecordBatchExtensions.Repack"/> closes the gaps.
    /// </summary>
    OffsetGaps,

    /// <summary>
    /// The header is damaged: it has an unknown compression type or an impossible number of records. <see cref="KafkaFault.Path"/> of the
    /// exception names the field.
    /// </summary>
    Unreadable,
}
