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
/// closed the connection since the last call, the next one makes another before it sends anything.
[<Sealed>]
type internal Lease<'Target>(settings: ClientSettings, role: Role<'Target>) =
    let guard = new ThreadGuard "client"
    let history = BrokerHistory()
    let mutable current: Held<'Target> option = None
    let mutable last: 'Target option = None
    // The broker that the last one named, until it has been tried.
    let mutable named: Found<'Target> option = None
    // The broker that the caller handed over, until it fails. One of the two at most is there.
    let mutable handed: Found<'Target> option = None
    // The first error code in the last response, for telemetry. The client reports each code to `DropIfMoved`.
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

    let find (operation: Operation) : Result<Held<'Target>, ClientFault> =
        let candidate = named |> Option.orElse handed
        drop ()

        match candidate |> Option.map (hold operation) with
        | Some(Ok held) -> Ok held
        | Some(Error ClientFault.Cancelled) -> Error ClientFault.Cancelled
        | _ ->
            handed <- None
            look operation |> Result.bind (hold operation)

    // Whether the caller has handed over another broker than the one that there is a connection to.
    let isReplaced (held: Held<'Target>) =
        match handed with
        | Some found -> found.Address <> held.Connection.Broker
        | None -> false

    let reach (operation: Operation) : Result<Held<'Target>, ClientFault> =
        match current with
        | None -> find operation
        | Some held when isReplaced held -> find operation
        | Some held ->
            let hasFailed = handed.IsSome && not held.Connection.IsOpen

            match held.Connection.Ready operation with
            | None -> Ok held
            // The connection has ended. Nothing of the call was sent.
            | Some(ClientFault.Unusable _ | ClientFault.Closed | ClientFault.Broken _) ->
                if hasFailed then handed <- None

                find operation
            | Some fault -> Error fault

    let ours (operation: Operation) : Operation = operation.For(history, role.Partition)

    /// The settings it was made with.
    member _.Settings = settings

    /// The broker and the connection to it, if there is an open one.
    member _.Current: Held<'Target> option = current |> Option.filter _.Connection.IsOpen

    /// The broker that was connected to last, even if the connection has since been closed.
    member _.Last: 'Target option = last

    /// The broker and the connection to it, which is made if there is none.
    member _.Reach(operation: Operation) : Result<Held<'Target>, ClientFault> =
        guard.Enter()

        try
            reach (ours operation)
        finally
            guard.Exit()

    /// Detects that two threads use the client. A client with state of its own enters before it reads that.
    member _.Guard = guard

    /// Makes one call on a connection that was reached, or was not, in the highest version that the broker knows and `allowed` permits. The
    /// request is made for the broker and that version. `read` makes the reply from the exchange. It brings the client's state up to date too:
    /// that is done before observers see the exchange, because they may throw.
    member _.ExchangeOn
        (
            reached: Result<Held<'Target>, ClientFault>,
            operation: Operation,
            api: Api<'Request, 'Response>,
            allowed: Held<'Target> -> VersionRange,
            request: 'Target -> int16 -> 'Request,
            send: Connection -> int16 -> 'Request -> Operation -> Exchange<'Request, 'Answer>,
            read: Exchange<'Request, 'Answer> -> 'Reply
        ) : 'Reply =
        let operation = ours operation
        guard.Enter()

        try
            let exchange =
                match reached with
                | Error fault -> operation.NotMade(api, None, request role.Unknown -1s, fault)
                | Ok held ->
                    match held.Connection.VersionWithin(api.Key, allowed held) with
                    | Error fault -> operation.NotMade(api, Some held.Connection.Broker, request held.Target -1s, fault)
                    | Ok version ->
                        send held.Connection version (request held.Target version) operation |> held.Connection.ExplainVersion api

            code <- ErrorCode.None
            let reply = read exchange
            operation.Report(exchange.Info, code)
            reply
        finally
            guard.Exit()

    /// Makes one call that has a response: see `ExchangeOn`.
    member this.Call(operation: Operation, api: Api<'Request, 'Response>, allowed, request, read: Exchange<'Request, 'Response> -> 'Reply) =
        let send (connection: Connection) version request operation = connection.Exchange(version, api, request, operation)
        guard.Enter()

        try
            this.ExchangeOn(reach (ours operation), operation, api, allowed, request, send, read)
        finally
            guard.Exit()

    /// A call that is not made, because it could not succeed.
    member _.NotMade
        (operation: Operation, api: Api<'Request, 'Response>, request: 'Target -> int16 -> 'Request, fault)
        : Exchange<_, 'Answer> =
        operation.NotMade(api, None, request role.Unknown -1s, fault) |> Operation.reported operation

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
        guard.Enter()

        try
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
        finally
            guard.Exit()

    /// Closes the connection. A later call makes a new one.
    member _.Close() =
        drop ()
        handed <- None
