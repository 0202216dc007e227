namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeShareGroupOffsets (API key 90): lists the offsets of share groups (KIP-932). Send it to the coordinator of each group.
module DescribeShareGroupOffsets =

    /// Partitions of one topic to describe.
    type TopicRequest = { TopicName: string; Partitions: int32 list }

    let topicRequest = message {
        let! name = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { TopicName = name; Partitions = partitions }
    }

    /// A group to describe.
    type GroupRequest =
        {
            GroupId: string
            /// Null for all topics of the group.
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

    /// The offset of the group in one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// The first offset that the group has not finished; -1 if it has none.
            StartOffset: int64
            /// The epoch of the partition's leader.
            LeaderEpoch: int32
            /// The number of records that the group has yet to process; -1 if unknown. Since version 1 (KIP-1226).
            Lag: int64
            /// UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
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

    /// The offsets of the group in one topic.
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

    /// The offsets of one group.
    type GroupResponse =
        {
            GroupId: string
            Topics: TopicResponse list
            /// NOT_COORDINATOR if another broker is the coordinator; COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state;
            /// GROUP_ID_NOT_FOUND if there is no such group or it is not a share group; GROUP_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            Groups: GroupResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! groups = field "Groups" _.Groups (array groupResponse)

        return { ThrottleTimeMs = throttle; Groups = groups }
    }

    let api =
        Api.define ApiKey.DescribeShareGroupOffsets (versions 0 1 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type GroupRequest with
        override this.ToString() = Schema.show groupRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type PartitionResponse with
        override this.ToString() = Schema.show partitionResponse this
    type TopicResponse with
        override this.ToString() = Schema.show topicResponse this
    type GroupResponse with
        override this.ToString() = Schema.show groupResponse this
    type Response with
        override this.ToString() = Message.show api.Response this
