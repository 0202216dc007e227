/// Groups of the test broker, without sockets.
module LibKafka.Properties.Testing.GroupTests

open System
open Expecto
open LibKafka
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Testing
open LibKafka.Properties.Support
open LibKafka.Properties.Testing.PureCluster
open LibKafka.Properties.Testing.GroupSupport

let private classic =
    testList
        "classic groups"
        [ testCase "a second member waits for the first, which learns of it by its heartbeat" (fun () ->
              let cluster = cluster ()
              let leader = stable cluster
              let second = join cluster (newId cluster) None
              Expect.isTrue (isWaiting cluster second) "it waits"
              Expect.equal (heartbeat cluster 1 leader.MemberId None) ErrorCode.RebalanceInProgress "the heartbeat"
              let again = join cluster leader.MemberId None
              let leading, following = joined cluster again, joined cluster second
              Expect.equal (leading.GenerationId, following.GenerationId) (2, 2) "the generation"
              Expect.equal (leading.Members |> List.map _.MemberId) [ leading.MemberId; following.MemberId ] "the members"
              Expect.isEmpty following.Members "only the leader gets them"
              let waiting = syncAs cluster following None []
              Expect.isTrue (isWaiting cluster waiting) "it waits for the leader"
              let first = syncAs cluster leading None [ leading.MemberId, 1uy; following.MemberId, 2uy ]
              Expect.equal (synced cluster first).Assignment (Bytes [| 1uy |]) "the leader's part"
              Expect.equal (synced cluster waiting).Assignment (Bytes [| 2uy |]) "the follower's part")

          testCase "a test makes the members rebalance" (fun () ->
              let cluster = cluster ()
              let leader = stable cluster
              Expect.equal (GroupControl.members "g" cluster.State) [ leader.MemberId ] "the members"
              cluster.Change(GroupControl.rebalance cluster.Now "g")
              Expect.equal (heartbeat cluster 1 leader.MemberId None) ErrorCode.RebalanceInProgress "the heartbeat"
              let again = joined cluster (join cluster leader.MemberId None)
              Expect.equal (again.GenerationId, again.MemberId) (2, leader.MemberId) "the next generation")

          testCase "a test ends the session of one member, and the others rebalance" (fun () ->
              let cluster = cluster ()
              let leader = stable cluster
              let second = join cluster (newId cluster) None
              let again = join cluster leader.MemberId None
              let leading, following = joined cluster again, joined cluster second
              synced cluster (syncAs cluster leading None [ leading.MemberId, 1uy; following.MemberId, 2uy ]) |> ignore
              cluster.Change(GroupControl.expire cluster.Now "g" (fun one -> one = following.MemberId))
              Expect.equal (GroupControl.members "g" cluster.State) [ leading.MemberId ] "the members"
              Expect.equal (heartbeat cluster 2 following.MemberId None) ErrorCode.UnknownMemberId "the member without a session"
              Expect.equal (heartbeat cluster 2 leading.MemberId None) ErrorCode.RebalanceInProgress "the other member")

          testCase "a member that does not join again is removed after the rebalance timeout" (fun () ->
              let cluster = cluster ()
              let leader = stable cluster
              let second = join cluster (newId cluster) None
              cluster.Wait(rebalanceMs - 1)
              Expect.isTrue (isWaiting cluster second) "it waits"
              cluster.Wait 1
              Expect.equal (joined cluster second).Leader (joined cluster second).MemberId "it leads now"
              Expect.equal (heartbeat cluster 1 leader.MemberId None) ErrorCode.UnknownMemberId "the other is gone")

          testCase "a leader that does not assign is removed, and its followers join again" (fun () ->
              let cluster = cluster ()
              let leader = stable cluster
              let second = join cluster (newId cluster) None
              joined cluster (join cluster leader.MemberId None) |> ignore
              let waiting = syncAs cluster (joined cluster second) None []
              cluster.Wait rebalanceMs
              Expect.equal (synced cluster waiting).Error ErrorCode.RebalanceInProgress "join again"
              Expect.equal (describe cluster).GroupState GroupState.PreparingRebalance "the state"
              Expect.equal ((describe cluster).Members |> List.map _.MemberId) [ (joined cluster second).MemberId ] "the members")

          testCase "a session ends without a sign of life, and a commit is one" (fun () ->
              let cluster = cluster ()
              let leader = stable cluster
              cluster.Wait(sessionMs - 1)
              Expect.equal (commit cluster 9s 1 leader.MemberId 0 5L) ErrorCode.None "the commit"
              cluster.Wait(sessionMs - 1)
              Expect.equal (heartbeat cluster 1 leader.MemberId None) ErrorCode.None "the heartbeat"
              cluster.Wait sessionMs
              Expect.equal (heartbeat cluster 1 leader.MemberId None) ErrorCode.UnknownMemberId "after the session"
              Expect.equal (describe cluster).GroupState GroupState.Empty "the group")

          testCase "an id that no member joins with expires" (fun () ->
              let cluster = cluster ()
              let id = newId cluster
              Expect.equal (describe cluster).GroupState GroupState.Dead "no group yet"
              cluster.Wait sessionMs
              Expect.equal (joined cluster (join cluster id None)).Error ErrorCode.UnknownMemberId "too late"
              Expect.equal (describe cluster).GroupState GroupState.Empty "an empty group")

          testCase "the first rebalance waits for more members as long as they come" (fun () ->
              let cluster = cluster ()

              cluster.Change(fun state ->
                  { state with Groups = { state.Groups with Settings = { state.Groups.Settings with InitialRebalanceDelayMs = 1_000 } } })

              let first = join cluster (newId cluster) None
              cluster.Wait 999
              let second = join cluster (newId cluster) None
              cluster.Wait 1
              Expect.isTrue (isWaiting cluster first && isWaiting cluster second) "extended"
              cluster.Wait 1_000
              Expect.equal (joined cluster first).GenerationId 1 "one generation"
              Expect.equal (joined cluster second).GenerationId 1 "for both")

          testCase "a static member is replaced without a rebalance, and the old one is fenced" (fun () ->
              let cluster = cluster ()
              let old = joined cluster (join cluster "" (Some "one"))
              synced cluster (syncAs cluster old (Some "one") [ old.MemberId, 7uy ]) |> ignore
              let renewed = joined cluster (join cluster "" (Some "one"))
              Expect.equal (renewed.GenerationId, renewed.SkipAssignment) (1, true) "the same generation"
              Expect.notEqual renewed.MemberId old.MemberId "a new id"
              Expect.equal (synced cluster (syncAs cluster renewed (Some "one") [])).Assignment (Bytes [| 7uy |]) "the same part"
              Expect.equal (heartbeat cluster 1 old.MemberId (Some "one")) ErrorCode.FencedInstanceId "the old one"
              Expect.equal (joined cluster (join cluster old.MemberId (Some "one"))).Error ErrorCode.FencedInstanceId "it cannot join"
              Expect.equal
                  (leave cluster [ "", Some "one"; "", Some "two" ])
                  [ ErrorCode.None; ErrorCode.UnknownMemberId ]
                  "leaving by name"
              Expect.equal (describe cluster).GroupState GroupState.Empty "the group")

          testCase "members without a common protocol cannot join, and the protocol is that of most members" (fun () ->
              let cluster = cluster ()
              let ask id protocols = give cluster (cluster.Ask(9s, joinRequest id None protocols))
              let first = joined cluster (ask (newId cluster) [ "a"; "b" ])
              Expect.equal first.ProtocolName (Some "a") "its own"
              Expect.equal (joined cluster (ask "" [ "c" ])).Error ErrorCode.InconsistentGroupProtocol "none in common"
              let others =
                  [ for _ in 1..2 -> (joined cluster (ask "" [ "b"; "a" ])).MemberId ] |> List.map (fun id -> ask id [ "b"; "a" ])
              let leader = ask first.MemberId [ "a"; "b" ]

              for reply in leader :: others do
                  Expect.equal (joined cluster reply).ProtocolName (Some "b") "the vote")

          testCase "requests that are not of the current generation are refused" (fun () ->
              let cluster = cluster ()
              let leader = stable cluster

              for generation in [ 0; 2 ] do
                  Expect.equal (heartbeat cluster generation leader.MemberId None) ErrorCode.IllegalGeneration "a heartbeat"
                  Expect.equal (commit cluster 9s generation leader.MemberId 0 1L) ErrorCode.IllegalGeneration "a commit"

              Expect.equal (heartbeat cluster 1 "nobody" None) ErrorCode.UnknownMemberId "nobody"
              Expect.equal (commit cluster 9s -1 "" 0 1L) ErrorCode.UnknownMemberId "a stranger while there are members")

          testCase "an old release lets members join again instead of a heartbeat while the leader assigns" (fun () ->
              for release, code in [ "2.6.3", ErrorCode.RebalanceInProgress; "2.7.0", ErrorCode.None ] do
                  let cluster = start { State.settings with Release = Release.parse release } 1 [ "t", 1 ]
                  let response = joined cluster (give cluster (cluster.Ask(2s, joinRequest "" None [ "range" ])))
                  Expect.equal response.Error ErrorCode.None "version 2 gives no id first"
                  Expect.equal (heartbeat cluster 1 response.MemberId None) code release) ]

