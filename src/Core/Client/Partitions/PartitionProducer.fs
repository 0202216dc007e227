namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol

/// What a producer asks brokers to guarantee, and what it sends.
type ProducerSettings =
    {
        /// How many replicas must have a batch before the broker responds.
        Acks: Acks
        /// How long the leader may wait for its followers. It should be well below the time-out of the call, else the response is lost.
        AckTimeout: TimeSpan
        /// The largest batch to send, in bytes, including its header; a larger one is refused before anything is sent. Brokers have a limit of
        /// their own for each topic (`max.message.bytes`, 1,048,588 by default) and refuse larger batches with MESSAGE_TOO_LARGE.
        MaxBatchBytes: int
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show [ "Acks", box this.Acks; "AckTimeout", box this.AckTimeout; "MaxBatchBytes", box this.MaxBatchBytes ]

[<RequireQualifiedAccess>]
module ProducerSettings =

    /// All in-sync replicas within 10 seconds; the size of a batch is limited by the broker only.
    let standard = { Acks = Acks.All; AckTimeout = TimeSpan.FromSeconds 10.0; MaxBatchBytes = Int32.MaxValue }

    /// The settings, or the fault `InvalidSetting` for the first one that is invalid.
    let check (settings: ProducerSettings) : Result<ProducerSettings, ClientFault> =
        if settings.AckTimeout.Ticks < 0L && not (Duration.isEndless settings.AckTimeout) then
            Error(ClientFault.InvalidSetting("AckTimeout", "it must not be negative"))
        elif settings.MaxBatchBytes <= 0 then
            Error(ClientFault.InvalidSetting("MaxBatchBytes", "it must be positive"))
        else
            Ok settings

/// Appends batches to one partition, each with one call on the client's connection. It never sends a batch twice.
[<Sealed>]
type PartitionProducer private (client: PartitionClient, settings: ProducerSettings, ownsClient: bool) =
    do
        match ProducerSettings.check settings with
        | Ok _ -> ()
        | Error fault -> raise (ArgumentException(fault.ToString(), nameof settings))

    let lease = client.Lease
    let partition = client.Partition
    static let reception = Reception.optional Produce.api

    let request (transactionalId: string option) (batch: RecordBatch) (leader: Leader) (_: int16) : Produce.Request =
        { TransactionalId = transactionalId
          Acks = settings.Acks
          TimeoutMs = Milliseconds.ofTimeSpan settings.AckTimeout
          Topics =
            [ { Name = partition.Topic
                TopicId = leader.TopicId
                Partitions = [ { Index = partition.Partition; Records = Some batch.Stored } ] } ] }

    let allowed (transactionalId: string option) (held: Held<Leader>) : VersionRange =
        let versions = AllowedVersions.naming Produce.api Produce.topicIdsSince held

        if transactionalId.IsSome then
            { versions with Highest = min Caps.transactionalProduce versions.Highest }
        else
            versions

    // The leader, if the batch can be sent to it.
    let reach (transactionalId: string option) (batch: RecordBatch) (operation: Operation) : Result<Held<Leader>, ClientFault> =
        let fits (held: Held<Leader>) =
            match held.Connection.VersionWithin(Produce.api.Key, allowed transactionalId held) with
            | Ok version -> Producible.obstacleIn version batch
            | Error _ -> None

        lease.Reach operation
        |> Result.bind (fun held ->
            match fits held with
            | Some fault -> Error fault
            | None -> Ok held)

    // Functions that are the same for every batch are not allocated for each.
    let isOurs: Produce.PartitionResponse -> bool = fun answer -> answer.Index = partition.Partition
    let answerOf: Produce.TopicResponse -> Produce.PartitionResponse option = fun topic -> List.tryFind isOurs topic.Partitions
    let answerIn (response: Produce.Response) : Produce.PartitionResponse option = List.tryPick answerOf response.Topics

    let resultOf (exchange: Exchange<Produce.Request, Produce.Response option>) : ProduceResult =
        match exchange.Result with
        | Error fault when exchange.Info.WasSent -> ProduceResult.Unknown(Doubt.AnswerLost fault)
        | Error fault -> ProduceResult.Rejected(Rejection.NotSent fault)
        | Ok None -> ProduceResult.Unknown Doubt.NotAsked
        | Ok(Some response) ->
            match answerIn response with
            | None -> ProduceResult.Unknown(Doubt.AnswerLost(ClientFault.NotAnswered partition))
            | Some answer when not answer.Error.IsError ->
                ProduceResult.Acknowledged
                    { BaseOffset = answer.BaseOffset; LogAppendTimeMs = answer.LogAppendTimeMs; LogStartOffset = answer.LogStartOffset }
            | Some answer when ProduceError.isUnsure answer -> ProduceResult.Unknown(Doubt.BrokerUnsure answer)
            | Some answer -> ProduceResult.Rejected(Rejection.ByBroker answer)

    let dropIfMoved (produced: Produced) =
        match produced.Refusal, produced.Exchange.Result with
        | Some answer, Ok(Some response) -> client.DropIfMoved(answer.Error, answer.CurrentLeader, response.NodeEndpoints)
        | _ -> ()

        match produced.Result with
        | ProduceResult.Unknown(Doubt.AnswerLost(ClientFault.NotAnswered _)) -> client.Close()
        | _ -> ()

    let tooLarge (batch: RecordBatch) : ClientFault =
        ClientFault.CannotEncode
            { Problem = Problem.BatchTooLarge(batch.SizeInBytes, settings.MaxBatchBytes); Offset = 0; Path = "Records" }

    /// A producer that uses a client that others may use too. Disposing it does not close the client.
    new(client, settings) = new PartitionProducer(client, settings, false)

    /// A producer that owns its client: disposing it closes the client.
    static member Owning(client: PartitionClient, settings: ProducerSettings) = new PartitionProducer(client, settings, true)

    /// The client that it uses.
    member _.Client = client

    /// The settings it was made with.
    member _.Settings = settings

    member private _.BeginOn
        (reached, transactionalId, batch: RecordBatch, operation: Operation, settle: Produced -> Produced)
        : Call<Produced> =
        let read exchange =
            let produced = Produced(batch, exchange, resultOf exchange)
            dropIfMoved produced
            settle produced

        lease.BeginOn(
            reached,
            operation,
            Produce.api,
            allowed transactionalId,
            request transactionalId batch,
            Producible.start batch,
            reception,
            read
        )

    /// Begins a call that does not send the batch, because of a fault.
    member internal this.BeginRefusing
        (transactionalId, batch: RecordBatch, fault: ClientFault, operation: Operation, settle: Produced -> Produced)
        : Call<Produced> =
        this.BeginOn(Error fault, transactionalId, batch, operation, settle)

    /// Begins a call that sends a batch once, as part of a transaction or not. `prepare` runs before anything of it is sent. `settle` brings the
    /// caller's state up to date with the reply, and may change it.
    member internal this.BeginSending
        (transactionalId, batch: RecordBatch, operation: Operation, prepare: unit -> unit, settle: Produced -> Produced)
        : Call<Produced> =
        if batch.SizeInBytes > settings.MaxBatchBytes then
            this.BeginRefusing(transactionalId, batch, tooLarge batch, operation, settle)
        else
            let reached = reach transactionalId batch operation
            prepare ()
            this.BeginOn(reached, transactionalId, batch, operation, settle)

    member private this.BeginCall(batch: RecordBatch, call: CallOptions option) : Call<Produced> =
        let operation = Operation.Begin(client.Settings, call)

        match Producible.obstacleWithoutIdentity batch with
        | Some reason -> this.BeginRefusing(None, batch, ClientFault.CannotProduce reason, operation, id)
        | None -> this.BeginSending(None, batch, operation, ignore, id)

    /// Appends a batch, compressed or not. It is sent from where it is in memory, with base offset 0 and leader epoch -1, which are the broker's
    /// to set. These batches are not sent:
    ///
    /// - a batch that has a producer's identity or is part of a transaction, as fetched batches may be, or one that no broker would append:
    ///   `ClientFault.CannotProduce`, which says what to do, such as `RecordBatch.forForwarding`;
    /// - one whose compression the broker does not know: `ClientFault.BrokerTooOld`;
    /// - one that is larger than `MaxBatchBytes`: `ClientFault.CannotEncode`, which has both sizes.
    ///
    /// Before Kafka 3.0, brokers convert the batches of a topic whose `message.format.version` is below 0.11 to a format that has no headers.
    /// They refuse a batch whose records have headers, with UNKNOWN_SERVER_ERROR: the result is `Unknown`, though nothing was appended. They
    /// refuse the batches of an `IdempotentProducer` for such a topic, with UNSUPPORTED_FOR_MESSAGE_FORMAT.
    member this.Produce(batch: RecordBatch, ?call: CallOptions) : Produced =
        use _ = lease.Guard.Hold()
        this.BeginCall(batch, call).Complete()

    /// Sends a batch as `Produce` does. The response is received by `PendingCall.Complete`; until then the client makes no other call. The memory of
    /// the batch must not change until then either.
    member this.Begin(batch: RecordBatch, ?call: CallOptions) : PendingCall<Produced> =
        use _ = lease.Guard.Hold()
        PendingCall<_>(this.BeginCall(batch, call))

    interface IDisposable with
        member _.Dispose() = if ownsClient then client.Close()
