/// Fetchers that read from the nearest replica.
module LibKafka.Integration.FetcherReplicaTests

open System
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support
open LibKafka.Integration.FetcherSupport

let private replicas =
    let near = { FetcherSettings.standard with RackId = "here" }

    /// A leader that names replica 2, which responds with `replica`. The leader itself responds to requests without a rack.
    let withReplicaOf
        (client: ClientSettings)
        (replica: Fetch.Request -> Fetch.Response)
        settings
        (test: ScriptedBroker -> ScriptedBroker -> PartitionFetcher -> unit)
        =
        let follow (received: Received) =
            match received.Request with
            | Request.Fetch request -> Script.answer Fetch.api received (replica request)
            | _ -> Script.unexpected received

        Scripted.broker (fun _ -> Script.knowing Script.everything follow) (fun follower ->
            let lead me =
                Script.knowing Script.everything (fun received ->
                    match received.Request with
                    | Request.Metadata _ ->
                        let one = Script.metadata me [ Script.topic "t" topicId ]
                        let two: Metadata.Broker =
                            { NodeId = 2; Host = follower.Address.Host; Port = follower.Address.Port; Rack = Some "here" }
                        Script.answer Metadata.api received { one with Brokers = one.Brokers @ [ two ] }
                    | Request.Fetch request ->
                        let name (answer: Fetch.PartitionResponse) =
                            { answer with HighWatermark = 100L; PreferredReadReplica = if request.RackId = "" then -1 else 2 }

                        Script.answer Fetch.api received (Script.fetched name request)
                    | _ -> Script.unexpected received)

            Scripted.broker lead (fun leader ->
                use client = new PartitionClient(client, Bootstrap.ofAddresses [ leader.Address ], { Topic = "t"; Partition = 0 })
                use fetcher = new PartitionFetcher(client, settings, 10L)
                test leader follower fetcher))

    let withReplica replica = withReplicaOf patient replica

    let serving = Script.fetched (fun answer -> { answer with HighWatermark = 99L })
    let refusing code = Script.fetched (fun answer -> { answer with Error = code })
    let racks (broker: ScriptedBroker) = asked broker |> List.map _.RackId

    testList
        "a replica that is nearer"
        [ testCase "is read from once the leader has named it" (fun () ->
              withReplica serving near (fun leader follower fetcher ->
                  let named = fetcher.Fetch()
                  Expect.equal named.PreferredReadReplica (Some 2) "it is data"
                  Expect.equal fetcher.Replica (Some 2) "the next fetch goes there"

                  for _ in 1..2 do
                      let fetched = fetcher.Fetch()
                      Expect.equal fetched.Exchange.Info.Broker (Some follower.Address) "the broker"
                      Expect.equal fetched.HighWatermark (Some 99L) "its answer"

                  Expect.equal (racks leader, racks follower) ([ "here" ], [ "here"; "here" ]) "the fetches"
                  Expect.equal follower.Connections 1 "on one connection"
                  Expect.isSome fetcher.Client.Connection "that to the leader stays"))

          testCase "can be asked by a call that is completed later" (fun () ->
              withReplica serving near (fun leader follower fetcher ->
                  fetcher.Fetch() |> ignore

                  for _ in 1..2 do
                      let pending = fetcher.Begin()
                      Expect.equal (PendingCalls.WaitAny([| pending :> PendingCall |], ms 20_000)) 1 "its answer arrives"
                      Expect.throwsT<InvalidOperationException>
                          (fun () -> fetcher.Fetch() |> ignore)
                          "one call at a time, to either broker"
                      let fetched = pending.Complete()
                      Expect.equal fetched.Exchange.Info.Broker (Some follower.Address) "the broker"
                      Expect.equal fetched.HighWatermark (Some 99L) "its answer"

                  Expect.equal (racks leader, racks follower) ([ "here" ], [ "here"; "here" ]) "the fetches"))

          testCase "is asked again, on another connection, after a call to it was abandoned" (fun () ->
              let asked = ref 0
              use answers = new Threading.ManualResetEventSlim()

              let late request =
                  asked.Value <- asked.Value + 1
                  if asked.Value = 2 then answers.Wait 20_000 |> ignore
                  serving request

              withReplica late near (fun leader follower fetcher ->
                  fetcher.Fetch() |> ignore
                  fetcher.Fetch() |> ignore
                  let pending = fetcher.Begin()
                  Expect.equal (PendingCalls.WaitAny([| pending :> PendingCall |], ms 50)) 0 "the replica does not answer"
                  pending.Abandon()
                  answers.Set()
                  Expect.equal (faultOf (pending.Complete()).Result) ClientFault.Cancelled "the fault"
                  let fetched = fetcher.Fetch()
                  Expect.equal (fetched.Exchange.Info.Broker, fetched.HighWatermark) (Some follower.Address, Some 99L) "the replica"
                  Expect.equal follower.Connections 2 "connections"
                  Expect.hasLength (racks leader) 1 "the leader was not asked"))

          testCase "is ignored without a rack" (fun () ->
              withReplica serving FetcherSettings.standard (fun leader follower fetcher ->
                  for _ in 1..2 do
                      fetcher.Fetch() |> ignore

                  Expect.equal (racks leader) [ ""; "" ] "the leader's fetches"
                  Expect.isEmpty follower.Received "it is not asked"))

          for code in [ ErrorCode.OffsetOutOfRange; ErrorCode.NotLeaderOrFollower; ErrorCode.ReplicaNotAvailable ] do
              testCase ("that says " + code.Name + " is left: the code is data, and the next fetch goes to the leader") (fun () ->
                  withReplica (refusing code) near (fun leader follower fetcher ->
                      fetcher.Fetch() |> ignore
                      Expect.equal (fetcher.Fetch()).Error code "the replica's code"
                      Expect.equal fetcher.Replica None "it is left"
                      follower.AwaitEnd 0
                      let fetched = fetcher.Fetch()
                      Expect.equal fetched.Exchange.Info.Broker (Some leader.Address) "the broker"
                      Expect.equal (fetched.HighWatermark, fetched.PreferredReadReplica) (Some 100L, None) "which answers itself"
                      Expect.equal (racks leader) [ "here"; "" ] "since it is not told the rack"))

          testCase "that is behind once is asked again a second later, and later each time that it still is" (fun () ->
              let time = ManualTime()
              let mutable isBehind = true

              let follow (request: Fetch.Request) = if isBehind then refusing ErrorCode.OffsetOutOfRange request else serving request

              withReplicaOf { patient with Time = time } follow near (fun leader follower fetcher ->
                  let brokerOf (fetched: Fetched) = fetched.Exchange.Info.Broker
                  let leaders, followers = Some leader.Address, Some follower.Address
                  // The leader names the replica, the replica refuses, and the leader answers until the time has passed.
                  let round wait =
                      Expect.equal (brokerOf (fetcher.Fetch())) leaders "the leader names the replica"
                      Expect.equal (brokerOf (fetcher.Fetch())) followers "which is asked"
                      Expect.equal (brokerOf (fetcher.Fetch())) leaders "and left"
                      time.Advance(wait - ms 1)
                      Expect.equal (brokerOf (fetcher.Fetch())) leaders "for a while"
                      Expect.equal fetcher.Replica None "still"
                      time.Advance(ms 1)

                  round (ms 1_000)
                  round (ms 2_000)
                  round (ms 4_000)
                  isBehind <- false

                  for expected in [ leaders; followers; followers ] do
                      Expect.equal (brokerOf (fetcher.Fetch())) expected "it is read from again"

                  isBehind <- true
                  Expect.equal (fetcher.Fetch()).Error ErrorCode.OffsetOutOfRange "it is behind again"
                  Expect.equal (brokerOf (fetcher.Fetch())) leaders "and left"
                  time.Advance(ms 1_000)
                  round (ms 2_000)))

          testCase "that throttles is not left" (fun () ->
              withReplica throttling near (fun _ follower fetcher ->
                  fetcher.Fetch() |> ignore

                  for _ in 1..3 do
                      let fetched = fetcher.Fetch()
                      isThrottled fetched
                      Expect.equal fetched.Exchange.Info.Broker (Some follower.Address) "the replica"

                  Expect.equal follower.Connections 1 "on one connection"))

          testCase "that cannot be reached is left with the same fetch" (fun () ->
              withReplica serving near (fun leader follower fetcher ->
                  fetcher.Fetch() |> ignore
                  (follower :> IDisposable).Dispose()
                  let fetched = fetcher.Fetch()
                  Expect.equal fetched.Exchange.Info.Broker (Some leader.Address) "the broker"
                  Expect.equal fetched.HighWatermark (Some 100L) "its answer"
                  Expect.equal (racks leader) [ "here"; "" ] "it is not told the rack"))

          testCase "whose connection breaks is left within the fetch" (fun () ->
              withReplica serving near (fun leader follower fetcher ->
                  for _ in 1..2 do
                      fetcher.Fetch() |> ignore

                  (follower :> IDisposable).Dispose()
                  follower.AwaitEnd 0
                  let fetched = fetcher.Fetch()
                  Expect.isOk fetched.Result "there is an answer"
                  Expect.equal fetched.Exchange.Info.Broker (Some leader.Address) "from the leader"))

          testCase "is read from for ReplicaTime, and then the leader is asked again" (fun () ->
              withReplica serving { near with ReplicaTime = TimeSpan.Zero } (fun leader follower fetcher ->
                  for _ in 1..3 do
                      fetcher.Fetch() |> ignore

                  Expect.equal (racks leader) [ "here"; "here"; "here" ] "no time at all"
                  Expect.isEmpty follower.Received "it is not asked"))

          testCase "is read from for ever if there is no limit" (fun () ->
              let time = ManualTime()
              let settings = { near with ReplicaTime = Threading.Timeout.InfiniteTimeSpan }

              withReplicaOf { patient with Time = time } serving settings (fun _ follower fetcher ->
                  fetcher.Fetch() |> ignore

                  for _ in 1..3 do
                      time.Advance(TimeSpan.FromDays 400.0)
                      Expect.equal fetcher.Replica (Some 2) "the next fetch goes there"
                      Expect.equal (fetcher.Fetch()).Exchange.Info.Broker (Some follower.Address) "the broker"))

          testCase "is disconnected when the fetcher is disposed" (fun () ->
              withReplica serving near (fun _ follower fetcher ->
                  for _ in 1..2 do
                      fetcher.Fetch() |> ignore

                  (fetcher :> IDisposable).Dispose()
                  follower.AwaitEnd 0
                  Expect.isSome fetcher.Client.Connection "the client is not the fetcher's"))

          testCase "has a session of its own" (fun () ->
              let inSession id (response: Fetch.Response) = { response with SessionId = id }

              withReplica (serving >> inSession 5) { near with UseSession = true } (fun _ follower fetcher ->
                  for _ in 1..3 do
                      fetcher.Fetch() |> ignore

                  Expect.equal
                      (asked follower |> List.map (fun it -> it.SessionId, it.SessionEpoch, it.Topics.Length))
                      [ 0, 0, 1; 5, 1, 0 ]
                      "the requests"

                  (fetcher :> IDisposable).Dispose()
                  follower.AwaitEnd 0
                  let last = List.last (asked follower)
                  Expect.equal (last.SessionId, last.SessionEpoch, last.Topics) (5, -1, []) "which is closed with it"))

          testCase "that has lost the session is not left" (fun () ->
              let mutable lost = false

              let forgetful (request: Fetch.Request) =
                  if request.SessionId = 5 && not lost then
                      lost <- true
                      { Script.fetched id request with Error = ErrorCode.FetchSessionIdNotFound; Topics = [] }
                  else
                      { serving request with SessionId = 5 }

              withReplica forgetful { near with UseSession = true } (fun leader follower fetcher ->
                  let codes = List.init 4 (fun _ -> (fetcher.Fetch()).Error)
                  Expect.equal codes[2] ErrorCode.FetchSessionIdNotFound "the code is data"
                  Expect.equal (asked follower |> List.map _.SessionEpoch) [ 0; 1; 0 ] "and another is opened there"))

          testCase "whose connection was unused for too long is connected to again" (fun () ->
              let time = ManualTime()

              withReplicaOf { patient with MaxIdle = ms 1_000; Time = time } serving near (fun _ follower fetcher ->
                  for _ in 1..2 do
                      ok (fetcher.Fetch()).Result |> ignore

                  time.Advance(ms 1_000)
                  let fetched = fetcher.Fetch()
                  ok fetched.Result |> ignore
                  Expect.equal fetched.Exchange.Info.Broker (Some follower.Address) "the replica still"
                  Expect.equal follower.Connections 2 "on another connection"
                  follower.AwaitEnd 0))

          testCase "is kept after a fetch that the caller cancelled" (fun () ->
              withReplica serving near (fun _ follower fetcher ->
                  for _ in 1..2 do
                      ok (fetcher.Fetch()).Result |> ignore

                  let cancelled = fetcher.Fetch(CallOptions.cancelledBy (Threading.CancellationToken true))
                  Expect.equal (faultOf cancelled.Result) ClientFault.Cancelled "the fault"
                  let fetched = fetcher.Fetch()
                  ok fetched.Result |> ignore
                  Expect.equal fetched.Exchange.Info.Broker (Some follower.Address) "the replica still"))

          testCase "of a mock cluster is read from" (fun () ->
              withMockPartition patient (fun mock client ->
                  (new PartitionProducer(client, ProducerSettings.standard)).Produce(batch "a" 3) |> acknowledged |> ignore
                  mock.SetFollower("t", 0, 3)
                  use fetcher = new PartitionFetcher(client, { near with MaxWait = ms 1 }, 0L)
                  Expect.equal (fetcher.Fetch()).PreferredReadReplica (Some 3) "the leader names it"
                  let fetched = fetcher.Fetch()
                  let port = mock.Brokers |> List.pick (fun (id, _, port) -> if id = 3 then Some port else None)
                  Expect.equal (fetched.Exchange.Info.Broker |> Option.map _.Port) (Some port) "the broker"
                  Expect.equal (valuesOf (recordsOf fetched)) [ "a0"; "a1"; "a2" ] "its records")) ]

[<Tests>]
let tests = testList "fetcher" [ replicas ]
