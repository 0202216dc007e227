/// Reading with the next fetch on its way, and producing with a batch on its way.
module LibKafka.Integration.AheadTests

open System
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.LogBroker
open LibKafka.Integration.Support

/// The batches of a log, one after another from offset 0 on.
let private logOf (sizes: int list) : RecordBatch list =
    sizes
    |> List.mapFold (fun offset size -> (batch (string offset + "-") size).Rebase(offset, 4), offset + int64 size) 0L
    |> fst

/// A leader of a log that gives one batch for each fetch. `change` may change the answer to the fetch with this number, from 0.
let private leading
    (log: RecordBatch list)
    (change: int -> Fetch.PartitionResponse -> Fetch.PartitionResponse)
    (test: ScriptedBroker -> PartitionClient -> unit)
    =
    let mutable count = -1
    let finish = log |> List.last |> _.NextOffset

    let answer (received: Received) =
        match received.Request with
        | Request.Fetch request ->
            let number = Interlocked.Increment &count
            let asked = request.Topics[0].Partitions[0].FetchOffset
            let found = log |> List.tryFind (fun batch -> batch.LastOffset >= asked)
            let records = found |> Option.map _.Bytes |> Option.defaultValue Bytes.empty
            let answer (it: Fetch.PartitionResponse) = change number { it with Records = Some records; HighWatermark = finish }
            Script.answer Fetch.api received (Script.fetched answer request)
        | Request.ListOffsets request -> Script.answer ListOffsets.api received (Script.found 0L request)
        | _ -> Script.unexpected received

    Scripted.partition patient answer test

let private settings = { FetcherSettings.standard with MaxWait = ms 10 }
let private unchanged _ (answer: Fetch.PartitionResponse) = answer

let private offsetsAsked (broker: ScriptedBroker) =
    broker.Calls
    |> List.choose (fun received ->
        match received.Request with
        | Request.Fetch request -> Some request.Topics[0].Partitions[0].FetchOffset
        | _ -> None)

