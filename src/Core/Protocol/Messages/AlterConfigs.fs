namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AlterConfigs (API key 33): replace all settings of a topic or broker. What the request leaves out goes back to its default, so
/// IncrementalAlterConfigs is the better choice since Kafka 2.3 (KIP-339). For one broker it goes to that broker, for the rest to any.
module AlterConfigs =

    /// A setting to have from now on.
    type Config =
        {
            Name: string
            /// Null is an INVALID_REQUEST: what is to have its default is left out of the request.
            Value: string option
        }

    let config = message {
        let! name = field "Name" _.Name string
        and! value = field "Value" _.Value (string |> nullable)
        return { Name = name; Value = value }
    }

    /// A topic or broker and all its settings.
    type Resource =
        {
            ResourceType: ConfigResourceType
            /// The name of a topic, or the id of a broker; empty for all brokers.
            ResourceName: string
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
            /// For each resource INVALID_CONFIG, or INVALID_REQUEST, for a setting that is unknown or has a wrong value; POLICY_VIOLATION;
            /// INVALID_TOPIC_EXCEPTION; UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED and CLUSTER_AUTHORIZATION_FAILED.
            Resources: AlterConfigsResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! resources = field "Responses" _.Resources (array AlterConfigsResult.schema)

        return { ThrottleTimeMs = throttle; Resources = resources }
    }

    let api = Api.define ApiKey.AlterConfigs 0s 2s (Some 2s) request response
