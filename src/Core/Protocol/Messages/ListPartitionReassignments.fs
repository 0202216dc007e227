namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ListPartitionReassignments (API key 46): lists the partitions that are being reassigned (KIP-455). Send it to the controller; brokers
/// of Kafka 4.x forward it.
module ListPartitionReassignments =

    /// Partitions of one topic to check.
    type TopicRequest = { Name: string; PartitionIndexes: int32 list }

    let topicRequest = message {
        let! name = field "Name" _.Name string
        and! partitions = field "PartitionIndexes" _.PartitionIndexes (array int32)
        return { Name = name; PartitionIndexes = partitions }
    }

    type Request =
        {
            /// How long the controller may take, in milliseconds. REQUEST_TIMED_OUT if it takes longer.
            TimeoutMs: int32
            /// Null for all partitions of the cluster.
            Topics: TopicRequest list option
        }

    let request = message {
        let! timeout = field "TimeoutMs" _.TimeoutMs (int32 |> withDefault 60000)
        and! topics = field "Topics" _.Topics (array topicRequest |> nullable |> withDefault None)
        return { TimeoutMs = timeout; Topics = topics }
    }

    /// A partition that is being reassigned. Other partitions, and those that do not exist, are omitted.
    type Partition =
        {
            PartitionIndex: int32
            /// The brokers of all replicas during the reassignment, old and new.
            Replicas: int32 list
            /// The brokers of the new replicas.
            AddingReplicas: int32 list
            /// The brokers whose replicas are removed when the new ones are in sync.
            RemovingReplicas: int32 list
        }

    let partition = message {
        let! index = field "PartitionIndex" _.PartitionIndex int32
        and! replicas = field "Replicas" _.Replicas (array int32)
        and! adding = field "AddingReplicas" _.AddingReplicas (array int32)
        and! removing = field "RemovingReplicas" _.RemovingReplicas (array int32)

        return { PartitionIndex = index; Replicas = replicas; AddingReplicas = adding; RemovingReplicas = removing }
    }

    /// The partitions of one topic that are being reassigned.
    type Topic = { Name: string; Partitions: Partition list }

    let topic = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partition)
        return { Name = name; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// CLUSTER_AUTHORIZATION_FAILED; REQUEST_TIMED_OUT; NOT_CONTROLLER if another node is the active controller.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            Topics: Topic list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! topics = field "Topics" _.Topics (array topic)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text; Topics = topics }
    }

    let api =
        Api.define ApiKey.ListPartitionReassignments (versions 0 0 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type TopicRequest with
        override this.ToString() = Schema.show topicRequest this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Partition with
        override this.ToString() = Schema.show partition this
    type Topic with
        override this.ToString() = Schema.show topic this
    type Response with
        override this.ToString() = Message.show api.Response this
