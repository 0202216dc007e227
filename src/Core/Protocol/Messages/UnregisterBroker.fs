namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// UnregisterBroker (API key 64): removes the registration of a broker that was stopped permanently (KIP-631). Send it to any broker of a
/// KRaft cluster, which forwards it to the controller.
module UnregisterBroker =

    type Request = { BrokerId: int32 }

    let request = message {
        let! broker = field "BrokerId" _.BrokerId int32
        return { BrokerId = broker }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// BROKER_ID_NOT_REGISTERED if there is no such broker; CLUSTER_AUTHORIZATION_FAILED; REQUEST_TIMED_OUT; NOT_CONTROLLER if
            /// another node is the active controller.
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
        Api.define ApiKey.UnregisterBroker (versions 0 0 |> flexibleFrom 0) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
