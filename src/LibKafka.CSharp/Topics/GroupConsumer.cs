using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace LibKafka;

/// <summary>
/// A member of a consumer group, of the classic protocol or of the new one (KIP-848). It reads its partitions, all at once, as a
/// <see cref="TopicConsumer"/> does. Everything happens in the caller's thread, inside <c>Poll</c>: fetches, heartbeats, rebalances, commits. So
/// <c>Poll</c> must be called more often than the session time-out, unless <see cref="GroupConsumerOptions.HeartbeatThread"/> is on.
/// <para>
/// <c>Poll</c> returns one event at a time, and with the next <c>Poll</c> the event counts as handled. What has been handled is committed at
/// <see cref="GroupConsumerOptions.CommitInterval"/>, or by <c>Commit</c>. A member that dies loses at most the commit of what it has handled: those
/// records are read again.
/// </para>
/// <para>It is not thread-safe: a second thread that uses it at the same time gets an <see cref="InvalidOperationException"/>.</para>
/// </summary>
/// <remarks>
/// <code>
/// var group = new GroupConsumerOptions("billing", "orders");
/// using var consumer = new GroupConsumer(new KafkaClientOptions("localhost:9092"), group);
/// while (!stop.IsCancellationRequested)
/// {
///     switch (consumer.Poll(TimeSpan.FromSeconds(1), stop))
///     {
///         case RecordsFetched fetched:
///             foreach (ref readonly var record in fetched.Records)
///             {
///                 Console.WriteLine($"{fetched.Partition} {record.Offset}: {Encoding.UTF8.GetString(record.Value)}");
///             }
///
///             break;
///         case GroupFailed { IsFatal: true } failed:
///             throw failed.Failure.ToException();
///         case { } other:
///             Console.Error.WriteLine(other);
///             break;
///     }
/// }
///
/// Console.Error.WriteLine(consumer.Close());
/// </code>
/// </remarks>
public sealed class GroupConsumer : IDisposable
{
    private readonly Topics.GroupConsumer _core;
    private readonly ConsumerEventCache _events;

    /// <summary>A member that has not joined yet.</summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="groupOptions">The group, the topics, and how the member takes part.</param>
    /// <param name="consumerOptions">How partitions are read; null for the defaults.</param>
    /// <exception cref="ArgumentException">Some options cannot be used, or not together; the message says which and why.</exception>
    public GroupConsumer(KafkaClientOptions options, GroupConsumerOptions groupOptions, TopicConsumerOptions? consumerOptions = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(groupOptions);
        Options = groupOptions;
        _events = new();
        var group = Interop.Checked(Topics.GroupSettingsModule.check(groupOptions.ToCore()), nameof(groupOptions));
        var settings = options.ToSettings(new());
        var consumer = Interop.Checked(settings, (consumerOptions ?? new()).ToCore(_events), nameof(consumerOptions));
        _core = new(settings, options.ToBootstrap(), group, consumer);
    }

    internal GroupConsumer(Topics.GroupConsumer core, GroupConsumerOptions options, ConsumerEventCache events)
    {
        _core = core;
        Options = options;
        _events = events;
    }

    /// <summary>The options of the member.</summary>
    public GroupConsumerOptions Options { get; }

    /// <summary>
    /// The member's place in the group, for committing offsets by other clients, such as a <see cref="TransactionClient"/>.
    /// </summary>
    public GroupMembership Membership => GroupMembership.Of(_core.Membership);

    /// <summary>The partitions that the member has.</summary>
    public IReadOnlyList<TopicPartition> Partitions => [.. _core.Partitions.Select(TopicPartition.Of)];

    /// <summary>What is known of a partition.</summary>
    /// <param name="partition">The partition.</param>
    /// <returns>The status; null if the member does not read it.</returns>
    public PartitionStatus? Status(TopicPartition partition) =>
        PartitionStatus.Of(_core.Status(Interop.Required(partition).ToCore()).OrNull());

