using System;
using System.Collections.Generic;
using System.Threading;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>
/// A client of one partition, with a connection to the partition's leader. It connects when it is first used. If a call fails or the broker no
/// longer leads the partition, the connection is closed, and the next call finds the leader again. There are no retries. It is not thread-safe:
/// a second thread that uses it at the same time gets an <see cref="InvalidOperationException"/>, and nothing is sent.
/// </summary>
/// <remarks>A <see cref="PartitionProducer"/> and a <see cref="PartitionFetcher"/> can share a client, and its connection.</remarks>
public sealed class PartitionClient : IDisposable
{
    private readonly ExchangeLog _log;
    private KafkaConnection? _connection;
    private bool _disposed;

    /// <summary>A client that has not connected yet.</summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="partition">The partition.</param>
    /// <exception cref="ArgumentException">The partition has no topic, or its number is negative.</exception>
    public PartitionClient(KafkaClientOptions options, TopicPartition partition)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        Partition = Interop.Required(partition);
        _log = new();
        Inner = new(options.ToSettings(_log), options.ToBootstrap(), partition.ToCore());
    }

    internal PartitionClient(KafkaClientOptions options, TopicPartition partition, Core.PartitionClient inner, ExchangeLog log)
    {
        Options = options;
        Partition = partition;
        _log = log;
        Inner = inner;
    }

    /// <summary>The options.</summary>
    public KafkaClientOptions Options { get; }

    /// <summary>The partition.</summary>
    public TopicPartition Partition { get; }

    /// <summary>The leader at the other end of the connection; null if there is no connection.</summary>
    public PartitionLeader? Leader => Inner.Leader is { } leader ? PartitionLeader.Of(leader.Value) : null;

    /// <summary>The leader that the client last connected to, even if that connection is closed; null before the first.</summary>
    public PartitionLeader? LastLeader => Inner.LastLeader is { } leader ? PartitionLeader.Of(leader.Value) : null;

    /// <summary>The connection to the leader; null if there is none. It belongs to the client: disposing of it disconnects the client.</summary>
    public KafkaConnection? Connection => Inner.Connection is { } connection ? Wrap(connection.Value) : null;

    internal Core.PartitionClient Inner { get; }

    /// <summary>Connects to the leader unless there is a connection.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>
    /// The connection, which belongs to the client, or the fault: <see cref="KafkaFaultKind.NoLeader"/> if there is no leader, for the reason in
    /// <see cref="KafkaResult.Error"/>.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaResult<KafkaConnection> Connect(CancellationToken cancellationToken = default) =>
        Connect(CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Connect(CancellationToken)"/>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<KafkaConnection> Connect(CallOptions callOptions)
    {
        Begin(callOptions);
        return _log.Run(callOptions, () => Inner.Connect(callOptions.ToCore()), Wrap);
    }

    /// <summary>
    /// Hands over a leader that was found elsewhere, such as by <see cref="KafkaCluster.FindLeaders(KafkaClientOptions, IEnumerable{string}, CancellationToken)"/>
    /// for many partitions at once. The next call connects to it without asking for metadata, unless there is a connection to that broker already. If
    /// it cannot be connected to or answers that it does not lead the partition, the client finds the leader as usual.
    /// </summary>
    /// <param name="leader">The leader.</param>
    /// <returns>Whether it is used; false if it is older, by its epoch, than the latest leader that the client knows.</returns>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public bool UseLeader(PartitionLeader leader)
    {
        Interop.Required(leader);
        ObjectDisposedException.ThrowIf(_disposed, this);
        return Inner.UseLeader(leader.ToCore());
    }

    /// <summary>Closes the connection if there is one. The next call finds the leader and connects again.</summary>
    public void Disconnect() => Inner.Close();

    /// <summary>Closes the connection for good.</summary>
    public void Dispose()
    {
        _disposed = true;
        Disconnect();
    }

    internal void Begin(CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(callOptions);
        ObjectDisposedException.ThrowIf(_disposed, this);
    }

    private KafkaConnection Wrap(Core.Connection connection) =>
        _connection is { } known && ReferenceEquals(known.Core, connection) ? known : _connection = KafkaConnection.Of(connection);
}
