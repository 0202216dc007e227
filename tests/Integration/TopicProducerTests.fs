/// Producing to a whole topic: tickets, order, retries, and what is reported.
module LibKafka.Integration.TopicProducerTests

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

let private delivering =
    testList
        "delivers"
        [ testCase "each record where its ticket says, in the order in which records were added" (fun () ->
              producing 5 calm (fun cluster producer ->
                  let book = Book()
                  addAll book producer [ 1..200 ]
                  book.Take(producer.Flush minute)
                  Expect.equal producer.Outstanding 0L "all is settled"
                  Expect.equal producer.BufferedBytes 0L "and released"
                  Expect.isEmpty book.Undelivered "nothing is missing"
                  agree cluster book
                  inOrder cluster
                  Expect.isNonEmpty (logOf cluster 0) "the partitions are used"

                  for entry in book.Tickets do
                      let expected = Partitioner.ofKey 5 (Bytes.ofString ("key" + string (int entry.Value % 17))).Span
                      Expect.equal entry.Key.Partition expected "the partition of the key"))

          testCase "with the life of each batch" (fun () ->
              let codec = LibKafka.Compression.AllCodecs.List |> Seq.find (fun codec -> codec.Type = CompressionType.Lz4)

              producingWith patient { eager with Codec = Some codec } 1 calm (fun cluster producer ->
                  let book = Book()
                  book.Add(producer, "k", String('1', 200))
                  Thread.Sleep 20
                  book.Take(producer.Flush minute)
                  let life = book.Delivered.Head.Life
                  Expect.equal (cluster.Log.Batches("t", 0).Head.Compression) CompressionType.Lz4 "compressed"
                  Expect.equal life.Records 1 "records"
                  Expect.isLessThan life.SentBytes life.Bytes "sizes"
                  Expect.isGreaterThan life.Sealed (ms 10) "sealed"
                  Expect.isGreaterThanOrEqual life.Compressed.Value life.Sealed "compressed"
                  Expect.isGreaterThanOrEqual life.Sent.Value life.Compressed.Value "sent"
                  Expect.isGreaterThanOrEqual life.Ended life.Sent.Value "ended"
                  Expect.equal [ for attempt in life.Attempts -> attempt.Api, attempt.Attempt ] [ ApiKey.Produce, 1 ] "attempts"))

          testCase "batches that several threads have compressed" (fun () ->
              let codec = LibKafka.Compression.AllCodecs.List |> Seq.find (fun codec -> codec.Type = CompressionType.Zstd)

              producingWith patient { eager with Codec = Some codec; CompressionThreads = 3 } 6 calm (fun cluster producer ->
                  let book = Book()
                  addAll book producer [ 1..300 ]
                  book.Take(producer.Flush minute)
                  Expect.isEmpty book.Undelivered "all is delivered"
                  Expect.all (cluster.Log.Batches("t", 0)) (fun batch -> batch.Compression = CompressionType.Zstd) "compressed"
                  agree cluster book
                  inOrder cluster))

          testCase "with one identity for all partitions, and one request for all leaders" (fun () ->
              producing 8 calm (fun cluster producer ->
                  let book = Book()
                  addAll book producer [ 1..100 ]
                  book.Take(producer.Flush minute)
                  let calls = cluster.Brokers |> List.collect _.Calls
                  let count (api: ApiKey) = calls |> List.filter (fun call -> call.Header.ApiKey = api) |> List.length
                  Expect.equal (count ApiKey.InitProducerId, count ApiKey.Metadata) (1, 1) "requests"
                  Expect.equal (cluster.Brokers |> List.sumBy _.Connections) 10 "one connection for each partition, and two to ask"))

          testCase "plain batches without an identity" (fun () ->
              producingWith patient { eager with Guarantee = Guarantee.Plain } 2 calm (fun cluster producer ->
                  let book = Book()
                  addAll book producer [ 1..50 ]
                  book.Take(producer.Flush minute)
                  agree cluster book
                  Expect.all (cluster.Log.Batches("t", 0)) (fun batch -> batch.ProducerId = -1L) "no identity"
                  Expect.isNone producer.Identity "none"))

          testCase "batches that are full or have lingered, and no others" (fun () ->
              let producing = { eager with Batches = { eager.Batches with Linger = ms 50 } }

              producingWith patient producing 1 calm (fun _ producer ->
                  let book = Book()
                  book.Add(producer, "k", "1")
                  Expect.isEmpty (producer.Poll TimeSpan.Zero) "it lingers"
                  Expect.equal (producer.Outstanding) 1L "one batch"
                  let clock = Stopwatch.StartNew()
                  Expect.isNonEmpty (producer.Poll minute) "it has lingered"
                  Expect.isGreaterThan clock.Elapsed (ms 30) "after its time"))

          testCase "records of new partitions" (fun () ->
              producingWith patient { eager with MetadataAge = ms 20 } 1 calm (fun cluster producer ->
                  let book = Book()
                  addAll book producer [ 1..20 ]
                  cluster.Partitions <- 6
                  Thread.Sleep 30
                  book.Take(producer.Poll TimeSpan.Zero)
                  Expect.equal producer.Partitions 6 "partitions"
                  addAll book producer [ 21..100 ]
                  book.Take(producer.Flush minute)
                  agree cluster book
                  Expect.isNonEmpty (logOf cluster 5) "the new partition is used")) ]

