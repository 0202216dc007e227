namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ControllerRegistration (API key 70): a controller tells the cluster where it is to be reached and which features it supports
/// (KIP-919). It goes from each controller to the active one; clients have no use for it.
module ControllerRegistration =

    type Request =
        {
            /// The node id of the controller that registers.
            ControllerId: int32
            /// Made anew each time the controller starts, so that one start can be told from the next.
            IncarnationId: Guid
            /// Whether the controller is set up to take the cluster over from ZooKeeper (KIP-866).
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
            /// How long the sender is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// NOT_CONTROLLER when to ask elsewhere; UNSUPPORTED_VERSION when the cluster's metadata version knows no registration of
            /// controllers yet; CLUSTER_AUTHORIZATION_FAILED.
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

    let api = Api.define ApiKey.ControllerRegistration 0s 0s (Some 0s) request response
