namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DeleteGroups (API key 42): delete groups that have no members, with their offsets (KIP-229). It goes to the coordinator of each
/// group.
module DeleteGroups =

    type Request = { GroupsNames: string list }

    let request = message {
        let! names = field "GroupsNames" _.GroupsNames (array string)
        return { GroupsNames = names }
    }

    /// What became of one group.
    type Result =
        {
            GroupId: string
            /// NON_EMPTY_GROUP while the group has members; GROUP_ID_NOT_FOUND; INVALID_GROUP_ID for a name that no group can have;
            /// NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; GROUP_DELETION_FAILED, from version 3 on,
            /// when the description of a Streams group's topology could not be deleted, and so the group neither (KIP-1331).
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
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
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Results: Result list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! results = field "Results" _.Results (array result)

        return { ThrottleTimeMs = throttle; Results = results }
    }

    let api = Api.define ApiKey.DeleteGroups 0s 3s (Some 2s) request response