/// The number of requests of an API that the brokers have got.
let private requests (cluster: TopicCluster) (api: ApiKey) : int =
    cluster.Brokers |> List.sumBy (fun broker -> (broker.VersionsOf api).Length)

/// Records for each partition of a cluster, one for each.
let private addToEach (book: Book) (producer: TopicProducer) (partitions: int) (first: int) =
    for partition in 0 .. partitions - 1 do
        let value = string (first + partition)

        match producer.Add(partition, NullableSpan.Null, Bytes.ofString value, ReadOnlySpan.Empty, 0L) with
        | Added.Collected ticket -> book.Tickets.Add(ticket, value)
        | other -> failtestf "%O" other

let private following =
    testList
        "follows the topic"
        [ for before, after in [ 4, 2; 2, 5 ] do
              testCase $"that is deleted and created again, with {after} partitions in place of {before}" (fun () ->
                  let producing = { eager with MetadataAge = ms 20 }

                  producingWith patient producing before calm (fun cluster producer ->
                      let old = Book()
                      addAll old producer [ 1..60 ]
                      old.Take(producer.Flush minute)
                      agree cluster old

                      for partition in 0..4 do
                          cluster.Move(partition, 1 + (partition + 1) % 2)

                      cluster.Recreate after
                      Thread.Sleep 30
                      let fresh = Book()
                      fresh.Take(producer.Poll TimeSpan.Zero)
                      Expect.equal producer.Partitions after "partitions"
                      addAll fresh producer [ 61..160 ]
                      fresh.Take(producer.Flush minute)
                      Expect.isEmpty fresh.Undelivered "all is delivered"
                      agree cluster fresh
                      inOrder cluster
                      Expect.isNonEmpty (logOf cluster (after - 1)) "the partitions are used"))

          testCase "that is created again while it has batches for partitions that are gone, which are reported" (fun () ->
              let producing = { eager with MetadataAge = ms 20; Retry = { eager.Retry with TimeLimit = ms 300 } }

              producingWith patient producing 4 calm (fun cluster producer ->
                  producer.Flush minute |> ignore
                  let book = Book()
                  addToEach book producer 4 0
                  cluster.Recreate 2
                  book.Take(producer.Flush minute)
                  agree cluster book
                  Expect.equal (book.Delivered |> List.map _.Partition.Partition |> List.sort) [ 0; 1 ] "delivered"
                  Expect.equal (book.Undelivered |> List.map _.Partition.Partition |> List.sort) [ 2; 3 ] "not delivered"
                  Expect.all book.Undelivered (fun undelivered -> not undelivered.MayBeInLog) "certainly not"

                  for undelivered in book.Undelivered do
                      Expect.stringContains (undelivered.ToString()) "UNKNOWN_TOPIC_OR_PARTITION" "why"))

          testCase "to a broker that comes back, with one connection for each partition and few requests for metadata" (fun () ->
              producing 30 calm (fun cluster producer ->
                  let book = Book()
                  addToEach book producer 30 0
                  book.Take(producer.Flush minute)
                  cluster.Stop 2
                  addToEach book producer 30 30
                  let metadata = requests cluster ApiKey.Metadata
                  let clock = Stopwatch.StartNew()

                  while clock.Elapsed < ms 600 do
                      book.Take(producer.Poll(ms 50))

                  Expect.equal producer.Outstanding 15L "the partitions of the other broker are delivered"
                  cluster.Start 2
                  book.Take(producer.Flush minute)
                  Expect.isEmpty book.Undelivered "all is delivered"
                  let connections = cluster.Brokers[1].Calls |> List.filter isProduce |> List.map _.Connection
                  Expect.hasLength (List.distinct connections) 15 "one connection for each partition"
                  Expect.isLessThan (requests cluster ApiKey.Metadata - metadata) 10 "requests for metadata"
                  agree cluster book
                  inOrder cluster)) ]

