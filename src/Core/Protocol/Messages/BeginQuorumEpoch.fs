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

    /// A listener at which the leader is to be reached.
    type LeaderEndpoint =
        {
            /// The listener's name.
            Name: string
            Host: string
            Port: uint16
        }

    let leaderEndpoint = message {
        let! name = field "Name" _.Name string
        and! host = field "Host" _.Host string
        and! port = field "Port" _.Port uint16

        return { Name = name; Host = host; Port = port }
    }

    type Request =
        {
            /// The cluster that the leader means; null where it is not checked.
            ClusterId: string option
            /// The node id of the voter addressed (KIP-853); -1 where it is not told.
            VoterId: int32
            Topics: TopicRequest list
            /// Where the leader is to be reached (KIP-853).
            LeaderEndpoints: LeaderEndpoint list
        }

    let request = message {
        let! cluster = field "ClusterId" _.ClusterId (string |> nullable |> withDefault None)
        and! voter = field "VoterId" _.VoterId (int32 |> since 1s -1 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicRequest)
        and! endpoints = field "LeaderEndpoints" _.LeaderEndpoints (array leaderEndpoint |> since 1s [] |> ignorable)

        return { ClusterId = cluster; VoterId = voter; Topics = topics; LeaderEndpoints = endpoints }
    }

    /// The voter's answer for one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// FENCED_LEADER_EPOCH when the voter is in a later epoch; INCONSISTENT_VOTER_SET when one of the two is no voter to the
            /// other; INVALID_VOTER_KEY when the request was meant for another voter; BROKER_NOT_AVAILABLE while the voter shuts down.
            Error: ErrorCode
            /// The leader that the voter knows; -1 for none.
            LeaderId: int32
            /// The latest epoch that the voter knows.
            LeaderEpoch: int32
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! leader = field "LeaderId" _.LeaderId int32
        and! epoch = field "LeaderEpoch" _.LeaderEpoch int32

        return { PartitionIndex = partition; Error = error; LeaderId = leader; LeaderEpoch = epoch }
    }

    /// The voter's answers for one topic.
    type TopicResponse = { TopicName: string; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! name = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { TopicName = name; Partitions = partitions }
    }

    /// Where a controller is to be reached.
    type Endpoint = { NodeId: int32; Host: string; Port: uint16 }

    let endpoint = message {
        let! node = field "NodeId" _.NodeId int32
        and! host = field "Host" _.Host string
        and! port = field "Port" _.Port uint16

        return { NodeId = node; Host = host; Port = port }
    }

    type Response =
        {
            /// What concerns the request as a whole: INCONSISTENT_CLUSTER_ID; INVALID_REQUEST for a partition that is not the metadata
            /// log's; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            Topics: TopicResponse list
            /// Where the leaders named in the answers are to be reached (KIP-853).
            NodeEndpoints: Endpoint list
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! topics = field "Topics" _.Topics (array topicResponse)
        and! nodes = field "NodeEndpoints" _.NodeEndpoints (array endpoint |> since 1s [] |> tagged 0)

        return { Error = error; Topics = topics; NodeEndpoints = nodes }
    }

    let api = Api.define ApiKey.BeginQuorumEpoch 0s 1s (Some 1s) request response
