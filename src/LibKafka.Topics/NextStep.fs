namespace LibKafka.Topics

open System
open LibKafka.Protocol
open LibKafka.Client

/// What a consumer does with a partition after an event.
[<RequireQualifiedAccess; NoComparison>]
type NextStep =
    /// Reads on from this position.
    | GoOn of FetchPosition
    /// Asks the leader for an offset, and reads from there.
    | Seek of OffsetSpec
    /// Tries again from the same position after this time. Other partitions are read meanwhile.
    | Wait of TimeSpan
    /// Does not read the partition any more, until `TopicConsumer.Seek` sets a position.
    | GiveUp

    /// A one-line description.
    override this.ToString() =
        match this with
        | GoOn position -> "continue at " + position.ToString()
        | Seek spec -> "continue at " + spec.ToString()
        | Wait time -> "try again in " + string (int time.TotalMilliseconds) + " ms"
        | GiveUp -> "give up"

/// Functions that say what to do after an event. They must be pure.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module NextStep =

    // A number from 0 to 1 that differs from partition to partition, so that those that failed together do not come back together.
    let private spread (partition: TopicPartition) (attempt: int) : float =
        float (uint32 (HashCode.Combine(partition, attempt))) / (float UInt32.MaxValue + 1.0)

    /// Reads on after records. It never skips records in silence: where the log has lost something, the partition is given up, and the event
    /// says what is missing.
    ///
    /// - `Fetched`: continues after the records.
    /// - `Truncated`: goes back to where the log diverges.
    /// - `Recreated`: reads the new topic from its beginning.
    /// - `OutOfRange`, `Damaged`: gives up.
    /// - `Failed`: waits, if the failure is transient, with the delays of the policy and without end; gives up otherwise.
    let retrying (policy: RetryPolicy<'Any>) (event: ConsumerEvent) : NextStep =
        match event with
        | ConsumerEvent.Fetched(_, _, _, next) -> NextStep.GoOn next
        | ConsumerEvent.Truncated(_, _, position) -> NextStep.GoOn position
        | ConsumerEvent.Recreated _ -> NextStep.Seek OffsetSpec.Earliest
        | ConsumerEvent.OutOfRange _
        | ConsumerEvent.Damaged _ -> NextStep.GiveUp
        | ConsumerEvent.Failed(partition, failure, attempt) when failure.IsTransient ->
            NextStep.Wait(policy.Delay(attempt, spread partition attempt))
        | ConsumerEvent.Failed _ -> NextStep.GiveUp

    let private patient: RetryPolicy<unit> = RetryPolicy.patient (fun () -> true)

    /// `retrying` with the delays of `RetryPolicy.patient`: from 100 ms to a second.
    let standard (event: ConsumerEvent) : NextStep = retrying patient event

    /// The same, but if the position is not in the log, it reads from this place: from `OffsetSpec.Earliest`, the first record that is left, or
    /// from `OffsetSpec.Latest`. This skips records or reads some again.
    let resetting (spec: OffsetSpec) (event: ConsumerEvent) : NextStep =
        match event with
        | ConsumerEvent.OutOfRange _ -> NextStep.Seek spec
        | other -> standard other

    /// The same as another function, but damaged records are skipped if their end is known.
    let skippingDamage (otherwise: ConsumerEvent -> NextStep) (event: ConsumerEvent) : NextStep =
        match event with
        | ConsumerEvent.Damaged(_, _, _, Some next) -> NextStep.GoOn next
        | other -> otherwise other
