namespace LibKafka.Topics

open System
open System.Collections.Generic
open System.Threading
open LibKafka
open LibKafka.Client
open LibKafka.Protocol

/// The use of a member by the caller, which ends by giving it back to the heartbeat thread.
[<Struct; NoEquality; NoComparison>]
type private Taken(held: GuardedUse, thread: HeartbeatThread option) =
    interface IDisposable with
        member _.Dispose() =
            thread |> Option.iter _.Give()
            (held :> IDisposable).Dispose()

/// A member of a consumer group, of the classic protocol or of the new one (KIP-848). It reads its partitions, all at once, with a
/// `TopicConsumer`. Everything happens in the caller's thread, inside `Poll`: fetches, heartbeats, rebalances, commits. So `Poll` must be
/// called more often than the session time-out, unless `GroupSettings.HeartbeatThread` is on.
///
/// `Poll` returns one event at a time, and with the next `Poll` the event counts as handled. What has been handled is committed at
/// `GroupSettings.CommitInterval`, or by `Commit`. A member that dies loses at most the commit of what it has handled: those records are
/// read again.
///
/// Two threads must not use a consumer at the same time.
[<Sealed>]
type GroupConsumer(settings: ClientSettings, bootstrap: Bootstrap, group: GroupSettings, consumer: ConsumerSettings) =
    let group = GroupSettings.check group |> Checked.orThrow (nameof group)
    let reader = new TopicConsumer(settings, bootstrap, consumer)
    let link = MemberLink(settings, bootstrap, group)
    let offsets = GroupOffsets(settings, bootstrap, group)
    let positions = HandledPositions reader
    let thread =
        if group.HeartbeatThread then
            Some(HeartbeatThread(settings, link, group.RebalanceTimeout))
        else
            None
    let time = settings.Time
    // Results of commits, which the next polls return.
    let told = Queue<GroupEvent>()
    let others = List<PendingCall>()
    // The event that the last poll has returned, until it has been handled.
    let mutable last: GroupEvent voption = ValueNone
    let mutable closed: GroupClosed option = None

    let guard = ThreadGuard "consumer"

    // Begins a use by the caller's thread, which takes the member from the heartbeat thread.
    let take () : Taken =
        let held = guard.Hold()

        try
            if closed.IsSome then raise (ObjectDisposedException(nameof GroupConsumer))
            thread |> Option.iter _.Take()
            new Taken(held, thread)
        with _ ->
            (held :> IDisposable).Dispose()
            reraise ()

    let owned () : TopicPartition seq = link.State.Owned.Keys
    let isOwned (partition: TopicPartition) = link.State.Owned.ContainsKey partition
    let isReleasing (partition: TopicPartition) = link.State.Releasing.Contains partition

    // The partitions that the member has lost, which the user does not know yet: only the heartbeat thread or a commit has noticed. The reader
    // still has their positions. They must not be committed, even if the member has got the partitions again: others may have read them
    // meanwhile.
    let lost () : Set<TopicPartition> = link.Losses |> Seq.collect fst |> Set.ofSeq

    // The partitions whose positions can be committed.
    let held () : TopicPartition list =
        let lost = lost ()
        owned () |> Seq.filter (fun partition -> not (lost.Contains partition)) |> List.ofSeq

    // The partitions for whose positions a commit by the user has a result: those that it has not given up, or does not know to be lost.
    let known () : TopicPartition seq =
        let leaving =
            match last with
            | ValueSome(GroupEvent.Revoking partitions) -> partitions
            | _ -> []

        seq {
            yield! owned ()
            yield! lost ()
            yield! leaving
        }
        |> Seq.distinct

    // The position after the event in hand.
    let inHand () =
        match last with
        | ValueSome(GroupEvent.Read(ConsumerEvent.Fetched(partition, _, _, next))) -> Some(partition, next)
        | _ -> None

    let feed (input: MemberInput) (cancellation: CancellationToken) = link.Feed(input, CallOptions.cancelledBy cancellation)

    let codes (commit: GroupCommit) : ErrorCode list =
        commit.Partitions
        |> List.choose (fun one ->
            match one.Outcome with
            | CommitOutcome.Refused code -> Some code
            | _ -> None)

    // ---- commits ----

    let commitAnswered (cancellation: CancellationToken) (me: GroupMembership) (commit: GroupCommit) =
        positions.Stored commit
        if not commit.Partitions.IsEmpty then told.Enqueue(GroupEvent.Committed commit)
        feed (MemberInput.CommitAnswered(me, codes commit)) cancellation

    let beginCommit (cancellation: CancellationToken) =
        if positions.Unstored(held (), None).IsEmpty then
            feed (MemberInput.CommitAnswered(link.State.Me, [])) cancellation
        else
            offsets.Commit((fun () -> link.State.Me, positions.Unstored(held (), None)), commitAnswered cancellation)

    // Whether a commit may be accepted a moment later, when the rebalance or the next heartbeat is over.
    let isTransient (commit: GroupCommit) =
        let isMoving = not link.State.Stage.IsMember && not link.State.Stage.IsEnded

        commit.Partitions
        |> List.exists (fun one ->
            match one.Outcome with
            | CommitOutcome.Refused code ->
                Member.isPassing code || code = ErrorCode.StaleMemberEpoch || (code = ErrorCode.RebalanceInProgress && isMoving)
            | CommitOutcome.Unknown fault -> fault.IsTransient
            | _ -> false)

    // Commits the offsets of the partitions that the member has, until they are stored, refused for good, or out of time.
    let commitNow (wanted: (TopicPartition * CommittedOffset) list) (call: CallOptions) : GroupCommit =
        let all (outcome: CommitOutcome) =
            List.map (fun (partition, offset) -> { Partition = partition; Offset = offset; Outcome = outcome })
        let since = time.GetTimestamp()
        let limit = defaultArg call.Timeout settings.CallTimeout
        let left () = Waiting.left time since limit
        let isOver () = left () = TimeSpan.Zero || call.Cancellation.IsCancellationRequested

        let rec attempt (number: int) =
            let mine, others = wanted |> List.partition (fst >> (Set.ofList (held ())).Contains)
            let me = link.State.Me

            let commit =
                if mine.IsEmpty then
                    { Partitions = [] }
                else
                    offsets.CommitNow(me, mine, { call with Attempt = number; Timeout = Some(left ()) })

            feed (MemberInput.CommitAnswered(me, codes commit)) call.Cancellation

            let result = { Partitions = commit.Partitions @ all CommitOutcome.NotAssigned others }

            if isTransient commit && not (isOver ()) then
                link.Wait(Member.backoff number, call.Cancellation)
                link.Pump call.Cancellation
                // Without time for another attempt, the last result says more.
                if isOver () then result else attempt (number + 1)
            else
                result

        let isCancelled = not (offsets.Finish call.Cancellation)

        let commit =
            if wanted.IsEmpty then { Partitions = [] }
            elif isCancelled then { Partitions = all (CommitOutcome.Unknown ClientFault.Cancelled) wanted }
            else attempt 1

        positions.Stored commit
        commit

    // ---- polling ----

    // The last event has been handled. Partitions that were being revoked are given up, after what was handled of them has been committed,
    // or the commits that the user has begun are answered.
    let settle (cancellation: CancellationToken) =
        let handled = last
        last <- ValueNone

        match handled with
        | ValueSome(GroupEvent.Read event) -> reader.Handled event.Partition
        | ValueSome(GroupEvent.Revoking partitions) ->
            try
                if group.CommitInterval.IsSome then
                    let commit = commitNow (positions.Unstored(partitions, None)) (CallOptions.cancelledBy cancellation)
                    if not commit.Partitions.IsEmpty then told.Enqueue(GroupEvent.Committed commit)
                else
                    offsets.Finish cancellation |> ignore
            finally
                List.iter positions.Forget partitions
                feed MemberInput.Released cancellation
        | _ -> ()

    // A partition that the user has sought meanwhile is read from there.
    let add (assigned: AssignedPartition) =
        positions.Added assigned
        if (reader.Status assigned.Partition).IsNone then
            reader.Add(assigned.Partition, assigned.Start)

    let drop (partition: TopicPartition) =
        positions.Dropping partition
        reader.Remove partition

    let lose (partition: TopicPartition) =
        positions.Forget partition
        reader.Remove partition

    let event (told: MemberEvent) : GroupEvent =
        match told with
        | MemberEvent.Assigned partitions -> GroupEvent.Assigned partitions
        | MemberEvent.Revoking partitions -> GroupEvent.Revoking partitions
        | MemberEvent.Lost(partitions, reason) -> GroupEvent.Lost(partitions, reason)
        | MemberEvent.CallFailed failure -> GroupEvent.CallFailed failure
        | MemberEvent.Failed failure -> GroupEvent.Failed failure

    // Does what the member wants, up to its next event.
    let rec work (cancellation: CancellationToken) : GroupEvent voption =
        match link.Todo.TryDequeue() with
        | false, _ -> ValueNone
        | true, MemberAction.Tell told -> ValueSome(event told)
        | true, action ->
            match action with
            | MemberAction.Add partitions -> List.iter add partitions
            | MemberAction.Drop partitions -> Observed.each drop partitions
            | MemberAction.Lose(partitions, _) -> Observed.each lose partitions
            | MemberAction.FetchOffsets(me, partitions) ->
                offsets.Fetch(me, partitions, (fun result -> feed (MemberInput.OffsetsFetched result) cancellation))
            | MemberAction.CommitHandled -> beginCommit cancellation
            | _ -> ()

            work cancellation

    let next (cancellation: CancellationToken) : GroupEvent voption =
        link.Pump cancellation
        offsets.Pump()

        match told.TryDequeue() with
        | true, event -> ValueSome event
        | false, _ -> work cancellation

    let read (patience: TimeSpan) (cancellation: CancellationToken) : GroupEvent voption =
        others.Clear()
        link.Outstanding |> Option.iter others.Add
        offsets.Outstanding |> Option.iter others.Add

        match reader.PollWith(others, Waiting.shorter patience link.Patience, cancellation) with
        | Some event -> ValueSome(GroupEvent.Read event)
        | None -> ValueNone

    let rec poll (since: int64) (timeout: TimeSpan) (cancellation: CancellationToken) : GroupEvent option =
        let left () = Waiting.left time since timeout
        let isOver () = left () = TimeSpan.Zero || cancellation.IsCancellationRequested

        let found =
            match next cancellation with
            | ValueSome event -> ValueSome event
            | ValueNone -> read (left ()) cancellation

        match found, link.State.Failure with
        | ValueSome event, _ ->
            last <- found
            Some event
        | ValueNone, Some failure when isOver () || timeout = Timeout.InfiniteTimeSpan -> Some(GroupEvent.Failed failure)
        | ValueNone, _ when isOver () -> None
        | ValueNone, _ -> poll since timeout cancellation

    let close (countsInHand: bool) (call: CallOptions) : GroupClosed =
        try
            let wanted () = positions.Unstored(known (), (if countsInHand then inHand () else None))

            let commit =
                if group.CommitInterval.IsSome && not link.State.Stage.IsEnded then
                    Some(commitNow (wanted ()) call)
                else
                    None

            { Commit = commit; Leave = link.Close call }
        finally
            thread |> Option.iter _.Close()
            (reader :> IDisposable).Dispose()
            offsets.Close()
            link.Disconnect()

    let closeOnce (countsInHand: bool) (call: CallOptions) : GroupClosed =
        match closed with
        | Some before -> before
        | None ->
            use _ = take ()
            // It counts as closed even if this fails.
            closed <- Some { Commit = None; Leave = GroupLeave.Silent }
            let result = close countsInHand call
            closed <- Some result
            result

    /// A member that reads with the standard settings.
    new(settings, bootstrap, group) = new GroupConsumer(settings, bootstrap, group, ConsumerSettings.standard)

    /// The settings it was made with.
    member _.Settings = group

    /// The member's place in the group, for committing offsets by other clients, such as a `TransactionClient`.
    member _.Membership: GroupMembership =
        use _ = take ()
        link.State.Me

    /// The losses of partitions that no poll has returned yet.
    member internal _.Losses: (TopicPartition list * LossReason) list =
        use _ = take ()
        link.Losses

    /// The partitions that the member has.
    member _.Partitions: TopicPartition list =
        use _ = take ()
        List.ofSeq (owned ())

    /// What is known of a partition; none if the member does not read it.
    member _.Status(partition: TopicPartition) : PartitionStatus option = reader.Status partition

    /// The next event. The event of the last poll counts as handled, unless it is kept. None if there is none within the time, or if it is
    /// cancelled. Calls to the coordinator that are outstanding then continue in the next poll.
    member _.Poll(timeout: TimeSpan, ?cancellation: CancellationToken) : GroupEvent option =
        let cancellation = defaultArg cancellation CancellationToken.None
        use _ = take ()
        settle cancellation
        poll (time.GetTimestamp()) timeout cancellation

    /// Commits the positions after everything that `Poll` has returned, including the last event, and waits for the answer. A kept event
    /// does not count. What is refused for a transient reason is sent again within the time of the call.
    member _.Commit(?call: CallOptions) : GroupCommit =
        use _ = take ()
        commitNow (positions.Unstored(known (), inHand ())) (defaultArg call CallOptions.standard)

    /// Commits these offsets, each one after the last record processed, and waits for the answer. For partitions that the member does not
    /// have nothing is sent: see `CommitOutcome.NotAssigned`.
    member _.Commit(offsets: (TopicPartition * CommittedOffset) list, ?call: CallOptions) : GroupCommit =
        use _ = take ()
        commitNow offsets (defaultArg call CallOptions.standard)

    /// Commits what has been handled without waiting: a later `Poll` returns the result as `GroupEvent.Committed`.
    member _.BeginCommit() : unit =
        use _ = take ()
        beginCommit CancellationToken.None

    /// Changes the subscription. ArgumentException if it cannot be used.
    member _.Subscribe(subscription: Subscription) : unit =
        GroupSettings.check { group with Subscription = subscription } |> Checked.orThrow (nameof subscription) |> ignore

        use _ = take ()
        link.Subscribe(subscription, CallOptions.standard)

    /// Sets where a partition is read from: see `TopicConsumer.Seek`. A partition without a committed offset may be started this way.
    /// ArgumentException if the member does not have it, or gives it up in the next poll.
    member _.Seek(partition: TopicPartition, start: Start) : unit =
        Start.check (nameof start) start
        use _ = take ()
        if not (isOwned partition) || lost().Contains partition then
            raise (ArgumentException("The member does not have " + partition.ToString() + ".", nameof partition))

        if isReleasing partition then
            raise (ArgumentException("The member gives up " + partition.ToString() + " in the next poll.", nameof partition))

        match inHand () with
        | Some(current, _) when current = partition -> last <- ValueNone
        | _ -> ()

        if (reader.Status partition).IsSome then
            reader.Seek(partition, start)
        else
            reader.Add(partition, start)

    /// Asks for nothing more of a partition until `Resume`. The member keeps it.
    member _.Pause(partition: TopicPartition) : unit = reader.Pause partition

    /// Reads a partition again after `Pause`.
    member _.Resume(partition: TopicPartition) : unit = reader.Resume partition

    /// Keeps the event of a partition in hand over the next polls, until `Handled`: see `TopicConsumer.Keep`. It is not committed before.
    member _.Keep(partition: TopicPartition) : unit =
        reader.Keep partition

        match inHand () with
        | Some(current, _) when current = partition -> last <- ValueNone
        | _ -> ()

    /// A kept event has been handled.
    member _.Handled(partition: TopicPartition) : unit = reader.Handled partition

    /// Leaves the group and closes all connections. With `GroupSettings.CommitInterval` what has been handled is committed first, including
    /// the last event. A static member stays in the group, unless `GroupSettings.StaticLeaves` is on. A second call returns the same.
    member _.Close(?call: CallOptions) : GroupClosed = closeOnce true (defaultArg call CallOptions.standard)

    interface IDisposable with
        /// As `Close`, but the last event does not count as handled: an exception may have ended its handling.
        member _.Dispose() = closeOnce false CallOptions.standard |> ignore
