/// The clusters that scenarios run on: librdkafka's mock cluster always, and a real one where `LIBKAFKA_BOOTSTRAP` names it.
module LibKafka.Integration.Clusters

open System
open System.Diagnostics
open System.Threading
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Tests
open LibKafka.Integration.Support

/// The variable that names a real cluster, as `host:port,host:port`.
[<Literal>]
let Variable = "LIBKAFKA_BOOTSTRAP"

/// A cluster whose topics can be made and deleted, whatever it is.
type TestCluster =
    {
        Name: string
        /// For any client. The cluster is started when it is first asked for.
        Bootstrap: unit -> string
        /// Makes a topic of so many partitions.
        Create: string -> int -> unit
        Delete: string -> unit
    }

    member this.Brokers = Bootstrap.parse (this.Bootstrap()) |> ok

    /// Runs a test on a new topic and deletes it afterwards.
    member this.WithTopic (partitions: int) (test: string -> unit) =
        let topic = "libkafka-test-" + Guid.NewGuid().ToString "N"
        this.Create topic partitions

        try
            test topic
        finally
            this.Delete topic

    /// Runs a test on the only partition of a new topic.
    member this.WithPartition(test: string -> PartitionClient -> unit) =
        this.WithTopic 1 (fun topic ->
            use client = new PartitionClient(patient, this.Brokers, { Topic = topic; Partition = 0 })
            test topic client)

let private mock: TestCluster * (unit -> string list) =
    let cluster = lazy MockCluster.start 3

    let stop () =
        if cluster.IsValueCreated then
            let complaints = cluster.Value.Complaints
            (cluster.Value :> IDisposable).Dispose()
            complaints
        else
            []

    { Name = "on the mock cluster"
      Bootstrap = fun () -> cluster.Value.Bootstrap
      Create = fun topic partitions -> cluster.Value.CreateTopic(topic, partitions, 3)
      Delete = fun topic -> cluster.Value.DeleteTopic topic },
    stop

/// Waits for something that a cluster does in its own time.
let awaiting (what: string) (isDone: unit -> bool) =
    let patience = Stopwatch.StartNew()

    while not (isDone ()) do
        if patience.Elapsed > ms 30_000 then failtestf "waited in vain for %s" what
        Thread.Sleep 50

let private real (bootstrap: string) : TestCluster =
    let brokers = lazy (Bootstrap.parse bootstrap |> ok)

    let onController (call: Connection -> unit) =
        use connection = Cluster.connectController patient brokers.Value never |> ok
        call connection

    /// A new topic is not known everywhere at once: wait until its leader knows of it too.
    let awaitLeader (partition: TopicPartition) =
        use client = new PartitionClient(patient, brokers.Value, partition)
        let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)

        awaiting (partition.ToString() + " to have a leader") (fun () -> (fetcher.Find OffsetSpec.Latest).Offset.IsSome)

    let create topic partitions =
        onController (fun connection ->
            let wanted = { Name = topic; Partitions = partitions; ReplicationFactor = 1s; Configs = [ "min.insync.replicas", "1" ] }

            let exchange = Cluster.createTopics connection [ wanted ] (ms 15_000) never
            Expect.equal ((ok exchange.Outcome).Topics |> List.map _.Error) [ ErrorCode.None ] "the topic was made")

        for partition in 0 .. partitions - 1 do
            awaitLeader { Topic = topic; Partition = partition }

    let delete topic =
        onController (fun connection ->
            let exchange = Cluster.deleteTopics connection [ topic ] (ms 15_000) never
            Expect.equal ((ok exchange.Outcome).Topics |> List.map _.Error) [ ErrorCode.None ] "the topic was deleted")

    { Name = "on the cluster at " + bootstrap; Bootstrap = (fun () -> bootstrap); Create = create; Delete = delete }

/// Every cluster there is.
let all: TestCluster list =
    [ fst mock
      match Environment.GetEnvironmentVariable Variable with
      | null
      | "" -> ()
      | bootstrap -> real bootstrap ]

/// Whether it is librdkafka's mock cluster, which does not know everything.
let isMock (cluster: TestCluster) : bool = cluster.Name = (fst mock).Name

/// The same tests on every cluster.
let onEach (name: string) (tests: TestCluster -> Test list) : Test =
    testList name [ for cluster in all -> testList cluster.Name (tests cluster) ]

/// Stops the mock cluster that the tests shared. What comes back are its brokers' complaints of requests that they could not read.
let stop () : string list = snd mock ()

/// A mock cluster for one test alone, whose powers it can use without harm to others.
let withMock (brokers: int) (test: MockCluster -> unit) =
    use cluster = MockCluster.start brokers
    test cluster
    Expect.isEmpty cluster.Complaints "the mock brokers could read every request"

/// A mock cluster of three brokers for one test alone, with the only partition of the topic `t`, led by broker 1.
let withMockPartition (settings: ClientSettings) (test: MockCluster -> PartitionClient -> unit) =
    withMock 3 (fun cluster ->
        cluster.CreateTopic("t", 1, 3)
        cluster.SetLeader("t", 0, 1)
        let brokers = Bootstrap.parse cluster.Bootstrap |> ok
        use client = new PartitionClient(settings, brokers, { Topic = "t"; Partition = 0 })
        test cluster client)
