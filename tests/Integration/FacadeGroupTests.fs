/// Groups, assignors and transactions through the façade.
module LibKafka.Integration.FacadeGroupTests

open System
open System.Collections.Generic
open System.Threading
open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Wire
open LibKafka.Integration.FacadeSupport

let private at (topic: string) (index: int) = TopicPartition(topic, index)
let private place = GroupMembership("m", 3, "i")

/// A broker that coordinates every group and answers all other requests by `rest`.
let private coordinated (rest: Received -> Act list) (test: ScriptedBroker -> KafkaClientOptions -> unit) =
    let script (me: Client.BrokerAddress) =
        Script.knowing everyApi (fun received ->
            match received.Request with
            | Request.FindCoordinator request -> Replay.coordinating me received request
            | _ -> rest received)

    Scripted.broker script (fun broker ->
        test broker (KafkaClientOptions([ BrokerAddress(broker.Address.Host, broker.Address.Port) ], CallTimeout = 20.0 * second)))

// ---- pure functions ----

let private subscriber id topics = GroupSubscriber(id, null, ConsumerSubscription(Topics = topics))

let private pure' =
    testList
        "pure functions"
        [ testCase "a key has the same partition as in the Java client" (fun () ->
              // From the tests of Kafka's own Utils.
              Expect.equal (KafkaPartitioner.Murmur2(ReadOnlySpan(text "21"))) -973932308 "the hash"
              Expect.equal (KafkaPartitioner.Murmur2(ReadOnlySpan(text "foobar"))) -790332482 "the hash"

              Expect.equal
                  (KafkaPartitioner.PartitionOf(ReadOnlySpan(text "21"), 10))
                  ((-973932308 &&& Int32.MaxValue) % 10)
                  "the partition"

              Expect.throwsT<ArgumentOutOfRangeException>
                  (fun () -> KafkaPartitioner.PartitionOf(ReadOnlySpan(text "21"), 0) |> ignore)
                  "a topic without partitions")

          testCase "subscriptions and assignments are read as they were written, and malformed bytes throw" (fun () ->
              let subscription =
                  ConsumerSubscription(
                      Topics = [ "t"; "u" ],
                      OwnedPartitions = [ at "t" 0; at "t" 2; at "u" 1 ],
                      GenerationId = 5,
                      RackId = "r"
                  )

              Expect.equal (ConsumerProtocol.DecodeSubscription(ConsumerProtocol.Encode subscription)) subscription "a subscription"
              let noted = ConsumerSubscription(Topics = [ "t" ], UserData = Nullable(ReadOnlyMemory(text "note")))
              let read = ConsumerProtocol.DecodeSubscription(ConsumerProtocol.Encode noted)
              Expect.equal (read.UserData.Value.ToArray()) (text "note") "user data"
              let assignment = ConsumerAssignment(Partitions = [ at "t" 1; at "u" 0 ])
              Expect.equal (ConsumerProtocol.DecodeAssignment(ConsumerProtocol.Encode assignment)) assignment "an assignment"
              Expect.isEmpty (ConsumerProtocol.DecodeAssignment(ReadOnlyMemory.Empty)).Partitions "an empty assignment has no partitions"

              for read in
                  [ fun (bytes: ReadOnlyMemory<byte>) -> ConsumerProtocol.DecodeSubscription bytes |> ignore
                    fun bytes -> ConsumerProtocol.DecodeAssignment bytes |> ignore ] do
                  let fault = thrown "cut off" (fun () -> read (ReadOnlyMemory [| 0uy |]))
                  Expect.equal fault.Kind KafkaFaultKind.Malformed "the kind")

          testCase "each assignor assigns every partition" (fun () ->
              let counts = readOnlyDict [ "t", 5; "u", 1 ]
              let members = [ subscriber "b" [ "t" ]; subscriber "a" [ "t"; "u" ] ]

              for assignor, name, isCooperative in
                  [ PartitionAssignor.Range, "range", false
                    PartitionAssignor.RoundRobin, "roundrobin", false
                    PartitionAssignor.Sticky, "sticky", false
                    PartitionAssignor.CooperativeSticky, "cooperative-sticky", true ] do
                  Expect.equal (assignor.Name, assignor.ToString(), assignor.IsCooperative) (name, name, isCooperative) "the assignor"
                  let parts = assignor.Assign(counts, members)
                  Expect.equal (List.ofSeq parts.Keys |> List.sort) [ "a"; "b" ] "every member"
                  let all = parts.Values |> Seq.concat |> Seq.sortBy _.ToString() |> List.ofSeq
                  Expect.equal all [ at "t" 0; at "t" 1; at "t" 2; at "t" 3; at "t" 4; at "u" 0 ] "everything once"
                  Expect.contains parts["a"] (at "u" 0) "to the member that subscribes to it"

              let byRange = PartitionAssignor.Range.Assign(counts, members)
              Expect.equal (List.ofSeq byRange["a"]) [ at "t" 0; at "t" 1; at "t" 2; at "u" 0 ] "the first by the range"
              Expect.equal (List.ofSeq (PartitionAssignor.TopicsOf members)) [ "t"; "u" ] "the topics")

          testCase "a custom assignor is used" (fun () ->
              let all (counts: IReadOnlyDictionary<string, int>) (members: IReadOnlyList<GroupSubscriber>) =
                  let part =
                      [ for count in counts do
                            for index in 0 .. count.Value - 1 -> at count.Key index ]

                  readOnlyDict [ members[0].MemberId, part :> IReadOnlyList<TopicPartition> ]

              let assignor = PartitionAssignor.Custom("first-takes-all", Func<_, _, _>(all))
              Expect.equal (assignor.Name, assignor.IsCooperative) ("first-takes-all", false) "the assignor"
              let parts = assignor.Assign(readOnlyDict [ "t", 2 ], [ subscriber "b" [ "t" ]; subscriber "a" [ "t" ] ])
              Expect.equal (List.ofSeq parts["b"]) [ at "t" 0; at "t" 1 ] "the first"
              Expect.isEmpty parts["a"] "the other"
              let protocol = Seq.exactlyOne (PartitionAssignor.Protocols([ assignor ], [ "t" ]))
              Expect.equal protocol.Name assignor.Name "the protocol of its members"
              Expect.equal (List.ofSeq (ConsumerProtocol.DecodeSubscription protocol.Metadata).Topics) [ "t" ] "and their subscription"
              Expect.throwsT<ArgumentException> (fun () -> PartitionAssignor.Custom("", Func<_, _, _>(all)) |> ignore) "no name")

          testCase "options are compared by content" (fun () ->
              let join () = JoinOptions(Protocols = [ GroupProtocol("range", ReadOnlyMemory.Empty) ], Reason = "r")
              Expect.equal (join ()) (join ()) "joining"
              let wanted () = ConsumerGroupSubscription([ "t" ], RackId = "r")
              Expect.equal (wanted ()) (wanted ()) "the new protocol's"
              let core = Client.JoinSettings.consumer []

              Expect.equal
                  ((join ()).SessionTimeout, (join ()).RebalanceTimeout, (join ()).ProtocolType)
                  (core.SessionTimeout, core.RebalanceTimeout, core.ProtocolType)
                  "what is not set is what the core has"

              Expect.equal
                  (wanted ()).RebalanceTimeout
                  (Client.ConsumerGroupSubscription.topics []).RebalanceTimeout
                  "in the new protocol, too"

              Expect.throwsT<ArgumentOutOfRangeException>
                  (fun () -> JoinOptions(Protocols = [], SessionTimeout = -second) |> ignore)
                  "a negative time-out") ]

