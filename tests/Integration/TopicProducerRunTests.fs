/// Producing to a whole topic in transactions, against brokers that fail at random, and on clusters.
module LibKafka.Integration.TopicProducerRunTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Cases
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Integration.Support
open LibKafka.Integration.TopicProducerSupport

let private transactional =
    let inTransaction (transaction: TransactionClient) = { eager with Guarantee = Guarantee.InTransaction transaction }

    /// A transaction of a cluster, and a producer in it.
    let withTransaction disturb (test: TopicCluster -> TransactionClient -> TopicProducer -> unit) =
        use cluster = new TopicCluster("t", 3, 2, disturb)
        use transaction = new TransactionClient(patient, cluster.Bootstrap, "mine")
        RetryPolicy.standard.Run(fun call -> transaction.InitProducerId(minute, call)).Result |> ok |> ignore
        use producer = openWith patient cluster (inTransaction transaction)
        test cluster transaction producer
        Expect.isEmpty cluster.Failures "every request could be read"

    let commit (transaction: TransactionClient) =
        let reply = RetryPolicy.standard.Run(fun call -> transaction.Commit call)
        Expect.equal reply.Error ErrorCode.None "committed"

    testList
        "in a transaction"
        [ testCase "adds partitions as it needs them, from one transaction to the next" (fun () ->
              withTransaction calm (fun cluster transaction producer ->
                  let book = Book()

                  for first in [ 1; 101; 201 ] do
                      addAll book producer [ first .. first + 59 ]
                      book.Take(producer.Flush minute)
                      Expect.isEmpty book.Undelivered "all is delivered"
                      Expect.isTrue (transaction.Contains { Topic = "t"; Partition = 0 }) "the partition is part of it"
                      commit transaction

                  agree cluster book
                  inOrder cluster
                  Expect.all (cluster.Log.Batches("t", 0)) _.IsTransactional "every batch is part of a transaction"))

          testCase "sends nothing more to a partition whose producer is fenced, until the transaction has been aborted" (fun () ->
              withTransaction (onProduce [ 1 ] (refusing ErrorCode.OutOfOrderSequenceNumber)) (fun cluster transaction producer ->
                  let book = Book()
                  let add (value: int) =
                      producer.Add(0, NullableSpan.Null, Bytes.ofString (string value), ReadOnlySpan.Empty, 0L) |> ignore
                  add 1
                  book.Take(producer.Flush minute)
                  add 2
                  book.Take(producer.Flush minute)

                  match book.Undelivered |> List.map _.Reason with
                  | [ UndeliveredReason.NotProduced(ProduceResult.Rejected _)
                      UndeliveredReason.TransactionFailed(ProducerState.Fenced code) ] ->
                      Expect.equal code ErrorCode.OutOfOrderSequenceNumber "why"
                  | other -> failtestf "%A" other

                  transaction.Abort() |> ignore
                  Expect.equal (RetryPolicy.standard.Run(fun call -> transaction.RaiseEpoch(minute, call))).Error ErrorCode.None "raised"
                  add 3
                  book.Take(producer.Flush minute)
                  commit transaction
                  Expect.equal (logOf cluster 0 |> List.map snd) [ "3" ] "the log"
                  Expect.isEmpty book.Changes "the transaction's identity is its client's")) ]

// ---- a model: the logs of a topic whose brokers fail ----

/// What a leader does with the next batch for a partition.
type Failure =
    /// Appends it, and closes the connection.
    | LoseAnswer
    /// Appends it, and resets the connection.
    | ResetAfter
    /// Closes the connection without reading it.
    | CutBefore
    /// Appends it, and answers that it may not have done so.
    | Doubt of ErrorCode
    /// Does not append it, and answers with a code.
    | Refuse of ErrorCode
    /// Appends it after a while.
    | Delay of milliseconds: int

/// A step of a program. Partitions count from 0.
type ProducerStep =
    | AddKeyed of records: int
    | AddKeyless of records: int
    | AddTo of partition: int * records: int
    | Poll of milliseconds: int
    | Flush of milliseconds: int
    | Move of partition: int * node: int
    | Grow
    | Stop
    | Start
    /// The next batches of a partition fail, some times in a row.
    | Fail of partition: int * times: int * Failure

/// A program and the settings that it runs with.
type ProducerProgram = { MoveKeyless: bool; Attempts: int; Linger: int; Steps: ProducerStep list }

let private mostPartitions = 6

