using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Linq;
using LibKafka.Protocol;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>The brokers of a cluster, and topics with their partitions and leaders, as one broker knows them.</summary>
public sealed class ClusterMetadata
{
    private readonly short _version;
    private FSharpFunc<Client.TopicPartition, FSharpResult<Client.Leader, ErrorCode>>? _leaders;

    internal ClusterMetadata(Metadata.Response core, short version)
    {
        _version = version;
        Core = core;
        Brokers = [.. core.Brokers.Select(BrokerMetadata.Of)];
        Topics = [.. core.Topics.Select(TopicMetadata.Of)];
    }

    /// <summary>The live brokers.</summary>
    public IReadOnlyList<BrokerMetadata> Brokers { get; }

    /// <summary>The topics. One that cannot be described has only an error code.</summary>
    public IReadOnlyList<TopicMetadata> Topics { get; }

    /// <summary>The id of the cluster; null if the broker does not report it.</summary>
    public string? ClusterId => Core.ClusterId.OrNull();

    /// <summary>The id of the broker to send administrative requests to; -1 if the broker does not report it.</summary>
    public int ControllerId => Core.ControllerId;

    internal Metadata.Response Core { get; }

    /// <summary>Finds the leader of a partition.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="leader">The leader.</param>
    /// <param name="error">Why there is none, such as LEADER_NOT_AVAILABLE; <c>ErrorCode.None</c> if there is one.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryGetLeader(TopicPartition partition, [NotNullWhen(true)] out PartitionLeader? leader, out ErrorCode error)
    {
        _leaders ??= Client.Cluster.LeadersIn(Core, _version);
        var found = _leaders.Invoke(Interop.Required(partition).ToCore());
        leader = found.IsOk ? PartitionLeader.Of(found.ResultValue) : null;
        error = found.IsOk ? ErrorCode.None : found.ErrorValue;
        return found.IsOk;
    }

    /// <summary>The number of brokers and topics.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => $"{Interop.Count(Brokers.Count, "broker")}, {Interop.Count(Topics.Count, "topic")}";
}

/// <summary>A broker.</summary>
public sealed record BrokerMetadata
{
    /// <summary>The id of the broker.</summary>
    public required int NodeId { get; init; }

    /// <summary>The address of the broker.</summary>
    public required BrokerAddress Address { get; init; }

    /// <summary>The rack of the broker; null if it has none.</summary>
    public string? Rack { get; init; }

    internal static BrokerMetadata Of(FindCoordinator.Coordinator core) =>
        new() { NodeId = core.NodeId, Address = new(core.Host, core.Port) };

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
    /// <summary>The name of the topic; null if the broker does not know it.</summary>
    public required string? Name { get; init; }

    /// <summary>The id of the topic; <see cref="Guid.Empty"/> if the broker does not report it.</summary>
    public Guid TopicId { get; init; }

    /// <summary>Whether the topic is internal to Kafka, such as the one for committed offsets.</summary>
    public bool IsInternal { get; init; }

    /// <summary>Why the topic cannot be described, such as UNKNOWN_TOPIC_OR_PARTITION; <c>ErrorCode.None</c> if it can.</summary>
    public ErrorCode Error { get; init; }

    /// <summary>The partitions, in no particular order.</summary>
    public IReadOnlyList<PartitionMetadata> Partitions
    {
        get;
        init => field = new ValueList<PartitionMetadata>(Interop.RequiredAll(value));
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

/// <summary>A partition of a topic, and its replicas.</summary>
public sealed record PartitionMetadata
{
    /// <summary>The number of the partition, from 0.</summary>
    public required int Partition { get; init; }

    /// <summary>The error code of the partition, such as LEADER_NOT_AVAILABLE; <c>ErrorCode.None</c> if there is none.</summary>
    public ErrorCode Error { get; init; }

    /// <summary>The id of the leader; -1 if there is none.</summary>
    public int LeaderId { get; init; } = -1;

    /// <summary>The leader epoch; -1 if the broker does not report it.</summary>
    public int LeaderEpoch { get; init; } = -1;

    /// <summary>The ids of the brokers that have a replica, the preferred leader first.</summary>
    public IReadOnlyList<int> Replicas
    {
        get;
        init => field = new ValueList<int>(Interop.Required(value));
    } = new ValueList<int>([]);

    /// <summary>The ids of the in-sync replicas.</summary>
    public IReadOnlyList<int> InSyncReplicas
    {
        get;
        init => field = new ValueList<int>(Interop.Required(value));
    } = new ValueList<int>([]);

    /// <summary>The ids of the replicas that are offline.</summary>
    public IReadOnlyList<int> OfflineReplicas
    {
        get;
        init => field = new ValueList<int>(Interop.Required(value));
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