    /// <summary>
    /// The next event. The event of the last poll counts as handled, unless it is kept. Calls to the coordinator that are outstanding when the time is
    /// over continue in the next poll.
    /// </summary>
    /// <param name="timeout">How long to wait for one; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The event; null if there is none within the time, or if it is cancelled.</returns>
    /// <exception cref="ObjectDisposedException">The consumer has been closed.</exception>
    public GroupEvent? Poll(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        _core.Poll(timeout, Interop.OptionOf(cancellationToken)) is { } found ? GroupEvent.Of(found.Value, _events) : null;

    /// <summary>
    /// Commits the positions after everything that <c>Poll</c> has returned, including the last event, and waits for the answer. A kept event does not
    /// count. What is refused for a transient reason is sent again within the time of the call.
    /// </summary>
    /// <param name="cancellationToken">Cancels the call. The offsets may be committed nevertheless.</param>
    /// <returns>The result for each partition.</returns>
    /// <exception cref="ObjectDisposedException">The consumer has been closed.</exception>
    public GroupCommit Commit(CancellationToken cancellationToken = default) => Commit(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Commit(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public GroupCommit Commit(CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(callOptions);
        return new(_core.Commit(callOptions.ToCore()), callOptions.CancellationToken);
    }

    /// <summary>Commits offsets, each one after the last record processed, and waits for the answer.</summary>
    /// <param name="offsets">
    /// The offsets by partition. For partitions that the member does not have nothing is sent: see <see cref="CommitStatus.NotAssigned"/>.
    /// </param>
    /// <param name="cancellationToken">Cancels the call. The offsets may be committed nevertheless.</param>
    /// <returns>The result for each partition.</returns>
    /// <exception cref="ObjectDisposedException">The consumer has been closed.</exception>
    public GroupCommit Commit(
        IEnumerable<KeyValuePair<TopicPartition, CommittedOffset>> offsets,
        CancellationToken cancellationToken = default
    ) => Commit(offsets, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Commit(IEnumerable{KeyValuePair{TopicPartition, CommittedOffset}}, CancellationToken)"/>
    /// <param name="offsets">
    /// The offsets by partition. For partitions that the member does not have nothing is sent: see <see cref="CommitStatus.NotAssigned"/>.
    /// </param>
    /// <param name="callOptions">The options of the call.</param>
    public GroupCommit Commit(IEnumerable<KeyValuePair<TopicPartition, CommittedOffset>> offsets, CallOptions callOptions)
    {
        var given = GroupClient.ToCore(Interop.RequiredAll(offsets));
        ArgumentNullException.ThrowIfNull(callOptions);
        return new(_core.Commit(given, callOptions.ToCore()), callOptions.CancellationToken);
    }

    /// <summary>
    /// Commits what has been handled without waiting: a later <c>Poll</c> returns the result as <see cref="OffsetsCommitted"/>.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The consumer has been closed.</exception>
    public void BeginCommit() => _core.BeginCommit();

    /// <summary>Changes the subscription.</summary>
    /// <param name="subscription">The topics that the member subscribes to from now on.</param>
    /// <exception cref="ArgumentException">The subscription cannot be used.</exception>
    /// <exception cref="ObjectDisposedException">The consumer has been closed.</exception>
    public void Subscribe(TopicSubscription subscription) => _core.Subscribe(Interop.Required(subscription).Core);

    /// <summary>
    /// Sets where a partition is read from: see <see cref="TopicConsumer.Seek(TopicPartition, FetchPosition)"/>. A partition without a committed offset
    /// may be started this way.
    /// </summary>
    /// <param name="partition">The partition.</param>
    /// <param name="position">The position.</param>
    /// <exception cref="ArgumentException">The member does not have the partition.</exception>
    /// <exception cref="ObjectDisposedException">The consumer has been closed.</exception>
    public void Seek(TopicPartition partition, FetchPosition position) =>
        _core.Seek(Interop.Required(partition).ToCore(), Topics.Start.NewAt(Interop.Required(position).ToCore()));

    /// <inheritdoc cref="Seek(TopicPartition, FetchPosition)"/>
    /// <param name="partition">The partition.</param>
    /// <param name="offset">The place or timestamp, whose offset the leader finds.</param>
    public void Seek(TopicPartition partition, OffsetSpec offset) =>
        _core.Seek(Interop.Required(partition).ToCore(), Topics.Start.NewFind(offset));

    /// <summary>Asks for nothing more of a partition until <see cref="Resume"/>. The member keeps it.</summary>
    /// <param name="partition">The partition.</param>
    /// <exception cref="ObjectDisposedException">The consumer has been closed.</exception>
    public void Pause(TopicPartition partition) => _core.Pause(Interop.Required(partition).ToCore());

    /// <summary>Reads a partition again after <see cref="Pause"/>.</summary>
    /// <param name="partition">The partition.</param>
    /// <exception cref="ObjectDisposedException">The consumer has been closed.</exception>
    public void Resume(TopicPartition partition) => _core.Resume(Interop.Required(partition).ToCore());

    /// <summary>
    /// Keeps the event of a partition in hand over the next polls, until <see cref="Handled"/>. It is not committed before.
    /// </summary>
    /// <param name="partition">The partition.</param>
    /// <exception cref="ObjectDisposedException">The consumer has been closed.</exception>
    public void Keep(TopicPartition partition) => _core.Keep(Interop.Required(partition).ToCore());

    /// <summary>A kept event has been handled.</summary>
    /// <param name="partition">The partition.</param>
    /// <exception cref="ObjectDisposedException">The consumer has been closed.</exception>
    public void Handled(TopicPartition partition) => _core.Handled(Interop.Required(partition).ToCore());

    /// <summary>
    /// Leaves the group and closes all connections. With <see cref="GroupConsumerOptions.CommitInterval"/> what has been handled is committed first,
    /// including the last event. A static member stays in the group, unless <see cref="GroupConsumerOptions.StaticLeaves"/> is on.
    /// </summary>
    /// <param name="cancellationToken">Cancels the calls to the coordinator. The connections are closed nevertheless.</param>
    /// <returns>What was committed, and how the member has left. A second call returns the same.</returns>
    public GroupClosed Close(CancellationToken cancellationToken = default) => Close(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Close(CancellationToken)"/>
    /// <param name="callOptions">The options of the calls to the coordinator.</param>
    public GroupClosed Close(CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(callOptions);
        return new(_core.Close(callOptions.ToCore()), callOptions.CancellationToken);
    }

    /// <summary>
    /// As <c>Close</c>, but the last event does not count as handled: an exception may have ended its handling.
    /// </summary>
    public void Dispose() => ((IDisposable)_core).Dispose();
}
