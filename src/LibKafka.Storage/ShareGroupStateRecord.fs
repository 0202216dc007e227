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
    let Topic = "__share_group_state"

    /// Reads the key and the value of a record; a value of None is a tombstone. Bytes after the fields of a message are ignored, as brokers
    /// do.
    let decode (limits: Limits) (key: Bytes) (value: Bytes option) : Result<ShareGroupStateRecord, Fault> =
        StoredVisitors.decode Topic key (fun id body ->
            let row (recordType: RecordType<'Key, 'Value>) (case: Stored<'Key, 'Value> -> ShareGroupStateRecord) =
                RecordType.decodeBody limits recordType body value |> Result.map case

            match id with
            | 0s -> row ShareSnapshotRecord.recordType ShareGroupStateRecord.ShareSnapshot
            | 1s -> row ShareUpdateRecord.recordType ShareGroupStateRecord.ShareUpdate
            | other -> Ok(ShareGroupStateRecord.Unknown { Id = other; Key = body; Value = value }))

    /// Runs an action on the record in the union.
    let visit (visitor: IStoredVisitor<'Result>) (record: ShareGroupStateRecord) : 'Result =
        match record with
        | ShareGroupStateRecord.ShareSnapshot record -> visitor.Visit(ShareSnapshotRecord.recordType, record)
        | ShareGroupStateRecord.ShareUpdate record -> visitor.Visit(ShareUpdateRecord.recordType, record)
        | ShareGroupStateRecord.Unknown record -> visitor.Unknown record

    /// The key and the value of the record. It is a fault if a field is set that the version of the value cannot carry.
    let encode (record: ShareGroupStateRecord) : Result<StoredBytes, Fault> = visit StoredVisitors.encode record

    /// The record as JSON in Kafka's own form.
    let toJson (record: ShareGroupStateRecord) : Result<StoredJson, Fault> = visit StoredVisitors.toJson record

    /// A one-line description.
    let show (record: ShareGroupStateRecord) : string = visit StoredVisitors.show record
