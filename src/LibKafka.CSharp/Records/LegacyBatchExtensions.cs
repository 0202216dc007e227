using System;
using LibKafka.Records;

namespace LibKafka;

/// <summary>Opens messages of the formats before Kafka 0.11.</summary>
public static class LegacyBatchExtensions
{
    /// <summary>
    /// Opens a message of the formats before Kafka 0.11 (magic 0 and 1) for reading its record, or the records that are compressed in it.
    /// The records have the form of a record batch's, without headers.
    /// </summary>
    /// <param name="batch">The message.</param>
    /// <param name="options">Codecs and limits; null for no codecs and the standard limits.</param>
    /// <param name="buffer">
    /// Memory for the records, compressed or not, which is reused from message to message: they are valid until its next use. Null for
    /// separate memory.
    /// </param>
    /// <returns>The records.</returns>
    /// <exception cref="KafkaException">
    /// The message cannot be opened: <see cref="KafkaFaultKind.BadChecksum"/>, <see cref="KafkaFaultKind.CodecMissing"/>,
    /// <see cref="KafkaFaultKind.UnknownCodec"/>, <see cref="KafkaFaultKind.CodecFailed"/>, <see cref="KafkaFaultKind.LimitExceeded"/>
    /// or <see cref="KafkaFaultKind.Malformed"/>.
    /// </exception>
    public static RecordBatchRecords Records(this LegacyBatch batch, RecordReadOptions? options = null, CodecBuffer? buffer = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var opened = LegacyBatchModule.openRecords((options ?? RecordReadOptions.Default).ToReading(buffer), batch);
        return new(opened.ValueOrThrow(RecordBatchExtensions.Describe(batch)), batch);
    }
}
