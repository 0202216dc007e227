namespace LibKafka.Client

open System
open System.Threading
open System.Threading.Tasks

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

    /// Whole milliseconds left, at least one; the time-out fault once there is none left.
    member this.RemainingMs: int =
        let left = this.Allowed - this.Elapsed

        if left <= TimeSpan.Zero then
            raise (ClientFaultException(ClientFault.TimedOut this.Allowed))
        else
            int (min 2_000_000_000.0 (ceil left.TotalMilliseconds))

    /// Waits for what is begun here, in the calling thread, no longer than there is time. What has been begun is told to stop when the
    /// time runs out or the caller cancels, and is left alone whether it does or not.
    member this.Await(cancellation: CancellationToken, start: CancellationToken -> Task<'T>) : 'T =
        let remaining = TimeSpan.FromMilliseconds(float this.RemainingMs)
        use stop = CancellationTokenSource.CreateLinkedTokenSource cancellation

        try
            (start stop.Token).WaitAsync(remaining, cancellation).GetAwaiter().GetResult()
        with :? TimeoutException when this.Elapsed >= this.Allowed ->
            stop.Cancel()
            raise (ClientFaultException(ClientFault.TimedOut this.Allowed))
