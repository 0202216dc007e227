/// Producing to a whole topic in transactions, against brokers that fail at random, and on clusters.
module LibKafka.Integration.TopicProducerRunTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Expecto
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
        RetryPolicy.standard.Run(fun call -> transaction.InitProducerId(minute, call)).Result |> ok |> Result.isOk |> ignore
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

/// One of many ways in which a broker fails, or none.
let private randomly (random: Random) (cluster: unit -> TopicCluster) : int -> Received -> (unit -> Act list) -> Act list =
    let disturbances: Disturbance list =
        [ losing Act.Close
          losing Act.Reset
          doubting ErrorCode.RequestTimedOut
          doubting ErrorCode.NotEnoughReplicasAfterAppend
          refusing ErrorCode.NotEnoughReplicas
          refusing ErrorCode.MessageTooLarge
          refusing ErrorCode.OutOfOrderSequenceNumber
          fun _ _ -> [ Act.Close ] ]

    fun _ received answer ->
        let next, partition, node =
            lock random (fun () -> (if isProduce received then random.Next 30 else 100), random.Next 4, 1 + random.Next 2)

        if next < disturbances.Length then
            disturbances[next] received answer
        else
            if next = 29 then (cluster ()).Move(partition, node)
            answer ()

/// A random program of adds, polls and flushes against brokers that fail at random.
let private program (seed: int) =
    let random = Random seed
    let mutable cluster: TopicCluster voption = ValueNone
    use running = new TopicCluster("t", 4, 2, randomly random (fun () -> cluster.Value))
    cluster <- ValueSome running
    let next (limit: int) = lock random (fun () -> random.Next limit)

    let producing =
        { eager with
            MoveKeyless = next 2 = 0
            Retry = { eager.Retry with Attempts = 2 + next 4 }
            Batches = { eager.Batches with Linger = (if next 4 = 0 then Timeout.InfiniteTimeSpan else ms (next 3)) } }

    use producer = openWith patient running producing
    let book = Book()

    for value in 1..300 do
        match next 10 with
        | 0 -> book.Add(producer, ValueNone, Bytes.ofString (string value))
        | 1 -> book.Take(producer.Poll TimeSpan.Zero)
        | 2 -> book.Take(producer.Poll(ms 1))
        | 3 when next 5 = 0 -> book.Take(producer.Flush(ms (next 20)))
        | _ -> addAll book producer [ value ]

    book.Take(producer.Flush minute)
    Expect.equal producer.Outstanding 0L "all is settled"
    Expect.equal producer.BufferedBytes 0L "and released"
    agree running book
    let all =
        [ for partition in 0..3 do
              yield! logOf running partition |> List.map snd ]
    Expect.equal (List.distinct all).Length all.Length "no record is in a log twice"
    if not producing.MoveKeyless then inOrder running
    Expect.isEmpty running.Failures "every request could be read"

let private programs =
    let seeds = if Environment.GetEnvironmentVariable "LIBKAFKA_QUICK" = "1" then 10 else 60

    testList
        "agrees with the logs after random failures"
        [ for seed in 1..seeds -> testCase ("program " + string seed) (fun () -> program seed) ]

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

    Clusters.onEach "topic producer" (fun cluster ->
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
let tests = testList "topic producer, runs" [ transactional; programs; onClusters ]
