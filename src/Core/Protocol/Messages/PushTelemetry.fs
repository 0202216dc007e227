namespace LibKafka.Protocol

open System
open LibKafka.Records
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// PushTelemetry (API key 72): sends a client's metrics (KIP-714). Send it to the broker that answered GetTelemetrySubscriptions.
module PushTelemetry =

    type Request =
        {
            /// The id from GetTelemetrySubscriptions; never zero.
            ClientInstanceId: Guid
            /// The subscription that the metrics belong to.
            SubscriptionId: int32
            /// Whether this is the client's last push. It can come before the push interval has passed.
            Terminating: bool
            /// The compression of `Metrics`.
            CompressionType: CompressionType
            /// OpenTelemetry `MetricsData` (version 1), serialized with Protobuf. Empty if there are no metrics.
            Metrics: Bytes
        }

    let request = message {
        let! client = field "ClientInstanceId" _.ClientInstanceId uuid
        and! subscription = field "SubscriptionId" _.SubscriptionId int32
        and! terminating = field "Terminating" _.Terminating bool
        and! compression = field "CompressionType" _.CompressionType compressionType
        and! metrics = field "Metrics" _.Metrics bytes

        return
            { ClientInstanceId = client
              SubscriptionId = subscription
              Terminating = terminating
              CompressionType = compression
              Metrics = metrics }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// UNKNOWN_SUBSCRIPTION_ID or UNSUPPORTED_COMPRESSION_TYPE: request the subscription again at once; TELEMETRY_TOO_LARGE: push
            /// less; THROTTLING_QUOTA_EXCEEDED if the push interval has not passed; INVALID_RECORD if the metrics cannot be read, or
            /// INVALID_REQUEST after the last push or without an id: stop pushing.
            Error: ErrorCode
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        return { ThrottleTimeMs = throttle; Error = error }
    }

    let api =
        Api.define ApiKey.PushTelemetry (versions 0 0 |> flexibleFrom 0) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
