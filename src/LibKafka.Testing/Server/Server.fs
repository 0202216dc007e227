namespace LibKafka.Testing

open System
open System.Buffers.Binary
open System.Collections.Generic
open System.IO
open System.Net
open System.Net.Security
open System.Net.Sockets
open System.Security.Authentication
open System.Threading
open LibKafka
open LibKafka.Wire
open LibKafka.Protocol

/// A request whose answer comes later.
[<Sealed>]
type internal Waiter(waiting: Waiting) =
    let gate = obj ()
    let mutable answer: Answer voption = ValueNone
    member _.Waiting = waiting

    member _.Answer = answer

    /// Gives the answer to the thread that waits for it.
    member this.Complete(given: Answer) =
        lock gate (fun () ->
            answer <- ValueSome given
            Monitor.Pulse gate)

    /// Waits for the answer, at most so many milliseconds.
    member this.Wait(milliseconds: int) : Answer voption =
        lock gate (fun () ->
            if answer.IsNone then Monitor.Wait(gate, milliseconds) |> ignore
            answer)

/// Memory for responses, which the connections use in turn. What was returned last is given first, because it is in the processor's cache.
[<Sealed>]
type internal Writers() =
    // More than are in use at once on most machines.
    static let most = 16

    // Records of a partition of at least this size are sent from the log itself.
    static let leastApart = 16 * 1024
    let free = Stack<Writer>()

    member _.Rent() : Writer =
        lock free (fun () ->
            match free.TryPop() with
            | true, writer -> writer
            | _ -> Writer(4096, leastApart))

    member _.Return(writer: Writer) =
        writer.Clear()
        lock free (fun () -> if free.Count < most then free.Push writer)

