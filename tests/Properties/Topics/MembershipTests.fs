/// Membership in groups, against small models of the coordinators: random programs of members that come, leave and die, of lost messages,
/// slow users and new partitions.
module LibKafka.Properties.Topics.MembershipTests

open System
open System.Collections.Generic
open Expecto
open FsCheck
open FsCheck.FSharp
open LibKafka
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Properties.Support
open LibKafka.Properties.Topics.CoordinatorModel

/// What happens in the world. Numbers choose a member or a message.
type Happening =
    | Comes
    | Leaves of int
    | Dies of int
    /// The user of a member handles its last event, and gets the next one or reads a record.
    | Polls of int
    /// A request arrives at the coordinator.
    | Arrives of int
    /// A response arrives at its member.
    | Returns of int
    | RequestLost of int
    | ResponseLost of int
    | Passes of milliseconds: int
    /// A topic gets another partition.
    | Grows of int

let private session = TimeSpan.FromSeconds 10.0
let private rebalance = TimeSpan.FromSeconds 20.0
let private topicId (topic: string) =
    if topic = "t" then
        Guid "00000000-0000-0000-0000-000000000001"
    else
        Guid "00000000-0000-0000-0000-000000000002"
let private topicOf (id: Guid) = if id = topicId "t" then "t" else "u"

/// A member with its user.
type private Actor(state: MemberState) =
    member val State = state with get, set
    member val IsAlive = true with get, set
    member val Events = Queue<MemberEvent>()
    /// The positions of the partitions that it may read or commit.
    member val Positions = Dictionary<TopicPartition, int64>()
    member val Reading = HashSet<TopicPartition>()
    /// Whether the user handles `Revoking` at the moment.
    member val IsRevoking = false with get, set
    /// The outstanding call to the coordinator, and the one for offsets.
    member val Call = 0 with get, set
    member val OffsetsCall = 0 with get, set
    /// What a `ConsumerGroupClient` keeps.
    member val Id = Guid.NewGuid().ToString "N"
    member val Epoch = 0 with get, set
    /// Whether nothing about partitions was reported since it joined.
    member val IsNew = true with get, set
    member val IsUnsure = true with get, set

/// A request or a response on its way.
type private Message = { Of: Actor; Call: int; IsOffsets: bool; Arrive: unit -> unit; Lose: MemberInput }

