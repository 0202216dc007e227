namespace LibKafka.Client

open System
open LibKafka.Wire
open System.Threading

/// Which faults and error codes are transient.
[<RequireQualifiedAccess>]
module Transient =

    /// See `ClientFault.IsTransient`.
    let isFault (fault: ClientFault) : bool = fault.IsTransient

    /// Whether a batch is not in the log for a transient reason, so that sending it again cannot duplicate it. If it is not known whether it is
    /// in the log, it must not be sent again.
    let isProduced (produced: Produced) : bool = produced.MayBeSentAgain false

    /// The same for an idempotent producer, which may also send a batch again if it is not known whether it is in the log.
    let isIdempotent (produced: Produced) : bool = produced.MayBeSentAgain true

    /// Whether a fetch failed for a transient reason.
    let isFetched (fetched: Fetched) : bool = fetched.IsTransient

    /// Whether a search for an offset failed for a transient reason.
    let isSought (sought: Sought) : bool = sought.IsTransient

    /// Whether a request of any kind was not sent for a transient reason. The error codes in its response are not checked.
    let isNotSent (exchange: Exchange<'Request, 'Response>) : bool =
        match exchange.Result with
        | Error fault -> not exchange.Info.WasSent && fault.IsTransient
        | Ok _ -> false

/// When to repeat a call, how often, and how long to wait before. It can wrap any call; without a policy no call is repeated.
[<NoEquality; NoComparison>]
type RetryPolicy<'Result> =
    {
        /// Whether the result of a call is worth another attempt.
        Again: 'Result -> bool
        /// The most attempts, including the first. There is always one.
        Attempts: int
        /// How long to wait before the second attempt.
        FirstDelay: TimeSpan
        /// The factor by which each further delay is longer than the one before.
        Factor: float
        /// The longest delay; `Timeout.InfiniteTimeSpan` for no limit but that of a wait, 24 days.
        MaxDelay: TimeSpan
        /// The random part of a delay, from 0 to 1, so that clients that failed together do not come back together: 0.2 turns 100 ms into a
        /// delay between 80 and 100 ms.
        Jitter: float
        /// The time for all attempts: none begins later. An attempt that has begun has its own time-out.
        /// `Timeout.InfiniteTimeSpan` for no limit.
        TimeLimit: TimeSpan
        /// Returns random numbers from 0 to 1, excluding 1.
        Random: unit -> float
        /// The clock of the time limit.
        Time: TimeProvider
        /// Waits for this long, or until it is cancelled.
        Sleep: TimeSpan -> CancellationToken -> unit
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show
            [ "Attempts", box this.Attempts
              "FirstDelay", box this.FirstDelay
              "Factor", box this.Factor
              "MaxDelay", box this.MaxDelay
              "Jitter", box this.Jitter
              "TimeLimit", box this.TimeLimit ]

    /// The delay after the attempt with this number, for a random number from 0 to 1.
    member this.Delay(attempt: int, random: float) : TimeSpan =
        let full = this.FirstDelay.TotalMilliseconds * Math.Pow(this.Factor, float (attempt - 1))
        let most = float (Milliseconds.ofTimeSpan this.MaxDelay)
        let delay = min full most * (1.0 - this.Jitter * random)
        // The power becomes infinite, and no delay at all times infinity is not a number.
        if delay > 0.0 then TimeSpan.FromMilliseconds delay else TimeSpan.Zero

    /// Makes a call until its result is not worth another attempt or no other attempt may be made, and returns the last result. `call` gets
    /// the options for each attempt: `options` with the number of the attempt, from 1. Pass them on. Cancelling ends a wait between attempts.
    member this.Run(call: CallOptions -> 'Result, ?options: CallOptions) : 'Result =
        let options = defaultArg options CallOptions.standard
        let cancellation = options.Cancellation
        let began = this.Time.GetTimestamp()

        let rec from attempt =
            let result = call { options with Attempt = attempt }

            if attempt >= this.Attempts || cancellation.IsCancellationRequested || not (this.Again result) then
                result
            else
                let delay = this.Delay(attempt, this.Random())

                if this.TimeLimit <> Timeout.InfiniteTimeSpan && this.Time.GetElapsedTime began + delay >= this.TimeLimit then
                    result
                else
                    this.Sleep delay cancellation
                    if cancellation.IsCancellationRequested then result else from (attempt + 1)

        from 1

/// Ready policies. Change them with `{ … with … }`.
[<RequireQualifiedAccess>]
module RetryPolicy =

    let private sleep (delay: TimeSpan) (cancellation: CancellationToken) = cancellation.WaitHandle.WaitOne delay |> ignore

    /// For any call: five attempts within a minute, with delays of 100, 200, 400 and 800 ms, less up to a fifth. `again` says which results are
    /// worth another attempt.
    let make (again: 'Result -> bool) : RetryPolicy<'Result> =
        { Again = again
          Attempts = 5
          FirstDelay = TimeSpan.FromMilliseconds 100.0
          Factor = 2.0
          MaxDelay = TimeSpan.FromSeconds 10.0
          Jitter = 0.2
          TimeLimit = TimeSpan.FromMinutes 1.0
          Random = Random.Shared.NextDouble
          Time = TimeProvider.System
          Sleep = sleep }

    /// For any call, within half a minute: delays grow from 100 ms to a second. A new broker takes some seconds until its coordinators are ready,
    /// and a new topic until all brokers know it.
    let patient (again: 'Result -> bool) : RetryPolicy<'Result> =
        { make again with
            Attempts = Int32.MaxValue
            MaxDelay = TimeSpan.FromSeconds 1.0
            TimeLimit = TimeSpan.FromSeconds 30.0 }

    /// For the reply to any call: to produce, fetch, seek, join, sync, commit, for each step of a transaction, for administrative calls and
    /// identities. As `patient`, while the call fails for a transient reason and a repetition does no harm: see `Reply.IsTransient`.
    let standard<'Reply when 'Reply :> Reply> : RetryPolicy<'Reply> = patient (fun (reply: 'Reply) -> reply.IsTransient)

    /// The same for calls whose result is a value or a fault: to connect, or to find a leader.
    let connect<'Value> : RetryPolicy<Result<'Value, ClientFault>> =
        patient (fun (result: Result<'Value, ClientFault>) ->
            match result with
            | Ok _ -> false
            | Error fault -> fault.IsTransient)

    /// For `PartitionProducer`: repeats while it is certain that the batch is not in the log.
    let produce = make Transient.isProduced

    /// For `IdempotentProducer`: repeats also if it is not known whether the batch is in the log.
    let idempotent = make Transient.isIdempotent

    /// For `PartitionFetcher.Fetch`.
    let fetch = make Transient.isFetched

    /// For `PartitionFetcher.Seek` and `FindOffset`.
    let seek = make Transient.isSought
