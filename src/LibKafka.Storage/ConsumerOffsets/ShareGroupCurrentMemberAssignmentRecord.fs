namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// ShareGroupCurrentMemberAssignment (type 14 of `__consumer_offsets`): the partitions that a member of a share group has (KIP-932).
module ShareGroupCurrentMemberAssignmentRecord =

    type Value =
        {
            /// The epoch that the member has reached.
            MemberEpoch: int32
            /// The epoch before, which the coordinator accepts from a member that did not receive the last response.
            PreviousMemberEpoch: int32
            /// 0 stable; the other numbers are those of consumer groups.
            State: int8
            AssignedPartitions: TopicIdPartitions list
        }

    let valueSchema = message {
        let! memberEpoch = field "MemberEpoch" _.MemberEpoch int32
        and! previousMemberEpoch = field "PreviousMemberEpoch" _.PreviousMemberEpoch int32
        and! state = field "State" _.State int8
        and! assignedPartitions = field "AssignedPartitions" _.AssignedPartitions (array TopicIdPartitions.schema)

        return
            { MemberEpoch = memberEpoch
              PreviousMemberEpoch = previousMemberEpoch
              State = state
              AssignedPartitions = assignedPartitions }
    }

    let key: Message<GroupMemberKey> =
        Message.define "ShareGroupCurrentMemberAssignmentKey" (versions 0 0) GroupMemberKey.schema

    let value: Message<Value> =
        Message.define "ShareGroupCurrentMemberAssignmentValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<GroupMemberKey, Value> = { Id = 14s; Key = key; Value = value }

    type Value with
        override this.ToString() = Message.show value this
