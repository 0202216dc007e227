/// The processes of an end-to-end benchmark. The brokers run in one process and each client in its own, so that a process's CPU time is
/// the client's alone, its background threads included. Each process is this program, started again.
module LibKafka.Benchmarks.EndToEnd.Processes

open System
open System.Diagnostics
open System.Globalization
open System.IO
open System.Runtime
open LibKafka.Records
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Tests
open LibKafka.Benchmarks
open LibKafka.Benchmarks.EndToEnd.Workload

/// The measurements of a round.
type Round =
    {
        CpuSeconds: float
        Seconds: float
        /// Bytes of managed memory allocated by all threads.
        Allocated: float
        /// The median time of a call in seconds, if calls were timed one by one.
        Call: float
    }

// ---------------------------------------------------------------------------------------------------------------------
// In the child process

/// Runs librdkafka's mock brokers until the standard input ends; prints their addresses.
let mock () =
    use mock = MockCluster.start 1

    for topic in [ produced; single; keyed; connected ] do
        mock.CreateTopic(topic.Name, topic.Partitions, 1)

    Console.Out.WriteLine mock.Bootstrap
    Console.Out.Flush()
    Console.In.ReadToEnd() |> ignore

/// Measures work, which returns the median time of its calls.
let measure (work: unit -> float) : Round =
    GC.Collect()
    GC.WaitForPendingFinalizers()
    let allocated = GC.GetTotalAllocatedBytes true
    let cpu = Environment.CpuUsage.TotalTime
    let clock = Stopwatch.StartNew()
    let call = work ()

    { Seconds = clock.Elapsed.TotalSeconds
      CpuSeconds = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds
      Allocated = float (GC.GetTotalAllocatedBytes true - allocated)
      Call = call }

let private oneByOne (side: Side) : float =
    let times = Array.zeroCreate<float> calls

    for index in 0 .. calls - 1 do
        let began = Stopwatch.GetTimestamp()
        side.ProduceOne()
        times[index] <- Stopwatch.GetElapsedTime(began).TotalSeconds

    Rows.median times

let private sides: (string * (string -> Side)) list =
    [ "ours", Ours.connect; "bare", Bare.connect; "confluent", ConfluentKafka.connect ]

let private works: (string * (Side -> float)) list =
    let bulk work side =
        work side
        Double.NaN

    [ "produce-1", bulk (fun (side: Side) -> side.Produce 1)
      "produce-3", bulk (fun (side: Side) -> side.Produce 3)
      "produce-idempotently", bulk (fun (side: Side) -> side.ProduceIdempotently())
      "fetch", bulk (fun (side: Side) -> side.Fetch())
      "single", oneByOne ]

/// Warm-up time: the JIT compiler works in the background and recompiles hot methods.
let private warmUp = TimeSpan.FromSeconds 3.0

/// Writes a round as a line.
let print (round: Round) =
    let text (value: float) = value.ToString("R", CultureInfo.InvariantCulture)
    Console.Out.WriteLine(String.Join(" ", List.map text [ round.CpuSeconds; round.Seconds; round.Allocated; round.Call ]))

/// Does some work that returns the time of a call: first a warm-up, then the measured rounds, one line each.
let repeatTimed (rounds: int) (work: unit -> float) =
    let clock = Stopwatch.StartNew()

    while clock.Elapsed < warmUp do
        work () |> ignore

    for _ in 1..rounds do
        print (measure work)

/// Does some work: first a warm-up, then the measured rounds, one line each.
let repeat (rounds: int) (work: unit -> unit) =
    repeatTimed rounds (fun () ->
        work ()
        Double.NaN)

/// Does the work with one of the clients: first a warm-up, then the measured rounds, one line each.
let side (name: string) (workName: string) (bootstrap: string) (rounds: int) =
    use client = (Map.ofList sides)[name] bootstrap
    let work = (Map.ofList works)[workName]
    repeatTimed rounds (fun () -> work client)

/// Connects and makes the first calls of this process, without a warm-up. Prints what they cost; `Call` is the time in seconds that the JIT
/// compiler took.
let firstCalls (name: string) (bootstrap: string) =
    print (
        measure (fun () ->
            let before = JitInfo.GetCompilationTime false
            use client = (Map.ofList sides)[name] bootstrap

            for _ in 1..earlyCalls do
                client.ProduceOne()

            (JitInfo.GetCompilationTime false - before).TotalSeconds)
    )

