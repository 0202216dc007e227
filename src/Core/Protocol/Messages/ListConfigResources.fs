namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ListConfigResources (API key 74): the names of what has a configuration (KIP-1142). Any broker answers. Version 0 was called
/// ListClientMetricsResources and lists telemetry subscriptions alone (KIP-714).
module ListConfigResources =

    type Request =
        {
            /// What to list; empty for every type that the broker can list. Version 0 lists client metrics.
            ResourceTypes: ConfigResourceType list
        }

    let request = message {
        let! kinds = field "ResourceTypes" _.ResourceTypes (array configResourceType |> since 1s [])
        return { ResourceTypes = kinds }
    }

    /// A resource that can have a configuration.
    type Resource =
        {
            /// Its name; for a broker its id.
            ResourceName: string
            ResourceType: ConfigResourceType
        }

    let resource = message {
        let! name = field "ResourceName" _.ResourceName string
        and! kind =
            field "ResourceType" _.ResourceType (configResourceType |> since 1s ConfigResourceType.ClientMetrics |> ignorable)

        return { ResourceName = name; ResourceType = kind }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// CLUSTER_AUTHORIZATION_FAILED when the client may not see configurations; UNSUPPORTED_VERSION for a type that the broker
            /// cannot list.
            Error: ErrorCode
            Resources: Resource list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! resources = field "ConfigResources" _.Resources (array resource)

        return { ThrottleTimeMs = throttle; Error = error; Resources = resources }
    }

    let api = Api.define ApiKey.ListConfigResources 0s 1s (Some 0s) request response
