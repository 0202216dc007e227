/// Leaders that move and name their successor, numbered attempts, and ownership of a client.
module LibKafka.Integration.LeaderTests

open System
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Tests
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support

let private topicId = Guid "11111111-2222-3333-4444-555555555555"

/// A broker that serves everything, as broker 2 for the other one.
let private serving (test: ScriptedBroker -> unit) =
    let rest (received: Received) =
        match received.Request with
        | Request.Produce request ->
            Script.answer Produce.api received (Script.produced (fun answer -> { answer with BaseOffset = 70L }) request)
        | Request.Fetch request -> Script.answer Fetch.api received (Script.fetched id request)
        | _ -> Script.unexpected received

    Scripted.broker (fun _ -> Script.knowing Script.everything rest) test

let private endpoint (node: int) (address: BrokerAddress) : NodeEndpoint =
    { NodeId = node; Host = address.Host; Port = address.Port; Rack = None }

/// A client of a partition that broker 1 leads in epoch 3 according to metadata; that broker refuses everything with the code, and names a leader.
let private refusing code (leader: CurrentLeader) (nodes: NodeEndpoint list) baseOffset (test: ScriptedBroker -> PartitionClient -> unit) =
    let rest (received: Received) =
        match received.Request with
        | Request.Produce request ->
            let refuse (answer: Produce.PartitionResponse) = { answer with Error = code; BaseOffset = baseOffset; CurrentLeader = leader }

            Script.answer Produce.api received { Script.produced refuse request with NodeEndpoints = nodes }
        | Request.Fetch request ->
            let refuse (answer: Fetch.PartitionResponse) = { answer with Error = code; CurrentLeader = leader }
            Script.answer Fetch.api received { Script.fetched refuse request with NodeEndpoints = nodes }
        | _ -> Script.unexpected received

    Scripted.partition patient rest test

let private produce (client: PartitionClient) = (new PartitionProducer(client, ProducerSettings.standard)).Produce(batch "r" 1)
let private fetch (client: PartitionClient) = (new PartitionFetcher(client, FetcherSettings.standard, 0L)).Fetch()
let private metadataAsked (broker: ScriptedBroker) = (broker.VersionsOf ApiKey.Metadata).Length
let private second epoch : CurrentLeader = { LeaderId = 2; LeaderEpoch = epoch }