// ---- classic groups ----

let private joinAnswer (code: ErrorCode) id : JoinGroup.Response =
    { JoinGroup.response.Default with
        Error = code
        MemberId = id
        Leader = "m-1"
        GenerationId = 1
        ProtocolName = Some "range"
        Members = [ { MemberId = "m-1"; GroupInstanceId = Some "i"; Metadata = Bytes [| 0uy |] } ] }

let private classic =
    testList
        "classic groups"
        [ testCase "a member joins, assigns partitions, sends heartbeats, commits offsets and leaves, on a cluster" (fun () ->
              onCluster (fun _ options ->
                  use group = new GroupClient(options, "g")
                  Expect.isNull group.Connection "nothing is connected yet"
                  let coordinator = group.Connect().ThrowIfError().Broker
                  Expect.equal (there group.Coordinator).Address coordinator "the coordinator"
                  let assignors = [ PartitionAssignor.RoundRobin; PartitionAssignor.Range ]
                  let join = JoinOptions(Protocols = PartitionAssignor.Protocols(assignors, [ topic ]))
                  let joined = group.Join(join).ThrowIfError()
                  Expect.isTrue joined.IsLeader "the only member is the leader"
                  Expect.equal joined.LeaderId (there joined.Membership).MemberId "by its id"
                  let membership = there joined.Membership
                  let subscribers = PartitionAssignor.Subscribers joined
                  Expect.equal (subscribers |> Seq.map _.MemberId |> List.ofSeq) [ membership.MemberId ] "the members"
                  use connection = KafkaCluster.Connect(options).ThrowIfError()
                  let metadata = connection.GetMetadata(PartitionAssignor.TopicsOf subscribers).ThrowIfError()
                  let counts = PartitionAssignor.PartitionCounts metadata
                  Expect.equal counts[topic] 2 "the partitions of the topic"
                  let work = PartitionAssignor.Assignments(assignors, counts, joined)
                  let synced = group.Sync(membership, joined.ProtocolName, work).ThrowIfError()
                  Expect.equal (List.ofSeq (synced.GetAssignment().Partitions)) [ at topic 0; at topic 1 ] "its part"
                  group.Heartbeat(membership).ThrowIfError() |> ignore
                  let first = CommittedOffset(7L, Metadata = "note")
                  group.CommitOffset(membership, at topic 0, first).ThrowIfError() |> ignore
                  let both = dict [ at topic 0, CommittedOffset 8L; at topic 1, CommittedOffset 9L ]
                  let results = group.CommitOffsets(membership, both).ThrowIfError()
                  Expect.equal (results |> Seq.map _.Item |> List.ofSeq) [ at topic 0; at topic 1 ] "both"
                  let fetched = group.FetchOffset(at topic 0)
                  Expect.equal (fetched.ThrowIfError().Value.Offset, fetched.Item) (8L, at topic 0) "one"
                  let some = group.FetchOffsets([ at topic 1; at topic 0 ]).ThrowIfError()
                  Expect.equal (some |> Seq.map _.ThrowIfError().Value.Offset |> List.ofSeq) [ 9L; 8L ] "in order"
                  Expect.isFalse (group.FetchOffset(at "other" 0).Value.HasValue) "a partition without an offset"
                  let left = group.Leave(membership).ThrowIfError()
                  Expect.equal (left |> Seq.map _.Item.MemberId |> List.ofSeq) [ membership.MemberId ] "the member that left"
                  Expect.isTrue (group.Heartbeat(membership).Error.IsError) "it is no longer a member"))

          testCase
              "the leader reads all subscriptions within the client's limit, and its assignments name those that were left out"
              (fun () ->
                  let topics (count: int) = ConsumerSubscription(Topics = [ for i in 1..count -> "t" + string i ])

                  let memberOf id (count: int) : JoinGroup.Member =
                      { MemberId = id; GroupInstanceId = None; Metadata = Bytes(ConsumerProtocol.Encode(topics count)) }

                  let rest (received: Received) =
                      match received.Request with
                      | Request.JoinGroup _ ->
                          let all = [ memberOf "a" 1_000; memberOf "b" 1_000; memberOf "c" 1 ]

                          Script.answer
                              JoinGroup.api
                              received
                              { joinAnswer ErrorCode.None "c" with Members = all; Leader = "c"; ProtocolName = Some "range" }
                      | _ -> Script.unexpected received

                  coordinated rest (fun _ options ->
                      use group = new GroupClient(KafkaClientOptions(options.BootstrapServers, MaxDecodedBytes = 100_000L), "g")
                      let joined = group.Join(JoinOptions(Protocols = []), "c").ThrowIfError()
                      let unread =
                          PartitionAssignor.Subscribers joined |> Seq.filter (fun one -> not (isNull one.Unreadable)) |> Seq.toList
                      Expect.equal (unread |> List.map _.MemberId) [ "b" ] "one of the two large ones"
                      let given = PartitionAssignor.Assignments([ PartitionAssignor.Range ], readOnlyDict [ "t1", 4 ], joined)
                      Expect.equal (given |> Seq.map _.MemberId |> List.ofSeq, given.Count) ([ "a"; "b"; "c" ], 3) "every member"
                      let odd = Seq.exactlyOne given.LeftOut
                      Expect.equal
                          (odd.MemberId, (there odd.Unreadable).Kind)
                          ("b", KafkaFaultKind.LimitExceeded)
                          "who was left out, and why"
                      Expect.isEmpty (ConsumerProtocol.DecodeAssignment(given[1].Assignment).Partitions) "without partitions"))

          testCase "error codes and faults are values" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.JoinGroup request when request.MemberId = "" ->
                      Script.answer JoinGroup.api received (joinAnswer ErrorCode.MemberIdRequired "m-1")
                  | Request.JoinGroup request ->
                      let code = if request.MemberId = "m-1" then ErrorCode.None else ErrorCode.UnknownMemberId
                      Script.answer JoinGroup.api received (joinAnswer code request.MemberId)
                  | Request.SyncGroup _ ->
                      let answer = { SyncGroup.response.Default with Error = ErrorCode.RebalanceInProgress }
                      Script.answer SyncGroup.api received answer
                  | Request.Heartbeat _ -> [ Act.Close ]
                  | Request.LeaveGroup request ->
                      let gone (one: LeaveGroup.MemberRequest) : LeaveGroup.MemberResponse =
                          { MemberId = if one.GroupInstanceId.IsSome then "the real id" else one.MemberId
                            GroupInstanceId = one.GroupInstanceId
                            Error = if one.GroupInstanceId = Some "new" then ErrorCode.None else ErrorCode.UnknownMemberId }

                      let members = List.map gone request.Members
                      Script.answer LeaveGroup.api received { LeaveGroup.response.Default with Members = members }
                  | Request.OffsetFetch _ ->
                      let answer: OffsetFetch.GroupResponse = { GroupId = "g"; Topics = []; Error = ErrorCode.GroupAuthorizationFailed }
                      Script.answer OffsetFetch.api received { OffsetFetch.response.Default with Groups = [ answer ] }
                  | _ -> Script.unexpected received

              coordinated rest (fun _ options ->
                  use group = new GroupClient(options, "g")
                  let join = JoinOptions(Protocols = [], GroupInstanceId = "i")
                  let joined = group.Join(join).ThrowIfError()
                  Expect.isNotNull joined.FirstRound "the round that gave it its id"
                  Expect.equal joined.Membership (GroupMembership("m-1", 1, "i")) "its membership"
                  let members = joined.Members |> Seq.map (fun it -> it.MemberId, it.GroupInstanceId) |> List.ofSeq
                  Expect.equal members [ "m-1", "i" ] "the members"
                  let odd = PartitionAssignor.Subscribers joined |> Seq.exactlyOne
                  Expect.equal (there odd.Unreadable).Kind KafkaFaultKind.Malformed "a subscription that cannot be read"
                  Expect.isEmpty odd.Subscription.Topics "it wants no topics"

                  let unknown =
                      thrown "another assignor" (fun () ->
                          PartitionAssignor.Assignments([ PartitionAssignor.Sticky ], Dictionary(), joined) |> ignore)

                  Expect.equal unknown.Kind KafkaFaultKind.UnknownAssignor "an assignor that was not given"
                  let refused = group.Join(join, "m-2")
                  Expect.equal (refused.Error, refused.Membership) (ErrorCode.UnknownMemberId, null) "an error code"
                  Expect.equal (thrown "refused" (fun () -> refused.ThrowIfError() |> ignore)).ErrorCode refused.Error "thrown"
                  let synced = group.Sync place
                  Expect.equal synced.Error ErrorCode.RebalanceInProgress "an error code"
                  thrown "refused" (fun () -> synced.ThrowIfError() |> ignore) |> ignore
                  Expect.isTrue (group.LeaveAll [ LeavingMember("", "new") ]).IsSuccess "a static name, answered under the real id"
                  let left = group.LeaveAll [ LeavingMember("a", Reason = "bored"); LeavingMember("", "i") ]
                  let codes = left |> Seq.map (fun it -> it.Item.MemberId, it.Item.GroupInstanceId, it.Error) |> List.ofSeq
                  Expect.equal codes [ "a", null, ErrorCode.UnknownMemberId; "", "i", ErrorCode.UnknownMemberId ] "each"
                  Expect.stringContains (thrown "left" (fun () -> left.ThrowIfError() |> ignore)).Message "member a" "which"
                  let all = group.FetchAllOffsets()
                  Expect.equal (all.Error, all.Count) (ErrorCode.GroupAuthorizationFailed, 0) "the group as a whole"
                  thrown "refused" (fun () -> all.ThrowIfError() |> ignore) |> ignore
                  let one = group.FetchOffset(at "t" 0)
                  Expect.equal (one.Error, one.Value) (ErrorCode.GroupAuthorizationFailed, Nullable()) "and each partition"
                  thrown "refused" (fun () -> one.ThrowIfError() |> ignore) |> ignore
                  let lost = group.Heartbeat place
                  Expect.equal (there lost.Fault).Kind KafkaFaultKind.Closed "a fault"
                  Expect.equal (thrown "no answer" (fun () -> lost.ThrowIfError() |> ignore)).Kind KafkaFaultKind.Closed "thrown"
                  Expect.isNull group.Connection "the connection is closed"
                  group.Dispose()
                  Expect.throwsT<ObjectDisposedException> (fun () -> group.Heartbeat place |> ignore) "after it was disposed of"
                  Expect.throwsT<ObjectDisposedException> (fun () -> group.Connect() |> ignore) "after it was disposed of"))

          testCase "a group without a coordinator has the error code" (fun () ->
              let script _ =
                  Script.knowing (Script.everythingBut [ Script.versions ApiKey.FindCoordinator 0 3 ]) (fun received ->
                      let none = { FindCoordinator.response.Default with Error = ErrorCode.CoordinatorNotAvailable }
                      Script.answer FindCoordinator.api received none)

              Scripted.broker script (fun broker ->
                  use group = new GroupClient(KafkaClientOptions([ BrokerAddress(broker.Address.Host, broker.Address.Port) ]), "g")
                  let fault = thrown "no coordinator" (fun () -> group.Connect().ThrowIfError() |> ignore)

                  Expect.equal
                      (fault.Kind, fault.ErrorCode, fault.Fault.IsTransient)
                      (KafkaFaultKind.NoCoordinator, ErrorCode.CoordinatorNotAvailable, true)
                      "the fault"

                  use stop = new CancellationTokenSource()
                  stop.Cancel()
                  cancelled "before it began" (fun () -> group.Heartbeat(place, stop.Token).ThrowIfError() |> ignore) |> ignore)) ]

