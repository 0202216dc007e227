/// Whole members of groups: alone, together, and together with Confluent.Kafka's.
module LibKafka.Integration.GroupConsumerTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Confluent.Kafka
open FSharp.Core
open Expecto
open LibKafka
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Integration.Clusters
open LibKafka.Integration.Support

type private Partitioned = LibKafka.Client.TopicPartition

let private at (topic: string) (partition: int) : Partitioned = { Topic = topic; Partition = partition }

let private newGroup () = "libkafka-test-" + Guid.NewGuid().ToString "N"

let private sessionOf (cluster: TestCluster) (protocol: GroupProtocol) =
    if protocol.IsClassic then cluster.Session else cluster.ConsumerSession

let private settingsOf (cluster: TestCluster) (groupId: string) (topic: string) (protocol: GroupProtocol) =
    { GroupSettings.make groupId [ topic ] with
        Protocol = protocol
        SessionTimeout = sessionOf cluster protocol
        HeartbeatInterval = ms 200
        RebalanceTimeout = ms 20_000
        MetadataInterval = ms 1_000
        CommitInterval = Some(ms 300) }

let private reading = { ConsumerSettings.standard with Fetching = { FetcherSettings.standard with MaxWait = ms 100 } }

/// Appends records `first`, `first + 1`, … to a partition, whose values are those numbers.
let private write (cluster: TestCluster) (topic: string) (partition: int) (first: int) (count: int) =
    use client = new PartitionClient(cluster.Settings(), cluster.Brokers, at topic partition)
    let producer = new PartitionProducer(client, ProducerSettings.standard)
    let batch = batchOf (List.init count (fun i -> record i ($"{partition}/{first + i}")))
    let reply = RetryPolicy.standard<Produced>.Run(fun call -> producer.Produce(batch, call))
    acknowledged reply |> ignore

let private valuesIn (records: FetchedRecords) : string list =
    FetchedRecords.toList records
    |> ok
    |> List.map (fun record -> record.Value |> ValueOption.map Bytes.toText |> ValueOption.defaultValue "null")

/// A member in a thread of its own.
type private Runner(cluster: TestCluster, group: GroupSettings, handle: FetchedRecords -> unit) =
    let gate = obj ()
    let read = List<string>()
    let events = List<GroupEvent>()
    let mutable held: Set<int> = Set.empty
    let mutable failure: exn option = None
    let mutable closed: GroupClosed option = None
    let mutable isKilled = false
    let stop = new CancellationTokenSource()

    let take (event: GroupEvent) =
        match event with
        | GroupEvent.Read(ConsumerEvent.Fetched(_, records, _, _)) ->
            handle records
            lock gate (fun () -> read.AddRange(valuesIn records))
        | GroupEvent.Failed failure -> failtestf "%s" (failure.ToString())
        | other -> lock gate (fun () -> events.Add other)

    let run () =
        let consumer = new GroupConsumer(cluster.Settings(), cluster.Brokers, group, reading)

        try
            while not stop.IsCancellationRequested do
                consumer.Poll(ms 200, stop.Token) |> Option.iter take
                lock gate (fun () -> held <- consumer.Partitions |> List.map _.Partition |> Set.ofList)

            if not isKilled then
                let result = consumer.Close()
                lock gate (fun () ->
                    closed <- Some result
                    held <- Set.empty)
        with error ->
            lock gate (fun () -> failure <- Some error)

    let thread = Thread(run, IsBackground = true)
    do thread.Start()

    let check () = failure |> Option.iter (fun error -> failtestf "a member failed: %O" error)

    new(cluster, group) = new Runner(cluster, group, ignore)

    /// The partitions that it has.
    member _.Held: Set<int> =
        lock gate (fun () ->
            check ()
            held)

    /// The records that it has read, in order.
    member _.Read: string list = lock gate (fun () -> List.ofSeq read)

    /// Its events other than records.
    member _.Events: GroupEvent list =
        lock gate (fun () ->
            check ()
            List.ofSeq events)

    /// Ends it without a word.
    member _.Kill() =
        isKilled <- true
        stop.Cancel()
        thread.Join(ms 30_000) |> ignore
        lock gate (fun () -> held <- Set.empty)

    /// Closes it, as Ctrl-C does in a program.
    member _.Stop() : GroupClosed =
        stop.Cancel()
        if not (thread.Join(ms 60_000)) then failtest "a member does not stop"
        lock gate (fun () ->
            check ()
            closed |> Option.defaultWith (fun () -> failtest "it was not closed"))

    interface IDisposable with
        member _.Dispose() =
            stop.Cancel()
            thread.Join(ms 60_000) |> ignore

