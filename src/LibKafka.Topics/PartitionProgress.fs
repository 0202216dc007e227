namespace LibKafka.Topics

open System
open LibKafka.Client

/// What a consumer does with a partition.
[<RequireQualifiedAccess; NoComparison>]
type internal Activity =
    /// Nothing: the broker may be asked.
    | Idle
    /// A request is in flight.
    | Asked
    /// The caller has an event. `isKept` says that it outlives the next poll.
    | InHand of step: NextStep * isKept: bool
    /// It was given up.
    | GivenUp

/// The state of one partition of a consumer. The functions that change it are pure. Times count from the start of the consumer.
[<NoComparison>]
type internal PartitionProgress =
    {
        /// Where the next request starts. While an event is in hand, it is still where that one started.
        Start: Start
        Activity: Activity
        IsPaused: bool
        /// Whether the caller has set another start since the request was sent or the event was handed out.
        IsMoved: bool
        /// The earliest time of the next request.
        NotBefore: TimeSpan
        /// How often the partition could not be read since it last could.
        Failures: int
        /// The id of the topic that was last read; empty if it is not known.
        TopicId: Guid
        /// The high watermark that the broker last reported.
        HighWatermark: int64 option
    }

[<RequireQualifiedAccess>]
module internal PartitionProgress =

    /// A partition that has not been asked for yet.
    let from (start: Start) : PartitionProgress =
        { Start = start
          Activity = Activity.Idle
          IsPaused = false
          IsMoved = false
          NotBefore = TimeSpan.Zero
          Failures = 0
          TopicId = Guid.Empty
          HighWatermark = None }

    /// Whether a request may be sent, now or at `NotBefore`.
    let isWanted (progress: PartitionProgress) : bool = progress.Activity.IsIdle && not progress.IsPaused

    /// No request may be sent before a time.
    let delayed (time: TimeSpan) (progress: PartitionProgress) : PartitionProgress =
        { progress with NotBefore = max time progress.NotBefore }

    /// A request has been sent.
    let asked (progress: PartitionProgress) : PartitionProgress = { progress with Activity = Activity.Asked; IsMoved = false }

    /// The request in flight has no answer that counts.
    let dropped (progress: PartitionProgress) : PartitionProgress = { progress with Activity = Activity.Idle; IsMoved = false }

    /// The answer had nothing for the caller.
    let advanced (next: FetchPosition) (progress: PartitionProgress) : PartitionProgress =
        { dropped progress with Start = Start.At next; Failures = 0 }

    // The topic that was asked about is not the one that was read before.
    let private isRecreated (answer: PartitionAnswer) (progress: PartitionProgress) : bool =
        progress.TopicId <> Guid.Empty && answer.TopicId <> Guid.Empty && answer.TopicId <> progress.TopicId

    let private seen (now: TimeSpan) (answer: PartitionAnswer) (progress: PartitionProgress) : PartitionProgress =
        { progress with
            NotBefore = now + answer.Pause
            HighWatermark = answer.HighWatermark |> Option.orElse progress.HighWatermark
            TopicId =
                match answer.Outcome with
                | Outcome.Event(ConsumerEvent.Failed _) -> progress.TopicId
                | _ when answer.TopicId = Guid.Empty -> progress.TopicId
                | _ -> answer.TopicId }

    /// The request in flight has been answered: the state after it, and the event that is to be handed out, if there is one.
    let answered partition (now: TimeSpan) (answer: PartitionAnswer) (progress: PartitionProgress) =
        match answer.Outcome with
        | _ when progress.IsMoved -> struct ({ dropped progress with NotBefore = now + answer.Pause }, ValueNone)
        | _ when isRecreated answer progress ->
            struct (dropped progress, ValueSome(ConsumerEvent.Recreated(partition, progress.TopicId, answer.TopicId)))
        | Outcome.Nothing next -> struct (seen now answer progress |> advanced next, ValueNone)
        | Outcome.Event event -> struct (seen now answer progress |> dropped, ValueSome event)

    /// The caller has an event, after which this is to be done.
    let handedOut (event: ConsumerEvent) (step: NextStep) (progress: PartitionProgress) : PartitionProgress =
        { progress with
            Activity = Activity.InHand(step, false)
            IsMoved = false
            Failures =
                match event with
                | ConsumerEvent.Failed(_, _, attempt) -> attempt
                | _ -> 0
            TopicId =
                match event with
                | ConsumerEvent.Recreated(_, _, now) -> now
                | _ -> progress.TopicId }

    let private taken (now: TimeSpan) (step: NextStep) (progress: PartitionProgress) : PartitionProgress =
        match step with
        | NextStep.GoOn position -> { progress with Start = Start.At position }
        | NextStep.Seek spec -> { progress with Start = Start.Find spec }
        | NextStep.Wait time -> delayed (now + time) progress
        | NextStep.GiveUp -> { progress with Activity = Activity.GivenUp }

    /// The event in hand has been handled. Its step is taken unless the caller has set another start since.
    let handled (now: TimeSpan) (progress: PartitionProgress) : PartitionProgress =
        match progress.Activity with
        | Activity.InHand _ when progress.IsMoved -> dropped progress
        | Activity.InHand(step, _) -> dropped progress |> taken now step
        | _ -> progress

    /// Whether an event is in hand that outlives the next poll.
    let isKept (progress: PartitionProgress) : bool =
        match progress.Activity with
        | Activity.InHand(_, isKept) -> isKept
        | _ -> false

    /// The event in hand outlives the next poll.
    let kept (progress: PartitionProgress) : PartitionProgress =
        match progress.Activity with
        | Activity.InHand(step, _) -> { progress with Activity = Activity.InHand(step, true) }
        | _ -> progress

    /// The caller has set another start.
    let moved (start: Start) (progress: PartitionProgress) : PartitionProgress =
        match progress.Activity with
        | Activity.Asked
        | Activity.InHand _ -> { progress with Start = start; IsMoved = true }
        | Activity.Idle
        | Activity.GivenUp -> { dropped progress with Start = start }

    /// The position of the next record; none while its offset is not known.
    let position (progress: PartitionProgress) : FetchPosition option =
        match progress.Start with
        | Start.At position -> Some position
        | Start.Find _ -> None
