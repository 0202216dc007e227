namespace LibKafka.Integration

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Expecto

/// A clock that stands still until it is advanced, and then fires the timers that are due.
[<Sealed>]
type ManualTime() =
    inherit TimeProvider()
    let gate = obj ()
    let start = DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)
    let mutable now = TimeSpan.Zero
    let timers = List<ManualTimer>()

    member internal _.Gate = gate
    member internal _.Now = now
    member internal _.Timers = timers

    override _.GetUtcNow() = lock gate (fun () -> start + now)
    override _.TimestampFrequency = TimeSpan.TicksPerSecond
    override _.GetTimestamp() = lock gate (fun () -> now.Ticks)

    override this.CreateTimer(callback, state, due, _) =
        let timer = new ManualTimer(this, callback, state)
        timer.Change(due, Timeout.InfiniteTimeSpan) |> ignore
        timer

    /// Advances the clock, and fires the timers that are due by then.
    member _.Advance(by: TimeSpan) =
        let due =
            lock gate (fun () ->
                now <- now + by
                let due = timers |> Seq.filter (fun timer -> timer.Due <= now) |> List.ofSeq
                due |> List.iter (timers.Remove >> ignore)
                due)

        for timer in due do
            timer.Fire()

    /// Waits until there is a timer with this delay.
    member _.AwaitTimer(after: TimeSpan) =
        let patience = Stopwatch.StartNew()

        lock gate (fun () ->
            while not (timers.Exists(fun timer -> timer.Due = now + after)) do
                if patience.Elapsed > TimeSpan.FromSeconds 20.0 then
                    failtestf "nothing waits for %O" after

                Monitor.Wait(gate, 100) |> ignore)

/// A timer of such a clock.
and [<Sealed>] ManualTimer(time: ManualTime, callback: TimerCallback, state: obj | null) =
    /// The time at which it fires.
    member val Due = TimeSpan.MaxValue with get, set

    member _.Fire() = callback.Invoke state

    member this.Change(due: TimeSpan, _: TimeSpan) =
        lock time.Gate (fun () ->
            time.Timers.Remove this |> ignore

            if due <> Timeout.InfiniteTimeSpan then
                this.Due <- time.Now + due
                time.Timers.Add this
                Monitor.PulseAll time.Gate)

        true

    interface ITimer with
        member this.Change(due, period) = this.Change(due, period)

    interface IDisposable with
        member this.Dispose() = lock time.Gate (fun () -> time.Timers.Remove this |> ignore)

    interface IAsyncDisposable with
        member this.DisposeAsync() =
            (this :> IDisposable).Dispose()
            Threading.Tasks.ValueTask()
