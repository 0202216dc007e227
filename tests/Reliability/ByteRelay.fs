namespace LibKafka.Reliability

open System
open System.Collections.Generic
open System.Net
open System.Net.Sockets
open System.Threading
open LibKafka.Testing

/// The two directions of a connection.
[<RequireQualifiedAccess>]
type Direction =
    | Requests
    | Responses

/// Forwards the connections of clients to the brokers of a cluster, and counts the bytes. It can close a connection after any byte, and hold
/// all bytes back as a broken network does. Clients reach the brokers through it, because the brokers name its addresses as their own.
[<Sealed>]
type ByteRelay(kafka: TestBroker) =
    let gate = obj ()
    let listeners = List<Socket>()
    let mutable passed: Map<Direction, int64> = Map.empty
    let ends = List<struct (Direction * int64)>()
    let mutable cut: struct (Direction * int64) voption = ValueNone
    let mutable cuts = 0
    let mutable live = 0
    let mutable isHeld = false
    let mutable isStopped = false

    /// How many of the bytes may pass, and whether the connection is then closed.
    let admit (direction: Direction) (count: int) : struct (int * bool) =
        lock gate (fun () ->
            while isHeld && not isStopped do
                Monitor.Wait gate |> ignore

            let before = passed |> Map.tryFind direction |> Option.defaultValue 0L

            match cut with
            | ValueSome struct (where, at) when where = direction && before + int64 count >= at ->
                cut <- ValueNone
                cuts <- cuts + 1
                let admitted = int (at - before)
                passed <- passed.Add(direction, at)
                struct (admitted, true)
            | _ ->
                passed <- passed.Add(direction, before + int64 count)
                ends.Add(struct (direction, before + int64 count))
                struct (count, false))

    let close (isReset: bool) (sockets: Socket list) =
        for socket in sockets do
            try
                if isReset then socket.LingerState <- LingerOption(true, 0)
                socket.Dispose()
            with
            | :? SocketException
            | :? ObjectDisposedException -> ()

    let rec pump (direction: Direction) (source: Socket) (target: Socket) (buffer: byte[]) =
        match source.Receive buffer with
        | 0 -> target.Shutdown SocketShutdown.Send
        | count ->
            let struct (admitted, isCut) = admit direction count
            if admitted > 0 then target.Send(buffer, admitted, SocketFlags.None) |> ignore

            // Half of the cuts are resets, and half are orderly.
            if isCut then close (admitted % 2 = 0) [ source; target ] else pump direction source target buffer

    let forward (client: Socket) (port: int) =
        let broker = new Socket(SocketType.Stream, ProtocolType.Tcp)
        let mutable running = 2

        let run direction source target () =
            try
                pump direction source target (Array.zeroCreate 65536)
            with
            | :? SocketException
            | :? ObjectDisposedException -> close false [ client; broker ]

            if Interlocked.Decrement &running = 0 then
                close false [ client; broker ]
                Interlocked.Decrement &live |> ignore

        try
            broker.NoDelay <- true
            client.NoDelay <- true
            broker.Connect(IPEndPoint(IPAddress.Loopback, port))
            Thread(run Direction.Requests client broker, 128 * 1024, IsBackground = true).Start()
            Thread(run Direction.Responses broker client, 128 * 1024, IsBackground = true).Start()
        with :? SocketException ->
            close false [ client; broker ]
            Interlocked.Decrement &live |> ignore

    let accept (listener: Socket) (port: int) () =
        try
            while true do
                let client = listener.Accept()
                Interlocked.Increment &live |> ignore
                forward client port
        with
        | :? SocketException
        | :? ObjectDisposedException -> ()

    let listen (port: int) : int =
        let listener = new Socket(SocketType.Stream, ProtocolType.Tcp)
        listener.Bind(IPEndPoint(IPAddress.Loopback, 0))
        listener.Listen 512
        listeners.Add listener
        Thread(accept listener port, 128 * 1024, IsBackground = true).Start()
        match listener.LocalEndPoint with
        | :? IPEndPoint as point -> point.Port
        | _ -> 0

    do
        let advertised = kafka.State.Nodes |> Map.map (fun _ node -> { node with Port = listen node.Port })
        kafka.Change(fun state -> { state with Nodes = advertised })

    /// Begins to count anew. The connection on which a byte is the one with this number, from 0, is closed instead of passing it on.
    member _.CutAt(direction: Direction, at: int64) =
        lock gate (fun () ->
            passed <- Map.empty
            ends.Clear()
            cut <- ValueSome struct (direction, at))

    /// Begins to count anew, and cuts nothing.
    member _.Count() =
        lock gate (fun () ->
            passed <- Map.empty
            ends.Clear()
            cut <- ValueNone)

    /// The bytes that have passed since counting began.
    member _.Passed(direction: Direction) : int64 = lock gate (fun () -> passed |> Map.tryFind direction |> Option.defaultValue 0L)

    /// The numbers of bytes that had passed each time that bytes arrived: the ends of frames, and few places more.
    member _.Ends(direction: Direction) : int64 list =
        lock gate (fun () ->
            [ for struct (where, at) in ends do
                  if where = direction then at ])

    /// The number of connections that were cut.
    member _.Cuts: int = lock gate (fun () -> cuts)

    /// Whether bytes are held back.
    member _.IsHeld
        with get () = lock gate (fun () -> isHeld)
        and set (value: bool) =
            lock gate (fun () ->
                isHeld <- value
                Monitor.PulseAll gate)

    /// The number of open connections.
    member _.Live: int = Volatile.Read &live

    interface IDisposable with
        member _.Dispose() =
            lock gate (fun () ->
                isStopped <- true
                Monitor.PulseAll gate)

            for listener in listeners do
                listener.Dispose()