let private named =
    testList
        "a leader that is named"
        [ testCase "to a producer is connected to without asking for metadata" (fun () ->
              serving (fun other ->
                  refusing ErrorCode.NotLeaderOrFollower (second 4) [ endpoint 2 other.Address ] -1L (fun broker client ->
                      Expect.equal (produce client).Error ErrorCode.NotLeaderOrFollower "the code is data"
                      Expect.isNone client.Connection "the connection is closed"
                      Expect.equal (acknowledged (produce client)) 70L "the next call"

                      Expect.equal
                          client.Leader
                          (Some { NodeId = 2; Address = other.Address; Epoch = 4; RequestEpoch = 4; TopicId = topicId })
                          "the leader, with the epoch that was named and the topic's id"

                      Expect.equal (metadataAsked broker, metadataAsked other) (1, 0) "metadata requests")))

          testCase "to a fetcher is connected to without asking for metadata, and asked in the epoch that was named" (fun () ->
              serving (fun other ->
                  refusing ErrorCode.FencedLeaderEpoch (second 5) [ endpoint 2 other.Address ] -1L (fun broker client ->
                      Expect.equal (fetch client).Error ErrorCode.FencedLeaderEpoch "the code is data"
                      Expect.equal (fetch client).Error ErrorCode.None "the next call"
                      Expect.equal (metadataAsked broker, metadataAsked other) (1, 0) "metadata requests"

                      match (List.last other.Received).Request with
                      | Request.Fetch request -> Expect.equal request.Topics[0].Partitions[0].CurrentLeaderEpoch 5 "the epoch"
                      | asked -> failtestf "%A" asked)))

          testCase "by a leader that was replaced after it had appended is connected to as well" (fun () ->
              serving (fun other ->
                  refusing ErrorCode.NotLeaderOrFollower (second 4) [ endpoint 2 other.Address ] 12L (fun broker client ->
                      match (produce client).Result with
                      | ProduceResult.Unknown(Doubt.BrokerUnsure _) -> ()
                      | outcome -> failtestf "%O" outcome

                      produce client |> acknowledged |> ignore
                      Expect.equal (metadataAsked broker) 1 "metadata requests")))

          for name, leader, nodes in
              [ "in no later epoch than the one before", second 3, (fun (other: ScriptedBroker) -> [ endpoint 2 other.Address ])
                "without an address", second 4, (fun _ -> [])
                "with another broker's address", second 4, (fun other -> [ endpoint 3 other.Address ]) ] do
              testCase (name + " is not connected to: metadata is asked for") (fun () ->
                  serving (fun other ->
                      refusing ErrorCode.NotLeaderOrFollower leader (nodes other) -1L (fun broker client ->
                          for _ in 1..2 do
                              Expect.equal (produce client).Error ErrorCode.NotLeaderOrFollower "the code is data"

                          Expect.equal (metadataAsked broker) 2 "metadata requests"
                          Expect.isEmpty other.Received "the other was not asked")))

          testCase "that cannot be reached: metadata is asked for" (fun () ->
              let socket, nobody = Loopback.refuse ()
              use _ = socket

              refusing ErrorCode.NotLeaderOrFollower (second 4) [ endpoint 2 nobody ] -1L (fun broker client ->
                  produce client |> ignore
                  Expect.equal (produce client).Exchange.Info.Broker (Some broker.Address) "the broker that metadata names"
                  Expect.equal (metadataAsked broker) 2 "metadata requests"))

          testCase "is forgotten when the client is closed" (fun () ->
              serving (fun other ->
                  refusing ErrorCode.NotLeaderOrFollower (second 4) [ endpoint 2 other.Address ] -1L (fun broker client ->
                      produce client |> ignore
                      client.Close()
                      produce client |> ignore
                      Expect.equal (metadataAsked broker) 2 "metadata requests"
                      Expect.isEmpty other.Received "the other was not asked")))

          testCase "by a mock broker is connected to without asking for metadata" (fun () ->
              withMockPartition patient (fun mock client ->
                  let metadataRequests () =
                      mock.Requests() |> List.filter (fun request -> request.ApiKey = ApiKey.Metadata.Code) |> List.length

                  produce client |> acknowledged |> ignore
                  mock.StartTracking()

                  for node, call in
                      [ 2, (fun () -> (produce client).Error)
                        3, (fun () -> (fetch client).Error)
                        1, (fun () -> (produce client).Error) ] do
                      mock.SetLeader("t", 0, node)
                      Expect.equal (call ()) ErrorCode.NotLeaderOrFollower "the code"
                      Expect.equal (call ()) ErrorCode.None "the next call"
                      Expect.equal (client.Leader |> Option.map _.NodeId) (Some node) "the new leader"

                  Expect.equal (metadataRequests ()) 0 "metadata requests")) ]

/// What a cluster of one broker says about its topic at the moment.
type private Election = { mutable Epoch: int; mutable TopicId: Guid; mutable TopicError: ErrorCode; mutable FetchError: ErrorCode }

