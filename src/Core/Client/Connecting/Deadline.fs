namespace LibKafka.Client

open System
open System.Threading
open System.Threading.Tasks

/// Time spans of the settings, in which `Timeout.InfiniteTimeSpan` means no limit. They are compared by their ticks: F#'s operators would box
/// both sides on every call.
[<RequireQualifiedAccess>]
module internal Duration =

    /// Whether there is no limit.
    let isEndless (limit: TimeSpan) : bool = limit.Ticks = Timeout.InfiniteTimeSpan.Ticks

    /// Whether the limit has passed since a timestamp of the clock.
    let hasPassed (time: TimeProvider) (limit: TimeSpan) (since: int64) : bool =
        not (isEndless limit) && (time.GetElapsedTime since).Ticks >= limit.Ticks

    /// A limit or, if it is longer, another one, which is not endless.
    let shorter (limit: TimeSpan) (other: TimeSpan) : TimeSpan = if isEndless limit then other else min limit other

    /// The shorter of two limits.
    let sooner (one: TimeSpan) (other: TimeSpan) : TimeSpan =
        if isEndless one then other
        elif isEndless other || one.Ticks < other.Ticks then one
        else other

    /// The longer of two limits.
    let longer (one: TimeSpan) (other: TimeSpan) : TimeSpan =
        if isEndless one || isEndless other then Timeout.InfiniteTimeSpan else max one other

/// Times as requests carry them.
[<RequireQualifiedAccess>]
module internal Milliseconds =

    /// Whole milliseconds; `Int32.MaxValue` if the time is longer or endless.
    let ofTimeSpan (time: TimeSpan) : int32 =
        if Duration.isEndless time then
            Int32.MaxValue
        else
            int (min time.TotalMilliseconds (float Int32.MaxValue))

/// A span of time from a timestamp on, by the clock of the settings.
[<Struct>]
type internal Stretch =
    { Since: int64
      For: TimeSpan }

    /// What is left of it; zero or less if it is over.
    member this.Left(time: TimeProvider) = this.For - time.GetElapsedTime this.Since

/// The moment by which an operation must be over, by the clock of the settings.
[<Struct>]
type internal Deadline =
    { Time: TimeProvider
      Began: int64
      Allowed: TimeSpan }

    static member After(time: TimeProvider, allowed: TimeSpan) = { Time = time; Began = time.GetTimestamp(); Allowed = allowed }

    member this.Elapsed = this.Time.GetElapsedTime this.Began

    member private this.IsNever = Duration.isEndless this.Allowed

    /// Whether no time is left.
    member this.IsOver = Duration.hasPassed this.Time this.Allowed this.Began

    /// The time that is left; zero if none is, `Timeout.InfiniteTimeSpan` if there is no limit.
    member this.Remaining: TimeSpan =
        if this.IsNever then
            Timeout.InfiniteTimeSpan
        else
            TimeSpan(max 0L (this.Allowed.Ticks - this.Elapsed.Ticks))

    /// Whether less time is left.
    member this.LeavesLess(limit: TimeSpan) : bool = not this.IsNever && this.Allowed.Ticks - this.Elapsed.Ticks < limit.Ticks

    /// An equal part of the time that is left, at least a millisecond.
    member this.Share(count: int) : TimeSpan =
        if this.IsNever then
            Timeout.InfiniteTimeSpan
        else
            TimeSpan.FromMilliseconds(max 1.0 ((this.Allowed - this.Elapsed).TotalMilliseconds / float count))

    /// A deadline after this time from now, but no later than this one.
    member this.Sooner(limit: TimeSpan) : Deadline =
        if Duration.isEndless limit then
            this
        elif this.IsNever || limit.Ticks < this.Allowed.Ticks - this.Elapsed.Ticks then
            Deadline.After(this.Time, limit)
        else
            this

    /// The whole milliseconds that are left, at least one, or -1 for no limit, as sockets take them. If no time is left, it raises the fault
    /// `TimedOut`.
    member this.RemainingMs: int =
        let left = this.Allowed - this.Elapsed

        if this.IsNever then Timeout.Infinite
        elif left.Ticks <= 0L then raise (ClientFaultException(ClientFault.TimedOut this.Allowed))
        else int (min 2_000_000_000.0 (ceil left.TotalMilliseconds))

    /// Runs work in the calling thread. Its token is cancelled when the time runs out or the caller cancels.
    member this.Within(cancellation: CancellationToken, work: CancellationToken -> 'T) : 'T =
        let remaining = TimeSpan.FromMilliseconds(float this.RemainingMs)
        use runsOut = new CancellationTokenSource(remaining, this.Time)
        use stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, runsOut.Token)

        try
            work stop.Token
        with :? OperationCanceledException when runsOut.IsCancellationRequested && not cancellation.IsCancellationRequested ->
            raise (ClientFaultException(ClientFault.TimedOut this.Allowed))

    /// Starts a task and waits for it in the calling thread, but only as long as there is time. The task's token is cancelled when the time
    /// runs out or the caller cancels; the task is then abandoned even if it does not stop.
    member this.Await(cancellation: CancellationToken, start: CancellationToken -> Task<'T>) : 'T =
        let remaining = TimeSpan.FromMilliseconds(float this.RemainingMs)
        use stop = CancellationTokenSource.CreateLinkedTokenSource cancellation

        let begun = start stop.Token

        try
            begun.WaitAsync(remaining, this.Time, cancellation).GetAwaiter().GetResult()
        with :? TimeoutException when not begun.IsCompleted ->
            stop.Cancel()
            raise (ClientFaultException(ClientFault.TimedOut this.Allowed))
