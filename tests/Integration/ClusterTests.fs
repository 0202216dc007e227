/// Finding a broker, a leader, the controller; creating and deleting topics.
module LibKafka.Integration.ClusterTests

open System
open System.Net.Sockets
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support

/// Addresses where connections are refused during the test.
let private withDead (count: int) (test: BrokerAddress list -> unit) =
    let sockets, addresses = List.init count (fun _ -> Loopback.refuse ()) |> List.unzip

    try
        test addresses
    finally
        sockets |> List.iter (fun (socket: Socket) -> socket.Dispose())

let private live (test: ScriptedBroker -> unit) = Scripted.broker (fun _ -> Script.knowing Script.everything Script.unexpected) test

let private bootstrap =
    let isDead (broker: BrokerAddress) (fault: ClientFault) =
        match fault with
        | ClientFault.CannotConnect(address, _) when address = broker -> ()
        | other -> failtestf "%O" other

    testList
        "bootstrap"
        [ testCase "one live broker is enough, at any place in the list" (fun () ->
              withDead 3 (fun dead ->
                  live (fun broker ->
                      for place in 0..3 do
                          let brokers = List.insertAt place broker.Address dead
                          use connection = Cluster.Connect(patient, Bootstrap.ofAddresses brokers) |> ok
                          Expect.equal connection.Broker broker.Address "the one that lives")))

          testCase "a broker that does not report its versions is skipped like a dead one" (fun () ->
              Scripted.broker (fun _ _ -> [ Act.Close ]) (fun mute ->
                  live (fun broker ->
                      // The order is random: try until the mute broker was asked first.
                      while mute.Connections = 0 do
                          use connection = Cluster.Connect(patient, Bootstrap.ofAddresses [ mute.Address; broker.Address ]) |> ok
                          Expect.equal connection.Broker broker.Address "the one that speaks")))

          testCase "if all are dead, the fault has each with its own fault" (fun () ->
              withDead 3 (fun dead ->
                  match Cluster.Connect(patient, Bootstrap.ofAddresses dead) with
                  | Error(ClientFault.NoBroker tried as fault) ->
                      Expect.equal (tried |> List.map fst |> List.sort) (List.sort dead) "each of them once"

                      for broker, fault in tried do
                          isDead broker fault

                      for broker in dead do
                          Expect.stringContains (fault.ToString()) (broker.ToString()) "and its text names it"
                  | Error other -> failtestf "%O" other
                  | Ok _ -> failtest "there is no broker"))

          testCase "an empty list has no usable broker" (fun () ->
              Expect.equal (faultOf (Cluster.Connect(patient, Bootstrap.ofAddresses []))) (ClientFault.NoBroker []) "the fault")

          testCase "a host without an address" (fun () ->
              let broker = { Host = "no-such-host.invalid"; Port = 9092 }
              isDead broker (faultOf (Connection.Open(patient, broker))))

          testCase "a cancelled client does not try the other brokers" (fun () ->
              live (fun broker ->
                  let cancelled = Threading.CancellationToken true
                  let fault =
                      faultOf (
                          Cluster.Connect(
                              patient,
                              Bootstrap.ofAddresses [ broker.Address; broker.Address ],
                              CallOptions.cancelledBy cancelled
                          )
                      )
                  Expect.equal fault ClientFault.Cancelled "the fault"
                  Expect.isEmpty broker.Received "nothing was sent")) ]

let private partition = { Topic = "t"; Partition = 0 }

/// A cluster of one broker whose metadata is this.
let private telling (change: Metadata.Response -> Metadata.Response) (test: ScriptedBroker -> unit) =
    let script (me: BrokerAddress) =
        Script.knowing Script.everything (fun received ->
            match received.Request with
            | Request.Metadata _ -> Script.answer Metadata.api received (change (Script.metadata me []))
            | _ -> Script.unexpected received)

    Scripted.broker script test

