namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// CreateDelegationToken (API key 38): creates a token that authenticates a user without the user's own credentials (KIP-48). Send it to
/// any broker; brokers of Kafka 4.x forward it to the controller.
module CreateDelegationToken =

    type Request =
        {
            /// With `OwnerPrincipalName`, the user that will own the token. Since version 3 (KIP-373).
            OwnerPrincipalType: string option
            /// Null or empty for the user that sends the request. For another user, the permission to create tokens in its name is
            /// required. Since version 3 (KIP-373).
            OwnerPrincipalName: string option
            /// The users that may renew the token in addition to its owner. INVALID_PRINCIPAL_TYPE for a type other than `User`.
            Renewers: DelegationTokenPrincipal list
            /// The maximum lifetime of the token with all renewals, in milliseconds; -1 for the broker's
            /// `delegation.token.max.lifetime.ms`, which is also the upper limit.
            MaxLifetimeMs: int64
        }

    let request = message {
        let! ownerType = field "OwnerPrincipalType" _.OwnerPrincipalType (string |> nullable |> since 3s (Some ""))
        and! ownerName = field "OwnerPrincipalName" _.OwnerPrincipalName (string |> nullable |> since 3s (Some ""))
        and! renewers = field "Renewers" _.Renewers (array DelegationTokenPrincipal.schema)
        and! lifetime = field "MaxLifetimeMs" _.MaxLifetimeMs int64

        return { OwnerPrincipalType = ownerType; OwnerPrincipalName = ownerName; Renewers = renewers; MaxLifetimeMs = lifetime }
    }

    type Response =
        {
            /// DELEGATION_TOKEN_AUTH_DISABLED if the cluster has no secret for tokens; DELEGATION_TOKEN_REQUEST_NOT_ALLOWED if the
            /// connection is not authenticated or is authenticated with a token; INVALID_PRINCIPAL_TYPE;
            /// DELEGATION_TOKEN_AUTHORIZATION_FAILED if the user may not create tokens for the owner.
            Error: ErrorCode
            /// With `PrincipalName`, the owner of the token.
            PrincipalType: string
            PrincipalName: string
            /// With `TokenRequesterPrincipalName`, the user that requested the token. Since version 3 (KIP-373).
            TokenRequesterPrincipalType: string
            /// The name of the user that requested the token. Since version 3 (KIP-373).
            TokenRequesterPrincipalName: string
            /// When the token was created, in milliseconds since the epoch.
            IssueTimestampMs: int64
            /// When the token expires unless it is renewed, in milliseconds since the epoch.
            ExpiryTimestampMs: int64
            /// When the token expires at the latest, in milliseconds since the epoch.
            MaxTimestampMs: int64
            /// The user name for SASL/SCRAM.
            TokenId: string
            /// The token's secret. Encoded in Base64, it is the password for SASL/SCRAM. The raw bytes identify the token in a renewal.
            Hmac: Bytes
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! ownerType = field "PrincipalType" _.PrincipalType string
        and! ownerName = field "PrincipalName" _.PrincipalName string
        and! requesterType = field "TokenRequesterPrincipalType" _.TokenRequesterPrincipalType (string |> since 3s "")
        and! requesterName = field "TokenRequesterPrincipalName" _.TokenRequesterPrincipalName (string |> since 3s "")
        and! issued = field "IssueTimestampMs" _.IssueTimestampMs int64
        and! expiry = field "ExpiryTimestampMs" _.ExpiryTimestampMs int64
        and! latest = field "MaxTimestampMs" _.MaxTimestampMs int64
        and! id = field "TokenId" _.TokenId string
        and! hmac = field "Hmac" _.Hmac secret
        and! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32

        return
            { Error = error
              PrincipalType = ownerType
              PrincipalName = ownerName
              TokenRequesterPrincipalType = requesterType
              TokenRequesterPrincipalName = requesterName
              IssueTimestampMs = issued
              ExpiryTimestampMs = expiry
              MaxTimestampMs = latest
              TokenId = id
              Hmac = hmac
              ThrottleTimeMs = throttle }
    }

    let api =
        Api.define ApiKey.CreateDelegationToken (versions 0 3 |> flexibleFrom 2) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
