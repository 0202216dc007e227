using System;

namespace LibKafka;

/// <summary>The leader of a partition.</summary>
public sealed record PartitionLeader
{
    /// <summary>The id of the broker.</summary>
    public required int NodeId { get; init; }

    /// <summary>The address of the broker.</summary>
    public required BrokerAddress Address { get; init; }

    /// <summary>The leader epoch; -1 if the broker does not report it.</summary>
    public int Epoch { get; init; } = -1;

    /// <summary>
    /// The epoch to name in requests: <see cref="Epoch"/>, or -1 if brokers before Kafka 2.4 reported it, whose epochs may be out of date.
    /// </summary>
    public int RequestEpoch { get; init; } = -1;

    /// <summary>The id of the topic; <see cref="Guid.Empty"/> if the broker does not report it.</summary>
    public Guid TopicId { get; init; }

    internal static PartitionLeader Of(Client.Leader core) =>
        new()
        {
            NodeId = core.NodeId,
            Address = BrokerAddress.Of(core.Address),
            Epoch = core.Epoch,
            RequestEpoch = core.RequestEpoch,
            TopicId = core.TopicId,
        };

    internal Client.Leader ToCore() => new(NodeId, Address.ToCore(), Epoch, RequestEpoch, TopicId);
}
