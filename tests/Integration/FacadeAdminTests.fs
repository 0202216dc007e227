/// Administration through the façade.
module LibKafka.Integration.FacadeAdminTests

open System
open System.Threading
open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Wire
open LibKafka.Integration.FacadeSupport

let private me (broker: Client.BrokerAddress) = BrokerAddress(broker.Host, broker.Port)
let private topicT = ConfigResource.Topic "t"

/// A broker that leads, coordinates and controls everything, and answers everything else by `rest`.
let private administered (rest: Received -> Act list) (test: ScriptedBroker -> AdminClient -> unit) =
    let topic = Script.topic "t" topicId

    let script (address: Client.BrokerAddress) =
        Script.knowing everyApi (fun received ->
            match received.Request with
            | Request.FindCoordinator request -> Replay.coordinating address received request
            | _ -> Script.leading [ topic ] address rest received)

    Scripted.broker script (fun broker ->
        use admin = new AdminClient(KafkaClientOptions([ me broker.Address ], CallTimeout = 20.0 * second))
        test broker admin)

let private items (results: ItemResults<'Result>) (itemOf: 'Result -> 'Item) : ('Item * ErrorCode) list =
    [ for result in results -> itemOf result, result.Error ]

/// The first request of a kind that arrived.
let private asked (choose: Request -> 'Request option) (broker: ScriptedBroker) : 'Request =
    broker.Calls |> List.pick (fun call -> choose call.Request)

let private topics =
    testList
        "topics and configs"
        [ testCase "topics are created, get partitions and are deleted, with a result for each" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.CreateTopics request ->
                      let made (topic: CreateTopics.Topic) =
                          { CreateTopics.topicResult.Default with
                              Name = topic.Name
                              NumPartitions = topic.NumPartitions
                              Error = (if topic.Name = "old" then ErrorCode.TopicAlreadyExists else ErrorCode.None)
                              ErrorMessage = (if topic.Name = "old" then Some "it is there" else None) }

                      Script.answer CreateTopics.api received { CreateTopics.response.Default with Topics = List.map made request.Topics }
                  | Request.CreatePartitions request ->
                      let result (topic: CreatePartitions.Topic) : CreatePartitions.TopicResult =
                          { Name = topic.Name; Error = ErrorCode.InvalidPartitions; ErrorMessage = None }

                      Script.answer
                          CreatePartitions.api
                          received
                          { CreatePartitions.response.Default with Results = List.map result request.Topics }
                  | Request.DeleteTopics _ -> Script.answer DeleteTopics.api received DeleteTopics.response.Default
                  | _ -> Script.unexpected received

              administered rest (fun broker admin ->
                  let created = admin.CreateTopics [ NewTopic("new", 3); NewTopic("old", 3) ]
                  Expect.equal (items created _.Item) [ "new", ErrorCode.None; "old", ErrorCode.TopicAlreadyExists ] "created"
                  Expect.equal (created[0].ThrowIfError().Partitions) 3 "its value"
                  Expect.isNull created[1].Value "no value for the other"
                  Expect.equal (created.Count, created.Exchanges.Count > 0) (2, true) "the exchanges"
                  let fault = thrown "one of them" (fun () -> created.ThrowIfError() |> ignore)
                  Expect.equal (fault.Kind, fault.ErrorCode) (KafkaFaultKind.BrokerError, ErrorCode.TopicAlreadyExists) "the fault"
                  Expect.stringContains fault.Message ": old: TOPIC_ALREADY_EXISTS (36): it is there" "which"
                  thrown "its value" (fun () -> created[1].ThrowIfError() |> ignore) |> ignore
                  let more = NewPartitions("t", 4, Assignments = [ [| 1; 2 |]; [| 2; 1 |] ])
                  Expect.equal
                      (items (admin.CreatePartitions([ more ], validateOnly = true)) _.Item)
                      [ "t", ErrorCode.InvalidPartitions ]
                      "each"

                  let request =
                      broker
                      |> asked (function
                          | Request.CreatePartitions request -> Some request
                          | _ -> None)

                  Expect.isTrue request.ValidateOnly "only checked"
                  let brokers = request.Topics[0].Assignments |> Option.map (List.map _.BrokerIds)
                  Expect.equal (request.Topics[0].Count, brokers) (4, Some [ [ 1; 2 ]; [ 2; 1 ] ]) "as asked"
                  let deleted = admin.DeleteTopics [ "t" ]
                  Expect.equal (there deleted.Fault).Kind KafkaFaultKind.NotAnswered "the fault of the first item that failed"
                  Expect.equal (there deleted[0].Fault).Kind KafkaFaultKind.NotAnswered "a topic that the answer leaves out"

                  Expect.throwsT<ArgumentOutOfRangeException>
                      (fun () -> admin.DeleteTopics([ "t" ], Nullable -second) |> ignore)
                      "a negative time-out"))

          testCase "topics and the cluster are described, and offsets found, on a cluster" (fun () ->
              onCluster (fun cluster options ->
                  use admin = new AdminClient(options)
                  let described = admin.DescribeTopics [ topic; "none" ]
                  Expect.equal (items described _.Item) [ topic, ErrorCode.None; "none", ErrorCode.UnknownTopicOrPartition ] "each"
                  Expect.equal (described[0].ThrowIfError().Partitions.Count) 2 "its partitions"
                  let all = admin.ListTopics().ThrowIfError()
                  Expect.contains (all |> Seq.map _.Name) topic "all topics"
                  let description = admin.DescribeCluster().ThrowIfError()
                  Expect.equal description.Brokers.Count cluster.Brokers.Length "the brokers"
                  let wanted = dict [ partition, OffsetSpec.Latest; TopicPartition(topic, 9), OffsetSpec.Latest ]
                  let found = admin.ListOffsets(wanted, Nullable IsolationLevel.ReadCommitted)
                  Expect.equal (found[0].ThrowIfError().Offset) (Nullable 0L) "the end"
                  Expect.equal found[1].Error ErrorCode.UnknownTopicOrPartition "there is no such partition"))

          testCase "one partition at several places gets an answer to each, and topics on demand are an option" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.ListOffsets request -> Script.answer ListOffsets.api received (Script.foundOnce request)
                  | _ -> Script.unexpected received

              administered rest (fun broker admin ->
                  let at = TopicPartition("t", 0)

                  let wanted = [ for spec in [ OffsetSpec.Earliest; OffsetSpec.Latest ] -> Collections.Generic.KeyValuePair(at, spec) ]

                  let offsets = [ for found in admin.ListOffsets wanted -> found.ThrowIfError().Offset ]
                  Expect.equal offsets [ Nullable 998L; Nullable 999L ] "each its own"
                  Expect.isFalse (KafkaClientOptions "a:1").AllowAutoTopicCreation "off unless set"
                  use fetcher = new PartitionFetcher(KafkaClientOptions([ me broker.Address ], AllowAutoTopicCreation = true), at)
                  fetcher.FindOffset(OffsetSpec.Latest).ThrowIfError() |> ignore

                  let allowed =
                      broker.Calls
                      |> List.choose (fun call ->
                          match call.Request with
                          | Request.Metadata request -> Some request.AllowAutoTopicCreation
                          | _ -> None)

                  Expect.equal allowed [ false; true ] "the admin client's request, and the fetcher's"))

          testCase "configs are described and changed" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.DescribeConfigs request ->
                      let config: DescribeConfigs.Config =
                          { DescribeConfigs.config.Default with
                              Name = "cleanup.policy"
                              Value = Some "compact"
                              Source = ConfigSource.DynamicTopicConfig
                              Synonyms = [ { Name = "log.cleanup.policy"; Value = None; Source = ConfigSource.DefaultConfig } ]
                              Type = ConfigType.List
                              Documentation = Some "what to do" }

                      let result (resource: DescribeConfigs.Resource) : DescribeConfigs.Result =
                          { DescribeConfigs.result.Default with
                              ErrorMessage = None
                              ResourceType = resource.ResourceType
                              ResourceName = resource.ResourceName
                              Configs = [ config ] }

                      Script.answer
                          DescribeConfigs.api
                          received
                          { DescribeConfigs.response.Default with Results = List.map result request.Resources }
                  | Request.IncrementalAlterConfigs request ->
                      let result (resource: IncrementalAlterConfigs.Resource) : AlterConfigsResult =
                          { Error = ErrorCode.InvalidConfig
                            ErrorMessage = Some "no such policy"
                            ResourceType = resource.ResourceType
                            ResourceName = resource.ResourceName }

                      Script.answer
                          IncrementalAlterConfigs.api
                          received
                          { IncrementalAlterConfigs.response.Default with Results = List.map result request.Resources }
                  | _ -> Script.unexpected received

              administered rest (fun broker admin ->
                  let described = admin.DescribeConfigs([ topicT ], [ "cleanup.policy" ], synonyms = true, documentation = true)
                  Expect.equal described[0].Item topicT "the topic"
                  let entry = described[0].ThrowIfError() |> Seq.exactlyOne

                  Expect.equal
                      entry
                      (ConfigEntry(
                          Name = "cleanup.policy",
                          Value = "compact",
                          Source = ConfigSource.DynamicTopicConfig,
                          Type = ConfigType.List,
                          Documentation = "what to do",
                          Synonyms = [ ConfigSynonym("log.cleanup.policy", null, ConfigSource.DefaultConfig) ]
                      ))
                      "the config"

                  let question =
                      broker
                      |> asked (function
                          | Request.DescribeConfigs request -> Some request
                          | _ -> None)

                  Expect.equal (question.IncludeSynonyms, question.IncludeDocumentation) (true, true) "as asked"
                  Expect.equal question.Resources[0].ConfigurationKeys (Some [ "cleanup.policy" ]) "only this one"

                  let changes =
                      [ ConfigChange.Set(topicT, "cleanup.policy", "shred")
                        ConfigChange.Set(ConfigResource.Topic "u", "retention.ms", "1")
                        ConfigChange.Delete(topicT, "retention.ms") ]

                  let altered = admin.AlterConfigs(changes, validateOnly = true)

                  Expect.equal
                      (items altered _.Item)
                      [ topicT, ErrorCode.InvalidConfig; ConfigResource.Topic "u", ErrorCode.InvalidConfig ]
                      "each resource"

                  Expect.stringContains (altered[0].ToString()) "no such policy" "text"

                  let request =
                      broker
                      |> asked (function
                          | Request.IncrementalAlterConfigs request -> Some request
                          | _ -> None)

                  let sent =
                      [ for resource in request.Resources ->
                            resource.ResourceName, [ for it in resource.Configs -> it.Name, it.ConfigOperation, it.Value ] ]

                  Expect.equal
                      sent
                      [ "t",
                        [ "cleanup.policy", AlterConfigOperation.Set, Some "shred"; "retention.ms", AlterConfigOperation.Delete, None ]
                        "u", [ "retention.ms", AlterConfigOperation.Set, Some "1" ] ]
                      "the changes by resource"

                  Expect.isTrue request.ValidateOnly "only checked"))

          testCase "records before an offset are deleted" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.DeleteRecords _ ->
                      let partitions: DeleteRecords.PartitionResult list =
                          [ { PartitionIndex = 0; LowWatermark = 40L; Error = ErrorCode.None } ]

                      Script.answer
                          DeleteRecords.api
                          received
                          { DeleteRecords.response.Default with Topics = [ { Name = "t"; Partitions = partitions } ] }
                  | _ -> Script.unexpected received

              administered rest (fun _ admin ->
                  let deleted = admin.DeleteRecords(dict [ TopicPartition("t", 0), 40L; TopicPartition("none", 0), 1L ])
                  Expect.equal (deleted[0].ThrowIfError()) 40L "the first remaining offset"
                  Expect.equal deleted[1].Error ErrorCode.UnknownTopicOrPartition "a topic that does not exist")) ]

