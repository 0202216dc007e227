namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Wire
open LibKafka.Protocol

/// What a call brought, in a form made for its purpose, and the exchange that it was found in.
type Reply<'Request, 'Response, 'Value> = { Result: Result<'Value, ClientFault>; Exchange: Exchange<'Request, 'Response> }

/// A client of a group's or a transactional id's coordinator, with a connection of its own. The coordinator is looked for, and connected to,
/// when it is first needed; the connection is closed when a call fails or the broker says that it is not the coordinator, and the next call
/// looks for it again. There are no retries: each call is made once. It is not for use by several threads at a time.
[<Sealed>]
type CoordinatorClient(settings: ClientSettings, bootstrap: Bootstrap, kind: CoordinatorType, key: string) =
    let mutable current: (FindCoordinator.Coordinator * Connection) option = None

    let drop () =
        current |> Option.iter (fun (_, connection) -> connection.Close())
        current <- None

    /// Codes by which a broker says that it is not the coordinator, or cannot be now. COORDINATOR_LOAD_IN_PROGRESS is not one of them: it is
    /// said by the right broker.
    let coordinatorHasMoved (code: ErrorCode) = code = ErrorCode.NotCoordinator || code = ErrorCode.CoordinatorNotAvailable

    // Any broker knows the coordinator. Where it is the coordinator itself, its connection serves.
    let find (asked: Connection) (cancellation: CancellationToken) : Result<FindCoordinator.Coordinator * Connection, ClientFault> =
        let found =
            (Cluster.findCoordinator asked kind key cancellation).Outcome
            |> Result.map (fun response -> Cluster.coordinatorIn response key)
            |> Result.bind (fun found -> if found.Error.IsError then Error(ClientFault.NoCoordinator(kind, key, found.Error)) else Ok found)

        let addressOf (found: FindCoordinator.Coordinator) : BrokerAddress = { Host = found.Host; Port = found.Port }

        match found with
        | Ok found when addressOf found = asked.Broker -> Ok(found, asked)
        | Ok found ->
            asked.Close()
            Connection.Open(settings, addressOf found, cancellation) |> Result.map (fun connection -> found, connection)
        | Error fault ->
            asked.Close()
            Error fault

    let connect (cancellation: CancellationToken) : Result<Connection, ClientFault> =
        match current with
        | Some(_, connection) when connection.IsOpen -> Ok connection
        | _ ->
            drop ()

            Cluster.connect settings bootstrap cancellation
            |> Result.bind (fun asked -> find asked cancellation)
            |> Result.map (fun (coordinator, connection) ->
                current <- Some(coordinator, connection)
                connection)

    /// Whether it is a group's coordinator or a transactional id's.
    member _.Kind = kind

    /// The group or the transactional id.
    member _.Key = key

    /// The settings it was made with.
    member _.Settings = settings

    /// The connection to the coordinator, while there is one.
    member _.Connection = current |> Option.map snd |> Option.filter _.IsOpen

    /// The coordinator that the connection goes to, while there is one.
    member this.Coordinator = this.Connection |> Option.bind (fun _ -> current |> Option.map fst)

    /// Makes the connection to the coordinator, unless there is one.
    member _.Connect(?cancellation: CancellationToken) : Result<Connection, ClientFault> =
        connect (defaultArg cancellation CancellationToken.None)

    // Makes one call on the coordinator's connection, in the highest common version up to `most`, within a time of its own. The request may
    // have another form in another version.
    member internal _.Exchange
        (api: Api<'Request, 'Response>, most: int16, request: int16 -> 'Request, timeout: TimeSpan, cancellation: CancellationToken)
        : Exchange<'Request, 'Response> =
        let began = settings.Time.GetTimestamp()
        let notMade broker = Exchange.notMade settings 1 began api broker (request (min most api.Versions.Highest))

        match connect cancellation with
        | Error fault -> notMade None fault
        | Ok connection ->
            match connection.VersionWithin(api.Key, { api.Versions with Highest = min most api.Versions.Highest }) with
            | Error fault -> notMade (Some connection.Broker) fault
            | Ok version -> connection.CallWithin(timeout, version, api, request version, cancellation, None)

    member internal this.Exchange
        (api: Api<'Request, 'Response>, most: int16, request: int16 -> 'Request, cancellation: CancellationToken)
        : Exchange<'Request, 'Response> =
        this.Exchange(api, most, request, settings.CallTimeout, cancellation)

    /// Sends any request to the coordinator, in the highest common version, and waits for its response.
    member this.Call(api: Api<'Request, 'Response>, request: 'Request, ?cancellation: CancellationToken) : Exchange<'Request, 'Response> =
        this.Exchange(api, Int16.MaxValue, (fun _ -> request), defaultArg cancellation CancellationToken.None)

    /// Closes the connection where the code says that the coordinator is another, so that the next call looks for it.
    member internal _.Heed(code: ErrorCode) = if coordinatorHasMoved code then drop ()

    /// The exchange, after its answer's code was heeded.
    member internal this.Heeding(exchange: Exchange<'Request, 'Response>, code: 'Response -> ErrorCode) : Exchange<'Request, 'Response> =
        exchange.Outcome |> Result.iter (code >> this.Heed)
        exchange

    /// The reply with what `read` makes of the answer, after its codes were heeded. An answer that leaves out what was asked about closes the
    /// connection.
    member internal this.Reply
        (exchange: Exchange<'Request, 'Response>, codes: 'Value -> ErrorCode list, read: 'Response -> Result<'Value, ClientFault>)
        : Reply<'Request, 'Response, 'Value> =
        let result = exchange.Outcome |> Result.bind read

        match result with
        | Ok value -> codes value |> List.iter this.Heed
        | Error(ClientFault.NotAnswered _) -> drop ()
        | Error _ -> ()

        { Result = result; Exchange = exchange }

    /// Closes the connection. A later call makes a new one.
    member _.Close() = drop ()

    interface IDisposable with
        member _.Dispose() = drop ()