/// Makes that many connections, of this library or bare ones, keeps them, and prints the time and the memory they hold.
let connections (name: string) (count: int) (bootstrap: string) =
    let connectBare () : obj =
        let socket = Bare.clientWithin 1024 bootstrap
        socket.AskVersions()
        socket

    let connectOurs partition : obj =
        let client = Ours.client bootstrap connectionTopic partition

        match client.Connect() with
        | Ok _ -> client
        | Error fault -> invalidOp (fault.ToString())

    let connect = if name = "ours" then connectOurs else (fun _ -> connectBare ())
    let warm = [ for partition in 0..9 -> connect partition ]
    let before = GC.GetTotalMemory true
    let kept: obj[] = Array.zeroCreate count
    let round =
        measure (fun () ->
            for index in 0 .. count - 1 do
                kept[index] <- connect (index % connectionPartitions)

            Double.NaN)
    let held = GC.GetTotalMemory true - before
    GC.KeepAlive kept
    GC.KeepAlive warm
    print { round with Allocated = float held }

/// Lets a consumer wait for records of that many empty partitions, and prints the time of a poll that finds nothing and the memory that the consumer
/// holds.
let idlePolls (count: int) (bootstrap: string) =
    let minutes = TimeSpan.FromMinutes 5.0
    let reading = { ConsumerSettings.standard with Fetching = { FetcherSettings.standard with MaxWait = minutes } }

    let consume count =
        let consumer = new TopicConsumer({ Ours.settings with CallTimeout = 2.0 * minutes }, Ours.brokersAt bootstrap, reading)

        for partition in 0 .. count - 1 do
            consumer.Add({ Topic = connectionTopic; Partition = partition }, Start.atOffset 0L)

        // A poll makes one connection.
        for _ in 1 .. count + 100 do
            match consumer.Poll TimeSpan.Zero with
            | Some event -> invalidOp (event.ToString())
            | None -> ()

        consumer

    use warm = consume 10
    let before = GC.GetTotalMemory true
    use consumer = consume count
    let held = GC.GetTotalMemory true - before

    let poll () =
        for _ in 1..polls do
            consumer.Poll TimeSpan.Zero |> ignore

    let clock = Stopwatch.StartNew()

    while clock.Elapsed < warmUp do
        poll ()

    let round =
        measure (fun () ->
            poll ()
            Double.NaN)

    GC.KeepAlive warm
    print { round with Allocated = float held }

// ---------------------------------------------------------------------------------------------------------------------
// In the parent process

/// Starts this program again as a child process.
let start (arguments: string list) : Process =
    let program =
        match Environment.ProcessPath with
        | null -> "dotnet"
        | path -> path

    let assembly = Path.Combine(AppContext.BaseDirectory, "LibKafka.Benchmarks.dll")

    let info =
        ProcessStartInfo(
            program,
            assembly :: "child" :: arguments,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false
        )

    match Process.Start info with
    | null -> invalidOp $"cannot start {program}"
    | started -> started

/// The lines that a process writes until it ends.
let lines (child: Process) : string list =
    let text = child.StandardOutput.ReadToEnd()
    child.WaitForExit()
    if child.ExitCode <> 0 then
        invalidOp $"a client ended with exit code {child.ExitCode}"
    text.Split('\n', StringSplitOptions.RemoveEmptyEntries) |> List.ofArray

/// Reads a line of `print`.
let parse (line: string) : Round =
    match line.Split ' ' |> Array.map (fun text -> Double.Parse(text, CultureInfo.InvariantCulture)) with
    | [| cpu; seconds; allocated; call |] -> { CpuSeconds = cpu; Seconds = seconds; Allocated = allocated; Call = call }
    | _ -> invalidOp $"not a round: {line}"

/// Runs a child process with these arguments; the rounds that it prints.
let child (arguments: string list) : Round list =
    use child = start arguments
    lines child |> List.map parse

/// Runs a child process with these arguments, which prints one round.
let childOnce (arguments: string list) : Round = child arguments |> List.exactlyOne

/// Where the end-to-end benchmarks run.
type Site =
    /// On brokers that a benchmark starts.
    | OwnBrokers
    /// On a real cluster of one broker, whose address this is.
    | Cluster of bootstrap: string

/// Brokers that a benchmark starts, in a process of their own.
type Brokers =
    /// librdkafka's, for producing.
    | Mock
    /// See `FeedBroker`, for reading.
    | Feed

/// Runs with the bootstrap address of brokers of that kind.
let withOwn (brokers: Brokers) (run: string -> 'T) : 'T =
    use child =
        start
            [ match brokers with
              | Mock -> "mock-brokers"
              | Feed -> "feed-broker" ]

    try
        match child.StandardOutput.ReadLine() with
        | null -> invalidOp "the brokers did not start"
        | bootstrap -> run bootstrap
    finally
        child.StandardInput.Close()
        child.WaitForExit()

/// Runs with the bootstrap address of brokers that have these topics.
let onBrokers (site: Site) (own: Brokers) (topics: Topic list) (run: string -> 'T) : 'T =
    match site with
    | OwnBrokers -> withOwn own run
    | Cluster bootstrap -> Cluster.withTopics bootstrap topics (fun () -> run bootstrap)
