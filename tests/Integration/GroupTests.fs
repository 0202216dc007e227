/// Groups: their coordinator, their offsets, and our members together with Confluent.Kafka's.
module LibKafka.Integration.GroupTests

open System
open System.Threading
open FSharp.Core
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Client
open LibKafka.Integration.Replay
open LibKafka.Integration.Support
open LibKafka.Integration.GroupSupport

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
                      Expect.equal (ok (codeOf (client.Heartbeat(member' "m")).Result)) ErrorCode.None "a response"

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
                          Expect.equal exchange.Result (Error(CallFailure.Code code)) "a failure with the code"
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
                  Expect.equal (ok (codeOf joined.Result)) ErrorCode.None "joined"
                  Expect.equal joined.Exchange.Request.MemberId "m-1" "by its id"
                  Expect.isTrue joined.IsLeader "it leads"
                  let expected = { MemberId = "m-1"; GenerationOrEpoch = 1; GroupInstanceId = None }
                  Expect.equal joined.Membership (Some expected) "its place"
                  Expect.equal (broker.VersionsOf ApiKey.JoinGroup).Length 2 "two rounds"))

          testCase "any other error is a failure, and the call is made once" (fun () ->
              for code in [ ErrorCode.MemberIdRequired; ErrorCode.UnknownMemberId; ErrorCode.FencedInstanceId ] do
                  let rest received = Script.answer JoinGroup.api received (joinAnswer code "m-1")

                  group [] rest (fun broker client ->
                      let joined = client.Join("m-1", { JoinSettings.consumer [] with GroupInstanceId = Some "i" })
                      Expect.equal joined.Result (Error(CallFailure.Code code)) "the code"
                      let required = if code = ErrorCode.MemberIdRequired then Some "m-1" else None
                      Expect.equal joined.RequiredMemberId required "the id to join with"
                      Expect.equal joined.Membership None "no place"
                      Expect.isFalse joined.IsLeader "it does not lead"
                      Expect.equal (broker.VersionsOf ApiKey.JoinGroup).Length 1 "once"))

          testCase "a join may take as long as a rebalance, even if other calls may not" (fun () ->
              let rest received =
                  Act.Do(fun () -> Thread.Sleep 1500) :: Script.answer JoinGroup.api received (joinAnswer ErrorCode.None "m")

              groupOf { patient with CallTimeout = ms 1000 } [] rest (fun _ client ->
                  let joined = client.Join("", { JoinSettings.consumer [] with RebalanceTimeout = ms 20_000 })
                  Expect.equal (ok (codeOf joined.Result)) ErrorCode.None "it waited"))

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
                      Expect.equal (ok (codeOf joined.Result)) ErrorCode.None "it waited"))

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
                          (left.Members |> List.map (fun one -> one.MemberId, one.Error))
                          [ "a", ErrorCode.None; "b", ErrorCode.UnknownMemberId ]
                          "each has a result"

                      Expect.equal left.Result (Error(LeaveFailure.Refused left.Members)) "one has not left"
                      let expected = "member b: " + ErrorCode.UnknownMemberId.Explain null
                      Expect.equal (left.Result |> Result.mapError string) (Error expected) "the text"))

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
                      ((client.Leave leaving).Members |> List.map (fun one -> one.MemberId, one.Error))
                      [ "real id of a", ErrorCode.None
                        "m", ErrorCode.None
                        "real id of b", ErrorCode.UnknownMemberId
                        "real id of c", ErrorCode.None ]
                      "each has its own answer"))

          testCase "a member that the response leaves out is not reported as having left" (fun () ->
              group [] (fun received -> Script.answer LeaveGroup.api received LeaveGroup.response.Default) (fun _ client ->
                  let left = client.Leave(member' "m")
                  Expect.equal (left.Members |> List.map _.Error) [ ErrorCode.UnknownServerError ] "the code"
                  Expect.equal left.Result (Error(LeaveFailure.Refused left.Members)) "a failure"))

          testCase "a static leader that comes back need not assign the work again" (fun () ->
              let answer received = Script.answer JoinGroup.api received { joinAnswer ErrorCode.None "m-1" with SkipAssignment = true }

              group [] answer (fun _ client ->
                  let joined = client.Join("m-1", { JoinSettings.consumer [] with GroupInstanceId = Some "i" })
                  Expect.equal (ok joined.Result).Leader "m-1" "it leads"
                  Expect.isFalse joined.IsLeader "and has nothing to do"))

          testCase "a static name cannot leave if the broker does not support static members" (fun () ->
              group [ ApiKey.LeaveGroup, 2 ] Script.unexpected (fun _ client ->
                  match (client.Leave { member' "m" with GroupInstanceId = Some "i" }).Result with
                  | Error(LeaveFailure.Fault(ClientFault.BrokerTooOld _)) -> ()
                  | other -> failtestf "%A" other))

          testCase "the protocol is sent along with the leader's assignments" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.SyncGroup _ -> Script.answer SyncGroup.api received SyncGroup.response.Default
                  | _ -> Script.unexpected received

              group [] rest (fun broker client ->
                  let part: SyncGroup.MemberAssignment = { MemberId = "m"; Assignment = Bytes [| 1uy |] }
                  let exchange = client.Sync(member' "m", ConsumerProtocol.Type, Some "range", [ part ])
                  Expect.equal (ok (codeOf exchange.Result)) ErrorCode.None "the answer"

                  match List.last broker.Calls with
                  | { Request = Request.SyncGroup request } ->
                      Expect.equal request exchange.Request "what was asked is what arrived"
                      Expect.equal (request.ProtocolType, request.ProtocolName) (Some "consumer", Some "range") "the protocol"
                      Expect.equal (request.GenerationId, request.Assignments) (3, [ part ]) "the rest"
                  | other -> failtestf "%O" other)) ]

// ---- offsets ----

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

/// Whether a recorded client commits a negative offset, which ours refuses.
let private hasNegative (request: OffsetCommit.Request) : bool =
    request.Topics |> List.exists (fun topic -> topic.Partitions |> List.exists (fun one -> one.CommittedOffset < 0L))

let private recordedAnswers =
    testList
        "recorded"
        [ replays
              OffsetCommit.api
              (function
              | Request.OffsetCommit request when not request.Topics.IsEmpty && not (hasNegative request) ->
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

                  withGroup brokers request.GroupId (fun client ->
                      match (client.CommitOffsets(place, offsets)).Result with
                      | Ok() -> offsets |> List.map (fun (partition, _) -> { Partition = partition; Error = ErrorCode.None })
                      | Error(PartitionsFailure.Refused results) -> results
                      | Error failure -> failtestf "%O" failure))
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

          testCase "a commit that the coordinator refuses is a failure with the code, and the response can be looked at" (fun () ->
              let code = ErrorCode.UnknownMemberId

              let rest (received: Received) =
                  match received.Request with
                  | Request.OffsetCommit request ->
                      let topics: OffsetCommit.TopicResponse list =
                          [ for topic in request.Topics ->
                                { OffsetCommit.topicResponse.Default with
                                    Name = topic.Name
                                    Partitions =
                                        [ for one in topic.Partitions ->
                                              { PartitionIndex = one.PartitionIndex
                                                Error = (if one.PartitionIndex = 1 then code else ErrorCode.None) } ] } ]

                      Script.answer OffsetCommit.api received { OffsetCommit.response.Default with Topics = topics }
                  | _ -> Script.unexpected received

              group [] rest (fun _ client ->
                  let offset = CommittedOffset.at 7L
                  let one = client.CommitOffset(GroupMembership.none, at "t" 1, offset)
                  Expect.equal one.Result (Error(CallFailure.Code code)) "one"
                  Expect.equal (client.CommitOffset(GroupMembership.none, at "t" 0, offset)).Result (Ok()) "another"
                  let two = [ at "t" 0, offset; at "t" 1, offset ]

                  let expected =
                      Error(
                          PartitionsFailure.Refused
                              [ { Partition = at "t" 0; Error = ErrorCode.None }; { Partition = at "t" 1; Error = code } ]
                      )

                  let reply = client.CommitOffsets(GroupMembership.none, two)
                  Expect.equal reply.Result expected "each of two"
                  Expect.equal (reply.Error, reply.IsTransient) (code, false) "the first error code"
                  Expect.equal (reply.Result |> Result.mapError _.First) one.Result "as a failure of one"
                  Expect.isOk reply.Exchange.Result "the response"
                  let pending = client.BeginCommitOffsets(GroupMembership.none, two)
                  Expect.equal (pending.Complete()).Result expected "in two parts"))

          testCase "stable offsets cannot be requested from a broker that does not support them" (fun () ->
              group [ ApiKey.OffsetFetch, 6 ] Script.unexpected (fun _ client ->
                  match (client.FetchOffsets(GroupMembership.none, [ at "t" 0 ], true)).Result with
                  | Error(ClientFault.BrokerTooOld _) -> ()
                  | other -> failtestf "%A" other))

          testCase "a broker that only accepts topics by their ids is not asked in a version that it does not support" (fun () ->
              let table = Script.everythingBut [ Script.versions ApiKey.OffsetCommit 10 10 ]

              groupAt patient table Script.unexpected (fun _ client ->
                  let reply = client.CommitOffset(GroupMembership.none, at "t" 0, CommittedOffset.at 1L)

                  match codeOf reply.Result |> faultOf with
                  | ClientFault.NoCommonVersion(api, ours, Some theirs) ->
                      Expect.equal (api, ours.Highest, theirs.Lowest) (ApiKey.OffsetCommit, 9s, 10s) "both ranges"
                  | other -> failtestf "%O" other))

          testCase "a response that leaves a partition out is a fault, and the connection is closed" (fun () ->
              let rest (received: Received) = Script.answer OffsetCommit.api received OffsetCommit.response.Default

              group [] rest (fun _ client ->
                  let reply = client.CommitOffset(GroupMembership.none, at "t" 0, CommittedOffset.at 1L)
                  Expect.equal (codeOf reply.Result |> faultOf) (ClientFault.NotAnswered(at "t" 0)) "the fault"
                  Expect.isOk reply.Exchange.Result "the answer can be looked at"
                  Expect.isNone client.Coordinator.Connection "the connection is closed")) ]

[<Tests>]
let tests = testList "group" [ coordinator; membership; recordedAnswers; offsets ]
