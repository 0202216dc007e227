namespace LibKafka.Client

open System
open LibKafka.Protocol

/// A call that was begun and is completed later.
[<AbstractClass>]
type internal Call() =

    /// The request in flight; null if nothing was sent.
    abstract Flight: Flight | null

    /// Detects that two threads use the client at once. It is held while the call is completed.
    abstract Guard: ThreadGuard

    /// Whether there is a reply.
    abstract IsCompleted: bool

    /// Completes the call and leaves the reply for later.
    abstract Finish: unit -> unit

/// A call that was begun, with its reply.
[<AbstractClass>]
type internal Call<'Reply>() =
    inherit Call()

    /// Waits for the response, and brings the client's state up to date. Later calls return the same reply.
    abstract Complete: unit -> 'Reply

    override this.Finish() = this.Complete() |> ignore

/// A call of which an exchange is reported when it is completed. The client's state is up to date by then, and the reply is kept, because an
/// observer may throw.
[<AbstractClass>]
type internal ReportedCall<'Reply>() =
    inherit Call<'Reply>()
    let mutable reply: 'Reply voption = ValueNone

    /// Waits for the response, and brings the client's state up to date.
    abstract Settle: unit -> 'Reply

    /// Reports the exchange.
    abstract Report: reply: 'Reply -> unit

    override _.IsCompleted = reply.IsSome

    override this.Complete() : 'Reply =
        match reply with
        | ValueSome known -> known
        | ValueNone ->
            let settled = this.Settle()
            reply <- ValueSome settled
            this.Report settled
            settled

/// A call whose reply is changed by a function.
[<Sealed>]
type internal MappedCall<'Before, 'After>(call: Call<'Before>, change: Func<'Before, 'After>) =
    inherit Call<'After>()
    let mutable reply: 'After voption = ValueNone

    override _.Flight = call.Flight
    override _.Guard = call.Guard
    override _.IsCompleted = call.IsCompleted

    override _.Complete() : 'After =
        match reply with
        | ValueSome known -> known
        | ValueNone ->
            let changed = change.Invoke(call.Complete())
            reply <- ValueSome changed
            changed

/// An exchange that was not made.
[<Sealed>]
type internal UnmadeCall<'Request, 'Answer>(guard: ThreadGuard, exchange: Exchange<'Request, 'Answer>, settings: ClientSettings) =
    inherit ReportedCall<Exchange<'Request, 'Answer>>()
    override _.Flight = null
    override _.Guard = guard
    override _.Settle() = exchange
    override _.Report _ = Operation.report settings exchange.Info ErrorCode.None

/// A request in flight on a channel.
[<Sealed>]
type internal ChannelCall<'Request, 'Answer>(channel: Channel, flight: Flight, request: 'Request, reception: Reception<'Answer>) =
    inherit ReportedCall<Exchange<'Request, 'Answer>>()
    override _.Flight = flight
    override _.Guard = channel.Guard
    override _.Settle() = channel.Complete(flight, request, reception)
    override _.Report exchange = Operation.report channel.Settings exchange.Info ErrorCode.None

namespace LibKafka

open System
open LibKafka.Client

/// A call that was begun: its request was sent, and its response has not been read yet. Until it is completed or abandoned, its client (and every
/// other object that uses the same connection) makes no other call. Another thread than the one that began it may complete it, but not while
/// the first one uses the client.
[<AbstractClass>]
type PendingCall internal (call: Call) =

    member internal _.Call = call

    /// Whether `Complete` would not wait for the first byte of the response: there is something to read, the connection has ended, the time is
    /// over, the call was cancelled, or its request could not be sent. It never waits. Once true, it stays true.
    member _.IsReady: bool =
        call.IsCompleted
        || (match call.Flight with
            | null -> true
            | flight -> flight.Look call.Guard)

    /// Whether `IsReady` or `PendingCalls.WaitAny` has found the call ready. This costs no look at the socket.
    member _.WasReady: bool =
        call.IsCompleted
        || (match call.Flight with
            | null -> true
            | flight -> flight.WasReady)

    /// Receives what has arrived of the response into the call's memory, without waiting. Whether `Complete` would not wait at all: the whole
    /// response is there, or it is ready for another reason. Once true, it stays true. If it is false, the call becomes ready again when more
    /// arrives, so that a slow sender does not hold up other calls.
    member _.Receive() : bool =
        call.IsCompleted
        || (match call.Flight with
            | null -> true
            | flight -> flight.Receive call.Guard)

    /// Whether the call has a reply, because it was completed or abandoned.
    member _.IsCompleted: bool = call.IsCompleted

    /// How much of the call's time is left, which began with the call; zero if none is. `Timeout.InfiniteTimeSpan` for no limit.
    member _.Remaining: TimeSpan =
        match call.Flight with
        | null -> TimeSpan.Zero
        | flight -> flight.Deadline.Remaining

    /// Ends the call without waiting and closes its connection, because a response that is not read would be in the way of the next one. The reply
    /// is then the one of a call that the caller has cancelled: whether the broker has acted on the request is not known. A call that has a
    /// reply keeps it.
    member _.Abandon() : unit =
        if not call.IsCompleted then
            use _ = call.Guard.HoldInFlight()

            match call.Flight with
            | null -> ()
            | flight -> flight.Abandon()

            call.Finish()

/// A call that was begun, with its reply.
[<Sealed>]
type PendingCall<'Reply> internal (call: Call<'Reply>) =
    inherit PendingCall(call)

    /// Waits for the response until the call's time is over, and returns the reply that the same call in one piece returns. Later calls return the
    /// same reply.
    ///
    /// A caller that comes back when the time is over has not waited for the broker: a response that has begun to arrive is read all the same.
    /// For the rest of it there is as much time as the call was given, but at most 5 seconds.
    member _.Complete() : 'Reply =
        use _ = call.Guard.HoldInFlight()

        if not call.IsCompleted then
            match call.Flight with
            | null -> ()
            | flight -> flight.AllowForRest call.Guard

        call.Complete()

    /// The same call with its reply changed by a function, which runs once, when the call is completed.
    member _.Map(change: Func<'Reply, 'Other>) : PendingCall<'Other> = PendingCall<'Other>(MappedCall<'Reply, 'Other>(call, change))

namespace LibKafka.Client

/// See `LibKafka.PendingCall`.
type PendingCall = LibKafka.PendingCall

/// See `LibKafka.PendingCall`.
type PendingCall<'Reply> = LibKafka.PendingCall<'Reply>
