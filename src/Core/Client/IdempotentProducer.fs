namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol

/// Where an idempotent producer stands with its partition.
[<RequireQualifiedAccess>]
type ProducerState =
    /// The next batch may be sent; its first record has this sequence.
    | Ready of nextSequence: int32
    /// This batch, as it was sent, may or may not be in the log. Only it may be sent, with the sequence that it has: brokers take it once.
    | InDoubt of RecordBatch
    /// The broker lets nothing more through from this identity, or has lost track of its sequences. Nothing may be sent until the producer
    /// has another identity.
    | Fenced of ErrorCode

    /// One line for people.
    override this.ToString() =
        match this with
        | Ready sequence -> "ready to send sequence " + string sequence
        | InDoubt batch -> "in doubt about " + batch.ToString()
        | Fenced code -> "fenced: " + code.ToString()

/// How a producer's state follows from what became of its batches.
[<RequireQualifiedAccess>]
module ProducerState =

    /// Every identity begins with sequence 0.
    let initial = ProducerState.Ready 0

    /// Codes after which a broker takes no batch from the identity any more. OUT_OF_ORDER_SEQUENCE_NUMBER and UNKNOWN_PRODUCER_ID mean that
    /// batches that were acknowledged, or the memory of them, are gone from the log: a case for the caller, and for a new identity.
    let private fences (code: ErrorCode) =
        code = ErrorCode.OutOfOrderSequenceNumber
        || code = ErrorCode.UnknownProducerId
        || code = ErrorCode.InvalidProducerEpoch
        || code = ErrorCode.ProducerFenced
        || code = ErrorCode.InvalidProducerIdMapping

    let private behind (sent: RecordBatch) = ProducerState.Ready(Sequence.add sent.LastSequence 1)

    /// The state after a batch was sent, and what that makes of the outcome of sending it. `before` is the state that it was sent in:
    /// - DUPLICATE_SEQUENCE_NUMBER acknowledges the batch: it has been in the log for so long that the broker does not know where;
    /// - a batch that was in doubt stays so when it is refused: what was refused is the repetition;
    /// - a batch that is refused when it is sent for the first time is not in the log, and leaves its sequence to the next.
    let after (sent: RecordBatch) (outcome: ProduceOutcome) (before: ProducerState) : ProducerState * ProduceOutcome =
        let wasInDoubt =
            match before with
            | ProducerState.InDoubt _ -> true
            | _ -> false

        let refused (rejection: Rejection) (state: ProducerState) =
            state, (if wasInDoubt then ProduceOutcome.Unknown(Doubt.SentBefore rejection) else outcome)

        match outcome with
        | ProduceOutcome.Acknowledged _ -> behind sent, outcome
        | ProduceOutcome.Rejected(Rejection.ByBroker answer)
        | ProduceOutcome.Unknown(Doubt.BrokerUnsure answer) when answer.Error = ErrorCode.DuplicateSequenceNumber ->
            behind sent,
            ProduceOutcome.Acknowledged
                { BaseOffset = answer.BaseOffset; LogAppendTimeMs = answer.LogAppendTimeMs; LogStartOffset = answer.LogStartOffset }
        | ProduceOutcome.Rejected(Rejection.ByBroker answer as rejection) when fences answer.Error ->
            refused rejection (ProducerState.Fenced answer.Error)
        | ProduceOutcome.Rejected rejection when wasInDoubt -> refused rejection (ProducerState.InDoubt sent)
        | ProduceOutcome.Rejected _ -> ProducerState.Ready sent.BaseSequence, outcome
        | ProduceOutcome.Unknown _ -> ProducerState.InDoubt sent, outcome

