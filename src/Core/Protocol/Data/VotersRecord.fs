namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// The control record in the metadata log that sets the voters of the quorum (KIP-853).
module VotersRecord =

    /// A voter of the quorum.
    type Voter =
        {
            /// The node id of the voter.
            VoterId: int32
            /// The directory in which the voter keeps the metadata log, so that a node with a replaced disk is not the same voter.
            VoterDirectoryId: Guid
            /// The endpoints of the voter.
            Endpoints: VoterListener list
            KRaftVersionFeature: KRaftVersionFeature
        }

    let voter = message {
        let! id = field "VoterId" _.VoterId int32
        and! directory = field "VoterDirectoryId" _.VoterDirectoryId uuid
        and! endpoints = field "Endpoints" _.Endpoints (array VoterListener.schema)
        and! feature = field "KRaftVersionFeature" _.KRaftVersionFeature KRaftVersionFeature.schema

        return { VoterId = id; VoterDirectoryId = directory; Endpoints = endpoints; KRaftVersionFeature = feature }
    }

    type VoterSet =
        {
            /// The version of this record.
            Version: int16
            Voters: Voter list
        }

    let schema = message {
        let! version = field "Version" _.Version int16
        and! voters = field "Voters" _.Voters (array voter)
        return { Version = version; Voters = voters }
    }

    let message: Message<VoterSet> = Message.define "VotersRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Voter with
        override this.ToString() = Schema.show voter this
    type VoterSet with
        override this.ToString() = Message.show message this
