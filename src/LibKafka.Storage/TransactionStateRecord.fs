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
    let TopicName = "__transaction_state"

    let private visitType (action: IRecordTypeAction<TransactionStateRecord, 'Result>) (id: int16) : 'Result =
        match id with
        | 0s -> action.Type(TransactionLogRecord.recordType, TransactionStateRecord.TransactionLog)
        | _ -> action.Unknown

    /// Reads the key and the value of a record; a value of None is a tombstone. Bytes after the fields of a message are ignored, as brokers
    /// do.
    let decode (limits: Limits) (key: Bytes) (value: Bytes option) : Result<TransactionStateRecord, Fault> =
        StoredRecords.decode TopicName visitType TransactionStateRecord.Unknown limits key value

    let private transcoders = StoredRecords.transcoders visitType

    /// The record as JSON, without making a value of it. It is faster than `decode` and `toJson`.
    let transcode (transcoder: StoredTranscoder) (key: Bytes) (value: Bytes option) : Result<StoredUtf8, Fault> =
        StoredRecords.transcode TopicName transcoders transcoder key value

    /// Runs an action on the record in the union.
    let visit (visitor: IStoredVisitor<'Result>) (record: TransactionStateRecord) : 'Result =
        match record with
        | TransactionStateRecord.TransactionLog record -> visitor.Visit(TransactionLogRecord.recordType, record)
        | TransactionStateRecord.Unknown record -> visitor.Unknown record

    /// The key and the value of the record. It is a fault if a field is set that the version of the value cannot carry.
    let encode (record: TransactionStateRecord) : Result<StoredBytes, Fault> = visit StoredRecords.encode record

    /// The record as JSON in Kafka's own form.
    let toJson (record: TransactionStateRecord) : Result<StoredJson, Fault> = visit StoredRecords.toJson record

    /// A one-line description.
    let show (record: TransactionStateRecord) : string = visit StoredRecords.show record

type TransactionStateRecord with
    override this.ToString() = TransactionStateRecord.show this
