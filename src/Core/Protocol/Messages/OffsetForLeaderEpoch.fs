namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// OffsetForLeaderEpoch (API key 23): finds the end offset of a leader epoch. A consumer whose position is after that offset has read
/// records that were truncated after a leader change (KIP-320). Send it to the leader of each partition.
module OffsetForLeaderEpoch =

    /// The leader epoch to look up in one partition.
    type PartitionRequest =
        {
            Partition: int32
            /// The leader epoch that the client knows from the metadata; -1 to skip the check. Since version 2 (KIP-320).
            CurrentLeaderEpoch: int32
            /// The epoch to look up: that of the last record read.
            LeaderEpoch: int32
        }

    let partitionRequest = message {
        let! partition = field "Partition" _.Partition int32
        and! current = field "CurrentLeaderEpoch" _.CurrentLeaderEpoch (int32 |> since 2s -1 |> ignorable)
        and! epoch = field "LeaderEpoch" _.LeaderEpoch int32

        return { Partition = partition; CurrentLeaderEpoch = current; LeaderEpoch = epoch }
    }

    /// The leader epochs to look up in one topic.
    type TopicRequest = { Topic: string; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! topic = field "Topic" _.Topic string
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { Topic = topic; Partitions = partitions }
    }

    type Request =
        {
            /// The follower's broker id; -1 for a consumer; -2 for a debugging client that may see records above the high watermark. Since
            /// version 3.
            ReplicaId: int32
            Topics: TopicRequest list
        }

    let request = message {
        let! replica = field "ReplicaId" _.ReplicaId (int32 |> since 3s -2 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicRequest)
        return { ReplicaId = replica; Topics = topics }
    }

    /// The end offset in one partition.
    type PartitionResponse =
        {
            /// NOT_LEADER_OR_FOLLOWER if the leader has moved; FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH if the client knows an older or
            /// a newer leader than the broker; UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED; KAFKA_STORAGE_ERROR if the disk
            /// failed.
            Error: ErrorCode
            Partition: int32
            /// The largest epoch in the log that is not larger than the requested one; the requested one if all epochs in the log are
            /// larger. -1 if the requested epoch is larger than all of them, and on error. Since version 1 (KIP-279).
            LeaderEpoch: int32
            /// The end offset of that epoch: the start offset of the next one, or the end of the log for the latest one. -1 if there is no
            /// such epoch.
            EndOffset: int64
        }

    let partitionResponse = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! partition = field "Partition" _.Partition int32
        and! epoch = field "LeaderEpoch" _.LeaderEpoch (int32 |> since 1s -1 |> ignorable)
        and! offset = field "EndOffset" _.EndOffset (int64 |> withDefault -1L)

        return { Error = error; Partition = partition; LeaderEpoch = epoch; EndOffset = offset }
    }

    /// The end offsets in one topic.
    type TopicResponse = { Topic: string; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! topic = field "Topic" _.Topic string
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { Topic = topic; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 2.
            ThrottleTimeMs: int32
            Topics: TopicResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 2s 0 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResponse)

        return { ThrottleTimeMs = throttle; Topics = topics }
    }

    let api =
        Api.define ApiKey.OffsetForLeaderEpoch (versions 0 4 |> flexibleFrom 4) request response
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
