namespace LibKafka.Client

open LibKafka.Wire
open LibKafka.Protocol

/// A broker that was found for a role.
[<NoEquality; NoComparison>]
type internal Found<'Target> =
    {
        /// What is known about it.
        Target: 'Target
        Address: BrokerAddress
        /// A connection to it, if there is one already.
        Connection: Connection option
    }

    /// The connection to it, which is made if there is none.
    member this.Connect(operation: Operation) : Result<Connection, ClientFault> =
        match this.Connection with
        | Some connection -> Ok connection
        | None -> Connection.Open(this.Address, operation)

/// What a broker is needed for: to lead a partition, to coordinate a group, and so on.
[<NoEquality; NoComparison>]
type internal Role<'Target> =
    {
        /// The partition that the broker is needed for, if it is one.
        Partition: TopicPartition option
        /// Stands for the broker in a request that is not made because no broker was found.
        Unknown: 'Target
        /// Finds the broker.
        Find: Operation -> Result<Found<'Target>, ClientFault>
        /// Whether an error code means that another broker has the role, or that what is known about it is out of date.
        HasMoved: ErrorCode -> bool
        /// The broker to use, given the latest that is known and the error codes since it was connected to: the one that was found, unless that
        /// is older.
        Newer: 'Target -> ErrorCode list -> Found<'Target> -> Found<'Target>
    }

/// The broker that has a role, and the connection to it.
[<NoEquality; NoComparison>]
type internal Held<'Target> = { Target: 'Target; Connection: Connection }

