namespace LibKafka.Testing

open System.Text.Json.Nodes
open LibKafka
open LibKafka.Protocol

/// The partitions that a request has created and deleted so far, and how it is throttled for that.
[<NoEquality; NoComparison>]
type internal Mutations = { Current: State; ThrottleMs: int32 }

/// Client quotas: what is used of them, and throttle times.
[<RequireQualifiedAccess>]
module internal Quotas =

    [<Literal>]
    let ProducerRate = "producer_byte_rate"

    [<Literal>]
    let ConsumerRate = "consumer_byte_rate"

    [<Literal>]
    let RequestPercentage = "request_percentage"

    /// Created and deleted partitions per second (KIP-599).
    [<Literal>]
    let MutationRate = "controller_mutation_rate"

    /// New connections per second (KIP-612).
    [<Literal>]
    let ConnectionRate = "connection_creation_rate"

    // ---- Use ----

    let private limitOf (key: string) (subject: QuotaSubject) (table: QuotaTable) : float option =
        table.Limits.TryFind subject |> Option.bind (Map.tryFind key)

    /// The quota for a caller: its limit, and the subject whose use is counted. The most specific one counts. A client without an id has no
    /// default quota of client ids.
    let private limitFor (key: string) (user: string) (clientId: string) (table: QuotaTable) : struct (float * QuotaSubject) voption =
        let named (name: string) = ValueSome name
        let anyClient = if clientId = "" then [] else [ ValueSome "" ]
        let thisClient = if clientId = "" then [] else [ named clientId ]

        let candidates =
            [ for u in [ named user; ValueSome "" ] do
                  for c in thisClient @ anyClient do
                      { User = u; ClientId = c; Address = ValueNone }
                  { User = u; ClientId = ValueNone; Address = ValueNone }
              for c in thisClient @ anyClient do
                  { User = ValueNone; ClientId = c; Address = ValueNone } ]

        // The default of a kind is counted for each user and client id separately.
        let counted (subject: QuotaSubject) =
            { subject with
                User = subject.User |> ValueOption.map (fun _ -> user)
                ClientId = subject.ClientId |> ValueOption.map (fun _ -> clientId) }

        candidates
        |> List.tryPick (fun subject -> limitOf key subject table |> Option.map (fun limit -> struct (limit, counted subject)))
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

    let private userOf (call: Call) (state: State) : string =
        let principal = Security.principal call.Caller state
        if principal.StartsWith("User:", System.StringComparison.Ordinal) then
            principal.Substring 5
        else
            principal

    let private limitForCaller (call: Call) (key: string) (state: State) : struct (float * QuotaSubject) voption =
        limitFor key (userOf call state) (call.Caller.Header.ClientId |> Option.defaultValue "") state.Quotas

    /// Counts the use of a quota, and gives the throttle time. With `isKept` the use counts though it is over the limit.
    let private count (now: Moment) (counted: QuotaUse) (limit: float) (amount: float) (perSecond: float) (isKept: bool) (state: State) =
        let before = state.Quotas.Used.TryFind counted |> Option.defaultValue []
        let samples = noted now amount state.Quotas before
        let time = throttleTime now limit perSecond state.Quotas samples

        if time > 0 && not isKept then
            state, time
        else
            { state with Quotas = { state.Quotas with Used = state.Quotas.Used.Add(counted, samples) } }, time

    let private used (call: Call) (key: string) (amount: float) (perSecond: float) (isKept: bool) (state: State) : State * int32 =
        match limitForCaller call key state with
        | ValueNone -> state, 0
        | ValueSome(struct (limit, subject)) ->
            count call.Now { Node = call.Node; Key = key; Subject = subject } limit amount perSecond isKept state

    // ---- Partitions ----

    let begin' (state: State) : Mutations = { Current = state; ThrottleMs = 0 }

    /// Counts partitions that a request creates or deletes. A version of the request that is strict must not do it while the quota is exceeded,
    /// which gives false; other versions may, and are only throttled.
    let mutate (call: Call) (isStrict: bool) (partitions: int) (before: Mutations) : Mutations * bool =
        match limitForCaller call MutationRate before.Current with
        | ValueNone -> before, true
        | ValueSome(struct (limit, subject)) ->
            let table = before.Current.Quotas
            let bucket = table.Tokens.TryFind subject |> Option.defaultValue { Tokens = 0.0; Updated = 0L }
            let burst = float table.ControllerWindows * limit
            let filled = min burst (bucket.Tokens + limit * float (call.Now - bucket.Updated) / 1000.0)
            // A sum of fractions may be a little below zero.
            let isExceeded tokens = tokens < -1e-6
            let isAllowed = not isStrict || not (isExceeded filled)
            let left = if isAllowed then filled - float partitions else filled
            let isThrottled = if isStrict then not isAllowed else isExceeded left
            let time = if isThrottled then int32 (System.Math.Round(-left / limit * 1000.0)) else 0
            let tokens = table.Tokens.Add(subject, { Tokens = left; Updated = call.Now })

            { Current = { before.Current with Quotas = { table with Tokens = tokens } }; ThrottleMs = max before.ThrottleMs time },
            isAllowed

    // ---- Connections ----

    /// Counts a new connection to a broker. It is accepted if the throttle time is 0; otherwise the broker closes it after this time, which is at
    /// most a window.
    let connect (now: Moment) (node: int32) (address: string) (state: State) : State * int32 =
        let subject name = { User = ValueNone; ClientId = ValueNone; Address = ValueSome name }

        match [ address; "" ] |> List.tryPick (fun name -> limitOf ConnectionRate (subject name) state.Quotas) with
        | None -> state, 0
        | Some limit ->
            let counted = { Node = node; Key = ConnectionRate; Subject = subject address }
            let state, time = count now counted limit 1.0 1.0 false state
            state, min time (int32 state.Quotas.WindowMs)

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
