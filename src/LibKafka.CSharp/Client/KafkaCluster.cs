using System;
using System.Threading;

namespace LibKafka;

/// <summary>Ways into a cluster that is known by some of its brokers.</summary>
public static class KafkaCluster
{
    /// <summary>
    /// Connects to one of the bootstrap brokers: to the first that answers, in random order, so that clients spread over the brokers.
    /// Any broker tells about the cluster.
    /// </summary>
    /// <param name="options">Where the cluster is, and how to connect.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The connection, which is the caller's to dispose of.</returns>
    /// <exception cref="KafkaException">None of the brokers could be used.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public static KafkaConnection Connect(KafkaClientOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        cancellationToken.ThrowIfCancellationRequested();
        return new(
            Client.Cluster.connect(options.ToSettings(), options.ToBootstrap(), cancellationToken).ValueOrThrow(null, cancellationToken)
        );
    }

    /// <summary>Connects to the broker that administrative requests go to: the controller, where the cluster names one.</summary>
    /// <param name="options">Where the cluster is, and how to connect.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The connection, which is the caller's to dispose of.</returns>
    /// <exception cref="KafkaException">None of the brokers could be used, or the controller could not.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public static KafkaConnection ConnectController(KafkaClientOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        cancellationToken.ThrowIfCancellationRequested();
        return new(
            Client
                .Cluster.connectController(options.ToSettings(), options.ToBootstrap(), cancellationToken)
                .ValueOrThrow(null, cancellationToken)
        );
    }

    /// <summary>Asks one of the bootstrap brokers for the leader of a partition, on a connection of its own that is closed again.</summary>
    /// <param name="options">Where the cluster is, and how to connect.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The leader.</returns>
    /// <exception cref="KafkaException">
    /// None of the brokers could be used, or (<see cref="KafkaFaultKind.NoLeader"/>) they know of no leader, for the reason in
    /// <see cref="KafkaException.ErrorCode"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public static PartitionLeader FindLeader(
        KafkaClientOptions options,
        TopicPartition partition,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        cancellationToken.ThrowIfCancellationRequested();
        var found = Client.Cluster.findLeader(options.ToSettings(), options.ToBootstrap(), partition.ToCore(), cancellationToken);
        return PartitionLeader.Of(found.ValueOrThrow(null, cancellationToken));
    }

    /// <summary>
    /// Asks one of the bootstrap brokers for an identity for an <see cref="IdempotentProducer"/>, on a connection of its own that is closed
    /// again.
    /// </summary>
    /// <param name="options">Where the cluster is, and how to connect.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The identity, which nobody else has.</returns>
    /// <exception cref="KafkaException">None of the brokers could be used, or the one that was asked gave none.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public static ProducerIdentity RequestProducerIdentity(KafkaClientOptions options, CancellationToken cancellationToken = default)
    {
        using var connection = Connect(options, cancellationToken);
        return connection.RequestProducerIdentity(null, cancellationToken).ThrowIfError().Identity.GetValueOrDefault();
    }
}
