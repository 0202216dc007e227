namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// RemoveRaftVoter (API key 81): take a controller out of the voters of the metadata quorum (KIP-853). It goes to the leader of the
/// quorum; a broker passes it on. A leader that removes itself resigns afterwards.
module RemoveRaftVoter =

    type Request =
        {
            /// The cluster that the client means, so that a stranger refuses; null where it is not checked.
            ClusterId: string option
            /// The node id of the voter.
            VoterId: int32
            /// The id of the directory in which that voter keeps the metadata log.
            VoterDirectoryId: Guid
        }

    let request = message {
        let! cluster = field "ClusterId" _.ClusterId (string |> nullable)
        and! voter = field "VoterId" _.VoterId int32
        and! directory = field "VoterDirectoryId" _.VoterDirectoryId uuid

        return { ClusterId = cluster; VoterId = voter; VoterDirectoryId = directory }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// VOTER_NOT_FOUND when there is no voter with this id and directory; REQUEST_TIMED_OUT when the voters do not agree in time
            /// or another change of voters is under way; UNSUPPORTED_VERSION while the cluster's set of voters is fixed (`kraft.version`
            /// 0); INVALID_REQUEST; INCONSISTENT_CLUSTER_ID; NOT_LEADER_OR_FOLLOWER when to ask elsewhere;
            /// CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// What the controller says of the error; null where it says nothing.
            ErrorMessage: string option
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> ignorable)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text }
    }

    let api = Api.define ApiKey.RemoveRaftVoter 0s 0s (Some 0s) request response
