namespace LibKafka.Topics

open System
open LibKafka
open LibKafka.Wire
open LibKafka.Client
open LibKafka.Groups
open LibKafka.Protocol

/// A partition that a member has got.
[<NoComparison>]
type AssignedPartition =
    {
        Partition: TopicPartition
        /// The group's committed offset; none if there is none.
        Committed: CommittedOffset option
        /// Where the member starts to read: at the committed offset, or else where `GroupSettings.Reset` says.
        Start: Start
    }

    /// A one-line description.
    override this.ToString() =
        this.Partition.ToString() + (if this.Committed.IsSome then " from the committed " else " from ") + this.Start.ToString()

/// What a member of a group cannot do, and why.
[<RequireQualifiedAccess>]
type GroupFailure =
    /// The coordinator refuses the member, for a reason that does not go away by itself. The code says what to change.
    | Refused of api: ApiKey * ErrorCode * message: string
    /// The group cannot be reached, for a reason that does not go away by itself.
    | Unreachable of ClientFault
    /// The member leads the group and cannot assign the partitions.
    | CannotAssign of AssignFault
    /// The member leads the group and cannot read the subscription of another member, which gets no partitions. `ClientSettings.Limits` bounds
    /// the memory that all subscriptions of the group take.
    | MemberLeftOut of memberId: string * Fault
    /// The leader's assignment cannot be read.
    | BadAssignment of Fault
    /// The group has no committed offset for the partition, and `GroupSettings.Reset` is none. The member has the partition and waits for
    /// `Seek`.
    | NoOffset of TopicPartition
    /// The committed offset of the partition cannot be read. The member has the partition and tries again after a while.
    | OffsetRefused of TopicPartition * ErrorCode

    /// Whether the member has left the group because of it, for good.
    member this.IsFatal =
        match this with
        | MemberLeftOut _
        | NoOffset _
        | OffsetRefused _ -> false
        | _ -> true

    /// A one-line description.
    override this.ToString() =
        match this with
        | Refused(api, code, message) -> api.ToString() + " was refused: " + code.Explain message
        | Unreachable fault -> "the group cannot be reached: " + fault.ToString()
        | CannotAssign fault -> fault.ToString()
        | MemberLeftOut(memberId, fault) ->
            "member '"
            + memberId
            + "' of the group gets no partitions, because its subscription cannot be read: "
            + fault.ToString()
        | BadAssignment fault -> "the leader's assignment cannot be read: " + fault.ToString()
        | NoOffset partition -> "no offset is committed for " + partition.ToString() + ": seek one, or set GroupSettings.Reset"
        | OffsetRefused(partition, code) -> "the committed offset of " + partition.ToString() + " cannot be read: " + code.Explain null

/// A call of a member to its coordinator that has failed for a reason that may go away by itself: the coordinator restarts or moves, or the
/// network is interrupted. The member calls again after a pause, without end: the pauses grow from 0.1 to 1 second.
[<NoComparison>]
type GroupCallFailure =
    {
        /// What the member has called, or what it needs to find out before: its coordinator (`NoCoordinator` faults), topics, offsets.
        Api: ApiKey
        Failure: CallFailure
        /// The number of failures in a row, including this one.
        Attempt: int
        /// The time since the coordinator last confirmed that the member is in the group; since the member was made, if it never has.
        Silence: TimeSpan
    }

    /// A one-line description.
    override this.ToString() =
        this.Api.ToString()
        + " has failed "
        + (if this.Attempt = 1 then "once" else string this.Attempt + " times in a row")
        + ", "
        + this.Silence.TotalSeconds.ToString("0.0", Globalization.CultureInfo.InvariantCulture)
        + " s after the last success: "
        + this.Failure.ToString()

