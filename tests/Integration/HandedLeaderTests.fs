/// The leaders of whole topics by one request, and clients that such leaders are handed to.
module LibKafka.Integration.HandedLeaderTests

open System
open System.Net.Sockets
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support

let private topicId = Guid "11111111-2222-3333-4444-555555555555"
let private anotherId = Guid "99999999-2222-3333-4444-555555555555"

let private metadataAsked (broker: ScriptedBroker) = (broker.VersionsOf ApiKey.Metadata).Length

let private partition index leader error : Metadata.Partition =
    { Metadata.partition.Default with PartitionIndex = index; LeaderId = leader; LeaderEpoch = 7; Error = error }

/// A cluster of one broker, with id 1, that describes these topics.
let private describing (topics: Metadata.Topic list) (test: ScriptedBroker -> unit) =
    Scripted.broker (fun me -> Script.knowing Script.everything (Script.leading topics me Script.unexpected)) test

let private found =
    testList
        "of whole topics"
        [ testCase "come from one request, each topic once, with what cannot be described as a value" (fun () ->
              let orders =
                  { Script.topic "orders" topicId with
                      Partitions =
                          [ partition 2 1 ErrorCode.None; partition 0 -1 ErrorCode.LeaderNotAvailable; partition 1 5 ErrorCode.None ] }

              let hidden = { Script.topic "hidden" Guid.Empty with Partitions = []; Error = ErrorCode.TopicAuthorizationFailed }

              describing [ hidden; orders ] (fun broker ->
                  let names = [ "orders"; "none"; "hidden"; "orders" ]
                  let topics = Cluster.FindLeaders(patient, Bootstrap.ofAddresses [ broker.Address ], names) |> ok
                  let leader = { NodeId = 1; Address = broker.Address; Epoch = 7; RequestEpoch = 7; TopicId = topicId }

                  Expect.equal
                      topics
                      [ { Topic = "orders"
                          TopicId = topicId
                          Error = ErrorCode.None
                          Partitions =
                            Map
                                [ 0, Error ErrorCode.LeaderNotAvailable
                                  // Its broker is not in the response.
                                  1, Error ErrorCode.LeaderNotAvailable
                                  2, Ok leader ] }
                        { Topic = "none"; TopicId = Guid.Empty; Error = ErrorCode.UnknownTopicOrPartition; Partitions = Map.empty }
                        { Topic = "hidden"; TopicId = Guid.Empty; Error = ErrorCode.TopicAuthorizationFailed; Partitions = Map.empty } ]
                      "the topics"

                  Expect.equal (topics |> List.map _.PartitionCount) [ 3; 0; 0 ] "how many partitions"
                  Expect.equal (topics.Head.LeaderOf 2) (Ok leader) "a leader"
                  Expect.equal (topics.Head.LeaderOf 3) (Error ErrorCode.UnknownTopicOrPartition) "a partition that there is not"
                  Expect.equal (topics[2].LeaderOf 0) (Error ErrorCode.TopicAuthorizationFailed) "a partition of a topic with an error"
                  Expect.equal (metadataAsked broker) 1 "metadata requests"
                  broker.AwaitEnd 0))

          for allows in [ false; true ] do
              testCase ("may be created by the request only if the settings allow it: " + string allows) (fun () ->
                  describing [] (fun broker ->
                      let settings = { patient with AllowAutoTopicCreation = allows }
                      Cluster.FindLeaders(settings, Bootstrap.ofAddresses [ broker.Address ], [ "t" ]) |> ok |> ignore

                      match (List.last broker.Calls).Request with
                      | Request.Metadata request -> Expect.equal request.AllowAutoTopicCreation allows "the request"
                      | other -> failtestf "%A" other))

          testCase "are unknown if no broker can be asked" (fun () ->
              let socket, nobody = Loopback.refuse ()
              use _ = socket

              match Cluster.FindLeaders(patient, Bootstrap.ofAddresses [ nobody ], [ "t" ]) with
              | Error(ClientFault.NoBroker [ tried, _ ]) -> Expect.equal tried nobody "the broker"
              | other -> failtestf "%A" other) ]

let private serve (change: Fetch.PartitionResponse -> Fetch.PartitionResponse) (received: Received) =
    match received.Request with
    | Request.Fetch request -> Script.answer Fetch.api received (Script.fetched change request)
    | _ -> Script.unexpected received