/// A client of a partition whose broker answers metadata in versions up to `highest` as the election says, and fences every epoch but that of
/// the election, as a real one does.
let private electing highest (topicId: Guid) (test: Election -> ScriptedBroker -> PartitionClient -> unit) =
    let election = { Epoch = 5; TopicId = topicId; TopicError = ErrorCode.None; FetchError = ErrorCode.None }

    let table =
        Script.versions ApiKey.OffsetForLeaderEpoch 2 4
        :: Script.everythingBut [ Script.versions ApiKey.Metadata 0 highest; Script.versions ApiKey.Fetch 4 12 ]

    let script (me: BrokerAddress) =
        Script.knowing table (fun received ->
            match received.Request with
            | Request.Metadata _ ->
                let topic = Script.topic "t" (if highest >= 10 then election.TopicId else Guid.Empty)
                let partition = { topic.Partitions.Head with LeaderEpoch = election.Epoch }
                let topic = { topic with Error = election.TopicError; Partitions = [ partition ] }
                Script.answer Metadata.api received (Script.metadata me [ topic ])
            | Request.Fetch request ->
                let refuse (answer: Fetch.PartitionResponse) = { answer with Error = election.FetchError }
                Script.answer Fetch.api received (Script.fetched refuse request)
            | Request.OffsetForLeaderEpoch _ ->
                let answer: OffsetForLeaderEpoch.PartitionResponse =
                    { Error = ErrorCode.None; Partition = 0; LeaderEpoch = 2; EndOffset = 9L }

                Script.answer
                    OffsetForLeaderEpoch.api
                    received
                    { ThrottleTimeMs = 0; Topics = [ { Topic = "t"; Partitions = [ answer ] } ] }
            | _ -> Script.finding 7L received)

    Scripted.broker script (fun broker ->
        use client = new PartitionClient(patient, Bootstrap.ofAddresses [ broker.Address ], { Topic = "t"; Partition = 0 })
        test election broker client)

/// The leader epochs in the requests to the leader, in order.
let private epochsAsked (broker: ScriptedBroker) : int list =
    broker.Calls
    |> List.choose (fun call ->
        match call.Request with
        | Request.Fetch request -> Some request.Topics[0].Partitions[0].CurrentLeaderEpoch
        | Request.ListOffsets request -> Some request.Topics[0].Partitions[0].CurrentLeaderEpoch
        | Request.OffsetForLeaderEpoch request -> Some request.Topics[0].Partitions[0].CurrentLeaderEpoch
        | _ -> None)

let private another = Guid "99999999-2222-3333-4444-555555555555"
let private newest = int Metadata.api.Versions.Highest

