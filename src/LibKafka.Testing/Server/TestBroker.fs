namespace LibKafka.Testing

open System
open System.Collections.Generic
open System.Diagnostics
open System.Net
open System.Net.Security
open System.Runtime.InteropServices
open System.Security.Cryptography.X509Certificates
open LibKafka
open LibKafka.Records
open LibKafka.Protocol

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

    /// The most bytes of memory that the remembered requests and their responses keep together: 64 MiB by default.
    member val MostRequestBytes = 64L * 1024L * 1024L with get, set

    /// The users and their passwords, for SASL with PLAIN and SCRAM.
    member val Users: IEnumerable<KeyValuePair<string, string>> = [||] with get, set

    /// The SASL mechanisms: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER. By default the first three if there are users, else none.
    /// With a mechanism, clients must authenticate.
    member val SaslMechanisms: string seq = [||] with get, set

    /// The name of the user of a valid bearer token; null if the token is not valid. By default, JSON web tokens are accepted whatever their
    /// signature.
    member val BearerTokens: Func<string, string | null> | null = null with get, set

    /// How long clients may use a connection before they must authenticate again (KIP-368). Zero for no limit.
    member val SessionLifetime = TimeSpan.Zero with get, set

    /// The certificate of the brokers with its private key. With one, all connections use TLS.
    member val Certificate: X509Certificate2 | null = null with get, set

    /// Whether clients must have a certificate. Any is accepted, and its subject is the principal: `User:CN=orders`.
    member val RequiresClientCertificate = false with get, set

    /// Whether ACLs decide what clients may do. Without it, everything is allowed.
    member val Authorizes = false with get, set

    /// The principals that may do everything, such as `User:admin`.
    member val SuperUsers: string seq = [||] with get, set

    /// The level of the feature transaction.version, from 0 to 2.
    member val TransactionVersion = 2 with get, set

    /// How long the first rebalance of an empty classic group waits for more members (group.initial.rebalance.delay.ms). Zero by default; 3 seconds in
    /// Kafka.
    member val InitialRebalanceDelay = TimeSpan.Zero with get, set

    /// The shortest session time-out that members of classic groups may ask for (group.min.session.timeout.ms).
    member val MinSessionTimeout = TimeSpan.FromSeconds 6.0 with get, set

    /// The longest session time-out that members of classic groups may ask for (group.max.session.timeout.ms).
    member val MaxSessionTimeout = TimeSpan.FromMinutes 30.0 with get, set

    /// The session time-out of groups of the new protocol (group.consumer.session.timeout.ms).
    member val ConsumerSessionTimeout = TimeSpan.FromSeconds 45.0 with get, set

    /// How often members of groups of the new protocol send a heartbeat (group.consumer.heartbeat.interval.ms). Half a second by default; 5 seconds in
    /// Kafka.
    member val ConsumerHeartbeatInterval = TimeSpan.FromMilliseconds 500.0 with get, set

    /// The racks of the brokers, in the order of their ids. Brokers without one have none.
    member val Racks: string seq = [||] with get, set

