namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ApiVersions (API key 18): the APIs of a broker and their versions. A client asks it first on every connection. A broker that
/// does not know the version asked answers with error 35 in version 0 (KIP-511).
module ApiVersions =

    type Request =
        {
            /// The client's library, such as `libkafka-dotnet`: letters, digits, dots and dashes. INVALID_REQUEST for anything else.
            ClientSoftwareName: string
            ClientSoftwareVersion: string
            /// The cluster that the client means to reach, and the broker in it (KIP-1242); null and -1 where it does not mind.
            ClusterId: string option
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

    /// The levels of a feature that are in force in the cluster.
    type FinalizedFeature = { Name: string; MaxVersionLevel: int16; MinVersionLevel: int16 }

    let finalizedFeature = message {
        let! name = field "Name" _.Name string
        and! highest = field "MaxVersionLevel" _.MaxVersionLevel int16
        and! lowest = field "MinVersionLevel" _.MinVersionLevel int16

        return { Name = name; MaxVersionLevel = highest; MinVersionLevel = lowest }
    }

    type Response =
        {
            /// UNSUPPORTED_VERSION when the broker does not know the version of the request.
            Error: ErrorCode
            ApiKeys: ApiVersion list
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            SupportedFeatures: SupportedFeature list
            /// Grows with each change of the finalized features; -1 where it is not known.
            FinalizedFeaturesEpoch: int64
            FinalizedFeatures: FinalizedFeature list
            /// Whether the controllers are ready to take over from ZooKeeper (KIP-866).
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

    let api = Api.define ApiKey.ApiVersions 0s 5s (Some 3s) request response