let private retrying =
    testList
        "keeps order and delivers once"
        [ for name, act in
              [ "if answers are lost", losing Act.Close
                "if connections are reset instead of an answer", losing Act.Reset
                "if the broker is not sure", doubting ErrorCode.NotEnoughReplicasAfterAppend
                "if the broker refuses for a while", refusing ErrorCode.NotEnoughReplicas ] do
              testCase name (fun () ->
                  producing 3 (onProduce [ 1; 2; 5; 6; 7 ] act) (fun cluster producer ->
                      let book = Book()
                      addAll book producer [ 1..150 ]
                      book.Take(producer.Flush minute)
                      Expect.isEmpty book.Undelivered "all is delivered"
                      agree cluster book
                      inOrder cluster
                      Expect.isEmpty book.Changes "under one identity"
                      Expect.isTrue (book.Delivered |> List.exists (fun d -> d.Life.Attempts.Length > 1)) "some took several attempts"))

          testCase "if leaders move" (fun () ->
              producing 4 calm (fun cluster producer ->
                  let book = Book()
                  addAll book producer [ 1..60 ]
                  book.Take(producer.Flush minute)

                  for partition in 0..3 do
                      cluster.Move(partition, 1)

                  addAll book producer [ 61..120 ]
                  book.Take(producer.Flush minute)
                  Expect.isEmpty book.Undelivered "all is delivered"
                  agree cluster book
                  inOrder cluster))

          testCase "if the broker has lost the producer's sequences, which is told" (fun () ->
              producing 1 (onProduce [ 2 ] (refusing ErrorCode.OutOfOrderSequenceNumber)) (fun cluster producer ->
                  let book = Book()
                  addAll book producer [ 1..60 ]
                  book.Take(producer.Flush minute)
                  Expect.isEmpty book.Undelivered "all is delivered"
                  agree cluster book
                  inOrder cluster
                  let change = book.Changes |> List.exactlyOne
                  Expect.equal change.Now { change.Before with ProducerEpoch = change.Before.ProducerEpoch + 1s } "the next epoch"
                  Expect.equal change.Because (ProducerState.Fenced ErrorCode.OutOfOrderSequenceNumber) "why"))

          testCase "if another producer has taken over the identity, which is told" (fun () ->
              producing 1 (onProduce [ 2 ] (refusing ErrorCode.InvalidProducerEpoch)) (fun cluster producer ->
                  let book = Book()
                  addAll book producer [ 1..60 ]
                  book.Take(producer.Flush minute)
                  Expect.isEmpty book.Undelivered "all is delivered"
                  agree cluster book
                  inOrder cluster
                  let requests = cluster.Brokers |> List.sumBy (fun broker -> (broker.VersionsOf ApiKey.InitProducerId).Length)
                  Expect.equal requests 2 "another identity was requested"
                  Expect.equal (List.exactlyOne book.Changes).Because (ProducerState.Fenced ErrorCode.InvalidProducerEpoch) "why")) ]

let private reasonOf (undelivered: Undelivered) =
    match undelivered.Reason with
    | UndeliveredReason.NotProduced result -> result
    | other -> failtestf "%O" other

