namespace LibKafka.Client

open System
open System.Buffers.Binary
open System.Net
open System.Threading
open System.Threading.Tasks
open LibKafka.Wire
open LibKafka.Protocol

/// What was received for a request: what it says, how many of its bytes were not read, and the pause that the broker asks for.
[<Struct; NoEquality; NoComparison>]
type internal Answer<'T> = { UnreadBytes: int; ThrottleMs: int; Result: Result<'T, ClientFault> }

[<RequireQualifiedAccess>]
module internal Answer =

    /// Nothing usable was received.
    let fault (fault: ClientFault) : Answer<'T> = { UnreadBytes = 0; ThrottleMs = 0; Result = Error fault }

    /// The answer with its fault changed by a function.
    let mapFault (change: ClientFault -> ClientFault) (answer: Answer<'T>) : Answer<'T> =
        match answer.Result with
        | Ok _ -> answer
        | Error fault -> { answer with Result = Error(change fault) }

    /// The answer to a request that has no response.
    let none: Answer<unit> = { UnreadBytes = 0; ThrottleMs = 0; Result = Ok() }

/// The beginning of an exchange, from which its time and bytes are counted.
[<Struct; NoEquality; NoComparison>]
type private Beginning = { Id: int32; At: DateTimeOffset; Since: int64; BytesOut: int64; BytesIn: int64 }

/// A connection to one broker: a socket with one request in flight. It knows the broker's versions and uses, for each API, the highest
/// that both sides know. After a fault it is closed and stays closed, unless the fault was detected before anything was sent, as
/// `CannotEncode`, `NoCommonVersion`, `NeverAnswered` and `Cancelled` may be. A connection that is too old or was unused for too long, by the
/// settings, counts as closed too, and so does one that the broker has closed. If the broker limits the lifetime of an authentication (KIP-368),
/// the connection renews it before a call once most of that time has passed. Two threads must not use a connection at the same time: the second
/// one gets an InvalidOperationException. `Close` may be called by any thread, and ends a call that is in progress.
[<Sealed>]
type Connection private (broker: BrokerAddress, settings: ClientSettings, transport: Transport, history: BrokerHistory) =
    let guard = new ThreadGuard "connection"
    // A batch is sent from where it is in memory. Below this size a copy costs less than a piece of its own.
    let writer = Writer(512, 16 * 1024)
    let clientId = Some settings.ClientId
    let asked = Some broker
    let prefix: byte[] = Array.zeroCreate 4
    let mutable correlation = 0
    let mutable answered = 0
    let mutable versions = BrokerVersions.None
    let mutable closed: string option = None
    let time = settings.Time
    let opened = time.GetTimestamp()
    let mutable lastUsed = opened
    let mutable pause: Stretch voption = ValueNone
    let mutable session: Stretch voption = ValueNone
    let mutable limits = ClientSettings.limitsBeforeAuthentication settings.Limits

    let close (cause: string) =
        if closed.IsNone then
            closed <- Some cause
            (transport :> IDisposable).Dispose()

    /// Why no more calls can be made.
    let over () : string option =
        if closed.IsSome then
            closed
        elif Duration.hasPassed time settings.ConnectionTtl opened then
            Some "it is older than ConnectionTtl"
        elif Duration.hasPassed time settings.MaxIdle lastUsed then
            Some "it was unused for longer than MaxIdle"
        else
            None

    // A broker that expects TLS answers what it cannot read with an alert: 0x15, then the version, which begins with 0x03.
    let isTlsAlert () = answered = 0 && not transport.IsSecure && prefix[0] = 0x15uy && prefix[1] = 0x03uy

    let readFrame (deadline: Deadline) (memory: ReceiveBuffer option) : Bytes =
        transport.ReadExactly(ArraySegment prefix, deadline)
        let length = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan prefix)

        if isTlsAlert () then
            raise (ClientFaultException(ClientFault.TlsExpected broker))

        // Every response has a correlation id.
        if length < 4 || length > limits.MaxFrameBytes then
            raise (ClientFaultException(ClientFault.BadFrameLength(length, limits.MaxFrameBytes)))

        let frame =
            match memory with
            | Some memory -> memory.Take length
            | None -> ArraySegment(GC.AllocateUninitializedArray<byte> length)

        transport.ReadExactly(frame, deadline)
        Bytes(frame.AsMemory())

    // The response to the request with this id. All requests since the last response, except this one, asked for none. A broker that responds
    // to them nevertheless is tolerated.
    let rec readResponse (id: int32) (deadline: Deadline) (memory: ReceiveBuffer option) : Bytes =
        let frame = readFrame deadline memory
        let received = BinaryPrimitives.ReadInt32BigEndian frame.Span

        if received > answered && received < id then
            readResponse id deadline memory
        elif received = id then
            answered <- id
            frame
        else
            raise (ClientFaultException(ClientFault.WrongCorrelationId(id, received)))

    let start () : Beginning =
        correlation <- correlation + 1

        { Id = correlation
          At = time.GetUtcNow()
          Since = time.GetTimestamp()
          BytesOut = transport.BytesOut
          BytesIn = transport.BytesIn }

    // What an exception means. Another thread may have closed the connection meanwhile.
    let faultOf (fault: ClientFault) : ClientFault =
        match closed with
        | Some cause when fault <> ClientFault.Cancelled -> ClientFault.Unusable cause
        | _ -> fault

    // `blobStart` replaces the first bytes of the request's blob, such as the header of a record batch; null to leave it as it is.
    let send (api: Api<'Request, 'Response>) version (id: int32) (request: 'Request) (blobStart: byte[] | null) (operation: Operation) =
        writer.BlobStart <- blobStart

        match Frame.writeRequest writer api version id clientId request with
        | Error fault -> Some(ClientFault.CannotEncode fault)
        | Ok() ->
            let cancellation = operation.Cancellation
            use _ = cancellation.UnsafeRegister(Connection.Cut, transport)

            try
                cancellation.ThrowIfCancellationRequested()
                transport.Write(writer.Segments, operation.Deadline)
                None
            with error ->
                Some(faultOf (transport.SendFault(operation, error)))

    let receive (api: Api<'Request, 'Response>) decode id (operation: Operation) (memory: ReceiveBuffer option) : Answer<'Response> =
        use _ = operation.Cancellation.UnsafeRegister(Connection.Cut, transport)

        try
            match decode (readResponse id operation.Deadline memory) with
            | Ok(struct (response, unread)) ->
                { UnreadBytes = unread; ThrottleMs = max 0 (api.ThrottleTimeMs response); Result = Ok response }
            | Error fault -> Answer.fault (ClientFault.Malformed fault)
        with error ->
            Answer.fault (faultOf (transport.Fault(operation, error)))

    // From this size on, a request that is not answered may have been too large for the broker.
    static let largeRequest = 1024 * 1024

    // From this size on, a request may be sent in parts.
    static let partlySent = 64 * 1024

    // A broker says nothing when it closes a connection, so the fault names the likely cause. `size` is that of the request.
    let explain (api: ApiKey) (began: Beginning) (size: int) (wasSent: bool) (fault: ClientFault) : ClientFault =
        let isUnanswered = transport.BytesIn = began.BytesIn

        match fault with
        | ClientFault.Closed when isUnanswered && size >= (if wasSent then largeRequest else partlySent) ->
            ClientFault.ClosedWhileSending(transport.BytesOut - began.BytesOut, int64 size)
        | ClientFault.Closed when
            isUnanswered
            && settings.Sasl.IsNone
            && not history.IsAnswered
            && api <> ApiKey.ApiVersions
            && (versions.RangeOf ApiKey.SaslHandshake).IsSome
            ->
            ClientFault.ClosedUnauthenticated
        | fault -> fault

    // Closes the connection if it must not be used any more after an exchange.
    let closeAfter (fault: ClientFault option) (wasPrevented: bool) (operation: Operation) =
        match fault with
        // It was cancelled after the response had been received: the call has succeeded, but its socket is closed.
        | None when operation.Cancellation.IsCancellationRequested -> close (ClientFault.Cancelled.ToString())
        | None -> ()
        | Some(ClientFault.Unusable cause) -> close cause
        | Some(ClientFault.CannotEncode _) -> ()
        | Some _ when wasPrevented -> ()
        | Some fault -> close (fault.ToString())

    // Brings the connection's state up to date after an exchange, and describes the exchange.
    let finish (api: ApiKey) (version: int16) (began: Beginning) (operation: Operation) (wasPrevented: bool) (answer: Answer<'Answer>) =
        writer.Clear()

        let fault =
            match answer.Result with
            | Ok _ -> None
            | Error fault -> Some fault

        closeAfter fault wasPrevented operation
        lastUsed <- time.GetTimestamp()
        let throttle = TimeSpan.FromMilliseconds(float answer.ThrottleMs)

        if throttle.Ticks > 0L then
            pause <- ValueSome { Since = lastUsed; For = throttle }

        { Api = api
          Version = version
          Broker = asked
          CorrelationId = began.Id
          Attempt = operation.Options.Attempt
          Partition = operation.Partition
          Began = began.At
          Elapsed = time.GetElapsedTime(began.Since, lastUsed)
          BytesOut = int (transport.BytesOut - began.BytesOut)
          BytesIn = int (transport.BytesIn - began.BytesIn)
          UnreadBytes = answer.UnreadBytes
          ThrottleTime = throttle
          Fault = fault }

    // Every exchange is made here, unless `obstacle` prevents it. It is not reported yet.
    let exchange
        (api: Api<'Request, 'Response>)
        (version: int16)
        (request: 'Request)
        (blobStart: byte[] | null)
        (operation: Operation)
        (memory: ReceiveBuffer option)
        (obstacle: ClientFault option)
        (decode: Bytes -> Result<struct ('Response * int), Fault>)
        : Exchange<'Request, 'Response> =
        let began = start ()
        let failed = if obstacle.IsSome then obstacle else send api version began.Id request blobStart operation
        let size = writer.Length

        let answer =
            match failed with
            | Some fault -> Answer.fault (explain api.Key began size false fault)
            | None ->
                // The writer must not keep the request alive while the call waits for the response.
                writer.Clear()
                receive api decode began.Id operation memory |> Answer.mapFault (explain api.Key began size true)

        if answer.Result.IsOk && api.Key <> ApiKey.ApiVersions then
            history.IsAnswered <- true

        { Info = finish api.Key version began operation obstacle.IsSome answer; Request = request; Result = answer.Result }

    let decodeAs (api: Api<'Request, 'Response>) version frame = Frame.readResponse limits api version frame

    // A request of the connection's own. It is not read into the caller's memory.
    let ask (api: Api<'Request, 'Response>) version request (operation: Operation) decode : Result<'Response, ClientFault> =
        let operation = operation.Own
        (exchange api version request null operation None None decode |> Operation.reported operation).Result

    let askSasl (api: Api<'Request, 'Response>) (operation: Operation) (request: 'Request) : Result<'Response, ClientFault> =
        versions.Within(api.Key, api.Versions)
        |> Result.bind (fun version -> ask api version request operation (decodeAs api version))

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
                close (fault.ToString())
                Error fault
        finally
            if not isDone then close "an exception ended the authentication"

    let awaitPause (operation: Operation) : Result<unit, ClientFault> =
        match pause with
        | ValueSome stretch when settings.HeedThrottle && versions.LeavesPause ->
            let left = stretch.Left time

            try
                if left > TimeSpan.Zero then
                    operation.Deadline.Await(operation.Cancellation, (fun stop -> task { do! Task.Delay(left, time, stop) }))

                pause <- ValueNone
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
            close cause
            Some(ClientFault.Unusable cause)
        else
            None

    // What prevents a call, after everything that is due before one has been done. `looks` says whether to look if the broker has closed the
    // connection.
    let obstacleTo (operation: Operation) (looks: bool) : ClientFault option =
        match over () with
        | Some cause -> Some(ClientFault.Unusable cause)
        | None when operation.Cancellation.IsCancellationRequested -> Some ClientFault.Cancelled
        | None when pause.IsNone && session.IsNone -> obstacleAtOtherEnd looks
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
        match ask ApiVersions.api version Connection.VersionsRequest operation (BrokerVersions.decode limits version) with
        | Error fault -> Error fault
        | Ok response when response.Error = ErrorCode.None ->
            versions <- BrokerVersions response
            Ok()
        | Ok response when response.Error = ErrorCode.UnsupportedVersion && version > 0s ->
            negotiate (BrokerVersions.next version response) operation
        | Ok response -> Error(ClientFault.VersionsRefused response.Error)

    static member val private SoftwareVersion: string =
        match typeof<Connection>.Assembly.GetName().Version with
        | null -> "0.0.0"
        | version -> version.ToString 3

    // One for all calls, so that it is not allocated for each.
    static member val private Cut: Action<obj | null> =
        Action<obj | null>(fun transport ->
            match transport with
            | :? Transport as transport -> transport.Cut()
            | _ -> ())

    static member val private VersionsRequest: ApiVersions.Request =
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
        |> Result.map (fun () -> limits <- settings.Limits)
        |> Result.mapError (fun fault ->
            close (fault.ToString())
            fault)

    // Whether the broker closed the connection without any answer, as some do with a version of ApiVersions that they do not know.
    member private _.WasHungUp = closed.IsSome && transport.BytesIn = 0L

    // Makes a connection to one address, and asks for the broker's versions in this version. The flag says whether the broker hung up on that.
    static member private OpenAt
        (broker: BrokerAddress, address: IPAddress, history: BrokerHistory, version: int16, operation: Operation)
        : struct (Result<Connection, ClientFault> * bool) =
        match Transport.Open(broker, address, operation) with
        | Error fault -> struct (Error fault, false)
        | Ok transport ->
            let connection =
                try
                    new Connection(broker, operation.Settings, transport, history)
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

        // For the client, TLS 1.3 is made before the broker has checked the client's certificate.
        let hungUp: ClientFault =
            if operation.Settings.Tls.IsNone then
                ClientFault.Closed
            else
                ClientFault.CannotConnect(
                    broker,
                    "it closed the connection right after the TLS handshake, as a broker does that stops or does not accept the client's \
                     certificate"
                )

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

    /// The socket, for inspection.
    member _.Socket = transport.Socket

    /// Whether calls can still be made. They cannot after a fault or `Close`, nor once the connection is too old or was unused for too long.
    member _.IsOpen = (over ()).IsNone

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

    /// An exchange in a version that the connection has chosen. If the broker is too old for the request, its fault says so.
    member internal _.ExplainVersion (api: Api<'Request, 'Response>) (exchange: Exchange<'Request, 'Answer>) =
        match versions.RangeOf api.Key with
        | Some theirs -> TooOld.explain api theirs exchange
        | None -> exchange

    /// What prevents a call, after everything that is due before one has been done; none if it may be made. If the broker has closed the
    /// connection, the fault is `Unusable`.
    member internal _.Ready(operation: Operation) : ClientFault option =
        guard.Enter()

        try
            obstacleTo operation true
        finally
            guard.Exit()

    // Sends a request and waits for its response. `looks` says whether to look first if the broker has closed the connection. See
    // `Writer.BlobStart`.
    member private _.ExchangeAfter
        (looks: bool, version: int16, api: Api<'Request, 'Response>, request: 'Request, blobStart: byte[] | null, operation: Operation)
        : Exchange<'Request, 'Response> =
        guard.Enter()

        try
            let obstacle =
                if api.IsAnswered request then
                    obstacleTo operation looks
                else
                    Some(ClientFault.NeverAnswered api.Key)
            exchange api version request blobStart operation operation.Options.Memory obstacle (decodeAs api version)
        finally
            guard.Exit()

    // Sends a request that has no response.
    member private _.SendAfter
        (looks: bool, version: int16, api: Api<'Request, 'Response>, request: 'Request, blobStart: byte[] | null, operation: Operation)
        : Exchange<'Request, unit> =
        guard.Enter()

        try
            let obstacle = obstacleTo operation looks
            let began = start ()

            let answer =
                match if obstacle.IsSome then obstacle else send api version began.Id request blobStart operation with
                | Some fault -> Answer.fault (explain api.Key began writer.Length false fault)
                | None -> Answer.none

            { Info = finish api.Key version began operation obstacle.IsSome answer; Request = request; Result = answer.Result }
        finally
            guard.Exit()

    /// Sends a request and waits for its response, as part of an operation, on a connection that is ready. It is not reported.
    member internal this.Exchange
        (version: int16, api: Api<'Request, 'Response>, request: 'Request, operation: Operation)
        : Exchange<'Request, 'Response> =
        this.ExchangeAfter(false, version, api, request, null, operation)

    /// The same for a request whose blob begins with other bytes than its own: see `Writer.BlobStart`.
    member internal this.Exchange
        (version: int16, api: Api<'Request, 'Response>, request: 'Request, blobStart: byte[] | null, operation: Operation)
        : Exchange<'Request, 'Response> =
        this.ExchangeAfter(false, version, api, request, blobStart, operation)

    /// Sends a request that has no response, as part of an operation, on a connection that is ready. It is not reported.
    member internal this.SendOnly
        (version: int16, api: Api<'Request, 'Response>, request: 'Request, blobStart: byte[] | null, operation: Operation)
        : Exchange<'Request, unit> =
        this.SendAfter(false, version, api, request, blobStart, operation)

    member private this.Call
        (looks, api: Api<'Request, 'Response>, request: 'Request, operation: Operation)
        : Exchange<'Request, 'Response> =
        match this.VersionOf api with
        | Ok version -> this.ExchangeAfter(looks, version, api, request, null, operation) |> this.ExplainVersion api
        | Error fault -> operation.NotMade(api, Some broker, request, fault)
        |> Operation.reported operation

    /// Sends a request of the client's own in the highest common version, as part of an operation, on a connection that is ready. It is not
    /// read into the caller's memory.
    member internal this.Ask(api: Api<'Request, 'Response>, request: 'Request, operation: Operation) : Exchange<'Request, 'Response> =
        this.Call(false, api, request, operation.Own)

    /// Sends a request in the highest common version and waits for its response.
    member this.Call(api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions) : Exchange<'Request, 'Response> =
        this.Call(true, api, request, Operation.Begin(settings, call))

    /// Sends a request in the version given and waits for its response. A request that has no response is refused: the fault is
    /// `NeverAnswered`.
    member this.CallAt
        (version: int16, api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions)
        : Exchange<'Request, 'Response> =
        let operation = Operation.Begin(settings, call)
        this.ExchangeAfter(true, version, api, request, null, operation) |> Operation.reported operation

    /// Sends a request that has no response, such as Produce with `Acks.None`, in the version given.
    member this.SendAt(version: int16, api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions) : Exchange<'Request, unit> =
        let operation = Operation.Begin(settings, call)
        this.SendAfter(true, version, api, request, null, operation) |> Operation.reported operation

    /// Sends a request whose response has no information, such as one that ends a fetch session, if that is possible without waiting.
    member internal _.SendAtOnce(api: Api<'Request, 'Response>, request: 'Request) =
        if guard.TryEnter() then
            try
                match versions.Within(api.Key, api.Versions) with
                | Ok version when (over ()).IsNone && transport.IsWritable ->
                    let operation = Operation.Begin(settings, None)
                    let began = start ()

                    let answer =
                        match send api version began.Id request null operation with
                        | Some fault -> Answer.fault fault
                        | None -> Answer.none

                    operation.Report(finish api.Key version began operation false answer, ErrorCode.None)
                | _ -> ()
            finally
                guard.Exit()

    /// Closes the socket. Later calls return the fault `Unusable`.
    member _.Close() = close "closed by the caller"

    interface IDisposable with
        member this.Dispose() = this.Close()
