namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AlterPartitionReassignments (API key 45): move partitions to other brokers, or call a move off (KIP-455). It goes to the controller;
/// brokers of 4.x pass it on. The answer comes when the move begins, not when it ends.
module AlterPartitionReassignments =

    /// A partition to move.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The brokers that are to keep the partition, the preferred leader first; null to call off a move under way.
            Replicas: int32 list option
        }

    let partitionRequest = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! replicas = field "Replicas" _.Replicas (array int32 |> nullable |> withDefault None)
        return { PartitionIndex = partition; Replicas = replicas }
    }

    /// Partitions of one topic to move.
    type TopicRequest = { Name: string; Partitions: PartitionRequest list }

    let topicRequest = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionRequest)
        return { Name = name; Partitions = partitions }
    }

    type Request =
        {
            /// How long the controller may take, in milliseconds. REQUEST_TIMED_OUT when it was not enough.
            TimeoutMs: int32
            /// Whether a partition may get more or fewer replicas than it has (KIP-860). Version 0 always allows it.
            AllowReplicationFactorChange: bool
            Topics: TopicRequest list
        }

    let request = message {
        let! timeout = field "TimeoutMs" _.TimeoutMs (int32 |> withDefault 60000)
        and! change = field "AllowReplicationFactorChange" _.AllowReplicationFactorChange (bool |> since 1s true)
        and! topics = field "Topics" _.Topics (array topicRequest)

        return { TimeoutMs = timeout; AllowReplicationFactorChange = change; Topics = topics }
    }

    /// What became of one partition.
    type PartitionResult =
        {
            PartitionIndex: int32
            /// INVALID_REPLICA_ASSIGNMENT for brokers that are not there or are named twice; INVALID_REPLICATION_FACTOR for another
            /// number of replicas where that is not allowed; NO_REASSIGNMENT_IN_PROGRESS when there is no move to call off;
            /// UNKNOWN_TOPIC_OR_PARTITION.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
        }

    let partitionResult = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)

        return { PartitionIndex = partition; Error = error; ErrorMessage = text }
    }

    /// What became of the partitions of one topic.
    type TopicResult = { Name: string; Partitions: PartitionResult list }

    let topicResult = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionResult)
        return { Name = name; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// What the request said.
            AllowReplicationFactorChange: bool
            /// What concerns the request as a whole: CLUSTER_AUTHORIZATION_FAILED; REQUEST_TIMED_OUT; NOT_CONTROLLER when to ask
            /// elsewhere.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            Topics: TopicResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! change = field "AllowReplicationFactorChange" _.AllowReplicationFactorChange (bool |> since 1s true |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! topics = field "Responses" _.Topics (array topicResult)

        return
            { ThrottleTimeMs = throttle
              AllowReplicationFactorChange = change
              Error = error
              ErrorMessage = text
              Topics = topics }
    }

    let api = Api.define ApiKey.AlterPartitionReassignments 0s 1s (Some 0s) request response