/// Why a member has lost its partitions.
[<RequireQualifiedAccess>]
type LossReason =
    /// The coordinator says that the member is not in the group, or that the group has a later generation.
    | Removed of ErrorCode
    /// The coordinator has not responded for the session time-out, after which it considers the member dead.
    | SessionExpired
    /// The member cannot stay in the group.
    | Failed of GroupFailure

    /// A one-line description.
    override this.ToString() =
        match this with
        | Removed code when code = ErrorCode.UnknownMemberId ->
            "removed from the group: "
            + code.ToString()
            + ": the coordinator got no heartbeat for SessionTimeout. If an event is handled for that long, set HeartbeatThread, or handle less at a \
               time"
        | Removed code -> "removed from the group: " + code.Explain null
        | SessionExpired -> "the coordinator has not responded for the session time-out"
        | Failed failure -> failure.ToString()

/// What a member reports to its user.
[<RequireQualifiedAccess; NoComparison>]
type internal MemberEvent =
    | Assigned of AssignedPartition list
    | Revoking of TopicPartition list
    | Lost of TopicPartition list * LossReason
    | CallFailed of GroupCallFailure
    | Failed of GroupFailure

/// What a metadata request asks for.
[<RequireQualifiedAccess>]
type internal TopicsAsked =
    | All
    | Names of string list
    | Ids of Guid list

/// A topic according to metadata. `Partitions` is 0 if it has an error.
type internal TopicSeen = { Name: string; Id: Guid; Partitions: int; IsInternal: bool }

/// What happens to a member. An answer is a response or the fault because of which there is none.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal MemberInput =
    /// Nothing but time.
    | TimePassed
    /// The user has handled `Revoking`.
    | Released
    /// The user changes the subscription.
    | Subscribed of Subscription
    /// The member is to leave, unless it is a static one that stays.
    | Closing
    | Joined of Result<JoinGroup.Response, ClientFault>
    | Synced of Result<SyncGroup.Response, ClientFault>
    | Beaten of Result<Heartbeat.Response, ClientFault>
    | Answered of Result<ConsumerGroupHeartbeat.Response, ClientFault>
    | Left
    | TopicsSeen of Result<TopicSeen list, ClientFault>
    | OffsetsFetched of Result<FetchedOffset list, ClientFault>
    /// The codes with which a commit was answered that was made as this member.
    | CommitAnswered of GroupMembership * ErrorCode list

/// What a member does. At most one of the calls to its coordinator is outstanding, and at most one `FetchOffsets` in addition.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal MemberAction =
    | Join of memberId: string * JoinGroup.Protocol list * reason: string
    | Sync of GroupMembership * protocol: string option * SyncGroup.MemberAssignment list
    | Beat of GroupMembership
    /// A heartbeat of the new protocol, with the partitions that the member has.
    | Report of owned: HeartbeatTopicPartitions list
    /// Leaves for good or, as a static member of the new protocol, temporarily.
    | Leave of GroupMembership * isTemporary: bool
    | AskTopics of TopicsAsked
    | FetchOffsets of GroupMembership * TopicPartition list
    | CommitHandled
    /// Begins to read partitions.
    | Add of AssignedPartition list
    /// Stops reading partitions. Their positions can be committed until they are given up.
    | Drop of TopicPartition list
    /// Stops reading partitions that others may read already. Their positions are worthless, even if the member gets them again.
    | Lose of TopicPartition list * LossReason
    | Tell of MemberEvent

/// How far a member is with its group.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type internal MemberStage =
    /// Not in the group. It joins as soon as it may.
    | Outside
    | Joining
    /// It leads the group, and has asked for the number of partitions of the group's topics.
    | Counting of JoinGroup.Response
    | Syncing of JoinGroup.Response
    | Member
    | Leaving
    /// It has left, or failed.
    | Ended

/// The partitions whose committed offsets are not known yet.
type internal Unstarted =
    {
        Waiting: Set<TopicPartition>
        /// Those in the outstanding request.
        Asked: Set<TopicPartition>
        IsAsking: bool
        /// When to ask, and how often in a row it has failed.
        At: TimeSpan
        Failures: int
    }

