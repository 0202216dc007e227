namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// Produce (API key 0): appends record batches to partitions. Send it to the leader of each partition.
///
/// Versions 0 to 2 are those of Kafka before 0.11. Brokers of Kafka 4.0 and later do not support them.
module Produce =

    /// The first version with record batches (magic 2, KIP-98). Earlier versions have message sets (magic 0 and 1).
    let batchesSince = 3s

    /// The first version in which brokers accept zstd (KIP-110, Kafka 2.1).
    let zstdSince = 7s

    /// The first version that adds the partition to the producer's transaction by itself, so that AddPartitionsToTxn is not needed (KIP-890).
    /// It requires transactions of version 2.
    let addsPartitionsSince = 12s

    /// The first version that names topics by id (KIP-516). Earlier versions name them by name.
    let topicIdsSince = 13s

    /// The data to append to one partition.
    type PartitionData =
        {
            Index: int32
            /// One record batch (magic 2); the broker refuses more than one. Up to version 2, a message set (magic 0 or 1).
            Records: Bytes option
        }

    let partitionData = message {
        let! index = field "Index" _.Index int32
        and! records = field "Records" _.Records (records |> nullable)
        return { Index = index; Records = records }
    }

    /// The data to append to the partitions of one topic.
    type TopicData =
        {
            /// The topic's name. Up to version 12.
            Name: string
            /// The topic's id. Since version 13 (KIP-516).
            TopicId: Guid
            Partitions: PartitionData list
        }

    let topicData = message {
        let! name = field "Name" _.Name (string |> until (topicIdsSince - 1s) "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since topicIdsSince Guid.Empty |> ignorable)
        and! partitions = field "PartitionData" _.Partitions (array partitionData)

        return { Name = name; TopicId = id; Partitions = partitions }
    }

    type Request =
        {
            /// The producer's transactional id; null if the batches are not part of a transaction. Since version 3 (KIP-98).
            TransactionalId: string option
            /// How many replicas must have the batch before the broker responds. The broker does not respond at all to `Acks.None`.
            Acks: Acks
            /// How long the leader may wait for its followers, in milliseconds. On REQUEST_TIMED_OUT the batch is in the leader's log
            /// nevertheless.
            TimeoutMs: int32
            Topics: TopicData list
        }

    let request = message {
        let! transactional = field "TransactionalId" _.TransactionalId (string |> nullable |> since batchesSince None)
        and! acks = field "Acks" _.Acks acks
        and! timeout = field "TimeoutMs" _.TimeoutMs int32
        and! topics = field "TopicData" _.Topics (array topicData)

        return { TransactionalId = transactional; Acks = acks; TimeoutMs = timeout; Topics = topics }
    }

    /// A record because of which the whole batch was refused (KIP-467).
    type RecordError =
        {
            /// The index of the record in the batch, from 0.
            BatchIndex: int32
            /// The reason; null if the broker gives none.
            Message: string option
        }

    let recordError = message {
        let! index = field "BatchIndex" _.BatchIndex int32
        and! text = field "BatchIndexErrorMessage" _.Message (string |> nullable |> withDefault None)
        return { BatchIndex = index; Message = text }
    }

    /// The result for one partition.
    type PartitionResponse =
        {
            Index: int32
            /// 0 if the batch was appended, otherwise why it was not:
            /// - CORRUPT_MESSAGE: the checksum or the structure of the batch is wrong; send the batch again once, and correct the encoder
            ///   if the error remains.
            /// - UNKNOWN_TOPIC_OR_PARTITION: the topic does not exist, or the broker does not know it yet; refresh the metadata and retry
            ///   after a backoff.
            /// - UNKNOWN_TOPIC_ID (since version 13): the topic was deleted or created again, or the broker does not know it yet; refresh
            ///   the metadata and retry with the new id.
            /// - NOT_LEADER_OR_FOLLOWER: the leader has moved; refresh the metadata, or use `CurrentLeader`, and retry there.
            /// - REQUEST_TIMED_OUT: the followers did not replicate the batch in time; retry. The batch is duplicated unless the producer
            ///   is idempotent.
            /// - NOT_ENOUGH_REPLICAS: too few replicas are in sync (min.insync.replicas), or the transaction coordinator could not verify
            ///   the transaction yet; nothing was appended, so retry after a backoff.
            /// - NOT_ENOUGH_REPLICAS_AFTER_APPEND: the batch was appended, but then too few replicas were in sync; retry. The batch is
            ///   duplicated unless the producer is idempotent.
            /// - KAFKA_STORAGE_ERROR: the disk of the leader failed; refresh the metadata and retry, because another broker becomes the
            ///   leader.
            /// - MESSAGE_TOO_LARGE: the batch is larger than the topic's max.message.bytes; split it or raise the limit.
            /// - RECORD_LIST_TOO_LARGE: the batch is larger than a segment (segment.bytes); split it.
            /// - INVALID_RECORD: the broker refuses the records, for example without a key in a compacted topic, or with a base offset
            ///   other than 0; correct the records in `RecordErrors` or the batch.
            /// - INVALID_TIMESTAMP: a timestamp is outside the range that the topic accepts (message.timestamp.before.max.ms,
            ///   message.timestamp.after.max.ms), or the batch is marked as LogAppendTime; correct the timestamps.
            /// - UNSUPPORTED_COMPRESSION_TYPE: zstd needs version 7; use a later version or another codec.
            /// - UNSUPPORTED_FOR_MESSAGE_FORMAT: the topic's message format is too old for idempotence or transactions; upgrade the
            ///   format.
            /// - INVALID_TOPIC_EXCEPTION: the name is invalid, or the topic is internal; write to another topic.
            /// - INVALID_REQUIRED_ACKS: `Acks` is not 0, 1 or -1; correct the request.
            /// - TOPIC_AUTHORIZATION_FAILED: the principal lacks the Write permission on the topic; grant it, do not retry.
            /// - CLUSTER_AUTHORIZATION_FAILED: an old broker requires the IdempotentWrite permission on the cluster for idempotent
            ///   producers; grant it.
            /// - TRANSACTIONAL_ID_AUTHORIZATION_FAILED: the principal lacks the Write permission on the transactional id, or a
            ///   transactional batch comes without one; grant it or correct the request.
            /// - OUT_OF_ORDER_SEQUENCE_NUMBER: the batch does not follow the producer's last one in the partition, so an earlier batch was
            ///   lost or this one is an old duplicate; do not retry as it is. Get a new producer epoch with InitProducerId and restart the
            ///   sequence, or abort the transaction.
            /// - DUPLICATE_SEQUENCE_NUMBER: the batch is already in the log, but its offset is no longer known; treat it as acknowledged.
            /// - UNKNOWN_PRODUCER_ID: the broker has no state of the producer any more, because its records were deleted; get a new
            ///   producer epoch with InitProducerId and send the batch with sequence 0.
            /// - INVALID_PRODUCER_EPOCH: a producer with a newer epoch has written to the partition; abort the transaction and call
            ///   InitProducerId. If that returns PRODUCER_FENCED, close the producer.
            /// - INVALID_PRODUCER_ID_MAPPING: the producer id does not belong to the transactional id; call InitProducerId and begin a new
            ///   transaction.
            /// - INVALID_TXN_STATE: up to version 10, the code for TRANSACTION_ABORTABLE; do the same.
            /// - TRANSACTION_ABORTABLE (since version 11): the partition is not in an open transaction; abort the transaction. Up to
            ///   version 11, add each partition with AddPartitionsToTxn before producing.
            /// - UNSUPPORTED_VERSION: in a transaction, version 12 and later need transaction.version 1 or higher; use version 11 and
            ///   AddPartitionsToTxn.
            /// - UNKNOWN_SERVER_ERROR: the broker failed unexpectedly; find the cause in its log.
            Error: ErrorCode
            /// The offset of the first record of the batch; -1 on error.
            BaseOffset: int64
            /// The broker's clock when it appended the batch, in milliseconds since the epoch; -1 if the topic keeps the producer's
            /// timestamps (CreateTime). Since version 2 (KIP-32).
            LogAppendTimeMs: int64
            /// The first offset that the partition still has; -1 if not given. Since version 5.
            LogStartOffset: int64
            /// The records because of which the batch was refused. Since version 8 (KIP-467).
            RecordErrors: RecordError list
            /// The broker's description of the error; null if it gives none. Since version 8 (KIP-467).
            ErrorMessage: string option
            /// The current leader, on NOT_LEADER_OR_FOLLOWER. Since version 10 (KIP-951).
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

    /// The results for the partitions of one topic.
    type TopicResponse =
        {
            /// The topic's name. Up to version 12.
            Name: string
            /// The topic's id. Since version 13 (KIP-516).
            TopicId: Guid
            Partitions: PartitionResponse list
        }

    let topicResponse = message {
        let! name = field "Name" _.Name (string |> until (topicIdsSince - 1s) "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since topicIdsSince Guid.Empty |> ignorable)
        and! partitions = field "PartitionResponses" _.Partitions (array partitionResponse)

        return { Name = name; TopicId = id; Partitions = partitions }
    }

    type Response =
        {
            Topics: TopicResponse list
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 1 (KIP-13).
            ThrottleTimeMs: int32
            /// The endpoints of the leaders in the response. Since version 10 (KIP-951).
            NodeEndpoints: NodeEndpoint list
        }

    let response = message {
        let! topics = field "Responses" _.Topics (array topicResponse)
        and! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! nodes = field "NodeEndpoints" _.NodeEndpoints (array NodeEndpoint.schema |> since 10s [] |> tagged 0)

        return { Topics = topics; ThrottleTimeMs = throttle; NodeEndpoints = nodes }
    }

    let api =
        Api.define ApiKey.Produce (versions 0 13 |> flexibleFrom 9) request response
        |> Api.throttledBy _.ThrottleTimeMs
        |> Api.answeredIf (fun request -> request.Acks <> Acks.None)

    type PartitionData with
        override this.ToString() = Schema.show partitionData this
    type TopicData with
        override this.ToString() = Schema.show topicData this
    type Request with
        override this.ToString() = Message.show api.Request this
    type RecordError with
        override this.ToString() = Schema.show recordError this
    type PartitionResponse with
        override this.ToString() = Schema.show partitionResponse this
    type TopicResponse with
        override this.ToString() = Schema.show topicResponse this
    type Response with
        override this.ToString() = Message.show api.Response this
