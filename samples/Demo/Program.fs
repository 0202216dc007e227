/// The main job, end to end: produce to every partition, fetch everything, verify every byte and every offset.
module LibKafka.Demo.Program

open System
open System.Runtime.InteropServices
open System.Threading
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Demo.Options

/// Ends the demo with a line and an exit code.
exception private Stop of line: string * code: int

let private fail line = raise (Stop(line, 1))

/// The topic to use, and what to do with it.
type private Stage =
    {
        Settings: ClientSettings
        Brokers: Bootstrap
        Topic: string
        /// Deletes the records of each partition up to its given number, if the brokers need the memory.
        Forget: int list -> unit
        CleanUp: unit -> unit
    }

/// The totals of all exchanges.
type private Tally() =
    member val Exchanges = 0 with get, set
    member val Faults = 0 with get, set

    member this.Count(info: ExchangeInfo) =
        this.Exchanges <- this.Exchanges + 1
        if info.Fault.IsSome then this.Faults <- this.Faults + 1

// Retries are up to the caller, and this is a caller. A batch that is not in the log is sent again, since the leader of a new topic may not
// be ready yet. A batch that may be in the log is not sent again: it could be there twice.
let private produce (producer: PartitionProducer) (batch: RecordBatch) (cancellation: CancellationToken) : int64 =
    let rec attempt left =
        match (producer.Produce(batch, CallOptions.cancelledBy cancellation)).Result with
        | ProduceResult.Acknowledged at -> at.BaseOffset
        | ProduceResult.Rejected(Rejection.ByBroker answer) when not answer.Error.IsRetriable || left = 0 ->
            fail (producer.Client.Partition.ToString() + ": the broker refused a batch: " + answer.Error.ToString())
        | ProduceResult.Rejected(Rejection.NotSent ClientFault.Cancelled) -> raise (OperationCanceledException())
        | ProduceResult.Rejected(Rejection.NotSent fault) when left = 0 ->
            fail (producer.Client.Partition.ToString() + ": a batch could not be sent: " + fault.ToString())
        | ProduceResult.Rejected _ ->
            cancellation.WaitHandle.WaitOne 200 |> ignore
            attempt (left - 1)
        | ProduceResult.Unknown(Doubt.AnswerLost ClientFault.Cancelled) -> raise (OperationCanceledException())
        | ProduceResult.Unknown _ -> fail (producer.Client.Partition.ToString() + ": it is not known whether a batch is in the log")

    attempt 25

/// Produces some of one partition's records in batches of the largest size that brokers accept.
let private producePartition options (producer: PartitionProducer) partition (first: int, limit: int) (report: int -> unit) cancellation =
    let builder = BatchBuilder(BatchOptions.standard, batchLimit)
    let value = Array.zeroCreate<byte> options.Size
    let now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()
    let mutable firstInBatch = first

    let send () =
        let batch = builder.Build()
        let offset = produce producer batch cancellation

        if offset <> int64 firstInBatch then
            fail (producer.Client.Partition.ToString() + ": a batch went to offset " + string offset + ", not " + string firstInBatch)

        firstInBatch <- firstInBatch + batch.Count
        report batch.Count

    for place in first .. limit - 1 do
        Load.fill (Load.numberOf options partition place) (value.AsSpan())

        if not (builder.TryAdd(now, NullableSpan.Null, NullableSpan(ReadOnlySpan value))) then
            send ()
            builder.Add(now, NullableSpan.Null, NullableSpan(ReadOnlySpan value))

    if builder.Count > 0 then send ()

