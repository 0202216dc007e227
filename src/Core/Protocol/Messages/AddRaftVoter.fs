namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AddRaftVoter (API key 80): make a controller that follows the metadata log a voter of its quorum (KIP-853). It goes to the leader of
/// the quorum; a broker passes it on.
module AddRaftVoter =

    type Request =
        {
            /// The cluster that the client means, so that a stranger refuses; null where it is not checked.
            ClusterId: string option
            /// How long the leader may take, in milliseconds.
            TimeoutMs: int32
            /// The node id of the new voter.
            VoterId: int32
            /// The id of the directory in which the new voter keeps the metadata log. With the node id it makes the voter, so that one
            /// whose disk was replaced is another voter.
            VoterDirectoryId: Guid
            /// Where the new voter is to be reached.
            Listeners: VoterListener list
            /// Whether to be answered only when the new set of voters has agreed; else as soon as the leader has written it down, from
            /// version 1 on (KIP-1186).
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
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// DUPLICATE_VOTER when a voter has the id already; REQUEST_TIMED_OUT when the new voter lags behind or cannot be reached, or
            /// another change of voters is under way; UNSUPPORTED_VERSION while the cluster's set of voters is fixed (`kraft.version` 0);
            /// INVALID_REQUEST when the new voter cannot work at that version or a listener is missing; INCONSISTENT_CLUSTER_ID;
            /// NOT_LEADER_OR_FOLLOWER when to ask elsewhere; CLUSTER_AUTHORIZATION_FAILED.
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

    let api = Api.define ApiKey.AddRaftVoter 0s 1s (Some 0s) request response
