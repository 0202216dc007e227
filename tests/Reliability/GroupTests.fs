/// Invariant 5: no partition is read by two members of a generation, and no committed position is lost, across kills, pauses, network
/// partitions and exceptions of the observer. GroupModelTests of the integration tests has the same laws for random programs on a model of the coordinator.
module LibKafka.Reliability.GroupTests

open System
open System.Collections.Generic
open System.Diagnostics
open Expecto
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Topics
open LibKafka.Reliability.Support

let private partitions = 4
let private session = ms 700

/// A member of the group, and the next offset of each partition that it reads.
type private Actor(name: string, consumer: GroupConsumer) =
    member _.Name = name
    member _.Consumer = consumer
    member val Expected = Dictionary<int, int64>()
    /// It is not polled before this time.
    member val PausedUntil = TimeSpan.Zero with get, set

let private reading: ConsumerSettings =
    let step (event: ConsumerEvent) =
        match event with
        | ConsumerEvent.Failed _ -> NextStep.Wait(ms 3)
        | other -> NextStep.standard other

    { ConsumerSettings.standard with
        NextStep = step
        Fetching = { FetcherSettings.standard with MaxWait = ms 5; MaxBytes = 200 } }

/// Shorter sessions than Kafka allows, so that members are removed soon.
let private shorten (state: State) : State =
    let settings =
        { state.Groups.Settings with
            MinSessionTimeoutMs = 1
            SessionTimeoutMs = int session.TotalMilliseconds
            HeartbeatIntervalMs = 40 }

    { state with Groups = { state.Groups with Settings = settings } }

