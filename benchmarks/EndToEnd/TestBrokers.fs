/// The test broker in the process of its client, as a test has it, compared with librdkafka's mock brokers in the same place.
module LibKafka.Benchmarks.EndToEnd.TestBrokers

open System
open System.Diagnostics
open LibKafka.Records
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Tests
open LibKafka.Benchmarks.Rows
open LibKafka.Benchmarks.EndToEnd.Workload
open LibKafka.Benchmarks.EndToEnd.Processes

let private mock = "librdkafka's mock"
let private topic = "libkafka-bench-test-broker"
let private batchesOfRound = 144

/// A million records in batches of just under 0.8 MB, the same number in each partition.
let private recordsOfBatch = 7_000

let private recordsOfRound = batchesOfRound * recordsOfBatch

/// Brokers that run in this process.
[<NoEquality; NoComparison>]
type private Running = { Bootstrap: string; Stop: unit -> unit }

let private startOurs (brokers: int) (mostLogBytes: int64) (partitions: int) : Running =
    let kafka = TestBroker.Start(TestBrokerOptions(Brokers = brokers, MostLogBytes = mostLogBytes))
    if partitions > 0 then kafka.Topic(topic, partitions)
    { Bootstrap = kafka.Bootstrap; Stop = kafka.Dispose }

let private startMock (brokers: int) (partitions: int) : Running =
    let kafka = MockCluster.start brokers
    if partitions > 0 then kafka.CreateTopic(topic, partitions, 1)
    { Bootstrap = kafka.Bootstrap; Stop = (kafka :> IDisposable).Dispose }

let private start (name: string) (partitions: int) : Running =
    if name = mock then
        startMock 1 partitions
    else
        startOurs 1 (2L * int64 recordsOfRound * int64 valueSize / int64 partitions) partitions

// ---------------------------------------------------------------------------------------------------------------------
// In the child process

/// Starts brokers again and again. Prints a round for the first time and one for the median of the others.
let starts (name: string) =
    let once () =
        let clock = Stopwatch.StartNew()
        let running = if name = mock then startMock 3 0 else startOurs 3 Int64.MaxValue 0
        let taken = clock.Elapsed.TotalSeconds
        running.Stop()
        taken

    for seconds in [ once (); median [ for _ in 1..20 -> once () ] ] do
        print { CpuSeconds = 0.0; Seconds = seconds; Allocated = 0.0; Call = Double.NaN }

/// Produces a batch and returns its offset.
let private append (producer: PartitionProducer) (batch: RecordBatch) : int64 =
    match producer.Produce(batch).Result with
    | ProduceResult.Acknowledged acknowledged -> acknowledged.BaseOffset
    | other -> invalidOp (other.ToString())

let private read (memory: ReceiveBuffer) (records: int) (fetcher: PartitionFetcher) =
    let mutable left = records

    while left > 0 do
        let fetched = fetcher.Fetch(CallOptions.into memory)
        left <- left - Ours.readFetched valueSize fetched

        match Fetched.advance fetched with
        | Advance.To next -> fetcher.Position <- next
        | _ -> invalidOp (fetched.ToString())

