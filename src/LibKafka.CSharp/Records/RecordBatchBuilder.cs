using System;
using LibKafka.Records;

namespace LibKafka;

/// <summary>
/// Encodes records into a batch as they are added, in one pass, and knows the exact size at every step. Its memory is its own, which
/// grows as needed, up to the limit, and is used again after <see cref="Reset()"/>, so that nothing is allocated once it has grown; or
/// the caller's, such as an array from a pool, which does not grow. It is not for use by several threads at a time.
/// </summary>
/// <remarks>
/// Keys and values are spans, arrays or nothing at all: <c>"key"u8</c>, a <c>byte[]</c>, a <c>ReadOnlySpan&lt;byte&gt;</c> or a
/// <c>ReadOnlyMemory&lt;byte&gt;</c> converts to <see cref="NullableSpan"/>, and <c>null</c> stands for null, which in Kafka is not the
/// same as empty: a null value is a tombstone. They are copied when the record is added.
/// </remarks>
public sealed class RecordBatchBuilder
{
    private readonly BatchBuilder _core;
    private RecordHeader[] _headers = [];

    /// <summary>A builder without records.</summary>
    /// <param name="options">What the batch says about itself; null for a batch to produce.</param>
    /// <param name="maxBytes">
    /// The most bytes that the batch may take, header included. Brokers refuse more than 1,048,588 unless the topic allows it.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The limit is zero or negative; or the options' last offset lies before the base offset, or 2³¹ behind it.
    /// </exception>
    public RecordBatchBuilder(RecordBatchOptions? options = null, int maxBytes = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBytes);
        _core = new((options ?? new()).ToCore(), maxBytes);
    }

    private RecordBatchBuilder(BatchBuilder core)
    {
        _core = core;
    }

    /// <summary>How many records have been added.</summary>
    public int Count => _core.Count;

    /// <summary>The exact size in bytes of the batch as it is now, header included.</summary>
    public int SizeInBytes => _core.SizeInBytes;

    /// <summary>The most bytes that the batch may take, header included.</summary>
    public int MaxBytes => _core.Limit;

    /// <summary>
    /// A builder without records in memory that the caller owns: the batch lies at its start and takes up all of it at most, and nothing
    /// is allocated for it. Once the batch is not needed any more, the memory can be put to another use.
    /// </summary>
    /// <param name="memory">The memory, such as an array that is rented from a pool.</param>
    /// <param name="options">What the batch says about itself; null for a batch to produce.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">
    /// The memory is not an array's; or the options' last offset lies before the base offset, or 2³¹ behind it.
    /// </exception>
    public static RecordBatchBuilder In(Memory<byte> memory, RecordBatchOptions? options = null) =>
        new(new BatchBuilder((options ?? new()).ToCore(), memory));

    /// <summary>Adds a record, unless the batch would exceed its limit with it: then nothing changes.</summary>
    /// <param name="key">The key; null is not the same as empty.</param>
    /// <param name="value">The value; null, which is not the same as empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was made, in milliseconds since 1970-01-01 UTC; -1 for none.</param>
    /// <param name="headers">The headers, in order.</param>
    /// <returns>Whether the record was added.</returns>
    /// <exception cref="InvalidOperationException">The batch has been built, and the builder not been reset.</exception>
    public bool TryAdd(NullableSpan key, NullableSpan value, long timestamp, params ReadOnlySpan<KafkaHeader> headers)
    {
        if (headers.IsEmpty)
        {
            return _core.TryAdd(timestamp, key, value);
        }

        if (_headers.Length < headers.Length)
        {
            Array.Resize(ref _headers, Math.Max(headers.Length, 2 * _headers.Length));
        }

        for (var i = 0; i < headers.Length; i++)
        {
            _headers[i] = headers[i].ToCore();
        }

        return _core.TryAdd(timestamp, key, value, _headers.AsSpan(0, headers.Length));
    }

    /// <summary>Adds a record, unless the batch would exceed its limit with it: then nothing changes.</summary>
    /// <param name="key">The key; null is not the same as empty.</param>
    /// <param name="value">The value; null, which is not the same as empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was made; Kafka keeps whole milliseconds.</param>
    /// <param name="headers">The headers, in order.</param>
    /// <returns>Whether the record was added.</returns>
    /// <exception cref="InvalidOperationException">The batch has been built, and the builder not been reset.</exception>
    public bool TryAdd(NullableSpan key, NullableSpan value, DateTimeOffset timestamp, params ReadOnlySpan<KafkaHeader> headers) =>
        TryAdd(key, value, timestamp.ToUnixTimeMilliseconds(), headers);

    /// <summary>
    /// Adds a record with all that another batch's record holds except its offset, unless the batch would exceed its limit with it:
    /// then nothing changes.
    /// </summary>
    /// <param name="record">The record. It must not lie in this builder's own memory.</param>
    /// <returns>Whether the record was added.</returns>
    /// <exception cref="InvalidOperationException">The batch has been built, and the builder not been reset.</exception>
    public bool TryAdd(in Record record) => _core.TryAdd(in record);

    /// <summary>Adds a record, which must fit.</summary>
    /// <param name="key">The key; null is not the same as empty.</param>
    /// <param name="value">The value; null, which is not the same as empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was made, in milliseconds since 1970-01-01 UTC; -1 for none.</param>
    /// <param name="headers">The headers, in order.</param>
    /// <exception cref="InvalidOperationException">
    /// The batch would exceed its limit; or it has been built, and the builder not been reset.
    /// </exception>
    public void Add(NullableSpan key, NullableSpan value, long timestamp, params ReadOnlySpan<KafkaHeader> headers) =>
        Check(TryAdd(key, value, timestamp, headers));

    /// <summary>Adds a record, which must fit.</summary>
    /// <param name="key">The key; null is not the same as empty.</param>
    /// <param name="value">The value; null, which is not the same as empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was made; Kafka keeps whole milliseconds.</param>
    /// <param name="headers">The headers, in order.</param>
    /// <exception cref="InvalidOperationException">
    /// The batch would exceed its limit; or it has been built, and the builder not been reset.
    /// </exception>
    public void Add(NullableSpan key, NullableSpan value, DateTimeOffset timestamp, params ReadOnlySpan<KafkaHeader> headers) =>
        Check(TryAdd(key, value, timestamp, headers));

    /// <summary>Adds a record with all that another batch's record holds except its offset. It must fit.</summary>
    /// <param name="record">The record. It must not lie in this builder's own memory.</param>
    /// <exception cref="InvalidOperationException">
    /// The batch would exceed its limit; or it has been built, and the builder not been reset.
    /// </exception>
    public void Add(in Record record) => Check(TryAdd(in record));

    /// <summary>
    /// The finished batch, without copying a byte. It lies in the builder's memory, so it is good until <see cref="Reset()"/>;
    /// <see cref="Detach"/> or <see cref="RecordBatch.Copy"/> give one that stays. Nothing can be added before <see cref="Reset()"/>;
    /// building again gives the same batch.
    /// </summary>
    /// <returns>The batch.</returns>
    /// <exception cref="InvalidOperationException">
    /// No record has been added, so that every broker would refuse the batch; or there are more records than the options' last offset lets
    /// in.
    /// </exception>
    public RecordBatch Build() => _core.Build();

    /// <summary>
    /// The finished batch, with the builder's memory: it stays good for ever, or as long as the caller whose memory it is leaves it alone.
    /// The builder begins the next batch, with the same options and limit and new memory of its own.
    /// </summary>
    /// <returns>The batch.</returns>
    /// <exception cref="InvalidOperationException">
    /// No record has been added, so that every broker would refuse the batch; or there are more records than the options' last offset lets
    /// in.
    /// </exception>
    public RecordBatch Detach() => _core.Detach();

    /// <summary>Forgets the records, and with them the batches built from this memory, and begins a batch with the same options.</summary>
    public void Reset() => _core.Reset();

    /// <summary>Forgets the records, and with them the batches built from this memory, and begins a batch with other options.</summary>
    /// <param name="options">What the next batch says about itself.</param>
    public void Reset(RecordBatchOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _core.Reset(options.ToCore());
    }

    private void Check(bool added)
    {
        if (!added)
        {
            throw new InvalidOperationException($"The record does not fit into the batch's limit of {MaxBytes} bytes.");
        }
    }
}
