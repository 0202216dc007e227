/// What holds for every call of every client: one deadline over all that it does, one attempt number, and state that no observer can spoil.
module LibKafka.Integration.OperationTests

open System
open System.Diagnostics
open System.Threading
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Replay
open LibKafka.Integration.Support

/// A broker that has every role, knows these APIs in all versions, and gives a new epoch with each end of a transaction. Before each response
/// it does something.
let private serving (before: Received -> unit) (test: ScriptedBroker -> Bootstrap -> unit) =
    let table =
        Script.everythingBut
            [ for key in [ ApiKey.InitProducerId; ApiKey.EndTxn; ApiKey.Heartbeat; ApiKey.ConsumerGroupHeartbeat; ApiKey.ListGroups ] ->
                  Script.versions key 0 99 ]

    let finalized: ApiVersions.FinalizedFeature = { Name = "transaction.version"; MaxVersionLevel = 2s; MinVersionLevel = 2s }

    let versions = { Script.versionsResponse ErrorCode.None table with FinalizedFeatures = [ finalized ] }

    let respond me (received: Received) =
        match received.Request with
        | Request.ApiVersions _ -> Script.answer ApiVersions.api received versions
        | Request.Metadata _ -> Script.answer Metadata.api received (Script.metadata me [ Script.topic "t" Guid.Empty ])
        | Request.FindCoordinator request -> coordinating me received request
        | Request.ListOffsets request -> Script.answer ListOffsets.api received (Script.found 7L request)
        | Request.Produce request -> Script.answer Produce.api received (Script.produced id request)
        | Request.CreateTopics _ -> Script.answer CreateTopics.api received CreateTopics.response.Default
        | Request.ListGroups _ -> Script.answer ListGroups.api received ListGroups.response.Default
        | Request.Heartbeat _ -> Script.answer Heartbeat.api received Heartbeat.response.Default
        | Request.InitProducerId _ ->
            let given = { InitProducerId.response.Default with ProducerId = 40L; ProducerEpoch = 5s }
            Script.answer InitProducerId.api received given
        | Request.EndTxn request ->
            let next: EndTxn.Response = { EndTxn.response.Default with ProducerId = 40L; ProducerEpoch = request.ProducerEpoch + 1s }

            Script.answer EndTxn.api received next
        | Request.ConsumerGroupHeartbeat _ ->
            let joined = { ConsumerGroupHeartbeat.response.Default with MemberId = Some "m"; MemberEpoch = 3 }
            Script.answer ConsumerGroupHeartbeat.api received joined
        | _ -> Script.unexpected received

    let script me received =
        before received
        respond me received

    Scripted.broker script (fun broker -> test broker (Bootstrap.ofAddresses [ broker.Address ]))

let private clientOf settings brokers = new PartitionClient(settings, brokers, { Topic = "t"; Partition = 0 })
let private fetcherOf (client: PartitionClient) = new PartitionFetcher(client, { FetcherSettings.standard with MaxWait = ms 1 }, 0L)
let private producerOf (client: PartitionClient) = new PartitionProducer(client, ProducerSettings.standard)

/// A call of each kind, on a client of its own, and its fault. Each takes at least two exchanges.
let private calls: (string * (ClientSettings -> Bootstrap -> CallOptions -> ClientFault option)) list =
    [ "cluster",
      (fun settings brokers call ->
          match Cluster.FindLeader(settings, brokers, { Topic = "t"; Partition = 0 }, call) with
          | Ok _ -> None
          | Error fault -> Some fault)
      "producer",
      (fun settings brokers call ->
          use client = clientOf settings brokers
          ((producerOf client).Produce(batch "r" 1, call)).Exchange.Info.Fault)
      "fetcher",
      (fun settings brokers call ->
          use client = clientOf settings brokers
          ((fetcherOf client).FindOffset(OffsetSpec.Latest, call)).Exchange.Info.Fault)
      "group",
      (fun settings brokers call ->
          use group = new GroupClient(settings, brokers, "g")
          group.Heartbeat({ GroupMembership.none with MemberId = "m" }, call).Info.Fault)
      "consumer group",
      (fun settings brokers call ->
          use one = new ConsumerGroupClient(settings, brokers, "g", ConsumerGroupSubscription.topics [ "t" ])
          one.Heartbeat(call).Info.Fault)
      "transaction",
      (fun settings brokers call ->
          use transaction = new TransactionClient(settings, brokers, "tx")
          transaction.InitProducerId(ms 1000, call).Exchange.Info.Fault)
      "admin",
      (fun settings brokers call ->
          use admin = new AdminClient(settings, brokers)

          match admin.ListGroups(call = call).Result with
          | Error(AdminFault.Fault fault)
          | Ok [ _, Error(AdminFault.Fault fault) ] -> Some fault
          | Ok [ _, Ok _ ] -> None
          | other -> failtestf "%A" other) ]

