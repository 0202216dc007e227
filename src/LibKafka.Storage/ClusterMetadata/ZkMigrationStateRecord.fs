namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// ZkMigrationStateRecord (type 21 of the metadata log): the state of the migration from ZooKeeper (KIP-866).
module ZkMigrationStateRecord =

    type Value =
        {
            /// 0 none, 1 before the migration, 2 migration, 3 after the migration. The controller writes 1 when it is ready.
            ZkMigrationState: int8
        }

    let schema = message {
        let! zkMigrationState = field "ZkMigrationState" _.ZkMigrationState int8

        return { ZkMigrationState = zkMigrationState }
    }

    let message: Message<Value> = Message.define "ZkMigrationStateRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