// ---- The consumer protocol ----

let private consumers =
    testList
        "consumer groups"
        [ testCase "a partition is given away after its owner has given it up" (fun () ->
              let cluster = cluster ()
              let a, b = consumer "a", consumer "b"
              beat cluster a |> ignore
              Expect.equal a.Owned (set [ 0..5 ]) "all"
              beat cluster b |> ignore
              Expect.equal b.Owned Set.empty "none yet"
              beat cluster a |> ignore
              Expect.equal (a.Owned.Count, a.Epoch) (3, 1) "half is to be given up, in the old epoch"
              beat cluster b |> ignore
              Expect.equal b.Owned Set.empty "not before the owner has confirmed it"
              beat cluster a |> ignore
              beat cluster b |> ignore
              Expect.equal (Set.union a.Owned b.Owned, Set.intersect a.Owned b.Owned) (set [ 0..5 ], Set.empty) "divided"
              Expect.equal (a.Epoch, b.Epoch) (2, 2) "the epochs")

          testCase "members whose epochs are not those of the coordinator are fenced" (fun () ->
              let cluster = cluster ()
              let a = consumer "a"
              beat cluster a |> ignore
              let at epoch =
                  (beatWith cluster a (fun it -> { it with MemberEpoch = epoch; RebalanceTimeoutMs = -1; SubscribedTopicNames = None }))
                      .Error
              Expect.equal (at 2) ErrorCode.FencedMemberEpoch "greater"
              Expect.equal (commit cluster 9s 2 "a" 0 1L) ErrorCode.StaleMemberEpoch "a commit"
              Expect.equal (commit cluster 8s 1 "a" 0 1L) ErrorCode.UnsupportedVersion "an old commit"
              Expect.equal (commit cluster 9s 1 "a" 0 1L) ErrorCode.None "the right epoch"
              Expect.equal (beat cluster { consumer "nobody" with Epoch = 1 }) ErrorCode.UnknownMemberId "nobody")

          testCase "a lost response does not fence a member that has not taken anything new" (fun () ->
              let cluster = cluster ()
              let a, b = consumer "a", consumer "b"
              for one in [ a; b; a; a ] do
                  beat cluster one |> ignore
              // The response with b's partitions is lost.
              let before = { b with Epoch = b.Epoch }
              let missed = { b with Id = "b" }
              for one in [ missed ] do
                  beat cluster one |> ignore
              Expect.equal missed.Owned.Count 3 "its part"
              Expect.equal (beat cluster before) ErrorCode.None "again"
              Expect.equal before.Epoch missed.Epoch "the epoch")

          testCase "a member that keeps its partitions too long is removed" (fun () ->
              let cluster = cluster ()
              let a, b = consumer "a", consumer "b"
              beat cluster a |> ignore
              beat cluster b |> ignore
              beatWith cluster a id |> ignore
              cluster.Wait rebalanceMs
              Expect.equal (beatWith cluster a id).Error ErrorCode.UnknownMemberId "removed"
              beat cluster b |> ignore
              Expect.equal b.Owned (set [ 0..5 ]) "the other one has all")

          testCase "a session ends without heartbeats" (fun () ->
              let cluster = cluster ()
              let a = consumer "a"
              beat cluster a |> ignore
              cluster.Wait(cluster.State.Groups.Settings.SessionTimeoutMs - 1)
              Expect.equal (beat cluster a) ErrorCode.None "in time"
              cluster.Wait cluster.State.Groups.Settings.SessionTimeoutMs
              Expect.equal (beat cluster a) ErrorCode.UnknownMemberId "too late"
              Expect.isEmpty (consumerState cluster).Members "no member")

          testCase "a static member that leaves for a while keeps its partitions for its successor" (fun () ->
              let cluster = cluster ()
              let named (it: ConsumerGroupHeartbeat.Request) = { it with InstanceId = Some "one" }
              let a, b = consumer "a", consumer "b"
              a.Epoch <- (beatWith cluster a named).MemberEpoch
              Expect.equal (beatWith cluster b named).Error ErrorCode.UnreleasedInstanceId "still there"
              beatWith cluster a (fun it -> { named it with MemberEpoch = -2 }) |> ignore
              let response = beatWith cluster b named
              Expect.equal (response.Error, response.MemberEpoch) (ErrorCode.None, 1) "the same epoch"
              Expect.equal (response.Assignment.Value.TopicPartitions |> List.collect _.Partitions) [ 0..5 ] "the same partitions"
              Expect.equal (beatWith cluster a named).Error ErrorCode.FencedInstanceId "the old one")

          testCase "a regular expression finds the topics that there are, and later ones after a while" (fun () ->
              let cluster = start State.settings 1 [ "t", 1; "x-1", 1 ]
              let a = consumer "a"
              let owned () = (consumerState cluster).Members.Head.Assigned.Count
              let regex (it: ConsumerGroupHeartbeat.Request) = { it with SubscribedTopicNames = None; SubscribedTopicRegex = Some "x-.*" }

              a.Epoch <- (beatWith cluster a regex).MemberEpoch
              Expect.equal (owned ()) 0 "not looked up yet"
              beat cluster a |> ignore
              Expect.equal (owned ()) 1 "found"
              cluster.Change(fun state -> fst (Topics.create "x-2" 1 1 Map.empty state))
              beat cluster a |> ignore
              Expect.equal (owned ()) 1 "not yet"
              cluster.Wait cluster.State.Groups.Settings.RegexRefreshMs
              beat cluster a |> ignore
              beat cluster a |> ignore
              Expect.equal (owned ()) 2 "both"
              let invalid = beatWith cluster a (fun it -> { it with SubscribedTopicRegex = Some "(" })
              Expect.equal invalid.Error ErrorCode.InvalidRegularExpression "invalid")

          testCase "new partitions of a topic are assigned" (fun () ->
              let cluster = start State.settings 1 [ "t", 1 ]
              let a = consumer "a"
              beat cluster a |> ignore
              let grow: CreatePartitions.Request =
                  { Topics = [ { Name = "t"; Count = 3; Assignments = None } ]; TimeoutMs = 0; ValidateOnly = false }
              cluster.Get(3s, Request.CreatePartitions grow) |> ignore
              beat cluster a |> ignore
              Expect.equal (a.Owned, a.Epoch) (set [ 0..2 ], 2) "the partitions")

          testCase "a test sets the target assignment" (fun () ->
              let cluster = cluster ()
              let a, b = consumer "a", consumer "b"
              let target = Map [ "a", Map [ topicId cluster, set [ 5 ] ]; "b", Map [ topicId cluster, set [ 0; 1 ] ] ]
              for one in [ a; b ] do
                  beat cluster one |> ignore
              cluster.Change(ConsumerGroup.setTarget "g" target)
              for one in [ a; a; b; a; b ] do
                  beat cluster one |> ignore
              Expect.equal (a.Owned, b.Owned) (set [ 5 ], set [ 0; 1 ]) "the target"
              cluster.Change(ConsumerGroup.clearTarget "g")
              for one in [ a; b; a; b; a; b ] do
                  beat cluster one |> ignore
              Expect.equal (Set.union a.Owned b.Owned) (set [ 0..5 ]) "the assignor's again")

          testCase "a test begins the next epoch of a consumer group, and ends the sessions of its members" (fun () ->
              let cluster = cluster ()
              let a = consumer "a"
              beat cluster a |> ignore

              let epoch () =
                  match (Groups.tryFind "g" cluster.State).Value.Kind with
                  | GroupKind.Consumer group -> group.Epoch
                  | GroupKind.Classic _ -> failtest "a classic group"

              let before = epoch ()
              cluster.Change(GroupControl.rebalance cluster.Now "g")
              Expect.equal (epoch ()) (before + 1) "the epoch"
              cluster.Change(GroupControl.expire cluster.Now "g" (fun _ -> true))
              Expect.isEmpty (GroupControl.members "g" cluster.State) "the members")

          testCase "a classic group becomes a consumer group, and back" (fun () ->
              let cluster = cluster ()
              let id = newId cluster
              let metadata = subscription [ "t" ]
              let classic = joined cluster (join cluster id None)
              let all =
                  ConsumerProtocol.encodeAssignment { AssignedPartitions = [ { Topic = "t"; Partitions = [ 0..5 ] } ]; UserData = None }
              let whole = Result.defaultValue metadata all

              cluster.Get(
                  5s,
                  Request.SyncGroup
                      { GroupId = "g"
                        GenerationId = 1
                        MemberId = id
                        GroupInstanceId = None
                        ProtocolType = Some "consumer"
                        ProtocolName = classic.ProtocolName
                        Assignments = [ { MemberId = id; Assignment = whole } ] }
              )
              |> ignore

              let b = consumer "b"
              beat cluster b |> ignore
              Expect.equal b.Owned Set.empty "the classic member has all"
              Expect.equal (heartbeat cluster 1 id None) ErrorCode.RebalanceInProgress "it must join again"
              let again = joined cluster (join cluster id None)
              Expect.equal (again.GenerationId, again.Leader) (2, "") "nobody leads"
              let part = synced cluster (syncAs cluster again None [])
              let mine =
                  ConsumerProtocol.decodeAssignment part.Assignment
                  |> Result.map (fun it -> it.AssignedPartitions |> List.collect _.Partitions)
              beat cluster b |> ignore
              Expect.equal (b.Owned.Count, Result.map List.length mine) (3, Ok 3) "divided"
              beatWith cluster b (fun it -> { it with MemberEpoch = -1 }) |> ignore
              Expect.equal (describe cluster).GroupState GroupState.PreparingRebalance "a classic group again"
              Expect.equal (joined cluster (join cluster id None)).Leader id "with a leader") ]