let private attempts =
    testList
        "the attempt"
        [ for name, make in calls do
              testCase ("is the number of every exchange of a call, those that find the broker included: " + name) (fun () ->
                  let observer = Observer()

                  serving ignore (fun _ brokers ->
                      let settings = { patient with Observe = observer.Note }
                      Expect.equal (make settings brokers { CallOptions.standard with Attempt = 4 }) None "no fault"
                      Expect.isGreaterThan observer.Exchanges.Length 1 "there are several"
                      Expect.equal (observer.Exchanges |> List.map _.Attempt |> List.distinct) [ 4 ] "their attempts")) ]

let private deadline =
    let rec isTimedOut (fault: ClientFault) =
        match fault with
        | ClientFault.TimedOut after -> after <= ms 200
        | ClientFault.NoBroker tried -> tried |> List.forall (snd >> isTimedOut)
        | _ -> false

    testList
        "one deadline"
        [ for name, make in calls do
              testCase ("holds for all exchanges of a call together: " + name) (fun () ->
                  // Each of them would be over in time.
                  serving (fun _ -> Thread.Sleep 120) (fun _ brokers ->
                      let settings = { patient with CallTimeout = ms 200 }

                      match make settings brokers CallOptions.standard with
                      | Some fault when isTimedOut fault -> ()
                      | other -> failtestf "a time-out was expected: %O" other

                      Expect.equal
                          (make settings brokers { CallOptions.standard with Timeout = Some(ms 20_000) })
                          None
                          "with the time that they need together"))

          testCase "is not begun again for each broker that does not respond" (fun () ->
              let brokers = List.init 6 (fun _ -> new ScriptedBroker(fun _ _ -> []))

              try
                  let settings = { patient with ConnectTimeout = ms 200; CallTimeout = ms 500 }
                  use client = clientOf settings (Bootstrap.ofAddresses (brokers |> List.map _.Address))
                  let clock = Stopwatch.StartNew()

                  match faultOf ((fetcherOf client).FindOffset OffsetSpec.Latest).Result with
                  | ClientFault.NoBroker tried ->
                      Expect.isLessThan tried.Length 6 "the time was over before all were tried"

                      for _, fault in tried do
                          match fault with
                          | ClientFault.TimedOut _ -> ()
                          | other -> failtestf "%O" other
                  | other -> failtestf "%O" other

                  Expect.isGreaterThanOrEqual clock.Elapsed (ms 475) "not before its time"
              finally
                  brokers |> List.iter (fun broker -> (broker :> IDisposable).Dispose()))

          testCase "is that of the options, if they have a time-out" (fun () ->
              Scripted.connection patient (fun _ -> []) (fun _ connection ->
                  let exchange = connection.Call(ListOffsets.api, Script.askLatest, { CallOptions.standard with Timeout = Some(ms 150) })
                  Expect.equal (faultOf exchange.Result) (ClientFault.TimedOut(ms 150)) "the fault"))

          testCase "is as long as a broker may wait by the call's own argument" (fun () ->
              serving (fun received -> if received.Header.ApiKey = ApiKey.CreateTopics then Thread.Sleep 400) (fun _ brokers ->
                  use admin = new AdminClient({ patient with CallTimeout = ms 300 }, brokers)
                  let topics: NewTopic list = []
                  let reply = admin.CreateTopics(topics, ms 1_000)
                  Expect.isEmpty reply.Result "no topics"
                  Expect.equal (reply.Exchanges |> List.map _.Fault |> List.distinct) [ None ] "no fault")) ]

