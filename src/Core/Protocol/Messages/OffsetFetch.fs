namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// OffsetFetch (API key 9): reads the committed offsets of one group, or (since version 8, KIP-709) of several groups. Send it to the
/// coordinator of the groups.
///
/// Version 0 is that of Kafka before 0.8.2. Brokers of Kafka 4.0 and later do not support it.
module OffsetFetch =

    /// The first version that reads the offsets which OffsetCommit 1 and later store. Version 0 reads those in ZooKeeper.
    let brokerOffsetsSince = 1s

    /// The first version with a list of groups (KIP-709). Earlier versions have fields for one group.
    let groupsSince = 8s

    /// The first version that names topics by id (KIP-516). Earlier versions name them by name.
    let topicIdsSince = 10s

    /// Partitions of one topic, in versions up to 7.
    type TopicRequest = { Name: string; PartitionIndexes: int32 list }

    let topicRequest = message {
        let! name = field "Name" _.Name string
        and! partitions = field "PartitionIndexes" _.PartitionIndexes (array int32)
        return { Name = name; PartitionIndexes = partitions }
    }

    /// Partitions of one topic, in versions 8 and later.
    type GroupTopicRequest =
        {
            /// The topic's name. Versions 8 to 9.
            Name: string
            /// The topic's id. Since version 10 (KIP-848).
            TopicId: Guid
            PartitionIndexes: int32 list
        }

    let groupTopicRequest = message {
        let! name = field "Name" _.Name (string |> until (topicIdsSince - 1s) "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since topicIdsSince Guid.Empty |> ignorable)
        and! partitions = field "PartitionIndexes" _.PartitionIndexes (array int32)

        return { Name = name; TopicId = id; PartitionIndexes = partitions }
    }

    /// The offsets to read of one group, in versions 8 and later.
    type GroupRequest =
        {
            GroupId: string
            /// The member that sends the request, in a group of the new protocol; null for a client that is not a member. Since version 9
            /// (KIP-848).
            MemberId: string option
            /// The epoch of the member that sends the request; -1 for a client that is not a member. Since version 9 (KIP-848).
            MemberEpoch: int32
            /// Null for all offsets of the group.
            Topics: GroupTopicRequest list option
        }

    let groupRequest = message {
        let! group = field "GroupId" _.GroupId string
        and! memberId = field "MemberId" _.MemberId (string |> nullable |> since 9s None |> ignorable)
        and! epoch = field "MemberEpoch" _.MemberEpoch (int32 |> since 9s -1 |> ignorable)
        and! topics = field "Topics" _.Topics (array groupTopicRequest |> nullable)

        return { GroupId = group; MemberId = memberId; MemberEpoch = epoch; Topics = topics }
    }

    type Request =
        {
            /// The group. Up to version 7.
            GroupId: string
            /// The partitions; null for all offsets of the group. Up to version 7. Nullable since version 2.
            Topics: TopicRequest list option
            /// The groups, with their partitions. Since version 8 (KIP-709).
            Groups: GroupRequest list
            /// Whether an offset that an open transaction can still change is returned as the error UNSTABLE_OFFSET_COMMIT. Since version
            /// 7 (KIP-447).
            RequireStable: bool
        }

    let request = message {
        let! group = field "GroupId" _.GroupId (string |> until (groupsSince - 1s) "")
        and! topics = field "Topics" _.Topics (array topicRequest |> nullableSince 2s |> until (groupsSince - 1s) (Some []))
        and! groups = field "Groups" _.Groups (array groupRequest |> since groupsSince [])
        and! stable = field "RequireStable" _.RequireStable (bool |> since 7s false)

        return { GroupId = group; Topics = topics; Groups = groups; RequireStable = stable }
    }

    /// The offset of one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// The offset of the next record to read; -1 if none is stored, and on error.
            CommittedOffset: int64
            /// The leader epoch of the last processed record; -1 if unknown. Since version 5 (KIP-320).
            CommittedLeaderEpoch: int32
            /// The metadata that was stored with the offset; empty if there is none.
            Metadata: string option
            /// UNSTABLE_OFFSET_COMMIT (since version 7) while an open transaction can change the offset: retry;
            /// TOPIC_AUTHORIZATION_FAILED; UNKNOWN_TOPIC_OR_PARTITION; UNKNOWN_TOPIC_ID (since version 10); up to version 1 also the error of
            /// the whole group.
            Error: ErrorCode
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! offset = field "CommittedOffset" _.CommittedOffset int64
        and! epoch = field "CommittedLeaderEpoch" _.CommittedLeaderEpoch (int32 |> since 5s -1 |> ignorable)
        and! metadata = field "Metadata" _.Metadata (string |> nullable)
        and! error = field "ErrorCode" _.Error errorCode

        return
            { PartitionIndex = partition
              CommittedOffset = offset
              CommittedLeaderEpoch = epoch
              Metadata = metadata
              Error = error }
    }

    /// The offsets of one topic, in versions up to 7.
    type TopicResponse = { Name: string; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { Name = name; Partitions = partitions }
    }

    /// The offsets of one topic, in versions 8 and later.
    type GroupTopicResponse =
        {
            /// The topic's name. Versions 8 to 9.
            Name: string
            /// The topic's id. Since version 10 (KIP-848).
            TopicId: Guid
            Partitions: PartitionResponse list
        }

    let groupTopicResponse = message {
        let! name = field "Name" _.Name (string |> until (topicIdsSince - 1s) "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since topicIdsSince Guid.Empty |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)

        return { Name = name; TopicId = id; Partitions = partitions }
    }

    /// The offsets of one group, in versions 8 and later.
    type GroupResponse =
        {
            GroupId: string
            Topics: GroupTopicResponse list
            /// NOT_COORDINATOR if another broker is the coordinator; COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state;
            /// COORDINATOR_NOT_AVAILABLE while there is no coordinator; GROUP_AUTHORIZATION_FAILED; GROUP_ID_NOT_FOUND; since version 9,
            /// UNKNOWN_MEMBER_ID if the member is not in the group, and STALE_MEMBER_EPOCH if the request must be retried with the
            /// member's current epoch.
            Error: ErrorCode
        }

    let groupResponse = message {
        let! group = field "GroupId" _.GroupId string
        and! topics = field "Topics" _.Topics (array groupTopicResponse)
        and! error = field "ErrorCode" _.Error errorCode

        return { GroupId = group; Topics = topics; Error = error }
    }

    /// Up to version 7 the result is in `Topics` and `Error`. Since version 8 it is in `Groups`.
    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 3.
            ThrottleTimeMs: int32
            /// The offsets of the group. Up to version 7.
            Topics: TopicResponse list
            /// The error of the whole group; earlier versions have it in each partition. Versions 2 to 7.
            Error: ErrorCode
            /// The offsets of each group. Since version 8 (KIP-709).
            Groups: GroupResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 3s 0 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResponse |> until (groupsSince - 1s) [])
        and! error = field "ErrorCode" _.Error (errorCode |> between 2s (groupsSince - 1s) ErrorCode.None |> ignorable)
        and! groups = field "Groups" _.Groups (array groupResponse |> since groupsSince [])

        return { ThrottleTimeMs = throttle; Topics = topics; Error = error; Groups = groups }
    }

    let api =
        Api.define ApiKey.OffsetFetch (versions 0 10 |> flexibleFrom 6) request response |> Api.throttledBy _.ThrottleTimeMs

    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type GroupTopicRequest with
        override this.ToString() = Schema.show groupTopicRequest this
    type GroupRequest with
        override this.ToString() = Schema.show groupRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type PartitionResponse with
        override this.ToString() = Schema.show partitionResponse this
    type TopicResponse with
        override this.ToString() = Schema.show topicResponse this
    type GroupTopicResponse with
        override this.ToString() = Schema.show groupTopicResponse this
    type GroupResponse with
        override this.ToString() = Schema.show groupResponse this
    type Response with
        override this.ToString() = Message.show api.Response this
