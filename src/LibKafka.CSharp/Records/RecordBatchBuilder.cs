using System;
using LibKafka.Records;

namespace LibKafka;

/// <summary>
/// Encodes records into a batch as they are added, in one pass, and knows the exact size after each one. It has its own memory, which grows
/// up to the limit; or it uses the caller's, such as an array from a pool, which does not grow. <see cref="Build"/> gives a batch that stays
/// valid, with memory of its own. <see cref="BuildInPlace"/> and <see cref="Reset()"/> reuse the builder's memory, so that nothing is
/// allocated once it has grown. Not thread-safe.
/// </summary>
/// <remarks>
/// Keys and values are spans, memory, arrays or null: <c>"key"u8</c>, a <c>byte[]</c>, a <c>ReadOnlySpan&lt;byte&gt;</c> or a
/// <c>ReadOnlyMemory&lt;byte&gt;</c> converts to <see cref="NullableSpan"/>. Null differs from empty in Kafka: a null value is a tombstone.
/// They are copied when the record is added.
/// </remarks>
public sealed class RecordBatchBuilder
{
    private readonly BatchBuilder _core;
    private readonly HeaderBuffer _headers = new();

    /// <summary>A builder without records.</summary>
    /// <param name="options">The header fields; null for a batch to be sent by a producer that is not idempotent.</param>
    /// <param name="maxBytes">
    /// The maximum size of the batch in bytes, header included. Brokers refuse more than 1,048,588 unless the topic allows it.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The limit is not positive, or the options' last offset is before the base offset or more than 2³¹ - 1 after it.
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

    /// <summary>The number of records added.</summary>
    public int Count => _core.Count;

    /// <summary>The exact size of the batch so far in bytes, header included.</summary>
    public int SizeInBytes => _core.SizeInBytes;

    /// <summary>The maximum size of the batch in bytes, header included.</summary>
    public int MaxBytes => _core.Limit;

    /// <summary>
    /// A builder without records that uses the caller's memory: the batch lies at its start and takes at most all of it, and nothing is
    /// allocated for it. The memory can be used for something else when the batch is no longer needed.
    /// </summary>
    /// <param name="memory">The memory, such as an array from a pool.</param>
    /// <param name="options">The header fields; null for a batch to be sent by a producer that is not idempotent.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">
    /// The memory does not belong to an array, or the options' last offset is before the base offset or more than 2³¹ - 1 after it.
    /// </exception>
    public static RecordBatchBuilder In(Memory<byte> memory, RecordBatchOptions? options = null) =>
        new(new BatchBuilder((options ?? new()).ToCore(), memory));

    /// <summary>Adds a record. Changes nothing if the batch would exceed its limit.</summary>
    /// <param name="key">The key; null differs from empty.</param>
    /// <param name="value">The value; null, which differs from empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was created, in milliseconds since 1970-01-01 UTC; -1 for none.</param>
    /// <param name="headers">The headers, in order.</param>
    /// <returns>Whether the record was added.</returns>
    /// <exception cref="InvalidOperationException">The batch has been built in place and the builder has not been reset.</exception>
    public bool TryAdd(NullableSpan key, NullableSpan value, long timestamp, params ReadOnlySpan<KafkaHeader> headers) =>
        headers.IsEmpty ? _core.TryAdd(timestamp, key, value) : _core.TryAdd(timestamp, key, value, _headers.ToCore(headers));

    /// <summary>Adds a record. Changes nothing if the batch would exceed its limit.</summary>
    /// <param name="key">The key; null differs from empty.</param>
    /// <param name="value">The value; null, which differs from empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was created; Kafka keeps whole milliseconds.</param>
    /// <param name="headers">The headers, in order.</param>
    /// <returns>Whether the record was added.</returns>
    /// <exception cref="InvalidOperationException">The batch has been built in place and the builder has not been reset.</exception>
    public bool TryAdd(NullableSpan key, NullableSpan value, DateTimeOffset timestamp, params ReadOnlySpan<KafkaHeader> headers) =>
        TryAdd(key, value, timestamp.ToUnixTimeMilliseconds(), headers);

    /// <summary>
    /// Adds a copy of another batch's record with everything except its offset. Changes nothing if the batch would exceed its limit.
    /// </summary>
    /// <param name="record">The record.</param>
    /// <returns>Whether the record was added.</returns>
    /// <exception cref="InvalidOperationException">
    /// The record lies in this builder's own memory, or the batch has been built in place and the builder has not been reset.
    /// </exception>
    public bool TryAdd(in Record record) => _core.TryAdd(in record);

    /// <summary>Adds a record, which must fit.</summary>
    /// <param name="key">The key; null differs from empty.</param>
    /// <param name="value">The value; null, which differs from empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was created, in milliseconds since 1970-01-01 UTC; -1 for none.</param>
    /// <param name="headers">The headers, in order.</param>
    /// <exception cref="InvalidOperationException">
    /// The batch would exceed its limit, or it has been built in place and the builder has not been reset.
    /// </exception>
    public void Add(NullableSpan key, NullableSpan value, long timestamp, params ReadOnlySpan<KafkaHeader> headers) =>
        Check(TryAdd(key, value, timestamp, headers));

    /// <summary>Adds a record, which must fit.</summary>
    /// <param name="key">The key; null differs from empty.</param>
    /// <param name="value">The value; null, which differs from empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was created; Kafka keeps whole milliseconds.</param>
    /// <param name="headers">The headers, in order.</param>
    /// <exception cref="InvalidOperationException">
    /// The batch would exceed its limit, or it has been built in place and the builder has not been reset.
    /// </exception>
    public void Add(NullableSpan key, NullableSpan value, DateTimeOffset timestamp, params ReadOnlySpan<KafkaHeader> headers) =>
        Check(TryAdd(key, value, timestamp, headers));

    /// <summary>Adds a copy of another batch's record with everything except its offset. It must fit.</summary>
    /// <param name="record">The record.</param>
    /// <exception cref="InvalidOperationException">
    /// The batch would exceed its limit, the record lies in this builder's own memory, or the batch has been built in place and the builder
    /// has not been reset.
    /// </exception>
    public void Add(in Record record) => Check(TryAdd(in record));

    /// <summary>
    /// The finished batch, which keeps the memory that it was built in: it stays valid, or, in the caller's memory, until the caller reuses
    /// that. No byte is copied. The builder begins the next batch, with the same options and limit and with new memory of its own.
    /// </summary>
    /// <returns>The batch.</returns>
    /// <exception cref="InvalidOperationException">
    /// There are no records, so that every broker would refuse the batch, or there are records after the options' last offset.
    /// </exception>
    public RecordBatch Build() => _core.Build();

    /// <summary>
    /// The finished batch as a view into the builder's memory; no byte is copied. It is valid until <see cref="Reset()"/>, which must come
    /// before the next record: until then nothing can be added, and building again gives the same batch. For callers that send the batch at
    /// once and reuse the memory; <see cref="Build"/> gives a batch that stays valid.
    /// </summary>
    /// <returns>The batch.</returns>
    /// <exception cref="InvalidOperationException">
    /// There are no records, so that every broker would refuse the batch, or there are records after the options' last offset.
    /// </exception>
    public RecordBatch BuildInPlace() => _core.BuildInPlace();

    /// <summary>Discards the records, invalidates batches from <see cref="BuildInPlace"/>, and begins a batch with the same options.</summary>
    public void Reset() => _core.Reset();

    /// <summary>Discards the records, invalidates batches from <see cref="BuildInPlace"/>, and begins a batch with other options.</summary>
    /// <param name="options">The header fields of the next batch.</param>
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
