using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Microsoft.FSharp.Collections;

namespace LibKafka;

/// <summary>
/// Reads partitions, all at once, in the caller's thread. Every partition has a connection of its own to its leader, or to the replica that the
/// leader names, and a request in flight on it as long as it has nothing in hand: so an empty partition does not hold up a full one.
/// <para>
/// <c>Poll</c> returns one event at a time. It sends requests, receives responses and makes connections; between polls nothing happens. An event is in
/// hand until the next <c>Poll</c>, or until <see cref="Handled"/> after <see cref="Keep"/>. Then its partition is asked again, from where
/// <see cref="TopicConsumerOptions.NextStep"/> says, and its memory is used again: no memory is allocated for each record. Reading
/// its records after that throws an <see cref="InvalidOperationException"/>.
/// </para>
/// <para>
/// Positions are in the caller's hands: they are set when a partition is added, and nothing is committed. A partition's position moves when an event
/// has been handled.
/// </para>
/// <para>
/// Making a connection blocks: a poll may take longer than its time-out by <see cref="KafkaClientOptions.ConnectTimeout"/>. Answers that have arrived
/// are handed out before a second connection is made. Leaders are asked for by one request for all partitions. While a broker cannot be connected to,
/// one of its partitions tries it after growing pauses and reports the failure; the others connect one after another when it is back.
/// </para>
/// <para>It is not thread-safe: a second thread that uses it at the same time gets an <see cref="InvalidOperationException"/>.</para>
/// </summary>
/// <remarks>
/// <code>
/// using var consumer = new TopicConsumer(new KafkaClientOptions("localhost:9092"));
/// consumer.AddTopic("orders", OffsetSpec.Earliest).ThrowIfError();
/// while (true)
/// {
///     switch (consumer.Poll(TimeSpan.FromSeconds(1)))
///     {
///         case RecordsFetched fetched:
///             foreach (ref readonly var record in fetched.Records)
///             {
///                 Console.WriteLine($"{fetched.Partition} {record.Offset}: {Encoding.UTF8.GetString(record.Value)}");
///             }
///
///             break;
///         case { } other:
///             Console.Error.WriteLine(other);
///             break;
///     }
/// }
/// </code>
/// </remarks>
public sealed class TopicConsumer : IDisposable
{
    private readonly Topics.TopicConsumer _core;
    private readonly ConsumerEventCache _events = new();
    private readonly ExchangeLog _log = new();

    /// <summary>A consumer without partitions.</summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="consumerOptions">The options of the consumer; null for the defaults.</param>
    /// <exception cref="ArgumentException">
    /// <see cref="FetcherOptions.MaxWait"/> is not shorter than <see cref="KafkaClientOptions.CallTimeout"/>.
    /// </exception>
    public TopicConsumer(KafkaClientOptions options, TopicConsumerOptions? consumerOptions = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = consumerOptions ?? new();
        var settings = options.ToSettings(_log);
        var consumer = Interop.Checked(settings, Options.ToCore(_events), nameof(consumerOptions));
        _core = new(settings, options.ToBootstrap(), consumer);
    }

    /// <summary>The options of the consumer.</summary>
    public TopicConsumerOptions Options { get; }

    /// <summary>The partitions.</summary>
    public IReadOnlyList<TopicPartition> Partitions => [.. _core.Partitions.Select(TopicPartition.Of)];

    /// <summary>The bytes of memory that events in hand hold.</summary>
    public long BytesInHand => _core.BytesInHand;

    /// <summary>Adds a partition, which is read from a position on, from the next <c>Poll</c> on.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="position">The position. Log truncation below it is detected only if it has an epoch.</param>
    /// <exception cref="ArgumentException">The partition is there already, or has no topic or a negative number.</exception>
    /// <exception cref="ObjectDisposedException">The consumer has been disposed of.</exception>
    public void Add(TopicPartition partition, FetchPosition position) =>
        _core.Add(Interop.Required(partition).ToCore(), Topics.Start.NewAt(Interop.Required(position).ToCore()));

    /// <summary>Adds a partition, which is read from the offset that its leader finds, from the next <c>Poll</c> on.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="offset">The place or timestamp.</param>
    /// <exception cref="ArgumentException">The partition is there already, or has no topic or a negative number.</exception>
    /// <exception cref="ObjectDisposedException">The consumer has been disposed of.</exception>
    public void Add(TopicPartition partition, OffsetSpec offset) =>
        _core.Add(Interop.Required(partition).ToCore(), Topics.Start.NewFind(offset));

