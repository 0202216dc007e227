using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Sockets;
using System.Threading;
using LibKafka.Protocol;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>
/// A connection to one broker: a socket with one request in flight. For each API it uses the highest version that both sides support. After a
/// fault it is closed and stays closed. It is not thread-safe: a second thread that uses it at the same time
/// gets an <see cref="InvalidOperationException"/>, and nothing is sent.
/// </summary>
public sealed partial class KafkaConnection : IDisposable
{
    private bool _disposed;

    private KafkaConnection(Client.Connection core)
    {
        Core = core;
        Broker = BrokerAddress.Of(core.Broker);
        BrokerVersions = core
            .BrokerVersions.ToDictionary(entry => entry.Key, entry => new ApiVersionRange(entry.Value.Lowest, entry.Value.Highest))
            .AsReadOnly();
    }

    /// <summary>The broker.</summary>
    public BrokerAddress Broker { get; }

    /// <summary>The versions of each API that the broker supports.</summary>
    public IReadOnlyDictionary<ApiKey, ApiVersionRange> BrokerVersions { get; }

    /// <summary>The socket, for inspection only: reading, writing or changing an option of it breaks the connection.</summary>
    public Socket Socket => Core.Socket;

    /// <summary>Whether calls can still be made.</summary>
    public bool IsOpen => Core.IsOpen;

    internal Client.Connection Core { get; }

