namespace LibKafka.Testing

open System
open System.Collections.Generic
open System.Diagnostics
open System.Runtime.InteropServices
open System.Threading
open LibKafka
open LibKafka.Wire
open LibKafka.Protocol

/// A request that a broker got, and its response.
[<Sealed>]
type BrokerExchange
    internal (number: int64, time: DateTimeOffset, broker: int32, connection: int64, header: RequestHeader, request: Request) =
    [<VolatileField>]
    let mutable response: Response option = None

    /// The bytes of the request and of the response, for the limit of the log that has the exchange.
    member val internal Size = 0 with get, set

    /// The arrays of which the response has slices, such as those of a partition's log.
    member val internal Arrays: byte[] list = [] with get, set

    /// Whether a log still has the exchange.
    member val internal IsKept = true with get, set

    /// The position of the request among all that were received, from 1 on.
    member _.Number = number

    /// When the request was received.
    member _.Time = time

    /// The id of the broker; -1 for a fault proxy.
    member _.Broker = broker

    /// The number of the client's connection. A new connection has a new number.
    member _.Connection = connection

    member _.Header: RequestHeader = header
    member _.Api: ApiKey = header.ApiKey
    member _.Version: int16 = header.ApiVersion

    /// The client id; empty if there is none.
    member _.ClientId: string = Option.defaultValue "" header.ClientId

    member _.Request: Request = request

    /// The response that was sent, or is just being sent; None as long as there is none.
    member _.Response: Response option = response

    /// Whether there is a response.
    member _.IsAnswered = response.IsSome

    member internal _.Answer(sent: Response) = response <- Some sent

    override this.ToString() =
        let answer =
            match response with
            | Some response -> " -> " + Response.show response
            | None -> ""

        string number + " " + this.Api.ToString() + " v" + string this.Version + " " + Request.show request + answer

/// Which requests are meant. A property that is null matches every request.
[<Sealed>]
type RequestFilter() =
    member val Api = Nullable<ApiKey>() with get, set
    member val Version = Nullable<int16>() with get, set

    /// A topic that the request names. The incremental requests of a fetch session name only the partitions that change.
    member val Topic: string | null = null with get, set

    /// A partition that the request names.
    member val Partition = Nullable<int32>() with get, set

    member val ClientId: string | null = null with get, set

    /// The id of the broker that gets the request.
    member val Broker = Nullable<int32>() with get, set

    /// Any other condition.
    member val Where: Func<BrokerExchange, bool> | null = null with get, set

    member internal this.Matches(nameOf: Guid -> string option, exchange: BrokerExchange) : bool =
        (not this.Api.HasValue || this.Api.Value = exchange.Api)
        && (not this.Version.HasValue || this.Version.Value = exchange.Version)
        && (not this.Broker.HasValue || this.Broker.Value = exchange.Broker)
        && (isNull this.ClientId || this.ClientId = exchange.ClientId)
        && RequestPlaces.isAbout nameOf this.Topic this.Partition exchange.Request
        && (match this.Where with
            | null -> true
            | where -> where.Invoke exchange)

    override this.ToString() =
        let part name (value: string | null) =
            match value with
            | null
            | "" -> ""
            | value -> name + " " + value

        let parts =
            [ part "" (this.Api.ToString())
              part "version" (this.Version.ToString())
              part "topic" this.Topic
              part "partition" (this.Partition.ToString())
              part "client" this.ClientId
              part "broker" (this.Broker.ToString()) ]
            |> List.filter (fun text -> text <> "")

        if parts.IsEmpty then "any request" else (String.concat ", " parts).Trim()

