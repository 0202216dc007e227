namespace LibKafka.Tests

open System
open System.Collections.Concurrent
open System.Diagnostics
open System.IO
open System.Net
open System.Reflection
open System.Runtime.InteropServices
open System.Text
open System.Threading

/// A call into the mock cluster that was refused: which call, the native error code, and its text.
[<Sealed>]
type MockClusterException(call: string, code: int, text: string) =
    inherit Exception($"{call}: {text} ({code})")

    /// The native function that refused.
    member _.Call = call

    /// librdkafka's error code: a Kafka error code if positive, one of the library's own if negative.
    member _.Code = code

/// One request that a mock broker received while tracking was on.
type TrackedRequest =
    {
        ApiKey: int16
        BrokerId: int
        /// The broker's monotonic clock. The origin is unspecified: only differences have a meaning.
        At: TimeSpan
    }

/// Finds and loads the native library.
module private NativeLoader =

    /// A name of our own, so that the resolver below applies to these imports only.
    [<Literal>]
    let Library = "librdkafka-for-the-mock-cluster"

    let private operatingSystem =
        if OperatingSystem.IsWindows() then "win"
        elif OperatingSystem.IsMacOS() then "osx"
        else "linux"

    let private runtimeId =
        let architecture = string RuntimeInformation.ProcessArchitecture
        $"{operatingSystem}-{architecture.ToLowerInvariant()}"

    /// The package has several builds for Linux that link to different libraries. The first of these that loads is also the one
    /// that Confluent.Kafka loads, so that there is one copy of the library in the process.
    let private fileNames =
        match operatingSystem with
        | "win" -> [ "librdkafka.dll" ]
        | "osx" -> [ "librdkafka.dylib" ]
        | _ -> [ "librdkafka.so"; "centos8-librdkafka.so"; "alpine-librdkafka.so" ]

    /// The output folder first, then the folders of the host, which are needed if packages are used in place.
    let private folders =
        let here = AppContext.BaseDirectory

        let fromHost =
            match AppContext.GetData "NATIVE_DLL_SEARCH_DIRECTORIES" with
            | :? string as list -> list.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries) |> List.ofArray
            | _ -> []

        Path.Combine(here, "runtimes", runtimeId, "native") :: here :: fromHost

    let private candidates =
        [ for folder in folders do
              for file in fileNames do
                  Path.Combine(folder, file) ]
        |> List.distinct

    let private tryLoad (path: string) =
        match NativeLibrary.TryLoad path with
        | true, handle -> Some handle
        | false, _ -> None

    let private load () =
        match List.tryPick tryLoad candidates with
        | Some handle -> handle
        | None ->
            let tried = String.Join(Environment.NewLine, candidates)
            raise (DllNotFoundException $"No loadable librdkafka among:{Environment.NewLine}{tried}")

    let private library = lazy (load ())

    let private resolve (name: string) = if name = Library then library.Force() else IntPtr.Zero

    let private registration =
        lazy (NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(), DllImportResolver(fun name _ _ -> resolve name)))

    /// Must run before the first native call. A second time does nothing.
    let ensure () = registration.Force()

