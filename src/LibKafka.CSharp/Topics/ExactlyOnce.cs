using System;
using System.Collections.Generic;
using System.Threading;
using LibKafka.Records;
using Microsoft.FSharp.Collections;

namespace LibKafka;

/// <summary>
/// Makes records from records. It is called again with the same records if their transaction was aborted, so it must have no other effect than to add
/// records to the output.
/// </summary>
/// <param name="from">The partition that was read.</param>
/// <param name="records">Its records, valid until the function returns.</param>
/// <param name="output">Takes the records that are made.</param>
public delegate void Transform(TopicPartition from, FetchedRecords records, TransformOutput output);

/// <summary>
/// Where a <see cref="Transform"/> puts its records. They belong to the transaction that also commits the positions of the records they were made from.
/// </summary>
public sealed class TransformOutput
{
    private readonly Topics.TransformOutput _core;
    private readonly HeaderBuffer _headers;
    private readonly TimeProvider _time;

    internal TransformOutput(Topics.TransformOutput core, HeaderBuffer headers, TimeProvider time)
    {
        _core = core;
        _headers = headers;
        _time = time;
    }

    /// <summary>The number of records that were added to the transaction.</summary>
    public int Count => _core.Count;

    /// <summary>
    /// Adds a record to a topic, for the partition that the options choose by its key. The bytes are copied. If the buffer is full, it sends what it has,
    /// and waits until that is acknowledged.
    /// </summary>
    /// <param name="topic">The topic.</param>
    /// <param name="key">The key; null differs from empty.</param>
    /// <param name="value">The value; null, which differs from empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was created; null for now. Kafka keeps whole milliseconds.</param>
    /// <param name="headers">The headers, in order.</param>
    /// <exception cref="ArgumentException">The record is larger than a batch may be.</exception>
    public void Add(
        string topic,
        NullableSpan key,
        NullableSpan value,
        DateTimeOffset? timestamp = null,
        params ReadOnlySpan<KafkaHeader> headers
    )
    {
        ArgumentNullException.ThrowIfNull(topic);
        Add(topic, key, value, (timestamp ?? _time.GetUtcNow()).ToUnixTimeMilliseconds(), headers);
    }

    /// <inheritdoc cref="Add(string, NullableSpan, NullableSpan, DateTimeOffset?, ReadOnlySpan{KafkaHeader})"/>
    /// <param name="topic">The topic.</param>
    /// <param name="key">The key; null differs from empty.</param>
    /// <param name="value">The value; null, which differs from empty, makes the record a tombstone.</param>
    /// <param name="timestamp">When the record was created, in milliseconds since 1970-01-01 UTC; -1 for none.</param>
    /// <param name="headers">The headers, in order.</param>
    public void Add(string topic, NullableSpan key, NullableSpan value, long timestamp, params ReadOnlySpan<KafkaHeader> headers)
    {
        ArgumentNullException.ThrowIfNull(topic);
        _core.Add(topic, key, value, _headers.ToCore(headers), timestamp);
    }
}

/// <summary>How records are transformed exactly once.</summary>
public sealed record ExactlyOnceOptions
{
    private static readonly Topics.ExactlyOnceSettings Standard = Topics.ExactlyOnceSettingsModule.make("", FSharpList<string>.Empty, "");

    /// <summary>Options for a dynamic member of a classic group.</summary>
    /// <param name="groupId">The group.</param>
    /// <param name="transactionalId">See <see cref="TransactionalId"/>.</param>
    /// <param name="topics">The topics to read.</param>
    public ExactlyOnceOptions(string groupId, string transactionalId, params IEnumerable<string> topics)
    {
        Group = new GroupConsumerOptions(groupId, topics) { RequireStable = Standard.Group.RequireStable };
        TransactionalId = Interop.Required(transactionalId);
    }

    /// <summary>
    /// How the records are read. Offsets are committed in the transactions only, whatever <see cref="GroupConsumerOptions.CommitInterval"/> says.
    /// <see cref="GroupConsumerOptions.RequireStable"/>, which is on unless this is set, must be on, except with brokers before Kafka 2.5, which cannot
    /// do it; there each partition needs a transactional id of its own.
    /// </summary>
    public GroupConsumerOptions Group
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>
    /// Identifies the producer from one start of the program to the next, so that an unfinished transaction of the last run is aborted. Each process that
    /// runs at the same time needs its own.
    /// </summary>
    public string TransactionalId
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>The coordinator aborts a transaction that stays open longer: a minute unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan TransactionTimeout
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(TransactionTimeout));
    } = Standard.TransactionTimeout;

    /// <summary>
    /// How long a transaction takes more input after its first records: 100 milliseconds unless set. It is committed at the next poll after that, and
    /// before the member gives up partitions. Zero to commit each fetched part of a partition in a transaction of its own. Readers of committed records
    /// wait as long for the output. It must be shorter than <see cref="TransactionTimeout"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or longer than 2³¹ milliseconds.</exception>
    public TimeSpan TransactionInterval
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.Zero, nameof(TransactionInterval));
    } = Standard.TransactionInterval;

    /// <summary>How partitions are read. Only committed records are read, whatever its isolation level is.</summary>
    public TopicConsumerOptions Reading
    {
        get;
        init => field = Interop.Required(value);
    } = new();

    /// <summary>How the output is collected into batches: with an infinite <see cref="BatchCollectorOptions.Linger"/> unless set.</summary>
    public BatchCollectorOptions Collecting
    {
        get;
        init => field = Interop.Required(value);
    } = new() { Linger = Standard.Collecting.Linger };

    /// <summary>
    /// Compresses the output; null, unless set, to send it as it is. <c>LibKafka.Compression</c> has codecs.
    /// </summary>
    public ICompressionCodec? Codec { get; init; }

    internal Topics.ExactlyOnceSettings ToCore(ConsumerEventCache events) =>
        new(
            group: Group.ToCore(),
            transactionalId: TransactionalId,
            transactionTimeout: TransactionTimeout,
            transactionInterval: TransactionInterval,
            reading: Reading.ToCore(events),
            collecting: Collecting.ToCore(),
            codec: Interop.OptionOf(Codec)
        );
}

