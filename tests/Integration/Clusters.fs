/// The clusters that tests run on: librdkafka's mock cluster always, and a real one if `LIBKAFKA_BOOTSTRAP` names it, also through its
/// listeners with TLS or SASL if `LIBKAFKA_TLS_BOOTSTRAP` and `LIBKAFKA_SASL_BOOTSTRAP` name them.
module LibKafka.Integration.Clusters

open System
open System.Diagnostics
open System.Threading
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Compression
open LibKafka.Testing
open LibKafka.Tests
open LibKafka.Integration.Support

/// The variable that names a real cluster, as `host:port,host:port`.
[<Literal>]
let Variable = "LIBKAFKA_BOOTSTRAP"

/// A cluster, real or not, whose topics can be created and deleted.
type TestCluster =
    {
        Name: string
        /// Whether it requires TLS or SASL, which other clients are not configured for.
        IsSecured: bool
        /// How a client connects to it.
        Settings: unit -> ClientSettings
        /// For any client. The cluster is started when this is first called.
        Bootstrap: unit -> string
        /// Creates a topic with this number of partitions and these configs.
        CreateWith: (string * string) list -> string -> int -> unit
        Delete: string -> unit
        /// The shortest session time-out of a classic group, and the one of groups of the new protocol. The mock cluster's rebalances take a
        /// second less.
        Session: TimeSpan
        ConsumerSession: TimeSpan
    }

    member this.Brokers = Bootstrap.parse (this.Bootstrap()) |> ok

    /// Whether its brokers support this version of an API.
    member this.Supports(api: ApiKey, version: int16) : bool =
        use connection = Cluster.Connect(this.Settings(), this.Brokers) |> ok
        connection.BrokerVersions |> Map.tryFind api |> Option.exists (fun range -> range.Highest >= version)

    /// Skips the rest of a test if its brokers are too old for it.
    member this.Requires(api: ApiKey, version: int16) =
        if not (this.Supports(api, version)) then
            skiptest ("the brokers do not support version " + string version + " of " + api.ToString())

    /// Creates a topic with this number of partitions.
    member this.Create topic partitions = this.CreateWith [] topic partitions

    /// Runs a test on a new topic with these configs and deletes it afterwards.
    member this.WithConfiguredTopic configs (partitions: int) (test: string -> unit) =
        let topic = "libkafka-test-" + Guid.NewGuid().ToString "N"
        this.CreateWith configs topic partitions

        try
            test topic
        finally
            this.Delete topic

    /// Runs a test on a new topic and deletes it afterwards.
    member this.WithTopic (partitions: int) (test: string -> unit) = this.WithConfiguredTopic [] partitions test

    /// Runs a test on the only partition of a new topic.
    member this.WithPartition(test: string -> PartitionClient -> unit) =
        this.WithTopic 1 (fun topic ->
            use client = new PartitionClient(this.Settings(), this.Brokers, { Topic = topic; Partition = 0 })
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
      IsSecured = false
      Settings = fun () -> patient
      Bootstrap = fun () -> cluster.Value.Bootstrap
      CreateWith = fun _ topic partitions -> cluster.Value.CreateTopic(topic, partitions, 3)
      Delete = fun topic -> cluster.Value.DeleteTopic topic
      Session = ms 3_000
      ConsumerSession = ms 30_000 },
    stop

/// Waits for something that a cluster does asynchronously.
let awaiting (what: string) (isDone: unit -> bool) =
    let patience = Stopwatch.StartNew()

    while not (isDone ()) do
        if patience.Elapsed > ms 30_000 then failtestf "waited in vain for %s" what
        Thread.Sleep 50

/// The error code of a call, repeated while a coordinator starts: a new cluster creates its internal topics on first use.
let startedCode (call: unit -> Result<ErrorCode, ClientFault>) : ErrorCode =
    let starting = [ ErrorCode.CoordinatorNotAvailable; ErrorCode.CoordinatorLoadInProgress; ErrorCode.NotCoordinator ]
    let mutable code = ErrorCode.None

    awaiting "a coordinator" (fun () ->
        code <-
            match call () with
            | Error(ClientFault.NoCoordinator(_, _, code)) -> code
            | result -> ok result

        not (List.contains code starting))

    code

