using System;
using LibKafka.Records;
using LibKafka.Wire;

namespace LibKafka;

/// <summary>Opening, packing and unpacking record batches.</summary>
public static class RecordBatchExtensions
{
    extension(RecordBatch)
    {
        /// <summary>
        /// The batch that bytes hold, not copied. What is checked is that they are complete and of the current format (magic 2), and
        /// that the offsets make sense; the rest when the batch is opened.
        /// </summary>
        /// <param name="bytes">The bytes of exactly one batch, which must not change as long as the batch is used.</param>
        /// <returns>The batch.</returns>
        /// <exception cref="KafkaException">The bytes are no such batch.</exception>
        public static RecordBatch Parse(ReadOnlyMemory<byte> bytes) =>
            RecordBatchModule.ofBytes(new Bytes(bytes)).ValueOrThrow("the batch");
    }

    /// <summary>
    /// Opens a batch for reading its records: checks the checksum, the codec and that the count is possible, and decompresses where
    /// need be. The records themselves are read, and checked, one by one as they are iterated.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="options">Codecs and limits; null for no codec and the standard limits.</param>
    /// <param name="buffer">
    /// Memory for decompressed records, which is used again for batch after batch: they are good until it is used for another. Null for
    /// memory of their own.
    /// </param>
    /// <returns>The records.</returns>
    /// <exception cref="KafkaException">
    /// The batch cannot be opened: <see cref="KafkaFaultKind.BadChecksum"/>, <see cref="KafkaFaultKind.CodecMissing"/>,
    /// <see cref="KafkaFaultKind.UnknownCodec"/>, <see cref="KafkaFaultKind.CodecFailed"/>, <see cref="KafkaFaultKind.LimitExceeded"/>
    /// or <see cref="KafkaFaultKind.Malformed"/>.
    /// </exception>
    public static BatchRecords Records(this RecordBatch batch, RecordReadOptions? options = null, CodecBuffer? buffer = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        options ??= RecordReadOptions.Default;
        buffer ??= new();
        var limits = options.ToLimits();
        var opened = options.VerifyChecksum
            ? RecordBatchModule.openRecordsIn(buffer, limits, options.CodecSet, batch)
            : RecordBatchModule.openVerifiedIn(buffer, limits, options.CodecSet, batch);
        return new(opened.ValueOrThrow(Describe(batch)), batch);
    }

    /// <summary>Whether the checksum is right.</summary>
    /// <param name="batch">The batch.</param>
    /// <returns>Whether the bytes are those that the checksum was made from.</returns>
    public static bool IsChecksumValid(this RecordBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return RecordBatchModule.verify(batch).IsOk;
    }

    /// <summary>The batch with its records packed. All attributes but the compression, and all other fields of the header, stay.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="codec">What to pack with.</param>
    /// <param name="buffer">Memory for the new batch, which is good until it is used for another; null for memory of its own.</param>
    /// <returns>The packed batch.</returns>
    /// <exception cref="KafkaException">
    /// <see cref="KafkaFaultKind.AlreadyCompressed"/>, <see cref="KafkaFaultKind.UnknownCodec"/>,
    /// <see cref="KafkaFaultKind.CodecFailed"/>; and <see cref="KafkaFaultKind.BadChecksum"/>, since a new checksum over damaged
    /// content would hide the damage.
    /// </exception>
    public static RecordBatch Compress(this RecordBatch batch, ICompressionCodec codec, CodecBuffer? buffer = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(codec);
        return RecordBatchModule.compressIn(buffer ?? new(), codec, batch).ValueOrThrow(Describe(batch));
    }

    /// <summary>
    /// The batch with its records unpacked. All attributes but the compression, and all other fields of the header, stay. A batch that
    /// is not compressed is given back as it is.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="options">Codecs and limits.</param>
    /// <param name="buffer">Memory for the new batch, which is good until it is used for another; null for memory of its own.</param>
    /// <returns>The unpacked batch.</returns>
    /// <exception cref="KafkaException">
    /// <see cref="KafkaFaultKind.BadChecksum"/>, <see cref="KafkaFaultKind.CodecMissing"/>, <see cref="KafkaFaultKind.UnknownCodec"/>,
    /// <see cref="KafkaFaultKind.CodecFailed"/> or <see cref="KafkaFaultKind.LimitExceeded"/>.
    /// </exception>
    public static RecordBatch Decompress(this RecordBatch batch, RecordReadOptions options, CodecBuffer? buffer = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(options);
        return RecordBatchModule.decompressIn(buffer ?? new(), options.CodecSet, options.ToLimits(), batch).ValueOrThrow(Describe(batch));
    }

    /// <summary>What a fault of a <see cref="RecordBatch"/> or <see cref="LegacyBatch"/> begins with.</summary>
    internal static string Describe(object batch) =>
        batch switch
        {
            RecordBatch it => FormattableString.Invariant($"the batch of offsets {it.BaseOffset} to {it.LastOffset}"),
            LegacyBatch it => FormattableString.Invariant($"the message at offset {it.LastOffset}"),
            _ => "the batch",
        };
}
