/// Random programs that run on members of a group and on small models of its coordinator and of the logs that they read.
module LibKafka.Integration.GroupModelTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka.Cases
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Properties.Topics.CoordinatorModel
open LibKafka.Integration.Replay
open LibKafka.Integration.Support
open LibKafka.Integration.TopicConsumerSupport

let private partitions = 4
let private topicId = Guid "11111111-2222-3333-4444-555555555555"
let private forever = TimeSpan.FromDays 1.0

/// What the coordinator does with the next request about the group.
type Trouble =
    /// Closes the connection without reading it.
    | Ignore
    /// Does what is asked, and closes the connection.
    | LoseAnswer
    /// Says that it does not coordinate the group.
    | Deny

/// A step of a program. Numbers choose a member or a partition.
type GroupStep =
    | Comes
    | Leaves of int
    /// A member stops without a word.
    | Dies of int
    /// The coordinator removes the members that have died.
    | Expires
    /// The coordinator removes a member that lives, as if it had been silent for too long.
    | Removes of int
    | Polls of int
    | Appends of partition: int * records: int
    | MovesLeader of int
    | CutsFetch of int
    | Troubles of Trouble

let private number = Gen.choose (0, 99)

/// Everything may happen.
let private wild: Gen<GroupStep> =
    Gen.frequency
        [ 3, Gen.constant Comes
          1, Gen.map Leaves number
          1, Gen.map Dies number
          2, Gen.constant Expires
          1, Gen.map Removes number
          30, Gen.map Polls number
          8, Gen.map2 (fun partition records -> Appends(partition, records)) number (Gen.choose (1, 4))
          1, Gen.map MovesLeader number
          1, Gen.map CutsFetch number
          2, Gen.elements [ Ignore; LoseAnswer; Deny ] |> Gen.map Troubles ]

/// Members come and leave, and nothing fails.
let private orderly: Gen<GroupStep> =
    Gen.frequency
        [ 2, Gen.constant Comes
          1, Gen.map Leaves number
          20, Gen.map Polls number
          8, Gen.map2 (fun partition records -> Appends(partition, records)) number (Gen.choose (1, 4))
          1, Gen.map MovesLeader number ]

let private programs (step: Gen<GroupStep>) =
    let shrink (program: GroupStep list) = seq {
        if program.Length > 3 then
            let half = program.Length / 2
            yield List.take half program
            yield List.skip half program

        for index in 0 .. program.Length - 1 do
            yield List.removeAt index program
    }

    Arb.fromGenShrink (Gen.resize 100 (Gen.listOf step), shrink)

