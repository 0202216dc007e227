namespace LibKafka.Storage

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol

/// SubscriptionInfoData: the user data in the consumer subscription of a Kafka Streams member of the classic protocol. The first field is
/// the version of the message.
module SubscriptionInfoData =

    /// A task.
    type TaskId = { TopicGroupId: int32; Partition: int32 }

    let taskId = message {
        let! topicGroupId = field "TopicGroupId" _.TopicGroupId int32
        and! partition = field "Partition" _.Partition int32

        return { TopicGroupId = topicGroupId; Partition = partition }
    }

    /// The sum of the offsets in the changelogs of the task of one partition.
    type PartitionToOffsetSum = { Partition: int32; OffsetSum: int64 }

    let partitionToOffsetSum = message {
        let! partition = field "Partition" _.Partition int32
        and! offsetSum = field "OffsetSum" _.OffsetSum int64

        return { Partition = partition; OffsetSum = offsetSum }
    }

    /// The sum of the offsets in the changelogs of a task.
    type TaskOffsetSum =
        {
            TopicGroupId: int32
            /// Since version 10.
            Partition: int32
            /// Since version 10.
            OffsetSum: int64
            /// Null without named topologies. Since version 10.
            NamedTopology: string option
            /// Versions 7 to 9.
            PartitionToOffsetSum: PartitionToOffsetSum list
        }

    let taskOffsetSum = message {
        let! topicGroupId = field "TopicGroupId" _.TopicGroupId int32
        and! partition = field "Partition" _.Partition (int32 |> since 10s 0)
        and! offsetSum = field "OffsetSum" _.OffsetSum (int64 |> since 10s 0L)
        and! namedTopology = field "NamedTopology" _.NamedTopology (string |> nullable |> since 10s (Some ""))
        and! partitionToOffsetSum = field "PartitionToOffsetSum" _.PartitionToOffsetSum (array partitionToOffsetSum |> until 9s [])

        return
            { TopicGroupId = topicGroupId
              Partition = partition
              OffsetSum = offsetSum
              NamedTopology = namedTopology
              PartitionToOffsetSum = partitionToOffsetSum }
    }

    /// A tag by which standby tasks are distributed.
    type ClientTag = { Key: Bytes; Value: Bytes }

    let clientTag = message {
        let! key = field "Key" _.Key bytes
        and! value = field "Value" _.Value bytes

        return { Key = key; Value = value }
    }

    type Value =
        {
            /// The version of this message.
            Version: int32
            /// The highest version that the member supports; -1 if unknown. Since version 3.
            LatestSupportedVersion: int32
            /// The same for all members in one process.
            ProcessId: Guid
            /// The tasks that the member ran. Up to version 6.
            PrevTasks: TaskId list
            /// The standby tasks of the member. Up to version 6.
            StandbyTasks: TaskId list
            /// The endpoint on which the member serves queries, as text `host:port`; empty for none. Since version 2.
            UserEndPoint: Bytes
            /// The progress of the state on the member. Since version 7.
            TaskOffsetSums: TaskOffsetSum list
            /// Any number, so that a new subscription differs from the one before. Since version 8.
            UniqueField: int8
            /// 0, or 1 if the application must stop. Since version 9.
            ErrorCode: int32
            /// Tags by which standby tasks are distributed. Since version 11.
            ClientTags: ClientTag list
        }

    let schema = message {
        let! version = field "Version" _.Version int32
        and! latestSupportedVersion = field "LatestSupportedVersion" _.LatestSupportedVersion (int32 |> since 3s -1)
        and! processId = field "ProcessId" _.ProcessId uuid
        and! prevTasks = field "PrevTasks" _.PrevTasks (array taskId |> until 6s [])
        and! standbyTasks = field "StandbyTasks" _.StandbyTasks (array taskId |> until 6s [])
        and! userEndPoint = field "UserEndPoint" _.UserEndPoint (bytes |> since 2s Bytes.empty)
        and! taskOffsetSums = field "TaskOffsetSums" _.TaskOffsetSums (array taskOffsetSum |> since 7s [])
        and! uniqueField = field "UniqueField" _.UniqueField (int8 |> since 8s 0y)
        and! errorCode = field "ErrorCode" _.ErrorCode (int32 |> since 9s 0)
        and! clientTags = field "ClientTags" _.ClientTags (array clientTag |> since 11s [])

        return
            { Version = version
              LatestSupportedVersion = latestSupportedVersion
              ProcessId = processId
              PrevTasks = prevTasks
              StandbyTasks = standbyTasks
              UserEndPoint = userEndPoint
              TaskOffsetSums = taskOffsetSums
              UniqueField = uniqueField
              ErrorCode = errorCode
              ClientTags = clientTags }
    }

    let message: Message<Value> = Message.define "SubscriptionInfoData" (versions 1 11) schema

    type TaskId with
        override this.ToString() = Schema.show taskId this
    type PartitionToOffsetSum with
        override this.ToString() = Schema.show partitionToOffsetSum this
    type TaskOffsetSum with
        override this.ToString() = Schema.show taskOffsetSum this
    type ClientTag with
        override this.ToString() = Schema.show clientTag this
    type Value with
        override this.ToString() = Message.show message this
