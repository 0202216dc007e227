/// A cluster in trouble: leaders that move, brokers that go down and come back, requests and responses that are lost. Only a mock cluster does
/// all that on demand.
module LibKafka.Integration.TroubleTests

open System.Diagnostics
open System.Threading
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Tests
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support

let private fetcherOf (client: PartitionClient) = new PartitionFetcher(client, { FetcherSettings.standard with MaxWait = ms 1 }, 0L)

let private produce (client: PartitionClient) (name: string) : Produced =
    (new PartitionProducer(client, ProducerSettings.standard)).Produce(batch name 1)

/// The content of the log, read by another client.
let private log (mock: MockCluster) : string list =
    use client = new PartitionClient(patient, Bootstrap.parse mock.Bootstrap |> ok, { Topic = "t"; Partition = 0 })
    let fetcher = fetcherOf client
    let finish = (fetcher.FindOffset OffsetSpec.Latest).Offset
    Expect.isSome finish "the log has an end"
    valuesOf (fetchUntil finish.Value fetcher)

let private refusedWith (code: ErrorCode) (produced: Produced) : Produce.PartitionResponse =
    match produced.Result with
    | ProduceResult.Rejected(Rejection.ByBroker answer) when answer.Error = code -> answer
    | other -> failtestf "%O was expected: %O" code other

let private leaderOf (client: PartitionClient) = client.Leader |> Option.map _.NodeId

let private moves =
    testList
        "the leader moves"
        [ testCase "a producer gets the error once, with the new leader, and its next call goes there" (fun () ->
              withMockPartition patient (fun mock client ->
                  Expect.equal (acknowledged (produce client "a")) 0L "before"
                  Expect.equal (leaderOf client) (Some 1) "the old leader"
                  mock.SetLeader("t", 0, 2)

                  let told = produce client "lost"
                  let answer = refusedWith ErrorCode.NotLeaderOrFollower told
                  Expect.equal answer.CurrentLeader.LeaderId 2 "the new leader is in the answer"

                  let endpoints = (ok told.Exchange.Result).Value.NodeEndpoints
                  let address = mock.Brokers |> List.pick (fun (id, _, port) -> if id = 2 then Some port else None)
                  Expect.equal (endpoints |> List.map (fun node -> node.NodeId, node.Port)) [ 2, address ] "and its address"
                  Expect.isNone client.Connection "the connection is dropped"

                  Expect.equal (acknowledged (produce client "b")) 1L "after"
                  Expect.equal (leaderOf client) (Some 2) "the new leader"
                  Expect.equal (log mock) [ "a0"; "b0" ] "what was refused is not in the log"))

          testCase "a fetcher gets the error once, with the new leader, and its next call goes there" (fun () ->
              withMockPartition patient (fun mock client ->
                  produce client "a" |> acknowledged |> ignore
                  let fetcher = fetcherOf client
                  Expect.equal (valuesOf (recordsOf (fetcher.Fetch()))) [ "a0" ] "before"
                  mock.SetLeader("t", 0, 3)

                  let answer = (fetcher.Fetch()).Answer.Value
                  Expect.equal answer.Error ErrorCode.NotLeaderOrFollower "the code"
                  Expect.equal answer.CurrentLeader.LeaderId 3 "the new leader is in the answer"
                  Expect.isNone client.Connection "the connection is dropped"

                  Expect.equal (valuesOf (recordsOf (fetcher.Fetch()))) [ "a0" ] "after"
                  Expect.equal (leaderOf client) (Some 3) "the new leader"))

          testCase "a search for an offset gets the error once, and the next one goes to the new leader" (fun () ->
              withMockPartition patient (fun mock client ->
                  let fetcher = fetcherOf client
                  Expect.equal (fetcher.FindOffset OffsetSpec.Latest).Offset (Some 0L) "before"
                  mock.SetLeader("t", 0, 2)
                  Expect.equal (ok (codeOf (fetcher.FindOffset OffsetSpec.Latest).Result)) ErrorCode.NotLeaderOrFollower "the code"
                  Expect.isNone client.Connection "the connection is dropped"
                  Expect.equal (fetcher.FindOffset OffsetSpec.Latest).Offset (Some 0L) "after"))

          testCase "a fetcher with an earlier epoch is fenced once, and then has the new one" (fun () ->
              withMockPartition patient (fun mock client ->
                  produce client "a" |> acknowledged |> ignore
                  let fetcher = fetcherOf client
                  fetcher.Fetch() |> recordsOf |> ignore
                  let before = client.Leader.Value.Epoch
                  // The same broker, elected again.
                  mock.SetLeader("t", 0, 1)
                  Expect.equal (ok (codeOf (fetcher.Fetch()).Result)) ErrorCode.FencedLeaderEpoch "the code"
                  Expect.isNone client.Connection "the connection is dropped"
                  Expect.equal (valuesOf (recordsOf (fetcher.Fetch()))) [ "a0" ] "after"
                  Expect.equal client.Leader.Value.Epoch (before + 1) "the new epoch"))

          testCase "a fetcher that is ahead of the leader gets the error once, and then has the right epoch" (fun () ->
              withMockPartition patient (fun mock client ->
                  produce client "a" |> acknowledged |> ignore
                  let fetcher = fetcherOf client
                  let epoch = client.Leader.Value.Epoch
                  client.Close()
                  mock.PushLeaderInMetadata("t", 0, 1, epoch + 5)
                  Expect.equal (ok (codeOf (fetcher.Fetch()).Result)) ErrorCode.UnknownLeaderEpoch "the code"
                  Expect.isNone client.Connection "the connection is dropped"
                  Expect.equal (valuesOf (recordsOf (fetcher.Fetch()))) [ "a0" ] "after"
                  Expect.equal client.Leader.Value.Epoch epoch "the right epoch")) ]

