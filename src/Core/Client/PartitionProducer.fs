namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol

/// How a producer asks for its batches to be kept.
type ProducerSettings =
    {
        /// How many replicas must have a batch before the broker answers.
        Acks: Acks
        /// How long the leader may wait for its followers. It should be well below the call's own time-out, else the answer is lost.
        AckTimeout: TimeSpan
        /// The largest batch to send, in bytes, header included; a larger one is refused before anything is sent. Brokers have a limit of
        /// their own for each topic (`max.message.bytes`, 1,048,588 unless set) and refuse what exceeds it with MESSAGE_TOO_LARGE.
        MaxBatchBytes: int
    }

[<RequireQualifiedAccess>]
module ProducerSettings =

    /// All in-sync replicas, within 10 seconds; how large a batch may be is left to the broker.
    let standard = { Acks = Acks.All; AckTimeout = TimeSpan.FromSeconds 10.0; MaxBatchBytes = Int32.MaxValue }

/// Where a batch stands in the log.
type Acknowledgement =
    {
        /// The offset of its first record; -1 where the broker only says that it has the batch already (DUPLICATE_SEQUENCE_NUMBER).
        BaseOffset: int64
        /// The broker's clock when it appended the batch, in milliseconds since the epoch; -1 where the topic keeps the producer's timestamps.
        LogAppendTimeMs: int64
        /// The first offset that the partition still has; -1 where the broker does not tell.
        LogStartOffset: int64
    }

module private Answer =

    /// What the broker says beside the code, for people.
    let remark (answer: Produce.PartitionResponse) =
        match answer.ErrorMessage with
        | Some text -> " (" + text + ")"
        | None -> ""

/// Why a batch is not in the log.
[<RequireQualifiedAccess>]
type Rejection =
    /// The broker refused it. The response has the error code, the records it concerns, and the new leader where the broker knows it.
    | ByBroker of Produce.PartitionResponse
    /// It was never sent.
    | NotSent of ClientFault

    /// One line for people.
    override this.ToString() =
        match this with
        | ByBroker answer -> "refused by the broker: " + answer.Error.ToString() + Answer.remark answer
        | NotSent fault -> "not sent: " + fault.ToString()

/// Why it is not known whether a batch is in the log.
[<RequireQualifiedAccess>]
type Doubt =
    /// It was sent with `Acks.None`, so nobody says.
    | NotAsked
    /// It was sent and no answer came.
    | AnswerLost of ClientFault
    /// The broker itself is not sure: it appended the batch and could not confirm it in time.
    | BrokerUnsure of Produce.PartitionResponse
    /// An idempotent producer had sent it before without learning what became of it, and this time it was refused. That says nothing of
    /// the first time.
    | SentBefore of Rejection

    /// One line for people.
    override this.ToString() =
        match this with
        | NotAsked -> "no acknowledgement was asked for"
        | AnswerLost fault -> "the answer was lost: " + fault.ToString()
        | BrokerUnsure answer -> "the broker is not sure: " + answer.Error.ToString() + Answer.remark answer
        | SentBefore rejection -> "it was sent before, and then " + rejection.ToString()

/// What became of a batch.
[<RequireQualifiedAccess>]
type ProduceOutcome =
    /// It is in the log.
    | Acknowledged of Acknowledgement
    /// It is not in the log.
    | Rejected of Rejection
    /// It may or may not be in the log: sending it again may double it.
    | Unknown of Doubt

    /// One line for people.
    override this.ToString() =
        match this with
        | Acknowledged at -> "acknowledged at offset " + string at.BaseOffset
        | Rejected why -> "rejected: " + why.ToString()
        | Unknown doubt -> "unknown: " + doubt.ToString()

/// What became of a batch, and the exchange that says so.
type Produced =
    {
        Outcome: ProduceOutcome
        /// The batch as it was sent, or was to be sent: an idempotent producer puts its identity and a sequence into it.
        Batch: RecordBatch
        /// With `Acks.None` it has no response.
        Exchange: Exchange<Produce.Request, Produce.Response option>
    }

    /// What the broker says against the batch, where it says something.
    member this.Refusal: Produce.PartitionResponse option =
        match this.Outcome with
        | ProduceOutcome.Rejected(Rejection.ByBroker answer)
        | ProduceOutcome.Unknown(Doubt.BrokerUnsure answer)
        | ProduceOutcome.Unknown(Doubt.SentBefore(Rejection.ByBroker answer)) -> Some answer
        | _ -> None

    /// The error code with which the broker refused the batch, or is not sure of it; `None` where it had nothing to say.
    member this.Error: ErrorCode = this.Refusal |> Option.map _.Error |> Option.defaultValue ErrorCode.None

    /// What the broker says of the error, for people.
    member this.ErrorMessage: string option = this.Refusal |> Option.bind _.ErrorMessage

    /// The records for which the whole batch was refused (KIP-467).
    member this.RecordErrors: Produce.RecordError list = this.Refusal |> Option.map _.RecordErrors |> Option.defaultValue []

    /// One line for people, which says the batch's size where the broker refused it.
    override this.ToString() =
        match this.Refusal with
        | Some _ ->
            this.Outcome.ToString()
            + "; the batch has "
            + string this.Batch.Count
            + " records in "
            + string this.Batch.SizeInBytes
            + " bytes"
        | None -> this.Outcome.ToString()

