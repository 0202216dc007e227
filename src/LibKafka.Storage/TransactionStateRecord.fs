namespace LibKafka.Storage

open LibKafka.Wire

/// A record of `__transaction_state`: the transactional ids.
[<RequireQualifiedAccess>]
type TransactionStateRecord =
    | TransactionLog of Stored<TransactionLogRecord.Key, TransactionLogRecord.Value>
    /// A record of a type that this library does not know.
    | Unknown of UnknownRecord

/// What can be done with a record of `__transaction_state`.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module TransactionStateRecord =

    /// The name of the topic.
    [<Literal>]
    let Topic = "__transaction_state"

    /// Reads the key and the value of a record; a value of None is a tombstone. Bytes after the fields of a message are ignored, as brokers
    /// do.
    let decode (limits: Limits) (key: Bytes) (value: Bytes option) : Result<TransactionStateRecord, Fault> =
        StoredVisitors.decode Topic key (fun id body ->
            let row (recordType: RecordType<'Key, 'Value>) (case: Stored<'Key, 'Value> -> TransactionStateRecord) =
                RecordType.decodeBody limits recordType body value |> Result.map case

            match id with
            | 0s -> row TransactionLogRecord.recordType TransactionStateRecord.TransactionLog
            | other -> Ok(TransactionStateRecord.Unknown { Id = other; Key = body; Value = value }))

    /// Runs an action on the record in the union.
    let visit (visitor: IStoredVisitor<'Result>) (record: TransactionStateRecord) : 'Result =
        match record with
        | TransactionStateRecord.TransactionLog record -> visitor.Visit(TransactionLogRecord.recordType, record)
        | TransactionStateRecord.Unknown record -> visitor.Unknown record

    /// The key and the value of the record. It is a fault if a field is set that the version of the value cannot carry.
    let encode (record: TransactionStateRecord) : Result<StoredBytes, Fault> = visit StoredVisitors.encode record

    /// The record as JSON in Kafka's own form.
    let toJson (record: TransactionStateRecord) : Result<StoredJson, Fault> = visit StoredVisitors.toJson record

    /// A one-line description.
    let show (record: TransactionStateRecord) : string = visit StoredVisitors.show record
