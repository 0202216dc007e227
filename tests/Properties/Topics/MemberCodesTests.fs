/// What a member of a group does with each answer, step by step.
module LibKafka.Properties.Topics.MemberCodesTests

open System
open Expecto
open LibKafka
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Client
open LibKafka.Topics

let private seconds (count: float) = TimeSpan.FromSeconds count
let private at (topic: string) (partition: int) : TopicPartition = { Topic = topic; Partition = partition }
let private now = seconds 100.0

let private eager = GroupProtocol.Classic [ Assignors.range ]
let private cooperative = GroupProtocol.Classic [ Assignors.cooperativeSticky ]
let private modern = GroupProtocol.Consumer None

let private settings (protocol: GroupProtocol) = { GroupSettings.make "g" [ "t" ] with Protocol = protocol; CommitInterval = None }

/// Follows inputs from a state, and returns the last one's actions.
let private follow (state: MemberState) (inputs: MemberInput list) : MemberState * MemberAction list =
    ((state, []), inputs) ||> List.fold (fun (state, _) input -> Membership.step now input state)

let private joined: JoinGroup.Response =
    { JoinGroup.response.Default with GenerationId = 5; ProtocolName = Some "range"; Leader = "other"; MemberId = "m" }

let private assignmentOf (partitions: int list) : Bytes =
    match ConsumerProtocol.encodeAssignment { AssignedPartitions = [ { Topic = "t"; Partitions = partitions } ]; UserData = None } with
    | Ok bytes -> bytes
    | Error fault -> failtestf "%s" (fault.ToString())

let private synced (partitions: int list) = MemberInput.Synced(Ok { SyncGroup.response.Default with Assignment = assignmentOf partitions })

let private offsets (answers: (int * Result<CommittedOffset option, ErrorCode>) list) =
    MemberInput.OffsetsFetched(Ok(answers |> List.map (fun (partition, result) -> { Partition = at "t" partition; Result = result })))

/// A classic member with partitions 0 and 1, which it reads.
let private classicWith (settings: GroupSettings) : MemberState =
    follow
        (Membership.start now Limits.standard settings)
        [ MemberInput.TimePassed; MemberInput.Joined(Ok joined); synced [ 0; 1 ]; offsets [ 0, Ok None; 1, Ok None ] ]
    |> fst

let private classic (protocol: GroupProtocol) = classicWith (settings protocol)

let private topicId = Guid "00000000-0000-0000-0000-000000000001"

let private beat (epoch: int) (assigned: int list option) =
    let assignment: HeartbeatAssignment option =
        assigned |> Option.map (fun partitions -> { TopicPartitions = [ { TopicId = topicId; Partitions = partitions } ] })

    MemberInput.Answered(
        Ok
            { ConsumerGroupHeartbeat.response.Default with
                MemberId = Some "m"
                MemberEpoch = epoch
                HeartbeatIntervalMs = 5000
                Assignment = assignment }
    )

let private named = MemberInput.TopicsSeen(Ok [ { Name = "t"; Id = topicId; Partitions = 4; IsInternal = false } ])

/// A member of the new protocol with partitions 0 and 1, which it reads.
let private consumer () : MemberState =
    follow
        (Membership.start now Limits.standard (settings modern))
        [ MemberInput.TimePassed; beat 3 (Some [ 0; 1 ]); named; beat 3 None; offsets [ 0, Ok None; 1, Ok None ] ]
    |> fst

// ---- what the actions say, in words ----

