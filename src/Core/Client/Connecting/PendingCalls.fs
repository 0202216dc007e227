namespace LibKafka.Client

open System
open System.Collections.Generic
open System.Net
open System.Net.Sockets
open System.Runtime.InteropServices
open System.Threading

/// Wakes a thread that polls sockets: a datagram socket that is connected to itself.
[<Sealed>]
type internal Waker() =
    let address = if Socket.OSSupportsIPv4 then IPAddress.Loopback else IPAddress.IPv6Loopback
    let socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp)
    let signal = [| 0uy |]

    do
        socket.Bind(IPEndPoint(address, 0))

        match socket.LocalEndPoint with
        | null -> ()
        | own -> socket.Connect own

    static let waking =
        Action<obj | null>(fun waker ->
            match waker with
            | :? Waker as waker -> waker.Wake()
            | _ -> ())

    /// The socket to poll with the others. It is readable from `Wake` until `Clear`.
    member _.Socket = socket

    member private _.Wake() = socket.Send signal |> ignore

    /// Wakes the thread when this is cancelled.
    member this.WakeOn(cancellation: CancellationToken) : CancellationTokenRegistration = cancellation.UnsafeRegister(waking, this)

    member _.Clear() =
        while socket.Available > 0 do
            socket.Receive signal |> ignore

/// Waits for sockets in the calling thread, which keeps one of these.
[<Sealed>]
type internal Poller() =
    let sockets = List<Socket>()
    let registrations = List<CancellationTokenRegistration>()
    let mutable made: Waker | null = null

    // Longer waits are made in several.
    static let longest = TimeSpan.FromMinutes 30.0

    [<ThreadStatic; DefaultValue>]
    static val mutable private own: Poller | null

    static member Own: Poller =
        match Poller.own with
        | null ->
            let made = Poller()
            Poller.own <- made
            made
        | poller -> poller

    /// The sockets to wait for.
    member _.Sockets = sockets

    member private _.Waker: Waker =
        match made with
        | null ->
            let waker = Waker()
            made <- waker
            waker
        | waker -> waker

    /// Lets a cancellation end the waits until `Clear`.
    member this.WakeOn(cancellation: CancellationToken) =
        if cancellation.CanBeCanceled then
            registrations.Add(this.Waker.WakeOn cancellation)

    /// Waits until one of the sockets is readable, a cancellation occurs, or the time is over, and leaves those that are readable. False if a
    /// socket was closed meanwhile, so that this is not known.
    member this.Wait(limit: TimeSpan) : bool =
        // Rounded up: the kernel counts milliseconds, and the wait must not be busy at the end.
        let wait =
            if Duration.isEndless limit || limit.Ticks > longest.Ticks then
                longest
            else
                TimeSpan.FromMilliseconds(ceil limit.TotalMilliseconds)

        // Without any socket, the wait for the waker is a sleep.
        let waking = registrations.Count > 0 || sockets.Count = 0
        let waker: Waker | null = if waking then this.Waker else null

        match waker with
        | null -> ()
        | waker -> sockets.Add waker.Socket

        try
            Socket.Select(sockets, null, null, wait)

            match waker with
            | null -> ()
            | waker ->
                let last = sockets.Count - 1

                if last >= 0 && Object.ReferenceEquals(sockets[last], waker.Socket) then
                    sockets.RemoveAt last
                    waker.Clear()

            true
        with
        | :? ObjectDisposedException
        | :? SocketException -> false

    /// Forgets the sockets and the cancellations.
    member _.Clear() =
        sockets.Clear()

        for registration in registrations do
            registration.Dispose()

        registrations.Clear()

namespace LibKafka

open System
open System.Collections.Generic
open System.Runtime.InteropServices
open System.Threading
open LibKafka.Client