let private reporting =
    testList
        "reports"
        [ testCase "a batch that the broker refuses, and sends the next one" (fun () ->
              producing 1 (onProduce [ 2 ] (refusing ErrorCode.MessageTooLarge)) (fun cluster producer ->
                  let book = Book()
                  addAll book producer [ 1..60 ]
                  book.Take(producer.Flush minute)
                  let undelivered = List.exactlyOne book.Undelivered

                  match reasonOf undelivered with
                  | ProduceResult.Rejected(Rejection.ByBroker answer) -> Expect.equal answer.Error ErrorCode.MessageTooLarge "the code"
                  | other -> failtestf "%O" other

                  Expect.isFalse undelivered.MayBeInLog "it is not in the log"
                  Expect.equal undelivered.Life.Attempts.Length 1 "one attempt"
                  let records = RecordBatch.toList Reading.standard undelivered.Records |> ok
                  let values = records |> List.map (fun record -> record.Value.Value |> Bytes.toText)
                  let own =
                      [ for entry in book.Tickets do
                            if entry.Key.Batch = undelivered.Batch then entry.Value ]
                  Expect.equal (List.sort values) (List.sort own) "the records of the batch"
                  Expect.isEmpty book.Changes "the identity stays"
                  agree cluster book
                  inOrder cluster))

          testCase "a batch whose answers stay lost, and continues in the next epoch" (fun () ->
              let producing = { eager with Retry = { eager.Retry with Attempts = 3 } }

              producingWith patient producing 1 (onProduce [ 2; 3; 4 ] (losing Act.Close)) (fun cluster producer ->
                  let book = Book()
                  addAll book producer [ 1..60 ]
                  book.Take(producer.Flush minute)
                  let undelivered = List.exactlyOne book.Undelivered
                  Expect.isTrue undelivered.MayBeInLog "it may be in the log"
                  Expect.equal undelivered.Life.Attempts.Length 3 "attempts"
                  agree cluster book
                  inOrder cluster

                  match List.exactlyOne book.Changes with
                  | { Because = ProducerState.InDoubt _; Before = before; Now = now } ->
                      Expect.equal now { before with ProducerEpoch = before.ProducerEpoch + 1s } "the next epoch"
                  | other -> failtestf "%O" other))

          testCase "a plain batch whose answer is lost, and does not send it again" (fun () ->
              let producing = { eager with Guarantee = Guarantee.Plain }

              producingWith patient producing 1 (onProduce [ 2 ] (losing Act.Close)) (fun cluster producer ->
                  let book = Book()
                  addAll book producer [ 1..60 ]
                  book.Take(producer.Flush minute)
                  Expect.isTrue (List.exactlyOne book.Undelivered).MayBeInLog "it may be in the log"
                  agree cluster book
                  inOrder cluster))

          testCase "a batch that the codec cannot compress, and continues" (fun () ->
              let gzip = LibKafka.Compression.AllCodecs.List |> Seq.find (fun codec -> codec.Type = CompressionType.Gzip)
              let mutable count = 0

              let codec =
                  { new ICompressionCodec with
                      member _.Type = CompressionType.Gzip

                      member _.Compress(source, destination) =
                          count <- count + 1
                          if count = 2 then invalidOp "the second one"
                          gzip.Compress(source, destination)

                      member _.Decompress(_, _) = () }

              producingWith patient { eager with Codec = Some codec } 1 calm (fun cluster producer ->
                  let book = Book()
                  addAll book producer [ 1..60 ]
                  book.Take(producer.Flush minute)

                  match (List.exactlyOne book.Undelivered).Reason with
                  | UndeliveredReason.NotCompressed _ -> ()
                  | other -> failtestf "%O" other

                  agree cluster book
                  inOrder cluster))

          testCase "batches for a broker that is gone, in time, while the others are delivered" (fun () ->
              let producing = { eager with Retry = { eager.Retry with TimeLimit = ms 500; MaxDelay = ms 50 } }

              producingWith patient producing 4 calm (fun cluster producer ->
                  // Odd partitions are led by the second broker.
                  (cluster.Brokers[1] :> IDisposable).Dispose()
                  let book = Book()
                  let clock = Stopwatch.StartNew()

                  for value in 0..19 do
                      let added = producer.Add(value % 4, NullableSpan.Null, Bytes.ofString (string value), ReadOnlySpan.Empty, 0L)
                      Expect.isTrue added.IsCollected "added"

                  book.Take(producer.Flush minute)
                  Expect.isLessThan clock.Elapsed (ms 10_000) "in time"
                  Expect.equal (book.Delivered |> List.map _.Partition.Partition |> List.sort) [ 0; 2 ] "delivered"
                  Expect.equal (book.Undelivered |> List.map _.Partition.Partition |> List.sort) [ 1; 3 ] "not delivered"
                  Expect.all book.Undelivered (fun undelivered -> not undelivered.MayBeInLog) "certainly not"))

          testCase "that the buffer is full, and takes more after a poll" (fun () ->
              let producing = { eager with Batches = { eager.Batches with Linger = Timeout.InfiniteTimeSpan; MaxBufferedBytes = 800L } }

              producingWith patient producing 8 calm (fun cluster producer ->
                  let book = Book()
                  let mutable values = 0

                  while producer.Add(values % 8, NullableSpan.Null, Bytes.ofString (string values), ReadOnlySpan.Empty, 0L).IsCollected do
                      values <- values + 1

                  Expect.isLessThan values 100 "the buffer was full"
                  let before = producer.BufferedBytes
                  Expect.isNonEmpty (producer.Poll minute) "batches that are neither full nor old are sent to make room"
                  Expect.isLessThan producer.BufferedBytes before "there is room"
                  addAll book producer [ values..200 ]
                  producer.Flush minute |> ignore
                  Expect.equal ([ 0..7 ] |> List.sumBy (logOf cluster >> List.length)) 201 "nothing was dropped"))

          testCase "what it has not delivered when it is closed" (fun () ->
              let silent = onPartition 0 (fun _ _ -> [])

              producing 2 silent (fun cluster producer ->
                  let book = Book()

                  for value in 0..5 do
                      Expect.isTrue
                          (producer.Add(value % 2, NullableSpan.Null, Bytes.ofString (string value), ReadOnlySpan.Empty, 0L).IsCollected)
                          "added"

                  while book.Delivered.IsEmpty do
                      book.Take(producer.Poll minute)

                  Expect.isTrue (producer.Add(1, NullableSpan.Null, Bytes.ofString "6", ReadOnlySpan.Empty, 0L).IsCollected) "added"
                  book.Take(producer.Close())
                  Expect.isEmpty (producer.Close()) "nothing more"
                  Expect.equal (book.Undelivered |> List.map _.MayBeInLog) [ true; false ] "one in flight, one not sent"
                  Expect.equal (book.Delivered.Length, logOf cluster 1 |> List.length) (1, 3) "delivered before"
                  Expect.throwsT<ObjectDisposedException> (fun () -> producer.Poll TimeSpan.Zero |> ignore) "closed"))

          testCase "to the settings what it has not delivered when it is disposed of" (fun () ->
              let unreported = List<ProducerEvent>()

              producingWith patient { eager with Unreported = unreported.Add } 1 calm (fun _ producer ->
                  producer.Add(Bytes.ofString "k", Bytes.ofString "v") |> ignore
                  (producer :> IDisposable).Dispose()

                  match List.ofSeq unreported with
                  | [ ProducerEvent.Undelivered { Reason = UndeliveredReason.Closed; MayBeInLog = false } ] -> ()
                  | other -> failtestf "%A" other)) ]

