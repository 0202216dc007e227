namespace LibKafka.Client

open System
open System.Collections.Generic
open System.IO
open System.Net
open System.Net.Security
open System.Net.Sockets
open System.Threading

/// A socket as a blocking stream in whose every operation one deadline counts, also in those of which TLS makes several for one of its own.
[<Sealed>]
type internal SocketStream(socket: Socket, deadline: Deadline) =
    inherit Stream()

    // What a socket's buffer takes without waiting.
    static let atOnce = 64 * 1024

    let mutable deadline = deadline
    let mutable first: byte voption = ValueNone
    let mutable ended = false
    let mutable receiveTimeout = 0
    let mutable overdue = false
    let mutable alarm: ITimer | null = null
    let mutable sendTimeout = socket.SendTimeout

    /// What counts from now on.
    member _.Deadline
        with get () = deadline
        and set value = deadline <- value

    /// The first byte that ever came.
    member _.FirstByte = first

    /// Whether the peer has ended the connection.
    member _.HasEnded = ended

    override _.CanRead = true
    override _.CanWrite = true
    override _.CanSeek = false
    override _.Length = raise (NotSupportedException())

    override _.Position
        with get () = raise (NotSupportedException())
        and set _ = raise (NotSupportedException())

    override _.Seek(_, _) = raise (NotSupportedException())
    override _.SetLength _ = raise (NotSupportedException())
    override _.Flush() = ()

    override _.Read(target: Span<byte>) : int =
        let within = deadline.RemainingMs

        // In a call that is over in a millisecond, as most are, it is the same as the last time.
        if within <> receiveTimeout then
            socket.ReceiveTimeout <- within
            receiveTimeout <- within

        let count = socket.Receive(target, SocketFlags.None)

        if count = 0 then ended <- true
        elif first.IsNone then first <- ValueSome target[0]

        count

    override this.Read(target: byte[], offset: int, count: int) : int = this.Read(Span<byte>(target, offset, count))

    // A send waits anew each time that the peer takes some of it: one that is long enough for that is cut short by the clock.
    member private this.Arm(size: int) =
        let within = deadline.RemainingMs

        if within <> sendTimeout then
            socket.SendTimeout <- within
            sendTimeout <- within

        if size > atOnce then
            let alarm =
                match alarm with
                | null ->
                    let made = deadline.Time.CreateTimer((fun _ -> this.Cut()), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan)
                    alarm <- made
                    made
                | made -> made

            alarm.Change(TimeSpan.FromMilliseconds(float within), Timeout.InfiniteTimeSpan) |> ignore

    member private _.Disarm() =
        match alarm with
        | null -> ()
        | alarm -> alarm.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan) |> ignore

    member private _.Cut() =
        overdue <- true
        socket.Dispose()

    /// Whether the time ran out in the midst of a send.
    member _.IsOverdue = overdue

    override this.Write(bytes: ReadOnlySpan<byte>) : unit =
        this.Arm bytes.Length
        let mutable written = 0

        while written < bytes.Length do
            written <- written + socket.Send(bytes.Slice written, SocketFlags.None)

        if bytes.Length > atOnce then this.Disarm()

    /// Writes some pieces as one, none of which is copied.
    member this.Gather(pieces: List<ArraySegment<byte>>) : int =
        this.Arm Int32.MaxValue
        let sent = socket.Send(pieces, SocketFlags.None)
        this.Disarm()
        sent

    override this.Write(bytes: byte[], offset: int, count: int) : unit = this.Write(ReadOnlySpan<byte>(bytes, offset, count))

    override _.Dispose(_: bool) =
        socket.Dispose()

        match alarm with
        | null -> ()
        | alarm -> alarm.Dispose()

