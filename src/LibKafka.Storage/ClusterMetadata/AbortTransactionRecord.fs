namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// AbortTransactionRecord (type 25 of the metadata log): the records since BeginTransactionRecord have no effect (KIP-868).
module AbortTransactionRecord =

    type Value =
        {
            /// A human-readable reason; null for none.
            Reason: string option
        }

    let schema = message {
        let! reason = field "Reason" _.Reason (string |> nullable |> withDefault None |> tagged 0)

        return { Reason = reason }
    }

    let message: Message<Value> = Message.define "AbortTransactionRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