// ---- the new protocol ----

let private newProtocol =
    testCase "a member of the new protocol joins, gets an assignment, reports the partitions that it owns, and leaves" (fun () ->
        let mutable codes = [ ErrorCode.None; ErrorCode.None; ErrorCode.None; ErrorCode.FencedMemberEpoch ]

        let rest (received: Received) =
            match received.Request with
            | Request.ConsumerGroupHeartbeat _ ->
                let code = codes.Head
                codes <- codes.Tail

                Script.answer
                    ConsumerGroupHeartbeat.api
                    received
                    { ConsumerGroupHeartbeat.response.Default with
                        Error = code
                        ErrorMessage = (if code.IsError then Some "too old" else None)
                        MemberId = Some "given"
                        MemberEpoch = 6
                        HeartbeatIntervalMs = 5000
                        Assignment = Some { TopicPartitions = [ { TopicId = topicId; Partitions = [ 2; 0 ] } ] } }
            | _ -> Script.unexpected received

        coordinated rest (fun broker options ->
            use consumer = new ConsumerGroupClient(options, "g", ConsumerGroupSubscription([ "t" ], InstanceId = "i"))
            Expect.equal (consumer.Epoch, consumer.Assignment.Count) (0, 0) "not a member yet"
            let beat = consumer.Heartbeat().ThrowIfError()
            Expect.equal (beat.MemberEpoch, beat.HeartbeatInterval, beat.HasAssignment) (6, 5.0 * second, true) "the answer"
            Expect.equal consumer.Membership (GroupMembership("given", 6, "i")) "its membership"
            Expect.equal consumer.MemberId "given" "its id"
            let assigned = [ TopicIdPartition(topicId, 2); TopicIdPartition(topicId, 0) ]
            Expect.equal (List.ofSeq consumer.Assignment) assigned "its partitions"
            consumer.Owned <- consumer.Assignment
            Expect.equal (List.ofSeq consumer.Owned) assigned "what it has"
            consumer.Subscription <- ConsumerGroupSubscription([ "t"; "u" ], InstanceId = "i")
            consumer.Heartbeat().ThrowIfError() |> ignore

            let sent =
                broker.Calls
                |> List.choose (fun call ->
                    match call.Request with
                    | Request.ConsumerGroupHeartbeat request -> Some(request.SubscribedTopicNames, request.TopicPartitions)
                    | _ -> None)

            let owned: HeartbeatTopicPartitions list = [ { TopicId = topicId; Partitions = [ 2; 0 ] } ]
            Expect.equal sent[1] (Some [ "t"; "u" ], Some owned) "the changes are sent"
            consumer.LeaveTemporarily().ThrowIfError() |> ignore
            let fenced = consumer.Heartbeat()
            Expect.equal (fenced.Error, fenced.ErrorMessage) (ErrorCode.FencedMemberEpoch, "too old") "an error code"
            Expect.stringContains (thrown "fenced" (fun () -> fenced.ThrowIfError() |> ignore)).Message "too old" "thrown"
            Expect.equal (consumer.Epoch, consumer.Owned.Count) (0, 0) "it has lost its partitions"
            codes <- [ ErrorCode.None ]
            consumer.Leave().ThrowIfError() |> ignore
            Expect.equal consumer.Group.GroupId "g" "the group"
            consumer.Dispose()
            Expect.throwsT<ObjectDisposedException> (fun () -> consumer.Heartbeat() |> ignore) "after it was disposed of"))

