namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ElectLeaders (API key 43): elects new leaders of partitions (KIP-183). Send it to the controller; brokers of Kafka 4.x forward it.
module ElectLeaders =

    /// Partitions of one topic.
    type TopicRequest = { Topic: string; Partitions: int32 list }

    let topicRequest = message {
        let! topic = field "Topic" _.Topic string
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { Topic = topic; Partitions = partitions }
    }

    type Request =
        {
            /// Which replica to elect. Version 0 always elects the preferred one. Since version 1 (KIP-460).
            ElectionType: ElectionType
            /// Null for all partitions of the cluster.
            Topics: TopicRequest list option
            /// How long to wait for the elections, in milliseconds. REQUEST_TIMED_OUT if they take longer.
            TimeoutMs: int32
        }

    let request = message {
        let! election = field "ElectionType" _.ElectionType (electionType |> since 1s ElectionType.Preferred)
        and! topics = field "TopicPartitions" _.Topics (array topicRequest |> nullable)
        and! timeout = field "TimeoutMs" _.TimeoutMs (int32 |> withDefault 60000)

        return { ElectionType = election; Topics = topics; TimeoutMs = timeout }
    }

    /// The result for one partition. If all partitions were requested, those that needed no election are omitted.
    type PartitionResult =
        {
            PartitionId: int32
            /// ELECTION_NOT_NEEDED if the partition already has that leader; PREFERRED_LEADER_NOT_AVAILABLE if the preferred replica is
            /// offline or not in sync; ELIGIBLE_LEADERS_NOT_AVAILABLE if no replica can lead; UNKNOWN_TOPIC_OR_PARTITION.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
        }

    let partitionResult = message {
        let! partition = field "PartitionId" _.PartitionId int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)

        return { PartitionId = partition; Error = error; ErrorMessage = text }
    }

    /// The results for the partitions of one topic.
    type TopicResult = { Topic: string; Partitions: PartitionResult list }

    let topicResult = message {
        let! topic = field "Topic" _.Topic string
        and! partitions = field "PartitionResult" _.Partitions (array partitionResult)
        return { Topic = topic; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// The error of the whole request: CLUSTER_AUTHORIZATION_FAILED; NOT_CONTROLLER if another node is the active controller.
            /// Version 0 has it in each partition. Since version 1 (KIP-460).
            Error: ErrorCode
            Topics: TopicResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error (errorCode |> since 1s ErrorCode.None)
        and! topics = field "ReplicaElectionResults" _.Topics (array topicResult)

        return { ThrottleTimeMs = throttle; Error = error; Topics = topics }
    }

    let api =
        Api.define ApiKey.ElectLeaders (versions 0 2 |> flexibleFrom 2) request response |> Api.throttledBy _.ThrottleTimeMs

    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type PartitionResult with
        override this.ToString() = Schema.show partitionResult this
    type TopicResult with
        override this.ToString() = Schema.show topicResult this
    type Response with
        override this.ToString() = Message.show api.Response this
