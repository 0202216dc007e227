namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ListOffsets (API key 2): find an offset of a partition by its place or by a timestamp. It goes to the leader of each partition.
module ListOffsets =

    /// What to find in one partition.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The leader epoch that the client knows (KIP-320); -1 to leave it unchecked.
            CurrentLeaderEpoch: int32
            /// Which offset is wanted. The largest timestamp is known from version 7 on, the earliest local offset from 8, the latest
            /// tiered one from 9, the earliest that waits for its upload from 11.
            Spec: OffsetSpec
        }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! epoch = field "CurrentLeaderEpoch" _.CurrentLeaderEpoch (int32 |> since 4s -1 |> ignorable)
        and! spec = field "Timestamp" _.Spec offsetSpec

        return { PartitionIndex = partition; CurrentLeaderEpoch = epoch; Spec = spec }
    }

    /// What to find in the partitions of one topic.
    type TopicRequest = { Name: string; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { Name = name; Partitions = partitions }
    }

    type Request =
        {
            /// The broker that asks; -1 for a client.
            ReplicaId: int32
            /// With `ReadCommitted` the latest offset is the last stable one, else the high watermark.
            IsolationLevel: IsolationLevel
            Topics: TopicRequest list
            /// How long the broker may take for offsets in tiered storage, in milliseconds (KIP-1075).
            TimeoutMs: int32
        }

    let request = message {
        let! replica = field "ReplicaId" _.ReplicaId int32
        and! isolation = field "IsolationLevel" _.IsolationLevel (isolationLevel |> since 2s IsolationLevel.ReadUncommitted)
        and! topics = field "Topics" _.Topics (array topicRequest)
        and! timeout = field "TimeoutMs" _.TimeoutMs (int32 |> since 10s 0 |> ignorable)

        return { ReplicaId = replica; IsolationLevel = isolation; Topics = topics; TimeoutMs = timeout }
    }

    /// What was found in one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// NOT_LEADER_OR_FOLLOWER when the leader has moved; OFFSET_NOT_AVAILABLE while a new leader does not know its high
            /// watermark yet; UNSUPPORTED_FOR_MESSAGE_FORMAT for a timestamp in an old log.
            Error: ErrorCode
            /// The timestamp of the record at the offset, in milliseconds since the epoch; -1 where none was looked for or none was found.
            Timestamp: int64
            /// The offset; -1 where no record is that late.
            Offset: int64
            /// The leader epoch of the record at the offset; -1 where it is not known.
            LeaderEpoch: int32
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! timestamp = field "Timestamp" _.Timestamp (int64 |> since 1s -1L)
        and! offset = field "Offset" _.Offset (int64 |> since 1s -1L)
        and! epoch = field "LeaderEpoch" _.LeaderEpoch (int32 |> since 4s -1)

        return { PartitionIndex = partition; Error = error; Timestamp = timestamp; Offset = offset; LeaderEpoch = epoch }
    }

    /// What was found in the partitions of one topic.
    type TopicResponse = { Name: string; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { Name = name; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Topics: TopicResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 2s 0 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResponse)

        return { ThrottleTimeMs = throttle; Topics = topics }
    }

    let api = Api.define ApiKey.ListOffsets 1s 11s (Some 6s) request response