/// Appends batches to one partition so that each is in the log once, however often it is sent (KIP-98). It puts its identity and the next
/// sequence into a copy of each batch that does not have them yet. Where nobody knows what became of a batch, `Retry` sends it again with
/// the same sequence, as often as need be: brokers append it only where it is missing. There are no retries but those. It is not for use by
/// several threads at a time.
[<Sealed>]
type IdempotentProducer private (producer: PartitionProducer, identity: ProducerIdentity, transactionalId: string option) =
    let mutable identity = identity
    let mutable state = ProducerState.initial
    // The batch in doubt as the caller knows it, so that producing it again is a retry.
    let mutable given: RecordBatch option = None

    let isStamped (sequence: int32) (batch: RecordBatch) =
        batch.ProducerId = identity.ProducerId
        && batch.ProducerEpoch = identity.ProducerEpoch
        && batch.BaseSequence = sequence
        && batch.IsTransactional = transactionalId.IsSome

    let stamp (sequence: int32) (batch: RecordBatch) =
        let stamped = if transactionalId.IsSome then RecordBatch.withTransactionalProducer else RecordBatch.withProducer

        if isStamped sequence batch then
            Ok batch
        else
            stamped identity.ProducerId identity.ProducerEpoch sequence batch

    let send (batch: RecordBatch) cancellation attempt : Produced =
        let produced: Produced = producer.Send(transactionalId, batch, cancellation, attempt)
        let next, outcome = ProducerState.after batch produced.Outcome state
        state <- next

        match next with
        | ProducerState.InDoubt _ -> ()
        | _ -> given <- None

        { produced with Outcome = outcome }

    let misused (text: string) : 'T = raise (InvalidOperationException text)

    let fenced (code: ErrorCode) : 'T =
        misused ("The producer is fenced by " + code.ToString() + " and needs a new identity: see IdempotentProducer.Renew.")

    let inDoubt () : 'T = misused "The last batch is in doubt: settle that with Retry, or give it up with Renew."

    static let requireAllAcks (settings: ProducerSettings) =
        if settings.Acks <> Acks.All then
            raise (ArgumentException("An idempotent producer needs the acknowledgement of all in-sync replicas.", nameof settings))

        settings

    /// A producer with an identity that has not sent anything to the partition yet; `ProducerIdentity.request` asks for one. The settings
    /// must ask for `Acks.All`, else ArgumentException. It does not close the client.
    new(client: PartitionClient, settings: ProducerSettings, identity: ProducerIdentity) =
        IdempotentProducer(new PartitionProducer(client, requireAllAcks settings), identity, None)

    /// The same for batches of transactions. That the partition is part of the transaction, and how that ends, is settled with the
    /// transaction coordinator.
    new(client: PartitionClient, settings: ProducerSettings, identity: TransactionalIdentity) =
        IdempotentProducer(new PartitionProducer(client, requireAllAcks settings), identity.Identity, Some identity.TransactionalId)

    /// The client that it calls through.
    member _.Client = producer.Client

    /// The settings it was made with.
    member _.Settings = producer.Settings

    /// The identity that batches are sent with.
    member _.Identity = identity

    /// The transactional id that batches are sent with; none for a producer without transactions.
    member _.TransactionalId = transactionalId

    /// What may be done next.
    member _.State = state

    /// The options with which a builder makes the next batch as it is to be sent, so that no copy is needed. Such a batch is sent from the
    /// memory that it was built in: as long as it is in doubt, that is not to be used for another. Sequences are taken up by what is
    /// produced and not by what is built, so ask again for each batch. Where no batch may be sent next, InvalidOperationException.
    member _.OptionsForNext(options: BatchOptions) : BatchOptions =
        match state with
        | ProducerState.Ready sequence ->
            { options with
                ProducerId = identity.ProducerId
                ProducerEpoch = identity.ProducerEpoch
                BaseSequence = sequence
                IsTransactional = transactionalId.IsSome }
        | ProducerState.Fenced code -> fenced code
        | ProducerState.InDoubt _ -> inDoubt ()

    /// Appends a batch, at the next sequence. The same batch again (the same object) while it is in doubt is `Retry`, so that a
    /// `RetryPolicy` can wrap this call. Another one while a batch is in doubt, and any one while the producer is fenced, is a mistake of the
    /// program that `State` tells beforehand: InvalidOperationException. A batch whose checksum is wrong cannot be given
    /// a sequence: it is rejected with `ClientFault.CannotEncode`.
    member this.Produce(batch: RecordBatch, ?cancellation: CancellationToken, ?attempt: int) : Produced =
        let number = defaultArg attempt 1

        match state with
        | ProducerState.Fenced code -> fenced code
        | ProducerState.InDoubt _ when given |> Option.exists (fun known -> Object.ReferenceEquals(known, batch)) ->
            this.Retry(?cancellation = cancellation, attempt = number)
        | ProducerState.InDoubt _ -> inDoubt ()
        | ProducerState.Ready sequence ->
            match stamp sequence batch with
            | Error fault -> producer.Refuse(transactionalId, batch, fault, number)
            | Ok stamped ->
                given <- Some batch
                send stamped (defaultArg cancellation CancellationToken.None) number

    /// Sends the batch that is in doubt again, with the sequence that it has. Where none is in doubt, InvalidOperationException.
    member _.Retry(?cancellation: CancellationToken, ?attempt: int) : Produced =
        match state with
        | ProducerState.InDoubt batch -> send batch (defaultArg cancellation CancellationToken.None) (defaultArg attempt 1)
        | ProducerState.Fenced code -> fenced code
        | ProducerState.Ready _ -> misused "No batch is in doubt."

    /// Goes on with another identity, from sequence 0: after the producer was fenced, or when the coordinator has raised its epoch. A batch
    /// that was in doubt is given up: it may be in the log, and if it is sent again it may be there twice. An identity that the producer has
    /// already would take up sequences that brokers know: ArgumentException.
    member _.Renew(next: ProducerIdentity) =
        if next = identity then
            raise (ArgumentException("The producer has this identity already.", nameof next))

        identity <- next
        state <- ProducerState.initial
        given <- None
