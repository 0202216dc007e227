namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ElectLeaders (API key 43): have partitions choose their leaders anew (KIP-183). It goes to the controller; brokers of 4.x pass it on.
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
            /// Which replica is to lead (KIP-460). Version 0 always means the preferred one.
            ElectionType: ElectionType
            /// Null for every partition of the cluster.
            Topics: TopicRequest list option
            /// How long to wait for the elections, in milliseconds. REQUEST_TIMED_OUT when it was not enough.
            TimeoutMs: int32
        }

    let request = message {
        let! election = field "ElectionType" _.ElectionType (electionType |> since 1s ElectionType.Preferred)
        and! topics = field "TopicPartitions" _.Topics (array topicRequest |> nullable)
        and! timeout = field "TimeoutMs" _.TimeoutMs (int32 |> withDefault 60000)

        return { ElectionType = election; Topics = topics; TimeoutMs = timeout }
    }

    /// What became of one partition. Where every partition was asked for, those that needed no election are left out.
    type PartitionResult =
        {
            PartitionId: int32
            /// ELECTION_NOT_NEEDED when the partition has the leader already; PREFERRED_LEADER_NOT_AVAILABLE when the preferred replica
            /// is offline or out of sync; ELIGIBLE_LEADERS_NOT_AVAILABLE when no replica at all can lead; UNKNOWN_TOPIC_OR_PARTITION.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
        }

    let partitionResult = message {
        let! partition = field "PartitionId" _.PartitionId int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)

        return { PartitionId = partition; Error = error; ErrorMessage = text }
    }

    /// What became of the partitions of one topic.
    type TopicResult = { Topic: string; Partitions: PartitionResult list }

    let topicResult = message {
        let! topic = field "Topic" _.Topic string
        and! partitions = field "PartitionResult" _.Partitions (array partitionResult)
        return { Topic = topic; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// What concerns the request as a whole: CLUSTER_AUTHORIZATION_FAILED; NOT_CONTROLLER when to ask elsewhere. Version 0 tells
            /// it with each partition.
            Error: ErrorCode
            Topics: TopicResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error (errorCode |> since 1s ErrorCode.None)
        and! topics = field "ReplicaElectionResults" _.Topics (array topicResult)

        return { ThrottleTimeMs = throttle; Error = error; Topics = topics }
    }

    let api = Api.define ApiKey.ElectLeaders 0s 2s (Some 2s) request response
