namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DeleteGroups (API key 42): deletes groups that have no members, with their offsets (KIP-229). Send it to the coordinator of each group.
module DeleteGroups =

    type Request = { GroupsNames: string list }

    let request = message {
        let! names = field "GroupsNames" _.GroupsNames (array string)
        return { GroupsNames = names }
    }

    /// The result for one group.
    type Result =
        {
            GroupId: string
            /// NON_EMPTY_GROUP if the group has members; GROUP_ID_NOT_FOUND; INVALID_GROUP_ID for an id that is not allowed;
            /// NOT_COORDINATOR if another broker is the coordinator; COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state;
            /// GROUP_AUTHORIZATION_FAILED; GROUP_DELETION_FAILED (since version 3, KIP-1331) if the topology description of a Streams
            /// group could not be deleted, in which case the group is kept.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none. Since version 3 (KIP-1331).
            ErrorMessage: string option
        }

    let result = message {
        let! group = field "GroupId" _.GroupId string
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> since 3s None |> ignorable)

        return { GroupId = group; Error = error; ErrorMessage = text }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            Results: Result list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! results = field "Results" _.Results (array result)

        return { ThrottleTimeMs = throttle; Results = results }
    }

    let api =
        Api.define ApiKey.DeleteGroups (versions 0 3 |> flexibleFrom 2) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Result with
        override this.ToString() = Schema.show result this
    type Response with
        override this.ToString() = Message.show api.Response this
