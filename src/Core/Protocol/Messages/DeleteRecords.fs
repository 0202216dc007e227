namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DeleteRecords (API key 21): deletes the records of partitions before an offset (KIP-107). Send it to the leader of each partition.
module DeleteRecords =

    /// The offset to delete up to in one partition.
    type Partition =
        {
            PartitionIndex: int32
            /// The first offset to keep; -1 to delete everything before the high watermark.
            Offset: int64
        }

    let partition = message {
        let! index = field "PartitionIndex" _.PartitionIndex int32
        and! offset = field "Offset" _.Offset int64
        return { PartitionIndex = index; Offset = offset }
    }

    /// The partitions of one topic.
    type Topic = { Name: string; Partitions: Partition list }

    let topic = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partition)
        return { Name = name; Partitions = partitions }
    }

    type Request =
        {
            Topics: Topic list
            /// How long the leader may wait for its followers to delete too, in milliseconds. After REQUEST_TIMED_OUT the leader has
            /// deleted the records nevertheless.
            TimeoutMs: int32
        }

    let request = message {
        let! topics = field "Topics" _.Topics (array topic)
        and! timeout = field "TimeoutMs" _.TimeoutMs int32
        return { Topics = topics; TimeoutMs = timeout }
    }

    /// The result for one partition.
    type PartitionResult =
        {
            PartitionIndex: int32
            /// The lowest offset that any live replica still has; -1 on error.
            LowWatermark: int64
            /// OFFSET_OUT_OF_RANGE if the offset is above the high watermark; POLICY_VIOLATION if the topic is only compacted
            /// (cleanup.policy); NOT_LEADER_OR_FOLLOWER if the leader has moved; UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED;
            /// KAFKA_STORAGE_ERROR if the disk failed.
            Error: ErrorCode
        }

    let partitionResult = message {
        let! index = field "PartitionIndex" _.PartitionIndex int32
        and! low = field "LowWatermark" _.LowWatermark int64
        and! error = field "ErrorCode" _.Error errorCode

        return { PartitionIndex = index; LowWatermark = low; Error = error }
    }

    /// The results for one topic.
    type TopicResult = { Name: string; Partitions: PartitionResult list }

    let topicResult = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionResult)
        return { Name = name; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            Topics: TopicResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! topics = field "Topics" _.Topics (array topicResult)

        return { ThrottleTimeMs = throttle; Topics = topics }
    }

    let api =
        Api.define ApiKey.DeleteRecords (versions 0 2 |> flexibleFrom 2) request response |> Api.throttledBy _.ThrottleTimeMs

    type Partition with
        override this.ToString() = Schema.show partition this
    type Topic with
        override this.ToString() = Schema.show topic this
    type Request with
        override this.ToString() = Message.show api.Request this
    type PartitionResult with
        override this.ToString() = Schema.show partitionResult this
    type TopicResult with
        override this.ToString() = Schema.show topicResult this
    type Response with
        override this.ToString() = Message.show api.Response this