/// Fetches some of one partition's records, from the fetcher's position on, and verifies the bytes and offset of each.
let private checkPartition options (fetcher: PartitionFetcher) partition (limit: int) (report: int -> unit) cancellation =
    let name = fetcher.Client.Partition.ToString()
    let expected = Array.zeroCreate<byte> options.Size
    let mutable place = int fetcher.Offset
    let mutable empty = 0

    let checkBatch (batch: RecordBatch) =
        match RecordBatch.openRecords { Reading.standard with Limits = fetcher.Client.Settings.Limits } batch with
        | Error fault -> fail (name + ": a batch cannot be read: " + fault.ToString())
        | Ok records ->
            for record in records do
                Load.fill (Load.numberOf options partition place) (expected.AsSpan())

                if record.Offset <> int64 place then
                    fail (name + ": a record has offset " + string record.Offset + ", not " + string place)

                if not (record.Value.Span.SequenceEqual(ReadOnlySpan expected)) then
                    fail (name + ": the record at offset " + string place + " has other bytes than were produced")

                place <- place + 1

    while place < limit do
        let fetched = fetcher.Fetch(CallOptions.cancelledBy cancellation)
        let before = place

        match fetched.Result with
        | Error(CallFailure.Fault ClientFault.Cancelled) -> raise (OperationCanceledException())
        | Error failure -> fail (name + ": " + failure.ToString())
        | Ok _ -> ()

        for item in fetched.Batches do
            match item with
            | RecordSetItem.Batch(batch, _) -> checkBatch batch
            | RecordSetItem.Legacy(batch, _) -> fail (name + ": a batch of an old format: " + batch.ToString())
            | RecordSetItem.Corrupt corrupt -> fail (name + ": corrupt batch: " + corrupt.ToString())
            | RecordSetItem.CutOff _ -> ()

        match Fetched.advance fetched with
        | Advance.To position -> fetcher.Position <- position
        | other -> fail (name + ": " + other.ToString())

        report (place - before)
        empty <- if place = before then empty + 1 else 0
        if empty > 20 then
            fail (name + ": the records from offset " + string place + " on do not come")

let private eachPartition options (stage: Stage) (work: PartitionClient -> int -> unit) =
    for partition in 0 .. options.Partitions - 1 do
        use client = new PartitionClient(stage.Settings, stage.Brokers, { Topic = stage.Topic; Partition = partition })
        work client partition

let private run options (stage: Stage) (tally: Tally) (cancellation: CancellationToken) =
    let producing = Progress("produced", options.Records)
    let fetching = Progress("fetched ", options.Records)

    for first, limit in Load.rounds options do
        let limitIn partition = min limit (Load.countIn options partition)

        producing.During(fun () ->
            eachPartition options stage (fun client partition ->
                let producer = new PartitionProducer(client, ProducerSettings.standard)
                producePartition options producer partition (first, limitIn partition) producing.Add cancellation))

        fetching.During(fun () ->
            eachPartition options stage (fun client partition ->
                let fetcher = new PartitionFetcher(client, FetcherSettings.standard, int64 first)
                checkPartition options fetcher partition (limitIn partition) fetching.Add cancellation))

        stage.Forget(List.init options.Partitions limitIn)

    let producedIn = producing.Elapsed
    let fetchedIn = fetching.Elapsed
    let megabytes = float options.Records * float options.Size / 1e6

    let rate (elapsed: TimeSpan) =
        (float options.Records / elapsed.TotalSeconds).ToString "N0"
        + " records/s, "
        + (megabytes / elapsed.TotalSeconds).ToString "N1"
        + " MB/s"

    let row (name: string) (text: string) = Console.Out.WriteLine(name.PadRight 12 + text)
    Console.Out.WriteLine()
    row "records" (options.Records.ToString "N0" + " of " + options.Size.ToString "N0" + " bytes, every byte and offset as produced")
    row "data" (megabytes.ToString "N1" + " MB in " + options.Partitions.ToString "N0" + " partitions")
    row "produced at" (rate producedIn)
    row "fetched at" (rate fetchedIn + ", verifying included")
    row "exchanges" (tally.Exchanges.ToString "N0")
    row "faults" (tally.Faults.ToString "N0")