/// Holds the state of a cluster, and gives it the requests of all connections one after another.
[<Sealed>]
type internal Engine(initial: State, clock: unit -> Moment, script: Script, log: ExchangeLog) =
    let gate = obj ()
    let usesSasl = not initial.Security.Mechanisms.IsEmpty
    let waiters = List<Waiter>()
    let failures = List<string>()
    let mutable state = initial
    let mutable connections = 0L
    let mutable isStopped = false

    // When the clock must do something. ValueNone if it has nothing to do, and null as its thread if it never had.
    let mutable due: Moment voption = ValueNone
    let mutable clockThread: Thread | null = null

    // Asks the waiting requests that a change since `before` concerns, until nothing changes any more.
    let rec wake (before: State) =
        let current = state
        let now = clock ()
        let mutable index = 0

        while index < waiters.Count do
            let waiter = waiters[index]

            match (if waiter.Waiting.Concerns before state then waiter.Waiting.Ready now state else ValueNone) with
            | ValueNone -> index <- index + 1
            | ValueSome(after, answer) ->
                waiters.RemoveAt index
                state <- after
                waiter.Complete answer

        if not (Object.ReferenceEquals(current, state)) then wake current

    // Runs what is due, and sleeps until something else is.
    let rec tick () =
        lock gate (fun () ->
            while not isStopped do
                let now = clock ()

                match due with
                | ValueSome moment when moment <= now ->
                    change (Broker.tick now state)
                    due <- Broker.nextTick state
                | ValueSome moment -> Monitor.Wait(gate, int (min (moment - now) 60_000L)) |> ignore
                | ValueNone -> Monitor.Wait gate |> ignore)

    // The clock wakes by itself if something is due later than it was.
    and schedule () =
        let before = due
        due <- Broker.nextTick state

        match before, due with
        | _, ValueSome _ when isNull clockThread ->
            let thread = Thread(tick, 256 * 1024, IsBackground = true, Name = "LibKafka.Testing clock")
            clockThread <- thread
            thread.Start()
        | ValueNone, ValueSome _ -> Monitor.PulseAll gate
        | ValueSome before, ValueSome now when now < before -> Monitor.PulseAll gate
        | _ -> ()

    and change (after: State) =
        let before = state

        if not (Object.ReferenceEquals(before, after)) then
            state <- after
            if waiters.Count > 0 then wake before
            if Waiting.areTimersChanged before state then schedule ()
            // Those who wait for the end of a broker's pause.
            if not (Object.ReferenceEquals(before.Nodes, state.Nodes)) then
                Monitor.PulseAll gate

    /// What happens to requests other than usual.
    member _.Script = script

    /// The requests that were received.
    member _.Log = log

    /// Memory for the responses of all connections.
    member val Writers = Writers()

    /// How long a new connection is kept open before it is closed because its address connects too often; 0 milliseconds if it is accepted.
    member _.Admit(node: int32, host: string) : int32 =
        lock gate (fun () ->
            let after, time = Broker.connect (clock ()) node host state
            change after
            time)

    /// A number for a new connection.
    member _.NextConnection() : int64 = Interlocked.Increment &connections

    /// The name of a topic.
    member _.NameOf(id: Guid) : string option = lock gate (fun () -> state.TopicNames.TryFind id)

    /// The state at this moment, or after the broker's pause.
    member _.StateWhenRunning(node: int32) : State =
        lock gate (fun () ->
            while not isStopped && state.Nodes[node].Status = NodeStatus.Paused do
                Monitor.Wait gate |> ignore

            state)

    /// The state at this moment.
    member _.State = lock gate (fun () -> state)

    /// Exceptions that the broker threw, which are defects.
    member _.Failures = lock gate (fun () -> List.ofSeq failures)

    /// Changes the state, as a script does.
    member _.Change(update: Moment -> State -> State) = lock gate (fun () -> change (update (clock ()) state))

    /// Whether the cluster was stopped.
    member _.IsStopped = isStopped

    /// Ends all waiting.
    member _.Stop() =
        lock gate (fun () ->
            isStopped <- true
            for waiter in waiters do
                waiter.Complete Close
            waiters.Clear()
            Monitor.PulseAll gate)

    /// The number of requests that wait for something.
    member _.WaitingRequests: int = lock gate (fun () -> waiters.Count)

    /// Lets a request wait. The answer is `Close` if the cluster was stopped.
    member private _.Enlist(waiting: Waiting) : Waiter =
        let waiter = Waiter waiting
        if isStopped then waiter.Complete Close else waiters.Add waiter
        waiter

    member private this.Start(caller: Caller, request: Request) : Result<Answer, Waiter> =
        lock gate (fun () ->
            let after, answer = Broker.handle (clock ()) caller state request

            // A request that waits is enlisted first: the change may wake others, which may change what it waits for.
            let result =
                match answer with
                | Later waiting -> Error(this.Enlist waiting)
                | answer -> Ok answer

            change after
            result)

    /// The answer that a waiting request must have now.
    member private _.Expire(waiter: Waiter) : Answer voption =
        lock gate (fun () ->
            match waiter.Answer with
            | ValueSome answer -> ValueSome answer
            | ValueNone ->
                match waiter.Waiting.Ready (max (clock ()) waiter.Waiting.Until) state with
                | ValueNone -> ValueNone
                | ValueSome(after, answer) ->
                    waiters.Remove waiter |> ignore
                    change after
                    ValueSome answer)

    member private this.Await(waiter: Waiter) : Answer =
        let left = waiter.Waiting.Until - clock ()

        match (if left > 0L then waiter.Wait(int (min left 60_000L)) else ValueNone) with
        | ValueSome(Later waiting) -> this.AwaitAgain waiting
        | ValueSome answer -> answer
        | ValueNone when clock () < waiter.Waiting.Until -> this.Await waiter
        | ValueNone ->
            match this.Expire waiter with
            | ValueSome(Later waiting) -> this.AwaitAgain waiting
            | ValueSome answer -> answer
            // A request that is never answered.
            | ValueNone -> waiter.Wait Timeout.Infinite |> ValueOption.defaultValue Close

    /// Waits for something else. It may have happened before the request was enlisted.
    member private this.AwaitAgain(waiting: Waiting) : Answer =
        let again =
            lock gate (fun () ->
                match waiting.Ready (clock ()) state with
                | ValueSome(after, answer) ->
                    change after
                    Ok answer
                | ValueNone -> Error(this.Enlist waiting))

        match again with
        | Ok(Later waiting) -> this.AwaitAgain waiting
        | Ok answer -> answer
        | Error waiter -> this.Await waiter

    /// The answer to a request, after waiting for it. It is never `Later`.
    member this.Handle(caller: Caller, request: Request) : Answer =
        try
            match this.Start(caller, request) with
            | Ok answer -> answer
            | Error waiter -> this.Await waiter
        with failure ->
            lock gate (fun () -> failures.Add(failure.ToString()))
            Close

    /// The answer to a SASL token without a Kafka header.
    member _.Token(connection: int64, token: Bytes) : Answer =
        lock gate (fun () ->
            let after, answer = Security.token (clock ()) connection token state
            change after
            answer)

    /// Whether an authentication failed, so that the connection must be closed.
    member _.IsRefused(connection: int64) : bool = usesSasl && lock gate (fun () -> Security.isRefused connection state)

    member _.Closed(connection: int64) = lock gate (fun () -> change (Broker.closed connection state))

    member _.Fail(text: string) = lock gate (fun () -> failures.Add text)

