namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeQuorum (API key 55): leader, voters and observers of the metadata quorum, and how far they have come in its log (KIP-595). It
/// goes to the controller that leads the quorum; brokers pass it on.
module DescribeQuorum =

    /// A partition that is asked about: in practice partition 0.
    type PartitionRequest = { PartitionIndex: int32 }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        return { PartitionIndex = partition }
    }

    /// A topic that is asked about: in practice `__cluster_metadata`.
    type TopicRequest = { TopicName: string; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! name = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { TopicName = name; Partitions = partitions }
    }

    type Request = { Topics: TopicRequest list }

    let request = message {
        let! topics = field "Topics" _.Topics (array topicRequest)
        return { Topics = topics }
    }

    /// A node that keeps the metadata log, and how far it has come.
    type Replica =
        {
            ReplicaId: int32
            /// The directory that it keeps the log in (KIP-853); zero where it is not known.
            ReplicaDirectoryId: Guid
            /// The offset behind the last record that it has; -1 where it is not known.
            LogEndOffset: int64
            /// The leader's clock when the replica last fetched, in milliseconds since the epoch (KIP-836); -1 where it is not known. For
            /// the leader itself, the time of the answer.
            LastFetchTimestamp: int64
            /// The leader's clock when the replica last had everything, in milliseconds since the epoch (KIP-836); -1 where it is not
            /// known. For the leader itself, the time of the answer.
            LastCaughtUpTimestamp: int64
        }

    let replica = message {
        let! id = field "ReplicaId" _.ReplicaId int32
        and! directory = field "ReplicaDirectoryId" _.ReplicaDirectoryId (uuid |> since 2s Guid.Empty)
        and! logEnd = field "LogEndOffset" _.LogEndOffset int64
        and! lastFetch = field "LastFetchTimestamp" _.LastFetchTimestamp (int64 |> since 1s -1L |> ignorable)
        and! lastCaughtUp = field "LastCaughtUpTimestamp" _.LastCaughtUpTimestamp (int64 |> since 1s -1L |> ignorable)

        return
            { ReplicaId = id
              ReplicaDirectoryId = directory
              LogEndOffset = logEnd
              LastFetchTimestamp = lastFetch
              LastCaughtUpTimestamp = lastCaughtUp }
    }

    /// The quorum of one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// NOT_LEADER_OR_FOLLOWER when the controller asked does not lead; UNKNOWN_TOPIC_OR_PARTITION.
            Error: ErrorCode
            /// What the controller says of the error; null where it says nothing.
            ErrorMessage: string option
            /// -1 where it is not known.
            LeaderId: int32
            LeaderEpoch: int32
            /// The offset behind the last record that most voters have; -1 where it is not known.
            HighWatermark: int64
            /// The controllers that elect and may be elected.
            CurrentVoters: Replica list
            /// The nodes that only read the log, such as brokers.
            Observers: Replica list
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> since 2s (Some "") |> ignorable)
        and! leader = field "LeaderId" _.LeaderId int32
        and! epoch = field "LeaderEpoch" _.LeaderEpoch int32
        and! watermark = field "HighWatermark" _.HighWatermark int64
        and! voters = field "CurrentVoters" _.CurrentVoters (array replica)
        and! observers = field "Observers" _.Observers (array replica)

        return
            { PartitionIndex = partition
              Error = error
              ErrorMessage = text
              LeaderId = leader
              LeaderEpoch = epoch
              HighWatermark = watermark
              CurrentVoters = voters
              Observers = observers }
    }

    /// The quorums of one topic.
    type TopicResponse = { TopicName: string; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! name = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { TopicName = name; Partitions = partitions }
    }

    /// Where a controller is to be reached (KIP-853).
    type Node = { NodeId: int32; Listeners: VoterListener list }

    let node = message {
        let! id = field "NodeId" _.NodeId int32
        and! listeners = field "Listeners" _.Listeners (array VoterListener.schema)
        return { NodeId = id; Listeners = listeners }
    }

    type Response =
        {
            /// What concerns the request as a whole: CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// What the controller says of the error; null where it says nothing.
            ErrorMessage: string option
            Topics: TopicResponse list
            /// The voters.
            Nodes: Node list
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> since 2s (Some "") |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResponse)
        and! nodes = field "Nodes" _.Nodes (array node |> since 2s [])

        return { Error = error; ErrorMessage = text; Topics = topics; Nodes = nodes }
    }

    let api = Api.define ApiKey.DescribeQuorum 0s 2s (Some 0s) request response