/// Three brokers inside this process.
let private ownStage options settings : Stage =
    let kafka = TestBroker.Start 3
    let topic = "libkafka-demo"
    kafka.Topic(topic, options.Partitions, 3)
    let brokers = Bootstrap.parse kafka.Bootstrap |> Result.defaultWith (string >> fail)

    let forget (counts: int list) =
        use admin = new AdminClient(settings, brokers)
        let before = counts |> List.mapi (fun partition count -> { Topic = topic; Partition = partition }, int64 count)

        for partition, result in (admin.DeleteRecords(before, TimeSpan.FromSeconds 20.0)).Result do
            match result with
            | Ok _ -> ()
            | Error fault -> fail ("the records of " + partition.ToString() + " cannot be deleted: " + fault.ToString())

    { Settings = settings; Brokers = brokers; Topic = topic; Forget = forget; CleanUp = kafka.Dispose }

/// A new topic on a real cluster.
let private realStage options settings brokers (cancellation: CancellationToken) : Stage =
    let topic = "libkafka-demo-" + Guid.NewGuid().ToString("N").Substring(0, 12)
    let patience = TimeSpan.FromSeconds 20.0
    use admin = new AdminClient(settings, brokers)
    let wanted = { Name = topic; Partitions = options.Partitions; ReplicationFactor = 1s; Configs = [] }

    for _, result in (admin.CreateTopics([ wanted ], patience, CallOptions.cancelledBy cancellation)).Result do
        match result with
        | Ok _ -> ()
        | Error fault -> fail ("the topic cannot be created: " + fault.ToString())

    let delete () =
        use admin = new AdminClient(settings, brokers)

        for _, result in (admin.DeleteTopics([ topic ], patience)).Result do
            match result with
            | Ok _ -> ()
            | Error fault -> Console.Error.WriteLine("the topic " + topic + " was not deleted: " + fault.ToString())

    { Settings = settings
      Brokers = brokers
      Topic = topic
      Forget = ignore
      CleanUp = if options.Keep then (fun () -> Console.Out.WriteLine("kept".PadRight 12 + topic)) else delete }

// What the demo is about to do.
let private heading options : string =
    let brokers =
        match options.Bootstrap with
        | Some brokers -> "the cluster at " + brokers.ToString()
        | None -> "three brokers inside this process"

    "Produces "
    + options.Records.ToString "N0"
    + " records of "
    + options.Size.ToString "N0"
    + " bytes to "
    + options.Partitions.ToString "N0"
    + " partitions of "
    + brokers
    + ", fetches them, and checks every byte and every offset."

let private demo options (cancellation: CancellationToken) =
    let tally = Tally()

    let settings = { ClientSettings.standard with ClientId = "libkafka-demo"; Observe = tally.Count }

    let stage =
        match options.Bootstrap with
        | Some brokers -> realStage options settings brokers cancellation
        | None -> ownStage options settings

    Console.Out.WriteLine(heading options)

    try
        run options stage tally cancellation
    finally
        stage.CleanUp()

[<EntryPoint>]
let main arguments =
    use interrupt = new CancellationTokenSource()

    // Cancels the call in progress, so that everything is cleaned up.
    let stop (context: PosixSignalContext) =
        context.Cancel <- true
        interrupt.Cancel()

    use _ = PosixSignalRegistration.Create(PosixSignal.SIGINT, stop)
    use _ = PosixSignalRegistration.Create(PosixSignal.SIGTERM, stop)

    let complain (line: string) code =
        Console.Error.WriteLine line
        code

    match parse (List.ofArray arguments) with
    | Error line -> complain line 2
    | Ok Help ->
        Console.Out.WriteLine help
        0
    | Ok(Run options) ->
        try
            demo options interrupt.Token
            0
        with
        | Stop _ when interrupt.IsCancellationRequested -> complain "\ninterrupted" 130
        | Stop(line, code) -> complain line code
        | :? OperationCanceledException -> complain "\ninterrupted" 130
