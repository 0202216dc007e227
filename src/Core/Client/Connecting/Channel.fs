namespace LibKafka.Client

open System
open System.Buffers.Binary
open System.Runtime.ExceptionServices
open LibKafka.Wire
open LibKafka.Protocol

/// What was received for a request: what it says, how many of its bytes were not read, and the pause that the broker asks for.
[<Struct; NoEquality; NoComparison>]
type internal Answer<'T> = { UnreadBytes: int; ThrottleMs: int; Result: Result<'T, ClientFault> }

[<RequireQualifiedAccess>]
module internal Answer =

    /// Nothing usable was received.
    let fault (fault: ClientFault) : Answer<'T> = { UnreadBytes = 0; ThrottleMs = 0; Result = Error fault }

    /// The answer to a request that has no response.
    let none (value: 'T) : Answer<'T> = { UnreadBytes = 0; ThrottleMs = 0; Result = Ok value }

/// How a response is read.
[<AbstractClass>]
type internal Reception<'Answer>() =

    /// What a response frame says.
    abstract Read: limits: Limits * version: int16 * frame: Bytes -> Answer<'Answer>

    /// Whether the request may be one that has no response.
    abstract MayBeAbsent: bool

    /// The answer to a request that has no response.
    abstract Absent: Answer<'Answer>

[<RequireQualifiedAccess>]
module internal Reception =

    let inline private read (api: Api<'Request, 'Response>) (result: Result<struct ('Response * int), Fault>) ([<InlineIfLambda>] value) =
        match result with
        | Ok(struct (response, unread)) ->
            { UnreadBytes = unread; ThrottleMs = max 0 (api.ThrottleTimeMs response); Result = Ok(value response) }
        | Error fault -> Answer.fault (ClientFault.Malformed fault)

    /// The responses of an API. A request without one is refused before it is sent.
    let ofApi (api: Api<'Request, 'Response>) : Reception<'Response> =
        { new Reception<'Response>() with
            member _.Read(limits, version, frame) = read api (Frame.readResponse limits api version frame) (fun response -> response)
            member _.MayBeAbsent = false
            member _.Absent = Answer.fault (ClientFault.NeverAnswered api.Key) }

    /// The responses of an API, or none to a request that has no response.
    let optional (api: Api<'Request, 'Response>) : Reception<'Response option> =
        { new Reception<'Response option>() with
            member _.Read(limits, version, frame) = read api (Frame.readResponse limits api version frame) (fun response -> Some response)
            member _.MayBeAbsent = true
            member _.Absent = Answer.none None }

    /// For requests that have no response.
    let nothing: Reception<unit> =
        { new Reception<unit>() with
            member _.Read(_, _, _) = Answer.none ()
            member _.MayBeAbsent = true
            member _.Absent = Answer.none () }

    /// The response to ApiVersions, which not every broker gives in the version that it was asked in.
    let versions: Reception<ApiVersions.Response> =
        let api = ApiVersions.api

        { new Reception<ApiVersions.Response>() with
            member _.Read(limits, version, frame) = read api (BrokerVersions.decode limits version frame) (fun response -> response)
            member _.MayBeAbsent = false
            member _.Absent = Answer.fault (ClientFault.NeverAnswered api.Key) }

/// The beginning of an exchange, from which its time and bytes are counted.
[<Struct; NoEquality; NoComparison>]
type internal Beginning = { Id: int32; Since: int64; BytesOut: int64; BytesIn: int64 }

/// A request that was begun: it was sent, or there is a fault because of which it will have no response. `size` is that of the request.
[<Sealed>]
type internal Flight
    (
        transport: Transport,
        operation: Operation,
        api: ApiKey,
        version: int16,
        began: Beginning,
        size: int,
        isAnswered: bool,
        wasPrevented: bool,
        fault: ClientFault option,
        receive: Action<Flight>
    ) =
    let options = operation.Options
    let partition = operation.Partition
    let mutable deadline = operation.Deadline
    let mutable fault = fault
    let mutable isReady = false
    // Whether the rest of the response has been given more time.
    let mutable isExtended = false

    // The most time for the rest of a response that has begun to arrive when the caller comes back at the end of the call's time.
    static let mostForRest = TimeSpan.FromSeconds 5.0

    // Under TLS this reads, which another thread must not do at the same time.
    let hasArrived (guard: ThreadGuard) =
        if not transport.IsSecure then
            transport.HasArrived
        else
            guard.Resume()

            try
                transport.HasArrived
            finally
                guard.Exit()

    member _.Transport = transport

    /// The whole response, once it has been received.
    member val Frame: Bytes voption = ValueNone with get, set

    /// Why receiving it has failed.
    member val Failure: ExceptionDispatchInfo | null = null with get, set

    /// Whether a part of the response has been received.
    member val HasBegun = false with get, set
    member _.Options = options
    member _.Partition = partition

    /// The moment by which the response must have been read.
    member _.Deadline = deadline
    member _.Api = api
    member _.Version = version
    member _.Began = began
    member _.Size = size

    /// Whether the broker responds to the request.
    member _.IsAnswered = isAnswered

    /// Whether something prevented the request, so that nothing of it was sent.
    member _.WasPrevented = wasPrevented

    /// Why there will be no response.
    member _.Fault
        with get () = fault
        and set (value: ClientFault option) = fault <- value

    /// Whether completing the call is known not to wait for the first byte of the response.
    member _.WasReady = isReady

    /// The same, after a look that costs no system call.
    member _.IsReadyAtOnce: bool =
        if not isReady then
            isReady <-
                fault.IsSome || not isAnswered || transport.HasAhead || options.Cancellation.IsCancellationRequested || deadline.IsOver

        isReady

    /// The same, after a look at the socket by a user of the connection.
    member this.Look(guard: ThreadGuard) : bool =
        if not this.IsReadyAtOnce then isReady <- hasArrived guard
        isReady

    /// The same, after the socket was found readable.
    member this.Arrived(guard: ThreadGuard) : bool =
        if transport.IsSecure then
            this.Look guard
        else
            isReady <- true
            true

    /// Gives up waiting for the response.
    member _.Abandon() = if fault.IsNone && isAnswered then fault <- Some ClientFault.Cancelled

    /// Allows time for the rest of a response that has begun to arrive: what the call was given, but at most 5 seconds. A caller that comes
    /// back when its time is over has not waited for the broker.
    member this.AllowForRest(guard: ThreadGuard) =
        let most = Duration.sooner deadline.Allowed mostForRest

        if fault.IsNone && isAnswered && not isExtended && deadline.LeavesLess most && (this.HasBegun || hasArrived guard) then
            isExtended <- true
            deadline <- Deadline.After(deadline.Time, most)

    member private this.IsWhole =
        fault.IsSome
        || not isAnswered
        || this.Frame.IsSome
        || not (isNull this.Failure)
        || options.Cancellation.IsCancellationRequested

    /// Receives what has arrived without waiting. Whether completing the call is known not to wait at all. If it is not, the call is not ready
    /// again before more arrives.
    member this.Receive(guard: ThreadGuard) : bool =
        if not this.IsWhole then
            use _ = guard.HoldInFlight()
            receive.Invoke this
            if deadline.IsOver then this.AllowForRest guard

        let isWhole = this.IsWhole || deadline.IsOver
        isReady <- isWhole
        isWhole

/// One request at a time and its response, over a transport: correlation ids, frames, and what each exchange took.
[<Sealed>]
type internal Channel(broker: BrokerAddress, settings: ClientSettings, transport: Transport, history: BrokerHistory) =
    let guard = ThreadGuard "connection"
    // A batch is sent from where it is in memory. Below this size a copy costs less than a piece of its own.
    let writer = Writer(512, 16 * 1024)
    let clientId = Some settings.ClientId
    let asked = Some broker
    let prefix: byte[] = Array.zeroCreate 4
    // What is being received: the length of a frame or the frame, and how much of it has been.
    let mutable target = ArraySegment prefix
    let mutable got = 0
    // The memory of the frame, if it is the caller's.
    let mutable lent: LentMemory | null = null
    let mutable isLength = true
    let mutable correlation = 0
    let mutable answered = 0
    let mutable closed: string option = None
    let time = settings.Time
    let opened = time.GetTimestamp()
    let mutable lastUsed = opened
    let mutable pause: Stretch voption = ValueNone
    let mutable limits = ClientSettings.limitsBeforeAuthentication settings.Limits

    // From this size on, a request that is not answered may have been too large for the broker.
    static let largeRequest = 1024 * 1024

    // From this size on, a request may be sent in parts.
    static let partlySent = 64 * 1024

    // One for all calls, so that it is not allocated for each.
    static let cut =
        Action<obj | null>(fun transport ->
            match transport with
            | :? Transport as transport -> transport.Cut()
            | _ -> ())

    let close (cause: string) =
        if closed.IsNone then
            closed <- Some cause
            (transport :> IDisposable).Dispose()

    // A broker that expects TLS answers what it cannot read with an alert: 0x15, then the version, which begins with 0x03.
    let isTlsAlert () = answered = 0 && not transport.IsSecure && prefix[0] = 0x15uy && prefix[1] = 0x03uy

    // The caller's memory for a frame of this length, if there is one.
    let takeMemory (length: int) (flight: Flight) : LentMemory | null =
        match flight.Options.Memory, flight.Partition with
        | None, _ -> null
        | Some memory, Some partition -> memory.Take(length, partition)
        | Some memory, None -> memory.Take(length, null)

    // Prepares for a frame, of which the length has been received.
    let expectFrame (flight: Flight) =
        let length = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan prefix)

        if isTlsAlert () then
            raise (ClientFaultException(ClientFault.TlsExpected broker))

        // Every response has a correlation id.
        if length < 4 || length > limits.MaxFrameBytes then
            raise (ClientFaultException(ClientFault.BadFrameLength(length, limits.MaxFrameBytes)))

        lent <- takeMemory length flight

        target <-
            match lent with
            | null -> ArraySegment(GC.AllocateUninitializedArray<byte> length)
            | lent -> lent.Segment

        got <- 0
        isLength <- false

    let expectLength () =
        target <- ArraySegment prefix
        lent <- null
        got <- 0
        isLength <- true

    // The next frame. None if `waits` is false and the whole frame has not arrived yet: what has is kept.
    let rec readFrame (waits: bool) (flight: Flight) : Bytes voption =
        let rest = target.Slice got

        if waits then
            transport.ReadExactly(rest, flight.Deadline)
            got <- target.Count
        else
            got <- got + transport.ReadArrived rest

        if got < target.Count then
            ValueNone
        elif isLength then
            expectFrame flight
            readFrame waits flight
        else
            let frame = Bytes(LentMemory.slice lent (nonNull target.Array) 0 target.Count)
            expectLength ()
            ValueSome frame

    // The response to a request. All requests since the last response, except this one, asked for none. A broker that responds to them
    // nevertheless is tolerated.
    let rec readResponse (waits: bool) (flight: Flight) : Bytes voption =
        let id = flight.Began.Id

        match readFrame waits flight with
        | ValueNone -> ValueNone
        | ValueSome frame ->
            let received = BinaryPrimitives.ReadInt32BigEndian frame.Span

            if received > answered && received < id then
                readResponse waits flight
            elif received = id then
                answered <- id
                ValueSome frame
            else
                raise (ClientFaultException(ClientFault.WrongCorrelationId(id, received)))

    // Receives what has arrived of the response to a request. A failure is raised when the call is completed.
    let receiveArrived (flight: Flight) =
        try
            flight.Frame <- readResponse false flight
            flight.HasBegun <- flight.Frame.IsSome || got > 0 || not isLength
        with error ->
            flight.Failure <- ExceptionDispatchInfo.Capture error

    // One for all calls, so that it is not allocated for each.
    let receiving = Action<Flight> receiveArrived

    // The whole response.
    let await (flight: Flight) : Bytes =
        match flight.Failure with
        | null -> ()
        | failure -> failure.Throw()

        match flight.Frame with
        | ValueSome frame -> frame
        | ValueNone -> (readResponse true flight).Value

    let start () : Beginning =
        correlation <- correlation + 1

        { Id = correlation; Since = time.GetTimestamp(); BytesOut = transport.BytesOut; BytesIn = transport.BytesIn }

    // What an exception means. Another thread may have closed the connection meanwhile.
    let faultOf (fault: ClientFault) : ClientFault =
        match closed with
        | Some cause when fault <> ClientFault.Cancelled -> ClientFault.Unusable cause
        | _ -> fault

    // A broker says nothing when it closes a connection, so the fault names the likely cause. `size` is that of the request.
    let explain (api: ApiKey) (began: Beginning) (size: int) (wasSent: bool) (knowsSasl: bool) (fault: ClientFault) : ClientFault =
        let isUnanswered = transport.BytesIn = began.BytesIn

        match fault with
        | ClientFault.Closed when isUnanswered && size >= (if wasSent then largeRequest else partlySent) ->
            ClientFault.ClosedWhileSending(transport.BytesOut - began.BytesOut, int64 size)
        | ClientFault.Closed when isUnanswered && settings.Sasl.IsNone && not history.IsAnswered && api <> ApiKey.ApiVersions && knowsSasl ->
            ClientFault.ClosedUnauthenticated
        | fault -> fault

    // `blobStart` replaces the first bytes of the request's blob, such as the header of a record batch; null to leave it as it is.
    let send (api: Api<'Request, 'Response>) version (id: int32) (request: 'Request) (blobStart: byte[] | null) (operation: Operation) =
        writer.BlobStart <- blobStart

        match Frame.writeRequest writer api version id clientId request with
        | Error fault -> Some(ClientFault.CannotEncode fault)
        | Ok() ->
            let cancellation = operation.Cancellation
            use _ = cancellation.UnsafeRegister(cut, transport)

            try
                cancellation.ThrowIfCancellationRequested()
                transport.Write(writer.Segments, operation.Deadline)
                None
            with error ->
                Some(faultOf (transport.SendFault(operation, error)))

    let receive (flight: Flight) (reception: Reception<'Answer>) : Answer<'Answer> =
        let options = flight.Options
        use _ = options.Cancellation.UnsafeRegister(cut, transport)

        try
            reception.Read(limits, flight.Version, await flight)
        with error ->
            let operation: Operation =
                { Settings = settings; Options = options; Deadline = flight.Deadline; History = null; Partition = flight.Partition }

            Answer.fault (faultOf (transport.Fault(operation, error)))

    // Closes the connection if it must not be used any more after an exchange.
    let closeAfter (fault: ClientFault option) (flight: Flight) =
        match fault with
        // It was cancelled after the response had been received: the call has succeeded, but its socket is closed.
        | None when flight.Options.Cancellation.IsCancellationRequested -> close (ClientFault.Cancelled.ToString())
        | None -> ()
        | Some(ClientFault.Unusable cause) -> close cause
        | Some(ClientFault.CannotEncode _ | ClientFault.BrokerTooOld _) -> ()
        | Some _ when flight.WasPrevented -> ()
        | Some fault -> close (fault.ToString())

    // Brings the connection's state up to date after an exchange, and describes the exchange.
    let finish (flight: Flight) (answer: Answer<'Answer>) : ExchangeInfo =
        let began = flight.Began

        let fault =
            match answer.Result with
            | Ok _ -> None
            | Error fault -> Some fault

        closeAfter fault flight
        lastUsed <- time.GetTimestamp()
        let elapsed = time.GetElapsedTime(began.Since, lastUsed)
        let throttle = TimeSpan.FromMilliseconds(float answer.ThrottleMs)

        if throttle.Ticks > 0L then
            pause <- ValueSome { Since = lastUsed; For = throttle }

        { Api = flight.Api
          Version = flight.Version
          Broker = asked
          CorrelationId = began.Id
          Attempt = flight.Options.Attempt
          Partition = flight.Partition
          Began = time.GetUtcNow() - elapsed
          Elapsed = elapsed
          BytesOut = int (transport.BytesOut - began.BytesOut)
          BytesIn = int (transport.BytesIn - began.BytesIn)
          UnreadBytes = answer.UnreadBytes
          ThrottleTime = throttle
          Fault = fault }

    let settle (flight: Flight) (request: 'Request) (reception: Reception<'Answer>) (knowsSasl: bool) : Exchange<'Request, 'Answer> =
        let answer =
            match flight.Fault with
            | Some fault -> Answer.fault fault
            | None when not flight.IsAnswered -> reception.Absent
            | None ->
                let answer = receive flight reception

                match answer.Result with
                | Error fault -> { answer with Result = Error(explain flight.Api flight.Began flight.Size true knowsSasl fault) }
                | Ok _ ->
                    if flight.Api <> ApiKey.ApiVersions then history.IsAnswered <- true
                    answer

        { Info = finish flight answer; Request = request; Result = answer.Result }

    /// The settings it was made with.
    member _.Settings = settings

    /// Detects that two threads use the connection, and knows whether a request is in flight. It is held while a request is begun and while one is completed.
    member _.Guard = guard

    /// The bytes' way to the broker.
    member _.Transport = transport

    /// The broker at the other end.
    member _.Broker = broker

    /// Bounds on responses.
    member _.Limits
        with get () = limits
        and set (value: Limits) = limits <- value

    /// Whether the broker knows SASL.
    member val KnowsSasl = false with get, set

    /// The pause that the broker last asked for.
    member _.Pause
        with get () = pause
        and set (value: Stretch voption) = pause <- value

    /// Whether it was closed.
    member _.IsClosed = closed.IsSome

    /// Why no more requests can be sent; none if they can.
    member _.Over: string option =
        if closed.IsSome then
            closed
        elif Duration.hasPassed time settings.ConnectionTtl opened then
            Some "it is older than ConnectionTtl"
        elif Duration.hasPassed time settings.MaxIdle lastUsed then
            Some "it was unused for longer than MaxIdle"
        else
            None

    /// Sends a request, unless `obstacle` prevents it. From then on it is in flight until `Complete`, even if it could not be sent. Only if it
    /// `isAnswered`, a response is received. For `blobStart` see `Writer.BlobStart`.
    member this.Begin
        (
            api: Api<'Request, 'Response>,
            version: int16,
            request: 'Request,
            blobStart: byte[] | null,
            isAnswered: bool,
            operation: Operation,
            obstacle: ClientFault option
        ) : Flight =
        let began = start ()

        let failure = if obstacle.IsSome then obstacle else send api version began.Id request blobStart operation

        let fault =
            match failure with
            | Some fault when obstacle.IsNone -> Some(explain api.Key began writer.Length false this.KnowsSasl fault)
            | failure -> failure

        let size = writer.Length
        // The writer must not keep the request alive while the call waits for the response.
        writer.Clear()
        guard.IsInFlight <- true
        Flight(transport, operation, api.Key, version, began, size, isAnswered, obstacle.IsSome, fault, receiving)

    /// Waits for the response to the request in flight. The exchange is not reported.
    member this.Complete(flight: Flight, request: 'Request, reception: Reception<'Answer>) : Exchange<'Request, 'Answer> =
        try
            settle flight request reception this.KnowsSasl
        finally
            guard.IsInFlight <- false

    /// Closes the socket. The cause is the one of the first call.
    member _.Close(cause: string) = close cause