/// One connection: reads requests and writes their responses, one after another.
[<Sealed>]
type internal ServerConnection(engine: Engine, node: int32, number: int64, socket: Socket, stream: Stream, host: string, principal: string)
    =
    // socket.request.max.bytes
    static let mostBytes = 100 * 1024 * 1024
    let buffer = Array.zeroCreate<byte>(16 * 1024)
    let mutable start = 0
    let mutable finish = 0

    /// Fills the target; false at the end of the stream.
    let readExactly (target: Memory<byte>) : bool =
        let buffered = min (finish - start) target.Length
        buffer.AsSpan(start, buffered).CopyTo target.Span
        start <- start + buffered
        let mutable filled = buffered
        let mutable isOpen = true

        while isOpen && filled < target.Length do
            let wanted = target.Length - filled

            if wanted >= buffer.Length then
                let count = stream.Read(target.Span.Slice filled)
                if count = 0 then isOpen <- false else filled <- filled + count
            else
                let count = stream.Read(buffer.AsSpan())

                if count = 0 then
                    isOpen <- false
                else
                    let taken = min count wanted
                    buffer.AsSpan(0, taken).CopyTo(target.Span.Slice filled)
                    filled <- filled + taken
                    start <- taken
                    finish <- count

        isOpen

    let prefix = Array.zeroCreate<byte> 4

    let readFrame () : Bytes voption =
        if not (readExactly (prefix.AsMemory())) then
            ValueNone
        else
            let length = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan prefix)

            if length < 0 || length > mostBytes then
                ValueNone
            else
                // The request is remembered, so its memory is not used again.
                let frame = GC.AllocateUninitializedArray<byte> length
                if readExactly (frame.AsMemory()) then ValueSome(Bytes frame) else ValueNone

    let send (bytes: ReadOnlySpan<byte>) = stream.Write bytes

    /// Sends at most so many bytes of consecutive pieces. Without TLS, none of them is copied.
    let sendPieces (most: int) (pieces: ArraySegment<byte> list) =
        let mutable left = most
        // The system takes several pieces at once, but not always all of their bytes.
        let mutable skipped =
            match stream with
            | :? NetworkStream when most = Int32.MaxValue && not pieces.Tail.IsEmpty -> socket.Send(List<ArraySegment<byte>> pieces)
            | _ -> 0

        for piece in pieces do
            let passed = min skipped piece.Count
            let count = min left (piece.Count - passed)
            if count > 0 then
                send (ReadOnlySpan<byte>(piece.Array, piece.Offset + passed, count))
            skipped <- skipped - passed
            left <- left - count

    /// Sends at most so many bytes of a response and returns its size; 0 if it cannot be written.
    let write (most: int) (version: int16) (correlationId: int32) (response: Response) : int =
        let writer = engine.Writers.Rent()

        match Frame.writeAnyResponse writer version correlationId response with
        | Ok() ->
            let size = writer.Length
            sendPieces most writer.Segments
            engine.Writers.Return writer
            size
        | Error fault ->
            engine.Fail("A response cannot be written: " + fault.ToString())
            0

    let reply (version: int16) (correlationId: int32) (response: Response) : bool = write Int32.MaxValue version correlationId response > 0

    /// Reads until the client closes the connection, and answers nothing.
    let rec fallSilent () : bool =
        match readFrame () with
        | ValueSome _ -> fallSilent ()
        | ValueNone -> false

    // KIP-219: the client has its answer, and its next request is read after the throttle time.
    let mute (response: Response) =
        let throttleTime = Response.throttleTimeMs response

        if throttleTime > 0 then Thread.Sleep throttleTime

    /// Sends a whole response; false if the connection must be closed.
    let respond (exchange: BrokerExchange) (correlationId: int32) (response: Response) : bool =
        // Before release 2.0, a throttled response is sent after its throttle time.
        let isHeld = Response.throttleTimeMs response > 0 && not (engine.State.Settings.Release.IsAtLeast(2, 0))
        if isHeld then mute response

        // A test may look at the response as soon as its client has it.
        exchange.Answer response
        let size = write Int32.MaxValue exchange.Version correlationId response

        if size > 0 then
            engine.Log.Grow(exchange, size)
            if not isHeld then mute response
            not (engine.IsRefused number)
        else
            false

    let sendFrame (bytes: Bytes) =
        let length = Array.zeroCreate<byte> 4
        BinaryPrimitives.WriteInt32BigEndian(length.AsSpan(), bytes.Length)
        send (ReadOnlySpan length)
        send bytes.Span

    /// Gives the answer of a request that was carried out to the client, in the way that the script says.
    let give (exchange: BrokerExchange) (reaction: Reaction) (answer: Answer) : bool =
        let respond = respond exchange exchange.Header.CorrelationId

        match answer, reaction.Kind with
        | _, ReactionKind.Silence -> fallSilent ()
        | Reply response, ReactionKind.CutAfter bytes ->
            write bytes exchange.Version exchange.Header.CorrelationId response |> ignore
            false
        | Nothing, ReactionKind.CutAfter _ -> false
        | Reply response, ReactionKind.WrongCorrelationId -> reply exchange.Version (exchange.Header.CorrelationId + 1) response
        | Reply response, ReactionKind.Change change -> respond (change.Invoke response)
        | Reply _, ReactionKind.FailAfterwards code -> respond (ErrorResponses.create exchange.Version exchange.Request code)
        | Reply response, _ -> respond response
        | Nothing, _ -> true
        | Raw bytes, _ ->
            sendFrame bytes
            true
        | (Close | Later _), _ -> false

    let carryOut (exchange: BrokerExchange) (size: int) : Answer =
        engine.Handle(
            { Node = node; Connection = number; Host = host; Principal = principal; Header = exchange.Header; RequestSize = size },
            exchange.Request
        )

    let react (exchange: BrokerExchange) (size: int) : bool =
        let reaction = engine.Script.React(engine.NameOf, exchange)
        let pause () = if reaction.DelayTime > TimeSpan.Zero then Thread.Sleep reaction.DelayTime

        let instead (response: Response) =
            pause ()
            Request.isAnswered exchange.Request && respond exchange exchange.Header.CorrelationId response

        match reaction.Kind with
        | ReactionKind.Ignore -> fallSilent ()
        | ReactionKind.Fail code -> instead (ErrorResponses.create exchange.Version exchange.Request code)
        | ReactionKind.Reply response -> instead response
        | ReactionKind.Raw bytes ->
            pause ()
            send bytes.Span
            true
        | ReactionKind.Close
        | ReactionKind.CutRequestAfter _ ->
            pause ()
            false
        | _ ->
            let answer = carryOut exchange size
            pause ()
            give exchange reaction answer

    let answerToken (token: Bytes) : bool =
        match engine.Token(number, token) with
        | Raw bytes ->
            sendFrame bytes
            true
        | _ -> false

    let answerRequest (state: State) (frame: Bytes) : bool =
        match Frames.read state frame with
        | Incoming.Malformed -> false
        | Incoming.UnsupportedApiVersions correlationId -> reply 0s correlationId (Versions.unsupported state)
        | Incoming.Request(header, request) ->
            let exchange = engine.Log.Add(node, number, header, request, frame.Length)

            try
                react exchange frame.Length
            with
            // The client closed the connection, or the broker is stopped.
            | :? IOException
            | :? SocketException
            | :? ObjectDisposedException -> false
            | failure ->
                engine.Fail(failure.ToString())
                false

    /// Answers one request; false if the connection must be closed.
    let answer (frame: Bytes) : bool =
        let state = engine.StateWhenRunning node
        if Security.awaitsToken number state then answerToken frame else answerRequest state frame

    let rec serve () =
        match readFrame () with
        | ValueSome frame -> if answer frame then serve ()
        | ValueNone -> ()

    /// Serves the connection until either side closes it.
    member _.Run() =
        try
            try
                serve ()
            with
            | :? IOException
            | :? SocketException
            | :? ObjectDisposedException -> ()
        finally
            stream.Dispose()
            socket.Dispose()
            engine.Closed number

