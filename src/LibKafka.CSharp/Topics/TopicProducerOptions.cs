using System;
using System.Text;
using System.Threading;
using LibKafka.Records;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>What a <see cref="TopicProducer"/> guarantees.</summary>
public sealed class DeliveryGuarantee
{
    private DeliveryGuarantee(Topics.Guarantee core)
    {
        Core = core;
    }

    /// <summary>A batch is in the log once, however often it is sent (KIP-98). Requires <c>Acks.All</c>.</summary>
    public static DeliveryGuarantee Idempotent { get; } = new(Topics.Guarantee.Idempotent);

    /// <summary>A batch is sent again only if it is certain that it is not in the log.</summary>
    public static DeliveryGuarantee Plain { get; } = new(Topics.Guarantee.Plain);

    internal Topics.Guarantee Core { get; }

    /// <summary>
    /// As <see cref="Idempotent"/>, and the batches are part of the client's open transaction. The producer adds each partition to the transaction
    /// before the first batch for it. The caller begins (<see cref="TransactionClient.InitProducerId(TimeSpan, CancellationToken)"/>), and commits
    /// or aborts after <see cref="TopicProducer.Flush"/>.
    /// </summary>
    /// <param name="transaction">The client, which is not disposed of with the producer.</param>
    /// <returns>The guarantee.</returns>
    public static DeliveryGuarantee InTransaction(TransactionClient transaction) =>
        new(Topics.Guarantee.NewInTransaction(Interop.Required(transaction).Core));

    /// <summary>The guarantee in a word.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() =>
        Core.IsIdempotent ? "idempotent"
        : Core.IsPlain ? "plain"
        : "in a transaction";
}

/// <summary>How a <see cref="TopicProducer"/> works.</summary>
public sealed record TopicProducerOptions
{
    private static readonly Topics.TopicProducerSettings Standard = Topics.TopicProducerSettingsModule.standard;

    /// <summary>How records are collected into batches and assigned to partitions.</summary>
    public BatchCollectorOptions Batches
    {
        get;
        init => field = Interop.Required(value);
    } = new();

    /// <summary>
    /// Compresses the batches; null, unless set, to send them as they are. <c>LibKafka.Compression</c> has codecs.
    /// </summary>
    public ICompressionCodec? Codec { get; init; }

    /// <summary>
    /// The number of threads that compress batches while the caller waits for them, the caller's included: 1, unless set, for the caller's thread
    /// alone. With more than one, the codec must be thread-safe.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is zero or negative.</exception>
    public int CompressionThreads
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(CompressionThreads));
            field = value;
        }
    } = Standard.CompressionThreads;

    /// <summary>What the producer guarantees: <see cref="DeliveryGuarantee.Idempotent"/> unless set.</summary>
    public DeliveryGuarantee Guarantee
    {
        get;
        init => field = Interop.Required(value);
    } = DeliveryGuarantee.Idempotent;

    /// <summary>
    /// What brokers are asked to do for each batch. <c>Acks.None</c> is not possible, because nothing could be reported about a batch then.
    /// </summary>
    public ProducerOptions Producing
    {
        get;
        init => field = Interop.Required(value);
    } = new();

    /// <summary>
    /// When a batch is sent again: after 0.1 to 1 s each time, for up to two minutes since it was sent for the first time, unless set. The delays of
    /// a partition hold up no other. <c>Sleep</c> is not used.
    /// </summary>
    public RetryPolicy<ProduceResult> Retry
    {
        get;
        init => field = Interop.Required(value);
    } =
        RetryPolicy.For<ProduceResult>(static result => result.IsRetriable) with
        {
            Attempts = Standard.Retry.Attempts,
            MaxDelay = Standard.Retry.MaxDelay,
            TimeLimit = Standard.Retry.TimeLimit,
        };

    /// <summary>
    /// Whether a batch without keys goes to another partition after a failure, if it is certain that it is not in the log: false unless set. Then it
    /// is sent to the same partition again.
    /// </summary>
    public bool MoveKeyless { get; init; } = Standard.MoveKeyless;

    /// <summary>
    /// How often the topic's partitions and their leaders are looked up anew, for partitions that have been added: every 5 minutes unless set;
    /// <see cref="Timeout.InfiniteTimeSpan"/> for never. They are also looked up after failures.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan MetadataAge
    {
        get;
        init => field = Interop.CheckTimeout(value, nameof(MetadataAge));
    } = Standard.MetadataAge;

    /// <summary>
    /// Receives the events that no <c>Poll</c> has returned when the producer is disposed of; <see cref="TopicProducer.Close"/> returns them
    /// instead. Null, unless set, to trace those of batches that were not delivered (<c>Trace.TraceWarning</c>).
    /// </summary>
    public Action<ProducerEvent>? Unreported { get; init; }

    private bool PrintMembers(StringBuilder builder) =>
        builder.AppendMembers(
            (nameof(Batches), Batches),
            (nameof(Codec), Codec),
            (nameof(CompressionThreads), CompressionThreads),
            (nameof(Guarantee), Guarantee),
            (nameof(Producing), Producing),
            (nameof(Retry), Retry),
            (nameof(MoveKeyless), MoveKeyless),
            (nameof(MetadataAge), MetadataAge),
            (nameof(Unreported), Unreported)
        );

    internal Topics.TopicProducerSettings ToCore() =>
        new(
            batches: Batches.ToCore(),
            codec: Interop.OptionOf(Codec),
            compressionThreads: CompressionThreads,
            guarantee: Guarantee.Core,
            producing: Producing.ToSettings(),
            retry: Retry.ToCore<Client.Produced>(static reply => new ProduceResult(reply, CallOptions.Default)),
            moveKeyless: MoveKeyless,
            metadataAge: MetadataAge,
            unreported: Unreported is { } unreported
                ? FuncConvert.FromAction<Topics.ProducerEvent>(core => unreported(ProducerEvent.Of(core)))
                : Standard.Unreported
        );
}