let private failure: Gen<Failure> =
    Gen.frequency
        [ 4, Gen.constant LoseAnswer
          2, Gen.constant ResetAfter
          3, Gen.constant CutBefore
          2, Gen.elements [ ErrorCode.RequestTimedOut; ErrorCode.NotEnoughReplicasAfterAppend ] |> Gen.map Doubt
          3,
          Gen.elements [ ErrorCode.NotEnoughReplicas; ErrorCode.MessageTooLarge; ErrorCode.OutOfOrderSequenceNumber ]
          |> Gen.map Refuse
          1, Gen.choose (1, 20) |> Gen.map Delay ]

let private producerStep: Gen<ProducerStep> =
    let partition = Gen.choose (0, mostPartitions - 1)
    let records = Gen.choose (1, 8)

    Gen.frequency
        [ 20, Gen.map AddKeyed records
          4, Gen.map AddKeyless records
          4, Gen.map2 (fun partition records -> AddTo(partition, records)) partition records
          12, Gen.elements [ 0; 0; 1; 5 ] |> Gen.map Poll
          2, Gen.choose (0, 20) |> Gen.map Flush
          4, Gen.map2 (fun partition node -> Move(partition, node)) partition (Gen.choose (1, 2))
          1, Gen.constant Grow
          1, Gen.constant Stop
          3, Gen.constant Start
          6, Gen.map3 (fun partition times failure -> Fail(partition, times, failure)) partition (Gen.elements [ 1; 1; 2; 6 ]) failure ]

type ProducerPrograms =
    static member Program() : Arbitrary<ProducerProgram> =
        let make moves attempts linger steps = { MoveKeyless = moves; Attempts = attempts; Linger = linger; Steps = steps }

        let generate =
            Gen.map4 make (Gen.elements [ true; false ]) (Gen.choose (2, 5)) (Gen.elements [ -1; 0; 1; 3 ]) (Gen.listOf producerStep)

        // Shorter programs, by halves and by single steps.
        let shrink (program: ProducerProgram) = seq {
            let length = program.Steps.Length

            if length > 3 then
                yield { program with Steps = List.take (length / 2) program.Steps }
                yield { program with Steps = List.skip (length / 2) program.Steps }

            for index in 0 .. length - 1 do
                yield { program with Steps = List.removeAt index program.Steps }
        }

        Arb.fromGenShrink (generate, shrink)

/// The failures that are still to come, by partition.
type private Failures() =
    let queues = Array.init 100 (fun _ -> Queue<Failure>())

    member _.Add(partition: int, failure: Failure) = lock queues (fun () -> queues[partition].Enqueue failure)

    /// Nothing fails any more.
    member _.Clear() = lock queues (fun () -> queues |> Array.iter _.Clear())

    /// What a broker does.
    member _.Disturb (_: int) (received: Received) (answer: unit -> Act list) : Act list =
        let next =
            if isProduce received then
                lock queues (fun () ->
                    match queues[partitionIn received].TryDequeue() with
                    | true, failure -> Some failure
                    | _ -> None)
            else
                None

        match next with
        | None -> answer ()
        | Some LoseAnswer -> losing Act.Close received answer
        | Some ResetAfter -> losing Act.Reset received answer
        | Some CutBefore -> [ Act.Close ]
        | Some(Doubt code) -> doubting code received answer
        | Some(Refuse code) -> refusing code received answer
        | Some(Delay time) ->
            Thread.Sleep time
            answer ()

/// A producer, its cluster, and what the user knows.
[<Sealed>]
type private ProducerRun(cluster: TopicCluster, producer: TopicProducer, failures: Failures) =
    let book = Book()
    let mutable value = 0
    let mutable isStopped = false

    let rec add (attempt: unit -> Added) =
        match attempt () with
        | Added.Collected ticket -> book.Tickets.Add(ticket, string value)
        | Added.Full ->
            book.Take(producer.Poll minute)
            add attempt
        | other -> failtestf "%O" other

    let addMany (count: int) (attempt: Bytes -> Added) =
        for _ in 1..count do
            value <- value + 1
            let bytes = Bytes.ofString (string value)
            add (fun () -> attempt bytes)

    member _.Book = book

    member _.Do(step: ProducerStep) =
        match step with
        | AddKeyed count -> addMany count (fun bytes -> producer.Add(Bytes.ofString ("key" + string (value % 17)), bytes))
        | AddKeyless count -> addMany count (fun bytes -> producer.Add(NullableSpan.Null, bytes))
        | AddTo(partition, count) ->
            let partition = partition % producer.Partitions
            addMany count (fun bytes -> producer.Add(partition, NullableSpan.Null, bytes, ReadOnlySpan.Empty, 0L))
        | Poll time -> book.Take(producer.Poll(ms time))
        | Flush time -> book.Take(producer.Flush(ms time))
        | Move(partition, node) -> cluster.Move(partition, node)
        | Grow -> cluster.Partitions <- min mostPartitions (cluster.Partitions + 1)
        | Stop when not isStopped ->
            cluster.Stop 2
            isStopped <- true
        | Start when isStopped ->
            cluster.Start 2
            isStopped <- false
        | Stop
        | Start -> ()
        | Fail(partition, times, failure) ->
            for _ in 1..times do
                failures.Add(partition, failure)

    /// Nothing fails any more, and everything is sent.
    member this.Finish() =
        failures.Clear()
        this.Do Start
        book.Take(producer.Flush minute)
        Expect.equal producer.Outstanding 0L "all is settled"
        Expect.equal producer.BufferedBytes 0L "and released"



