namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// TxnOffsetCommit (API key 28): store how far a group has read, to count when the transaction is committed (KIP-98). It goes to the
/// group's coordinator, not the transaction's. Up to version 4 AddOffsetsToTxn comes first; from version 5 on the group's coordinator
/// takes the offsets into the transaction by itself (KIP-890).
module TxnOffsetCommit =

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
        and! epoch = field "CommittedLeaderEpoch" _.CommittedLeaderEpoch (int32 |> since 2s -1 |> ignorable)
        and! metadata = field "CommittedMetadata" _.CommittedMetadata (string |> nullable)

        return { PartitionIndex = partition; CommittedOffset = offset; CommittedLeaderEpoch = epoch; CommittedMetadata = metadata }
    }

    /// How far the partitions of one topic have been read.
    type TopicRequest =
        {
            /// Names the topic up to version 5.
            Name: string
            /// Names the topic from version 6 on (KIP-1319).
            TopicId: Guid
            Partitions: PartitionRequest list
        }

    let topicRequest = message {
        let! name = field "Name" _.Name (string |> until 5s "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since 6s Guid.Empty |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)

        return { Name = name; TopicId = id; Partitions = partitions }
    }

    type Request =
        {
            TransactionalId: string
            GroupId: string
            /// The id that InitProducerId, or the last EndTxn, gave.
            ProducerId: int64
            /// The epoch that InitProducerId, or the last EndTxn, gave.
            ProducerEpoch: int16
            /// In a classic group the generation, in a group of the new protocol the member's epoch, so that a consumer that has lost
            /// its place stores nothing (KIP-447); -1 to leave it unchecked.
            GenerationIdOrMemberEpoch: int32
            /// Empty to leave it unchecked.
            MemberId: string
            /// The name of a static member (KIP-345); null for a dynamic one.
            GroupInstanceId: string option
            Topics: TopicRequest list
        }

    let request = message {
        let! transactional = field "TransactionalId" _.TransactionalId string
        and! group = field "GroupId" _.GroupId string
        and! producer = field "ProducerId" _.ProducerId int64
        and! epoch = field "ProducerEpoch" _.ProducerEpoch int16
        and! generation = field "GenerationIdOrMemberEpoch" _.GenerationIdOrMemberEpoch (int32 |> since 3s -1)
        and! memberId = field "MemberId" _.MemberId (string |> since 3s "")
        and! instance = field "GroupInstanceId" _.GroupInstanceId (string |> nullable |> since 3s None)
        and! topics = field "Topics" _.Topics (array topicRequest)

        return
            { TransactionalId = transactional
              GroupId = group
              ProducerId = producer
              ProducerEpoch = epoch
              GenerationIdOrMemberEpoch = generation
              MemberId = memberId
              GroupInstanceId = instance
              Topics = topics }
    }

    /// What became of one partition's offset.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// NOT_COORDINATOR and COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION
            /// and FENCED_INSTANCE_ID when the member has lost its place in the group; PRODUCER_FENCED or INVALID_PRODUCER_EPOCH when a
            /// newer producer has the transactional id; TRANSACTION_ABORTABLE when nothing is left but to abort;
            /// UNKNOWN_TOPIC_OR_PARTITION; OFFSET_METADATA_TOO_LARGE when the note exceeds the broker's limit
            /// (offset.metadata.max.bytes); the authorization errors of topic, group and transactional id. From version 6 on also
            /// UNKNOWN_TOPIC_ID, GROUP_ID_NOT_FOUND and STALE_MEMBER_EPOCH.
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
            /// Names the topic up to version 5.
            Name: string
            /// Names the topic from version 6 on.
            TopicId: Guid
            Partitions: PartitionResponse list
        }

    let topicResponse = message {
        let! name = field "Name" _.Name (string |> until 5s "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since 6s Guid.Empty |> ignorable)
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
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! topics = field "Topics" _.Topics (array topicResponse)

        return { ThrottleTimeMs = throttle; Topics = topics }
    }

    let api = Api.define ApiKey.TxnOffsetCommit 0s 6s (Some 3s) request response