/// Waits until the partitions are divided among the members, with these counts.
let private awaitShares (partitions: int) (counts: int list) (held: unit -> Set<int> list) =
    let patience = Stopwatch.StartNew()

    let isShared (sets: Set<int> list) =
        (sets |> List.map Set.count |> List.sort) = List.sort counts && Set.unionMany sets = Set.ofList [ 0 .. partitions - 1 ]

    let mutable now = held ()

    while not (isShared now) do
        if patience.Elapsed > ms 90_000 then
            failtestf "the shares %A were not reached: %A" counts now

        Thread.Sleep 50
        now <- held ()

let private awaitRead (count: int) (members: Runner list) =
    let patience = Stopwatch.StartNew()
    let read () = members |> List.collect _.Read |> List.distinct |> List.length

    while read () < count do
        if patience.Elapsed > ms 60_000 then
            failtestf "%d records were read instead of %d" (read ()) count
        members |> List.iter (fun one -> one.Events |> ignore)
        Thread.Sleep 50

let private all (partitions: int) (count: int) : string list =
    [ for partition in 0 .. partitions - 1 do
          for i in 0 .. count - 1 -> $"{partition}/{i}" ]

let private classic (assignor: Assignor) = assignor.Name, GroupProtocol.Classic [ assignor ]
let private modern = "the new protocol", GroupProtocol.Consumer None

let private protocols =
    [ classic Assignors.range
      classic Assignors.roundRobin
      classic Assignors.sticky
      classic Assignors.cooperativeSticky
      modern ]

let private requires (cluster: TestCluster) (protocol: GroupProtocol) =
    if not protocol.IsClassic then
        cluster.Requires(ApiKey.ConsumerGroupHeartbeat, 1s)

/// Members come and go in an orderly way.
let private together (cluster: TestCluster) (name: string, protocol: GroupProtocol) =
    testCase ("members share a topic, and every record is read once: " + name) (fun () ->
        requires cluster protocol

        cluster.WithTopic 6 (fun topic ->
            let group = settingsOf cluster (newGroup ()) topic protocol
            for partition in 0..5 do
                write cluster topic partition 0 10

            use first = new Runner(cluster, group)
            awaitShares 6 [ 6 ] (fun () -> [ first.Held ])
            use second = new Runner(cluster, group)
            awaitShares 6 [ 3; 3 ] (fun () -> [ first.Held; second.Held ])
            for partition in 0..5 do
                write cluster topic partition 10 10

            use third = new Runner(cluster, group)
            awaitShares 6 [ 2; 2; 2 ] (fun () -> [ first.Held; second.Held; third.Held ])
            let closed = first.Stop()
            Expect.isTrue (closed.Commit |> Option.forall _.IsStored) ("the last commit: " + closed.ToString())
            Expect.equal closed.Leave (GroupLeave.Told ErrorCode.None) "it left"
            awaitShares 6 [ 3; 3 ] (fun () -> [ second.Held; third.Held ])
            for partition in 0..5 do
                write cluster topic partition 20 10

            let members = [ first; second; third ]
            awaitRead 180 members
            let read = members |> List.collect _.Read
            // The mock cluster refuses the commits of a classic member as soon as a rebalance has begun.
            let isAgain = isMock cluster && protocol.IsClassic
            Expect.equal (List.sort (if isAgain then List.distinct read else read)) (List.sort (all 6 30)) "each record once"))

/// The assignments that a member has reported, as numbers of partitions.
let private assignments (runner: Runner) : int list list =
    runner.Events
    |> List.choose (fun event ->
        match event with
        | GroupEvent.Assigned partitions -> Some(partitions |> List.map _.Partition.Partition)
        | _ -> None)

