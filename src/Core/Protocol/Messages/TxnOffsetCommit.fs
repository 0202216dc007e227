namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// TxnOffsetCommit (API key 28): stores offsets of a group that become visible if the transaction is committed (KIP-98). Send it to the
/// group's coordinator, not the transaction's. Up to version 4, send AddOffsetsToTxn first. Since version 5 the group's coordinator adds
/// the offsets to the transaction (KIP-890).
module TxnOffsetCommit =

    /// The first version that adds the group to the producer's transaction by itself, so that AddOffsetsToTxn is not needed (KIP-890). It
    /// requires transactions of version 2.
    let addsGroupSince = 5s

    /// The first version that names topics by id (KIP-516). Earlier versions name them by name.
    let topicIdsSince = 6s

    /// The offset of one partition.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The offset of the next record to read, one after the last processed record.
            CommittedOffset: int64
            /// The leader epoch of the last processed record, to detect log truncation; -1 if unknown. Since version 2 (KIP-320).
            CommittedLeaderEpoch: int32
            /// Metadata that is returned with the offset. Null is stored as empty.
            CommittedMetadata: string option
        }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! offset = field "CommittedOffset" _.CommittedOffset int64
        and! epoch = field "CommittedLeaderEpoch" _.CommittedLeaderEpoch (int32 |> since 2s -1 |> ignorable)
        and! metadata = field "CommittedMetadata" _.CommittedMetadata (string |> nullable)

        return { PartitionIndex = partition; CommittedOffset = offset; CommittedLeaderEpoch = epoch; CommittedMetadata = metadata }
    }

    /// The offsets of the partitions of one topic.
    type TopicRequest =
        {
            /// The topic's name. Up to version 5.
            Name: string
            /// The topic's id. Since version 6 (KIP-1319).
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
            TransactionalId: string
            GroupId: string
            /// The producer id from InitProducerId or the last EndTxn.
            ProducerId: int64
            /// The producer epoch from InitProducerId or the last EndTxn.
            ProducerEpoch: int16
            /// The generation in a classic group, or the member epoch in a group of the new protocol, so that a consumer that is no longer
            /// a member stores nothing; -1 to skip the check. Since version 3 (KIP-447).
            GenerationIdOrMemberEpoch: int32
            /// The member; empty to skip the check. Since version 3 (KIP-447).
            MemberId: string
            /// The instance id of a static member; null for a dynamic member. Since version 3 (KIP-447).
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

    /// The result for one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// NOT_COORDINATOR if another broker is the coordinator; COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state;
            /// UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION or FENCED_INSTANCE_ID if the consumer is no longer a member: abort the transaction
            /// and join again; PRODUCER_FENCED or INVALID_PRODUCER_EPOCH if a newer producer uses the transactional id;
            /// TRANSACTION_ABORTABLE if the transaction must be aborted; UNKNOWN_TOPIC_OR_PARTITION; OFFSET_METADATA_TOO_LARGE if the
            /// metadata exceeds the broker's limit (offset.metadata.max.bytes); TOPIC_AUTHORIZATION_FAILED; GROUP_AUTHORIZATION_FAILED;
            /// TRANSACTIONAL_ID_AUTHORIZATION_FAILED. Since version 6 also UNKNOWN_TOPIC_ID, GROUP_ID_NOT_FOUND and STALE_MEMBER_EPOCH.
            Error: ErrorCode
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        return { PartitionIndex = partition; Error = error }
    }

    /// The results for one topic.
    type TopicResponse =
        {
            /// The topic's name. Up to version 5.
            Name: string
            /// The topic's id. Since version 6 (KIP-1319).
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            Topics: TopicResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! topics = field "Topics" _.Topics (array topicResponse)

        return { ThrottleTimeMs = throttle; Topics = topics }
    }

    let api =
        Api.define ApiKey.TxnOffsetCommit (versions 0 6 |> flexibleFrom 3) request response |> Api.throttledBy _.ThrottleTimeMs

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
