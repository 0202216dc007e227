namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// UnregisterBroker (API key 64): make the cluster forget a broker that was stopped for good (KIP-631). It goes to any broker of a KRaft
/// cluster, which passes it on to the controller.
module UnregisterBroker =

    type Request = { BrokerId: int32 }

    let request = message {
        let! broker = field "BrokerId" _.BrokerId int32
        return { BrokerId = broker }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// BROKER_ID_NOT_REGISTERED when there is no such broker; CLUSTER_AUTHORIZATION_FAILED; REQUEST_TIMED_OUT; NOT_CONTROLLER
            /// when to ask elsewhere.
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

    let api = Api.define ApiKey.UnregisterBroker 0s 0s (Some 0s) request response
