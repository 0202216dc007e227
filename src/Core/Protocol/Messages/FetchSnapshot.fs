namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// FetchSnapshot (API key 59): reads a part of a snapshot of the metadata log, for a replica whose next records the leader has deleted
/// (KIP-630). Send it to the controller that leads the quorum, which named the snapshot in a Fetch response.
module FetchSnapshot =

    /// The part to read of one partition's snapshot: in practice the only partition of `__cluster_metadata`.
    type PartitionRequest =
        {
            Partition: int32
            /// The leader epoch that the replica knows; -1 if none.
            CurrentLeaderEpoch: int32
            SnapshotId: SnapshotId
            /// The position in the snapshot to read from, in bytes.
            Position: int64
            /// The directory in which the replica keeps the log; zero if not given. Since version 1 (KIP-853).
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

    /// The snapshots of one topic to read.
    type TopicRequest = { Name: string; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { Name = name; Partitions = partitions }
    }

    type Request =
        {
            /// The replica's cluster id; null to skip the check.
            ClusterId: string option
            /// The node id of the replica.
            ReplicaId: int32
            /// The maximum number of bytes of all snapshots in the response.
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

    /// A part of one partition's snapshot.
    type PartitionResponse =
        {
            Index: int32
            /// SNAPSHOT_NOT_FOUND if the leader no longer has the snapshot; POSITION_OUT_OF_RANGE if the position is after its end;
            /// NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH if the replica and the node disagree about the leader;
            /// UNKNOWN_TOPIC_OR_PARTITION.
            Error: ErrorCode
            SnapshotId: SnapshotId
            /// The leader that the node knows.
            CurrentLeader: CurrentLeader
            /// The size of the whole snapshot, in bytes.
            Size: int64
            /// The position of this part in the snapshot, in bytes.
            Position: int64
            /// Consecutive record batches. The first and the last can be incomplete.
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

    /// Parts of the snapshots of one topic.
    type TopicResponse = { Name: string; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { Name = name; Partitions = partitions }
    }

    type Response =
        {
            /// How long the sender is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// The error of the whole request: INCONSISTENT_CLUSTER_ID; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            Topics: TopicResponse list
            /// The endpoints of the leaders in the response. Since version 1 (KIP-853).
            NodeEndpoints: VoterEndpoint list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        and! topics = field "Topics" _.Topics (array topicResponse)
        and! nodes = field "NodeEndpoints" _.NodeEndpoints (array VoterEndpoint.schema |> since 1s [] |> tagged 0)

        return { ThrottleTimeMs = throttle; Error = error; Topics = topics; NodeEndpoints = nodes }
    }

    let api =
        Api.define ApiKey.FetchSnapshot (versions 0 1 |> flexibleFrom 0) request response |> Api.throttledBy _.ThrottleTimeMs

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
