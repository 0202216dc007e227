namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// OffsetCommit (API key 8): store how far a group has read. It goes to the group's coordinator.
module OffsetCommit =

    /// How far one partition has been read.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The offset of the next record to read, one behind the last record processed.
            CommittedOffset: int64
            /// The leader epoch of the last record processed, for finding truncation later (KIP-320); -1 where it is not known.
            CommittedLeaderEpoch: int32
            /// A note that comes back with the offset. Null is stored as the empty text.
            CommittedMetadata: string option
        }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! offset = field "CommittedOffset" _.CommittedOffset int64
        and! epoch = field "CommittedLeaderEpoch" _.CommittedLeaderEpoch (int32 |> since 6s -1 |> ignorable)
        and! metadata = field "CommittedMetadata" _.CommittedMetadata (string |> nullable)

        return { PartitionIndex = partition; CommittedOffset = offset; CommittedLeaderEpoch = epoch; CommittedMetadata = metadata }
    }

    /// How far the partitions of one topic have been read.
    type TopicRequest =
        {
            /// Names the topic up to version 9.
            Name: string
            /// Names the topic from version 10 on (KIP-848).
            TopicId: Guid
            Partitions: PartitionRequest list
        }

    let topicRequest = message {
        let! name = field "Name" _.Name (string |> until 9s "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since 10s Guid.Empty |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)

        return { Name = name; TopicId = id; Partitions = partitions }
    }

    type Request =
        {
            GroupId: string
            /// In a classic group the generation; in a group of the new protocol the member's epoch, from version 9 on (KIP-848). -1
            /// for a client that is not a member, which may store offsets only while the group has no members.
            GenerationIdOrMemberEpoch: int32
            /// Empty for a client that is not a member.
            MemberId: string
            /// The name of a static member (KIP-345); null for a dynamic one.
            GroupInstanceId: string option
            /// How long to keep the offsets, in milliseconds, up to version 4; -1 for the broker's setting (offsets.retention.minutes).
            /// From version 5 on the broker's setting always holds, and counts from when the group has become empty (KIP-211).
            RetentionTimeMs: int64
            Topics: TopicRequest list
        }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! generation = field "GenerationIdOrMemberEpoch" _.GenerationIdOrMemberEpoch (int32 |> withDefault -1 |> ignorable)
        and! memberId = field "MemberId" _.MemberId (string |> ignorable)
        and! instance = field "GroupInstanceId" _.GroupInstanceId (string |> nullable |> since 7s None)
        and! retention = field "RetentionTimeMs" _.RetentionTimeMs (int64 |> until 4s -1L |> ignorable)
        and! topics = field "Topics" _.Topics (array topicRequest)

        return
            { GroupId = group
              GenerationIdOrMemberEpoch = generation
              MemberId = memberId
              GroupInstanceId = instance
              RetentionTimeMs = retention
              Topics = topics }
    }

    /// What became of one partition's offset.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION
            /// and FENCED_INSTANCE_ID when the member has lost its place in the group; REBALANCE_IN_PROGRESS when to join first;
            /// STALE_MEMBER_EPOCH when to try again with the newest epoch, and GROUP_ID_NOT_FOUND, from version 9 on;
            /// UNKNOWN_TOPIC_OR_PARTITION, from version 10 on also UNKNOWN_TOPIC_ID; OFFSET_METADATA_TOO_LARGE when the note exceeds
            /// the broker's limit (offset.metadata.max.bytes); INVALID_COMMIT_OFFSET_SIZE when all offsets together are too large.
            Error: ErrorCode
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        return { PartitionIndex = partition; Error = error }
    }

    /// What became of the offsets of one topic.
    type TopicResponse =
        {
            /// Names the topic up to version 9.
            Name: string
            /// Names the topic from version 10 on.
            TopicId: Guid
            Partitions: PartitionResponse list
        }

    let topicResponse = message {
        let! name = field "Name" _.Name (string |> until 9s "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since 10s Guid.Empty |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)

        return { Name = name; TopicId = id; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Topics: TopicResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 3s 0 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResponse)

        return { ThrottleTimeMs = throttle; Topics = topics }
    }

    let api = Api.define ApiKey.OffsetCommit 2s 10s (Some 8s) request response
