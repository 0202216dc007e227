namespace LibKafka.Client

open System
open System.Collections.Generic
open System.Diagnostics
open System.IO
open System.Net.Sockets
open System.Threading

/// Raised by a read that would have to wait, if waiting is not allowed.
type internal WouldWaitException() =
    inherit IOException("nothing can be read without waiting")

/// A socket as a blocking stream. One deadline applies to all its operations, including the several that TLS makes for one of its own.
[<Sealed>]
type internal SocketStream(socket: Socket, deadline: Deadline) =
    inherit Stream()

    // The number of bytes that a socket's buffer takes without waiting.
    let atOnce = min (64 * 1024) socket.SendBufferSize
    let mutable deadline = deadline
    let mutable first: byte voption = ValueNone
    let mutable ended = false
    let mutable receiveTimeout = 0
    let mutable overdue = false
    let mutable alarm: ITimer | null = null
    let mutable sendTimeout = socket.SendTimeout
    let mutable sendBegan = 0L

    // The kernel's clock is coarser than the one that measures here.
    static let slackMs = 20.0

    // Whether an exception is the socket's own time-out. The kernel reports a peer that is gone by the same code, but sooner.
    let isTimeout (error: SocketException) (began: int64) (within: int) =
        (error.SocketErrorCode = SocketError.TimedOut || error.SocketErrorCode = SocketError.WouldBlock)
        && within > 0
        && Stopwatch.GetElapsedTime(began).TotalMilliseconds + slackMs >= float within

    /// The deadline of the operations from now on.
    member _.Deadline
        with get () = deadline
        and set value = deadline <- value

    /// The first byte that was ever received.
    member _.FirstByte = first

    /// Whether the peer has ended the connection.
    member _.HasEnded = ended

    /// Whether a read that has to wait raises WouldWaitException instead.
    member val NeverWaits = false with get, set

    /// Whether a read would return at once, with bytes or with the end of the connection.
    member _.IsReadable = socket.Poll(0, SelectMode.SelectRead)

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

    override this.Read(target: Span<byte>) : int =
        // TLS reads no bytes to wait for some. It does not need to: the read after that waits.
        if target.IsEmpty then 0 else this.ReadSome target

    member private this.ReadSome(target: Span<byte>) : int =
        if this.NeverWaits && not this.IsReadable then raise (WouldWaitException())

        // A read that does not wait is not limited by the deadline, which may be that of an earlier call.
        let within = if this.NeverWaits then receiveTimeout else deadline.RemainingMs

        // Most calls are over within a millisecond, and then the time-out is still the same.
        if within <> receiveTimeout then
            socket.ReceiveTimeout <- within
            receiveTimeout <- within

        this.Receive(target, within)

    member private _.Receive(target: Span<byte>, within: int) : int =
        let began = Stopwatch.GetTimestamp()

        let count =
            try
                socket.Receive(target, SocketFlags.None)
            with :? SocketException as error ->
                overdue <- isTimeout error began within
                reraise ()

        if count = 0 then ended <- true
        elif first.IsNone then first <- ValueSome target[0]

        count

    override this.Read(target: byte[], offset: int, count: int) : int = this.Read(Span<byte>(target, offset, count))

    /// Reads some of the bytes that are there. The socket must be readable.
    member this.ReadNow(target: Span<byte>) : int = this.Receive(target, receiveTimeout)

    // The socket's send time-out starts again each time the peer accepts some bytes, so a timer limits a send that is long enough for that.
    member private this.Arm(size: int) =
        let within = deadline.RemainingMs
        sendBegan <- Stopwatch.GetTimestamp()

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

    /// Whether the time ran out during a send or a receipt.
    member _.IsOverdue = overdue

    // Whether a send failed because its time ran out.
    member private _.Judge(error: SocketException) = overdue <- overdue || isTimeout error sendBegan sendTimeout

    override this.Write(bytes: ReadOnlySpan<byte>) : unit =
        this.Arm bytes.Length
        let mutable written = 0

        try
            while written < bytes.Length do
                written <- written + socket.Send(bytes.Slice written, SocketFlags.None)
        with :? SocketException as error ->
            this.Judge error
            reraise ()

        if bytes.Length > atOnce then this.Disarm()

    /// Writes some pieces in one operation without copying them.
    member this.Gather(pieces: List<ArraySegment<byte>>) : int =
        this.Arm Int32.MaxValue

        let sent =
            try
                socket.Send(pieces, SocketFlags.None)
            with :? SocketException as error ->
                this.Judge error
                reraise ()

        this.Disarm()
        sent

    override this.Write(bytes: byte[], offset: int, count: int) : unit = this.Write(ReadOnlySpan<byte>(bytes, offset, count))

    override _.Dispose(_: bool) =
        socket.Dispose()

        match alarm with
        | null -> ()
        | alarm -> alarm.Dispose()
