/// Invariant 8: no thread, socket, timer or buffer survives Dispose.
module LibKafka.Reliability.DisposeTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.IO
open System.Net
open System.Net.Sockets
open System.Runtime.CompilerServices
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Groups
open LibKafka.Client
open LibKafka.Compression
open LibKafka.Testing
open LibKafka.Topics
open LibKafka.Reliability.Support

/// What a process holds.
[<RequireQualifiedAccess>]
module Resources =

    /// Open sockets.
    let sockets () : int =
        let isSocket (path: string) =
            try
                match File.ResolveLinkTarget(path, false) with
                | null -> false
                | target -> target.Name.StartsWith "socket:"
            with :? IOException ->
                false

        if OperatingSystem.IsLinux() then
            Directory.GetFileSystemEntries "/proc/self/fd" |> Seq.filter isSocket |> Seq.length
        else
            0

    // Threads that the runtime starts and ends by itself.
    let private runtimes =
        [ ".NET TP Gate"; ".NET TP Wait"; ".NET Timer"; ".NET SigHandler"; ".NET Tiered Com"; ".NET SynchManag" ]

    /// Threads, without those of the runtime and of its thread pool.
    let threads () : int =
        let isCounted (task: string) =
            try
                let name = File.ReadAllText(Path.Combine(task, "comm")).TrimEnd()
                not (List.exists (fun (runtime: string) -> name.StartsWith runtime) runtimes)
            with
            | :? IOException
            | :? UnauthorizedAccessException -> false

        if OperatingSystem.IsLinux() then
            (Directory.GetDirectories "/proc/self/task" |> Seq.filter isCounted |> Seq.length) - ThreadPool.ThreadCount
        else
            0

    let timers () : int64 = Timer.ActiveCount

let private partition: TopicPartition = { Topic = "t"; Partition = 0 }

let private memberOf (protocol: GroupProtocol) (name: string) (kafka: TestBroker) : GroupConsumer =
    let group = { GroupSettings.make name [ "t" ] with Protocol = protocol; HeartbeatThread = true; HeartbeatInterval = ms 20 }

    // It tries to leave the group for as long as a call may take.
    let reading = { ConsumerSettings.standard with Fetching = { FetcherSettings.standard with MaxWait = ms 100 } }
    new GroupConsumer(impatient, bootstrap kafka, group, reading)

/// Uses everything, with calls in flight, and disposes of it. Returns weak references to it.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let private cycle (random: Random) : WeakReference list =
    let kafka = TestBroker.Start(TestBrokerOptions(Brokers = 3, Codecs = AllCodecs.Set))
    kafka.Topic("t", 3, 3)
    let proxy = FaultProxy.Start((kafka.Bootstrap.Split ',')[0])
    let brokers = Bootstrap.parse (if random.Next 2 = 0 then proxy.Bootstrap else kafka.Bootstrap) |> ok
    let gzip = AllCodecs.List |> Seq.find (fun (codec: ICompressionCodec) -> codec.Type = CompressionType.Gzip)
    let producing = { TopicProducerSettings.standard with Codec = Some gzip; CompressionThreads = 2; Unreported = ignore }
    let producer = TopicProducer.Open(settings, brokers, "t", producing) |> ok

    for number in 1..200 do
        producer.Add(number % 3, NullableSpan.Null, Bytes.ofString (string number), ReadOnlySpan.Empty, 0L) |> ignore

    producer.Poll(ms 5) |> ignore
    let consumer = new TopicConsumer(settings, brokers, ConsumerSettings.standard)
    consumer.Add(partition, Start.earliest)
    consumer.Poll(ms 5) |> ignore
    let classic = memberOf (GroupProtocol.Classic [ Assignors.cooperativeSticky ]) "classic" kafka
    let modern = memberOf (GroupProtocol.Consumer None) "modern" kafka

    for _ in 1..5 do
        classic.Poll(ms 5) |> ignore
        modern.Poll(ms 5) |> ignore

    let transaction = new TransactionClient(settings, brokers, "tx")
    (quickly RetryPolicy.standard).Run(fun call -> transaction.InitProducerId(minute, call)) |> ignore
    transaction.AddPartitions [ partition ] |> ignore
    transaction.Producer(partition).Begin(batchOf [ "a" ]) |> ignore
    let admin = new AdminClient(settings, brokers)
    admin.ListTopics() |> ignore
    let client = new PartitionClient(settings, brokers, partition)
    let fetcher = new PartitionFetcher(client, { FetcherSettings.standard with UseSession = true }, 1_000L)
    fetcher.Begin() |> ignore

    let all: IDisposable[] = [| producer; consumer; classic; modern; transaction; admin; fetcher; client; proxy; kafka |]

    // The clients before or after the brokers, in any order.
    random.Shuffle all

    for one in all do
        one.Dispose()

    [ for one in all -> WeakReference one ]

let private collect () =
    GC.Collect()
    GC.WaitForPendingFinalizers()
    GC.Collect()

[<Tests>]
let tests =
    testSequenced
    <| testList
        "8 nothing survives Dispose"
        [ testCase "threads, sockets, timers and memory are those of before" (fun () ->
              let random = Random seed
              let references = List<WeakReference>()
              // What is made once and kept: caches, the threads of the pool.
              for _ in 1..3 do
                  cycle random |> ignore

              collect ()
              let threads, sockets, timers = Resources.threads (), Resources.sockets (), Resources.timers ()
              let cycles = if isLong then 200 else 8

              for _ in 1..cycles do
                  references.AddRange(cycle random)

              let isBack () =
                  collect ()
                  Resources.threads () <= threads && Resources.sockets () <= sockets && Resources.timers () <= timers

              awaiting $"threads, sockets and timers to be {threads}, {sockets} and {timers} again (seed {seed})" (ms 20_000) isBack

              // A thread that is about to end may refer to an object for a moment.
              let survivors () =
                  collect ()
                  [ for one in references do
                        match one.Target with
                        | null -> ()
                        | target -> target.GetType().Name ]

              let patience = Stopwatch.StartNew()

              while not (survivors ()).IsEmpty && patience.Elapsed < ms 20_000 do
                  Thread.Sleep 10

              Expect.equal (survivors ()) [] $"objects that are referenced after Dispose (seed {seed})"
              Figures.add "8. cycles of using and disposing everything" cycles)

          testCase "a broker survives connections that are closed as they are accepted" (fun () ->
              use kafka = TestBroker.Start 1
              let port = kafka.State.Nodes[1].Port
              let mutable isOver = false

              let close () =
                  while not (Volatile.Read &isOver) do
                      kafka.CloseConnections 1

              let closing = Thread(close, IsBackground = true)
              closing.Start()
              let count = if isLong then 20_000 else 1_500

              for number in 1..count do
                  use socket = new Socket(SocketType.Stream, ProtocolType.Tcp)
                  socket.Connect(IPAddress.Loopback, port)
                  if number % 2 = 0 then socket.LingerState <- LingerOption(true, 0)

              Volatile.Write(&isOver, true)
              closing.Join()
              use connection = (quickly RetryPolicy.connect).Run(fun call -> Cluster.Connect(settings, bootstrap kafka, call)) |> ok
              Expect.isTrue connection.IsOpen "a connection afterwards"
              demandSound kafka
              Figures.add "8. connections closed as they were accepted" count) ]
