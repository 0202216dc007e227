using System;
using System.Text;
using System.Threading;
using LibKafka.Records;

namespace LibKafka;

/// <summary>How records are collected into batches.</summary>
public sealed record BatchCollectorOptions
{
    private static readonly Topics.CollectorSettings Standard = Topics.CollectorSettingsModule.standard;

    /// <summary>
    /// The largest batch in bytes before compression, including its header: 1,000,000 unless set. Brokers refuse batches that are larger after
    /// compression than their own limit (<c>max.message.bytes</c>, 1,048,588 by default). A record that does not fit into such a batch alone is
    /// not taken.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not more than the 61 bytes of a batch's header.</exception>
    public int MaxBatchBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, RecordBatch.HeaderSize, nameof(MaxBatchBytes));
            field = value;
        }
    } = Standard.MaxBatchBytes;

    /// <summary>
    /// How long a batch may wait for more records after its first one: 5 milliseconds unless set. Zero: it never has to wait.
    /// <see cref="Timeout.InfiniteTimeSpan"/>: until it is full or flushed.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan Linger
    {
        get;
        init => field = Interop.CheckLimit(value, TimeSpan.Zero, nameof(Linger));
    } = Standard.Linger;

    /// <summary>
    /// The most bytes of all batches that are being filled or have not been released yet, before compression: 64 MiB unless set. At least
    /// <see cref="MaxBatchBytes"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is zero or negative.</exception>
    public long MaxBufferedBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(MaxBufferedBytes));
            field = value;
        }
    } = Standard.MaxBufferedBytes;

    /// <summary>
    /// Chooses the partitions of records that are added without one: <see cref="Partitioning.ByKey"/> unless set.
    /// </summary>
    public ChoosePartition ChoosePartition
    {
        get;
        init => field = Interop.Required(value);
    } = Partitioning.ByKey;

    private bool PrintMembers(StringBuilder builder) =>
        builder.AppendMembers(
            (nameof(MaxBatchBytes), MaxBatchBytes),
            (nameof(Linger), Linger),
            (nameof(MaxBufferedBytes), MaxBufferedBytes),
            (nameof(ChoosePartition), ChoosePartition)
        );

    internal Topics.CollectorSettings ToCore() => new(MaxBatchBytes, Linger, MaxBufferedBytes, Partitioning.ToCore(ChoosePartition));
}
