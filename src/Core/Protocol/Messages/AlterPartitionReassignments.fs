namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AlterPartitionReassignments (API key 45): moves partitions to other brokers, or cancels a move (KIP-455). Send it to the controller;
/// brokers of Kafka 4.x forward it. The response comes when the move begins, not when it ends.
module AlterPartitionReassignments =

    /// A partition to move.
    type PartitionRequest =
        {
            PartitionIndex: int32
            /// The brokers of the new replicas, the preferred leader first; null to cancel a move in progress.
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
            /// How long the controller may take, in milliseconds. REQUEST_TIMED_OUT if it takes longer.
            TimeoutMs: int32
            /// Whether the number of replicas may change. Version 0 always allows it. Since version 1 (KIP-860).
            AllowReplicationFactorChange: bool
            Topics: TopicRequest list
        }

    let request = message {
        let! timeout = field "TimeoutMs" _.TimeoutMs (int32 |> withDefault 60000)
        and! change = field "AllowReplicationFactorChange" _.AllowReplicationFactorChange (bool |> since 1s true)
        and! topics = field "Topics" _.Topics (array topicRequest)

        return { TimeoutMs = timeout; AllowReplicationFactorChange = change; Topics = topics }
    }

    /// The result for one partition.
    type PartitionResult =
        {
            PartitionIndex: int32
            /// INVALID_REPLICA_ASSIGNMENT for unknown or repeated brokers; INVALID_REPLICATION_FACTOR for another number of replicas if
            /// that is not allowed; NO_REASSIGNMENT_IN_PROGRESS if there is no move to cancel; UNKNOWN_TOPIC_OR_PARTITION.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
        }

    let partitionResult = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)

        return { PartitionIndex = partition; Error = error; ErrorMessage = text }
    }

    /// The results for the partitions of one topic.
    type TopicResult = { Name: string; Partitions: PartitionResult list }

    let topicResult = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partitionResult)
        return { Name = name; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// The value from the request. Since version 1 (KIP-860).
            AllowReplicationFactorChange: bool
            /// The error of the whole request: CLUSTER_AUTHORIZATION_FAILED; REQUEST_TIMED_OUT; NOT_CONTROLLER if another node is the
            /// active controller.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
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

    let api =
        Api.define ApiKey.AlterPartitionReassignments (versions 0 1 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type PartitionRequest with
        override this.ToString() = Schema.show partitionRequest this
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
