namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ListPartitionReassignments (API key 46): which partitions are on their way to other brokers (KIP-455). It goes to the controller;
/// brokers of 4.x pass it on.
module ListPartitionReassignments =

    /// Partitions of one topic that are asked about.
    type TopicRequest = { Name: string; PartitionIndexes: int32 list }

    let topicRequest = message {
        let! name = field "Name" _.Name string
        and! partitions = field "PartitionIndexes" _.PartitionIndexes (array int32)
        return { Name = name; PartitionIndexes = partitions }
    }

    type Request =
        {
            /// How long the controller may take, in milliseconds. REQUEST_TIMED_OUT when it was not enough.
            TimeoutMs: int32
            /// Null for every partition of the cluster.
            Topics: TopicRequest list option
        }

    let request = message {
        let! timeout = field "TimeoutMs" _.TimeoutMs (int32 |> withDefault 60000)
        and! topics = field "Topics" _.Topics (array topicRequest |> nullable |> withDefault None)
        return { TimeoutMs = timeout; Topics = topics }
    }

    /// A partition on its way. Partitions that stay where they are do not appear, nor do those that do not exist.
    type Partition =
        {
            PartitionIndex: int32
            /// The brokers that keep the partition during the move, old and new together.
            Replicas: int32 list
            /// Those of them that are new.
            AddingReplicas: int32 list
            /// Those of them that will drop the partition when the new ones are in sync.
            RemovingReplicas: int32 list
        }

    let partition = message {
        let! index = field "PartitionIndex" _.PartitionIndex int32
        and! replicas = field "Replicas" _.Replicas (array int32)
        and! adding = field "AddingReplicas" _.AddingReplicas (array int32)
        and! removing = field "RemovingReplicas" _.RemovingReplicas (array int32)

        return { PartitionIndex = index; Replicas = replicas; AddingReplicas = adding; RemovingReplicas = removing }
    }

    /// The partitions of one topic that are on their way.
    type Topic = { Name: string; Partitions: Partition list }

    let topic = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array partition)
        return { Name = name; Partitions = partitions }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// CLUSTER_AUTHORIZATION_FAILED; REQUEST_TIMED_OUT; NOT_CONTROLLER when to ask elsewhere.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
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

    let api = Api.define ApiKey.ListPartitionReassignments 0s 0s (Some 0s) request response
