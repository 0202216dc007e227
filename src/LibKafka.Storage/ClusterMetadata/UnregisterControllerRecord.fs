namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// UnregisterControllerRecord (type 29 of the metadata log): a controller has been removed from the cluster.
module UnregisterControllerRecord =

    type Value = { ControllerId: int32 }

    let schema = message {
        let! controllerId = field "ControllerId" _.ControllerId int32

        return { ControllerId = controllerId }
    }

    let message: Message<Value> = Message.define "UnregisterControllerRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
