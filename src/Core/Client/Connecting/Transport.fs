namespace LibKafka.Client

open System
open System.Collections.Generic
open System.Diagnostics
open System.IO
open System.Net
open System.Net.Security
open System.Net.Sockets
open System.Runtime.ExceptionServices

/// Makes TCP connections.
[<RequireQualifiedAccess>]
module private Tcp =

    // Blocking sockets on Linux limit a connect by their send time-out.
    let private connectInTime (socket: Socket) (address: IPAddress) (port: int) (within: int) =
        socket.SendTimeout <- within
        socket.Connect(address, port)

    // Elsewhere a blocking connect has no time-out, so it is started without blocking, and then the socket is polled until it is writable. Not
    // on Linux: there a socket that was once non-blocking is never again read and written by the calling thread alone. .NET uses threads of
    // its own for it from then on, at several times the cost.
    let private connectAndPoll (socket: Socket) (address: IPAddress) (port: int) (within: int) =
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

    let private setKeepAlive (socket: Socket) (probes: TcpKeepAlive) =
        let seconds (time: TimeSpan) = int (min 32_767.0 (ceil time.TotalSeconds))
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true)
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, seconds probes.Idle)
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, seconds probes.Interval)
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, min 127 probes.Probes)

    /// Sets the options of a socket before it is connected: the receive buffer determines what TCP offers to the peer at the beginning.
    let configure (socket: Socket) (settings: ClientSettings) =
        socket.NoDelay <- true
        settings.SendBufferBytes |> Option.iter (fun size -> socket.SendBufferSize <- size)
        settings.ReceiveBufferBytes |> Option.iter (fun size -> socket.ReceiveBufferSize <- size)
        settings.KeepAlive |> Option.iter (setKeepAlive socket)

    /// Connects a socket, within so many milliseconds.
    let connect (socket: Socket) (address: IPAddress) (port: int) (within: int) =
        if OperatingSystem.IsLinux() then
            connectInTime socket address port within
        else
            connectAndPoll socket address port within