/// A connection to the broker that has a role. It is made when it is first needed. It is closed when a call fails or the broker's error code
/// says that another broker has the role; the next call then goes to the broker that this one named, or finds it again. If the broker has
/// closed the connection since the last call, the next one makes another before it sends anything. Its guard is held while any of its methods runs.
[<Sealed>]
type internal Lease<'Target>(settings: ClientSettings, role: Role<'Target>, guard: ThreadGuard) =
    let history = BrokerHistory()
    let mutable current: Held<'Target> option = None
    let mutable last: 'Target option = None
    // The broker that the last one named, until it has been tried.
    let mutable named: Found<'Target> option = None
    // The broker that the caller handed over, until it fails. One of the two at most is there.
    let mutable handed: Found<'Target> option = None
    // The last exchange, and the first error code in its response, for telemetry. The client reports each code to `DropIfMoved`.
    let mutable exchanged: ExchangeInfo voption = ValueNone
    let mutable code = ErrorCode.None
    // The latest that was found, or that was named and connected to.
    let mutable latest: 'Target option = None
    // The different error codes since then.
    let mutable refusals: ErrorCode list = []

    let refuse (code: ErrorCode) = if not (List.contains code refusals) then refusals <- code :: refusals

    let look (operation: Operation) : Result<Found<'Target>, ClientFault> =
        let found = role.Find operation

        match found with
        | Error(ClientFault.NoLeader(_, code)) -> refuse code
        | _ -> ()

        let newer =
            match latest with
            | Some known -> found |> Result.map (role.Newer known refusals)
            | None -> found

        newer |> Result.iter (fun found -> latest <- Some found.Target)
        newer

    let drop () =
        current |> Option.iter _.Connection.Close()
        current <- None
        named <- None

    let keep (held: Held<'Target>) =
        current <- Some held
        last <- Some held.Target
        latest <- Some held.Target
        refusals <- []

    let hold (operation: Operation) (found: Found<'Target>) : Result<Held<'Target>, ClientFault> =
        found.Connect operation
        |> Result.map (fun connection ->
            let held = { Target = found.Target; Connection = connection }
            keep held
            held)

    // `asks` says whether the broker may be asked for if none is known or the one that is known cannot be connected to.
    let find (asks: bool) (operation: Operation) : Result<Held<'Target>, ClientFault> =
        let candidate = named |> Option.orElse handed
        drop ()

        match candidate |> Option.map (hold operation) with
        | Some(Ok held) -> Ok held
        | Some(Error ClientFault.Cancelled) -> Error ClientFault.Cancelled
        | failed ->
            handed <- None
            if asks then
                look operation |> Result.bind (hold operation)
            else
                Option.defaultValue (Error ClientFault.Closed) failed

    // Whether the caller has handed over another broker than the one that there is a connection to.
    let isReplaced (held: Held<'Target>) =
        match handed with
        | Some found -> found.Address <> held.Connection.Broker
        | None -> false

    let reach (asks: bool) (operation: Operation) : Result<Held<'Target>, ClientFault> =
        match current with
        | None -> find asks operation
        | Some held when isReplaced held -> find asks operation
        | Some held ->
            let hasFailed = handed.IsSome && not held.Connection.IsOpen
            guard.Join held.Connection.Guard

            match held.Connection.Ready operation with
            | None -> Ok held
            // The connection has ended. Nothing of the call was sent.
            | Some(ClientFault.Unusable _ | ClientFault.Closed | ClientFault.Broken _) ->
                if hasFailed then handed <- None

                find asks operation
            | Some fault -> Error fault

    let ours (operation: Operation) : Operation = operation.For(history, role.Partition)

    new(settings, role) = Lease(settings, role, ThreadGuard "client")

    /// The settings it was made with.
    member _.Settings = settings

    /// The broker and the connection to it, if there is an open one.
    member _.Current: Held<'Target> option = current |> Option.filter _.Connection.IsOpen

    /// The broker that was connected to last, even if the connection has since been closed.
    member _.Last: 'Target option = last

    /// The broker and the connection to it, which is made if there is none.
    member _.Reach(operation: Operation) : Result<Held<'Target>, ClientFault> = reach true (ours operation)

    /// The broker that the next call goes to without asking for it; none if it must be asked for.
    member _.Known: 'Target option =
        match current with
        | Some held when not (isReplaced held) -> if held.Connection.IsOpen then Some held.Target else None
        | _ -> named |> Option.orElse handed |> Option.map _.Target

    /// The broker that is known and the connection to it, which is made if there is none. No broker is asked for it.
    member _.ReachKnown(operation: Operation) : Result<Held<'Target>, ClientFault> = reach false (ours operation)

    /// Detects that two threads use the client. Each public method of the client holds it, once, and so the connection's guard too from the look
    /// at the connection to the response.
    member _.Guard = guard

    /// Notes an exchange before its response is read.
    member _.Received(info: ExchangeInfo) =
        exchanged <- ValueSome info
        code <- ErrorCode.None

    /// Reports that exchange, with the first error code in its response.
    member _.Report() =
        match exchanged with
        | ValueSome info -> Operation.report settings info code
        | ValueNone -> ()

    // Sends a request on a connection that was reached, in the highest version that the broker knows and `allowed` permits.
    member private this.Send
        (
            held: Held<'Target>,
            operation: Operation,
            api: Api<'Request, 'Response>,
            allowed: Held<'Target> -> VersionRange,
            request: 'Target -> int16 -> 'Request,
            blobStart: byte[] | null,
            reception: Reception<'Answer>,
            read: Exchange<'Request, 'Answer> -> 'Reply
        ) : Call<'Reply> =
        match held.Connection.VersionWithin(api.Key, allowed held) with
        | Error fault ->
            let unmade = operation.NotMade(api, Some held.Connection.Broker, request held.Target -1s, fault)
            UnmadeLeaseCall(this, unmade, read)
        | Ok version ->
            guard.Join held.Connection.Guard
            let request = request held.Target version
            let flight = held.Connection.Send(version, api, request, blobStart, reception.MayBeAbsent, operation)
            SentLeaseCall(this, held.Connection, flight, request, reception, read)

    /// Begins one call on a connection that was reached, or was not, in the highest version that the broker knows and `allowed` permits. The
    /// request is made for the broker and that version; for `blobStart` see `Writer.BlobStart`. When the call is completed, `read` makes the
    /// reply from the exchange. It brings the client's state up to date too: that is done before observers see the exchange, because they may
    /// throw. Until then the client makes no other call.
    member this.BeginOn
        (
            reached: Result<Held<'Target>, ClientFault>,
            operation: Operation,
            api: Api<'Request, 'Response>,
            allowed: Held<'Target> -> VersionRange,
            request: 'Target -> int16 -> 'Request,
            blobStart: byte[] | null,
            reception: Reception<'Answer>,
            read: Exchange<'Request, 'Answer> -> 'Reply
        ) : Call<'Reply> =
        let operation = ours operation

        let call: Call<'Reply> =
            match reached with
            | Error fault -> UnmadeLeaseCall(this, operation.NotMade(api, None, request role.Unknown -1s, fault), read)
            | Ok held -> this.Send(held, operation, api, allowed, request, blobStart, reception, read)

        guard.IsInFlight <- true
        call

    /// Begins one call that has a response: see `BeginOn`.
    member this.Begin
        (operation: Operation, api: Api<'Request, 'Response>, allowed, request, read: Exchange<'Request, 'Response> -> 'Reply)
        : Call<'Reply> =
        this.BeginOn(reach true (ours operation), operation, api, allowed, request, null, Reception.ofApi api, read)

    /// Closes the connection if the error code says that another broker has the role. `next` gives the broker that the code's sender names, if
    /// it names one.
    member _.DropIfMoved(received: ErrorCode, next: 'Target -> Found<'Target> option) =
        if not code.IsError then code <- received

        if role.HasMoved received then
            let next = current |> Option.bind (fun held -> next held.Target)
            drop ()
            refuse received
            handed <- None
            named <- next

    /// Closes the connection if the error code says that another broker has the role.
    member this.DropIfMoved(code: ErrorCode) = this.DropIfMoved(code, (fun _ -> None))

    /// Hands over a broker that was found elsewhere. The next call goes there: on the present connection if that goes to the same broker and
    /// `mayStay` allows it for the present target. The result is false if the broker is older than the latest that is known; nothing has changed then.
    member _.Use(found: Found<'Target>, mayStay: 'Target -> bool) : bool =
        let known = named |> Option.map _.Target |> Option.orElse latest
        let isNewer = known |> Option.forall (fun known -> obj.ReferenceEquals(role.Newer known refusals found, found))

        if isNewer then
            latest <- Some found.Target
            handed <- Some found
            named <- None

            match current with
            | Some held when not held.Connection.IsOpen || not (mayStay held.Target) -> drop ()
            | Some held when held.Connection.Broker = found.Address -> keep { held with Target = found.Target }
            | _ -> ()

        isNewer

    /// Closes the connection. A later call makes a new one.
    member _.Close() =
        drop ()
        handed <- None

/// A call that was begun on a lease.
and [<AbstractClass>] internal LeaseCall<'Target, 'Request, 'Answer, 'Reply>
    (lease: Lease<'Target>, read: Exchange<'Request, 'Answer> -> 'Reply) =
    inherit ReportedCall<'Reply>()

    /// The connection that the request was begun on; null if there is none.
    abstract Connection: Connection | null

    /// Waits for the response.
    abstract Exchange: unit -> Exchange<'Request, 'Answer>

    override _.Guard = lease.Guard

    override this.Settle() : 'Reply =
        match this.Connection with
        | null -> ()
        | connection -> lease.Guard.Rejoin connection.Guard

        try
            let exchange = this.Exchange()
            lease.Received exchange.Info
            read exchange
        finally
            lease.Guard.IsInFlight <- false

    override _.Report _ = lease.Report()

/// A call whose request was sent, or could not be sent on the connection.
and [<Sealed>] internal SentLeaseCall<'Target, 'Request, 'Answer, 'Reply>
    (
        lease: Lease<'Target>,
        connection: Connection,
        flight: Flight,
        request: 'Request,
        reception: Reception<'Answer>,
        read: Exchange<'Request, 'Answer> -> 'Reply
    ) =
    inherit LeaseCall<'Target, 'Request, 'Answer, 'Reply>(lease, read)
    override _.Flight = flight
    override _.Connection = connection
    override _.Exchange() = connection.Complete(flight, request, reception)

/// A call without a connection, or without a version for its request.
and [<Sealed>] internal UnmadeLeaseCall<'Target, 'Request, 'Answer, 'Reply>
    (lease: Lease<'Target>, exchange: Exchange<'Request, 'Answer>, read: Exchange<'Request, 'Answer> -> 'Reply) =
    inherit LeaseCall<'Target, 'Request, 'Answer, 'Reply>(lease, read)
    override _.Flight = null
    override _.Connection = null
    override _.Exchange() = exchange
