namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ShareFetch (API key 78): acquires records for a member of a share group, and acknowledges records that it acquired before (KIP-932).
/// Send it to the leader of each partition. Version 0 was a preview in Kafka 4.0 and is no longer supported.
module ShareFetch =

    /// A partition to fetch from.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// Empty if there is nothing to acknowledge.
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

    /// Partitions to remove from the share session.
    type ForgottenTopic = { TopicId: Guid; Partitions: int32 list }

    let forgottenTopic = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { TopicId = id; Partitions = partitions }
    }

    type Request =
        {
            /// The share group. Null is valid on the wire, but brokers require an id.
            GroupId: string option
            /// The member that acquires the records, as in ShareGroupHeartbeat. Null is valid on the wire, but brokers require an id.
            MemberId: string option
            /// The sequence number of this request in the member's share session with the broker: 0 to open a session, -1 to close it and
            /// release its records, otherwise one more than before.
            ShareSessionEpoch: int32
            /// How long the broker may wait for `MinBytes`, in milliseconds.
            MaxWaitMs: int32
            /// The minimum number of bytes to wait for; 0 to get a response at once.
            MinBytes: int32
            /// The maximum number of bytes in the response. The first batch is returned whole even if it is larger (KIP-74).
            MaxBytes: int32
            /// The maximum number of records to acquire. Unless the mode is `RecordLimit`, the broker may acquire more, up to the end of a
            /// batch.
            MaxRecords: int32
            /// The preferred number of records in each element of `AcquiredRecords`, which are best acknowledged together.
            BatchSize: int32
            /// Whether `MaxRecords` is a strict limit. Since version 2 (KIP-1206).
            ShareAcquireMode: ShareAcquireMode
            /// Whether the request has `Renew` acknowledgements. Such a request fetches nothing: its wait, bytes and records must be 0,
            /// otherwise it is refused with INVALID_REQUEST. Since version 2 (KIP-1222).
            IsRenewAck: bool
            /// The partitions to add to the share session, and those with acknowledgements. The partitions of the session are fetched
            /// without being repeated.
            Topics: TopicRequest list
            /// The partitions to remove from the share session.
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

    /// Records in `Records` that the member now holds.
    type AcquiredRecords =
        {
            FirstOffset: int64
            /// The last offset, inclusive.
            LastOffset: int64
            /// The number of deliveries, including this one.
            DeliveryCount: int16
        }

    let acquiredRecords = message {
        let! first = field "FirstOffset" _.FirstOffset int64
        and! last = field "LastOffset" _.LastOffset int64
        and! count = field "DeliveryCount" _.DeliveryCount int16

        return { FirstOffset = first; LastOffset = last; DeliveryCount = count }
    }

    /// The records of one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// The error of the fetch: NOT_LEADER_OR_FOLLOWER if the leader has moved; UNKNOWN_TOPIC_ID; UNKNOWN_TOPIC_OR_PARTITION;
            /// TOPIC_AUTHORIZATION_FAILED; KAFKA_STORAGE_ERROR or CORRUPT_MESSAGE if the broker cannot read the log.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            /// The error of the acknowledgements: INVALID_RECORD_STATE if the member does not hold the records; otherwise as in `Error`.
            AcknowledgeError: ErrorCode
            /// The broker's description of the acknowledgement error; null if it gives none.
            AcknowledgeErrorMessage: string option
            /// The current leader, on NOT_LEADER_OR_FOLLOWER.
            CurrentLeader: CurrentLeader
            /// Consecutive record batches. Only the records in `AcquiredRecords` are acquired; the batches can contain others.
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

    /// The records of one topic.
    type TopicResponse = { TopicId: Guid; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! id = field "TopicId" _.TopicId uuid
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { TopicId = id; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// The error of the whole request: SHARE_SESSION_NOT_FOUND or INVALID_SHARE_SESSION_EPOCH: open a new session;
            /// SHARE_SESSION_LIMIT_REACHED: retry later; GROUP_AUTHORIZATION_FAILED; INVALID_REQUEST.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            /// How long the member holds acquired records before they are available to other members, in milliseconds.
            AcquisitionLockTimeoutMs: int32
            Topics: TopicResponse list
            /// The endpoints of the leaders in the response.
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

    let api = Api.define ApiKey.ShareFetch (versions 1 2 |> flexibleFrom 0) request response |> Api.throttledBy _.ThrottleTimeMs

    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type ForgottenTopic with
        override this.ToString() = Schema.show forgottenTopic this
    type Request with
        override this.ToString() = Message.show api.Request this
    type AcquiredRecords with
        override this.ToString() = Schema.show acquiredRecords this
    type PartitionResponse with
        override this.ToString() = Schema.show partitionResponse this
    type TopicResponse with
        override this.ToString() = Schema.show topicResponse this
    type Response with
        override this.ToString() = Message.show api.Response this
