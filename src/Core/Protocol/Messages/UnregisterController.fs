namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// UnregisterController (API key 94): removes the registration of a controller that was stopped permanently, so that it no longer prevents
/// a change of feature levels (KIP-1312). Send it to any broker or controller, which forwards it to the active controller. A controller
/// that is still running registers again.
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// CONTROLLER_ID_NOT_REGISTERED if there is no such controller; UNSUPPORTED_VERSION if the cluster's metadata version does not
            /// support it; NOT_CONTROLLER if another node is the active controller; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The controller's description of the error; null if it gives none.
            ErrorMessage: string option
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text }
    }

    let api =
        Api.define ApiKey.UnregisterController (versions 0 0 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