let private leaders =
    let topic = Script.topic "t" Guid.Empty
    let withTopic topic (response: Metadata.Response) = { response with Topics = [ topic ] }
    let withPartition change = withTopic { topic with Partitions = List.map change topic.Partitions }

    testList
        "leader"
        [ for name, change, code in
              [ "the topic does not exist",
                withTopic { topic with Error = ErrorCode.UnknownTopicOrPartition; Partitions = [] },
                ErrorCode.UnknownTopicOrPartition
                "the client may not see the topic",
                withTopic { topic with Error = ErrorCode.TopicAuthorizationFailed; Partitions = [] },
                ErrorCode.TopicAuthorizationFailed
                "the answer leaves the topic out", id, ErrorCode.UnknownTopicOrPartition
                "the topic has no such partition",
                withPartition (fun partition -> { partition with PartitionIndex = 1 }),
                ErrorCode.UnknownTopicOrPartition
                "the partition has no leader",
                withPartition (fun partition -> { partition with LeaderId = -1; Error = ErrorCode.LeaderNotAvailable }),
                ErrorCode.LeaderNotAvailable
                "the partition has no leader for a reason of its own",
                withPartition (fun partition -> { partition with LeaderId = -1; Error = ErrorCode.ListenerNotFound }),
                ErrorCode.ListenerNotFound
                "the leader is not among the brokers",
                withPartition (fun partition -> { partition with LeaderId = 9 }),
                ErrorCode.LeaderNotAvailable
                "the client is to begin anew",
                (fun response -> { response with Error = ErrorCode.RebootstrapRequired }),
                ErrorCode.RebootstrapRequired ] do
              testCase ("without one the fault has the code: " + name) (fun () ->
                  telling change (fun broker ->
                      let expected = ClientFault.NoLeader(partition, code)
                      Expect.equal
                          (faultOf (Cluster.FindLeader(patient, Bootstrap.ofAddresses [ broker.Address ], partition)))
                          expected
                          "the fault"

                      use client = new PartitionClient(patient, Bootstrap.ofAddresses [ broker.Address ], partition)
                      let found = (new PartitionFetcher(client, FetcherSettings.standard, 0L)).FindOffset OffsetSpec.Latest
                      Expect.equal (faultOf found.Result) expected "the same from a call"
                      Expect.isFalse found.Exchange.Info.WasSent "nothing was sent"))

          testCase "an error next to the leader does not hide it" (fun () ->
              // As if a replica, but not the leader, is offline.
              let change = withPartition (fun partition -> { partition with Error = ErrorCode.ReplicaNotAvailable })

              telling change (fun broker ->
                  let leader = Cluster.FindLeader(patient, Bootstrap.ofAddresses [ broker.Address ], partition) |> ok
                  Expect.equal
                      leader
                      { NodeId = 1; Address = broker.Address; Epoch = 3; RequestEpoch = 3; TopicId = Guid.Empty }
                      "the leader"))

          testCase "looking for it creates no topic" (fun () ->
              telling (withTopic topic) (fun broker ->
                  Cluster.FindLeader(patient, Bootstrap.ofAddresses [ broker.Address ], partition) |> ok |> ignore

                  match broker.Calls |> List.map _.Request with
                  | [ Request.Metadata request ] ->
                      Expect.isFalse request.AllowAutoTopicCreation "it is not allowed to"
                      Expect.equal request.Topics (Some [ { TopicId = Guid.Empty; Name = Some "t" } ]) "it asks for this topic alone"
                  | other -> failtestf "%A" other)) ]

/// A cluster of two brokers. The second is the controller and responds with `rest`. The test gets both, and the address of the second is
/// only in the metadata.
let private controlled (table: ApiVersions.ApiVersion list) rest (test: ScriptedBroker -> ScriptedBroker -> unit) =
    Scripted.broker (fun _ -> Script.knowing table rest) (fun controller ->
        let tell response : Metadata.Response =
            { response with
                ControllerId = 2
                Brokers =
                    response.Brokers
                    @ [ { Metadata.broker.Default with NodeId = 2; Host = controller.Address.Host; Port = controller.Address.Port } ] }

        telling tell (fun broker -> test broker controller))

