namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ListConfigResources (API key 74): lists the resources that have configs (KIP-1142). Send it to any broker. Version 0 was named
/// ListClientMetricsResources and lists only client metrics subscriptions (KIP-714).
module ListConfigResources =

    /// The first version with types (KIP-1142).
    let typesSince = 1s

    type Request =
        {
            /// The types to list; empty for all types that the broker can list. Version 0 lists client metrics subscriptions. Since
            /// version 1 (KIP-1142).
            ResourceTypes: ConfigResourceType list
        }

    let request = message {
        let! kinds = field "ResourceTypes" _.ResourceTypes (array configResourceType |> since typesSince [])
        return { ResourceTypes = kinds }
    }

    /// A resource that can have configs.
    type Resource =
        {
            /// The name of the resource, or the id of a broker.
            ResourceName: string
            /// The type of the resource. Since version 1 (KIP-1142).
            ResourceType: ConfigResourceType
        }

    let resource = message {
        let! name = field "ResourceName" _.ResourceName string
        and! kind =
            field "ResourceType" _.ResourceType (configResourceType |> since typesSince ConfigResourceType.ClientMetrics |> ignorable)

        return { ResourceName = name; ResourceType = kind }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// CLUSTER_AUTHORIZATION_FAILED; UNSUPPORTED_VERSION for a type that the broker cannot list.
            Error: ErrorCode
            Resources: Resource list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! resources = field "ConfigResources" _.Resources (array resource)

        return { ThrottleTimeMs = throttle; Error = error; Resources = resources }
    }

    let api =
        Api.define ApiKey.ListConfigResources (versions 0 1 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Resource with
        override this.ToString() = Schema.show resource this
    type Response with
        override this.ToString() = Message.show api.Response this
