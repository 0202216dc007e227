/// Invariant 3: with the idempotent producer nothing is lost, doubled or out of order, across delays, leader moves, restarts, truncation,
/// epoch bumps and exceptions of the user's observer. Cuts are in CutTests.
module LibKafka.Reliability.ProducerTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Topics
open LibKafka.Reliability.Support

let private partitions = 3

/// What was added, what was reported, and what an unclean election has removed.
type private Book() =
    let tickets = Dictionary<Ticket, string>()
    let delivered = Dictionary<int64, Delivered>()
    let undelivered = Dictionary<int64, Undelivered>()
    let lost = List<int * int64 * string>()
    let mutable changes = 0

    member _.Tickets = tickets
    member _.Lost = lost

    member _.Take(events: ProducerEvent list) =
        for event in events do
            match event with
            | ProducerEvent.Delivered one -> delivered.Add(one.Batch, one)
            | ProducerEvent.Undelivered one -> undelivered.Add(one.Batch, one)
            | ProducerEvent.IdentityChanged _ -> changes <- changes + 1

    /// The law. Values are numbers that ascend in each partition.
    member _.Agrees(kafka: TestBroker, about: string) =
        let logs = [ for partition in 0 .. partitions - 1 -> logOf kafka "t" partition ]
        let places = logs |> List.map Map.ofList
        let counts = logs |> List.collect (List.map snd) |> List.countBy id |> Map.ofList
        let gone = HashSet<string>(lost |> Seq.map (fun (_, _, value) -> value))
        let countOf value = counts |> Map.tryFind value |> Option.defaultValue 0

        for log in logs do
            let values = log |> List.map (snd >> int)
            Expect.equal values (List.sort values) ("the order: " + about)

        for entry in counts do
            Expect.equal entry.Value 1 ($"{entry.Key} is in the logs once: " + about)

        for entry in tickets do
            let batch = entry.Key.Batch

            match delivered.TryGetValue batch, undelivered.TryGetValue batch with
            | (true, one), (false, _) ->
                let offset = one.OffsetOf entry.Key

                if not (gone.Contains entry.Value) then
                    Expect.equal (countOf entry.Value) 1 ($"{entry.Value} was delivered and is in the log: " + about)

                    if offset >= 0L then
                        Expect.equal (places[entry.Key.Partition].TryFind offset) (Some entry.Value) ("at its offset: " + about)
            | (false, _), (true, one) ->
                if not one.MayBeInLog then
                    Expect.equal (countOf entry.Value) 0 ($"{entry.Value} was not delivered and is in no log: " + about)
            | (true, _), (true, _) -> failtestf "batch %d was reported twice: %s" batch about
            | _ -> failtestf "batch %d was not reported: %s" batch about

        Figures.add "3. records delivered" (tickets.Keys |> Seq.filter (fun ticket -> delivered.ContainsKey ticket.Batch) |> Seq.length)
        Figures.add
            "3. records given up and reported"
            (tickets.Keys |> Seq.filter (fun ticket -> undelivered.ContainsKey ticket.Batch) |> Seq.length)
        Figures.add "3. new epochs and identities" changes
        Figures.add "3. records lost by unclean elections" lost.Count

/// Removes the last batches of a partition in a new leader epoch, and notes what they were.
let private truncate (kafka: TestBroker) (random: Random) (book: Book) () =
    let index = random.Next partitions

    kafka.Change(fun state ->
        let topic = state.Topics["t"]
        let partition = topic.Partitions[index]

        if partition.Log.Batches.IsEmpty then
            state
        else
            let first = max 0 (partition.Log.Batches.Count - 1 - random.Next 3)
            let offset = partition.Log.Batches[first].BaseOffset
            let removed = partition.Log.Batches |> Seq.skip first |> Seq.collect valuesIn
            book.Lost.AddRange(removed |> Seq.map (fun (offset, value) -> index, offset, value))
            let epoch = partition.LeaderEpoch + 1

            let changed =
                { partition with
                    Log = partition.Log |> Log.truncateTo offset |> Log.beginEpoch epoch
                    LeaderEpoch = epoch
                    Behind = partition.Behind |> Map.map (fun _ finish -> min finish offset) }

            { state with Topics = state.Topics.Add("t", { topic with Partitions = topic.Partitions.SetItem(index, changed) }) })