let private topics =
    let result name error message : CreateTopics.TopicResult =
        { CreateTopics.topicResult.Default with Name = name; Error = error; ErrorMessage = message; Configs = None }

    let results =
        [ result "made" ErrorCode.None None
          result "there" ErrorCode.TopicAlreadyExists (Some "Topic 'there' already exists.") ]

    let deleted: DeleteTopics.TopicResult list =
        [ { DeleteTopics.topicResult.Default with Name = Some "gone" }
          { DeleteTopics.topicResult.Default with Name = Some "never"; Error = ErrorCode.UnknownTopicOrPartition } ]

    let rest (received: Received) =
        match received.Request with
        | Request.CreateTopics _ -> Script.answer CreateTopics.api received { ThrottleTimeMs = 7; Topics = results }
        | Request.DeleteTopics _ -> Script.answer DeleteTopics.api received { DeleteTopics.response.Default with Topics = deleted }
        | _ -> Script.unexpected received

    let toMake =
        [ { Name = "made"; Partitions = 3; ReplicationFactor = 2s; Configs = [ "cleanup.policy", "compact" ] }
          { Name = "there"; Partitions = -1; ReplicationFactor = -1s; Configs = [] } ]

    testList
        "topics"
        [ testCase "are created by the controller, and each has a result of its own" (fun () ->
              controlled Script.everything rest (fun broker controller ->
                  use admin = new AdminClient(patient, Bootstrap.ofAddresses [ broker.Address ])
                  let reply = admin.CreateTopics(toMake, ms 5000)

                  let expected =
                      [ for result in results ->
                            if result.Error.IsError then
                                Error(AdminFault.Refused(result.Error, result.ErrorMessage))
                            else
                                Ok result ]

                  Expect.equal (List.map snd reply.Result) expected "the results"
                  Expect.equal (List.last reply.Exchanges).ThrottleTime (ms 7) "throttle time is in the exchange"

                  match controller.Calls |> List.map _.Request with
                  | [ Request.CreateTopics request ] ->
                      Expect.equal request.TimeoutMs 5000 "the time it may take"
                      Expect.isFalse request.ValidateOnly "in earnest"

                      Expect.equal
                          (request.Topics |> List.map (fun topic -> topic.Name, topic.NumPartitions, topic.ReplicationFactor))
                          [ "made", 3, 2s; "there", -1, -1s ]
                          "the topics"

                      Expect.equal
                          (request.Topics |> List.map _.Configs)
                          [ [ { Name = "cleanup.policy"; Value = Some "compact" } ]; [] ]
                          "their settings"
                  | other -> failtestf "%A" other))

          for version in [ 5; 6 ] do
              testCase ("are deleted by name, in version " + string version + " as well") (fun () ->
                  let table = Script.everythingBut [ Script.versions ApiKey.DeleteTopics 1 version ]

                  controlled table rest (fun broker controller ->
                      use admin = new AdminClient(patient, Bootstrap.ofAddresses [ broker.Address ])
                      let reply = admin.DeleteTopics([ "gone"; "never" ], ms 5000)

                      Expect.equal
                          (List.map snd reply.Result)
                          [ Ok deleted[0]; Error(AdminFault.Refused(deleted[1].Error, deleted[1].ErrorMessage)) ]
                          "the results"

                      Expect.equal (controller.VersionsOf ApiKey.DeleteTopics) [ version ] "the version"

                      match controller.Calls |> List.map _.Request with
                      | [ Request.DeleteTopics request ] ->
                          let names = request.TopicNames @ (request.Topics |> List.choose _.Name)
                          Expect.equal names [ "gone"; "never" ] "each once"
                      | other -> failtestf "%A" other))

          testCase "the controller is connected to, and the connection to the broker that was asked is closed" (fun () ->
              controlled Script.everything rest (fun broker controller ->
                  use connection = Cluster.ConnectController(patient, Bootstrap.ofAddresses [ broker.Address ]) |> ok
                  Expect.equal connection.Broker controller.Address "the controller"
                  broker.AwaitEnd 0))

          testCase "if the cluster names no controller, any broker is used" (fun () ->
              telling (fun response -> { response with ControllerId = -1 }) (fun broker ->
                  use connection = Cluster.ConnectController(patient, Bootstrap.ofAddresses [ broker.Address ]) |> ok
                  Expect.equal connection.Broker broker.Address "the one there is"
                  Expect.equal broker.Connections 1 "on the connection there is"))

          testCase "if the controller is the broker that was asked, no second connection is made" (fun () ->
              telling id (fun broker ->
                  use connection = Cluster.ConnectController(patient, Bootstrap.ofAddresses [ broker.Address ]) |> ok
                  Expect.equal connection.Broker broker.Address "the one there is"
                  Expect.equal broker.Connections 1 "on the connection there is"))

          testCase "the connection to a broker that cannot be asked for the controller is closed" (fun () ->
              let table = Script.everything |> List.filter (fun key -> key.ApiKey <> ApiKey.Metadata)

              Scripted.broker (fun _ -> Script.knowing table Script.unexpected) (fun broker ->
                  match Cluster.ConnectController(patient, Bootstrap.ofAddresses [ broker.Address ]) with
                  | Error(ClientFault.NoCommonVersion _) -> broker.AwaitEnd 0
                  | Error other -> failtestf "%O" other
                  | Ok _ -> failtest "the controller cannot be known")) ]

