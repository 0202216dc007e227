namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// NoOpRecord (type 20 of the metadata log): nothing has changed. The active controller writes it at intervals, so that replicas notice if
/// they fall out of date (KIP-835).
module NoOpRecord =

    let message: Message<NoFields> = Message.define "NoOpRecord" (versions 0 0 |> flexibleFrom 0) NoFields.schema