/// The addresses of all brokers.
let brokersOf (settings: ClientSettings) (bootstrap: Bootstrap) : BrokerAddress list =
    use connection = Cluster.Connect(settings, bootstrap) |> ok
    [ for broker in (ok (Cluster.Metadata(connection, Some [])).Result).Brokers -> { Host = broker.Host; Port = broker.Port } ]

let private real (isSecured: bool) (settings: Lazy<ClientSettings>) (bootstrap: string) : TestCluster =
    let brokers = lazy (Bootstrap.parse bootstrap |> ok)

    let asAdmin (call: AdminClient -> AdminReply<string, 'Value>) (what: string) =
        use admin = new AdminClient(settings.Value, brokers.Value)

        for _, result in (call admin).Result do
            match result with
            | Ok _ -> ()
            | Error fault -> failtestf "%s: %O" what fault

    let connect (bootstrap: Bootstrap) = Cluster.Connect(settings.Value, bootstrap) |> ok

    /// Whether a broker knows all partitions of a topic and their leaders.
    let knows (topic: string) (partitions: int) (broker: BrokerAddress) : bool =
        use connection = connect (Bootstrap.ofAddresses [ broker ])

        match (ok (Cluster.Metadata(connection, Some [ topic ])).Result).Topics with
        | [ found ] -> found.Partitions.Length = partitions && not (found.Partitions |> List.exists _.Error.IsError)
        | _ -> false

    /// Brokers learn of a new topic one after another.
    let awaitTopic (topic: string) (partitions: int) =
        let brokers = brokersOf settings.Value brokers.Value
        awaiting ("every broker to know " + topic) (fun () -> brokers |> List.forall (knows topic partitions))

    /// The leader in the metadata may not yet know that it leads.
    let awaitLeader (partition: TopicPartition) =
        use client = new PartitionClient(settings.Value, brokers.Value, partition)
        let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)

        awaiting (partition.ToString() + " to have a leader") (fun () -> (fetcher.FindOffset OffsetSpec.Latest).Offset.IsSome)

    let create configs topic partitions =
        let configs = ("min.insync.replicas", "1") :: configs
        let wanted = { Name = topic; Partitions = partitions; ReplicationFactor = 1s; Configs = configs }
        asAdmin _.CreateTopics([ wanted ], ms 15_000) "the topic cannot be created"

        awaitTopic topic partitions

        for partition in 0 .. partitions - 1 do
            awaitLeader { Topic = topic; Partition = partition }

    let delete topic = asAdmin _.DeleteTopics([ topic ], ms 15_000) "the topic cannot be deleted"

    { Name = "on the cluster at " + bootstrap
      IsSecured = isSecured
      Settings = fun () -> settings.Value
      Bootstrap = fun () -> bootstrap
      CreateWith = create
      Delete = delete
      Session = ms 6_000
      ConsumerSession = ms 45_000 }

let private variable (name: string) : string option =
    match Environment.GetEnvironmentVariable name with
    | null
    | "" -> None
    | value -> Some value

/// The PEM files in the folder that `LIBKAFKA_CERTS` names: `ca.pem`, and `client.pem` with `client.key` if the brokers require a certificate.
let pemFiles () : PemFiles =
    let file (name: string) =
        variable "LIBKAFKA_CERTS" |> Option.map (fun folder -> IO.Path.Combine(folder, name)) |> Option.filter IO.File.Exists

    { Authorities = file "ca.pem"; Certificate = file "client.pem"; Key = file "client.key"; KeyPassword = None }

/// The listener with TLS of a real cluster.
let tlsListener: string option = variable "LIBKAFKA_TLS_BOOTSTRAP"

/// The listener with SASL of a real cluster, and the user and password for it.
let saslListener: (string * string * string) option =
    match variable "LIBKAFKA_SASL_BOOTSTRAP", variable "LIBKAFKA_SASL_USER", variable "LIBKAFKA_SASL_PASSWORD" with
    | Some bootstrap, Some user, Some password -> Some(bootstrap, user, password)
    | Some _, _, _ -> failwith "LIBKAFKA_SASL_BOOTSTRAP needs LIBKAFKA_SASL_USER and LIBKAFKA_SASL_PASSWORD"
    | None, _, _ -> None

let withTls (files: PemFiles) (settings: ClientSettings) : ClientSettings = { settings with Tls = Some(Tls.ofPemFiles files |> ok) }

