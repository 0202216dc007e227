/// Scripted brokers inside the process, with the library's clients and Confluent.Kafka.
module LibKafka.Integration.TestBrokerScriptTests

open System
open System.Diagnostics
open System.Net
open System.Net.Sockets
open System.Threading
open System.Threading.Tasks
open Confluent.Kafka
open Expecto
open LibKafka
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Integration.Support

let private withBroker (brokers: int) (test: TestBroker -> unit) =
    use kafka = TestBroker.Start brokers
    kafka.Topic("orders", 1, brokers)
    test kafka
    Expect.isEmpty kafka.Failures "the broker failed"

let private clientOf (settings: ClientSettings) (kafka: TestBroker) =
    new PartitionClient(settings, Bootstrap.parse kafka.Bootstrap |> ok, { Topic = "orders"; Partition = 0 })

let private produce (settings: ClientSettings) (kafka: TestBroker) (name: string) : ProduceResult =
    use client = clientOf settings kafka
    (new PartitionProducer(client, ProducerSettings.standard)).Produce(batch name 1).Result

let private impatient = { patient with CallTimeout = ms 1500 }

let private log (kafka: TestBroker) = kafka.Log("orders", 0) |> valuesOf

/// A reaction to a Produce request: whether the client has to be unsure of the result, and whether the batch is in the log.
let private lossy: (string * Reaction * bool) list =
    [ "the response is cut off", Reaction.CutAfter 7, true
      "the response never begins", Reaction.CutAfter 0, true
      "the request is carried out and not answered", Reaction.Silence, true
      "the request is not carried out and not answered", Reaction.Ignore, false
      "the connection is closed", Reaction.Close, false
      "the request is cut off", Reaction.CutRequestAfter 9, false
      "the correlation id is wrong", Reaction.WrongCorrelationId, true
      "the response cannot be read", Reaction.Raw(Bytes [| 0uy; 0uy; 0uy; 2uy; 1uy; 1uy |]), false
      "the response is late", Reaction.Delay(ms 10_000), true ]

