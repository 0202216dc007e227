namespace LibKafka.Protocol

open System
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// CreateTopics (API key 19): creates topics. Send it to the controller; brokers of Kafka 4.x forward it.
module CreateTopics =

    /// The first version in which the broker has defaults for the numbers of partitions and replicas (KIP-464, Kafka 2.4). In earlier ones -1
    /// is for an explicit assignment of replicas only.
    let defaultsSince = 4s

    /// The replicas of one partition.
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

    /// A config of the topic that overrides the broker's default.
    type Config =
        {
            Name: string
            /// Null for the default.
            Value: string option
        }

    let config = message {
        let! name = field "Name" _.Name string
        and! value = field "Value" _.Value (string |> nullable) |> Fields.secretIf (fun config -> ConfigName.isSecret config.Name)
        return { Name = name; Value = value }
    }

    /// A topic to create.
    type Topic =
        {
            Name: string
            /// The number of partitions; -1 if `Assignments` is given, or (since version 4) for the broker's default.
            NumPartitions: int32
            /// The number of replicas of each partition; -1 if `Assignments` is given, or (since version 4) for the broker's default.
            ReplicationFactor: int16
            /// The replicas of each partition; empty to let the controller choose.
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
            /// How long the controller may wait until the topics exist, in milliseconds. After REQUEST_TIMED_OUT they are created
            /// nevertheless.
            TimeoutMs: int32
            /// Whether the request is only validated, and changes nothing. Since version 1.
            ValidateOnly: bool
        }

    let request = message {
        let! topics = field "Topics" _.Topics (array topic)
        and! timeout = field "timeoutMs" _.TimeoutMs (int32 |> withDefault 60000)
        and! validate = field "validateOnly" _.ValidateOnly (bool |> since 1s false)

        return { Topics = topics; TimeoutMs = timeout; ValidateOnly = validate }
    }

    /// A config of the new topic (KIP-525).
    type ConfigResult =
        {
            Name: string
            /// Null if the value is sensitive.
            Value: string option
            /// Whether the config cannot be changed.
            ReadOnly: bool
            /// The source of the value.
            ConfigSource: ConfigSource
            /// Whether the value is sensitive, and so is not returned.
            IsSensitive: bool
        }

    let private isSecret (config: ConfigResult) = config.IsSensitive || ConfigName.isSecret config.Name

    let configResult = message {
        let! name = field "Name" _.Name string
        and! value = field "Value" _.Value (string |> nullable) |> Fields.secretIf isSecret
        and! readOnly = field "ReadOnly" _.ReadOnly bool
        and! source =
            field "ConfigSource" _.ConfigSource (configSource |> withDefault (LanguagePrimitives.EnumOfValue -1y) |> ignorable)
        and! sensitive = field "IsSensitive" _.IsSensitive bool

        return { Name = name; Value = value; ReadOnly = readOnly; ConfigSource = source; IsSensitive = sensitive }
    }

    /// The result for one topic.
    type TopicResult =
        {
            Name: string
            /// The id of the new topic; zero on error. Since version 7 (KIP-516).
            TopicId: Guid
            /// TOPIC_ALREADY_EXISTS; INVALID_TOPIC_EXCEPTION; INVALID_PARTITIONS; INVALID_REPLICATION_FACTOR; INVALID_REPLICA_ASSIGNMENT;
            /// INVALID_CONFIG; POLICY_VIOLATION; TOPIC_AUTHORIZATION_FAILED; THROTTLING_QUOTA_EXCEEDED (since version 6, KIP-599): wait
            /// for the throttle time; NOT_CONTROLLER if another node is the active controller.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none. Since version 1.
            ErrorMessage: string option
            /// Why the configs are not included, such as TOPIC_AUTHORIZATION_FAILED. Since version 5 (KIP-525).
            TopicConfigError: ErrorCode
            /// The number of partitions; -1 if not given. Since version 5 (KIP-525).
            NumPartitions: int32
            /// The number of replicas of each partition; -1 if not given. Since version 5 (KIP-525).
            ReplicationFactor: int16
            /// The configs of the topic; null if not given. Since version 5 (KIP-525).
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 2.
            ThrottleTimeMs: int32
            Topics: TopicResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 2s 0 |> ignorable)
        and! topics = field "Topics" _.Topics (array topicResult)

        return { ThrottleTimeMs = throttle; Topics = topics }
    }

    let api =
        Api.define ApiKey.CreateTopics (versions 0 7 |> flexibleFrom 5) request response |> Api.throttledBy _.ThrottleTimeMs

    type ReplicaAssignment with
        override this.ToString() = Schema.show replicaAssignment this
    type Config with
        override this.ToString() = Schema.show config this
    type Topic with
        override this.ToString() = Schema.show topic this
    type Request with
        override this.ToString() = Message.show api.Request this
    type ConfigResult with
        override this.ToString() = Schema.show configResult this
    type TopicResult with
        override this.ToString() = Schema.show topicResult this
    type Response with
        override this.ToString() = Message.show api.Response this
