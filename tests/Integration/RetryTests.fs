/// Calls that a policy repeats, on clusters in trouble.
module LibKafka.Integration.RetryTests

open System.Threading
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Tests
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support

/// Many attempts with short waits: the test itself ends the trouble.
let private soon (policy: RetryPolicy<'T>) = { policy with Attempts = 1000; FirstDelay = ms 5; MaxDelay = ms 20 }

let private fetcherOf (client: PartitionClient) = new PartitionFetcher(client, { FetcherSettings.standard with MaxWait = ms 1 }, 0L)

/// The content of the log, read by another client.
let private log (mock: MockCluster) : string list =
    use client = new PartitionClient(patient, Bootstrap.parse mock.Bootstrap |> ok, { Topic = "t"; Partition = 0 })
    let fetcher = fetcherOf client
    let finish = (fetcher.FindOffset OffsetSpec.Latest).Offset
    Expect.isSome finish "the log has an end"
    valuesOf (fetchUntil finish.Value fetcher)

/// Runs something repeatedly in another thread during the test. The test can wait for the end of the next round.
let private beside (work: int -> unit) (test: (unit -> unit) -> unit) =
    let mutable isOver = false
    let mutable rounds = 0

    let awaitRound () =
        let before = Volatile.Read &rounds
        awaiting "the other thread" (fun () -> Volatile.Read &rounds > before)

    let thread =
        Thread(
            (fun () ->
                while not (Volatile.Read &isOver) do
                    work rounds
                    Volatile.Write(&rounds, rounds + 1)),
            IsBackground = true
        )

    thread.Start()

    try
        test awaitRound
    finally
        Volatile.Write(&isOver, true)
        thread.Join()

/// A transactional producer with an identity from the coordinator, broker 2: the mock brokers check sequences only for such producers.
let private transactional (mock: MockCluster) (client: PartitionClient) : IdempotentProducer =
    mock.SetCoordinator("transaction", "tx", 2)
    let transaction = new TransactionClient(client.Settings, Bootstrap.parse mock.Bootstrap |> ok, "tx")
    let settled (reply: Reply) = Expect.equal (reply.Error, reply.IsTransient) (ErrorCode.None, false) "the coordinator"
    RetryPolicy.standard.Run(fun call -> transaction.InitProducerId(ms 60_000, call)) |> settled
    RetryPolicy.standard.Run(fun call -> transaction.AddPartitions([ client.Partition ], call)) |> settled
    transaction.Producer client.Partition

/// The transient codes, except those with which a leader says that it has the batch already.
let private retriable =
    [ 1s .. 136s ]
    |> List.map ErrorCode
    |> List.filter _.IsRetriable
    |> List.except [ ErrorCode.RequestTimedOut; ErrorCode.NotEnoughReplicasAfterAppend ]

let private injected =
    testCase "producer, fetcher and search try again after each transient code, and count the attempts" (fun () ->
        withMockPartition patient (fun mock client ->
            let producer = new PartitionProducer(client, ProducerSettings.standard)
            let fetcher = fetcherOf client

            for code in retriable do
                let twice = [ code.Code; code.Code ]
                let name = string code.Code + "-"
                mock.PushErrors(ApiKey.Produce.Code, twice)
                let produced = (soon RetryPolicy.produce).Run(fun call -> producer.Produce(batch name 1, call))
                acknowledged produced |> ignore
                Expect.equal produced.Exchange.Info.Attempt 3 (code.ToString())

                mock.PushErrors(ApiKey.Fetch.Code, twice)
                let fetched = (soon RetryPolicy.fetch).Run(fun call -> fetcher.Fetch call)
                Expect.equal (valuesOf (recordsOf fetched)) [ name + "0" ] "what was fetched"
                Expect.equal fetched.Exchange.Info.Attempt 3 (code.ToString())
                fetcher.Position <- positionBehind fetched

                mock.PushErrors(ApiKey.ListOffsets.Code, twice)
                let sought = (soon RetryPolicy.seek).Run(fun call -> fetcher.FindOffset(OffsetSpec.Latest, call))
                Expect.equal sought.Offset (Some fetcher.Offset) "what was found"
                Expect.equal sought.Exchange.Info.Attempt 3 (code.ToString())

            Expect.equal (log mock) [ for code in retriable -> string code.Code + "-0" ] "each batch is in the log once"))

let private trouble =
    let names = [ for i in 0..39 -> "b" + string i + "-" ]
    let values = names |> List.map (fun name -> name + "0")

    testList
        "trouble"
        [ testCase "a leader that keeps moving: every batch is in the log once and in order, and is read in order" (fun () ->
              withMockPartition patient (fun mock client ->
                  use reading = new PartitionClient(patient, Bootstrap.parse mock.Bootstrap |> ok, client.Partition)
                  let fetcher = fetcherOf reading
                  let producer = new PartitionProducer(client, ProducerSettings.standard)
                  let read = ResizeArray<string>()

                  let move round =
                      mock.SetLeader("t", 0, 1 + round % 3)
                      Thread.Sleep 3

                  let mutable attempts = 0

                  beside move (fun awaitRound ->
                      for index, name in List.indexed names do
                          let sent = batch name 1
                          if index % 8 = 0 then awaitRound ()
                          let produced = (soon RetryPolicy.produce).Run(fun call -> producer.Produce(sent, call))
                          acknowledged produced |> ignore
                          attempts <- attempts + produced.Exchange.Info.Attempt
                          let fetched = (soon RetryPolicy.fetch).Run(fun call -> fetcher.Fetch call)
                          Expect.equal (ok (codeOf fetched.Result)) ErrorCode.None "the fetch"
                          read.AddRange(valuesOf (recordsOf fetched))
                          fetcher.Position <- positionBehind fetched)

                  Expect.isGreaterThan attempts names.Length "the leader was in the way"
                  read.AddRange(valuesOf (fetchUntil 40L fetcher))
                  Expect.equal (log mock) values "the log"
                  Expect.equal (List.ofSeq read) values "what was read meanwhile"))

          testCase "a broker that goes down and comes back: every batch is in the log once and in order" (fun () ->
              withMockPartition patient (fun mock client ->
                  let producer = transactional mock client

                  let restart _ =
                      mock.SetBrokerDown 1
                      Thread.Sleep 10
                      mock.SetBrokerUp 1
                      Thread.Sleep 20

                  let mutable attempts = 0

                  beside restart (fun awaitRound ->
                      for part in List.chunkBySize 10 names do
                          awaitRound ()

                          for name in part do
                              let sent = batch name 1
                              let produced = (soon RetryPolicy.idempotent).Run(fun call -> producer.Produce(sent, call))
                              acknowledged produced |> ignore
                              attempts <- attempts + produced.Exchange.Info.Attempt)

                  Expect.isGreaterThan attempts names.Length "the broker was in the way"
                  Expect.equal (log mock) values "the log"))

          testCase "a broker that is too slow: a batch that is in the log although its response was late is not duplicated" (fun () ->
              withMockPartition { patient with CallTimeout = ms 150 } (fun mock client ->
                  let producer = transactional mock client
                  producer.Client.Connect() |> ok |> ignore
                  mock.SetRtt(1, ms 15_000)

                  // The batch is appended at once, and only the response is delayed.
                  let first = producer.Produce(batch "a" 1)
                  Expect.equal first.Result (ProduceResult.Unknown(Doubt.AnswerLost(ClientFault.TimedOut(ms 150)))) "the outcome"
                  mock.SetRtt(1, ms 0)
                  let patience = { (soon RetryPolicy.idempotent) with TimeLimit = ms 20_000 }
                  patience.Run(fun call -> producer.Retry call) |> acknowledged |> ignore
                  let next = batch "b" 1
                  patience.Run(fun call -> producer.Produce(next, call)) |> acknowledged |> ignore
                  Expect.equal (log mock) [ "a0"; "b0" ] "the log"))

          testCase "a lost response: the retry is acknowledged with the offset that the batch already has" (fun () ->
              withMockPartition patient (fun mock client ->
                  let producer = transactional mock client
                  Expect.equal (acknowledged (producer.Produce(batch "a" 2))) 0L "the first"
                  producer.Client.Connect() |> ok |> ignore
                  mock.SetRtt(1, ms 15_000)
                  mock.StartTracking()

                  let cut () =
                      awaiting "the batch to arrive" (fun () ->
                          mock.Requests() |> List.exists (fun request -> request.ApiKey = ApiKey.Produce.Code))

                      mock.SetBrokerDown 1

                  let thread = Thread(cut, IsBackground = true)
                  thread.Start()
                  let lost = producer.Produce(batch "b" 3)
                  thread.Join()
                  Expect.equal lost.Result (ProduceResult.Unknown(Doubt.AnswerLost ClientFault.Closed)) "the outcome"
                  mock.SetRtt(1, ms 0)
                  mock.SetBrokerUp 1
                  (soon RetryPolicy.idempotent).Run(fun call -> producer.Retry call) |> acknowledged |> ignore
                  Expect.equal (acknowledged (producer.Produce(batch "c" 1))) 5L "the next is after it"
                  Expect.equal (log mock) [ "a0"; "a1"; "b0"; "b1"; "b2"; "c0" ] "the log"))

          testCase "without a policy nothing is sent twice" (fun () ->
              withMockPartition patient (fun mock client ->
                  let producer = transactional mock client
                  producer.Client.Connect() |> ok |> ignore
                  mock.StartTracking()
                  mock.PushErrors(ApiKey.Produce.Code, [ MockCluster.Disconnect; ErrorCode.NotLeaderOrFollower.Code ])
                  producer.Produce(batch "a" 1) |> ignore
                  producer.Retry() |> ignore

                  Expect.hasLength
                      (mock.Requests() |> List.filter (fun request -> request.ApiKey = ApiKey.Produce.Code))
                      2
                      "one request for each call")) ]

[<Tests>]
let tests = testList "retry" [ injected; trouble ]
