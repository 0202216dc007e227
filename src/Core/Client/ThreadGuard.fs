namespace LibKafka.Client

open System
open System.Collections.Generic
open System.Threading

/// Detects that two threads use one object at the same time. The public methods of the object hold its guard while they run; the thread that
/// holds it may hold it again, because an observer may make a call. `name` is what the exception calls the object.
[<Sealed>]
type ThreadGuard(name: string) =
    // The managed id of the thread that is using the object; 0 for none.
    let mutable owner = 0
    let mutable depth = 0
    // The guard of the connection that was joined last, and whether the present use holds it.
    let mutable joined: ThreadGuard | null = null
    let mutable isJoined = false

    let tryEnter (me: int) : bool =
        let before = Interlocked.CompareExchange(&owner, me, 0)

        if before = 0 || before = me then
            depth <- depth + 1
            true
        else
            false

    let leaveJoined () =
        isJoined <- false

        match joined with
        | null -> ()
        | connection -> connection.Exit()

    let exit () =
        if depth > 1 then
            depth <- depth - 1
        else
            if isJoined then leaveJoined ()
            depth <- 0
            Volatile.Write(&owner, 0)

    let holds (connection: ThreadGuard) = isJoined && Object.ReferenceEquals(joined, connection)

    // Writing a reference costs more than comparing it.
    let noteJoined (connection: ThreadGuard) =
        isJoined <- true
        if not (Object.ReferenceEquals(joined, connection)) then joined <- connection

    // The exceptions are raised in functions of their own, so that the callers are small enough to be inlined.
    let refuseThread () =
        raise (
            InvalidOperationException(
                "The "
                + name
                + " is used by two threads at once. Nothing was sent. Give each thread its own, or lock it around each call."
            )
        )

    let refuseInFlight () =
        raise (
            InvalidOperationException(
                "The " + name + " has a call in flight. Nothing was sent. Complete that call or abandon it before the next one."
            )
        )

    /// Whether a call was begun and is not completed yet.
    member val internal IsInFlight = false with get, set

    /// Begins a use, unless another thread is using the object or a call is in flight.
    member internal this.TryEnter() : bool =
        if not (tryEnter Environment.CurrentManagedThreadId) then
            false
        elif this.IsInFlight then
            exit ()
            false
        else
            true

    // Begins a use by the present thread, whose id is known to the caller.
    member private _.ResumeBy(me: int) = if not (tryEnter me) then refuseThread ()

    member private this.EnterBy(me: int) =
        this.ResumeBy me

        if this.IsInFlight then
            exit ()
            refuseInFlight ()

    /// Begins a use that completes the call in flight or leaves it alone. If another thread is using the object, InvalidOperationException. An
    /// `Exit` must follow.
    member internal this.Resume() = this.ResumeBy Environment.CurrentManagedThreadId

    /// Begins a use for a call. If another thread is using the object or a call is in flight, InvalidOperationException. An `Exit` must follow.
    member internal this.Enter() = this.EnterBy Environment.CurrentManagedThreadId

    /// Ends a use.
    member internal _.Exit() = exit ()

    /// Enters the guard of a connection, for a call in a use of this one. It is held until that use ends, or until another connection is joined.
    member internal _.Join(connection: ThreadGuard) =
        if holds connection then
            connection.RefuseInFlight()
        else
            if isJoined then leaveJoined ()
            connection.EnterBy owner
            noteJoined connection

    /// Enters the guard of a connection as `Join` does, to complete the call in flight there.
    member internal _.Rejoin(connection: ThreadGuard) =
        if not (holds connection) then
            if isJoined then leaveJoined ()
            connection.ResumeBy owner
            noteJoined connection

    member private this.RefuseInFlight() = if this.IsInFlight then refuseInFlight ()

    /// Begins a use. Disposing the result ends it. If another thread is using the object or a call that was begun is in flight,
    /// InvalidOperationException. Nothing is allocated.
    member this.Hold() : GuardedUse =
        this.Enter()
        new GuardedUse(this)

    /// Begins a use as `Resume` does. Disposing the result ends it. Nothing is allocated.
    member internal this.HoldInFlight() : GuardedUse =
        this.Resume()
        new GuardedUse(this)

/// A use of an object, which ends when it is disposed: once, by the thread that began it.
and [<Struct; NoEquality; NoComparison>] GuardedUse internal (guard: ThreadGuard) =
    interface IDisposable with
        member _.Dispose() = guard.Exit()

/// The guards of several objects, held together until it is disposed.
[<Sealed>]
type internal HeldGuards() =
    let held = Stack<ThreadGuard>()

    /// Enters a guard. If another thread is using its object or a call is in flight there, InvalidOperationException.
    member _.Enter(guard: ThreadGuard) =
        guard.Enter()
        held.Push guard

    interface IDisposable with
        member _.Dispose() =
            for guard in held do
                guard.Exit()