/// The sockets of one broker.
[<Sealed>]
type internal Listener(address: IPAddress, port: int, tls: SslServerAuthenticationOptions | null) =
    static let anonymous = "User:ANONYMOUS"
    let socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
    let open' = HashSet<Socket>()
    let mutable isStopped = false

    let close (connection: Socket) =
        try
            connection.Shutdown SocketShutdown.Both
        with
        | :? SocketException
        | :? ObjectDisposedException -> ()

        connection.Dispose()

    /// The stream of a connection after the TLS handshake, and the principal of the client's certificate. ValueNone if the handshake failed.
    let connect (connection: Socket) : struct (Stream * string) voption =
        let plain = new NetworkStream(connection, false)

        match tls with
        | null -> ValueSome(struct (plain, anonymous))
        | options ->
            let stream = new SslStream(plain)

            try
                stream.AuthenticateAsServer options

                match stream.RemoteCertificate with
                | null -> ValueSome(struct (stream, anonymous))
                | certificate -> ValueSome(struct (stream, "User:" + certificate.Subject.Replace(", ", ",")))
            with
            | :? AuthenticationException
            | :? IOException
            | :? ObjectDisposedException ->
                stream.Dispose()
                ValueNone

    do
        // A broker that is started again gets its port back though connections of before linger.
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true)
        socket.Bind(IPEndPoint(address, port))
        socket.Listen 512

    member _.Port =
        match socket.LocalEndPoint with
        | :? IPEndPoint as point -> point.Port
        | _ -> port

    /// Accepts connections in a thread of its own, each of which gets one too.
    member _.Start(engine: Engine, node: int32) =
        let forget (connection: Socket) = lock open' (fun () -> open'.Remove connection |> ignore)

        let serve (connection: Socket) =
            let isOpen =
                lock open' (fun () ->
                    if not isStopped then open'.Add connection |> ignore
                    not isStopped)

            let run () =
                try
                    try
                        connection.NoDelay <- true

                        let host =
                            match connection.RemoteEndPoint with
                            | :? IPEndPoint as point -> point.Address.ToString()
                            | _ -> ""

                        match engine.Admit(node, host) with
                        | 0 ->
                            match connect connection with
                            | ValueSome(struct (stream, principal)) ->
                                ServerConnection(engine, node, engine.NextConnection(), connection, stream, host, principal).Run()
                            | ValueNone -> ()
                        | time -> Thread.Sleep time
                    with
                    // The connection was closed before it was served.
                    | :? IOException
                    | :? SocketException
                    | :? ObjectDisposedException -> ()
                finally
                    connection.Dispose()
                    forget connection

            if isOpen then
                Thread(run, 256 * 1024, IsBackground = true, Name = "LibKafka.Testing connection").Start()
            else
                connection.Dispose()

        let accept () =
            try
                while true do
                    serve (socket.Accept())
            with
            | :? SocketException
            | :? ObjectDisposedException -> ()

        Thread(accept, 256 * 1024, IsBackground = true, Name = "LibKafka.Testing listener").Start()

    /// Closes all connections.
    member _.CloseConnections() =
        lock open' (fun () ->
            for connection in open' do
                close connection)

    /// Closes the listener and all connections.
    member this.Stop() =
        lock open' (fun () -> isStopped <- true)
        socket.Dispose()
        this.CloseConnections()
