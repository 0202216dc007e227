namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// IncrementalAlterConfigs (API key 44): change single settings of topics, brokers, groups and client metrics, and leave the others as
/// they are (KIP-339). For a broker named by its id it goes to that broker, for the rest to any.
module IncrementalAlterConfigs =

    /// A setting to change.
    type Config =
        {
            Name: string
            ConfigOperation: AlterConfigOperation
            /// The new value, or the elements to add or take away, with commas between. Null only where the setting is deleted.
            Value: string option
        }

    let config = message {
        let! name = field "Name" _.Name string
        and! operation = field "ConfigOperation" _.ConfigOperation alterConfigOperation
        and! value = field "Value" _.Value (string |> nullable)

        return { Name = name; ConfigOperation = operation; Value = value }
    }

    /// What the settings belong to.
    type Resource =
        {
            ResourceType: ConfigResourceType
            /// The name of a topic, group or telemetry subscription, or the id of a broker; empty for the default of all brokers.
            ResourceName: string
            /// Each setting only once.
            Configs: Config list
        }

    let resource = message {
        let! kind = field "ResourceType" _.ResourceType configResourceType
        and! name = field "ResourceName" _.ResourceName string
        and! configs = field "Configs" _.Configs (array config)

        return { ResourceType = kind; ResourceName = name; Configs = configs }
    }

    type Request =
        {
            /// Each resource only once. The changes of one resource are made all together or not at all.
            Resources: Resource list
            /// Only check whether it would work.
            ValidateOnly: bool
        }

    let request = message {
        let! resources = field "Resources" _.Resources (array resource)
        and! validate = field "ValidateOnly" _.ValidateOnly bool
        return { Resources = resources; ValidateOnly = validate }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// For each resource INVALID_CONFIG for a setting or value that is not allowed, or to add to what is not a list;
            /// INVALID_REQUEST for a resource that cannot be changed here, or for one named twice; UNKNOWN_TOPIC_OR_PARTITION;
            /// POLICY_VIOLATION when the cluster's policy objects; TOPIC_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED and
            /// CLUSTER_AUTHORIZATION_FAILED.
            Results: AlterConfigsResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! results = field "Responses" _.Results (array AlterConfigsResult.schema)

        return { ThrottleTimeMs = throttle; Results = results }
    }

    let api = Api.define ApiKey.IncrementalAlterConfigs 0s 1s (Some 1s) request response