let private outages =
    testList
        "a broker goes down"
        [ testCase "its calls are faults until it is back, and then the same client works" (fun () ->
              withMockPartition patient (fun mock client ->
                  Expect.equal (acknowledged (produce client "a")) 0L "before"
                  mock.SetBrokerDown 1

                  // The client sees that the connection has ended before it sends a batch. The other brokers no longer list it, although it still leads.
                  for _ in 1..2 do
                      match (produce client "c").Result with
                      | ProduceResult.Rejected(Rejection.NotSent(ClientFault.NoLeader(partition, code))) ->
                          Expect.equal partition client.Partition "the partition"
                          Expect.equal code ErrorCode.LeaderNotAvailable "the code"
                      | other -> failtestf "%O" other

                  mock.SetBrokerUp 1
                  Expect.equal (acknowledged (produce client "d")) 1L "after"
                  Expect.equal (log mock) [ "a0"; "d0" ] "the log"))

          testCase "with all brokers down none can be used until one is back" (fun () ->
              withMockPartition patient (fun mock client ->
                  let fetcher = fetcherOf client
                  fetcher.FindOffset OffsetSpec.Latest |> ignore
                  mock.SetBrokerDown MockCluster.AllBrokers
                  match faultOf (fetcher.FindOffset OffsetSpec.Latest).Result with
                  | ClientFault.NoBroker tried -> Expect.hasLength tried 3 "all of them were tried"
                  | other -> failtestf "%O" other

                  mock.SetBrokerUp MockCluster.AllBrokers
                  Expect.equal (fetcher.FindOffset OffsetSpec.Latest).Offset (Some 0L) "after"))

          testCase "and another takes over: the client finds it" (fun () ->
              withMockPartition patient (fun mock client ->
                  Expect.equal (acknowledged (produce client "a")) 0L "before"
                  mock.SetBrokerDown 1
                  mock.SetLeader("t", 0, 2)
                  Expect.equal (acknowledged (produce client "b")) 1L "within the same call"
                  Expect.equal (acknowledged (produce client "c")) 2L "after"
                  Expect.equal (leaderOf client) (Some 2) "the new leader")) ]

/// The codes that do not exclude that the leader has the batch: it cannot confirm its followers, has failed, or says something unknown.
let private unsure =
    [ ErrorCode.RequestTimedOut; ErrorCode.NotEnoughReplicasAfterAppend; ErrorCode.UnknownServerError; ErrorCode 999s ]

