namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// The state of a transaction, as the transaction coordinator stores it. Another number is a value of the enum all the same.
type TransactionStatus =
    /// The transactional id has a producer id and no transaction.
    | Empty = 0y
    | Ongoing = 1y
    /// The markers of the commit are being written.
    | PrepareCommit = 2y
    /// The markers of the abort are being written.
    | PrepareAbort = 3y
    | CompleteCommit = 4y
    | CompleteAbort = 5y
    /// The transactional id has expired and is being deleted.
    | Dead = 6y
    /// The producer epoch is being bumped to fence the producer.
    | PrepareEpochFence = 7y

/// Types of fields that only stored records have.
module StorageTypes =

    /// Kafka's own name for the status, or empty if the number is not known.
    let transactionStatusName (status: TransactionStatus) : string =
        match status with
        | TransactionStatus.Empty -> "Empty"
        | TransactionStatus.Ongoing -> "Ongoing"
        | TransactionStatus.PrepareCommit -> "PrepareCommit"
        | TransactionStatus.PrepareAbort -> "PrepareAbort"
        | TransactionStatus.CompleteCommit -> "CompleteCommit"
        | TransactionStatus.CompleteAbort -> "CompleteAbort"
        | TransactionStatus.Dead -> "Dead"
        | TransactionStatus.PrepareEpochFence -> "PrepareEpochFence"
        | _ -> ""

    let transactionStatus: Schema<TransactionStatus> = int8 |> mapped LanguagePrimitives.EnumOfValue sbyte transactionStatusName

/// The content of a record that has no fields.
type NoFields = | NoFields

[<RequireQualifiedAccess>]
module NoFields =

    let schema = message { return NoFields }

/// The key of a record about a group.
type GroupKey = { GroupId: string }

[<RequireQualifiedAccess>]
module GroupKey =

    let schema = message {
        let! group = field "GroupId" _.GroupId string
        return { GroupId = group }
    }

/// The key of a record about a member of a group.
type GroupMemberKey = { GroupId: string; MemberId: string }

[<RequireQualifiedAccess>]
module GroupMemberKey =

    let schema = message {
        let! group = field "GroupId" _.GroupId string
        and! memberId = field "MemberId" _.MemberId string
        return { GroupId = group; MemberId = memberId }
    }

/// The key of an offset commit.
type OffsetCommitKey =
    {
        /// The group id.
        Group: string
        Topic: string
        Partition: int32
    }

[<RequireQualifiedAccess>]
module OffsetCommitKey =

    let schema = message {
        let! group = field "Group" _.Group string
        and! topic = field "Topic" _.Topic string
        and! partition = field "Partition" _.Partition int32
        return { Group = group; Topic = topic; Partition = partition }
    }

/// The key of a record about a share partition.
type SharePartitionKey = { GroupId: string; TopicId: Guid; Partition: int32 }

[<RequireQualifiedAccess>]
module SharePartitionKey =

    let schema = message {
        let! group = field "GroupId" _.GroupId string
        and! topic = field "TopicId" _.TopicId uuid
        and! partition = field "Partition" _.Partition int32
        return { GroupId = group; TopicId = topic; Partition = partition }
    }

/// Partitions of a topic.
type TopicIdPartitions = { TopicId: Guid; Partitions: int32 list }

[<RequireQualifiedAccess>]
module TopicIdPartitions =

    let schema = message {
        let! topic = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { TopicId = topic; Partitions = partitions }
    }

/// The epoch of a group's target assignment.
type TargetAssignmentEpoch =
    {
        /// The epoch of the group for which the assignment was made.
        AssignmentEpoch: int32
        /// When the assignment was made, in milliseconds since the epoch; 0 if unknown.
        AssignmentTimestamp: int64
    }

[<RequireQualifiedAccess>]
module TargetAssignmentEpoch =

    let schema = message {
        let! epoch = field "AssignmentEpoch" _.AssignmentEpoch int32
        and! timestamp = field "AssignmentTimestamp" _.AssignmentTimestamp (int64 |> tagged 0 |> ignorable)
        return { AssignmentEpoch = epoch; AssignmentTimestamp = timestamp }
    }

/// A registration of a broker.
type BrokerEpoch =
    {
        /// The node id of the broker.
        Id: int32
        /// The epoch of the registration.
        Epoch: int64
    }

[<RequireQualifiedAccess>]
module BrokerEpoch =

    let schema = message {
        let! id = field "Id" _.Id int32
        and! epoch = field "Epoch" _.Epoch int64
        return { Id = id; Epoch = epoch }
    }

/// A partition, with both the name and the id of its topic.
type NamedTopicIdPartition =
    {
        /// The name of the topic.
        Name: string
        /// The id of the topic.
        Id: Guid
        Partition: int32
    }

[<RequireQualifiedAccess>]
module NamedTopicIdPartition =

    let schema = message {
        let! name = field "Name" _.Name string
        and! id = field "Id" _.Id uuid
        and! partition = field "Partition" _.Partition int32
        return { Name = name; Id = id; Partition = partition }
    }

/// A log segment in remote storage (KIP-405).
type RemoteLogSegmentId =
    {
        TopicIdPartition: NamedTopicIdPartition
        /// The id of the segment.
        Id: Guid
    }

[<RequireQualifiedAccess>]
module RemoteLogSegmentId =

    let schema = message {
        let! partition = field "TopicIdPartition" _.TopicIdPartition NamedTopicIdPartition.schema
        and! id = field "Id" _.Id uuid
        return { TopicIdPartition = partition; Id = id }
    }

/// A leader epoch and its first offset in a segment.
type SegmentLeaderEpoch = { LeaderEpoch: int32; Offset: int64 }

[<RequireQualifiedAccess>]
module SegmentLeaderEpoch =

    let schema = message {
        let! epoch = field "LeaderEpoch" _.LeaderEpoch int32
        and! offset = field "Offset" _.Offset int64
        return { LeaderEpoch = epoch; Offset = offset }
    }

type NoFields with
    override this.ToString() = Schema.show NoFields.schema this
type GroupKey with
    override this.ToString() = Schema.show GroupKey.schema this
type GroupMemberKey with
    override this.ToString() = Schema.show GroupMemberKey.schema this
type OffsetCommitKey with
    override this.ToString() = Schema.show OffsetCommitKey.schema this
type SharePartitionKey with
    override this.ToString() = Schema.show SharePartitionKey.schema this
type TopicIdPartitions with
    override this.ToString() = Schema.show TopicIdPartitions.schema this
type TargetAssignmentEpoch with
    override this.ToString() = Schema.show TargetAssignmentEpoch.schema this
type BrokerEpoch with
    override this.ToString() = Schema.show BrokerEpoch.schema this
type NamedTopicIdPartition with
    override this.ToString() = Schema.show NamedTopicIdPartition.schema this
type RemoteLogSegmentId with
    override this.ToString() = Schema.show RemoteLogSegmentId.schema this
type SegmentLeaderEpoch with
    override this.ToString() = Schema.show SegmentLeaderEpoch.schema this
