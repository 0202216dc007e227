namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// OffsetFetch (API key 9): how far groups have read. Up to version 7 it asks about one group, from version 8 on about several
/// (KIP-709). It goes to the coordinator of the groups.
module OffsetFetch =

    /// Partitions of one topic, up to version 7.
    type TopicRequest = { Name: string; PartitionIndexes: int32 list }

    let topicRequest = message {
        let! name = field "Name" _.Name string
        and! partitions = field "PartitionIndexes" _.PartitionIndexes (array int32)
        return { Name = name; PartitionIndexes = partitions }
    }

    /// Partitions of one topic, from version 8 on.
    type GroupTopicRequest =
        {
            /// Names the topic up to version 9.
            Name: string
            /// Names the topic from version 10 on (KIP-848).
            TopicId: Guid
            PartitionIndexes: int32 list
        }

    let groupTopicRequest = message {
        let! name = field "Name" _.Name (string |> until 9s "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since 10s Guid.Empty |> ignorable)
        and! partitions = field "PartitionIndexes" _.PartitionIndexes (array int32)

        return { Name = name; TopicId = id; PartitionIndexes = partitions }
    }

    /// What to tell of one group, from version 8 on.
    type GroupRequest =
        {
            GroupId: string
            /// The member that asks, in a group of the new protocol (KIP-848); null for a client that is not a member.
            MemberId: string option
            /// The epoch of the member that asks; -1 for a client that is not a member.
            MemberEpoch: int32
            /// Null for every offset that the group has.
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
            /// The group, up to version 7.
            GroupId: string
            /// The group's topics, up to version 7; null for every offset that the group has, from version 2 on.
            Topics: TopicRequest list option
            /// The groups, from version 8 on.
            Groups: GroupRequest list
            /// Whether an offset that an open transaction may still change is an error instead (KIP-447): UNSTABLE_OFFSET_COMMIT.
            RequireStable: bool
        }

    let request = message {
        let! group = field "GroupId" _.GroupId (string |> until 7s "")
        and! topics = field "Topics" _.Topics (array topicRequest |> nullableSince 2s |> until 7s (Some []))
        and! groups = field "Groups" _.Groups (array groupRequest |> since 8s [])
        and! stable = field "RequireStable" _.RequireStable (bool |> since 7s false)

        return { GroupId = group; Topics = topics; Groups = groups; RequireStable = stable }
    }

    /// How far one partition has been read.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// The offset of the next record to read; -1 where none is stored, and on error.
            CommittedOffset: int64
            /// The leader epoch of the last record processed (KIP-320); -1 where it is not known.
            CommittedLeaderEpoch: int32
            /// The note that was stored with the offset; empty where there is none.
            Metadata: string option
            /// UNSTABLE_OFFSET_COMMIT when to ask again; TOPIC_AUTHORIZATION_FAILED; UNKNOWN_TOPIC_OR_PARTITION, from version 10 on
            /// also UNKNOWN_TOPIC_ID; in version 1 also what concerns the whole group.
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

    /// How far the partitions of one topic have been read, up to version 7.
    type TopicResponse = { Name: string; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { Name = name; Partitions = partitions }
    }

    /// How far the partitions of one topic have been read, from version 8 on.
    type GroupTopicResponse =
        {
            /// Names the topic up to version 9.
            Name: string
            /// Names the topic from version 10 on.
            TopicId: Guid
            Partitions: PartitionResponse list
        }

    let groupTopicResponse = message {
        let! name = field "Name" _.Name (string |> until 9s "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since 10s Guid.Empty |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)

        return { Name = name; TopicId = id; Partitions = partitions }
    }

    /// How far one group has read, from version 8 on.
    type GroupResponse =
        {
            GroupId: string
            Topics: GroupTopicResponse list
            /// NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; GROUP_AUTHORIZATION_FAILED;
            /// UNKNOWN_MEMBER_ID when the member is not in the group and STALE_MEMBER_EPOCH when to try again with its newest epoch,
            /// from version 9 on.
            Error: ErrorCode
        }

    let groupResponse = message {
        let! group = field "GroupId" _.GroupId string
        and! topics = field "Topics" _.Topics (array groupTopicResponse)
        and! error = field "ErrorCode" _.Error errorCode

        return { GroupId = group; Topics = topics; Error = error }
    }

    /// Up to version 7 the answer is in `Topics` and `Error`, from version 8 on in `Groups`.
    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Topics: TopicResponse list
            /// What concerns the group as a whole, from version 2 on; version 1 says it with each partition.
            Error: ErrorCode
            Groups: GroupResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 3s 0 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResponse |> until 7s [])
        and! error = field "ErrorCode" _.Error (errorCode |> between 2s 7s ErrorCode.None |> ignorable)
        and! groups = field "Groups" _.Groups (array groupResponse |> since 8s [])

        return { ThrottleTimeMs = throttle; Topics = topics; Error = error; Groups = groups }
    }

    let api = Api.define ApiKey.OffsetFetch 1s 10s (Some 6s) request response