let private word (action: MemberAction) : string =
    let numbers (partitions: TopicPartition list) = partitions |> List.map (fun one -> string one.Partition) |> String.concat ","

    match action with
    | MemberAction.Join(id, _, _) -> "join as '" + id + "'"
    | MemberAction.Sync(me, _, assignments) -> "sync " + string assignments.Length + " in " + string me.GenerationOrEpoch
    | MemberAction.Beat me -> "beat in " + string me.GenerationOrEpoch
    | MemberAction.Report owned -> "report " + (owned |> List.collect _.Partitions |> List.map string |> String.concat ",")
    | MemberAction.Leave(_, isTemporary) -> if isTemporary then "leave for a while" else "leave"
    | MemberAction.AskTopics TopicsAsked.All -> "ask for all topics"
    | MemberAction.AskTopics(TopicsAsked.Names names) -> "ask for " + String.concat "," names
    | MemberAction.AskTopics(TopicsAsked.Ids ids) -> "ask for " + string ids.Length + " ids"
    | MemberAction.FetchOffsets(_, partitions) -> "offsets of " + numbers partitions
    | MemberAction.CommitHandled -> "commit"
    | MemberAction.Add started -> "add " + numbers (started |> List.map _.Partition)
    | MemberAction.Drop partitions -> "drop " + numbers partitions
    | MemberAction.Lose(partitions, _) -> "lose " + numbers partitions
    | MemberAction.Tell(MemberEvent.Assigned started) -> "assigned " + numbers (started |> List.map _.Partition)
    | MemberAction.Tell(MemberEvent.Revoking partitions) -> "revoking " + numbers partitions
    | MemberAction.Tell(MemberEvent.Lost(partitions, LossReason.Removed code)) -> "lost " + numbers partitions + " by " + code.Name
    | MemberAction.Tell(MemberEvent.Lost(partitions, LossReason.SessionExpired)) -> "lost " + numbers partitions + " by silence"
    | MemberAction.Tell(MemberEvent.Lost(partitions, LossReason.Failed _)) -> "lost " + numbers partitions + " by failure"
    | MemberAction.Tell(MemberEvent.CallFailed failure) -> failure.Api.ToString() + " failed, attempt " + string failure.Attempt
    | MemberAction.Tell(MemberEvent.Failed(GroupFailure.Refused(api, code, _))) -> "failed: " + api.ToString() + " " + code.Name
    | MemberAction.Tell(MemberEvent.Failed failure) -> "failed: " + failure.ToString()

let private does (what: string) (state: MemberState) (input: MemberInput) (expected: string list) : MemberState =
    let state, actions = Membership.step now input state
    Expect.equal (List.map word actions) expected what
    state

/// What the member does when its next time comes, and how long it waits for that.
let private later (state: MemberState) : TimeSpan * string list =
    let due = Membership.due state
    let _, actions = Membership.step due MemberInput.TimePassed state
    due - now, List.map word actions

// The call has failed, which is reported, and the next one comes later.
let private again (what: string) (state: MemberState) (input: MemberInput) (expected: string) =
    let state, actions = Membership.step now input state

    match actions with
    | [ MemberAction.Tell(MemberEvent.CallFailed failure) ] -> Expect.equal failure.Attempt 1 (what + ": the attempt")
    | other -> failtestf "%s: %A" what (List.map word other)

    let wait, actions = later state
    Expect.equal actions [ expected ] (what + ": the next call")
    Expect.isGreaterThan wait TimeSpan.Zero (what + ": not at once")

let private passing = [ ErrorCode.NotCoordinator; ErrorCode.CoordinatorNotAvailable; ErrorCode.CoordinatorLoadInProgress ]

let private beaten (code: ErrorCode) = MemberInput.Beaten(Ok { Heartbeat.response.Default with Error = code })
let private beating (state: MemberState) = fst (Membership.step (Membership.due state) MemberInput.TimePassed state)
let private joining (protocol: GroupProtocol) =
    follow (Membership.start now Limits.standard (settings protocol)) [ MemberInput.TimePassed ] |> fst
let private refusedJoin (code: ErrorCode) (id: string) =
    MemberInput.Joined(Ok { JoinGroup.response.Default with Error = code; MemberId = id })
