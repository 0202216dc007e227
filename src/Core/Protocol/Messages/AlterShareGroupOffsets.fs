namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AlterShareGroupOffsets (API key 91): sets the start offsets of a share group that has no members (KIP-932). The delivery states of
/// individual records are discarded. Send it to the group's coordinator.
module AlterShareGroupOffsets =

    /// The new start offset of one partition.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The first offset that the group will read.
            StartOffset: int64
        }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! start = field "StartOffset" _.StartOffset int64
        return { PartitionIndex = partition; StartOffset = start }
    }

    /// The new start offsets of one topic.
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

    /// The result for one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED; KAFKA_STORAGE_ERROR.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)

        return { PartitionIndex = partition; Error = error; ErrorMessage = text }
    }

    /// The results for one topic.
    type TopicResponse =
        {
            TopicName: string
            /// Zero if the topic does not exist.
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// The error of the whole request: NON_EMPTY_GROUP if the group has members; GROUP_ID_NOT_FOUND if there is no such group or
            /// it is not a share group; NOT_COORDINATOR if another broker is the coordinator; COORDINATOR_LOAD_IN_PROGRESS while the
            /// coordinator loads its state; GROUP_AUTHORIZATION_FAILED; INVALID_REQUEST.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
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

    let api =
        Api.define ApiKey.AlterShareGroupOffsets (versions 0 0 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type PartitionResponse with
        override this.ToString() = Schema.show partitionResponse this
    type TopicResponse with
        override this.ToString() = Schema.show topicResponse this
    type Response with
        override this.ToString() = Message.show api.Response this
