namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AlterReplicaLogDirs (API key 34): moves replicas to other log directories of the same broker (KIP-113). The broker answers at once and
/// moves in the background; DescribeLogDirs reports the progress. Send it to the broker that has the replicas.
module AlterReplicaLogDirs =

    /// Partitions of one topic.
    type Topic = { Name: string; Partitions: int32 list }

    let topic = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { Name = name; Partitions = partitions }
    }

    /// A log directory and the replicas to move to it.
    type LogDir =
        {
            /// The absolute path, as in the broker's config log.dirs.
            Path: string
            Topics: Topic list
        }

    let logDir = message {
        let! path = field "Path" _.Path string
        and! topics = field "Topics" _.Topics (array topic)
        return { Path = path; Topics = topics }
    }

    type Request = { Dirs: LogDir list }

    let request = message {
        let! dirs = field "Dirs" _.Dirs (array logDir)
        return { Dirs = dirs }
    }

    /// The result for one replica.
    type PartitionResult =
        {
            PartitionIndex: int32
            /// LOG_DIR_NOT_FOUND if the broker has no such directory; KAFKA_STORAGE_ERROR if the source or the target directory is
            /// offline; REPLICA_NOT_AVAILABLE if the broker has no such replica: the broker remembers the directory and uses it if it gets
            /// the replica later; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
        }

    let partitionResult = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        return { PartitionIndex = partition; Error = error }
    }

    /// The results for one topic.
    type TopicResult = { TopicName: string; Partitions: PartitionResult list }

    let topicResult = message {
        let! name = field "TopicName" _.TopicName string
        and! partitions = field "Partitions" _.Partitions (array partitionResult)
        return { TopicName = name; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            Results: TopicResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! results = field "Results" _.Results (array topicResult)

        return { ThrottleTimeMs = throttle; Results = results }
    }

    let api =
        Api.define ApiKey.AlterReplicaLogDirs (versions 0 2 |> flexibleFrom 2) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Topic with
        override this.ToString() = Schema.show topic this
    type LogDir with
        override this.ToString() = Schema.show logDir this
    type Request with
        override this.ToString() = Message.show api.Request this
    type PartitionResult with
        override this.ToString() = Schema.show partitionResult this
    type TopicResult with
        override this.ToString() = Schema.show topicResult this
    type Response with
        override this.ToString() = Message.show api.Response this