/// The broker refuses the sequence or the epoch, so that the producer begins another epoch.
let private fence (kafka: TestBroker) (random: Random) () =
    let code =
        [ ErrorCode.OutOfOrderSequenceNumber; ErrorCode.UnknownProducerId; ErrorCode.InvalidProducerEpoch ][random.Next 3]
    kafka.Script.On(ApiKey.Produce, Reaction.Fail code) |> ignore

type private Kind = { Name: string; Throws: bool; Truncates: bool }

let private producingOf (random: Random) : TopicProducerSettings =
    let standard = TopicProducerSettings.standard
    let linger = [ Timeout.InfiniteTimeSpan; TimeSpan.Zero; ms 2 ][random.Next 3]

    { standard with
        Batches = { standard.Batches with MaxBatchBytes = 300; MaxBufferedBytes = 3_000L; Linger = linger }
        MetadataAge = ms 100
        Retry = { quickly standard.Retry with MaxDelay = ms 20; Attempts = 3 + random.Next 10; TimeLimit = ms 3_000 } }

let private run (kind: Kind) (steps: int) (seed: int) =
    use kafka = TestBroker.Start 3
    kafka.Topic("t", partitions, 3)
    let random = Random seed
    let book = Book()
    let faults = Faults(kafka, [ "t" ], random.Next())
    let thrower = Thrower("3. exceptions of an observer", random.Next())

    faults.Further <- [ fence kafka random; if kind.Truncates then truncate kafka random book ]

    let client = { impatient with CallTimeout = ms 150; ConnectTimeout = ms 500; Observe = thrower.Observe }
    let producing = producingOf random

    use producer =
        (quickly RetryPolicy.connect).Run(fun call -> TopicProducer.Open(client, bootstrap kafka, "t", producing, call)) |> ok

    thrower.IsOn <- kind.Throws
    let mutable value = 0

    let rec guardedPoll (poll: unit -> ProducerEvent list) =
        match guarded poll with
        | Some events -> book.Take events
        | None -> ()

    let rec add (partition: int) (text: string) =
        match producer.Add(partition, NullableSpan.Null, Bytes.ofString text, ReadOnlySpan.Empty, 0L) with
        | Added.Collected ticket -> book.Tickets.Add(ticket, text)
        | Added.Full ->
            guardedPoll (fun () -> producer.Poll(ms 500))
            add partition text
        | Added.TooLarge -> failtest "too large"

    for _ in 1..steps do
        let partition = random.Next partitions

        for _ in 1 .. random.Next 12 do
            value <- value + 1
            add partition (string value)

        if random.Next 3 = 0 then faults.Strike()
        guardedPoll (fun () -> producer.Poll(ms (random.Next 4)))
        if random.Next 25 = 0 then faults.Calm()

    faults.Calm()
    thrower.IsOn <- false
    let patience = Stopwatch.StartNew()

    while producer.Outstanding > 0L do
        if patience.Elapsed > minute then failtest "the producer does not finish"
        book.Take(producer.Flush(ms 1_000))

    book.Take(producer.Poll TimeSpan.Zero)
    book.Agrees(kafka, $"{kind.Name}, seed {seed}")
    faults.DemandClosed()
    Figures.add "3. faults" faults.Count
    demandSound kafka

let private kinds =
    [ { Name = "delays, leader moves, restarts and epoch bumps"; Throws = false; Truncates = false }
      { Name = "the same, with an observer that throws"; Throws = true; Truncates = false }
      { Name = "the same, with truncation by unclean elections"; Throws = true; Truncates = true } ]

[<Tests>]
let tests =
    testList
        "3 an idempotent producer loses, doubles and reorders nothing"
        [ for kind in kinds do
              testCase kind.Name (fun () ->
                  for round in 1 .. (if isLong then 60 else 2) do
                      run kind (if isLong then 400 else 150) (seed + round)) ]
