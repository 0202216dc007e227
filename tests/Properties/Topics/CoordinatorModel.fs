/// Small models of a group's coordinator: of the classic protocol and of the new one.
module LibKafka.Properties.Topics.CoordinatorModel

open System
open System.Collections.Generic
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client

/// The offsets that a group has committed.
type Ledger() =
    let committed = Dictionary<TopicPartition, CommittedOffset>()

    member _.Committed(partition: TopicPartition) : CommittedOffset option =
        match committed.TryGetValue partition with
        | true, offset -> Some offset
        | false, _ -> None

    member _.Store(offsets: (TopicPartition * CommittedOffset) list) =
        for partition, offset in offsets do
            committed[partition] <- offset

// ---- the classic protocol ----

type private ClassicMember =
    { Id: string
      mutable Protocols: JoinGroup.Protocol list
      mutable Until: TimeSpan
      mutable Join: (JoinGroup.Response -> unit) option
      mutable Sync: (SyncGroup.Response -> unit) option }

type private ClassicStage =
    | Stable
    | Preparing of until: TimeSpan
    | Completing

/// The coordinator of one classic group.
type ClassicCoordinator(session: TimeSpan, rebalance: TimeSpan, ledger: Ledger) =
    let members = List<ClassicMember>()
    let promised = HashSet<string>()
    let assignments = Dictionary<string, Bytes>()
    let mutable stage = Stable
    let mutable generation = 0
    let mutable leader = ""
    let mutable lastId = 0

    let find (id: string) = members |> Seq.tryFind (fun one -> one.Id = id)

    let joinRefused (code: ErrorCode) (id: string) : JoinGroup.Response =
        { JoinGroup.response.Default with Error = code; MemberId = id; GenerationId = -1 }

    let synced (id: string) : SyncGroup.Response =
        let assignment =
            match assignments.TryGetValue id with
            | true, bytes -> bytes
            | false, _ -> Bytes.empty

        { SyncGroup.response.Default with Assignment = assignment }

    let syncRefused (code: ErrorCode) : SyncGroup.Response = { SyncGroup.response.Default with Error = code }

    let prepare (now: TimeSpan) =
        match stage with
        | Preparing _ -> ()
        | _ ->
            stage <- Preparing(now + rebalance)

            for one in members do
                one.Sync |> Option.iter (fun reply -> reply (syncRefused ErrorCode.RebalanceInProgress))
                one.Sync <- None

    let joined (one: ClassicMember) : JoinGroup.Response =
        let protocol = one.Protocols.Head.Name

        let metadata (other: ClassicMember) : JoinGroup.Member =
            { MemberId = other.Id
              GroupInstanceId = None
              Metadata = (other.Protocols |> List.find (fun each -> each.Name = protocol)).Metadata }

        { JoinGroup.response.Default with
            GenerationId = generation
            ProtocolName = Some protocol
            Leader = leader
            MemberId = one.Id
            Members = if one.Id = leader then members |> Seq.map metadata |> List.ofSeq else [] }

    let complete (now: TimeSpan) =
        members.RemoveAll(fun one -> one.Join.IsNone) |> ignore
        generation <- generation + 1
        assignments.Clear()

        if members.Count = 0 then
            stage <- Stable
        else
            stage <- Completing
            if (find leader).IsNone then leader <- members[0].Id

            for one in members do
                one.Until <- now + session
                one.Join |> Option.iter (fun reply -> reply (joined one))
                one.Join <- None

    let completeIfAll (now: TimeSpan) =
        match stage with
        | Preparing until when now >= until || members |> Seq.forall _.Join.IsSome -> complete now
        | _ -> ()

    let remove (now: TimeSpan) (one: ClassicMember) =
        members.Remove one |> ignore
        prepare now
        completeIfAll now

    // The code for a member that is not in this generation.
    let check (id: string) (ofGeneration: int) : ErrorCode =
        match find id with
        | None -> ErrorCode.UnknownMemberId
        | Some _ when ofGeneration <> generation -> ErrorCode.IllegalGeneration
        | Some _ -> ErrorCode.None

    let join now (one: ClassicMember) protocols reply =
        let isChanged = one.Protocols <> protocols
        one.Protocols <- protocols

        match stage with
        | Stable
        | Completing when not isChanged && one.Id <> leader -> reply (joined one)
        | _ ->
            one.Join <- Some reply
            prepare now
            completeIfAll now

    /// Whether a member is in the current generation.
    member _.Knows(membership: GroupMembership) = check membership.MemberId membership.GenerationOrEpoch = ErrorCode.None

    /// Whether the members have joined a new generation and wait for their assignment. No commit is accepted until the leader has sent it.
    member _.IsCompleting = stage.IsCompleting

    member _.Join(now: TimeSpan, id: string, protocols: JoinGroup.Protocol list, reply: JoinGroup.Response -> unit) =
        match find id with
        | Some one ->
            one.Until <- now + session
            join now one protocols reply
        | None when id = "" ->
            lastId <- lastId + 1
            let id = "m" + string lastId
            promised.Add id |> ignore
            reply (joinRefused ErrorCode.MemberIdRequired id)
        | None when promised.Remove id ->
            let one = { Id = id; Protocols = []; Until = now + session; Join = None; Sync = None }
            members.Add one
            join now one protocols reply
        | None -> reply (joinRefused ErrorCode.UnknownMemberId id)

    member _.Sync(now: TimeSpan, membership: GroupMembership, given: SyncGroup.MemberAssignment list, reply: SyncGroup.Response -> unit) =
        match check membership.MemberId membership.GenerationOrEpoch, find membership.MemberId, stage with
        | code, _, _ when code.IsError -> reply (syncRefused code)
        | _, _, Preparing _ -> reply (syncRefused ErrorCode.RebalanceInProgress)
        | _, Some one, Completing ->
            one.Until <- now + session
            one.Sync <- Some reply

            if one.Id = leader then
                for each in given do
                    assignments[each.MemberId] <- each.Assignment

                stage <- Stable

                for each in members do
                    each.Until <- now + session
                    each.Sync |> Option.iter (fun reply -> reply (synced each.Id))
                    each.Sync <- None
        | _, _, _ -> reply (synced membership.MemberId)

    member _.Beat(now: TimeSpan, membership: GroupMembership) : ErrorCode =
        let code = check membership.MemberId membership.GenerationOrEpoch

        if code.IsError then
            code
        else
            find membership.MemberId |> Option.iter (fun one -> one.Until <- now + session)
            if stage.IsPreparing then ErrorCode.RebalanceInProgress else ErrorCode.None

    member _.Leave(now: TimeSpan, id: string) = find id |> Option.iter (remove now)

    /// The ids of the members.
    member _.Members: string list = [ for one in members -> one.Id ]

    /// Removes a member whose session is over. One that waits to join does not have to send heartbeats, and stays.
    member _.Expire(now: TimeSpan, id: string) =
        match find id with
        | Some one when one.Join.IsNone -> remove now one
        | _ -> ()

    member _.Commit(membership: GroupMembership, offsets: (TopicPartition * CommittedOffset) list) : ErrorCode =
        let code = check membership.MemberId membership.GenerationOrEpoch

        if code.IsError then
            code
        elif stage.IsCompleting then
            ErrorCode.RebalanceInProgress
        else
            ledger.Store offsets
            ErrorCode.None

    /// Removes members whose session is over, and ends a rebalance that has taken too long.
    member _.Tick(now: TimeSpan) =
        for one in members |> Seq.filter (fun one -> one.Join.IsNone && now >= one.Until) |> List.ofSeq do
            remove now one

        completeIfAll now

