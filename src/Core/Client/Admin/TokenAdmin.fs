namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol

/// A delegation token to create (KIP-48).
type NewDelegationToken =
    {
        /// Who owns the token; none for the caller. Another owner needs Kafka 3.3 (KIP-373).
        Owner: DelegationTokenPrincipal option
        /// Who may renew the token in addition to its owner.
        Renewers: DelegationTokenPrincipal list
        /// The lifetime with all renewals; none for the broker's limit (`delegation.token.max.lifetime.ms`).
        MaxLifetime: TimeSpan option
    }

    /// As in `a delegation token of User:alice`.
    override this.ToString() =
        match this.Owner with
        | Some owner -> "a delegation token of " + owner.PrincipalType + ":" + owner.PrincipalName
        | None -> "a delegation token of the caller"

[<RequireQualifiedAccess>]
module NewDelegationToken =

    /// A token that belongs to the caller and that only the caller may renew, with the longest lifetime.
    let standard: NewDelegationToken = { Owner = None; Renewers = []; MaxLifetime = None }

/// A delegation token (KIP-48): `Sasl.tokenScramSha256` and `Sasl.tokenScramSha512` authenticate with its id and password.
type DelegationToken =
    {
        /// The user name for SCRAM.
        Id: string
        /// The secret. It also names the token in calls that change it.
        Hmac: Bytes
        Owner: DelegationTokenPrincipal
        /// Who created it; none if the broker does not report it (before Kafka 3.3).
        Requester: DelegationTokenPrincipal option
        /// Who may renew the token in addition to its owner. Empty for a token just created.
        Renewers: DelegationTokenPrincipal list
        Issued: DateTimeOffset
        /// When the token expires unless it is renewed.
        Expires: DateTimeOffset
        /// The latest time until which it can be renewed.
        MaxExpires: DateTimeOffset
    }

    /// The password for SCRAM: the secret in base64.
    member this.Password: string = Convert.ToBase64String this.Hmac.Span

    /// Without the secret.
    override this.ToString() =
        "delegation token "
        + this.Id
        + " of "
        + this.Owner.PrincipalType
        + ":"
        + this.Owner.PrincipalName
        + ", which expires at "
        + this.Expires.ToString("u", Globalization.CultureInfo.InvariantCulture)

/// Delegation tokens (KIP-48).
[<RequireQualifiedAccess>]
module internal TokenAdmin =

    // The nearest time in the calendar.
    let private time (milliseconds: int64) : DateTimeOffset =
        let last = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
        DateTimeOffset.FromUnixTimeMilliseconds(min last (max 0L milliseconds))

    let private periodOf (period: TimeSpan option) : int64 =
        match period with
        | Some period -> int64 period.TotalMilliseconds
        | None -> -1L

    let create (brokers: AdminBrokers) (token: NewDelegationToken) operation : Result<DelegationToken, AdminFault> =
        let request: CreateDelegationToken.Request =
            { OwnerPrincipalType = Some(token.Owner |> Option.map _.PrincipalType |> Option.defaultValue "")
              OwnerPrincipalName = Some(token.Owner |> Option.map _.PrincipalName |> Option.defaultValue "")
              Renewers = token.Renewers
              MaxLifetimeMs = periodOf token.MaxLifetime }

        let principal kind name : DelegationTokenPrincipal = { PrincipalType = kind; PrincipalName = name }

        AdminRequest.answer (brokers.ConnectAny operation) operation CreateDelegationToken.api request (fun response ->
            AdminFault.check
                response.Error
                None
                { Id = response.TokenId
                  Hmac = response.Hmac
                  Owner = principal response.PrincipalType response.PrincipalName
                  Requester =
                    (if response.TokenRequesterPrincipalName = "" then
                         None
                     else
                         Some(principal response.TokenRequesterPrincipalType response.TokenRequesterPrincipalName))
                  Renewers = token.Renewers
                  Issued = time response.IssueTimestampMs
                  Expires = time response.ExpiryTimestampMs
                  MaxExpires = time response.MaxTimestampMs })

    let renew (brokers: AdminBrokers) (hmac: Bytes) (period: TimeSpan option) operation : Result<DateTimeOffset, AdminFault> =
        let request: RenewDelegationToken.Request = { Hmac = hmac; RenewPeriodMs = periodOf period }

        AdminRequest.answer (brokers.ConnectAny operation) operation RenewDelegationToken.api request (fun response ->
            AdminFault.check response.Error None (time response.ExpiryTimestampMs))

    let expire (brokers: AdminBrokers) (hmac: Bytes) (period: TimeSpan option) operation : Result<DateTimeOffset, AdminFault> =
        let request: ExpireDelegationToken.Request = { Hmac = hmac; ExpiryTimePeriodMs = periodOf period }

        AdminRequest.answer (brokers.ConnectAny operation) operation ExpireDelegationToken.api request (fun response ->
            AdminFault.check response.Error None (time response.ExpiryTimestampMs))

    let private described (token: DescribeDelegationToken.Token) : DelegationToken =
        { Id = token.TokenId
          Hmac = token.Hmac
          Owner = { PrincipalType = token.PrincipalType; PrincipalName = token.PrincipalName }
          Requester =
            (if token.TokenRequesterPrincipalName = "" then
                 None
             else
                 Some { PrincipalType = token.TokenRequesterPrincipalType; PrincipalName = token.TokenRequesterPrincipalName })
          Renewers = token.Renewers
          Issued = time token.IssueTimestamp
          Expires = time token.ExpiryTimestamp
          MaxExpires = time token.MaxTimestamp }

    let describe (brokers: AdminBrokers) owners operation : Result<DelegationToken list, AdminFault> =
        AdminRequest.answer (brokers.ConnectAny operation) operation DescribeDelegationToken.api { Owners = owners } (fun response ->
            AdminFault.check response.Error None (List.map described response.Tokens))