/// A member of a group. Times are those of a clock that never goes back.
[<NoEquality; NoComparison>]
type internal MemberState =
    {
        Settings: GroupSettings
        /// The limits of the client, for what other members say.
        Limits: Limits
        Matches: string -> bool
        Stage: MemberStage
        Me: GroupMembership
        Subscription: Subscription
        /// The topics that a classic member wants. None until a pattern has been compared with all topics.
        Topics: string list option
        /// Whether the member has had no assignment yet since it joined the group, or since it was removed from it.
        IsNew: bool
        /// The partitions that the member has, with the ids of their topics in the new protocol.
        Owned: Map<TopicPartition, Guid>
        /// Those of them that the user must give up: `Revoking` was reported.
        Releasing: Set<TopicPartition>
        /// The partitions after the last rebalance of a classic group.
        Previous: TopicPartition list
        /// If the member leads a classic group: the topics of all members, and the partitions that each had when they were assigned.
        Led: Map<string, int> option
        /// The assignment of the new protocol, by topic id, and the names of topics.
        Target: Set<Guid * int>
        /// Whether the last heartbeat of the new protocol failed. The coordinator may have given partitions of `Target` that the member does not
        /// have to others.
        IsTargetOld: bool
        Names: Map<Guid, string>
        /// The ids in the assignment whose names are not known yet.
        Unnamed: Guid list
        Unstarted: Unstarted
        /// Whether a call to the coordinator is outstanding.
        IsCalling: bool
        IsCommitting: bool
        /// Why a classic member must join again.
        Rejoin: string option
        /// When the coordinator last confirmed that the member is in the group.
        Heard: TimeSpan
        Interval: TimeSpan
        BeatAt: TimeSpan
        /// When to make the next attempt after failures in a row.
        RetryAt: TimeSpan
        Failures: int
        TopicsAt: TimeSpan
        CommitAt: TimeSpan
        Failure: GroupFailure option
    }

