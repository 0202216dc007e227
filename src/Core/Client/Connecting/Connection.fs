namespace LibKafka.Client

open System
open System.Net
open System.Threading.Tasks
open LibKafka.Wire
open LibKafka.Protocol

/// A connection to one broker: a socket with one request in flight. It knows the broker's versions and uses, for each API, the highest
/// that both sides know. After a fault it is closed and stays closed, unless the fault was detected before anything was sent, as
/// `CannotEncode`, `NoCommonVersion`, `NeverAnswered` and `Cancelled` may be. A connection that is too old or was unused for too long, by the
/// settings, counts as closed too, and so does one that the broker has closed. If the broker limits the lifetime of an authentication (KIP-368),
/// the connection renews it before a call once most of that time has passed. Two threads must not use a connection at the same time: the second
/// one gets an InvalidOperationException. `Close` may be called by any thread, and ends a call that is in progress.
[<Sealed>]
type Connection private (broker: BrokerAddress, settings: ClientSettings, channel: Channel) =
    let guard = channel.Guard
    let transport = channel.Transport
    let time = settings.Time
    let mutable versions = BrokerVersions.None
    let mutable session: Stretch voption = ValueNone

    // A request of the connection's own. It is not read into the caller's memory.
    let ask (api: Api<'Request, 'Response>) version request (operation: Operation) reception : Result<'Response, ClientFault> =
        let operation = operation.Own
        let flight = channel.Begin(api, version, request, null, true, operation, None)
        (channel.Complete(flight, request, reception) |> Operation.reported operation).Result

    let askSasl (api: Api<'Request, 'Response>) (operation: Operation) (request: 'Request) : Result<'Response, ClientFault> =
        versions.Within(api.Key, api.Versions)
        |> Result.bind (fun version -> ask api version request operation (Reception.ofApi api))

    let authenticate (mechanism: ISaslMechanism) (operation: Operation) : Result<unit, ClientFault> =
        let calls = { Handshake = askSasl SaslHandshake.api operation; Authenticate = askSasl SaslAuthenticate.api operation }
        let mutable isDone = false

        // The mechanism and the observer may throw anything. A connection on which the authentication has stopped halfway is of no use.
        try
            match Authentication.run mechanism broker operation calls with
            | Ok lifetime ->
                session <- lifetime
                isDone <- true
                Ok()
            | Error fault ->
                channel.Close(fault.ToString())
                Error fault
        finally
            if not isDone then channel.Close "an exception ended the authentication"

    let awaitPause (operation: Operation) : Result<unit, ClientFault> =
        match channel.Pause with
        | ValueSome stretch when settings.HeedThrottle && versions.LeavesPause ->
            let left = stretch.Left time

            try
                if left > TimeSpan.Zero then
                    operation.Deadline.Await(operation.Cancellation, (fun stop -> task { do! Task.Delay(left, time, stop) }))

                channel.Pause <- ValueNone
                Ok()
            with error ->
                Error(transport.Fault(operation, error))
        | _ -> Ok()

    let renewSession (operation: Operation) : Result<unit, ClientFault> =
        match session, settings.Sasl with
        | ValueSome stretch, Some mechanism when (stretch.Left time).Ticks <= 0L -> authenticate mechanism operation
        | _ -> Ok()

    // Closes the connection if the broker has closed it.
    let obstacleAtOtherEnd (looks: bool) : ClientFault option =
        if looks && transport.HasEnded then
            let cause = "the broker closed it"
            channel.Close cause
            Some(ClientFault.Unusable cause)
        else
            None

    // What prevents a call, after everything that is due before one has been done. `looks` says whether to look if the broker has closed the
    // connection.
    let obstacleTo (operation: Operation) (looks: bool) : ClientFault option =
        match channel.Over with
        | Some cause -> Some(ClientFault.Unusable cause)
        | None when operation.Cancellation.IsCancellationRequested -> Some ClientFault.Cancelled
        | None when channel.Pause.IsNone && session.IsNone -> obstacleAtOtherEnd looks
        | None ->
            match awaitPause operation with
            | Error fault -> Some fault
            | Ok() ->
                match obstacleAtOtherEnd looks with
                | Some fault -> Some fault
                | None ->
                    match renewSession operation with
                    | Error fault -> Some fault
                    | Ok() -> None

    // Learns the broker's versions. If the broker does not know the version of the request, it is asked again in one that it knows.
    let rec negotiate (version: int16) (operation: Operation) : Result<unit, ClientFault> =
        match ask ApiVersions.api version Connection.VersionsRequest operation Reception.versions with
        | Error fault -> Error fault
        | Ok response when response.Error = ErrorCode.None ->
            versions <- BrokerVersions(response.ApiKeys, response.FinalizedFeatures)
            channel.KnowsSasl <- (versions.RangeOf ApiKey.SaslHandshake).IsSome
            Ok()
        | Ok response when response.Error = ErrorCode.UnsupportedVersion && version > 0s ->
            negotiate (BrokerVersions.next version response) operation
        | Ok response -> Error(ClientFault.VersionsRefused response.Error)

    static member val private SoftwareVersion: string =
        match typeof<Connection>.Assembly.GetName().Version with
        | null -> "0.0.0"
        | version -> version.ToString 3

    /// Asks for the broker's versions and features.
    static member val internal VersionsRequest: ApiVersions.Request =
        { ClientSoftwareName = "libkafka-dotnet"
          ClientSoftwareVersion = Connection.SoftwareVersion
          ClusterId = None
          NodeId = -1 }

    // Learns the broker's versions, and authenticates if the settings have SASL.
    member private _.Introduce(version: int16, operation: Operation) : Result<unit, ClientFault> =
        let introduced =
            match negotiate version operation, settings.Sasl with
            | Ok(), Some mechanism -> authenticate mechanism operation
            | negotiated, _ -> negotiated

        introduced
        |> Result.map (fun () -> channel.Limits <- settings.Limits)
        |> Result.mapError (fun fault ->
            channel.Close(fault.ToString())
            fault)

    // Whether the broker closed the connection without any answer, as some do with a version of ApiVersions that they do not know.
    member private _.WasHungUp = channel.IsClosed && transport.BytesIn = 0L

    // Makes a connection to one address, and asks for the broker's versions in this version. The flag says whether the broker hung up on that.
    static member private OpenAt
        (broker: BrokerAddress, address: IPAddress, history: BrokerHistory, version: int16, operation: Operation)
        : struct (Result<Connection, ClientFault> * bool) =
        match Transport.Open(broker, address, operation) with
        | Error fault -> struct (Error fault, false)
        | Ok transport ->
            let connection =
                try
                    new Connection(broker, operation.Settings, Channel(broker, operation.Settings, transport, history))
                with _ ->
                    (transport :> IDisposable).Dispose()
                    reraise ()

            // The settings' observer may throw anything. The exception is for its caller, but the socket must not leak.
            try
                match connection.Introduce(version, operation) with
                | Error ClientFault.Closed when connection.WasHungUp -> struct (Error ClientFault.Closed, true)
                | Error fault -> struct (Error fault, false)
                | Ok() when operation.Cancellation.IsCancellationRequested ->
                    connection.Close()
                    struct (Error ClientFault.Cancelled, false)
                | Ok() -> struct (Ok connection, false)
            with _ ->
                connection.Close()
                reraise ()

    // Makes a connection to one address. If the broker hangs up on ApiVersions, it is asked in a lower version on a new connection.
    static member private OpenAskingLower
        (broker: BrokerAddress, history: BrokerHistory, address: IPAddress, operation: Operation)
        : Result<Connection, ClientFault> =
        let time = operation.Settings.Time

        let hungUp: ClientFault =
            let reason =
                if operation.Settings.Tls.IsNone then
                    "it closed the connection before it answered the first request, as a broker does that stops, or that expects TLS: if it \
                     does, set Tls"
                else
                    // For the client, TLS 1.3 is made before the broker has checked the client's certificate.
                    "it closed the connection right after the TLS handshake, as a broker does that stops or does not accept the client's \
                     certificate"

            ClientFault.CannotConnect(broker, reason)

        let rec from (versions: int16 list) (hasFallen: bool) =
            match Connection.OpenAt(broker, address, history, versions.Head, operation), versions.Tail with
            | struct (Error _, true), (_ :: _ as lower) -> from lower true
            | struct (Ok connection, _), _ ->
                if hasFallen then history.FellBack(broker, versions.Head, time)
                Ok connection
            | struct (Error _, true), _ ->
                history.ForgetFallback broker
                Error hungUp
            | struct (Error fault, false), _ -> Error fault

        from (history.VersionsToAsk(broker, time)) false

    /// Connects to a broker: TCP, TLS if the settings have it, the broker's versions, and authentication if the settings have it. If the host has
    /// several addresses, they are tried in turn until all of that has succeeded with one: the first is a random one, those that failed the
    /// last time come last, and they share the time.
    static member Open(settings: ClientSettings, broker: BrokerAddress, ?call: CallOptions) : Result<Connection, ClientFault> =
        Connection.Open(broker, Operation.Begin(settings, call))

    // The same as part of an operation.
    static member internal Open(broker: BrokerAddress, operation: Operation) : Result<Connection, ClientFault> =
        let operation = operation.Within operation.Settings.ConnectTimeout

        let history =
            match operation.History with
            | null -> BrokerHistory()
            | history -> history

        let openOne address operation = Connection.OpenAskingLower(broker, history, address, operation)

        ClientSettings.check operation.Settings
        |> Result.bind (fun _ -> Transport.Addresses(broker, operation))
        |> Result.bind (fun addresses -> Addresses.tryEach broker history operation openOne addresses)

    /// The broker at the other end.
    member _.Broker = broker

    /// A one-line description.
    override _.ToString() = "connection to " + broker.ToString()

    /// The socket, for inspection.
    member _.Socket = transport.Socket

    /// Whether calls can still be made. They cannot after a fault or `Close`, nor once the connection is too old or was unused for too long.
    member _.IsOpen = channel.Over.IsNone

    /// The versions of each API that the broker supports.
    member _.BrokerVersions: Map<ApiKey, VersionRange> = versions.All

    /// The features that the cluster had finalized when the connection was made (KIP-584), such as `transaction.version`, and their levels.
    /// Brokers before Kafka 2.7 report none.
    member _.FinalizedFeatures: Map<string, int16> = versions.FinalizedFeatures

    /// The highest version of an API that both sides know. Versions from before Kafka 0.11 that mean something else are not used: those of
    /// Produce and Fetch with message sets, and the first ones of ListOffsets, OffsetCommit and OffsetFetch.
    member _.VersionOf(api: Api<'Request, 'Response>) : Result<int16, ClientFault> = versions.Within(api.Key, Caps.versionsOf api)

    /// The highest version that the broker knows and that is within ours, which may be fewer than are known here.
    member internal _.VersionWithin(api: ApiKey, ours: VersionRange) : Result<int16, ClientFault> = versions.Within(api, ours)

    /// Detects that two threads use the connection. The public methods hold it; a caller of the internal ones does so itself.
    member internal _.Guard = guard

    /// What prevents a call, after everything that is due before one has been done; none if it may be made. If the broker has closed the
    /// connection, the fault is `Unusable`.
    member internal _.Ready(operation: Operation) : ClientFault option = obstacleTo operation true

    // Sends a request, unless something prevents that. `looks` says whether to look first if the broker has closed the connection.
    member private _.SendAfter
        (
            looks: bool,
            version: int16,
            api: Api<'Request, 'Response>,
            request: 'Request,
            blobStart: byte[] | null,
            mayBeUnanswered: bool,
            operation: Operation
        ) : Flight =
        let isAnswered = api.IsAnswered request

        let obstacle =
            if isAnswered || mayBeUnanswered then
                obstacleTo operation looks
            else
                Some(ClientFault.NeverAnswered api.Key)

        channel.Begin(api, version, request, blobStart, isAnswered, operation, obstacle)

    // If the version was chosen as the highest that both sides know, the broker may be too old for the request.
    member private _.Explain(flight: Flight, api: Api<'Request, 'Response>, request: 'Request) : Flight =
        match flight.Fault with
        | Some(ClientFault.CannotEncode _ as fault) -> flight.Fault <- Some(TooOld.explain api (versions.RangeOf api.Key) request fault)
        | _ -> ()

        flight

    /// Sends a request in the highest version that both sides know, as part of an operation, on a connection that is ready. One without a response
    /// is refused unless `mayBeUnanswered`. For `blobStart` see `Writer.BlobStart`.
    member internal this.Send
        (
            version: int16,
            api: Api<'Request, 'Response>,
            request: 'Request,
            blobStart: byte[] | null,
            mayBeUnanswered: bool,
            operation: Operation
        ) : Flight =
        this.Explain(this.SendAfter(false, version, api, request, blobStart, mayBeUnanswered, operation), api, request)

    /// Waits for the response to the request in flight. The exchange is not reported.
    member internal _.Complete(flight: Flight, request: 'Request, reception: Reception<'Answer>) : Exchange<'Request, 'Answer> =
        channel.Complete(flight, request, reception)

    // Begins a call in the highest common version.
    member private this.BeginHighest
        (looks: bool, api: Api<'Request, 'Response>, request: 'Request, operation: Operation)
        : Call<Exchange<'Request, 'Response>> =
        match this.VersionOf api with
        | Error fault -> UnmadeCall(guard, operation.NotMade(api, Some broker, request, fault), settings)
        | Ok version ->
            let flight = this.Explain(this.SendAfter(looks, version, api, request, null, false, operation), api, request)
            ChannelCall(channel, flight, request, Reception.ofApi api)

    /// Sends a request of the client's own in the highest common version, as part of an operation, on a connection that is ready. It is not
    /// read into the caller's memory.
    member internal this.Ask(api: Api<'Request, 'Response>, request: 'Request, operation: Operation) : Exchange<'Request, 'Response> =
        use _ = guard.Hold()
        this.BeginHighest(false, api, request, operation.Own).Complete()

    /// The same in the highest common version up to `most`, with a request made for that version. A request that is not made has the form of the
    /// version `most`.
    member internal this.AskUpTo
        (most: int16, api: Api<'Request, 'Response>, request: int16 -> 'Request, operation: Operation)
        : Exchange<'Request, 'Response> =
        use _ = guard.Hold()

        match versions.Within(api.Key, { Caps.versionsOf api with Highest = most }) with
        | Error fault -> operation.Own.NotMade(api, Some broker, request most, fault) |> Operation.reported operation.Own
        | Ok version ->
            let request = request version
            let flight = this.Send(version, api, request, null, false, operation.Own)
            ChannelCall(channel, flight, request, Reception.ofApi api).Complete()

    /// Sends a request in the highest common version. The response is received by `PendingCall.Complete`; until then the connection makes no other
    /// call.
    member this.Begin(api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions) : PendingCall<Exchange<'Request, 'Response>> =
        use _ = guard.Hold()
        PendingCall<_>(this.BeginHighest(true, api, request, Operation.Begin(settings, call)))

    // Begins a call in the version given.
    member private this.BeginIn(version: int16, api: Api<'Request, 'Response>, request: 'Request, call: CallOptions option) =
        let flight = this.SendAfter(true, version, api, request, null, false, Operation.Begin(settings, call))
        ChannelCall(channel, flight, request, Reception.ofApi api)

    /// Sends a request in the version given: see `Begin`. A request that has no response is refused: the fault is `NeverAnswered`.
    member this.BeginAt
        (version: int16, api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions)
        : PendingCall<Exchange<'Request, 'Response>> =
        use _ = guard.Hold()
        PendingCall<_>(this.BeginIn(version, api, request, call))

    /// Sends a request in the highest common version and waits for its response.
    member this.Call(api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions) : Exchange<'Request, 'Response> =
        use _ = guard.Hold()
        this.BeginHighest(true, api, request, Operation.Begin(settings, call)).Complete()

    /// Sends a request in the version given and waits for its response. A request that has no response is refused: the fault is
    /// `NeverAnswered`.
    member this.CallAt
        (version: int16, api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions)
        : Exchange<'Request, 'Response> =
        use _ = guard.Hold()
        this.BeginIn(version, api, request, call).Complete()

    /// Sends a request that has no response, such as Produce with `Acks.None`, in the version given.
    member this.SendAt(version: int16, api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions) : Exchange<'Request, unit> =
        use _ = guard.Hold()
        let operation = Operation.Begin(settings, call)
        let flight = channel.Begin(api, version, request, null, false, operation, obstacleTo operation true)
        channel.Complete(flight, request, Reception.nothing) |> Operation.reported operation

    /// Sends a request whose response has no information, such as one that ends a fetch session, if that is possible without waiting.
    member internal _.SendAtOnce(api: Api<'Request, 'Response>, request: 'Request) =
        if guard.TryEnter() then
            try
                match versions.Within(api.Key, api.Versions) with
                | Ok version when channel.Over.IsNone && transport.IsWritable ->
                    let operation = Operation.Begin(settings, None)
                    let flight = channel.Begin(api, version, request, null, false, operation, None)
                    channel.Complete(flight, request, Reception.nothing) |> Operation.reported operation |> ignore
                | _ -> ()
            finally
                guard.Exit()

    /// Closes the socket. Later calls return the fault `Unusable`, and so does the call in flight.
    member _.Close() = channel.Close "closed by the caller"

    interface IDisposable with
        member this.Dispose() = this.Close()