/// A topic is created again under a fetcher that has read from the earlier one.
let private recreated =
    let reading highest (before: Guid) (test: Election -> ScriptedBroker -> PartitionFetcher -> unit) =
        electing highest before (fun election broker client ->
            let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
            fetcher.Position <- { Offset = 5L; LastEpoch = 2 }
            Expect.equal (fetcher.Fetch()).Error ErrorCode.None "the earlier topic"
            election.TopicId <- another
            election.FetchError <- ErrorCode.UnknownTopicId
            Expect.equal (fetcher.Fetch()).Error ErrorCode.UnknownTopicId "it is gone"
            election.FetchError <- ErrorCode.None
            test election broker fetcher)

    let isRead (fetcher: PartitionFetcher) = Expect.equal ((fetcher.Fetch()).Result |> Result.map _.Error) (Ok ErrorCode.None) "the fetch"

    testList
        "a topic that is created again"
        [ testCase "is reported to a fetcher once, before anything is asked of the new log" (fun () ->
              reading newest topicId (fun _ broker fetcher ->
                  let before = broker.VersionsOf ApiKey.Fetch
                  let fetched = fetcher.Fetch()
                  Expect.equal (faultOf fetched.Result) (ClientFault.TopicRecreated { Topic = "t"; Partition = 0 }) "the fault"
                  Expect.isFalse fetched.IsTransient "a policy does not hide it"
                  Expect.isFalse fetched.Exchange.Info.WasSent "nothing was sent"
                  Expect.equal (broker.VersionsOf ApiKey.Fetch) before "nothing came"
                  Expect.equal fetcher.Offset 5L "the position"
                  isRead fetcher))

          testCase "is reported by a check for truncation, which asks nothing of the new log and leaves the report to the fetch" (fun () ->
              reading newest topicId (fun _ broker fetcher ->
                  for _ in 1..2 do
                      let check = fetcher.CheckTruncation()
                      Expect.equal (faultOf check.Result) (ClientFault.TopicRecreated { Topic = "t"; Partition = 0 }) "the fault"
                      Expect.isFalse check.Exchange.Info.WasSent "nothing was sent"
                      Expect.isNone check.Truncation "nothing is known"

                  Expect.isEmpty (broker.VersionsOf ApiKey.OffsetForLeaderEpoch) "nothing came"
                  Expect.equal (faultOf (fetcher.Fetch()).Result) (ClientFault.TopicRecreated { Topic = "t"; Partition = 0 }) "the fetch"))

          testCase "is reported to a fetcher that waits at the end of the log too" (fun () ->
              electing newest topicId (fun election _ client ->
                  let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 7L)

                  for _ in 1..2 do
                      isRead fetcher
                      fetcher.Position <- { Offset = 7L; LastEpoch = -1 }

                  election.TopicId <- another
                  client.Close()
                  Expect.equal (faultOf (fetcher.Fetch()).Result) (ClientFault.TopicRecreated client.Partition) "the fault"))

          for name, move in
              [ "that is moved", (fun (fetcher: PartitionFetcher) -> fetcher.Position <- FetchPosition.at 0L)
                "whose offset is set", (fun fetcher -> fetcher.Offset <- fetcher.Offset)
                "that seeks", (fun fetcher -> ok (fetcher.Seek OffsetSpec.Earliest).Result |> ignore) ] do
              testCase ("is not reported to a fetcher " + name) (fun () ->
                  reading newest topicId (fun _ _ fetcher ->
                      move fetcher
                      isRead fetcher))

          for highest, before in [ 9, topicId; newest, Guid.Empty ] do
              testCase ("is not noticed without an id, in version " + string highest) (fun () ->
                  reading highest before (fun _ _ fetcher -> isRead fetcher)) ]

