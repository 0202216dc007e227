using System;
using System.Threading;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>What the clients of a coordinator have in common: its connection, and an end.</summary>
internal sealed class CoordinatorAccess(Core.CoordinatorClient core) : IDisposable
{
    private KafkaConnection? _connection;
    private bool _disposed;

    public BrokerMetadata? Coordinator =>
        core.Coordinator is { } found
            ? new BrokerMetadata { NodeId = found.Value.NodeId, Address = new(found.Value.Host, found.Value.Port) }
            : null;

    public KafkaConnection? Connection => core.Connection is { } connection ? Wrap(connection.Value) : null;

    public KafkaConnection Connect(object owner, CancellationToken cancellation)
    {
        Begin(owner, cancellation);
        return Wrap(core.Connect(Interop.Optional(cancellation)).ValueOrThrow(null, cancellation));
    }

    public void Begin(object owner, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, owner);
        cancellation.ThrowIfCancellationRequested();
    }

    public void Disconnect() => core.Close();

    public void Dispose()
    {
        _disposed = true;
        Disconnect();
    }

    private KafkaConnection Wrap(Core.Connection connection) =>
        _connection is { } known && ReferenceEquals(known.Core, connection) ? known : _connection = new(connection);
}
