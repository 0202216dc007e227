/// Groups: their coordinator, their offsets, and our members together with Confluent.Kafka's.
module LibKafka.Integration.GroupTests

open System
open System.Diagnostics
open System.Threading
open Confluent.Kafka
open FSharp.Core
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Client
open LibKafka.Integration.Clusters
open LibKafka.Integration.Replay
open LibKafka.Integration.Support

type private Partitioned = LibKafka.Client.TopicPartition

let private at (topic: string) (partition: int) : Partitioned = { Topic = topic; Partition = partition }

let private member' id : GroupMembership = { MemberId = id; GenerationOrEpoch = 3; GroupInstanceId = None }

/// A group whose coordinator is a scripted broker with this table of versions.
let private groupAt settings table (rest: Received -> Act list) (test: ScriptedBroker -> GroupClient -> unit) =
    let script me =
        Script.knowing table (fun received ->
            match received.Request with
            | Request.FindCoordinator request -> coordinating me received request
            | _ -> rest received)

    Scripted.broker script (fun broker ->
        use client = new GroupClient(settings, Bootstrap.ofAddresses [ broker.Address ], "g")
        test broker client)

/// The same with a coordinator that supports these APIs up to these versions, and all versions of the other group APIs.
let private groupOf settings (versions: (ApiKey * int) list) =
    let table =
        [ for key in
              [ ApiKey.JoinGroup
                ApiKey.SyncGroup
                ApiKey.Heartbeat
                ApiKey.LeaveGroup
                ApiKey.OffsetCommit
                ApiKey.OffsetFetch
                ApiKey.ConsumerGroupHeartbeat ] ->
              match versions |> List.tryFind (fun (other, _) -> other = key) with
              | Some(_, highest) -> Script.versions key 0 highest
              | None -> Script.versions key 0 99 ]

    groupAt settings (Script.everythingBut table)

let private group versions rest test = groupOf patient versions rest test

let private heartbeats (code: ErrorCode) (received: Received) =
    match received.Request with
    | Request.Heartbeat _ -> Script.answer Heartbeat.api received { Heartbeat.response.Default with Error = code }
    | _ -> Script.unexpected received

