namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// StreamsGroupTargetAssignmentMember (type 21 of `__consumer_offsets`): the tasks that the assignor gave to a member of a Streams group
/// (KIP-1071).
module StreamsGroupTargetAssignmentMemberRecord =

    type Value =
        {
            ActiveTasks: StreamsTaskIds list
            /// The standby tasks, which replicate state for a quick takeover.
            StandbyTasks: StreamsTaskIds list
            /// The tasks whose state the member restores before they are moved to it.
            WarmupTasks: StreamsTaskIds list
        }

    let valueSchema = message {
        let! activeTasks = field "ActiveTasks" _.ActiveTasks (array StreamsTaskIds.schema)
        and! standbyTasks = field "StandbyTasks" _.StandbyTasks (array StreamsTaskIds.schema)
        and! warmupTasks = field "WarmupTasks" _.WarmupTasks (array StreamsTaskIds.schema)

        return { ActiveTasks = activeTasks; StandbyTasks = standbyTasks; WarmupTasks = warmupTasks }
    }

    let key: Message<GroupMemberKey> =
        Message.define "StreamsGroupTargetAssignmentMemberKey" (versions 0 0) GroupMemberKey.schema

    let value: Message<Value> =
        Message.define "StreamsGroupTargetAssignmentMemberValue" (versions 0 0 |> flexibleFrom 0) valueSchema

    let recordType: RecordType<GroupMemberKey, Value> = { Id = 21s; Key = key; Value = value }

    type Value with
        override this.ToString() = Message.show value this
