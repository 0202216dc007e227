namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// Vote (API key 52): requests a vote in an election of the metadata quorum's leader (KIP-595). Candidates send it to each of the other
/// voters.
module Vote =

    /// The candidacy in one partition: in practice the only partition of `__cluster_metadata`.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The epoch that the candidate wants to lead; with `PreVote`, its current epoch.
            ReplicaEpoch: int32
            /// The candidate's node id.
            ReplicaId: int32
            /// The directory in which the candidate keeps the log; zero if not given. Since version 1 (KIP-853).
            ReplicaDirectoryId: Guid
            /// The directory in which the receiving voter is expected to keep the log; zero to skip the check. Since version 1 (KIP-853).
            VoterDirectoryId: Guid
            /// The epoch of the last record in the candidate's log.
            LastOffsetEpoch: int32
            /// The end offset of the candidate's log. Voters refuse a candidate whose log is less complete than their own.
            LastOffset: int64
            /// Whether the candidate only asks if it would win, so that a node that was partitioned does not disrupt a working leader.
            /// Since version 2 (KIP-996).
            PreVote: bool
        }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! epoch = field "ReplicaEpoch" _.ReplicaEpoch int32
        and! replica = field "ReplicaId" _.ReplicaId int32
        and! directory = field "ReplicaDirectoryId" _.ReplicaDirectoryId (uuid |> since 1s Guid.Empty |> ignorable)
        and! voterDirectory = field "VoterDirectoryId" _.VoterDirectoryId (uuid |> since 1s Guid.Empty |> ignorable)
        and! lastEpoch = field "LastOffsetEpoch" _.LastOffsetEpoch int32
        and! lastOffset = field "LastOffset" _.LastOffset int64
        and! preVote = field "PreVote" _.PreVote (bool |> since 2s false)

        return
            { PartitionIndex = partition
              ReplicaEpoch = epoch
              ReplicaId = replica
              ReplicaDirectoryId = directory
              VoterDirectoryId = voterDirectory
              LastOffsetEpoch = lastEpoch
              LastOffset = lastOffset
              PreVote = preVote }
    }

    /// The candidacy in the partitions of one topic.
    type TopicRequest = { TopicName: string; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! name = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { TopicName = name; Partitions = partitions }
    }

    type Request =
        {
            /// The candidate's cluster id; null to skip the check.
            ClusterId: string option
            /// The node id of the receiving voter; -1 to skip the check. Since version 1 (KIP-853).
            VoterId: int32
            Topics: TopicRequest list
        }

    let request = message {
        let! cluster = field "ClusterId" _.ClusterId (string |> nullable |> withDefault None)
        and! voter = field "VoterId" _.VoterId (int32 |> since 1s -1 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicRequest)

        return { ClusterId = cluster; VoterId = voter; Topics = topics }
    }

    /// The voter's answer for one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// FENCED_LEADER_EPOCH if the voter is in a later epoch; INCONSISTENT_VOTER_SET if one node does not consider the other a
            /// voter; INVALID_VOTER_KEY if the request was meant for another voter; BROKER_NOT_AVAILABLE while the voter shuts down.
            Error: ErrorCode
            /// The leader that the voter knows; -1 for none.
            LeaderId: int32
            /// The latest epoch that the voter knows.
            LeaderEpoch: int32
            VoteGranted: bool
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! leader = field "LeaderId" _.LeaderId int32
        and! epoch = field "LeaderEpoch" _.LeaderEpoch int32
        and! granted = field "VoteGranted" _.VoteGranted bool

        return { PartitionIndex = partition; Error = error; LeaderId = leader; LeaderEpoch = epoch; VoteGranted = granted }
    }

    /// The voter's answers for one topic.
    type TopicResponse = { TopicName: string; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! name = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { TopicName = name; Partitions = partitions }
    }

    type Response =
        {
            /// The error of the whole request: INCONSISTENT_CLUSTER_ID; INVALID_REQUEST for a partition other than that of the metadata
            /// log; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            Topics: TopicResponse list
            /// The endpoints of the leaders in the response. Since version 1 (KIP-853).
            NodeEndpoints: VoterEndpoint list
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! topics = field "Topics" _.Topics (array topicResponse)
        and! nodes = field "NodeEndpoints" _.NodeEndpoints (array VoterEndpoint.schema |> since 1s [] |> tagged 0)

        return { Error = error; Topics = topics; NodeEndpoints = nodes }
    }

    let api = Api.define ApiKey.Vote (versions 0 2 |> flexibleFrom 0) request response

    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type PartitionResponse with
        override this.ToString() = Schema.show partitionResponse this
    type TopicResponse with
        override this.ToString() = Schema.show topicResponse this
    type Response with
        override this.ToString() = Message.show api.Response this
