namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Records
open LibKafka.Protocol.Types

/// Fetch (API key 1): read record batches from partitions. It goes to the leader of each partition, or to a replica that the leader
/// named (KIP-392).
module Fetch =

    /// Who asks, where it is a broker that follows (KIP-903).
    type ReplicaState =
        {
            /// The follower's broker id; -1 for a consumer.
            ReplicaId: int32
            /// The follower's epoch; -1 where it is not known.
            ReplicaEpoch: int64
        }

    let replicaState = message {
        let! id = field "ReplicaId" _.ReplicaId (int32 |> withDefault -1)
        and! epoch = field "ReplicaEpoch" _.ReplicaEpoch (int64 |> withDefault -1L)
        return { ReplicaId = id; ReplicaEpoch = epoch }
    }

    /// What to read of one partition.
    type PartitionRequest =
        {
            Partition: int32
            /// The leader epoch that the client knows, so that a stale client or leader is found out (KIP-320): FENCED_LEADER_EPOCH or
            /// UNKNOWN_LEADER_EPOCH. -1 to leave it unchecked.
            CurrentLeaderEpoch: int32
            /// The offset of the first record wanted. The batch that holds it comes whole, so earlier records may stand before it.
            FetchOffset: int64
            /// The leader epoch of the last record read, for finding truncation (KIP-595); -1 where there is none.
            LastFetchedEpoch: int32
            /// The follower's first offset; -1 for a consumer.
            LogStartOffset: int64
            /// Most bytes to answer for this partition. The first batch comes whole even where it is larger (KIP-74).
            PartitionMaxBytes: int32
            /// The directory that the follower keeps the partition in (KIP-853); zero for a consumer.
            ReplicaDirectoryId: Guid
            /// The high watermark that the follower knows (KIP-1166); the largest int64 for a consumer.
            HighWatermark: int64
        }

    let partitionRequest = message {
        let! partition = field "Partition" _.Partition int32
        and! leaderEpoch = field "CurrentLeaderEpoch" _.CurrentLeaderEpoch (int32 |> since 9s -1 |> ignorable)
        and! offset = field "FetchOffset" _.FetchOffset int64
        and! lastEpoch = field "LastFetchedEpoch" _.LastFetchedEpoch (int32 |> since 12s -1)
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

    /// What to read of one topic.
    type TopicRequest =
        {
            /// Names the topic up to version 12.
            Topic: string
            /// Names the topic from version 13 on (KIP-516).
            TopicId: Guid
            Partitions: PartitionRequest list
        }

    let topicRequest = message {
        let! topic = field "Topic" _.Topic (string |> until 12s "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since 13s Guid.Empty |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)

        return { Topic = topic; TopicId = id; Partitions = partitions }
    }

    /// Partitions to take out of the fetch session (KIP-227).
    type ForgottenTopic =
        {
            /// Names the topic up to version 12.
            Topic: string
            /// Names the topic from version 13 on.
            TopicId: Guid
            Partitions: int32 list
        }

    let forgottenTopic = message {
        let! topic = field "Topic" _.Topic (string |> between 7s 12s "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since 13s Guid.Empty |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array int32 |> since 7s [])

        return { ForgottenTopic.Topic = topic; TopicId = id; Partitions = partitions }
    }

    type Request =
        {
            /// The cluster that the client means, so that a controller quorum refuses a stranger; null where it is not checked.
            ClusterId: string option
            /// The follower that asks, up to version 14; -1 for a consumer.
            ReplicaId: int32
            /// The follower that asks, from version 15 on.
            ReplicaState: ReplicaState
            /// How long the broker may wait for `MinBytes` to come together, in milliseconds.
            MaxWaitMs: int32
            /// The broker answers as soon as it has this many bytes; 0 to be answered at once.
            MinBytes: int32
            /// Most bytes to answer for all partitions together; the first batch comes whole all the same.
            MaxBytes: int32
            IsolationLevel: IsolationLevel
            /// The fetch session (KIP-227); 0 for none.
            SessionId: int32
            /// The place of this request in its session: 0 opens one, -1 does without.
            SessionEpoch: int32
            Topics: TopicRequest list
            Forgotten: ForgottenTopic list
            /// The rack of the consumer, by which the leader names a replica near it (KIP-392); empty for none.
            RackId: string
        }

    let request = message {
        let! replica = field "ReplicaId" _.ReplicaId (int32 |> until 14s -1)
        and! maxWait = field "MaxWaitMs" _.MaxWaitMs int32
        and! minBytes = field "MinBytes" _.MinBytes int32
        and! maxBytes = field "MaxBytes" _.MaxBytes (int32 |> since 3s Int32.MaxValue |> ignorable)
        and! isolation =
            field "IsolationLevel" _.IsolationLevel (isolationLevel |> since 4s IsolationLevel.ReadUncommitted |> ignorable)
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

    /// Where the log of the leader and of the reader part (KIP-595).
    type EpochEndOffset =
        {
            /// The largest epoch that both have; -1 where they do not part.
            Epoch: int32
            /// The offset at which that epoch ends; -1 where they do not part.
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

    /// What was read of one partition.
    type PartitionResponse =
        {
            PartitionIndex: int32
            /// OFFSET_OUT_OF_RANGE when the offset is not in the log (the bounds beside it are -1 then); NOT_LEADER_OR_FOLLOWER,
            /// FENCED_LEADER_EPOCH and UNKNOWN_LEADER_EPOCH when client and broker disagree on the leader.
            Error: ErrorCode
            /// The offset behind the last record that all in-sync replicas have.
            HighWatermark: int64
            /// The offset behind the last record whose transaction has ended; -1 where it is not told.
            LastStableOffset: int64
            /// The first offset that the partition still has; -1 where it is not told.
            LogStartOffset: int64
            /// The transactions that were aborted and reach into what was read (KIP-98), for a reader of committed data, who leaves their
            /// records out (`TransactionFilter`). Null where nothing was asked about transactions.
            AbortedTransactions: AbortedTransaction list option
            /// The replica that the consumer should read from instead (KIP-392); -1 for none.
            PreferredReadReplica: int32
            /// Record batches one behind the other; the last one may be cut off.
            Records: Bytes option
            DivergingEpoch: EpochEndOffset
            /// The new leader, on NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH (KIP-951).
            CurrentLeader: CurrentLeader
            /// The snapshot that a follower of the metadata log is to read instead (KIP-630).
            SnapshotId: SnapshotId
        }

    let partitionResponse = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! watermark = field "HighWatermark" _.HighWatermark int64
        and! stable = field "LastStableOffset" _.LastStableOffset (int64 |> since 4s -1L |> ignorable)
        and! start = field "LogStartOffset" _.LogStartOffset (int64 |> since 5s -1L |> ignorable)
        and! aborted = field "AbortedTransactions" _.AbortedTransactions (array abortedTransaction |> nullable |> ignorable)
        and! replica = field "PreferredReadReplica" _.PreferredReadReplica (int32 |> since 11s -1)
        and! records = field "Records" _.Records (records |> nullable)
        and! diverging =
            field "DivergingEpoch" _.DivergingEpoch (epochEndOffset |> since 12s { Epoch = -1; EndOffset = -1L } |> tagged 0)
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

    /// What was read of one topic.
    type TopicResponse =
        {
            /// Names the topic up to version 12.
            Topic: string
            /// Names the topic from version 13 on.
            TopicId: Guid
            Partitions: PartitionResponse list
        }

    let topicResponse = message {
        let! topic = field "Topic" _.Topic (string |> until 12s "" |> ignorable)
        and! id = field "TopicId" _.TopicId (uuid |> since 13s Guid.Empty |> ignorable)
        and! partitions = field "Partitions" _.Partitions (array partitionResponse)

        return { Topic = topic; TopicId = id; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// What concerns the request as a whole, such as FETCH_SESSION_ID_NOT_FOUND and INVALID_FETCH_SESSION_EPOCH.
            Error: ErrorCode
            /// The fetch session that the broker opened or went on with; 0 for none.
            SessionId: int32
            Topics: TopicResponse list
            /// Where the leaders named in the answers are to be reached (KIP-951).
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

    let api = Api.define ApiKey.Fetch 4s 18s (Some 12s) request response
