namespace LibKafka.Client

open System
open System.Threading

/// Detects that two threads use one object at the same time. The thread that is using it may enter again: a client's calls use the calls of
/// others, and an observer may make a call. Each `Enter` that returns must be followed by an `Exit`.
[<Sealed>]
type internal ThreadGuard(name: string) =
    // The managed id of the thread that is using the object; 0 for none.
    let mutable owner = 0
    let mutable depth = 0

    /// Begins a use, unless another thread is using the object.
    member _.TryEnter() : bool =
        let me = Environment.CurrentManagedThreadId

        if Volatile.Read &owner = me then
            depth <- depth + 1
            true
        elif Interlocked.CompareExchange(&owner, me, 0) = 0 then
            depth <- 1
            true
        else
            false

    /// Begins a use. If another thread is using the object, InvalidOperationException.
    member this.Enter() =
        if not (this.TryEnter()) then
            raise (
                InvalidOperationException(
                    "The "
                    + name
                    + " is used by two threads at once. Nothing was sent. Give each thread its own, or lock it around each call."
                )
            )

    /// Ends a use.
    member _.Exit() =
        depth <- depth - 1
        if depth = 0 then Volatile.Write(&owner, 0)

    /// Begins a use as `Enter` does. Disposing the result ends it. Nothing is allocated.
    member this.Hold() : IDisposable =
        this.Enter()
        this

    interface IDisposable with
        member this.Dispose() = this.Exit()