/// Every code that Kafka has, and one that does not exist.
let private codes = [ -1s; yield! [ 1s .. 136s ]; 999s ] |> List.map ErrorCode

let private injected =
    testList
        "a broker refuses"
        [ testCase "a batch with any code: it is rejected, and the next one succeeds" (fun () ->
              withMockPartition patient (fun mock client ->
                  let refusals = codes |> List.except unsure

                  for code in refusals do
                      mock.PushErrors(ApiKey.Produce.Code, [ code.Code ])
                      refusedWith code (produce client "refused") |> ignore
                      produce client (string code.Code + "-") |> acknowledged |> ignore

                  Expect.equal (log mock) [ for code in refusals -> string code.Code + "-0" ] "the log"))

          testCase "a batch with a code that may follow an append: the result is unknown" (fun () ->
              withMockPartition patient (fun mock client ->
                  for code in unsure do
                      mock.PushErrors(ApiKey.Produce.Code, [ code.Code ])

                      match (produce client "a").Result with
                      | ProduceResult.Unknown(Doubt.BrokerUnsure answer) -> Expect.equal answer.Error code "the code"
                      | other -> failtestf "%O" other))

          testCase "a fetch or a search with any code: it is data, and the next one succeeds" (fun () ->
              withMockPartition patient (fun mock client ->
                  produce client "a" |> acknowledged |> ignore
                  let fetcher = fetcherOf client

                  for code in codes do
                      mock.PushErrors(ApiKey.Fetch.Code, [ code.Code ])
                      let refused = fetcher.Fetch()
                      Expect.equal (ok (codeOf refused.Result)) code "the fetch's code"
                      Expect.isEmpty (recordsOf refused) "no records"
                      Expect.equal (valuesOf (recordsOf (fetcher.Fetch()))) [ "a0" ] "the next fetch"

                      mock.PushErrors(ApiKey.ListOffsets.Code, [ code.Code ])
                      let refused = fetcher.Seek OffsetSpec.Latest
                      Expect.equal (ok (codeOf refused.Result)) code "the search's code"
                      Expect.equal refused.Offset None "nothing was found"
                      Expect.equal fetcher.Offset 0L "the fetcher stays where it is"
                      Expect.equal (fetcher.FindOffset OffsetSpec.Latest).Offset (Some 1L) "the next search"))

          testCase "metadata of a topic: there is no leader, and the fault has the code" (fun () ->
              withMockPartition patient (fun mock client ->
                  mock.SetTopicError("t", ErrorCode.TopicAuthorizationFailed.Code)

                  Expect.equal
                      (produce client "a").Result
                      (ProduceResult.Rejected(
                          Rejection.NotSent(ClientFault.NoLeader(client.Partition, ErrorCode.TopicAuthorizationFailed))
                      ))
                      "the outcome"

                  mock.SetTopicError("t", 0s)
                  Expect.equal (acknowledged (produce client "a")) 0L "after"))

          testCase "a fetch whose offset is out of range: the bounds of the log are there if the broker reports them" (fun () ->
              withMockPartition patient (fun mock client ->
                  for name in [ "a"; "b"; "c" ] do
                      produce client name |> acknowledged |> ignore

                  mock.DeleteRecords("t", 0, 2L)
                  let fetched = (fetcherOf client).Fetch()
                  let answer = fetched.Answer.Value
                  Expect.equal answer.Error ErrorCode.OffsetOutOfRange "the code"
                  Expect.equal (answer.LogStartOffset, answer.HighWatermark) (2L, 3L) "the bounds"
                  Expect.equal ((fetcherOf client).Seek OffsetSpec.Earliest).Offset (Some 2L) "and the search agrees")) ]

/// Runs something in another thread as soon as a broker has received a request of an API.
let private whenReceived (mock: MockCluster) (api: ApiKey) (react: unit -> unit) : Thread =
    mock.StartTracking()

    let watch () =
        let patience = Stopwatch.StartNew()
        let isHere () = mock.Requests() |> List.exists (fun request -> request.ApiKey = api.Code)

        while not (isHere ()) && patience.Elapsed < ms 20_000 do
            Thread.Sleep 1

        react ()

    let thread = Thread(watch, IsBackground = true)
    thread.Start()
    thread