let private syncing (protocol: GroupProtocol) = follow (joining protocol) [ MemberInput.Joined(Ok joined) ] |> fst
let private refusedSync (code: ErrorCode) = MemberInput.Synced(Ok { SyncGroup.response.Default with Error = code })
let private refusedBeat (code: ErrorCode) = MemberInput.Answered(Ok { ConsumerGroupHeartbeat.response.Default with Error = code })

let private classicCodes =
    testList
        "classic"
        [ testCase "a heartbeat" (fun () ->
              let state = beating (classic cooperative)
              does "none" state (beaten ErrorCode.None) [] |> ignore
              does "rebalance" state (beaten ErrorCode.RebalanceInProgress) [ "join as 'm'" ] |> ignore

              does "generation" state (beaten ErrorCode.IllegalGeneration) [ "lose 0,1"; "lost 0,1 by ILLEGAL_GENERATION"; "join as 'm'" ]
              |> ignore

              for code in [ ErrorCode.UnknownMemberId; ErrorCode.GroupIdNotFound ] do
                  does code.Name state (beaten code) [ "lose 0,1"; "lost 0,1 by " + code.Name; "join as ''" ] |> ignore

              for code in passing do
                  again code.Name state (beaten code) "beat in 5"

              for code in
                  [ ErrorCode.FencedInstanceId
                    ErrorCode.GroupAuthorizationFailed
                    ErrorCode.InvalidGroupId
                    ErrorCode.UnknownServerError ] do
                  let failed = does code.Name state (beaten code) [ "lose 0,1"; "lost 0,1 by failure"; "failed: Heartbeat " + code.Name ]
                  Expect.equal (Membership.due failed) TimeSpan.MaxValue "for good")

          testCase "an eager member gives up everything before it joins again" (fun () ->
              let state = does "told" (beating (classic eager)) (beaten ErrorCode.RebalanceInProgress) [ "drop 0,1"; "revoking 0,1" ]
              Expect.equal (later state |> snd) [ "beat in 5" ] "alive meanwhile"
              does "given up" state MemberInput.Released [ "join as 'm'" ] |> ignore)

          testCase "the first assignment is reported even if it is empty, and a later one is not" (fun () ->
              let inGroup = does "the first" (syncing cooperative) (synced []) [ "assigned " ]
              let rejoining = does "a rebalance" (beating inGroup) (beaten ErrorCode.RebalanceInProgress) [ "join as 'm'" ]
              let syncing = does "joined again" rejoining (MemberInput.Joined(Ok joined)) [ "sync 0 in 5" ]
              let inGroup = does "the second" syncing (synced []) []
              let removed = does "removed" (beating inGroup) (beaten ErrorCode.UnknownMemberId) [ "join as ''" ]
              let syncing = does "joined as a new member" removed (MemberInput.Joined(Ok joined)) [ "sync 0 in 5" ]
              does "the first of the new membership" syncing (synced []) [ "assigned " ] |> ignore)

          testCase "a join" (fun () ->
              let state = joining cooperative
              does "first its id" state (refusedJoin ErrorCode.MemberIdRequired "m") [ "join as 'm'" ] |> ignore

              for code in ErrorCode.RebalanceInProgress :: ErrorCode.UnknownMemberId :: passing do
                  again code.Name state (refusedJoin code "") "join as ''"

              for code in
                  [ ErrorCode.FencedInstanceId
                    ErrorCode.InconsistentGroupProtocol
                    ErrorCode.InvalidSessionTimeout
                    ErrorCode.GroupMaxSizeReached
                    ErrorCode.InvalidGroupId
                    ErrorCode.GroupAuthorizationFailed
                    ErrorCode.UnsupportedVersion ] do
                  does code.Name state (refusedJoin code "") [ "failed: JoinGroup " + code.Name ] |> ignore)

          testCase "a coordinator that asks for ids without end is not asked at once" (fun () ->
              let state = does "the first" (joining cooperative) (refusedJoin ErrorCode.MemberIdRequired "m") [ "join as 'm'" ]
              Expect.equal
                  (does "the second" state (refusedJoin ErrorCode.MemberIdRequired "n") [ "failed: JoinGroup MEMBER_ID_REQUIRED" ])
                      .Stage.IsEnded
                  true
                  "it ends")

          testCase "a sync" (fun () ->
              let state = syncing cooperative
              does "rebalance" state (refusedSync ErrorCode.RebalanceInProgress) [ "join as 'm'" ] |> ignore
              does "generation" state (refusedSync ErrorCode.IllegalGeneration) [ "join as 'm'" ] |> ignore
              does "member" state (refusedSync ErrorCode.UnknownMemberId) [ "join as ''" ] |> ignore

              for code in passing do
                  again code.Name state (refusedSync code) "join as 'm'"

              for code in [ ErrorCode.FencedInstanceId; ErrorCode.GroupAuthorizationFailed; ErrorCode.InconsistentGroupProtocol ] do
                  does code.Name state (refusedSync code) [ "failed: SyncGroup " + code.Name ] |> ignore)

          testCase "a cooperative member keeps what it still has, and rejoins when it has given up the rest" (fun () ->
              let state = does "told" (beating (classic cooperative)) (beaten ErrorCode.RebalanceInProgress) [ "join as 'm'" ]
              let state = does "joined" state (MemberInput.Joined(Ok { joined with GenerationId = 6 })) [ "sync 0 in 6" ]
              let state = does "synced" state (synced [ 1; 2 ]) [ "drop 0"; "revoking 0"; "offsets of 2" ]
              let state = does "the new one" state (offsets [ 2, Ok None ]) [ "add 2"; "assigned 2" ]
              Expect.equal (Member.partitions state.Owned) [ at "t" 0; at "t" 1; at "t" 2 ] "its own until it has given it up"
              let state = does "given up" state MemberInput.Released [ "join as 'm'" ]
              Expect.equal (Member.partitions state.Owned) [ at "t" 1; at "t" 2 ] "what is left")

          testCase "a coordinator that is silent for the session time-out takes the partitions" (fun () ->
              let state = beating (classic cooperative)
              let lost = MemberInput.Beaten(Error ClientFault.Closed)
              again "at first" state lost "beat in 5"
              let late = now + seconds 45.0
              let _, actions = Membership.step late lost state
              Expect.equal (List.map word actions) [ "lose 0,1"; "lost 0,1 by silence"; "Heartbeat failed, attempt 1" ] "later")

          testCase "a leader assigns from the topics of all members, and rejoins if their partitions change" (fun () ->
              let subscription (topics: string list) =
                  Assignor.protocols [ Assignors.range ] topics [] -1 None
                  |> Result.map (fun protocols -> protocols.Head.Metadata)
                  |> Result.defaultValue Bytes.empty

              let one id topics : JoinGroup.Member = { MemberId = id; GroupInstanceId = None; Metadata = subscription topics }
              let leading = { joined with Leader = "m"; Members = [ one "m" [ "t" ]; one "other" [ "u" ] ] }
              let topic name partitions : TopicSeen = { Name = name; Id = Guid.Empty; Partitions = partitions; IsInternal = false }
              let state = does "it leads" (joining eager) (MemberInput.Joined(Ok leading)) [ "ask for t,u" ]
              let state = does "the topics" state (MemberInput.TopicsSeen(Ok [ topic "t" 2; topic "u" 1 ])) [ "sync 2 in 5" ]
              let state = follow state [ synced [ 0; 1 ]; offsets [ 0, Ok None; 1, Ok None ] ] |> fst
              let state = { state with BeatAt = TimeSpan.MaxValue }
              Expect.equal (later state) (seconds 60.0, [ "ask for t,u" ]) "it looks again"
              let state = follow { state with TopicsAt = now } [ MemberInput.TimePassed ] |> fst
              let same = MemberInput.TopicsSeen(Ok [ topic "t" 2; topic "u" 1 ])
              does "as before" state same [] |> ignore
              does "more partitions" state (MemberInput.TopicsSeen(Ok [ topic "t" 3; topic "u" 1 ])) [ "drop 0,1"; "revoking 0,1" ]
              |> ignore

              let skipping = MemberInput.Joined(Ok { leading with SkipAssignment = true })
              let state = does "a static leader that is back" (joining eager) skipping [ "ask for t,u" ]
              does "it assigns nothing" state same [ "sync 0 in 5" ] |> ignore)

          testCase "a leader reads the subscriptions within the limits of the client, and names a member that it leaves out" (fun () ->
              let subscriber id topics : JoinGroup.Member =
                  match Assignor.protocols [ Assignors.range ] topics [] -1 None with
                  | Ok [ protocol ] -> { MemberId = id; GroupInstanceId = None; Metadata = protocol.Metadata }
                  | other -> failtestf "%A" other

              let members = [ subscriber "m" [ "t" ]; subscriber "n" [ for i in 1..1000 -> "u" + string i ] ]
              let leading = { joined with Leader = "m"; Members = members }
              let limits = { Limits.standard with MaxDecodedBytes = 10_000L }
              let state = follow (Membership.start now limits (settings eager)) [ MemberInput.TimePassed ] |> fst
              let state = does "it leads" state (MemberInput.Joined(Ok leading)) [ "ask for t" ]
              let seen = MemberInput.TopicsSeen(Ok [ { Name = "t"; Id = Guid.Empty; Partitions = 2; IsInternal = false } ])
              let state, actions = Membership.step now seen state
              Expect.isFalse state.Stage.IsEnded "it stays"

              match actions with
              | [ MemberAction.Sync(_, _, assignments); MemberAction.Tell(MemberEvent.Failed failure) ] ->
                  let sizeOf id = (assignments |> List.find (fun one -> one.MemberId = id)).Assignment.Length
                  Expect.isGreaterThan (sizeOf "m") (sizeOf "n") "the other has nothing"
                  Expect.isFalse failure.IsFatal "it is not fatal"
                  Expect.stringContains (failure.ToString()) "'n'" "the member"
                  Expect.stringContains (failure.ToString()) "MaxDecodedBytes" "the setting"
              | other -> failtestf "%A" (List.map word other))

          testCase "an assignment is read within the limits of the client" (fun () ->
              let limits = { Limits.standard with MaxDecodedBytes = 10_000L }
              let state =
                  follow (Membership.start now limits (settings eager)) [ MemberInput.TimePassed; MemberInput.Joined(Ok joined) ] |> fst
              let _, actions = Membership.step now (synced [ 0..999 ]) state

              match actions with
              | [ MemberAction.Tell(MemberEvent.Failed(GroupFailure.BadAssignment fault)) ] ->
                  Expect.stringContains (fault.ToString()) "MaxDecodedBytes" "the setting"
              | other -> failtestf "%A" (List.map word other))

          testCase "a pattern is compared with all topics, before it joins and at the interval" (fun () ->
              let settings = { settings eager with Subscription = Subscription.Pattern "t.?" }
              let topic name isInternal : TopicSeen = { Name = name; Id = Guid.Empty; Partitions = 1; IsInternal = isInternal }
              let state = does "it asks" (Membership.start now Limits.standard settings) MemberInput.TimePassed [ "ask for all topics" ]
              let state =
                  does
                      "it joins"
                      state
                      (MemberInput.TopicsSeen(Ok [ topic "t1" false; topic "t2" true; topic "xt1" false ]))
                      [ "join as ''" ]
              Expect.equal state.Topics (Some [ "t1" ]) "with what matches"
              let state = follow state [ MemberInput.Joined(Ok joined); synced [] ] |> fst
              let state = follow { state with TopicsAt = now } [ MemberInput.TimePassed ] |> fst
              does "another one" state (MemberInput.TopicsSeen(Ok [ topic "t1" false; topic "t3" false ])) [ "join as 'm'" ] |> ignore)

          testCase "while there is no metadata, it is asked for again after a while" (fun () ->
              let settings = { settings eager with Subscription = Subscription.Pattern "t" }
              let state = follow (Membership.start now Limits.standard settings) [ MemberInput.TimePassed ] |> fst
              again "no answer" state (MemberInput.TopicsSeen(Error ClientFault.Closed)) "ask for all topics")

          testCase "a commit" (fun () ->
              let state = classic cooperative
              let answered code = MemberInput.CommitAnswered(state.Me, [ code ])
              does "none" state (answered ErrorCode.None) [] |> ignore
              does "rebalance" state (answered ErrorCode.RebalanceInProgress) [ "join as 'm'" ] |> ignore

              does
                  "generation"
                  state
                  (answered ErrorCode.IllegalGeneration)
                  [ "lose 0,1"; "lost 0,1 by ILLEGAL_GENERATION"; "join as 'm'" ]
              |> ignore

              does "member" state (answered ErrorCode.UnknownMemberId) [ "lose 0,1"; "lost 0,1 by UNKNOWN_MEMBER_ID"; "join as ''" ]
              |> ignore

              does
                  "fenced"
                  state
                  (answered ErrorCode.FencedInstanceId)
                  [ "lose 0,1"; "lost 0,1 by failure"; "failed: OffsetCommit FENCED_INSTANCE_ID" ]
              |> ignore

              let before = MemberInput.CommitAnswered({ state.Me with GenerationOrEpoch = 4 }, [ ErrorCode.IllegalGeneration ])
              does "of an earlier generation" state before [] |> ignore)

          testCase "a fault that does not go away ends the membership" (fun () ->
              let fault = ClientFault.NoCoordinator(CoordinatorType.Group, "g", ErrorCode.GroupAuthorizationFailed)
              let failure = "failed: " + (GroupFailure.Unreachable fault).ToString()
              does "a join" (joining cooperative) (MemberInput.Joined(Error fault)) [ failure ] |> ignore)

          testCase "a dynamic member leaves, a static one only if told to" (fun () ->
              let isStatic = { settings eager with InstanceId = Some "i" }
              does "dynamic" (classic eager) MemberInput.Closing [ "drop 0,1"; "leave" ] |> ignore
              does "static" (classicWith isStatic) MemberInput.Closing [ "drop 0,1" ] |> ignore
              does "told" (classicWith { isStatic with StaticLeaves = true }) MemberInput.Closing [ "drop 0,1"; "leave" ] |> ignore
              does "not yet a member" (joining eager) MemberInput.Closing [] |> ignore) ]