/// The group, its coordinator, and the network between them. If `isOrderly`, no record may be read twice.
type private World(protocol: GroupProtocol, isOrderly: bool) =
    let counts = Dictionary<string, int>(dict [ "t", 3; "u", 2 ])
    let ledger = Ledger()
    let classic = ClassicCoordinator(session, rebalance, ledger)
    let consumer = ConsumerCoordinator(session, TimeSpan.FromSeconds 2.0, ledger)
    let actors = List<Actor>()
    let requests = List<Message>()
    let responses = List<Message>()
    let read = Dictionary<TopicPartition, int64>()
    let mutable now = TimeSpan.Zero
    let mutable lastCall = 0

    let settings =
        { GroupSettings.make "g" [ "t"; "u" ] with
            Protocol = protocol
            SessionTimeout = session
            RebalanceTimeout = rebalance
            MetadataInterval = TimeSpan.FromSeconds 10.0 }

    let partitions () =
        [ for topic in counts do
              for partition in 0 .. topic.Value - 1 -> { Topic = topic.Key; Partition = partition } ]

    let spreadPartitions () = consumer.Partitions <- partitions () |> List.map (fun one -> topicId one.Topic, one.Partition)
    let readUpTo (partition: TopicPartition) = read.GetValueOrDefault(partition, 0L)
    let alive () = actors |> Seq.filter _.IsAlive |> List.ofSeq

    let isKnown (actor: Actor) = if protocol.IsClassic then classic.Knows actor.State.Me else consumer.Knows actor.State.Me

    let commit (actor: Actor) (partitions: TopicPartition seq) =
        let offsets =
            [ for partition in partitions do
                  match actor.Positions.TryGetValue partition with
                  | true, offset -> partition, CommittedOffset.at offset
                  | false, _ -> () ]

        if protocol.IsClassic then
            classic.Commit(actor.State.Me, offsets)
        else
            consumer.Commit(actor.State.Me, offsets)

    // Sends a request. `serve` runs at the coordinator, with a function that sends the response.
    let send
        (actor: Actor)
        (isOffsets: bool)
        (lost: ClientFault -> MemberInput)
        (serve: (MemberInput -> unit) -> unit)
        (deliver: Actor -> MemberInput -> unit)
        =
        lastCall <- lastCall + 1
        let call = lastCall
        if isOffsets then actor.OffsetsCall <- call else actor.Call <- call
        let lose = lost ClientFault.Closed

        let reply (input: MemberInput) =
            responses.Add { Of = actor; Call = call; IsOffsets = isOffsets; Arrive = (fun () -> deliver actor input); Lose = lose }

        requests.Add { Of = actor; Call = call; IsOffsets = isOffsets; Arrive = (fun () -> serve reply); Lose = lose }

    let seen (asked: TopicsAsked) : TopicSeen list =
        let isAsked (name: string) =
            match asked with
            | TopicsAsked.All -> true
            | TopicsAsked.Names names -> List.contains name names
            | TopicsAsked.Ids ids -> List.contains (topicId name) ids

        [ for topic in counts do
              if isAsked topic.Key then
                  { Name = topic.Key; Id = topicId topic.Key; Partitions = topic.Value; IsInternal = false } ]

    let fetched (me: GroupMembership) (partition: TopicPartition) : FetchedOffset =
        let code = if protocol.IsClassic then ErrorCode.None else consumer.Check me
        { Partition = partition; Result = if code.IsError then Error code else Ok(ledger.Committed partition) }

    let owned (partitions: HeartbeatTopicPartitions list) =
        Set.ofList
            [ for ofTopic in partitions do
                  for partition in ofTopic.Partitions -> ofTopic.TopicId, partition ]

    // As a ConsumerGroupClient keeps its epoch.
    let settled (actor: Actor) (response: ConsumerGroupHeartbeat.Response) =
        actor.IsUnsure <- response.Error.IsError

        if not response.Error.IsError then
            actor.Epoch <- response.MemberEpoch
        elif response.Error = ErrorCode.UnknownMemberId || response.Error = ErrorCode.FencedMemberEpoch then
            actor.Epoch <- 0

    let forget (actor: Actor) (partitions: TopicPartition seq) =
        for partition in List.ofSeq partitions do
            if not (actor.Reading.Contains partition) then
                actor.Positions.Remove partition |> ignore

    let add (actor: Actor) (started: AssignedPartition) =
        let committed = ledger.Committed started.Partition |> Option.map _.Offset |> Option.defaultValue 0L

        let offset =
            match started.Start with
            | Start.At position -> position.Offset
            | Start.Find _ -> 0L

        if isKnown actor then
            Expect.equal offset committed (started.Partition.ToString() + " is read from the last commit")

        actor.Positions[started.Partition] <- offset
        actor.Reading.Add started.Partition |> ignore

    let rec step (actor: Actor) (input: MemberInput) =
        if actor.IsAlive then
            let state, actions = Membership.step now input actor.State
            actor.State <- state
            if state.Me.GenerationOrEpoch <= 0 then actor.IsNew <- true
            List.iter (act actor) actions

    and act (actor: Actor) (action: MemberAction) =
        let call lost serve = send actor false lost serve step

        match action with
        | MemberAction.Join(id, protocols, _) ->
            call (Error >> MemberInput.Joined) (fun reply -> classic.Join(now, id, protocols, Ok >> MemberInput.Joined >> reply))
        | MemberAction.Sync(me, _, assignments) ->
            call (Error >> MemberInput.Synced) (fun reply -> classic.Sync(now, me, assignments, Ok >> MemberInput.Synced >> reply))
        | MemberAction.Beat me ->
            call (Error >> MemberInput.Beaten) (fun reply ->
                reply (MemberInput.Beaten(Ok { Heartbeat.response.Default with Error = classic.Beat(now, me) })))
        | MemberAction.Report has ->
            let epoch, isFull = actor.Epoch, actor.IsUnsure
            actor.IsUnsure <- true

            let deliver (actor: Actor) (input: MemberInput) =
                match input with
                | MemberInput.Answered(Ok response) -> settled actor response
                | _ -> ()

                step actor input

            let serve reply = reply (MemberInput.Answered(Ok(consumer.Beat(now, actor.Id, epoch, owned has, isFull))))
            send actor false (Error >> MemberInput.Answered) serve deliver
        | MemberAction.Leave(me, _) -> if protocol.IsClassic then classic.Leave(now, me.MemberId) else consumer.Leave actor.Id
        | MemberAction.AskTopics asked ->
            call (Error >> MemberInput.TopicsSeen) (fun reply -> reply (MemberInput.TopicsSeen(Ok(seen asked))))
        | MemberAction.FetchOffsets(me, partitions) ->
            let serve reply = reply (MemberInput.OffsetsFetched(Ok(List.map (fetched me) partitions)))
            send actor true (Error >> MemberInput.OffsetsFetched) serve step
        | MemberAction.CommitHandled ->
            let me = actor.State.Me
            step actor (MemberInput.CommitAnswered(me, [ commit actor (List.ofSeq actor.Positions.Keys) ]))
        | MemberAction.Add started -> List.iter (add actor) started
        | MemberAction.Drop partitions -> actor.Reading.ExceptWith partitions
        | MemberAction.Lose(partitions, _) ->
            actor.Reading.ExceptWith partitions
            // Also if the user does not know of the loss yet: a consumer never commits positions of partitions that it has lost.
            forget actor partitions
        | MemberAction.Tell event ->
            actor.Events.Enqueue event

            match event with
            | MemberEvent.Assigned [] ->
                Expect.isTrue actor.IsNew "only the first assignment is reported without partitions"
                Expect.isTrue (actor.State.Stage.IsMember && actor.State.Owned.IsEmpty) "the member has none"
                actor.IsNew <- false
            | MemberEvent.Assigned _
            | MemberEvent.Revoking _ -> actor.IsNew <- false
            | _ -> ()

    let release (actor: Actor) =
        actor.IsRevoking <- false
        let releasing = List.ofSeq actor.State.Releasing
        let me = actor.State.Me
        step actor (MemberInput.CommitAnswered(me, [ commit actor releasing ]))
        forget actor releasing
        step actor MemberInput.Released

    let readOne (actor: Actor) =
        match Seq.tryHead actor.Reading with
        | None -> ()
        | Some partition ->
            let offset = actor.Positions[partition]
            let before = readUpTo partition
            Expect.isLessThanOrEqual offset before (partition.ToString() + ": no record is skipped")

            if isOrderly then
                Expect.equal offset before (partition.ToString() + ": no record is read twice")

            read[partition] <- max before (offset + 1L)
            actor.Positions[partition] <- offset + 1L

    let poll (actor: Actor) =
        if actor.IsRevoking then release actor
        step actor MemberInput.TimePassed

        match actor.Events.TryDequeue() with
        | true, MemberEvent.Revoking _ -> actor.IsRevoking <- true
        | true, MemberEvent.Lost _
        | true, MemberEvent.Assigned _
        | true, MemberEvent.CallFailed _ -> ()
        | true, MemberEvent.Failed failure -> failtestf "%s" (failure.ToString())
        | false, _ -> readOne actor

    let come () =
        let actor = Actor(Membership.start now Limits.standard settings)
        actors.Add actor
        step actor MemberInput.TimePassed

    // In the middle of a rebalance nothing can be committed: an orderly member leaves later.
    let leave (actor: Actor) =
        if actor.State.Stage.IsMember || not isOrderly then
            commit actor (List.ofSeq actor.Positions.Keys) |> ignore
            step actor MemberInput.Closing
            actor.IsAlive <- false

    let pick (choice: int) (from: IReadOnlyList<'T>) (use': 'T -> unit) = if from.Count > 0 then use' from[choice % from.Count]

    let isCurrent (message: Message) =
        message.Of.IsAlive && message.Call = (if message.IsOffsets then message.Of.OffsetsCall else message.Of.Call)

    let arrive (messages: List<Message>) (message: Message) =
        messages.Remove message |> ignore
        if Object.ReferenceEquals(messages, requests) || isCurrent message then
            message.Arrive()

    let lose (messages: List<Message>) (message: Message) =
        messages.Remove message |> ignore

        if isCurrent message then
            if message.IsOffsets then message.Of.OffsetsCall <- 0 else message.Of.Call <- 0
            step message.Of message.Lose

    let pass (time: TimeSpan) =
        now <- now + time
        classic.Tick now
        consumer.Tick now

    let grow (topic: string) =
        if counts[topic] < 6 then
            counts[topic] <- counts[topic] + 1
            spreadPartitions ()

    // No partition has two owners among the members that the coordinator knows.
    let checkOwners () =
        let owners =
            [ for actor in alive () do
                  if isKnown actor then
                      for partition in actor.State.Owned.Keys -> partition, actor.State.Me.MemberId ]

        for partition, all in owners |> List.groupBy fst do
            Expect.hasLength all 1 (partition.ToString() + " has one owner")

    do spreadPartitions ()

    /// Everybody is prompt for half a second.
    member _.Settle() =
        pass (TimeSpan.FromMilliseconds 500.0)

        for _ in 1..4 do
            while requests.Count > 0 do
                arrive requests requests[0]

            while responses.Count > 0 do
                arrive responses responses[0]

            for actor in alive () do
                poll actor
                poll actor

    member _.Happens(happening: Happening) =
        match happening with
        | Comes -> if alive().Length < 5 then come ()
        | Leaves choice -> pick choice (alive ()) leave
        | Dies choice -> pick choice (alive ()) (fun actor -> actor.IsAlive <- false)
        | Polls choice -> pick choice (alive ()) poll
        | Arrives choice -> pick choice (List.ofSeq requests) (arrive requests)
        | Returns choice -> pick choice (List.ofSeq responses) (arrive responses)
        | RequestLost choice -> pick choice (List.ofSeq requests) (lose requests)
        | ResponseLost choice -> pick choice (List.ofSeq responses) (lose responses)
        | Passes time -> pass (TimeSpan.FromMilliseconds(float time))
        | Grows choice -> grow (if choice % 2 = 0 then "t" else "u")

        checkOwners ()

    /// Every partition is owned, and read, by one of the members.
    member _.CheckShared() =
        let living = alive ()

        if not living.IsEmpty then
            let reading = living |> List.collect (fun actor -> List.ofSeq actor.Reading)
            Expect.equal (List.sort reading) (List.sort (partitions ())) "each partition is read by one member"
            Expect.equal
                (List.sort (living |> List.collect (fun actor -> Member.partitions actor.State.Owned)))
                (List.sort reading)
                "and owned by it"

            for actor in living do
                Expect.isFalse actor.IsNew "each member has reported its first assignment"

let private choice = Gen.choose (0, 99)

/// Everything may happen.
let private wild =
    Gen.frequency
        [ 2, Gen.constant Comes
          1, Gen.map Leaves choice
          1, Gen.map Dies choice
          12, Gen.map Polls choice
          20, Gen.map Arrives choice
          20, Gen.map Returns choice
          1, Gen.map RequestLost choice
          1, Gen.map ResponseLost choice
          8, Gen.map Passes (Gen.elements [ 10; 200; 1000; 3000; 8000; 15_000 ])
          1, Gen.map Grows choice ]

/// No member dies, no message is lost, and no member is slow.
let private orderly =
    Gen.frequency [ 3, Gen.constant Comes; 1, Gen.map Leaves choice; 12, Gen.map Polls choice; 1, Gen.map Grows choice ]

let private programs (happening: Gen<Happening>) =
    let shrink (program: Happening list) = seq {
        if program.Length > 3 then
            let half = program.Length / 2
            yield List.take half program
            yield List.skip half program

        for i in 0 .. program.Length - 1 -> List.removeAt i program
    }

    Arb.fromGenShrink (Gen.resize 150 (Gen.listOf happening), shrink)

let private settle (world: World) =
    for _ in 1..200 do
        world.Settle()

    world.CheckShared()

let private runWild (protocol: GroupProtocol) (program: Happening list) =
    let world = World(protocol, false)
    world.Happens Comes
    List.iter world.Happens program
    settle world

let private runOrderly (protocol: GroupProtocol) (program: Happening list) =
    let world = World(protocol, true)

    for happening in Comes :: program do
        world.Happens happening
        world.Settle()

    settle world

let private protocols =
    let classic (assignors: Assignor list) = assignors |> List.map _.Name |> String.concat " or ", GroupProtocol.Classic assignors

    [ classic [ Assignors.range ]
      classic [ Assignors.roundRobin ]
      classic [ Assignors.sticky ]
      classic [ Assignors.cooperativeSticky ]
      classic [ Assignors.cooperativeSticky; Assignors.range ]
      "the new protocol", GroupProtocol.Consumer None ]

[<Tests>]
let tests =
    testList
        "membership"
        [ testCase
              "the new protocol: a partition that the coordinator takes back when it misses in a heartbeat gets no second owner"
              (fun () ->
                  // The first member does not know the names of its topics yet, and does not learn that it has lost some to the third member.
                  let first = [ Arrives 0; Returns 0; RequestLost 0; Comes; Passes 3000; Arrives 0; Returns 0 ]
                  let later =
                      [ Polls 0; Arrives 0; ResponseLost 0; Comes; Arrives 1; Returns 0; Arrives 0; Arrives 0; Returns 1; Returns 0 ]
                  runWild (GroupProtocol.Consumer None) (first @ later))

          for name, protocol in protocols do
              law 300 (name + ": whatever happens, no partition has two owners, none is skipped, and all are read in the end") (fun () ->
                  Prop.forAll (programs wild) (runWild protocol))

              law 100 (name + ": if nothing goes wrong, every record is read exactly once") (fun () ->
                  Prop.forAll (programs orderly) (runOrderly protocol)) ]
