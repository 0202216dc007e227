namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// UpdateRaftVoter (API key 82): updates the endpoints and supported versions of a voter of the metadata quorum (KIP-853). Voters send it
/// to the leader of the quorum; clients do not use it.
module UpdateRaftVoter =

    type Request =
        {
            /// The voter's cluster id; null to skip the check.
            ClusterId: string option
            /// The leader epoch that the voter knows, to detect an outdated voter or leader.
            CurrentLeaderEpoch: int32
            /// The node id of the voter.
            VoterId: int32
            /// The id of the directory in which the voter keeps the metadata log.
            VoterDirectoryId: Guid
            /// The endpoints of the voter. They must include the default listener of the quorum.
            Listeners: VoterListener list
            KRaftVersionFeature: KRaftVersionFeature
        }

    let request = message {
        let! cluster = field "ClusterId" _.ClusterId (string |> nullable)
        and! epoch = field "CurrentLeaderEpoch" _.CurrentLeaderEpoch int32
        and! voter = field "VoterId" _.VoterId int32
        and! directory = field "VoterDirectoryId" _.VoterDirectoryId uuid
        and! listeners = field "Listeners" _.Listeners (array VoterListener.schema)
        and! versions = field "KRaftVersionFeature" _.KRaftVersionFeature KRaftVersionFeature.schema

        return
            { ClusterId = cluster
              CurrentLeaderEpoch = epoch
              VoterId = voter
              VoterDirectoryId = directory
              Listeners = listeners
              KRaftVersionFeature = versions }
    }

    /// The leader of the quorum that the responding controller knows.
    type Leader =
        {
            /// The node id of the leader; -1 if unknown.
            LeaderId: int32
            /// The epoch of the leader; -1 if unknown.
            LeaderEpoch: int32
            /// The host of the leader; empty if unknown.
            Host: string
            Port: int32
        }

    let leader = message {
        let! id = field "LeaderId" _.LeaderId (int32 |> withDefault -1)
        and! epoch = field "LeaderEpoch" _.LeaderEpoch (int32 |> withDefault -1)
        and! host = field "Host" _.Host string
        and! port = field "Port" _.Port int32

        return { LeaderId = id; LeaderEpoch = epoch; Host = host; Port = port }
    }

    type Response =
        {
            /// How long the sender is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH if voter and receiver disagree about the leader;
            /// VOTER_NOT_FOUND; REQUEST_TIMED_OUT if another change of voters is in progress; INVALID_REQUEST if the versions or listeners
            /// are not compatible with the cluster; UNSUPPORTED_VERSION if the voter set is static (`kraft.version` 0);
            /// INCONSISTENT_CLUSTER_ID.
            Error: ErrorCode
            CurrentLeader: Leader
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! leader = field "CurrentLeader" _.CurrentLeader (leader |> tagged 0)

        return { ThrottleTimeMs = throttle; Error = error; CurrentLeader = leader }
    }

    let api =
        Api.define ApiKey.UpdateRaftVoter (versions 0 0 |> flexibleFrom 0) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Leader with
        override this.ToString() = Schema.show leader this
    type Response with
        override this.ToString() = Message.show api.Response this
