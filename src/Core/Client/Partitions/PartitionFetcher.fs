namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol

/// How much a fetcher asks for, how long the broker may wait for it, and which replicas it reads from.
type FetcherSettings =
    {
        /// How long the broker may wait until `MinBytes` are available. It must be shorter than `ClientSettings.CallTimeout`, and should be well
        /// below the time-out of the call: the time-out includes the wait, so every fetch at the end of the log would time out.
        MaxWait: TimeSpan
        /// The broker responds as soon as it has this many bytes; 0 for a response at once.
        MinBytes: int
        /// The most bytes of records in a response. The first batch is complete even if it is larger.
        MaxBytes: int
        IsolationLevel: IsolationLevel
        /// The rack of the client, as the brokers name theirs; empty to read from the leader alone. With a rack, the leader may name a replica that
        /// is nearer (KIP-392), and the fetches that follow go there.
        RackId: string
        /// How long fetches go to a replica before the leader is asked again whether there is a better one. `Timeout.InfiniteTimeSpan` for no
        /// limit. After a replica has failed, fetches go to the leader for a second, and for twice as long after each further failure in a row,
        /// but never longer than this or 256 seconds.
        ReplicaTime: TimeSpan
        /// Whether to use a fetch session, in which the broker remembers what it was asked (KIP-227). For a client of one partition this saves a few
        /// dozen bytes per fetch. Brokers keep a limited number of sessions (`max.incremental.fetch.session.cache.slots`). The session is
        /// closed when the fetcher is disposed.
        UseSession: bool
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show
            [ "MaxWait", box this.MaxWait
              "MinBytes", box this.MinBytes
              "MaxBytes", box this.MaxBytes
              "IsolationLevel", box this.IsolationLevel
              "RackId", box this.RackId
              "ReplicaTime", box this.ReplicaTime
              "UseSession", box this.UseSession ]

[<RequireQualifiedAccess>]
module FetcherSettings =

    /// Up to half a second for at least one byte, at most 4 MiB, including records of open transactions; from the leader alone, without a
    /// session. With a rack, five minutes from a replica.
    let standard =
        { MaxWait = TimeSpan.FromMilliseconds 500.0
          MinBytes = 1
          MaxBytes = 4 * 1024 * 1024
          IsolationLevel = IsolationLevel.ReadUncommitted
          RackId = ""
          ReplicaTime = TimeSpan.FromMinutes 5.0
          UseSession = false }

    /// The settings, or the fault `InvalidSetting` for the first one that a client with those settings cannot use.
    let check (client: ClientSettings) (settings: FetcherSettings) : Result<FetcherSettings, ClientFault> =
        // By ticks, because F#'s operators would box both times.
        let isShorter =
            Duration.isEndless client.CallTimeout
            || (not (Duration.isEndless settings.MaxWait) && settings.MaxWait.Ticks < client.CallTimeout.Ticks)

        let isTime (time: TimeSpan) = time.Ticks >= 0L || Duration.isEndless time
        let longWait = "it must be shorter than CallTimeout, " + client.CallTimeout.ToString() + ": a call includes the wait"

        let broken =
            if not isShorter then Some("MaxWait", longWait)
            elif not (isTime settings.MaxWait) then Some("MaxWait", "it must not be negative")
            elif settings.MinBytes < 0 then Some("MinBytes", "it must not be negative")
            elif settings.MaxBytes <= 0 then Some("MaxBytes", "it must be positive")
            elif not (isTime settings.ReplicaTime) then Some("ReplicaTime", "it must not be negative")
            else None

        match broken with
        | Some(name, reason) -> Error(ClientFault.InvalidSetting(name, reason))
        | None -> Ok settings

/// The replica that a fetcher reads from.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type private FetchSource =
    /// The leader, which may name a replica if there is a rack.
    | Leader
    /// The replica that the leader has named, since a timestamp of the settings' clock.
    | Replica of node: int32 * lease: Lease<Leader> * since: int64
    /// The leader, which for a while is not told the rack because a replica failed at that timestamp.
    | LeaderAlone of since: int64 * wait: TimeSpan

/// Reads batches of one partition, each time with one call on the client's connection to the leader or, if there is a rack, on a connection of
/// its own to the replica that the leader names. It reads at `Position`, which only the caller moves: fetching twice returns the same records
/// twice. A fetcher must not be used by several threads at a time.
[<Sealed>]
type PartitionFetcher private (client: PartitionClient, settings: FetcherSettings, position: FetchPosition, ownsClient: bool) =
    do
        match FetcherSettings.check client.Settings settings with
        | Ok _ -> ()
        | Error fault -> raise (ArgumentException(fault.ToString(), nameof settings))

        Argument.offset "offset" position.Offset

    let guard = client.Lease.Guard
    let partition = client.Partition
    let time = client.Settings.Time
    static let reception = Reception.ofApi Fetch.api
    static let noReplica: Fetch.ReplicaState = { ReplicaId = -1; ReplicaEpoch = -1L }
    let mutable position = position
    // The position of the fetch in flight.
    let mutable requested = position
    // The id of the topic that the position is from, and of that of the fetch in flight; empty if not known.
    let mutable topicId = Guid.Empty
    let mutable requestedId = Guid.Empty
    let mutable source = FetchSource.Leader
    // How often replicas have failed since one last answered.
    let mutable failures = 0
    let opening = if settings.UseSession then FetchSession.opening else FetchSession.none
    // The session, and the connection that it belongs to.
    let mutable session = opening
    let mutable sessionOn: Connection option = None

    let isSessionOn (connection: Connection) =
        match sessionOn with
        | Some known -> Object.ReferenceEquals(known, connection)
        | None -> false

    // Brokers keep a session until they need its slot for another one. A session that is given up is closed without waiting for the response,
    // which has no information.
    let endSession () =
        let given, on = session, sessionOn
        session <- opening
        sessionOn <- None

        match on with
        | Some connection when given.Id <> 0 -> connection.SendAtOnce(Fetch.api, FetchSession.closing given)
        | _ -> ()

    let leaveReplica (next: FetchSource) =
        let before = source
        source <- next

        match before with
        | FetchSource.Replica(_, lease, _) ->
            try
                if lease.Current |> Option.exists (fun held -> isSessionOn held.Connection) then
                    endSession ()
            finally
                lease.Close()
        | _ -> ()

    // A replica that is behind soon catches up, but one that is down costs a connection time-out each time.
    let leaveFailedReplica () =
        let wait = TimeSpan.FromSeconds(float (1 <<< min failures 8))
        failures <- failures + 1
        leaveReplica (FetchSource.LeaderAlone(time.GetTimestamp(), Duration.shorter settings.ReplicaTime wait))

    let isOver (since: int64) = Duration.hasPassed time settings.ReplicaTime since

    // If a replica cannot be reached, nothing has been asked of it yet, so the leader is asked.
    let reachSource (operation: Operation) : Result<Held<Leader>, ClientFault> =
        match source with
        | FetchSource.Replica(_, _, since) when isOver since -> leaveReplica FetchSource.Leader
        | FetchSource.LeaderAlone(since, wait) when Duration.hasPassed time wait since -> source <- FetchSource.Leader
        | _ -> ()

        match source with
        | FetchSource.Leader
        | FetchSource.LeaderAlone _ -> client.Lease.Reach operation
        | FetchSource.Replica(_, lease, _) ->
            match lease.Reach operation with
            | Ok held -> Ok held
            | Error ClientFault.Cancelled -> Error ClientFault.Cancelled
            | Error _ ->
                leaveFailedReplica ()
                client.Lease.Reach operation

    let reach (operation: Operation) : Result<Held<Leader>, ClientFault> =
        let reached = reachSource operation

        match reached with
        | Ok held when not (isSessionOn held.Connection) ->
            endSession ()
            sessionOn <- Some held.Connection
        | _ -> ()

        reached

    // A position means nothing in the log of a topic that was created again.
    let isRecreated (held: Held<Leader>) : bool =
        let now = held.Target.TopicId
        not (now.Equals topicId || now.Equals Guid.Empty || topicId.Equals Guid.Empty)

    // A fetch reports it once.
    let checkTopic (reached: Result<Held<Leader>, ClientFault>) : Result<Held<Leader>, ClientFault> =
        match reached with
        | Ok held when isRecreated held ->
            topicId <- Guid.Empty
            Error(ClientFault.TopicRecreated partition)
        | Ok held ->
            requestedId <- held.Target.TopicId
            reached
        | Error _ -> reached

    let partitionRequest (leader: Leader) (version: int16) : Fetch.PartitionRequest =
        { Partition = partition.Partition
          CurrentLeaderEpoch = leader.RequestEpoch
          FetchOffset = position.Offset
          LastFetchedEpoch = if version >= Fetch.lastFetchedEpochSince then position.LastEpoch else -1
          LogStartOffset = -1L
          PartitionMaxBytes = settings.MaxBytes
          ReplicaDirectoryId = Guid.Empty
          HighWatermark = Int64.MaxValue }

    let fetchRequest (leader: Leader) (version: int16) : Fetch.Request =
        let asked = partitionRequest leader version

        { ClusterId = None
          ReplicaId = -1
          ReplicaState = noReplica
          MaxWaitMs = Milliseconds.ofTimeSpan settings.MaxWait
          MinBytes = settings.MinBytes
          MaxBytes = settings.MaxBytes
          IsolationLevel = settings.IsolationLevel
          SessionId = session.Id
          SessionEpoch = session.Epoch
          Topics =
            if FetchSession.mustTell asked session then
                [ { Topic = partition.Topic; TopicId = leader.TopicId; Partitions = [ asked ] } ]
            else
                []
          Forgotten = []
          RackId =
            match source with
            | FetchSource.LeaderAlone _ -> ""
            | _ -> settings.RackId }

    // Functions that are the same for every fetch are not allocated for each.
    let isOurs: Fetch.PartitionResponse -> bool = fun answer -> answer.PartitionIndex = partition.Partition
    let answerIn: Fetch.TopicResponse -> Fetch.PartitionResponse option = fun topic -> List.tryFind isOurs topic.Partitions

    // An error of the request as a whole comes without partitions. It becomes the partition's error.
    let fetchedIn (response: Fetch.Response) : Fetch.PartitionResponse option =
        match List.tryPick answerIn response.Topics with
        | Some answer when response.Error.IsError && not answer.Error.IsError -> Some { answer with Error = response.Error }
        | None when response.Error.IsError -> Some(FetchSession.empty partition.Partition response.Error)
        | answer ->
            match FetchSession.answer answer session with
            | None when FetchSession.isThrottled response -> Some(FetchSession.empty partition.Partition ErrorCode.None)
            | answer -> answer

    let continueSession (exchange: Exchange<Fetch.Request, Fetch.Response>) (answer: Fetch.PartitionResponse option) =
        match exchange.Result with
        | Ok response when session.Epoch >= 0 ->
            let told = exchange.Request.Topics |> List.collect _.Partitions |> List.tryHead |> Option.orElse session.Told
            session <- told |> Option.map (fun told -> FetchSession.next told response answer session) |> Option.defaultValue opening
        // A session does not outlive its connection, and a request that was not sent does not count.
        | _ -> ()

    let heedReplica (result: Result<Fetch.PartitionResponse, CallFailure>) =
        match result with
        | Ok _ -> failures <- 0
        | Error(CallFailure.Code code) when FetchSession.isLost code -> ()
        | Error(CallFailure.Fault ClientFault.Cancelled) -> ()
        | Error _ -> leaveFailedReplica ()

    let heedLeader (response: Fetch.Response) (answer: Fetch.PartitionResponse option) =
        match answer with
        | None -> client.Close()
        | Some answer ->
            client.DropIfMoved(answer.Error, answer.CurrentLeader, response.NodeEndpoints)

            if source.IsLeader && settings.RackId <> "" && answer.PreferredReadReplica >= 0 && not answer.Error.IsError then
                let node = answer.PreferredReadReplica
                let lease = Lease(client.Settings, Role.replica client.Lease partition node, guard)
                source <- FetchSource.Replica(node, lease, time.GetTimestamp())

    let resultOf (exchange: Exchange<Fetch.Request, Fetch.Response>) (answer: Fetch.PartitionResponse option) =
        match exchange.Result, answer with
        | Error fault, _ -> Error(CallFailure.Fault fault)
        | Ok _, None -> Error(CallFailure.Fault(ClientFault.NotAnswered partition))
        | Ok _, Some answer when answer.Error.IsError -> Error(CallFailure.Code answer.Error)
        | Ok _, Some answer -> Ok answer

    // The reply to a fetch, after session and source have been brought up to date.
    let readFetched (exchange: Exchange<Fetch.Request, Fetch.Response>) : Fetched =
        let answer =
            match exchange.Result with
            | Ok response -> fetchedIn response
            | Error _ -> None

        let result = resultOf exchange answer
        continueSession exchange answer
        if result.IsOk then topicId <- requestedId

        match source, exchange.Result with
        | FetchSource.Replica _, _ -> heedReplica result
        | _, Ok response -> heedLeader response answer
        | _, Error _ -> ()

        Fetched(requested, exchange, result, answer)

    let listRequest (spec: OffsetSpec) (leader: Leader) (_: int16) : ListOffsets.Request =
        { ReplicaId = -1
          IsolationLevel = settings.IsolationLevel
          Topics =
            [ { Name = partition.Topic
                Partitions =
                  [ { PartitionIndex = partition.Partition; CurrentLeaderEpoch = leader.RequestEpoch; Spec = spec; MaxNumOffsets = 1 } ] } ]
          TimeoutMs = Milliseconds.ofTimeSpan client.Settings.CallTimeout }

    let epochRequest (leader: Leader) (_: int16) : OffsetForLeaderEpoch.Request =
        { ReplicaId = -1
          Topics =
            [ { Topic = partition.Topic
                Partitions =
                  [ { Partition = partition.Partition; CurrentLeaderEpoch = leader.RequestEpoch; LeaderEpoch = position.LastEpoch } ] } ] }

    let beginFinding
        (spec: OffsetSpec)
        (call: CallOptions option)
        (reply: Exchange<_, _> -> Result<_, ClientFault> -> Sought)
        : Call<Sought> =
        let operation = Operation.Begin(client.Settings, call)

        client.BeginAsking(
            client.Lease.Reach operation,
            operation,
            ListOffsets.api,
            (fun _ -> AllowedVersions.finding spec),
            listRequest spec,
            (fun response ->
                response.Topics |> List.collect _.Partitions |> List.tryFind (fun answer -> answer.PartitionIndex = partition.Partition)),
            _.Error,
            reply
        )

    // A position with an epoch continues in the log that was read. One without may be meant for any.
    let moveTo (next: FetchPosition) =
        position <- next
        if next.LastEpoch < 0 then topicId <- Guid.Empty

    // A seek that finds nothing has not moved the reader, so it has failed.
    let seek (spec: OffsetSpec) (exchange: Exchange<ListOffsets.Request, ListOffsets.Response>) result : Sought =
        let sought = Sought(exchange, result)

        match sought.Offset, result with
        | Some offset, _ ->
            moveTo (FetchPosition.at offset)
            sought
        | None, Ok found when not found.Error.IsError -> Sought(exchange, Error(ClientFault.NoSuchOffset(partition, spec)))
        | _ -> sought

    let beginSeeking (spec: OffsetSpec) (call: CallOptions option) = beginFinding spec call (seek spec)

    let beginLooking (spec: OffsetSpec) (call: CallOptions option) =
        beginFinding spec call (fun exchange result -> Sought(exchange, result))

    let beginChecking (call: CallOptions option) : Call<TruncationCheck> =
        let asked = position
        let operation = Operation.Begin(client.Settings, call)
        let check held = if isRecreated held then Error(ClientFault.TopicRecreated partition) else Ok held

        client.BeginAsking(
            client.Lease.Reach operation |> Result.bind check,
            operation,
            OffsetForLeaderEpoch.api,
            (fun _ -> OffsetForLeaderEpoch.api.Versions),
            epochRequest,
            (fun response ->
                response.Topics |> List.collect _.Partitions |> List.tryFind (fun answer -> answer.Partition = partition.Partition)),
            _.Error,
            fun exchange result -> TruncationCheck(asked, exchange, result)
        )

    let allowed = AllowedVersions.naming Fetch.api Fetch.topicIdsSince
    let request: Leader -> int16 -> Fetch.Request = fetchRequest
    let read: Exchange<Fetch.Request, Fetch.Response> -> Fetched = readFetched

    let beginFetching (call: CallOptions option) : Call<Fetched> =
        let operation = Operation.Begin(client.Settings, call)
        let reached = reach operation |> checkTopic
        requested <- position
        client.Lease.BeginOn(reached, operation, Fetch.api, allowed, request, null, reception, read)

    /// A fetcher that uses a client that others may use too. Disposing it does not close the client. ArgumentException if the offset is
    /// negative or the settings cannot be used: see `FetcherSettings.check`.
    new(client, settings, offset: int64) = new PartitionFetcher(client, settings, FetchPosition.at offset, false)

    /// A fetcher that owns its client: disposing it closes the client.
    static member Owning(client: PartitionClient, settings: FetcherSettings, offset: int64) =
        new PartitionFetcher(client, settings, FetchPosition.at offset, true)

    /// The client that it uses.
    member _.Client = client

    /// The settings it was made with.
    member _.Settings = settings

    /// The position of the next fetch: see `Fetched.advance`. Fetching does not move it.
    member _.Position
        with get () = position
        and set (value: FetchPosition) =
            Argument.offset (nameof value) value.Offset
            use _ = guard.HoldInFlight()
            if value <> position then moveTo value

    /// The offset of the first record that the next fetch asks for. Setting it forgets the epoch of the record before, so truncation below it
    /// is not detected: set `Position` if the epoch is known.
    member _.Offset
        with get () = position.Offset
        and set (value: int64) =
            Argument.offset (nameof value) value
            use _ = guard.HoldInFlight()
            moveTo (FetchPosition.at value)

    /// The replica that the next fetch goes to; none for the leader.
    member _.Replica: int32 option =
        match source with
        | FetchSource.Replica(node, _, since) when not (isOver since) -> Some node
        | _ -> None

    /// Finds an offset by its place or by a timestamp, and moves `Position` there. If there is no such offset, because no record has such a
    /// timestamp or a later one, the position stays, and the fault is `ClientFault.NoSuchOffset`. The epoch of the record before it is not
    /// known then: the epoch that ListOffsets reports is that of the record at the offset or, at the end of the log, of the leader, which may
    /// not have appended anything in it. See `FindOffset`.
    member _.Seek(spec: OffsetSpec, ?call: CallOptions) : Sought =
        use _ = guard.Hold()
        (beginSeeking spec call).Complete()

    /// Begins to find an offset as `Seek` does. `Position` is moved by `PendingCall.Complete`.
    member _.BeginSeek(spec: OffsetSpec, ?call: CallOptions) : PendingCall<Sought> =
        use _ = guard.Hold()
        PendingCall<_>(beginSeeking spec call)

    /// Finds an offset by its place or by a timestamp, without moving `Position`: `Sought.Offset` is none if there is no such offset. If the broker does not know the place, such as the ends of
    /// tiered storage, the fault is `ClientFault.NoCommonVersion`.
    member _.FindOffset(spec: OffsetSpec, ?call: CallOptions) : Sought =
        use _ = guard.Hold()
        (beginLooking spec call).Complete()

    /// Begins to find an offset as `FindOffset` does.
    member _.BeginFindOffset(spec: OffsetSpec, ?call: CallOptions) : PendingCall<Sought> =
        use _ = guard.Hold()
        PendingCall<_>(beginLooking spec call)

    /// Asks the leader whether the log still has what was read up to `Position`, which it finds by the epoch there. A fetch does the same by
    /// itself from version 12 on. If the topic was deleted and created again since the last fetch, the fault is `ClientFault.TopicRecreated`, as
    /// for the next fetch.
    member _.CheckTruncation(?call: CallOptions) : TruncationCheck =
        use _ = guard.Hold()
        (beginChecking call).Complete()

    /// Begins to ask the leader as `CheckTruncation` does.
    member _.BeginCheckTruncation(?call: CallOptions) : PendingCall<TruncationCheck> =
        use _ = guard.Hold()
        PendingCall<_>(beginChecking call)

    /// Reads what there is from `Position` on, into memory of its own or the caller's (`CallOptions.Memory`).
    ///
    /// If it asked a replica, an error code may concern the replica alone: one that lags behind reports OFFSET_OUT_OF_RANGE for what it does not
    /// have yet. The next fetch then goes to the leader: see `FetcherSettings.ReplicaTime`.
    ///
    /// If the topic was deleted and created again since the last fetch, the fault is `ClientFault.TopicRecreated`, once: the position is from the
    /// earlier log, so seek before the next fetch. Clusters that report topic ids show it (Kafka 2.8).
    ///
    /// A client that has exceeded a quota gets a response without records and with a `ThrottleTime`, which does not mean that the reader is at
    /// the end.
    member _.Fetch(?call: CallOptions) : Fetched =
        use _ = guard.Hold()
        (beginFetching call).Complete()

    /// Begins to read as `Fetch` does, from `Position` as it is now. The response is received by `PendingCall.Complete`, and only then the caller's
    /// memory is used; until then the fetcher, and whatever else uses its client, makes no other call. `Position` may be set meanwhile, for the
    /// next fetch.
    member _.Begin(?call: CallOptions) : PendingCall<Fetched> =
        use _ = guard.Hold()
        PendingCall<_>(beginFetching call)

    interface IDisposable with
        member _.Dispose() =
            // An observer may throw, but no socket must leak.
            try
                try
                    endSession ()
                finally
                    leaveReplica FetchSource.Leader
            finally
                if ownsClient then client.Close()
