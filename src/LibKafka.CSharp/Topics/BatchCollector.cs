using System;
using LibKafka.Records;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>
/// A batch that is complete. It lies in the collector's memory, which is used for another batch after <see cref="BatchCollector.Release"/>.
/// </summary>
public sealed class CollectedBatch
{
    private CollectedBatch(Topics.CollectedBatch core)
    {
        Core = core;
    }

    /// <summary>The partition that it was collected for.</summary>
    public int Partition => Core.Partition;

    /// <summary>Its number: see <see cref="RecordTicket.BatchNumber"/>.</summary>
    public long Number => Core.Number;

    /// <summary>The records, without compression and without a producer's identity. Valid until the batch is released.</summary>
    public RecordBatch Batch => Core.Batch;

    /// <summary>
    /// Whether none of its records was added with a partition or has a partition by its key, so that the batch may go to any other partition.
    /// </summary>
    public bool IsMovable => Core.IsMovable;

    /// <summary>When its first record was added.</summary>
    public DateTimeOffset Began => Core.Began;

    internal Topics.CollectedBatch Core { get; }

    /// <summary>Its number, its partition and its records.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => Core.ToString();

    internal static CollectedBatch? Of(FSharpValueOption<Topics.CollectedBatch> core) => core.IsSome ? new(core.Value) : null;
}

/// <summary>
/// Collects the records of one topic into batches, one being filled for each partition. It does no I/O and has no thread. A batch can be taken when it
/// is full, when it has lingered, or when it is flushed; until it is taken, a batch that is not full takes more records.
/// <para>
/// Records of a partition stay in the order in which they were added. Each is in exactly one batch, at the place that its ticket says. Adding a record
/// allocates nothing once the memory has grown: a batch's memory is used again after <see cref="Release"/>. It is not thread-safe.
/// </para>
/// </summary>
/// <remarks>
/// <code>
/// var collector = new BatchCollector(new BatchCollectorOptions(), partitions);
/// while (collector.Add(key, value, timestamp).Status == AddStatus.Full)
/// {
///     while (collector.TryTake() is { } collected)
///     {
///         Send(collected.Partition, collected.Batch); // such as PartitionProducer.Produce
///         collector.Release(collected);
///     }
/// }
/// </code>
/// </remarks>
public sealed class BatchCollector
{
    private readonly Topics.BatchCollector _core;
    private readonly HeaderBuffer _headers = new();

    /// <summary>A collector without records.</summary>
    /// <param name="options">The options.</param>
    /// <param name="partitions">The number of partitions, to which records are added from 0 on.</param>
    /// <param name="timeProvider">The clock; null for the system's.</param>
    /// <exception cref="ArgumentException">
    /// There is no partition, or <see cref="BatchCollectorOptions.MaxBufferedBytes"/> is less than <see cref="BatchCollectorOptions.MaxBatchBytes"/>.
    /// </exception>
    public BatchCollector(BatchCollectorOptions options, int partitions, TimeProvider? timeProvider = null)
    {
        Options = Interop.Required(options);
        _core = new(
            Interop.Checked(Topics.CollectorSettingsModule.check(options.ToCore()), nameof(options)),
            partitions,
            timeProvider ?? TimeProvider.System
        );
    }

    /// <summary>The options.</summary>
    public BatchCollectorOptions Options { get; }

    /// <summary>
    /// The number of partitions that records can be added to. Batches of partitions that the topic no longer has can still be taken.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is zero or negative.</exception>
    public int Partitions
    {
        get => _core.Partitions;
        set => _core.Partitions = value;
    }

    /// <summary>
    /// The exact size of all batches that are being filled or have not been released yet, before compression, including their headers.
    /// </summary>
    public long BufferedBytes => _core.BufferedBytes;

    /// <summary>The number of batches that have begun.</summary>
    public long BatchesBegun => _core.BatchesBegun;

    /// <summary>
    /// How long until a batch has lingered, if nothing is taken before: zero if one has, <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> if
    /// none will.
    /// </summary>
    public TimeSpan NextDue => _core.NextDue;

    /// <summary>
    /// Adds a record for the partition that the options choose by its key. The bytes are copied.
    /// </summary>
    /// <param name="key">The key; null differs from empty.</param>
    /// <param name="value">The value; null, which differs from empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was created; Kafka keeps whole milliseconds.</param>
    /// <param name="headers">The headers, in order.</param>
    /// <returns>The record's ticket, or why it was not taken.</returns>
    /// <exception cref="InvalidOperationException">
    /// <see cref="BatchCollectorOptions.ChoosePartition"/> chose a partition that does not exist.
    /// </exception>
    public AddResult Add(NullableSpan key, NullableSpan value, DateTimeOffset timestamp, params ReadOnlySpan<KafkaHeader> headers) =>
        Add(key, value, timestamp.ToUnixTimeMilliseconds(), headers);

