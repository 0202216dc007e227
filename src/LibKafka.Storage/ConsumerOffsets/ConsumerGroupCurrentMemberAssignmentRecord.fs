namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation

/// ConsumerGroupCurrentMemberAssignment (type 8 of `__consumer_offsets`): the partitions that a member of a consumer group has, on its way
/// to the target assignment (KIP-848).
module ConsumerGroupCurrentMemberAssignmentRecord =

    /// Partitions of a topic.
    type TopicPartitions =
        {
            TopicId: Guid
            Partitions: int32 list
            /// For each partition the epoch of the member at which it was assigned.
            AssignmentEpochs: int32 list option
        }

    let topicPartitions = message {
        let! topicId = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array int32)
        and! assignmentEpochs = field "AssignmentEpochs" _.AssignmentEpochs (array int32 |> nullable |> tagged 0)

        return { TopicId = topicId; Partitions = partitions; AssignmentEpochs = assignmentEpochs }
    }

    type Value =
        {
            /// The epoch that the member has reached.
            MemberEpoch: int32
            /// The epoch before, which the coordinator accepts from a member that did not receive the last response.
            PreviousMemberEpoch: int32
            /// 0 stable, 1 waits for the member to give up partitions, 2 waits for other members to give up partitions, 127 unknown.
            State: int8
            AssignedPartitions: TopicPartitions list
            /// The partitions that the member must give up.
            PartitionsPendingRevocation: TopicPartitions list
        }

    let valueSchema = message {
        let! memberEpoch = field "MemberEpoch" _.MemberEpoch int32
        and! previousMemberEpoch = field "PreviousMemberEpoch" _.PreviousMemberEpoch int32
        and! state = field "State" _.State int8
        and! assignedPartitions = field "AssignedPartitions" _.AssignedPartitions (array topicPartitions)
        and! partitionsPendingRevocation = field "PartitionsPendingRevocation" _.PartitionsPendingRevocation (array topicPartitions)

        return
            { MemberEpoch = memberEpoch
              PreviousMemberEpoch = previousMemberEpoch
              State = state
              AssignedPartitions = assignedPartitions
              PartitionsPendingRevocation = partitionsPendingRevocation }
    }

    let key: Message<GroupMemberKey> =
        Message.define "ConsumerGroupCurrentMemberAssignmentKey" (versions 0 0) GroupMemberKey.schema

    let value: Message<Value> =
        Message.define "ConsumerGroupCurrentMemberAssignmentValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<GroupMemberKey, Value> = { Id = 8s; Key = key; Value = value }

    type TopicPartitions with
        override this.ToString() = Schema.show topicPartitions this
    type Value with
        override this.ToString() = Message.show value this
