namespace LibKafka.Storage

open LibKafka.Wire

/// A record of `__remote_log_metadata`: which segments are in remote storage (KIP-405).
[<RequireQualifiedAccess>]
type RemoteLogMetadataRecord =
    | RemoteLogSegmentMetadata of RemoteLogSegmentMetadataRecord.Value
    | RemoteLogSegmentMetadataUpdate of RemoteLogSegmentMetadataUpdateRecord.Value
    | RemotePartitionDeleteMetadata of RemotePartitionDeleteMetadataRecord.Value
    | RemoteLogSegmentMetadataSnapshot of RemoteLogSegmentMetadataSnapshotRecord.Value
    /// A record of a type that this library does not know.
    | Unknown of UnknownContent

/// What can be done with a record of `__remote_log_metadata`.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module RemoteLogMetadataRecord =

    /// The name of the topic.
    [<Literal>]
    let TopicName = "__remote_log_metadata"

    let private visitType (action: IContentTypeAction<RemoteLogMetadataRecord, 'Result>) (id: int32) : 'Result =
        match id with
        | 0 -> action.Type(RemoteLogSegmentMetadataRecord.message, RemoteLogMetadataRecord.RemoteLogSegmentMetadata)
        | 1 -> action.Type(RemoteLogSegmentMetadataUpdateRecord.message, RemoteLogMetadataRecord.RemoteLogSegmentMetadataUpdate)
        | 2 -> action.Type(RemotePartitionDeleteMetadataRecord.message, RemoteLogMetadataRecord.RemotePartitionDeleteMetadata)
        | 3 -> action.Type(RemoteLogSegmentMetadataSnapshotRecord.message, RemoteLogMetadataRecord.RemoteLogSegmentMetadataSnapshot)
        | _ -> action.Unknown

    /// Reads the value of a record. It is a fault if bytes remain after it.
    let decode (limits: Limits) (bytes: Bytes) : Result<Versioned<RemoteLogMetadataRecord>, Fault> =
        Framed.decode TopicName visitType RemoteLogMetadataRecord.Unknown limits bytes

    let private transcoders = Framed.transcoders visitType

    /// The record as JSON, without making a value of it. It is faster than `decode` and `toJson`.
    let transcode (transcoder: StoredTranscoder) (bytes: Bytes) : Result<StoredUtf8, Fault> =
        Framed.transcode TopicName transcoders transcoder bytes

    /// Runs an action on the content of the union.
    let visit (visitor: IContentVisitor<'Result>) (record: RemoteLogMetadataRecord) : 'Result =
        match record with
        | RemoteLogMetadataRecord.RemoteLogSegmentMetadata value -> visitor.Visit(0, RemoteLogSegmentMetadataRecord.message, value)
        | RemoteLogMetadataRecord.RemoteLogSegmentMetadataUpdate value ->
            visitor.Visit(1, RemoteLogSegmentMetadataUpdateRecord.message, value)
        | RemoteLogMetadataRecord.RemotePartitionDeleteMetadata value ->
            visitor.Visit(2, RemotePartitionDeleteMetadataRecord.message, value)
        | RemoteLogMetadataRecord.RemoteLogSegmentMetadataSnapshot value ->
            visitor.Visit(3, RemoteLogSegmentMetadataSnapshotRecord.message, value)
        | RemoteLogMetadataRecord.Unknown content -> visitor.Unknown content

    /// The value of the record. It is a fault if a field is set that the version cannot carry.
    let encode (record: Versioned<RemoteLogMetadataRecord>) : Result<Bytes, Fault> =
        visit (Framed.encodeContent record.Version) record.Value

    /// The record as JSON in Kafka's own form.
    let toJson (record: Versioned<RemoteLogMetadataRecord>) : Result<StoredJson, Fault> = visit (Framed.toJson record.Version) record.Value

    /// A one-line description.
    let show (record: Versioned<RemoteLogMetadataRecord>) : string = visit (Framed.show record.Version) record.Value

type RemoteLogMetadataRecord with
    override this.ToString() = RemoteLogMetadataRecord.visit Framed.text this