let private waiting (cluster: TestCluster) (name: string, protocol: GroupProtocol) =
    testCase ("a member that joins and gets no partitions reports that, and waits for some: " + name) (fun () ->
        requires cluster protocol

        cluster.WithTopic 1 (fun topic ->
            let groupId = newGroup ()
            use first = new Runner(cluster, settingsOf cluster groupId topic protocol)
            awaitShares 1 [ 1 ] (fun () -> [ first.Held ])
            use second = new Runner(cluster, settingsOf cluster groupId topic protocol)
            awaiting "the first report" (fun () -> not (assignments second).IsEmpty)
            first.Stop() |> ignore
            awaiting "the second report" (fun () -> (assignments second).Length > 1)
            Expect.equal (assignments second) [ []; [ 0 ] ] "none, and then that of the first member")

        let missing = "libkafka-test-missing-" + Guid.NewGuid().ToString "N"
        use alone = new Runner(cluster, settingsOf cluster (newGroup ()) missing protocol)
        awaiting "the report without a topic" (fun () -> not (assignments alone).IsEmpty)
        Expect.equal (alone.Stop()).Leave (GroupLeave.Told ErrorCode.None) "it was in the group"
        Expect.equal (assignments alone) [ [] ] "nothing else")

let private killed (cluster: TestCluster) (name: string, protocol: GroupProtocol) =
    testCase ("the others continue to read the partitions of a member that dies: " + name) (fun () ->
        requires cluster protocol

        cluster.WithTopic 4 (fun topic ->
            let group = settingsOf cluster (newGroup ()) topic protocol
            use first = new Runner(cluster, group)
            use second = new Runner(cluster, group)
            awaitShares 4 [ 2; 2 ] (fun () -> [ first.Held; second.Held ])
            for partition in 0..3 do
                write cluster topic partition 0 10

            awaitRead 40 [ first; second ]
            first.Kill()
            for partition in 0..3 do
                write cluster topic partition 10 10

            awaitShares 4 [ 4 ] (fun () -> [ second.Held ])
            awaitRead 80 [ first; second ]
            let read = second.Read |> List.filter (fun value -> int (value.Split('/')[1]) >= 10)
            Expect.equal (List.sort read) (List.sort (List.except (all 4 10) (all 4 20))) "the rest, once"))

let private slow (cluster: TestCluster) (name: string, protocol: GroupProtocol) (hasThread: bool) =
    let what =
        if hasThread then
            "keeps its partitions with a heartbeat thread"
        else
            "loses its partitions without a heartbeat thread"

    testCase ($"a member whose handler takes longer than the session {what}: {name}") (fun () ->
        requires cluster protocol

        cluster.WithTopic 2 (fun topic ->
            let group =
                { settingsOf cluster (newGroup ()) topic protocol with HeartbeatThread = hasThread; RebalanceTimeout = ms 30_000 }
            write cluster topic 0 0 1
            let mutable handled = 0

            let handle (_: FetchedRecords) =
                handled <- handled + 1
                if handled = 1 then Thread.Sleep(1.5 * group.SessionTimeout)

            use slow = new Runner(cluster, group, handle)
            awaitRead 1 [ slow ]
            write cluster topic 1 0 1
            awaitRead 2 [ slow ]
            let isLost (event: GroupEvent) = event.IsLost
            Expect.equal (slow.Events |> List.exists isLost) (not hasThread) "whether it lost them"))

let private cancelled (cluster: TestCluster) =
    testCase "a poll ends when it is cancelled, and the member leaves" (fun () ->
        cluster.WithTopic 1 (fun topic ->
            let group = settingsOf cluster (newGroup ()) topic (GroupProtocol.Classic [ Assignors.range ])
            use consumer = new GroupConsumer(cluster.Settings(), cluster.Brokers, group, reading)
            awaiting "the partition" (fun () ->
                consumer.Poll(ms 100) |> ignore
                not consumer.Partitions.IsEmpty)

            use stop = new CancellationTokenSource(ms 300)
            let clock = Stopwatch.StartNew()

            while not stop.IsCancellationRequested do
                consumer.Poll(Timeout.InfiniteTimeSpan, stop.Token) |> ignore

            Expect.isLessThan clock.Elapsed (ms 5_000) "soon"
            Expect.equal (consumer.Close()).Leave (GroupLeave.Told ErrorCode.None) "it left"))

