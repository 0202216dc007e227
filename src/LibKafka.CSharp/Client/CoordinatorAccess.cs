using System;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>The connection of a client of a group's or transactional id's coordinator.</summary>
internal sealed class CoordinatorAccess(Core.CoordinatorClient core, ExchangeLog log) : IDisposable
{
    private KafkaConnection? _connection;
    private bool _disposed;

    public BrokerMetadata? Coordinator => core.Coordinator is { } found ? BrokerMetadata.Of(found.Value) : null;

    public KafkaConnection? Connection => core.Connection is { } connection ? Wrap(connection.Value) : null;

    public KafkaResult<KafkaConnection> Connect(object owner, CallOptions callOptions)
    {
        Begin(owner, callOptions);
        return log.Run(callOptions, () => core.Connect(callOptions.ToCore()), Wrap);
    }

    public void Begin(object owner, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(callOptions);
        ObjectDisposedException.ThrowIf(_disposed, owner);
    }

    public void Disconnect() => core.Close();

    public void Dispose()
    {
        _disposed = true;
        Disconnect();
    }

    private KafkaConnection Wrap(Core.Connection connection) =>
        _connection is { } known && ReferenceEquals(known.Core, connection) ? known : _connection = KafkaConnection.Of(connection);
}
