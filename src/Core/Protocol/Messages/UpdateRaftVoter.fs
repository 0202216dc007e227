namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// UpdateRaftVoter (API key 82): a voter of the metadata quorum tells where it is now to be reached and which versions it knows
/// (KIP-853). It goes from the voter to the leader of the quorum; clients have no use for it.
module UpdateRaftVoter =

    type Request =
        {
            /// The cluster that the voter belongs to, so that a stranger refuses; null where it is not checked.
            ClusterId: string option
            /// The leader epoch that the voter knows, so that a stale voter or leader is found out.
            CurrentLeaderEpoch: int32
            /// The node id of the voter.
            VoterId: int32
            /// The id of the directory in which the voter keeps the metadata log.
            VoterDirectoryId: Guid
            /// Where the voter is to be reached. The quorum's own listener must be among them.
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

    /// The leader of the quorum as the controller that answers knows it.
    type Leader =
        {
            /// The controller that leads; -1 where it is not known.
            LeaderId: int32
            /// The epoch in which it does; -1 where it is not known.
            LeaderEpoch: int32
            /// Where it is to be reached; empty where it is not known.
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
            /// How long the sender is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH and UNKNOWN_LEADER_EPOCH when the two disagree on the leader; VOTER_NOT_FOUND;
            /// REQUEST_TIMED_OUT while another change of voters is under way; INVALID_REQUEST when the versions or listeners do not fit
            /// the cluster; UNSUPPORTED_VERSION while its set of voters is fixed (`kraft.version` 0); INCONSISTENT_CLUSTER_ID.
            Error: ErrorCode
            CurrentLeader: Leader
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! leader = field "CurrentLeader" _.CurrentLeader (leader |> tagged 0)

        return { ThrottleTimeMs = throttle; Error = error; CurrentLeader = leader }
    }

    let api = Api.define ApiKey.UpdateRaftVoter 0s 0s (Some 0s) request response
