namespace LibKafka.Testing

open System
open LibKafka
open LibKafka.Wire
open LibKafka.Protocol

/// Authentication (SaslHandshake, SaslAuthenticate) and authorization.
[<RequireQualifiedAccess>]
module Security =

    /// The name of the cluster as a resource.
    [<Literal>]
    let clusterName = "kafka-cluster"

    // ---- Authentication ----

    let private begun: Authentication = { Stage = SaslStage.Begun; IsRaw = false; Session = ValueNone }

    let private find (connection: int64) (state: State) : Authentication =
        state.Security.Connections.TryFind connection |> Option.defaultValue begun

    let private set (connection: int64) (authentication: Authentication) (state: State) : State =
        { state with
            Security = { state.Security with Connections = state.Security.Connections.Add(connection, authentication) } }

    /// The principal of a connection.
    let principal (caller: Caller) (state: State) : string =
        match (find caller.Connection state).Session with
        | ValueSome session -> session.Principal
        | ValueNone -> caller.Principal

    /// Whether a connection may create and change delegation tokens: its client is known, and not by a token.
    let mayAskForTokens (caller: Caller) (state: State) : bool =
        match (find caller.Connection state).Session with
        | ValueSome session -> not session.IsByToken
        | ValueNone -> caller.Principal <> "User:ANONYMOUS"

    /// Forgets a connection that was closed.
    let closed (connection: int64) (state: State) : State =
        { state with Security = { state.Security with Connections = state.Security.Connections.Remove connection } }

    /// Whether an authentication failed, so that the connection must be closed.
    let isRefused (connection: int64) (state: State) : bool = (find connection state).Stage = SaslStage.Failed

    /// Whether the next frame of a connection is a SASL token without a Kafka header.
    let awaitsToken (connection: int64) (state: State) : bool =
        let authentication = find connection state

        authentication.IsRaw
        && (match authentication.Stage with
            | SaslStage.Chosen _
            | SaslStage.Challenged _
            | SaslStage.TokenRefused -> true
            | _ -> false)

    let private handshakeReply (code: ErrorCode) (mechanisms: string list) : Answer =
        Reply(Response.SaslHandshake { Error = code; Mechanisms = mechanisms })

    let private mayAuthenticateAgain (authentication: Authentication) (state: State) =
        authentication.Stage <> SaslStage.Authenticated || state.Security.MaxReauthMs > 0L

    let private handshake (call: Call) (request: SaslHandshake.Request) (state: State) : State * Answer =
        let table = state.Security
        let connection = call.Caller.Connection
        let authentication = find connection state

        if table.Mechanisms.IsEmpty || not (mayAuthenticateAgain authentication state) then
            state, handshakeReply ErrorCode.IllegalSaslState []
        elif not (List.contains request.Mechanism table.Mechanisms) then
            let failed = { authentication with Stage = SaslStage.Failed }
            set connection failed state, handshakeReply ErrorCode.UnsupportedSaslMechanism table.Mechanisms
        else
            let chosen = { authentication with Stage = SaslStage.Chosen request.Mechanism; IsRaw = call.Version = 0s }
            set connection chosen state, handshakeReply ErrorCode.None table.Mechanisms

    let private isByToken (stage: SaslStage) : bool =
        match stage with
        | SaslStage.Challenged(_, exchange) -> exchange.TokenExpires.IsSome
        | _ -> false

    let private mechanismOf (stage: SaslStage) : string =
        match stage with
        | SaslStage.Chosen mechanism
        | SaslStage.Challenged(mechanism, _) -> mechanism
        | _ -> ""

    /// How long the session lasts, and when it ends. Only `MaxReauthMs` makes the broker enforce it.
    let private lifetime (now: Moment) (expires: Moment voption) (state: State) : struct (int64 * Moment voption) =
        let most = state.Security.MaxReauthMs

        match expires with
        | ValueSome expires when most > 0L ->
            let time = min most (expires - now)
            struct (time, ValueSome(now + time))
        | ValueSome expires -> struct (expires - now, ValueNone)
        | ValueNone when most > 0L -> struct (most, ValueSome(now + most))
        | ValueNone -> struct (0L, ValueNone)

    /// The outcome of a message: what to send, and how long the session lasts; or the reason of the refusal.
    let private advance
        (now: Moment)
        (connection: int64)
        (message: Bytes)
        (state: State)
        : State * Result<struct (string * int64), string> =
        let authentication = find connection state
        let state, random = Ids.number state
        let fail reason = set connection { authentication with Stage = SaslStage.Failed } state, Error reason

        match SaslExchange.step state.Security now (random.ToString "x16") authentication.Stage message with
        | SaslStep.Refused reason -> fail reason
        | SaslStep.Challenge(stage, text) -> set connection { authentication with Stage = stage } state, Ok(struct (text, 0L))
        | SaslStep.Done(user, expires, text) ->
            let principal = "User:" + user
            let struct (time, ends) = lifetime now expires state
            let stage = authentication.Stage
            let session = { Principal = principal; Mechanism = mechanismOf stage; IsByToken = isByToken stage; Expires = ends }

            match authentication.Session with
            | ValueSome before when before.Principal <> principal -> fail "Cannot change principals during re-authentication."
            | _ ->
                let authenticated = { Stage = SaslStage.Authenticated; IsRaw = false; Session = ValueSome session }
                set connection authenticated state, Ok(struct (text, time))

    let private authenticateReply (code: ErrorCode) (text: string) (bytes: string) (lifetime: int64) : Answer =
        Reply(
            Response.SaslAuthenticate
                { Error = code; ErrorMessage = Some text; AuthBytes = Bytes.ofString bytes; SessionLifetimeMs = lifetime }
        )

    let private authenticate (call: Call) (request: SaslAuthenticate.Request) (state: State) : State * Answer =
        match (find call.Caller.Connection state).Stage with
        | _ when state.Security.Mechanisms.IsEmpty ->
            let text = "SaslAuthenticate request received after successful authentication"
            state, authenticateReply ErrorCode.IllegalSaslState text "" 0L
        | SaslStage.Authenticated ->
            let text = "SaslAuthenticate request received after successful authentication"
            state, authenticateReply ErrorCode.IllegalSaslState text "" 0L
        | SaslStage.Begun
        | SaslStage.Failed -> state, Close
        | _ ->
            match advance call.Now call.Caller.Connection request.AuthBytes state with
            | state, Ok(struct (text, lifetime)) -> state, authenticateReply ErrorCode.None "" text lifetime
            | state, Error reason -> state, authenticateReply ErrorCode.SaslAuthenticationFailed reason "" 0L

    /// The answer to a SASL token without a Kafka header. A refusal closes the connection.
    let token (now: Moment) (connection: int64) (message: Bytes) (state: State) : State * Answer =
        match advance now connection message state with
        | state, Ok(struct (text, _)) -> state, Raw(Bytes.ofString text)
        | state, Error _ -> state, Close

    let private isExpired (now: Moment) (authentication: Authentication) =
        match authentication.Session with
        | ValueSome { Expires = ValueSome moment } -> now > moment
        | _ -> false

    /// Refuses the requests of clients that have not authenticated, or whose session is over. ValueNone if the request is allowed.
    let gate (call: Call) (request: Request) (state: State) : (State * Answer) voption =
        if state.Security.Mechanisms.IsEmpty then
            ValueNone
        else
            let connection = call.Caller.Connection
            let authentication = find connection state

            match request, authentication.Stage with
            | _, SaslStage.Failed -> ValueSome(state, Close)
            | (Request.SaslHandshake _ | Request.SaslAuthenticate _), _ -> ValueNone
            | _, SaslStage.Authenticated when isExpired call.Now authentication -> ValueSome(state, Close)
            | _, SaslStage.Authenticated
            | Request.ApiVersions _, SaslStage.Begun -> ValueNone
            | _, SaslStage.Begun -> ValueSome(state, Close)
            | _ ->
                // Another request in place of a token.
                let failed = set connection { authentication with Stage = SaslStage.Failed } state
                match ErrorResponses.tryCreate call.Version request ErrorCode.IllegalSaslState with
                | ValueSome response -> ValueSome(failed, Reply response)
                | ValueNone -> ValueSome(failed, Close)

    // ---- Authorization ----

    /// Whether the permission to do one thing is also that to do another. A prohibition implies nothing.
    let private implies (granted: AclOperation) (asked: AclOperation) =
        granted = asked
        || granted = AclOperation.All
        || (asked = AclOperation.Describe
            && (granted = AclOperation.Read
                || granted = AclOperation.Write
                || granted = AclOperation.Delete
                || granted = AclOperation.Alter))
        || (asked = AclOperation.DescribeConfigs && granted = AclOperation.AlterConfigs)

    let private isOf (resource: AclResourceType) (name: string) (acl: Acl) =
        acl.ResourceType = resource
        && (if acl.PatternType = AclPatternType.Prefixed then
                name.StartsWith(acl.ResourceName, StringComparison.Ordinal)
            else
                acl.ResourceName = "*" || acl.ResourceName = name)

    let private isFor (principal: string) (host: string) (acl: Acl) =
        (acl.Principal = principal || acl.Principal = "User:*") && (acl.Host = "*" || acl.Host = host)

    let private allows (caller: Caller) (operation: AclOperation) (resource: AclResourceType) (name: string) (state: State) =
        let table = state.Security
        let principal = principal caller state
        let ofResource = table.Acls |> List.filter (isOf resource name)
        let own = ofResource |> List.filter (isFor principal caller.Host)

        let isDenied =
            own
            |> List.exists (fun acl ->
                acl.Permission = AclPermission.Deny && (acl.Operation = operation || acl.Operation = AclOperation.All))

        let isGranted = own |> List.exists (fun acl -> acl.Permission = AclPermission.Allow && implies acl.Operation operation)
        table.SuperUsers.Contains principal || (not isDenied && (isGranted || (ofResource.IsEmpty && table.AllowsWithoutAcl)))

    let private writesAnyTopic (caller: Caller) (state: State) =
        state.Security.Acls
        |> List.exists (fun acl ->
            acl.ResourceType = AclResourceType.Topic
            && acl.Permission = AclPermission.Allow
            && implies acl.Operation AclOperation.Write
            && isFor (principal caller state) caller.Host acl)

    /// Whether the caller may do something to a resource.
    let isAllowed (call: Call) (operation: AclOperation) (resource: AclResourceType) (name: string) (state: State) : bool =
        not state.Security.IsAuthorizing
        || allows call.Caller operation resource name state
        || (operation = AclOperation.IdempotentWrite && state.Settings.Release.IsAtLeast(2, 8) && writesAnyTopic call.Caller state)

    /// ValueNone for requests that are not about authentication.
    let tryHandle (call: Call) (request: Request) (state: State) : (State * Answer) voption =
        match request with
        | Request.SaslHandshake request -> ValueSome(handshake call request state)
        | Request.SaslAuthenticate request -> ValueSome(authenticate call request state)
        | _ -> ValueNone
