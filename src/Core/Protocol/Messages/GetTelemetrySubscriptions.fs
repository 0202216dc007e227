namespace LibKafka.Protocol

open System
open LibKafka.Records
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// GetTelemetrySubscriptions (API key 71): which of its metrics a client is to send, how often and in what form (KIP-714). Any broker
/// answers, except that one without a receiver for metrics does not know the API.
module GetTelemetrySubscriptions =

    type Request =
        {
            /// Zero in the first request of a client; from then on, to any broker, the id that the first answer gave.
            ClientInstanceId: Guid
        }

    let request = message {
        let! client = field "ClientInstanceId" _.ClientInstanceId uuid
        return { ClientInstanceId = client }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// THROTTLING_QUOTA_EXCEEDED when asked before the push interval is over, unless the subscription has changed.
            Error: ErrorCode
            /// The id of this client, made by the broker where the request had none.
            ClientInstanceId: Guid
            /// Names what is asked for here, to be sent with each push. It changes when the subscription does.
            SubscriptionId: int32
            /// How the metrics may be compressed, the best first. `None` always works.
            AcceptedCompressionTypes: CompressionType list
            /// How long to wait between pushes, in milliseconds.
            PushIntervalMs: int32
            /// Most bytes of metrics that the broker takes at once.
            TelemetryMaxBytes: int32
            /// Whether sums are to be counted from the last push; else from the client's start.
            DeltaTemporality: bool
            /// Prefixes of the metrics' names. An empty list asks for none, a lone `*` for all.
            RequestedMetrics: string list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! client = field "ClientInstanceId" _.ClientInstanceId uuid
        and! subscription = field "SubscriptionId" _.SubscriptionId int32
        and! compression = field "AcceptedCompressionTypes" _.AcceptedCompressionTypes (array compressionType)
        and! interval = field "PushIntervalMs" _.PushIntervalMs int32
        and! maxBytes = field "TelemetryMaxBytes" _.TelemetryMaxBytes int32
        and! delta = field "DeltaTemporality" _.DeltaTemporality bool
        and! metrics = field "RequestedMetrics" _.RequestedMetrics (array string)

        return
            { ThrottleTimeMs = throttle
              Error = error
              ClientInstanceId = client
              SubscriptionId = subscription
              AcceptedCompressionTypes = compression
              PushIntervalMs = interval
              TelemetryMaxBytes = maxBytes
              DeltaTemporality = delta
              RequestedMetrics = metrics }
    }

    let api = Api.define ApiKey.GetTelemetrySubscriptions 0s 0s (Some 0s) request response