/// Every ticket is delivered once or reported, and the order of each partition is kept.
let private runs (program: ProducerProgram) =
    let failures = Failures()
    use cluster = new TopicCluster("t", 4, 2, failures.Disturb)

    let producing =
        { eager with
            MoveKeyless = program.MoveKeyless
            MetadataAge = ms 50
            Retry = { eager.Retry with Attempts = program.Attempts; TimeLimit = ms 400 }
            Batches = { eager.Batches with Linger = (if program.Linger < 0 then Timeout.InfiniteTimeSpan else ms program.Linger) } }

    use producer = openWith patient cluster producing
    let run = ProducerRun(cluster, producer, failures)
    List.iter run.Do program.Steps
    run.Finish()
    agree cluster run.Book
    let all = [ for partition in 0..99 -> logOf cluster partition |> List.map snd ] |> List.concat
    Expect.equal (List.distinct all).Length all.Length "no record is in a log twice"
    if not program.MoveKeyless then inOrder cluster
    Expect.isEmpty cluster.Failures "every request could be read"

let private law =
    testPropertyWithConfig
        { FsCheckConfig.defaultConfig with maxTest = cases 100; endSize = 100; arbitrary = [ typeof<ProducerPrograms> ] }
        "whatever happens, each record is delivered once or reported, and the order is kept"
        runs

let private onClusters =
    let fetchAll (cluster: Clusters.TestCluster) topic partition : (int64 * string) list =
        use client = new PartitionClient(cluster.Settings(), cluster.Brokers, { Topic = topic; Partition = partition })
        let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)

        match fetcher.FindOffset(OffsetSpec.Latest).Offset with
        | None -> failtest "there is no end"
        | Some finish ->
            let records = List<int64 * string>()

            let read (batch: RecordBatch) =
                for record in RecordBatch.toList (Reading.withCodecs LibKafka.Compression.AllCodecs.Set) batch |> ok do
                    records.Add(record.Offset, record.Value |> ValueOption.map Bytes.toText |> ValueOption.defaultValue "null")

            readUntil finish fetcher (fun fetched ->
                for item in fetched.Batches do
                    match item with
                    | RecordSetItem.Batch(batch, _) -> read batch
                    | other -> failtestf "%A" other)

            List.ofSeq records

    Clusters.onEachAndEmbedded "topic producer" (fun cluster ->
        [ for codec in [ None; Some CompressionType.Lz4 ] do
              let name = codec |> Option.map CompressionType.name |> Option.defaultValue "nothing"

              testCase ("delivers keyed records in order, compressed with " + name) (fun () ->
                  cluster.WithTopic 5 (fun topic ->
                      let find compression =
                          LibKafka.Compression.AllCodecs.List |> Seq.find (fun (codec: ICompressionCodec) -> codec.Type = compression)

                      let producing =
                          { TopicProducerSettings.standard with
                              Codec = Option.map find codec
                              Batches = { CollectorSettings.standard with MaxBatchBytes = 5_000; MaxBufferedBytes = 50_000L } }

                      use producer =
                          RetryPolicy.connect.Run(fun call ->
                              TopicProducer.Open(cluster.Settings(), cluster.Brokers, topic, producing, call))
                          |> ok

                      let book = Book()
                      addAll book producer [ 1..3000 ]
                      book.Take(producer.Flush minute)
                      Expect.isEmpty book.Undelivered "all is delivered"
                      let logs = [ for partition in 0..4 -> fetchAll cluster topic partition ]
                      Expect.equal (logs |> List.sumBy List.length) 3000 "each record once"
                      let delivered = book.Delivered |> List.map (fun delivered -> delivered.Batch, delivered) |> Map.ofList
                      let found = logs |> List.map Map.ofList

                      for entry in book.Tickets do
                          let offset = delivered[entry.Key.Batch].OffsetOf entry.Key
                          Expect.equal (found[entry.Key.Partition].TryFind offset) (Some entry.Value) "the record is at its place"

                      for log in logs do
                          let values = log |> List.map (snd >> int)
                          Expect.equal values (List.sort values) "in order")) ])

[<Tests>]
let tests = testList "topic producer, runs" [ transactional; law; onClusters ]
