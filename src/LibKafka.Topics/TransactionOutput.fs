namespace LibKafka.Topics

open System
open System.Collections.Generic
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

    /// A one-line description.
    override this.ToString() =
        match this with
        | Refused(api, code) -> api.ToString() + " was refused: " + code.ToString() + ": " + code.Description
        | Unanswered(api, fault) -> api.ToString() + ": " + fault.ToString()
        | NotProduced(partition, reason) -> "a batch for " + partition.ToString() + " was not produced: " + reason

/// Ends the work of a transaction that cannot be committed. It is caught where the transaction is aborted.
type internal TransactionException(problem: TransactionProblem) =
    inherit Exception(problem.ToString())
    member _.Problem = problem

/// A batch on its way.
[<NoEquality; NoComparison>]
type private SentBatch =
    { Collector: BatchCollector
      Collected: CollectedBatch
      Batch: RecordBatch
      Producer: IdempotentProducer
      Partition: TopicPartition
      Call: PendingCall<Produced> }

/// Where a transform puts its records. They belong to the transaction that also commits the records they were made from.
[<Sealed>]
type TransformOutput
    internal (settings: ClientSettings, transaction: TransactionClient, collecting: CollectorSettings, codec: ICompressionCodec option) =
    let collectors = Dictionary<string, BatchCollector>()
    // The partitions of the open transaction.
    let added = HashSet<TopicPartition>()
    let underway = List<SentBatch>()
    let mutable count = 0

    let fail (problem: TransactionProblem) : 'T = raise (TransactionException problem)

    let answered (api: ApiKey) (result: Result<'T, ClientFault>) : 'T =
        match result with
        | Ok value -> value
        | Error fault -> fail (TransactionProblem.Unanswered(api, fault))

    let checkCode (api: ApiKey) (code: ErrorCode) = if code.IsError then fail (TransactionProblem.Refused(api, code))

    let partitionsOf (topic: string) : int =
        let policy =
            RetryPolicy.patient (fun (exchange: Exchange<Metadata.Request, Metadata.Response>) ->
                match exchange.Result with
                | Ok response -> response.Topics |> List.exists _.Error.IsRetriable
                | Error fault -> fault.IsTransient)

        let exchange =
            policy.Run(fun call -> transaction.Call(Metadata.api, LinkMessages.topics (TopicsAsked.Names [ topic ]), call))
        let found = (answered ApiKey.Metadata exchange.Result).Topics.Head
        checkCode ApiKey.Metadata found.Error
        found.Partitions.Length

    let collectorOf (topic: string) : BatchCollector =
        match collectors.TryGetValue topic with
        | true, collector -> collector
        | false, _ ->
            let collector = BatchCollector(collecting, partitionsOf topic, settings.Time)
            collectors.Add(topic, collector)
            collector

    let compressed (partition: TopicPartition) (batch: RecordBatch) : RecordBatch =
        match codec with
        | None -> batch
        | Some codec ->
            match RecordBatch.compress codec batch with
            | Ok smaller -> smaller
            | Error fault -> fail (TransactionProblem.NotProduced(partition, fault.ToString()))

    // Before the first batch for a partition, it becomes part of the transaction.
    let addPartition (partition: TopicPartition) =
        if added.Add partition then
            let reply = RetryPolicy.standard.Run(fun call -> transaction.AddPartitions([ partition ], call))
            for result in answered ApiKey.AddPartitionsToTxn reply.Result do
                checkCode ApiKey.AddPartitionsToTxn result.Error

    // A batch that was not taken, or of which that is not known, is sent again.
    let settle (sent: SentBatch) =
        let first = sent.Call.Complete()
        let policy = RetryPolicy.patient Transient.isIdempotent
        let produced = policy.Run(fun call -> if call.Attempt = 1 then first else sent.Producer.Produce(sent.Batch, call))

        match produced.Result with
        | ProduceResult.Acknowledged _ -> sent.Collector.Release sent.Collected
        | other -> fail (TransactionProblem.NotProduced(sent.Partition, other.ToString()))

    let settleAll () =
        while underway.Count > 0 do
            settle underway[0]
            underway.RemoveAt 0

    let send (topic: string) (collector: BatchCollector) (collected: CollectedBatch) =
        let partition = { Topic = topic; Partition = collected.Partition }
        if underway.Exists(fun sent -> sent.Partition = partition) then settleAll ()
        addPartition partition
        let producer = transaction.Producer partition
        let batch = compressed partition collected.Batch

        underway.Add
            { Collector = collector
              Collected = collected
              Batch = batch
              Producer = producer
              Partition = partition
              Call = producer.Begin batch }

    // Sends what can be taken, one batch of each partition at once.
    let rec sendReady (topic: string) (collector: BatchCollector) =
        match collector.TryTake() with
        | ValueSome collected ->
            send topic collector collected
            sendReady topic collector
        | ValueNone -> ()

    let flush (topic: string) (collector: BatchCollector) =
        collector.Flush TimeSpan.Zero
        sendReady topic collector

    let rec discard (collector: BatchCollector) =
        match collector.TryTake() with
        | ValueSome collected ->
            collector.Release collected
            discard collector
        | ValueNone -> ()

    /// Adds a record to the transaction. Its partition is chosen by the key, as `CollectorSettings.Partitioning` says; the timestamp is in
    /// milliseconds since 1970-01-01 UTC. ArgumentException if it is larger than a batch may be. The bytes are copied.
    member _.Add(topic: string, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>, timestamp: int64) : unit =
        let collector = collectorOf topic
        let mutable outcome = collector.Add(key, value, headers, timestamp)

        if outcome.IsFull then
            flush topic collector
            settleAll ()
            outcome <- collector.Add(key, value, headers, timestamp)

        match outcome with
        | Added.Collected _ -> count <- count + 1
        | other -> raise (ArgumentException("A record for the topic " + topic + " was " + other.ToString() + ".", nameof value))

    /// Adds a record without headers, with the time of now.
    member this.Add(topic: string, key: NullableSpan, value: NullableSpan) : unit =
        this.Add(topic, key, value, ReadOnlySpan<RecordHeader>.Empty, settings.Time.GetUtcNow().ToUnixTimeMilliseconds())

    /// The number of records that were added to the transaction.
    member _.Count = count

    /// Sends everything, and waits until it is acknowledged.
    member internal _.Deliver() =
        for entry in List.ofSeq collectors do
            flush entry.Key entry.Value

        settleAll ()

    /// Begins with nothing, after a transaction has ended. What is on its way is abandoned.
    member internal _.Clear() =
        count <- 0
        added.Clear()

        for sent in underway do
            sent.Call.Abandon()
            sent.Collector.Forget sent.Collected

        underway.Clear()

        for collector in collectors.Values do
            collector.Flush TimeSpan.Zero
            discard collector

    /// Takes up new partitions of the topics.
    member internal _.Refresh() =
        for entry in List.ofSeq collectors do
            entry.Value.Partitions <- max entry.Value.Partitions (partitionsOf entry.Key)
