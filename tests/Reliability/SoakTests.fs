/// Invariant 9: under load and faults, memory, handles and threads do not grow.
module LibKafka.Reliability.SoakTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Topics
open LibKafka.Reliability.Support
open LibKafka.Reliability.DisposeTests

/// Something measured again and again, in equal intervals. Of ten equal parts of the run, the least value of each part counts, because it has
/// the least that is only in use for a moment.
///
/// The values grow if the Mann-Kendall test finds a rising trend in the ten minima with p < 0.01 (S of at least 27 of 45), and the growth along
/// their Theil-Sen line, from the first to the last, is more than a tolerance.
[<RequireQualifiedAccess>]
module Trend =

    let minima (values: float list) : float[] = List.splitInto 10 values |> List.map List.min |> Array.ofList

    let private pairs (minima: float[]) =
        [ for i in 0 .. minima.Length - 2 do
              for j in i + 1 .. minima.Length - 1 -> i, j ]

    /// The Mann-Kendall statistic.
    let score (minima: float[]) : int = pairs minima |> List.sumBy (fun (i, j) -> sign (minima[j] - minima[i]))

    /// The growth along the Theil-Sen line.
    let growth (minima: float[]) : float =
        let slopes = pairs minima |> List.map (fun (i, j) -> (minima[j] - minima[i]) / float (j - i)) |> List.sort
        slopes[slopes.Length / 2] * float (minima.Length - 1)

    let isRising (tolerance: float) (minima: float[]) : bool = score minima >= 27 && growth minima > tolerance

/// Runs work in a thread until it is told to stop. An exception fails the test.
[<Sealed>]
type private Worker(name: string, step: unit -> unit) =
    let mutable isStopping = false
    let mutable failure: exn option = None
    let mutable steps = 0

    let run () =
        try
            while not (Volatile.Read &isStopping) do
                step ()
                steps <- steps + 1
        with error ->
            failure <- Some error

    let thread = Thread(run, IsBackground = true)
    do thread.Start()

    member _.Steps = steps

    member _.Stop() =
        Volatile.Write(&isStopping, true)
        if not (thread.Join(ms 60_000)) then failtestf "%s does not end" name

        match failure with
        | Some error -> failtestf "%s: %O" name error
        | None -> ()

let private client = { impatient with CallTimeout = ms 500; ConnectTimeout = ms 500 }

let private producing (kafka: TestBroker) : TopicProducer =
    let standard = TopicProducerSettings.standard
    TopicProducer.Open(settings, bootstrap kafka, "t", { standard with Retry = quickly standard.Retry; Unreported = ignore })
    |> ok

let private produceStep (producer: TopicProducer) =
    let random = Random()

    fun () ->
        for number in 1..20 do
            producer.Add(random.Next 3, NullableSpan.Null, Bytes.ofString (string number), ReadOnlySpan.Empty, 0L) |> ignore

        producer.Poll(ms 5) |> ignore

/// A member that fails for good is replaced.
let private memberStep (kafka: TestBroker) (protocol: GroupProtocol) (name: string) =
    let group =
        { GroupSettings.make name [ "t" ] with
            Protocol = protocol
            CommitInterval = Some(ms 100)
            HeartbeatInterval = ms 100
            HeartbeatThread = true }
    let reading =
        { ConsumerSettings.standard with
            NextStep = NextStep.resetting OffsetSpec.Earliest
            Fetching = { FetcherSettings.standard with MaxWait = ms 100 } }

    let make () = new GroupConsumer(client, bootstrap kafka, group, reading)
    let mutable consumer = make ()

    let step () =
        match consumer.Poll(ms 20) with
        | Some(GroupEvent.Failed failure) when failure.IsFatal ->
            (consumer :> IDisposable).Dispose()
            consumer <- make ()
        | _ -> ()

    step, fun () -> (consumer :> IDisposable).Dispose()