[<Sealed>]
type private Members(kafka: TestBroker, protocol: GroupProtocol, random: Random, thrower: Thrower, about: string, pauses: bool) =
    let clock = Stopwatch.StartNew()
    let actors = List<Actor>()
    let killed = List<Actor>()
    let readers = Dictionary<struct (int * int), string>()
    // How far each partition was read by anyone, and how far it was committed.
    let read = Array.create partitions 0L
    let committed = Array.create partitions 0L
    let mutable number = 0

    let group =
        { GroupSettings.make "g" [ "t" ] with
            Protocol = protocol
            SessionTimeout = session
            HeartbeatInterval = ms 40
            RebalanceTimeout = ms 700
            CommitInterval = Some(ms 10)
            MetadataInterval = ms 500 }

    let committedOf (partition: int) : int64 =
        kafka.State.Groups.ById.TryFind "g"
        |> Option.bind (fun found -> found.Offsets.TryFind(struct ("t", partition)))
        |> Option.map _.Offset
        |> Option.defaultValue 0L

    let assigned (actor: Actor) (one: AssignedPartition) =
        let partition = one.Partition.Partition

        actor.Expected[partition] <-
            match one.Start with
            | Start.At position -> position.Offset
            | Start.Find _ -> 0L

        Expect.isLessThanOrEqual actor.Expected[partition] read[partition] ($"{partition}: no record is skipped by a new owner: " + about)

    let take (actor: Actor) (partition: int) (offsets: int64 list) =
        for offset in offsets do
            Expect.equal
                (Some offset)
                (Option.ofNullable (Nullable(actor.Expected.GetValueOrDefault(partition, -1L))))
                ($"{partition}: each record follows the one before: " + about)
            actor.Expected[partition] <- offset + 1L
            read[partition] <- max read[partition] (offset + 1L)

        let generation = actor.Consumer.Membership.GenerationOrEpoch

        match readers.TryGetValue(struct (partition, generation)) with
        | true, other -> Expect.equal other actor.Name ($"{partition}: one reader in generation {generation}: " + about)
        | _ -> readers[struct (partition, generation)] <- actor.Name

        Figures.add "5. records read by members" offsets.Length

    let forget (actor: Actor) (some: TopicPartition list) =
        for partition in some do
            actor.Expected.Remove partition.Partition |> ignore

    let poll (actor: Actor) =
        match guarded (fun () -> actor.Consumer.Poll(ms 2)) |> Option.flatten with
        | Some(GroupEvent.Read(ConsumerEvent.Fetched(partition, records, _, _))) ->
            FetchedRecords.toList records |> ok |> List.map _.Offset |> take actor partition.Partition
        | Some(GroupEvent.Assigned all) -> List.iter (assigned actor) all
        | Some(GroupEvent.Revoking some)
        | Some(GroupEvent.Lost(some, _)) -> forget actor some
        | Some(GroupEvent.Failed failure) when failure.IsFatal -> failtestf "%O: %s" failure about
        | _ -> ()

    /// What is committed was read, and it does not go back.
    let checkCommitted () =
        for partition in 0 .. partitions - 1 do
            let now = committedOf partition
            Expect.isLessThanOrEqual now read[partition] ($"{partition}: nothing is committed that was not read: " + about)
            if not pauses then
                Expect.isGreaterThanOrEqual now committed[partition] ($"{partition}: no committed position is lost: " + about)
            committed[partition] <- now

    let someActor (use': Actor -> unit) = if actors.Count > 0 then use' actors[random.Next actors.Count]

    member _.Come() =
        if actors.Count < 4 then
            number <- number + 1
            let name = $"member-{number}"
            let client = { impatient with ClientId = name; CallTimeout = ms 200; ConnectTimeout = ms 300; Observe = thrower.Observe }
            actors.Add(Actor(name, new GroupConsumer(client, bootstrap kafka, group, reading)))

    /// The member is not polled any more, and the coordinator removes it after the session time-out.
    member _.Kill() =
        someActor (fun actor ->
            actors.Remove actor |> ignore
            killed.Add actor
            Figures.add "5. members killed" 1)

    member _.Leave() =
        someActor (fun actor ->
            actors.Remove actor |> ignore
            guarded (fun () -> actor.Consumer.Close()) |> ignore)

    /// The member stands still for longer than its session, and then continues.
    member _.Pause() =
        someActor (fun actor ->
            actor.PausedUntil <- clock.Elapsed + 1.5 * session
            Figures.add "5. members paused" 1)

    /// The cluster answers nothing to the member for a while.
    member _.Isolate() =
        someActor (fun actor ->
            kafka.Script.On(RequestFilter(ClientId = actor.Name), Reaction.Ignore, 3 + random.Next 10) |> ignore
            Figures.add "5. members cut off from the cluster" 1)

    member _.Poll() =
        for actor in List.ofSeq actors do
            if clock.Elapsed >= actor.PausedUntil then poll actor

        checkCommitted ()

    member this.Finish() =
        this.Come()
        let patience = Stopwatch.StartNew()
        let finish (partition: int) = kafka.State.Topics["t"].Partitions[partition].Log.End
        let isDone (partition: int) = read[partition] = finish partition && committedOf partition = finish partition

        while not (List.forall isDone [ 0 .. partitions - 1 ]) do
            if patience.Elapsed > ms 20_000 then
                failtestf "read %A, committed %A, ends %A: %s" read committed [ for i in 0 .. partitions - 1 -> finish i ] about

            this.Poll()

        for actor in List.ofSeq actors do
            actor.Consumer.Close() |> ignore

        checkCommitted ()

    interface IDisposable with
        member _.Dispose() =
            for actor in Seq.append actors killed do
                (actor.Consumer :> IDisposable).Dispose()

let private run (protocol: GroupProtocol) (pauses: bool) (steps: int) (seed: int) =
    use kafka = TestBroker.Start 3
    kafka.Topic("t", partitions, 3)
    kafka.Change(fun state -> shorten state)
    let random = Random seed
    let thrower = Thrower("5. exceptions of an observer", random.Next(), IsOn = true)
    use members = new Members(kafka, protocol, random, thrower, $"seed {seed}", pauses)
    let faults = Faults(kafka, [ "t" ], random.Next(), Pauses = pauses)
    let further = [ members.Kill; members.Kill; members.Pause; members.Isolate; members.Isolate ]
    let mutable value = 0

    for _ in 1..steps do
        match random.Next 30 with
        | 0
        | 1
        | 2 -> members.Come()
        | 3 -> members.Leave()
        | 4 -> further[random.Next further.Length]()
        | 5
        | 6 -> faults.Strike()
        | 7 -> if random.Next 2 = 0 then faults.Calm()
        | _ ->
            let values =
                [ for _ in 0 .. random.Next 3 ->
                      (value <- value + 1
                       string value) ]
            kafka.Produce("t", random.Next partitions, List.mapi record values) |> ignore

        members.Poll()

    faults.Calm()
    thrower.IsOn <- false
    members.Finish()
    faults.DemandClosed()
    Figures.add "5. faults" faults.Count
    demandSound kafka

let private protocols =
    [ "range", GroupProtocol.Classic [ Assignors.range ]
      "cooperative-sticky", GroupProtocol.Classic [ Assignors.cooperativeSticky ]
      "the new protocol", GroupProtocol.Consumer None ]

[<Tests>]
let tests =
    testList
        "5 groups: one reader in a generation, and no committed position is lost"
        [ for name, protocol in protocols do
              for pauses in [ false; true ] do
                  testCase (name + (if pauses then ", with brokers that pause" else "")) (fun () ->
                      for round in 1 .. (if isLong then 10 else 1) do
                          run protocol pauses (if isLong then 800 else 250) (seed + round)) ]
