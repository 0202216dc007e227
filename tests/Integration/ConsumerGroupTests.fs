/// The client of the new group protocol (KIP-848) with a scripted broker.
module LibKafka.Integration.ConsumerGroupTests

open System
open FSharp.Core
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support
open LibKafka.Integration.GroupSupport

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
                      Expect.equal (client.Heartbeat()).Result (Error(CallFailure.Code code)) "a failure with the code"
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
                  | Error(CallFailure.Fault(ClientFault.NoCommonVersion(key, _, None))) ->
                      Expect.equal key ApiKey.ConsumerGroupHeartbeat "the API"
                  | other -> failtestf "%O" other)) ]

[<Tests>]
let tests = testList "group" [ newProtocol ]
