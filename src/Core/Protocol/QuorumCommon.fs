namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// The endpoint of a voter of the metadata quorum, on the listener on which the request was received (KIP-853).
type VoterEndpoint = { NodeId: int32; Host: string; Port: uint16 }

[<RequireQualifiedAccess>]
module VoterEndpoint =

    let schema = message {
        let! node = field "NodeId" _.NodeId int32
        and! host = field "Host" _.Host string
        and! port = field "Port" _.Port uint16

        return { NodeId = node; Host = host; Port = port }
    }

/// One of the listeners of a voter of the metadata quorum (KIP-853).
type VoterListener =
    {
        /// The listener's name, such as `CONTROLLER`.
        Name: string
        Host: string
        Port: uint16
    }

[<RequireQualifiedAccess>]
module VoterListener =

    let schema = message {
        let! name = field "Name" _.Name string
        and! host = field "Host" _.Host string
        and! port = field "Port" _.Port uint16

        return { Name = name; Host = host; Port = port }
    }

/// The levels of the feature `kraft.version` that a voter supports (KIP-853).
type KRaftVersionFeature = { MinSupportedVersion: int16; MaxSupportedVersion: int16 }

[<RequireQualifiedAccess>]
module KRaftVersionFeature =

    let schema = message {
        let! lowest = field "MinSupportedVersion" _.MinSupportedVersion int16
        and! highest = field "MaxSupportedVersion" _.MaxSupportedVersion int16

        return { MinSupportedVersion = lowest; MaxSupportedVersion = highest }
    }

/// A snapshot of the metadata log, identified by its end (KIP-630).
type SnapshotId =
    {
        /// The offset after the last record in the snapshot.
        EndOffset: int64
        /// The epoch of that record.
        Epoch: int32
    }

[<RequireQualifiedAccess>]
module SnapshotId =

    /// The value if there is no snapshot.
    let none = { EndOffset = -1L; Epoch = -1 }

    let private withDefaults fallback = message {
        let! offset = field "EndOffset" _.EndOffset (int64 |> withDefault fallback.EndOffset)
        and! epoch = field "Epoch" _.Epoch (int32 |> withDefault fallback.Epoch)

        return { EndOffset = offset; Epoch = epoch }
    }

    let schema = withDefaults none

    /// For APIs in which the default of both fields is 0.
    let zeroSchema = withDefaults { EndOffset = 0L; Epoch = 0 }

/// A voter's answer for one partition if a leader of the metadata quorum begins or ends its epoch.
type QuorumEpochPartitionResponse =
    {
        PartitionIndex: int32
        /// The codes are listed in the responses of BeginQuorumEpoch and EndQuorumEpoch.
        Error: ErrorCode
        /// The leader that the voter knows; -1 for none.
        LeaderId: int32
        /// The latest epoch that the voter knows.
        LeaderEpoch: int32
    }

[<RequireQualifiedAccess>]
module QuorumEpochPartitionResponse =

    let schema = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! leader = field "LeaderId" _.LeaderId int32
        and! epoch = field "LeaderEpoch" _.LeaderEpoch int32

        return { PartitionIndex = partition; Error = error; LeaderId = leader; LeaderEpoch = epoch }
    }

/// A voter's answers for one topic if a leader of the metadata quorum begins or ends its epoch.
type QuorumEpochTopicResponse = { TopicName: string; Partitions: QuorumEpochPartitionResponse list }

[<RequireQualifiedAccess>]
module QuorumEpochTopicResponse =

    let schema = message {
        let! name = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array QuorumEpochPartitionResponse.schema)
        return { TopicName = name; Partitions = partitions }
    }

type VoterEndpoint with
    override this.ToString() = Schema.show VoterEndpoint.schema this
type VoterListener with
    override this.ToString() = Schema.show VoterListener.schema this
type KRaftVersionFeature with
    override this.ToString() = Schema.show KRaftVersionFeature.schema this
type SnapshotId with
    override this.ToString() = Schema.show SnapshotId.schema this
type QuorumEpochPartitionResponse with
    override this.ToString() = Schema.show QuorumEpochPartitionResponse.schema this
type QuorumEpochTopicResponse with
    override this.ToString() = Schema.show QuorumEpochTopicResponse.schema this