/// A broker that serves fetches and nothing else.
let private serving (test: ScriptedBroker -> unit) = Scripted.broker (fun _ -> Script.knowing Script.everything (serve id)) test

let private refuse (code: ErrorCode) (answer: Fetch.PartitionResponse) = { answer with Error = code }

/// A client of a partition that broker 1 leads in epoch 3, as the metadata of this broker says, and a second broker, which serves fetches.
let private withTwo (test: ScriptedBroker -> ScriptedBroker -> PartitionClient -> unit) =
    serving (fun second -> Scripted.partition patient (serve id) (fun first client -> test first second client))

let private leaderAt (broker: ScriptedBroker) node epoch : Leader =
    { NodeId = node; Address = broker.Address; Epoch = epoch; RequestEpoch = epoch; TopicId = topicId }

let private fetched (client: PartitionClient) : Fetched = (new PartitionFetcher(client, FetcherSettings.standard, 0L)).Fetch()

/// The error code of a fetch that is answered.
let private fetch (client: PartitionClient) : ErrorCode = codeOf (fetched client).Result |> ok

/// The epochs and topic ids that the fetches of a broker named.
let private asked (broker: ScriptedBroker) : (int * Guid) list =
    broker.Calls
    |> List.choose (fun call ->
        match call.Request with
        | Request.Fetch request -> Some(request.Topics[0].Partitions[0].CurrentLeaderEpoch, request.Topics[0].TopicId)
        | _ -> None)

