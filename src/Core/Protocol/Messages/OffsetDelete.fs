namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// OffsetDelete (API key 47): delete offsets that a group has committed (KIP-496). It goes to the group's coordinator.
module OffsetDelete =

    /// A partition whose offset is to go.
    type PartitionRequest = { PartitionIndex: int32 }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        return { PartitionIndex = partition }
    }

    /// Partitions of one topic whose offsets are to go.
    type TopicRequest = { Name: string; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { Name = name; Partitions = partitions }
    }

    type Request = { GroupId: string; Topics: TopicRequest list }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! topics = field "Topics" _.Topics (array topicRequest)
        return { GroupId = group; Topics = topics }
    }

    /// What became of one partition's offset.
    type PartitionResult =
        {
            PartitionIndex: int32
            /// GROUP_SUBSCRIBED_TO_TOPIC while members of the group read the topic; UNKNOWN_TOPIC_OR_PARTITION;
            /// TOPIC_AUTHORIZATION_FAILED. An offset that was not there is no error.
            Error: ErrorCode
        }

    let partitionResult = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        return { PartitionIndex = partition; Error = error }
    }

    /// What became of the offsets of one topic's partitions.
    type TopicResult = { Name: string; Partitions: PartitionResult list }

    let topicResult = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionResult)
        return { Name = name; Partitions = partitions }
    }

    type Response =
        {
            /// What concerns the group as a whole: GROUP_ID_NOT_FOUND; INVALID_GROUP_ID for a name that no group can have;
            /// NON_EMPTY_GROUP while a group that is not of consumers has members; NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when
            /// to ask elsewhere or again; GROUP_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// Empty when the group as a whole has an error.
            Topics: TopicResult list
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResult)

        return { Error = error; ThrottleTimeMs = throttle; Topics = topics }
    }

    let api = Api.define ApiKey.OffsetDelete 0s 0s None request response