[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal ReactionKind =
    | Proceed
    | Fail of ErrorCode
    | FailAfterwards of ErrorCode
    | Reply of Response
    | Change of Func<Response, Response>
    | Raw of Bytes
    | CutAfter of int
    | CutRequestAfter of int
    | Close
    | Ignore
    | Silence
    | WrongCorrelationId

/// What happens to a request.
[<Sealed; AllowNullLiteral>]
type Reaction private (kind: ReactionKind, delay: TimeSpan) =

    static let of' kind = Reaction(kind, TimeSpan.Zero)

    static let count (name: string) (bytes: int) =
        if bytes < 0 then
            raise (ArgumentOutOfRangeException(name, bytes, "The number of bytes is negative."))

    /// The request is carried out and answered as usual.
    static member Proceed = of' ReactionKind.Proceed

    /// The request is not carried out. Each part of the response has the error.
    static member Fail(code: ErrorCode) = of' (ReactionKind.Fail code)

    /// The request is carried out, but each part of the response has the error.
    static member FailAfterwards(code: ErrorCode) = of' (ReactionKind.FailAfterwards code)

    /// The request is not carried out. This is the response.
    static member Reply(response: Response) =
        ArgumentNullException.ThrowIfNull response
        of' (ReactionKind.Reply response)

    /// The request is carried out, and the function changes the response.
    static member Change(change: Func<Response, Response>) =
        ArgumentNullException.ThrowIfNull change
        of' (ReactionKind.Change change)

    /// The request is not carried out. These bytes are sent as they are, without a length before them.
    static member Raw(bytes: Bytes) = of' (ReactionKind.Raw bytes)

    /// The request is carried out. The first `bytes` bytes of the response are sent, counted from its length, and then the connection is
    /// closed.
    static member CutAfter(bytes: int) =
        count (nameof bytes) bytes
        of' (ReactionKind.CutAfter bytes)

    /// The connection is closed after the first `bytes` bytes of the request, counted from its length, have arrived. The request is not
    /// carried out.
    static member CutRequestAfter(bytes: int) =
        count (nameof bytes) bytes
        of' (ReactionKind.CutRequestAfter bytes)

    /// The connection is closed. The request is not carried out.
    static member Close = of' ReactionKind.Close

    /// The request is not carried out. Neither it nor any later request of the connection is answered.
    static member Ignore = of' ReactionKind.Ignore

    /// The request is carried out. Neither it nor any later request of the connection is answered.
    static member Silence = of' ReactionKind.Silence

    /// The request is carried out, and the response has the correlation id of another request.
    static member WrongCorrelationId = of' ReactionKind.WrongCorrelationId

    /// The request is carried out at once, and the response comes later by this time.
    static member Delay(time: TimeSpan) = Reaction.Proceed.After time

    /// The same, but the response, or the closing, comes later by this time.
    member _.After(time: TimeSpan) =
        if time < TimeSpan.Zero then
            raise (ArgumentOutOfRangeException(nameof time, time, "The time is negative."))

        Reaction(kind, time)

    member internal _.Kind = kind
    member internal _.DelayTime = delay

/// A reaction to the requests that match a filter.
[<Sealed>]
type ScriptRule internal (filter: RequestFilter, react: Func<BrokerExchange, Reaction>, times: int) =
    let mutable hits = 0
    let mutable isRemoved = false

    /// The number of requests that the rule has applied to.
    member _.Hits = Volatile.Read &hits

    /// Ends the rule.
    member _.Remove() = Volatile.Write(&isRemoved, true)

    member internal _.IsOver = Volatile.Read &isRemoved || Volatile.Read &hits >= times

    /// Uses the rule once if it applies to the request. The caller holds a lock.
    member internal this.TryUse(nameOf: Guid -> string option, exchange: BrokerExchange) : bool =
        if not this.IsOver && filter.Matches(nameOf, exchange) then
            hits <- hits + 1
            true
        else
            false

    member internal _.React(exchange: BrokerExchange) : Reaction =
        match react.Invoke exchange with
        | null -> Reaction.Proceed
        | reaction -> reaction

/// What happens to the requests of clients, other than what a broker usually does.
[<Sealed>]
type Script() =
    let gate = obj ()
    let rules = List<ScriptRule>()
    // Without rules, no lock is taken.
    let mutable count = 0

    let add filter react times =
        if times < 1 then
            raise (ArgumentOutOfRangeException(nameof times, times, "A rule applies at least once."))

        let rule = ScriptRule(filter, react, times)

        lock gate (fun () ->
            rules.Add rule
            Volatile.Write(&count, rules.Count))

        rule

    /// Reacts to the next `times` requests that match the filter; to all of them with `Int32.MaxValue`. The first rule that applies is used.
    member _.On(filter: RequestFilter, reaction: Reaction, [<Optional; DefaultParameterValue(1)>] times: int) : ScriptRule =
        ArgumentNullException.ThrowIfNull filter
        ArgumentNullException.ThrowIfNull reaction
        add filter (Func<_, _>(fun _ -> reaction)) times

    /// Reacts to the next `times` requests of an API.
    member this.On(api: ApiKey, reaction: Reaction, [<Optional; DefaultParameterValue(1)>] times: int) : ScriptRule =
        this.On(RequestFilter(Api = Nullable api), reaction, times)

    /// Calls a function for each of the next `times` requests that match the filter. It decides what happens.
    member _.On
        (filter: RequestFilter, react: Func<BrokerExchange, Reaction>, [<Optional; DefaultParameterValue(1)>] times: int)
        : ScriptRule =
        ArgumentNullException.ThrowIfNull filter
        ArgumentNullException.ThrowIfNull react
        add filter react times

    /// Removes all rules.
    member _.Clear() =
        lock gate (fun () ->
            rules.Clear()
            Volatile.Write(&count, 0))

    /// What happens to a request. `nameOf` gives the names of topics that are named by id.
    member internal _.React(nameOf: Guid -> string option, exchange: BrokerExchange) : Reaction =
        let find () =
            lock gate (fun () ->
                rules.RemoveAll(fun rule -> rule.IsOver) |> ignore
                Volatile.Write(&count, rules.Count)
                rules |> Seq.tryFind (fun rule -> rule.TryUse(nameOf, exchange)))

        match (if Volatile.Read &count = 0 then None else find ()) with
        | Some rule -> rule.React exchange
        | None -> Reaction.Proceed

/// The latest requests, and those who wait for one.
[<Sealed>]
type internal ExchangeLog(mostExchanges: int, mostBytes: int64) =
    static let fetchedRecords (response: Response option) : ArraySegment<byte> list =
        match response with
        | Some(Response.Fetch fetched) ->
            [ for topic in fetched.Topics do
                  for partition in topic.Partitions do
                      match partition.Records with
                      | Some records when records.Length > 0 ->
                          match MemoryMarshal.TryGetArray records.Memory with
                          | true, slice -> slice
                          | _ -> ()
                      | _ -> () ]
        | _ -> []

    let gate = obj ()
    let exchanges = Queue<BrokerExchange>()
    // Each array counts once, as long as at least one exchange keeps it.
    let arrays = Dictionary<byte[], int>(HashIdentity.Reference)
    let mutable bytes = 0L
    let mutable count = 0L
    let mutable waiting = 0

    let first (isMeant: BrokerExchange -> bool) : BrokerExchange option = exchanges |> Seq.tryFind isMeant

    let keep (array: byte[]) =
        match arrays.TryGetValue array with
        | true, users -> arrays[array] <- users + 1
        | _ ->
            arrays[array] <- 1
            bytes <- bytes + int64 array.Length

    let release (array: byte[]) =
        match arrays[array] with
        | 1 ->
            arrays.Remove array |> ignore
            bytes <- bytes - int64 array.Length
        | users -> arrays[array] <- users - 1

    let forgetOldest () =
        let oldest = exchanges.Dequeue()
        oldest.IsKept <- false
        bytes <- bytes - int64 oldest.Size
        List.iter release oldest.Arrays

    let grow (exchange: BrokerExchange) (size: int) =
        exchange.Size <- exchange.Size + size
        bytes <- bytes + int64 size

        while exchanges.Count > 1 && (exchanges.Count > mostExchanges || bytes > mostBytes) do
            forgetOldest ()

    /// Notes a request of some bytes. The oldest ones are forgotten.
    member _.Add(broker: int32, connection: int64, header: RequestHeader, request: Request, size: int) : BrokerExchange =
        lock gate (fun () ->
            count <- count + 1L
            let exchange = BrokerExchange(count, DateTimeOffset.UtcNow, broker, connection, header, request)
            exchanges.Enqueue exchange
            grow exchange size

            if waiting > 0 then Monitor.PulseAll gate
            exchange)

    /// Notes the size of the response of an exchange. Fetched records are slices of arrays, such as those of a log, which it keeps as a whole.
    member _.Grow(exchange: BrokerExchange, size: int) =
        let records = fetchedRecords exchange.Response

        lock gate (fun () ->
            if exchange.IsKept then
                exchange.Arrays <- records |> List.map (fun slice -> nonNull slice.Array)
                List.iter keep exchange.Arrays
                grow exchange (size - (records |> List.sumBy _.Count)))

    member _.Snapshot() : BrokerExchange list = lock gate (fun () -> List.ofSeq exchanges)

    member _.Clear() =
        lock gate (fun () ->
            for exchange in exchanges do
                exchange.IsKept <- false

            exchanges.Clear()
            arrays.Clear()
            bytes <- 0L)

    /// The first request that matches, among those that are remembered and those to come. TimeoutException after the time.
    member this.WaitFor(filter: RequestFilter, nameOf: Guid -> string option, timeout: TimeSpan) : BrokerExchange =
        let watch = Stopwatch.StartNew()
        let isMeant exchange = filter.Matches(nameOf, exchange)

        lock gate (fun () ->
            waiting <- waiting + 1

            try
                let mutable found = first isMeant

                while found.IsNone && watch.Elapsed < timeout do
                    Monitor.Wait(gate, max TimeSpan.Zero (timeout - watch.Elapsed)) |> ignore
                    found <- first isMeant

                match found with
                | Some exchange -> exchange
                | None ->
                    let apis = exchanges |> Seq.map (fun exchange -> exchange.Api.ToString()) |> Seq.distinct
                    let seen = if exchanges.Count = 0 then "There were none." else "There were: " + String.concat ", " apis + "."
                    raise (
                        TimeoutException(
                            "No request came within " + timeout.ToString() + " that matches: " + filter.ToString() + ". " + seen
                        )
                    )
            finally
                waiting <- waiting - 1)