/// Settings with the first mechanism by which a cluster accepts the user, without TLS or with it.
let withSasl (bootstrap: Bootstrap) (files: PemFiles) (user: string) (password: string) : ClientSettings =
    let tries =
        [ for secure in [ id; withTls files ] do
              for mechanism in [ Sasl.scramSha512; Sasl.scramSha256; Sasl.plain ] do
                  secure { patient with Sasl = Some(mechanism user password) } ]

    let faults = ResizeArray<ClientFault>()

    let works (settings: ClientSettings) =
        match Cluster.Connect(settings, bootstrap) with
        | Ok connection ->
            connection.Close()
            true
        | Error fault ->
            faults.Add fault
            false

    match List.tryFind works tries with
    | Some settings -> settings
    | None -> failtestf "the user is not taken: %s" (faults |> Seq.map string |> String.concat "; ")

/// All clusters.
let all: TestCluster list =
    [ fst mock
      for bootstrap in Option.toList (variable Variable) do
          real false (lazy patient) bootstrap
      for bootstrap in Option.toList tlsListener do
          real true (lazy (withTls (pemFiles ()) patient)) bootstrap
      for bootstrap, user, password in Option.toList saslListener do
          real true (lazy (withSasl (Bootstrap.parse bootstrap |> ok) (pemFiles ()) user password)) bootstrap ]

let private embeddedSession = ms 3_000

let private embeddedBroker =
    lazy
        TestBroker.Start(
            TestBrokerOptions(
                Brokers = 3,
                Codecs = AllCodecs.Set,
                MinSessionTimeout = embeddedSession,
                ConsumerSessionTimeout = embeddedSession
            )
        )

/// The brokers inside the process. They are started when the cluster is first used.
let embedded: TestCluster =
    let inner = lazy (real false (lazy patient) embeddedBroker.Value.Bootstrap)

    { Name = "on the brokers inside the process"
      IsSecured = false
      Settings = fun () -> patient
      Bootstrap = fun () -> embeddedBroker.Value.Bootstrap
      CreateWith = fun configs topic partitions -> inner.Value.CreateWith configs topic partitions
      Delete = fun topic -> inner.Value.Delete topic
      Session = embeddedSession
      ConsumerSession = embeddedSession }

let private stopEmbedded () : string list =
    if embeddedBroker.IsValueCreated then
        let failures = embeddedBroker.Value.Failures
        embeddedBroker.Value.Dispose()
        failures
    else
        []

let private onEachOf (clusters: TestCluster list) (name: string) (tests: TestCluster -> Test list) : Test =
    testList name [ for cluster in clusters -> testList cluster.Name (tests cluster) ]

/// Whether it is librdkafka's mock cluster, which does not support everything.
let isMock (cluster: TestCluster) : bool = cluster.Name = (fst mock).Name

/// The same tests on every cluster.
let onEach name tests = onEachOf all name tests

/// The same tests on every cluster, the one inside the process included.
let onEachAndEmbedded name tests = onEachOf (all @ [ embedded ]) name tests

/// The same tests on every cluster that other clients can use too.
let onEachUnsecured name tests = onEachOf (all |> List.filter (fun cluster -> not cluster.IsSecured)) name tests

/// Stops the clusters that the tests shared. Returns the complaints of the mock brokers about requests that they could not read, and the
/// exceptions of the brokers inside the process.
let stop () : string list = snd mock () @ stopEmbedded ()

/// A mock cluster for one test alone, which may disturb it without affecting other tests.
let withMock (brokers: int) (test: MockCluster -> unit) =
    use cluster = MockCluster.start brokers
    test cluster
    Expect.isEmpty cluster.Complaints "the mock brokers could read every request"

/// A mock cluster of three brokers for one test alone, with the topic `t` of one partition, led by broker 1.
let withMockPartition (settings: ClientSettings) (test: MockCluster -> PartitionClient -> unit) =
    withMock 3 (fun cluster ->
        cluster.CreateTopic("t", 1, 3)
        cluster.SetLeader("t", 0, 1)
        let brokers = Bootstrap.parse cluster.Bootstrap |> ok
        use client = new PartitionClient(settings, brokers, { Topic = "t"; Partition = 0 })
        test cluster client)