/// <summary>
/// Consumes, transforms and produces, each record exactly once (KIP-98, KIP-447): the output and the positions of the input are committed in one
/// transaction, which is aborted if the member has lost its place in the group. A transaction takes the input of all partitions for
/// <see cref="ExactlyOnceOptions.TransactionInterval"/>, and its output may go to any topics.
/// <para>
/// Everything happens in the caller's thread, inside <see cref="Poll"/>. What fails for a transient reason is repeated, for half a minute. Readers of the
/// output see each record once if they read committed records only. It is not thread-safe.
/// </para>
/// </summary>
/// <remarks>
/// <code>
/// var options = new ExactlyOnceOptions("upper", "upper-1", "orders");
/// using var copy = new ExactlyOnce(new KafkaClientOptions("localhost:9092"), options, (from, records, output) =>
/// {
///     foreach (ref readonly var record in records)
///     {
///         output.Add("orders-in-upper-case", record.Key, ToUpper(record.Value));
///     }
/// });
/// while (!stop.IsCancellationRequested)
/// {
///     switch (copy.Poll(TimeSpan.FromSeconds(1), stop))
///     {
///         case ExactlyOnceFailed failed:
///             throw failed.Problem.ToException();
///         case { } other:
///             Console.WriteLine(other);
///             break;
///     }
/// }
/// </code>
/// </remarks>
public sealed class ExactlyOnce : IDisposable
{
    private readonly Topics.ExactlyOnce _core;
    private readonly ConsumerEventCache _events = new();

    /// <summary>A process that has not joined its group yet.</summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="exactlyOnceOptions">What is read, and how the output is produced.</param>
    /// <param name="transform">Makes records from records.</param>
    /// <exception cref="ArgumentException">Some options cannot be used together; the message says which and why.</exception>
    public ExactlyOnce(KafkaClientOptions options, ExactlyOnceOptions exactlyOnceOptions, Transform transform)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(exactlyOnceOptions);
        ArgumentNullException.ThrowIfNull(transform);
        Options = exactlyOnceOptions;
        var settings = options.ToSettings(new());
        var process = Topics.ExactlyOnceSettingsModule.check(exactlyOnceOptions.ToCore(_events));
        Interop.Checked(settings, Interop.Checked(process, nameof(exactlyOnceOptions)).Reading, nameof(exactlyOnceOptions));
        var headers = new HeaderBuffer();
        _core = new(
            settings,
            options.ToBootstrap(),
            process.ResultValue,
            (from, records, output) => transform(TopicPartition.Of(from), new(records), new(output, headers, options.TimeProvider))
        );
        Consumer = new(_core.Consumer, exactlyOnceOptions.Group, _events);
    }

    /// <summary>The options.</summary>
    public ExactlyOnceOptions Options { get; }

    /// <summary>The consumer of the input, to look at. It is closed with the process.</summary>
    public GroupConsumer Consumer { get; }

    /// <summary>Transforms records, and returns the next transaction that has ended, or what else has happened.</summary>
    /// <remarks>What the transform throws is thrown, and its transaction is aborted.</remarks>
    /// <param name="timeout">How long to wait for records; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.</param>
    /// <param name="cancellationToken">Ends the wait, and no transaction.</param>
    /// <returns>
    /// The event; null if there is none within the time, or if it is cancelled. A transaction may stay open then, which a later poll ends.
    /// </returns>
    /// <exception cref="ObjectDisposedException">It has been closed.</exception>
    public ExactlyOnceEvent? Poll(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        _core.Poll(timeout, Interop.OptionOf(cancellationToken)) is { } found ? ExactlyOnceEvent.Of(found.Value, _events) : null;

    /// <summary>
    /// Leaves the group and closes all connections. A transaction that is open is aborted, and its input is transformed again by another member or at the
    /// next start.
    /// </summary>
    /// <param name="cancellationToken">Cancels the calls to the coordinators. The connections are closed nevertheless.</param>
    /// <returns>How the member has left.</returns>
    public GroupClosed Close(CancellationToken cancellationToken = default) => Close(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Close(CancellationToken)"/>
    /// <param name="callOptions">The options of the calls to the coordinators.</param>
    public GroupClosed Close(CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(callOptions);
        return new(_core.Close(callOptions.ToCore()));
    }

    /// <summary>As <c>Close</c>.</summary>
    public void Dispose() => ((IDisposable)_core).Dispose();
}
