using System;
using LibKafka.Records;

namespace LibKafka;

/// <summary>Opening messages of the formats before Kafka 0.11.</summary>
public static class LegacyBatchExtensions
{
    /// <summary>
    /// Opens a message of the formats before Kafka 0.11 (magic 0 and 1) for reading its record, or the records that are compressed in
    /// it. They are the same that a record batch has, without headers.
    /// </summary>
    /// <param name="batch">The message.</param>
    /// <param name="options">Codecs and limits; null for no codec and the standard limits.</param>
    /// <param name="buffer">
    /// Memory for the records, compressed or not, which is used again for message after message: they are good until it is used for
    /// another. Null for memory of their own.
    /// </param>
    /// <returns>The records.</returns>
    /// <exception cref="KafkaException">
    /// The message cannot be opened: <see cref="KafkaFaultKind.BadChecksum"/>, <see cref="KafkaFaultKind.CodecMissing"/>,
    /// <see cref="KafkaFaultKind.UnknownCodec"/>, <see cref="KafkaFaultKind.CodecFailed"/>, <see cref="KafkaFaultKind.LimitExceeded"/>
    /// or <see cref="KafkaFaultKind.Malformed"/>.
    /// </exception>
    public static BatchRecords Records(this LegacyBatch batch, RecordReadOptions? options = null, CodecBuffer? buffer = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        options ??= RecordReadOptions.Default;
        buffer ??= new();
        var limits = options.ToLimits();
        var opened = options.VerifyChecksum
            ? LegacyBatchModule.openRecordsIn(buffer, limits, options.CodecSet, batch)
            : LegacyBatchModule.openVerifiedIn(buffer, limits, options.CodecSet, batch);
        return new(opened.ValueOrThrow(RecordBatchExtensions.Describe(batch)), batch);
    }
}
