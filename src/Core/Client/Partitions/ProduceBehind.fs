namespace LibKafka.Client

open System
open LibKafka.Records

/// What `ProduceBehind.Produce` has done.
[<RequireQualifiedAccess>]
type ProduceStep =
    /// The batch is on its way. The reply to the one before, which was acknowledged; none for the first.
    | Sent of before: Produced option
    /// The batch was not sent, because the one before was not acknowledged. Nothing is on its way.
    | NotSent of before: Produced

    /// A one-line description.
    override this.ToString() =
        match this with
        | Sent None -> "sent the first batch"
        | Sent(Some before) -> "sent, after the batch before: " + before.ToString()
        | NotSent before -> "not sent, because of the batch before: " + before.ToString()

/// Appends batches to a partition in order, with one batch on its way while the caller builds the next. It uses a producer of either kind. A batch
/// is sent only after the one before was acknowledged. The policy repeats the one before if necessary; without one, each batch is sent once. It
/// must not be used by several threads at a time.
///
/// The memory of a batch must not change until the next `Produce` or `Finish` returns, so build with `BatchBuilder.Build`, or with two builders in
/// turn.
[<Sealed>]
type ProduceBehind private (start: RecordBatch -> CallOptions -> PendingCall<Produced>, policy: RetryPolicy<Produced>) =
    let mutable pending: PendingCall<Produced> option = None
    let mutable last: RecordBatch option = None
    // The reply to the last batch, until the caller gets it.
    let mutable settled: Produced option = None

    static let once: RetryPolicy<Produced> = { RetryPolicy.make (fun _ -> false) with Attempts = 1 }

    let isFine (produced: Produced) =
        match produced.Result with
        | ProduceResult.Acknowledged _
        | ProduceResult.Unknown Doubt.NotAsked -> true
        | _ -> false

    let send (batch: RecordBatch) (call: CallOptions) =
        let sent = start batch call
        pending <- Some sent
        last <- Some batch
        sent

    // Each attempt takes the place of the one before, whose reply would otherwise be taken for the latest after an exception.
    let settle (call: CallOptions) =
        match pending, last with
        | Some first, Some batch ->
            let attempt (options: CallOptions) = if options.Attempt = 1 then first.Complete() else (send batch options).Complete()

            settled <- Some(policy.Run(attempt, call))
            pending <- None
        | _ -> ()

    let deliver () : Produced option =
        let reply = settled
        settled <- None
        reply

    /// With a producer that does not recognize repetitions, such as with `RetryPolicy.produce`.
    new(producer: PartitionProducer, ?policy: RetryPolicy<Produced>) =
        let start (batch: RecordBatch) (call: CallOptions) = producer.Begin(batch, call)
        new ProduceBehind(start, defaultArg policy ProduceBehind.Once)

    /// With an idempotent producer, such as with `RetryPolicy.idempotent`. After a reply that leaves its batch in doubt, settle that first: see
    /// `IdempotentProducer.Retry`.
    new(producer: IdempotentProducer, ?policy: RetryPolicy<Produced>) =
        let start (batch: RecordBatch) (call: CallOptions) = producer.Begin(batch, call)
        new ProduceBehind(start, defaultArg policy ProduceBehind.Once)

    static member private Once = once

    /// The call that is on its way, to wait for it with others; none if none is.
    member _.Pending: PendingCall option = pending |> Option.map (fun sent -> sent :> PendingCall)

    /// Waits for the batch that is on its way, if there is one, and sends this one if that was acknowledged. `call` is for this batch and for
    /// repetitions of the one before.
    member _.Produce(batch: RecordBatch, ?call: CallOptions) : ProduceStep =
        let call = defaultArg call CallOptions.standard
        settle call

        match settled with
        | Some before when not (isFine before) ->
            settled <- None
            ProduceStep.NotSent before
        | _ ->
            send batch call |> ignore
            ProduceStep.Sent(deliver ())

    /// Waits for the batch that is on its way. Its reply, acknowledged or not; none if no batch was on its way.
    member _.Finish(?call: CallOptions) : Produced option =
        settle (defaultArg call CallOptions.standard)
        deliver ()

    interface IDisposable with
        /// Abandons the call that is on its way, which closes its connection: whether its batch is in the log is not known. The producer is not
        /// disposed.
        member _.Dispose() =
            pending |> Option.iter _.Abandon()
            pending <- None
