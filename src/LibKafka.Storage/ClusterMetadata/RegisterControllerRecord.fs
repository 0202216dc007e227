namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// RegisterControllerRecord (type 27 of the metadata log): a controller has registered (KIP-919).
module RegisterControllerRecord =

    type Value =
        {
            ControllerId: int32
            /// A random id of the process.
            IncarnationId: Guid
            /// Whether the controller is configured to migrate the cluster from ZooKeeper.
            ZkMigrationReady: bool
            EndPoints: RegisteredListener list
            Features: RegisteredFeature list
        }

    let schema = message {
        let! controllerId = field "ControllerId" _.ControllerId int32
        and! incarnationId = field "IncarnationId" _.IncarnationId uuid
        and! zkMigrationReady = field "ZkMigrationReady" _.ZkMigrationReady bool
        and! endPoints = field "EndPoints" _.EndPoints (array RegisteredListener.schema)
        and! features = field "Features" _.Features (array RegisteredFeature.schema)

        return
            { ControllerId = controllerId
              IncarnationId = incarnationId
              ZkMigrationReady = zkMigrationReady
              EndPoints = endPoints
              Features = features }
    }

    let message: Message<Value> = Message.define "RegisterControllerRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
