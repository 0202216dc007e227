/// Which brokers administrative calls ask, and what they make of the answers.
module LibKafka.Integration.AdminBrokerTests

open System
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Replay
open LibKafka.Integration.Support

/// The coordinators of groups: the second broker for `g2`, none for `g4`, the first broker for the others.
let private coordinatorOf (first: BrokerAddress) (second: BrokerAddress) (group: string) : FindCoordinator.Coordinator =
    let at (broker: BrokerAddress) : FindCoordinator.Coordinator =
        { FindCoordinator.coordinator.Default with
            Key = group
            NodeId = 1
            Host = broker.Host
            Port = broker.Port
            ErrorMessage = None }

    match group with
    | "g2" -> at second
    | "g4" ->
        { FindCoordinator.coordinator.Default with
            Key = group
            NodeId = -1
            Port = -1
            Error = ErrorCode.CoordinatorNotAvailable
            ErrorMessage = Some "not yet" }
    | _ -> at first

/// Answers in the form of the version.
let private answerCoordinators (coordinatorOf: string -> FindCoordinator.Coordinator) received (request: FindCoordinator.Request) =
    let response =
        if received.Header.ApiVersion >= FindCoordinator.keysSince then
            { FindCoordinator.response.Default with Coordinators = List.map coordinatorOf request.Keys }
        else
            let found = coordinatorOf request.Key

            { FindCoordinator.response.Default with
                Error = found.Error
                ErrorMessage = found.ErrorMessage
                NodeId = found.NodeId
                Host = found.Host
                Port = found.Port }

    Script.answer FindCoordinator.api received response

/// A cluster of two brokers: the first is the bootstrap broker, the second the controller, the leader of topic `t2` and the coordinator of
/// the group `g2`. They support FindCoordinator up to a version.
let private twoFinding (version: int) (answer: Received -> Act list) (test: ScriptedBroker -> ScriptedBroker -> unit) =
    let table =
        Script.everythingBut
            [ Script.versions ApiKey.ListOffsets 1 7
              Script.versions ApiKey.DeleteGroups 0 2
              Script.versions ApiKey.DeleteRecords 0 2
              Script.versions ApiKey.DescribeGroups 0 6
              Script.versions ApiKey.ConsumerGroupDescribe 0 1
              Script.versions ApiKey.ListGroups 0 5
              Script.versions ApiKey.DescribeConfigs 1 4
              Script.versions ApiKey.FindCoordinator 0 version ]

    let second = Script.knowing table answer

    Scripted.broker (fun _ -> second) (fun other ->
        let first (me: BrokerAddress) =
            Script.knowing table (fun received ->
                let both = [ me, 1; other.Address, 2 ]

                match received.Request with
                | Request.Metadata request ->
                    let topics =
                        request.Topics
                        |> Option.defaultValue []
                        |> List.choose _.Name
                        |> List.map (fun name ->
                            let topic = topicOf name 1
                            let node = if name = "t2" then 2 else 1
                            let error = if name = "gone" then ErrorCode.UnknownTopicOrPartition else ErrorCode.None
                            { topic with Error = error; Partitions = [ { topic.Partitions.Head with LeaderId = node } ] })

                    let response = Script.metadata me topics

                    Script.answer
                        Metadata.api
                        received
                        { response with
                            ControllerId = 2
                            Brokers =
                                [ for address, node in both ->
                                      { Metadata.broker.Default with NodeId = node; Host = address.Host; Port = address.Port } ] }
                | Request.FindCoordinator request -> answerCoordinators (coordinatorOf me other.Address) received request
                | _ -> answer received)

        Scripted.broker first (fun broker -> test broker other))

let private two answer test = twoFinding 6 answer test

let private asked (api: ApiKey) (broker: ScriptedBroker) = broker.Calls |> List.filter (fun call -> call.Header.ApiKey = api)

/// A controller that mentions no topic in its responses.
let private forgetfulController (received: Received) =
    match received.Request with
    | Request.CreateTopics _ -> Script.answer CreateTopics.api received CreateTopics.response.Default
    | _ -> Script.unexpected received

