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
    }

[<RequireQualifiedAccess>]
module ProducerSettings =

    /// All in-sync replicas, within 10 seconds.
    let standard = { Acks = Acks.All; AckTimeout = TimeSpan.FromSeconds 10.0 }

/// Where a batch stands in the log.
type Acknowledgement =
    {
        /// The offset of its first record.
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

    /// One line for people.
    override this.ToString() =
        match this with
        | NotAsked -> "no acknowledgement was asked for"
        | AnswerLost fault -> "the answer was lost: " + fault.ToString()
        | BrokerUnsure answer -> "the broker is not sure: " + answer.Error.ToString() + Answer.remark answer

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
        /// With `Acks.None` it has no response.
        Exchange: Exchange<Produce.Request, Produce.Response option>
    }

/// Appends batches to one partition, each with one call on a connection of its own. It never sends a batch twice.
[<Sealed>]
type PartitionProducer(client: PartitionClient, settings: ProducerSettings) =

    // The leader has appended the batch but could not confirm that its followers have it. These two codes say so; any other does where
    // an offset comes with it, such as NOT_LEADER_OR_FOLLOWER where the leader lost its place while it waited for them.
    let isUnsure (answer: Produce.PartitionResponse) =
        answer.Error = ErrorCode.RequestTimedOut
        || answer.Error = ErrorCode.NotEnoughReplicasAfterAppend
        || (answer.Error.IsError && answer.BaseOffset >= 0L)

    let request (batch: RecordBatch) (leader: Leader) : Produce.Request =
        { TransactionalId = None
          Acks = settings.Acks
          TimeoutMs = int settings.AckTimeout.TotalMilliseconds
          Topics =
            [ { Name = client.Partition.Topic
                TopicId = leader.TopicId
                Partitions = [ { Index = client.Partition.Partition; Records = Some batch.Bytes } ] } ] }

    let send (cancellation: CancellationToken) (connection: Connection) version request =
        if settings.Acks = Acks.None then
            let sent = connection.SendAt(version, Produce.api, request, cancellation)

            { Info = sent.Info; Request = sent.Request; Outcome = sent.Outcome |> Result.map (fun () -> None) }
        else
            let called = connection.CallAt(version, Produce.api, request, cancellation)

            { Info = called.Info; Request = called.Request; Outcome = called.Outcome |> Result.map Some }

    let answerIn (response: Produce.Response) : Produce.PartitionResponse option =
        response.Topics |> List.collect _.Partitions |> List.tryFind (fun answer -> answer.Index = client.Partition.Partition)

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

    /// The client that it calls through.
    member _.Client = client

    /// The settings it was made with.
    member _.Settings = settings

    /// Appends a batch. It goes to the log as it is, compressed or not.
    member _.Produce(batch: RecordBatch, ?cancellation: CancellationToken) : Produced =
        let cancellation = defaultArg cancellation CancellationToken.None
        let exchange = client.Exchange(Produce.api, 13s, request batch, send cancellation, cancellation)
        let outcome = outcomeOf exchange

        match outcome with
        | ProduceOutcome.Rejected(Rejection.ByBroker answer)
        | ProduceOutcome.Unknown(Doubt.BrokerUnsure answer) -> client.Heed answer.Error
        | ProduceOutcome.Unknown(Doubt.AnswerLost(ClientFault.NotAnswered _)) -> client.Close()
        | _ -> ()

        { Outcome = outcome; Exchange = exchange }

    /// Closes the connection.
    member _.Close() = client.Close()

    interface IDisposable with
        member _.Dispose() = client.Close()
