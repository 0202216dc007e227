/// Consuming, transforming and producing exactly once.
module LibKafka.Integration.ExactlyOnceTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
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

let private at (topic: string) (partition: int) : TopicPartition = { Topic = topic; Partition = partition }
let private newName () = "libkafka-test-" + Guid.NewGuid().ToString "N"

let private settingsWith (isStable: bool) (groupId: string) (source: string) (id: string) (protocol: GroupProtocol) : ExactlyOnceSettings =
    let settings = ExactlyOnceSettings.make groupId [ source ] id

    { settings with
        Group =
            { settings.Group with
                Protocol = protocol
                SessionTimeout = ms 6_000
                HeartbeatInterval = ms 200
                RebalanceTimeout = ms 20_000
                RequireStable = isStable }
        // Small fetches in transactions of their own, so that there are many.
        TransactionInterval = TimeSpan.Zero
        Reading = { settings.Reading with Fetching = { FetcherSettings.standard with MaxWait = ms 100; MaxBytes = 1 } } }

let private settingsOf = settingsWith true

/// Appends batches of two records with these numbers.
let private write (cluster: TestCluster) (topic: string) (partition: int) (first: int) (count: int) =
    use client = new PartitionClient(cluster.Settings(), cluster.Brokers, at topic partition)
    let producer = new PartitionProducer(client, ProducerSettings.standard)

    for i in first..2 .. first + count - 1 do
        let batch = batchOf (List.init 2 (fun index -> record index ($"{partition}/{i + index}")))
        acknowledged (RetryPolicy.standard<Produced>.Run(fun call -> producer.Produce(batch, call))) |> ignore

let private valuesIn (records: FetchedRecords) : string list =
    FetchedRecords.toList records
    |> ok
    |> List.map (fun record -> record.Value |> ValueOption.map Bytes.toText |> ValueOption.defaultValue "null")

/// Copies each record with `copied/` before its value.
let private copying (target: string) =
    Transform(fun _ records output ->
        for value in valuesIn records do
            let bytes = Bytes.ofString ("copied/" + value)
            output.Add(target, NullableSpan.op_Implicit bytes, NullableSpan.op_Implicit bytes))

/// The committed records of a topic, in any order, when there are so many.
let private committed (cluster: TestCluster) (topic: string) (partitions: int) (count: int) : string list =
    let fetching = { FetcherSettings.standard with MaxWait = ms 100; IsolationLevel = IsolationLevel.ReadCommitted }
    // The checksums of the mock cluster's control batches are wrong.
    let step = if isMock cluster then NextStep.skippingDamage NextStep.standard else NextStep.standard
    let reading = { ConsumerSettings.standard with Fetching = fetching; NextStep = step }
    use consumer = new TopicConsumer(cluster.Settings(), cluster.Brokers, reading)

    for partition in 0 .. partitions - 1 do
        consumer.Add(at topic partition, Start.earliest)

    let read = List<string>()
    let sinceTheLast = Stopwatch.StartNew()
    // A while longer, for what should not be there.
    let mutable extra = 0

    while extra < 5 do
        if read.Count >= count then extra <- extra + 1
        if sinceTheLast.Elapsed > ms 30_000 then
            failtestf "%d records are committed instead of %d" read.Count count

        match consumer.Poll(ms 200) with
        | Some(ConsumerEvent.Fetched(_, records, _, _)) ->
            read.AddRange(valuesIn records)
            sinceTheLast.Restart()
        | Some(ConsumerEvent.Damaged _) when isMock cluster -> ()
        | Some other -> failtestf "%O" other
        | None -> ()

    List.ofSeq read

let private copied (partitions: int) (count: int) : string list =
    List.sort
        [ for partition in 0 .. partitions - 1 do
              for i in 0 .. count - 1 -> $"copied/{partition}/{i}" ]

