namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// OffsetForLeaderEpoch (API key 23): where an epoch ends in the leader's log. A reader that is past that end has read records that an
/// election has since cut off (KIP-320). It goes to the leader of each partition.
module OffsetForLeaderEpoch =

    /// What to find in one partition.
    type PartitionRequest =
        {
            Partition: int32
            /// The leader epoch that the client knows from the metadata; -1 to leave it unchecked.
            CurrentLeaderEpoch: int32
            /// The epoch whose end is wanted: that of the last record read.
            LeaderEpoch: int32
        }

    let partitionRequest = message {
        let! partition = field "Partition" _.Partition int32
        and! current = field "CurrentLeaderEpoch" _.CurrentLeaderEpoch (int32 |> withDefault -1 |> ignorable)
        and! epoch = field "LeaderEpoch" _.LeaderEpoch int32

        return { Partition = partition; CurrentLeaderEpoch = current; LeaderEpoch = epoch }
    }

    /// What to find in the partitions of one topic.
    type TopicRequest = { Topic: string; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! topic = field "Topic" _.Topic string
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { Topic = topic; Partitions = partitions }
    }

    type Request =
        {
            /// The follower's broker id; -1 for a consumer, -2 for one that may see what is behind the high watermark, for debugging.
            ReplicaId: int32
            Topics: TopicRequest list
        }

    let request = message {
        let! replica = field "ReplicaId" _.ReplicaId (int32 |> since 3s -2 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicRequest)
        return { ReplicaId = replica; Topics = topics }
    }

    /// Where the epoch ends in one partition.
    type PartitionResponse =
        {
            /// NOT_LEADER_OR_FOLLOWER when the leader has moved; FENCED_LEADER_EPOCH and UNKNOWN_LEADER_EPOCH when the client knows an
            /// older or a newer leader than the broker; UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED; KAFKA_STORAGE_ERROR
            /// when the disk is unusable.
            Error: ErrorCode
            Partition: int32
            /// The latest epoch in the log that is not later than the one asked for, or that one itself where all in the log are later.
            /// -1 where the one asked for is later than all, and on error.
            LeaderEpoch: int32
            /// Where that epoch ends: the offset at which the next one begins, or for the latest one the end of the log. -1 where the
            /// epoch is -1.
            EndOffset: int64
        }

    let partitionResponse = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! partition = field "Partition" _.Partition int32
        and! epoch = field "LeaderEpoch" _.LeaderEpoch (int32 |> withDefault -1 |> ignorable)
        and! offset = field "EndOffset" _.EndOffset (int64 |> withDefault -1L)

        return { Error = error; Partition = partition; LeaderEpoch = epoch; EndOffset = offset }
    }

    /// Where the epoch ends in the partitions of one topic.
    type TopicResponse = { Topic: string; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! topic = field "Topic" _.Topic string
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { Topic = topic; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Topics: TopicResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResponse)

        return { ThrottleTimeMs = throttle; Topics = topics }
    }

    let api = Api.define ApiKey.OffsetForLeaderEpoch 2s 4s (Some 4s) request response
