namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DeleteShareGroupState (API key 86): delete the stored state of share partitions, as when their group or topic is deleted (KIP-932). It
/// goes from the group's coordinator to the share coordinator of each partition; clients have no use for it.
module DeleteShareGroupState =

    /// A share partition to delete.
    type PartitionRequest = { Partition: int32 }

    let partitionRequest = message {
        let! partition = field "Partition" _.Partition int32
        return { PartitionRequest.Partition = partition }
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

    /// What became of one share partition.
    type PartitionResult =
        {
            Partition: int32
            /// NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; UNKNOWN_TOPIC_OR_PARTITION;
            /// INVALID_REQUEST; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
        }

    let partitionResult = message {
        let! partition = field "Partition" _.Partition int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)

        return { Partition = partition; Error = error; ErrorMessage = text }
    }

    /// What became of the share partitions of one topic.
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

    let api = Api.define ApiKey.DeleteShareGroupState 0s 0s (Some 0s) request response
