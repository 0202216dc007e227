namespace LibKafka.Protocol

open System
open LibKafka.Records
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// PushTelemetry (API key 72): send a client's metrics (KIP-714). It goes to the broker that GetTelemetrySubscriptions was asked.
module PushTelemetry =

    type Request =
        {
            /// The id that GetTelemetrySubscriptions gave; never zero.
            ClientInstanceId: Guid
            /// The subscription that the metrics answer to.
            SubscriptionId: int32
            /// Whether this is the client's last push. It may come before the push interval is over.
            Terminating: bool
            /// How `Metrics` are compressed.
            CompressionType: CompressionType
            /// OpenTelemetry's `MetricsData` (version 1) as protobuf. Empty where there is nothing to tell.
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
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// UNKNOWN_SUBSCRIPTION_ID and UNSUPPORTED_COMPRESSION_TYPE when to ask for the subscription again at once;
            /// TELEMETRY_TOO_LARGE when to send less; THROTTLING_QUOTA_EXCEEDED before the push interval is over; INVALID_RECORD when the
            /// metrics cannot be read, and INVALID_REQUEST after the last push or without an id: both when to stop pushing.
            Error: ErrorCode
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        return { ThrottleTimeMs = throttle; Error = error }
    }

    let api = Api.define ApiKey.PushTelemetry 0s 0s (Some 0s) request response
