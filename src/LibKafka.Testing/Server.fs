namespace LibKafka.Testing

open System
open System.Buffers.Binary
open System.Collections.Generic
open System.Net
open System.Net.Sockets
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

/// Holds the state of a cluster, and gives it the requests of all connections one after another.
[<Sealed>]
type internal Engine(initial: State, clock: unit -> Moment) =
    let gate = obj ()
    let waiters = List<Waiter>()
    let failures = List<string>()
    let mutable state = initial
    let mutable isStopped = false

    // What no request waits for does not wake the waiting ones.
    let isWake (before: State) (after: State) =
        not (Object.ReferenceEquals(before.Topics, after.Topics))
        || not (Object.ReferenceEquals(before.Nodes, after.Nodes))
        || not (Object.ReferenceEquals(before.Groups, after.Groups))
        || not (Object.ReferenceEquals(before.Transactions, after.Transactions))
        || not (Object.ReferenceEquals(before.Settings, after.Settings))

    // Asks the waiting requests again until nothing changes any more.
    let rec wake () =
        let before = state
        let now = clock ()
        let mutable index = 0

        while index < waiters.Count do
            let waiter = waiters[index]

            match waiter.Waiting.Ready now state with
            | ValueNone -> index <- index + 1
            | ValueSome(after, answer) ->
                waiters.RemoveAt index
                state <- after
                waiter.Complete answer

        if isWake before state then wake ()

    let change (after: State) =
        let before = state
        state <- after

        if isWake before after then
            wake ()
            Monitor.PulseAll gate

    // Runs what is due, and sleeps until something else is.
    let tick () =
        lock gate (fun () ->
            while not isStopped do
                let now = clock ()

                match Broker.nextTick state with
                | ValueSome due when due <= now -> change (Broker.tick now state)
                | ValueSome due -> Monitor.Wait(gate, int (min (due - now) 60_000L)) |> ignore
                | ValueNone -> Monitor.Wait gate |> ignore)

    do Thread(tick, IsBackground = true, Name = "LibKafka.Testing clock").Start()

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

    member private _.Start(caller: Caller, request: Request) : Result<Answer, Waiter> =
        lock gate (fun () ->
            let after, answer = Broker.handle (clock ()) caller state request
            change after

            match answer with
            | Later waiting when not isStopped ->
                let waiter = Waiter waiting
                waiters.Add waiter
                Error waiter
            | Later _ -> Ok Close
            | answer -> Ok answer)

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
        | ValueSome answer -> answer
        | ValueNone when clock () < waiter.Waiting.Until -> this.Await waiter
        | ValueNone ->
            match this.Expire waiter with
            | ValueSome answer -> answer
            // A request that is never answered.
            | ValueNone -> waiter.Wait Timeout.Infinite |> ValueOption.defaultValue Close

    /// The answer to a request, after waiting for it. It is never `Later`.
    member this.Handle(caller: Caller, request: Request) : Answer =
        try
            match this.Start(caller, request) with
            | Ok answer -> answer
            | Error waiter ->
                match this.Await waiter with
                | Later waiting ->
                    let again = Waiter waiting
                    lock gate (fun () -> if isStopped then again.Complete Close else waiters.Add again)
                    this.Await again
                | answer -> answer
        with failure ->
            lock gate (fun () -> failures.Add(failure.ToString()))
            Close

    member _.Read(frame: Bytes) : Incoming = Frames.read (lock gate (fun () -> state)) frame

    member _.UnsupportedApiVersions = Versions.unsupported (lock gate (fun () -> state))

    member _.Closed(connection: int64) = lock gate (fun () -> change (Broker.closed connection state))

    member _.Fail(text: string) = lock gate (fun () -> failures.Add text)

