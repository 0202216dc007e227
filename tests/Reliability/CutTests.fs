/// Invariants 3, 4 and 5 across a connection that is cut at every byte of every request and response of a run: nothing is lost, doubled or
/// out of order.
module LibKafka.Reliability.CutTests

open System
open System.Collections.Generic
open System.Diagnostics
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Client
open LibKafka.Groups
open LibKafka.Protocol
open LibKafka.Testing
open LibKafka.Topics
open LibKafka.Reliability.Support

let private partitions = 2

/// A run of a client on a topic of its own, which fails the test if anything is lost, doubled or out of order.
type private Subject = { Name: string; Options: unit -> TestBrokerOptions; Run: TestBroker -> string -> unit }

let private plain () = TestBrokerOptions(AutoCreateTopics = false)

let private on (topic: string) (partition: int) : TopicPartition = { Topic = topic; Partition = partition }

// ---- Producers ----

let private eager: TopicProducerSettings =
    let standard = TopicProducerSettings.standard

    { standard with
        Batches = { standard.Batches with MaxBatchBytes = 150; Linger = TimeSpan.Zero }
        Retry = quickly standard.Retry }

/// The records of a partition in the order in which they were added, each once.
let private demandAll (kafka: TestBroker) (topic: string) (expected: string list list) =
    for partition, values in List.indexed expected do
        Expect.equal (logOf kafka topic partition |> List.map snd) values $"the log of partition {partition}"

let private topicProducer (kafka: TestBroker) (topic: string) =
    use producer =
        (quickly RetryPolicy.connect).Run(fun call -> TopicProducer.Open(settings, bootstrap kafka, topic, eager, call)) |> ok

    let values = [ for partition in 0 .. partitions - 1 -> [ for number in 1..8 -> $"{partition}-{number}" ] ]
    let tickets = Dictionary<Ticket, string>()
    let delivered = Dictionary<int64, Delivered>()

    let take (events: ProducerEvent list) =
        for event in events do
            match event with
            | ProducerEvent.Delivered one -> delivered.Add(one.Batch, one)
            | other -> failtestf "%O" other

    for number in 0..7 do
        for partition in 0 .. partitions - 1 do
            let value = values[partition][number]

            match producer.Add(partition, NullableSpan.Null, Bytes.ofString value, ReadOnlySpan.Empty, 0L) with
            | Added.Collected ticket -> tickets.Add(ticket, value)
            | other -> failtestf "%O" other

        take (producer.Poll(ms 1))

    take (producer.Flush minute)
    demandAll kafka topic values

    for entry in tickets do
        let offset = delivered[entry.Key.Batch].OffsetOf entry.Key
        if offset >= 0L then
            Expect.contains (logOf kafka topic entry.Key.Partition) (offset, entry.Value) "the record is where its ticket says"

let private idempotentProducer (kafka: TestBroker) (topic: string) =
    let request () =
        match Cluster.Connect(settings, bootstrap kafka) with
        | Error fault -> Error(fault.ToString())
        | Ok connection ->
            use connection = connection

            ProducerIdentity.Request(connection).Result |> Result.mapError string

    let identity = persistently "an identity" 1000 request
    use client = new PartitionClient(settings, bootstrap kafka, on topic 0)
    let producer = IdempotentProducer(client, ProducerSettings.standard, identity)

    for number in 1..6 do
        let batch = batchOf [ $"{number}-a"; $"{number}-b" ]

        match (quickly RetryPolicy.idempotent).Run(fun call -> producer.Produce(batch, call)).Result with
        | ProduceResult.Acknowledged _ -> ()
        | other -> failtestf "batch %d: %O" number other

    demandAll
        kafka
        topic
        [ [ for number in 1..6 do
                yield! [ $"{number}-a"; $"{number}-b" ] ] ]

