namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeShareGroupOffsets (API key 90): how far share groups have read (KIP-932). It goes to the coordinator of each group.
module DescribeShareGroupOffsets =

    /// Partitions of one topic that are asked about.
    type TopicRequest = { TopicName: string; Partitions: int32 list }

    let topicRequest = message {
        let! name = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { TopicName = name; Partitions = partitions }
    }

    /// A group that is asked about.
    type GroupRequest =
        {
            GroupId: string
            /// Null for all that the group has read of.
            Topics: TopicRequest list option
        }

    let groupRequest = message {
        let! id = field "GroupId" _.GroupId string
        and! topics = field "Topics" _.Topics (array topicRequest |> nullable)
        return { GroupId = id; Topics = topics }
    }

    type Request = { Groups: GroupRequest list }

    let request = message {
        let! groups = field "Groups" _.Groups (array groupRequest)
        return { Request.Groups = groups }
    }

    /// How far the group has read one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// The first offset that the group is not done with; -1 where it has none.
            StartOffset: int64
            /// The epoch of the partition's leader.
            LeaderEpoch: int32
            /// How many records the group still has before it, told from version 1 on (KIP-1226); -1 where it is not known.
            Lag: int64
            /// UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! start = field "StartOffset" _.StartOffset int64
        and! epoch = field "LeaderEpoch" _.LeaderEpoch int32
        and! lag = field "Lag" _.Lag (int64 |> since 1s -1L |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)

        return { PartitionIndex = partition; StartOffset = start; LeaderEpoch = epoch; Lag = lag; Error = error; ErrorMessage = text }
    }

    /// How far the group has read one topic.
    type TopicResponse =
        {
            TopicName: string
            /// Zero where there is no such topic.
            TopicId: Guid
            Partitions: PartitionResponse list
        }

    let topicResponse = message {
        let! name = field "TopicName" _.TopicName string
        and! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)

        return { TopicName = name; TopicId = id; Partitions = partitions }
    }

    /// How far one group has read.
    type GroupResponse =
        {
            GroupId: string
            Topics: TopicResponse list
            /// NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; GROUP_ID_NOT_FOUND when there is no such
            /// group or it is no share group; GROUP_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
        }

    let groupResponse = message {
        let! id = field "GroupId" _.GroupId string
        and! topics = field "Topics" _.Topics (array topicResponse)
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)

        return { GroupId = id; Topics = topics; Error = error; ErrorMessage = text }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Groups: GroupResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! groups = field "Groups" _.Groups (array groupResponse)

        return { ThrottleTimeMs = throttle; Groups = groups }
    }

    let api = Api.define ApiKey.DescribeShareGroupOffsets 0s 1s (Some 0s) request response