/// The coordinator of the group, on the brokers of a cluster. Time-outs are the program's steps.
[<Sealed>]
type private Coordinator(cluster: ConsumerCluster, isClassic: bool) =
    let gate = obj ()
    let ledger = Ledger()
    let classic = ClassicCoordinator(forever, forever, ledger)
    let modern = ConsumerCoordinator(forever, TimeSpan.FromMilliseconds 20.0, ledger)
    let now = TimeSpan.Zero
    let troubles = Queue<Trouble>()
    // What each member of the new protocol has last said that it has.
    let owned = Dictionary<string, Set<Guid * int>>()
    let mutable isOver = false

    let membership (memberId: string) (generation: int) : GroupMembership =
        { MemberId = memberId; GenerationOrEpoch = generation; GroupInstanceId = None }

    // Waits for an answer that the model gives later.
    let await (ask: ('Response -> unit) -> unit) (answer: 'Response -> Act list) : Act list =
        let cell: 'Response voption ref = ref ValueNone

        ask (fun response ->
            cell.Value <- ValueSome response
            Monitor.PulseAll gate)

        while cell.Value.IsNone && not isOver do
            Monitor.Wait gate |> ignore

        match cell.Value with
        | ValueSome response -> answer response
        | ValueNone -> [ Act.Close ]

    let commit (received: Received) (request: OffsetCommit.Request) =
        let offsets =
            [ for topic in request.Topics do
                  for one in topic.Partitions ->
                      ({ Topic = topic.Name; Partition = one.PartitionIndex }: TopicPartition),
                      { Offset = one.CommittedOffset; LeaderEpoch = one.CommittedLeaderEpoch; Metadata = "" } ]

        let me = membership request.MemberId request.GenerationIdOrMemberEpoch
        let code = if isClassic then classic.Commit(me, offsets) else modern.Commit(me, offsets)

        let topics: OffsetCommit.TopicResponse list =
            [ for topic in request.Topics ->
                  { Name = topic.Name
                    TopicId = topic.TopicId
                    Partitions = [ for one in topic.Partitions -> { PartitionIndex = one.PartitionIndex; Error = code } ] } ]

        Script.answer OffsetCommit.api received { ThrottleTimeMs = 0; Topics = topics }

    let fetchOffsets (received: Received) (request: OffsetFetch.Request) =
        let found (topic: string) (index: int) : OffsetFetch.PartitionResponse =
            let offset = ledger.Committed { Topic = topic; Partition = index }

            { OffsetFetch.partitionResponse.Default with
                PartitionIndex = index
                CommittedOffset = offset |> Option.map _.Offset |> Option.defaultValue -1L
                CommittedLeaderEpoch = offset |> Option.map _.LeaderEpoch |> Option.defaultValue -1 }

        // The members of a classic group do not identify themselves.
        let check (asked: OffsetFetch.GroupRequest) : ErrorCode =
            if isClassic then
                ErrorCode.None
            else
                modern.Check(membership (Option.defaultValue "" asked.MemberId) asked.MemberEpoch)

        let group (asked: OffsetFetch.GroupRequest) : OffsetFetch.GroupResponse =
            { OffsetFetch.groupResponse.Default with
                GroupId = asked.GroupId
                Error = check asked
                Topics =
                    [ for topic in Option.defaultValue [] asked.Topics ->
                          { Name = topic.Name; TopicId = topic.TopicId; Partitions = List.map (found topic.Name) topic.PartitionIndexes } ] }

        Script.answer OffsetFetch.api received { OffsetFetch.response.Default with Groups = List.map group request.Groups }

    // A member leaves out the partitions that it has if they are the same as before.
    let ownedBy (request: ConsumerGroupHeartbeat.Request) : Set<Guid * int> =
        match request.TopicPartitions with
        | Some topics ->
            owned[request.MemberId] <-
                Set.ofList
                    [ for topic in topics do
                          for partition in topic.Partitions -> topic.TopicId, partition ]
        | None -> ()

        owned.GetValueOrDefault(request.MemberId, Set.empty)

    let beat (received: Received) (request: ConsumerGroupHeartbeat.Request) =
        if request.MemberEpoch < 0 then
            modern.Leave request.MemberId
            let left = { ConsumerGroupHeartbeat.response.Default with MemberId = Some request.MemberId; MemberEpoch = -1 }
            Script.answer ConsumerGroupHeartbeat.api received left
        else
            let isFull = request.SubscribedTopicNames.IsSome
            let answer = modern.Beat(now, request.MemberId, request.MemberEpoch, ownedBy request, isFull)
            Script.answer ConsumerGroupHeartbeat.api received answer

    let leave (received: Received) (request: LeaveGroup.Request) =
        let gone (one: LeaveGroup.MemberRequest) : LeaveGroup.MemberResponse =
            classic.Leave(now, one.MemberId)
            { MemberId = one.MemberId; GroupInstanceId = None; Error = ErrorCode.None }

        Script.answer LeaveGroup.api received { LeaveGroup.response.Default with Members = List.map gone request.Members }

    let serve (received: Received) : Act list =
        match received.Request with
        | Request.JoinGroup request ->
            await (fun reply -> classic.Join(now, request.MemberId, request.Protocols, reply)) (Script.answer JoinGroup.api received)
        | Request.SyncGroup request ->
            let me = membership request.MemberId request.GenerationId
            await (fun reply -> classic.Sync(now, me, request.Assignments, reply)) (Script.answer SyncGroup.api received)
        | Request.Heartbeat request ->
            let code = classic.Beat(now, membership request.MemberId request.GenerationId)
            Script.answer Heartbeat.api received { Heartbeat.response.Default with Error = code }
        | Request.LeaveGroup request -> leave received request
        | Request.ConsumerGroupHeartbeat request -> beat received request
        | Request.OffsetCommit request -> commit received request
        | Request.OffsetFetch request -> fetchOffsets received request
        | _ -> Script.unexpected received

    // NOT_COORDINATOR, in the form that each API has for it.
    let deny (received: Received) : Act list =
        let code = ErrorCode.NotCoordinator

        match received.Request with
        | Request.JoinGroup _ -> Script.answer JoinGroup.api received { JoinGroup.response.Default with Error = code }
        | Request.SyncGroup _ -> Script.answer SyncGroup.api received { SyncGroup.response.Default with Error = code }
        | Request.Heartbeat _ -> Script.answer Heartbeat.api received { Heartbeat.response.Default with Error = code }
        | Request.ConsumerGroupHeartbeat _ ->
            Script.answer ConsumerGroupHeartbeat.api received { ConsumerGroupHeartbeat.response.Default with Error = code }
        | _ -> [ Act.Close ]

    let answer (me: BrokerAddress) (received: Received) : Act list =
        lock gate (fun () ->
            match received.Request with
            | Request.FindCoordinator request -> coordinating cluster.Brokers[0].Address received request
            | _ ->
                match troubles.TryDequeue() with
                | true, Ignore -> [ Act.Close ]
                | true, LoseAnswer ->
                    // An answer that comes later is lost too.
                    if not (received.Request.IsJoinGroup || received.Request.IsSyncGroup) then
                        serve received |> ignore
                    [ Act.Close ]
                | true, Deny -> deny received
                | false, _ -> serve received)

    let all (api: Api<_, _>) = Script.versions api.Key (int api.Versions.Lowest) (int api.Versions.Highest)

    do
        cluster.AnswerOthers(
            [ all JoinGroup.api
              all SyncGroup.api
              all Heartbeat.api
              all LeaveGroup.api
              all ConsumerGroupHeartbeat.api
              Script.versions ApiKey.OffsetCommit 2 9
              Script.versions ApiKey.OffsetFetch 9 9 ],
            answer
        )

        modern.Partitions <- [ for partition in 0 .. partitions - 1 -> topicId, partition ]

    member _.Committed(partition: TopicPartition) : CommittedOffset option = lock gate (fun () -> ledger.Committed partition)

    /// Whether a member is in the group as the coordinator sees it.
    member _.Knows(me: GroupMembership) : bool = lock gate (fun () -> if isClassic then classic.Knows me else modern.Knows me)

    /// Whether it accepts commits of the current generation. With the new protocol, no rebalance keeps it from that.
    member _.AcceptsCommits: bool = lock gate (fun () -> not (isClassic && classic.IsCompleting))

    /// Ends the session of a member.
    member _.Expire(memberId: string) = lock gate (fun () -> if isClassic then classic.Expire(now, memberId) else modern.Leave memberId)

    /// Ends the sessions of all members but these.
    member this.ExpireOthers(living: Set<string>) =
        let members = lock gate (fun () -> if isClassic then classic.Members else modern.Members)

        for memberId in members do
            if not (living.Contains memberId) then this.Expire memberId

    member _.Trouble(trouble: Trouble) = lock gate (fun () -> troubles.Enqueue trouble)

    member _.Calm() = lock gate (fun () -> troubles.Clear())

    interface IDisposable with
        member _.Dispose() =
            lock gate (fun () ->
                isOver <- true
                Monitor.PulseAll gate)

/// A member with its user.
[<Sealed>]
type private Actor(consumer: GroupConsumer) =
    member _.Consumer = consumer
    /// The next offset of each partition that it reads.
    member val Expected = Dictionary<int, int64>()
    /// The partitions of which it has not read anything yet.
    member val IsNew = HashSet<int>()

/// The group, its members and what they have read.
[<Sealed>]
type private Group(cluster: ConsumerCluster, coordinator: Coordinator, protocol: GroupProtocol, isOrderly: bool) =
    let actors = List<Actor>()
    let dead = List<Actor>()
    // How often each record was read, and the member that has read a partition in a generation.
    let reads = Array.init partitions (fun _ -> Dictionary<int64, int>())
    let readers = Dictionary<int * int, Actor>()

    let group =
        { GroupSettings.make "g" [ "t" ] with
            Protocol = protocol
            SessionTimeout = TimeSpan.FromSeconds 30.0
            HeartbeatInterval = ms 10
            CommitInterval = Some(ms 10)
            MetadataInterval = TimeSpan.FromSeconds 1.0 }

    let reading =
        let settings = settingsOf 5
        { settings with Fetching = { settings.Fetching with MaxBytes = 200 } }

    let pick (choice: int) (from: IReadOnlyList<'T>) (use': 'T -> unit) = if from.Count > 0 then use' from[choice % from.Count]

    let assigned (actor: Actor) (one: AssignedPartition) =
        actor.Expected[one.Partition.Partition] <-
            match one.Start with
            | Start.At position -> position.Offset
            | Start.Find _ -> 0L

        actor.IsNew.Add one.Partition.Partition |> ignore

    // The first record of a partition follows the last commit, unless the member has lost its place and does not know that yet.
    let checkFirst (actor: Actor) (partition: int) (offset: int64) =
        if actor.IsNew.Remove partition && coordinator.Knows actor.Consumer.Membership then
            let committed = coordinator.Committed(cluster.Partition partition) |> Option.map _.Offset |> Option.defaultValue 0L
            Expect.equal offset committed $"{partition} is read from the last commit"

    let read (actor: Actor) (partition: int) (records: (int64 * string) list) =
        checkFirst actor partition (fst records.Head)

        for offset, _ in records do
            let expected = actor.Expected.GetValueOrDefault(partition, -1L)
            Expect.equal offset expected $"{partition}: each record follows the one before, and none comes of a partition that was given up"
            actor.Expected[partition] <- offset + 1L
            let times = 1 + reads[partition].GetValueOrDefault(offset, 0)
            reads[partition][offset] <- times
            let isFollowing = offset = 0L || reads[partition].ContainsKey(offset - 1L)
            Expect.isTrue isFollowing $"{partition}: no record is skipped before {offset}"
            if isOrderly then
                Expect.equal times 1 $"{partition}: record {offset} is read once"

        let me = actor.Consumer.Membership

        if protocol.IsClassic then
            match readers.TryGetValue((partition, me.GenerationOrEpoch)) with
            | true, other ->
                Expect.isTrue (Object.ReferenceEquals(other, actor)) $"{partition}: one reader in generation {me.GenerationOrEpoch}"
            | _ -> readers[(partition, me.GenerationOrEpoch)] <- actor

    let forget (actor: Actor) (some: TopicPartition list) =
        for partition in some do
            actor.Expected.Remove partition.Partition |> ignore

    let poll (actor: Actor) =
        match actor.Consumer.Poll(ms 3) with
        | Some(GroupEvent.Read(ConsumerEvent.Fetched(partition, records, _, _))) -> read actor partition.Partition (recordsIn records)
        | Some(GroupEvent.Assigned all) -> List.iter (assigned actor) all
        // The user commits, and gives them up with the next poll.
        | Some(GroupEvent.Revoking some)
        | Some(GroupEvent.Lost(some, _)) -> forget actor some
        | Some(GroupEvent.Failed failure) -> failtestf "%O" failure
        | Some(GroupEvent.CallFailed _)
        | Some(GroupEvent.Read(ConsumerEvent.Failed _))
        | Some(GroupEvent.Committed _)
        | None -> ()
        | Some other -> failtestf "%O" other

    let held (actor: Actor) = actor.Consumer.Partitions |> List.map _.Partition

    let isShared () = actors |> Seq.collect held |> Seq.sort |> List.ofSeq = [ 0 .. partitions - 1 ]

    let isRead (partition: int) =
        let finish = cluster.End partition
        finish = 0L || reads[partition].ContainsKey(finish - 1L)

    // Those that have died, or could not tell that they leave.
    let expire () = actors |> Seq.map _.Consumer.Membership.MemberId |> Set.ofSeq |> coordinator.ExpireOthers

    let pollUntil (what: string) (isDone: unit -> bool) =
        let patience = Stopwatch.StartNew()

        while not (isDone ()) do
            if patience.Elapsed > ms 20_000 then
                let statuses = [ for actor in actors -> string actor.Consumer.Membership, held actor ]
                failtestf "%s: not reached; members %A" what statuses

            expire ()

            for actor in List.ofSeq actors do
                poll actor

    // Cooperative members keep their partitions during a rebalance, so that these can be shared while no commit is accepted.
    let isSteady () =
        actors.Count = 0
        || (isShared ()
            && coordinator.AcceptsCommits
            && Seq.forall (fun (actor: Actor) -> coordinator.Knows actor.Consumer.Membership) actors)

    let close (actor: Actor) =
        actors.Remove actor |> ignore
        let closed = actor.Consumer.Close()

        if isOrderly then
            for one in closed.Commit |> Option.map _.Partitions |> Option.defaultValue [] do
                Expect.equal one.Outcome CommitOutcome.Stored $"{one.Partition}: what a member has handled is committed when it leaves"

    let come () =
        if actors.Count < 4 then
            let settings = { patient with ConnectTimeout = ms 5_000; CallTimeout = ms 2_000 }
            actors.Add(Actor(new GroupConsumer(settings, cluster.Bootstrap, group, reading)))

    // In the middle of a rebalance nothing can be committed: an orderly member leaves later.
    let leave (actor: Actor) =
        if isOrderly then pollUntil "a rebalance ends" isSteady
        close actor

    member _.Do(step: GroupStep) =
        match step with
        | Comes -> come ()
        | Leaves choice -> pick choice (List.ofSeq actors) leave
        | Dies choice ->
            pick choice (List.ofSeq actors) (fun actor ->
                actors.Remove actor |> ignore
                dead.Add actor)
        | Expires -> expire ()
        | Removes choice -> pick choice (List.ofSeq actors) (fun actor -> coordinator.Expire actor.Consumer.Membership.MemberId)
        | Polls choice -> pick choice (List.ofSeq actors) poll
        | Appends(partition, records) -> cluster.Append(partition % partitions, records)
        | MovesLeader partition -> cluster.MoveLeader(partition % partitions)
        | CutsFetch partition -> cluster.Disturb(partition % partitions, Disturbance.Cut)
        | Troubles trouble -> coordinator.Trouble trouble

    /// Nothing fails any more, and everything is read and committed.
    member _.Finish() =
        coordinator.Calm()
        come ()
        pollUntil "all partitions are read to their ends" (fun () -> isSteady () && List.forall isRead [ 0 .. partitions - 1 ])

        for partition in 0 .. partitions - 1 do
            let all = [ 0L .. cluster.End partition - 1L ]
            Expect.equal (reads[partition].Keys |> Seq.sort |> List.ofSeq) all $"{partition}: every record is read"

        for actor in List.ofSeq actors do
            if isOrderly then pollUntil "a rebalance ends" isSteady
            close actor

        if isOrderly then
            for partition in 0 .. partitions - 1 do
                let committed = coordinator.Committed(cluster.Partition partition) |> Option.map _.Offset |> Option.defaultValue 0L
                Expect.equal committed (cluster.End partition) $"{partition}: everything is committed"

    interface IDisposable with
        member _.Dispose() =
            for actor in Seq.append actors dead do
                (actor.Consumer :> IDisposable).Dispose()

let private run (protocol: GroupProtocol) (isOrderly: bool) (program: GroupStep list) =
    use cluster = new ConsumerCluster(partitions, topicId)
    use coordinator = new Coordinator(cluster, protocol.IsClassic)
    use group = new Group(cluster, coordinator, protocol, isOrderly)
    List.iter group.Do (Comes :: program)
    group.Finish()

let private protocols =
    [ "range", GroupProtocol.Classic [ Assignors.range ]
      "cooperative-sticky", GroupProtocol.Classic [ Assignors.cooperativeSticky ]
      "the new protocol", GroupProtocol.Consumer None ]

let private law (name: string) (most: int) (property: 'Property) =
    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = cases most } name property

[<Tests>]
let tests =
    testList
        "group consumer model"
        [ for name, protocol in protocols do
              law (name + ": if nothing fails, every record is read once and committed") 15 (fun () ->
                  Prop.forAll (programs orderly) (run protocol true))

              law (name + ": whatever happens, no record is skipped, and a partition has one reader in a generation") 25 (fun () ->
                  Prop.forAll (programs wild) (run protocol false)) ]