/// Each transaction is repeated from its beginning until it is committed.
let private transactions (kafka: TestBroker) (topic: string) =
    use transaction = new TransactionClient(settings, bootstrap kafka, topic)
    let standard () = quickly RetryPolicy.standard

    let succeed (what: string) (error: ErrorCode) (result: Result<'T, 'Failure>) =
        match result with
        | Ok _ when not error.IsError -> ()
        | other -> failtestf "%s: %O %A" what error other

    let init = standard().Run(fun call -> transaction.InitProducerId(minute, call))
    succeed "the identity" init.Error init.Result

    let produce (number: int) (partition: int) : bool =
        let producer = transaction.Producer(on topic partition)
        let batch = batchOf [ $"{number}-{partition}" ]
        let reply = (quickly RetryPolicy.idempotent).Run(fun call -> producer.Produce(batch, call))
        reply.Result.IsAcknowledged

    let attempt (number: int) : bool =
        let added = standard().Run(fun call -> transaction.AddPartitions([ on topic 0; on topic 1 ], call))
        succeed "the partitions" added.Error added.Result
        produce number 0 && produce number 1

    let rec until (number: int) (isAborting: bool) =
        if attempt number then
            let reply = standard().Run(fun call -> if isAborting then transaction.Abort call else transaction.Commit call)
            succeed "the end" reply.Error reply.Result
        else
            let aborted = standard().Run(fun call -> transaction.Abort call)
            succeed "the abort" aborted.Error aborted.Result
            let raised = standard().Run(fun call -> transaction.RaiseEpoch(minute, call))
            succeed "the epoch" raised.Error raised.Result
            until number isAborting

    until 1 false
    until 2 true
    until 3 false

    // The markers are written shortly after the end.
    let isWritten (partition: int) = committedOf kafka topic partition |> List.map snd = [ $"1-{partition}"; $"3-{partition}" ]

    awaiting "the committed records, each once and in order" (ms 5_000) (fun () -> isWritten 0 && isWritten 1)

// ---- Readers ----

let private fill (kafka: TestBroker) (topic: string) : (int64 * string) list list =
    [ for partition in 0 .. partitions - 1 ->
          [ for number in 0..2 do
                let values = [ $"{partition}-{number}-a"; $"{partition}-{number}-b" ]
                let first = kafka.Produce(topic, partition, List.mapi record values)
                yield! values |> List.mapi (fun index value -> first + int64 index, value) ] ]

let private recordsIn (records: FetchedRecords) : (int64 * string) list =
    FetchedRecords.toList records |> ok |> List.map (fun record -> record.Offset, textOf record.Value)

let private reading: ConsumerSettings =
    let next = NextStep.retrying (quickly (RetryPolicy.patient (fun () -> true)))
    { ConsumerSettings.standard with
        NextStep = next
        Fetching = { FetcherSettings.standard with MaxWait = ms 20; MaxBytes = 150; UseSession = true } }

let private consumer (kafka: TestBroker) (topic: string) =
    let expected = fill kafka topic
    use consumer = new TopicConsumer(settings, bootstrap kafka, reading)

    for partition in 0 .. partitions - 1 do
        consumer.Add(on topic partition, Start.atOffset 0L)

    let read = [| for _ in 1..partitions -> List<int64 * string>() |]
    let patience = Stopwatch.StartNew()
    let isDone () = Array.forall2 (fun (found: List<_>) all -> found.Count >= List.length all) read (Array.ofList expected)

    while not (isDone ()) do
        if patience.Elapsed > ms 10_000 then
            failtest "the reader does not reach the end"

        match consumer.Poll(ms 100) with
        | Some(ConsumerEvent.Fetched(partition, records, _, _)) -> read[partition.Partition].AddRange(recordsIn records)
        | Some(ConsumerEvent.Failed _)
        | None -> ()
        | Some other -> failtestf "%O" other

    for partition, records in List.indexed expected do
        Expect.equal (List.ofSeq read[partition]) records $"every record of partition {partition} once and in order"

let private committedIn (kafka: TestBroker) (group: string) (topic: string) (partition: int) : int64 =
    match kafka.State.Groups.ById.TryFind group with
    | Some found ->
        match found.Offsets.TryFind(struct (topic, partition)) with
        | Some offset -> offset.Offset
        | None -> -1L
    | None -> -1L

/// Reads everything, commits and leaves.
let private member' (protocol: GroupProtocol) (kafka: TestBroker) (topic: string) =
    let expected = fill kafka topic

    let group =
        { GroupSettings.make ("group-" + topic) [ topic ] with
            Protocol = protocol
            CommitInterval = None
            HeartbeatInterval = ms 20 }

    use consumer = new GroupConsumer(settings, bootstrap kafka, group, reading)
    let next = Array.create partitions 0L
    let patience = Stopwatch.StartNew()
    let isRead () = List.forall (fun partition -> next[partition] >= int64 expected[partition].Length) [ 0 .. partitions - 1 ]

    let poll () =
        match consumer.Poll(ms 100) with
        | Some(GroupEvent.Read(ConsumerEvent.Fetched(partition, records, _, _))) ->
            for offset, value in recordsIn records do
                let _, written = expected[partition.Partition][int offset]
                Expect.equal value written "the value at the offset"
                Expect.equal offset next[partition.Partition] "the record follows the one before"
                next[partition.Partition] <- offset + 1L
        // Nothing was committed, so it begins again.
        | Some(GroupEvent.Assigned all) ->
            for one in all do
                match one.Start with
                | Start.At position -> next[one.Partition.Partition] <- position.Offset
                | Start.Find _ -> next[one.Partition.Partition] <- 0L
        | Some(GroupEvent.Failed failure) -> failtestf "%O" failure
        | _ -> ()

    let isCommitted () =
        [ 0 .. partitions - 1 ]
        |> List.forall (fun partition -> committedIn kafka group.GroupId topic partition = int64 expected[partition].Length)

    while not (isRead () && isCommitted ()) do
        if patience.Elapsed > ms 15_000 then
            failtestf "the member does not reach the end: %A" (List.ofArray next)
        if isRead () && consumer.Partitions.Length = partitions then
            consumer.Commit() |> ignore
        if not (isCommitted ()) then poll ()

    consumer.Close() |> ignore
    Expect.isTrue (isCommitted ()) "the committed offsets stay"

