namespace LibKafka.Client

open System
open System.Collections.Generic
open System.IO
open System.Net
open System.Net.Security
open System.Net.Sockets
open System.Threading

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

    /// A socket that is connected to an address, within so many milliseconds.
    let connect (address: IPAddress) (port: int) (within: int) (cancellation: CancellationToken) : Socket =
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
                use _ = operation.Cancellation.Register(fun () -> socket.Dispose())
                secure.AuthenticateAsClient(tls.OptionsFor broker.Host)
                Ok(new Transport(broker, socket, plain, secure))
            with error ->
                secure.Dispose()
                Error(SocketFault.ofHandshake plain broker operation.Deadline operation.Cancellation error)

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
            Error(SocketFault.ofConnect broker operation.Deadline operation.Cancellation error)

    /// Connects to the first of the addresses that accepts a connection. If there are several, each gets an equal share of the time that is left
    /// when it is tried.
    static member Open(broker: BrokerAddress, addresses: IPAddress list, operation: Operation) : Result<Transport, ClientFault> =
        match addresses with
        | [] -> Error(ClientFault.CannotConnect(broker, "the host name has no address"))
        | address :: others ->
            let connected =
                try
                    let remaining = operation.Deadline.RemainingMs
                    let within = if remaining < 0 then remaining else max 1 (remaining / addresses.Length)
                    Ok(Tcp.connect address broker.Port within operation.Cancellation)
                with error ->
                    Error(SocketFault.ofConnect broker operation.Deadline operation.Cancellation error)

            match connected with
            | Ok socket -> secure broker socket operation
            | Error _ when not others.IsEmpty && not operation.Cancellation.IsCancellationRequested ->
                Transport.Open(broker, others, operation)
            | Error fault -> Error fault

    /// The socket itself, for inspection.
    member _.Socket = socket

    /// What an exception during a call means for the caller.
    member _.Fault(operation: Operation, error: exn) : ClientFault =
        match SocketFault.ofException broker operation.Deadline operation.Cancellation error with
        | ClientFault.Cancelled -> ClientFault.Cancelled
        | _ when plain.IsOverdue -> ClientFault.TimedOut operation.Deadline.Allowed
        | ClientFault.TlsFailed _ when plain.HasEnded -> ClientFault.Closed
        | fault -> fault

    /// Closes the socket, which wakes a thread that waits in it.
    member _.Cut() = socket.Dispose()

    /// Whether the connection uses TLS.
    member _.IsSecure = not (isNull tls)

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

    /// Fills the segment; a fault if the peer closes the connection before. Bytes are read straight into the segment, except for the first few
    /// of a response, which are read together with its length.
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
