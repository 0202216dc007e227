namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// UpdateFeatures (API key 57): change the levels of features that the cluster has agreed on, such as `metadata.version` (KIP-584). It
/// goes to the controller; brokers of 4.x pass it on.
module UpdateFeatures =

    /// A feature to change.
    type FeatureUpdate =
        {
            /// The feature's name, such as `metadata.version`.
            Feature: string
            /// The new level; 0 to disable the feature.
            MaxVersionLevel: int16
            /// Version 0: whether the level may go down. Versions from 1 on have `UpgradeType`.
            AllowDowngrade: bool
            /// In which direction the level may go (KIP-778).
            UpgradeType: FeatureUpdateType
        }

    let featureUpdate = message {
        let! feature = field "Feature" _.Feature string
        and! level = field "MaxVersionLevel" _.MaxVersionLevel int16
        and! allow = field "AllowDowngrade" _.AllowDowngrade (bool |> until 0s false)
        and! direction = field "UpgradeType" _.UpgradeType (featureUpdateType |> since 1s FeatureUpdateType.Upgrade)

        return { Feature = feature; MaxVersionLevel = level; AllowDowngrade = allow; UpgradeType = direction }
    }

    type Request =
        {
            /// How long the controller may take, in milliseconds. REQUEST_TIMED_OUT when it was not enough.
            TimeoutMs: int32
            FeatureUpdates: FeatureUpdate list
            /// Only check whether it would work (KIP-778).
            ValidateOnly: bool
        }

    let request = message {
        let! timeout = field "timeoutMs" _.TimeoutMs (int32 |> withDefault 60000)
        and! updates = field "FeatureUpdates" _.FeatureUpdates (array featureUpdate)
        and! validate = field "ValidateOnly" _.ValidateOnly (bool |> since 1s false)

        return { TimeoutMs = timeout; FeatureUpdates = updates; ValidateOnly = validate }
    }

    /// What became of one feature.
    type Result =
        {
            Feature: string
            /// INVALID_UPDATE_VERSION for a level that a broker or controller does not support, or that lies in a direction not allowed;
            /// FEATURE_UPDATE_FAILED.
            Error: ErrorCode
            /// What the controller says of the error; null where it says nothing.
            ErrorMessage: string option
        }

    let result = message {
        let! feature = field "Feature" _.Feature string
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)

        return { Feature = feature; Error = error; ErrorMessage = text }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// What concerns the request as a whole: CLUSTER_AUTHORIZATION_FAILED; NOT_CONTROLLER when to ask elsewhere. From version 2
            /// on also INVALID_UPDATE_VERSION when one feature cannot be changed, and then none is (KIP-1022).
            Error: ErrorCode
            /// What the controller says of the error; null where it says nothing.
            ErrorMessage: string option
            /// Up to version 1.
            Results: Result list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! results = field "Results" _.Results (array result |> until 1s [] |> ignorable)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text; Results = results }
    }

    let api = Api.define ApiKey.UpdateFeatures 0s 2s (Some 0s) request response
