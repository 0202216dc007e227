namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AddRaftVoter (API key 80): makes a controller that follows the metadata log a voter of the metadata quorum (KIP-853). Send it to the
/// leader of the quorum, or to a broker, which forwards it.
module AddRaftVoter =

    type Request =
        {
            /// The expected cluster id, so that a node of another cluster refuses the request; null to skip the check.
            ClusterId: string option
            /// How long the leader may take, in milliseconds.
            TimeoutMs: int32
            /// The node id of the new voter.
            VoterId: int32
            /// The id of the directory in which the new voter keeps the metadata log. Node id and directory id together identify a voter,
            /// so a node with a replaced disk is another voter.
            VoterDirectoryId: Guid
            /// The endpoints of the new voter.
            Listeners: VoterListener list
            /// Whether the leader answers only after the new voter set is committed; otherwise it answers after it has written the set to
            /// its own log. Version 0 always waits. Since version 1 (KIP-1186).
            AckWhenCommitted: bool
        }

    let request = message {
        let! cluster = field "ClusterId" _.ClusterId (string |> nullable)
        and! timeout = field "TimeoutMs" _.TimeoutMs int32
        and! voter = field "VoterId" _.VoterId int32
        and! directory = field "VoterDirectoryId" _.VoterDirectoryId uuid
        and! listeners = field "Listeners" _.Listeners (array VoterListener.schema)
        and! ack = field "AckWhenCommitted" _.AckWhenCommitted (bool |> since 1s true)

        return
            { ClusterId = cluster
              TimeoutMs = timeout
              VoterId = voter
              VoterDirectoryId = directory
              Listeners = listeners
              AckWhenCommitted = ack }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// DUPLICATE_VOTER if a voter already has the id; REQUEST_TIMED_OUT if the new voter lags or is unreachable, or another change
            /// of voters is in progress; UNSUPPORTED_VERSION if the voter set is static (`kraft.version` 0); INVALID_REQUEST if the new
            /// voter does not support the kraft.version, or a listener is missing; INCONSISTENT_CLUSTER_ID; NOT_LEADER_OR_FOLLOWER if
            /// another node leads the quorum; CLUSTER_AUTHORIZATION_FAILED.
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
        Api.define ApiKey.AddRaftVoter (versions 0 1 |> flexibleFrom 0) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
