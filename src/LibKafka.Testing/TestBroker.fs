namespace LibKafka.Testing

open System
open System.Diagnostics
open System.Net
open System.Runtime.InteropServices
open System.Threading
open LibKafka.Records

/// What a test cluster is started with.
[<Sealed>]
type TestBrokerOptions() =
    /// The number of brokers. Their ids begin with 1.
    member val Brokers = 1 with get, set

    /// The port of the first broker; the others have the following ones. 0 for any free ports.
    member val Port = 0 with get, set

    /// The release of Kafka whose versions and behaviour the brokers have, such as `2.8` or `3.9.1`. The newest by default.
    member val Release = Release.newest.ToString() with get, set

    /// The codecs with which the brokers look into compressed batches. Without one for a batch, the broker checks its header only.
    member val Codecs = CompressionCodecs.none with get, set

    /// Whether a topic is created when a client first asks for it (auto.create.topics.enable).
    member val AutoCreateTopics = true with get, set

    /// The number of partitions of a topic that is created without one (num.partitions).
    member val DefaultPartitions = 1 with get, set

    /// The most bytes that the log of a partition keeps: older batches are deleted. Unlimited by default.
    member val MostLogBytes = Int64.MaxValue with get, set

    /// The racks of the brokers, in the order of their ids. Brokers without one have none.
    member val Racks: string seq = Seq.empty with get, set

/// A cluster of Kafka brokers inside the process, for tests: real sockets on the loopback address, any client, nothing on disk. Everything
/// is gone after `Dispose`.
[<Sealed>]
type TestBroker private (engine: Engine, listeners: (int32 * Listener) list) =

    static let clock () : unit -> Moment =
        let begun = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()
        let watch = Stopwatch.StartNew()
        fun () -> begun + watch.ElapsedMilliseconds

    /// Starts a cluster of brokers on free ports.
    static member Start([<Optional; DefaultParameterValue(1)>] brokers: int) : TestBroker =
        TestBroker.Start(TestBrokerOptions(Brokers = brokers))

    /// Starts a cluster of brokers.
    static member Start(options: TestBrokerOptions) : TestBroker =
        ArgumentNullException.ThrowIfNull options

        if options.Brokers < 1 || options.Brokers > 1000 then
            raise (ArgumentOutOfRangeException(nameof options, options.Brokers, "The number of brokers must be from 1 to 1000."))

        let listeners =
            [ for index in 0 .. options.Brokers - 1 ->
                  let port = if options.Port = 0 then 0 else options.Port + index
                  index + 1, Listener(IPAddress.Loopback, port) ]

        let racks = Array.ofSeq options.Racks

        let nodes =
            [ for id, listener in listeners ->
                  { Id = id; Host = "127.0.0.1"; Port = listener.Port; Rack = Array.tryItem (id - 1) racks; Status = NodeStatus.Running } ]

        let settings =
            { State.settings with
                Release = Release.parse options.Release
                Codecs = options.Codecs
                AutoCreateTopics = options.AutoCreateTopics
                DefaultPartitions = options.DefaultPartitions
                MostLogBytes = options.MostLogBytes }

        let engine = Engine(State.create settings nodes, clock ())
        let mutable connections = 0L
        for id, listener in listeners do
            listener.Start(engine, id, (fun () -> Interlocked.Increment &connections))

        new TestBroker(engine, listeners)

    /// The addresses of the brokers, as clients take them: `127.0.0.1:40001,127.0.0.1:40002`.
    member _.Bootstrap: string =
        listeners |> List.map (fun (_, listener) -> "127.0.0.1:" + string listener.Port) |> String.concat ","

    /// The state of the cluster at this moment. It is a value that does not change any more.
    member _.State: State = engine.State

    /// Exceptions that the brokers threw. They are defects of the test broker.
    member _.Failures: string list = engine.Failures

    /// Creates a topic, whose partitions are spread over the brokers.
    member _.Topic
        (name: string, [<Optional; DefaultParameterValue(1)>] partitions: int, [<Optional; DefaultParameterValue(1)>] replicas: int)
        =
        ArgumentNullException.ThrowIfNull name

        match Topics.nameFault name with
        | ValueSome text -> raise (ArgumentException(text, nameof name))
        | ValueNone -> ()

        if partitions < 1 then
            raise (ArgumentOutOfRangeException(nameof partitions, partitions, "A topic has at least one partition."))

        if replicas < 1 || replicas > listeners.Length then
            raise (
                ArgumentOutOfRangeException(nameof replicas, replicas, "The number of replicas must be from 1 to the number of brokers.")
            )

        engine.Change(fun _ state ->
            if state.Topics.ContainsKey name then
                raise (InvalidOperationException("The topic " + name + " exists already."))

            fst (Topics.create name partitions replicas Map.empty state))

    /// The records in the log of a partition, control records excluded.
    member _.Log(topic: string, [<Optional; DefaultParameterValue(0)>] partition: int) : RecordData list =
        ArgumentNullException.ThrowIfNull topic
        let state = engine.State

        match Cluster.tryPartition topic partition state with
        | None -> raise (ArgumentException("There is no partition " + string partition + " of a topic " + topic + ".", nameof topic))
        | Some found ->
            [ for batch in found.Log.Batches do
                  if not batch.IsControl then
                      match RecordBatch.toList (Reading.withCodecs state.Settings.Codecs) batch with
                      | Ok records -> yield! records
                      | Error fault -> raise (InvalidOperationException("A batch cannot be read: " + fault.ToString())) ]

    /// Closes all sockets. The threads of the cluster end.
    member _.Dispose() =
        engine.Stop()
        for _, listener in listeners do
            listener.Stop()

    interface IDisposable with
        member this.Dispose() = this.Dispose()