let private transactionStep (kafka: TestBroker) =
    let transaction = new TransactionClient(client, bootstrap kafka, "soak")
    let partition: TopicPartition = { Topic = "t"; Partition = 2 }
    let quick (policy: RetryPolicy<'T>) = { policy with FirstDelay = ms 1; MaxDelay = ms 5; Attempts = 5 }

    let step () =
        let isReady = transaction.Identity.IsSome || not (transaction.InitProducerId minute).Error.IsError

        if isReady && transaction.Identity.IsSome then
            let added = (quick RetryPolicy.standard).Run(fun call -> transaction.AddPartitions([ partition ], call))
            let producer = transaction.Producer partition

            let isWritten =
                Result.isOk added.Result
                && not added.Error.IsError
                && producer.State.IsReady
                && producer.Produce(batchOf [ "x"; "y" ]).Result.IsAcknowledged

            if isWritten then
                (quick RetryPolicy.standard).Run(fun call -> transaction.Commit call) |> ignore
            else
                (quick RetryPolicy.standard).Run(fun call -> transaction.Abort call) |> ignore
                transaction.RaiseEpoch minute |> ignore

        Thread.Sleep 5

    step, fun () -> transaction.Close()

/// New connections again and again.
let private connectStep (kafka: TestBroker) () =
    match Cluster.Connect(client, bootstrap kafka) with
    | Ok connection ->
        Cluster.Metadata(connection, None) |> ignore
        connection.Close()
    | Error _ -> ()

    Thread.Sleep 10

type private Sample = { Memory: float; Sockets: float; Threads: float }

let private sample () : Sample =
    GC.Collect()
    GC.WaitForPendingFinalizers()
    GC.Collect()

    let heap = GC.GetGCMemoryInfo GCKind.FullBlocking

    // Without the free space between the objects, which depends on the times of the collections before.
    { Memory = float (heap.HeapSizeBytes - heap.FragmentedBytes)
      Sockets = float (Resources.sockets ())
      Threads = float (Resources.threads ()) }

/// What is measured, and how much growth over a window is tolerated.
let private measurements (tolerance: float) (samples: Sample list) : (string * float * float list) list =
    [ "bytes of memory after a full collection", tolerance, samples |> List.map _.Memory
      "sockets", 2.0, samples |> List.map _.Sockets
      "threads", 2.0, samples |> List.map _.Threads ]

/// The names of the measurements that rise.
let private rising (tolerance: float) (samples: Sample list) : Set<string> =
    measurements tolerance samples
    |> List.filter (fun (_, tolerance, values) -> Trend.isRising tolerance (Trend.minima values))
    |> List.map (fun (name, _, _) -> name)
    |> Set.ofList

let private report (samples: Sample list) =
    for name, _, values in measurements 0.0 samples do
        let minima = Trend.minima values
        printfn
            "soak: %s: from %.0f to %.0f, growth along the line %.1f, score %d of 45"
            name
            minima[0]
            (Array.last minima)
            (Trend.growth minima)
            (Trend.score minima)

/// Faults for a time, one in each interval. After every fourth, all brokers run again, and a sample is taken.
let private window (kafka: TestBroker) (faults: Faults) (time: TimeSpan) (interval: TimeSpan) : Sample list =
    let samples = List<Sample>()
    let clock = Stopwatch.StartNew()
    let mutable next = interval

    while clock.Elapsed < time do
        let pause = next - clock.Elapsed
        if pause > TimeSpan.Zero then Thread.Sleep pause
        next <- next + interval
        faults.Strike()

        if faults.Count % 4 = 0 then
            faults.Calm()
            Thread.Sleep(interval / 4.0)
            kafka.ClearRequests()
            samples.Add(sample ())

    List.ofSeq samples

/// A measurement that rises in one window is measured in the next, up to three times: what leaks rises in each, what only varies does not.
let private persistent (tolerance: float) (next: unit -> Sample list) : Set<string> =
    let rec again (left: int) (suspects: Set<string>) =
        if left = 0 || suspects.IsEmpty then
            suspects
        else
            again (left - 1) (Set.intersect suspects (rising tolerance (next ())))

    again 2 (rising tolerance (next ()))

let private soak (time: TimeSpan) (interval: TimeSpan) (tolerance: float) =
    use kafka = TestBroker.Start(TestBrokerOptions(Brokers = 3, MostLogBytes = 65_536L))
    kafka.Topic("t", 3, 3)
    use producer = producing kafka
    let classic, closeClassic = memberStep kafka (GroupProtocol.Classic [ Assignors.cooperativeSticky ]) "classic"
    let modern, closeModern = memberStep kafka (GroupProtocol.Consumer None) "modern"
    let transactions, closeTransactions = transactionStep kafka

    let workers =
        [ Worker("the producer", produceStep producer)
          Worker("the classic member", classic)
          Worker("the member of the new protocol", modern)
          Worker("the transactions", transactions)
          Worker("the connections", connectStep kafka) ]

    let faults = Faults(kafka, [ "t" ], seed)
    let clock = Stopwatch.StartNew()
    // The warm-up.
    window kafka faults (time / 5.0) interval |> ignore

    let measured () =
        let samples = window kafka faults (time * 0.8) interval
        report samples
        samples

    let grows = persistent tolerance measured
    faults.Calm()
    workers |> List.iter _.Stop()
    closeClassic ()
    closeModern ()
    closeTransactions ()
    Figures.add "9. faults" faults.Count
    Figures.add "9. steps of the workers" (workers |> List.sumBy _.Steps)
    Figures.add "9. seconds" (int clock.Elapsed.TotalSeconds)
    Expect.equal grows Set.empty "nothing rises in each of three windows"
    demandSound kafka

[<Tests>]
let tests =
    let time, interval, tolerance =
        match soakMinutes with
        | Some minutes -> TimeSpan.FromMinutes minutes, ms 1_000, 100_000.0
        | None when isLong -> TimeSpan.FromMinutes 1.0, ms 250, 100_000.0
        | None -> ms 6_000, ms 50, 300_000.0

    testSequenced
    <| testList
        "9 soak"
        [ testCase "memory, sockets and threads do not grow" (fun () -> soak time interval tolerance)

          testCase "a rising trend is found, and noise around a level is not" (fun () ->
              let random = Random seed
              let noisy slope = [ for index in 1..200 -> 1000.0 + slope * float index + 20.0 * random.NextDouble() ]
              Expect.isTrue (Trend.isRising 10.0 (Trend.minima (noisy 0.5))) "100 more at the end"
              Expect.isFalse (Trend.isRising 10.0 (Trend.minima (noisy 0.0))) "a level"
              Expect.isFalse (Trend.isRising 10.0 (Trend.minima (noisy -0.5))) "falling")

          testCase "only what rises in each of three windows is a leak" (fun () ->
              let mutable taken = 0

              /// Windows of 50 samples. Memory leaks all the time, threads only in the first two, and sockets do not.
              let next () =
                  let numbers = [ taken .. taken + 49 ]
                  taken <- taken + 50

                  [ for number in numbers ->
                        { Memory = 1000.0 + 100.0 * float number; Threads = 10.0 + float (min number 99); Sockets = 10.0 } ]

              Expect.equal (persistent 1000.0 next) (Set.singleton "bytes of memory after a full collection") "the leak"
              Expect.equal taken 150 "samples of three windows"
              let still = List.replicate 50 { Memory = 1000.0; Threads = 10.0; Sockets = 10.0 }
              Expect.isEmpty (persistent 1000.0 (fun () -> still)) "nothing rises") ]
