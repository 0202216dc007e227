namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// CreateDelegationToken (API key 38): make a token that stands for a user, so that others can log in without the user's own secret
/// (KIP-48). It goes to any broker; brokers of 4.x pass it on to the controller.
module CreateDelegationToken =

    type Request =
        {
            /// With `OwnerPrincipalName`, the user that the token is to stand for (KIP-373).
            OwnerPrincipalType: string option
            /// Null or empty for the user that asks. For another one, the right to create tokens in its name is needed.
            OwnerPrincipalName: string option
            /// Who may renew the token, besides its owner. INVALID_PRINCIPAL_TYPE for a type other than `User`.
            Renewers: DelegationTokenPrincipal list
            /// How long the token can be kept alive by renewing it, in milliseconds; -1 for the broker's
            /// `delegation.token.max.lifetime.ms`, which also is the most.
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
            /// DELEGATION_TOKEN_AUTH_DISABLED when the cluster has no secret for tokens; DELEGATION_TOKEN_REQUEST_NOT_ALLOWED on a
            /// connection that is not authenticated, or that logged in with a token itself; INVALID_PRINCIPAL_TYPE;
            /// DELEGATION_TOKEN_AUTHORIZATION_FAILED when the user may not create tokens for the owner.
            Error: ErrorCode
            /// With `PrincipalName`, the owner: the user that the token stands for.
            PrincipalType: string
            PrincipalName: string
            /// With `TokenRequesterPrincipalName`, the user that asked for the token (KIP-373).
            TokenRequesterPrincipalType: string
            TokenRequesterPrincipalName: string
            /// When the token was made, in milliseconds since the epoch.
            IssueTimestampMs: int64
            /// When the token expires unless it is renewed, in milliseconds since the epoch.
            ExpiryTimestampMs: int64
            /// When the token expires at the latest, in milliseconds since the epoch.
            MaxTimestampMs: int64
            /// The user name for SASL with SCRAM.
            TokenId: string
            /// The token's secret. In Base64 it is the password for SASL with SCRAM; as it is, it names the token when it is to be
            /// renewed.
            Hmac: Bytes
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
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
        and! hmac = field "Hmac" _.Hmac bytes
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

    let api = Api.define ApiKey.CreateDelegationToken 1s 3s (Some 2s) request response