let private whom =
    testList
        "broker asked"
        [ testCase "each leader is asked about its own partitions, and the results are in the order of the request" (fun () ->
              two (Script.finding 7L) (fun first second ->
                  use admin = new AdminClient(patient, Bootstrap.ofAddresses [ first.Address ])
                  let at topic = { Topic = topic; Partition = 0 }
                  let wanted = [ for topic in [ "t1"; "t2"; "gone"; "t3" ] -> at topic, OffsetSpec.Latest ]
                  let reply = admin.ListOffsets wanted
                  Expect.equal (List.map fst reply.Result) (List.map fst wanted) "in order"

                  for partition, result in reply.Result do
                      match result with
                      | Ok found -> Expect.equal found.Offset 7L "found"
                      | Error fault ->
                          Expect.equal partition.Topic "gone" "the only one without a leader"
                          Expect.equal fault (AdminFault.Refused(ErrorCode.UnknownTopicOrPartition, None)) "why"

                  Expect.equal (asked ApiKey.ListOffsets first).Length 1 "one call to the first"
                  Expect.equal (asked ApiKey.ListOffsets second).Length 1 "one call to the second"
                  Expect.equal (reply.Exchanges |> List.filter (fun info -> info.Api = ApiKey.ListOffsets)).Length 2 "both are told"))

          for version, requests in [ 6, [ [ "g1"; "g2"; "g4"; "forgotten" ] ]; 3, [ [ "g1" ]; [ "g2" ]; [ "g4" ]; [ "forgotten" ] ] ] do
              testCase
                  ("each group's coordinator is asked, and a failure of one does not affect the others: FindCoordinator " + string version)
                  (fun () ->
                      let answer (received: Received) =
                          match received.Request with
                          | Request.DeleteGroups request when request.GroupsNames = [ "g2" ] -> [ Act.Close ]
                          | Request.DeleteGroups request ->
                              let results: DeleteGroups.Result list =
                                  [ for group in request.GroupsNames do
                                        if group <> "forgotten" then
                                            { GroupId = group; Error = ErrorCode.None; ErrorMessage = None } ]

                              Script.answer DeleteGroups.api received { DeleteGroups.response.Default with Results = results }
                          | _ -> Script.unexpected received

                      twoFinding version answer (fun first _ ->
                          use admin = new AdminClient(patient, Bootstrap.ofAddresses [ first.Address ])
                          let reply = admin.DeleteGroups [ "g1"; "g2"; "g4"; "forgotten" ]

                          Expect.equal
                              reply.Result
                              [ "g1", Ok()
                                "g2", Error(AdminFault.Fault ClientFault.Closed)
                                "g4", Error(AdminFault.Refused(ErrorCode.CoordinatorNotAvailable, Some "not yet"))
                                "forgotten", Error AdminFault.NotAnswered ]
                              "the results"

                          let keys (call: Received) =
                              match call.Request with
                              | Request.FindCoordinator request when version < 4 -> Some [ request.Key ]
                              | Request.FindCoordinator request -> Some request.Keys
                              | _ -> None

                          Expect.equal
                              (first.Calls |> List.choose keys)
                              requests
                              "the coordinators are found in as few requests as possible"
                          Expect.equal (asked ApiKey.DeleteGroups first).Length 1 "one call for all groups of one coordinator"))

          testCase "every broker is asked for its groups" (fun () ->
              let answer (received: Received) =
                  match received.Request with
                  | Request.ListGroups _ ->
                      Script.answer
                          ListGroups.api
                          received
                          { ListGroups.response.Default with Error = ErrorCode.CoordinatorLoadInProgress }
                  | _ -> Script.unexpected received

              two answer (fun first second ->
                  use admin = new AdminClient(patient, Bootstrap.ofAddresses [ first.Address ])
                  let expected = Error(AdminFault.Refused(ErrorCode.CoordinatorLoadInProgress, None))
                  Expect.equal (admin.ListGroups()).Result (Ok [ first.Address, expected; second.Address, expected ]) "both"))

          testCase "a broker is asked for its own configs, and any broker for a topic's" (fun () ->
              let answer (received: Received) =
                  match received.Request with
                  | Request.DescribeConfigs request ->
                      let results: DescribeConfigs.Result list =
                          [ for resource in request.Resources ->
                                { DescribeConfigs.result.Default with
                                    ErrorMessage = None
                                    ResourceType = resource.ResourceType
                                    ResourceName = resource.ResourceName } ]

                      Script.answer DescribeConfigs.api received { DescribeConfigs.response.Default with Results = results }
                  | _ -> Script.unexpected received

              two answer (fun first second ->
                  use admin = new AdminClient(patient, Bootstrap.ofAddresses [ first.Address ])

                  let wanted: DescribeConfigs.Resource list =
                      [ for kind, name in
                            [ ConfigResourceType.Broker, "2"
                              ConfigResourceType.Topic, "t1"
                              ConfigResourceType.Broker, "9"
                              ConfigResourceType.BrokerLogger, "2" ] ->
                            { ResourceType = kind; ResourceName = name; ConfigurationKeys = None } ]

                  let reply = admin.DescribeConfigs wanted
                  let unknown = Error(AdminFault.Refused(ErrorCode.BrokerIdNotRegistered, None))
                  Expect.equal (List.map snd reply.Result) [ Ok []; Ok []; unknown; Ok [] ] "the results"

                  let resources (broker: ScriptedBroker) =
                      asked ApiKey.DescribeConfigs broker
                      |> List.collect (fun call ->
                          match call.Request with
                          | Request.DescribeConfigs request -> request.Resources |> List.map _.ResourceName
                          | _ -> [])

                  Expect.equal (resources first, resources second) ([ "t1" ], [ "2"; "2" ]) "who was asked about what"))

          testCase "the controller creates topics, and connections are kept" (fun () ->
              two forgetfulController (fun first second ->
                  use admin = new AdminClient(patient, Bootstrap.ofAddresses [ first.Address ])
                  let topic = { Name = "t"; Partitions = 1; ReplicationFactor = 1s; Configs = [] }

                  for _ in 1..2 do
                      let reply = admin.CreateTopics([ topic ], ms 100)
                      Expect.equal reply.Result [ "t", Error AdminFault.NotAnswered ] "an answer that leaves it out"

                  Expect.equal (asked ApiKey.CreateTopics second).Length 2 "the controller was asked"
                  Expect.equal (first.Connections, second.Connections) (1, 1) "on one connection each"))

          testCase "topics can be created with given replicas, and validated without being created" (fun () ->
              two forgetfulController (fun first second ->
                  use admin = new AdminClient(patient, Bootstrap.ofAddresses [ first.Address ])

                  let topic: CreateTopics.Topic =
                      { CreateTopics.topic.Default with
                          Name = "t"
                          NumPartitions = -1
                          ReplicationFactor = -1s
                          Assignments = [ { PartitionIndex = 0; BrokerIds = [ 2; 1 ] } ] }

                  admin.CreateTopics([ topic ], ms 100, validateOnly = true) |> ignore

                  let requests =
                      asked ApiKey.CreateTopics second
                      |> List.choose (fun call ->
                          match call.Request with
                          | Request.CreateTopics request -> Some request
                          | _ -> None)

                  Expect.equal requests [ { Topics = [ topic ]; TimeoutMs = 100; ValidateOnly = true } ] "the request"))

          testCase "one partition at several places, or with several offsets, gets an answer to each" (fun () ->
              let answer (received: Received) =
                  match received.Request with
                  | Request.ListOffsets request -> Script.answer ListOffsets.api received (Script.foundOnce request)
                  | Request.DeleteRecords request ->
                      // Like a real broker, it answers once for a partition that is named twice.
                      let deleted (topic: DeleteRecords.Topic) : DeleteRecords.TopicResult =
                          { Name = topic.Name
                            Partitions =
                              [ for index, asked in topic.Partitions |> List.groupBy _.PartitionIndex ->
                                    { PartitionIndex = index; LowWatermark = (List.last asked).Offset; Error = ErrorCode.None } ] }

                      Script.answer DeleteRecords.api received { ThrottleTimeMs = 0; Topics = List.map deleted request.Topics }
                  | _ -> Script.unexpected received

              two answer (fun first second ->
                  use admin = new AdminClient(patient, Bootstrap.ofAddresses [ first.Address ])
                  let at topic = { Topic = topic; Partition = 0 }

                  let wanted =
                      [ at "t1", OffsetSpec.Earliest
                        at "t2", OffsetSpec.Latest
                        at "t1", OffsetSpec.Latest
                        at "t1", OffsetSpec.MaxTimestamp
                        at "t2", OffsetSpec.Latest
                        at "t3", OffsetSpec.AtTimestamp 5L ]

                  let reply = admin.ListOffsets wanted
                  let offsets = reply.Result |> List.map (fun (partition, found) -> partition, (ok found).Offset)
                  Expect.equal offsets [ for partition, spec in wanted -> partition, 1_000L + spec.Timestamp ] "in order"
                  Expect.equal (asked ApiKey.ListOffsets first).Length 3 "no more calls than places of one partition"
                  Expect.equal (asked ApiKey.ListOffsets second).Length 2 "the same for the other broker"
                  let deleted = admin.DeleteRecords([ at "t1", 3L; at "t1", 5L; at "t3", 4L ], ms 100)
                  Expect.equal (deleted.Result |> List.map (snd >> ok)) [ 3L; 5L; 4L ] "each is done, in order"))

          testCase "160,000 partitions are answered in time" (fun () ->
              let count = 160_000

              let answer (received: Received) =
                  match received.Request with
                  | Request.ListOffsets request ->
                      let found (topic: ListOffsets.TopicRequest) : ListOffsets.TopicResponse =
                          { Name = topic.Name
                            Partitions =
                              [ for asked in topic.Partitions ->
                                    { ListOffsets.partitionResponse.Default with
                                        PartitionIndex = asked.PartitionIndex
                                        Offset = int64 asked.PartitionIndex } ] }

                      Script.answer ListOffsets.api received { ThrottleTimeMs = 0; Topics = List.map found request.Topics }
                  | _ -> Script.unexpected received

              let topic = topicOf "t" count

              Scripted.broker (fun me -> Script.knowing Script.everything (Script.leading [ topic ] me answer)) (fun broker ->
                  use admin = new AdminClient(patient, Bootstrap.ofAddresses [ broker.Address ])
                  let wanted = [ for index in 0 .. count - 1 -> { Topic = "t"; Partition = index }, OffsetSpec.Latest ]
                  let reply = admin.ListOffsets wanted
                  Expect.isTrue (reply.Result |> List.forall (fun (at, found) -> (ok found).Offset = int64 at.Partition)) "each its own"))

          testCase "a group that is answered several times is taken from the answer without an error" (fun () ->
              // Kafka 4.0.0 repeats the groups of a request about several, and begins with GROUP_ID_NOT_FOUND.
              let answer (received: Received) =
                  match received.Request with
                  | Request.ConsumerGroupDescribe request ->
                      let group name error =
                          { ConsumerGroupDescribe.group.Default with GroupId = name; Error = error; GroupState = GroupState.Stable }

                      let groups =
                          [ for name in request.GroupIds do
                                group name ErrorCode.GroupIdNotFound
                                if name <> "gone" then group name ErrorCode.None
                                group name ErrorCode.GroupIdNotFound ]

                      Script.answer ConsumerGroupDescribe.api received { ThrottleTimeMs = 0; Groups = groups }
                  | _ -> Script.unexpected received

              two answer (fun first _ ->
                  use admin = new AdminClient(patient, Bootstrap.ofAddresses [ first.Address ])
                  let reply = admin.DescribeConsumerGroups [ "g1"; "gone"; "g3" ]

                  Expect.equal
                      (reply.Result |> List.map (fun (name, found) -> name, found |> Result.map _.GroupId))
                      [ "g1", Ok "g1"; "gone", Error(AdminFault.Refused(ErrorCode.GroupIdNotFound, None)); "g3", Ok "g3" ]
                      "the groups"))

          testCase "an offset whose place a broker does not know is not requested, but others are" (fun () ->
              let table = Script.everythingBut [ Script.versions ApiKey.ListOffsets 1 6 ]
              let topics = [ Script.topic "t" Guid.Empty; Script.topic "u" Guid.Empty ]

              Scripted.broker (fun me -> Script.knowing table (Script.leading topics me (Script.finding 7L))) (fun broker ->
                  use admin = new AdminClient(patient, Bootstrap.ofAddresses [ broker.Address ])
                  let at topic = { Topic = topic; Partition = 0 }
                  let reply = admin.ListOffsets [ at "t", OffsetSpec.MaxTimestamp; at "u", OffsetSpec.Latest ]

                  match List.map snd reply.Result with
                  | [ Error(AdminFault.Fault(ClientFault.NoCommonVersion(_, ours, _))); Ok found ] ->
                      Expect.equal (ours.Lowest, found.Offset) (7s, 7L) "the version that it takes, and the other offset"
                  | other -> failtestf "%A" other

                  Expect.equal (asked ApiKey.ListOffsets broker).Length 1 "one call"))

          testCase "a connection that is too old is closed before another is made" (fun () ->
              let time = ManualTime()

              Scripted.broker (fun me -> Script.knowing Script.everything (Script.leading [] me Script.unexpected)) (fun broker ->
                  let settings = { patient with ConnectionTtl = ms 1_000; Time = time }
                  use admin = new AdminClient(settings, Bootstrap.ofAddresses [ broker.Address ])
                  ok (admin.ListTopics()).Result |> ignore
                  time.Advance(ms 1_000)
                  ok (admin.ListTopics()).Result |> ignore
                  Expect.equal broker.Connections 2 "another"
                  broker.AwaitEnd 0))

          testCase "if no broker can be reached, every item has the fault" (fun () ->
              let socket, address = Loopback.refuse ()
              use _ = socket
              use admin = new AdminClient(patient, Bootstrap.ofAddresses [ address ])

              for _, result in (admin.DeleteTopics([ "a"; "b" ], ms 100)).Result do
                  match result with
                  | Error(AdminFault.Fault(ClientFault.NoBroker _)) -> ()
                  | other -> failtestf "%A" other) ]

[<Tests>]
let tests = testList "administration" [ whom ]