let private handed =
    testList
        "that are handed over"
        [ testCase "are connected to without asking for metadata" (fun () ->
              withTwo (fun first second client ->
                  Expect.isTrue (client.UseLeader(leaderAt second 2 4)) "it is used"
                  Expect.equal (fetch client) ErrorCode.None "the fetch"
                  Expect.equal client.Leader (Some(leaderAt second 2 4)) "the leader"
                  Expect.equal (asked second) [ 4, topicId ] "what was asked"
                  Expect.equal first.Connections 0 "the bootstrap broker was not connected to"
                  Expect.equal second.Connections 1 "one connection"))

          testCase "replace a leader that there is a connection to, with the next call" (fun () ->
              withTwo (fun first second client ->
                  fetch client |> ignore
                  Expect.isTrue (client.UseLeader(leaderAt second 2 4)) "it is used"
                  Expect.equal (client.Leader |> Option.map _.NodeId) (Some 1) "before the next call"
                  Expect.equal (fetch client) ErrorCode.None "the next call"
                  Expect.equal (client.Leader |> Option.map _.NodeId) (Some 2) "after it"
                  first.AwaitEnd 1
                  Expect.equal (metadataAsked first) 1 "metadata requests"))

          testCase "at the broker that there is a connection to keep it, and requests name the new epoch" (fun () ->
              withTwo (fun first _ client ->
                  fetch client |> ignore
                  let connection = client.Connection
                  Expect.isTrue (client.UseLeader(leaderAt first 1 4)) "it is used"
                  Expect.equal (fetch client) ErrorCode.None "the next call"
                  Expect.equal (asked first) [ 3, topicId; 4, topicId ] "the epochs"
                  Expect.isTrue (obj.ReferenceEquals(connection.Value, client.Connection.Value)) "the connection"))

          testCase "for a topic that was created again have a new connection at the same broker" (fun () ->
              withTwo (fun first _ client ->
                  fetch client |> ignore
                  let before = client.Connection.Value
                  Expect.isTrue (client.UseLeader { leaderAt first 1 0 with TopicId = anotherId }) "it is used, with a lower epoch"
                  Expect.equal (fetch client) ErrorCode.None "the next call"
                  Expect.equal (asked first) [ 3, topicId; 0, anotherId ] "the topics"
                  Expect.isFalse before.IsOpen "the connection before"))

          testCase "are not used if they are older than the one that is known" (fun () ->
              withTwo (fun first second client ->
                  fetch client |> ignore
                  Expect.isFalse (client.UseLeader(leaderAt second 2 2)) "it is older"
                  Expect.equal (fetch client) ErrorCode.None "the next call"
                  Expect.equal (asked first).Length 2 "it went to the leader in the later epoch"
                  Expect.equal second.Connections 0 "the other was not connected to"))

          testCase "are not used if they are older than one that was handed over and not tried yet" (fun () ->
              withTwo (fun first second client ->
                  Expect.isTrue (client.UseLeader(leaderAt second 2 4)) "the newer one"
                  Expect.isFalse (client.UseLeader(leaderAt first 1 3)) "the older one"
                  Expect.equal (fetch client) ErrorCode.None "the fetch"
                  Expect.equal (client.Leader |> Option.map _.NodeId) (Some 2) "the newer one"))

          testCase "are used whatever their epoch is if it is not reliable" (fun () ->
              withTwo (fun _ second client ->
                  fetch client |> ignore
                  Expect.isTrue (client.UseLeader { leaderAt second 2 2 with RequestEpoch = -1 }) "it is used"
                  Expect.equal (fetch client) ErrorCode.None "the next call"
                  Expect.equal (asked second) [ -1, topicId ] "no epoch is named"))

          testCase "that cannot be connected to: the client finds the leader in the same call" (fun () ->
              let socket, nobody = Loopback.refuse ()
              use _ = socket

              withTwo (fun first second client ->
                  Expect.isTrue (client.UseLeader { leaderAt second 2 3 with Address = nobody }) "it is used"
                  Expect.equal (fetch client) ErrorCode.None "the fetch"
                  Expect.equal (client.Leader |> Option.map _.NodeId) (Some 1) "the one that metadata names"
                  Expect.equal (metadataAsked first) 1 "metadata requests"))

          testCase "that do not lead: the code is data, and the next call finds the leader unless another one is handed over" (fun () ->
              let refusing = serve (refuse ErrorCode.NotLeaderOrFollower)

              Scripted.broker (fun _ -> Script.knowing Script.everything refusing) (fun second ->
                  Scripted.partition patient (serve id) (fun first client ->
                      client.UseLeader(leaderAt second 2 3) |> ignore
                      Expect.equal (fetch client) ErrorCode.NotLeaderOrFollower "the first fetch"
                      Expect.equal (metadataAsked first) 0 "nobody was asked"
                      client.UseLeader(leaderAt second 2 3) |> ignore
                      Expect.equal (fetch client) ErrorCode.NotLeaderOrFollower "the second fetch, of the same broker"
                      Expect.equal (fetch client) ErrorCode.None "the third fetch"
                      Expect.equal (client.Leader |> Option.map _.NodeId) (Some 1) "the one that metadata names"
                      Expect.equal (metadataAsked first) 1 "metadata requests")))

          testCase "are connected to again without asking for metadata if the broker has closed the connection" (fun () ->
              let closing (received: Received) = serve id received @ [ Act.Close ]

              Scripted.broker (fun _ -> Script.knowing Script.everything closing) (fun second ->
                  Scripted.partition patient (serve id) (fun first client ->
                      client.UseLeader(leaderAt second 2 4) |> ignore

                      for number in 1..3 do
                          Expect.equal (fetch client) ErrorCode.None "the fetch"
                          // The end of the connection arrives.
                          Expect.isTrue (client.Connection.Value.Socket.Poll(20_000_000, SelectMode.SelectRead)) "the end"

                          if number = 2 then
                              Expect.isTrue (client.UseLeader(leaderAt second 2 5)) "it is used"

                      Expect.equal (asked second |> List.map fst) [ 4; 4; 5 ] "the epochs"
                      Expect.equal first.Connections 0 "the bootstrap broker was not connected to")))

          testCase "are not connected to again after a call has failed: the client finds the leader" (fun () ->
              Scripted.broker (fun _ -> Script.knowing Script.everything (fun _ -> [ Act.Close ])) (fun second ->
                  Scripted.partition patient (serve id) (fun first client ->
                      client.UseLeader(leaderAt second 2 3) |> ignore
                      Expect.isError (fetched client).Result "no response"
                      Expect.equal (fetch client) ErrorCode.None "the next fetch"
                      Expect.equal (client.Leader |> Option.map _.NodeId) (Some 1) "the one that metadata names"
                      client.UseLeader(leaderAt second 2 3) |> ignore
                      Expect.isError (fetched client).Result "no response"
                      Expect.isTrue (client.UseLeader(leaderAt first 1 3)) "another one"
                      Expect.equal (fetch client) ErrorCode.None "the fetch of that"
                      Expect.equal (metadataAsked first) 1 "metadata requests")))

          testCase "can be connected to without asking for metadata if that fails" (fun () ->
              let socket, nobody = Loopback.refuse ()
              use _ = socket

              withTwo (fun first second client ->
                  let noLeader = ClientFault.NoLeader(client.Partition, ErrorCode.LeaderNotAvailable)
                  Expect.equal client.KnownLeader None "no leader is known yet"
                  Expect.equal (faultOf (client.ConnectToKnown())) noLeader "nobody is asked"
                  let unreachable = { leaderAt second 2 3 with Address = nobody }
                  client.UseLeader unreachable |> ignore
                  Expect.equal client.KnownLeader (Some unreachable) "the one that was handed over"

                  match faultOf (client.ConnectToKnown()) with
                  | ClientFault.CannotConnect(broker, _) -> Expect.equal broker nobody "the broker"
                  | other -> failtestf "%O" other

                  Expect.equal client.KnownLeader None "it has failed"
                  Expect.equal (faultOf (client.ConnectToKnown())) noLeader "it is not tried again"
                  Expect.equal first.Connections 0 "nobody was asked"
                  client.UseLeader(leaderAt second 2 3) |> ignore
                  let connection = client.ConnectToKnown() |> ok
                  Expect.equal connection.Broker second.Address "another one"
                  Expect.isTrue (obj.ReferenceEquals(client.ConnectToKnown() |> ok, connection)) "it is kept"
                  connection.Close()
                  Expect.equal client.KnownLeader None "after a close"
                  Expect.equal (fetch client) ErrorCode.None "a call asks as usual"
                  Expect.equal (client.KnownLeader |> Option.map _.NodeId) (Some 1) "the leader that was found"))

          testCase "are forgotten when the client is closed" (fun () ->
              withTwo (fun first second client ->
                  client.UseLeader(leaderAt second 2 3) |> ignore
                  client.Close()
                  Expect.equal (fetch client) ErrorCode.None "the fetch"
                  Expect.equal (metadataAsked first) 1 "metadata requests"
                  Expect.equal second.Connections 0 "the other was not connected to")) ]

