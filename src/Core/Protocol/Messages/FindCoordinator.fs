namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// FindCoordinator (API key 10): the broker that looks after a group or a transactional id. Any broker answers.
module FindCoordinator =

    type Request =
        {
            /// The group, the transactional id or the share partition, up to version 3.
            Key: string
            /// What kind of thing the keys are.
            KeyType: CoordinatorType
            /// The same for several at once, from version 4 on (KIP-699).
            Keys: string list
        }

    let request = message {
        let! key = field "Key" _.Key (string |> until 3s "")
        and! kind = field "KeyType" _.KeyType (coordinatorType |> since 1s CoordinatorType.Group)
        and! keys = field "CoordinatorKeys" _.Keys (array string |> since 4s [])

        return { Key = key; KeyType = kind; Keys = keys }
    }

    /// The coordinator of one key.
    type Coordinator =
        {
            Key: string
            NodeId: int32
            Host: string
            Port: int32
            /// COORDINATOR_NOT_AVAILABLE while there is none; GROUP_AUTHORIZATION_FAILED and TRANSACTIONAL_ID_AUTHORIZATION_FAILED when
            /// the client may not know.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
        }

    let coordinator = message {
        let! key = field "Key" _.Key string
        and! node = field "NodeId" _.NodeId int32
        and! host = field "Host" _.Host string
        and! port = field "Port" _.Port int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> ignorable)

        return { Key = key; NodeId = node; Host = host; Port = port; Error = error; ErrorMessage = text }
    }

    /// Up to version 3 the answer is in `Error` to `Port`, from version 4 on in `Coordinators`.
    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            NodeId: int32
            Host: string
            Port: int32
            Coordinators: Coordinator list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! error = field "ErrorCode" _.Error (errorCode |> until 3s ErrorCode.None)
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> between 1s 3s (Some "") |> ignorable)
        and! node = field "NodeId" _.NodeId (int32 |> until 3s 0)
        and! host = field "Host" _.Host (string |> until 3s "")
        and! port = field "Port" _.Port (int32 |> until 3s 0)
        and! coordinators = field "Coordinators" _.Coordinators (array coordinator |> since 4s [])

        return
            { ThrottleTimeMs = throttle
              Error = error
              ErrorMessage = text
              NodeId = node
              Host = host
              Port = port
              Coordinators = coordinators }
    }

    let api = Api.define ApiKey.FindCoordinator 0s 6s (Some 3s) request response
