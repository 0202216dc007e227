namespace LibKafka.Storage

open LibKafka.Protocol
open LibKafka.Wire

/// A record of `__consumer_offsets`: the committed offsets of groups, and the groups themselves.
[<RequireQualifiedAccess>]
type ConsumerOffsetsRecord =
    | LegacyOffsetCommit of Stored<OffsetCommitKey, LegacyOffsetCommitRecord.Value>
    | OffsetCommit of Stored<OffsetCommitKey, OffsetCommitRecord.Value>
    | GroupMetadata of Stored<GroupMetadataRecord.Key, GroupMetadataRecord.Value>
    | ConsumerGroupMetadata of Stored<GroupKey, ConsumerGroupMetadataRecord.Value>
    | ConsumerGroupPartitionMetadata of Stored<GroupKey, ConsumerGroupPartitionMetadataRecord.Value>
    | ConsumerGroupMemberMetadata of Stored<GroupMemberKey, ConsumerGroupMemberMetadataRecord.Value>
    | ConsumerGroupTargetAssignmentMetadata of Stored<GroupKey, TargetAssignmentEpoch>
    | ConsumerGroupTargetAssignmentMember of Stored<GroupMemberKey, ConsumerGroupTargetAssignmentMemberRecord.Value>
    | ConsumerGroupCurrentMemberAssignment of Stored<GroupMemberKey, ConsumerGroupCurrentMemberAssignmentRecord.Value>
    | ShareGroupMemberMetadata of Stored<GroupMemberKey, ShareGroupMemberMetadataRecord.Value>
    | ShareGroupMetadata of Stored<GroupKey, ShareGroupMetadataRecord.Value>
    | ShareGroupTargetAssignmentMetadata of Stored<GroupKey, TargetAssignmentEpoch>
    | ShareGroupTargetAssignmentMember of Stored<GroupMemberKey, ShareGroupTargetAssignmentMemberRecord.Value>
    | ShareGroupCurrentMemberAssignment of Stored<GroupMemberKey, ShareGroupCurrentMemberAssignmentRecord.Value>
    | ShareGroupStatePartitionMetadata of Stored<GroupKey, ShareGroupStatePartitionMetadataRecord.Value>
    | ConsumerGroupRegularExpression of Stored<ConsumerGroupRegularExpressionRecord.Key, ConsumerGroupRegularExpressionRecord.Value>
    | StreamsGroupMetadata of Stored<GroupKey, StreamsGroupMetadataRecord.Value>
    | StreamsGroupMemberMetadata of Stored<GroupMemberKey, StreamsGroupMemberMetadataRecord.Value>
    | StreamsGroupTargetAssignmentMetadata of Stored<GroupKey, TargetAssignmentEpoch>
    | StreamsGroupTargetAssignmentMember of Stored<GroupMemberKey, StreamsGroupTargetAssignmentMemberRecord.Value>
    | StreamsGroupCurrentMemberAssignment of Stored<GroupMemberKey, StreamsGroupCurrentMemberAssignmentRecord.Value>
    | StreamsGroupTopology of Stored<GroupKey, StreamsGroupHeartbeat.Topology>
    /// A record of a type that this library does not know.
    | Unknown of UnknownRecord

