using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka.Records;
using Microsoft.FSharp.Collections;

namespace LibKafka;

/// <summary>
/// Produces records to a topic: collects them into batches, and sends the batches of all partitions at once, each on a connection of its own, with
/// one request in flight for each. Everything happens in the thread that calls <see cref="Poll"/> or <see cref="Flush"/>; <c>Add</c> does no I/O.
/// Nothing is sent between these calls, so call <see cref="Poll"/> often: after each hundredth or thousandth record, and whenever there is nothing to
/// add.
/// <para>
/// Each batch is reported once, as <see cref="BatchDelivered"/>, or as <see cref="BatchUndelivered"/> with the reason. The ticket that <c>Add</c>
/// returns says which batch a record is in. Records of a partition are appended in the order in which they were added, also if a batch is sent
/// again: the next one waits. A batch that is given up is left out, and the next one is sent.
/// </para>
/// <para>
/// By default brokers append a batch once, however often it is sent; see <see cref="TopicProducerOptions"/> for that, compression, retries and
/// limits. New partitions, moved leaders and a recreated topic are taken up. It is not thread-safe: a second thread that uses it at the same time gets
/// an <see cref="InvalidOperationException"/>.
/// </para>
/// </summary>
/// <remarks>
/// <code>
/// using var producer = TopicProducer.Open(new KafkaClientOptions("localhost:9092"), "orders").ThrowIfError();
/// for (var number = 1; number &lt;= 100_000; number++)
/// {
///     while (producer.Add("customer 1"u8, Encoding.UTF8.GetBytes($"order {number}")).Status == AddStatus.Full)
///     {
///         Report(producer.Poll(TimeSpan.FromSeconds(1)));
///     }
/// }
///
/// Report(producer.Flush(TimeSpan.FromMinutes(1)));
///
/// static void Report(IEnumerable&lt;ProducerEvent&gt; events)
/// {
///     foreach (var undelivered in events.OfType&lt;BatchUndelivered&gt;())
///     {
///         Console.Error.WriteLine(undelivered);
///     }
/// }
/// </code>
/// </remarks>
public sealed class TopicProducer : IDisposable
{
    private readonly Topics.TopicProducer _core;
    private readonly HeaderBuffer _headers = new();

    private TopicProducer(Topics.TopicProducer core, TopicProducerOptions options)
    {
        _core = core;
        Options = options;
    }

    /// <summary>The topic.</summary>
    public string Topic => _core.Topic;

    /// <summary>The number of partitions that the topic is known to have.</summary>
    public int Partitions => _core.Partitions;

    /// <summary>The options.</summary>
    public TopicProducerOptions Options { get; }

    /// <summary>The number of batches that have begun and have not been reported yet.</summary>
    public long Outstanding => _core.Outstanding;

    /// <summary>
    /// The bytes of the records that are in batches that have not been reported yet: see <see cref="BatchCollectorOptions.MaxBufferedBytes"/>.
    /// </summary>
    public long BufferedBytes => _core.BufferedBytes;

    /// <summary>
    /// The identity that the producers of partitions begin with; null before the first batch is sent, and for a producer that is not idempotent.
    /// </summary>
    public ProducerIdentity? Identity => _core.Identity is { } identity ? ProducerIdentity.Of(identity.Value) : null;