/// Settings whose observer throws when it sees an exchange of this API.
let private throwingAt (api: ApiKey) : ClientSettings =
    { patient with Observe = fun info -> if info.Api = api then failwith "the disk is full" }

let private throws (work: unit -> 'T) =
    Expect.throwsC (fun () -> work () |> ignore) (fun error -> Expect.equal error.Message "the disk is full" "the observer's own")

let private observers =
    testList
        "an observer that throws"
        [ testCase "does not keep an idempotent producer from knowing that its batch was acknowledged" (fun () ->
              serving ignore (fun _ brokers ->
                  use client = clientOf (throwingAt ApiKey.Produce) brokers
                  let identity = { ProducerId = 1L; ProducerEpoch = 0s }
                  let producer = IdempotentProducer(client, ProducerSettings.standard, identity)
                  throws (fun () -> producer.Produce(batch "r" 3))
                  Expect.equal producer.State (ProducerState.Ready 3) "the next sequence"))

          testCase "before the batch is sent leaves the producer with a batch that can be produced again" (fun () ->
              serving ignore (fun _ brokers ->
                  let mutable isFull = true
                  let settings = { patient with Observe = fun _ -> if isFull then failwith "the disk is full" }
                  use client = clientOf settings brokers
                  let producer = IdempotentProducer(client, ProducerSettings.standard, { ProducerId = 1L; ProducerEpoch = 0s })
                  let sent = batch "r" 3
                  throws (fun () -> producer.Produce sent)
                  isFull <- false
                  producer.Produce sent |> acknowledged |> ignore
                  Expect.equal producer.State (ProducerState.Ready 3) "the next sequence"))

          testCase "does not lose the epoch that the end of a transaction gave" (fun () ->
              serving ignore (fun _ brokers ->
                  use transaction = new TransactionClient(throwingAt ApiKey.EndTxn, brokers, "tx")
                  Expect.isOk (transaction.InitProducerId(ms 1000)).Result "an identity"
                  throws (fun () -> transaction.Commit())
                  Expect.equal transaction.Identity (Some { ProducerId = 40L; ProducerEpoch = 6s }) "the next one"))

          testCase "does not lose the identity of a transactional producer" (fun () ->
              serving ignore (fun _ brokers ->
                  use transaction = new TransactionClient(throwingAt ApiKey.InitProducerId, brokers, "tx")
                  throws (fun () -> transaction.InitProducerId(ms 1000))
                  Expect.equal transaction.Identity (Some { ProducerId = 40L; ProducerEpoch = 5s }) "it"))

          testCase "does not lose a member's epoch" (fun () ->
              serving ignore (fun _ brokers ->
                  let subscription = ConsumerGroupSubscription.topics [ "t" ]
                  use one = new ConsumerGroupClient(throwingAt ApiKey.ConsumerGroupHeartbeat, brokers, "g", subscription)
                  throws (fun () -> one.Heartbeat())
                  Expect.equal (one.MemberId, one.Epoch) ("m", 3) "id and epoch"))

          testCase "does not lose the position that was sought" (fun () ->
              serving ignore (fun _ brokers ->
                  use client = clientOf (throwingAt ApiKey.ListOffsets) brokers
                  let fetcher = fetcherOf client
                  throws (fun () -> fetcher.Seek OffsetSpec.Latest)
                  Expect.equal fetcher.Offset 7L "the position"))

          testCase "while a coordinator, a leader or the controller is found leaks no connection" (fun () ->
              for api, find in
                  [ ApiKey.FindCoordinator,
                    (fun settings brokers ->
                        use group = new GroupClient(settings, brokers, "g")
                        group.Heartbeat GroupMembership.none |> ignore)
                    ApiKey.Metadata, (fun settings brokers -> (Cluster.ConnectController(settings, brokers) |> ok).Close())
                    ApiKey.Metadata,
                    (fun settings brokers ->
                        use client = clientOf settings brokers
                        client.Connect() |> ok |> ignore) ] do
                  serving ignore (fun broker brokers ->
                      throws (fun () -> find (throwingAt api) brokers)
                      broker.AwaitEnd 0)) ]

[<Tests>]
let tests = testList "operation" [ attempts; deadline; observers ]