let private offsetCodes =
    testList
        "committed offsets"
        [ testCase "each partition starts at its own, or where the settings say" (fun () ->
              let state = follow (syncing cooperative) [ synced [ 0; 1 ] ] |> fst
              let committed = { Offset = 7L; LeaderEpoch = 2; Metadata = "x" }
              let _, actions = follow state [ offsets [ 0, Ok(Some committed); 1, Ok None ] ]

              match actions with
              | [ MemberAction.Add started; MemberAction.Tell(MemberEvent.Assigned told) ] ->
                  Expect.equal
                      started
                      [ { Partition = at "t" 0; Committed = Some committed; Start = Start.At { Offset = 7L; LastEpoch = 2 } }
                        { Partition = at "t" 1; Committed = None; Start = Start.Find OffsetSpec.Earliest } ]
                      "with its epoch"

                  Expect.equal told started "as told"
              | other -> failtestf "%A" (List.map word other))

          testCase "one that cannot be read yet is asked for again, alone" (fun () ->
              for code in ErrorCode.UnstableOffsetCommit :: passing do
                  let state = follow (syncing cooperative) [ synced [ 0; 1 ] ] |> fst
                  let state =
                      does
                          code.Name
                          state
                          (offsets [ 0, Ok None; 1, Error code ])
                          [ "add 0"; "assigned 0"; "OffsetFetch failed, attempt 1" ]
                  let wait, actions = later state
                  Expect.equal actions [ "offsets of 1" ] "again"
                  Expect.isGreaterThan wait TimeSpan.Zero "not at once")

          testCase "one that may not be read is reported, and asked for again" (fun () ->
              let state = follow (syncing cooperative) [ synced [ 0; 1 ] ] |> fst
              let failure = GroupFailure.OffsetRefused(at "t" 1, ErrorCode.TopicAuthorizationFailed)
              let answer = offsets [ 0, Ok None; 1, Error ErrorCode.TopicAuthorizationFailed ]
              let state = does "refused" state answer [ "add 0"; "assigned 0"; "failed: " + failure.ToString() ]
              Expect.isFalse failure.IsFatal "it stays"
              Expect.equal (later state |> snd) [ "offsets of 1" ] "again")

          testCase "without a reset policy, a missing one is reported, and the member waits for a seek" (fun () ->
              let state =
                  follow
                      (Membership.start now Limits.standard { settings cooperative with Reset = None })
                      [ MemberInput.TimePassed; MemberInput.Joined(Ok joined); synced [ 0 ] ]
                  |> fst
              let failure = GroupFailure.NoOffset(at "t" 0)
              let state = does "none" state (offsets [ 0, Ok None ]) [ "failed: " + failure.ToString() ]
              Expect.equal (later state |> snd) [ "beat in 5" ] "it waits"
              Expect.isTrue (state.Owned.ContainsKey(at "t" 0)) "and has the partition")

          testCase "the answer about a partition that was lost meanwhile does not count" (fun () ->
              let state = follow (syncing cooperative) [ synced [ 0; 1 ] ] |> fst
              let state =
                  follow (beating state) [ beaten ErrorCode.UnknownMemberId; MemberInput.Joined(Ok joined); synced [ 0; 2 ] ] |> fst
              does "late" state (offsets [ 0, Ok(Some(CommittedOffset.at 7L)); 1, Ok None ]) [ "offsets of 0,2" ] |> ignore) ]

