namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// BeginTransactionRecord (type 23 of the metadata log): the following records take effect together, at EndTransactionRecord (KIP-868). It
/// has nothing to do with the transactions of producers.
module BeginTransactionRecord =

    type Value =
        {
            /// A human-readable name; null for none.
            Name: string option
        }

    let schema = message {
        let! name = field "Name" _.Name (string |> nullable |> withDefault None |> tagged 0)

        return { Name = name }
    }

    let message: Message<Value> = Message.define "BeginTransactionRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
