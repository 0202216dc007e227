namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ControllerRegistration (API key 70): registers a controller's endpoints and supported features (KIP-919). Controllers send it to the
/// active controller; clients do not use it.
module ControllerRegistration =

    type Request =
        {
            /// The node id of the controller.
            ControllerId: int32
            /// A new random id for each start of the controller process.
            IncarnationId: Guid
            /// Whether the controller is configured to migrate the cluster from ZooKeeper (KIP-866).
            ZkMigrationReady: bool
            Listeners: RegisteredListener list
            Features: RegisteredFeature list
        }

    let request = message {
        let! controller = field "ControllerId" _.ControllerId int32
        and! incarnation = field "IncarnationId" _.IncarnationId uuid
        and! zk = field "ZkMigrationReady" _.ZkMigrationReady bool
        and! listeners = field "Listeners" _.Listeners (array RegisteredListener.schema)
        and! features = field "Features" _.Features (array RegisteredFeature.schema)

        return
            { ControllerId = controller
              IncarnationId = incarnation
              ZkMigrationReady = zk
              Listeners = listeners
              Features = features }
    }

    type Response =
        {
            /// How long the sender is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// NOT_CONTROLLER if another node is the active controller; UNSUPPORTED_VERSION if the cluster's metadata version does not
            /// support the registration of controllers; CLUSTER_AUTHORIZATION_FAILED.
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
        Api.define ApiKey.ControllerRegistration (versions 0 0 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
