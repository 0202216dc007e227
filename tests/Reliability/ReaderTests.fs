/// Invariant 4: a reader gets every committed record once and in order, across faults, exceptions of the observer, compaction, aborted
/// transactions and truncation.
module LibKafka.Reliability.ReaderTests

open System
open System.Collections.Generic
open System.Diagnostics
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Records
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Topics
open LibKafka.Reliability.Support

let private partitions = 3

/// The end of a transaction as its writer knows it.
type private Fate =
    | Committed
    | Aborted
    | Unsure

/// Writes transactions and single batches. Values begin with the number of the transaction, or with 0.
[<Sealed>]
type private TransactionWriter(kafka: TestBroker, random: Random, calm: unit -> unit) =
    let client = { impatient with ClientId = "writer"; CallTimeout = ms 150; ConnectTimeout = ms 500 }
    let transaction = new TransactionClient(client, bootstrap kafka, "writer")
    let fates = Dictionary<int, Fate>()
    let mutable number = 0
    let mutable value = 0
    let once (policy: RetryPolicy<'T>) = { quickly policy with Attempts = 4 }

    let next (prefix: int) : string =
        value <- value + 1
        $"{prefix}-{value}"

    // The transaction before must end first, which it does not while a leader of its partitions stands still.
    let renew () =
        let init (policy: RetryPolicy<_>) = policy.Run(fun call -> transaction.InitProducerId(minute, call))
        let isRenewed (reply: Reply) = not reply.Error.IsError && transaction.Identity.IsSome

        if not (isRenewed (init (once RetryPolicy.standard))) then
            calm ()
            let reply = init (quickly RetryPolicy.standard)
            if not (isRenewed reply) then failtestf "no identity: %O" reply.Error

    let partition (index: int) : TopicPartition = { Topic = "t"; Partition = index }

    let write (prefix: int) (index: int) : bool =
        let producer = transaction.Producer(partition index)

        let keyed (at: int) (value: string) = { record at value with Key = ValueSome(Bytes.ofString (string (random.Next 20))) }
        let values = [ for _ in 0 .. random.Next 3 -> next prefix ]
        let batch = BatchBuilder.build BatchOptions.standard (List.mapi keyed values) |> ok

        if producer.State.IsReady then
            let reply = (once RetryPolicy.idempotent).Run(fun call -> producer.Produce(batch, call))
            reply.Result.IsAcknowledged
        else
            false

    let finish (isWritten: bool) =
        let isCommitting = isWritten && random.Next 3 > 0
        // From before the request on, until its result is known.
        fates[number] <- if isCommitting then Unsure else Aborted

        let reply =
            (once RetryPolicy.standard).Run(fun call -> if isCommitting then transaction.Commit call else transaction.Abort call)

        match reply.Result with
        | Ok _ when not reply.Error.IsError -> if isCommitting then fates[number] <- Committed
        | _ -> renew ()

    do renew ()

    member _.Fates = fates

    /// A transaction on some partitions.
    member _.WriteTransaction() =
        number <- number + 1
        let some =
            [ for index in 0 .. partitions - 1 do
                  if random.Next 2 = 0 then partition index ]

        if not some.IsEmpty then
            let added = (once RetryPolicy.standard).Run(fun call -> transaction.AddPartitions(some, call))
            let isAdded = not added.Error.IsError && Result.isOk added.Result
            let isWritten = isAdded && List.forall (fun (one: TopicPartition) -> write number one.Partition) some
            finish isWritten

    /// A batch that is part of no transaction, appended without a client.
    member _.WriteBatch() =
        let keyed (at: int) = { record at (next 0) with Key = ValueSome(Bytes.ofString (string (random.Next 20))) }
        kafka.Produce("t", random.Next partitions, List.init (1 + random.Next 4) keyed) |> ignore

    interface IDisposable with
        member _.Dispose() = transaction.Close()

let private reading (isolation: IsolationLevel) : ConsumerSettings =
    let step (event: ConsumerEvent) =
        match event with
        | ConsumerEvent.Failed _ -> NextStep.Wait(ms 3)
        | other -> NextStep.standard other

    { ConsumerSettings.standard with
        NextStep = step
        Fetching = { FetcherSettings.standard with MaxWait = ms 5; MaxBytes = 300; IsolationLevel = isolation; UseSession = true } }

let private recordsIn (records: FetchedRecords) : (int64 * string) list =
    FetchedRecords.toList records |> ok |> List.map (fun record -> record.Offset, textOf record.Value)

/// What a reader has read of each partition, in order.
[<Sealed>]
type private Reader(kafka: TestBroker, isolation: IsolationLevel, thrower: Thrower, about: string) =
    let client =
        { impatient with ClientId = "reader"; CallTimeout = ms 150; ConnectTimeout = ms 500; Observe = thrower.Observe }

    let consumer = new TopicConsumer(client, bootstrap kafka, reading isolation)
    let views = [| for _ in 1..partitions -> SortedDictionary<int64, string>() |]
    let all = List<string>()

    do
        for index in 0 .. partitions - 1 do
            consumer.Add({ Topic = "t"; Partition = index }, Start.atOffset 0L)

    let lastOf (view: SortedDictionary<int64, string>) = if view.Count = 0 then -1L else Seq.last view.Keys

    let take (index: int) (records: (int64 * string) list) =
        for offset, value in records do
            Expect.isGreaterThan offset (lastOf views[index]) ("records come in order, each once: " + about)
            views[index].Add(offset, value)
            all.Add value

    member _.Poll() =
        match guarded (fun () -> consumer.Poll(ms 2)) |> Option.flatten with
        | Some(ConsumerEvent.Fetched(partition, records, _, _)) -> take partition.Partition (recordsIn records)
        | Some(ConsumerEvent.Truncated(partition, _, position)) ->
            Figures.add "4. truncations that a reader has noticed" 1
            let view = views[partition.Partition]

            for offset in view.Keys |> Seq.filter (fun offset -> offset >= position.Offset) |> List.ofSeq do
                view.Remove offset |> ignore
        | Some(ConsumerEvent.Failed _)
        | None -> ()
        | Some other -> failtestf "%O: %s" other about

    member _.View(index: int) : (int64 * string) list = [ for entry in views[index] -> entry.Key, entry.Value ]

    /// Every value that was read, also those that a truncation removed later.
    member _.All = all

    member _.Position(index: int) : int64 =
        match consumer.Position { Topic = "t"; Partition = index } with
        | Some position -> position.Offset
        | None -> -1L

    interface IDisposable with
        member _.Dispose() = (consumer :> IDisposable).Dispose()

let private drain (kafka: TestBroker) (reader: Reader) (about: string) =
    let patience = Stopwatch.StartNew()
    let finish (index: int) = kafka.State.Topics["t"].Partitions[index].Log.End

    // A reader whose position is the end of the log or after it would not need to fetch, and would not notice a truncation.
    for index in 0 .. partitions - 1 do
        while finish index <= reader.Position index do
            let last = { record 0 $"0-last-{index}-{finish index}" with Key = ValueSome(Bytes.ofString "last") }
            kafka.Produce("t", index, [ last ]) |> ignore

    while [ 0 .. partitions - 1 ] |> List.exists (fun index -> reader.Position index < finish index) do
        if patience.Elapsed > ms 20_000 then
            failtestf "the reader is at %A of %A: %s" [ for i in 0..2 -> reader.Position i ] [ for i in 0..2 -> finish i ] about

        reader.Poll()

let private withFaults
    (steps: int)
    (seed: int)
    (about: string)
    (isolation: IsolationLevel)
    (further: TestBroker -> Random -> (unit -> unit) list)
    write
    check
    =
    use kafka = TestBroker.Start 3
    kafka.Topic("t", partitions, 3)
    let random = Random seed
    let faults = Faults(kafka, [ "t" ], random.Next(), Further = further kafka random)
    use writer = new TransactionWriter(kafka, random, faults.Calm)
    let thrower = Thrower("4. exceptions of an observer", random.Next())
    use reader = new Reader(kafka, isolation, thrower, about)
    thrower.IsOn <- true

    for _ in 1..steps do
        write random writer

        for _ in 1 .. random.Next 8 do
            reader.Poll()

        if random.Next 4 = 0 then faults.Strike()
        if random.Next 25 = 0 then faults.Calm()

    faults.Calm()
    thrower.IsOn <- false
    // No transaction stays open, which would hold readers back.
    writer.WriteTransaction()
    (writer :> IDisposable).Dispose()
    use last = new TransactionWriter(kafka, random, ignore)
    drain kafka reader about
    check kafka writer reader
    faults.DemandClosed()
    Figures.add "4. faults" faults.Count
    Figures.add "4. records read" reader.All.Count
    demandSound kafka

/// Transactions and plain batches; committed or not, with compaction.
let private committed (steps: int) (seed: int) =
    let about = $"seed {seed}"

    withFaults
        steps
        seed
        about
        IsolationLevel.ReadCommitted
        (fun kafka _ -> [ fun () -> kafka.Compact "t" ])
        (fun random writer -> if random.Next 2 = 0 then writer.WriteTransaction() else writer.WriteBatch())
        (fun kafka writer reader ->
            Expect.equal (Seq.length (Seq.distinct reader.All)) reader.All.Count ("no record is read twice: " + about)

            for value in reader.All do
                let transaction = int (value.Substring(0, value.IndexOf '-'))

                if transaction > 0 then
                    Expect.notEqual writer.Fates[transaction] Aborted ($"{value} was aborted: " + about)

            for index in 0 .. partitions - 1 do
                let view = Map.ofList (reader.View index)

                for offset, value in committedOf kafka "t" index do
                    Expect.equal (view.TryFind offset) (Some value) ($"the record at {offset} of {index} was read: " + about)

            Figures.add "4. transactions" writer.Fates.Count)

/// Unclean elections remove records that were read.
let private truncated (steps: int) (seed: int) =
    let about = $"seed {seed}"

    let truncate (kafka: TestBroker) (random: Random) () =
        let index = random.Next partitions
        let finish = kafka.State.Topics["t"].Partitions[index].Log.End
        // The first record stays, so that every position of the reader but the first has an epoch.
        let batches = batchesOf kafka "t" index
        if batches.Length > 1 then
            let batch = batches[max 1 (batches.Length - 1 - random.Next 3)]
            if batch.BaseOffset < finish then
                kafka.TruncateLog("t", index, batch.BaseOffset)

    withFaults
        steps
        seed
        about
        IsolationLevel.ReadUncommitted
        (fun kafka random -> [ truncate kafka random; truncate kafka random ])
        (fun _ writer -> writer.WriteBatch())
        (fun kafka _ reader ->
            for index in 0 .. partitions - 1 do
                let read, log = reader.View index, logOf kafka "t" index
                let wrong, missing = List.except log read, List.except read log

                if read <> log then
                    failtestf "of %d, %A was read and is not in the log, %A is in the log and was not read: %s" index wrong missing about)

[<Tests>]
let tests =
    testList
        "4 a reader gets every committed record once and in order"
        [ testCase "across faults, compaction and aborted transactions" (fun () ->
              for round in 1 .. (if isLong then 40 else 1) do
                  committed (if isLong then 300 else 80) (seed + round))

          testCase "across faults and truncation by unclean elections" (fun () ->
              for round in 1 .. (if isLong then 40 else 2) do
                  truncated (if isLong then 300 else 80) (seed + round)) ]
