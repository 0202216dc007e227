namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// Produce (API key 0): append record batches to partitions. It goes to the leader of each partition.
module Produce =

    /// What to append to one partition.
    type PartitionData =
        {
            Index: int32
            /// One record batch (magic 2). A broker refuses more than one from version 3 on.
            Records: Bytes option
        }

    let partitionData = message {
        let! index = field "Index" _.Index int32
        and! records = field "Records" _.Records (records |> nullable)
        return { Index = index; Records = records }
    }

    /// What to append to the partitions of one topic.
    type TopicData =
        {
            /// Names the topic up to version 12.
            Name: string
            /// Names the topic from version 13 on (KIP-516). UNKNOWN_TOPIC_ID where the broker has not heard of it.
            TopicId: Guid
            Partitions: PartitionData list
        }

    let topicData = message {
        let! name = field "Name" _.Name (string |> until 12s "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since 13s Guid.Empty |> ignorable)
        and! partitions = field "PartitionData" _.Partitions (array partitionData)

        return { Name = name; TopicId = id; Partitions = partitions }
    }

    type Request =
        {
            /// The transactional id of the producer; null outside a transaction.
            TransactionalId: string option
            /// How many replicas must have the batch before the broker answers. With `Acks.None` it does not answer at all.
            Acks: Acks
            /// How long the leader may wait for its followers, in milliseconds. REQUEST_TIMED_OUT when it was not enough; the
            /// batch is in the leader's log all the same.
            TimeoutMs: int32
            Topics: TopicData list
        }

    let request = message {
        let! transactional = field "TransactionalId" _.TransactionalId (string |> nullable |> since 3s None)
        and! acks = field "Acks" _.Acks acks
        and! timeout = field "TimeoutMs" _.TimeoutMs int32
        and! topics = field "TopicData" _.Topics (array topicData)

        return { TransactionalId = transactional; Acks = acks; TimeoutMs = timeout; Topics = topics }
    }

    /// A record for which its whole batch was refused (KIP-467).
    type RecordError =
        {
            /// The place of the record in the batch, from 0.
            BatchIndex: int32
            /// What is wrong with it; null where the broker says nothing.
            Message: string option
        }

    let recordError = message {
        let! index = field "BatchIndex" _.BatchIndex int32
        and! text = field "BatchIndexErrorMessage" _.Message (string |> nullable |> withDefault None)
        return { BatchIndex = index; Message = text }
    }

    /// One partition's answer.
    type PartitionResponse =
        {
            Index: int32
            /// NOT_LEADER_OR_FOLLOWER when the leader has moved; MESSAGE_TOO_LARGE when the batch exceeds the topic's limit;
            /// OUT_OF_ORDER_SEQUENCE_NUMBER, DUPLICATE_SEQUENCE_NUMBER and INVALID_PRODUCER_EPOCH to an idempotent producer;
            /// NOT_ENOUGH_REPLICAS, with all acks, when too few replicas are in sync.
            Error: ErrorCode
            /// The offset that the broker gave to the first record of the batch; -1 on error.
            BaseOffset: int64
            /// The broker's clock when it appended the batch, in milliseconds since the epoch; -1 where the topic keeps the
            /// producer's timestamps.
            LogAppendTimeMs: int64
            /// The first offset that the partition still has; -1 where it is not told.
            LogStartOffset: int64
            /// The records for which the batch was refused, on INVALID_RECORD (KIP-467).
            RecordErrors: RecordError list
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            /// The new leader, on NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH (KIP-951).
            CurrentLeader: CurrentLeader
        }

    let partitionResponse = message {
        let! index = field "Index" _.Index int32
        and! error = field "ErrorCode" _.Error errorCode
        and! offset = field "BaseOffset" _.BaseOffset int64
        and! appended = field "LogAppendTimeMs" _.LogAppendTimeMs (int64 |> since 2s -1L |> ignorable)
        and! start = field "LogStartOffset" _.LogStartOffset (int64 |> since 5s -1L |> ignorable)
        and! errors = field "RecordErrors" _.RecordErrors (array recordError |> since 8s [] |> ignorable)
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> since 8s None |> ignorable)
        and! leader = field "CurrentLeader" _.CurrentLeader (CurrentLeader.schema |> since 10s CurrentLeader.unknown |> tagged 0)

        return
            { Index = index
              Error = error
              BaseOffset = offset
              LogAppendTimeMs = appended
              LogStartOffset = start
              RecordErrors = errors
              ErrorMessage = text
              CurrentLeader = leader }
    }

    /// The answers of one topic's partitions.
    type TopicResponse =
        {
            /// Names the topic up to version 12.
            Name: string
            /// Names the topic from version 13 on.
            TopicId: Guid
            Partitions: PartitionResponse list
        }

    let topicResponse = message {
        let! name = field "Name" _.Name (string |> until 12s "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since 13s Guid.Empty |> ignorable)
        and! partitions = field "PartitionResponses" _.Partitions (array partitionResponse)

        return { Name = name; TopicId = id; Partitions = partitions }
    }

    type Response =
        {
            Topics: TopicResponse list
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// Where the leaders named in the answers are to be reached (KIP-951).
            NodeEndpoints: NodeEndpoint list
        }

    let response = message {
        let! topics = field "Responses" _.Topics (array topicResponse)
        and! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! nodes = field "NodeEndpoints" _.NodeEndpoints (array NodeEndpoint.schema |> since 10s [] |> tagged 0)

        return { Topics = topics; ThrottleTimeMs = throttle; NodeEndpoints = nodes }
    }

    let api = Api.define ApiKey.Produce 3s 13s (Some 9s) request response
