namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ExpireDelegationToken (API key 40): end a token at once, or say when it is to end (KIP-48). It goes to any broker; brokers of 4.x
/// pass it on to the controller.
module ExpireDelegationToken =

    type Request =
        {
            /// The token's secret, which names it.
            Hmac: Bytes
            /// How long the token is to live from now on, in milliseconds; -1 to delete it at once.
            ExpiryTimePeriodMs: int64
        }

    let request = message {
        let! hmac = field "Hmac" _.Hmac bytes
        and! period = field "ExpiryTimePeriodMs" _.ExpiryTimePeriodMs int64
        return { Hmac = hmac; ExpiryTimePeriodMs = period }
    }

    type Response =
        {
            /// DELEGATION_TOKEN_NOT_FOUND; DELEGATION_TOKEN_EXPIRED when it has ended already; DELEGATION_TOKEN_OWNER_MISMATCH when the
            /// user is neither the token's owner nor one of its renewers; DELEGATION_TOKEN_REQUEST_NOT_ALLOWED on a connection that is
            /// not authenticated, or that logged in with a token itself; DELEGATION_TOKEN_AUTH_DISABLED.
            Error: ErrorCode
            /// When the token expires now, in milliseconds since the epoch: never after the latest time that it was made with.
            ExpiryTimestampMs: int64
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! expiry = field "ExpiryTimestampMs" _.ExpiryTimestampMs int64
        and! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32

        return { Error = error; ExpiryTimestampMs = expiry; ThrottleTimeMs = throttle }
    }

    let api = Api.define ApiKey.ExpireDelegationToken 1s 2s (Some 2s) request response
