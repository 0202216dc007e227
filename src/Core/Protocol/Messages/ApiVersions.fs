namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ApiVersions (API key 18): lists the APIs that a broker supports, with their versions. Clients send it first on every connection. A
/// broker that does not support the version of the request answers with UNSUPPORTED_VERSION in the format of version 0 (KIP-511).
module ApiVersions =

    type Request =
        {
            /// The name of the client library, such as `libkafka-dotnet`: letters, digits, dots and dashes. The broker refuses anything
            /// else with INVALID_REQUEST. Since version 3 (KIP-511).
            ClientSoftwareName: string
            /// The version of the client library, with the same characters. Since version 3 (KIP-511).
            ClientSoftwareVersion: string
            /// The expected cluster id; null to skip the check. Since version 5 (KIP-1242).
            ClusterId: string option
            /// The expected id of the broker; -1 to skip the check. Since version 5 (KIP-1242).
            NodeId: int32
        }

    let request = message {
        let! name = field "ClientSoftwareName" _.ClientSoftwareName (string |> since 3s "" |> ignorable)
        and! version = field "ClientSoftwareVersion" _.ClientSoftwareVersion (string |> since 3s "" |> ignorable)
        and! cluster = field "ClusterId" _.ClusterId (string |> nullable |> since 5s None |> ignorable)
        and! node = field "NodeId" _.NodeId (int32 |> since 5s -1 |> ignorable)

        return { ClientSoftwareName = name; ClientSoftwareVersion = version; ClusterId = cluster; NodeId = node }
    }

    /// The versions of one API that the broker supports.
    type ApiVersion = { ApiKey: ApiKey; MinVersion: int16; MaxVersion: int16 }

    let apiVersion = message {
        let! key = field "ApiKey" _.ApiKey apiKey
        and! lowest = field "MinVersion" _.MinVersion int16
        and! highest = field "MaxVersion" _.MaxVersion int16

        return { ApiKey = key; MinVersion = lowest; MaxVersion = highest }
    }

    /// The levels of a feature that the broker supports (KIP-584).
    type SupportedFeature = { Name: string; MinVersion: int16; MaxVersion: int16 }

    let supportedFeature = message {
        let! name = field "Name" _.Name string
        and! lowest = field "MinVersion" _.MinVersion int16
        and! highest = field "MaxVersion" _.MaxVersion int16

        return { Name = name; MinVersion = lowest; MaxVersion = highest }
    }

    /// The levels of a feature that are finalized in the cluster.
    type FinalizedFeature = { Name: string; MaxVersionLevel: int16; MinVersionLevel: int16 }

    let finalizedFeature = message {
        let! name = field "Name" _.Name string
        and! highest = field "MaxVersionLevel" _.MaxVersionLevel int16
        and! lowest = field "MinVersionLevel" _.MinVersionLevel int16

        return { Name = name; MaxVersionLevel = highest; MinVersionLevel = lowest }
    }

    type Response =
        {
            /// UNSUPPORTED_VERSION if the broker does not support the version of the request; INVALID_REQUEST for an invalid client name
            /// or version.
            Error: ErrorCode
            ApiKeys: ApiVersion list
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not. Since version 1.
            ThrottleTimeMs: int32
            /// The features that the broker supports. Since version 3 (KIP-584).
            SupportedFeatures: SupportedFeature list
            /// Increases with each change of the finalized features; -1 if unknown. Since version 3 (KIP-584).
            FinalizedFeaturesEpoch: int64
            /// The features that are finalized in the cluster; meaningful if `FinalizedFeaturesEpoch` is not -1. Since version 3
            /// (KIP-584).
            FinalizedFeatures: FinalizedFeature list
            /// Whether the controllers are ready to take over from ZooKeeper. Since version 3 (KIP-866).
            ZkMigrationReady: bool
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! keys = field "ApiKeys" _.ApiKeys (array apiVersion)
        and! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> since 1s 0 |> ignorable)
        and! supported =
            field "SupportedFeatures" _.SupportedFeatures (array supportedFeature |> since 3s [] |> tagged 0 |> ignorable)
        and! epoch = field "FinalizedFeaturesEpoch" _.FinalizedFeaturesEpoch (int64 |> since 3s -1L |> tagged 1 |> ignorable)
        and! finalized =
            field "FinalizedFeatures" _.FinalizedFeatures (array finalizedFeature |> since 3s [] |> tagged 2 |> ignorable)
        and! ready = field "ZkMigrationReady" _.ZkMigrationReady (bool |> since 3s false |> tagged 3 |> ignorable)

        return
            { Error = error
              ApiKeys = keys
              ThrottleTimeMs = throttle
              SupportedFeatures = supported
              FinalizedFeaturesEpoch = epoch
              FinalizedFeatures = finalized
              ZkMigrationReady = ready }
    }

    let api =
        Api.define ApiKey.ApiVersions (versions 0 5 |> flexibleFrom 3) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type ApiVersion with
        override this.ToString() = Schema.show apiVersion this
    type SupportedFeature with
        override this.ToString() = Schema.show supportedFeature this
    type FinalizedFeature with
        override this.ToString() = Schema.show finalizedFeature this
    type Response with
        override this.ToString() = Message.show api.Response this