    /// <summary>
    /// Looks up the topic's partitions and their leaders, by one request, and makes a producer. It has no connection yet.
    /// </summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="producerOptions">The options of the producer; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>
    /// The producer, or the fault: <see cref="KafkaFaultKind.NoLeader"/> if there is no such topic, which is transient, as the topic may be about to be
    /// created. <see cref="RetryPolicy.Standard"/> waits for it.
    /// </returns>
    /// <exception cref="ArgumentException">The topic name is empty, or an option is invalid, such as <c>Acks.None</c>.</exception>
    /// <exception cref="InvalidOperationException">
    /// The transaction has no identity yet: call <see cref="TransactionClient.InitProducerId(TimeSpan, CancellationToken)"/> first.
    /// </exception>
    public static KafkaResult<TopicProducer> Open(
        KafkaClientOptions options,
        string topic,
        TopicProducerOptions? producerOptions = null,
        CancellationToken cancellationToken = default
    ) => Open(options, topic, producerOptions, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Open(KafkaClientOptions, string, TopicProducerOptions?, CancellationToken)"/>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="producerOptions">The options of the producer; null for the defaults.</param>
    /// <param name="callOptions">The options of the call.</param>
    public static KafkaResult<TopicProducer> Open(
        KafkaClientOptions options,
        string topic,
        TopicProducerOptions? producerOptions,
        CallOptions callOptions
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        Interop.RequiredTopic(topic);
        ArgumentNullException.ThrowIfNull(callOptions);
        var log = new ExchangeLog();
        var settings = options.ToSettings(log);
        var given = producerOptions ?? new();
        var producing = Interop.Checked(Topics.TopicProducerSettingsModule.check(given.ToCore()), nameof(producerOptions));
        return log.Run(
            callOptions,
            () => Topics.TopicProducer.Open(settings, options.ToBootstrap(), topic, producing, callOptions.ToCore()),
            core => new TopicProducer(core, given)
        );
    }

    /// <summary>
    /// Adds a record for the partition that the options choose by its key. The bytes are copied, and nothing else is allocated or done. Spans, memory
    /// and arrays convert to <see cref="NullableSpan"/>.
    /// </summary>
    /// <param name="key">The key; null differs from empty.</param>
    /// <param name="value">The value; null, which differs from empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was created; null for now. Kafka keeps whole milliseconds.</param>
    /// <param name="headers">The headers, in order.</param>
    /// <returns>The record's ticket. If the status is <see cref="AddStatus.Full"/>, nothing was added: poll, and add the record again.</returns>
    /// <exception cref="InvalidOperationException">
    /// Another thread uses the producer, or <see cref="BatchCollectorOptions.ChoosePartition"/> chose a partition that does not exist.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The producer has been closed.</exception>
    public AddResult Add(
        NullableSpan key,
        NullableSpan value,
        DateTimeOffset? timestamp = null,
        params ReadOnlySpan<KafkaHeader> headers
    ) => Add(key, value, timestamp?.ToUnixTimeMilliseconds() ?? _core.Now(), headers);

    /// <inheritdoc cref="Add(NullableSpan, NullableSpan, DateTimeOffset?, ReadOnlySpan{KafkaHeader})"/>
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
    /// <param name="timestamp">When the record was created; null for now. Kafka keeps whole milliseconds.</param>
    /// <param name="headers">The headers, in order.</param>
    /// <returns>The record's ticket. If the status is <see cref="AddStatus.Full"/>, nothing was added: poll, and add the record again.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The topic is not known to have the partition.</exception>
    /// <exception cref="InvalidOperationException">Another thread uses the producer.</exception>
    /// <exception cref="ObjectDisposedException">The producer has been closed.</exception>
    public AddResult Add(
        int partition,
        NullableSpan key,
        NullableSpan value,
        DateTimeOffset? timestamp = null,
        params ReadOnlySpan<KafkaHeader> headers
    ) => Add(partition, key, value, timestamp?.ToUnixTimeMilliseconds() ?? _core.Now(), headers);

    /// <inheritdoc cref="Add(int, NullableSpan, NullableSpan, DateTimeOffset?, ReadOnlySpan{KafkaHeader})"/>
    /// <param name="partition">The partition, or <see cref="Partitioning.Any"/>.</param>
    /// <param name="key">The key; null differs from empty.</param>
    /// <param name="value">The value; null, which differs from empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was created, in milliseconds since 1970-01-01 UTC; -1 for none.</param>
    /// <param name="headers">The headers, in order.</param>
    public AddResult Add(int partition, NullableSpan key, NullableSpan value, long timestamp, params ReadOnlySpan<KafkaHeader> headers) =>
        AddResult.Of(_core.Add(partition, key, value, _headers.ToCore(headers), timestamp));

    /// <summary>
    /// Sends the batches that are full or have lingered, and returns what has happened to batches since the last call. If nothing has, it waits until
    /// something does, the time is over, or it is cancelled; then the list is empty. If <c>Add</c> has just reported
    /// <see cref="AddStatus.Full"/>, batches that have not lingered are sent too if nothing else makes room.
    /// </summary>
    /// <remarks>
    /// It takes longer than the time-out while a connection is made or a broker is slow to accept a batch: see
    /// <see cref="KafkaClientOptions.ConnectTimeout"/> and <see cref="KafkaClientOptions.CallTimeout"/>. What an observer throws is thrown; the events
    /// are returned by the next call.
    /// </remarks>
    /// <param name="timeout">
    /// How long to wait: zero not at all, <see cref="Timeout.InfiniteTimeSpan"/> as long as there is anything to wait for.
    /// </param>
    /// <param name="cancellationToken">Ends the wait, and no request.</param>
    /// <returns>The events.</returns>
    /// <exception cref="InvalidOperationException">Another thread uses the producer.</exception>
    /// <exception cref="ObjectDisposedException">The producer has been closed.</exception>
    public IReadOnlyList<ProducerEvent> Poll(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        EventsOf(_core.Poll(timeout, Interop.OptionOf(cancellationToken)));

    /// <summary>
    /// Sends all batches, full or not, and waits until each is delivered or given up, the time is over, or it is cancelled. Afterwards
    /// <see cref="Outstanding"/> is 0 if the time was enough.
    /// </summary>
    /// <param name="timeout">How long to wait; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.</param>
    /// <param name="cancellationToken">Ends the wait, and no request.</param>
    /// <returns>What has happened to batches since the last call.</returns>
    /// <exception cref="InvalidOperationException">Another thread uses the producer.</exception>
    /// <exception cref="ObjectDisposedException">The producer has been closed.</exception>
    public IReadOnlyList<ProducerEvent> Flush(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        EventsOf(_core.Flush(timeout, Interop.OptionOf(cancellationToken)));

    /// <summary>
    /// Closes all connections. Batches that have not been delivered are given up: call <see cref="Flush"/> before. If one is in flight, it may be in
    /// the log. The connections of a transaction are left to its client.
    /// </summary>
    /// <returns>What has happened to batches since the last call; nothing if the producer is closed already.</returns>
    public IReadOnlyList<ProducerEvent> Close() => EventsOf(_core.Close());

    /// <summary>
    /// As <see cref="Close"/>; the events go to <see cref="TopicProducerOptions.Unreported"/>.
    /// </summary>
    public void Dispose() => ((IDisposable)_core).Dispose();

    private static IReadOnlyList<ProducerEvent> EventsOf(FSharpList<Topics.ProducerEvent> events) =>
        events.IsEmpty ? [] : [.. events.Select(ProducerEvent.Of)];
}