let private epochs =
    testList
        "leader epochs"
        [ for version, named in [ 7, -1; 8, -1; 9, 5; newest, 5 ] do
              testCase
                  ("of Metadata " + string version + (if named < 0 then " are not named in requests" else " are named in requests"))
                  (fun () ->
                      electing version topicId (fun _ broker client ->
                          let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
                          fetcher.Fetch() |> ignore
                          fetcher.FindOffset OffsetSpec.Latest |> ignore
                          fetcher.Position <- { Offset = 9L; LastEpoch = 2 }
                          fetcher.CheckTruncation() |> ignore
                          Expect.equal (epochsAsked broker) [ named; named; named ] "fetch, list and check"
                          Expect.equal (client.Leader |> Option.map _.Epoch) (Some 5) "the user is told"))

          testCase "that may be old are no reason to be fenced for ever" (fun () ->
              electing 8 topicId (fun election _ client ->
                  // The broker knows epoch 6, and its metadata still says 5.
                  election.FetchError <- ErrorCode.None
                  let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)

                  for _ in 1..3 do
                      client.Close()
                      Expect.equal (fetcher.Fetch()).Error ErrorCode.None "no fence"))

          for what, highest, before, after, code, expected in
              [ "the same topic id: not taken", newest, topicId, topicId, ErrorCode.NotLeaderOrFollower, 5
                "the same topic id after UNKNOWN_TOPIC_OR_PARTITION: not taken",
                newest,
                topicId,
                topicId,
                ErrorCode.UnknownTopicOrPartition,
                5
                "another topic id: taken", newest, topicId, another, ErrorCode.NotLeaderOrFollower, 3
                "no ids: not taken", 9, topicId, topicId, ErrorCode.NotLeaderOrFollower, 5
                "ids of zero: not taken", newest, Guid.Empty, Guid.Empty, ErrorCode.NotLeaderOrFollower, 5
                "no ids after UNKNOWN_TOPIC_OR_PARTITION: taken", 9, topicId, topicId, ErrorCode.UnknownTopicOrPartition, 3
                "ids of zero after UNKNOWN_TOPIC_OR_PARTITION: taken", newest, Guid.Empty, Guid.Empty, ErrorCode.UnknownTopicOrPartition, 3
                "a leader that does not know the higher one: taken", newest, topicId, topicId, ErrorCode.UnknownLeaderEpoch, 3
                "metadata whose epochs are not reliable: taken", 8, topicId, topicId, ErrorCode.NotLeaderOrFollower, 3 ] do
              testCase ("a lower one with " + what) (fun () ->
                  electing highest before (fun election _ client ->
                      fetch client |> ignore
                      election.Epoch <- 3
                      election.TopicId <- after
                      election.FetchError <- code
                      Expect.equal (fetch client).Error code "the code"
                      election.FetchError <- ErrorCode.None
                      Expect.equal (fetch client).Error ErrorCode.None "the next fetch"
                      Expect.equal (client.Leader |> Option.map _.Epoch) (Some expected) "the epoch"
                      election.Epoch <- 6
                      client.Close()
                      fetch client |> ignore
                      Expect.equal (client.Leader |> Option.map _.Epoch) (Some 6) "a higher one is always taken"))

          testCase "a lower one without ids is taken after the metadata has said UNKNOWN_TOPIC_OR_PARTITION" (fun () ->
              electing 9 topicId (fun election _ client ->
                  fetch client |> ignore
                  client.Close()
                  election.TopicError <- ErrorCode.UnknownTopicOrPartition
                  Expect.isError (fetch client).Result "there is no topic"
                  election.TopicError <- ErrorCode.LeaderNotAvailable
                  Expect.isError (fetch client).Result "there is no leader yet"
                  election.TopicError <- ErrorCode.None
                  election.Epoch <- 0
                  Expect.equal (fetch client).Error ErrorCode.None "the new topic"
                  Expect.equal (client.Leader |> Option.map _.Epoch) (Some 0) "the epoch")) ]

