namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol

/// Appends batches to one partition so that each is in the log once, however often it is sent (KIP-98). It puts its identity and the next
/// sequence into a copy of each batch that does not have them yet. If it is not known whether a batch is in the log, `Retry` sends it again
/// with the same sequence, as often as necessary: brokers append it only if it is missing. There are no other retries. A producer must not be
/// used by several threads at a time.
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

    let settle (before: ProducerState) (produced: Produced) : Produced =
        let next, result = ProducerState.after produced.Batch produced.Result before
        state <- next

        match next with
        | ProducerState.InDoubt _ -> ()
        | _ -> given <- None

        if Object.ReferenceEquals(result, produced.Result) then
            produced
        else
            Produced(produced.Batch, produced.Exchange, result)

    // The batch is in doubt before it is sent, so that no exception on the way can make the producer take it for not sent.
    let send (batch: RecordBatch) (operation: Operation) : Produced =
        let before = state
        state <- ProducerState.InDoubt batch
        producer.Send(transactionalId, batch, operation, settle before)

    let operation (call: CallOptions option) = Operation.Begin(producer.Client.Settings, call)

    let misused (text: string) : 'T = raise (InvalidOperationException text)

    let fenced (code: ErrorCode) : 'T =
        misused ("The producer is fenced by " + code.ToString() + " and needs a new identity: see IdempotentProducer.Renew.")

    let inDoubt () : 'T = misused "The last batch is in doubt: settle that with Retry, or give it up with Renew."

    static let requireAllAcks (settings: ProducerSettings) =
        if settings.Acks <> Acks.All then
            raise (ArgumentException("An idempotent producer needs the acknowledgement of all in-sync replicas.", nameof settings))

        settings

    /// A producer with an identity that has not sent anything to the partition yet: see `ProducerIdentity.Request`. The settings must have
    /// `Acks.All`, else ArgumentException. It does not close the client.
    new(client: PartitionClient, settings: ProducerSettings, identity: ProducerIdentity) =
        IdempotentProducer(new PartitionProducer(client, requireAllAcks settings), identity, None)

    /// The same for batches of transactions. The transaction coordinator must be told that the partition is part of the transaction, and how
    /// the transaction ends: see `TransactionClient`.
    new(client: PartitionClient, settings: ProducerSettings, identity: TransactionalIdentity) =
        IdempotentProducer(new PartitionProducer(client, requireAllAcks settings), identity.Identity, Some identity.TransactionalId)

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

    /// The options with which a builder makes the next batch as it is sent, so that no copy is needed. Such a batch is sent from the memory
    /// that it was built in, which must not be used for another batch while this one is in doubt. A sequence is used up when a batch is produced,
    /// not when it is built, so get new options for each batch. If no batch may be sent next, InvalidOperationException.
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

    /// Appends a batch at the next sequence. Producing the same batch (the same object) while it is in doubt is `Retry`, so a `RetryPolicy` can
    /// wrap this call. Producing another batch while one is in doubt, or any batch while the producer is fenced, is a mistake of the program that
    /// `State` shows beforehand: InvalidOperationException. A batch whose checksum is wrong cannot be given a sequence: it is rejected with
    /// `ClientFault.CannotEncode`.
    member this.Produce(batch: RecordBatch, ?call: CallOptions) : Produced =
        match state with
        | ProducerState.Fenced code -> fenced code
        | ProducerState.InDoubt _ when given |> Option.exists (fun known -> Object.ReferenceEquals(known, batch)) ->
            this.Retry(?call = call)
        | ProducerState.InDoubt _ -> inDoubt ()
        | ProducerState.Ready sequence ->
            match stamp sequence batch with
            | Error fault -> producer.Refuse(transactionalId, batch, fault, operation call)
            | Ok stamped ->
                given <- Some batch
                send stamped (operation call)

    /// Sends the batch that is in doubt again, with the sequence that it has. If no batch is in doubt, InvalidOperationException.
    member _.Retry(?call: CallOptions) : Produced =
        match state with
        | ProducerState.InDoubt batch -> send batch (operation call)
        | ProducerState.Fenced code -> fenced code
        | ProducerState.Ready _ -> misused "No batch is in doubt."

    /// Continues with another identity, from sequence 0: after the producer was fenced, or after the coordinator has raised its epoch. A batch
    /// that was in doubt is given up: it may be in the log, and if it is sent again it may be duplicated. With the identity that the producer
    /// already has, brokers would take its sequences for ones they know: ArgumentException.
    member _.Renew(next: ProducerIdentity) =
        if next = identity then
            raise (ArgumentException("The producer has this identity already.", nameof next))

        identity <- next
        state <- ProducerState.initial
        given <- None
