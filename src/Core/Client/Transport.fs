namespace LibKafka.Client

open System
open System.IO
open System.Net
open System.Net.Sockets
open System.Threading

/// A blocking byte stream to a broker, in whose every operation one deadline counts.
[<Sealed>]
type internal Transport(socket: Socket, stream: Stream) =

    // Larger pieces would let a peer that reads slowly stretch a single write past the deadline.
    static let pieceSize = 256 * 1024

    static let describe (error: SocketException) = error.Message + " (" + error.SocketErrorCode.ToString() + ")"

    let mutable bytesOut = 0L
    let mutable bytesIn = 0L

    // Blocking sockets on Linux bound a connect by their send time-out.
    static let connectInTime (socket: Socket) (address: IPAddress) (port: int) (deadline: Deadline) =
        socket.SendTimeout <- deadline.RemainingMs
        socket.Connect(address, port)

    // Elsewhere a blocking connect knows no time-out: begin it without blocking and wait for the socket to become writable. Not so on
    // Linux, where a socket that did not block once is never read and written by the calling thread alone again: .NET goes through
    // threads of its own from then on, at several times the cost.
    static let connectAndPoll (socket: Socket) (address: IPAddress) (port: int) (deadline: Deadline) =
        socket.Blocking <- false

        try
            socket.Connect(address, port)
        with :? SocketException as error when
            error.SocketErrorCode = SocketError.WouldBlock || error.SocketErrorCode = SocketError.InProgress ->
            ()

        if not (socket.Poll(TimeSpan.FromMilliseconds(float deadline.RemainingMs), SelectMode.SelectWrite)) then
            raise (SocketException(int SocketError.TimedOut))

        match socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) with
        | :? int as code when code <> 0 -> raise (SocketException code)
        | _ -> ()

        socket.Blocking <- true

    /// What an exception from a socket means for the caller.
    static member Fault(deadline: Deadline, cancellation: CancellationToken, error: exn) : ClientFault =
        let ofSocket (error: SocketException) =
            match error.SocketErrorCode with
            | SocketError.TimedOut
            | SocketError.WouldBlock -> ClientFault.TimedOut deadline.Allowed
            | SocketError.ConnectionReset
            | SocketError.ConnectionAborted
            | SocketError.Shutdown -> ClientFault.Closed
            | _ -> ClientFault.Broken(describe error)

        if cancellation.IsCancellationRequested then
            ClientFault.Cancelled
        else
            match error with
            | :? ClientFaultException as known -> known.Fault
            | :? SocketException as error -> ofSocket error
            | error ->
                match error.InnerException with
                | :? SocketException as inner -> ofSocket inner
                | _ -> ClientFault.Broken error.Message

    static member private Connect(address: IPAddress, port: int, deadline: Deadline, cancellation: CancellationToken) : Socket =
        let socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp)

        try
            use _ = cancellation.Register(fun () -> socket.Dispose())
            socket.NoDelay <- true

            if OperatingSystem.IsLinux() then
                connectInTime socket address port deadline
            else
                connectAndPoll socket address port deadline

            socket
        with _ ->
            socket.Dispose()
            reraise ()

    /// Connects to the first of the host's addresses that answers.
    static member Open(broker: BrokerAddress, deadline: Deadline, cancellation: CancellationToken) : Result<Transport, ClientFault> =
        let failed (error: exn) =
            match error with
            | _ when cancellation.IsCancellationRequested -> ClientFault.Cancelled
            | :? ClientFaultException as known -> known.Fault
            | :? SocketException as error when error.SocketErrorCode = SocketError.TimedOut -> ClientFault.TimedOut deadline.Allowed
            | :? SocketException as error -> ClientFault.CannotConnect(broker, describe error)
            | error -> ClientFault.CannotConnect(broker, error.Message)

        let rec attempt (addresses: IPAddress list) =
            match addresses with
            | [] -> Error(ClientFault.CannotConnect(broker, "the host name has no address"))
            | address :: others ->
                try
                    let socket = Transport.Connect(address, broker.Port, deadline, cancellation)
                    Ok(new Transport(socket, new NetworkStream(socket, true)))
                with error ->
                    match others with
                    | _ :: _ when not cancellation.IsCancellationRequested -> attempt others
                    | _ -> Error(failed error)

        try
            // Gives an IP address in text back as it is.
            attempt (List.ofArray (Dns.GetHostAddresses broker.Host))
        with error ->
            Error(failed error)

    /// The socket itself, for looking at.
    member _.Socket = socket

    /// Bytes sent so far, those included whose sending failed: some of them may have got through.
    member _.BytesOut = bytesOut

    /// Bytes received so far.
    member _.BytesIn = bytesIn

    member _.Write(bytes: ArraySegment<byte>, deadline: Deadline) =
        let mutable written = 0

        while written < bytes.Count do
            let piece = min pieceSize (bytes.Count - written)
            stream.WriteTimeout <- deadline.RemainingMs
            bytesOut <- bytesOut + int64 piece
            stream.Write(bytes.Slice(written, piece).AsSpan())
            written <- written + piece

    /// Fills the segment; a fault where the peer closes the connection before that.
    member _.ReadExactly(target: ArraySegment<byte>, deadline: Deadline) =
        let mutable got = 0

        while got < target.Count do
            stream.ReadTimeout <- deadline.RemainingMs
            let count = stream.Read(target.Slice(got).AsSpan())

            if count = 0 then raise (ClientFaultException ClientFault.Closed)

            got <- got + count
            bytesIn <- bytesIn + int64 count

    interface IDisposable with
        member _.Dispose() = stream.Dispose()
