using System;

namespace LibKafka;

/// <summary>The leader of a partition, and what else the cluster says that a client of the partition needs.</summary>
public sealed record PartitionLeader
{
    /// <summary>The id of the broker.</summary>
    public required int NodeId { get; init; }

    /// <summary>Where it listens.</summary>
    public required BrokerAddress Address { get; init; }

    /// <summary>The epoch in which it leads; -1 where the broker does not tell.</summary>
    public int Epoch { get; init; } = -1;

    /// <summary>The id of the topic; <see cref="Guid.Empty"/> where the broker does not tell.</summary>
    public Guid TopicId { get; init; }

    internal static PartitionLeader Of(Client.Leader core) =>
        new()
        {
            NodeId = core.NodeId,
            Address = BrokerAddress.Of(core.Address),
            Epoch = core.Epoch,
            TopicId = core.TopicId,
        };
}
