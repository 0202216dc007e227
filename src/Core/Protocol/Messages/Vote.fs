namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// Vote (API key 52): ask to be elected leader of the metadata quorum (KIP-595). It goes from a controller to each of the other voters.
module Vote =

    /// What a candidate has to show for one partition: in practice the only one of `__cluster_metadata`.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The epoch that the candidate wants to lead. With `PreVote` it still is the current one.
            ReplicaEpoch: int32
            /// The candidate's node id.
            ReplicaId: int32
            /// The directory that the candidate keeps the log in (KIP-853); zero where it is not told.
            ReplicaDirectoryId: Guid
            /// The directory that the voter asked is thought to keep the log in (KIP-853); zero where it is not told.
            VoterDirectoryId: Guid
            /// The epoch of the last record in the candidate's log.
            LastOffsetEpoch: int32
            /// Where the candidate's log ends. A voter refuses a candidate whose log is behind its own.
            LastOffset: int64
            /// Only ask whether the candidate would win, so that one that was cut off does not disturb a working leader (KIP-996).
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

    /// What a candidate has to show for one topic.
    type TopicRequest = { TopicName: string; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! name = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { TopicName = name; Partitions = partitions }
    }

    type Request =
        {
            /// The cluster that the candidate means; null where it is not checked.
            ClusterId: string option
            /// The node id of the voter asked (KIP-853); -1 where it is not told.
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
            /// FENCED_LEADER_EPOCH when the voter is in a later epoch; INCONSISTENT_VOTER_SET when one of the two is no voter to the
            /// other; INVALID_VOTER_KEY when the request was meant for another voter; BROKER_NOT_AVAILABLE while the voter shuts down.
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
            /// What concerns the request as a whole: INCONSISTENT_CLUSTER_ID; INVALID_REQUEST for a partition that is not the metadata
            /// log's; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            Topics: TopicResponse list
            /// Where the leaders named in the answers are to be reached (KIP-853).
            NodeEndpoints: VoterEndpoint list
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! topics = field "Topics" _.Topics (array topicResponse)
        and! nodes = field "NodeEndpoints" _.NodeEndpoints (array VoterEndpoint.schema |> since 1s [] |> tagged 0)

        return { Error = error; Topics = topics; NodeEndpoints = nodes }
    }

    let api = Api.define ApiKey.Vote 0s 2s (Some 0s) request response