let private reactions =
    [ for name, reaction, isAppended in lossy do
          testCase ("a producer is unsure when " + name) (fun () ->
              withBroker 1 (fun kafka ->
                  kafka.Script.On(ApiKey.Produce, reaction) |> ignore

                  match produce impatient kafka "a" with
                  | ProduceResult.Unknown _ -> ()
                  | other -> failtestf "%O" other

                  Expect.equal (log kafka) (if isAppended then [ "a0" ] else []) "the log"

                  match produce patient kafka "b" with
                  | ProduceResult.Acknowledged _ -> ()
                  | other -> failtestf "the next request: %O" other))

      testCase "an error code is the only effect of a failure, and comes as often as asked" (fun () ->
          withBroker 1 (fun kafka ->
              let filter = RequestFilter(Api = Nullable ApiKey.Produce, Topic = "orders", Partition = Nullable 0)
              let rule = kafka.Script.On(filter, Reaction.Fail ErrorCode.NotEnoughReplicas, times = 2)

              for _ in 1..2 do
                  match produce patient kafka "a" with
                  | ProduceResult.Rejected(Rejection.ByBroker answer) -> Expect.equal answer.Error ErrorCode.NotEnoughReplicas "the code"
                  | other -> failtestf "%O" other

              Expect.equal rule.Hits 2 "the hits"
              Expect.isEmpty (log kafka) "the log"
              produce patient kafka "b" |> ignore
              Expect.equal (log kafka) [ "b0" ] "the log after it"))

      testCase "a remembered request keeps its bytes when the next one arrives on the same connection" (fun () ->
          withBroker 1 (fun kafka ->
              use client = clientOf patient kafka
              let producer = new PartitionProducer(client, ProducerSettings.standard)

              for name in [ "a"; "b" ] do
                  acknowledged (producer.Produce(batch name 1)) |> ignore

              let produced =
                  [ for exchange in kafka.Requests do
                        match exchange.Request with
                        | Request.Produce request ->
                            let records = request.Topics[0].Partitions[0].Records |> Option.get
                            yield! RecordBatch.ofBytes records |> ok |> RecordBatch.toList Reading.standard |> ok |> valuesOf
                        | _ -> () ]

              Expect.equal produced [ "a0"; "b0" ] "the records of both requests"))

      testCase "a filter does not apply to other topics, partitions, versions, clients and brokers" (fun () ->
          withBroker 1 (fun kafka ->
              let fail (filter: RequestFilter) = kafka.Script.On(filter, Reaction.Fail ErrorCode.CorruptMessage)

              let rules =
                  [ fail (RequestFilter(Api = Nullable ApiKey.Heartbeat))
                    fail (RequestFilter(Topic = "other"))
                    fail (RequestFilter(Topic = "orders", Partition = Nullable 1, Api = Nullable ApiKey.Produce))
                    fail (RequestFilter(Version = Nullable 99s))
                    fail (RequestFilter(ClientId = "other"))
                    fail (RequestFilter(Broker = Nullable 7))
                    fail (RequestFilter(Where = Func<_, _>(fun exchange -> exchange.Number < 0L))) ]

              produce patient kafka "a" |> ignore
              Expect.equal (log kafka) [ "a0" ] "the log"
              Expect.isTrue (rules |> List.forall (fun rule -> rule.Hits = 0)) "no rule was used"))

      testCase "a function decides, and changes responses" (fun () ->
          withBroker 1 (fun kafka ->
              let change (response: Response) =
                  match response with
                  | Response.Metadata metadata -> Response.Metadata { metadata with ClusterId = Some "changed" }
                  | other -> other

              let decide (exchange: LibKafka.Testing.BrokerExchange) =
                  if exchange.Api = ApiKey.Metadata then Reaction.Change(Func<_, _> change) else Reaction.Proceed

              kafka.Script.On(RequestFilter(), Func<_, _> decide, Int32.MaxValue) |> ignore
              use connection = Connection.Open(patient, { Host = "127.0.0.1"; Port = kafka.State.Nodes[1].Port }) |> ok
              let request: Metadata.Request =
                  { Topics = None
                    AllowAutoTopicCreation = false
                    IncludeClusterAuthorizedOperations = false
                    IncludeTopicAuthorizedOperations = false }

              Expect.equal (ok (connection.Call(Metadata.api, request)).Result).ClusterId (Some "changed") "the cluster id"
              kafka.Script.Clear()
              Expect.notEqual (ok (connection.Call(Metadata.api, request)).Result).ClusterId (Some "changed") "without the script"))

      testCase "the log of requests forgets the oldest ones beyond its limits" (fun () ->
          let log = ExchangeLog(3, 100L)
          let header = { ApiKey = ApiKey.Heartbeat; ApiVersion = 0s; CorrelationId = 1; ClientId = None }
          let request = Request.Heartbeat { GroupId = "g"; GenerationId = 0; MemberId = ""; GroupInstanceId = None }
          let add size = log.Add(1, 1L, header, request, size)
          let numbers () = [ for exchange in log.Snapshot() -> exchange.Number ]
          let added = [ for _ in 1..4 -> add 10 ]
          Expect.equal (numbers ()) [ 2L; 3L; 4L ] "by number"
          log.Grow(added[3], 75)
          Expect.equal (numbers ()) [ 3L; 4L ] "by the size of a response"
          log.Grow(added[0], 1000)
          Expect.equal (numbers ()) [ 3L; 4L ] "a response of a forgotten request"
          add 1000 |> ignore
          Expect.equal (numbers ()) [ 5L ] "the last one is always kept")

      testCase "the log of requests counts the memory that responses keep, and what several of them share once" (fun () ->
          let log = ExchangeLog(10, 1000L)
          let header = { ApiKey = ApiKey.Fetch; ApiVersion = 11s; CorrelationId = 1; ClientId = None }
          let numbers () = [ for exchange in log.Snapshot() -> exchange.Number ]

          /// A fetch of 10 bytes of an array.
          let fetch (array: byte[]) =
              let partition = { Fetch.partitionResponse.Default with Records = Some(Bytes(ReadOnlyMemory<byte>(array, 0, 10))) }

              let topic: Fetch.TopicResponse = { Topic = "t"; TopicId = Guid.Empty; Partitions = [ partition ] }
              let exchange = log.Add(1, 1L, header, Request.Fetch Fetch.request.Default, 50)
              exchange.Answer(Response.Fetch { Fetch.response.Default with Topics = [ topic ] })
              log.Grow(exchange, 60)

          let first = Array.zeroCreate<byte> 700
          fetch first
          fetch first
          Expect.equal (numbers ()) [ 1L; 2L ] "900 bytes, of which they share 700"
          fetch (Array.zeroCreate 300)
          Expect.equal (numbers ()) [ 3L ] "both are forgotten before the first array is"
          fetch (Array.zeroCreate 500)
          Expect.equal (numbers ()) [ 3L; 4L ] "1000 bytes")

      testCase "requests and responses are values, and a test waits for them" (fun () ->
          withBroker 1 (fun kafka ->
              produce patient kafka "a" |> ignore
              let exchange = kafka.WaitFor(ApiKey.Produce, ms 1000)

              match exchange.Request, exchange.Response with
              | Request.Produce request, Some(Response.Produce response) ->
                  Expect.equal request.Topics.Length 1 "the request"
                  Expect.equal response.Topics.Head.Partitions.Head.BaseOffset 0L "the response"
              | _ -> failtestf "%O" exchange

              Expect.exists kafka.Requests (fun other -> other.Api = ApiKey.Metadata) "the requests"
              kafka.ClearRequests()
              Expect.throwsT<TimeoutException> (fun () -> kafka.WaitFor(ApiKey.Produce, ms 50) |> ignore) "there is none"
              let later = async {
                  do! Async.Sleep 100
                  produce patient kafka "b" |> ignore
              }
              let started = Async.StartAsTask later
              Expect.equal (kafka.WaitFor(ApiKey.Produce, ms 10_000)).Api ApiKey.Produce "the next one"
              started.Wait())) ]