let private consumerCodes =
    testList
        "new protocol"
        [ testCase "partitions that are no longer assigned are given up before new ones are added" (fun () ->
              let state = beating (consumer ())
              let state = does "told" state (beat 4 (Some [ 1; 2 ])) [ "drop 0"; "revoking 0" ]
              let state = does "given up" state MemberInput.Released [ "report 1,2"; "offsets of 2" ]
              does "started" state (offsets [ 2, Ok None ]) [ "add 2"; "assigned 2" ] |> ignore)

          testCase "new partitions are not added while a heartbeat that did not report them is on its way, or has failed" (fun () ->
              let state = does "told" (beating (consumer ())) (beat 4 (Some [ 1; 2 ])) [ "drop 0"; "revoking 0" ]
              // The coordinator may give partition 2 to another member now.
              let state = does "given up" (beating state) MemberInput.Released []
              does "it has not" state (beat 4 None) [ "report 1,2"; "offsets of 2" ] |> ignore
              let failed =
                  does "not known" state (MemberInput.Answered(Error ClientFault.Closed)) [ "ConsumerGroupHeartbeat failed, attempt 1" ]
              Expect.equal (later failed |> snd) [ "report 1" ] "another heartbeat"
              does "it has" (beating failed) (beat 5 (Some [ 1 ])) [] |> ignore
              does "it has not" (beating failed) (beat 5 None) [ "report 1,2"; "offsets of 2" ] |> ignore)

          testCase "a topic that was created again is given up and taken over" (fun () ->
              let other = Guid "00000000-0000-0000-0000-000000000009"

              let assignment: HeartbeatAssignment = { TopicPartitions = [ { TopicId = other; Partitions = [ 0 ] } ] }

              let answer =
                  MemberInput.Answered(
                      Ok
                          { ConsumerGroupHeartbeat.response.Default with
                              MemberId = Some "m"
                              MemberEpoch = 4
                              HeartbeatIntervalMs = 5000
                              Assignment = Some assignment }
                  )

              let state = does "told" (beating (consumer ())) answer [ "drop 0,1"; "revoking 0,1" ]
              Expect.equal (later state |> snd) [ "ask for 1 ids" ] "its name is not known"
              let state =
                  does "named" state (MemberInput.TopicsSeen(Ok [ { Name = "t"; Id = other; Partitions = 1; IsInternal = false } ])) []
              does "given up" state MemberInput.Released [ "report 0"; "offsets of 0" ] |> ignore)

          testCase "the first assignment is reported even if it is empty, and a later one is not" (fun () ->
              let inGroup = does "the first" (joining modern) (beat 1 (Some [])) [ "assigned " ]
              let inGroup = does "the second" (beating inGroup) (beat 2 (Some [])) []
              let removed = does "removed" (beating inGroup) (refusedBeat ErrorCode.UnknownMemberId) [ "report " ]
              does "the first of the new membership" removed (beat 3 (Some [])) [ "assigned " ] |> ignore)

          for code in [ ErrorCode.UnknownMemberId; ErrorCode.FencedMemberEpoch ] do
              testCase (code.ToString() + " takes everything, and the member joins at once") (fun () ->
                  let state = does "lost" (beating (consumer ())) (refusedBeat code) [ "lose 0,1"; "lost 0,1 by " + code.Name; "report " ]
                  Expect.equal state.Me.GenerationOrEpoch 0 "with epoch 0")

          testCase "what goes away by itself changes nothing" (fun () ->
              for code in passing do
                  again code.Name (beating (consumer ())) (refusedBeat code) "report 0,1")

          testCase "what does not ends the membership" (fun () ->
              for code in
                  [ ErrorCode.FencedInstanceId
                    ErrorCode.UnreleasedInstanceId
                    ErrorCode.GroupMaxSizeReached
                    ErrorCode.GroupAuthorizationFailed
                    ErrorCode.UnsupportedAssignor
                    ErrorCode.UnsupportedVersion
                    ErrorCode.InvalidRequest
                    ErrorCode.InvalidRegularExpression ] do
                  let expected = [ "lose 0,1"; "lost 0,1 by failure"; "failed: ConsumerGroupHeartbeat " + code.Name ]
                  does code.Name (beating (consumer ())) (refusedBeat code) expected |> ignore)

          testCase "a topic that may not be read is reported, and the member stays" (fun () ->
              let answer = refusedBeat ErrorCode.TopicAuthorizationFailed
              does "told" (beating (consumer ())) answer [ "failed: ConsumerGroupHeartbeat TOPIC_AUTHORIZATION_FAILED" ] |> ignore)

          testCase "a commit in a stale epoch is settled by a heartbeat" (fun () ->
              let state = consumer ()
              does "stale" state (MemberInput.CommitAnswered(state.Me, [ ErrorCode.StaleMemberEpoch ])) [ "report 0,1" ] |> ignore)

          testCase "a static member leaves for a while, unless told to leave" (fun () ->
              let settings = { settings modern with InstanceId = Some "i" }
              let memberOf settings =
                  follow (Membership.start now Limits.standard settings) [ MemberInput.TimePassed; beat 3 (Some []) ] |> fst
              does "for a while" (memberOf settings) MemberInput.Closing [ "leave for a while" ] |> ignore
              does "for good" (memberOf { settings with StaticLeaves = true }) MemberInput.Closing [ "leave" ] |> ignore
              does "dynamic" (consumer ()) MemberInput.Closing [ "drop 0,1"; "leave" ] |> ignore) ]

[<Tests>]
let tests = testList "member" [ classicCodes; offsetCodes; consumerCodes ]