// ---- Authentication ----

let private authenticating (sasl: ISaslMechanism) (kafka: TestBroker) (_: string) =
    let settings = { settings with Sasl = Some sasl }
    use connection = (quickly RetryPolicy.connect).Run(fun call -> Cluster.Connect(settings, bootstrap kafka, call)) |> ok
    let reply = Cluster.Metadata(connection, Some [])

    match reply.Result with
    | Ok response -> Expect.equal response.Brokers.Length 1 "the brokers"
    // The call itself may be cut: it is a fault that is worth a repetition.
    | Error fault -> Expect.isTrue fault.IsTransient (fault.ToString())

let private users () = TestBrokerOptions(Users = [ KeyValuePair("orders", "s3cret") ])

let private subjects: Subject list =
    [ { Name = "3 a topic producer"; Options = plain; Run = topicProducer }
      { Name = "3 an idempotent producer"; Options = plain; Run = idempotentProducer }
      { Name = "3 transactions"; Options = plain; Run = transactions }
      { Name = "3 transactions of version 1"
        Options = (fun () -> TestBrokerOptions(AutoCreateTopics = false, TransactionVersion = 1))
        Run = transactions }
      { Name = "4 a consumer"; Options = plain; Run = consumer }
      { Name = "5 a member of a classic group"
        Options = plain
        Run = member' (GroupProtocol.Classic [ Assignors.cooperativeSticky ]) }
      { Name = "5 a member of a group of the new protocol"; Options = plain; Run = member' (GroupProtocol.Consumer None) }
      { Name = "7 authentication by PLAIN"; Options = users; Run = authenticating (Sasl.plain "orders" "s3cret") }
      { Name = "7 authentication by SCRAM"; Options = users; Run = authenticating (Sasl.scramSha256 "orders" "s3cret") } ]

/// A cluster, and runs on it through a relay.
[<Sealed>]
type private Bench(subject: Subject) =
    let kafka = TestBroker.Start(subject.Options())
    let relay = new ByteRelay(kafka)
    let mutable number = 0

    /// Runs the subject after the relay was told what to do.
    member _.Run(arm: ByteRelay -> unit) =
        number <- number + 1
        let topic = $"run{number:D5}"
        kafka.Topic(topic, partitions)
        arm relay
        subject.Run kafka topic
        awaiting "the connections to end" (ms 5_000) (fun () -> relay.Live = 0)
        demandSound kafka

    member _.Relay = relay

    interface IDisposable with
        member _.Dispose() =
            (relay :> IDisposable).Dispose()
            kafka.Dispose()

/// All bytes in the long form; in the short one some of those at the ends of frames, and some others.
let private places (random: Random) (size: int64) (ends: int64 list) : int64 list =
    if isLong then
        [ 0L .. size - 1L ]
    else
        [ yield! [ 0L; 1L; 4L; size - 1L ]
          for _ in 1..8 -> random.NextInt64 size
          for at in List.truncate 12 (List.sortBy (fun _ -> random.Next()) ends) -> at ]
        |> List.filter (fun at -> at >= 0L && at < size)
        |> List.distinct
        |> List.sort

let private cutEverywhere (subject: Subject) () =
    let random = Random seed

    let all =
        use bench = new Bench(subject)
        bench.Run _.Count()
        bench.Run _.Count()

        [ for direction in [ Direction.Requests; Direction.Responses ] do
              for at in places random (bench.Relay.Passed direction) (bench.Relay.Ends direction) -> direction, at ]

    // A cluster is used for some runs only, so that its state stays small.
    for some in List.chunkBySize 100 all do
        use bench = new Bench(subject)
        bench.Run _.Count()

        for direction, at in some do
            try
                bench.Run(fun relay -> relay.CutAt(direction, at))
            with failure ->
                failtestf "cut at byte %d of the %s (seed %d): %s" at (string direction) seed (failure.ToString())

        Figures.add ("3-5. connections cut in " + subject.Name.Substring 2) bench.Relay.Cuts

[<Tests>]
let tests =
    testList "a connection is cut at every byte" [ for subject in subjects -> testCase subject.Name (cutEverywhere subject) ]
