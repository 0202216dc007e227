using System;
using LibKafka.Records;

namespace LibKafka;

/// <summary>How a consumer reads its partitions.</summary>
public sealed record TopicConsumerOptions
{
    private static readonly Topics.ConsumerSettings Standard = Topics.ConsumerSettingsModule.standard;

    /// <summary>
    /// How much each fetch asks for, how long the broker may wait for it, the isolation level, the rack and the fetch sessions.
    /// <see cref="FetcherOptions.MaxWait"/> should be well below <see cref="KafkaClientOptions.CallTimeout"/>. After a <c>Seek</c> it may take as
    /// long until the partition is asked again.
    /// </summary>
    public FetcherOptions Fetching
    {
        get;
        init => field = Interop.Required(value);
    } = new();

    /// <summary>
    /// How records are read: the codecs and the limits; no codecs unless set. Checksums are verified before, whatever it says.
    /// </summary>
    public RecordReadOptions Reading
    {
        get;
        init => field = Interop.Required(value);
    } = RecordReadOptions.Default;

    /// <summary>
    /// The memory for decompressed records, which is reused from batch to batch: a record is valid until iteration reaches the next batch. Null,
    /// unless set, for separate memory.
    /// </summary>
    public CodecBuffer? Buffer { get; init; }

    /// <summary>
    /// What to do with a partition after an event: <see cref="LibKafka.NextStep.Standard"/> unless set. It must be pure. It is called once for each
    /// event, before the event is handed out.
    /// </summary>
    public Func<ConsumerEvent, NextStep> NextStep
    {
        get;
        init => field = Interop.Required(value);
    } = LibKafka.NextStep.Standard;

    /// <summary>
    /// The bytes of memory that events in hand may hold before nothing more is asked for or received: 64 MiB unless set. It only limits a caller
    /// that keeps events (<c>Keep</c>): otherwise there is one at a time. Memory for later responses is kept up to the same size.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is zero or negative.</exception>
    public long MaxBytesInHand
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(MaxBytesInHand));
            field = value;
        }
    } = Standard.MaxBytesInHand;

    internal Topics.ConsumerSettings ToCore(ConsumerEventCache events) =>
        new(Fetching.ToSettings(), Reading.ToReading(Buffer), LibKafka.NextStep.ToCore(NextStep, events), MaxBytesInHand);
}
