namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ListOffsets (API key 2): finds an offset of a partition by position or by timestamp. Send it to the leader of each partition.
///
/// Version 0 is that of Kafka before 0.10.1: it finds the start of a segment. Brokers of Kafka 4.0 and later do not support it.
module ListOffsets =

    /// The first version that finds one offset, by the timestamps of records (KIP-79). Version 0 lists the first offsets of segments, by the
    /// times at which the segments were last modified.
    let oneOffsetSince = 1s

    /// The first version in which brokers know a spec. A broker takes a negative number that it does not know for a timestamp, and returns the
    /// wrong offset.
    let supportedSince (spec: OffsetSpec) : int16 =
        if spec = OffsetSpec.MaxTimestamp then 7s
        elif spec = OffsetSpec.EarliestLocal then 8s
        elif spec = OffsetSpec.LatestTiered then 9s
        elif spec = OffsetSpec.EarliestPendingUpload then 11s
        else 0s

    /// The offset to find in one partition.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The leader epoch that the client knows; -1 to skip the check. Since version 4 (KIP-320).
            CurrentLeaderEpoch: int32
            /// The offset to find. The largest timestamp is supported since version 7 (KIP-734), the earliest local offset since version 8
            /// (KIP-405), the latest tiered offset since version 9 (KIP-1005), the earliest pending upload since version 11.
            Spec: OffsetSpec
            /// The maximum number of offsets to list. Version 0 only.
            MaxNumOffsets: int32
        }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! epoch = field "CurrentLeaderEpoch" _.CurrentLeaderEpoch (int32 |> since 4s -1 |> ignorable)
        and! spec = field "Timestamp" _.Spec offsetSpec
        and! most = field "MaxNumOffsets" _.MaxNumOffsets (int32 |> until (oneOffsetSince - 1s) 1)

        return { PartitionIndex = partition; CurrentLeaderEpoch = epoch; Spec = spec; MaxNumOffsets = most }
    }

    /// The offsets to find in the partitions of one topic.
    type TopicRequest = { Name: string; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { Name = name; Partitions = partitions }
    }

    type Request =
        {
            /// The broker id of a follower; -1 for a client.
            ReplicaId: int32
            /// With `ReadCommitted` the latest offset is the last stable offset, otherwise the high watermark. Since version 2 (KIP-98).
            IsolationLevel: IsolationLevel
            Topics: TopicRequest list
            /// How long the broker may take to read offsets from tiered storage, in milliseconds. Since version 10 (KIP-1075).
            TimeoutMs: int32
        }

    let request = message {
        let! replica = field "ReplicaId" _.ReplicaId int32
        and! isolation = field "IsolationLevel" _.IsolationLevel (isolationLevel |> since 2s IsolationLevel.ReadUncommitted)
        and! topics = field "Topics" _.Topics (array topicRequest)
        and! timeout = field "TimeoutMs" _.TimeoutMs (int32 |> since 10s 0 |> ignorable)

        return { ReplicaId = replica; IsolationLevel = isolation; Topics = topics; TimeoutMs = timeout }
    }

    /// The offset of one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// 0 if there is no error. Otherwise:
            /// - NOT_LEADER_OR_FOLLOWER: the leader has moved; refresh the metadata and retry.
            /// - FENCED_LEADER_EPOCH (since version 4): the client's leader epoch is older than the broker's; refresh the metadata and
            ///   retry.
            /// - UNKNOWN_LEADER_EPOCH (since version 4): the client's leader epoch is newer than the broker's; retry after a backoff.
            /// - LEADER_NOT_AVAILABLE (up to version 4): the new leader does not know its high watermark yet; retry after a backoff.
            /// - OFFSET_NOT_AVAILABLE (since version 5): the new leader does not know its high watermark yet; retry after a backoff.
            /// - REPLICA_NOT_AVAILABLE: a broker before Kafka 2.6 has no replica of the partition; refresh the metadata and retry.
            /// - UNKNOWN_TOPIC_OR_PARTITION: the topic does not exist, or the broker does not know it yet; refresh the metadata and retry
            ///   after a backoff.
            /// - KAFKA_STORAGE_ERROR: the disk of the leader failed; refresh the metadata and retry, because another broker becomes the
            ///   leader.
            /// - REQUEST_TIMED_OUT (since version 10): tiered storage did not answer within `TimeoutMs`; retry with more time.
            /// - UNSUPPORTED_FOR_MESSAGE_FORMAT: the log's message format (before 0.10) has no timestamps; ask for the earliest or latest
            ///   offset instead.
            /// - UNSUPPORTED_VERSION: the version of the request does not support `Spec`; use a later version.
            /// - INVALID_REQUEST: the partition is twice in the request; send it once.
            /// - TOPIC_AUTHORIZATION_FAILED: the principal lacks the Describe permission on the topic; grant it, do not retry.
            /// - UNKNOWN_SERVER_ERROR: the broker failed unexpectedly; find the cause in its log.
            Error: ErrorCode
            /// The offsets, the latest first: the first offset of each segment that is old enough, and the end of the log. Version 0 only.
            OldStyleOffsets: int64 list
            /// The timestamp of the record at the offset, in milliseconds since the epoch; -1 if the request was not by timestamp or no
            /// record was found. Since version 1 (KIP-79).
            Timestamp: int64
            /// The offset; -1 if no record has that timestamp or a later one. Since version 1 (KIP-79).
            Offset: int64
            /// The leader epoch for the offset: of the record found, or for the latest offset of the leader; -1 if unknown. Since version
            /// 4 (KIP-320).
            LeaderEpoch: int32
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! offsets = field "OldStyleOffsets" _.OldStyleOffsets (array int64 |> until (oneOffsetSince - 1s) [])
        and! timestamp = field "Timestamp" _.Timestamp (int64 |> since oneOffsetSince -1L)
        and! offset = field "Offset" _.Offset (int64 |> since oneOffsetSince -1L)
        and! epoch = field "LeaderEpoch" _.LeaderEpoch (int32 |> since 4s -1)

        return
            { PartitionIndex = partition
              Error = error
              OldStyleOffsets = offsets
              Timestamp = timestamp
              Offset = offset
              LeaderEpoch = epoch }
    }

    /// The offsets of the partitions of one topic.
    type TopicResponse = { Name: string; Partitions: PartitionResponse list }

    let topicResponse = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)
        return { Name = name; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 2.
            ThrottleTimeMs: int32
            Topics: TopicResponse list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 2s 0 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResponse)

        return { ThrottleTimeMs = throttle; Topics = topics }
    }

    let api =
        Api.define ApiKey.ListOffsets (versions 0 11 |> flexibleFrom 6) request response |> Api.throttledBy _.ThrottleTimeMs

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
