namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ShareFetch (API key 78): acquire records of partitions for a member of a share group, and acknowledge those acquired before
/// (KIP-932). It goes to the leader of each partition. Version 0 was a preview in Kafka 4.0 and is gone.
module ShareFetch =

    /// A partition to fetch from.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// Empty where there is nothing to acknowledge.
            AcknowledgementBatches: ShareAcknowledgementBatch list
        }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! batches = field "AcknowledgementBatches" _.AcknowledgementBatches (array ShareAcknowledgementBatch.schema)

        return { PartitionIndex = partition; AcknowledgementBatches = batches }
    }

    /// The partitions of one topic to fetch from.
    type TopicRequest = { TopicId: Guid; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { TopicId = id; Partitions = partitions }
    }

    /// Partitions to take out of the share session.
    type ForgottenTopic = { TopicId: Guid; Partitions: int32 list }

    let forgottenTopic = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { TopicId = id; Partitions = partitions }
    }

    type Request =
        {
            /// The share group. Null is allowed, but brokers want it.
            GroupId: string option
            /// The member for which to acquire, as in ShareGroupHeartbeat. Null is allowed, but brokers want it.
            MemberId: string option
            /// The place of this request in the member's share session with the broker: 0 opens one, -1 closes it and releases what is
            /// left, else one more than before.
            ShareSessionEpoch: int32
            /// How long the broker may wait for `MinBytes` to come together, in milliseconds.
            MaxWaitMs: int32
            /// The broker answers as soon as it has this many bytes; 0 to be answered at once.
            MinBytes: int32
            /// Most bytes to answer for all partitions together; the first batch comes whole all the same (KIP-74).
            MaxBytes: int32
            /// Most records to acquire. Unless the mode is `RecordLimit`, there can be more, to the end of a batch.
            MaxRecords: int32
            /// How many records `AcquiredRecords` should have in an element, as the unit in which they are best acknowledged.
            BatchSize: int32
            /// How strictly `MaxRecords` is meant, from version 2 on (KIP-1206).
            ShareAcquireMode: ShareAcquireMode
            /// Whether there are `Renew` acknowledgements, from version 2 on (KIP-1222). Such a request fetches nothing, and its wait,
            /// bytes and records must be 0, else INVALID_REQUEST.
            IsRenewAck: bool
            /// What to add to the share session, or to acknowledge. Partitions that the session has are fetched from without being named
            /// again.
            Topics: TopicRequest list
            Forgotten: ForgottenTopic list
        }

    let request = message {
        let! group = field "GroupId" _.GroupId (string |> nullable |> withDefault None)
        and! memberId = field "MemberId" _.MemberId (string |> nullable)
        and! epoch = field "ShareSessionEpoch" _.ShareSessionEpoch int32
        and! maxWait = field "MaxWaitMs" _.MaxWaitMs int32
        and! minBytes = field "MinBytes" _.MinBytes int32
        and! maxBytes = field "MaxBytes" _.MaxBytes (int32 |> withDefault Int32.MaxValue)
        and! maxRecords = field "MaxRecords" _.MaxRecords int32
        and! batchSize = field "BatchSize" _.BatchSize int32
        and! mode =
            field "ShareAcquireMode" _.ShareAcquireMode (shareAcquireMode |> since 2s ShareAcquireMode.BatchOptimized |> ignorable)
        and! renew = field "IsRenewAck" _.IsRenewAck (bool |> since 2s false)
        and! topics = field "Topics" _.Topics (array topicRequest)
        and! forgotten = field "ForgottenTopicsData" _.Forgotten (array forgottenTopic)

        return
            { GroupId = group
              MemberId = memberId
              ShareSessionEpoch = epoch
              MaxWaitMs = maxWait
              MinBytes = minBytes
              MaxBytes = maxBytes
              MaxRecords = maxRecords
              BatchSize = batchSize
              ShareAcquireMode = mode
              IsRenewAck = renew
              Topics = topics
              Forgotten = forgotten }
    }

    /// Records that the member now holds and that are in `Records`.
    type AcquiredRecords =
        {
            FirstOffset: int64
            /// The last offset, itself included.
            LastOffset: int64
            /// How many times they have been delivered, this time included.
            DeliveryCount: int16
        }

    let acquiredRecords = message {
        let! first = field "FirstOffset" _.FirstOffset int64
        and! last = field "LastOffset" _.LastOffset int64
        and! count = field "DeliveryCount" _.DeliveryCount int16

        return { FirstOffset = first; LastOffset = last; DeliveryCount = count }
    }

    /// What was acquired of one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// What concerns the fetch: NOT_LEADER_OR_FOLLOWER when the leader has moved; UNKNOWN_TOPIC_ID and
            /// UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED; KAFKA_STORAGE_ERROR and CORRUPT_MESSAGE when the broker cannot
            /// read.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            /// What concerns the acknowledgements: INVALID_RECORD_STATE when the member does not hold the records (any more), else as
            /// above.
            AcknowledgeError: ErrorCode
            /// What the broker says of it; null where it says nothing.
            AcknowledgeErrorMessage: string option
            /// The new leader, on NOT_LEADER_OR_FOLLOWER.
            CurrentLeader: CurrentLeader
            /// Record batches one behind the other. They hold other records too: only those in `AcquiredRecords` are the member's.
            Records: Bytes
            AcquiredRecords: AcquiredRecords list
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! ackError = field "AcknowledgeErrorCode" _.AcknowledgeError errorCode
        and! ackText = field "AcknowledgeErrorMessage" _.AcknowledgeErrorMessage (string |> nullable |> withDefault None)
        and! leader = field "CurrentLeader" _.CurrentLeader CurrentLeader.zeroSchema
        and! records = field "Records" _.Records records
        and! acquired = field "AcquiredRecords" _.AcquiredRecords (array acquiredRecords)

        return
            { PartitionIndex = partition
              Error = error
              ErrorMessage = text
              AcknowledgeError = ackError
              AcknowledgeErrorMessage = ackText
              CurrentLeader = leader
              Records = records
              AcquiredRecords = acquired }
    }

    /// What was acquired of one topic.
    type TopicResponse = { TopicId: Guid; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { TopicId = id; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// What concerns the request as a whole: SHARE_SESSION_NOT_FOUND and INVALID_SHARE_SESSION_EPOCH when to open a new session;
            /// SHARE_SESSION_LIMIT_REACHED when to try later; GROUP_AUTHORIZATION_FAILED; INVALID_REQUEST.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            /// How long the member may hold what it acquired before the broker gives it to others, in milliseconds.
            AcquisitionLockTimeoutMs: int32
            Topics: TopicResponse list
            /// Where the leaders named in the answers are to be reached.
            NodeEndpoints: NodeEndpoint list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> withDefault None)
        and! lockTimeout = field "AcquisitionLockTimeoutMs" _.AcquisitionLockTimeoutMs int32
        and! topics = field "Responses" _.Topics (array topicResponse)
        and! nodes = field "NodeEndpoints" _.NodeEndpoints (array NodeEndpoint.schema)

        return
            { ThrottleTimeMs = throttle
              Error = error
              ErrorMessage = text
              AcquisitionLockTimeoutMs = lockTimeout
              Topics = topics
              NodeEndpoints = nodes }
    }

    let api = Api.define ApiKey.ShareFetch 1s 2s (Some 0s) request response