let private coordinators =
    let key = "a-group"

    let answer (received: Received) : Act list =
        let response: FindCoordinator.Response = { FindCoordinator.response.Default with ErrorMessage = Some "" }

        let coordinator: FindCoordinator.Coordinator =
            { FindCoordinator.coordinator.Default with Key = key; NodeId = 4; Host = "h"; Port = 5; ErrorMessage = None }

        if received.Header.ApiVersion >= 4s then
            Script.answer FindCoordinator.api received { response with Coordinators = [ coordinator ] }
        else
            Script.answer FindCoordinator.api received { response with NodeId = 4; Host = "h"; Port = 5 }

    testList
        "coordinator"
        [ for version in [ 0; 3; 4; int FindCoordinator.api.Versions.Highest ] do
              testCase ("of a group can be asked for in version " + string version) (fun () ->
                  let table = Script.everythingBut [ Script.versions ApiKey.FindCoordinator 0 version ]

                  Scripted.broker (fun _ -> Script.knowing table answer) (fun broker ->
                      use connection = Connection.Open(patient, broker.Address) |> ok
                      let exchange = Cluster.FindCoordinator(connection, CoordinatorType.Group, key)
                      let response = ok exchange.Result
                      Expect.equal exchange.Info.Version (int16 version) "the version"

                      let nodes = if version >= 4 then response.Coordinators |> List.map _.NodeId else [ response.NodeId ]

                      Expect.equal nodes [ 4 ] "the coordinator"

                      match broker.Calls |> List.map _.Request with
                      | [ Request.FindCoordinator request ] ->
                          let keys = if version >= 4 then request.Keys else [ request.Key ]
                          Expect.equal keys [ key ] "the group"
                      | other -> failtestf "%A" other

                      let found = Cluster.CoordinatorIn(response, key)
                      Expect.equal (found.NodeId, found.Host, found.Port) (4, "h", 5) "the same in either form"
                      Expect.equal found.Error ErrorCode.None "without an error"

                      if version >= 4 then
                          let other = Cluster.CoordinatorIn(response, "another-group")
                          Expect.isTrue other.Error.IsError "a list says nothing of a group that is not in it")) ]

[<Tests>]
let tests = testList "cluster" [ bootstrap; leaders; topics; coordinators ]
