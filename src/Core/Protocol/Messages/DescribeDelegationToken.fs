namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeDelegationToken (API key 41): lists the tokens that the client may see (KIP-48): those that its user owns or may renew, and
/// those that it is authorized to describe. Send it to any broker.
module DescribeDelegationToken =

    type Request =
        {
            /// The owners whose tokens are listed; null for all. An empty list selects no tokens.
            Owners: DelegationTokenPrincipal list option
        }

    let request = message {
        let! owners = field "Owners" _.Owners (array DelegationTokenPrincipal.schema |> nullable)
        return { Owners = owners }
    }

    /// A token.
    type Token =
        {
            /// With `PrincipalName`, the owner of the token.
            PrincipalType: string
            PrincipalName: string
            /// With `TokenRequesterPrincipalName`, the user that requested the token. Since version 3 (KIP-373).
            TokenRequesterPrincipalType: string
            /// The name of the user that requested the token. Since version 3 (KIP-373).
            TokenRequesterPrincipalName: string
            /// When the token was created, in milliseconds since the epoch.
            IssueTimestamp: int64
            /// When the token expires unless it is renewed, in milliseconds since the epoch.
            ExpiryTimestamp: int64
            /// When the token expires at the latest, in milliseconds since the epoch.
            MaxTimestamp: int64
            /// The user name for SASL/SCRAM.
            TokenId: string
            /// The token's secret. Encoded in Base64, it is the password for SASL/SCRAM.
            Hmac: Bytes
            /// The users that may renew the token in addition to its owner.
            Renewers: DelegationTokenPrincipal list
        }

    let token = message {
        let! ownerType = field "PrincipalType" _.PrincipalType string
        and! ownerName = field "PrincipalName" _.PrincipalName string
        and! requesterType = field "TokenRequesterPrincipalType" _.TokenRequesterPrincipalType (string |> since 3s "")
        and! requesterName = field "TokenRequesterPrincipalName" _.TokenRequesterPrincipalName (string |> since 3s "")
        and! issued = field "IssueTimestamp" _.IssueTimestamp int64
        and! expiry = field "ExpiryTimestamp" _.ExpiryTimestamp int64
        and! latest = field "MaxTimestamp" _.MaxTimestamp int64
        and! id = field "TokenId" _.TokenId string
        and! hmac = field "Hmac" _.Hmac secret
        and! renewers = field "Renewers" _.Renewers (array DelegationTokenPrincipal.schema)

        return
            { PrincipalType = ownerType
              PrincipalName = ownerName
              TokenRequesterPrincipalType = requesterType
              TokenRequesterPrincipalName = requesterName
              IssueTimestamp = issued
              ExpiryTimestamp = expiry
              MaxTimestamp = latest
              TokenId = id
              Hmac = hmac
              Renewers = renewers }
    }

    type Response =
        {
            /// DELEGATION_TOKEN_AUTH_DISABLED if the cluster has no secret for tokens; DELEGATION_TOKEN_REQUEST_NOT_ALLOWED if the
            /// connection is not authenticated or is authenticated with a token.
            Error: ErrorCode
            Tokens: Token list
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! tokens = field "Tokens" _.Tokens (array token)
        and! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32

        return { Error = error; Tokens = tokens; ThrottleTimeMs = throttle }
    }

    let api =
        Api.define ApiKey.DescribeDelegationToken (versions 0 3 |> flexibleFrom 2) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Token with
        override this.ToString() = Schema.show token this
    type Response with
        override this.ToString() = Message.show api.Response this
