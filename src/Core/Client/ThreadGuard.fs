namespace LibKafka.Client

open System
open System.Collections.Generic
open System.Threading

/// Detects that two threads use one object at the same time, and that a call is made while another one is in flight. The thread that is using
/// the object may enter again: a client's calls use the calls of others, and an observer may make a call. Each `Enter` or `Resume` that returns
/// must be followed by an `Exit`.
[<Sealed>]
type internal ThreadGuard(name: string) =
    // The managed id of the thread that is using the object; 0 for none.
    let mutable owner = 0
    let mutable depth = 0

    let tryEnter () : bool =
        let me = Environment.CurrentManagedThreadId

        if Volatile.Read &owner = me then
            depth <- depth + 1
            true
        elif Interlocked.CompareExchange(&owner, me, 0) = 0 then
            depth <- 1
            true
        else
            false

    let exit () =
        depth <- depth - 1
        if depth = 0 then Volatile.Write(&owner, 0)

    /// Whether a call was begun and is not completed yet.
    member val IsInFlight = false with get, set

    /// Begins a use, unless another thread is using the object or a call is in flight.
    member this.TryEnter() : bool =
        if not (tryEnter ()) then
            false
        elif this.IsInFlight then
            exit ()
            false
        else
            true

    /// Begins a use that completes the call in flight or leaves it alone. If another thread is using the object, InvalidOperationException.
    member _.Resume() =
        if not (tryEnter ()) then
            raise (
                InvalidOperationException(
                    "The "
                    + name
                    + " is used by two threads at once. Nothing was sent. Give each thread its own, or lock it around each call."
                )
            )

    /// Begins a use for a call. If another thread is using the object or a call is in flight, InvalidOperationException.
    member this.Enter() =
        this.Resume()

        if this.IsInFlight then
            exit ()

            raise (
                InvalidOperationException(
                    "The " + name + " has a call in flight. Nothing was sent. Complete that call or abandon it before the next one."
                )
            )

    /// Ends a use.
    member _.Exit() = exit ()

    /// Begins a use as `Enter` does. Disposing the result ends it. Nothing is allocated.
    member this.Hold() : IDisposable =
        this.Enter()
        this

    /// Begins a use as `Resume` does. Disposing the result ends it. Nothing is allocated.
    member this.HoldInFlight() : IDisposable =
        this.Resume()
        this

    interface IDisposable with
        member _.Dispose() = exit ()

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
