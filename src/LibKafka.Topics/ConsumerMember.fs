namespace LibKafka.Topics

open System
open LibKafka
open LibKafka.Client
open LibKafka.Protocol

/// A member of a group of the new protocol (KIP-848): its heartbeats report the partitions that it has, and the responses say which it
/// should have.
[<RequireQualifiedAccess>]
module internal ConsumerMember =

    let private owned (state: MemberState) : HeartbeatTopicPartitions list =
        state.Owned
        |> Map.toList
        |> List.groupBy snd
        |> List.map (fun (id, ofTopic) -> { TopicId = id; Partitions = ofTopic |> List.map (fun (partition, _) -> partition.Partition) })

    let private report (state: MemberState) : MemberState * MemberAction list =
        let stage = if state.Stage.IsOutside then MemberStage.Joining else state.Stage
        { state with Stage = stage; IsCalling = true }, [ MemberAction.Report(owned state) ]

    let private refused (response: ConsumerGroupHeartbeat.Response) state =
        let failure = GroupFailure.Refused(ApiKey.ConsumerGroupHeartbeat, response.Error, defaultArg response.ErrorMessage "")
        Member.fail failure state

    // The member joins again at once, with epoch 0.
    let private removed (now: TimeSpan) (reason: LossReason) (state: MemberState) = Member.removed now reason true 0 state

    let private isRemoval (code: ErrorCode) = code = ErrorCode.UnknownMemberId || code = ErrorCode.FencedMemberEpoch

    // A member outside the group stays there, and one inside keeps its partitions.
    let private again (now: TimeSpan) (state: MemberState) : MemberState =
        let state = Member.later now { state with IsTargetOld = true }
        { state with Stage = (if state.Stage.IsJoining then MemberStage.Outside else state.Stage); BeatAt = state.RetryAt }

    let private withReport (now: TimeSpan) (failure: CallFailure) = Member.withReport now ApiKey.ConsumerGroupHeartbeat failure

    let private unanswered (now: TimeSpan) (fault: ClientFault) (state: MemberState) =
        let report = withReport now (CallFailure.Fault fault)

        if not (Member.isPassingFault fault) then
            Member.fail (GroupFailure.Unreachable fault) state
        elif not state.Owned.IsEmpty && Member.isExpired now state then
            let state, actions = removed now LossReason.SessionExpired state
            let state, more = again now state |> report
            state, actions @ more
        else
            again now state |> report

    let private withUnnamed (state: MemberState) : MemberState =
        let isUnnamed id = not (state.Names.ContainsKey id)
        { state with Unnamed = state.Target |> Seq.map fst |> Seq.distinct |> Seq.filter isUnnamed |> List.ofSeq }

    let private assigned (assignment: HeartbeatAssignment) (state: MemberState) : MemberState =
        let target =
            Set.ofList
                [ for ofTopic in assignment.TopicPartitions do
                      for partition in ofTopic.Partitions -> ofTopic.TopicId, partition ]

        withUnnamed { state with Target = target }

    let private alive (now: TimeSpan) (response: ConsumerGroupHeartbeat.Response) (state: MemberState) : MemberState * MemberAction list =
        let interval = TimeSpan.FromMilliseconds(float (max 1 response.HeartbeatIntervalMs))
        let state = state |> Option.foldBack assigned response.Assignment

        Member.arrived
            state.Target.IsEmpty
            { state with
                Stage = MemberStage.Member
                Me = { state.Me with MemberId = defaultArg response.MemberId state.Me.MemberId; GenerationOrEpoch = response.MemberEpoch }
                IsTargetOld = false
                Heard = now
                Interval = interval
                BeatAt = now + interval
                Failures = 0 }

    /// The answer to a heartbeat.
    let onAnswered (now: TimeSpan) (result: Result<ConsumerGroupHeartbeat.Response, ClientFault>) (state: MemberState) =
        match result with
        | Ok response when not response.Error.IsError -> alive now response state
        | Ok response when isRemoval response.Error && state.Stage.IsJoining ->
            again now state |> withReport now (CallFailure.Code response.Error)
        | Ok response when isRemoval response.Error -> removed now (LossReason.Removed response.Error) state
        // The member may not read a topic of its subscription. The coordinator has changed nothing.
        | Ok response when response.Error = ErrorCode.TopicAuthorizationFailed ->
            let failure = GroupFailure.Refused(ApiKey.ConsumerGroupHeartbeat, response.Error, defaultArg response.ErrorMessage "")
            again now { state with Heard = now }, [ MemberAction.Tell(MemberEvent.Failed failure) ]
        | Ok response when Member.isPassing response.Error -> again now state |> withReport now (CallFailure.Code response.Error)
        | Ok response -> refused response state
        | Error fault -> unanswered now fault state

    /// The answer to a metadata request about topic ids.
    let onTopicsSeen (now: TimeSpan) (result: Result<TopicSeen list, ClientFault>) (state: MemberState) =
        match result with
        | Ok topics ->
            let names =
                (state.Names, topics)
                ||> List.fold (fun names topic -> if topic.Name = "" then names else Map.add topic.Id topic.Name names)

            // A topic that the broker does not know yet is asked for again after a while.
            withUnnamed { state with Names = names; TopicsAt = now + TimeSpan.FromSeconds 1.0 }, []
        | Error fault when Member.isPassingFault fault ->
            { state with TopicsAt = now + TimeSpan.FromSeconds 1.0; Failures = state.Failures + 1 }
            |> Member.withReport now ApiKey.Metadata (CallFailure.Fault fault)
        | Error fault -> Member.fail (GroupFailure.Unreachable fault) state

    /// The user has given up partitions, which the coordinator learns at once.
    let onReleased (now: TimeSpan) (state: MemberState) : MemberState = { Member.released state with BeatAt = min now state.BeatAt }

    /// What a commit says about the member that made it: if it does not go by the coordinator's epoch, a heartbeat settles that.
    let onCommitAnswered (now: TimeSpan) (codes: ErrorCode list) (state: MemberState) : MemberState * MemberAction list =
        let isAmong code = List.contains code codes

        if isAmong ErrorCode.FencedInstanceId then
            Member.fail (GroupFailure.Refused(ApiKey.OffsetCommit, ErrorCode.FencedInstanceId, "")) state
        elif isAmong ErrorCode.UnknownMemberId || isAmong ErrorCode.StaleMemberEpoch then
            { state with BeatAt = min now state.BeatAt }, []
        else
            state, []

    // Partitions that are no longer assigned are given up first, and then new ones are added, unless a heartbeat is on its way or has failed:
    // the coordinator may give those that it did not report to another member. The next heartbeat reports the added ones and is sent at once.
    let private reconcile (now: TimeSpan) (state: MemberState) : MemberState * MemberAction list =
        let revoked =
            state.Owned
            |> Map.toList
            |> List.filter (fun (partition, id) -> not (state.Target.Contains(id, partition.Partition)))
            |> List.map fst

        let added =
            state.Target
            |> Seq.choose (fun (id, number) ->
                state.Names |> Map.tryFind id |> Option.map (fun name -> { Topic = name; Partition = number }, id))
            |> Seq.filter (fun (partition, _) -> not (state.Owned.ContainsKey partition))
            |> List.ofSeq

        if not revoked.IsEmpty then
            Member.release revoked state
        elif not (added.IsEmpty || state.IsCalling || state.IsTargetOld) then
            { Member.take now added state with BeatAt = now }, []
        else
            state, []

    /// The next call to the coordinator, if there is one to make, and what else there is to do.
    let decide (now: TimeSpan) (state: MemberState) : MemberState * MemberAction list =
        let state, actions = if state.Stage.IsMember && state.Releasing.IsEmpty then reconcile now state else state, []

        let state, calls =
            match state.Stage with
            | _ when state.IsCalling -> state, []
            | MemberStage.Outside when now >= state.RetryAt -> report state
            | MemberStage.Member when now >= state.BeatAt -> report state
            | MemberStage.Member when now >= state.TopicsAt && not state.Unnamed.IsEmpty ->
                { state with IsCalling = true }, [ MemberAction.AskTopics(TopicsAsked.Ids state.Unnamed) ]
            | _ -> state, []

        state, actions @ calls

    /// When there is something to do without an answer.
    let due (state: MemberState) : TimeSpan =
        match state.Stage with
        | _ when state.IsCalling -> Member.never
        | MemberStage.Outside -> state.RetryAt
        | MemberStage.Member when state.Unnamed.IsEmpty -> state.BeatAt
        | MemberStage.Member -> min state.TopicsAt state.BeatAt
        | _ -> Member.never
