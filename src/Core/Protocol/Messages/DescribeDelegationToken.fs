namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeDelegationToken (API key 41): the tokens that the client may see (KIP-48): those of its user, those that its user may renew,
/// and those that it has the right to describe. Any broker answers.
module DescribeDelegationToken =

    type Request =
        {
            /// Whose tokens are asked for; null for everyone's. An empty list means no one's.
            Owners: DelegationTokenPrincipal list option
        }

    let request = message {
        let! owners = field "Owners" _.Owners (array DelegationTokenPrincipal.schema |> nullable)
        return { Owners = owners }
    }

    /// A token.
    type Token =
        {
            /// With `PrincipalName`, the owner: the user that the token stands for.
            PrincipalType: string
            PrincipalName: string
            /// With `TokenRequesterPrincipalName`, the user that asked for the token (KIP-373).
            TokenRequesterPrincipalType: string
            TokenRequesterPrincipalName: string
            /// When the token was made, in milliseconds since the epoch.
            IssueTimestamp: int64
            /// When the token expires unless it is renewed, in milliseconds since the epoch.
            ExpiryTimestamp: int64
            /// When the token expires at the latest, in milliseconds since the epoch.
            MaxTimestamp: int64
            /// The user name for SASL with SCRAM.
            TokenId: string
            /// The token's secret. In Base64 it is the password for SASL with SCRAM.
            Hmac: Bytes
            /// Who may renew the token, besides its owner.
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
        and! hmac = field "Hmac" _.Hmac bytes
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
            /// DELEGATION_TOKEN_AUTH_DISABLED when the cluster has no secret for tokens; DELEGATION_TOKEN_REQUEST_NOT_ALLOWED on a
            /// connection that is not authenticated, or that logged in with a token itself.
            Error: ErrorCode
            Tokens: Token list
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! tokens = field "Tokens" _.Tokens (array token)
        and! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32

        return { Error = error; Tokens = tokens; ThrottleTimeMs = throttle }
    }

    let api = Api.define ApiKey.DescribeDelegationToken 1s 3s (Some 2s) request response