let private ruleFor (principal: string) =
    AclBinding(
        ResourceType = AclResourceType.Topic,
        ResourceName = "t",
        Principal = principal,
        Operation = AclOperation.Read,
        Permission = AclPermission.Allow
    )

let private rule = ruleFor "User:alice"

let private groupsAndRules =
    testList
        "groups and ACLs"
        [ testCase "groups are listed, described and deleted" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.ListGroups _ ->
                      let group: ListGroups.Group =
                          { GroupId = "g"; ProtocolType = "consumer"; GroupState = GroupState.Stable; GroupType = GroupType.Classic }

                      Script.answer ListGroups.api received { ListGroups.response.Default with Groups = [ group ] }
                  | Request.DescribeGroups request ->
                      let one: DescribeGroups.Member =
                          { MemberId = "m"
                            GroupInstanceId = Some "i"
                            ClientId = "c"
                            ClientHost = "/127.0.0.1"
                            MemberMetadata = Bytes [| 1uy |]
                            MemberAssignment = Bytes [| 2uy |] }

                      let described id : DescribeGroups.Group =
                          { DescribeGroups.group.Default with
                              Error = (if id = "none" then ErrorCode.GroupIdNotFound else ErrorCode.None)
                              GroupId = id
                              GroupState = GroupState.Stable
                              ProtocolType = "consumer"
                              ProtocolData = "range"
                              Members = [ one ]
                              AuthorizedOperations = AuthorizedOperations Int32.MinValue }

                      Script.answer
                          DescribeGroups.api
                          received
                          { DescribeGroups.response.Default with Groups = List.map described request.Groups }
                  | Request.ConsumerGroupDescribe request ->
                      let assignment: DescribedAssignment =
                          { TopicPartitions = [ { TopicId = topicId; TopicName = "t"; Partitions = [ 1; 0 ] } ] }

                      let one: ConsumerGroupDescribe.Member =
                          { MemberId = "m"
                            InstanceId = None
                            RackId = Some "r"
                            MemberEpoch = 4
                            ClientId = "c"
                            ClientHost = "/127.0.0.1"
                            SubscribedTopicNames = [ "t" ]
                            SubscribedTopicRegex = None
                            Assignment = assignment
                            TargetAssignment = { TopicPartitions = [] }
                            MemberType = GroupMemberType.Consumer }

                      let described id : ConsumerGroupDescribe.Group =
                          { ConsumerGroupDescribe.group.Default with
                              GroupId = id
                              GroupState = GroupState.Stable
                              GroupEpoch = 5
                              AssignmentEpoch = 4
                              AssignorName = "uniform"
                              Members = [ one ]
                              AuthorizedOperations = AuthorizedOperations Int32.MinValue }

                      Script.answer
                          ConsumerGroupDescribe.api
                          received
                          { ConsumerGroupDescribe.response.Default with Groups = List.map described request.GroupIds }
                  | Request.DeleteGroups request ->
                      let deleted id : DeleteGroups.Result = { GroupId = id; Error = ErrorCode.NonEmptyGroup; ErrorMessage = None }

                      Script.answer
                          DeleteGroups.api
                          received
                          { DeleteGroups.response.Default with Results = List.map deleted request.GroupsNames }
                  | _ -> Script.unexpected received

              administered rest (fun broker admin ->
                  let brokers = admin.ListGroups([ GroupState.Stable ], [ GroupType.Classic ]).ThrowIfError()
                  let listed = Seq.exactlyOne brokers
                  Expect.equal listed.Item (me broker.Address) "by broker"
                  let group = GroupListing("g", "consumer", GroupState.Stable, GroupType.Classic)
                  Expect.equal (List.ofSeq (listed.ThrowIfError())) [ group ] "the groups"
                  let described = admin.DescribeGroups [ "g"; "none" ]
                  Expect.equal (items described _.Item) [ "g", ErrorCode.None; "none", ErrorCode.GroupIdNotFound ] "each"
                  let classic = described[0].ThrowIfError()

                  Expect.equal
                      (classic.GroupId, classic.State, classic.ProtocolType, classic.ProtocolName)
                      ("g", GroupState.Stable, "consumer", "range")
                      "the group"

                  let one = Seq.exactlyOne classic.Members
                  Expect.equal
                      (one.MemberId, one.GroupInstanceId, one.ClientId, one.ClientHost)
                      ("m", "i", "c", "/127.0.0.1")
                      "its member"
                  Expect.equal (one.Metadata.ToArray(), one.Assignment.ToArray()) ([| 1uy |], [| 2uy |]) "its metadata and assignment"
                  let described = admin.DescribeConsumerGroups [ "g" ]
                  let modern = described[0].ThrowIfError()

                  Expect.equal
                      (modern.GroupId, modern.GroupEpoch, modern.AssignmentEpoch, modern.AssignorName)
                      ("g", 5, 4, "uniform")
                      "the group"

                  let one = Seq.exactlyOne modern.Members
                  Expect.equal (one.MemberId, one.InstanceId, one.RackId, one.MemberEpoch) ("m", null, "r", 4) "its member"
                  Expect.equal (List.ofSeq one.Assignment) [ TopicPartition("t", 1); TopicPartition("t", 0) ] "its assignment"
                  Expect.isEmpty one.TargetAssignment "its target assignment"
                  Expect.equal (items (admin.DeleteGroups [ "g" ]) _.Item) [ "g", ErrorCode.NonEmptyGroup ] "it has members"))

          testCase "ACLs are described, created and deleted" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.DescribeAcls filter when filter.PrincipalFilter = Some "User:bob" ->
                      let refusal = DescribeAcls.response.Default
                      Script.answer
                          DescribeAcls.api
                          received
                          { refusal with Error = ErrorCode.SecurityDisabled; ErrorMessage = Some "off" }
                  | Request.DescribeAcls _ ->
                      let acl: DescribeAcls.Acl =
                          { Principal = "User:alice"; Host = "*"; Operation = AclOperation.Read; PermissionType = AclPermission.Allow }

                      let resource: DescribeAcls.Resource =
                          { DescribeAcls.resource.Default with ResourceType = AclResourceType.Topic; ResourceName = "t"; Acls = [ acl ] }

                      Script.answer DescribeAcls.api received { DescribeAcls.response.Default with Resources = [ resource ] }
                  | Request.CreateAcls _ ->
                      let results: CreateAcls.AclResult list =
                          [ { Error = ErrorCode.None; ErrorMessage = None }
                            { Error = ErrorCode.InvalidRequest; ErrorMessage = Some "no" } ]

                      Script.answer CreateAcls.api received { CreateAcls.response.Default with Results = results }
                  | Request.DeleteAcls _ ->
                      let matched: DeleteAcls.Acl =
                          { DeleteAcls.acl.Default with
                              Error = ErrorCode.UnknownServerError
                              ErrorMessage = Some "stuck"
                              ResourceType = AclResourceType.Topic
                              ResourceName = "t"
                              Principal = "User:alice"
                              Host = "*"
                              Operation = AclOperation.Read
                              PermissionType = AclPermission.Allow }

                      let results: DeleteAcls.FilterResult list =
                          [ { Error = ErrorCode.None; ErrorMessage = None; MatchingAcls = [ matched ] } ]

                      Script.answer DeleteAcls.api received { DeleteAcls.response.Default with FilterResults = results }
                  | _ -> Script.unexpected received

              administered rest (fun _ admin ->
                  Expect.equal (List.ofSeq (admin.DescribeAcls().ThrowIfError())) [ rule ] "all ACLs"
                  let refused = admin.DescribeAcls(AclBindingFilter(Principal = "User:bob"))
                  Expect.equal (refused.Error, isNull refused.Value) (ErrorCode.SecurityDisabled, true) "a value"
                  Expect.stringContains (thrown "off" (fun () -> refused.ThrowIfError() |> ignore)).Message "off" "thrown"
                  let other = ruleFor "User:bob"
                  let made = admin.CreateAcls [ rule; other ]
                  Expect.equal (items made _.Item) [ rule, ErrorCode.None; other, ErrorCode.InvalidRequest ] "each"
                  let filter = AclBindingFilter(ResourceType = AclResourceType.Topic, ResourceName = "t", Host = "*")
                  let deleted = admin.DeleteAcls [ filter ]
                  Expect.equal deleted[0].Item filter "the filter"

                  Expect.equal
                      (List.ofSeq (deleted[0].ThrowIfError()))
                      [ DeletedAclBinding(rule, ErrorCode.UnknownServerError, "stuck") ]
                      "what it matched"))

          testCase "faults and cancellation are values of each item, and a client that was disposed of throws" (fun () ->
              let socket, address = Loopback.refuse ()
              use _ = socket
              use admin = new AdminClient(KafkaClientOptions([ me address ]))

              for result in admin.DeleteGroups [ "a"; "b" ] do
                  Expect.equal (there result.Fault).Kind KafkaFaultKind.NoBroker result.Item

              Expect.equal (there (admin.ListTopics().Fault)).Kind KafkaFaultKind.NoBroker "the fault of a call without items"
              thrown "no value" (fun () -> admin.ListTopics().ThrowIfError() |> ignore) |> ignore
              use stop = new CancellationTokenSource()
              stop.Cancel()
              let stopped = admin.ListTopics stop.Token
              Expect.equal (there stopped.Fault).Kind KafkaFaultKind.Cancelled "a value"
              cancelled "thrown" (fun () -> stopped.ThrowIfError() |> ignore) |> ignore

              for result in admin.DeleteGroups([ "a" ], stop.Token) do
                  Expect.equal (there result.Fault).Kind KafkaFaultKind.Cancelled result.Item

              admin.Dispose()
              Expect.throwsT<ObjectDisposedException> (fun () -> admin.ListTopics() |> ignore) "after it was disposed of")

          testCase "a call that is cancelled while it waits has that fault" (fun () ->
              use stop = new CancellationTokenSource()

              let rest (received: Received) =
                  match received.Request with
                  | Request.DescribeAcls _ -> [ Act.Do stop.Cancel ]
                  | _ -> Script.unexpected received

              administered rest (fun _ admin ->
                  let result = admin.DescribeAcls(null, stop.Token)
                  Expect.equal (there result.Fault).Kind KafkaFaultKind.Cancelled "a value"
                  let error = cancelled "thrown" (fun () -> result.ThrowIfError() |> ignore)
                  Expect.equal error.CancellationToken stop.Token "the token")) ]

[<Tests>]
let tests = testList "façade, administration" [ topics; groupsAndRules ]
