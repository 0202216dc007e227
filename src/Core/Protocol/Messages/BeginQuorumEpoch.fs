namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// BeginQuorumEpoch (API key 53): announces the winner of an election to the metadata quorum (KIP-595). The new leader sends it to the
/// other voters, and repeats it until they follow.
module BeginQuorumEpoch =

    /// The leader of one partition: in practice the only partition of `__cluster_metadata`.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The directory in which the receiving voter is expected to keep the log; zero to skip the check. Since version 1 (KIP-853).
            VoterDirectoryId: Guid
            /// The node id of the new leader.
            LeaderId: int32
            /// The epoch of the new leader.
            LeaderEpoch: int32
        }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! directory = field "VoterDirectoryId" _.VoterDirectoryId (uuid |> since 1s Guid.Empty |> ignorable)
        and! leader = field "LeaderId" _.LeaderId int32
        and! epoch = field "LeaderEpoch" _.LeaderEpoch int32

        return { PartitionIndex = partition; VoterDirectoryId = directory; LeaderId = leader; LeaderEpoch = epoch }
    }

    /// The leaders of the partitions of one topic.
    type TopicRequest = { TopicName: string; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! name = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { TopicName = name; Partitions = partitions }
    }

    type Request =
        {
            /// The leader's cluster id; null to skip the check.
            ClusterId: string option
            /// The node id of the receiving voter; -1 to skip the check. Since version 1 (KIP-853).
            VoterId: int32
            Topics: TopicRequest list
            /// The endpoints of the leader. Since version 1 (KIP-853).
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
            /// The error of the whole request: INCONSISTENT_CLUSTER_ID; INVALID_REQUEST for a partition other than that of the metadata
            /// log; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// Error codes of a partition: FENCED_LEADER_EPOCH if the voter is in a later epoch; INCONSISTENT_VOTER_SET if one node does
            /// not consider the other a voter; INVALID_VOTER_KEY if the request was meant for another voter; BROKER_NOT_AVAILABLE while
            /// the voter shuts down.
            Topics: QuorumEpochTopicResponse list
            /// The endpoints of the leaders in the response. Since version 1 (KIP-853).
            NodeEndpoints: VoterEndpoint list
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! topics = field "Topics" _.Topics (array QuorumEpochTopicResponse.schema)
        and! nodes = field "NodeEndpoints" _.NodeEndpoints (array VoterEndpoint.schema |> since 1s [] |> tagged 0)

        return { Error = error; Topics = topics; NodeEndpoints = nodes }
    }

    let api = Api.define ApiKey.BeginQuorumEpoch (versions 0 1 |> flexibleFrom 1) request response

    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
