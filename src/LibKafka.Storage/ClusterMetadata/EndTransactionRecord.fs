namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// EndTransactionRecord (type 24 of the metadata log): the records since BeginTransactionRecord take effect (KIP-868).
module EndTransactionRecord =

    let message: Message<NoFields> = Message.define "EndTransactionRecord" (versions 0 0 |> flexibleFrom 0) NoFields.schema
