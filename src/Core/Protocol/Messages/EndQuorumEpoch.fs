namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// EndQuorumEpoch (API key 54): announces that the leader of the metadata quorum resigns, so that the election does not have to wait for a
/// timeout (KIP-595). The leader sends it to the other voters, usually when it shuts down.
module EndQuorumEpoch =

    /// A voter that could lead next (KIP-853).
    type Candidate =
        {
            /// The voter's node id.
            CandidateId: int32
            /// The directory in which the voter keeps the log.
            CandidateDirectoryId: Guid
        }

    let candidate = message {
        let! id = field "CandidateId" _.CandidateId int32
        and! directory = field "CandidateDirectoryId" _.CandidateDirectoryId uuid
        return { CandidateId = id; CandidateDirectoryId = directory }
    }

    /// The resignation in one partition: in practice the only partition of `__cluster_metadata`.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The node id of the leader that resigns.
            LeaderId: int32
            /// The epoch that it led.
            LeaderEpoch: int32
            /// The node ids of the voters, the most up-to-date first. The first one starts an election at once, each of the others after a
            /// delay. Version 0 only.
            PreferredSuccessors: int32 list
            /// The voters, the most up-to-date first. The first one starts an election at once, each of the others after a delay. Since
            /// version 1 (KIP-853).
            PreferredCandidates: Candidate list
        }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! leader = field "LeaderId" _.LeaderId int32
        and! epoch = field "LeaderEpoch" _.LeaderEpoch int32
        and! successors = field "PreferredSuccessors" _.PreferredSuccessors (array int32 |> until 0s [] |> ignorable)
        and! candidates = field "PreferredCandidates" _.PreferredCandidates (array candidate |> since 1s [] |> ignorable)

        return
            { PartitionIndex = partition
              LeaderId = leader
              LeaderEpoch = epoch
              PreferredSuccessors = successors
              PreferredCandidates = candidates }
    }

    /// The resignation in the partitions of one topic.
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
            Topics: TopicRequest list
            /// The endpoints of the leader. Since version 1 (KIP-853).
            LeaderEndpoints: VoterListener list
        }

    let request = message {
        let! cluster = field "ClusterId" _.ClusterId (string |> nullable |> withDefault None)
        and! topics = field "Topics" _.Topics (array topicRequest)
        and! endpoints = field "LeaderEndpoints" _.LeaderEndpoints (array VoterListener.schema |> since 1s [] |> ignorable)

        return { ClusterId = cluster; Topics = topics; LeaderEndpoints = endpoints }
    }

    type Response =
        {
            /// The error of the whole request: INCONSISTENT_CLUSTER_ID; INVALID_REQUEST for a partition other than that of the metadata
            /// log; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// Error codes of a partition: FENCED_LEADER_EPOCH if the voter is in a later epoch; INCONSISTENT_VOTER_SET if one node does
            /// not consider the other a voter; BROKER_NOT_AVAILABLE while the voter shuts down.
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

    let api = Api.define ApiKey.EndQuorumEpoch (versions 0 1 |> flexibleFrom 1) request response

    type Candidate with
        override this.ToString() = Schema.show candidate this
    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
