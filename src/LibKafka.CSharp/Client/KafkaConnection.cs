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
/// A connection to one broker: a socket with one request in flight. It knows the broker's versions and uses, for each API, the highest
/// that both sides know. After a fault, or a call that was cancelled, it is closed and stays so. It is not for use by several threads
/// at a time.
/// </summary>
public sealed class KafkaConnection : IDisposable
{
    private static readonly TimeSpan StandardTopicTimeout = TimeSpan.FromSeconds(10);
    private bool _disposed;

    internal KafkaConnection(Client.Connection core)
    {
        Core = core;
        Broker = BrokerAddress.Of(core.Broker);
        BrokerVersions = core
            .BrokerVersions.ToDictionary(entry => entry.Key, entry => new ApiVersionRange(entry.Value.Lowest, entry.Value.Highest))
            .AsReadOnly();
    }

    /// <summary>The broker at the other end.</summary>
    public BrokerAddress Broker { get; }

    /// <summary>The versions of each API that the broker supports.</summary>
    public IReadOnlyDictionary<ApiKey, ApiVersionRange> BrokerVersions { get; }

    /// <summary>The socket, for looking at: reading, writing or setting anything on it breaks the connection.</summary>
    public Socket Socket => Core.Socket;

    /// <summary>Whether calls can still be made.</summary>
    public bool IsOpen => Core.IsOpen;

    internal Client.Connection Core { get; }

    /// <summary>Connects to a broker and asks for its versions.</summary>
    /// <param name="options">How to connect. The bootstrap servers do not matter here.</param>
    /// <param name="broker">The broker.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The connection, which is the caller's to dispose of.</returns>
    /// <exception cref="KafkaException">The broker cannot be reached, or does not behave like one.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public static KafkaConnection Open(KafkaClientOptions options, BrokerAddress broker, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        cancellationToken.ThrowIfCancellationRequested();
        var opened = Client.Connection.Open(options.ToSettings(), broker.ToCore(), Interop.Optional(cancellationToken));
        return new(opened.ValueOrThrow(broker, cancellationToken));
    }

    /// <summary>
    /// Asks for the brokers of the cluster and for topics. It never makes a topic, also where the broker is configured to.
    /// </summary>
    /// <param name="topics">Names of topics; null for all that there are, and empty for none.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>What the broker knows. Errors of single topics and partitions are part of it.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The connection has been disposed of.</exception>
    public ClusterMetadata GetMetadata(IEnumerable<string>? topics = null, CancellationToken cancellationToken = default)
    {
        Begin(cancellationToken);
        var names = topics is null ? FSharpOption<FSharpList<string>>.None : FSharpOption<FSharpList<string>>.Some(topics.ToFSharpList());
        var exchange = Client.Cluster.metadata(Core, names, cancellationToken);
        var info = new ExchangeInfo(exchange.Info);
        return new(exchange.ResponseOrThrow(info, cancellationToken), info);
    }

    /// <summary>
    /// Creates topics. It goes to the controller (see <see cref="KafkaCluster.ConnectController"/>); brokers of 4.x pass it on.
    /// </summary>
    /// <param name="topics">The topics.</param>
    /// <param name="timeout">
    /// How long the controller may wait until they are there: 10 seconds where it is null. It should be below the call's own time-out.
    /// </param>
    /// <param name="cancellationToken">Gives up, which closes the connection; the topics may come all the same.</param>
    /// <returns>What became of each topic. Error codes, such as TOPIC_ALREADY_EXISTS, are part of it.</returns>
    /// <exception cref="KafkaException">No answer came: the topics may have been created all the same.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The connection has been disposed of.</exception>
    public TopicResults CreateTopics(IEnumerable<NewTopic> topics, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(topics);
        var wait = Interop.CheckTime(timeout ?? StandardTopicTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(cancellationToken);
        var exchange = Client.Cluster.createTopics(Core, topics.Select(topic => topic.ToCore()).ToFSharpList(), wait, cancellationToken);
        var info = new ExchangeInfo(exchange.Info);
        return TopicResults.Of(exchange.ResponseOrThrow(info, cancellationToken), info);
    }

    /// <summary>Deletes topics with everything in them. It goes to the controller; brokers of 4.x pass it on.</summary>
    /// <param name="topics">Names of topics.</param>
    /// <param name="timeout">
    /// How long the controller may wait until they are gone: 10 seconds where it is null. It should be below the call's own time-out.
    /// </param>
    /// <param name="cancellationToken">Gives up, which closes the connection; the topics may go all the same.</param>
    /// <returns>What became of each topic. Error codes, such as UNKNOWN_TOPIC_OR_PARTITION, are part of it.</returns>
    /// <exception cref="KafkaException">No answer came: the topics may have been deleted all the same.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time-out is negative or longer than 2³¹ milliseconds.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The connection has been disposed of.</exception>
    public TopicResults DeleteTopics(IEnumerable<string> topics, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(topics);
        var wait = Interop.CheckTime(timeout ?? StandardTopicTimeout, TimeSpan.Zero, nameof(timeout));
        Begin(cancellationToken);
        var exchange = Client.Cluster.deleteTopics(Core, topics.ToFSharpList(), wait, cancellationToken);
        var info = new ExchangeInfo(exchange.Info);
        return TopicResults.Of(exchange.ResponseOrThrow(info, cancellationToken), info);
    }

    /// <summary>Asks which broker looks after a group or a transactional id.</summary>
    /// <param name="kind">What the key stands for.</param>
    /// <param name="key">The group id or the transactional id.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>The coordinator, or the error code that says why there is none.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The connection has been disposed of.</exception>
    public CoordinatorResult FindCoordinator(CoordinatorType kind, string key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        Begin(cancellationToken);
        var exchange = Client.Cluster.findCoordinator(Core, kind, key, cancellationToken);
        var info = new ExchangeInfo(exchange.Info);
        return new(key, exchange.ResponseOrThrow(info, cancellationToken), info);
    }

    /// <summary>
    /// Asks for an identity for an <see cref="IdempotentProducer"/> without transactions. Any broker gives one. With transactions, see
    /// <see cref="TransactionClient.InitProducerId"/>.
    /// </summary>
    /// <param name="previous">The identity that the producer had, which brokers from 2.5 on are told (KIP-360); null where it had none.</param>
    /// <param name="cancellationToken">Gives up, which closes the connection.</param>
    /// <returns>The identity, or the error code that says why there is none.</returns>
    /// <exception cref="KafkaException">No answer came.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The connection has been disposed of.</exception>
    public ProducerIdentityResult RequestProducerIdentity(ProducerIdentity? previous = null, CancellationToken cancellationToken = default)
    {
        Begin(cancellationToken);
        var had = previous is { } identity
            ? FSharpOption<Client.ProducerIdentity>.Some(identity.ToCore())
            : FSharpOption<Client.ProducerIdentity>.None;
        var exchange = Client.ProducerIdentityModule.request(Core, had, cancellationToken);
        var info = new ExchangeInfo(exchange.Info);
        var given = Client.ProducerIdentityModule.ofResponse(exchange.ResponseOrThrow(info, cancellationToken));
        return ProducerIdentityResult.Of(given, info);
    }

    /// <summary>Closes the connection.</summary>
    public void Dispose()
    {
        _disposed = true;
        Core.Close();
    }

    private void Begin(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
