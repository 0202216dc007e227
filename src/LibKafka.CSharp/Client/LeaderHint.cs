using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>
/// The leader of a partition, as named by a broker that does not lead it (KIP-951). It comes with an error such as NOT_LEADER_OR_FOLLOWER.
/// </summary>
/// <param name="NodeId">The id of the broker that leads the partition.</param>
/// <param name="Epoch">The leader epoch; -1 if it is not known.</param>
/// <param name="Address">The address of the leader; null if the broker does not report it.</param>
public readonly record struct LeaderHint(int NodeId, int Epoch, BrokerAddress? Address)
{
    internal static LeaderHint? Of(CurrentLeader leader, IEnumerable<NodeEndpoint> nodes)
    {
        if (leader.LeaderId < 0)
        {
            return null;
        }

        var node = nodes.FirstOrDefault(node => node.NodeId == leader.LeaderId);
        return new(leader.LeaderId, leader.LeaderEpoch, node is null ? null : new BrokerAddress(node.Host, node.Port));
    }
}
