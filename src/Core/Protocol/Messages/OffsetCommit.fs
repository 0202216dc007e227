namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// OffsetCommit (API key 8): stores the offsets of a group. Send it to the group's coordinator.
///
/// Versions 0 and 1 are those of Kafka before 0.9. Brokers of Kafka 4.0 and later do not support them.
module OffsetCommit =

    /// The first version with the rules of today. Version 0 stores offsets in ZooKeeper, and version 1 with a timestamp of the client's.
    let brokerTimeSince = 2s

    /// The first version that names topics by id (KIP-516). Earlier versions name them by name.
    let topicIdsSince = 10s

    /// The offset of one partition.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The offset of the next record to read, one after the last processed record.
            CommittedOffset: int64
            /// The leader epoch of the last processed record, to detect log truncation; -1 if unknown. Since version 6 (KIP-320).
            CommittedLeaderEpoch: int32
            /// The time of the commit, in milliseconds since the epoch; -1 for the broker's clock. Version 1 only.
            CommitTimestamp: int64
            /// Metadata that is returned with the offset. Null is stored as empty.
            CommittedMetadata: string option
        }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! offset = field "CommittedOffset" _.CommittedOffset int64
        and! epoch = field "CommittedLeaderEpoch" _.CommittedLeaderEpoch (int32 |> since 6s -1 |> ignorable)
        and! timestamp = field "CommitTimestamp" _.CommitTimestamp (int64 |> between 1s (brokerTimeSince - 1s) -1L)
        and! metadata = field "CommittedMetadata" _.CommittedMetadata (string |> nullable)

        return
            { PartitionIndex = partition
              CommittedOffset = offset
              CommittedLeaderEpoch = epoch
              CommitTimestamp = timestamp
              CommittedMetadata = metadata }
    }

    /// The offsets of the partitions of one topic.
    type TopicRequest =
        {
            /// The topic's name. Up to version 9.
            Name: string
            /// The topic's id. Since version 10 (KIP-848).
            TopicId: Guid
            Partitions: PartitionRequest list
        }

    let topicRequest = message {
        let! name = field "Name" _.Name (string |> until (topicIdsSince - 1s) "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since topicIdsSince Guid.Empty |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)

        return { Name = name; TopicId = id; Partitions = partitions }
    }

    type Request =
        {
            GroupId: string
            /// The generation in a classic group; the member epoch in a group of the new protocol (since version 9, KIP-848). -1 for a
            /// client that is not a member, which can store offsets only while the group has no members. Since version 1.
            GenerationIdOrMemberEpoch: int32
            /// Empty for a client that is not a member. Since version 1.
            MemberId: string
            /// The instance id of a static member; null for a dynamic member. Since version 7 (KIP-345).
            GroupInstanceId: string option
            /// How long to keep the offsets, in milliseconds; -1 for the broker's offsets.retention.minutes. In later versions that config
            /// always applies, from the time when the group becomes empty (KIP-211). Versions 2 to 4.
            RetentionTimeMs: int64
            Topics: TopicRequest list
        }

    let request = message {
        let! group = field "GroupId" _.GroupId string
        and! generation = field "GenerationIdOrMemberEpoch" _.GenerationIdOrMemberEpoch (int32 |> since 1s -1 |> ignorable)
        and! memberId = field "MemberId" _.MemberId (string |> since 1s "" |> ignorable)
        and! instance = field "GroupInstanceId" _.GroupInstanceId (string |> nullable |> since 7s None)
        and! retention = field "RetentionTimeMs" _.RetentionTimeMs (int64 |> between brokerTimeSince 4s -1L |> ignorable)
        and! topics = field "Topics" _.Topics (array topicRequest)

        return
            { GroupId = group
              GenerationIdOrMemberEpoch = generation
              MemberId = memberId
              GroupInstanceId = instance
              RetentionTimeMs = retention
              Topics = topics }
    }

    /// The result for one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// 0 if the offset was stored. Otherwise:
            /// - UNKNOWN_MEMBER_ID: the coordinator has removed the member, or the request has no member id and the group has members; do
            ///   not retry. Join again: another member can have the partitions.
            /// - ILLEGAL_GENERATION: the group has a later generation; do not retry. Join again with the same member id.
            /// - REBALANCE_IN_PROGRESS: the assignment of the new generation is not complete; finish SyncGroup first, and commit with the
            ///   new generation if the member still has the partition.
            /// - STALE_MEMBER_EPOCH (since version 9): the member epoch is outdated; retry with the epoch from the last heartbeat if the
            ///   member still has the partition.
            /// - FENCED_INSTANCE_ID: another member has joined with the same group instance id; stop this member, and give each member its
            ///   own instance id.
            /// - GROUP_ID_NOT_FOUND (since version 9): the group does not exist, but the request has a generation or epoch; join again.
            ///   Earlier versions return ILLEGAL_GENERATION.
            /// - UNKNOWN_TOPIC_OR_PARTITION: the topic does not exist, or the broker does not know it yet; refresh the metadata and retry
            ///   after a backoff.
            /// - UNKNOWN_TOPIC_ID (since version 10): the broker does not know the topic id; refresh the metadata. Do not commit the
            ///   offset if the topic was created again.
            /// - OFFSET_METADATA_TOO_LARGE: the metadata exceeds the broker's limit (offset.metadata.max.bytes); shorten it.
            /// - INVALID_COMMIT_OFFSET_SIZE: the offsets of the request together are too large to store; commit fewer partitions at once.
            /// - NOT_COORDINATOR: another broker coordinates the group; call FindCoordinator and retry there.
            /// - COORDINATOR_NOT_AVAILABLE: the coordinator is not active or could not write to its log in time; call FindCoordinator and
            ///   retry after a backoff.
            /// - COORDINATOR_LOAD_IN_PROGRESS: the coordinator is loading its state; retry after a backoff.
            /// - INVALID_GROUP_ID: the group id is empty; correct the request.
            /// - GROUP_AUTHORIZATION_FAILED: the principal lacks the Read permission on the group; grant it, do not retry.
            /// - TOPIC_AUTHORIZATION_FAILED: the principal lacks the Read permission on the topic; grant it, do not retry.
            /// - UNSUPPORTED_VERSION: a member of the new protocol needs version 9 or later; use it.
            /// - UNKNOWN_SERVER_ERROR: the broker failed unexpectedly; find the cause in its log.
            Error: ErrorCode
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        return { PartitionIndex = partition; Error = error }
    }

    /// The results for the partitions of one topic.
    type TopicResponse =
        {
            /// The topic's name. Up to version 9.
            Name: string
            /// The topic's id. Since version 10 (KIP-848).
            TopicId: Guid
            Partitions: PartitionResponse list
        }

    let topicResponse = message {
        let! name = field "Name" _.Name (string |> until (topicIdsSince - 1s) "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since topicIdsSince Guid.Empty |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)

        return { Name = name; TopicId = id; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 3.
            ThrottleTimeMs: int32
            Topics: TopicResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 3s 0 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResponse)

        return { ThrottleTimeMs = throttle; Topics = topics }
    }

    let api =
        Api.define ApiKey.OffsetCommit (versions 0 10 |> flexibleFrom 8) request response |> Api.throttledBy _.ThrottleTimeMs

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
