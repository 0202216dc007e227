using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Linq;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>
/// What a broker knows about its cluster: the brokers, and the topics that were asked about with their partitions and leaders.
/// </summary>
public sealed class ClusterMetadata
{
    internal ClusterMetadata(Metadata.Response response, ExchangeInfo exchange)
    {
        Core = response;
        Exchange = exchange;
        Brokers = [.. response.Brokers.Select(BrokerMetadata.Of)];
        Topics = [.. response.Topics.Select(TopicMetadata.Of)];
    }

    /// <summary>The brokers that are alive.</summary>
    public IReadOnlyList<BrokerMetadata> Brokers { get; }

    /// <summary>The topics, those included that there is only an error to tell about.</summary>
    public IReadOnlyList<TopicMetadata> Topics { get; }

    /// <summary>The id of the cluster; null where it is not told.</summary>
    public string? ClusterId => Core.ClusterId.OrNull();

    /// <summary>The id of the broker to send administrative requests to; -1 where it is not told.</summary>
    public int ControllerId => Core.ControllerId;

    /// <summary>What concerns the request as a whole; <c>ErrorCode.None</c> where all is well.</summary>
    public ErrorCode Error => Core.Error;

    /// <summary>How long the client is asked to pause because it exceeded a quota; zero where it did not.</summary>
    public TimeSpan ThrottleTime => TimeSpan.FromMilliseconds(Core.ThrottleTimeMs);

    /// <summary>The call that told it.</summary>
    public ExchangeInfo Exchange { get; }

    internal Metadata.Response Core { get; }

    /// <summary>Looks for the leader of a partition.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="leader">The leader.</param>
    /// <param name="error">Why there is none, such as LEADER_NOT_AVAILABLE; <c>ErrorCode.None</c> where there is one.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryGetLeader(TopicPartition partition, [NotNullWhen(true)] out PartitionLeader? leader, out ErrorCode error)
    {
        var found = Client.Cluster.leaderIn(Core, partition.ToCore());
        leader = found.IsOk ? PartitionLeader.Of(found.ResultValue) : null;
        error = found.IsOk ? ErrorCode.None : found.ErrorValue;
        return found.IsOk;
    }

    /// <summary>Throws where the request as a whole or one of the topics has an error. Errors of partitions are not looked at.</summary>
    /// <returns>The metadata itself.</returns>
    /// <exception cref="KafkaException">There is an error: <see cref="KafkaException.ErrorCode"/> has the first one.</exception>
    public ClusterMetadata ThrowIfError()
    {
        Interop.ThrowIfError(Error, null, Exchange);
        foreach (var topic in Topics)
        {
            Interop.ThrowIfError(topic.Error, null, Exchange, $"topic {topic.Name}");
        }

        return this;
    }
}

/// <summary>A broker that is alive.</summary>
public sealed record BrokerMetadata
{
    /// <summary>The id of the broker.</summary>
    public required int NodeId { get; init; }

    /// <summary>Where it listens.</summary>
    public required BrokerAddress Address { get; init; }

    /// <summary>The rack that it stands in; null where it has none.</summary>
    public string? Rack { get; init; }

    internal static BrokerMetadata Of(Metadata.Broker core) =>
        new()
        {
            NodeId = core.NodeId,
            Address = new(core.Host, core.Port),
            Rack = core.Rack.OrNull(),
        };
}

/// <summary>A topic and its partitions.</summary>
public sealed record TopicMetadata
{
    /// <summary>The name of the topic; null where the broker does not know it.</summary>
    public required string? Name { get; init; }

    /// <summary>The id of the topic; <see cref="Guid.Empty"/> where it is not told.</summary>
    public Guid TopicId { get; init; }

    /// <summary>Whether the topic is Kafka's own, such as the one for committed offsets.</summary>
    public bool IsInternal { get; init; }

    /// <summary>Why there is nothing else to tell, such as UNKNOWN_TOPIC_OR_PARTITION; <c>ErrorCode.None</c> where all is well.</summary>
    public ErrorCode Error { get; init; }

    /// <summary>The partitions, in no order that could be relied on.</summary>
    public IReadOnlyList<PartitionMetadata> Partitions
    {
        get;
        init => field = new ValueList<PartitionMetadata>(value);
    } = new ValueList<PartitionMetadata>([]);

    internal static TopicMetadata Of(Metadata.Topic core) =>
        new()
        {
            Name = core.Name.OrNull(),
            TopicId = core.TopicId,
            IsInternal = core.IsInternal,
            Error = core.Error,
            Partitions = new ValueList<PartitionMetadata>(core.Partitions.Select(PartitionMetadata.Of)),
        };
}

/// <summary>A partition of a topic, and the brokers that keep it.</summary>
public sealed record PartitionMetadata
{
    /// <summary>The number of the partition, from 0.</summary>
    public required int Partition { get; init; }

    /// <summary>What is wrong with the partition, such as LEADER_NOT_AVAILABLE; <c>ErrorCode.None</c> where all is well.</summary>
    public ErrorCode Error { get; init; }

    /// <summary>The id of the broker that leads the partition; -1 where there is none.</summary>
    public int LeaderId { get; init; } = -1;

    /// <summary>The epoch in which it does; -1 where it is not told.</summary>
    public int LeaderEpoch { get; init; } = -1;

    /// <summary>The ids of the brokers that keep the partition, the preferred leader first.</summary>
    public IReadOnlyList<int> Replicas
    {
        get;
        init => field = new ValueList<int>(value);
    } = new ValueList<int>([]);

    /// <summary>Those of them that keep up with the leader.</summary>
    public IReadOnlyList<int> InSyncReplicas
    {
        get;
        init => field = new ValueList<int>(value);
    } = new ValueList<int>([]);

    /// <summary>Those of them that are not to be reached.</summary>
    public IReadOnlyList<int> OfflineReplicas
    {
        get;
        init => field = new ValueList<int>(value);
    } = new ValueList<int>([]);

    internal static PartitionMetadata Of(Metadata.Partition core) =>
        new()
        {
            Partition = core.PartitionIndex,
            Error = core.Error,
            LeaderId = core.LeaderId,
            LeaderEpoch = core.LeaderEpoch,
            Replicas = core.ReplicaNodes,
            InSyncReplicas = core.IsrNodes,
            OfflineReplicas = core.OfflineReplicas,
        };
}