/// A blocking byte stream to a broker. One deadline applies to each of its operations.
[<Sealed>]
type internal Transport private (broker: BrokerAddress, socket: Socket, plain: SocketStream, tls: SslStream | null) =

    // The most bytes of one send. More bytes are sent in several, so that it is known how many may have arrived if a request fails.
    static let pieceSize = 4 * 1024 * 1024

    // Adds as many pieces as fit into one send, and returns the rest.
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

    // The pieces of one send.
    let together = List<ArraySegment<byte>>()

    // Bytes that have been read from the socket and not yet been asked for.
    let ahead: byte[] = Array.zeroCreate 1024
    let mutable aheadFrom = 0
    let mutable aheadTo = 0

    // Whether the socket was closed on this side.
    let mutable isClosed = false

    // Why reading failed when it was tried without waiting.
    let mutable failure: ExceptionDispatchInfo | null = null

    // A blocking socket sends everything that it is given. If it ever does not, the rest follows piece by piece.
    let sendTogether (pieces: List<ArraySegment<byte>>) =
        let mutable sent = plain.Gather pieces

        for piece in pieces do
            let skipped = min sent piece.Count
            sent <- sent - skipped
            if skipped < piece.Count then plain.Write(piece.Slice(skipped).AsSpan())

    // TLS on a socket that is connected, if the settings have it.
    static let secure (broker: BrokerAddress) (socket: Socket) (operation: Operation) : Result<Transport, ClientFault> =
        let plain = new SocketStream(socket, operation.Deadline)

        match operation.Settings.Tls with
        | None -> Ok(new Transport(broker, socket, plain, null))
        | Some tls ->
            let secure = new SslStream(plain)

            try
                secure.AuthenticateAsClient(tls.OptionsFor broker.Host)
                Ok(new Transport(broker, socket, plain, secure))
            with error ->
                secure.Dispose()
                Error(SocketFault.ofHandshake plain broker operation error)

    // The time-out of a socket's connect and the deadline are the same time by two clocks, so the time of the connect itself decides.
    static let connect (broker: BrokerAddress) (address: IPAddress) (socket: Socket) (operation: Operation) : Result<unit, ClientFault> =
        let began = Stopwatch.GetTimestamp()
        let within = operation.Deadline.RemainingMs

        try
            Tcp.configure socket operation.Settings
            Ok(Tcp.connect socket address broker.Port within)
        with error ->
            let ranOut = within > 0 && Stopwatch.GetElapsedTime(began).TotalMilliseconds + 20.0 >= float within
            Error(SocketFault.ofConnect broker operation ranOut error)

    /// The addresses of the broker's host.
    static member Addresses(broker: BrokerAddress, operation: Operation) : Result<IPAddress list, ClientFault> =
        try
            operation.Cancellation.ThrowIfCancellationRequested()

            match IPAddress.TryParse broker.Host with
            | true, NonNull address -> Ok [ address ]
            | _ ->
                let lookUp stop = operation.Settings.LookUpHost broker.Host stop
                Ok(List.ofArray (operation.Deadline.Await(operation.Cancellation, lookUp)))
        with error ->
            Error(SocketFault.ofConnect broker operation operation.Deadline.IsOver error)

    /// Connects to one of the broker's addresses, with TLS if the settings have it. If the operation is cancelled, the socket is closed at any
    /// moment, so every failure after that is the cancellation's.
    static member Open(broker: BrokerAddress, address: IPAddress, operation: Operation) : Result<Transport, ClientFault> =
        try
            operation.Cancellation.ThrowIfCancellationRequested()
            let socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp)

            try
                use _ = operation.Cancellation.UnsafeRegister(Transport.Cutting, socket)

                match connect broker address socket operation |> Result.bind (fun () -> secure broker socket operation) with
                | Ok transport -> Ok transport
                | Error fault ->
                    socket.Dispose()
                    Error fault
            with _ ->
                socket.Dispose()
                reraise ()
        with error ->
            Error(SocketFault.ofConnect broker operation operation.Deadline.IsOver error)

    static member val private Cutting: Action<obj | null> =
        Action<obj | null>(fun socket ->
            match socket with
            | :? Socket as socket -> socket.Dispose()
            | _ -> ())

    /// The socket itself, for inspection.
    member _.Socket = socket

    /// What an exception during a call means for the caller.
    member _.Fault(operation: Operation, error: exn) : ClientFault =
        match SocketFault.ofException broker operation plain.IsOverdue error with
        | ClientFault.TlsFailed _ when plain.HasEnded -> ClientFault.Closed
        | fault -> fault

    /// What an exception while sending means. The kernel reports a peer that closes in the middle of a large send as a reset, as a broken pipe,
    /// or as a time-out that comes at once.
    member this.SendFault(operation: Operation, error: exn) : ClientFault =
        match this.Fault(operation, error), error.GetBaseException() with
        | ClientFault.Broken _, (:? SocketException as socket) when socket.SocketErrorCode = SocketError.TimedOut -> ClientFault.Closed
        | fault, _ -> fault

    // Reads what there is without waiting, until nothing is left, the connection has ended, or there is no room for more. Under TLS this handles
    // the records that are not for the client, such as session tickets.
    member private this.ReadPending() : bool =
        if aheadFrom = aheadTo then
            aheadFrom <- 0
            aheadTo <- 0

        if aheadTo = ahead.Length || not plain.IsReadable then
            false
        else
            match stream.Read(ahead.AsSpan aheadTo) with
            | 0 -> true
            | count ->
                aheadTo <- aheadTo + count
                this.ReadPending()

    /// Whether the peer has ended the connection, as far as that is known without waiting. There must be no request in flight.
    member this.HasEnded: bool =
        try
            if not plain.IsReadable then
                false
            else
                plain.NeverWaits <- true

                try
                    this.ReadPending()
                finally
                    plain.NeverWaits <- false
        with
        | :? WouldWaitException -> false
        | :? IOException as error when (error.InnerException :? WouldWaitException) -> false
        | error ->
            failure <- ExceptionDispatchInfo.Capture error
            true

    /// Whether there is something to read, or nothing more to come, as far as that is known without a look at the socket.
    member _.HasAhead = aheadFrom < aheadTo || isClosed || not (isNull failure)

    /// The same, after a look at the socket. Under TLS a readable socket may have nothing for the client yet, so what it has is read.
    member this.HasArrived: bool =
        this.HasAhead || (isNull tls && this.IsReadable) || (not (isNull tls) && (this.HasEnded || aheadFrom < aheadTo))

    member private _.IsReadable =
        try
            plain.IsReadable
        with
        | :? ObjectDisposedException
        | :? SocketException -> true

    /// Closes the socket, which wakes a thread that waits in it.
    member _.Cut() =
        isClosed <- true
        socket.Dispose()

    /// Whether the connection uses TLS.
    member _.IsSecure = not (isNull tls)

    /// Whether a small request can be sent without waiting.
    member _.IsWritable = socket.Poll(0, SelectMode.SelectWrite)

    /// Bytes sent so far, including those whose sending failed: some of them may have arrived. What TLS adds is not counted.
    member _.BytesOut = bytesOut

    /// Bytes received so far.
    member _.BytesIn = bytesIn

    /// Writes some pieces one after another. Without TLS none of them is copied.
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

    // Takes what has been read ahead.
    member private _.TakeAhead(target: ArraySegment<byte>) : int =
        let count = min target.Count (aheadTo - aheadFrom)
        ahead.AsSpan(aheadFrom, count).CopyTo(target.AsSpan())
        aheadFrom <- aheadFrom + count
        count

    member private _.ReadInto(target: ArraySegment<byte>, isThere: bool) : int =
        if isThere then plain.ReadNow(target.AsSpan()) else stream.Read(target.AsSpan())

    // Reads some bytes straight into the segment, except for the first few of a response, which are read together with its length. `isThere`
    // says that the socket is readable, so that no time-out is needed.
    member private this.ReadSome(target: ArraySegment<byte>, isThere: bool) : int =
        let count =
            if aheadFrom < aheadTo then
                this.TakeAhead target
            elif target.Count < ahead.Length then
                aheadFrom <- 0
                aheadTo <- 0
                aheadTo <- this.ReadInto(ArraySegment ahead, isThere)
                this.TakeAhead target
            else
                this.ReadInto(target, isThere)

        if count = 0 then raise (ClientFaultException ClientFault.Closed)

        bytesIn <- bytesIn + int64 count
        count

    member private _.ThrowFailure() =
        match failure with
        | null -> ()
        | failure -> failure.Throw()

    /// Fills the segment; a fault if the peer closes the connection before.
    member this.ReadExactly(target: ArraySegment<byte>, deadline: Deadline) =
        plain.Deadline <- deadline
        this.ThrowFailure()
        let mutable got = 0

        while got < target.Count do
            got <- got + this.ReadSome(target.Slice got, false)

    // Under TLS, what the socket has may be a part of a record, and the stream may have records that it has read before.
    member private this.ReadSecured(target: ArraySegment<byte>) : int =
        plain.NeverWaits <- true

        try
            try
                this.ReadSome(target, false)
            with
            | :? WouldWaitException -> 0
            | :? IOException as error when (error.InnerException :? WouldWaitException) -> 0
        finally
            plain.NeverWaits <- false

    /// Fills the segment as far as that is possible without waiting, and returns how far; a fault if the peer has closed the connection.
    member this.ReadArrived(target: ArraySegment<byte>) : int =
        this.ThrowFailure()
        let mutable got = 0
        let mutable isDry = false

        while got < target.Count && not isDry do
            let rest = target.Slice got

            let count =
                if not (isNull tls) then this.ReadSecured rest
                elif aheadFrom < aheadTo || plain.IsReadable then this.ReadSome(rest, true)
                else 0

            got <- got + count
            isDry <- count = 0

        got

    interface IDisposable with
        member _.Dispose() =
            isClosed <- true
            stream.Dispose()