let private recreation =
    let table = Script.everythingBut [ Script.versions ApiKey.Metadata 0 9; Script.versions ApiKey.Fetch 4 12 ]

    /// A leader that answers fetches with this code at the moment.
    let leading (code: unit -> ErrorCode) =
        let rest (received: Received) =
            match received.Request with
            | Request.Fetch request ->
                Script.answer Fetch.api received (Script.fetched (fun answer -> { answer with Error = code () }) request)
            | _ -> Script.unexpected received

        new ScriptedBroker(fun _ -> Script.knowing table rest)

    /// A client of a topic without an id that broker 1 leads in epoch 5. After `recreate`, broker 2 leads it in epoch 0, and broker 1 answers with
    /// the code, or is gone if there is none.
    let withTopic (code: ErrorCode option) (test: (unit -> unit) -> PartitionClient -> unit) =
        let mutable isRecreated = false
        let before = leading (fun () -> if isRecreated then Option.get code else ErrorCode.None)
        use after = leading (fun () -> ErrorCode.None)

        let metadata (received: Received) =
            let node, address, epoch = if isRecreated then 2, after.Address, 0 else 1, before.Address, 5
            let topic = Script.topic "t" Guid.Empty
            let partition = { topic.Partitions.Head with LeaderId = node; LeaderEpoch = epoch }
            let response = Script.metadata address [ { topic with Partitions = [ partition ] } ]
            Script.answer Metadata.api received { response with Brokers = [ { response.Brokers.Head with NodeId = node } ] }

        Scripted.broker (fun _ -> Script.knowing table metadata) (fun broker ->
            use client = new PartitionClient(patient, Bootstrap.ofAddresses [ broker.Address ], { Topic = "t"; Partition = 0 })

            let recreate () =
                isRecreated <- true
                if code.IsNone then (before :> IDisposable).Dispose()

            test recreate client)

        (before :> IDisposable).Dispose()

    testList
        "a topic without an id that was created again on another broker"
        [ for code in [ Some ErrorCode.UnknownLeaderEpoch; Some ErrorCode.NotLeaderOrFollower; None ] do
              let name = code |> Option.map string |> Option.defaultValue "is gone"

              testCase ("is found although its epoch is lower: the old leader " + name) (fun () ->
                  withTopic code (fun recreate client ->
                      Expect.equal (fetch client).Error ErrorCode.None "before"
                      recreate ()

                      // A leader that answers is asked once before the metadata is.
                      for _ in 1 .. (if code.IsSome then 3 else 2) do
                          let fetched = fetch client
                          Expect.isTrue (fetched.Error.IsError || fetched.Result.IsError) "it may be older metadata"

                      Expect.equal (fetch client).Error ErrorCode.None "the third lower epoch is believed"
                      Expect.equal (client.Leader |> Option.map (fun leader -> leader.NodeId, leader.Epoch)) (Some(2, 0)) "the leader"))

          testCase "is not assumed while the metadata has the higher epoch in between" (fun () ->
              electing 9 topicId (fun election _ client ->
                  fetch client |> ignore
                  election.FetchError <- ErrorCode.NotLeaderOrFollower

                  for epoch in [ 3; 3; 5; 3; 3; 5; 3; 3; 5 ] do
                      Expect.equal (fetch client).Error ErrorCode.NotLeaderOrFollower "the code"
                      election.Epoch <- epoch
                      Expect.equal (client.LastLeader |> Option.map _.Epoch) (Some 5) "the epoch")) ]

let private creation =
    let asked (broker: ScriptedBroker) =
        broker.Calls
        |> List.choose (fun call ->
            match call.Request with
            | Request.Metadata request -> Some(request.AllowAutoTopicCreation, request.Topics |> Option.map List.length)
            | _ -> None)

    testList
        "topics on demand"
        [ for allows in [ false; true ] do
              testCase ("are created by the brokers only if the settings allow it: " + string allows) (fun () ->
                  let settings = { patient with AllowAutoTopicCreation = allows }

                  Scripted.partition settings (Script.finding 7L) (fun broker client ->
                      (new PartitionFetcher(client, FetcherSettings.standard, 0L)).FindOffset OffsetSpec.Latest |> ignore
                      Expect.equal (asked broker) [ allows, Some 1 ] "the request for the leader"
                      use admin = new AdminClient(settings, Bootstrap.ofAddresses [ broker.Address ])
                      admin.DescribeTopics [ "none" ] |> ignore
                      admin.ListOffsets [ { Topic = "none"; Partition = 0 }, OffsetSpec.Latest ] |> ignore
                      Expect.isTrue (asked broker |> List.tail |> List.forall (fst >> not)) "no other call creates one"))

          testCase "are off unless set" (fun () -> Expect.isFalse ClientSettings.standard.AllowAutoTopicCreation "off") ]

