namespace LibKafka.Topics

open System
open System.Threading
open LibKafka.Client

/// A thread that keeps a member in its group while the caller handles an event. It and the caller use the member in turn: the caller takes
/// it for each of its calls, and gives it back. The thread uses only the member's own connection.
[<Sealed>]
type internal HeartbeatThread(settings: ClientSettings, link: MemberLink, limit: TimeSpan) =
    let gate = obj ()
    let mutable isTaken = true
    let mutable isClosed = false
    let mutable stop = new CancellationTokenSource()
    let mutable failure: exn option = None
    let mutable given = settings.Time.GetTimestamp()

    // An observer of the member's exchanges may throw. The caller gets the exception at its next call.
    let pump (cancellation: CancellationToken) =
        try
            link.Pump cancellation
            link.Wait(limit, cancellation)
        with error ->
            failure <- Some error

    let isIdle () = isTaken || failure.IsSome || settings.Time.GetElapsedTime given > limit

    let run () =
        lock gate (fun () ->
            while not isClosed do
                if isIdle () then Monitor.Wait gate |> ignore else pump stop.Token)

    let thread = Thread(run, IsBackground = true, Name = "LibKafka heartbeats")
    do thread.Start()

    /// The caller uses the member until `Give`.
    member _.Take() =
        Volatile.Write(&isTaken, true)
        stop.Cancel()
        Monitor.Enter gate

        match failure with
        | Some error ->
            failure <- None
            Monitor.Exit gate
            raise (AggregateException("The heartbeat thread has failed.", error))
        | None -> ()

    /// The thread uses the member until the next `Take`, for the limit at most.
    member _.Give() =
        if not isClosed then
            stop.Dispose()
            stop <- new CancellationTokenSource()
            given <- settings.Time.GetTimestamp()
            isTaken <- false

        Monitor.PulseAll gate
        Monitor.Exit gate

    /// Ends the thread. The caller has taken the member.
    member _.Close() = isClosed <- true