let private stopped (cluster: TestCluster) (name: string, protocol: GroupProtocol) =
    testCase ("a member that is stopped during a rebalance leaves at once, and the others have its partitions: " + name) (fun () ->
        requires cluster protocol

        cluster.WithTopic 2 (fun topic ->
            let group = settingsOf cluster (newGroup ()) topic protocol
            let join () = new GroupConsumer(cluster.Settings(), cluster.Brokers, group, reading)

            // Until Ctrl-C is pressed, and then the end of the program.
            let stop (consumer: GroupConsumer) (pressed: CancellationToken) =
                let clock = Stopwatch.StartNew()

                while not pressed.IsCancellationRequested do
                    consumer.Poll(Timeout.InfiniteTimeSpan, pressed) |> ignore

                let closed = consumer.Close()
                Expect.isLessThan clock.Elapsed (ms 2_500) "at once"
                Expect.equal closed.Leave (GroupLeave.Told ErrorCode.None) "it left"

            use staying = join ()

            awaiting "both partitions" (fun () ->
                staying.Poll(ms 100) |> ignore
                staying.Partitions.Length = 2)

            // The rebalance waits for the first member, which does not poll meanwhile. Before Kafka 2.2 (KIP-394), the second one has no id yet with
            // which it could leave.
            if cluster.Supports(ApiKey.JoinGroup, 4s) then
                use joining = join ()
                use pressed = new CancellationTokenSource(ms 500)
                stop joining pressed.Token

            // Now the first member is told to give up a partition, and is stopped instead.
            use last = new Runner(cluster, group)

            awaiting "the revocation" (fun () ->
                match staying.Poll(ms 100) with
                | Some(GroupEvent.Lost _ as lost) -> failtestf "%O" lost
                | event -> event |> Option.exists _.IsRevoking)

            use pressed = new CancellationTokenSource()
            pressed.Cancel()
            staying.Poll(Timeout.InfiniteTimeSpan, pressed.Token) |> ignore
            stop staying pressed.Token
            awaitShares 2 [ 2 ] (fun () -> [ last.Held ])))

let private foreignKilled (cluster: TestCluster) (name: string, protocol: GroupProtocol) =
    testCase ("our member continues to read the partitions of a process with Confluent.Kafka that is killed: " + name) (fun () ->
        requires cluster protocol

        cluster.WithTopic 4 (fun topic ->
            let group = settingsOf cluster (newGroup ()) topic protocol
            let session = if protocol.IsClassic then Some cluster.Session else None

            for partition in 0..3 do
                write cluster topic partition 0 10

            use theirs = new ForeignMember.ForeignMember(cluster.Bootstrap(), topic, group.GroupId, session)
            awaiting "the records" (fun () -> theirs.Committed.Length >= 40)
            use ours = new Runner(cluster, group)
            awaiting "half of the partitions" (fun () -> ours.Held.Count = 2)

            for partition in 0..3 do
                write cluster topic partition 10 100

            awaiting "records in both" (fun () -> ours.Read.Length >= 100 && theirs.Read.Length >= 60)
            theirs.Kill()
            awaitShares 4 [ 4 ] (fun () -> [ ours.Held ])
            let everything = all 4 110 |> Set.ofList
            awaiting "all records" (fun () -> Set.ofList (ours.Read @ theirs.Read) = everything)
            Expect.isEmpty (Set.intersect (Set.ofList ours.Read) (Set.ofList theirs.Committed)) "what was committed is not read again"))

let private commits (cluster: TestCluster) =
    testCase "a commit has a result for each partition" (fun () ->
        cluster.WithTopic 2 (fun topic ->
            let group =
                { settingsOf cluster (newGroup ()) topic (GroupProtocol.Classic [ Assignors.range ]) with CommitInterval = None }

            write cluster topic 0 0 5
            use consumer = new GroupConsumer(cluster.Settings(), cluster.Brokers, group, reading)
            let outcome (commit: GroupCommit) = commit.Partitions |> List.map (fun one -> one.Partition, one.Offset.Offset, one.Outcome)
            let mutable read = 0

            awaiting "the records" (fun () ->
                match consumer.Poll(ms 100) with
                | Some(GroupEvent.Read(ConsumerEvent.Fetched(_, records, _, _))) -> read <- read + (valuesIn records).Length
                | _ -> ()

                read = 5)

            Expect.contains (outcome (consumer.Commit())) (at topic 0, 5L, CommitOutcome.Stored) "what was handled"
            Expect.equal (outcome (consumer.Commit())) [] "nothing new"

            Expect.equal
                (outcome (consumer.Commit([ at topic 0, CommittedOffset.at 3L; at topic 7, CommittedOffset.at 1L ])))
                [ at topic 0, 3L, CommitOutcome.Stored; at topic 7, 1L, CommitOutcome.NotAssigned ]
                "given positions"

            consumer.Seek(at topic 0, Start.atOffset 4L)
            awaiting "the last record" (fun () ->
                match consumer.Poll(ms 100) with
                | Some(GroupEvent.Read(ConsumerEvent.Fetched(_, records, _, _))) -> valuesIn records = [ "0/4" ]
                | _ -> false)

            Expect.contains (outcome (consumer.Commit())) (at topic 0, 5L, CommitOutcome.Stored) "after the seek"
            Expect.equal (consumer.Close()).Commit None "no commit that was not asked for"))

