namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// RemoveRaftVoter (API key 81): removes a controller from the voters of the metadata quorum (KIP-853). Send it to the leader of the
/// quorum, or to a broker, which forwards it. A leader that removes itself resigns afterwards.
module RemoveRaftVoter =

    type Request =
        {
            /// The expected cluster id, so that a node of another cluster refuses the request; null to skip the check.
            ClusterId: string option
            /// The node id of the voter.
            VoterId: int32
            /// The id of the directory in which the voter keeps the metadata log.
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// VOTER_NOT_FOUND if there is no voter with this id and directory; REQUEST_TIMED_OUT if the change is not committed in time
            /// or another change of voters is in progress; UNSUPPORTED_VERSION if the voter set is static (`kraft.version` 0);
            /// INVALID_REQUEST; INCONSISTENT_CLUSTER_ID; NOT_LEADER_OR_FOLLOWER if another node leads the quorum;
            /// CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The controller's description of the error; null if it gives none.
            ErrorMessage: string option
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> ignorable)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text }
    }

    let api =
        Api.define ApiKey.RemoveRaftVoter (versions 0 0 |> flexibleFrom 0) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