let private facade =
    testCase "of the façade come from one request and are handed over" (fun () ->
        serving (fun second ->
            let topic (me: BrokerAddress) =
                { Script.metadata me [ Script.topic "t" topicId ] with
                    Brokers = [ { Metadata.broker.Default with NodeId = 1; Host = me.Host; Port = second.Address.Port } ] }

            let script me = Script.knowing Script.everything (fun received -> Script.answer Metadata.api received (topic me))

            Scripted.broker script (fun first ->
                let options = LibKafka.KafkaClientOptions(first.Address.ToString())
                let topics = LibKafka.KafkaCluster.FindLeaders(options, [ "t"; "none"; "t" ]).ThrowIfError()
                Expect.equal (topics |> Seq.map _.Topic |> List.ofSeq) [ "t"; "none" ] "the topics"
                let t = topics[0]
                Expect.equal (t.TopicId, t.PartitionCount, List.ofSeq t.Partitions) (topicId, 1, [ 0 ]) "the first topic"
                Expect.equal (topics[1].Error, topics[1].PartitionCount) (ErrorCode.UnknownTopicOrPartition, 0) "the second one"
                let mutable error = ErrorCode.None
                let mutable leader: LibKafka.PartitionLeader | null = null
                Expect.isFalse (topics[1].TryGetLeader(0, &leader, &error)) "it has no leader"
                Expect.equal error ErrorCode.UnknownTopicOrPartition "why"
                Expect.isTrue (t.TryGetLeader(0, &leader, &error)) "the first one has"

                match leader with
                | null -> failtest "there is a leader"
                | leader ->
                    Expect.equal (leader.NodeId, leader.Epoch, leader.RequestEpoch, leader.TopicId) (1, 3, 3, topicId) "which"
                    use client = new LibKafka.PartitionClient(options, LibKafka.TopicPartition("t", 0))
                    Expect.isTrue (client.UseLeader leader) "it is used"
                    Expect.equal (client.Connect().ThrowIfError().Broker.Port) second.Address.Port "the connection goes there"
                    Expect.equal client.Leader leader "the client's leader"
                    Expect.equal (metadataAsked first) 1 "metadata requests"
                    client.Dispose()
                    Expect.throwsT<ObjectDisposedException> (fun () -> client.UseLeader leader |> ignore) "after it was disposed of")))

[<Tests>]
let tests = testList "leaders" [ found; handed; facade ]