/// Polls until so many records have been committed in transactions.
let private runUntil (count: int) (copy: ExactlyOnce) =
    let sinceTheLast = Stopwatch.StartNew()
    let mutable done' = 0

    while done' < count do
        if sinceTheLast.Elapsed > ms 60_000 then
            failtestf "%d records were copied instead of %d" done' count

        match copy.Poll(ms 200) with
        | Some(ExactlyOnceEvent.Committed(_, records)) ->
            done' <- done' + records
            sinceTheLast.Restart()
        | Some(ExactlyOnceEvent.Failed problem) -> failtestf "%O" problem
        | _ -> ()

let private inThread (work: unit -> unit) : Thread * (unit -> unit) =
    let mutable failure: exn option = None

    let run () =
        try
            work ()
        with error ->
            failure <- Some error

    let thread = Thread(run, IsBackground = true)
    thread.Start()
    thread, (fun () -> failure |> Option.iter (fun error -> failtestf "%O" error))

let private classic = "classic", GroupProtocol.Classic [ Assignors.cooperativeSticky ]
let private modern = "new protocol", GroupProtocol.Consumer None

/// Brokers before Kafka 2.5 cannot wait for transactions before they return a committed offset.
let private stable (cluster: TestCluster) = cluster.Requires(ApiKey.OffsetFetch, 7s)

let private oneAfterAnother (cluster: TestCluster) =
    testCase "a copy continues where the last one was closed" (fun () ->
        if not (isMock cluster) then stable cluster
        cluster.WithTopic 3 (fun source ->
            cluster.WithTopic 2 (fun target ->
                let settings = settingsWith (not (isMock cluster)) (newName ()) source (newName ()) (snd classic)

                // The mock cluster does not keep the offsets that are committed in transactions.
                let rounds = if isMock cluster then 1 else 2

                for round in 0 .. rounds - 1 do
                    for partition in 0..2 do
                        write cluster source partition (round * 10) 10

                    use copy = new ExactlyOnce(cluster.Settings(), cluster.Brokers, settings, copying target)
                    runUntil 30 copy
                    Expect.equal (copy.Close()) (GroupLeave.Told ErrorCode.None) "it left"

                let expected = copied 3 (10 * rounds)
                Expect.equal (committed cluster target 2 expected.Length |> List.sort) expected "each record once")))

/// Copies each record to two topics.
let private copyingToBoth (first: string) (second: string) =
    let toFirst, toSecond = copying first, copying second

    Transform(fun from records output ->
        toFirst.Invoke(from, records, output)
        toSecond.Invoke(from, records, output))

let private inOne (cluster: TestCluster) =
    testCase "one transaction takes the input of several partitions, and its output goes to several topics" (fun () ->
        if not (isMock cluster) then stable cluster
        cluster.WithTopic 3 (fun source ->
            cluster.WithTopic 2 (fun first ->
                cluster.WithTopic 3 (fun second ->
                    for partition in 0..2 do
                        write cluster source partition 0 10

                    let settings = settingsWith (not (isMock cluster)) (newName ()) source (newName ()) (snd classic)
                    let settings = { settings with TransactionInterval = ms 1_500 }
                    use copy = new ExactlyOnce(cluster.Settings(), cluster.Brokers, settings, copyingToBoth first second)
                    let patience = Stopwatch.StartNew()
                    let commits = List<(TopicPartition * FetchPosition) list * int>()

                    while commits |> Seq.sumBy snd < 60 do
                        if patience.Elapsed > ms 60_000 then failtestf "not all is copied: %A" commits

                        match copy.Poll(ms 200) with
                        | Some(ExactlyOnceEvent.Committed(positions, records)) -> commits.Add(positions, records)
                        | Some(ExactlyOnceEvent.Failed problem) -> failtestf "%O" problem
                        | _ -> ()

                    let positions = commits |> Seq.collect fst |> Map.ofSeq |> Map.toList
                    Expect.equal
                        (positions |> List.map (fun (from, next) -> from, next.Offset))
                        [ for partition in 0..2 -> at source partition, 10L ]
                        "how far the input was read"
                    Expect.isLessThan commits.Count 15 "several fetches in one transaction"
                    Expect.exists commits (fun (positions, _) -> positions.Length > 1) "several partitions in one transaction"
                    Expect.equal (committed cluster first 2 30 |> List.sort) (copied 3 10) "each record once in the first topic"
                    Expect.equal (committed cluster second 3 30 |> List.sort) (copied 3 10) "and in the second"))))

