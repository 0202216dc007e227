namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// BeginQuorumEpoch (API key 53): tell the metadata quorum who won the election (KIP-595). It goes from the new leader to the other
/// voters, again and again until they follow it.
module BeginQuorumEpoch =

    /// Who leads one partition: in practice the only one of `__cluster_metadata`.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The directory that the voter addressed is thought to keep the log in (KIP-853); zero where it is not told.
            VoterDirectoryId: Guid
            /// The new leader's node id.
            LeaderId: int32
            /// The epoch that it leads.
            LeaderEpoch: int32
        }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! directory = field "VoterDirectoryId" _.VoterDirectoryId (uuid |> since 1s Guid.Empty |> ignorable)
        and! leader = field "LeaderId" _.LeaderId int32
        and! epoch = field "LeaderEpoch" _.LeaderEpoch int32

        return { PartitionIndex = partition; VoterDirectoryId = directory; LeaderId = leader; LeaderEpoch = epoch }
    }

    /// Who leads the partitions of one topic.
    type TopicRequest = { TopicName: string; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! name = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { TopicName = name; Partitions = partitions }
    }

    type Request =
        {
            /// The cluster that the leader means; null where it is not checked.
            ClusterId: string option
            /// The node id of the voter addressed (KIP-853); -1 where it is not told.
            VoterId: int32
            Topics: TopicRequest list
            /// Where the leader is to be reached (KIP-853).
            LeaderEndpoints: VoterListener list
        }

    let request = message {
        let! cluster = field "ClusterId" _.ClusterId (string |> nullable |> withDefault None)
        and! voter = field "VoterId" _.VoterId (int32 |> since 1s -1 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicRequest)
        and! endpoints = field "LeaderEndpoints" _.LeaderEndpoints (array VoterListener.schema |> since 1s [] |> ignorable)

        return { ClusterId = cluster; VoterId = voter; Topics = topics; LeaderEndpoints = endpoints }
    }

    type Response =
        {
            /// What concerns the request as a whole: INCONSISTENT_CLUSTER_ID; INVALID_REQUEST for a partition that is not the metadata
            /// log's; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// For each partition FENCED_LEADER_EPOCH when the voter is in a later epoch; INCONSISTENT_VOTER_SET when one of the two is no
            /// voter to the other; INVALID_VOTER_KEY when the request was meant for another voter; BROKER_NOT_AVAILABLE while the voter
            /// shuts down.
            Topics: QuorumEpochTopicResponse list
            /// Where the leaders named in the answers are to be reached (KIP-853).
            NodeEndpoints: VoterEndpoint list
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! topics = field "Topics" _.Topics (array QuorumEpochTopicResponse.schema)
        and! nodes = field "NodeEndpoints" _.NodeEndpoints (array VoterEndpoint.schema |> since 1s [] |> tagged 0)

        return { Error = error; Topics = topics; NodeEndpoints = nodes }
    }

    let api = Api.define ApiKey.BeginQuorumEpoch 0s 1s (Some 1s) request response
