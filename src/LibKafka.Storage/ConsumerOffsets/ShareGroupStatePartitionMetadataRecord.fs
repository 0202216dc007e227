namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// ShareGroupStatePartitionMetadata (type 15 of `__consumer_offsets`): the partitions whose delivery state is kept in `__share_group_state`
/// (KIP-932).
module ShareGroupStatePartitionMetadataRecord =

    /// Partitions of a topic.
    type TopicPartitionsInfo = { TopicId: Guid; TopicName: string; Partitions: int32 list }

    let topicPartitionsInfo = message {
        let! topicId = field "TopicId" _.TopicId uuid
        and! topicName = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array int32)

        return { TopicId = topicId; TopicName = topicName; Partitions = partitions }
    }

    /// A topic.
    type TopicInfo = { TopicId: Guid; TopicName: string }

    let topicInfo = message {
        let! topicId = field "TopicId" _.TopicId uuid
        and! topicName = field "TopicName" _.TopicName string

        return { TopicId = topicId; TopicName = topicName }
    }

    type Value =
        {
            /// Partitions whose state is being created.
            InitializingTopics: TopicPartitionsInfo list
            /// Partitions whose state exists.
            InitializedTopics: TopicPartitionsInfo list
            /// Topics whose state is being deleted.
            DeletingTopics: TopicInfo list
        }

    let valueSchema = message {
        let! initializingTopics = field "InitializingTopics" _.InitializingTopics (array topicPartitionsInfo)
        and! initializedTopics = field "InitializedTopics" _.InitializedTopics (array topicPartitionsInfo)
        and! deletingTopics = field "DeletingTopics" _.DeletingTopics (array topicInfo)

        return { InitializingTopics = initializingTopics; InitializedTopics = initializedTopics; DeletingTopics = deletingTopics }
    }

    let key: Message<GroupKey> = Message.define "ShareGroupStatePartitionMetadataKey" (versions 0 0) GroupKey.schema

    let value: Message<Value> =
        Message.define "ShareGroupStatePartitionMetadataValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<GroupKey, Value> = { Id = 15s; Key = key; Value = value }

    type TopicPartitionsInfo with
        override this.ToString() = Schema.show topicPartitionsInfo this
    type TopicInfo with
        override this.ToString() = Schema.show topicInfo this
    type Value with
        override this.ToString() = Message.show value this