// ---- transactions ----

let private transactions =
    testList
        "transactions"
        [ testCase "a transaction is committed on a cluster" (fun () ->
              onCluster (fun _ options ->
                  use transaction = new TransactionClient(options, "tx")
                  Expect.isFalse transaction.Identity.HasValue "no identity yet"
                  let minute = TimeSpan.FromMinutes 1.0

                  let given = RetryPolicy.Standard.Run(fun call -> transaction.InitProducerId(minute, call))

                  Expect.equal transaction.Identity.Value (given.ThrowIfError()) "the identity"
                  transaction.AddPartitions([ partition ]).ThrowIfError() |> ignore
                  let producer = transaction.Producer partition
                  Expect.isTrue (obj.ReferenceEquals(transaction.Producer partition, producer)) "the same each time"
                  Expect.equal producer.TransactionalId "tx" "the transactional id"
                  let result = producer.Produce(batch "x" 2).ThrowIfError()
                  Expect.isTrue result.Batch.IsTransactional "the batch's attribute"
                  use group = new GroupClient(options, "g")
                  transaction.AddOffsets("g").ThrowIfError() |> ignore
                  let offsets = dict [ partition, CommittedOffset 2L ]
                  transaction.CommitOffsets(group, GroupMembership.None, offsets).ThrowIfError() |> ignore
                  transaction.Commit().ThrowIfError() |> ignore
                  let before = transaction.Identity.Value
                  transaction.RaiseEpoch(minute).ThrowIfError() |> ignore
                  Expect.isGreaterThan transaction.Identity.Value.ProducerEpoch before.ProducerEpoch "is a higher one"
                  Expect.isTrue (there transaction.Connection).IsOpen "a connection of its own"
                  Expect.equal (there transaction.Coordinator).Address (transaction.Connect().ThrowIfError().Broker) "to the coordinator"))

          testCase "error codes and faults are values" (fun () ->
              let isFenced = ref true

              let rest (received: Received) =
                  match received.Request with
                  | Request.InitProducerId _ ->
                      let code = if isFenced.Value then ErrorCode.ProducerFenced else ErrorCode.None
                      Script.answer InitProducerId.api received { InitProducerId.response.Default with Error = code; ProducerId = 4L }
                  | Request.AddPartitionsToTxn request ->
                      let topics: AddPartitionsToTxn.TopicResult list =
                          [ for topic in request.Topics ->
                                { Name = topic.Name
                                  Partitions =
                                    [ for index in topic.Partitions -> { PartitionIndex = index; Error = ErrorCode.OperationNotAttempted } ] } ]

                      Script.answer AddPartitionsToTxn.api received { AddPartitionsToTxn.response.Default with Topics = topics }
                  | Request.AddOffsetsToTxn _ ->
                      Script.answer
                          AddOffsetsToTxn.api
                          received
                          { AddOffsetsToTxn.response.Default with Error = ErrorCode.ConcurrentTransactions }
                  | Request.EndTxn _ -> [ Act.Close ]
                  | _ -> Script.unexpected received

              coordinated rest (fun _ options ->
                  use transaction = new TransactionClient(options, "tx")
                  let refused = transaction.InitProducerId second
                  Expect.equal (refused.IsSuccess, refused.Error) (false, ErrorCode.ProducerFenced) "a value"
                  thrown "refused" (fun () -> refused.ThrowIfError() |> ignore) |> ignore
                  isFenced.Value <- false
                  transaction.InitProducerId(second).ThrowIfError() |> ignore
                  let added = transaction.AddPartitions [ at "t" 1; at "t" 0 ]
                  let expected = [ at "t" 1, ErrorCode.OperationNotAttempted; at "t" 0, ErrorCode.OperationNotAttempted ]
                  Expect.equal (added |> Seq.map (fun it -> it.Item, it.Error) |> List.ofSeq) expected "each"
                  Expect.stringContains (thrown "refused" (fun () -> added.ThrowIfError() |> ignore)).Message "t-1" "which"
                  let offsets = transaction.AddOffsets "g"
                  Expect.equal offsets.Error ErrorCode.ConcurrentTransactions "an error code"
                  thrown "refused" (fun () -> offsets.ThrowIfError() |> ignore) |> ignore
                  Expect.equal (there (transaction.Commit().Fault)).Kind KafkaFaultKind.Closed "a fault"
                  Expect.equal (there (transaction.Abort().Fault)).Kind KafkaFaultKind.Closed "a fault"
                  Expect.throwsT<ArgumentOutOfRangeException>
                      (fun () -> transaction.InitProducerId -second |> ignore)
                      "a negative time-out"
                  transaction.Dispose()
                  Expect.throwsT<ObjectDisposedException> (fun () -> transaction.Commit() |> ignore) "after it was disposed of")) ]

[<Tests>]
let tests = testList "façade, groups" [ pure'; classic; newProtocol; transactions ]