let private fetching =
    testList
        "fetching ahead"
        [ testCase "gives every batch once and in order, and has asked for the next one by then" (fun () ->
              let log = logOf [ 3; 1; 4; 2 ]

              leading log unchanged (fun broker client ->
                  use fetcher = new PartitionFetcher(client, settings, 0L)
                  use ahead = new FetchAhead(fetcher)
                  let values = ResizeArray<string>()

                  for before in 1 .. log.Length do
                      let fetched = ahead.Next()
                      Expect.isTrue ahead.IsAhead "the next one is on its way"
                      Expect.equal ahead.Advance (Fetched.advance fetched) "where to continue"
                      Expect.equal fetcher.Position (positionBehind fetched) "the fetcher's position"
                      broker.AwaitRequests(2 + before + 1)
                      values.AddRange(valuesOf (recordsOf fetched))

                  Expect.equal
                      (List.ofSeq values)
                      (log |> List.collect (RecordBatch.toList Reading.standard >> ok >> valuesOf))
                      "the records"
                  Expect.isEmpty (recordsOf (ahead.Next())) "the end"
                  Expect.equal (List.truncate 5 (offsetsAsked broker)) [ 0L; 3L; 4L; 8L; 10L ] "the fetches"))

          testCase "the records of a reply stay while the next one is received" (fun () ->
              let log = logOf [ 3; 1; 4; 2 ]

              leading log unchanged (fun _ client ->
                  use fetcher = new PartitionFetcher(client, settings, 0L)
                  use ahead = new FetchAhead(fetcher)
                  let mutable before = ahead.Next()

                  for expected in List.pairwise log do
                      let fetched = ahead.Next()
                      Expect.equal before.RawRecords (fst expected).Bytes "the one before"
                      Expect.equal fetched.RawRecords (snd expected).Bytes "this one"
                      before <- fetched))

          testCase "stops after an error code, and continues from there when it is asked again" (fun () ->
              let log = logOf [ 3; 1; 4 ]

              let refusing number (answer: Fetch.PartitionResponse) =
                  if number = 1 then
                      { answer with Error = ErrorCode.OffsetOutOfRange; Records = Some Bytes.empty }
                  else
                      answer

              leading log refusing (fun broker client ->
                  use fetcher = new PartitionFetcher(client, settings, 0L)
                  use ahead = new FetchAhead(fetcher)
                  ahead.Next() |> ignore
                  Expect.equal (ahead.Next()).Error ErrorCode.OffsetOutOfRange "the code"
                  Expect.isFalse ahead.IsAhead "nothing is on its way"
                  Expect.equal fetcher.Offset 3L "the position"
                  Expect.equal (fetcher.Seek OffsetSpec.Earliest).Offset (Some 0L) "the fetcher can be used"
                  Expect.equal (ahead.Next()).Offset 0L "and it continues from there"
                  Expect.equal (List.truncate 3 (offsetsAsked broker)) [ 0L; 3L; 0L ] "the fetches"))

          testCase "stops at damage, which is skipped only by moving the fetcher" (fun () ->
              let log = logOf [ 3; 1; 4 ]

              let damaging number (answer: Fetch.PartitionResponse) =
                  if number = 1 then
                      let bytes = (Option.get answer.Records).ToArray()
                      bytes[bytes.Length - 1] <- bytes[bytes.Length - 1] ^^^ 1uy
                      { answer with Records = Some(Bytes bytes) }
                  else
                      answer

              leading log damaging (fun _ client ->
                  use fetcher = new PartitionFetcher(client, settings, 0L)
                  use ahead = new FetchAhead(fetcher)
                  ahead.Next() |> ignore
                  ahead.Next() |> ignore

                  match ahead.Advance with
                  | Advance.Damaged(_, Some next) ->
                      Expect.isFalse ahead.IsAhead "nothing is on its way"
                      Expect.equal fetcher.Offset 3L "the position"
                      fetcher.Position <- next
                      Expect.equal (ahead.Next()).Offset 4L "after the damage"
                  | other -> failtestf "%O" other))

          testCase "a fetch for a position that the fetcher has left is dropped" (fun () ->
              let log = logOf [ 3; 1; 4 ]

              leading log unchanged (fun broker client ->
                  use fetcher = new PartitionFetcher(client, settings, 0L)
                  use ahead = new FetchAhead(fetcher)
                  ahead.Next() |> ignore
                  fetcher.Offset <- 0L
                  Expect.equal (ahead.Next()).Offset 0L "from the new position"
                  Expect.equal (List.truncate 3 (offsetsAsked broker)) [ 0L; 3L; 0L ] "the fetches"))

          testCase "can be settled, so that the fetcher makes other calls" (fun () ->
              let log = logOf [ 3; 1; 4 ]

              leading log unchanged (fun _ client ->
                  use fetcher = new PartitionFetcher(client, settings, 0L)
                  use ahead = new FetchAhead(fetcher)
                  ahead.Next() |> ignore
                  Expect.throwsT<InvalidOperationException>
                      (fun () -> fetcher.FindOffset OffsetSpec.Earliest |> ignore)
                      "a fetch is on its way"
                  ahead.Settle()
                  Expect.isOk (fetcher.FindOffset OffsetSpec.Earliest).Result "now it can"
                  Expect.equal (ahead.Next()).Offset 3L "and nothing is left out"))

          testCase "an observer that throws loses no records" (fun () ->
              let log = logOf [ 3; 1; 4; 2 ]
              let random = Random 5
              let mutable throws = false

              let observe (info: ExchangeInfo) =
                  if throws && info.Api = ApiKey.Fetch && random.Next 2 = 0 then
                      failwith "the observer failed"

              leading log unchanged (fun _ client ->
                  use client =
                      new PartitionClient(
                          { patient with Observe = observe },
                          Bootstrap.ofAddresses [ client.Connect() |> ok |> _.Broker ],
                          client.Partition
                      )
                  use fetcher = new PartitionFetcher(client, settings, 0L)
                  use ahead = new FetchAhead(fetcher)
                  let values = ResizeArray<string>()
                  throws <- true

                  while values.Count < 10 do
                      try
                          values.AddRange(valuesOf (recordsOf (ahead.Next())))
                      with error when error.Message = "the observer failed" ->
                          ()

                  throws <- false

                  Expect.equal
                      (List.ofSeq values)
                      (log |> List.collect (RecordBatch.toList Reading.standard >> ok >> valuesOf))
                      "the records")) ]

