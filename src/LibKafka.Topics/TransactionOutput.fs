namespace LibKafka.Topics

open System
open System.Collections.Generic
open System.Threading
open LibKafka
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client

/// Why a transaction could not be committed.
[<RequireQualifiedAccess>]
type TransactionProblem =
    /// A step was refused. The code says what to do.
    | Refused of api: ApiKey * ErrorCode
    /// A step has no response.
    | Unanswered of api: ApiKey * ClientFault
    /// A batch is not in the log, or it is not known whether it is.
    | NotProduced of TopicPartition * reason: string
    /// The member has lost partitions that the transaction has read.
    | PartitionsLost of LossReason

    /// A one-line description.
    override this.ToString() =
        match this with
        | Refused(api, code) -> api.ToString() + " was refused: " + code.Explain null
        | Unanswered(api, fault) -> api.ToString() + ": " + fault.ToString()
        | NotProduced(partition, reason) -> "a batch for " + partition.ToString() + " was not produced: " + reason
        | PartitionsLost reason -> "partitions were lost: " + reason.ToString()

/// Ends the work of a transaction that cannot be committed. It is caught where the transaction is aborted.
type internal TransactionException(problem: TransactionProblem) =
    inherit Exception(problem.ToString())
    member _.Problem = problem

/// Where a transform puts its records. They belong to the transaction that also commits the positions of the records they were made from. Each
/// topic has a `TopicProducer`: all of its partitions are sent to at once, and what is not acknowledged is sent again for half a minute.
[<Sealed>]
type TransformOutput
    internal
    (
        settings: ClientSettings,
        bootstrap: Bootstrap,
        transaction: TransactionClient,
        collecting: CollectorSettings,
        codec: ICompressionCodec option
    ) =
    let producers = Dictionary<string, TopicProducer>()
    let mutable count = 0

    let producing =
        { TopicProducerSettings.standard with
            Batches = collecting
            Codec = codec
            Guarantee = Guarantee.InTransaction transaction
            // A transaction that follows another one at once is refused for some milliseconds.
            Retry = { RetryPolicy.standard<Produced> with FirstDelay = TimeSpan.FromMilliseconds 20.0 } }

    let fail (problem: TransactionProblem) : 'T = raise (TransactionException problem)

    let check (events: ProducerEvent list) =
        for event in events do
            match event with
            | ProducerEvent.Undelivered { Reason = UndeliveredReason.NotInTransaction(code, _) } when code.IsError ->
                fail (TransactionProblem.Refused(ApiKey.AddPartitionsToTxn, code))
            | ProducerEvent.Undelivered undelivered ->
                fail (TransactionProblem.NotProduced(undelivered.Partition, undelivered.Reason.ToString()))
            | ProducerEvent.Delivered _
            | ProducerEvent.IdentityChanged _ -> ()

    let producerOf (topic: string) : TopicProducer =
        match producers.TryGetValue topic with
        | true, producer -> producer
        | false, _ ->
            match RetryPolicy.connect.Run(fun call -> TopicProducer.Open(settings, bootstrap, topic, producing, call)) with
            | Ok producer ->
                producers.Add(topic, producer)
                producer
            | Error fault -> fail (TransactionProblem.Unanswered(ApiKey.Metadata, fault))

    /// Adds a record to the transaction. Its partition is chosen by the key, as `CollectorSettings.Partitioning` says; the timestamp is in
    /// milliseconds since 1970-01-01 UTC. ArgumentException if it is larger than a batch may be. The bytes are copied.
    member _.Add(topic: string, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>, timestamp: int64) : unit =
        let producer = producerOf topic
        let mutable outcome = producer.Add(key, value, headers, timestamp)

        while outcome.IsFull do
            check (producer.Poll Timeout.InfiniteTimeSpan)
            outcome <- producer.Add(key, value, headers, timestamp)

        if outcome.IsTooLarge then
            raise (ArgumentException("A record for the topic " + topic + " was " + outcome.ToString() + ".", nameof value))

        count <- count + 1

    /// Adds a record without headers, with the time of now.
    member this.Add(topic: string, key: NullableSpan, value: NullableSpan) : unit =
        this.Add(topic, key, value, ReadOnlySpan<RecordHeader>.Empty, settings.Time.GetUtcNow().ToUnixTimeMilliseconds())

    /// The number of records that were added to the transaction.
    member _.Count = count

    /// Sends what is ready, without waiting for answers.
    member internal _.Send() =
        for producer in producers.Values do
            check (producer.Poll TimeSpan.Zero)

    /// Sends everything, and waits until it is acknowledged.
    member internal _.Deliver() =
        for producer in producers.Values do
            check (producer.Flush TimeSpan.Zero)

        for producer in producers.Values do
            check (producer.Flush Timeout.InfiniteTimeSpan)

    /// Begins with nothing, after a transaction has ended. What is on its way is abandoned.
    member internal _.Clear() =
        count <- 0

        for producer in producers.Values do
            producer.Discard()

    /// Ends its producers.
    member internal _.Close() =
        for producer in producers.Values do
            producer.Close() |> ignore
