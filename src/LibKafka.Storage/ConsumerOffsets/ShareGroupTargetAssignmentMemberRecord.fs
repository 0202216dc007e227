namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// ShareGroupTargetAssignmentMember (type 13 of `__consumer_offsets`): the partitions that the assignor gave to a member of a share group
/// (KIP-932).
module ShareGroupTargetAssignmentMemberRecord =

    type Value = { TopicPartitions: TopicIdPartitions list }

    let valueSchema = message {
        let! topicPartitions = field "TopicPartitions" _.TopicPartitions (array TopicIdPartitions.schema)

        return { TopicPartitions = topicPartitions }
    }

    let key: Message<GroupMemberKey> = Message.define "ShareGroupTargetAssignmentMemberKey" (versions 0 0) GroupMemberKey.schema

    let value: Message<Value> =
        Message.define "ShareGroupTargetAssignmentMemberValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<GroupMemberKey, Value> = { Id = 13s; Key = key; Value = value }

    type Value with
        override this.ToString() = Message.show value this
