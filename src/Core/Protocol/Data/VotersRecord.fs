namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// The control record of the metadata log that says who the voters of the quorum are from now on (KIP-853).
module VotersRecord =

    /// Where a voter is to be reached.
    type Endpoint =
        {
            /// The name of the listener.
            Name: string
            Host: string
            Port: uint16
        }

    let endpoint = message {
        let! name = field "Name" _.Name string
        and! host = field "Host" _.Host string
        and! port = field "Port" _.Port uint16

        return { Name = name; Host = host; Port = port }
    }

    /// The levels of the feature kraft.version that a voter knows.
    type KRaftVersionFeature = { MinSupportedVersion: int16; MaxSupportedVersion: int16 }

    let kraftVersionFeature = message {
        let! lowest = field "MinSupportedVersion" _.MinSupportedVersion int16
        and! highest = field "MaxSupportedVersion" _.MaxSupportedVersion int16
        return { MinSupportedVersion = lowest; MaxSupportedVersion = highest }
    }

    /// A voter of the quorum.
    type Voter =
        {
            /// The id of its node.
            VoterId: int32
            /// The directory that it keeps the metadata log in, so that a node whose disk was lost does not pass for the same voter.
            VoterDirectoryId: Guid
            Endpoints: Endpoint list
            KRaftVersionFeature: KRaftVersionFeature
        }

    let voter = message {
        let! id = field "VoterId" _.VoterId int32
        and! directory = field "VoterDirectoryId" _.VoterDirectoryId uuid
        and! endpoints = field "Endpoints" _.Endpoints (array endpoint)
        and! feature = field "KRaftVersionFeature" _.KRaftVersionFeature kraftVersionFeature

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