    /// <summary>Connects to a broker and asks for its versions.</summary>
    /// <param name="options">How to connect. The bootstrap servers are not used.</param>
    /// <param name="broker">The broker.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The connection, which the caller disposes of, or the fault.</returns>
    public static KafkaResult<KafkaConnection> Open(
        KafkaClientOptions options,
        BrokerAddress broker,
        CancellationToken cancellationToken = default
    ) => Open(options, broker, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Open(KafkaClientOptions, BrokerAddress, CancellationToken)"/>
    /// <param name="options">How to connect. The bootstrap servers are not used.</param>
    /// <param name="broker">The broker.</param>
    /// <param name="callOptions">The options of the call.</param>
    public static KafkaResult<KafkaConnection> Open(KafkaClientOptions options, BrokerAddress broker, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(options);
        Interop.Required(broker);
        ArgumentNullException.ThrowIfNull(callOptions);
        var log = new ExchangeLog();
        var settings = options.ToSettings(log);
        return log.Run(callOptions, () => Client.Connection.Open(settings, broker.ToCore(), callOptions.ToCore()), Of);
    }

    /// <summary>Asks for the brokers of the cluster and for topics. It never creates a topic, whatever the broker's config.</summary>
    /// <param name="topics">The names of topics; null for all topics, empty for none.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The metadata, which includes the error codes of single topics and partitions.</returns>
    /// <exception cref="ObjectDisposedException">The connection has been disposed of.</exception>
    public KafkaResult<ClusterMetadata> GetMetadata(IEnumerable<string>? topics = null, CancellationToken cancellationToken = default) =>
        GetMetadata(topics, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="GetMetadata(IEnumerable{string}, CancellationToken)"/>
    /// <param name="topics">The names of topics; null for all topics, empty for none.</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<ClusterMetadata> GetMetadata(IEnumerable<string>? topics, CallOptions callOptions)
    {
        var names = topics is null
            ? FSharpOption<FSharpList<string>>.None
            : FSharpOption<FSharpList<string>>.Some(Interop.RequiredAll(topics).ToFSharpList());
        Begin(callOptions);
        var exchange = Client.Cluster.Metadata(Core, names, callOptions.ToCore());
        return ResultOf(
            exchange,
            response => response.Error,
            response => new ClusterMetadata(response, exchange.Info.Version),
            callOptions
        );
    }

    /// <summary>Asks which broker coordinates a group or a transactional id.</summary>
    /// <param name="kind">What the key is.</param>
    /// <param name="key">The group id or the transactional id.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The coordinator, or the error code that says why there is none.</returns>
    /// <exception cref="ObjectDisposedException">The connection has been disposed of.</exception>
    public KafkaResult<BrokerMetadata> FindCoordinator(CoordinatorType kind, string key, CancellationToken cancellationToken = default) =>
        FindCoordinator(kind, key, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="FindCoordinator(CoordinatorType, string, CancellationToken)"/>
    /// <param name="kind">What the key is.</param>
    /// <param name="key">The group id or the transactional id.</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<BrokerMetadata> FindCoordinator(CoordinatorType kind, string key, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(key);
        Begin(callOptions);
        FindCoordinator.Coordinator Found(FindCoordinator.Response response) => Client.Cluster.CoordinatorIn(response, key);
        return ResultOf(
            Client.Cluster.FindCoordinator(Core, kind, key, callOptions.ToCore()),
            response => Found(response).Error,
            response => BrokerMetadata.Of(Found(response)),
            callOptions,
            response => Found(response).ErrorMessage.OrNull()
        );
    }

    /// <summary>
    /// Asks for an identity for an <see cref="IdempotentProducer"/> without transactions. Any broker gives one. With transactions, see
    /// <see cref="TransactionClient.InitProducerId(TimeSpan, CancellationToken)"/>.
    /// </summary>
    /// <param name="previous">The producer's previous identity, which is sent to brokers from Kafka 2.5 on (KIP-360); null if it had none.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The identity, or the error code that says why there is none.</returns>
    /// <exception cref="ObjectDisposedException">The connection has been disposed of.</exception>
    public KafkaResult<ProducerIdentity> RequestProducerIdentity(
        ProducerIdentity? previous = null,
        CancellationToken cancellationToken = default
    ) => RequestProducerIdentity(previous, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="RequestProducerIdentity(ProducerIdentity?, CancellationToken)"/>
    /// <param name="previous">The producer's previous identity, which is sent to brokers from Kafka 2.5 on (KIP-360); null if it had none.</param>
    /// <param name="callOptions">The options of the call.</param>
    public KafkaResult<ProducerIdentity> RequestProducerIdentity(ProducerIdentity? previous, CallOptions callOptions) =>
        RequestProducerIdentity(previous, callOptions, null);

    /// <summary>Closes the connection.</summary>
    public void Dispose()
    {
        _disposed = true;
        Core.Close();
    }

    /// <summary>The broker's address.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => Broker.ToString();

    internal static KafkaConnection Of(Client.Connection core) => new(core);

    internal KafkaResult<ProducerIdentity> RequestProducerIdentity(
        ProducerIdentity? previous,
        CallOptions callOptions,
        CallReport? connecting
    )
    {
        Begin(callOptions);
        var had = previous is { } identity ? FSharpOption<Client.ProducerIdentity>.Some(identity.ToCore()) : null;
        return ResultOf(
            Client.ProducerIdentity.Request(Core, had, callOptions.ToCore()).Exchange,
            response => response.Error,
            response => new ProducerIdentity(response.ProducerId, response.ProducerEpoch),
            callOptions,
            report: connecting
        );
    }

    private static KafkaResult<TValue> ResultOf<TRequest, TResponse, TValue>(
        Client.Exchange<TRequest, TResponse> exchange,
        Func<TResponse, ErrorCode> error,
        Func<TResponse, TValue> value,
        CallOptions callOptions,
        Func<TResponse, string?>? message = null,
        CallReport? report = null
    )
    {
        report = report?.Then(exchange.Info) ?? new CallReport(exchange.Info, callOptions.CancellationToken);
        if (exchange.Result.IsError)
        {
            return new(report, report.FaultOf(exchange.Result.ErrorValue), ErrorCode.None);
        }

        var response = exchange.Result.ResultValue;
        var code = error(response);
        return code.IsError ? new(report, null, code, message?.Invoke(response)) : new(report, value(response));
    }

    private void Begin(CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(callOptions);
        ObjectDisposedException.ThrowIf(_disposed, this);
    }
}
