namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Records
open LibKafka.Protocol.Types

/// Fetch (API key 1): reads record batches from partitions. Send it to the leader of each partition, or to the replica that the leader
/// named (KIP-392).
///
/// Versions 0 to 3 are those of Kafka before 0.11. Brokers of Kafka 4.0 and later do not support them.
module Fetch =

    /// The first version in which the first batch comes whole even if it is larger than the limits (KIP-74).
    let wholeBatchSince = 3s

    /// The first version that returns record batches (magic 2, KIP-98). Earlier versions return message sets (magic 0 and 1).
    let batchesSince = 4s

    /// The first version that detects log truncation by the epoch of the last fetched record (KIP-595).
    let lastFetchedEpochSince = 12s

    /// The first version that names topics by id (KIP-516). Earlier versions name them by name.
    let topicIdsSince = 13s

    /// The replica that sends the request, if it is a follower (KIP-903).
    type ReplicaState =
        {
            /// The broker id of the follower; -1 for a consumer.
            ReplicaId: int32
            /// The broker epoch of the follower; -1 if unknown.
            ReplicaEpoch: int64
        }

    let replicaState = message {
        let! id = field "ReplicaId" _.ReplicaId (int32 |> withDefault -1)
        and! epoch = field "ReplicaEpoch" _.ReplicaEpoch (int64 |> withDefault -1L)
        return { ReplicaId = id; ReplicaEpoch = epoch }
    }

    /// The position to read from in one partition.
    type PartitionRequest =
        {
            Partition: int32
            /// The leader epoch that the client knows, so that an outdated client or leader is detected with FENCED_LEADER_EPOCH or
            /// UNKNOWN_LEADER_EPOCH; -1 to skip the check. Since version 9 (KIP-320).
            CurrentLeaderEpoch: int32
            /// The offset of the first record to read. The broker returns the whole batch that contains it, so earlier records can precede
            /// it.
            FetchOffset: int64
            /// The leader epoch of the last record that was read, to detect log truncation; -1 if there is none. Since version 12
            /// (KIP-595).
            LastFetchedEpoch: int32
            /// The log start offset of the follower; -1 for a consumer. Since version 5.
            LogStartOffset: int64
            /// The maximum number of bytes of this partition. The first batch is returned whole even if it is larger (KIP-74); up to version
            /// 2 it is cut off.
            PartitionMaxBytes: int32
            /// The directory in which the follower keeps the partition; zero for a consumer. Since version 17 (KIP-853).
            ReplicaDirectoryId: Guid
            /// The high watermark that the follower knows; the largest int64 for a consumer. Since version 18 (KIP-1166).
            HighWatermark: int64
        }

    let partitionRequest = message {
        let! partition = field "Partition" _.Partition int32
        and! leaderEpoch = field "CurrentLeaderEpoch" _.CurrentLeaderEpoch (int32 |> since 9s -1 |> ignorable)
        and! offset = field "FetchOffset" _.FetchOffset int64
        and! lastEpoch = field "LastFetchedEpoch" _.LastFetchedEpoch (int32 |> since lastFetchedEpochSince -1)
        and! start = field "LogStartOffset" _.LogStartOffset (int64 |> since 5s -1L |> ignorable)
        and! maxBytes = field "PartitionMaxBytes" _.PartitionMaxBytes int32
        and! directory = field "ReplicaDirectoryId" _.ReplicaDirectoryId (uuid |> since 17s Guid.Empty |> tagged 0 |> ignorable)
        and! watermark = field "HighWatermark" _.HighWatermark (int64 |> since 18s Int64.MaxValue |> tagged 1 |> ignorable)

        return
            { Partition = partition
              CurrentLeaderEpoch = leaderEpoch
              FetchOffset = offset
              LastFetchedEpoch = lastEpoch
              LogStartOffset = start
              PartitionMaxBytes = maxBytes
              ReplicaDirectoryId = directory
              HighWatermark = watermark }
    }

    /// The partitions of one topic to read.
    type TopicRequest =
        {
            /// The topic's name. Up to version 12.
            Topic: string
            /// The topic's id. Since version 13 (KIP-516).
            TopicId: Guid
            Partitions: PartitionRequest list
        }

    let topicRequest = message {
        let! topic = field "Topic" _.Topic (string |> until (topicIdsSince - 1s) "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since topicIdsSince Guid.Empty |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)

        return { Topic = topic; TopicId = id; Partitions = partitions }
    }

    /// Partitions of one topic to remove from the fetch session (KIP-227).
    type ForgottenTopic =
        {
            /// The topic's name. Versions 7 to 12.
            Topic: string
            /// The topic's id. Since version 13 (KIP-516).
            TopicId: Guid
            /// The partitions to remove. Since version 7.
            Partitions: int32 list
        }

    let forgottenTopic = message {
        let! topic = field "Topic" _.Topic (string |> between 7s (topicIdsSince - 1s) "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since topicIdsSince Guid.Empty |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array int32 |> since 7s [])

        return { ForgottenTopic.Topic = topic; TopicId = id; Partitions = partitions }
    }

    type Request =
        {
            /// The expected cluster id, checked by the metadata quorum; null to skip the check. Since version 12 (KIP-595).
            ClusterId: string option
            /// The broker id of the follower; -1 for a consumer. Up to version 14.
            ReplicaId: int32
            /// The follower that sends the request. Since version 15 (KIP-903).
            ReplicaState: ReplicaState
            /// How long the broker may wait for `MinBytes`, in milliseconds.
            MaxWaitMs: int32
            /// The minimum number of bytes to wait for; 0 to get a response at once.
            MinBytes: int32
            /// The maximum number of bytes in the response. The first batch is returned whole even if it is larger. Since version 3
            /// (KIP-74).
            MaxBytes: int32
            /// Whether records of open and aborted transactions are returned. Since version 4 (KIP-98).
            IsolationLevel: IsolationLevel
            /// The id of the fetch session; 0 for none. Since version 7 (KIP-227).
            SessionId: int32
            /// The sequence number of this request in its session: 0 to open a session, -1 for a request without one. Since version 7
            /// (KIP-227).
            SessionEpoch: int32
            /// The partitions to read. In an open session, only those that were added or changed since the last request.
            Topics: TopicRequest list
            /// The partitions to remove from the fetch session. Since version 7 (KIP-227).
            Forgotten: ForgottenTopic list
            /// The rack of the consumer, for which the leader can name a nearby replica; empty for none. Since version 11 (KIP-392).
            RackId: string
        }

    let request = message {
        let! replica = field "ReplicaId" _.ReplicaId (int32 |> until 14s -1)
        and! maxWait = field "MaxWaitMs" _.MaxWaitMs int32
        and! minBytes = field "MinBytes" _.MinBytes int32
        and! maxBytes = field "MaxBytes" _.MaxBytes (int32 |> since 3s Int32.MaxValue |> ignorable)
        and! isolation =
            field "IsolationLevel" _.IsolationLevel (isolationLevel |> since batchesSince IsolationLevel.ReadUncommitted |> ignorable)
        and! session = field "SessionId" _.SessionId (int32 |> since 7s 0 |> ignorable)
        and! sessionEpoch = field "SessionEpoch" _.SessionEpoch (int32 |> since 7s -1 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicRequest)
        and! forgotten = field "ForgottenTopicsData" _.Forgotten (array forgottenTopic |> since 7s [])
        and! rack = field "RackId" _.RackId (string |> since 11s "" |> ignorable)
        and! cluster = field "ClusterId" _.ClusterId (string |> nullable |> since 12s None |> tagged 0 |> ignorable)
        and! state =
            field "ReplicaState" _.ReplicaState (replicaState |> since 15s { ReplicaId = -1; ReplicaEpoch = -1L } |> tagged 1)

        return
            { ClusterId = cluster
              ReplicaId = replica
              ReplicaState = state
              MaxWaitMs = maxWait
              MinBytes = minBytes
              MaxBytes = maxBytes
              IsolationLevel = isolation
              SessionId = session
              SessionEpoch = sessionEpoch
              Topics = topics
              Forgotten = forgotten
              RackId = rack }
    }

    /// The offset at which the log of the leader diverges from that of the reader (KIP-595).
    type EpochEndOffset =
        {
            /// The largest epoch that both logs have; -1 if they do not diverge.
            Epoch: int32
            /// The end offset of that epoch in the leader's log; -1 if they do not diverge.
            EndOffset: int64
        }

    let epochEndOffset = message {
        let! epoch = field "Epoch" _.Epoch (int32 |> withDefault -1)
        and! offset = field "EndOffset" _.EndOffset (int64 |> withDefault -1L)
        return { Epoch = epoch; EndOffset = offset }
    }

    let abortedTransaction = message {
        let! producer = field "ProducerId" _.ProducerId int64
        and! first = field "FirstOffset" _.FirstOffset int64

        return { ProducerId = producer; FirstOffset = first }
    }

    /// The records of one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// 0 if there is no error. Otherwise:
            /// - OFFSET_OUT_OF_RANGE: the offset is before the log start or after the log end, and `LogStartOffset` and `HighWatermark`
            ///   are -1; find a valid offset with ListOffsets and choose where to continue.
            /// - NOT_LEADER_OR_FOLLOWER: the broker has no replica of the partition, or (up to version 10) is not its leader; refresh the
            ///   metadata, or use `CurrentLeader`, and retry there.
            /// - FENCED_LEADER_EPOCH (since version 9): the client's leader epoch is older than the broker's; refresh the metadata, check
            ///   for log truncation with OffsetForLeaderEpoch, and retry.
            /// - UNKNOWN_LEADER_EPOCH (since version 9): the client's leader epoch is newer than the broker's; retry after a backoff.
            /// - REPLICA_NOT_AVAILABLE: a broker before Kafka 2.6 has no replica of the partition; refresh the metadata and retry.
            /// - OFFSET_NOT_AVAILABLE (since version 11): the replica has not reached the offset yet; retry after a backoff, or read from
            ///   the leader.
            /// - UNKNOWN_TOPIC_OR_PARTITION: the topic does not exist, or the broker does not know it yet; refresh the metadata and retry
            ///   after a backoff.
            /// - UNKNOWN_TOPIC_ID (since version 13): the topic was deleted or created again, or the broker does not know it yet; refresh
            ///   the metadata and retry with the new id.
            /// - INCONSISTENT_TOPIC_ID (since version 13): the topic was created again, and the session has the old id; refresh the
            ///   metadata and open a new session.
            /// - TOPIC_AUTHORIZATION_FAILED: the principal lacks the Read permission on the topic; grant it, do not retry.
            /// - KAFKA_STORAGE_ERROR: the disk of the broker failed; refresh the metadata and retry, because another broker becomes the
            ///   leader.
            /// - CORRUPT_MESSAGE: the broker read a damaged batch in its log; read from another replica, or skip the batch and accept the
            ///   loss.
            /// - UNSUPPORTED_COMPRESSION_TYPE: brokers before Kafka 4.0 return zstd batches only since version 10; use a later version.
            /// - OFFSET_MOVED_TO_TIERED_STORAGE (since version 14): a follower asked for records that are only in tiered
            ///   storage; a consumer never gets it.
            /// - UNKNOWN_SERVER_ERROR: the broker failed unexpectedly; find the cause in its log.
            Error: ErrorCode
            /// The offset after the last record that all in-sync replicas have; -1 on error.
            HighWatermark: int64
            /// The offset after the last record whose transaction is complete, at most the high watermark; -1 if not given. Since version 4
            /// (KIP-98).
            LastStableOffset: int64
            /// The first offset that the partition still has; -1 if not given. Since version 5.
            LogStartOffset: int64
            /// The aborted transactions that overlap the returned records, so that a read_committed reader can drop their records
            /// (`TransactionFilter`). Null if the isolation level is read_uncommitted. Since version 4 (KIP-98).
            AbortedTransactions: AbortedTransaction list option
            /// The replica that the consumer should read from instead; -1 for none. Since version 11 (KIP-392).
            PreferredReadReplica: int32
            /// Consecutive record batches. The last one can be incomplete. Up to version 3, messages of the formats before (magic 0 and 1).
            Records: Bytes option
            /// Where the logs diverge, if the leader's log was truncated before `FetchOffset`; there are no records then. Since version 12
            /// (KIP-595).
            DivergingEpoch: EpochEndOffset
            /// The current leader, on NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH; filled for consumers since version 16 (KIP-951).
            /// Since version 12.
            CurrentLeader: CurrentLeader
            /// The snapshot that a follower of the metadata log must load instead. Since version 12 (KIP-630).
            SnapshotId: SnapshotId
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! watermark = field "HighWatermark" _.HighWatermark int64
        and! stable = field "LastStableOffset" _.LastStableOffset (int64 |> since batchesSince -1L |> ignorable)
        and! start = field "LogStartOffset" _.LogStartOffset (int64 |> since 5s -1L |> ignorable)
        and! aborted =
            field
                "AbortedTransactions"
                _.AbortedTransactions
                (array abortedTransaction |> nullable |> since batchesSince (Some []) |> ignorable)
        and! replica = field "PreferredReadReplica" _.PreferredReadReplica (int32 |> since 11s -1)
        and! records = field "Records" _.Records (records |> nullable)
        and! diverging =
            field
                "DivergingEpoch"
                _.DivergingEpoch
                (epochEndOffset |> since lastFetchedEpochSince { Epoch = -1; EndOffset = -1L } |> tagged 0)
        and! leader = field "CurrentLeader" _.CurrentLeader (CurrentLeader.schema |> since 12s CurrentLeader.unknown |> tagged 1)
        and! snapshot = field "SnapshotId" _.SnapshotId (SnapshotId.schema |> since 12s SnapshotId.none |> tagged 2)

        return
            { PartitionIndex = partition
              Error = error
              HighWatermark = watermark
              LastStableOffset = stable
              LogStartOffset = start
              AbortedTransactions = aborted
              PreferredReadReplica = replica
              Records = records
              DivergingEpoch = diverging
              CurrentLeader = leader
              SnapshotId = snapshot }
    }

    /// The records of the partitions of one topic.
    type TopicResponse =
        {
            /// The topic's name. Up to version 12.
            Topic: string
            /// The topic's id. Since version 13 (KIP-516).
            TopicId: Guid
            Partitions: PartitionResponse list
        }

    let topicResponse = message {
        let! topic = field "Topic" _.Topic (string |> until (topicIdsSince - 1s) "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since topicIdsSince Guid.Empty |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)

        return { Topic = topic; TopicId = id; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 1 (KIP-13).
            ThrottleTimeMs: int32
            /// The error of the whole request; 0 if there is none. Otherwise there are no topics:
            /// - FETCH_SESSION_ID_NOT_FOUND: the broker has evicted the fetch session or has restarted; open a new one with a full request
            ///   (session id 0, epoch 0).
            /// - INVALID_FETCH_SESSION_EPOCH: the session epoch is not the expected one, because a response was lost; open a new session
            ///   with a full request.
            /// - FETCH_SESSION_TOPIC_ID_ERROR (since version 13): the session was opened with topic names and continued with topic ids, or
            ///   the reverse; open a new session with a full request.
            /// - INCONSISTENT_CLUSTER_ID (since version 12): the request is meant for another cluster; correct the addresses or the
            ///   cluster id.
            /// - UNKNOWN_SERVER_ERROR: the broker failed unexpectedly; find the cause in its log.
            ///
            /// Since version 7.
            Error: ErrorCode
            /// The fetch session that the broker opened or continued; 0 for none. Since version 7 (KIP-227).
            SessionId: int32
            /// Empty if the client is throttled. In a session, partitions without news are omitted.
            Topics: TopicResponse list
            /// The endpoints of the leaders in the response. Since version 16 (KIP-951).
            NodeEndpoints: NodeEndpoint list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! error = field "ErrorCode" _.Error (errorCode |> since 7s ErrorCode.None |> ignorable)
        and! session = field "SessionId" _.SessionId (int32 |> since 7s 0)
        and! topics = field "Responses" _.Topics (array topicResponse)
        and! nodes = field "NodeEndpoints" _.NodeEndpoints (array NodeEndpoint.schema |> since 16s [] |> tagged 0)

        return { ThrottleTimeMs = throttle; Error = error; SessionId = session; Topics = topics; NodeEndpoints = nodes }
    }

    let api = Api.define ApiKey.Fetch (versions 0 18 |> flexibleFrom 12) request response |> Api.throttledBy _.ThrottleTimeMs

    type ReplicaState with
        override this.ToString() = Schema.show replicaState this
    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type ForgottenTopic with
        override this.ToString() = Schema.show forgottenTopic this
    type Request with
        override this.ToString() = Message.show api.Request this
    type EpochEndOffset with
        override this.ToString() = Schema.show epochEndOffset this
    type PartitionResponse with
        override this.ToString() = Schema.show partitionResponse this
    type TopicResponse with
        override this.ToString() = Schema.show topicResponse this
    type Response with
        override this.ToString() = Message.show api.Response this