/// The native entry points, named and typed as in the library's public headers.
module private Native =

    [<Literal>]
    let Library = NativeLoader.Library

    /// void (*)(const rd_kafka_t *, int level, const char *facility, const char *text)
    [<UnmanagedFunctionPointer(CallingConvention.Cdecl)>]
    type LogCallback = delegate of nativeint * int * nativeint * nativeint -> unit

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern nativeint rd_kafka_err2str(int code)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern nativeint rd_kafka_conf_new()

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern void rd_kafka_conf_destroy(nativeint conf)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern void rd_kafka_conf_set_log_cb(nativeint conf, LogCallback callback)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern nativeint rd_kafka_new(int kind, nativeint conf, byte[] error, unativeint errorSize)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern void rd_kafka_destroy(nativeint client)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern nativeint rd_kafka_mock_cluster_new(nativeint client, int brokers)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern void rd_kafka_mock_cluster_destroy(nativeint cluster)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern nativeint rd_kafka_mock_cluster_bootstraps(nativeint cluster)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_topic_create(nativeint cluster, byte[] topic, int partitions, int replication)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_topic_delete(nativeint cluster, byte[] topic)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern void rd_kafka_mock_topic_set_error(nativeint cluster, byte[] topic, int code)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_partition_delete_records(nativeint cluster, byte[] topic, int partition, int64 beforeOffset)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_partition_set_leader(nativeint cluster, byte[] topic, int partition, int broker)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_partition_set_follower(nativeint cluster, byte[] topic, int partition, int broker)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_partition_set_follower_wmarks(nativeint cluster, byte[] topic, int partition, int64 low, int64 high)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_partition_push_leader_response(nativeint cluster, byte[] topic, int partition, int leader, int leaderEpoch)

    /// Variadic in C: count, then that many codes. Declared here for a count of one.
    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_partition_push_request_errors(
        nativeint cluster,
        byte[] topic,
        int partition,
        int16 apiKey,
        unativeint count,
        int code
    )

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern void rd_kafka_mock_push_request_errors_array(nativeint cluster, int16 apiKey, unativeint count, int[] codes)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern void rd_kafka_mock_clear_request_errors(nativeint cluster, int16 apiKey)

    /// Variadic in C: count, then that many pairs of code and milliseconds. Declared here for a count of one.
    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_broker_push_request_error_rtts(
        nativeint cluster,
        int broker,
        int16 apiKey,
        unativeint count,
        int code,
        int milliseconds
    )

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_broker_error_stack_cnt(nativeint cluster, int broker, int16 apiKey, unativeint& count)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_broker_set_down(nativeint cluster, int broker)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_broker_set_up(nativeint cluster, int broker)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_broker_set_rtt(nativeint cluster, int broker, int milliseconds)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_broker_set_rack(nativeint cluster, int broker, byte[] rack)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern void rd_kafka_mock_broker_set_host_port(nativeint cluster, int broker, byte[] host, int port)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_broker_add(nativeint cluster, int broker)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_broker_decommission(nativeint cluster, int broker)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_broker_remove_from_metadata(nativeint cluster, int broker)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern void rd_kafka_mock_set_controller_id(nativeint cluster, int broker)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_coordinator_set(nativeint cluster, byte[] keyType, byte[] key, int broker)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern void rd_kafka_mock_group_initial_rebalance_delay_ms(nativeint cluster, int milliseconds)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_set_apiversion(nativeint cluster, int16 apiKey, int16 low, int16 high)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern void rd_kafka_mock_start_request_tracking(nativeint cluster)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern void rd_kafka_mock_stop_request_tracking(nativeint cluster)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern nativeint rd_kafka_mock_get_requests(nativeint cluster, unativeint& count)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern void rd_kafka_mock_request_destroy_array(nativeint requests, unativeint count)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern void rd_kafka_mock_clear_requests(nativeint cluster)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int rd_kafka_mock_request_id(nativeint request)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int16 rd_kafka_mock_request_api_key(nativeint request)

    [<DllImport(Library, CallingConvention = CallingConvention.Cdecl)>]
    extern int64 rd_kafka_mock_request_timestamp(nativeint request)

    /// A C string. Passing bytes keeps every signature above blittable, and the encoding the same on all platforms.
    let utf8 (text: string) = Encoding.UTF8.GetBytes(text + "\000")

    let text (pointer: nativeint) =
        match Marshal.PtrToStringUTF8 pointer with
        | null -> ""
        | text -> text

    /// Checks every returned code, so that no refusal is ignored.
    let check (call: string) (code: int) =
        if code <> 0 then
            raise (MockClusterException(call, code, text (rd_kafka_err2str code)))

/// The settings and the log of the librdkafka client that hosts a mock cluster.
module private Host =

    let private producer = 0

    /// Notices say that the client has no brokers of its own, which is intended. Warnings and worse are about the traffic.
    let private isComplaint level = level <= 4

    let logInto (complaints: ConcurrentQueue<string>) =
        Native.LogCallback(fun _ level facility text ->
            if isComplaint level then
                complaints.Enqueue $"{Native.text facility}: {Native.text text}")

    let create (log: Native.LogCallback) =
        let conf = Native.rd_kafka_conf_new ()
        Native.rd_kafka_conf_set_log_cb (conf, log)
        let error = Array.zeroCreate<byte> 512
        let client = Native.rd_kafka_new (producer, conf, error, unativeint error.Length)

        // The client owns the settings from here on, but only if it was created.
        if client = 0n then
            Native.rd_kafka_conf_destroy conf
            raise (MockClusterException("rd_kafka_new", 0, Encoding.UTF8.GetString(error).TrimEnd '\000'))

        client

    let createCluster client brokers =
        let cluster = Native.rd_kafka_mock_cluster_new (client, brokers)

        if cluster = 0n then
            Native.rd_kafka_destroy client
            raise (MockClusterException("rd_kafka_mock_cluster_new", 0, $"no cluster of {brokers} brokers"))

        cluster