// ---- the new protocol ----

type private Heard =
    {
        Name: string
        mutable Epoch: int
        mutable Previous: int
        /// What the member has or may take.
        mutable Assigned: Set<Guid * int>
        /// What the member has been told to give up and still has.
        mutable Revoking: Set<Guid * int>
        mutable Expires: TimeSpan
    }

/// The coordinator of one group of the new protocol. It gives a partition to a member only when no other member has it.
type ConsumerCoordinator(session: TimeSpan, interval: TimeSpan, ledger: Ledger) =
    let members = List<Heard>()
    let mutable partitions: (Guid * int) list = []
    let mutable epoch = 0

    let find (id: string) = members |> Seq.tryFind (fun one -> one.Name = id)

    // Not sticky, so that many partitions move.
    let target (one: Heard) : Set<Guid * int> =
        let place = members |> Seq.sortBy _.Name |> Seq.findIndex (fun other -> other.Name = one.Name)
        partitions |> List.indexed |> List.filter (fun (i, _) -> i % members.Count = place) |> List.map snd |> Set.ofList

    let isFree (one: Heard) (partition: Guid * int) =
        members
        |> Seq.forall (fun other -> other.Name = one.Name || not (other.Assigned.Contains partition || other.Revoking.Contains partition))

    let reconcile (one: Heard) (owned: Set<Guid * int>) =
        one.Revoking <- Set.intersect one.Revoking owned

        if one.Revoking.IsEmpty then
            let target = target one
            let given = one.Assigned - target
            one.Assigned <- Set.intersect one.Assigned target
            one.Revoking <- Set.intersect given owned

            if one.Revoking.IsEmpty then
                one.Assigned <- one.Assigned + (target |> Set.filter (isFree one))

                if one.Epoch < epoch then
                    one.Previous <- one.Epoch
                    one.Epoch <- epoch

    let refused (code: ErrorCode) : ConsumerGroupHeartbeat.Response = { ConsumerGroupHeartbeat.response.Default with Error = code }

    let answer (one: Heard) (withAssignment: bool) : ConsumerGroupHeartbeat.Response =
        let assigned: HeartbeatTopicPartitions list =
            [ for id, ofTopic in List.groupBy fst (Set.toList one.Assigned) -> { TopicId = id; Partitions = List.map snd ofTopic } ]

        { ConsumerGroupHeartbeat.response.Default with
            MemberId = Some one.Name
            MemberEpoch = one.Epoch
            HeartbeatIntervalMs = int interval.TotalMilliseconds
            Assignment = if withAssignment then Some { TopicPartitions = assigned } else None }

    let beat (now: TimeSpan) (owned: Set<Guid * int>) (isFull: bool) (one: Heard) =
        let before = one.Assigned
        one.Expires <- now + session
        reconcile one owned
        answer one (isFull || one.Assigned <> before)

    /// Whether the coordinator would accept a heartbeat from the member.
    member _.Knows(membership: GroupMembership) =
        find membership.MemberId
        |> Option.exists (fun one ->
            membership.GenerationOrEpoch > 0
            && (one.Epoch = membership.GenerationOrEpoch || one.Previous = membership.GenerationOrEpoch))

    /// The ids of the members.
    member _.Members: string list = [ for one in members -> one.Name ]

    /// The partitions that there are now.
    member _.Partitions
        with get () = partitions
        and set value =
            partitions <- value
            epoch <- epoch + 1

    /// `isFull` says whether the member sends everything, because it does not know whether its last heartbeat arrived.
    member _.Beat(now: TimeSpan, id: string, atEpoch: int, owned: Set<Guid * int>, isFull: bool) : ConsumerGroupHeartbeat.Response =
        match find id with
        | Some one when atEpoch = 0 ->
            one.Assigned <- Set.empty
            one.Revoking <- Set.empty
            one.Epoch <- 0
            epoch <- epoch + 1
            beat now owned true one
        | None when atEpoch = 0 ->
            let one = { Name = id; Epoch = 0; Previous = 0; Assigned = Set.empty; Revoking = Set.empty; Expires = now }
            members.Add one
            epoch <- epoch + 1
            beat now owned true one
        | None -> refused ErrorCode.UnknownMemberId
        | Some one when one.Epoch = atEpoch || (one.Previous = atEpoch && Set.isSubset owned one.Assigned) -> beat now owned isFull one
        | Some _ -> refused ErrorCode.FencedMemberEpoch

    member _.Leave(id: string) =
        find id
        |> Option.iter (fun one ->
            members.Remove one |> ignore
            epoch <- epoch + 1)

    /// The code for a commit or a fetch of offsets by a member that is not in this epoch.
    member _.Check(membership: GroupMembership) : ErrorCode =
        match find membership.MemberId with
        | None -> ErrorCode.UnknownMemberId
        | Some one when one.Epoch <> membership.GenerationOrEpoch -> ErrorCode.StaleMemberEpoch
        | Some _ -> ErrorCode.None

    member this.Commit(membership: GroupMembership, offsets: (TopicPartition * CommittedOffset) list) : ErrorCode =
        let code = this.Check membership
        if not code.IsError then ledger.Store offsets
        code

    /// Removes members whose session is over.
    member _.Tick(now: TimeSpan) = if members.RemoveAll(fun one -> now >= one.Expires) > 0 then epoch <- epoch + 1