let private values (log: BrokerLog) = log.Batches("t", 0) |> List.collect (RecordBatch.toList Reading.standard >> ok >> valuesOf)

let private partition: TopicPartition = { Topic = "t"; Partition = 0 }
let private batches = [ for number in 0..19 -> batch (string number + "-") (1 + number % 3) ]
let private expected = batches |> List.collect (RecordBatch.toList Reading.standard >> ok >> valuesOf)

/// Sends the batches by the README's loop. The replies, in order.
let private produceAll (behind: ProduceBehind) : Produced list =
    let replies = ResizeArray<Produced>()

    for batch in batches do
        match behind.Produce batch with
        | ProduceStep.Sent before -> Option.iter replies.Add before
        | ProduceStep.NotSent before -> failtestf "%O" before

    behind.Finish() |> Option.iter replies.Add
    List.ofSeq replies

let private producing =
    testList
        "producing behind"
        [ for isIdempotent in [ false; true ] do
              testCase ("appends every batch once and in order, with " + (if isIdempotent then "an identity" else "none")) (fun () ->
                  withLog Kafka40 0s undisturbed (fun log broker ->
                      use client = new PartitionClient(patient, Bootstrap.ofAddresses [ broker.Address ], partition)

                      use behind =
                          if isIdempotent then
                              new ProduceBehind(
                                  IdempotentProducer(client, ProducerSettings.standard, { ProducerId = 1L; ProducerEpoch = 0s })
                              )
                          else
                              new ProduceBehind(new PartitionProducer(client, ProducerSettings.standard))

                      let replies = produceAll behind
                      Expect.equal replies.Length batches.Length "a reply for each"
                      Expect.all replies (fun reply -> acknowledged reply >= 0L) "acknowledged"
                      Expect.equal (values log) expected "the log"))

          testCase "with lost answers and a policy, an idempotent producer still appends every batch once" (fun () ->
              let random = Random 3

              let disturb (received: Received) =
                  match received.Request with
                  | Request.Produce _ when random.Next 3 = 0 -> Some [ Act.Close ]
                  | _ -> None

              withLog Kafka40 0s disturb (fun log broker ->
                  use client = new PartitionClient(patient, Bootstrap.ofAddresses [ broker.Address ], partition)
                  let producer = IdempotentProducer(client, ProducerSettings.standard, { ProducerId = 1L; ProducerEpoch = 0s })
                  let policy = { RetryPolicy.idempotent with Attempts = 100; FirstDelay = TimeSpan.Zero }
                  use behind = new ProduceBehind(producer, policy)
                  produceAll behind |> ignore
                  Expect.equal (values log) expected "the log"))

          testCase "without a policy, a batch after one that was not acknowledged is not sent" (fun () ->
              let mutable count = 0

              let disturb (received: Received) =
                  match received.Request with
                  | Request.Produce _ ->
                      count <- count + 1
                      if count = 2 then Some [ Act.Close ] else None
                  | _ -> None

              withLog Kafka40 0s disturb (fun log broker ->
                  use client = new PartitionClient(patient, Bootstrap.ofAddresses [ broker.Address ], partition)
                  let producer = IdempotentProducer(client, ProducerSettings.standard, { ProducerId = 1L; ProducerEpoch = 0s })
                  use behind = new ProduceBehind(producer)
                  Expect.equal (behind.Produce batches[0]) (ProduceStep.Sent None) "the first"

                  match behind.Produce batches[1] with
                  | ProduceStep.Sent(Some before) -> Expect.equal (acknowledged before) 0L "its reply"
                  | other -> failtestf "%O" other

                  match behind.Produce batches[2] with
                  | ProduceStep.NotSent before -> Expect.isTrue before.IsTransient "the second was lost"
                  | other -> failtestf "%O" other

                  producer.Retry() |> acknowledged |> ignore

                  match behind.Produce batches[2] with
                  | ProduceStep.Sent None -> ()
                  | other -> failtestf "%O" other

                  Expect.isSome (behind.Finish()) "its reply"
                  Expect.isNone (behind.Finish()) "nothing is on its way"
                  Expect.equal (values log) (List.truncate 6 expected) "the log")) ]

[<Tests>]
let tests = testList "ahead and behind" [ fetching; producing ]