/// Waiting for calls that were begun on different connections.
[<AbstractClass; Sealed>]
type PendingCalls private () =

    // The request that a call waits for; null if it is ready without one.
    static let flightOf (call: PendingCall) : Flight | null = if call.IsCompleted then null else call.Call.Flight

    // Lets the caller's cancellation and those of the calls end the wait. Calls usually share one.
    static let listen (poller: Poller) (pending: IReadOnlyList<PendingCall>) (cancellation: CancellationToken) =
        let mutable last = cancellation
        poller.WakeOn cancellation

        for index in 0 .. pending.Count - 1 do
            match flightOf pending[index] with
            | null -> ()
            | flight ->
                let own = flight.Options.Cancellation

                if not (own.Equals last || own.Equals cancellation) then
                    poller.WakeOn own
                    last <- own

    // Collects the sockets of the calls that are not ready yet, and shortens the wait to their time. Returns how many are ready.
    static let gather (poller: Poller) (pending: IReadOnlyList<PendingCall>) (wait: byref<TimeSpan>) : int =
        let mutable ready = 0
        poller.Sockets.Clear()

        for index in 0 .. pending.Count - 1 do
            match flightOf pending[index] with
            | null -> ready <- ready + 1
            | flight when flight.IsReadyAtOnce -> ready <- ready + 1
            | flight ->
                wait <- Duration.sooner flight.Deadline.Remaining wait
                poller.Sockets.Add flight.Transport.Socket

        ready

    // Marks the calls whose sockets are readable. They are in the order of the calls. Returns how many became ready.
    static let mark (poller: Poller) (pending: IReadOnlyList<PendingCall>) : int =
        let readable = poller.Sockets
        let mutable next = 0
        let mutable ready = 0

        for index in 0 .. pending.Count - 1 do
            match flightOf pending[index] with
            | null -> ()
            | flight ->
                if next < readable.Count && Object.ReferenceEquals(readable[next], flight.Transport.Socket) then
                    next <- next + 1
                    if flight.Arrived pending[index].Call.Guard then ready <- ready + 1

        ready

    // Looks at each call. A socket was closed while all were polled.
    static let lookAtEach (pending: IReadOnlyList<PendingCall>) : int =
        let mutable ready = 0

        for index in 0 .. pending.Count - 1 do
            if pending[index].IsReady then ready <- ready + 1

        ready

    static let check (pending: IReadOnlyList<PendingCall>) (timeout: TimeSpan) (cancellation: CancellationToken) =
        ArgumentNullException.ThrowIfNull(pending, nameof pending)

        if timeout.Ticks < 0L && not (Duration.isEndless timeout) then
            raise (ArgumentOutOfRangeException(nameof timeout, "It must not be negative, except for Timeout.InfiniteTimeSpan."))

        if pending.Count = 0 && Duration.isEndless timeout && not cancellation.CanBeCanceled then
            raise (ArgumentException("There is no call to wait for, and nothing else ends the wait.", nameof pending))

    /// Waits in the calling thread until at least one of the calls is ready, the time is over, or `cancellation` is cancelled. Returns how many
    /// are ready, 0 if none is; `PendingCall.WasReady` says which. It looks at every call, so that none is passed over while others are
    /// always ready. The time-out and the cancellation of a call make that call ready: completing it gives the fault.
    ///
    /// `Timeout.InfiniteTimeSpan` waits for as long as the calls have time, zero does not wait. One system call serves all sockets.
    static member WaitAny(pending: IReadOnlyList<PendingCall>, timeout: TimeSpan, [<Optional>] cancellation: CancellationToken) : int =
        check pending timeout cancellation
        let poller = Poller.Own
        let deadline = Deadline.After(TimeProvider.System, timeout)
        let mutable ready = 0
        let mutable isOver = false

        try
            listen poller pending cancellation

            while ready = 0 && not isOver do
                let left = deadline.Remaining
                let mutable wait = left
                let readyBefore = gather poller pending &wait
                isOver <- cancellation.IsCancellationRequested || left.Ticks = 0L
                if isOver || readyBefore > 0 then wait <- TimeSpan.Zero

                ready <-
                    if poller.Sockets.Count = 0 && wait.Ticks = 0L then readyBefore
                    elif poller.Wait wait then readyBefore + mark poller pending
                    else lookAtEach pending

            ready
        finally
            poller.Clear()

namespace LibKafka.Client

/// See `LibKafka.PendingCalls`.
type PendingCalls = LibKafka.PendingCalls
