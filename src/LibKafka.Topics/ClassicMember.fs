namespace LibKafka.Topics

open System
open LibKafka
open LibKafka.Client
open LibKafka.Groups
open LibKafka.Protocol

/// A member of a classic group: it joins, gets its part of the partitions from the member that leads the group, and sends heartbeats.
[<RequireQualifiedAccess>]
module internal ClassicMember =

    let private assignorsOf (settings: GroupSettings) : Assignor list =
        match settings.Protocol with
        | GroupProtocol.Classic assignors -> assignors
        | GroupProtocol.Consumer _ -> []

    /// Whether members keep their partitions during a rebalance, which all assignors must support.
    let isCooperative (state: MemberState) : bool = assignorsOf state.Settings |> List.forall _.IsCooperative

    let private gather (partitions: TopicPartition list) : ConsumerTopicPartitions list =
        partitions
        |> List.groupBy _.Topic
        |> List.map (fun (topic, ofTopic) -> { Topic = topic; Partitions = ofTopic |> List.map _.Partition })

    let private spread (partitions: ConsumerTopicPartitions list) : TopicPartition list =
        [ for ofTopic in partitions do
              for partition in ofTopic.Partitions -> { Topic = ofTopic.Topic; Partition = partition } ]

    // An eager member has given up its partitions before it joins, which a cooperative assignor must not take for owned.
    let private protocols (topics: string list) (state: MemberState) =
        let previousFor (assignor: Assignor) =
            match assignor.IsCooperative, isCooperative state with
            | true, true -> Member.partitions state.Owned
            | true, false -> []
            | false, _ -> state.Previous

        let one (assignor: Assignor) =
            Assignor.protocols [ assignor ] topics (gather (previousFor assignor)) state.Me.GenerationOrEpoch state.Settings.RackId

        (assignorsOf state.Settings |> List.map one, Ok [])
        ||> List.foldBack (fun made rest ->
            match made, rest with
            | Ok made, Ok rest -> Ok(made @ rest)
            | Error fault, _
            | _, Error fault -> Error fault)

    let private join (reason: string) (topics: string list) (state: MemberState) : MemberState * MemberAction list =
        match protocols topics state with
        | Error fault -> Member.fail (GroupFailure.Unreachable(ClientFault.CannotEncode fault)) state
        | Ok protocols ->
            { state with Stage = MemberStage.Joining; IsCalling = true; Rejoin = None },
            [ MemberAction.Join(state.Me.MemberId, protocols, reason) ]

    let private sync (joined: JoinGroup.Response) assignments (state: MemberState) : MemberState * MemberAction list =
        { state with Stage = MemberStage.Syncing joined; IsCalling = true },
        [ MemberAction.Sync(state.Me, joined.ProtocolName, assignments) ]

    let private rejoin (reason: string) (state: MemberState) : MemberState =
        { state with Rejoin = Option.orElse (Some reason) state.Rejoin }

    let private isLeader (joined: JoinGroup.Response) = joined.Leader = joined.MemberId

    // ---- answers ----

    let private refused (api: ApiKey) (code: ErrorCode) state = Member.fail (GroupFailure.Refused(api, code, "")) state

    // The coordinator has removed the member, or lost the group.
    let private isRemoval (code: ErrorCode) =
        code = ErrorCode.UnknownMemberId || code = ErrorCode.IllegalGeneration || code = ErrorCode.GroupIdNotFound

    // What an error code means in every one of the calls. `again` is what to do about one that goes away by itself.
    let private refusal (now: TimeSpan) (api: ApiKey) (code: ErrorCode) (again: MemberState -> MemberState) (state: MemberState) =
        if isRemoval code then
            let hasFailed = api = ApiKey.JoinGroup || (api = ApiKey.SyncGroup && state.Failures > 0)
            let state, actions = Member.removed now (LossReason.Removed code) (code = ErrorCode.IllegalGeneration) -1 state

            // A coordinator that knows no such member when it joins, or again when it has joined, is not asked again at once.
            if hasFailed then
                let state, report = Member.later now state |> Member.withReport now api (CallFailure.Code code)
                state, actions @ report
            else
                { state with Failures = state.Failures + 1 }, actions
        elif Member.isPassing code then
            again state |> Member.withReport now api (CallFailure.Code code)
        else
            refused api code state

    // No answer. A member that has been out of touch for the session time-out has lost its partitions.
    let private unanswered (now: TimeSpan) (api: ApiKey) (fault: ClientFault) (again: MemberState -> MemberState) (state: MemberState) =
        let report = Member.withReport now api (CallFailure.Fault fault)

        if not (Member.isPassingFault fault) then
            Member.fail (GroupFailure.Unreachable fault) state
        elif not state.Owned.IsEmpty && Member.isExpired now state then
            let state, actions = Member.removed now LossReason.SessionExpired true -1 state
            let state, more = Member.later now state |> report
            state, actions @ more
        else
            again state |> report

    // Joins again after a while, with the same id. The partitions are still the member's.
    let private joinLater now (state: MemberState) = Member.later now { state with Stage = MemberStage.Outside }

    let private joined (now: TimeSpan) (response: JoinGroup.Response) (state: MemberState) : MemberState * MemberAction list =
        let me = { state.Me with MemberId = response.MemberId; GenerationOrEpoch = response.GenerationId }
        let state = { state with Me = me; Heard = now; Led = None }

        if isLeader response then
            let topics = Assignor.subscribersWithin state.Limits response.Members |> Assignor.topicsOf
            let state = { state with Led = Some(topics |> List.map (fun topic -> topic, 0) |> Map.ofList) }
            { state with Stage = MemberStage.Counting response; IsCalling = true }, [ MemberAction.AskTopics(TopicsAsked.Names topics) ]
        else
            sync response [] state

    /// The answer to JoinGroup.
    let onJoined (now: TimeSpan) (result: Result<JoinGroup.Response, ClientFault>) (state: MemberState) =
        match result with
        | Ok response when not response.Error.IsError -> joined now response state
        | Ok response when response.Error = ErrorCode.MemberIdRequired && state.Me.MemberId = "" ->
            { state with Stage = MemberStage.Outside; RetryAt = now; Me = { state.Me with MemberId = response.MemberId } }, []
        | Ok response when response.Error = ErrorCode.RebalanceInProgress ->
            joinLater now state |> Member.withReport now ApiKey.JoinGroup (CallFailure.Code response.Error)
        | Ok response -> refusal now ApiKey.JoinGroup response.Error (joinLater now) state
        | Error fault -> unanswered now ApiKey.JoinGroup fault (joinLater now) state

    let private counts (topics: string list) (seen: TopicSeen list) : Map<string, int> =
        let known = seen |> List.map (fun topic -> topic.Name, topic.Partitions) |> Map.ofList
        topics |> List.map (fun topic -> topic, known |> Map.tryFind topic |> Option.defaultValue 0) |> Map.ofList

    // While a topic does not exist yet, it is looked up more often.
    let private looked (now: TimeSpan) (counts: int seq) (state: MemberState) : MemberState =
        let interval = state.Settings.MetadataInterval
        let next = if Seq.contains 0 counts then min interval (TimeSpan.FromSeconds 3.0) else interval
        { state with TopicsAt = now + next }

    let private leftOut (one: Subscriber) : MemberAction option =
        one.Unreadable
        |> Option.map (fun fault -> MemberAction.Tell(MemberEvent.Failed(GroupFailure.MemberLeftOut(one.MemberId, fault))))

    let private assign (now: TimeSpan) (response: JoinGroup.Response) (led: Map<string, int>) (state: MemberState) =
        let state = looked now (Map.values led) { state with Led = Some led }

        // A static leader that has come back: the group keeps its assignment (KIP-814).
        if response.SkipAssignment then
            sync response [] state
        else
            match Assignor.assignmentsWithin state.Limits (assignorsOf state.Settings) led response with
            | Ok given ->
                let state, actions = sync response given.Assignments state
                state, actions @ (given.LeftOut |> List.choose leftOut)
            | Error fault -> Member.fail (GroupFailure.CannotAssign fault) state

    let private assigned (now: TimeSpan) (partitions: TopicPartition list) (state: MemberState) : MemberState * MemberAction list =
        let assigned = Set.ofList partitions
        let revoked = Member.partitions state.Owned |> List.filter (fun partition -> not (assigned.Contains partition))
        let added = partitions |> List.filter (fun partition -> not (state.Owned.ContainsKey partition))
        let state =
            { state with
                Stage = MemberStage.Member
                Previous = partitions
                Heard = now
                BeatAt = now + state.Interval
                Failures = 0 }
        let state, arrival =
            state
            |> Member.take now (added |> List.map (fun partition -> partition, Guid.Empty))
            |> Member.arrived partitions.IsEmpty

        if revoked.IsEmpty then
            state, arrival
        else
            Member.release revoked (rejoin "partitions were revoked" state)

    /// The answer to SyncGroup.
    let onSynced (now: TimeSpan) (result: Result<SyncGroup.Response, ClientFault>) (state: MemberState) =
        match result with
        | Ok response when not response.Error.IsError ->
            match ConsumerProtocol.decodeAssignmentWithin state.Limits response.Assignment with
            | Ok assignment -> assigned now (spread assignment.AssignedPartitions |> List.distinct) state
            | Error fault -> Member.fail (GroupFailure.BadAssignment fault) state
        | Ok response when response.Error = ErrorCode.RebalanceInProgress ->
            { state with Stage = MemberStage.Outside; RetryAt = now; Heard = now }, []
        | Ok response -> refusal now ApiKey.SyncGroup response.Error (joinLater now) state
        | Error fault -> unanswered now ApiKey.SyncGroup fault (joinLater now) state

    let private beatLater (now: TimeSpan) (state: MemberState) : MemberState =
        { state with BeatAt = now + min state.Interval (Member.backoff state.Failures); Failures = state.Failures + 1 }

    /// The answer to Heartbeat.
    let onBeaten (now: TimeSpan) (result: Result<Heartbeat.Response, ClientFault>) (state: MemberState) =
        let alive = { state with Heard = now; Failures = 0; BeatAt = now + state.Interval }

        match result with
        | Ok response when not response.Error.IsError -> alive, []
        | Ok response when response.Error = ErrorCode.RebalanceInProgress -> rejoin "the group rebalances" alive, []
        | Ok response -> refusal now ApiKey.Heartbeat response.Error (beatLater now) state
        | Error fault -> unanswered now ApiKey.Heartbeat fault (beatLater now) state

    // The topics of the group's metadata have changed since the member joined or, as the leader, assigned partitions.
    let private compare (now: TimeSpan) (topics: TopicSeen list) (state: MemberState) : MemberState =
        let wanted =
            match state.Subscription with
            | Subscription.Topics names -> List.distinct names
            | Subscription.Pattern _ ->
                topics
                |> List.filter (fun topic -> not topic.IsInternal && topic.Partitions > 0 && state.Matches topic.Name)
                |> List.map _.Name
                |> List.sort

        let state =
            match state.Topics with
            | Some before when before <> wanted && state.Stage.IsMember -> rejoin "the subscription has changed" state
            | _ -> state

        let state = looked now [] { state with Topics = Some wanted; Failures = 0 }

        match state.Led with
        | Some led ->
            let seen = counts (Map.keys led |> List.ofSeq) topics
            let state = looked now (Map.values seen) state
            if seen = led then state else rejoin "the partitions of a topic have changed" state
        | None -> state

    /// The answer to a metadata request. Without one, the topics are as before.
    let onTopicsSeen (now: TimeSpan) (result: Result<TopicSeen list, ClientFault>) (state: MemberState) =
        match result, state.Stage, state.Led with
        | Ok topics, MemberStage.Counting response, Some led -> assign now response (counts (Map.keys led |> List.ofSeq) topics) state
        | Ok topics, _, _ -> compare now topics state, []
        | Error fault, MemberStage.Counting _, _ -> unanswered now ApiKey.Metadata fault (joinLater now) state
        | Error fault, _, _ when Member.isPassingFault fault ->
            let state = Member.later now state
            { state with TopicsAt = state.RetryAt } |> Member.withReport now ApiKey.Metadata (CallFailure.Fault fault)
        | Error fault, _, _ -> Member.fail (GroupFailure.Unreachable fault) state

    /// The user has given up partitions. An eager member joins now; a cooperative one joins again, to have them assigned to others.
    let onReleased (now: TimeSpan) (state: MemberState) : MemberState = { Member.released state with RetryAt = min now state.RetryAt }

    /// What a commit says about the member that made it.
    let onCommitAnswered (now: TimeSpan) (codes: ErrorCode list) (state: MemberState) : MemberState * MemberAction list =
        let isAmong code = List.contains code codes

        if isAmong ErrorCode.FencedInstanceId then
            refused ApiKey.OffsetCommit ErrorCode.FencedInstanceId state
        else
            match List.tryFind isRemoval codes with
            | Some code when state.Stage.IsMember ->
                Member.removed now (LossReason.Removed code) (code = ErrorCode.IllegalGeneration) -1 state
            | None when state.Stage.IsMember && isAmong ErrorCode.RebalanceInProgress -> rejoin "the group rebalances" state, []
            | _ -> state, []

    // ---- what to do next ----

    let private asked (state: MemberState) : TopicsAsked option =
        match state.Subscription, state.Led with
        | Subscription.Pattern _, _ -> Some TopicsAsked.All
        | Subscription.Topics _, Some led -> Some(TopicsAsked.Names(Map.keys led |> List.ofSeq))
        | Subscription.Topics _, None -> None

    let private askTopics (state: MemberState) =
        match asked state with
        | Some topics -> { state with IsCalling = true }, [ MemberAction.AskTopics topics ]
        | None -> state, []

    let private isLooking (state: MemberState) = state.Subscription.IsPattern || state.Led.IsSome

    let private beat (state: MemberState) = { state with IsCalling = true }, [ MemberAction.Beat state.Me ]

    // Before an eager member joins again, it gives up everything.
    let private joinAgain (reason: string) (state: MemberState) : MemberState * MemberAction list =
        if isCooperative state || state.Owned.IsEmpty then
            match state.Topics with
            | Some topics -> join reason topics state
            | None -> askTopics state
        else
            Member.release (Member.partitions state.Owned) { state with Rejoin = Some reason; Stage = MemberStage.Member }

    /// The next call to the coordinator, if there is one to make.
    let decide (now: TimeSpan) (state: MemberState) : MemberState * MemberAction list =
        match state.Stage, state.Rejoin with
        | _ when state.IsCalling -> state, []
        | MemberStage.Outside, reason when state.Releasing.IsEmpty && now >= state.RetryAt ->
            joinAgain (Option.defaultValue "the member is new" reason) state
        | MemberStage.Member, Some reason when state.Releasing.IsEmpty && now >= state.RetryAt -> joinAgain reason state
        | MemberStage.Member, _ when now >= state.BeatAt -> beat state
        | MemberStage.Member, None when state.Releasing.IsEmpty && isLooking state && now >= state.TopicsAt -> askTopics state
        | _ -> state, []

    /// When there is something to do without an answer.
    let due (state: MemberState) : TimeSpan =
        match state.Stage, state.Rejoin with
        | _ when state.IsCalling -> Member.never
        | MemberStage.Outside, _ when state.Releasing.IsEmpty -> state.RetryAt
        | MemberStage.Member, Some _ when state.Releasing.IsEmpty -> min state.RetryAt state.BeatAt
        | MemberStage.Member, None when state.Releasing.IsEmpty && isLooking state -> min state.TopicsAt state.BeatAt
        | MemberStage.Member, _ -> state.BeatAt
        | _ -> Member.never
