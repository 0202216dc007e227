namespace LibKafka.Topics

open System
open System.Threading

/// Detects that two threads use one object at the same time. The thread that is using it may enter again, as an observer may.
[<Sealed>]
type internal OneThread(name: string) =
    // The managed id of the thread that is using the object; 0 for none.
    let mutable owner = 0
    let mutable depth = 0

    /// Begins a use. Disposing the result ends it. If another thread is using the object, InvalidOperationException.
    member this.Hold() : IDisposable =
        let me = Environment.CurrentManagedThreadId

        if Volatile.Read &owner <> me && Interlocked.CompareExchange(&owner, me, 0) <> 0 then
            raise (
                InvalidOperationException(
                    "The " + name + " is used by two threads at once. Give each thread its own, or lock it around each call."
                )
            )

        depth <- depth + 1
        this

    interface IDisposable with
        member _.Dispose() =
            depth <- depth - 1
            if depth = 0 then Volatile.Write(&owner, 0)
