namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AlterShareGroupOffsets (API key 91): let a share group that has no members go on from other offsets (KIP-932). What it knew of
/// single records is forgotten. It goes to the group's coordinator.
module AlterShareGroupOffsets =

    /// Where to go on in one partition.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The first offset that the group is to read.
            StartOffset: int64
        }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! start = field "StartOffset" _.StartOffset int64
        return { PartitionIndex = partition; StartOffset = start }
    }

    /// Where to go on in one topic.
    type TopicRequest = { TopicName: string; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! name = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { TopicName = name; Partitions = partitions }
    }

    type Request = { GroupId: string; Topics: TopicRequest list }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! topics = field "Topics" _.Topics (array topicRequest)
        return { GroupId = group; Topics = topics }
    }

    /// What became of one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED; KAFKA_STORAGE_ERROR.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)

        return { PartitionIndex = partition; Error = error; ErrorMessage = text }
    }

    /// What became of one topic.
    type TopicResponse =
        {
            TopicName: string
            /// Zero where there is no such topic.
            TopicId: Guid
            Partitions: PartitionResponse list
        }

    let topicResponse = message {
        let! name = field "TopicName" _.TopicName string
        and! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)

        return { TopicName = name; TopicId = id; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// What concerns the request as a whole: NON_EMPTY_GROUP while the group has members; GROUP_ID_NOT_FOUND when there is no
            /// such group or it is no share group; NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again;
            /// GROUP_AUTHORIZATION_FAILED; INVALID_REQUEST.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            Topics: TopicResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! topics = field "Responses" _.Topics (array topicResponse)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text; Topics = topics }
    }

    let api = Api.define ApiKey.AlterShareGroupOffsets 0s 0s (Some 0s) request response
