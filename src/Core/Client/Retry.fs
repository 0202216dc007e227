namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Protocol

/// Which faults and error codes are transient.
[<RequireQualifiedAccess>]
module Transient =

    /// Whether a call with this fault may succeed later, on a new connection: brokers restart, leaders are elected. A fault of the request or of
    /// the broker's versions is not transient, and neither is cancellation.
    let rec isFault (fault: ClientFault) : bool =
        match fault with
        | ClientFault.CannotConnect _
        | ClientFault.LookUpFailed _
        | ClientFault.TimedOut _
        | ClientFault.Closed
        | ClientFault.ClosedWhileSending _
        | ClientFault.ClosedUnauthenticated
        | ClientFault.SaslFailed(_, SaslFailure.NoCredentials _)
        | ClientFault.Broken _
        | ClientFault.Unusable _ -> true
        | ClientFault.NoLeader(_, code)
        | ClientFault.NoCoordinator(_, _, code) -> code.IsRetriable
        | ClientFault.NoBroker tried -> tried |> List.exists (snd >> isFault)
        | _ -> false

    /// Whether a batch is not in the log for a transient reason, so that sending it again cannot duplicate it. If it is not known whether it is
    /// in the log, it must not be sent again.
    let isProduced (produced: Produced) : bool =
        match produced.Result with
        | ProduceResult.Rejected(Rejection.ByBroker answer) -> answer.Error.IsRetriable
        | ProduceResult.Rejected(Rejection.NotSent fault) -> isFault fault
        | ProduceResult.Acknowledged _
        | ProduceResult.Unknown _ -> false

    /// The same for an idempotent producer, which may also send a batch again if it is not known whether it is in the log.
    let isIdempotent (produced: Produced) : bool =
        match produced.Result with
        | ProduceResult.Unknown(Doubt.AnswerLost ClientFault.Cancelled) -> false
        | ProduceResult.Unknown(Doubt.SentBefore(Rejection.NotSent fault)) -> isFault fault
        | ProduceResult.Unknown(Doubt.SentBefore(Rejection.ByBroker answer)) -> answer.Error.IsRetriable
        | ProduceResult.Unknown Doubt.NotAsked -> false
        | ProduceResult.Unknown _ -> true
        | _ -> isProduced produced

    // Reading changes nothing, so it does not matter whether the request arrived.
    let private isRead (result: Result<ErrorCode, ClientFault>) : bool =
        match result with
        | Ok code -> code.IsRetriable
        | Error fault -> isFault fault

    /// Whether a fetch failed for a transient reason.
    let isFetched (fetched: Fetched) : bool = isRead (fetched.Result |> Result.map _.Error)

    /// Whether a search for an offset failed for a transient reason.
    let isSought (sought: Sought) : bool = isRead (sought.Result |> Result.map _.Error)

    /// Whether a request of any kind was not sent for a transient reason. The error codes in its response are not checked.
    let isNotSent (exchange: Exchange<'Request, 'Response>) : bool =
        match exchange.Result with
        | Error fault -> not exchange.Info.WasSent && isFault fault
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

    /// For `PartitionProducer`: repeats while it is certain that the batch is not in the log.
    let produce = make Transient.isProduced

    /// For `IdempotentProducer`: repeats also if it is not known whether the batch is in the log.
    let idempotent = make Transient.isIdempotent

    /// For `PartitionFetcher.Fetch`.
    let fetch = make Transient.isFetched

    /// For `PartitionFetcher.Seek` and `FindOffset`.
    let seek = make Transient.isSought
