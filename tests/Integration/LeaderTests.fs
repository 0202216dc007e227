/// Leaders that move and name their successor, numbered attempts, and ownership of a client.
module LibKafka.Integration.LeaderTests

open System
open Expecto
open LibKafka.Wire
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
                          (Some { NodeId = 2; Address = other.Address; Epoch = 4; TopicId = topicId })
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
let tests = testList "leader" [ named; attempts; direct; ownership ]
