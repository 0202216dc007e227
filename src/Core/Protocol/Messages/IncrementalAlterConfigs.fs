namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// IncrementalAlterConfigs (API key 44): changes individual configs of topics, brokers, groups and client metrics subscriptions, and keeps
/// the others (KIP-339). For a single broker, send it to that broker; otherwise to any.
module IncrementalAlterConfigs =

    /// A config to change.
    type Config =
        {
            Name: string
            ConfigOperation: AlterConfigOperation
            /// The new value, or the elements to add or remove, separated by commas. Null only to delete the config.
            Value: string option
        }

    let config = message {
        let! name = field "Name" _.Name string
        and! operation = field "ConfigOperation" _.ConfigOperation alterConfigOperation
        and! value = field "Value" _.Value (string |> nullable) |> Fields.secretIf (fun config -> ConfigName.isSecret config.Name)

        return { Name = name; ConfigOperation = operation; Value = value }
    }

    /// The resource of the configs.
    type Resource =
        {
            ResourceType: ConfigResourceType
            /// The name of a topic, group or client metrics subscription, or the id of a broker; empty for the default of all brokers.
            ResourceName: string
            /// Each config only once.
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
            /// Each resource only once. The changes to one resource are made together or not at all.
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
            /// Error codes: INVALID_CONFIG for an unknown config or an invalid value, or to add an element to a config that is not a list;
            /// INVALID_REQUEST for a resource that cannot be changed here or is repeated; UNKNOWN_TOPIC_OR_PARTITION; POLICY_VIOLATION;
            /// TOPIC_AUTHORIZATION_FAILED; GROUP_AUTHORIZATION_FAILED; CLUSTER_AUTHORIZATION_FAILED.
            Results: AlterConfigsResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! results = field "Responses" _.Results (array AlterConfigsResult.schema)

        return { ThrottleTimeMs = throttle; Results = results }
    }

    let api =
        Api.define ApiKey.IncrementalAlterConfigs (versions 0 1 |> flexibleFrom 1) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Config with
        override this.ToString() = Schema.show config this
    type Resource with
        override this.ToString() = Schema.show resource this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
