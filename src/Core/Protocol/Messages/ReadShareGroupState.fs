namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ReadShareGroupState (API key 84): how far a group has come with share partitions (KIP-932). It goes from the leader of each partition
/// to the share coordinator, before the leader serves the group; clients have no use for it.
module ReadShareGroupState =

    /// A share partition to read.
    type PartitionRequest =
        {
            Partition: int32
            /// The epoch in which the sender leads the partition. From now on the coordinator refuses writes of earlier leaders.
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

    /// The state of one share partition.
    type PartitionResult =
        {
            Partition: int32
            /// FENCED_LEADER_EPOCH when a later leader has asked already; NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask
            /// elsewhere or again; UNKNOWN_TOPIC_OR_PARTITION; INVALID_REQUEST; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            /// To be sent with each write.
            StateEpoch: int32
            /// The first offset that the group is not done with; -1 where it has none yet.
            StartOffset: int64
            /// How far the records from there on have come. What is not in them waits for a member.
            StateBatches: ShareStateBatch list
        }

    let partitionResult = message {
        let! partition = field "Partition" _.Partition int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! epoch = field "StateEpoch" _.StateEpoch int32
        and! start = field "StartOffset" _.StartOffset int64
        and! batches = field "StateBatches" _.StateBatches (array ShareStateBatch.schema)

        return
            { Partition = partition
              Error = error
              ErrorMessage = text
              StateEpoch = epoch
              StartOffset = start
              StateBatches = batches }
    }

    /// The state of one topic's share partitions.
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

    let api = Api.define ApiKey.ReadShareGroupState 0s 0s (Some 0s) request response
