namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// EndQuorumEpoch (API key 54): the leader of the metadata quorum resigns, so that an election need not wait for a time-out (KIP-595).
/// It goes from the leader to the other voters, as a rule when it shuts down.
module EndQuorumEpoch =

    /// A voter that could lead next (KIP-853).
    type Candidate =
        {
            /// The voter's node id.
            CandidateId: int32
            /// The directory that it keeps the log in.
            CandidateDirectoryId: Guid
        }

    let candidate = message {
        let! id = field "CandidateId" _.CandidateId int32
        and! directory = field "CandidateDirectoryId" _.CandidateDirectoryId uuid
        return { CandidateId = id; CandidateDirectoryId = directory }
    }

    /// Who resigns from one partition: in practice the only one of `__cluster_metadata`.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The node id of the leader that resigns.
            LeaderId: int32
            /// The epoch that it led.
            LeaderEpoch: int32
            /// Version 0: the node ids of the voters, the one furthest in the log first. The first one stands for election at once, the
            /// others a little later each.
            PreferredSuccessors: int32 list
            /// The same from version 1 on (KIP-853).
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

    /// Who resigns from the partitions of one topic.
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
            Topics: TopicRequest list
            /// Where the leader is to be reached (KIP-853).
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
            /// What concerns the request as a whole: INCONSISTENT_CLUSTER_ID; INVALID_REQUEST for a partition that is not the metadata
            /// log's; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// For each partition FENCED_LEADER_EPOCH when the voter is in a later epoch; INCONSISTENT_VOTER_SET when one of the two is no
            /// voter to the other; BROKER_NOT_AVAILABLE while the voter shuts down.
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

    let api = Api.define ApiKey.EndQuorumEpoch 0s 1s (Some 1s) request response