let private together (cluster: TestCluster) (name: string, protocol: GroupProtocol) =
    testCase ("copies that come and go copy each record once: " + name) (fun () ->
        if not protocol.IsClassic then
            cluster.Requires(ApiKey.ConsumerGroupHeartbeat, 1s)

        stable cluster

        cluster.WithTopic 4 (fun source ->
            cluster.WithTopic 2 (fun target ->
                let groupId = newName ()
                for partition in 0..3 do
                    write cluster source partition 0 40

                let run (stop: CancellationToken) () =
                    use copy =
                        new ExactlyOnce(
                            cluster.Settings(),
                            cluster.Brokers,
                            settingsOf groupId source (newName ()) protocol,
                            copying target
                        )

                    while not stop.IsCancellationRequested do
                        match copy.Poll(ms 200, stop) with
                        | Some(ExactlyOnceEvent.Failed problem) -> failtestf "%O" problem
                        | _ -> ()

                use first = new CancellationTokenSource()
                use others = new CancellationTokenSource()
                let one, checkOne = inThread (run first.Token)
                Thread.Sleep 1_500
                let two, checkTwo = inThread (run others.Token)
                Thread.Sleep 1_500
                first.Cancel()
                let three, checkThree = inThread (run others.Token)
                let result = committed cluster target 2 160
                others.Cancel()

                for thread in [ one; two; three ] do
                    thread.Join()

                List.iter (fun check -> check ()) [ checkOne; checkTwo; checkThree ]
                Expect.equal (List.sort result) (copied 4 40) "each record once")))

let private failing (cluster: TestCluster) =
    testCase "what a failed transform has added is aborted, and its records are transformed again" (fun () ->
        stable cluster

        cluster.WithTopic 1 (fun source ->
            cluster.WithTopic 1 (fun target ->
                write cluster source 0 0 10
                let copying = copying target
                let mutable calls = 0

                let transform =
                    Transform(fun from records output ->
                        copying.Invoke(from, records, output)
                        calls <- calls + 1

                        if calls = 2 then
                            // The first part is sent before it fails.
                            output.Deliver()
                            failwith "the transform failed")

                use copy =
                    new ExactlyOnce(
                        cluster.Settings(),
                        cluster.Brokers,
                        settingsOf (newName ()) source (newName ()) (snd classic),
                        transform
                    )
                Expect.throwsC (fun () -> runUntil 10 copy) (fun error ->
                    Expect.equal error.Message "the transform failed" "its own exception")
                runUntil 8 copy
                Expect.equal (committed cluster target 1 10 |> List.sort) (copied 1 10) "each record once")))

let private failingTogether (cluster: TestCluster) =
    testCase "if a transform fails, the input of all partitions of the transaction is read again" (fun () ->
        stable cluster

        cluster.WithTopic 3 (fun source ->
            cluster.WithTopic 1 (fun target ->
                for partition in 0..2 do
                    write cluster source partition 0 6

                let copying = copying target
                let mutable calls = 0

                let transform =
                    Transform(fun from records output ->
                        calls <- calls + 1
                        if calls = 5 then failwith "the transform failed"
                        copying.Invoke(from, records, output)
                        // What has been added so far is sent before it fails.
                        if calls < 5 then output.Deliver())

                let settings = { settingsOf (newName ()) source (newName ()) (snd classic) with TransactionInterval = ms 5_000 }
                use copy = new ExactlyOnce(cluster.Settings(), cluster.Brokers, settings, transform)
                Expect.throwsC (fun () -> runUntil 18 copy) (fun error ->
                    Expect.equal error.Message "the transform failed" "its own exception")
                runUntil 18 copy
                Expect.equal (committed cluster target 1 18 |> List.sort) (copied 3 6) "each record once")))