let private cluster =
    [ testCase "another replica leads when a broker is stopped, and the broker comes back on its port" (fun () ->
          withBroker 3 (fun kafka ->
              let leader () = kafka.State.Topics["orders"].Partitions[0].Leader.Value
              let before = leader ()
              produce patient kafka "a" |> ignore
              kafka.StopBroker before
              Expect.notEqual (leader ()) before "another leader"

              match produce patient kafka "b" with
              | ProduceResult.Acknowledged at -> Expect.equal at.BaseOffset 1L "the offset"
              | other -> failtestf "%O" other

              kafka.StartBroker before
              kafka.MoveLeader("orders", 0, before)
              produce patient kafka "c" |> ignore
              Expect.equal (leader ()) before "the leader"
              Expect.equal kafka.State.Topics["orders"].Partitions[0].LeaderEpoch 2 "the leader epoch"
              Expect.equal (log kafka) [ "a0"; "b0"; "c0" ] "the log"))

      testCase "a consumer reads from the replica in its rack, and from the leader if that replica is stopped" (fun () ->
          use kafka = TestBroker.Start(TestBrokerOptions(Brokers = 3, Racks = [ "a"; "b"; "c" ]))
          kafka.Topic("orders", 1, 3)
          let leader = kafka.State.Topics["orders"].Partitions[0].Leader.Value
          let follower = leader % 3 + 1
          use client = clientOf patient kafka
          let rack = Option.get kafka.State.Nodes[follower].Rack
          use fetcher = new PartitionFetcher(client, { FetcherSettings.standard with RackId = rack }, 0L)

          let served () =
              kafka.Requests
              |> Seq.filter (fun exchange ->
                  match exchange.Response with
                  | Some(Response.Fetch response) ->
                      response.Topics
                      |> List.exists (fun topic ->
                          topic.Partitions |> List.exists (fun one -> one.Records |> Option.exists (fun bytes -> bytes.Length > 0)))
                  | _ -> false)
              |> Seq.map _.Broker
              |> List.ofSeq

          produce patient kafka "a" |> ignore
          Expect.equal (fetchUntil 1L fetcher |> valuesOf) [ "a0" ] "a record"
          Expect.equal (served ()) [ follower ] "from the replica"
          kafka.StopBroker follower
          produce patient kafka "b" |> ignore
          Expect.equal (fetchUntil 2L fetcher |> valuesOf) [ "b0" ] "the next record"
          Expect.equal (served ()) [ follower; leader ] "from the leader"
          Expect.isEmpty kafka.Failures "the broker failed")

      testCase "a consumer whose fetch session was evicted opens another one, and misses nothing" (fun () ->
          withBroker 1 (fun kafka ->
              use client = clientOf patient kafka
              use fetcher = new PartitionFetcher(client, { FetcherSettings.standard with UseSession = true }, 0L)

              let sessions () =
                  [ for exchange in kafka.Requests do
                        match exchange.Response with
                        | Some(Response.Fetch response) -> response.Error, response.SessionId
                        | _ -> () ]

              produce patient kafka "a" |> ignore
              Expect.equal (fetchUntil 1L fetcher |> valuesOf) [ "a0" ] "a record"
              let first = sessions () |> List.last |> snd
              Expect.notEqual first 0 "a session"
              kafka.EvictFetchSessions()
              Expect.equal (ok (codeOf (fetcher.Fetch()).Result)) ErrorCode.FetchSessionIdNotFound "the session is not there"
              produce patient kafka "b" |> ignore
              Expect.equal (fetchUntil 2L fetcher |> valuesOf) [ "b0" ] "the next record"
              let error, second = sessions () |> List.last
              Expect.equal error ErrorCode.None "the last fetch"
              Expect.isFalse (second = 0 || second = first) "another session"))

      testCase "a paused broker answers after the pause" (fun () ->
          withBroker 1 (fun kafka ->
              use client = clientOf patient kafka
              let producer = new PartitionProducer(client, ProducerSettings.standard)
              acknowledged (producer.Produce(batch "a" 1)) |> ignore
              kafka.PauseBroker 1
              let watch = Stopwatch.StartNew()

              let resume = async {
                  do! Async.Sleep 300
                  kafka.ResumeBroker 1
              }

              let started = Async.StartAsTask resume
              Expect.equal (acknowledged (producer.Produce(batch "b" 1))) 1L "the answer"
              Expect.isGreaterThan watch.Elapsed (ms 250) "the time"
              started.Wait()))

      testCase "truncation loses records and raises the leader epoch" (fun () ->
          withBroker 1 (fun kafka ->
              for name in [ "a"; "b"; "c" ] do
                  produce patient kafka name |> ignore

              kafka.TruncateLog("orders", 0, 1L)
              Expect.equal (log kafka) [ "a0" ] "the log"
              Expect.equal kafka.State.Topics["orders"].Partitions[0].LeaderEpoch 1 "the epoch"
              produce patient kafka "d" |> ignore
              Expect.equal (log kafka) [ "a0"; "d0" ] "the log after it"))

      testCase "a change of the release changes the versions" (fun () ->
          withBroker 1 (fun kafka ->
              kafka.SetRelease "2.3"

              match produce patient kafka "a" with
              | ProduceResult.Acknowledged _ -> ()
              | other -> failtestf "%O" other

              Expect.isLessThanOrEqual (kafka.WaitFor(ApiKey.Produce, ms 1000)).Version 7s "the version"
              Expect.equal (log kafka) [ "a0" ] "the log"))

      testCase "records are appended without a client, and compacted" (fun () ->
          withBroker 1 (fun kafka ->
              Expect.equal (kafka.Produce("orders", "a", "b")) 0L "the first offset"
              Expect.equal (kafka.Produce("orders", "c")) 2L "the next offset"
              use client = clientOf patient kafka
              let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
              Expect.equal (fetchUntil 3L fetcher |> valuesOf) [ "a"; "b"; "c" ] "what a client reads"
              kafka.Topic "keyed"
              let keyed (key: string) (value: string) = { record 0 value with Key = text key }
              kafka.Produce("keyed", 0, [ keyed "k" "old"; keyed "l" "other"; keyed "k" "new" ]) |> ignore
              kafka.Produce("keyed", 0, [ keyed "m" "last" ]) |> ignore
              kafka.Compact "keyed"
              Expect.equal (kafka.Log "keyed" |> valuesOf) [ "other"; "new"; "last" ] "the log"))

      testCase "a log has no records from before its log start offset, even if that is inside a batch" (fun () ->
          withBroker 1 (fun kafka ->
              kafka.Produce("orders", "a", "b", "c") |> ignore
              kafka.Produce("orders", "d") |> ignore
              kafka.DeleteRecords("orders", 0, 2L)
              Expect.equal [ for record in kafka.Log "orders" -> record.Offset ] [ 2L; 3L ] "the offsets"
              Expect.equal (List.ofSeq (kafka.Values "orders")) [ "c"; "d" ] "the values"))

      testCase "connections that are reset or closed while they are accepted do no harm" (fun () ->
          withBroker 1 (fun kafka ->
              use proxy = FaultProxy.Start kafka.Bootstrap
              use stop = new CancellationTokenSource()

              let close () =
                  while not stop.IsCancellationRequested do
                      kafka.CloseConnections 1
                      proxy.CloseConnections()

              let closing = Task.Run close

              for bootstrap in List.replicate 150 [ kafka.Bootstrap; proxy.Bootstrap ] |> List.concat do
                  use client = new Socket(SocketType.Stream, ProtocolType.Tcp)
                  // Closing it resets the connection.
                  client.LingerState <- LingerOption(true, 0)
                  client.Connect(IPEndPoint.Parse bootstrap)

              stop.Cancel()
              closing.Wait()

              for bootstrap in [ kafka.Bootstrap; proxy.Bootstrap ] do
                  use connection = Cluster.Connect(patient, Bootstrap.parse bootstrap |> ok) |> ok
                  Expect.isTrue (Result.isOk (connection.VersionOf Metadata.api)) bootstrap))

      testCase "misuse is refused" (fun () ->
          withBroker 1 (fun kafka ->
              let throws (action: unit -> unit) =
                  try
                      action ()
                      failtest "not refused"
                  with :? ArgumentException ->
                      ()

              throws (fun () -> kafka.StopBroker 9)
              throws (fun () -> kafka.MoveLeader("none", 0, 1))
              throws (fun () -> kafka.Produce("none", "a") |> ignore)
              throws (fun () -> kafka.Compact "none")
              throws (fun () -> kafka.ApplyRetention "none")
              throws (fun () -> kafka.Rebalance "none")
              throws (fun () -> kafka.ExpireSessions "none")
              throws (fun () -> kafka.ClearAssignment "none")
              throws (fun () -> (TestBroker.Start(TestBrokerOptions(MaxSessionTimeout = TimeSpan.MaxValue))).Dispose())
              throws (fun () -> kafka.DeleteRecords("orders", 0, 1L))
              throws (fun () -> kafka.Script.On(ApiKey.Produce, Reaction.Close, 0) |> ignore)
              throws (fun () -> Reaction.CutAfter -1 |> ignore)
              throws (fun () -> Reaction.Close.After(ms -1) |> ignore))) ]

