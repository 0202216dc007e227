namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// OffsetDelete (API key 47): deletes committed offsets of a group (KIP-496). Send it to the group's coordinator.
module OffsetDelete =

    /// A partition whose offset is deleted.
    type PartitionRequest = { PartitionIndex: int32 }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        return { PartitionIndex = partition }
    }

    /// Partitions of one topic whose offsets are deleted.
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

    /// The result for one partition.
    type PartitionResult =
        {
            PartitionIndex: int32
            /// GROUP_SUBSCRIBED_TO_TOPIC if members of the group are subscribed to the topic; UNKNOWN_TOPIC_OR_PARTITION;
            /// TOPIC_AUTHORIZATION_FAILED. An offset that does not exist is not an error.
            Error: ErrorCode
        }

    let partitionResult = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        return { PartitionIndex = partition; Error = error }
    }

    /// The results for the partitions of one topic.
    type TopicResult = { Name: string; Partitions: PartitionResult list }

    let topicResult = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionResult)
        return { Name = name; Partitions = partitions }
    }

    type Response =
        {
            /// The error of the whole group: GROUP_ID_NOT_FOUND; INVALID_GROUP_ID for an id that is not allowed; NON_EMPTY_GROUP if the
            /// group is not a consumer group and has members; NOT_COORDINATOR if another broker is the coordinator;
            /// COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state; GROUP_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// Empty if the whole group has an error.
            Topics: TopicResult list
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResult)

        return { Error = error; ThrottleTimeMs = throttle; Topics = topics }
    }

    let api = Api.define ApiKey.OffsetDelete (versions 0 0) request response |> Api.throttledBy _.ThrottleTimeMs

    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type PartitionResult with
        override this.ToString() = Schema.show partitionResult this
    type TopicResult with
        override this.ToString() = Schema.show topicResult this
    type Response with
        override this.ToString() = Message.show api.Response this
