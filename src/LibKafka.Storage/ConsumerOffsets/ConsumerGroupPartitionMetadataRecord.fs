namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// ConsumerGroupPartitionMetadata (type 4 of `__consumer_offsets`): what a consumer group knew of its topics. Brokers of Kafka 4.0 wrote
/// it; since 4.1 a hash in ConsumerGroupMetadata replaces it (KIP-848).
module ConsumerGroupPartitionMetadataRecord =

    /// A partition and the racks of its replicas.
    type PartitionMetadata =
        {
            Partition: int32
            /// The racks of the replicas.
            Racks: string list
        }

    let partitionMetadata = message {
        let! partition = field "Partition" _.Partition int32
        and! racks = field "Racks" _.Racks (array string)

        return { Partition = partition; Racks = racks }
    }

    /// A topic that the group is subscribed to.
    type TopicMetadata = { TopicId: Guid; TopicName: string; NumPartitions: int32; PartitionMetadata: PartitionMetadata list }

    let topicMetadata = message {
        let! topicId = field "TopicId" _.TopicId uuid
        and! topicName = field "TopicName" _.TopicName string
        and! numPartitions = field "NumPartitions" _.NumPartitions int32
        and! partitionMetadata = field "PartitionMetadata" _.PartitionMetadata (array partitionMetadata)

        return { TopicId = topicId; TopicName = topicName; NumPartitions = numPartitions; PartitionMetadata = partitionMetadata }
    }

    type Value = { Topics: TopicMetadata list }

    let valueSchema = message {
        let! topics = field "Topics" _.Topics (array topicMetadata)

        return { Topics = topics }
    }

    let key: Message<GroupKey> = Message.define "ConsumerGroupPartitionMetadataKey" (versions 0 0) GroupKey.schema

    let value: Message<Value> =
        Message.define "ConsumerGroupPartitionMetadataValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<GroupKey, Value> = { Id = 4s; Key = key; Value = value }

    type PartitionMetadata with
        override this.ToString() = Schema.show partitionMetadata this
    type TopicMetadata with
        override this.ToString() = Schema.show topicMetadata this
    type Value with
        override this.ToString() = Message.show value this
