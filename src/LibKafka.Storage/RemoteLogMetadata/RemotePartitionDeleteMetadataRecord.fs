namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// RemotePartitionDeleteMetadataRecord (type 2 of `__remote_log_metadata`): the deletion of a partition from remote storage (KIP-405).
module RemotePartitionDeleteMetadataRecord =

    type Value =
        {
            TopicIdPartition: NamedTopicIdPartition
            /// The node id of the broker.
            BrokerId: int32
            /// When the event occurred, in milliseconds since the epoch.
            EventTimestampMs: int64
            /// 0 marked, 1 started, 2 finished.
            RemotePartitionDeleteState: int8
        }

    let schema = message {
        let! topicIdPartition = field "TopicIdPartition" _.TopicIdPartition NamedTopicIdPartition.schema
        and! brokerId = field "BrokerId" _.BrokerId int32
        and! eventTimestampMs = field "EventTimestampMs" _.EventTimestampMs int64
        and! remotePartitionDeleteState = field "RemotePartitionDeleteState" _.RemotePartitionDeleteState int8

        return
            { TopicIdPartition = topicIdPartition
              BrokerId = brokerId
              EventTimestampMs = eventTimestampMs
              RemotePartitionDeleteState = remotePartitionDeleteState }
    }

    let message: Message<Value> = Message.define "RemotePartitionDeleteMetadataRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