let private patterns (cluster: TestCluster) (name: string, protocol: GroupProtocol) =
    testCase ("a pattern finds its topics, and those that come later: " + name) (fun () ->
        requires cluster protocol

        cluster.WithTopic 2 (fun topic ->
            let prefix = topic + "x"
            let group = { settingsOf cluster (newGroup ()) topic protocol with Subscription = Subscription.Pattern(prefix + ".*") }
            cluster.Create (prefix + "1") 1

            try
                use consumer = new GroupConsumer(cluster.Settings(), cluster.Brokers, group, reading)

                let awaitTopics (names: string list) =
                    awaiting "the topics" (fun () ->
                        consumer.Poll(ms 100) |> ignore
                        consumer.Partitions |> List.map _.Topic |> List.sort = names)

                awaitTopics [ prefix + "1" ]
                cluster.Create (prefix + "2") 1

                try
                    awaitTopics [ prefix + "1"; prefix + "2" ]
                finally
                    cluster.Delete(prefix + "2")
            finally
                cluster.Delete(prefix + "1")))

let private grows (cluster: TestCluster) (name: string, protocol: GroupProtocol) =
    testCase ("partitions that are added are read: " + name) (fun () ->
        requires cluster protocol

        cluster.WithTopic 1 (fun topic ->
            use member' = new Runner(cluster, settingsOf cluster (newGroup ()) topic protocol)
            awaitShares 1 [ 1 ] (fun () -> [ member'.Held ])
            use admin = new AdminClient(cluster.Settings(), cluster.Brokers)
            for _, result in (admin.CreatePartitions([ { Name = topic; Count = 3; Assignments = None } ], ms 15_000)).Result do
                ok result

            awaitShares 3 [ 3 ] (fun () -> [ member'.Held ])
            write cluster topic 2 0 5
            awaitRead 5 [ member' ]))

let private statics (cluster: TestCluster) (name: string, protocol: GroupProtocol) =
    testCase ("a static member that comes back has its partitions again, without a rebalance of the others: " + name) (fun () ->
        requires cluster protocol
        // Static members came with Kafka 2.3.
        cluster.Requires(ApiKey.JoinGroup, 5s)

        cluster.WithTopic 4 (fun topic ->
            let groupId = newGroup ()
            let settings name = { settingsOf cluster groupId topic protocol with InstanceId = Some name; SessionTimeout = ms 20_000 }
            use first = new Runner(cluster, settings "a")
            let second = new Runner(cluster, settings "b")
            awaitShares 4 [ 2; 2 ] (fun () -> [ first.Held; second.Held ])
            let before = second.Held
            let events = first.Events.Length
            let left = (second.Stop()).Leave
            Expect.isTrue (left = GroupLeave.Silent || left = GroupLeave.Told ErrorCode.None) "it stays a member"
            use again = new Runner(cluster, settings "b")
            awaitShares 4 [ 2; 2 ] (fun () -> [ first.Held; again.Held ])
            Expect.equal again.Held before "the same"
            let rebalanced = first.Events |> List.skip events |> List.filter (fun event -> event.IsRevoking || event.IsLost)
            Expect.isEmpty rebalanced "the other was not disturbed"))

let private mixed (cluster: TestCluster) (name: string) (protocol: GroupProtocol) (configure: ConsumerConfig -> unit) =
    testCase ("two of our members and one of Confluent.Kafka's read a topic: " + name) (fun () ->
        requires cluster protocol

        cluster.WithTopic 6 (fun topic ->
            let group = settingsOf cluster (newGroup ()) topic protocol
            use first = new Runner(cluster, group)
            use second = new Runner(cluster, group)
            awaitShares 6 [ 3; 3 ] (fun () -> [ first.Held; second.Held ])

            let config =
                ConsumerConfig(
                    BootstrapServers = cluster.Bootstrap(),
                    GroupId = group.GroupId,
                    EnableAutoCommit = false,
                    AutoOffsetReset = AutoOffsetReset.Earliest
                )

            configure config
            let theirRead = List<string>()

            use theirs =
                ConsumerBuilder<string, string>(config)
                    .SetPartitionsRevokedHandler(fun consumer partitions ->
                        if partitions.Count > 0 then
                            try
                                consumer.Commit partitions
                            with :? Confluent.Kafka.KafkaException ->
                                ())
                    .Build()

            theirs.Subscribe topic

            let theirShare () =
                match theirs.Consume(ms 20) with
                | null -> ()
                | result -> theirRead.Add result.Message.Value

                theirs.Assignment |> Seq.map _.Partition.Value |> Set.ofSeq

            awaitShares 6 [ 2; 2; 2 ] (fun () -> [ first.Held; second.Held; theirShare () ])
            for partition in 0..5 do
                write cluster topic partition 0 10

            awaiting "all records" (fun () ->
                theirShare () |> ignore
                first.Read.Length + second.Read.Length + theirRead.Count >= 60)

            try
                theirs.Commit() |> ignore
            with :? Confluent.Kafka.KafkaException ->
                // It has read nothing.
                ()

            theirs.Close()
            awaitShares 6 [ 3; 3 ] (fun () -> [ first.Held; second.Held ])
            for partition in 0..5 do
                write cluster topic partition 10 10

            awaiting "all records" (fun () -> first.Read.Length + second.Read.Length + theirRead.Count >= 120)
            let read = first.Read @ second.Read @ List.ofSeq theirRead
            Expect.equal (List.sort read) (List.sort (all 6 20)) "each record once"))

let private moves =
    testCase "a member follows its coordinator, which may forget the group or die" (fun () ->
        withMock 3 (fun mock ->
            let cluster: TestCluster =
                { Name = "a mock cluster"
                  IsSecured = false
                  Settings = (fun () -> patient)
                  Bootstrap = (fun () -> mock.Bootstrap)
                  CreateWith = (fun _ topic partitions -> mock.CreateTopic(topic, partitions, 3))
                  Delete = ignore
                  Session = ms 3_000
                  ConsumerSession = ms 30_000 }

            let group = settingsOf cluster "g" "t" (GroupProtocol.Classic [ Assignors.cooperativeSticky ])
            mock.CreateTopic("t", 2, 3)
            mock.SetLeader("t", 0, 3)
            mock.SetLeader("t", 1, 3)
            mock.SetCoordinator("group", "g", 1)

            let readNext (first: int) (member': Runner) =
                for partition in 0..1 do
                    write cluster "t" partition first 5

                awaitRead (2 * (first + 5)) [ member' ]

            use member' = new Runner(cluster, group)
            readNext 0 member'
            mock.SetCoordinator("group", "g", 2)
            readNext 5 member'
            mock.SetBrokerDown 2
            mock.SetCoordinator("group", "g", 3)
            readNext 10 member'
            awaitShares 2 [ 2 ] (fun () -> [ member'.Held ])
            Expect.equal (member'.Stop()).Leave (GroupLeave.Told ErrorCode.None) "it left"))

let private classicConfig (cluster: TestCluster) (strategy: PartitionAssignmentStrategy) (config: ConsumerConfig) =
    config.PartitionAssignmentStrategy <- strategy
    config.SessionTimeoutMs <- int cluster.Session.TotalMilliseconds
    config.HeartbeatIntervalMs <- 200

[<Tests>]
let tests =
    let each (cluster: TestCluster) =
        [ // The rebalances of the mock cluster take seconds.
          let isSlow = isMock cluster
          let both = [ classic Assignors.cooperativeSticky; modern ]

          for protocol in (if isSlow then both else protocols) do
              together cluster protocol

          killed cluster both.Head

          if not isSlow then
              killed cluster modern

              for protocol in both do
                  grows cluster protocol
                  statics cluster protocol
                  waiting cluster protocol
                  patterns cluster protocol
                  stopped cluster protocol
                  if not cluster.IsSecured then foreignKilled cluster protocol

                  if snd protocol |> sessionOf cluster < ms 10_000 then
                      slow cluster protocol true
                      slow cluster protocol false

          cancelled cluster
          commits cluster

          if not cluster.IsSecured then
              let classic name strategy assignor = mixed cluster name (GroupProtocol.Classic [ assignor ]) (classicConfig cluster strategy)

              classic "range" PartitionAssignmentStrategy.Range Assignors.range
              classic "cooperative-sticky" PartitionAssignmentStrategy.CooperativeSticky Assignors.cooperativeSticky

              if not (isMock cluster) then
                  mixed cluster "the new protocol" (GroupProtocol.Consumer None) (fun config ->
                      config.GroupProtocol <- Nullable Confluent.Kafka.GroupProtocol.Consumer) ]

    testList "members of groups" [ onEachAndEmbedded "group consumer" each; moves ]
