namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeConfigs (API key 32): lists the configs of topics, brokers, groups and client metrics subscriptions. For a single broker, send
/// it to that broker; otherwise to any.
module DescribeConfigs =

    /// The first version with the source of each value (KIP-226). Version 0 has only whether the value is the default.
    let sourceSince = 1s

    /// A resource to describe.
    type Resource =
        {
            ResourceType: ConfigResourceType
            /// The name of a topic, group or client metrics subscription, or the id of a broker.
            ResourceName: string
            /// The names of the configs; null for all.
            ConfigurationKeys: string list option
        }

    let resource = message {
        let! kind = field "ResourceType" _.ResourceType configResourceType
        and! name = field "ResourceName" _.ResourceName string
        and! keys = field "ConfigurationKeys" _.ConfigurationKeys (array string |> nullable)

        return { ResourceType = kind; ResourceName = name; ConfigurationKeys = keys }
    }

    type Request =
        {
            Resources: Resource list
            /// Whether the response includes the synonyms of each config. Since version 1 (KIP-226).
            IncludeSynonyms: bool
            /// Whether the response includes the documentation of each config. Since version 3 (KIP-569).
            IncludeDocumentation: bool
        }

    let request = message {
        let! resources = field "Resources" _.Resources (array resource)
        and! synonyms = field "IncludeSynonyms" _.IncludeSynonyms (bool |> since sourceSince false)
        and! documentation = field "IncludeDocumentation" _.IncludeDocumentation (bool |> since 3s false)

        return { Resources = resources; IncludeSynonyms = synonyms; IncludeDocumentation = documentation }
    }

    /// A source of a config's value. The sources are listed in order of precedence.
    type Synonym =
        {
            Name: string
            /// Null if the value is sensitive.
            Value: string option
            Source: ConfigSource
        }

    let synonym = message {
        let! name = field "Name" _.Name string
        and! value = field "Value" _.Value (string |> nullable) |> Fields.secretIf (fun synonym -> ConfigName.isSecret synonym.Name)
        and! source = field "Source" _.Source configSource

        return { Name = name; Value = value; Source = source }
    }

    let private noSource: ConfigSource = LanguagePrimitives.EnumOfValue -1y

    /// A config.
    type Config =
        {
            Name: string
            /// Null if the value is sensitive.
            Value: string option
            /// Whether the config cannot be changed.
            ReadOnly: bool
            /// Whether the value is the default. Version 0 only.
            IsDefault: bool
            /// The source of the value. Since version 1 (KIP-226).
            Source: ConfigSource
            /// Whether the value is sensitive, and so is not returned.
            IsSensitive: bool
            /// All sources of the value in order of precedence, if requested. Since version 1 (KIP-226).
            Synonyms: Synonym list
            /// The data type of the value. Since version 3 (KIP-569).
            Type: ConfigType
            /// Null if it was not requested. Since version 3 (KIP-569).
            Documentation: string option
        }

    let private isSecret (config: Config) = config.IsSensitive || config.Type = ConfigType.Password || ConfigName.isSecret config.Name

    let config = message {
        let! name = field "Name" _.Name string
        and! value = field "Value" _.Value (string |> nullable) |> Fields.secretIf isSecret
        and! readOnly = field "ReadOnly" _.ReadOnly bool
        and! isDefault = field "IsDefault" _.IsDefault (bool |> until (sourceSince - 1s) false)
        and! source = field "ConfigSource" _.Source (configSource |> since sourceSince noSource |> ignorable)
        and! sensitive = field "IsSensitive" _.IsSensitive bool
        and! synonyms = field "Synonyms" _.Synonyms (array synonym |> since sourceSince [] |> ignorable)
        and! kind = field "ConfigType" _.Type (configType |> since 3s ConfigType.Unknown |> ignorable)
        and! documentation = field "Documentation" _.Documentation (string |> nullable |> since 3s (Some "") |> ignorable)

        return
            { Name = name
              Value = value
              ReadOnly = readOnly
              IsDefault = isDefault
              Source = source
              IsSensitive = sensitive
              Synonyms = synonyms
              Type = kind
              Documentation = documentation }
    }

    /// A config with the source of its value. Version 0 has only whether the value is the default; if it is not, the value of a topic is its
    /// own and that of a broker is in its file, because brokers of that time had no other.
    let internal withSource (resource: ConfigResourceType) (config: Config) : Config =
        match resource with
        | _ when config.Source <> noSource -> config
        | _ when config.IsDefault -> { config with Source = ConfigSource.DefaultConfig }
        | ConfigResourceType.Topic -> { config with Source = ConfigSource.DynamicTopicConfig }
        | ConfigResourceType.Broker -> { config with Source = ConfigSource.StaticBrokerConfig }
        | _ -> config

    /// The configs of one resource.
    type Result =
        {
            /// UNKNOWN_TOPIC_OR_PARTITION; INVALID_REQUEST for a resource that this broker cannot describe; TOPIC_AUTHORIZATION_FAILED;
            /// GROUP_AUTHORIZATION_FAILED; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            ResourceType: ConfigResourceType
            ResourceName: string
            Configs: Config list
        }

    let result = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! kind = field "ResourceType" _.ResourceType configResourceType
        and! name = field "ResourceName" _.ResourceName string
        and! configs = field "Configs" _.Configs (array config)

        return { Error = error; ErrorMessage = text; ResourceType = kind; ResourceName = name; Configs = configs }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            Results: Result list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! results = field "Results" _.Results (array result)

        return { ThrottleTimeMs = throttle; Results = results }
    }

    let api =
        Api.define ApiKey.DescribeConfigs (versions 0 4 |> flexibleFrom 4) request response |> Api.throttledBy _.ThrottleTimeMs

    type Resource with
        override this.ToString() = Schema.show resource this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Synonym with
        override this.ToString() = Schema.show synonym this
    type Config with
        override this.ToString() = Schema.show config this
    type Result with
        override this.ToString() = Schema.show result this
    type Response with
        override this.ToString() = Message.show api.Response this
