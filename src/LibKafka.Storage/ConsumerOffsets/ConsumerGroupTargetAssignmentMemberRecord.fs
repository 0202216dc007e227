namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// ConsumerGroupTargetAssignmentMember (type 7 of `__consumer_offsets`): the partitions that the assignor gave to a member of a consumer
/// group (KIP-848).
module ConsumerGroupTargetAssignmentMemberRecord =

    type Value = { TopicPartitions: TopicIdPartitions list }

    let valueSchema = message {
        let! topicPartitions = field "TopicPartitions" _.TopicPartitions (array TopicIdPartitions.schema)

        return { TopicPartitions = topicPartitions }
    }

    let key: Message<GroupMemberKey> =
        Message.define "ConsumerGroupTargetAssignmentMemberKey" (versions 0 0) GroupMemberKey.schema

    let value: Message<Value> =
        Message.define "ConsumerGroupTargetAssignmentMemberValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<GroupMemberKey, Value> = { Id = 7s; Key = key; Value = value }

    type Value with
        override this.ToString() = Message.show value this
