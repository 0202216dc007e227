namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeQuorum (API key 55): describes the leader, voters and observers of the metadata quorum, and their progress in the metadata log
/// (KIP-595). Send it to the controller that leads the quorum; brokers forward it.
module DescribeQuorum =

    /// A partition to describe: in practice partition 0.
    type PartitionRequest = { PartitionIndex: int32 }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        return { PartitionIndex = partition }
    }

    /// A topic to describe: in practice `__cluster_metadata`.
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

    /// A node that replicates the metadata log, and its progress.
    type Replica =
        {
            ReplicaId: int32
            /// The directory in which it keeps the log; zero if unknown. Since version 2 (KIP-853).
            ReplicaDirectoryId: Guid
            /// The offset after its last record; -1 if unknown.
            LogEndOffset: int64
            /// The leader's clock at the replica's last fetch, in milliseconds since the epoch; -1 if unknown. For the leader itself, the
            /// time of the response. Since version 1 (KIP-836).
            LastFetchTimestamp: int64
            /// The leader's clock when the replica last had all records, in milliseconds since the epoch; -1 if unknown. For the leader
            /// itself, the time of the response. Since version 1 (KIP-836).
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
            /// NOT_LEADER_OR_FOLLOWER if this controller does not lead the quorum; UNKNOWN_TOPIC_OR_PARTITION.
            Error: ErrorCode
            /// The controller's description of the error; null if it gives none. Since version 2 (KIP-853).
            ErrorMessage: string option
            /// -1 if unknown.
            LeaderId: int32
            /// The epoch of the leader.
            LeaderEpoch: int32
            /// The offset after the last record that a majority of the voters have; -1 if unknown.
            HighWatermark: int64
            /// The controllers that elect the leader and can be elected.
            CurrentVoters: Replica list
            /// The nodes that only replicate the log, such as brokers.
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

    /// The endpoints of a controller (KIP-853).
    type Node = { NodeId: int32; Listeners: VoterListener list }

    let node = message {
        let! id = field "NodeId" _.NodeId int32
        and! listeners = field "Listeners" _.Listeners (array VoterListener.schema)
        return { NodeId = id; Listeners = listeners }
    }

    type Response =
        {
            /// The error of the whole request: CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The controller's description of the error; null if it gives none. Since version 2 (KIP-853).
            ErrorMessage: string option
            Topics: TopicResponse list
            /// The voters and their endpoints. Since version 2 (KIP-853).
            Nodes: Node list
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> since 2s (Some "") |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResponse)
        and! nodes = field "Nodes" _.Nodes (array node |> since 2s [])

        return { Error = error; ErrorMessage = text; Topics = topics; Nodes = nodes }
    }

    let api = Api.define ApiKey.DescribeQuorum (versions 0 2 |> flexibleFrom 0) request response

    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Replica with
        override this.ToString() = Schema.show replica this
    type PartitionResponse with
        override this.ToString() = Schema.show partitionResponse this
    type TopicResponse with
        override this.ToString() = Schema.show topicResponse this
    type Node with
        override this.ToString() = Schema.show node this
    type Response with
        override this.ToString() = Message.show api.Response this