let private coordinator =
    testList
        "coordinator"
        [ testCase "the connection that found it is used if it goes to the coordinator itself" (fun () ->
              group [] (heartbeats ErrorCode.None) (fun broker client ->
                  Expect.equal client.Coordinator.Coordinator None "none before the first call"

                  for _ in 1..3 do
                      Expect.equal (ok (client.Heartbeat(member' "m")).Result).Error ErrorCode.None "a response"

                  Expect.equal broker.Connections 1 "one connection"
                  Expect.equal (broker.VersionsOf ApiKey.FindCoordinator).Length 1 "found once"
                  Expect.equal (client.Coordinator.Coordinator |> Option.map _.NodeId) (Some 1) "the coordinator"))

          for code, again in
              [ ErrorCode.NotCoordinator, true
                ErrorCode.CoordinatorNotAvailable, true
                ErrorCode.CoordinatorLoadInProgress, false
                ErrorCode.RebalanceInProgress, false
                ErrorCode.IllegalGeneration, false ] do
              testCase (code.ToString() + (if again then " closes the connection" else " keeps the connection")) (fun () ->
                  group [] (heartbeats code) (fun broker client ->
                      for _ in 1..2 do
                          let exchange = client.Heartbeat(member' "m")
                          Expect.equal (ok exchange.Result).Error code "the code is data"
                          Expect.equal client.Coordinator.Connection.IsNone again "the connection"

                      Expect.equal (broker.VersionsOf ApiKey.FindCoordinator).Length (if again then 2 else 1) "looked for"))

          testCase "if there is none, the fault has the code and nothing is sent" (fun () ->
              let script (received: Received) =
                  match received.Request with
                  | Request.FindCoordinator _ ->
                      let none = { FindCoordinator.response.Default with Error = ErrorCode.GroupAuthorizationFailed }
                      Script.answer FindCoordinator.api received none
                  | _ -> Script.unexpected received

              let table = Script.everythingBut [ Script.versions ApiKey.FindCoordinator 0 3 ]

              Scripted.broker (fun _ -> Script.knowing table script) (fun broker ->
                  use client = new GroupClient(patient, Bootstrap.ofAddresses [ broker.Address ], "g")
                  let exchange = client.Heartbeat(member' "m")
                  let expected = ClientFault.NoCoordinator(CoordinatorType.Group, "g", ErrorCode.GroupAuthorizationFailed)
                  Expect.equal (faultOf exchange.Result) expected "the fault"
                  Expect.stringContains (expected.ToString()) "GROUP_AUTHORIZATION_FAILED" "its text"
                  Expect.isFalse exchange.Info.WasSent "nothing was sent"
                  broker.AwaitEnd 0))

          testCase "any request can be sent to it" (fun () ->
              group [] (heartbeats ErrorCode.None) (fun broker client ->
                  let request: Heartbeat.Request = { Heartbeat.request.Default with GroupId = "g"; GenerationId = 1; MemberId = "m" }
                  Expect.equal (ok (client.Call(Heartbeat.api, request)).Result).Error ErrorCode.None "the answer"
                  Expect.equal broker.Connections 1 "on its connection")) ]

let private joinAnswer (code: ErrorCode) (id: string) : JoinGroup.Response =
    { JoinGroup.response.Default with
        Error = code
        MemberId = id
        Leader = "m-1"
        GenerationId = 1
        ProtocolName = Some "range" }

let private membership =
    testList
        "membership"
        [ testCase "a new member that first gets its id joins with it, and both rounds are visible" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.JoinGroup request when request.MemberId = "" ->
                      Script.answer JoinGroup.api received (joinAnswer ErrorCode.MemberIdRequired "m-1")
                  | Request.JoinGroup request -> Script.answer JoinGroup.api received (joinAnswer ErrorCode.None request.MemberId)
                  | _ -> Script.unexpected received

              group [] rest (fun broker client ->
                  let joined = client.Join("", JoinSettings.consumer [])
                  Expect.equal (joined.FirstRound |> Option.map (fun first -> (ok first.Result).MemberId)) (Some "m-1") "told first"
                  Expect.equal (ok joined.Result).Error ErrorCode.None "joined"
                  Expect.equal joined.Exchange.Request.MemberId "m-1" "by its id"
                  Expect.isTrue joined.IsLeader "it leads"
                  let expected = { MemberId = "m-1"; GenerationOrEpoch = 1; GroupInstanceId = None }
                  Expect.equal joined.Membership (Some expected) "its place"
                  Expect.equal (broker.VersionsOf ApiKey.JoinGroup).Length 2 "two rounds"))

          testCase "any other error is data, and the call is made once" (fun () ->
              for code in [ ErrorCode.MemberIdRequired; ErrorCode.UnknownMemberId; ErrorCode.FencedInstanceId ] do
                  let rest received = Script.answer JoinGroup.api received (joinAnswer code "m-1")

                  group [] rest (fun broker client ->
                      let joined = client.Join("m-1", { JoinSettings.consumer [] with GroupInstanceId = Some "i" })
                      Expect.equal (ok joined.Result).Error code "the code"
                      Expect.equal joined.Membership None "no place"
                      Expect.isFalse joined.IsLeader "it does not lead"
                      Expect.equal (broker.VersionsOf ApiKey.JoinGroup).Length 1 "once"))

          testCase "a join may take as long as a rebalance, even if other calls may not" (fun () ->
              let rest received =
                  Act.Do(fun () -> Thread.Sleep 1500) :: Script.answer JoinGroup.api received (joinAnswer ErrorCode.None "m")

              groupOf { patient with CallTimeout = ms 1000 } [] rest (fun _ client ->
                  let joined = client.Join("", { JoinSettings.consumer [] with RebalanceTimeout = ms 20_000 })
                  Expect.equal (ok joined.Result).Error ErrorCode.None "it waited"))

          for name, callTimeout, rebalanceTimeout in
              [ "a call", Timeout.InfiniteTimeSpan, ms 1_000
                "a rebalance", ms 20_000, Timeout.InfiniteTimeSpan
                "a rebalance that can be told", ms 20_000, TimeSpan.MaxValue ] do
              testCase ("a join waits without a limit if there is none for " + name) (fun () ->
                  let time = ManualTime()

                  // The clock is checked before each byte that arrives.
                  let rest received =
                      [ Act.Do(fun () -> time.Advance(TimeSpan.FromDays 20.0))
                        Act.Trickle(Script.frame JoinGroup.api received (joinAnswer ErrorCode.None "m"), ms 1) ]

                  groupOf { patient with CallTimeout = callTimeout; Time = time } [] rest (fun _ client ->
                      let joined = client.Join("", { JoinSettings.consumer [] with RebalanceTimeout = rebalanceTimeout })
                      Expect.equal (ok joined.Result).Error ErrorCode.None "it waited"))

          for version, calls in [ 2, 2; 3, 1; 5, 1 ] do
              testCase ("members leave with " + string calls + " calls in version " + string version) (fun () ->
                  let rest (received: Received) =
                      match received.Request with
                      | Request.LeaveGroup request ->
                          let result (one: LeaveGroup.MemberRequest) : LeaveGroup.MemberResponse =
                              { MemberId = one.MemberId
                                GroupInstanceId = one.GroupInstanceId
                                Error = (if one.MemberId = "b" then ErrorCode.UnknownMemberId else ErrorCode.None) }

                          let code = if version < 3 && request.MemberId = "b" then ErrorCode.UnknownMemberId else ErrorCode.None

                          Script.answer
                              LeaveGroup.api
                              received
                              { LeaveGroup.response.Default with Error = code; Members = List.map result request.Members }
                      | _ -> Script.unexpected received

                  group [ ApiKey.LeaveGroup, version ] rest (fun _ client ->
                      let leaving: LeaveGroup.MemberRequest list =
                          [ for id in [ "a"; "b" ] -> { MemberId = id; GroupInstanceId = None; Reason = Some "done" } ]

                      let left = client.Leave leaving
                      Expect.equal left.Exchanges.Length calls "the calls"

                      Expect.equal
                          (ok left.Result |> List.map (fun one -> one.MemberId, one.Error))
                          [ "a", ErrorCode.None; "b", ErrorCode.UnknownMemberId ]
                          "each has a result"))

          testCase "a static member of a group of the new protocol is answered under its real id" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.LeaveGroup request ->
                      let gone (one: LeaveGroup.MemberRequest) : LeaveGroup.MemberResponse =
                          { MemberId =
                              one.GroupInstanceId |> Option.map (fun name -> "real id of " + name) |> Option.defaultValue one.MemberId
                            GroupInstanceId = one.GroupInstanceId
                            Error = (if one.GroupInstanceId = Some "b" then ErrorCode.UnknownMemberId else ErrorCode.None) }

                      // In any order.
                      let members = request.Members |> List.map gone |> List.rev
                      Script.answer LeaveGroup.api received { ThrottleTimeMs = 0; Error = ErrorCode.None; Members = members }
                  | _ -> Script.unexpected received

              group [] rest (fun _ client ->
                  let leaving: LeaveGroup.MemberRequest list =
                      [ for id, name in [ "", Some "a"; "m", None; "", Some "b"; "old id", Some "c" ] ->
                            { MemberId = id; GroupInstanceId = name; Reason = None } ]

                  Expect.equal
                      (ok (client.Leave leaving).Result |> List.map (fun one -> one.MemberId, one.Error))
                      [ "real id of a", ErrorCode.None
                        "m", ErrorCode.None
                        "real id of b", ErrorCode.UnknownMemberId
                        "real id of c", ErrorCode.None ]
                      "each has its own answer"))

          testCase "a member that the response leaves out is not reported as having left" (fun () ->
              group [] (fun received -> Script.answer LeaveGroup.api received LeaveGroup.response.Default) (fun _ client ->
                  let left = client.Leave(member' "m")
                  Expect.equal (ok left.Result |> List.map _.Error) [ ErrorCode.UnknownServerError ] "the code"))

          testCase "a static leader that comes back need not assign the work again" (fun () ->
              let answer received = Script.answer JoinGroup.api received { joinAnswer ErrorCode.None "m-1" with SkipAssignment = true }

              group [] answer (fun _ client ->
                  let joined = client.Join("m-1", { JoinSettings.consumer [] with GroupInstanceId = Some "i" })
                  Expect.equal (ok joined.Result).Leader "m-1" "it leads"
                  Expect.isFalse joined.IsLeader "and has nothing to do"))

          testCase "a static name cannot leave if the broker does not support static members" (fun () ->
              group [ ApiKey.LeaveGroup, 2 ] Script.unexpected (fun _ client ->
                  match (client.Leave { member' "m" with GroupInstanceId = Some "i" }).Result with
                  | Error(ClientFault.BrokerTooOld _) -> ()
                  | other -> failtestf "%A" other))

          testCase "the protocol is sent along with the leader's assignments" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.SyncGroup _ -> Script.answer SyncGroup.api received SyncGroup.response.Default
                  | _ -> Script.unexpected received

              group [] rest (fun broker client ->
                  let part: SyncGroup.MemberAssignment = { MemberId = "m"; Assignment = Bytes [| 1uy |] }
                  let exchange = client.Sync(member' "m", ConsumerProtocol.Type, Some "range", [ part ])
                  Expect.equal (ok exchange.Result).Error ErrorCode.None "the answer"

                  match List.last broker.Calls with
                  | { Request = Request.SyncGroup request } ->
                      Expect.equal request exchange.Request "what was asked is what arrived"
                      Expect.equal (request.ProtocolType, request.ProtocolName) (Some "consumer", Some "range") "the protocol"
                      Expect.equal (request.GenerationId, request.Assignments) (3, [ part ]) "the rest"
                  | other -> failtestf "%O" other)) ]

// ---- offsets ----

let private committed offset epoch note : CommittedOffset = { Offset = offset; LeaderEpoch = epoch; Metadata = note }

let private offsetOf (found: OffsetFetch.PartitionResponse) : Result<CommittedOffset option, ErrorCode> =
    if found.Error.IsError then
        Error found.Error
    elif found.CommittedOffset < 0L then
        Ok None
    else
        Ok(Some(committed found.CommittedOffset found.CommittedLeaderEpoch (Option.defaultValue "" found.Metadata)))

let private withGroup (brokers: Bootstrap) (id: string) (call: GroupClient -> 'Outcome) =
    use client = new GroupClient(patient, brokers, id)
    call client

let private fetchedOf
    (code: ErrorCode)
    (topics: (string * OffsetFetch.PartitionResponse list) list)
    : Result<FetchedOffset list, ErrorCode> =
    if code.IsError then
        Error code
    else
        Ok
            [ for topic, partitions in topics do
                  for found in partitions -> { Partition = at topic found.PartitionIndex; Result = offsetOf found } ]

let private recordedAnswers =
    testList
        "recorded"
        [ replays
              OffsetCommit.api
              (function
              | Request.OffsetCommit request when not request.Topics.IsEmpty ->
                  // Some clients leave the note out and others write an empty one, which is equivalent. Two may request a retention time of their
                  // own.
                  let noted (partition: OffsetCommit.PartitionRequest) =
                      { partition with CommittedMetadata = Some(Option.defaultValue "" partition.CommittedMetadata) }

                  Some
                      { request with
                          RetentionTimeMs = -1L
                          Topics = request.Topics |> List.map (fun topic -> { topic with Partitions = List.map noted topic.Partitions }) }
              | _ -> None)
              id
              (fun brokers request ->
                  let place =
                      { MemberId = request.MemberId
                        GenerationOrEpoch = request.GenerationIdOrMemberEpoch
                        GroupInstanceId = request.GroupInstanceId }

                  let offsets =
                      [ for topic in request.Topics do
                            for one in topic.Partitions ->
                                at topic.Name one.PartitionIndex,
                                committed one.CommittedOffset one.CommittedLeaderEpoch (Option.get one.CommittedMetadata) ]

                  withGroup brokers request.GroupId (fun client -> ok (client.CommitOffsets(place, offsets)).Result))
              (fun _ request response ->
                  let errors =
                      Map.ofList
                          [ for topic in response.Topics do
                                for found in topic.Partitions -> at topic.Name found.PartitionIndex, found.Error ]

                  [ for topic in request.Topics do
                        for one in topic.Partitions ->
                            let partition = at topic.Name one.PartitionIndex
                            { Partition = partition; Error = errors[partition] } ])

          replays
              OffsetFetch.api
              (function
              | Request.OffsetFetch request when request.Groups.Length <= 1 -> Some request
              | _ -> None)
              id
              (fun brokers request ->
                  let id, place, topics =
                      match request.Groups with
                      | [ one ] ->
                          let topics = one.Topics |> Option.map (List.map (fun topic -> topic.Name, topic.PartitionIndexes))

                          one.GroupId,
                          { GroupMembership.none with MemberId = Option.defaultValue "" one.MemberId; GenerationOrEpoch = one.MemberEpoch },
                          topics
                      | _ ->
                          let topics = request.Topics |> Option.map (List.map (fun topic -> topic.Name, topic.PartitionIndexes))
                          request.GroupId, GroupMembership.none, topics

                  withGroup brokers id (fun client ->
                      match topics with
                      | None -> (client.FetchAllOffsets(place, request.RequireStable)).Result |> Result.mapError _.ErrorCode
                      | Some topics ->
                          let partitions =
                              [ for topic, indexes in topics do
                                    for index in indexes -> at topic index ]
                          Ok(ok (client.FetchOffsets(place, partitions, request.RequireStable)).Result)))
              (fun _ request response ->
                  let asked =
                      match request.Groups with
                      | [ { Topics = Some topics } ] ->
                          Some
                              [ for topic in topics do
                                    for index in topic.PartitionIndexes -> at topic.Name index ]
                      | [ _ ] -> None
                      | _ ->
                          request.Topics
                          |> Option.map (fun topics ->
                              [ for topic in topics do
                                    for index in topic.PartitionIndexes -> at topic.Name index ])

                  let answer =
                      match response.Groups with
                      | [ one ] -> fetchedOf one.Error [ for topic in one.Topics -> topic.Name, topic.Partitions ]
                      | _ -> fetchedOf response.Error [ for topic in response.Topics -> topic.Name, topic.Partitions ]

                  match asked, answer with
                  | None, _ -> answer
                  | Some asked, Error code -> Ok [ for partition in asked -> { Partition = partition; Result = Error code } ]
                  | Some asked, Ok found -> Ok [ for partition in asked -> found |> List.find (fun one -> one.Partition = partition) ]) ]

let private found index offset note code : OffsetFetch.PartitionResponse =
    { OffsetFetch.partitionResponse.Default with
        PartitionIndex = index
        CommittedOffset = offset
        Metadata = note
        Error = code }

let private offsets =
    testList
        "offsets"
        [ for version in [ 1; 2; 5; 7; 8; 9; 10 ] do
              testCase ("are fetched in version " + string (min version 9) + " if the broker supports " + string version) (fun () ->
                  let answers =
                      [ found 0 5L (Some "note") ErrorCode.None
                        found 1 -1L (Some "") ErrorCode.None
                        found 2 -1L None ErrorCode.UnstableOffsetCommit ]

                  let rest (received: Received) =
                      let response = OffsetFetch.response.Default

                      if received.Header.ApiVersion >= 8s then
                          let topic: OffsetFetch.GroupTopicResponse = { Name = "t"; TopicId = Guid.Empty; Partitions = answers }

                          Script.answer
                              OffsetFetch.api
                              received
                              { response with Groups = [ { GroupId = "g"; Topics = [ topic ]; Error = ErrorCode.None } ] }
                      else
                          Script.answer OffsetFetch.api received { response with Topics = [ { Name = "t"; Partitions = answers } ] }

                  group [ ApiKey.OffsetFetch, version ] rest (fun broker client ->
                      let wanted = [ at "t" 1; at "t" 0; at "t" 2 ]
                      let reply = client.FetchOffsets(GroupMembership.none, wanted, false)

                      Expect.equal
                          (ok reply.Result |> List.map _.Result)
                          [ Ok None; Ok(Some(committed 5L -1 "note")); Error ErrorCode.UnstableOffsetCommit ]
                          "in the order of the request"

                      Expect.equal (broker.VersionsOf ApiKey.OffsetFetch) [ min version 9 ] "the version"))

          for version in [ 7; 9 ] do
              testCase ("an error of the whole group is reported for each partition, in version " + string version) (fun () ->
                  let rest (received: Received) =
                      let response = OffsetFetch.response.Default
                      let code = ErrorCode.NotCoordinator

                      if version >= 8 then
                          Script.answer
                              OffsetFetch.api
                              received
                              { response with Groups = [ { GroupId = "g"; Topics = []; Error = code } ] }
                      else
                          Script.answer OffsetFetch.api received { response with Error = code }

                  group [ ApiKey.OffsetFetch, version ] rest (fun _ client ->
                      let fetched = (client.FetchOffset(at "t" 0)).Result
                      Expect.equal fetched (Error(CallFailure.Code ErrorCode.NotCoordinator)) "one"
                      Expect.isNone client.Coordinator.Connection "the connection is closed"
                      let all = (client.FetchAllOffsets(GroupMembership.none, false)).Result
                      Expect.equal all (Error(CallFailure.Code ErrorCode.NotCoordinator)) "all"))

          testCase "stable offsets cannot be requested from a broker that does not support them" (fun () ->
              group [ ApiKey.OffsetFetch, 6 ] Script.unexpected (fun _ client ->
                  match (client.FetchOffsets(GroupMembership.none, [ at "t" 0 ], true)).Result with
                  | Error(ClientFault.BrokerTooOld _) -> ()
                  | other -> failtestf "%A" other))

          testCase "a broker that only accepts topics by their ids is not asked in a version that it does not support" (fun () ->
              let table = Script.everythingBut [ Script.versions ApiKey.OffsetCommit 10 10 ]

              groupAt patient table Script.unexpected (fun _ client ->
                  let reply = client.CommitOffset(GroupMembership.none, at "t" 0, CommittedOffset.at 1L)

                  match faultOf reply.Result with
                  | ClientFault.NoCommonVersion(api, ours, Some theirs) ->
                      Expect.equal (api, ours.Highest, theirs.Lowest) (ApiKey.OffsetCommit, 9s, 10s) "both ranges"
                  | other -> failtestf "%O" other))

          testCase "a response that leaves a partition out is a fault, and the connection is closed" (fun () ->
              let rest (received: Received) = Script.answer OffsetCommit.api received OffsetCommit.response.Default

              group [] rest (fun _ client ->
                  let reply = client.CommitOffset(GroupMembership.none, at "t" 0, CommittedOffset.at 1L)
                  Expect.equal (faultOf reply.Result) (ClientFault.NotAnswered(at "t" 0)) "the fault"
                  Expect.isOk reply.Exchange.Result "the answer can be looked at"
                  Expect.isNone client.Coordinator.Connection "the connection is closed")) ]

// ---- the new protocol ----

let private heartbeatAnswer code epoch assignment : ConsumerGroupHeartbeat.Response =
    { ConsumerGroupHeartbeat.response.Default with
        Error = code
        MemberId = Some "given"
        MemberEpoch = epoch
        HeartbeatIntervalMs = 5
        Assignment = assignment }

let private beats (broker: ScriptedBroker) : ConsumerGroupHeartbeat.Request list =
    broker.Calls
    |> List.choose (fun call ->
        match call.Request with
        | Request.ConsumerGroupHeartbeat request -> Some request
        | _ -> None)

let private newProtocol =
    let topicId = Guid "11111111-2222-3333-4444-555555555555"
    let parts partitions : HeartbeatTopicPartitions list = [ { TopicId = topicId; Partitions = partitions } ]

    /// Responds to the heartbeats with these in turn.
    let answering (answers: (ErrorCode * int * int list option) list) =
        let remaining = Collections.Generic.Queue answers

        fun (received: Received) ->
            let code, epoch, partitions = remaining.Dequeue()

            let assignment: HeartbeatAssignment option =
                partitions |> Option.map (fun partitions -> { TopicPartitions = parts partitions })

            Script.answer ConsumerGroupHeartbeat.api received (heartbeatAnswer code epoch assignment)

    let subscription = { ConsumerGroupSubscription.topics [ "t" ] with RackId = Some "r" }

    let withMember versions answers (test: ScriptedBroker -> ConsumerGroupClient -> unit) =
        group versions (answering answers) (fun broker _ ->
            use client = new ConsumerGroupClient(patient, Bootstrap.ofAddresses [ broker.Address ], "g", subscription)
            test broker client)

    testList
        "new protocol"
        [ testCase "sends everything first, and then only changes" (fun () ->
              let none = ErrorCode.None

              withMember
                  []
                  [ none, 1, Some [ 0; 1 ]; none, 1, None; none, 2, Some [ 0 ]; none, 2, None; none, -1, None ]
                  (fun broker client ->
                      Expect.equal (client.Epoch, client.Assignment) (0, []) "not yet a member"
                      let first = ok (client.Heartbeat()).Result
                      Expect.equal first.HeartbeatIntervalMs 5 "the answer is data"
                      Expect.equal (client.Epoch, client.Assignment) (1, parts [ 0; 1 ]) "what it is to have"
                      client.Owned <- parts [ 0; 1 ]
                      client.Heartbeat() |> ignore
                      Expect.equal client.Assignment (parts [ 0; 1 ]) "no news leaves it"
                      client.Subscription <- { client.Subscription with Topics = [ "t"; "u" ]; RackId = None }
                      client.Heartbeat() |> ignore
                      Expect.equal (client.Epoch, client.Assignment) (2, parts [ 0 ]) "one to give up"
                      client.Heartbeat() |> ignore
                      client.Leave() |> ignore
                      Expect.equal (client.Epoch, client.Assignment, client.Owned) (0, [], []) "not a member any more"

                      let quiet: ConsumerGroupHeartbeat.Request =
                          { ConsumerGroupHeartbeat.request.Default with GroupId = "g"; MemberId = "given"; MemberEpoch = 2 }

                      let joining = List.head (beats broker)
                      Expect.isGreaterThan joining.MemberId.Length 20 "its own id"

                      Expect.equal
                          (beats broker)
                          [ { quiet with
                                MemberId = joining.MemberId
                                MemberEpoch = 0
                                RackId = Some "r"
                                RebalanceTimeoutMs = 300_000
                                SubscribedTopicNames = Some [ "t" ]
                                SubscribedTopicRegex = Some ""
                                TopicPartitions = Some [] }
                            { quiet with MemberEpoch = 1; TopicPartitions = Some(parts [ 0; 1 ]) }
                            { quiet with MemberEpoch = 1; SubscribedTopicNames = Some [ "t"; "u" ]; SubscribedTopicRegex = Some "" }
                            quiet
                            { quiet with MemberEpoch = -1 } ]
                          "each says no more than it must"))

          for code in [ ErrorCode.UnknownMemberId; ErrorCode.FencedMemberEpoch ] do
              testCase ("joins again after " + code.ToString()) (fun () ->
                  withMember [] [ ErrorCode.None, 4, Some [ 0 ]; code, 0, None; ErrorCode.None, 5, None ] (fun broker client ->
                      client.Heartbeat() |> ignore
                      client.Owned <- parts [ 0 ]
                      Expect.equal (ok (client.Heartbeat()).Result).Error code "the code is data"
                      Expect.equal (client.Epoch, client.Assignment, client.Owned) (0, [], []) "everything is lost"
                      client.Heartbeat() |> ignore
                      let again = List.last (beats broker)
                      Expect.equal
                          (again.MemberEpoch, again.TopicPartitions, again.SubscribedTopicNames)
                          (0, Some [], Some [ "t" ])
                          "as new"
                      Expect.equal again.MemberId client.MemberId "under the same id"))

          testCase "sends everything again after another error" (fun () ->
              withMember
                  []
                  [ ErrorCode.None, 4, None; ErrorCode.CoordinatorLoadInProgress, 0, None; ErrorCode.None, 4, None ]
                  (fun broker client ->
                      for _ in 1..3 do
                          client.Heartbeat() |> ignore

                      let again = List.last (beats broker)
                      Expect.equal
                          (again.MemberEpoch, again.SubscribedTopicNames, again.RackId)
                          (4, Some [ "t" ], Some "r")
                          "in its epoch"))

          testCase "sends everything again while it remains at epoch 0" (fun () ->
              withMember [] [ ErrorCode.None, 0, None; ErrorCode.None, 1, None ] (fun broker client ->
                  client.Heartbeat() |> ignore
                  client.Heartbeat() |> ignore
                  let again = List.last (beats broker)

                  Expect.equal
                      (again.MemberEpoch, again.SubscribedTopicNames, again.TopicPartitions, again.RebalanceTimeoutMs)
                      (0, Some [ "t" ], Some [], 300_000)
                      "as if it were the first"))

          testCase "a removed rack or assignor is not sent as an empty string, which coordinators refuse" (fun () ->
              withMember [] [ ErrorCode.None, 1, None; ErrorCode.None, 1, None; ErrorCode.None, 1, None ] (fun broker client ->
                  client.Subscription <- { subscription with ServerAssignor = Some "uniform" }
                  client.Heartbeat() |> ignore
                  client.Subscription <- { subscription with RackId = None; ServerAssignor = None }
                  client.Heartbeat() |> ignore
                  client.Subscription <- { subscription with RackId = Some "s"; ServerAssignor = Some "range" }
                  client.Heartbeat() |> ignore

                  Expect.equal
                      (beats broker |> List.map (fun beat -> beat.RackId, beat.ServerAssignor))
                      [ Some "r", Some "uniform"; None, None; Some "s", Some "range" ]
                      "the heartbeats"))

          testCase "a static member leaves temporarily" (fun () ->
              withMember [] [ ErrorCode.None, 4, None; ErrorCode.None, -2, None ] (fun broker client ->
                  client.Subscription <- { client.Subscription with InstanceId = Some "i" }
                  client.Heartbeat() |> ignore
                  client.LeaveTemporarily() |> ignore
                  let last = List.last (beats broker)
                  Expect.equal (last.MemberEpoch, last.InstanceId) (-2, Some "i") "by its name"))

          testCase "in version 0 the coordinator creates the id" (fun () ->
              withMember [ ApiKey.ConsumerGroupHeartbeat, 0 ] [ ErrorCode.None, 1, None; ErrorCode.None, 1, None ] (fun broker client ->
                  client.Heartbeat() |> ignore
                  client.Heartbeat() |> ignore
                  Expect.equal (beats broker |> List.map _.MemberId) [ ""; "given" ] "and the member goes by it"))

          testCase "in version 0 a fenced member joins again with the id that it got" (fun () ->
              withMember
                  [ ApiKey.ConsumerGroupHeartbeat, 0 ]
                  [ ErrorCode.None, 1, None; ErrorCode.FencedMemberEpoch, 0, None; ErrorCode.None, 1, None ]
                  (fun broker client ->
                      for _ in 1..3 do
                          client.Heartbeat() |> ignore

                      Expect.equal
                          (beats broker |> List.map (fun beat -> beat.MemberId, beat.MemberEpoch))
                          [ "", 0; "given", 1; "given", 0 ]
                          "the heartbeats"))

          testCase "a broker that does not support it is not asked" (fun () ->
              groupAt patient Script.everything Script.unexpected (fun broker _ ->
                  use client = new ConsumerGroupClient(patient, Bootstrap.ofAddresses [ broker.Address ], "g", subscription)

                  match (client.Heartbeat()).Result with
                  | Error(ClientFault.NoCommonVersion(key, _, None)) -> Expect.equal key ApiKey.ConsumerGroupHeartbeat "the API"
                  | other -> failtestf "%O" other)) ]

// ---- members together with others ----

/// Waits until a group has a coordinator: a cluster creates its internal topic for groups on first use.
let private ready (client: GroupClient) (topic: string) =
    awaiting "the group's coordinator" (fun () -> (client.FetchOffset(at topic 0)).Result.IsOk)

/// One of our members, in a thread of its own. It joins when it must, and records its assignment.
type private OurMember(cluster: TestCluster, topic: string, groupId: string, assignor: Assignor) =
    let gate = obj ()
    let mutable held: Set<int> = Set.empty
    let mutable membership: GroupMembership option = None
    let mutable failure: string option = None
    let mutable stopping = false

    let note (part: Set<int>) (place: GroupMembership option) =
        lock gate (fun () ->
            held <- part
            membership <- place)

    let isStopping () = lock gate (fun () -> stopping)

    let setOf (parts: ConsumerTopicPartitions list) = parts |> List.collect _.Partitions |> Set.ofList

    let rec stay (client: GroupClient) (place: GroupMembership) =
        if isStopping () then
            client.Leave place |> ignore
            false
        else
            Thread.Sleep 50
            let code = (ok (client.Heartbeat place).Result).Error
            if code.IsError then true else stay client place

    let rec join (client: GroupClient) (memberId: string) (previous: ConsumerTopicPartitions list) (generation: int) =
        if not assignor.IsCooperative then note Set.empty None

        let protocols = Assignor.protocols [ assignor ] [ topic ] previous generation None |> ok

        let joined =
            client.Join(memberId, { JoinSettings.consumer protocols with SessionTimeout = cluster.Session; RebalanceTimeout = ms 20_000 })

        // The mock cluster's error responses cannot be read.
        let code =
            match joined.Result with
            | Error(ClientFault.Malformed _) when isMock cluster -> ErrorCode.RebalanceInProgress
            | result -> (ok result).Error

        match joined.Membership with
        | None when isStopping () -> ()
        | None ->
            // Joins as new if the group no longer knows the member, and else tries again.
            Thread.Sleep 50
            join client (if code = ErrorCode.UnknownMemberId then "" else memberId) previous generation
        | Some place ->
            let answer = ok joined.Result

            let assignments =
                if joined.IsLeader then
                    let wanted = Assignor.subscribers answer.Members |> Assignor.topicsOf
                    use connection = Cluster.Connect(cluster.Settings(), cluster.Brokers) |> ok
                    let topics = (ok (Cluster.Metadata(connection, Some wanted)).Result).Topics
                    Assignor.assignments [ assignor ] (Assignor.partitionCounts topics) answer |> ok
                else
                    []

            match (client.Sync(place, ConsumerProtocol.Type, answer.ProtocolName, assignments)).Result with
            | Error(ClientFault.Malformed _) when isMock cluster -> join client place.MemberId previous generation
            | Error fault -> failtestf "no answer to SyncGroup: %O" fault
            | Ok synced when synced.Error.IsError -> join client place.MemberId previous generation
            | Ok synced ->
                let given = (ConsumerProtocol.decodeAssignment synced.Assignment |> ok).AssignedPartitions
                note (setOf given) (Some place)
                let revoked = Set.difference (setOf previous) (setOf given)

                if assignor.IsCooperative && not revoked.IsEmpty then
                    join client place.MemberId given place.GenerationOrEpoch
                elif stay client place then
                    join client place.MemberId given place.GenerationOrEpoch

    let thread =
        Thread(
            (fun () ->
                try
                    use client = new GroupClient(cluster.Settings(), cluster.Brokers, groupId)
                    join client "" [] -1
                with error ->
                    lock gate (fun () -> failure <- Some error.Message)),
            IsBackground = true
        )

    do thread.Start()

    /// Its assignment; a member that failed fails the test.
    member _.Held =
        lock gate (fun () ->
            match failure with
            | Some reason -> failtestf "a member of ours failed: %s" reason
            | None -> held)

    member _.Membership = lock gate (fun () -> membership)

    /// Makes it leave, and waits for that.
    member _.Stop() =
        lock gate (fun () -> stopping <- true)
        if not (thread.Join(ms 60_000)) then failtest "one of our members does not stop"

    interface IDisposable with
        member this.Dispose() = this.Stop()

/// Waits until all partitions are divided among the members, with these counts.
let private awaitShares (partitions: int) (counts: int list) (held: unit -> Set<int> list) =
    let patience = Stopwatch.StartNew()

    let isShared (sets: Set<int> list) =
        (sets |> List.map Set.count |> List.sort) = List.sort counts && Set.unionMany sets = Set.ofList [ 0 .. partitions - 1 ]

    let mutable now = held ()

    while not (isShared now) do
        if patience.Elapsed > ms 90_000 then
            failtestf "the shares %A were not reached: %A" counts now

        Thread.Sleep 50
        now <- held ()

let private among (strategy: PartitionAssignmentStrategy) (assignor: Assignor) (cluster: TestCluster) =
    testCase ("two of our members and one of Confluent.Kafka's divide partitions by " + assignor.Name) (fun () ->
        cluster.WithTopic 6 (fun topic ->
            let groupId = "libkafka-test-" + Guid.NewGuid().ToString "N"
            use client = new GroupClient(cluster.Settings(), cluster.Brokers, groupId)
            ready client topic
            use first = new OurMember(cluster, topic, groupId, assignor)
            use second = new OurMember(cluster, topic, groupId, assignor)
            awaitShares 6 [ 3; 3 ] (fun () -> [ first.Held; second.Held ])

            let config =
                ConsumerConfig(
                    BootstrapServers = cluster.Bootstrap(),
                    GroupId = groupId,
                    EnableAutoCommit = false,
                    AutoOffsetReset = AutoOffsetReset.Earliest,
                    PartitionAssignmentStrategy = strategy,
                    SessionTimeoutMs = int cluster.Session.TotalMilliseconds,
                    HeartbeatIntervalMs = 200
                )

            let theirs =
                let consumer = ConsumerBuilder<byte[], byte[]>(config).Build()
                consumer.Subscribe topic
                consumer

            // Its callbacks and heartbeats run in the poll.
            let theirShare () =
                theirs.Consume(ms 20) |> ignore
                theirs.Assignment |> Seq.map _.Partition.Value |> Set.ofSeq

            try
                awaitShares 6 [ 2; 2; 2 ] (fun () -> [ first.Held; second.Held; theirShare () ])

                // Each side reads the offsets that the other commits. On a slow machine a rebalance may happen in between.
                let mine = Seq.head first.Held

                awaiting "our commit" (fun () ->
                    theirShare () |> ignore

                    match first.Membership with
                    | None -> false
                    | Some place ->
                        let commit = client.CommitOffset(place, at topic mine, committed 3L -1 "ours")
                        ok commit.Result = ErrorCode.None)

                let partition = Confluent.Kafka.TopicPartition(topic, Partition mine)
                let read = theirs.Committed([ partition ], ms 20_000) |> Seq.exactlyOne
                Expect.equal read.Offset.Value 3L "they read it"

                let mutable theirOwn = -1

                awaiting "their commit" (fun () ->
                    match Seq.tryHead (theirShare ()) with
                    | None -> false
                    | Some own ->
                        try
                            theirs.Commit [ TopicPartitionOffset(topic, Partition own, Offset 5L) ]
                            theirOwn <- own
                            true
                        with :? KafkaException ->
                            false)

                let fetched = ok (client.FetchOffset(at topic theirOwn)).Result
                Expect.equal (fetched |> Option.map _.Offset) (Some 5L) "they commit, we read"

                theirs.Close()
                awaitShares 6 [ 3; 3 ] (fun () -> [ first.Held; second.Held ])
                second.Stop()
                awaitShares 6 [ 6 ] (fun () -> [ first.Held ])
            finally
                theirs.Dispose()))

let private partitions (client: ConsumerGroupClient) = client.Assignment |> List.collect _.Partitions |> List.sort

/// One heartbeat of a member of the new protocol. It gives up partitions that are no longer assigned, and takes over new ones.
let private beat (client: ConsumerGroupClient) =
    Expect.equal (startedCode (fun () -> (client.Heartbeat()).Result |> Result.map _.Error)) ErrorCode.None "alive"
    client.Owned <- client.Assignment

let private clusters =
    onEachAndEmbedded "groups" (fun cluster ->
        [ if not cluster.IsSecured then
              among PartitionAssignmentStrategy.CooperativeSticky Assignors.cooperativeSticky cluster

              // The rebalances of the mock cluster take seconds.
              if not (isMock cluster) then
                  among PartitionAssignmentStrategy.Range Assignors.range cluster
                  among PartitionAssignmentStrategy.RoundRobin Assignors.roundRobin cluster

          testCase "offsets are committed and fetched, one, many and all" (fun () ->
              cluster.WithTopic 3 (fun topic ->
                  use client = new GroupClient(cluster.Settings(), cluster.Brokers, "libkafka-test-" + Guid.NewGuid().ToString "N")
                  let nobody = GroupMembership.none
                  ready client topic
                  Expect.equal (ok (client.FetchOffset(at topic 0)).Result) None "nothing yet"
                  let commit () = (client.CommitOffset(nobody, at topic 0, CommittedOffset.at 7L)).Result
                  Expect.equal (startedCode commit) ErrorCode.None "one"

                  let many = [ at topic 2, CommittedOffset.at 9L; at topic 1, CommittedOffset.at 8L ]
                  let results = ok (client.CommitOffsets(nobody, many)).Result

                  Expect.equal
                      results
                      [ { Partition = at topic 2; Error = ErrorCode.None }; { Partition = at topic 1; Error = ErrorCode.None } ]
                      "many"

                  let offsetsOf (fetched: FetchedOffset list) =
                      [ for one in fetched -> one.Partition.Partition, one.Result |> Result.map (Option.map _.Offset) ]

                  let fetched = client.FetchOffsets(nobody, [ at topic 1; at topic 0 ], false)
                  Expect.equal (offsetsOf (ok fetched.Result)) [ 1, Ok(Some 8L); 0, Ok(Some 7L) ] "some of them"

                  if not (isMock cluster) then
                      let all = client.FetchAllOffsets(nobody, false)
                      let expected = [ 0, Ok(Some 7L); 1, Ok(Some 8L); 2, Ok(Some 9L) ]
                      Expect.equal (ok all.Result |> offsetsOf |> List.sortBy fst) expected "all"))

          testCase "a member that the group does not know gets the error code" (fun () ->
              use client = new GroupClient(cluster.Settings(), cluster.Brokers, "libkafka-test-" + Guid.NewGuid().ToString "N")
              let heartbeat () = (client.Heartbeat(member' "nobody")).Result |> Result.map _.Error
              let expected = if isMock cluster then ErrorCode.GroupIdNotFound else ErrorCode.UnknownMemberId
              Expect.equal (startedCode heartbeat) expected "the code")

          testCase "members of the new protocol get all partitions together" (fun () ->
              cluster.Requires(ApiKey.ConsumerGroupHeartbeat, 0s)

              cluster.WithTopic 4 (fun topic ->
                  let groupId = "libkafka-test-" + Guid.NewGuid().ToString "N"
                  let subscription = ConsumerGroupSubscription.topics [ topic ]
                  use first = new ConsumerGroupClient(cluster.Settings(), cluster.Brokers, groupId, subscription)
                  use second = new ConsumerGroupClient(cluster.Settings(), cluster.Brokers, groupId, subscription)

                  awaiting "the first to have everything" (fun () ->
                      beat first
                      partitions first = [ 0; 1; 2; 3 ])

                  awaiting "both to have their half" (fun () ->
                      beat first
                      beat second
                      (partitions first).Length = 2 && List.sort (partitions first @ partitions second) = [ 0; 1; 2; 3 ])

                  Expect.equal (ok (second.Leave()).Result).Error ErrorCode.None "one leaves"

                  awaiting "the first to have everything again" (fun () ->
                      beat first
                      partitions first = [ 0; 1; 2; 3 ])))

          if not (isMock cluster) then
              testCase "a static member of the new protocol comes back to its partitions, and commits in its epoch only" (fun () ->
                  cluster.Requires(ApiKey.ConsumerGroupHeartbeat, 0s)

                  cluster.WithTopic 2 (fun topic ->
                      let groupId = "libkafka-test-" + Guid.NewGuid().ToString "N"
                      let subscription = { ConsumerGroupSubscription.topics [ topic ] with InstanceId = Some "static" }
                      let memberOf () = new ConsumerGroupClient(cluster.Settings(), cluster.Brokers, groupId, subscription)

                      let awaitAssignment (client: ConsumerGroupClient) =
                          awaiting "the partitions" (fun () ->
                              beat client
                              partitions client = [ 0; 1 ])

                      use before = memberOf ()
                      awaitAssignment before
                      let place = before.Membership
                      let commit place = ok (before.Group.CommitOffset(place, at topic 0, CommittedOffset.at 5L)).Result
                      Expect.equal (commit place) ErrorCode.None "in its epoch"
                      let later = { place with GenerationOrEpoch = place.GenerationOrEpoch + 1 }
                      Expect.equal (commit later) ErrorCode.StaleMemberEpoch "in another"
                      let fetched = ok (before.Group.FetchOffset(at topic 0)).Result
                      Expect.equal (fetched |> Option.map _.Offset) (Some 5L) "the offset"
                      Expect.equal (ok (before.LeaveTemporarily()).Result).Error ErrorCode.None "it leaves for a while"

                      use after = memberOf ()
                      awaitAssignment after
                      Expect.equal (commit place) ErrorCode.UnknownMemberId "its predecessor is replaced"
                      Expect.equal (ok (after.Leave()).Result).Error ErrorCode.None "it leaves")) ])

let private moves =
    testCase "a coordinator that moves is found again, and offsets are unchanged" (fun () ->
        withMock 3 (fun cluster ->
            cluster.CreateTopic("t", 1, 3)
            cluster.SetCoordinator("group", "g", 1)
            use client = new GroupClient(patient, Bootstrap.parse cluster.Bootstrap |> ok, "g")
            let commit = client.CommitOffset(GroupMembership.none, at "t" 0, CommittedOffset.at 7L)
            Expect.equal (ok commit.Result) ErrorCode.None "committed"
            Expect.equal (client.Coordinator.Coordinator |> Option.map _.NodeId) (Some 1) "at the first"
            cluster.SetCoordinator("group", "g", 2)
            let heartbeat () = (ok (client.Heartbeat(member' "m")).Result).Error
            Expect.equal (heartbeat ()) ErrorCode.NotCoordinator "the first is it no more"
            Expect.isNone client.Coordinator.Connection "so the connection is closed"
            Expect.equal (heartbeat ()) ErrorCode.GroupIdNotFound "the second is it, and knows of no members"
            Expect.equal (client.Coordinator.Coordinator |> Option.map _.NodeId) (Some 2) "and was found"
            let offset () = ok (client.FetchOffset(at "t" 0)).Result |> Option.map _.Offset
            Expect.equal (offset ()) (Some 7L) "the offset"

            // The successor of a coordinator that dies is found too.
            cluster.SetBrokerDown 2
            Expect.isError (client.FetchOffset(at "t" 0)).Result "it is gone"
            cluster.SetCoordinator("group", "g", 3)
            Expect.equal (offset ()) (Some 7L) "the third has it"))

[<Tests>]
let tests = testList "group" [ coordinator; membership; recordedAnswers; offsets; newProtocol; clusters; moves ]
