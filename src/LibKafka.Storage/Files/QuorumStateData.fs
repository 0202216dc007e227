namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// QuorumStateData: the content of the file `quorum-state` in the directory of the metadata log: the vote of a node (KIP-595). The file has
/// the JSON form, with the version in the additional field `data_version`.
module QuorumStateData =

    /// A voter of the quorum.
    type Voter = { VoterId: int32 }

    let voter = message {
        let! voterId = field "VoterId" _.VoterId int32

        return { VoterId = voterId }
    }

    type Value =
        {
            /// Version 0 only.
            ClusterId: string
            /// The node id of the leader; -1 if unknown.
            LeaderId: int32
            /// The epoch of the leader; -1 if unknown.
            LeaderEpoch: int32
            /// The node that this node has voted for in the epoch; -1 for none.
            VotedId: int32
            /// The directory id of that node (KIP-853). Since version 1.
            VotedDirectoryId: Guid
            /// Always 0. Version 0 only.
            AppliedOffset: int64
            /// The voters; null if unknown. Version 0 only.
            CurrentVoters: Voter list option
        }

    let schema = message {
        let! clusterId = field "ClusterId" _.ClusterId (string |> until 0s "")
        and! leaderId = field "LeaderId" _.LeaderId (int32 |> withDefault -1)
        and! leaderEpoch = field "LeaderEpoch" _.LeaderEpoch (int32 |> withDefault -1)
        and! votedId = field "VotedId" _.VotedId (int32 |> withDefault -1)
        and! votedDirectoryId = field "VotedDirectoryId" _.VotedDirectoryId (uuid |> since 1s Guid.Empty)
        and! appliedOffset = field "AppliedOffset" _.AppliedOffset (int64 |> until 0s 0L)
        and! currentVoters = field "CurrentVoters" _.CurrentVoters (array voter |> nullable |> until 0s (Some []))

        return
            { ClusterId = clusterId
              LeaderId = leaderId
              LeaderEpoch = leaderEpoch
              VotedId = votedId
              VotedDirectoryId = votedDirectoryId
              AppliedOffset = appliedOffset
              CurrentVoters = currentVoters }
    }

    let message: Message<Value> = Message.define "QuorumStateData" (versions 0 1 |> flexibleFrom 0) schema

    type Voter with
        override this.ToString() = Schema.show voter this
    type Value with
        override this.ToString() = Message.show message this
