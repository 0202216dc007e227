namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol

/// A client of the coordinator of a group or of a transactional id, with a connection of its own. The connection is made when it is first
/// needed. It is closed when a call fails or the broker says that it is not the coordinator, and the next call finds the coordinator again.
/// There are no retries: each call is made once. Two threads must not use a client at the same time: the second one gets an
/// InvalidOperationException, and nothing is sent.
[<Sealed>]
type CoordinatorClient(settings: ClientSettings, bootstrap: Bootstrap, kind: CoordinatorType, key: string) =
    let lease = Lease<FindCoordinator.Coordinator>(settings, Role.coordinator bootstrap kind key)

    /// Whether it is the coordinator of a group or of a transactional id.
    member _.Kind = kind

    /// The group or the transactional id.
    member _.Key = key

    /// The settings it was made with.
    member _.Settings = settings

    /// The connection to the coordinator, while there is one.
    member _.Connection: Connection option = lease.Current |> Option.map _.Connection

    /// The coordinator that the connection goes to, while there is one.
    member _.Coordinator: FindCoordinator.Coordinator option = lease.Current |> Option.map _.Target

    /// Makes the connection to the coordinator if there is none.
    member _.Connect(?call: CallOptions) : Result<Connection, ClientFault> =
        use _ = lease.Guard.Hold()
        lease.Reach(Operation.Begin(settings, call)) |> Result.map _.Connection

    member internal _.Lease = lease

    /// Any version that is known here, for a call's `most`.
    static member internal AnyVersion(_: Connection) : int16 = Int16.MaxValue

    /// Begins one call, in the highest common version up to the one that `most` gives for the connection, with a request made for that version.
    /// `read` makes the reply.
    member internal _.BeginExchange
        (
            operation: Operation,
            api: Api<'Request, 'Response>,
            most: Connection -> int16,
            request: int16 -> 'Request,
            read: Exchange<'Request, 'Response> -> 'Reply
        ) : Call<'Reply> =
        let allowed (held: Held<FindCoordinator.Coordinator>) =
            { Caps.versionsOf api with Highest = min (most held.Connection) api.Versions.Highest }

        let requestFor (_: FindCoordinator.Coordinator) version =
            // A request that is not made has the form of the highest version.
            request (if version < 0s then api.Versions.Highest else version)

        lease.Begin(operation, api, allowed, requestFor, read)

    /// Begins one call whose response has an error code. `settle` brings the caller's state up to date with the response.
    member internal this.BeginCall
        (
            operation: Operation,
            api: Api<'Request, 'Response>,
            most: Connection -> int16,
            request: int16 -> 'Request,
            codeOf: 'Response -> ErrorCode,
            settle: Exchange<'Request, 'Response> -> unit
        ) : Call<Reply<'Request, 'Response, Result<'Response, CallFailure>>> =
        let read (exchange: Exchange<'Request, 'Response>) =
            settle exchange
            exchange.Result |> Result.iter (fun response -> lease.DropIfMoved(codeOf response))
            Reply.reading codeOf id exchange

        this.BeginExchange(operation, api, most, request, read)

    /// Begins one call whose response is read further. `settle` brings the caller's state up to date with the exchange. An answer that leaves out
    /// what was asked about closes the connection.
    member internal this.BeginAsking
        (
            operation: Operation,
            api: Api<'Request, 'Response>,
            most: Connection -> int16,
            request: int16 -> 'Request,
            codesOf: 'Value -> ErrorCode list,
            read: 'Response -> Result<'Value, ClientFault>,
            settle: Exchange<'Request, 'Response> -> unit
        ) : Call<Reply<'Request, 'Response, Result<'Value, ClientFault>>> =
        let reply (exchange: Exchange<'Request, 'Response>) =
            settle exchange
            let result = exchange.Result |> Result.bind read

            match result with
            | Ok value -> codesOf value |> List.iter (fun code -> lease.DropIfMoved code)
            | Error(ClientFault.NotAnswered _) -> lease.Close()
            | Error _ -> ()

            Reply<_, _, _>(exchange, result, Result.map codesOf)

        this.BeginExchange(operation, api, most, request, reply)

    /// Begins one call whose response is read further and changes nothing of the caller's.
    member internal this.BeginAsking(operation: Operation, api: Api<'Request, 'Response>, most, request, codesOf, read) =
        this.BeginAsking(operation, api, most, request, codesOf, read, ignore)

    member private this.BeginAny(api: Api<'Request, 'Response>, request: 'Request, call: CallOptions option) =
        this.BeginExchange(Operation.Begin(settings, call), api, CoordinatorClient.AnyVersion, (fun _ -> request), id)

    /// Sends any request to the coordinator in the highest common version, and waits for its response.
    member this.Call(api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions) : Exchange<'Request, 'Response> =
        use _ = lease.Guard.Hold()
        this.BeginAny(api, request, call).Complete()

    /// Sends any request to the coordinator as `Call` does. The response is received by `PendingCall.Complete`; until then the client makes no other
    /// call.
    member this.Begin(api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions) : PendingCall<Exchange<'Request, 'Response>> =
        use _ = lease.Guard.Hold()
        PendingCall<_>(this.BeginAny(api, request, call))

    /// Closes the connection. A later call makes a new one.
    member _.Close() = lease.Close()

    interface IDisposable with
        member _.Dispose() = lease.Close()
