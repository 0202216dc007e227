namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// RenewDelegationToken (API key 39): extends the lifetime of a token (KIP-48). Send it to any broker; brokers of Kafka 4.x forward it to
/// the controller.
module RenewDelegationToken =

    type Request =
        {
            /// The token's secret, which identifies it.
            Hmac: Bytes
            /// The remaining lifetime of the token, in milliseconds; -1 for the broker's `delegation.token.expiry.time.ms`.
            RenewPeriodMs: int64
        }

    let request = message {
        let! hmac = field "Hmac" _.Hmac secret
        and! period = field "RenewPeriodMs" _.RenewPeriodMs int64
        return { Hmac = hmac; RenewPeriodMs = period }
    }

    type Response =
        {
            /// DELEGATION_TOKEN_NOT_FOUND; DELEGATION_TOKEN_EXPIRED if it has already expired; DELEGATION_TOKEN_OWNER_MISMATCH if the user
            /// is neither the token's owner nor one of its renewers; DELEGATION_TOKEN_REQUEST_NOT_ALLOWED if the connection is not
            /// authenticated or is authenticated with a token; DELEGATION_TOKEN_AUTH_DISABLED.
            Error: ErrorCode
            /// The new expiry time, in milliseconds since the epoch, which is never after the token's maximum.
            ExpiryTimestampMs: int64
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! expiry = field "ExpiryTimestampMs" _.ExpiryTimestampMs int64
        and! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32

        return { Error = error; ExpiryTimestampMs = expiry; ThrottleTimeMs = throttle }
    }

    let api =
        Api.define ApiKey.RenewDelegationToken (versions 0 2 |> flexibleFrom 2) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