let private removed (cluster: TestCluster) =
    testCase "a transaction is aborted if the member was removed from the group and has come back during the transform" (fun () ->
        stable cluster

        cluster.WithTopic 1 (fun source ->
            cluster.WithTopic 1 (fun target ->
                write cluster source 0 0 10
                let settings = settingsOf (newName ()) source (newName ()) (snd classic)
                let settings = { settings with Group = { settings.Group with HeartbeatThread = true } }
                let copying = copying target
                let mutable consumer: GroupConsumer option = None

                let remove (consumer: GroupConsumer) =
                    let before = consumer.Membership
                    use client = new GroupClient(cluster.Settings(), cluster.Brokers, settings.Group.GroupId)
                    client.Leave before |> ignore

                    // Only the heartbeat thread sees it.
                    awaiting "the member to be back" (fun () ->
                        consumer.Membership.MemberId <> before.MemberId && consumer.Partitions = [ at source 0 ])

                let transform =
                    Transform(fun from records output ->
                        copying.Invoke(from, records, output)
                        consumer |> Option.iter remove
                        consumer <- None)

                use copy = new ExactlyOnce(cluster.Settings(), cluster.Brokers, settings, transform)
                consumer <- Some copy.Consumer
                let mutable aborted = None

                awaiting "the abort" (fun () ->
                    match copy.Poll(ms 200) with
                    | Some(ExactlyOnceEvent.Aborted(partitions, problem)) -> aborted <- Some(partitions, problem)
                    | Some(ExactlyOnceEvent.Committed _) -> failtest "it was committed"
                    | _ -> ()

                    aborted.IsSome)

                match aborted with
                | Some(partitions, TransactionProblem.PartitionsLost _) -> Expect.equal partitions [ at source 0 ] "its input"
                | other -> failtestf "%O" other

                runUntil 10 copy
                Expect.equal (committed cluster target 1 10 |> List.sort) (copied 1 10) "each record once")))

let private fenced (cluster: TestCluster) =
    testCase "a copy whose transactional id is taken over fails, and has committed nothing more" (fun () ->
        stable cluster

        cluster.WithTopic 2 (fun source ->
            cluster.WithTopic 1 (fun target ->
                let groupId, id = newName (), newName ()
                let start () =
                    new ExactlyOnce(cluster.Settings(), cluster.Brokers, settingsOf groupId source id (snd classic), copying target)
                write cluster source 0 0 2
                write cluster source 1 0 2
                use first = start ()
                runUntil 4 first
                use second = start ()
                second.Poll(ms 200) |> ignore
                write cluster source 0 2 2
                write cluster source 1 2 2
                let patience = Stopwatch.StartNew()
                let mutable failed = None

                while failed.IsNone && patience.Elapsed < ms 60_000 do
                    second.Poll(ms 50) |> ignore

                    match first.Poll(ms 50) with
                    | Some(ExactlyOnceEvent.Failed problem) -> failed <- Some problem
                    | _ -> ()

                Expect.isSome failed "it failed"
                Expect.equal (first.Poll(ms 50) |> Option.map string) (failed |> Option.map string) "for good"
                first.Close() |> ignore
                let mutable done' = 0
                let more = Stopwatch.StartNew()

                while more.Elapsed < ms 3_000 do
                    match second.Poll(ms 100) with
                    | Some(ExactlyOnceEvent.Committed _) -> done' <- done' + 1
                    | Some(ExactlyOnceEvent.Failed problem) -> failtestf "%O" problem
                    | _ -> ()

                Expect.equal (committed cluster target 1 8 |> List.sort) (copied 2 4) "each record once")))

[<Tests>]
let tests =
    onEachAndEmbedded "exactly once" (fun cluster ->
        [ oneAfterAnother cluster
          inOne cluster

          if not (isMock cluster) then
              together cluster classic
              together cluster modern
              failing cluster
              failingTogether cluster
              removed cluster
              fenced cluster ])