/// What both protocols have in common.
[<RequireQualifiedAccess>]
module internal Member =

    let never = TimeSpan.MaxValue

    /// The wait after this number of failures in a row, as in the Java client: from 0.1 to 1 second.
    let backoff (failures: int) = TimeSpan.FromMilliseconds(min 1000.0 (100.0 * float (1 <<< min failures 4)))

    let noUnstarted = { Waiting = Set.empty; Asked = Set.empty; IsAsking = false; At = TimeSpan.Zero; Failures = 0 }

    let outside (settings: GroupSettings) : GroupMembership =
        { MemberId = ""; GenerationOrEpoch = -1; GroupInstanceId = settings.InstanceId }

    let partitions (owned: Map<TopicPartition, Guid>) : TopicPartition list = owned |> Map.keys |> List.ofSeq

    /// Partitions that are not the member's any more have nothing left to start.
    let withoutUnstarted (dropped: TopicPartition seq) (state: MemberState) : MemberState =
        let gone = Set.ofSeq dropped
        let unstarted = state.Unstarted
        { state with Unstarted = { unstarted with Waiting = unstarted.Waiting - gone; Asked = unstarted.Asked - gone } }

    /// Takes up new partitions. They are read from when their offsets are known.
    let take (now: TimeSpan) (added: (TopicPartition * Guid) list) (state: MemberState) : MemberState =
        let unstarted = state.Unstarted

        { state with
            Owned = added |> List.fold (fun owned (partition, id) -> Map.add partition id owned) state.Owned
            Unstarted =
                { unstarted with
                    Waiting = added |> List.map fst |> Set.ofList |> Set.union unstarted.Waiting
                    At = if unstarted.Waiting.IsEmpty then now else unstarted.At } }

    /// The member has an assignment. The first one is reported here if it is empty, and otherwise when the offsets of its partitions are known.
    let arrived (isEmpty: bool) (state: MemberState) : MemberState * MemberAction list =
        { state with IsNew = false }, [ if state.IsNew && isEmpty then MemberAction.Tell(MemberEvent.Assigned []) ]

    /// Stops reading partitions and reports `Revoking`. The member owns them until the user has handled that.
    let release (partitions: TopicPartition list) (state: MemberState) : MemberState * MemberAction list =
        { withoutUnstarted partitions state with Releasing = Set.ofList partitions },
        [ MemberAction.Drop partitions; MemberAction.Tell(MemberEvent.Revoking partitions) ]

    /// The user has handled `Revoking`.
    let released (state: MemberState) : MemberState =
        { state with
            Owned = state.Owned |> Map.filter (fun partition _ -> not (state.Releasing.Contains partition))
            Releasing = Set.empty }

    /// All partitions are lost. Those of which `Revoking` was already reported are not reported again.
    let lose (reason: LossReason) (state: MemberState) : MemberState * MemberAction list =
        let owned = partitions state.Owned
        let untold = owned |> List.filter (fun partition -> not (state.Releasing.Contains partition))

        { withoutUnstarted owned state with
            IsNew = true
            Owned = Map.empty
            Releasing = Set.empty
            Previous = []
            Target = Set.empty
            Unnamed = []
            Led = None
            Rejoin = None },
        [ if not owned.IsEmpty then MemberAction.Lose(owned, reason)
          if not untold.IsEmpty then MemberAction.Tell(MemberEvent.Lost(untold, reason)) ]

    /// The member cannot stay in the group.
    let fail (failure: GroupFailure) (state: MemberState) : MemberState * MemberAction list =
        let state, actions = lose (LossReason.Failed failure) state
        { state with Stage = MemberStage.Ended; Failure = Some failure }, actions @ [ MemberAction.Tell(MemberEvent.Failed failure) ]

    /// The coordinator has taken the member out of the group. It joins again at once, under the same id unless that is not known.
    let removed (now: TimeSpan) (reason: LossReason) (keepsId: bool) (generation: int) (state: MemberState) =
        let state, actions = lose reason state
        let me = { state.Me with GenerationOrEpoch = generation; MemberId = (if keepsId then state.Me.MemberId else "") }
        { state with Stage = MemberStage.Outside; Me = me; RetryAt = now }, actions

    /// Tries again after a while.
    let later (now: TimeSpan) (state: MemberState) : MemberState =
        { state with RetryAt = now + backoff state.Failures; Failures = state.Failures + 1 }

    /// Reports a call that has failed for a reason that may go away by itself.
    let callFailed (now: TimeSpan) (api: ApiKey) (failure: CallFailure) (attempt: int) (state: MemberState) : MemberAction =
        let failed = { Api = api; Failure = failure; Attempt = attempt; Silence = now - state.Heard }
        MemberAction.Tell(MemberEvent.CallFailed failed)

    /// Reports the last failure of the calls to the coordinator.
    let withReport (now: TimeSpan) (api: ApiKey) (failure: CallFailure) (state: MemberState) : MemberState * MemberAction list =
        state, [ callFailed now api failure state.Failures state ]

    /// Whether the coordinator has not responded for so long that it considers the member dead.
    let isExpired (now: TimeSpan) (state: MemberState) : bool = now - state.Heard >= state.Settings.SessionTimeout

    /// An error code that goes away by itself, also with another coordinator.
    let isPassing (code: ErrorCode) : bool =
        code.IsRetriable
        || code = ErrorCode.CoordinatorLoadInProgress
        || code = ErrorCode.CoordinatorNotAvailable
        || code = ErrorCode.NotCoordinator

    /// A fault that may not occur again. A response that cannot be read may come from a broker that is about to be replaced.
    let isPassingFault (fault: ClientFault) : bool =
        match fault with
        | ClientFault.Malformed _
        | ClientFault.WrongCorrelationId _
        | ClientFault.BadFrameLength _ -> true
        | _ -> fault.IsTransient

    // ---- committed offsets ----

    let private isAboutMember (code: ErrorCode) = code = ErrorCode.StaleMemberEpoch || code = ErrorCode.UnknownMemberId

    // The codes that say nothing against the partition: the request is repeated.
    let private isUnsettled (code: ErrorCode) = isPassing code || isAboutMember code || code = ErrorCode.UnstableOffsetCommit

    let private startOf (settings: GroupSettings) (fetched: FetchedOffset) : Result<AssignedPartition, GroupFailure option> =
        let started committed start = Ok { Partition = fetched.Partition; Committed = committed; Start = start }

        match fetched.Result, settings.Reset with
        | Ok(Some offset), _ -> started (Some offset) (Start.At { Offset = offset.Offset; LastEpoch = offset.LeaderEpoch })
        | Ok None, Some spec -> started None (Start.Find spec)
        | Ok None, None -> Error(Some(GroupFailure.NoOffset fetched.Partition))
        | Error code, _ when isUnsettled code -> Error None
        | Error code, _ -> Error(Some(GroupFailure.OffsetRefused(fetched.Partition, code)))

    let private offsetsLater (now: TimeSpan) (unstarted: Unstarted) : Unstarted =
        { unstarted with At = now + backoff unstarted.Failures; Failures = unstarted.Failures + 1 }

    let private offsetsFailed (now: TimeSpan) (failure: CallFailure) (state: MemberState) : MemberAction =
        callFailed now ApiKey.OffsetFetch failure state.Unstarted.Failures state

    let private startWith (now: TimeSpan) (answers: FetchedOffset list) (state: MemberState) : MemberState * MemberAction list =
        let asked = state.Unstarted.Asked
        let unstarted = { state.Unstarted with Asked = Set.empty; IsAsking = false }
        let results = answers |> List.filter (fun answer -> asked.Contains answer.Partition) |> List.map (startOf state.Settings)
        let started = results |> List.choose Result.toOption
        let failures =
            results
            |> List.choose (fun result ->
                match result with
                | Error failure -> failure
                | Ok _ -> None)

        let settled =
            (started |> List.map _.Partition)
            @ (failures
               |> List.choose (fun failure ->
                   match failure with
                   | GroupFailure.NoOffset partition -> Some partition
                   | _ -> None))

        let waiting = unstarted.Waiting - Set.ofList settled
        let isDone = settled.Length = results.Length
        let unstarted = { unstarted with Waiting = waiting }

        let codes =
            answers
            |> List.choose (fun answer ->
                match answer.Result with
                | Error code when asked.Contains answer.Partition -> Some code
                | _ -> None)

        let state =
            { state with
                // Perhaps the coordinator has another epoch of the member: the next heartbeat settles that.
                BeatAt = if List.exists isAboutMember codes then now else state.BeatAt
                Unstarted = (if isDone then { unstarted with At = now; Failures = 0 } else offsetsLater now unstarted) }

        state,
        [ if not started.IsEmpty then
              yield MemberAction.Add started
              yield MemberAction.Tell(MemberEvent.Assigned started)
          for failure in failures do
              yield MemberAction.Tell(MemberEvent.Failed failure)
          for code in codes |> List.filter isUnsettled |> List.distinct do
              yield offsetsFailed now (CallFailure.Code code) state ]

    /// The committed offsets have been answered.
    let offsetsFetched (now: TimeSpan) (result: Result<FetchedOffset list, ClientFault>) (state: MemberState) =
        match result with
        | Ok answers -> startWith now answers state
        | Error fault when isPassingFault fault ->
            let state = { state with Unstarted = offsetsLater now { state.Unstarted with Asked = Set.empty; IsAsking = false } }
            state, [ offsetsFailed now (CallFailure.Fault fault) state ]
        | Error fault -> fail (GroupFailure.Unreachable fault) { state with Unstarted = { state.Unstarted with IsAsking = false } }

    /// Asks for the committed offsets of new partitions, while the member is in the group.
    let askOffsets (now: TimeSpan) (state: MemberState) : MemberState * MemberAction list =
        let unstarted = state.Unstarted

        if state.Stage.IsMember && not unstarted.IsAsking && not unstarted.Waiting.IsEmpty && now >= unstarted.At then
            { state with Unstarted = { unstarted with Asked = unstarted.Waiting; IsAsking = true } },
            [ MemberAction.FetchOffsets(state.Me, List.ofSeq unstarted.Waiting) ]
        else
            state, []

    /// Commits what has been handled, if the interval is over.
    let commitInTime (now: TimeSpan) (state: MemberState) : MemberState * MemberAction list =
        match state.Settings.CommitInterval with
        | Some interval when state.Stage.IsMember && not state.IsCommitting && now >= state.CommitAt ->
            { state with IsCommitting = true; CommitAt = now + interval }, [ MemberAction.CommitHandled ]
        | _ -> state, []