/// A cluster of mock brokers inside this process, on loopback sockets: librdkafka's, so a peer written by others.
///
/// It is a subset of Kafka (no CreateTopics, no SASL, no TLS), and differs from a broker in ways that a test must take into account:
/// - A fetch returns one batch for each partition, and a fetch without data takes `max_wait`, even if records are produced meanwhile.
/// - Produce with `acks = 0` is answered nevertheless.
/// - A batch is stored as received: CRC, length and codec are not checked.
/// - Sequence numbers are checked for transactional producers only.
/// - Bytes after the end of a request are ignored.
/// - Every broker commits and returns the offsets of a group, not only its coordinator, and not all offsets of a group. Offsets of
///   transactions are accepted and not kept. Every producer gets a new id, so that none fences another.
/// - Errors of JoinGroup and SyncGroup contain nulls in fields that are not nullable, so that a strict reader cannot read them.
/// - JoinGroup, SyncGroup and LeaveGroup are offered in versions that the brokers then misread; these versions are removed.
/// - Produce 5 is answered without the log start offset, and ApiVersions 3 with neither a classic nor a flexible body.
///
/// Some requests end the process: Produce with null or empty records; Produce 10 and Fetch 12 for a topic that does not
/// exist, when NOT_LEADER_OR_FOLLOWER was pushed for them; and those of RemoveLeader.
///
/// Members may be called from any thread, but not during or after Dispose.
[<Sealed>]
type MockCluster private (client: nativeint, cluster: nativeint, log: GCHandle, complaints: ConcurrentQueue<string>) =

    let bootstrap = Native.text (Native.rd_kafka_mock_cluster_bootstraps cluster)

    let brokers =
        bootstrap.Split ','
        |> Seq.mapi (fun index address ->
            let endPoint = IPEndPoint.Parse address
            index + 1, string endPoint.Address, endPoint.Port)
        |> List.ofSeq

    let mutable disposed = false

    let alive () =
        ObjectDisposedException.ThrowIf(disposed, typeof<MockCluster>)
        cluster

    let gate = obj ()

    let mutable lastCommand = 0L

    /// The brokers' thread takes commands from a queue. If a command follows another one immediately, the thread clears its signal
    /// without reading it, and the command waits for a second. So commands are sent at a distance.
    let paced (invoke: nativeint -> 'Result) : 'Result =
        lock gate (fun () ->
            if Stopwatch.GetElapsedTime lastCommand < TimeSpan.FromMilliseconds 1L then
                Thread.Sleep 1

            let result = invoke (alive ())
            lastCommand <- Stopwatch.GetTimestamp()
            result)

    let command call invoke = paced invoke |> Native.check call

    /// A broker that hits an assertion takes the whole process with it, so what it asserts is checked here.
    static let require (condition: bool) (parameter: string) (text: string) = if not condition then invalidArg parameter text

    static let requirePartition partition = require (partition >= 0) "partition" "A partition is 0 or more."

    static let milliseconds (span: TimeSpan) = int span.TotalMilliseconds

    /// The two variadic entry points are called with as many arguments as their fixed form has registers for, which is the same
    /// call everywhere but on Apple's processors: there, variadic arguments go on the stack.
    static let requireVariadic () =
        if OperatingSystem.IsMacOS() && RuntimeInformation.ProcessArchitecture = Architecture.Arm64 then
            raise (PlatformNotSupportedException "Variadic native functions cannot be called from .NET on this platform.")

    static let readRequest (array: nativeint) index =
        let request = Marshal.ReadIntPtr(array, index * IntPtr.Size)

        { ApiKey = Native.rd_kafka_mock_request_api_key request
          BrokerId = Native.rd_kafka_mock_request_id request
          At = TimeSpan.FromMicroseconds(float (Native.rd_kafka_mock_request_timestamp request)) }

    let setLeader topic partition brokerId =
        command "rd_kafka_mock_partition_set_leader" (fun it ->
            Native.rd_kafka_mock_partition_set_leader (it, Native.utf8 topic, partition, brokerId))

    let setApiVersion apiKey low high =
        command "rd_kafka_mock_set_apiversion" (fun it -> Native.rd_kafka_mock_set_apiversion (it, apiKey, low, high))

    // ---- constants ----

    /// Means every broker, in the members whose description mentions it.
    static member AllBrokers = -1

    /// An error code that makes the broker cut the connection instead of answering. The request is not carried out.
    static member Disconnect = -195s

    /// The partitions of a topic that was created by a request for it. Cannot be set.
    static member AutoCreatedPartitions = 4

    /// A partition keeps whole batches, newest first, as long as their encoded bytes sum to no more than this; older ones are deleted
    /// and the log start offset moves up. (There is a limit of 100,000 batches too, which valid batches of 61 bytes or more
    /// cannot reach.) If a batch and the one before it are larger than this together, both are lost.
    static member RetainedBytes = 5 * 1024 * 1024

    /// A broker cuts the connection on a request of more than this, its length prefix included.
    static member LargestRequest = 100_000_000

    /// Start a cluster. Its brokers have the ids 1, 2, 3, …
    static member start(brokers: int) : MockCluster =
        require (brokers >= 1) (nameof brokers) "A cluster has at least one broker."
        NativeLoader.ensure ()
        let complaints = ConcurrentQueue<string>()
        let log = Host.logInto complaints
        let client = Host.create log
        let cluster = Host.createCluster client brokers

        for apiKey, highest in [ 11s, 5s; 13s, 1s; 14s, 3s ] do
            Native.rd_kafka_mock_set_apiversion (cluster, apiKey, 0s, highest) |> Native.check "rd_kafka_mock_set_apiversion"

        Native.rd_kafka_mock_group_initial_rebalance_delay_ms (cluster, 100)

        // The native side calls back until the client is gone, also if Dispose is never called.
        new MockCluster(client, cluster, GCHandle.Alloc log, complaints)

    /// `host:port,host:port,…`, for any Kafka client.
    member _.Bootstrap = bootstrap

    /// Id, host and port of each broker the cluster started with.
    member _.Brokers: (int * string * int) list = brokers

    /// What the brokers logged about requests that they could not read or do not know, oldest first. A test of an encoder expects
    /// none.
    member _.Complaints: string list = List.ofSeq complaints

    // ---- topics and partitions ----

    /// Create a topic. Leaders are random: see SetLeader. A replication factor above the number of brokers is cut down to it.
    member _.CreateTopic(name: string, partitions: int, replication: int) =
        require (partitions >= 1) (nameof partitions) "A topic has at least one partition."
        require (replication >= 1) (nameof replication) "A partition has at least one replica."

        command "rd_kafka_mock_topic_create" (fun it -> Native.rd_kafka_mock_topic_create (it, Native.utf8 name, partitions, replication))

    /// Delete a topic and its records.
    member _.DeleteTopic(name: string) =
        command "rd_kafka_mock_topic_delete" (fun it -> Native.rd_kafka_mock_topic_delete (it, Native.utf8 name))

    /// The error that Metadata (and AddPartitionsToTxn) reports for a topic from now on; 0 ends it. Creates the topic if necessary.
    member _.SetTopicError(name: string, errorCode: int16) =
        paced (fun it -> Native.rd_kafka_mock_topic_set_error (it, Native.utf8 name, int errorCode))

    /// Drop all batches that end before an offset, which becomes the partition's first.
    member _.DeleteRecords(topic: string, partition: int, beforeOffset: int64) =
        requirePartition partition

        command "rd_kafka_mock_partition_delete_records" (fun it ->
            Native.rd_kafka_mock_partition_delete_records (it, Native.utf8 topic, partition, beforeOffset))

    /// Move a partition to a broker. Every call raises the leader epoch, also one that changes nothing. Creates the topic if
    /// need be.
    member _.SetLeader(topic: string, partition: int, brokerId: int) =
        requirePartition partition
        require (brokerId >= 0) (nameof brokerId) "A leader is a broker. See RemoveLeader."
        setLeader topic partition brokerId

    /// Remove a partition's leader; Metadata then returns -1 (and, unlike Kafka, no error). Asked about such a partition, a broker
    /// that wants to name the leader ends the process. So this also removes the versions that do so, for
    /// good: Produce is offered from 0 to 9 and Fetch from 0 to 11.
    member _.RemoveLeader(topic: string, partition: int) =
        requirePartition partition
        setApiVersion 0s 0s 9s
        setApiVersion 1s 0s 11s
        setLeader topic partition -1

    /// Name the replica that the leader sends consumers to (Fetch 11 and later), or none with -1. Creates the topic if necessary.
    member _.SetFollower(topic: string, partition: int, brokerId: int) =
        requirePartition partition

        command "rd_kafka_mock_partition_set_follower" (fun it ->
            Native.rd_kafka_mock_partition_set_follower (it, Native.utf8 topic, partition, brokerId))

    /// What the follower says its first and next offsets are; -1 is the leader's.
    member _.SetFollowerOffsets(topic: string, partition: int, first: int64, next: int64) =
        requirePartition partition

        command "rd_kafka_mock_partition_set_follower_wmarks" (fun it ->
            Native.rd_kafka_mock_partition_set_follower_wmarks (it, Native.utf8 topic, partition, first, next))

    /// The leader that the next Metadata response names for a partition, regardless of the real one. Calls queue up.
    member _.PushLeaderInMetadata(topic: string, partition: int, leaderId: int, leaderEpoch: int) =
        requirePartition partition

        command "rd_kafka_mock_partition_push_leader_response" (fun it ->
            Native.rd_kafka_mock_partition_push_leader_response (it, Native.utf8 topic, partition, leaderId, leaderEpoch))

    // ---- brokers ----

    /// Cut the broker's connections and refuse new ones. It is removed from Metadata's brokers, but still leads its partitions.
    /// With SetRtt before it, an answer can be lost after its request was carried out. Takes AllBrokers.
    member _.SetBrokerDown(brokerId: int) =
        command "rd_kafka_mock_broker_set_down" (fun it -> Native.rd_kafka_mock_broker_set_down (it, brokerId))

    /// Accept connections again, on the same port and with the same data. Takes AllBrokers.
    member _.SetBrokerUp(brokerId: int) =
        command "rd_kafka_mock_broker_set_up" (fun it -> Native.rd_kafka_mock_broker_set_up (it, brokerId))

    /// Delay every response by this time, in whole milliseconds. A request is carried out at once; only its response is delayed.
    /// Takes AllBrokers.
    member _.SetRtt(brokerId: int, delay: TimeSpan) =
        command "rd_kafka_mock_broker_set_rtt" (fun it -> Native.rd_kafka_mock_broker_set_rtt (it, brokerId, milliseconds delay))

    /// The rack that Metadata reports. Takes AllBrokers.
    member _.SetRack(brokerId: int, rack: string) =
        command "rd_kafka_mock_broker_set_rack" (fun it -> Native.rd_kafka_mock_broker_set_rack (it, brokerId, Native.utf8 rack))

    /// The address that Metadata and FindCoordinator give for a broker. It still listens on its own address, so that a proxy can be
    /// placed in between. An unknown id is ignored.
    member _.SetAdvertisedAddress(brokerId: int, host: string, port: int) =
        paced (fun it -> Native.rd_kafka_mock_broker_set_host_port (it, brokerId, Native.utf8 host, port))

    /// The controller that Metadata reports; -1 is none.
    member _.SetController(brokerId: int) = paced (fun it -> Native.rd_kafka_mock_set_controller_id (it, brokerId))

    /// Start one more broker and spread the partitions anew, which raises every leader epoch.
    member _.AddBroker(brokerId: int) = command "rd_kafka_mock_broker_add" (fun it -> Native.rd_kafka_mock_broker_add (it, brokerId))

    /// End a broker for good and give its partitions to the others.
    member _.DecommissionBroker(brokerId: int) =
        command "rd_kafka_mock_broker_decommission" (fun it -> Native.rd_kafka_mock_broker_decommission (it, brokerId))

    /// Leave a broker out of Metadata and give its partitions to the others, but keep its connections.
    member _.HideBroker(brokerId: int) =
        command "rd_kafka_mock_broker_remove_from_metadata" (fun it -> Native.rd_kafka_mock_broker_remove_from_metadata (it, brokerId))

    // ---- errors ----

    /// Fail the next requests of an API, on any broker, one code each; 0 lets one pass. Nothing else of such a request is carried
    /// out. Metadata is not affected: see SetTopicError.
    member _.PushErrors(apiKey: int16, errorCodes: int16 list) =
        let codes = errorCodes |> Seq.map int |> Array.ofSeq
        Native.rd_kafka_mock_push_request_errors_array (alive (), apiKey, unativeint codes.Length, codes)

    /// Forget what PushErrors left. Errors pushed for a broker or a partition stay.
    member _.ClearErrors(apiKey: int16) = Native.rd_kafka_mock_clear_request_errors (alive (), apiKey)

    /// Fail or delay the next requests of an API on one broker, with 0 for delay alone. From then on that
    /// broker ignores PushErrors for this API.
    member _.PushBrokerErrors(brokerId: int, apiKey: int16, errors: (int16 * TimeSpan) list) =
        requireVariadic ()

        for code, delay in errors do
            command "rd_kafka_mock_broker_push_request_error_rtts" (fun it ->
                Native.rd_kafka_mock_broker_push_request_error_rtts (it, brokerId, apiKey, 1un, int code, milliseconds delay))

    /// The errors of PushBrokerErrors that are still to come.
    member _.PendingBrokerErrors(brokerId: int, apiKey: int16) : int =
        let mutable count = 0un

        Native.rd_kafka_mock_broker_error_stack_cnt (alive (), brokerId, apiKey, &count)
        |> Native.check "rd_kafka_mock_broker_error_stack_cnt"

        int count

    /// Fail the next requests of an API for one partition; others in the same request are served. Creates the topic if necessary.
    member _.PushPartitionErrors(topic: string, partition: int, apiKey: int16, errorCodes: int16 list) =
        requirePartition partition
        requireVariadic ()

        for code in errorCodes do
            command "rd_kafka_mock_partition_push_request_errors" (fun it ->
                Native.rd_kafka_mock_partition_push_request_errors (it, Native.utf8 topic, partition, apiKey, 1un, int code))

    // ---- versions and coordinators ----

    /// The versions of an API that ApiVersions offers and requests may use; -1 and -1 remove the API. A request outside them
    /// has its connection cut. Do not go beyond what the brokers offer by themselves: they would misread such a request.
    member _.SetApiVersion(apiKey: int16, min: int16, max: int16) = setApiVersion apiKey min max

    /// Name the coordinator of a group or a transactional id. The key type is "group" or "transaction".
    member _.SetCoordinator(keyType: string, key: string, brokerId: int) =
        command "rd_kafka_mock_coordinator_set" (fun it ->
            Native.rd_kafka_mock_coordinator_set (it, Native.utf8 keyType, Native.utf8 key, brokerId))

    /// How long a new group waits for further members: 100 ms unless set, so that tests need not wait.
    member _.SetInitialRebalanceDelay(delay: TimeSpan) =
        paced (fun it -> Native.rd_kafka_mock_group_initial_rebalance_delay_ms (it, milliseconds delay))

    // ---- requests ----

    /// Record each request from now on, and forget earlier ones.
    member _.StartTracking() = Native.rd_kafka_mock_start_request_tracking (alive ())

    /// Stop recording, and forget what was recorded: read Requests first.
    member _.StopTracking() = Native.rd_kafka_mock_stop_request_tracking (alive ())

    /// The requests recorded so far, in the order they arrived.
    member _.Requests() : TrackedRequest list =
        let mutable count = 0un
        let array = Native.rd_kafka_mock_get_requests (alive (), &count)

        try
            List.init (int count) (readRequest array)
        finally
            Native.rd_kafka_mock_request_destroy_array (array, count)

    /// Forget the requests recorded so far.
    member _.ClearRequests() = Native.rd_kafka_mock_clear_requests (alive ())

    interface IDisposable with

        member _.Dispose() =
            // The last command keeps the distance too. Commands after it find no cluster.
            let destroy it =
                disposed <- true
                Native.rd_kafka_mock_cluster_destroy it
                Native.rd_kafka_destroy client
                log.Free()

            lock gate (fun () -> if not disposed then paced destroy)