let private sharing =
    testList
        "works on all partitions at once"
        [ testCase "and a partition whose broker is silent holds up no other" (fun () ->
              let answerSoon = new ManualResetEventSlim()

              let silent =
                  onPartition 0 (fun _ answer ->
                      answerSoon.Wait()
                      answer ())

              producing 4 silent (fun cluster producer ->
                  let book = Book()
                  let own = Bytes.ofString "0"
                  Expect.isTrue (producer.Add(0, NullableSpan.Null, own, ReadOnlySpan.Empty, 0L).IsCollected) "added"

                  for value in 1..60 do
                      Expect.isTrue
                          (producer
                              .Add(1 + value % 3, NullableSpan.Null, Bytes.ofString (string value), ReadOnlySpan.Empty, 0L)
                              .IsCollected)
                          "added"

                  while producer.Outstanding > 1L do
                      book.Take(producer.Poll minute)

                  Expect.equal ([ 1..3 ] |> List.sumBy (logOf cluster >> List.length)) 60 "the others are delivered"
                  answerSoon.Set()
                  book.Take(producer.Flush minute)
                  Expect.equal (logOf cluster 0) [ 0L, "0" ] "and then that one"
                  inOrder cluster))

          testCase "and throttling of a partition holds up no other" (fun () ->
              let throttled =
                  onPartition 0 (fun received answer ->
                      match received.Request, answer () with
                      | Request.Produce request, _ ->
                          Script.answer Produce.api received { Script.produced id request with ThrottleTimeMs = 300 }
                      | _ -> [])

              producingWith { patient with HeedThrottle = true } eager 2 throttled (fun cluster producer ->
                  let add partition (value: int) =
                      producer.Add(partition, NullableSpan.Null, Bytes.ofString (string value), ReadOnlySpan.Empty, 0L) |> ignore

                  add 0 1
                  producer.Flush minute |> ignore
                  let clock = Stopwatch.StartNew()
                  add 0 2
                  add 1 3
                  let first = producer.Poll minute
                  Expect.equal (List.head first).Partition.Partition 1 "the other partition comes first"
                  Expect.isLessThan clock.Elapsed (ms 250) "at once"
                  producer.Flush minute |> ignore
                  Expect.isGreaterThan clock.Elapsed (ms 250) "the throttled one waits"
                  Expect.equal (logOf cluster 0 |> List.map snd) [ "1"; "2" ] "the records"))

          testCase "and a poll ends in time, or when it is cancelled" (fun () ->
              producing 1 (onPartition 0 (fun _ _ -> [])) (fun _ producer ->
                  producer.Add(Bytes.ofString "k", Bytes.ofString "v") |> ignore
                  let clock = Stopwatch.StartNew()
                  Expect.isEmpty (producer.Poll(ms 100)) "nothing has happened"
                  Expect.isLessThan clock.Elapsed (ms 5_000) "in time"
                  use cancellation = new CancellationTokenSource(ms 100)
                  Expect.isEmpty (producer.Poll(minute, cancellation.Token)) "cancelled"
                  Expect.isEmpty (producer.Flush(minute, cancellation.Token)) "cancelled before"
                  Expect.isLessThan clock.Elapsed (ms 10_000) "both"
                  Expect.equal producer.Outstanding 1L "the batch is still on its way"))

          testCase "and keyless batches go elsewhere after a failure, if that is allowed" (fun () ->
              let refused = onPartition 0 (refusing ErrorCode.NotEnoughReplicas)

              producingWith patient { eager with MoveKeyless = true } 3 refused (fun cluster producer ->
                  let book = Book()

                  for value in 1..60 do
                      while producer.Add(NullableSpan.Null, Bytes.ofString (string value)).IsFull do
                          book.Take(producer.Poll minute)

                  book.Take(producer.Flush minute)
                  Expect.isEmpty book.Undelivered "all is delivered"
                  Expect.isEmpty (logOf cluster 0) "not to the partition that refuses"
                  Expect.equal ([ 1; 2 ] |> List.sumBy (logOf cluster >> List.length)) 60 "each record once")) ]

