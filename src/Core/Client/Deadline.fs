namespace LibKafka.Client

open System
open System.Threading
open System.Threading.Tasks

/// Times as requests carry them.
[<RequireQualifiedAccess>]
module internal Milliseconds =

    /// Whole milliseconds; the most that there can be for what is longer, or has no bound.
    let ofTimeSpan (time: TimeSpan) : int32 =
        if time = Timeout.InfiniteTimeSpan then
            Int32.MaxValue
        else
            int (min time.TotalMilliseconds (float Int32.MaxValue))

/// Times that settings bound, with `Timeout.InfiniteTimeSpan` for no bound. Compared by their ticks, since F#'s operators box both sides.
[<RequireQualifiedAccess>]
module internal Bound =

    /// Whether it is longer ago than the bound, by the clock that gave the moment.
    let hasPassed (time: TimeProvider) (bound: TimeSpan) (since: int64) =
        bound.Ticks <> Timeout.InfiniteTimeSpan.Ticks && (time.GetElapsedTime since).Ticks >= bound.Ticks

/// Carries a client fault from the depth of a call to its boundary. Never escapes.
type internal ClientFaultException(fault: ClientFault) =
    inherit Exception(fault.ToString())
    member _.Fault = fault

/// The moment by which a call must be over, by the clock of the settings.
[<Struct>]
type internal Deadline =
    { Time: TimeProvider
      Began: int64
      Allowed: TimeSpan }

    static member After(time: TimeProvider, allowed: TimeSpan) = { Time = time; Began = time.GetTimestamp(); Allowed = allowed }

    member this.Elapsed = this.Time.GetElapsedTime this.Began

    member private this.IsNever = this.Allowed = Timeout.InfiniteTimeSpan

    /// Whole milliseconds left, at least one, or -1 for no bound, as sockets take them; the time-out fault once there is none left.
    member this.RemainingMs: int =
        let left = this.Allowed - this.Elapsed

        if this.IsNever then Timeout.Infinite
        elif left <= TimeSpan.Zero then raise (ClientFaultException(ClientFault.TimedOut this.Allowed))
        else int (min 2_000_000_000.0 (ceil left.TotalMilliseconds))

    /// Does something in the calling thread that is told to stop when the time runs out or the caller cancels.
    member this.Within(cancellation: CancellationToken, work: CancellationToken -> 'T) : 'T =
        let remaining = TimeSpan.FromMilliseconds(float this.RemainingMs)
        use runsOut = new CancellationTokenSource(remaining, this.Time)
        use stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, runsOut.Token)

        try
            work stop.Token
        with :? OperationCanceledException when runsOut.IsCancellationRequested && not cancellation.IsCancellationRequested ->
            raise (ClientFaultException(ClientFault.TimedOut this.Allowed))

    /// Waits for what is begun here, in the calling thread, no longer than there is time. What has been begun is told to stop when the
    /// time runs out or the caller cancels, and is left alone whether it does or not.
    member this.Await(cancellation: CancellationToken, start: CancellationToken -> Task<'T>) : 'T =
        let remaining = TimeSpan.FromMilliseconds(float this.RemainingMs)
        use stop = CancellationTokenSource.CreateLinkedTokenSource cancellation

        let begun = start stop.Token

        try
            begun.WaitAsync(remaining, this.Time, cancellation).GetAwaiter().GetResult()
        with :? TimeoutException when not begun.IsCompleted ->
            stop.Cancel()
            raise (ClientFaultException(ClientFault.TimedOut this.Allowed))
