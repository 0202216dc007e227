namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// UpdateFeatures (API key 57): changes the finalized levels of features of the cluster, such as `metadata.version` (KIP-584). Send it to
/// the controller; brokers of Kafka 4.x forward it.
module UpdateFeatures =

    /// The first version with directions (KIP-778).
    let directionsSince = 1s

    /// The first version that changes all features or none, and has no result for each (KIP-1022).
    let allOrNoneSince = 2s

    /// A feature to change.
    type FeatureUpdate =
        {
            /// The feature's name, such as `metadata.version`.
            Feature: string
            /// The new level; 0 to disable the feature.
            MaxVersionLevel: int16
            /// Whether the level may be lowered. `UpgradeType` replaces it. Version 0 only.
            AllowDowngrade: bool
            /// The direction in which the level may change. Since version 1 (KIP-778).
            UpgradeType: FeatureUpdateType
        }

    let featureUpdate = message {
        let! feature = field "Feature" _.Feature string
        and! level = field "MaxVersionLevel" _.MaxVersionLevel int16
        and! allow = field "AllowDowngrade" _.AllowDowngrade (bool |> until (directionsSince - 1s) false)
        and! direction = field "UpgradeType" _.UpgradeType (featureUpdateType |> since directionsSince FeatureUpdateType.Upgrade)

        return { Feature = feature; MaxVersionLevel = level; AllowDowngrade = allow; UpgradeType = direction }
    }

    type Request =
        {
            /// How long the controller may take, in milliseconds. REQUEST_TIMED_OUT if it takes longer.
            TimeoutMs: int32
            FeatureUpdates: FeatureUpdate list
            /// Whether the request is only validated, and changes nothing. Since version 1 (KIP-778).
            ValidateOnly: bool
        }

    let request = message {
        let! timeout = field "timeoutMs" _.TimeoutMs (int32 |> withDefault 60000)
        and! updates = field "FeatureUpdates" _.FeatureUpdates (array featureUpdate)
        and! validate = field "ValidateOnly" _.ValidateOnly (bool |> since directionsSince false)

        return { TimeoutMs = timeout; FeatureUpdates = updates; ValidateOnly = validate }
    }

    /// The result for one feature.
    type Result =
        {
            Feature: string
            /// INVALID_UPDATE_VERSION for a level that a broker or controller does not support, or a direction that is not allowed;
            /// FEATURE_UPDATE_FAILED.
            Error: ErrorCode
            /// The controller's description of the error; null if it gives none.
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// The error of the whole request: CLUSTER_AUTHORIZATION_FAILED; NOT_CONTROLLER if another node is the active controller.
            /// Since version 2 also INVALID_UPDATE_VERSION if one feature cannot be changed, in which case none is changed (KIP-1022).
            Error: ErrorCode
            /// The controller's description of the error; null if it gives none.
            ErrorMessage: string option
            /// One result for each feature of the request. Up to version 1.
            Results: Result list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! results = field "Results" _.Results (array result |> until (allOrNoneSince - 1s) [] |> ignorable)

        return { ThrottleTimeMs = throttle; Error = error; ErrorMessage = text; Results = results }
    }

    let api =
        Api.define ApiKey.UpdateFeatures (versions 0 2 |> flexibleFrom 0) request response |> Api.throttledBy _.ThrottleTimeMs

    type FeatureUpdate with
        override this.ToString() = Schema.show featureUpdate this
    type Request with
        override this.ToString() = Message.show api.Request this
    type Result with
        override this.ToString() = Schema.show result this
    type Response with
        override this.ToString() = Message.show api.Response this
