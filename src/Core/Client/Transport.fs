namespace LibKafka.Client

open System
open System.Diagnostics
open System.IO
open System.Net
open System.Net.Sockets
open System.Threading
open LibKafka.Wire

/// Carries a client fault from the depth of a call to its boundary. Never escapes.
type internal ClientFaultException(fault: ClientFault) =
    inherit Exception(fault.ToString())
    member _.Fault = fault

/// The moment by which a call must be over.
[<Struct>]
type internal Deadline =
    { Began: int64
      Allowed: TimeSpan }

    static member After(allowed: TimeSpan) = { Began = Stopwatch.GetTimestamp(); Allowed = allowed }

    member this.Elapsed = Stopwatch.GetElapsedTime this.Began

    /// Whole milliseconds left, at least one; the time-out fault once there is none left.
    member this.RemainingMs: int =
        let left = this.Allowed - this.Elapsed

        if left <= TimeSpan.Zero then
            raise (ClientFaultException(ClientFault.TimedOut this.Allowed))
        else
            int (min 2_000_000_000.0 (ceil left.TotalMilliseconds))

/// A blocking byte stream to a broker, in whose every operation one deadline counts.
[<Sealed>]
type internal Transport(socket: Socket, stream: Stream) =

    // Larger pieces would let a peer that reads slowly stretch a single write past the deadline.
    static let pieceSize = 256 * 1024

    static let describe (error: SocketException) = error.Message + " (" + error.SocketErrorCode.ToString() + ")"

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

    static member private Connect(address: IPAddress, port: int, deadline: Deadline) : Socket =
        let socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp)

        try
            socket.NoDelay <- true
            // A blocking connect knows no time-out: begin it without blocking and wait for the socket to become writable.
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
            socket
        with _ ->
            socket.Dispose()
            reraise ()

    /// Connects to the first of the host's addresses that answers.
    static member Open(broker: BrokerAddress, deadline: Deadline) : Result<Transport, ClientFault> =
        let failed (error: exn) =
            match error with
            | :? ClientFaultException as known -> known.Fault
            | :? SocketException as error when error.SocketErrorCode = SocketError.TimedOut -> ClientFault.TimedOut deadline.Allowed
            | :? SocketException as error -> ClientFault.CannotConnect(broker, describe error)
            | error -> ClientFault.CannotConnect(broker, error.Message)

        let rec attempt (addresses: IPAddress list) =
            match addresses with
            | [] -> Error(ClientFault.CannotConnect(broker, "the host name has no address"))
            | address :: others ->
                try
                    let socket = Transport.Connect(address, broker.Port, deadline)
                    Ok(new Transport(socket, new NetworkStream(socket, true)))
                with error ->
                    match others with
                    | [] -> Error(failed error)
                    | _ -> attempt others

        try
            // Gives an IP address in text back as it is.
            attempt (List.ofArray (Dns.GetHostAddresses broker.Host))
        with error ->
            Error(failed error)

    /// The socket itself, for looking at.
    member _.Socket = socket

    member _.Write(bytes: ArraySegment<byte>, deadline: Deadline) =
        let mutable written = 0

        while written < bytes.Count do
            let piece = min pieceSize (bytes.Count - written)
            stream.WriteTimeout <- deadline.RemainingMs
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

    interface IDisposable with
        member _.Dispose() = stream.Dispose()
