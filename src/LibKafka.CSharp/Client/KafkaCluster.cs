using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Microsoft.FSharp.Collections;

namespace LibKafka;

/// <summary>Ways into a cluster from its bootstrap brokers.</summary>
public static class KafkaCluster
{
    /// <summary>
    /// Connects to one of the bootstrap brokers: the first that answers, in random order, so that clients spread over the brokers. Any broker
    /// can describe the cluster.
    /// </summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The connection, which the caller disposes of, or the fault: <see cref="KafkaFaultKind.NoBroker"/> if no broker can be used.</returns>
    public static KafkaResult<KafkaConnection> Connect(KafkaClientOptions options, CancellationToken cancellationToken = default) =>
        Connect(options, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="Connect(KafkaClientOptions, CancellationToken)"/>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="callOptions">The options of the call.</param>
    public static KafkaResult<KafkaConnection> Connect(KafkaClientOptions options, CallOptions callOptions)
    {
        var (settings, log) = Begin(options, callOptions);
        return log.Run(
            callOptions,
            () => Client.Cluster.Connect(settings, options.ToBootstrap(), callOptions.ToCore()),
            KafkaConnection.Of
        );
    }

    /// <summary>Connects to the broker for administrative requests: the controller if the cluster names one.</summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The connection, which the caller disposes of, or the fault.</returns>
    public static KafkaResult<KafkaConnection> ConnectController(
        KafkaClientOptions options,
        CancellationToken cancellationToken = default
    ) => ConnectController(options, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="ConnectController(KafkaClientOptions, CancellationToken)"/>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="callOptions">The options of the call.</param>
    public static KafkaResult<KafkaConnection> ConnectController(KafkaClientOptions options, CallOptions callOptions)
    {
        var (settings, log) = Begin(options, callOptions);
        return log.Run(
            callOptions,
            () => Client.Cluster.ConnectController(settings, options.ToBootstrap(), callOptions.ToCore()),
            KafkaConnection.Of
        );
    }

    /// <summary>Asks one of the bootstrap brokers for the leader of a partition, on a connection that is closed again.</summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>
    /// The leader, or the fault: <see cref="KafkaFaultKind.NoLeader"/> if there is none, for the reason in <see cref="KafkaResult.Error"/>.
    /// </returns>
    public static KafkaResult<PartitionLeader> FindLeader(
        KafkaClientOptions options,
        TopicPartition partition,
        CancellationToken cancellationToken = default
    ) => FindLeader(options, partition, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="FindLeader(KafkaClientOptions, TopicPartition, CancellationToken)"/>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="callOptions">The options of the call.</param>
    public static KafkaResult<PartitionLeader> FindLeader(KafkaClientOptions options, TopicPartition partition, CallOptions callOptions)
    {
        Interop.Required(partition);
        var (settings, log) = Begin(options, callOptions);
        return log.Run(
            callOptions,
            () => Client.Cluster.FindLeader(settings, options.ToBootstrap(), partition.ToCore(), callOptions.ToCore()),
            PartitionLeader.Of
        );
    }

    /// <summary>
    /// Asks one of the bootstrap brokers for the leaders of all partitions of some topics, by one request on a connection that is closed again.
    /// <see cref="PartitionClient.UseLeader"/> takes the leaders.
    /// </summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="topics">The names of the topics.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>
    /// Each topic once, in the order of the names, or the fault. A topic that cannot be described has an error code, and so has a partition without
    /// a leader.
    /// </returns>
    public static KafkaResult<IReadOnlyList<TopicLeaders>> FindLeaders(
        KafkaClientOptions options,
        IEnumerable<string> topics,
        CancellationToken cancellationToken = default
    ) => FindLeaders(options, topics, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="FindLeaders(KafkaClientOptions, IEnumerable{string}, CancellationToken)"/>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="topics">The names of the topics.</param>
    /// <param name="callOptions">The options of the call.</param>
    public static KafkaResult<IReadOnlyList<TopicLeaders>> FindLeaders(
        KafkaClientOptions options,
        IEnumerable<string> topics,
        CallOptions callOptions
    )
    {
        var names = Interop.RequiredAll(topics).ToFSharpList();
        var (settings, log) = Begin(options, callOptions);
        return log.Run<FSharpList<Client.TopicLeaders>, IReadOnlyList<TopicLeaders>>(
            callOptions,
            () => Client.Cluster.FindLeaders(settings, options.ToBootstrap(), names, callOptions.ToCore()),
            found => [.. found.Select(TopicLeaders.Of)]
        );
    }

    /// <summary>
    /// Asks one of the bootstrap brokers for a new identity for an <see cref="IdempotentProducer"/>, on a connection that is closed again.
    /// </summary>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The identity, which no other producer has, or the fault or error code.</returns>
    public static KafkaResult<ProducerIdentity> RequestProducerIdentity(
        KafkaClientOptions options,
        CancellationToken cancellationToken = default
    ) => RequestProducerIdentity(options, CallOptions.Of(cancellationToken));

    /// <inheritdoc cref="RequestProducerIdentity(KafkaClientOptions, CancellationToken)"/>
    /// <param name="options">The brokers, and how to connect.</param>
    /// <param name="callOptions">The options of the call.</param>
    public static KafkaResult<ProducerIdentity> RequestProducerIdentity(KafkaClientOptions options, CallOptions callOptions)
    {
        var connected = Connect(options, callOptions);
        using var connection = connected.Value;
        return connection is null
            ? connected.WithoutValue<ProducerIdentity>()
            : connection.RequestProducerIdentity(null, callOptions, connected.Report);
    }

    private static (Client.ClientSettings Settings, ExchangeLog Log) Begin(KafkaClientOptions options, CallOptions callOptions)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(callOptions);
        var log = new ExchangeLog();
        return (options.ToSettings(log), log);
    }
}
