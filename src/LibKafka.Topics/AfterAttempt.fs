namespace LibKafka.Topics

open System
open System.Threading
open LibKafka.Client

/// What to do with a batch after an attempt to deliver it. Order within a partition follows from it: the next batch is sent only after `Deliver`, `Move`
/// or `GiveUp`.
[<RequireQualifiedAccess>]
type internal AfterAttempt =
    /// It is in the log.
    | Deliver of Acknowledgement
    /// Send it again after this delay.
    | Again of delay: TimeSpan
    /// It is not in the log: let another partition have it.
    | Move
    /// It is not in the log, and the broker does not accept the producer's identity any more: get another one, and send it again after this delay.
    | Renew of delay: TimeSpan
    /// Report it.
    | GiveUp

/// What is known about a batch when an attempt has failed.
[<NoEquality; NoComparison>]
type internal Attempted =
    {
        /// The number of the attempt, from 1.
        Number: int
        /// The time since the batch was sent for the first time.
        Elapsed: TimeSpan
        /// Whether the batch may go to another partition, and there is one.
        MayMove: bool
        /// Whether the producer may get another identity. In a transaction it may not.
        MayRenew: bool
        /// A random number from 0 to 1.
        Random: float
    }

[<RequireQualifiedAccess>]
module internal AfterAttempt =

    /// The delay before another attempt, if the policy's numbers allow one.
    let delay (policy: RetryPolicy<'Result>) (attempted: Attempted) : TimeSpan voption =
        let delay = policy.Delay(attempted.Number, attempted.Random)
        let isInTime = policy.TimeLimit = Timeout.InfiniteTimeSpan || attempted.Elapsed + delay < policy.TimeLimit
        if attempted.Number < policy.Attempts && isInTime then ValueSome delay else ValueNone

    /// What follows from the reply to an attempt. `state` is that of the idempotent producer after it.
    let decide (policy: RetryPolicy<Produced>) (attempted: Attempted) (state: ProducerState voption) (produced: Produced) : AfterAttempt =
        let isFenced =
            match state with
            | ValueSome(ProducerState.Fenced _) -> true
            | _ -> false

        match produced.Result, delay policy attempted with
        | ProduceResult.Acknowledged acknowledgement, _ -> AfterAttempt.Deliver acknowledgement
        | _, ValueNone -> AfterAttempt.GiveUp
        // It is not in the log, so under another identity it is no repetition.
        | ProduceResult.Rejected _, ValueSome delay when isFenced && attempted.MayRenew -> AfterAttempt.Renew delay
        | _ when isFenced -> AfterAttempt.GiveUp
        | ProduceResult.Rejected _, ValueSome _ when attempted.MayMove && policy.Again produced -> AfterAttempt.Move
        | _, ValueSome delay when policy.Again produced -> AfterAttempt.Again delay
        | _ -> AfterAttempt.GiveUp
