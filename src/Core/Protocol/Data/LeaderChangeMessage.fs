namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// The control record with which each new leader of the metadata quorum begins its epoch (KIP-595).
module LeaderChangeMessage =

    /// A voter of the quorum.
    type Voter =
        {
            /// The node id of the voter.
            VoterId: int32
            /// The directory in which the voter keeps the metadata log; zero if unknown. Since version 1 (KIP-853).
            VoterDirectoryId: Guid
        }

    let voter = message {
        let! id = field "VoterId" _.VoterId int32
        and! directory = field "VoterDirectoryId" _.VoterDirectoryId (uuid |> since 1s Guid.Empty)
        return { VoterId = id; VoterDirectoryId = directory }
    }

    type LeaderChange =
        {
            /// The version of this record.
            Version: int16
            /// The node id of the new leader.
            LeaderId: int32
            /// All voters of the epoch.
            Voters: Voter list
            /// The voters that elected the leader.
            GrantingVoters: Voter list
        }

    let schema = message {
        let! version = field "Version" _.Version int16
        and! leader = field "LeaderId" _.LeaderId int32
        and! voters = field "Voters" _.Voters (array voter)
        and! granting = field "GrantingVoters" _.GrantingVoters (array voter)

        return { Version = version; LeaderId = leader; Voters = voters; GrantingVoters = granting }
    }

    let message: Message<LeaderChange> = Message.define "LeaderChangeMessage" (versions 0 1 |> flexibleFrom 0) schema

    type Voter with
        override this.ToString() = Schema.show voter this
    type LeaderChange with
        override this.ToString() = Message.show message this
