namespace LibKafka.Storage

open LibKafka.Wire

/// A record of `__share_group_state`: which records the share groups have processed (KIP-932).
[<RequireQualifiedAccess>]
type ShareGroupStateRecord =
    | ShareSnapshot of Stored<SharePartitionKey, ShareSnapshotRecord.Value>
    | ShareUpdate of Stored<SharePartitionKey, ShareUpdateRecord.Value>
    /// A record of a type that this library does not know.
    | Unknown of UnknownRecord

/// What can be done with a record of `__share_group_state`.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module ShareGroupStateRecord =

    /// The name of the topic.
    [<Literal>]
    let TopicName = "__share_group_state"

    let private visitType (action: IRecordTypeAction<ShareGroupStateRecord, 'Result>) (id: int16) : 'Result =
        match id with
        | 0s -> action.Type(ShareSnapshotRecord.recordType, ShareGroupStateRecord.ShareSnapshot)
        | 1s -> action.Type(ShareUpdateRecord.recordType, ShareGroupStateRecord.ShareUpdate)
        | _ -> action.Unknown

    /// Reads the key and the value of a record; a value of None is a tombstone. Bytes after the fields of a message are ignored, as brokers
    /// do.
    let decode (limits: Limits) (key: Bytes) (value: Bytes option) : Result<ShareGroupStateRecord, Fault> =
        StoredRecords.decode TopicName visitType ShareGroupStateRecord.Unknown limits key value

    let private transcoders = StoredRecords.transcoders visitType

    /// The record as JSON, without making a value of it. It is faster than `decode` and `toJson`.
    let transcode (transcoder: StoredTranscoder) (key: Bytes) (value: Bytes option) : Result<StoredUtf8, Fault> =
        StoredRecords.transcode TopicName transcoders transcoder key value

    /// Runs an action on the record in the union.
    let visit (visitor: IStoredVisitor<'Result>) (record: ShareGroupStateRecord) : 'Result =
        match record with
        | ShareGroupStateRecord.ShareSnapshot record -> visitor.Visit(ShareSnapshotRecord.recordType, record)
        | ShareGroupStateRecord.ShareUpdate record -> visitor.Visit(ShareUpdateRecord.recordType, record)
        | ShareGroupStateRecord.Unknown record -> visitor.Unknown record

    /// The key and the value of the record. It is a fault if a field is set that the version of the value cannot carry.
    let encode (record: ShareGroupStateRecord) : Result<StoredBytes, Fault> = visit StoredRecords.encode record

    /// The record as JSON in Kafka's own form.
    let toJson (record: ShareGroupStateRecord) : Result<StoredJson, Fault> = visit StoredRecords.toJson record

    /// A one-line description.
    let show (record: ShareGroupStateRecord) : string = visit StoredRecords.show record

type ShareGroupStateRecord with
    override this.ToString() = ShareGroupStateRecord.show this
