namespace LibKafka.Testing

open System
open System.Security.Cryptography
open System.Text
open LibKafka
open LibKafka.Wire
open LibKafka.Protocol

/// CreateDelegationToken, RenewDelegationToken, ExpireDelegationToken and DescribeDelegationToken (KIP-48).
[<RequireQualifiedAccess>]
module internal DelegationTokens =

    /// delegation.token.secret.key
    let private secret = "LibKafka.Testing"B

    /// delegation.token.max.lifetime.ms
    let private mostLifetime: Moment = 7L * 24L * 3_600_000L

    /// delegation.token.expiry.time.ms
    let private standardPeriod: Moment = 24L * 3_600_000L

    let private parts (principal: string) : DelegationTokenPrincipal =
        let colon = principal.IndexOf ':'
        { PrincipalType = principal.Substring(0, colon); PrincipalName = principal.Substring(colon + 1) }

    let private text (principal: DelegationTokenPrincipal) : string = principal.PrincipalType + ":" + principal.PrincipalName

    let private withTokens (tokens: Map<string, StoredToken>) (state: State) : State =
        { state with Security = { state.Security with Tokens = tokens } }

    // ---- Creating ----

    let private created (code: ErrorCode) (owner: string) (requester: string) (token: StoredToken voption) : Response =
        let time (timeOf: StoredToken -> Moment) = token |> ValueOption.map timeOf |> ValueOption.defaultValue -1L
        let owner, requester = parts owner, parts requester

        Response.CreateDelegationToken
            { Error = code
              PrincipalType = owner.PrincipalType
              PrincipalName = owner.PrincipalName
              TokenRequesterPrincipalType = requester.PrincipalType
              TokenRequesterPrincipalName = requester.PrincipalName
              IssueTimestampMs = time _.Issued
              ExpiryTimestampMs = time _.Expires
              MaxTimestampMs = time _.MaxExpires
              TokenId = token |> ValueOption.map _.Id |> ValueOption.defaultValue ""
              Hmac = token |> ValueOption.map _.Hmac |> ValueOption.defaultValue Bytes.empty
              ThrottleTimeMs = 0 }

    let private make (call: Call) owner requester (request: CreateDelegationToken.Request) (state: State) : State * StoredToken =
        let state, uuid = Ids.uuid state
        let id = Buffers.Text.Base64Url.EncodeToString(ReadOnlySpan(uuid.ToByteArray true))

        let lifetime = if request.MaxLifetimeMs > 0L then min mostLifetime request.MaxLifetimeMs else mostLifetime

        let token =
            { Id = id
              Hmac = Bytes(HMACSHA512.HashData(secret, Encoding.UTF8.GetBytes id))
              Owner = owner
              Requester = requester
              Renewers = List.map text request.Renewers
              Issued = call.Now
              Expires = call.Now + min standardPeriod lifetime
              MaxExpires = call.Now + lifetime }

        withTokens (state.Security.Tokens.Add(id, token)) state, token

    let private create (call: Call) (request: CreateDelegationToken.Request) (state: State) : State * Response =
        let requester = Security.principal call.Caller state

        let owner =
            match request.OwnerPrincipalType, request.OwnerPrincipalName with
            | Some kind, Some name when kind <> "" && name <> "" -> kind + ":" + name
            | _ -> requester

        let refused code = state, created code owner requester ValueNone

        if not (Security.mayAskForTokens call.Caller state) then
            refused ErrorCode.DelegationTokenRequestNotAllowed
        elif owner <> requester && not (Security.isAllowed call AclOperation.CreateTokens AclResourceType.User owner state) then
            refused ErrorCode.DelegationTokenAuthorizationFailed
        elif request.Renewers |> List.exists (fun renewer -> renewer.PrincipalType <> "User") then
            refused ErrorCode.InvalidPrincipalType
        else
            let state, token = make call owner requester request state
            state, created ErrorCode.None owner requester (ValueSome token)

    // ---- Changing ----

    // The token that a caller may change, or why not.
    let private changeable (call: Call) (hmac: Bytes) (state: State) : Result<StoredToken, ErrorCode> =
        let principal = Security.principal call.Caller state
        let isMeant (token: StoredToken) = token.Hmac.Span.SequenceEqual hmac.Span

        if not (Security.mayAskForTokens call.Caller state) then
            Error ErrorCode.DelegationTokenRequestNotAllowed
        else
            match state.Security.Tokens.Values |> Seq.tryFind isMeant with
            | None -> Error ErrorCode.DelegationTokenNotFound
            | Some token when token.Owner <> principal && not (List.contains principal token.Renewers) ->
                Error ErrorCode.DelegationTokenOwnerMismatch
            | Some token -> Ok token

    let private expiringAt (moment: Moment) (token: StoredToken) (state: State) : State * Moment =
        let moment = min moment token.MaxExpires
        withTokens (state.Security.Tokens.Add(token.Id, { token with Expires = moment })) state, moment

    let private renew (call: Call) (request: RenewDelegationToken.Request) (state: State) : State * Response =
        let reply code moment = Response.RenewDelegationToken { Error = code; ExpiryTimestampMs = moment; ThrottleTimeMs = 0 }

        match changeable call request.Hmac state with
        | Error code -> state, reply code -1L
        | Ok token when token.Expires <= call.Now -> state, reply ErrorCode.DelegationTokenExpired -1L
        | Ok token ->
            let period = if request.RenewPeriodMs < 0L then standardPeriod else request.RenewPeriodMs
            let state, moment = expiringAt (call.Now + period) token state
            state, reply ErrorCode.None moment

    let private expire (call: Call) (request: ExpireDelegationToken.Request) (state: State) : State * Response =
        let reply code moment = Response.ExpireDelegationToken { Error = code; ExpiryTimestampMs = moment; ThrottleTimeMs = 0 }

        match changeable call request.Hmac state with
        | Error code -> state, reply code -1L
        | Ok token when request.ExpiryTimePeriodMs < 0L ->
            withTokens (state.Security.Tokens.Remove token.Id) state, reply ErrorCode.None call.Now
        | Ok token when token.Expires <= call.Now -> state, reply ErrorCode.DelegationTokenExpired -1L
        | Ok token ->
            let state, moment = expiringAt (call.Now + request.ExpiryTimePeriodMs) token state
            state, reply ErrorCode.None moment

    // ---- Describing ----

    let private described (token: StoredToken) : DescribeDelegationToken.Token =
        let owner, requester = parts token.Owner, parts token.Requester

        { PrincipalType = owner.PrincipalType
          PrincipalName = owner.PrincipalName
          TokenRequesterPrincipalType = requester.PrincipalType
          TokenRequesterPrincipalName = requester.PrincipalName
          IssueTimestamp = token.Issued
          ExpiryTimestamp = token.Expires
          MaxTimestamp = token.MaxExpires
          TokenId = token.Id
          Hmac = token.Hmac
          Renewers = List.map parts token.Renewers }

    let private describe (call: Call) (request: DescribeDelegationToken.Request) (state: State) : Response =
        let principal = Security.principal call.Caller state

        let isVisible (token: StoredToken) =
            token.Owner = principal
            || token.Requester = principal
            || List.contains principal token.Renewers
            || Security.isAllowed call AclOperation.Describe AclResourceType.DelegationToken token.Id state

        let isAsked (token: StoredToken) =
            match request.Owners with
            | None -> true
            | Some owners -> owners |> List.exists (fun owner -> text owner = token.Owner)

        let reply code tokens = Response.DescribeDelegationToken { Error = code; Tokens = tokens; ThrottleTimeMs = 0 }

        if Security.mayAskForTokens call.Caller state then
            let isShown (token: StoredToken) = token.Expires > call.Now && isAsked token && isVisible token
            reply ErrorCode.None (state.Security.Tokens.Values |> Seq.filter isShown |> Seq.map described |> List.ofSeq)
        else
            reply ErrorCode.DelegationTokenRequestNotAllowed []

    /// ValueNone for other requests.
    let tryHandle (call: Call) (request: Request) (state: State) : (State * Answer) voption =
        let answer (state: State, response: Response) = ValueSome(state, Reply response)

        match request with
        | Request.CreateDelegationToken request -> answer (create call request state)
        | Request.RenewDelegationToken request -> answer (renew call request state)
        | Request.ExpireDelegationToken request -> answer (expire call request state)
        | Request.DescribeDelegationToken request -> answer (state, describe call request state)
        | _ -> ValueNone
