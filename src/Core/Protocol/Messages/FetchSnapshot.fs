namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// FetchSnapshot (API key 59): read a piece of a snapshot of the metadata log, for a replica that is so far behind that the leader has
/// deleted the records it lacks (KIP-630). It goes to the controller that leads the quorum, which named the snapshot in an answer to
/// Fetch.
module FetchSnapshot =

    /// What to read of one partition's snapshot: in practice the only partition of `__cluster_metadata`.
    type PartitionRequest =
        {
            Partition: int32
            /// The leader epoch that the replica knows; -1 where it knows none.
            CurrentLeaderEpoch: int32
            SnapshotId: SnapshotId
            /// The byte of the snapshot to begin at.
            Position: int64
            /// The directory that the replica keeps the log in (KIP-853); zero where it is not told.
            ReplicaDirectoryId: Guid
        }

    let partitionRequest = message {
        let! partition = field "Partition" _.Partition int32
        and! epoch = field "CurrentLeaderEpoch" _.CurrentLeaderEpoch int32
        and! snapshot = field "SnapshotId" _.SnapshotId SnapshotId.zeroSchema
        and! position = field "Position" _.Position int64
        and! directory = field "ReplicaDirectoryId" _.ReplicaDirectoryId (uuid |> since 1s Guid.Empty |> tagged 0 |> ignorable)

        return
            { Partition = partition
              CurrentLeaderEpoch = epoch
              SnapshotId = snapshot
              Position = position
              ReplicaDirectoryId = directory }
    }

    /// What to read of one topic's snapshots.
    type TopicRequest = { Name: string; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { Name = name; Partitions = partitions }
    }

    type Request =
        {
            /// The cluster that the replica means; null where it is not checked.
            ClusterId: string option
            /// The node that asks.
            ReplicaId: int32
            /// Most bytes to answer for all snapshots together.
            MaxBytes: int32
            Topics: TopicRequest list
        }

    let request = message {
        let! replica = field "ReplicaId" _.ReplicaId (int32 |> withDefault -1)
        and! maxBytes = field "MaxBytes" _.MaxBytes (int32 |> withDefault Int32.MaxValue)
        and! topics = field "Topics" _.Topics (array topicRequest)
        and! cluster = field "ClusterId" _.ClusterId (string |> nullable |> withDefault None |> tagged 0)

        return { ClusterId = cluster; ReplicaId = replica; MaxBytes = maxBytes; Topics = topics }
    }

    /// A piece of one partition's snapshot.
    type PartitionResponse =
        {
            Index: int32
            /// SNAPSHOT_NOT_FOUND when the leader no longer has the snapshot; POSITION_OUT_OF_RANGE when it is shorter than the position;
            /// NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH and UNKNOWN_LEADER_EPOCH when replica and node disagree on the leader;
            /// UNKNOWN_TOPIC_OR_PARTITION.
            Error: ErrorCode
            SnapshotId: SnapshotId
            CurrentLeader: CurrentLeader
            /// How many bytes the whole snapshot has.
            Size: int64
            /// The byte of the snapshot that the piece begins at.
            Position: int64
            /// The piece: record batches one behind the other, of which the first and the last may be cut off.
            UnalignedRecords: Bytes
        }

    let partitionResponse = message {
        let! index = field "Index" _.Index int32
        and! error = field "ErrorCode" _.Error errorCode
        and! snapshot = field "SnapshotId" _.SnapshotId SnapshotId.zeroSchema
        and! size = field "Size" _.Size int64
        and! position = field "Position" _.Position int64
        and! records = field "UnalignedRecords" _.UnalignedRecords records
        and! leader = field "CurrentLeader" _.CurrentLeader (CurrentLeader.zeroSchema |> tagged 0)

        return
            { Index = index
              Error = error
              SnapshotId = snapshot
              CurrentLeader = leader
              Size = size
              Position = position
              UnalignedRecords = records }
    }

    /// Pieces of one topic's snapshots.
    type TopicResponse = { Name: string; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { Name = name; Partitions = partitions }
    }

    type Response =
        {
            /// How long the replica is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// What concerns the request as a whole: INCONSISTENT_CLUSTER_ID; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            Topics: TopicResponse list
            /// Where the leaders named in the answers are to be reached (KIP-853).
            NodeEndpoints: VoterEndpoint list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        and! topics = field "Topics" _.Topics (array topicResponse)
        and! nodes = field "NodeEndpoints" _.NodeEndpoints (array VoterEndpoint.schema |> since 1s [] |> tagged 0)

        return { ThrottleTimeMs = throttle; Error = error; Topics = topics; NodeEndpoints = nodes }
    }

    let api = Api.define ApiKey.FetchSnapshot 0s 1s (Some 0s) request response