/// A cluster of Kafka brokers inside the process, for tests: real sockets on the loopback address, any client, nothing on disk. Everything
/// is gone after `Dispose`.
[<Sealed>]
type TestBroker private (engine: Engine, first: (int32 * Listener) list, tls: SslServerAuthenticationOptions | null) =
    // By broker id. A broker that is started again has a new one.
    let listeners = Dictionary<int32, Listener>()

    do
        for id, listener in first do
            listeners.Add(id, listener)

    static let tlsWith (certificate: X509Certificate2) (isRequired: bool) =
        SslServerAuthenticationOptions(
            ServerCertificate = certificate,
            ClientCertificateRequired = isRequired,
            RemoteCertificateValidationCallback = (fun _ client _ _ -> not isRequired || not (isNull client))
        )

    // .NET's assembly for TLS is not loaded for brokers without it.
    static let tlsOf (options: TestBrokerOptions) : SslServerAuthenticationOptions | null =
        match options.Certificate with
        | null -> null
        | certificate -> tlsWith certificate options.RequiresClientCertificate

    static let mechanismsOf (hasUsers: bool) (options: TestBrokerOptions) : string list =
        let named = List.ofSeq options.SaslMechanisms

        match named |> List.tryFind (fun name -> not (List.contains name SaslExchange.all)) with
        | Some unknown -> raise (ArgumentException("There is no SASL mechanism " + unknown + ".", nameof options))
        | None when named.IsEmpty && hasUsers -> List.truncate 3 SaslExchange.all
        | None -> named

    static let securityOf (options: TestBrokerOptions) : SecurityTable =
        let token (now: Moment) (token: string) : AcceptedToken voption =
            match options.BearerTokens with
            | null -> SaslExchange.unsignedToken now token
            | check ->
                match check.Invoke token with
                | null -> ValueNone
                | user -> ValueSome { User = user; Expires = ValueNone }

        let mutable passwords = Map.empty

        for user in options.Users do
            passwords <- passwords.Add(user.Key, user.Value)

        let mutable superUsers = Set.empty

        for name in options.SuperUsers do
            superUsers <- superUsers.Add name

        { SecurityTable.empty with
            Mechanisms = mechanismsOf (not passwords.IsEmpty) options
            Passwords = passwords
            Token = token
            MaxReauthMs = int64 options.SessionLifetime.TotalMilliseconds
            IsAuthorizing = options.Authorizes
            SuperUsers = superUsers }

    static let groupsOf (options: TestBrokerOptions) : GroupTable =
        let milliseconds (name: string) (time: TimeSpan) : int32 =
            if time.Ticks < 0L || time.TotalMilliseconds > float Int32.MaxValue then
                raise (ArgumentOutOfRangeException(nameof options, time, name + " must be from 0 to 2,147,483,647 milliseconds."))

            int32 time.TotalMilliseconds

        { GroupTable.empty with
            Settings =
                { GroupTable.settings with
                    InitialRebalanceDelayMs = milliseconds (nameof options.InitialRebalanceDelay) options.InitialRebalanceDelay
                    MinSessionTimeoutMs = milliseconds (nameof options.MinSessionTimeout) options.MinSessionTimeout
                    MaxSessionTimeoutMs = milliseconds (nameof options.MaxSessionTimeout) options.MaxSessionTimeout
                    SessionTimeoutMs = milliseconds (nameof options.ConsumerSessionTimeout) options.ConsumerSessionTimeout
                    HeartbeatIntervalMs = milliseconds (nameof options.ConsumerHeartbeatInterval) options.ConsumerHeartbeatInterval } }

    static let mostRequests = 10_000

    static let host = "127.0.0.1"

    /// The state of a cluster whose brokers are still to come.
    static let stateOf (options: TestBrokerOptions) : State =
        let settings =
            { State.settings with
                Release = Release.parse options.Release
                Codecs = options.Codecs
                AutoCreateTopics = options.AutoCreateTopics
                DefaultPartitions = options.DefaultPartitions
                MostLogBytes = options.MostLogBytes
                TransactionVersion = int16 options.TransactionVersion }

        { State.create settings [] with Security = securityOf options; Groups = groupsOf options }

    /// Opens the sockets of all brokers, or of none.
    static let listen (options: TestBrokerOptions) (tls: SslServerAuthenticationOptions | null) : (int32 * Listener) list =
        let opened = List<int32 * Listener>()

        try
            for index in 0 .. options.Brokers - 1 do
                let port = if options.Port = 0 then 0 else options.Port + index
                opened.Add((index + 1, Listener(IPAddress.Loopback, port, tls)))

            List.ofSeq opened
        with _ ->
            for _, listener in opened do
                listener.Stop()

            reraise ()

    static let clock () : unit -> Moment =
        let begun = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()
        let watch = Stopwatch.StartNew()
        fun () -> begun + watch.ElapsedMilliseconds

    let demandNode (id: int32) =
        if not (engine.State.Nodes.ContainsKey id) then
            raise (ArgumentOutOfRangeException("broker", id, "There is no broker with this id."))

    let demandPartition (topic: string) (partition: int32) : Partition =
        ArgumentNullException.ThrowIfNull topic

        match Cluster.tryPartition topic partition engine.State with
        | Some found -> found
        | None -> raise (ArgumentException("There is no partition " + string partition + " of a topic " + topic + ".", nameof topic))

    let demandMembers (group: string) =
        ArgumentNullException.ThrowIfNull group

        if (GroupControl.members group engine.State).IsEmpty then
            raise (ArgumentException("There is no group '" + group + "' with members.", nameof group))

    let demandConsumers (group: string) =
        ArgumentNullException.ThrowIfNull group

        match Groups.tryFind group engine.State |> Option.map _.Kind with
        | Some(GroupKind.Consumer _) -> ()
        | _ -> raise (ArgumentException("There is no group '" + group + "' of the new protocol (KIP-848).", nameof group))

    /// Starts a cluster of brokers on free ports.
    static member Start([<Optional; DefaultParameterValue(1)>] brokers: int) : TestBroker =
        TestBroker.Start(TestBrokerOptions(Brokers = brokers))

    /// Starts a cluster of brokers.
    static member Start(options: TestBrokerOptions) : TestBroker =
        ArgumentNullException.ThrowIfNull options

        if options.Brokers < 1 || options.Brokers > 1000 then
            raise (ArgumentOutOfRangeException(nameof options, options.Brokers, "The number of brokers must be from 1 to 1000."))

        let tls = tlsOf options
        let state = stateOf options
        let listeners = listen options tls
        let racks = Array.ofSeq options.Racks
        let mutable nodes = state.Nodes

        for id, listener in listeners do
            let rack = if id <= racks.Length then Some racks[id - 1] else None
            nodes <- nodes.Add(id, { Id = id; Host = host; Port = listener.Port; Rack = rack; Status = NodeStatus.Running })

        let log = ExchangeLog(mostRequests, options.MostRequestBytes)
        let engine = Engine({ state with Nodes = nodes }, clock (), Script(), log)

        for id, listener in listeners do
            listener.Start(engine, id)

        new TestBroker(engine, listeners, tls)

    /// The addresses of the brokers, as clients take them: `127.0.0.1:40001,127.0.0.1:40002`. They are those that the brokers advertise.
    member _.Bootstrap: string =
        let mutable addresses = []

        for node in engine.State.Nodes.Values do
            addresses <- (node.Host + ":" + string node.Port) :: addresses

        String.Join(',', List.rev addresses)

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

        if replicas < 1 || replicas > first.Length then
            raise (
                ArgumentOutOfRangeException(nameof replicas, replicas, "The number of replicas must be from 1 to the number of brokers.")
            )

        engine.Change(fun _ state ->
            if state.Topics.ContainsKey name then
                raise (InvalidOperationException("The topic " + name + " exists already."))

            fst (Topics.create name partitions replicas Map.empty state))

    /// The records in the log of a partition, from the log start offset on, control records excluded.
    member _.Log(topic: string, [<Optional; DefaultParameterValue(0)>] partition: int) : RecordData list =
        ArgumentNullException.ThrowIfNull topic
        let codecs = engine.State.Settings.Codecs
        let log = (demandPartition topic partition).Log

        [ for batch in log.Batches do
              if not batch.IsControl then
                  match RecordBatch.toList (Reading.withCodecs codecs) batch with
                  // The log may start inside its first batch.
                  | Ok records -> yield! records |> List.filter (fun record -> record.Offset >= log.Start)
                  | Error fault -> raise (InvalidOperationException("A batch cannot be read: " + fault.ToString())) ]

    /// The values in the log of a partition as text, control records excluded. The value of a tombstone is null.
    member this.Values(topic: string, [<Optional; DefaultParameterValue(0)>] partition: int) : IReadOnlyList<string | null> =
        [| for record in this.Log(topic, partition) do
               match record.Value with
               | ValueSome value -> Wire.Bytes.toText value
               | ValueNone -> null |]

    /// Appends records to a partition without a client, as one batch. Their offsets are ignored. Returns the offset of the first one.
    member _.Produce(topic: string, partition: int, records: RecordData seq) : int64 =
        ArgumentNullException.ThrowIfNull records
        demandPartition topic partition |> ignore
        let numbered = records |> Seq.mapi (fun index record -> { record with Offset = int64 index }) |> List.ofSeq

        match BatchBuilder.build BatchOptions.standard numbered with
        | Error fault -> raise (ArgumentException("The records cannot be a batch: " + fault.ToString(), nameof records))
        | Ok batch ->
            let first = ref -1L

            let append (now: Moment) (state: State) (partition: Partition) =
                first.Value <- partition.Log.End
                Segments.append now batch state.Topics[topic] state partition

            engine.Change(fun now state -> Cluster.updatePartition topic partition (append now state) state)
            first.Value

    /// Appends records without keys to the first partition of a topic. Returns the offset of the first one.
    member this.Produce(topic: string, [<ParamArray>] values: string[]) : int64 =
        ArgumentNullException.ThrowIfNull values
        let now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()

        this.Produce(
            topic,
            0,
            [ for value in values ->
                  { Offset = 0L; Timestamp = now; Key = ValueNone; Value = ValueSome(Wire.Bytes.ofString value); Headers = [] } ]
        )

    /// What happens to the requests of clients, other than usual.
    member _.Script: Script = engine.Script

    /// The latest requests that the brokers received, the oldest first: at most 10,000, of `MostRequestBytes` bytes together.
    member _.Requests: IReadOnlyList<BrokerExchange> = engine.Log.Snapshot()

    /// Forgets the requests so far.
    member _.ClearRequests() = engine.Log.Clear()

    /// The first request that matches, among those in `Requests` and those to come. TimeoutException if there is none in time.
    member _.WaitFor(filter: RequestFilter, timeout: TimeSpan) : BrokerExchange =
        ArgumentNullException.ThrowIfNull filter
        engine.Log.WaitFor(filter, engine.NameOf, timeout)

    /// The first request of an API, among those in `Requests` and those to come. TimeoutException if there is none in time.
    member this.WaitFor(api: ApiKey, timeout: TimeSpan) : BrokerExchange = this.WaitFor(RequestFilter(Api = Nullable api), timeout)

    /// Changes the state of the cluster in any way.
    member _.Change(update: Func<State, State>) =
        ArgumentNullException.ThrowIfNull update
        engine.Change(fun _ state -> update.Invoke state)

    /// Gives the brokers another certificate with its private key, for new connections. InvalidOperationException if they were started without TLS.
    member _.ChangeCertificate(certificate: X509Certificate2) =
        ArgumentNullException.ThrowIfNull certificate

        match tls with
        | null -> raise (InvalidOperationException "The brokers were started without a certificate, so they do not use TLS.")
        | options -> options.ServerCertificate <- certificate

    /// Stops a broker: its partitions are led by other in-sync replicas, if there are any, and its connections are closed.
    member _.StopBroker(id: int32) =
        demandNode id

        lock listeners (fun () ->
            if engine.State.Nodes[id].Status <> NodeStatus.Stopped then
                engine.Change(fun _ state -> Nodes.stop id state)
                listeners[id].Stop())

    /// Starts a broker that was stopped, on the same port. Its replicas are in sync at once.
    member _.StartBroker(id: int32) =
        demandNode id

        lock listeners (fun () ->
            let node = engine.State.Nodes[id]

            if node.Status = NodeStatus.Stopped then
                let listener = Listener(IPAddress.Loopback, node.Port, tls)
                listeners[id] <- listener
                engine.Change(fun _ state -> Nodes.start id state)
                listener.Start(engine, id))

    /// Makes a broker stand still: it accepts connections and requests, but answers nothing. The other brokers do not notice.
    member _.PauseBroker(id: int32) =
        demandNode id
        engine.Change(fun _ state -> if Cluster.isRunning id state then Control.pause id state else state)

    /// Ends a pause. The requests that came meanwhile are carried out.
    member _.ResumeBroker(id: int32) =
        demandNode id
        engine.Change(fun _ state -> if state.Nodes[id].Status = NodeStatus.Paused then Control.resume id state else state)

    /// Closes all connections of a broker.
    member _.CloseConnections(id: int32) =
        demandNode id
        lock listeners (fun () -> listeners[id].CloseConnections())

    /// Makes another replica the leader of a partition.
    member _.MoveLeader(topic: string, partition: int32, broker: int32) =
        demandNode broker
        let found = demandPartition topic partition

        if not (List.contains broker found.Replicas) then
            raise (
                ArgumentException("Broker " + string broker + " has no replica of " + topic + "-" + string partition + ".", nameof broker)
            )

        engine.Change(fun _ state -> Control.moveLeader topic partition broker state)

    /// Loses the records of a partition from an offset on, as an unclean election does. The leader epoch rises.
    member _.TruncateLog(topic: string, partition: int32, offset: int64) =
        demandPartition topic partition |> ignore
        engine.Change(fun _ state -> Control.truncate topic partition offset state)

    /// Deletes the records of a partition before an offset, which becomes the log start offset. A batch is removed if all of its records are deleted.
    member _.DeleteRecords(topic: string, partition: int32, offset: int64) =
        let found = demandPartition topic partition

        if offset > found.Log.End then
            raise (
                ArgumentOutOfRangeException(nameof offset, offset, "The offset is after the log end offset " + string found.Log.End + ".")
            )

        engine.Change(fun _ state -> Cluster.updateLog topic partition (Log.deleteBefore offset) state)

    /// Compacts the logs of a topic now, as the cleaner does: of each key, only the last record is left.
    member _.Compact(topic: string) =
        demandPartition topic 0 |> ignore
        engine.Change(fun now state -> Compaction.compactTopic now state.Topics[topic] state)

    /// Deletes the old segments of a topic now: those beyond its retention.bytes and those older than its retention.ms. Otherwise this is done if a
    /// new segment begins, of which segment.bytes and segment.ms determine the size.
    member _.ApplyRetention(topic: string) =
        demandPartition topic 0 |> ignore
        engine.Change(fun now state -> Segments.retainTopic now state.Topics[topic] state)

    /// Begins a new segment in the log of a partition, unless the last one is empty.
    member _.RollSegment(topic: string, [<Optional; DefaultParameterValue(0)>] partition: int32) =
        demandPartition topic partition |> ignore
        engine.Change(fun _ state -> Cluster.updateLog topic partition Log.roll state)

    /// Makes the brokers those of another release of Kafka. Open connections stay open, as they do not in reality.
    member _.SetRelease(release: string) =
        ArgumentNullException.ThrowIfNull release
        let release = Release.parse release
        engine.Change(fun _ state -> Control.setRelease release state)

    /// The ids of a group's members, in the order in which they joined. Empty if there is no such group.
    member _.Members(group: string) : IReadOnlyList<string> =
        ArgumentNullException.ThrowIfNull group
        GroupControl.members group engine.State

    /// Makes the members of a group rebalance: those of a classic group must join again, and a group of the new protocol begins its next epoch.
    member _.Rebalance(group: string) =
        demandMembers group
        engine.Change(fun now state -> GroupControl.rebalance now group state)

    /// Ends the session of one member of a group, or of all, as if they had been silent for too long: the group rebalances without them.
    member _.ExpireSessions(group: string, [<Optional; DefaultParameterValue(null: string | null)>] memberId: string | null) =
        demandMembers group
        let isMeant (one: string) = isNull memberId || String.Equals(one, memberId)
        engine.Change(fun now state -> GroupControl.expire now group isMeant state)

    /// Sets the target assignment of a group of the new protocol, by member id. Members that are not named get nothing. It replaces the assignor's
    /// until `ClearAssignment`.
    member _.SetAssignment(group: string, assignment: IReadOnlyDictionary<string, IReadOnlyList<Client.TopicPartition>>) =
        ArgumentNullException.ThrowIfNull assignment
        demandConsumers group

        engine.Change(fun _ state ->
            let part (memberId: string) (partitions: IReadOnlyList<Client.TopicPartition>) =
                match GroupControl.owned (List.ofSeq partitions) state with
                | Ok owned -> memberId, owned
                | Error missing -> raise (ArgumentException("There is no partition " + missing.ToString() + ".", nameof assignment))

            ConsumerGroup.setTarget group (Map.ofSeq [ for pair in assignment -> part pair.Key pair.Value ]) state)

    /// Gives the target assignment of a group back to its assignor.
    member _.ClearAssignment(group: string) =
        demandConsumers group
        engine.Change(fun _ state -> ConsumerGroup.clearTarget group state)

    /// Forgets all fetch sessions. Clients get FETCH_SESSION_ID_NOT_FOUND.
    member _.EvictFetchSessions() = engine.Change(fun _ state -> { state with FetchSessions = Map.empty })

    /// Closes all sockets. The threads of the cluster end.
    member _.Dispose() =
        engine.Stop()

        lock listeners (fun () ->
            for listener in listeners.Values do
                listener.Stop())

    interface IDisposable with
        member this.Dispose() = this.Dispose()