/// Produces a million records to the partitions in turn and fetches them, one request in flight. `Seconds` is the time of producing, and `Call` that
/// of fetching; it is not a number without fetching.
let traffic (name: string) (partitions: int) (fetches: bool) (rounds: int) =
    let running = start name partitions

    let producers =
        [| for partition in 0 .. partitions - 1 ->
               new PartitionProducer(Ours.client running.Bootstrap topic partition, ProducerSettings.standard) |]

    let fetchers =
        [| for partition in 0 .. partitions - 1 ->
               new PartitionFetcher(
                   Ours.client running.Bootstrap topic partition,
                   { FetcherSettings.standard with MaxBytes = fetchBytes },
                   0L
               ) |]

    let builder = BatchBuilder(BatchOptions.standard)
    let memory = ReceiveBuffer()
    let first = Array.create partitions 0L

    let produce () =
        for index in 0 .. batchesOfRound - 1 do
            let offset = append producers[index % partitions] (Ours.fill builder recordsOfBatch)
            if index < partitions then first[index] <- offset

    let fetch () =
        for partition in 0 .. partitions - 1 do
            fetchers[partition].Position <- FetchPosition.at first[partition]
            read memory (recordsOfRound / partitions) fetchers[partition]

    let round () : float =
        let clock = Stopwatch.StartNew()
        if fetches then fetch ()
        clock.Elapsed.TotalSeconds

    // What is measured is producing alone; the time of fetching comes with it.
    let measured () =
        let produced =
            measure (fun () ->
                produce ()
                Double.NaN)
        { produced with Call = (if fetches then round () else Double.NaN) }

    let warming = Stopwatch.StartNew()

    while warming.Elapsed < TimeSpan.FromSeconds 3.0 do
        measured () |> ignore

    for _ in 1..rounds do
        print (measured ())

    running.Stop()

/// Produces 20 million records to a broker whose log has a limit. Prints the bytes that are held after it, and, as `Call`, the most that the process had.
let memory (mostLogBytes: int64) =
    let before = GC.GetTotalMemory true
    let running = startOurs 1 mostLogBytes 1
    let producer = new PartitionProducer(Ours.client running.Bootstrap topic 0, ProducerSettings.standard)
    let builder = BatchBuilder(BatchOptions.standard)

    let round =
        measure (fun () ->
            for _ in 1 .. 20 * batchesOfRound do
                append producer (Ours.fill builder recordsOfBatch) |> ignore

            use self = Process.GetCurrentProcess()
            float self.PeakWorkingSet64)

    let held = GC.GetTotalMemory true - before
    running.Stop()
    print { round with Allocated = float held }

// ---------------------------------------------------------------------------------------------------------------------
// In the parent process

let private row shape unit (value: float) (peer: float voption) : Row =
    { Name = "test-broker"
      Shape = shape
      Unit = unit
      Value = value
      Floor = Nullable()
      Peers =
        peers
            [ match peer with
              | ValueSome peer -> mock, peer
              | ValueNone -> () ]
      AllocatedPerRecord = Nullable() }

let private startRows () : Row list =
    let measured name =
        [ for _ in 1..5 -> child [ "test-broker-start"; name ] ] |> List.transpose |> List.map (List.map _.Seconds >> median)

    List.map3
        (fun shape ours peer -> row shape "ms" (ours * 1e3) (ValueSome(peer * 1e3)))
        [ "start of 3, first in a process"; "start of 3, later" ]
        (measured "ours")
        (measured mock)

let private trafficRows (partitions: int) : Row list =
    // The mock does not keep a million records of one partition.
    let mockFetches = partitions > 1
    let measured name fetches = child [ "test-broker-traffic"; name; string partitions; string fetches; "9" ]
    let rate (value: Round -> float) (rounds: Round list) = float recordsOfRound / median (List.map value rounds)
    let ours = measured "ours" true
    let peer = measured mock mockFetches

    [ row $"produce to {partitions}" "records/s" (rate _.Seconds ours) (ValueSome(rate _.Seconds peer))
      row $"fetch from {partitions}" "records/s" (rate _.Call ours) (if mockFetches then ValueSome(rate _.Call peer) else ValueNone) ]

let private limit = 64L * 1024L * 1024L

let private memoryRows () : Row list =
    let round = childOnce [ "test-broker-memory"; string limit ]

    [ row "20 M records, a log of 67 MB" "MB held" (round.Allocated / 1e6) ValueNone
      row "20 M records, a log of 67 MB" "MB at most" (round.Call / 1e6) ValueNone ]

/// The time to start, the speed of both ways, and the memory.
let rows () : Row list = startRows () @ trafficRows 1 @ trafficRows 48 @ memoryRows ()