    /// <inheritdoc cref="Add(NullableSpan, NullableSpan, DateTimeOffset, ReadOnlySpan{KafkaHeader})"/>
    /// <param name="key">The key; null differs from empty.</param>
    /// <param name="value">The value; null, which differs from empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was created, in milliseconds since 1970-01-01 UTC; -1 for none.</param>
    /// <param name="headers">The headers, in order.</param>
    public AddResult Add(NullableSpan key, NullableSpan value, long timestamp, params ReadOnlySpan<KafkaHeader> headers) =>
        AddResult.Of(_core.Add(key, value, _headers.ToCore(headers), timestamp));

    /// <summary>Adds a record for a partition. See the overloads without a partition.</summary>
    /// <param name="partition">The partition, or <see cref="Partitioning.Any"/>.</param>
    /// <param name="key">The key; null differs from empty.</param>
    /// <param name="value">The value; null, which differs from empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was created; Kafka keeps whole milliseconds.</param>
    /// <param name="headers">The headers, in order.</param>
    /// <returns>The record's ticket, or why it was not taken.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such partition.</exception>
    public AddResult Add(
        int partition,
        NullableSpan key,
        NullableSpan value,
        DateTimeOffset timestamp,
        params ReadOnlySpan<KafkaHeader> headers
    ) => Add(partition, key, value, timestamp.ToUnixTimeMilliseconds(), headers);

    /// <inheritdoc cref="Add(int, NullableSpan, NullableSpan, DateTimeOffset, ReadOnlySpan{KafkaHeader})"/>
    /// <param name="partition">The partition, or <see cref="Partitioning.Any"/>.</param>
    /// <param name="key">The key; null differs from empty.</param>
    /// <param name="value">The value; null, which differs from empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was created, in milliseconds since 1970-01-01 UTC; -1 for none.</param>
    /// <param name="headers">The headers, in order.</param>
    public AddResult Add(int partition, NullableSpan key, NullableSpan value, long timestamp, params ReadOnlySpan<KafkaHeader> headers) =>
        AddResult.Of(_core.Add(partition, key, value, _headers.ToCore(headers), timestamp));

    /// <summary>
    /// Says whether a partition gets records that may go to any partition; all do at first. If none does, they go to all of them in turn.
    /// </summary>
    /// <param name="partition">The partition.</param>
    /// <param name="isAvailable">Whether it gets such records.</param>
    public void SetAvailable(int partition, bool isAvailable) => _core.SetAvailable(partition, isAvailable);

    /// <summary>Whether a partition gets records that may go to any partition.</summary>
    /// <param name="partition">The partition.</param>
    /// <returns>Whether it gets such records.</returns>
    public bool IsAvailable(int partition) => _core.IsAvailable(partition);

    /// <summary>Lets every batch be taken whose first record was added long enough ago.</summary>
    /// <param name="olderThan">How long ago; zero for all batches.</param>
    public void Flush(TimeSpan olderThan) => _core.Flush(olderThan);

    /// <summary>The next batch of any partition that is full, has lingered or was flushed.</summary>
    /// <returns>The batch; null if there is none.</returns>
    public CollectedBatch? TryTake() => CollectedBatch.Of(_core.TryTake());

    /// <summary>The next batch of a partition that is full, has lingered or was flushed.</summary>
    /// <param name="partition">The partition.</param>
    /// <returns>The batch; null if there is none.</returns>
    public CollectedBatch? TryTake(int partition) => CollectedBatch.Of(_core.TryTake(partition));

    /// <summary>Ends the use of a batch that was taken: its bytes no longer count, and its memory is used again.</summary>
    /// <param name="batch">The batch.</param>
    /// <exception cref="InvalidOperationException">It has been released already.</exception>
    public void Release(CollectedBatch batch) => _core.Release(Interop.Required(batch).Core);

    /// <summary>
    /// Ends the use of a batch that was taken without using its memory again, so that <see cref="CollectedBatch.Batch"/> stays valid.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <exception cref="InvalidOperationException">It has been released already.</exception>
    public void Forget(CollectedBatch batch) => _core.Forget(Interop.Required(batch).Core);
}
