namespace LibKafka.Client

open System
open LibKafka.Records
open LibKafka.Protocol

/// A batch that a producer stopped sending without knowing whether it is in the log.
type GivenUpBatch =
    {
        /// As it was sent.
        Batch: RecordBatch
        /// Why it is not known, according to the last attempt.
        Doubt: Doubt
    }

    /// A one-line description.
    override this.ToString() = this.Batch.ToString() + ": " + this.Doubt.ToString()

/// The transaction that a producer's batches are part of.
[<NoEquality; NoComparison>]
type internal TransactionLink =
    {
        TransactionalId: string
        /// Why no batch for the partition may be sent now.
        Obstacle: TopicPartition -> ClientFault option
    }

/// Appends batches to one partition so that each is in the log once, however often it is sent (KIP-98). It puts its identity and the next
/// sequence into a header of each batch that does not have them yet; the records are sent from where they are in memory. If it is not known whether a batch is in the log, `Retry` sends it again
/// with the same sequence, as often as necessary: brokers append it only if it is missing. If that does not settle it, `RaiseEpoch` gives the
/// batch up and continues with the next. There are no other retries. A producer must not be used by several threads at a time.
[<Sealed>]
type IdempotentProducer private (producer: PartitionProducer, identity: ProducerIdentity, transaction: TransactionLink option) =
    let guard = producer.Client.Lease.Guard
    let mutable identity = identity
    let mutable state = ProducerState.initial
    // The batch in doubt as the caller knows it, so that producing it again is a retry.
    let mutable given: RecordBatch option = None
    // Why the last batch in doubt is in doubt.
    let mutable doubt = Doubt.NotAsked
    let mutable givenUp: GivenUpBatch option = None
    // Whether the batch in doubt is part of a transaction that has ended since.
    let mutable isStranded = false

    let transactionalId = transaction |> Option.map _.TransactionalId

    let isStamped (sequence: int32) (batch: RecordBatch) =
        batch.ProducerId = identity.ProducerId
        && batch.ProducerEpoch = identity.ProducerEpoch
        && batch.BaseSequence = sequence
        && batch.IsTransactional = transaction.IsSome

    let stamp (sequence: int32) (batch: RecordBatch) : Result<RecordBatch, ClientFault> =
        match Producible.obstacle batch with
        | Some reason -> Error(ClientFault.CannotProduce reason)
        | None when isStamped sequence batch -> Ok batch
        | None ->
            RecordBatch.withHeaderApart transaction.IsSome identity.ProducerId identity.ProducerEpoch sequence batch
            |> Result.mapError ClientFault.CannotEncode

    let settle (before: ProducerState) (produced: Produced) : Produced =
        let next, result = ProducerState.after produced.Batch produced.Result before
        state <- next

        match next, result with
        | ProducerState.InDoubt _, ProduceResult.Unknown why -> doubt <- why
        | ProducerState.InDoubt _, _ -> ()
        | _ -> given <- None

        if Object.ReferenceEquals(result, produced.Result) then
            produced
        else
            Produced(produced.Batch, produced.Exchange, result)

    // The batch is in doubt before it is sent, so that no exception on the way can make the producer take it for not sent.
    let send (original: RecordBatch) (batch: RecordBatch) (operation: Operation) : Call<Produced> =
        let before = state

        let prepare () =
            if not before.IsInDoubt then
                given <- Some original
                doubt <- Doubt.AnswerLost(ClientFault.Unusable "an exception ended the call")

            state <- ProducerState.InDoubt batch

        match transaction |> Option.bind (fun link -> link.Obstacle producer.Client.Partition) with
        | Some fault -> producer.BeginRefusing(transactionalId, batch, fault, operation, settle before)
        | None -> producer.BeginSending(transactionalId, batch, operation, prepare, settle before)

    let operation (call: CallOptions option) = Operation.Begin(producer.Client.Settings, call)

    let misused (text: string) : 'T = raise (InvalidOperationException text)

    let wayOut =
        if transaction.IsSome then
            "abort the transaction, and continue after TransactionClient.RaiseEpoch or InitProducerId."
        else
            "give it up with RaiseEpoch, or with Renew and another identity."

    let fenced (code: ErrorCode) : 'T =
        let remedy =
            if transaction.IsSome then
                "abort the transaction, and get a new one with TransactionClient.RaiseEpoch or InitProducerId."
            else
                "see RaiseEpoch, and Renew for an identity of another producer."

        misused ("The producer is fenced by " + code.ToString() + " and needs a new identity: " + remedy)

    let inDoubt () : 'T =
        if isStranded then
            misused
                "The last batch is in doubt, and its transaction has ended: continue after TransactionClient.RaiseEpoch or InitProducerId."
        else
            misused ("The last batch is in doubt: settle that with Retry or, if it remains, " + wayOut)

    let beginRetry (call: CallOptions option) : Call<Produced> =
        match state with
        | ProducerState.InDoubt _ when isStranded -> inDoubt ()
        | ProducerState.InDoubt batch -> send batch batch (operation call)
        | ProducerState.Fenced code -> fenced code
        | ProducerState.Ready _ -> misused "No batch is in doubt."

    let beginCall (batch: RecordBatch) (call: CallOptions option) : Call<Produced> =
        match state with
        | ProducerState.Fenced code -> fenced code
        | ProducerState.InDoubt _ when given |> Option.exists (fun known -> Object.ReferenceEquals(known, batch)) -> beginRetry call
        | ProducerState.InDoubt _ -> inDoubt ()
        | ProducerState.Ready sequence ->
            match stamp sequence batch with
            | Error fault -> producer.BeginRefusing(transactionalId, batch, fault, operation call, id)
            | Ok stamped -> send batch stamped (operation call)

    let renew (next: ProducerIdentity) =
        match state with
        | ProducerState.InDoubt batch -> givenUp <- Some { Batch = batch; Doubt = doubt }
        | _ -> givenUp <- None

        identity <- next
        state <- ProducerState.initial
        given <- None
        isStranded <- false

    let refuseInTransaction () =
        if transaction.IsSome then
            misused "The transaction renews the identities of its producers: see TransactionClient.RaiseEpoch and InitProducerId."

    static let requireAllAcks (settings: ProducerSettings) =
        if settings.Acks <> Acks.All then
            raise (ArgumentException("An idempotent producer needs the acknowledgement of all in-sync replicas.", nameof settings))

        settings

    /// A producer with an identity that has not sent anything to the partition yet: see `ProducerIdentity.Request`. The settings must have
    /// `Acks.All`, else ArgumentException. It does not close the client. A `TransactionClient` makes the producers of its transactions.
    new(client: PartitionClient, settings: ProducerSettings, identity: ProducerIdentity) =
        IdempotentProducer(new PartitionProducer(client, requireAllAcks settings), identity, None)

    static member internal InTransaction(client, settings, identity: ProducerIdentity, link: TransactionLink) =
        IdempotentProducer(new PartitionProducer(client, requireAllAcks settings), identity, Some link)

    /// The client that it uses.
    member _.Client = producer.Client

    /// The settings it was made with.
    member _.Settings = producer.Settings

    /// The identity that batches are sent with.
    member _.Identity = identity

    /// The transactional id that batches are sent with; none for a producer without transactions.
    member _.TransactionalId = transactionalId

    /// What may be done next.
    member _.State = state

    /// The batch that was in doubt when the identity last changed, and so was given up; none if none was in doubt then. Whether it is in the log
    /// can be found out by reading only. If it is sent again it may be duplicated.
    member _.GivenUp = givenUp

    /// The options with which a builder makes the next batch as it is sent, so that no copy is needed. Such a batch is sent from the memory
    /// that it was built in, which must not be used for another batch while this one is in doubt. A sequence is used up when a batch is produced,
    /// not when it is built, so get new options for each batch. If no batch may be sent next, InvalidOperationException.
    member _.OptionsForNext(options: BatchOptions) : BatchOptions =
        use _ = guard.Hold()

        match state with
        | ProducerState.Ready sequence ->
            { options with
                ProducerId = identity.ProducerId
                ProducerEpoch = identity.ProducerEpoch
                BaseSequence = sequence
                IsTransactional = transaction.IsSome }
        | ProducerState.Fenced code -> fenced code
        | ProducerState.InDoubt _ -> inDoubt ()

    /// Appends a batch at the next sequence; an identity that it already has is replaced. Producing the same batch (the same object) while it is
    /// in doubt is `Retry`, so a `RetryPolicy` can wrap this call. Producing another batch while one is in doubt, or any batch while the producer
    /// is fenced, is a mistake of the program that `State` shows beforehand: InvalidOperationException. A batch whose checksum is wrong is
    /// sent with a wrong one, and the broker refuses it. See `PartitionProducer.Produce` for those that are not sent.
    ///
    /// The records are sent from the memory that the batch has, again if the call is repeated, so it must not change while the batch is in doubt.
    member this.Produce(batch: RecordBatch, ?call: CallOptions) : Produced =
        use _ = guard.Hold()
        (beginCall batch call).Complete()

    /// Sends a batch as `Produce` does. The response is received by `PendingCall.Complete`; until then the producer, and whatever else uses its client,
    /// makes no other call. From before it is sent until then the batch is in doubt, and it stays so if the call is abandoned.
    member _.Begin(batch: RecordBatch, ?call: CallOptions) : PendingCall<Produced> =
        use _ = guard.Hold()
        PendingCall<_>(beginCall batch call)

    /// Sends the batch that is in doubt again, with the sequence that it has. If no batch is in doubt, InvalidOperationException; so too if its
    /// transaction has ended.
    member _.Retry(?call: CallOptions) : Produced =
        use _ = guard.Hold()
        (beginRetry call).Complete()

    /// Sends the batch that is in doubt again, as `Retry` does. The response is received by `PendingCall.Complete`.
    member _.BeginRetry(?call: CallOptions) : PendingCall<Produced> =
        use _ = guard.Hold()
        PendingCall<_>(beginRetry call)

    /// Continues in the next epoch of the identity, from sequence 0, which a producer without transactions may do by itself (KIP-360): after the
    /// producer was fenced by a code that is about its sequences, or if a batch stays refused or in doubt. Brokers refuse batches of the
    /// earlier epoch that arrive late. Returns the batch that is given up by that, if one was in doubt: see `GivenUp`. After the last epoch, or
    /// for a producer of a transaction, InvalidOperationException.
    member _.RaiseEpoch() : GivenUpBatch option =
        use _ = guard.Hold()
        refuseInTransaction ()

        match ProducerIdentity.nextEpoch identity with
        | Some next ->
            renew next
            givenUp
        | None -> misused "This was the last epoch of the identity: request another identity, and continue with Renew."

    /// Continues with another identity, from sequence 0. A batch that was in doubt is given up: see `GivenUp`. With the identity that the
    /// producer already has, brokers would take its sequences for ones they know: ArgumentException. For a producer of a transaction,
    /// InvalidOperationException.
    member _.Renew(next: ProducerIdentity) =
        use _ = guard.Hold()
        refuseInTransaction ()

        if next = identity then
            raise (ArgumentException("The producer has this identity already.", nameof next))

        renew next

    /// Continues with the identity that the transaction's coordinator has given, if it is a new one.
    member internal _.RenewWith(next: ProducerIdentity) = if next <> identity then renew next

    /// Whether a batch of the open transaction is in doubt.
    member internal _.LeavesDoubt = state.IsInDoubt && not isStranded

    /// Notes whether the transaction has ended, or may have: then a batch in doubt must not be sent again.
    member internal _.Strand(isOver: bool) = isStranded <- isOver && state.IsInDoubt