let private attempts =
    testList
        "attempts"
        [ testCase "the number in the options is in every exchange of the call, even if it was not made" (fun () ->
              serving (fun other ->
                  let observer = Observer()
                  let socket, nobody = Loopback.refuse ()
                  use _ = socket

                  let script me =
                      Script.knowing Script.everything (fun received ->
                          match received.Request with
                          | Request.Metadata _ ->
                              let response = Script.metadata other.Address [ Script.topic "t" topicId ]
                              Script.answer Metadata.api received response
                          | _ -> Script.unexpected received)

                  Scripted.broker script (fun broker ->
                      let settings = { patient with Observe = observer.Note }
                      use client =
                          new PartitionClient(settings, Bootstrap.ofAddresses [ broker.Address ], { Topic = "t"; Partition = 0 })
                      let producer = new PartitionProducer(client, ProducerSettings.standard)
                      Expect.equal
                          (producer.Produce(batch "r" 1, { CallOptions.standard with Attempt = 3 })).Exchange.Info.Attempt
                          3
                          "the call's own"
                      Expect.equal (observer.Exchanges |> List.map _.Attempt |> List.distinct) [ 3 ] "those on the way too"
                      Expect.isGreaterThan observer.Exchanges.Length 3 "versions twice, metadata, the call"
                      Expect.equal (producer.Produce(batch "r" 1)).Exchange.Info.Attempt 1 "a call without a number is the first"
                      Expect.equal (List.last observer.Exchanges).Attempt 1 "for the observer too"
                      use lost = new PartitionClient(settings, Bootstrap.ofAddresses [ nobody ], { Topic = "t"; Partition = 0 })
                      let info =
                          ((new PartitionFetcher(lost, FetcherSettings.standard, 0L)).Fetch({ CallOptions.standard with Attempt = 2 }))
                              .Exchange.Info
                      Expect.equal (info.Attempt, info.WasSent) (2, false) "a call that was not made"
                      Expect.equal (List.last observer.Exchanges) info "the same for the observer"))) ]

let private direct =
    testCase "a call on the connection itself is not part of the attempt before it" (fun () ->
        Scripted.partition patient (Script.finding 7L) (fun _ client ->
            let sought =
                (new PartitionFetcher(client, FetcherSettings.standard, 0L))
                    .FindOffset(OffsetSpec.Latest, { CallOptions.standard with Attempt = 3 })
            Expect.equal sought.Exchange.Info.Attempt 3 "the call's"
            let exchange = (Option.get client.Connection).Call(ListOffsets.api, Script.askLatest)
            Expect.equal exchange.Info.Attempt 1 "its own"))

let private ownership =
    let withShared (test: ScriptedBroker -> PartitionClient -> unit) =
        let rest (received: Received) =
            match received.Request with
            | Request.Produce request -> Script.answer Produce.api received (Script.produced id request)
            | Request.Fetch request -> Script.answer Fetch.api received (Script.fetched id request)
            | _ -> Script.unexpected received

        Scripted.partition patient rest test

    testList
        "ownership of the client"
        [ testCase "a producer and a fetcher over a shared client leave it open" (fun () ->
              withShared (fun broker client ->
                  let connection = client.Connect() |> ok

                  using (new PartitionProducer(client, ProducerSettings.standard)) (fun producer ->
                      producer.Produce(batch "r" 1) |> acknowledged |> ignore)

                  using (new PartitionFetcher(client, FetcherSettings.standard, 0L)) (fun fetcher ->
                      Expect.equal (fetcher.Fetch()).Error ErrorCode.None "a fetch")

                  Expect.isTrue connection.IsOpen "the connection is open"
                  produce client |> acknowledged |> ignore
                  Expect.equal broker.Connections 2 "one for the metadata, one for everything else"))

          testCase "a producer that owns its client closes it" (fun () ->
              withShared (fun broker client ->
                  using (PartitionProducer.Owning(client, ProducerSettings.standard)) (fun producer ->
                      producer.Produce(batch "r" 1) |> acknowledged |> ignore)

                  broker.AwaitEnd 1
                  Expect.isNone client.Connection "there is no connection"))

          testCase "a fetcher that owns its client closes it" (fun () ->
              withShared (fun broker client ->
                  using (PartitionFetcher.Owning(client, FetcherSettings.standard, 0L)) (fun fetcher ->
                      Expect.equal (fetcher.Fetch()).Error ErrorCode.None "a fetch")

                  broker.AwaitEnd 1
                  Expect.isNone client.Connection "there is no connection")) ]

[<Tests>]
let tests = testList "leader" [ named; epochs; recreated; recreation; creation; attempts; direct; ownership ]
