namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Protocol

/// Which faults and error codes may go away by themselves.
[<RequireQualifiedAccess>]
module Transient =

    /// Whether a call that met this fault may go through later, on a new connection: brokers come back, leaders are elected. What the
    /// request or the broker's versions are to blame for does not go away, nor does the wish of a caller who cancelled.
    let rec isFault (fault: ClientFault) : bool =
        match fault with
        | ClientFault.CannotConnect _
        | ClientFault.LookUpFailed _
        | ClientFault.TimedOut _
        | ClientFault.Closed
        | ClientFault.Broken _
        | ClientFault.Unusable _ -> true
        | ClientFault.NoLeader(_, code)
        | ClientFault.NoCoordinator(_, _, code) -> code.IsRetriable
        | ClientFault.NoBroker tried -> tried |> List.exists (snd >> isFault)
        | _ -> false

    /// Whether a batch is not in the log for a reason that may go away: sending it again cannot double it. Where nobody knows whether it is in
    /// the log, it is not to be sent again.
    let isProduced (produced: Produced) : bool =
        match produced.Outcome with
        | ProduceOutcome.Rejected(Rejection.ByBroker answer) -> answer.Error.IsRetriable
        | ProduceOutcome.Rejected(Rejection.NotSent fault) -> isFault fault
        | ProduceOutcome.Acknowledged _
        | ProduceOutcome.Unknown _ -> false

    /// The same for an idempotent producer, which may also send again what nobody knows about.
    let isIdempotent (produced: Produced) : bool =
        match produced.Outcome with
        | ProduceOutcome.Unknown(Doubt.AnswerLost ClientFault.Cancelled) -> false
        | ProduceOutcome.Unknown(Doubt.SentBefore(Rejection.NotSent fault)) -> isFault fault
        | ProduceOutcome.Unknown(Doubt.SentBefore(Rejection.ByBroker answer)) -> answer.Error.IsRetriable
        | ProduceOutcome.Unknown Doubt.NotAsked -> false
        | ProduceOutcome.Unknown _ -> true
        | _ -> isProduced produced

    // Reading changes nothing, so it does not matter whether the request arrived.
    let private isRead (result: Result<ErrorCode, ClientFault>) : bool =
        match result with
        | Ok code -> code.IsRetriable
        | Error fault -> isFault fault

    /// Whether a fetch failed for a reason that may go away.
    let isFetched (fetched: Fetched) : bool = isRead (fetched.Result |> Result.map _.Error)

    /// Whether a search for an offset failed for a reason that may go away.
    let isSought (sought: Sought) : bool = isRead (sought.Result |> Result.map _.Error)

    /// Whether a call of any kind was not sent, for a reason that may go away. Error codes are in its response, and not looked at.
    let isNotSent (exchange: Exchange<'Request, 'Response>) : bool =
        match exchange.Outcome with
        | Error fault -> not exchange.Info.WasSent && isFault fault
        | Ok _ -> false

/// When to make a call again, how often, and how long to wait before. A value that wraps any call; without one, nothing is made twice.
[<NoEquality; NoComparison>]
type RetryPolicy<'Result> =
    {
        /// Whether what came of a call is worth another attempt.
        Again: 'Result -> bool
        /// The most attempts, the first included. There is always one.
        Attempts: int
        /// How long to wait before the second attempt.
        FirstDelay: TimeSpan
        /// By how much each further delay is longer than the one before.
        Factor: float
        /// The longest delay; `Timeout.InfiniteTimeSpan` for no bound but that of a wait, 24 days.
        MostDelay: TimeSpan
        /// The part of a delay that is left to chance, from 0 to 1, so that clients that failed together do not come back together: of a
        /// delay of 100 ms, 0.2 makes one between 80 and 100.
        Jitter: float
        /// How long all of it may take: no attempt is begun later. An attempt that has begun has its own time-outs.
        /// `Timeout.InfiniteTimeSpan` for no bound.
        TimeLimit: TimeSpan
        /// Gives numbers between 0 and 1, where 1 does not come.
        Random: unit -> float
        /// The clock by which time is limited.
        Time: TimeProvider
        /// Waits for so long, or until it is cancelled.
        Sleep: TimeSpan -> CancellationToken -> unit
    }

    /// The delay before the attempt behind `attempt`, with a random number between 0 and 1.
    member this.Delay(attempt: int, random: float) : TimeSpan =
        let full = this.FirstDelay.TotalMilliseconds * Math.Pow(this.Factor, float (attempt - 1))
        let most = float (Milliseconds.ofTimeSpan this.MostDelay)
        TimeSpan.FromMilliseconds(min full most * (1.0 - this.Jitter * random))

    /// Makes a call until it is not worth another attempt or there may be no other one, and gives back what came of it last. `call` gets the
    /// number of the attempt, from 1: hand it on, and it stands in the exchanges. A wait that is cancelled is the end of it.
    member this.Run(call: int -> 'Result, ?cancellation: CancellationToken) : 'Result =
        let cancellation = defaultArg cancellation CancellationToken.None
        let began = this.Time.GetTimestamp()

        let rec from attempt =
            let result = call attempt

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

/// Ready policies, to be changed with `{ … with … }`.
[<RequireQualifiedAccess>]
module RetryPolicy =

    let private sleep (delay: TimeSpan) (cancellation: CancellationToken) = cancellation.WaitHandle.WaitOne delay |> ignore

    /// For any call: five attempts within a minute, after 100 ms, 200 ms, 400 ms and 800 ms less up to a fifth. What is worth another attempt
    /// is for `again` to say.
    let make (again: 'Result -> bool) : RetryPolicy<'Result> =
        { Again = again
          Attempts = 5
          FirstDelay = TimeSpan.FromMilliseconds 100.0
          Factor = 2.0
          MostDelay = TimeSpan.FromSeconds 10.0
          Jitter = 0.2
          TimeLimit = TimeSpan.FromMinutes 1.0
          Random = Random.Shared.NextDouble
          Time = TimeProvider.System
          Sleep = sleep }

    /// For `PartitionProducer`: as long as a batch is certain not to be in the log.
    let produce = make Transient.isProduced

    /// For `IdempotentProducer`: also where it is not known whether a batch is in the log.
    let idempotent = make Transient.isIdempotent

    /// For `PartitionFetcher.Fetch`.
    let fetch = make Transient.isFetched

    /// For `PartitionFetcher.Seek` and `Find`.
    let seek = make Transient.isSought
