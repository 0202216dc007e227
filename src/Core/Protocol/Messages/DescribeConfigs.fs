namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeConfigs (API key 32): the settings of topics, brokers, groups and client metrics. For a broker it goes to that broker, for
/// the rest to any.
module DescribeConfigs =

    /// What is asked about.
    type Resource =
        {
            ResourceType: ConfigResourceType
            /// The name of a topic or group, or the id of a broker.
            ResourceName: string
            /// Null for all settings.
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
            /// Whether to tell from where else a value could come, the strongest first.
            IncludeSynonyms: bool
            /// Whether to tell what each setting is for.
            IncludeDocumentation: bool
        }

    let request = message {
        let! resources = field "Resources" _.Resources (array resource)
        and! synonyms = field "IncludeSynonyms" _.IncludeSynonyms (bool |> since 1s false)
        and! documentation = field "IncludeDocumentation" _.IncludeDocumentation (bool |> since 3s false)

        return { Resources = resources; IncludeSynonyms = synonyms; IncludeDocumentation = documentation }
    }

    /// A place that a setting can come from.
    type Synonym =
        {
            Name: string
            /// Null for a secret.
            Value: string option
            Source: ConfigSource
        }

    let synonym = message {
        let! name = field "Name" _.Name string
        and! value = field "Value" _.Value (string |> nullable)
        and! source = field "Source" _.Source configSource

        return { Name = name; Value = value; Source = source }
    }

    /// A setting.
    type Config =
        {
            Name: string
            /// Null for a secret.
            Value: string option
            ReadOnly: bool
            Source: ConfigSource
            /// Whether the value is kept secret.
            IsSensitive: bool
            Synonyms: Synonym list
            Type: ConfigType
            /// Null where it was not asked for.
            Documentation: string option
        }

    let config = message {
        let! name = field "Name" _.Name string
        and! value = field "Value" _.Value (string |> nullable)
        and! readOnly = field "ReadOnly" _.ReadOnly bool
        and! source = field "ConfigSource" _.Source (configSource |> since 1s (ConfigSource -1y) |> ignorable)
        and! sensitive = field "IsSensitive" _.IsSensitive bool
        and! synonyms = field "Synonyms" _.Synonyms (array synonym |> since 1s [] |> ignorable)
        and! kind = field "ConfigType" _.Type (configType |> since 3s ConfigType.Unknown |> ignorable)
        and! documentation = field "Documentation" _.Documentation (string |> nullable |> since 3s (Some "") |> ignorable)

        return
            { Name = name
              Value = value
              ReadOnly = readOnly
              Source = source
              IsSensitive = sensitive
              Synonyms = synonyms
              Type = kind
              Documentation = documentation }
    }

    /// The settings of one resource.
    type Result =
        {
            /// UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST for a resource that this broker cannot answer for, and the authorization errors.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
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
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            Results: Result list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! results = field "Results" _.Results (array result)

        return { ThrottleTimeMs = throttle; Results = results }
    }

    let api = Api.define ApiKey.DescribeConfigs 1s 4s (Some 4s) request response