exception private Observed

let private misusing =
    testList
        "survives"
        [ testCase "an observer that throws, without losing or repeating anything" (fun () ->
              let mutable count = 0

              let observe (_: ExchangeInfo) =
                  count <- count + 1
                  if count > 3 && count % 3 = 0 then raise Observed

              producingWith { patient with Observe = observe } eager 3 calm (fun cluster producer ->
                  let book = Book()

                  let rec insist (poll: unit -> ProducerEvent list) =
                      try
                          book.Take(poll ())
                      with Observed ->
                          insist poll

                  for value in 1..100 do
                      let key, text = Bytes.ofString ("key" + string (value % 17)), Bytes.ofString (string value)
                      let mutable added = producer.Add(key, text)

                      while added.IsFull do
                          insist (fun () -> producer.Poll minute)
                          added <- producer.Add(key, text)

                      match added with
                      | Added.Collected ticket -> book.Tickets.Add(ticket, string value)
                      | other -> failtestf "%O" other

                  while producer.Outstanding > 0L do
                      insist (fun () -> producer.Flush minute)

                  insist (fun () -> producer.Poll TimeSpan.Zero)
                  Expect.isEmpty book.Undelivered "all is delivered"
                  agree cluster book
                  inOrder cluster))

          testCase "a second thread, which is refused" (fun () ->
              producing 1 (onPartition 0 (fun _ _ -> [])) (fun _ producer ->
                  producer.Add(Bytes.ofString "k", Bytes.ofString "v") |> ignore
                  use cancellation = new CancellationTokenSource()
                  let thread = Thread((fun () -> producer.Poll(minute, cancellation.Token) |> ignore), IsBackground = true)
                  thread.Start()
                  Thread.Sleep 100

                  for misuse in
                      [ fun () -> producer.Add(Bytes.ofString "k", Bytes.ofString "v") |> ignore
                        fun () -> producer.Poll TimeSpan.Zero |> ignore
                        fun () -> producer.Close() |> ignore ] do
                      Expect.throwsT<InvalidOperationException> misuse "two threads at once"

                  cancellation.Cancel()
                  thread.Join()
                  Expect.equal producer.Outstanding 1L "it works on")) ]

[<Tests>]
let tests = testList "topic producer" [ delivering; following; retrying; reporting; sharing; misusing ]
