namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ReadShareGroupStateSummary (API key 87): where a group stands with share partitions, without what became of each record (KIP-932). It
/// goes from the group's coordinator to the share coordinator of each partition; clients ask DescribeShareGroupOffsets.
module ReadShareGroupStateSummary =

    /// A share partition to read.
    type PartitionRequest =
        {
            Partition: int32
            /// The epoch of the partition's leader.
            LeaderEpoch: int32
        }

    let partitionRequest = message {
        let! partition = field "Partition" _.Partition int32
        and! epoch = field "LeaderEpoch" _.LeaderEpoch int32
        return { Partition = partition; LeaderEpoch = epoch }
    }

    /// Share partitions of one topic.
    type TopicRequest = { TopicId: Guid; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { TopicId = id; Partitions = partitions }
    }

    type Request =
        {
            /// The share group.
            GroupId: string
            Topics: TopicRequest list
        }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! topics = field "Topics" _.Topics (array topicRequest)
        return { GroupId = group; Topics = topics }
    }

    /// The state of one share partition in short.
    type PartitionResult =
        {
            Partition: int32
            /// FENCED_LEADER_EPOCH when the coordinator knows a later leader; NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to
            /// ask elsewhere or again; UNKNOWN_TOPIC_OR_PARTITION; INVALID_REQUEST; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            /// Raised each time the state is begun anew.
            StateEpoch: int32
            /// The epoch of the leader that wrote the state.
            LeaderEpoch: int32
            /// The first offset that the group is not done with; -1 where it has none yet.
            StartOffset: int64
            /// How many offsets from `StartOffset` on are done with, told from version 1 on (KIP-1226); -1 where it is not known.
            DeliveryCompleteCount: int32
        }

    let partitionResult = message {
        let! partition = field "Partition" _.Partition int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! stateEpoch = field "StateEpoch" _.StateEpoch int32
        and! leaderEpoch = field "LeaderEpoch" _.LeaderEpoch int32
        and! start = field "StartOffset" _.StartOffset int64
        and! complete = field "DeliveryCompleteCount" _.DeliveryCompleteCount (int32 |> since 1s -1 |> ignorable)

        return
            { Partition = partition
              Error = error
              ErrorMessage = text
              StateEpoch = stateEpoch
              LeaderEpoch = leaderEpoch
              StartOffset = start
              DeliveryCompleteCount = complete }
    }

    /// The state of one topic's share partitions in short.
    type TopicResult = { TopicId: Guid; Partitions: PartitionResult list }

    let topicResult = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionResult)
        return { TopicId = id; Partitions = partitions }
    }

    type Response = { Results: TopicResult list }

    let response = message {
        let! results = field "Results" _.Results (array topicResult)
        return { Results = results }
    }

    let api = Api.define ApiKey.ReadShareGroupStateSummary 0s 1s (Some 0s) request response