/// One connection: reads requests and writes their responses, one after another.
[<Sealed>]
type internal ServerConnection(engine: Engine, node: int32, number: int64, socket: Socket) =
    // socket.request.max.bytes
    static let mostBytes = 100 * 1024 * 1024
    let writer = Writer 4096
    let buffer = Array.zeroCreate<byte>(64 * 1024)
    let mutable start = 0
    let mutable finish = 0
    // Requests to Produce are read into the same memory again and again: the log copies their batches. What others contain may be kept.
    let mutable forProduce: byte[] = Array.empty

    let host =
        match socket.RemoteEndPoint with
        | :? IPEndPoint as point -> point.Address.ToString()
        | _ -> ""

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
                let count = socket.Receive(target.Span.Slice filled)
                if count = 0 then isOpen <- false else filled <- filled + count
            else
                let count = socket.Receive(buffer.AsSpan())

                if count = 0 then
                    isOpen <- false
                else
                    let taken = min count wanted
                    buffer.AsSpan(0, taken).CopyTo(target.Span.Slice filled)
                    filled <- filled + taken
                    start <- taken
                    finish <- count

        isOpen

    let memoryFor (isProduce: bool) (length: int) : Memory<byte> =
        if not isProduce then
            Memory<byte>(GC.AllocateUninitializedArray<byte> length)
        else
            if forProduce.Length < length then
                forProduce <- GC.AllocateUninitializedArray<byte> length
            Memory<byte>(forProduce, 0, length)

    let readFrame () : Bytes voption =
        // The length and the API key.
        let prefix = Array.zeroCreate<byte> 6

        if not (readExactly (prefix.AsMemory(0, 4))) then
            ValueNone
        else
            let length = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan prefix)

            if length < 2 || length > mostBytes || not (readExactly (prefix.AsMemory(4, 2))) then
                ValueNone
            else
                let isProduce = BinaryPrimitives.ReadInt16BigEndian(ReadOnlySpan<byte>(prefix, 4, 2)) = ApiKey.Produce.Code
                let frame = memoryFor isProduce length
                prefix.AsSpan(4, 2).CopyTo frame.Span
                if readExactly (frame.Slice 2) then ValueSome(Bytes(Memory.op_Implicit frame)) else ValueNone

    let send (bytes: ReadOnlySpan<byte>) =
        let mutable sent = 0

        while sent < bytes.Length do
            sent <- sent + socket.Send(bytes.Slice sent)

    let reply (version: int16) (correlationId: int32) (response: Response) : bool =
        writer.Clear()

        match Frame.writeAnyResponse writer version correlationId response with
        | Ok() ->
            send writer.Written
            true
        | Error fault ->
            engine.Fail("A response cannot be written: " + fault.ToString())
            false

    // KIP-219: the client has its answer, and its next request is read after the throttle time.
    let mute (response: Response) =
        let throttleTime = Response.throttleTimeMs response

        if throttleTime > 0 then Thread.Sleep throttleTime

    /// Answers one request; false if the connection must be closed.
    let answer (frame: Bytes) : bool =
        match engine.Read frame with
        | Incoming.Malformed -> false
        | Incoming.UnsupportedApiVersions correlationId -> reply 0s correlationId engine.UnsupportedApiVersions
        | Incoming.Request(header, request) ->
            let caller =
                { Node = node
                  Connection = number
                  Host = host
                  Principal = "User:ANONYMOUS"
                  Header = header
                  RequestSize = frame.Length }

            match engine.Handle(caller, request) with
            | Reply response ->
                if reply header.ApiVersion header.CorrelationId response then
                    mute response
                    true
                else
                    false
            | Nothing -> true
            | Raw bytes ->
                let length = Array.zeroCreate<byte> 4
                BinaryPrimitives.WriteInt32BigEndian(length.AsSpan(), bytes.Length)
                send (ReadOnlySpan length)
                send bytes.Span
                true
            | Close
            | Later _ -> false

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
            | :? SocketException
            | :? ObjectDisposedException -> ()
        finally
            socket.Dispose()
            engine.Closed number

/// The sockets of one broker.
[<Sealed>]
type internal Listener(address: IPAddress, port: int) =
    let socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
    let open' = HashSet<Socket>()

    do
        socket.Bind(IPEndPoint(address, port))
        socket.Listen 512

    member _.Port =
        match socket.LocalEndPoint with
        | :? IPEndPoint as point -> point.Port
        | _ -> port

    /// Accepts connections in a thread of its own, each of which gets one too.
    member _.Start(engine: Engine, node: int32, nextConnection: unit -> int64) =
        let forget (connection: Socket) = lock open' (fun () -> open'.Remove connection |> ignore)

        let serve (connection: Socket) =
            connection.NoDelay <- true
            lock open' (fun () -> open'.Add connection |> ignore)
            let number = nextConnection ()

            let run () =
                try
                    ServerConnection(engine, node, number, connection).Run()
                finally
                    forget connection

            Thread(run, 256 * 1024, IsBackground = true, Name = "LibKafka.Testing connection").Start()

        let accept () =
            try
                while true do
                    serve (socket.Accept())
            with
            | :? SocketException
            | :? ObjectDisposedException -> ()

        Thread(accept, 256 * 1024, IsBackground = true, Name = "LibKafka.Testing listener").Start()

    /// Closes the listener and all connections.
    member _.Stop() =
        socket.Dispose()

        lock open' (fun () ->
            for connection in open' do
                try
                    connection.Shutdown SocketShutdown.Both
                with
                | :? SocketException
                | :? ObjectDisposedException -> ()

                connection.Dispose())
