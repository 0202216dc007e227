namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// Where a voter of the metadata quorum is to be reached (KIP-853): its listener of the name that the request came in by.
type VoterEndpoint = { NodeId: int32; Host: string; Port: uint16 }

[<RequireQualifiedAccess>]
module internal VoterEndpoint =

    let schema = message {
        let! node = field "NodeId" _.NodeId int32
        and! host = field "Host" _.Host string
        and! port = field "Port" _.Port uint16

        return { NodeId = node; Host = host; Port = port }
    }

/// One of the listeners at which a voter of the metadata quorum is to be reached (KIP-853).
type VoterListener =
    {
        /// The listener's name, such as `CONTROLLER`.
        Name: string
        Host: string
        Port: uint16
    }

[<RequireQualifiedAccess>]
module internal VoterListener =

    let schema = message {
        let! name = field "Name" _.Name string
        and! host = field "Host" _.Host string
        and! port = field "Port" _.Port uint16

        return { Name = name; Host = host; Port = port }
    }

/// The levels of the feature `kraft.version` that a voter supports (KIP-853).
type KRaftVersionFeature = { MinSupportedVersion: int16; MaxSupportedVersion: int16 }

[<RequireQualifiedAccess>]
module internal KRaftVersionFeature =

    let schema = message {
        let! lowest = field "MinSupportedVersion" _.MinSupportedVersion int16
        and! highest = field "MaxSupportedVersion" _.MaxSupportedVersion int16

        return { MinSupportedVersion = lowest; MaxSupportedVersion = highest }
    }

/// A snapshot of the metadata log, named by where it ends (KIP-630).
type SnapshotId =
    {
        /// The offset behind the last record that the snapshot covers.
        EndOffset: int64
        /// The epoch of that record.
        Epoch: int32
    }

[<RequireQualifiedAccess>]
module internal SnapshotId =

    /// No snapshot.
    let none = { EndOffset = -1L; Epoch = -1 }

    let private withDefaults fallback = message {
        let! offset = field "EndOffset" _.EndOffset (int64 |> withDefault fallback.EndOffset)
        and! epoch = field "Epoch" _.Epoch (int32 |> withDefault fallback.Epoch)

        return { EndOffset = offset; Epoch = epoch }
    }

    let schema = withDefaults none

    /// For APIs that have 0 as the default of both.
    let zeroSchema = withDefaults { EndOffset = 0L; Epoch = 0 }

/// A voter's answer for one partition when a leader of the metadata quorum begins its epoch or ends it.
type QuorumEpochPartitionResponse =
    {
        PartitionIndex: int32
        Error: ErrorCode
        /// The leader that the voter knows; -1 for none.
        LeaderId: int32
        /// The latest epoch that the voter knows.
        LeaderEpoch: int32
    }

[<RequireQualifiedAccess>]
module internal QuorumEpochPartitionResponse =

    let schema = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! leader = field "LeaderId" _.LeaderId int32
        and! epoch = field "LeaderEpoch" _.LeaderEpoch int32

        return { PartitionIndex = partition; Error = error; LeaderId = leader; LeaderEpoch = epoch }
    }

/// A voter's answers for one topic when a leader of the metadata quorum begins its epoch or ends it.
type QuorumEpochTopicResponse = { TopicName: string; Partitions: QuorumEpochPartitionResponse list }

[<RequireQualifiedAccess>]
module internal QuorumEpochTopicResponse =

    let schema = message {
        let! name = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array QuorumEpochPartitionResponse.schema)
        return { TopicName = name; Partitions = partitions }
    }
