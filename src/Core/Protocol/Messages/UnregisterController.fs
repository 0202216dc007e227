namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// UnregisterController (API key 94): remove a controller that has stopped for good, so that it no longer holds up a change of feature
/// levels (KIP-1312). Any broker or controller takes it and passes it on to the active controller. One that still runs registers again.
module UnregisterController =

    type Request =
        {
            /// The node id of the controller to remove.
            ControllerId: int32
        }

    let request = message {
        let! controller = field "ControllerId" _.ControllerId int32
        return { ControllerId = controller }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// CONTROLLER_ID_NOT_REGISTERED when there is no such controller; UNSUPPORTED_VERSION when the cluster's metadata version does
            /// not know how; NOT_CONTROLLER when to ask elsewhere; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// What the controller says of the error; null where it says nothing.
            ErrorMessage: string option
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text }
    }

    let api = Api.define ApiKey.UnregisterController 0s 0s (Some 0s) request response
