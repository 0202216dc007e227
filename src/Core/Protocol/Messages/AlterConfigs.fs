namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AlterConfigs (API key 33): replaces all configs of a topic or broker. Configs that are not in the request revert to their defaults, so
/// prefer IncrementalAlterConfigs (Kafka 2.3, KIP-339). For a single broker, send it to that broker; otherwise to any.
module AlterConfigs =

    /// A config to set.
    type Config =
        {
            Name: string
            /// Null is refused with INVALID_REQUEST: omit a config to revert it to its default.
            Value: string option
        }

    let config = message {
        let! name = field "Name" _.Name string
        and! value = field "Value" _.Value (string |> nullable) |> Fields.secretIf (fun config -> ConfigName.isSecret config.Name)
        return { Name = name; Value = value }
    }

    /// A topic or broker with all its configs.
    type Resource =
        {
            ResourceType: ConfigResourceType
            /// The name of the topic, or the id of the broker; empty for the default of all brokers.
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
            /// Whether the request is only validated, and changes nothing.
            ValidateOnly: bool
        }

    let request = message {
        let! resources = field "Resources" _.Resources (array resource)
        and! validate = field "ValidateOnly" _.ValidateOnly bool
        return { Resources = resources; ValidateOnly = validate }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// Error codes: INVALID_CONFIG or INVALID_REQUEST for an unknown config or an invalid value; POLICY_VIOLATION;
            /// INVALID_TOPIC_EXCEPTION; UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED; CLUSTER_AUTHORIZATION_FAILED.
            Resources: AlterConfigsResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! resources = field "Responses" _.Resources (array AlterConfigsResult.schema)

        return { ThrottleTimeMs = throttle; Resources = resources }
    }

    let api =
        Api.define ApiKey.AlterConfigs (versions 0 2 |> flexibleFrom 2) request response |> Api.throttledBy _.ThrottleTimeMs

    type Config with
        override this.ToString() = Schema.show config this
    type Resource with
        override this.ToString() = Schema.show resource this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