/// What can be done with a record of `__consumer_offsets`.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module ConsumerOffsetsRecord =

    /// The name of the topic.
    [<Literal>]
    let TopicName = "__consumer_offsets"

    let private visitType (action: IRecordTypeAction<ConsumerOffsetsRecord, 'Result>) (id: int16) : 'Result =
        match id with
        | 0s -> action.Type(LegacyOffsetCommitRecord.recordType, ConsumerOffsetsRecord.LegacyOffsetCommit)
        | 1s -> action.Type(OffsetCommitRecord.recordType, ConsumerOffsetsRecord.OffsetCommit)
        | 2s -> action.Type(GroupMetadataRecord.recordType, ConsumerOffsetsRecord.GroupMetadata)
        | 3s -> action.Type(ConsumerGroupMetadataRecord.recordType, ConsumerOffsetsRecord.ConsumerGroupMetadata)
        | 4s -> action.Type(ConsumerGroupPartitionMetadataRecord.recordType, ConsumerOffsetsRecord.ConsumerGroupPartitionMetadata)
        | 5s -> action.Type(ConsumerGroupMemberMetadataRecord.recordType, ConsumerOffsetsRecord.ConsumerGroupMemberMetadata)
        | 6s ->
            action.Type(ConsumerGroupTargetAssignmentMetadataRecord.recordType, ConsumerOffsetsRecord.ConsumerGroupTargetAssignmentMetadata)
        | 7s -> action.Type(ConsumerGroupTargetAssignmentMemberRecord.recordType, ConsumerOffsetsRecord.ConsumerGroupTargetAssignmentMember)
        | 8s ->
            action.Type(ConsumerGroupCurrentMemberAssignmentRecord.recordType, ConsumerOffsetsRecord.ConsumerGroupCurrentMemberAssignment)
        | 10s -> action.Type(ShareGroupMemberMetadataRecord.recordType, ConsumerOffsetsRecord.ShareGroupMemberMetadata)
        | 11s -> action.Type(ShareGroupMetadataRecord.recordType, ConsumerOffsetsRecord.ShareGroupMetadata)
        | 12s -> action.Type(ShareGroupTargetAssignmentMetadataRecord.recordType, ConsumerOffsetsRecord.ShareGroupTargetAssignmentMetadata)
        | 13s -> action.Type(ShareGroupTargetAssignmentMemberRecord.recordType, ConsumerOffsetsRecord.ShareGroupTargetAssignmentMember)
        | 14s -> action.Type(ShareGroupCurrentMemberAssignmentRecord.recordType, ConsumerOffsetsRecord.ShareGroupCurrentMemberAssignment)
        | 15s -> action.Type(ShareGroupStatePartitionMetadataRecord.recordType, ConsumerOffsetsRecord.ShareGroupStatePartitionMetadata)
        | 16s -> action.Type(ConsumerGroupRegularExpressionRecord.recordType, ConsumerOffsetsRecord.ConsumerGroupRegularExpression)
        | 17s -> action.Type(StreamsGroupMetadataRecord.recordType, ConsumerOffsetsRecord.StreamsGroupMetadata)
        | 19s -> action.Type(StreamsGroupMemberMetadataRecord.recordType, ConsumerOffsetsRecord.StreamsGroupMemberMetadata)
        | 20s ->
            action.Type(StreamsGroupTargetAssignmentMetadataRecord.recordType, ConsumerOffsetsRecord.StreamsGroupTargetAssignmentMetadata)
        | 21s -> action.Type(StreamsGroupTargetAssignmentMemberRecord.recordType, ConsumerOffsetsRecord.StreamsGroupTargetAssignmentMember)
        | 22s ->
            action.Type(StreamsGroupCurrentMemberAssignmentRecord.recordType, ConsumerOffsetsRecord.StreamsGroupCurrentMemberAssignment)
        | 23s -> action.Type(StreamsGroupTopologyRecord.recordType, ConsumerOffsetsRecord.StreamsGroupTopology)
        | _ -> action.Unknown

    /// Reads the key and the value of a record; a value of None is a tombstone. Bytes after the fields of a message are ignored, as brokers
    /// do.
    let decode (limits: Limits) (key: Bytes) (value: Bytes option) : Result<ConsumerOffsetsRecord, Fault> =
        StoredRecords.decode TopicName visitType ConsumerOffsetsRecord.Unknown limits key value

    let private transcoders = StoredRecords.transcoders visitType

    /// The record as JSON, without making a value of it. It is faster than `decode` and `toJson`.
    let transcode (transcoder: StoredTranscoder) (key: Bytes) (value: Bytes option) : Result<StoredUtf8, Fault> =
        StoredRecords.transcode TopicName transcoders transcoder key value

    /// Runs an action on the record in the union.
    let visit (visitor: IStoredVisitor<'Result>) (record: ConsumerOffsetsRecord) : 'Result =
        match record with
        | ConsumerOffsetsRecord.LegacyOffsetCommit record -> visitor.Visit(LegacyOffsetCommitRecord.recordType, record)
        | ConsumerOffsetsRecord.OffsetCommit record -> visitor.Visit(OffsetCommitRecord.recordType, record)
        | ConsumerOffsetsRecord.GroupMetadata record -> visitor.Visit(GroupMetadataRecord.recordType, record)
        | ConsumerOffsetsRecord.ConsumerGroupMetadata record -> visitor.Visit(ConsumerGroupMetadataRecord.recordType, record)
        | ConsumerOffsetsRecord.ConsumerGroupPartitionMetadata record ->
            visitor.Visit(ConsumerGroupPartitionMetadataRecord.recordType, record)
        | ConsumerOffsetsRecord.ConsumerGroupMemberMetadata record -> visitor.Visit(ConsumerGroupMemberMetadataRecord.recordType, record)
        | ConsumerOffsetsRecord.ConsumerGroupTargetAssignmentMetadata record ->
            visitor.Visit(ConsumerGroupTargetAssignmentMetadataRecord.recordType, record)
        | ConsumerOffsetsRecord.ConsumerGroupTargetAssignmentMember record ->
            visitor.Visit(ConsumerGroupTargetAssignmentMemberRecord.recordType, record)
        | ConsumerOffsetsRecord.ConsumerGroupCurrentMemberAssignment record ->
            visitor.Visit(ConsumerGroupCurrentMemberAssignmentRecord.recordType, record)
        | ConsumerOffsetsRecord.ShareGroupMemberMetadata record -> visitor.Visit(ShareGroupMemberMetadataRecord.recordType, record)
        | ConsumerOffsetsRecord.ShareGroupMetadata record -> visitor.Visit(ShareGroupMetadataRecord.recordType, record)
        | ConsumerOffsetsRecord.ShareGroupTargetAssignmentMetadata record ->
            visitor.Visit(ShareGroupTargetAssignmentMetadataRecord.recordType, record)
        | ConsumerOffsetsRecord.ShareGroupTargetAssignmentMember record ->
            visitor.Visit(ShareGroupTargetAssignmentMemberRecord.recordType, record)
        | ConsumerOffsetsRecord.ShareGroupCurrentMemberAssignment record ->
            visitor.Visit(ShareGroupCurrentMemberAssignmentRecord.recordType, record)
        | ConsumerOffsetsRecord.ShareGroupStatePartitionMetadata record ->
            visitor.Visit(ShareGroupStatePartitionMetadataRecord.recordType, record)
        | ConsumerOffsetsRecord.ConsumerGroupRegularExpression record ->
            visitor.Visit(ConsumerGroupRegularExpressionRecord.recordType, record)
        | ConsumerOffsetsRecord.StreamsGroupMetadata record -> visitor.Visit(StreamsGroupMetadataRecord.recordType, record)
        | ConsumerOffsetsRecord.StreamsGroupMemberMetadata record -> visitor.Visit(StreamsGroupMemberMetadataRecord.recordType, record)
        | ConsumerOffsetsRecord.StreamsGroupTargetAssignmentMetadata record ->
            visitor.Visit(StreamsGroupTargetAssignmentMetadataRecord.recordType, record)
        | ConsumerOffsetsRecord.StreamsGroupTargetAssignmentMember record ->
            visitor.Visit(StreamsGroupTargetAssignmentMemberRecord.recordType, record)
        | ConsumerOffsetsRecord.StreamsGroupCurrentMemberAssignment record ->
            visitor.Visit(StreamsGroupCurrentMemberAssignmentRecord.recordType, record)
        | ConsumerOffsetsRecord.StreamsGroupTopology record -> visitor.Visit(StreamsGroupTopologyRecord.recordType, record)
        | ConsumerOffsetsRecord.Unknown record -> visitor.Unknown record

    /// The key and the value of the record. It is a fault if a field is set that the version of the value cannot carry.
    let encode (record: ConsumerOffsetsRecord) : Result<StoredBytes, Fault> = visit StoredRecords.encode record

    /// The record as JSON in Kafka's own form.
    let toJson (record: ConsumerOffsetsRecord) : Result<StoredJson, Fault> = visit StoredRecords.toJson record

    /// A one-line description.
    let show (record: ConsumerOffsetsRecord) : string = visit StoredRecords.show record

type ConsumerOffsetsRecord with
    override this.ToString() = ConsumerOffsetsRecord.show this
