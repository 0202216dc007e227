namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// The control record of the metadata log that says who the voters of the quorum are from now on (KIP-853).
module VotersRecord =

    /// A voter of the quorum.
    type Voter =
        {
            /// The id of its node.
            VoterId: int32
            /// The directory that it keeps the metadata log in, so that a node whose disk was lost does not pass for the same voter.
            VoterDirectoryId: Guid
            /// Where the voter is to be reached.
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

    let message: Message<VoterSet> =
        { Name = "VotersRecord"; Versions = { Lowest = 0s; Highest = 0s }; FlexibleSince = Some 0s; Schema = schema }
