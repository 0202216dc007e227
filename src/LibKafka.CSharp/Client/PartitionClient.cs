using System;
using System.Threading;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>
/// A client of one partition, with a connection of its own to the partition's leader. The connection is made when it is first needed;
/// it is closed when a call fails or the broker says that it does not lead the partition, and the next call looks for the leader again.
/// There are no retries: each call is made once. It is not for use by several threads at a time.
/// </summary>
/// <remarks>A <see cref="PartitionProducer"/> and a <see cref="PartitionFetcher"/> can share one, and with it the connection.</remarks>
public sealed class PartitionClient : IDisposable
{
    private KafkaConnection? _connection;
    private bool _disposed;

    /// <summary>A client that has not connected yet.</summary>
    /// <param name="options">Where the cluster is, and how to connect.</param>
    /// <param name="partition">The partition.</param>
    public PartitionClient(KafkaClientOptions options, TopicPartition partition)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrEmpty(partition.Topic, nameof(partition));
        ArgumentOutOfRangeException.ThrowIfNegative(partition.Partition, nameof(partition));
        Options = options;
        Partition = partition;
        Inner = new(options.ToSettings(), options.ToBootstrap(), partition.ToCore());
    }

    /// <summary>The options that it was made with.</summary>
    public KafkaClientOptions Options { get; }

    /// <summary>The partition.</summary>
    public TopicPartition Partition { get; }

    /// <summary>The leader that the connection goes to; null while there is no connection.</summary>
    public PartitionLeader? Leader => Inner.Leader is { } leader ? PartitionLeader.Of(leader.Value) : null;

    /// <summary>The leader that was connected to last, also when the connection has since been closed; null before the first.</summary>
    public PartitionLeader? LastLeader => Inner.LastLeader is { } leader ? PartitionLeader.Of(leader.Value) : null;

    /// <summary>
    /// The connection to the leader; null while there is none. It belongs to the client: whoever disposes of it disconnects the client.
    /// </summary>
    public KafkaConnection? Connection => Inner.Connection is { } connection ? Wrap(connection.Value) : null;

    internal Core.PartitionClient Inner { get; }

    /// <summary>Makes the connection to the leader, unless there is one.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The connection, which belongs to the client.</returns>
    /// <exception cref="KafkaException">No broker can be used, the partition has no leader, or the leader cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    public KafkaConnection Connect(CancellationToken cancellationToken = default)
    {
        Begin(cancellationToken);
        return Wrap(Inner.Connect(Interop.Optional(cancellationToken)).ValueOrThrow(null, cancellationToken));
    }

    /// <summary>Closes the connection, if there is one. The next call looks for the leader and makes a new one.</summary>
    public void Disconnect() => Inner.Close();

    /// <summary>Closes the connection for good.</summary>
    public void Dispose()
    {
        _disposed = true;
        Disconnect();
    }

    internal void Begin(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private KafkaConnection Wrap(Core.Connection connection) =>
        _connection is { } known && ReferenceEquals(known.Core, connection) ? known : _connection = new(connection);
}
