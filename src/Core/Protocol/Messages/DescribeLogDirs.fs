namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeLogDirs (API key 35): lists the log directories of a broker and the replicas in them (KIP-113). Send it to the broker to
/// describe.
module DescribeLogDirs =

    /// Partitions of one topic.
    type TopicRequest = { Topic: string; Partitions: int32 list }

    let topicRequest = message {
        let! topic = field "Topic" _.Topic string
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { Topic = topic; Partitions = partitions }
    }

    type Request =
        {
            /// Null for all replicas of the broker.
            Topics: TopicRequest list option
        }

    let request = message {
        let! topics = field "Topics" _.Topics (array topicRequest |> nullable)
        return { Topics = topics }
    }

    /// A replica in a log directory.
    type Partition =
        {
            PartitionIndex: int32
            /// The size of its segments on this disk, in bytes.
            PartitionSize: int64
            /// The lag in offsets: of the replica to the high watermark of the partition, or of a future copy to the replica.
            OffsetLag: int64
            /// Whether it is a future copy, made by AlterReplicaLogDirs, that will replace the replica.
            IsFutureKey: bool
        }

    let partition = message {
        let! index = field "PartitionIndex" _.PartitionIndex int32
        and! size = field "PartitionSize" _.PartitionSize int64
        and! lag = field "OffsetLag" _.OffsetLag int64
        and! future = field "IsFutureKey" _.IsFutureKey bool

        return { PartitionIndex = index; PartitionSize = size; OffsetLag = lag; IsFutureKey = future }
    }

    /// The replicas of one topic in a log directory.
    type Topic = { Name: string; Partitions: Partition list }

    let topic = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partition)
        return { Name = name; Partitions = partitions }
    }

    /// A log directory.
    type LogDir =
        {
            /// KAFKA_STORAGE_ERROR if the directory is offline: its contents are then not listed.
            Error: ErrorCode
            /// The absolute path.
            Path: string
            Topics: Topic list
            /// The size of the volume with the directory, in bytes; -1 if unknown. Since version 4 (KIP-827).
            TotalBytes: int64
            /// The free space on the volume with the directory, in bytes; -1 if unknown. Since version 4 (KIP-827).
            UsableBytes: int64
            /// Whether the directory gets no new replicas, because it is in the broker's cordoned.log.dirs. Since version 5 (KIP-1066).
            IsCordoned: bool
        }

    let logDir = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! path = field "LogDir" _.Path string
        and! topics = field "Topics" _.Topics (array topic)
        and! total = field "TotalBytes" _.TotalBytes (int64 |> since 4s -1L |> ignorable)
        and! usable = field "UsableBytes" _.UsableBytes (int64 |> since 4s -1L |> ignorable)
        and! cordoned = field "IsCordoned" _.IsCordoned (bool |> since 5s false |> ignorable)

        return { Error = error; Path = path; Topics = topics; TotalBytes = total; UsableBytes = usable; IsCordoned = cordoned }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// The error of the whole request: CLUSTER_AUTHORIZATION_FAILED. Up to version 2 the results are empty instead. Since version
            /// 3.
            Error: ErrorCode
            Results: LogDir list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error (errorCode |> since 3s ErrorCode.None |> ignorable)
        and! results = field "Results" _.Results (array logDir)

        return { ThrottleTimeMs = throttle; Error = error; Results = results }
    }

    let api =
        Api.define ApiKey.DescribeLogDirs (versions 0 5 |> flexibleFrom 2) request response |> Api.throttledBy _.ThrottleTimeMs

    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Partition with
        override this.ToString() = Schema.show partition this
    type Topic with
        override this.ToString() = Schema.show topic this
    type LogDir with
        override this.ToString() = Schema.show logDir this
    type Response with
        override this.ToString() = Message.show api.Response this
