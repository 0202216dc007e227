namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// CreateTopics (API key 19): make topics. It goes to the controller; brokers of 4.x pass it on.
module CreateTopics =

    /// The brokers that are to keep one partition.
    type ReplicaAssignment =
        {
            PartitionIndex: int32
            /// The preferred leader first.
            BrokerIds: int32 list
        }

    let replicaAssignment = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! brokers = field "BrokerIds" _.BrokerIds (array int32)

        return { PartitionIndex = partition; BrokerIds = brokers }
    }

    /// A setting of the topic that differs from the broker's default.
    type Config =
        {
            Name: string
            /// Null takes the default.
            Value: string option
        }

    let config = message {
        let! name = field "Name" _.Name string
        and! value = field "Value" _.Value (string |> nullable)
        return { Name = name; Value = value }
    }

    /// A topic to make.
    type Topic =
        {
            Name: string
            /// -1 for the broker's default, from version 4 on, or where `Assignments` says it.
            NumPartitions: int32
            /// -1 for the broker's default, from version 4 on, or where `Assignments` says it.
            ReplicationFactor: int16
            /// Where each replica goes; empty to leave it to the controller.
            Assignments: ReplicaAssignment list
            Configs: Config list
        }

    let topic = message {
        let! name = field "Name" _.Name string
        and! partitions = field "NumPartitions" _.NumPartitions int32
        and! replication = field "ReplicationFactor" _.ReplicationFactor int16
        and! assignments = field "Assignments" _.Assignments (array replicaAssignment)
        and! configs = field "Configs" _.Configs (array config)

        return
            { Name = name
              NumPartitions = partitions
              ReplicationFactor = replication
              Assignments = assignments
              Configs = configs }
    }

    type Request =
        {
            Topics: Topic list
            /// How long the controller may wait until the topics are there, in milliseconds. REQUEST_TIMED_OUT when it was not enough;
            /// they come all the same.
            TimeoutMs: int32
            /// Only check whether it would work.
            ValidateOnly: bool
        }

    let request = message {
        let! topics = field "Topics" _.Topics (array topic)
        and! timeout = field "timeoutMs" _.TimeoutMs (int32 |> withDefault 60000)
        and! validate = field "validateOnly" _.ValidateOnly (bool |> since 1s false)

        return { Topics = topics; TimeoutMs = timeout; ValidateOnly = validate }
    }

    /// A setting that the new topic has (KIP-525).
    type ConfigResult =
        {
            Name: string
            /// Null for a secret.
            Value: string option
            ReadOnly: bool
            ConfigSource: ConfigSource
            IsSensitive: bool
        }

    let configResult = message {
        let! name = field "Name" _.Name string
        and! value = field "Value" _.Value (string |> nullable)
        and! readOnly = field "ReadOnly" _.ReadOnly bool
        and! source = field "ConfigSource" _.ConfigSource (configSource |> withDefault (ConfigSource -1y) |> ignorable)
        and! sensitive = field "IsSensitive" _.IsSensitive bool

        return { Name = name; Value = value; ReadOnly = readOnly; ConfigSource = source; IsSensitive = sensitive }
    }

    /// What became of one topic.
    type TopicResult =
        {
            Name: string
            /// Zero where it is not told.
            TopicId: Guid
            /// TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG,
            /// POLICY_VIOLATION; NOT_CONTROLLER when to ask elsewhere.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            /// Why the settings are not told, such as TOPIC_AUTHORIZATION_FAILED.
            TopicConfigError: ErrorCode
            /// -1 where it is not told.
            NumPartitions: int32
            /// -1 where it is not told.
            ReplicationFactor: int16
            /// Null where they are not told.
            Configs: ConfigResult list option
        }

    let topicResult = message {
        let! name = field "Name" _.Name string
        and! id = field "TopicId" _.TopicId (uuid |> since 7s Guid.Empty |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable |> since 1s (Some "") |> ignorable)
        and! partitions = field "NumPartitions" _.NumPartitions (int32 |> since 5s -1 |> ignorable)
        and! replication = field "ReplicationFactor" _.ReplicationFactor (int16 |> since 5s -1s |> ignorable)
        and! configs = field "Configs" _.Configs (array configResult |> nullable |> since 5s (Some []) |> ignorable)
        and! configError =
            field "TopicConfigErrorCode" _.TopicConfigError (errorCode |> since 5s ErrorCode.None |> tagged 0 |> ignorable)

        return
            { Name = name
              TopicId = id
              Error = error
              ErrorMessage = text
              TopicConfigError = configError
              NumPartitions = partitions
              ReplicationFactor = replication
              Configs = configs }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Topics: TopicResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 2s 0 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResult)

        return { ThrottleTimeMs = throttle; Topics = topics }
    }

    let api = Api.define ApiKey.CreateTopics 2s 7s (Some 5s) request response