/// Appends batches to one partition, each with one call on the client's connection. It never sends a batch twice.
[<Sealed>]
type PartitionProducer private (client: PartitionClient, settings: ProducerSettings, ownsClient: bool) =

    // The leader has appended the batch but could not confirm that its followers have it. These two codes say so; any other does where
    // an offset comes with it, such as NOT_LEADER_OR_FOLLOWER where the leader lost its place while it waited for them.
    let isUnsure (answer: Produce.PartitionResponse) =
        answer.Error = ErrorCode.RequestTimedOut
        || answer.Error = ErrorCode.NotEnoughReplicasAfterAppend
        || (answer.Error.IsError && answer.BaseOffset >= 0L)

    let request (transactionalId: string option) (batch: RecordBatch) (leader: Leader) (_: int16) : Produce.Request =
        { TransactionalId = transactionalId
          Acks = settings.Acks
          TimeoutMs = Milliseconds.ofTimeSpan settings.AckTimeout
          Topics =
            [ { Name = client.Partition.Topic
                TopicId = leader.TopicId
                Partitions = [ { Index = client.Partition.Partition; Records = Some batch.Bytes } ] } ] }

    // From version 12 on a broker takes it that a transaction that it has not heard of begins with the batch (KIP-890). Up to version 11 the
    // partition is in the transaction because the producer has said so, which is right with every broker.
    let allowed (transactionalId: string option) (leader: Leader) : VersionRange =
        let versions = Allowed.naming Produce.api 13s leader
        if transactionalId.IsSome then { versions with Highest = min 11s versions.Highest } else versions

    let send (cancellation: CancellationToken) (connection: Connection) version request =
        if settings.Acks = Acks.None then
            let sent = connection.SendAt(version, Produce.api, request, cancellation)

            { Info = sent.Info; Request = sent.Request; Outcome = sent.Outcome |> Result.map (fun () -> None) }
        else
            let called = connection.CallAt(version, Produce.api, request, cancellation)

            { Info = called.Info; Request = called.Request; Outcome = called.Outcome |> Result.map Some }

    let answerIn (response: Produce.Response) : Produce.PartitionResponse option =
        let isOurs (answer: Produce.PartitionResponse) = answer.Index = client.Partition.Partition
        response.Topics |> List.tryPick (_.Partitions >> List.tryFind isOurs)

    let outcomeOf (exchange: Exchange<Produce.Request, Produce.Response option>) : ProduceOutcome =
        match exchange.Outcome with
        | Error fault when exchange.Info.WasSent -> ProduceOutcome.Unknown(Doubt.AnswerLost fault)
        | Error fault -> ProduceOutcome.Rejected(Rejection.NotSent fault)
        | Ok None -> ProduceOutcome.Unknown Doubt.NotAsked
        | Ok(Some response) ->
            match answerIn response with
            | None -> ProduceOutcome.Unknown(Doubt.AnswerLost(ClientFault.NotAnswered client.Partition))
            | Some answer when isUnsure answer -> ProduceOutcome.Unknown(Doubt.BrokerUnsure answer)
            | Some answer when answer.Error.IsError -> ProduceOutcome.Rejected(Rejection.ByBroker answer)
            | Some answer ->
                ProduceOutcome.Acknowledged
                    { BaseOffset = answer.BaseOffset; LogAppendTimeMs = answer.LogAppendTimeMs; LogStartOffset = answer.LogStartOffset }

    let tooLarge (batch: RecordBatch) : Fault =
        { Problem = Problem.TooLong(int64 batch.SizeInBytes, int64 settings.MaxBatchBytes); Offset = 0; Path = "Records" }

    /// A producer that calls through a client that others may use too. Disposing of it leaves the client as it is.
    new(client, settings) = new PartitionProducer(client, settings, false)

    /// A producer that a client is handed over to: disposing of it closes the client.
    static member Owning(client: PartitionClient, settings: ProducerSettings) = new PartitionProducer(client, settings, true)

    /// The client that it calls through.
    member _.Client = client

    /// The settings it was made with.
    member _.Settings = settings

    /// A batch that is not sent, since the fault was found before.
    member internal _.Refuse(transactionalId, batch: RecordBatch, fault: Fault, attempt: int) : Produced =
        let fault = ClientFault.CannotEncode fault

        { Outcome = ProduceOutcome.Rejected(Rejection.NotSent fault)
          Batch = batch
          Exchange = client.NotMade(Produce.api, request transactionalId batch, fault, attempt) }

    /// Sends a batch once, as part of a transaction or not.
    member internal this.Send(transactionalId, batch: RecordBatch, cancellation: CancellationToken, attempt: int) : Produced =
        if batch.SizeInBytes > settings.MaxBatchBytes then
            this.Refuse(transactionalId, batch, tooLarge batch, attempt)
        else
            let exchange =
                client.Exchange(
                    client.Reach,
                    Produce.api,
                    allowed transactionalId,
                    request transactionalId batch,
                    send cancellation,
                    cancellation,
                    attempt
                )

            let produced = { Outcome = outcomeOf exchange; Batch = batch; Exchange = exchange }

            match produced.Refusal, exchange.Outcome with
            | Some answer, Ok(Some response) -> client.Heed(answer.Error, answer.CurrentLeader, response.NodeEndpoints)
            | _ -> ()

            match produced.Outcome with
            | ProduceOutcome.Unknown(Doubt.AnswerLost(ClientFault.NotAnswered _)) -> client.Close()
            | _ -> ()

            produced

    /// Appends a batch. It goes to the log as it is, compressed or not, built here or fetched from another log. One that is larger than
    /// `MaxBatchBytes` is rejected with `ClientFault.CannotEncode`, which says both sizes. `attempt` is the number that the exchange gets:
    /// see `RetryPolicy`.
    member this.Produce(batch: RecordBatch, ?cancellation: CancellationToken, ?attempt: int) : Produced =
        this.Send(None, batch, defaultArg cancellation CancellationToken.None, defaultArg attempt 1)

    interface IDisposable with
        member _.Dispose() = if ownsClient then client.Close()
