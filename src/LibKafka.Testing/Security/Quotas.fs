namespace LibKafka.Testing

open System.Text.Json.Nodes
open LibKafka
open LibKafka.Protocol

/// Client quotas: throttle times, DescribeClientQuotas and AlterClientQuotas.
[<RequireQualifiedAccess>]
module internal Quotas =

    [<Literal>]
    let private ProducerRate = "producer_byte_rate"

    [<Literal>]
    let private ConsumerRate = "consumer_byte_rate"

    [<Literal>]
    let private RequestPercentage = "request_percentage"

    let private keys = [ ProducerRate; ConsumerRate; RequestPercentage; "controller_mutation_rate" ]

    // ---- Use ----

    /// The quota for a caller: its limit, and the subject whose use is counted. The most specific one counts. A client without an id has no
    /// default quota of client ids.
    let private limitFor (key: string) (user: string) (clientId: string) (table: QuotaTable) : struct (float * QuotaSubject) voption =
        let named (name: string) = ValueSome name
        let anyClient = if clientId = "" then [] else [ ValueSome "" ]
        let thisClient = if clientId = "" then [] else [ named clientId ]

        let candidates =
            [ for u in [ named user; ValueSome "" ] do
                  for c in thisClient @ anyClient do
                      { User = u; ClientId = c }
                  { User = u; ClientId = ValueNone }
              for c in thisClient @ anyClient do
                  { User = ValueNone; ClientId = c } ]

        // The default of a kind is counted for each user and client id separately.
        let counted (subject: QuotaSubject) =
            { User = subject.User |> ValueOption.map (fun _ -> user)
              ClientId = subject.ClientId |> ValueOption.map (fun _ -> clientId) }

        candidates
        |> List.tryPick (fun subject ->
            table.Limits.TryFind subject
            |> Option.bind (Map.tryFind key)
            |> Option.map (fun limit -> struct (limit, counted subject)))
        |> Option.toValueOption

    /// The windows that still count.
    let private current (now: Moment) (table: QuotaTable) (samples: QuotaSample list) : QuotaSample list =
        samples |> List.filter (fun sample -> now - sample.Start < int64 table.Windows * table.WindowMs)

    let private noted (now: Moment) (amount: float) (table: QuotaTable) (samples: QuotaSample list) : QuotaSample list =
        match current now table samples with
        | latest :: older when now - latest.Start < table.WindowMs -> { latest with Used = latest.Used + amount } :: older
        | samples -> { Start = now; Used = amount } :: List.truncate (table.Windows - 1) samples

    /// How long a client must wait until its rate is within the limit, in milliseconds. The rate is that over at least all full windows.
    let private throttleTime (now: Moment) (limit: float) (perSecond: float) (table: QuotaTable) (samples: QuotaSample list) : int32 =
        let oldest = (List.last samples).Start
        let elapsed = now - oldest
        let fullWindows = elapsed / table.WindowMs
        let missing = max 0L (int64 (table.Windows - 1) - fullWindows)
        let time = float (elapsed + missing * table.WindowMs)
        let rate = (samples |> List.sumBy _.Used) / (time / 1000.0) * perSecond
        if rate <= limit then 0 else int32 (System.Math.Round((rate - limit) / limit * time))

    let private withUse (key: string) (subject: QuotaSubject) (samples: QuotaSample list) (state: State) : State =
        { state with Quotas = { state.Quotas with Used = state.Quotas.Used.Add((key, subject), samples) } }

    let private userOf (call: Call) (state: State) : string =
        let principal = Security.principal call.Caller state
        if principal.StartsWith("User:", System.StringComparison.Ordinal) then
            principal.Substring 5
        else
            principal

    /// Counts the use of a quota, and gives the throttle time. With `isKept` the use counts though it is over the limit.
    let private used (call: Call) (key: string) (amount: float) (perSecond: float) (isKept: bool) (state: State) : State * int32 =
        let clientId = call.Caller.Header.ClientId |> Option.defaultValue ""

        match limitFor key (userOf call state) clientId state.Quotas with
        | ValueNone -> state, 0
        | ValueSome(struct (limit, subject)) ->
            let before = state.Quotas.Used.TryFind(key, subject) |> Option.defaultValue []
            let samples = noted call.Now amount state.Quotas before
            let time = throttleTime call.Now limit perSecond state.Quotas samples
            (if time > 0 && not isKept then state else withUse key subject samples state), time

    // ---- Responses ----

    /// The size of a response, as a broker counts it.
    let private sizeOf (version: int16) (response: Response) : int =
        match Response.encode version response with
        | Ok bytes -> bytes.Length + 4
        | Error _ -> 0

    /// A fetch over the quota has no topics. A full one opens no session.
    let private emptied (request: Fetch.Request) (time: int32) (response: Fetch.Response) : Fetch.Response =
        { response with
            ThrottleTimeMs = time
            Topics = []
            SessionId = (if request.SessionEpoch > 0 then response.SessionId else 0) }

    /// A response of any API with a throttle time, if its version has one.
    let private throttled (version: int16) (time: int32) (response: Response) : Response =
        match response with
        | Response.Produce produced -> Response.Produce { produced with ThrottleTimeMs = time }
        | response ->
            let read (json: string) =
                match JsonNode.Parse json with
                | :? JsonObject as fields when fields.ContainsKey "throttleTimeMs" ->
                    fields["throttleTimeMs"] <- JsonValue.Create time
                    Response.ofJson (Response.apiKey response) version (fields.ToJsonString()) |> Result.toOption
                | _ -> None

            Response.toJson version response |> Result.toOption |> Option.bind read |> Option.defaultValue response

    let private chargeBytes (call: Call) (request: Request) (response: Response) (state: State) : State * Response =
        match request, response with
        | Request.Produce _, _ ->
            let state, time = used call ProducerRate (float call.Caller.RequestSize) 1.0 true state
            state, (if time > 0 then throttled call.Version time response else response)
        | Request.Fetch request, Response.Fetch fetched ->
            let state, time = used call ConsumerRate (float (sizeOf call.Version response)) 1.0 false state
            state, (if time > 0 then Response.Fetch(emptied request time fetched) else response)
        | _ -> state, response

    /// A request counts for `RequestCost` milliseconds, in percent of a thread. The throttle time is at most a window.
    let private chargeRequest (call: Call) (request: Request) (response: Response) (state: State) : State * Response =
        let state, time = used call RequestPercentage state.Quotas.RequestCost 0.1 true state
        let time = min time (int32 state.Quotas.WindowMs)

        if time <= Response.throttleTimeMs response then
            state, response
        else
            match request, response with
            | Request.Fetch request, Response.Fetch fetched -> state, Response.Fetch(emptied request time fetched)
            | _ -> state, throttled call.Version time response

    /// Charges the caller for a request that was answered, and sets the throttle time of the response.
    let charge (call: Call) (request: Request) (response: Response) (state: State) : State * Response =
        if state.Quotas.Limits.IsEmpty then
            state, response
        else
            let state, response = chargeBytes call request response state
            chargeRequest call request response state

    // ---- Administration ----

    /// The subject of an entity, or what is wrong with it. Quotas by address are not kept.
    let private subjectOf (entity: QuotaEntity list) : Result<QuotaSubject, string> =
        let find (kind: string) =
            entity
            |> List.tryFind (fun part -> part.EntityType = kind)
            |> Option.map (fun part -> Option.defaultValue "" part.EntityName)
            |> Option.toValueOption

        match entity |> List.tryFind (fun part -> part.EntityType <> "user" && part.EntityType <> "client-id") with
        | _ when entity.IsEmpty -> Error "Invalid empty client quota entity"
        | Some unknown -> Error("Unhandled client quota entity type: " + unknown.EntityType)
        | None -> Ok { User = find "user"; ClientId = find "client-id" }

    let private change (operations: AlterClientQuotas.Operation list) (limits: Map<string, float>) : Result<Map<string, float>, string> =
        match operations |> List.tryFind (fun operation -> not (List.contains operation.Key keys)) with
        | Some unknown -> Error("Invalid configuration key " + unknown.Key)
        | None when operations |> List.exists (fun operation -> not operation.Remove && operation.Value <= 0.0) ->
            Error "Quota values must be greater than 0."
        | None ->
            let apply limits (operation: AlterClientQuotas.Operation) =
                if operation.Remove then
                    Map.remove operation.Key limits
                else
                    Map.add operation.Key operation.Value limits

            Ok(List.fold apply limits operations)

    let private alterOne (validateOnly: bool) (state: State, results) (entry: AlterClientQuotas.EntryRequest) =
        let result code text : AlterClientQuotas.EntryResult = { Error = code; ErrorMessage = text; Entity = entry.Entity }
        let limitsOf subject = state.Quotas.Limits.TryFind subject |> Option.defaultValue Map.empty

        let changed =
            subjectOf entry.Entity
            |> Result.bind (fun subject -> change entry.Operations (limitsOf subject) |> Result.map (fun limits -> subject, limits))

        match changed with
        | Error text -> state, result ErrorCode.InvalidRequest (Some text) :: results
        | Ok _ when validateOnly -> state, result ErrorCode.None None :: results
        | Ok(subject, limits) ->
            let all =
                if limits.IsEmpty then
                    state.Quotas.Limits.Remove subject
                else
                    state.Quotas.Limits.Add(subject, limits)
            { state with Quotas = { state.Quotas with Limits = all } }, result ErrorCode.None None :: results

    let private alter (call: Call) (request: AlterClientQuotas.Request) (state: State) : State * Response =
        let reply (results: AlterClientQuotas.EntryResult list) = Response.AlterClientQuotas { ThrottleTimeMs = 0; Entries = results }

        if Security.isAllowed call AclOperation.AlterConfigs AclResourceType.Cluster Security.clusterName state then
            let state, results = request.Entries |> List.fold (alterOne request.ValidateOnly) (state, [])
            state, reply (List.rev results)
        else
            let refused (entry: AlterClientQuotas.EntryRequest) : AlterClientQuotas.EntryResult =
                { Error = ErrorCode.ClusterAuthorizationFailed; ErrorMessage = None; Entity = entry.Entity }

            state, reply (request.Entries |> List.map refused)

    let private entityOf (subject: QuotaSubject) : QuotaEntity list =
        let part kind (name: string voption) : QuotaEntity list =
            match name with
            | ValueNone -> []
            | ValueSome "" -> [ { EntityType = kind; EntityName = None } ]
            | ValueSome name -> [ { EntityType = kind; EntityName = Some name } ]

        part "user" subject.User @ part "client-id" subject.ClientId

    let private matches (filter: DescribeClientQuotas.Filter) (entity: QuotaEntity list) =
        entity
        |> List.exists (fun part ->
            part.EntityType = filter.EntityType
            && (match filter.MatchType with
                | QuotaMatchType.Exact -> part.EntityName = filter.Match
                | QuotaMatchType.Default -> part.EntityName.IsNone
                | _ -> true))

    let private describe (call: Call) (request: DescribeClientQuotas.Request) (state: State) : Response =
        let refused code text = Response.DescribeClientQuotas { ThrottleTimeMs = 0; Error = code; ErrorMessage = Some text; Entries = None }

        let isMeant (entity: QuotaEntity list) =
            request.Components |> List.forall (fun filter -> matches filter entity)
            && (not request.Strict || entity.Length = request.Components.Length)

        let hasName (filter: DescribeClientQuotas.Filter) = filter.MatchType = QuotaMatchType.Specified && filter.Match.IsSome

        if not (Security.isAllowed call AclOperation.DescribeConfigs AclResourceType.Cluster Security.clusterName state) then
            refused ErrorCode.ClusterAuthorizationFailed "Cluster authorization failed."
        elif request.Components |> List.exists hasName then
            refused ErrorCode.InvalidRequest "Request specified MATCH_TYPE_SPECIFIED, but also specified a match string."
        else
            let entry (subject, limits) : DescribeClientQuotas.Entry =
                { Entity = entityOf subject; Values = [ for key, value in Map.toSeq limits -> { Key = key; Value = value } ] }

            let entries = state.Quotas.Limits |> Map.toList |> List.map entry |> List.filter (fun entry -> isMeant entry.Entity)

            Response.DescribeClientQuotas { ThrottleTimeMs = 0; Error = ErrorCode.None; ErrorMessage = None; Entries = Some entries }

    /// ValueNone for other requests.
    let tryHandle (call: Call) (request: Request) (state: State) : (State * Answer) voption =
        match request with
        | Request.DescribeClientQuotas request -> ValueSome(state, Reply(describe call request state))
        | Request.AlterClientQuotas request ->
            let state, response = alter call request state
            ValueSome(state, Reply response)
        | _ -> ValueNone