    /// <summary>
    /// Adds all partitions of a topic that are not there yet. Partitions that the topic gets later are not noticed: call it again.
    /// </summary>
    /// <param name="topic">The topic.</param>
    /// <param name="offset">Where each is read from.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The partitions that were added, or the fault: <see cref="KafkaFaultKind.NoLeader"/> if there is no such topic.</returns>
    /// <exception cref="ArgumentException">The topic name is empty.</exception>
    /// <exception cref="ObjectDisposedException">The consumer has been disposed of.</exception>
    public KafkaResult<IReadOnlyList<TopicPartition>> AddTopic(
        string topic,
        OffsetSpec offset,
        CancellationToken cancellationToken = default
    ) => AddTopic(topic, offset, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="AddTopic(string, OffsetSpec, CancellationToken)"/>
    /// <param name="topic">The topic.</param>
    /// <param name="offset">Where each is read from.</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<IReadOnlyList<TopicPartition>> AddTopic(string topic, OffsetSpec offset, CallOptions callOptions)
    {
        Interop.RequiredTopic(topic);
        ArgumentNullException.ThrowIfNull(callOptions);
        return _log.Run<FSharpList<Client.TopicPartition>, IReadOnlyList<TopicPartition>>(
            callOptions,
            () => _core.AddTopic(topic, Topics.Start.NewFind(offset), callOptions.ToCore()),
            added => [.. added.Select(TopicPartition.Of)]
        );
    }

    /// <summary>
    /// Removes a partition and closes its connection. What is in flight is dropped; an event in hand stays valid until the next <c>Poll</c>. Nothing
    /// happens if the partition is not there.
    /// </summary>
    /// <param name="partition">The partition.</param>
    /// <exception cref="ObjectDisposedException">The consumer has been disposed of.</exception>
    public void Remove(TopicPartition partition) => _core.Remove(Interop.Required(partition).ToCore());

    /// <summary>
    /// Sets where a partition is read from. It counts at once: an event in hand no longer moves the position, and the answer to a request in flight is
    /// dropped. A partition that was given up is read again.
    /// </summary>
    /// <param name="partition">The partition.</param>
    /// <param name="position">The position.</param>
    /// <exception cref="ArgumentException">The partition is not there.</exception>
    /// <exception cref="ObjectDisposedException">The consumer has been disposed of.</exception>
    public void Seek(TopicPartition partition, FetchPosition position) =>
        _core.Seek(Interop.Required(partition).ToCore(), Topics.Start.NewAt(Interop.Required(position).ToCore()));

    /// <inheritdoc cref="Seek(TopicPartition, FetchPosition)"/>
    /// <param name="partition">The partition.</param>
    /// <param name="offset">The place or timestamp, whose offset the leader finds.</param>
    public void Seek(TopicPartition partition, OffsetSpec offset) =>
        _core.Seek(Interop.Required(partition).ToCore(), Topics.Start.NewFind(offset));

    /// <summary>
    /// Asks for nothing more of a partition until <see cref="Resume"/>. The answer to a request in flight is kept until then. Nothing happens if the
    /// partition is not there.
    /// </summary>
    /// <param name="partition">The partition.</param>
    /// <exception cref="ObjectDisposedException">The consumer has been disposed of.</exception>
    public void Pause(TopicPartition partition) => _core.Pause(Interop.Required(partition).ToCore());

    /// <summary>Reads a partition again after <see cref="Pause"/>.</summary>
    /// <param name="partition">The partition.</param>
    /// <exception cref="ObjectDisposedException">The consumer has been disposed of.</exception>
    public void Resume(TopicPartition partition) => _core.Resume(Interop.Required(partition).ToCore());

    /// <summary>The position after all records of a partition that have been handled. While an event is in hand, it is where the event began.</summary>
    /// <param name="partition">The partition.</param>
    /// <returns>The position; null while its offset is being looked for, and if the partition is not there.</returns>
    public FetchPosition? Position(TopicPartition partition) =>
        _core.Position(Interop.Required(partition).ToCore()) is { } position ? FetchPosition.Of(position.Value) : null;

    /// <summary>What is known of a partition.</summary>
    /// <param name="partition">The partition.</param>
    /// <returns>The status; null if the partition is not there.</returns>
    public PartitionStatus? Status(TopicPartition partition) =>
        PartitionStatus.Of(_core.Status(Interop.Required(partition).ToCore()).OrNull());

    /// <summary>
    /// Keeps the event of a partition in hand over the next polls, until <see cref="Handled"/>. Nothing happens if it has none.
    /// </summary>
    /// <param name="partition">The partition.</param>
    /// <exception cref="ObjectDisposedException">The consumer has been disposed of.</exception>
    public void Keep(TopicPartition partition) => _core.Keep(Interop.Required(partition).ToCore());

    /// <summary>
    /// The event of a partition has been handled: its memory is used again, and the next <c>Poll</c> asks for what follows. Nothing happens if it has
    /// none.
    /// </summary>
    /// <param name="partition">The partition.</param>
    /// <exception cref="ObjectDisposedException">The consumer has been disposed of.</exception>
    public void Handled(TopicPartition partition) => _core.Handled(Interop.Required(partition).ToCore());

    /// <summary>The next event. The event of the last poll counts as handled, unless it is kept.</summary>
    /// <param name="timeout">How long to wait for one; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>
    /// The event; null if there is none within the time, if it is cancelled, or if the time is unlimited and nothing would ever end the wait.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The consumer has been disposed of.</exception>
    public ConsumerEvent? Poll(TimeSpan timeout, CancellationToken cancellationToken = default) => Poll([], timeout, cancellationToken);

    /// <summary>
    /// The next event; also null as soon as one of some other calls is ready. Events come first: look at the other calls between polls.
    /// </summary>
    /// <param name="timeout">How long to wait for one; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.</param>
    /// <param name="others">The other calls.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The event, or null.</returns>
    /// <exception cref="ObjectDisposedException">The consumer has been disposed of.</exception>
    public ConsumerEvent? Poll(TimeSpan timeout, IReadOnlyList<PendingCall> others, CancellationToken cancellationToken = default) =>
        Poll(Interop.RequiredAll(others), timeout, cancellationToken);

    /// <summary>Closes all connections.</summary>
    public void Dispose() => ((IDisposable)_core).Dispose();

    private ConsumerEvent? Poll(PendingCall[] others, TimeSpan timeout, CancellationToken cancellationToken) =>
        _core.PollWith(others, timeout, Interop.OptionOf(cancellationToken)) is { } found ? _events.Of(found.Value) : null;
}
