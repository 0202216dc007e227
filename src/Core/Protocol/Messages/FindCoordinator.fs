namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// FindCoordinator (API key 10): finds the broker that coordinates a group or a transactional id. Send it to any broker.
module FindCoordinator =

    /// The first version with a list of keys (KIP-699). Earlier versions have a field for one key.
    let keysSince = 4s

    type Request =
        {
            /// The group id, the transactional id or the share partition. Up to version 3.
            Key: string
            /// The type of the keys. Since version 1.
            KeyType: CoordinatorType
            /// The group ids, transactional ids or share partitions. Since version 4 (KIP-699).
            Keys: string list
        }

    let request = message {
        let! key = field "Key" _.Key (string |> until (keysSince - 1s) "")
        and! kind = field "KeyType" _.KeyType (coordinatorType |> since 1s CoordinatorType.Group)
        and! keys = field "CoordinatorKeys" _.Keys (array string |> since keysSince [])

        return { Key = key; KeyType = kind; Keys = keys }
    }

    /// The coordinator of one key.
    type Coordinator =
        {
            Key: string
            NodeId: int32
            Host: string
            Port: int32
            /// COORDINATOR_NOT_AVAILABLE while there is none; INVALID_GROUP_ID; GROUP_AUTHORIZATION_FAILED;
            /// TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
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

    /// Up to version 3 the result is in `Error` to `Port`. Since version 4 it is in `Coordinators`.
    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 1.
            ThrottleTimeMs: int32
            /// COORDINATOR_NOT_AVAILABLE while there is none; INVALID_GROUP_ID; GROUP_AUTHORIZATION_FAILED;
            /// TRANSACTIONAL_ID_AUTHORIZATION_FAILED. Up to version 3.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none. Versions 1 to 3.
            ErrorMessage: string option
            /// The id of the coordinator. Up to version 3.
            NodeId: int32
            /// The host of the coordinator. Up to version 3.
            Host: string
            /// The port of the coordinator. Up to version 3.
            Port: int32
            /// One result for each key. Since version 4 (KIP-699).
            Coordinators: Coordinator list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! error = field "ErrorCode" _.Error (errorCode |> until (keysSince - 1s) ErrorCode.None)
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> between 1s (keysSince - 1s) (Some "") |> ignorable)
        and! node = field "NodeId" _.NodeId (int32 |> until (keysSince - 1s) 0)
        and! host = field "Host" _.Host (string |> until (keysSince - 1s) "")
        and! port = field "Port" _.Port (int32 |> until (keysSince - 1s) 0)
        and! coordinators = field "Coordinators" _.Coordinators (array coordinator |> since keysSince [])

        return
            { ThrottleTimeMs = throttle
              Error = error
              ErrorMessage = text
              NodeId = node
              Host = host
              Port = port
              Coordinators = coordinators }
    }

    let api =
        Api.define ApiKey.FindCoordinator (versions 0 6 |> flexibleFrom 3) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Coordinator with
        override this.ToString() = Schema.show coordinator this
    type Response with
        override this.ToString() = Message.show api.Response this
