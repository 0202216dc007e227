namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// RemoveAccessControlEntryRecord (type 19 of the metadata log): an ACL has been deleted (KIP-801).
module RemoveAccessControlEntryRecord =

    type Value = { Id: Guid }

    let schema = message {
        let! id = field "Id" _.Id uuid

        return { Id = id }
    }

    let message: Message<Value> = Message.define "RemoveAccessControlEntryRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