/// A transactional producer of Confluent.Kafka.
let private transactional (kafka: TestBroker) =
    let config =
        ProducerConfig(BootstrapServers = kafka.Bootstrap, TransactionalId = "tx", TransactionTimeoutMs = 10_000, LingerMs = 0.0)

    let producer = ProducerBuilder<Null, string>(config).Build()
    producer.InitTransactions(TimeSpan.FromSeconds 20.0)
    producer

/// What a consumer that reads only committed records gets.
let private committed (kafka: TestBroker) (count: int) : string list =
    let config =
        ConsumerConfig(
            BootstrapServers = kafka.Bootstrap,
            GroupId = "reader",
            IsolationLevel = Nullable Confluent.Kafka.IsolationLevel.ReadCommitted,
            EnableAutoCommit = false
        )

    use consumer = ConsumerBuilder<Ignore, string>(config).Build()
    consumer.Assign(TopicPartitionOffset("orders", Partition 0, Offset.Beginning))

    [ for _ in 1..count do
          match consumer.Consume(TimeSpan.FromSeconds 10.0) with
          | null -> ()
          | found -> found.Message.Value ]

let private transactions =
    [ testCase "Confluent.Kafka commits and aborts transactions" (fun () ->
          withBroker 3 (fun kafka ->
              use producer = transactional kafka

              for number in 1..6 do
                  producer.BeginTransaction()
                  for part in [ "a"; "b" ] do
                      producer.Produce("orders", Message<Null, string>(Value = part + string number))

                  if number % 2 = 0 then
                      producer.AbortTransaction(TimeSpan.FromSeconds 20.0)
                  else
                      producer.CommitTransaction(TimeSpan.FromSeconds 20.0)

              Expect.equal (committed kafka 6) [ "a1"; "b1"; "a3"; "b3"; "a5"; "b5" ] "the committed records"))

      testCase "Confluent.Kafka is fenced by a newer producer" (fun () ->
          withBroker 1 (fun kafka ->
              use old = transactional kafka
              old.BeginTransaction()
              old.Produce("orders", Message<Null, string>(Value = "lost"))
              old.Flush(TimeSpan.FromSeconds 10.0) |> ignore
              use young = transactional kafka
              young.BeginTransaction()
              young.Produce("orders", Message<Null, string>(Value = "kept"))
              young.CommitTransaction(TimeSpan.FromSeconds 20.0)
              Expect.throws (fun () -> old.CommitTransaction(TimeSpan.FromSeconds 20.0)) "fenced"
              Expect.equal (committed kafka 1) [ "kept" ] "the committed records")) ]

[<Tests>]
let tests = testList "script of the test broker" [ yield! reactions; yield! cluster; testList "transactions" transactions ]