/// A blocking byte stream to a broker, in whose every operation one deadline counts.
[<Sealed>]
type internal Transport(broker: BrokerAddress, socket: Socket, plain: SocketStream, tls: SslStream | null) =

    static let describe (error: SocketException) = error.Message + " (" + error.SocketErrorCode.ToString() + ")"

    // An error, and those behind it.
    static let rec causes (error: exn) : exn list =
        match error.InnerException with
        | null -> [ error ]
        | inner -> error :: causes inner

    // Sent in one go. More than a piece is sent in several, so that of a request that comes to nothing it is known how much may have got through.
    static let pieceSize = 4 * 1024 * 1024

    // Puts together as many as go at once, and gives what is left behind them.
    static let rec take (together: List<ArraySegment<byte>>) (room: int) (pieces: ArraySegment<byte> list) =
        match pieces with
        | piece :: others when piece.Count <= room ->
            if piece.Count > 0 then together.Add piece

            take together (room - piece.Count) others
        | piece :: others when room > 0 ->
            together.Add(piece.Slice(0, room))
            piece.Slice room :: others
        | rest -> rest

    let stream: Stream =
        match tls with
        | null -> plain
        | tls -> tls

    let mutable bytesOut = 0L
    let mutable bytesIn = 0L

    // What is being sent at once.
    let together = List<ArraySegment<byte>>()

    // What has been read and not been asked for yet.
    let ahead: byte[] = Array.zeroCreate 1024
    let mutable aheadFrom = 0
    let mutable aheadTo = 0

    // A blocking socket sends all that it is given; should it ever not, the rest follows piece by piece.
    let sendTogether (pieces: List<ArraySegment<byte>>) =
        let mutable sent = plain.Gather pieces

        for piece in pieces do
            let skipped = min sent piece.Count
            sent <- sent - skipped
            if skipped < piece.Count then plain.Write(piece.Slice(skipped).AsSpan())

    // Blocking sockets on Linux bound a connect by their send time-out.
    static let connectInTime (socket: Socket) (address: IPAddress) (port: int) (within: int) =
        socket.SendTimeout <- within
        socket.Connect(address, port)

    // Elsewhere a blocking connect knows no time-out: begin it without blocking and wait for the socket to become writable. Not so on
    // Linux, where a socket that did not block once is never read and written by the calling thread alone again: .NET goes through
    // threads of its own from then on, at several times the cost.
    static let connectAndPoll (socket: Socket) (address: IPAddress) (port: int) (within: int) =
        socket.Blocking <- false

        try
            socket.Connect(address, port)
        with :? SocketException as error when
            error.SocketErrorCode = SocketError.WouldBlock || error.SocketErrorCode = SocketError.InProgress ->
            ()

        if not (socket.Poll(TimeSpan.FromMilliseconds(float within), SelectMode.SelectWrite)) then
            raise (SocketException(int SocketError.TimedOut))

        match socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) with
        | :? int as code when code <> 0 -> raise (SocketException code)
        | _ -> ()

        socket.Blocking <- true

    /// What an exception from a socket, or from TLS on it, means for the caller.
    static member private FaultOf(broker: BrokerAddress, deadline: Deadline, cancellation: CancellationToken, error: exn) : ClientFault =
        let ofSocket (error: SocketException) =
            match error.SocketErrorCode with
            | SocketError.TimedOut
            | SocketError.WouldBlock -> ClientFault.TimedOut deadline.Allowed
            | SocketError.ConnectionReset
            | SocketError.ConnectionAborted
            | SocketError.Shutdown -> ClientFault.Closed
            | _ -> ClientFault.Broken(describe error)

        let known (error: exn) =
            match error with
            | :? ClientFaultException as known -> Some known.Fault
            | :? SocketException as error -> Some(ofSocket error)
            | _ -> None

        if cancellation.IsCancellationRequested then
            ClientFault.Cancelled
        else
            let causes = causes error

            match List.tryPick known causes with
            | Some fault -> fault
            // Neither the socket nor the peer's absence: what is left of a stream over them is TLS.
            | None when (error :? IOException || error :? Security.Authentication.AuthenticationException) ->
                ClientFault.TlsFailed(broker, causes |> List.map _.Message |> List.distinct |> String.concat " ")
            | None -> ClientFault.Broken error.Message

    /// What an exception while connecting means for the caller.
    static member private ConnectFault(broker, deadline, cancellation, error: exn) : ClientFault =
        match Transport.FaultOf(broker, deadline, cancellation, error) with
        | ClientFault.Broken reason -> ClientFault.CannotConnect(broker, reason)
        | ClientFault.Closed -> ClientFault.CannotConnect(broker, error.Message)
        | fault -> fault

    static member private Connect(address: IPAddress, port: int, within: int, cancellation: CancellationToken) : Socket =
        let socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp)

        try
            use _ = cancellation.Register(fun () -> socket.Dispose())
            socket.NoDelay <- true

            if OperatingSystem.IsLinux() then
                connectInTime socket address port within
            else
                connectAndPoll socket address port within

            socket
        with _ ->
            socket.Dispose()
            reraise ()

    /// The host's addresses.
    static member private Addresses(settings: ClientSettings, broker: BrokerAddress, deadline: Deadline, cancellation) : IPAddress list =
        match IPAddress.TryParse broker.Host with
        | true, NonNull address -> [ address ]
        | _ -> List.ofArray (deadline.Await(cancellation, (fun stop -> settings.LookUpHost broker.Host stop)))

    /// A transport over a socket that is connected, with TLS agreed upon where the settings have it.
    static member private Over
        (settings: ClientSettings, broker: BrokerAddress, socket: Socket, deadline: Deadline, cancellation: CancellationToken)
        =
        let plain = new SocketStream(socket, deadline)

        match settings.Tls with
        | None -> Ok(new Transport(broker, socket, plain, null))
        | Some tls ->
            let secure = new SslStream(plain)

            try
                use _ = cancellation.Register(fun () -> socket.Dispose())
                secure.AuthenticateAsClient(tls.OptionsFor broker.Host)
                Ok(new Transport(broker, socket, plain, secure))
            with error ->
                secure.Dispose()

                // Every record of TLS begins with its kind, 20 to 23. A broker without TLS takes the client's first one for a frame that is
                // far too long, and ends the connection without a word.
                match Transport.FaultOf(broker, deadline, cancellation, error), plain.FirstByte with
                | (ClientFault.Cancelled | ClientFault.TimedOut _) as fault, _ -> Error fault
                | _, ValueSome first when first < 20uy || first > 23uy -> Error(ClientFault.TlsNotSpoken broker)
                | ClientFault.Closed, ValueNone -> Error(ClientFault.TlsNotSpoken broker)
                | _, ValueNone when plain.HasEnded -> Error(ClientFault.TlsNotSpoken broker)
                | ClientFault.Closed, _ -> Error(ClientFault.TlsFailed(broker, "the broker ended the connection"))
                | ClientFault.Broken reason, _ -> Error(ClientFault.TlsFailed(broker, reason))
                | fault, _ -> Error fault

    /// Connects to the first of the host's addresses that answers. Where there are several, one that does not answer gets an equal share of the
    /// time that is left, so that the others have theirs.
    static member Open
        (settings: ClientSettings, broker: BrokerAddress, deadline: Deadline, cancellation: CancellationToken)
        : Result<Transport, ClientFault> =
        let rec attempt (addresses: IPAddress list) =
            match addresses with
            | [] -> Error(ClientFault.CannotConnect(broker, "the host name has no address"))
            | address :: others ->
                let connected =
                    try
                        let remaining = deadline.RemainingMs
                        let within = if remaining < 0 then remaining else max 1 (remaining / addresses.Length)
                        Ok(Transport.Connect(address, broker.Port, within, cancellation))
                    with error ->
                        Error(Transport.ConnectFault(broker, deadline, cancellation, error))

                match connected with
                | Ok socket -> Transport.Over(settings, broker, socket, deadline, cancellation)
                | Error _ when not others.IsEmpty && not cancellation.IsCancellationRequested -> attempt others
                | Error fault -> Error fault

        match
            (try
                cancellation.ThrowIfCancellationRequested()
                Ok(Transport.Addresses(settings, broker, deadline, cancellation))
             with error ->
                 Error(Transport.ConnectFault(broker, deadline, cancellation, error)))
        with
        | Ok addresses -> attempt addresses
        | Error fault -> Error fault

    /// The socket itself, for looking at.
    member _.Socket = socket

    /// What an exception in the midst of a call means for the caller.
    member _.Fault(deadline: Deadline, cancellation: CancellationToken, error: exn) : ClientFault =
        match Transport.FaultOf(broker, deadline, cancellation, error) with
        | ClientFault.Cancelled -> ClientFault.Cancelled
        | _ when plain.IsOverdue -> ClientFault.TimedOut deadline.Allowed
        | ClientFault.TlsFailed _ when plain.HasEnded -> ClientFault.Closed
        | fault -> fault

    /// Closes the socket, which wakes a thread that waits in it.
    member _.Cut() = socket.Dispose()

    /// Whether TLS is spoken.
    member _.IsSecure = not (isNull tls)

    /// Bytes sent so far, those included whose sending failed: some of them may have got through. What TLS adds is not counted.
    member _.BytesOut = bytesOut

    /// Bytes received so far.
    member _.BytesIn = bytesIn

    /// Writes some pieces one behind the other. Without TLS none of them is copied.
    member _.Write(pieces: ArraySegment<byte> list, deadline: Deadline) =
        plain.Deadline <- deadline

        together.Clear()
        let mutable rest = take together pieceSize pieces

        while together.Count > 0 do
            for piece in together do
                bytesOut <- bytesOut + int64 piece.Count

            if together.Count = 1 || not (isNull tls) then
                for piece in together do
                    stream.Write(ReadOnlySpan<byte>(piece.Array, piece.Offset, piece.Count))
            else
                sendTogether together

            together.Clear()
            rest <- take together pieceSize rest

    /// Fills the segment; a fault where the peer closes the connection before that. What comes is read straight into the segment, but for the
    /// first few bytes of an answer, which are read together with its length.
    member _.ReadExactly(target: ArraySegment<byte>, deadline: Deadline) =
        plain.Deadline <- deadline
        let mutable got = 0

        let take (count: int) =
            ahead.AsSpan(aheadFrom, count).CopyTo(target.AsSpan got)
            aheadFrom <- aheadFrom + count
            count

        while got < target.Count do
            let missing = target.Count - got

            let count =
                if aheadFrom < aheadTo then
                    take (min missing (aheadTo - aheadFrom))
                elif missing < ahead.Length then
                    aheadFrom <- 0
                    aheadTo <- 0
                    aheadTo <- stream.Read(Span ahead)
                    take (min missing aheadTo)
                else
                    stream.Read(target.Slice(got).AsSpan())

            if count = 0 then raise (ClientFaultException ClientFault.Closed)

            got <- got + count
            bytesIn <- bytesIn + int64 count

    interface IDisposable with
        member _.Dispose() = stream.Dispose()