let private lost =
    testList
        "lost in transit"
        [ testCase "the response, after the batch was appended: the result is unknown, and the batch is in the log" (fun () ->
              withMockPartition patient (fun mock client ->
                  client.Connect() |> ok |> ignore
                  mock.SetRtt(1, ms 15_000)
                  let cut = whenReceived mock ApiKey.Produce (fun () -> mock.SetBrokerDown 1)
                  let produced = produce client "a"
                  cut.Join()
                  Expect.equal produced.Result (ProduceResult.Unknown(Doubt.AnswerLost ClientFault.Closed)) "the outcome"
                  Expect.isTrue produced.Exchange.Info.WasSent "it was sent"
                  mock.SetRtt(1, ms 0)
                  mock.SetBrokerUp 1
                  Expect.equal (log mock) [ "a0" ] "the log"))

          testCase "the response, because it was too late: the result is unknown, and the batch is in the log" (fun () ->
              withMockPartition { patient with CallTimeout = ms 300 } (fun mock client ->
                  client.Connect() |> ok |> ignore
                  mock.SetRtt(1, ms 15_000)
                  let produced = produce client "a"
                  Expect.equal produced.Result (ProduceResult.Unknown(Doubt.AnswerLost(ClientFault.TimedOut(ms 300)))) "the outcome"
                  mock.SetRtt(1, ms 0)
                  Expect.equal (acknowledged (produce client "b")) 1L "the next call is on a new connection"
                  Expect.equal (log mock) [ "a0"; "b0" ] "the log"))

          testCase "the request, before the batch was appended: the result is unknown, and the batch is not in the log" (fun () ->
              withMockPartition patient (fun mock client ->
                  mock.PushErrors(ApiKey.Produce.Code, [ MockCluster.Disconnect ])
                  Expect.equal (produce client "a").Result (ProduceResult.Unknown(Doubt.AnswerLost ClientFault.Closed)) "the outcome"
                  Expect.equal (acknowledged (produce client "b")) 0L "the next call is on a new connection"
                  Expect.equal (log mock) [ "b0" ] "the log"))

          testCase "a fetch: a fault, and the next one works" (fun () ->
              withMockPartition patient (fun mock client ->
                  produce client "a" |> acknowledged |> ignore
                  let fetcher = fetcherOf client
                  mock.PushErrors(ApiKey.Fetch.Code, [ MockCluster.Disconnect ])
                  Expect.equal (faultOf (fetcher.Fetch()).Result) ClientFault.Closed "the fault"
                  Expect.equal (valuesOf (recordsOf (fetcher.Fetch()))) [ "a0" ] "the next"))

          testCase "a batch is never sent twice, whatever the result" (fun () ->
              withMockPartition patient (fun mock client ->
                  client.Connect() |> ok |> ignore
                  mock.StartTracking()
                  let codes = [ MockCluster.Disconnect; ErrorCode.NotLeaderOrFollower.Code; ErrorCode.RequestTimedOut.Code ]
                  mock.PushErrors(ApiKey.Produce.Code, codes)

                  for _ in codes do
                      produce client "a" |> ignore

                  let arrived = mock.Requests() |> List.filter (fun request -> request.ApiKey = ApiKey.Produce.Code)
                  Expect.hasLength arrived codes.Length "one request for each call")) ]

let private coordinator =
    testCase "the coordinator that a cluster names is found, and the new one after it has moved" (fun () ->
        withMock 3 (fun mock ->
            use connection = Cluster.Connect(patient, Bootstrap.parse mock.Bootstrap |> ok) |> ok

            for kind, name in [ CoordinatorType.Group, "group"; CoordinatorType.Transaction, "transaction" ] do
                for node in [ 2; 3 ] do
                    mock.SetCoordinator(name, "key", node)
                    let response = ok (Cluster.FindCoordinator(connection, kind, "key")).Result
                    Expect.equal (Cluster.CoordinatorIn(response, "key")).NodeId node ("the coordinator of a " + name)))

[<Tests>]
let tests = testList "trouble" [ moves; outages; injected; lost; coordinator ]
