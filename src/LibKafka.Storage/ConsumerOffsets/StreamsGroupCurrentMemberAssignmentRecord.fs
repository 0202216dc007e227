namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// StreamsGroupCurrentMemberAssignment (type 22 of `__consumer_offsets`): the tasks that a member of a Streams group has, on its way to the
/// target assignment (KIP-1071).
module StreamsGroupCurrentMemberAssignmentRecord =

    /// Tasks of one subtopology.
    type TaskIds =
        {
            SubtopologyId: string
            Partitions: int32 list
            /// For each partition the epoch of the member at which it was assigned.
            AssignmentEpochs: int32 list option
        }

    let taskIds = message {
        let! subtopologyId = field "SubtopologyId" _.SubtopologyId string
        and! partitions = field "Partitions" _.Partitions (array int32)
        and! assignmentEpochs = field "AssignmentEpochs" _.AssignmentEpochs (array int32 |> nullable |> tagged 0)

        return { SubtopologyId = subtopologyId; Partitions = partitions; AssignmentEpochs = assignmentEpochs }
    }

    type Value =
        {
            /// The epoch that the member has reached.
            MemberEpoch: int32
            /// The epoch before, which the coordinator accepts from a member that did not receive the last response.
            PreviousMemberEpoch: int32
            /// 0 stable, 1 waits for the member to give up tasks, 2 waits for other members to give up tasks, 127 unknown.
            State: int8
            ActiveTasks: TaskIds list
            /// The standby tasks, which replicate state for a quick takeover.
            StandbyTasks: TaskIds list
            /// The tasks whose state the member restores before they are moved to it.
            WarmupTasks: TaskIds list
            /// The tasks that the member must give up.
            ActiveTasksPendingRevocation: TaskIds list
            StandbyTasksPendingRevocation: TaskIds list
            WarmupTasksPendingRevocation: TaskIds list
        }

    let valueSchema = message {
        let! memberEpoch = field "MemberEpoch" _.MemberEpoch int32
        and! previousMemberEpoch = field "PreviousMemberEpoch" _.PreviousMemberEpoch int32
        and! state = field "State" _.State int8
        and! activeTasks = field "ActiveTasks" _.ActiveTasks (array taskIds)
        and! standbyTasks = field "StandbyTasks" _.StandbyTasks (array taskIds)
        and! warmupTasks = field "WarmupTasks" _.WarmupTasks (array taskIds)
        and! activeTasksPendingRevocation = field "ActiveTasksPendingRevocation" _.ActiveTasksPendingRevocation (array taskIds)
        and! standbyTasksPendingRevocation = field "StandbyTasksPendingRevocation" _.StandbyTasksPendingRevocation (array taskIds)
        and! warmupTasksPendingRevocation = field "WarmupTasksPendingRevocation" _.WarmupTasksPendingRevocation (array taskIds)

        return
            { MemberEpoch = memberEpoch
              PreviousMemberEpoch = previousMemberEpoch
              State = state
              ActiveTasks = activeTasks
              StandbyTasks = standbyTasks
              WarmupTasks = warmupTasks
              ActiveTasksPendingRevocation = activeTasksPendingRevocation
              StandbyTasksPendingRevocation = standbyTasksPendingRevocation
              WarmupTasksPendingRevocation = warmupTasksPendingRevocation }
    }

    let key: Message<GroupMemberKey> =
        Message.define "StreamsGroupCurrentMemberAssignmentKey" (versions 0 0) GroupMemberKey.schema

    let value: Message<Value> =
        Message.define "StreamsGroupCurrentMemberAssignmentValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<GroupMemberKey, Value> = { Id = 22s; Key = key; Value = value }

    type TaskIds with
        override this.ToString() = Schema.show taskIds this
    type Value with
        override this.ToString() = Message.show value this