let private offsets =
    testList
        "offsets"
        [ testCase "an offset of a deleted topic is void, even if there is a new topic of the name" (fun () ->
              let cluster = cluster ()
              Expect.equal (commit cluster 9s -1 "" 0 7L) ErrorCode.None "committed"
              Expect.equal (fetch cluster false 0) (7L, ErrorCode.None) "fetched"

              cluster.Change(fun state -> Cluster.removeTopic state.Topics["t"] state |> Topics.create "t" 1 1 Map.empty |> fst)

              Expect.equal (fetch cluster false 0) (-1L, ErrorCode.None) "void")

          testCase "an open transaction makes its offsets unstable, and a later commit wins" (fun () ->
              let cluster = cluster ()

              let call =
                  { Now = 1L
                    Caller =
                      { Node = 1
                        Connection = 1L
                        Host = "127.0.0.1"
                        Principal = ""
                        Header = { ApiKey = ApiKey.TxnOffsetCommit; ApiVersion = 3s; CorrelationId = 1; ClientId = None }
                        RequestSize = 0 } }

              let pend (offset: int64) =
                  let request: TxnOffsetCommit.Request =
                      { TransactionalId = "x"
                        GroupId = "g"
                        ProducerId = 9L
                        ProducerEpoch = 0s
                        GenerationIdOrMemberEpoch = -1
                        MemberId = ""
                        GroupInstanceId = None
                        Topics =
                          [ { Name = "t"
                              TopicId = Guid.Empty
                              Partitions =
                                [ { PartitionIndex = 0; CommittedOffset = offset; CommittedLeaderEpoch = -1; CommittedMetadata = None } ] } ] }

                  cluster.Change(fun state -> fst (GroupOffsets.commitInTransaction call request state))

              let finish isCommit = cluster.Change(GroupOffsets.endTransaction 1L 9L isCommit)
              pend 5L
              Expect.equal (fetch cluster true 0) (-1L, ErrorCode.UnstableOffsetCommit) "unstable"
              Expect.equal (fetch cluster false 0) (-1L, ErrorCode.None) "not committed"
              finish true
              Expect.equal (fetch cluster true 0) (5L, ErrorCode.None) "committed"
              pend 6L
              finish false
              Expect.equal (fetch cluster true 0) (5L, ErrorCode.None) "aborted"
              pend 7L
              commit cluster 9s -1 "" 0 8L |> ignore
              finish true
              Expect.equal (fetch cluster true 0) (8L, ErrorCode.None) "the later commit stays")

          testCase "groups are deleted without members, and offsets of topics that nobody subscribes to" (fun () ->
              let cluster = cluster ()
              let leader = stable cluster
              commit cluster 9s 1 leader.MemberId 0 3L |> ignore

              let delete () =
                  match cluster.Get(2s, Request.DeleteGroups { GroupsNames = [ "g"; "none" ] }) with
                  | Response.DeleteGroups response -> response.Results |> List.map _.Error
                  | other -> failtest (Response.show other)

              let deleteOffset () =
                  match
                      cluster.Get(
                          0s,
                          Request.OffsetDelete { GroupId = "g"; Topics = [ { Name = "t"; Partitions = [ { PartitionIndex = 0 } ] } ] }
                      )
                  with
                  | Response.OffsetDelete response -> response.Topics.Head.Partitions.Head.Error
                  | other -> failtest (Response.show other)

              Expect.equal (delete ()) [ ErrorCode.NonEmptyGroup; ErrorCode.GroupIdNotFound ] "with a member"
              Expect.equal (deleteOffset ()) ErrorCode.GroupSubscribedToTopic "a subscribed topic"
              leave cluster [ leader.MemberId, None ] |> ignore
              Expect.equal (deleteOffset ()) ErrorCode.None "without members"
              Expect.equal (fetch cluster false 0) (-1L, ErrorCode.None) "gone"
              Expect.equal (delete ()) [ ErrorCode.None; ErrorCode.GroupIdNotFound ] "empty"
              Expect.equal (describe cluster).GroupState GroupState.Dead "no group") ]

// ---- Laws ----

[<Tests>]
let tests = testList "groups of the test broker" [ classic; consumers; offsets ]
