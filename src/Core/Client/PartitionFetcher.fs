namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol

/// How much a fetcher asks for, how long the broker may wait for it, and whom it asks.
type FetcherSettings =
    {
        /// How long the broker may wait for `MinBytes` to come together. It should be well below the call's own time-out.
        MaxWait: TimeSpan
        /// The broker answers as soon as it has this many bytes; 0 to be answered at once.
        MinBytes: int
        /// Most bytes to answer. The first batch comes whole even where it is larger.
        MaxBytes: int
        IsolationLevel: IsolationLevel
        /// The rack that the client is in, as the brokers call theirs; empty to read from the leader alone. With a rack, the leader may
        /// name a replica that is nearer (KIP-392), and the fetches that follow go there.
        RackId: string
        /// How long fetches go to a replica until the leader is asked again whether there is a better one; and, where the replica failed,
        /// how long they go to the leader instead. `Timeout.InfiniteTimeSpan` for no bound.
        ReplicaTime: TimeSpan
        /// Whether the broker is to remember what it has been asked (KIP-227). For a client of one partition this saves a few dozen bytes
        /// a fetch; brokers keep a limited number of sessions (`max.incremental.fetch.session.cache.slots`). It is closed when the fetcher is
        /// disposed of.
        UseSession: bool
    }

[<RequireQualifiedAccess>]
module FetcherSettings =

    /// Up to half a second for at least one byte, at most 4 MiB, records of open transactions included; from the leader alone, without a
    /// session. A replica would be read from for five minutes.
    let standard =
        { MaxWait = TimeSpan.FromMilliseconds 500.0
          MinBytes = 1
          MaxBytes = 4 * 1024 * 1024
          IsolationLevel = IsolationLevel.ReadUncommitted
          RackId = ""
          ReplicaTime = TimeSpan.FromMinutes 5.0
          UseSession = false }

/// Where a reader stands in a partition.
type FetchPosition =
    {
        /// The offset of the next record.
        Offset: int64
        /// The leader epoch of the record before it, by which a broker sees whether the log has since been cut off below it (KIP-320);
        /// -1 where it is not known, and then nobody looks.
        LastEpoch: int32
    }

    /// As in `offset 42 behind epoch 3`.
    override this.ToString() =
        "offset " + string this.Offset + (if this.LastEpoch < 0 then "" else " behind epoch " + string this.LastEpoch)

[<RequireQualifiedAccess>]
module FetchPosition =

    /// An offset, without the epoch before it.
    let at (offset: int64) = { Offset = offset; LastEpoch = -1 }

/// What a search for an offset found. The error code is part of the answer.
type Sought =
    { Result: Result<ListOffsets.PartitionResponse, ClientFault>
      Exchange: Exchange<ListOffsets.Request, ListOffsets.Response> }

    /// The offset that was found; none on a fault, an error code, or where no record is that late.
    member this.Offset: int64 option =
        match this.Result with
        | Ok found when not found.Error.IsError && found.Offset >= 0L -> Some found.Offset
        | _ -> None

/// What a fetch brought. The error code is part of the answer, next to whatever came with it, such as the new leader with
/// NOT_LEADER_OR_FOLLOWER. With OFFSET_OUT_OF_RANGE Kafka's brokers give -1 for the bounds of the log: search for them.
type Fetched =
    {
        /// What was asked for.
        Position: FetchPosition
        Result: Result<Fetch.PartitionResponse, ClientFault>
        Exchange: Exchange<Fetch.Request, Fetch.Response>
    }

    /// The path of `Records` in the response.
    member private this.RecordsPath: string =
        match this.Exchange.Outcome with
        | Ok response ->
            Message.records Fetch.api.Response response
            |> List.tryPick (fun (path, records) -> if records.Memory.Equals this.Records.Memory then Some path else None)
            |> Option.defaultValue "Records"
        | Error _ -> "Records"

    member private this.Told(value: Fetch.PartitionResponse -> int64) : int64 option =
        match this.Result with
        | Ok answer when value answer >= 0L -> Some(value answer)
        | _ -> None

    /// The offset that was asked for.
    member this.Offset = this.Position.Offset

    /// The broker's error code, such as OFFSET_OUT_OF_RANGE; `None` where there is nothing wrong or no answer.
    member this.Error: ErrorCode =
        match this.Result with
        | Ok answer -> answer.Error
        | Error _ -> ErrorCode.None

    /// Record batches one behind the other, the last one maybe cut off; none on a fault or error.
    member this.Records: Bytes =
        match this.Result with
        | Ok { Records = Some records } -> records
        | _ -> Bytes.empty

    /// The batches in `Records`, as they are iterated. The first may begin before the offset that was asked for.
    member this.Batches: RecordSet = RecordSet.split this.Records |> RecordSet.under (lazy this.RecordsPath)

    /// The offset behind the last record that all in-sync replicas have, where it is told.
    member this.HighWatermark: int64 option = this.Told _.HighWatermark

    /// The offset behind the last record whose transaction has ended, where it is told.
    member this.LastStableOffset: int64 option = this.Told _.LastStableOffset

    /// The first offset that the partition still has, where it is told.
    member this.LogStartOffset: int64 option = this.Told _.LogStartOffset

    /// The transactions that were aborted within what was read, where committed data was asked for.
    member this.AbortedTransactions: AbortedTransaction list =
        match this.Result with
        | Ok { AbortedTransactions = Some aborted } -> aborted
        | _ -> []

    /// The batches that hold data at the isolation level that was asked for: without control batches, and for `ReadCommitted` without
    /// those of aborted transactions. See `TransactionFilter.apply`.
    member this.DataBatches: RecordSetItem seq = TransactionFilter.apply this.AbortedTransactions this.Batches

    /// The id of the replica that the leader sends the reader to (KIP-392).
    member this.PreferredReadReplica: int32 option = this.Told(fun answer -> int64 answer.PreferredReadReplica) |> Option.map int32

    /// Where the log parts from what was read (KIP-595), where it does: the largest epoch that both have, and where it ends in the log.
    member this.Diverging: Fetch.EpochEndOffset option =
        match this.Result with
        | Ok answer when answer.DivergingEpoch.EndOffset >= 0L -> Some answer.DivergingEpoch
        | _ -> None

/// Where to go on after a fetch.
[<RequireQualifiedAccess; NoComparison>]
type Advance =
    /// Behind the last batch that came whole: everything before that could be told apart. The same position where nothing came.
    | To of FetchPosition
    /// Some of what came is no readable batch, and to go on from `next` is to give it up; `Batches` has what is whole around it. `next` is
    /// none where nothing tells where the stretch ends: fetching again from the same position would bring the same.
    | Damaged of stretches: CorruptBatch list * next: FetchPosition option
    /// An election has cut off records that were read: the log parts from them at this position, which is where to go on.
    | Truncated of FetchPosition

    /// One line for people.
    override this.ToString() =
        match this with
        | To position -> "go on at " + position.ToString()
        | Damaged(stretches, next) ->
            "unreadable: "
            + String.Join("; ", List.map string stretches)
            + (match next with
               | Some position -> "; behind that, " + position.ToString()
               | None -> "; where that ends is not known")
        | Truncated position -> "the log was cut off: go on at " + position.ToString()

[<RequireQualifiedAccess>]
module Fetched =

    /// What going on takes from the last batch that came whole, of any format.
    [<NoEquality; NoComparison>]
    type private Whole = { Bytes: Bytes; Place: RecordSetPlace; LastOffset: int64; Epoch: int32; Checksum: Result<unit, Fault> }

    let private wholeBatch (batch: RecordBatch) (place: RecordSetPlace) : Whole =
        { Bytes = batch.Bytes
          Place = place
          LastOffset = batch.LastOffset
          Epoch = batch.PartitionLeaderEpoch
          Checksum = RecordBatch.verify batch }

    // Only the last offset of a wrapper stands outside, and there was no epoch in these formats.
    let private wholeLegacy (batch: LegacyBatch) (place: RecordSetPlace) : Whole =
        { Bytes = batch.Bytes; Place = place; LastOffset = batch.LastOffset; Epoch = -1; Checksum = LegacyBatch.verify batch }

    // The last offset of a batch whose checksum is wrong may itself be what is damaged. It is believed as far as the log can reach.
    let private unverified (fetched: Fetched) (batch: Whole) (fault: Fault) : CorruptBatch =
        let isPossible = fetched.HighWatermark |> Option.forall (fun watermark -> batch.LastOffset < watermark)
        CorruptBatch.At(batch.Place, batch.Bytes, fault, (if isPossible then ValueSome batch.LastOffset else ValueNone))

    let private goOn (fetched: Fetched) (batch: Whole) (passed: CorruptBatch list) : Advance =
        let damaged stretches next = Advance.Damaged(List.rev stretches, next)

        match batch.Checksum with
        | Error fault ->
            let stretch = unverified fetched batch fault

            let next =
                match stretch.LastOffset with
                | ValueSome offset when offset >= fetched.Offset -> Some(FetchPosition.at (offset + 1L))
                | _ -> None

            damaged (stretch :: passed) next
        | Ok() ->
            let next =
                if batch.LastOffset >= fetched.Offset then
                    { Offset = batch.LastOffset + 1L; LastEpoch = batch.Epoch }
                else
                    fetched.Position

            if passed.IsEmpty then Advance.To next else damaged passed (Some next)

    /// Where to go on: a pure function of what came. A batch takes up its offsets whether or not it has records (compaction empties batches
    /// and leaves gaps) and whether they are data (control batches). On a fault or an error code it is the same position: see `Result`.
    ///
    /// The last whole batch, from which the position is taken, has its checksum verified; that of the others shows when they are opened.
    /// A stretch that cannot be read and stands behind the last whole batch is left to the next fetch.
    let advance (fetched: Fetched) : Advance =
        let mutable last = ValueNone
        // Stretches with a whole batch behind them, and those that have none yet; the latest first.
        let mutable passed: CorruptBatch list = []
        let mutable ahead: CorruptBatch list = []

        for item in fetched.Batches do
            match item with
            | RecordSetItem.Batch _
            | RecordSetItem.Legacy _ ->
                passed <- ahead @ passed
                ahead <- []
                last <- ValueSome item
            | RecordSetItem.Corrupt stretch -> ahead <- stretch :: ahead
            | RecordSetItem.CutOff _ -> ()

        match fetched.Diverging, last with
        | Some parting, _ -> Advance.Truncated { Offset = min parting.EndOffset fetched.Offset; LastEpoch = parting.Epoch }
        | None, ValueSome(RecordSetItem.Batch(batch, place)) -> goOn fetched (wholeBatch batch place) passed
        | None, ValueSome(RecordSetItem.Legacy(batch, place)) -> goOn fetched (wholeLegacy batch place) passed
        | None, _ when ahead.IsEmpty -> Advance.To fetched.Position
        | None, _ -> Advance.Damaged(List.rev ahead, None)

/// Whether a reader has read records that an election has since cut off (KIP-320).
[<RequireQualifiedAccess>]
type Truncation =
    /// What was read is in the log.
    | Intact
    /// The log parts from what was read at this position, which is where to go on.
    | At of FetchPosition
    /// It does, and the leader does not know where: the epoch of what was read is none of its own.
    | Somewhere
    /// The position has no epoch, so nothing can be said.
    | NotKnown

    /// One line for people.
    override this.ToString() =
        match this with
        | Intact -> "nothing that was read was cut off"
        | At position -> (Advance.Truncated position).ToString()
        | Somewhere -> "the log was cut off, and its leader cannot tell where"
        | NotKnown -> "not known: the position has no epoch"

/// What a check for truncation found. The error code is part of the answer.
type TruncationCheck =
    {
        /// What was asked about.
        Position: FetchPosition
        Result: Result<OffsetForLeaderEpoch.PartitionResponse, ClientFault>
        Exchange: Exchange<OffsetForLeaderEpoch.Request, OffsetForLeaderEpoch.Response>
    }

    /// What that means; none on a fault or an error code.
    member this.Truncation: Truncation option =
        match this.Result with
        | Ok answer when answer.Error.IsError -> None
        | Ok _ when this.Position.LastEpoch < 0 -> Some Truncation.NotKnown
        | Ok answer when answer.EndOffset < 0L || answer.LeaderEpoch < 0 -> Some Truncation.Somewhere
        | Ok answer when answer.EndOffset < this.Position.Offset ->
            Some(Truncation.At { Offset = answer.EndOffset; LastEpoch = answer.LeaderEpoch })
        | Ok _ -> Some Truncation.Intact
        | Error _ -> None

/// Whom a fetcher asks.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type private FetchSource =
    /// The leader, which may name a replica where there is a rack.
    | Leader
    /// The replica that the leader has named, since a moment of the settings' clock; the connection to it once there is one.
    | Replica of node: int32 * connection: (Leader * Connection) option * since: int64
    /// The leader, without telling it the rack, since a replica failed at a moment of that clock.
    | LeaderAlone of since: int64

/// Reads batches of one partition, each time with one call on the client's connection to the leader or, where there is a rack, on a
/// connection of its own to the replica that the leader names. It reads at `Position`, which only the caller moves: fetching twice gives the
/// same records twice.
[<Sealed>]
type PartitionFetcher private (client: PartitionClient, settings: FetcherSettings, position: FetchPosition, ownsClient: bool) =
    let time = client.Settings.Time
    let mutable position = position
    let mutable source = FetchSource.Leader
    let opening = if settings.UseSession then FetchSession.opening else FetchSession.none
    // The session, and the connection that it belongs to.
    let mutable session = opening
    let mutable sessionOn: Connection option = None

    let isSessionOn (connection: Connection) = sessionOn |> Option.exists (fun known -> Object.ReferenceEquals(known, connection))

    // Brokers keep a session until they need its place for another. One that is given up is closed, without waiting for the answer: it has
    // nothing to say.
    let endSession () =
        match sessionOn with
        | Some connection when session.Id <> 0 && connection.IsOpen ->
            connection.VersionOf Fetch.api
            |> Result.iter (fun version -> connection.SendAt(version, Fetch.api, FetchSession.closing session) |> ignore)
        | _ -> ()

        session <- opening
        sessionOn <- None

    let leaveReplica (next: FetchSource) =
        match source with
        | FetchSource.Replica(_, Some(_, connection), _) ->
            if isSessionOn connection then endSession ()

            connection.Close()
        | _ -> ()

        source <- next

    let isOver (since: int64) = Duration.hasPassed time settings.ReplicaTime since

    // A replica that cannot be reached has been asked for nothing yet, so the leader is.
    let reachSource (cancellation: CancellationToken) : Result<Leader * Connection, ClientFault> =
        match source with
        | FetchSource.Replica(_, _, since)
        | FetchSource.LeaderAlone since when isOver since -> leaveReplica FetchSource.Leader
        | _ -> ()

        match source with
        | FetchSource.Leader
        | FetchSource.LeaderAlone _ -> client.Reach cancellation
        | FetchSource.Replica(_, Some(leader, connection), _) when connection.IsOpen -> Ok(leader, connection)
        | FetchSource.Replica(node, before, since) ->
            // Too old by the settings, unused for too long, or closed when the caller cancelled: nothing that speaks against the replica.
            before |> Option.iter (fun (_, connection) -> connection.Close())

            match client.ConnectTo(node, cancellation) with
            | Ok(Some made) ->
                source <- FetchSource.Replica(node, Some made, since)
                Ok made
            | Ok None ->
                source <- FetchSource.LeaderAlone(time.GetTimestamp())
                client.Reach cancellation
            | Error fault -> Error fault

    let isSessionOn (connection: Connection) =
        match sessionOn with
        | Some known -> Object.ReferenceEquals(known, connection)
        | None -> false

    let reach (cancellation: CancellationToken) : Result<Leader * Connection, ClientFault> =
        let reached = reachSource cancellation

        match reached with
        | Ok(_, connection) when not (isSessionOn connection) ->
            endSession ()
            sessionOn <- Some connection
        | _ -> ()

        reached

    let partitionRequest (leader: Leader) (version: int16) : Fetch.PartitionRequest =
        { Partition = client.Partition.Partition
          CurrentLeaderEpoch = leader.Epoch
          FetchOffset = position.Offset
          LastFetchedEpoch = if version >= 12s then position.LastEpoch else -1
          LogStartOffset = -1L
          PartitionMaxBytes = settings.MaxBytes
          ReplicaDirectoryId = Guid.Empty
          HighWatermark = Int64.MaxValue }

    let fetchRequest (leader: Leader) (version: int16) : Fetch.Request =
        let asked = partitionRequest leader version

        { ClusterId = None
          ReplicaId = -1
          ReplicaState = { ReplicaId = -1; ReplicaEpoch = -1L }
          MaxWaitMs = Milliseconds.ofTimeSpan settings.MaxWait
          MinBytes = settings.MinBytes
          MaxBytes = settings.MaxBytes
          IsolationLevel = settings.IsolationLevel
          SessionId = session.Id
          SessionEpoch = session.Epoch
          Topics =
            if FetchSession.mustTell asked session then
                [ { Topic = client.Partition.Topic; TopicId = leader.TopicId; Partitions = [ asked ] } ]
            else
                []
          Forgotten = []
          RackId =
            match source with
            | FetchSource.LeaderAlone _ -> ""
            | _ -> settings.RackId }

    // An error of the request as a whole comes without partitions; it is told as the partition's.
    let fetchedIn (response: Fetch.Response) : Result<Fetch.PartitionResponse, ClientFault> =
        let isOurs (answer: Fetch.PartitionResponse) = answer.PartitionIndex = client.Partition.Partition

        match response.Topics |> List.tryPick (_.Partitions >> List.tryFind isOurs) with
        | Some answer when response.Error.IsError && not answer.Error.IsError -> Ok { answer with Error = response.Error }
        | None when response.Error.IsError ->
            Ok
                { Fetch.partitionResponse.Default with
                    PartitionIndex = client.Partition.Partition
                    Error = response.Error
                    HighWatermark = -1L }
        | answer ->
            match FetchSession.answer answer session with
            | Some answer -> Ok answer
            | None -> Error(ClientFault.NotAnswered client.Partition)

    let goOnWithSession (exchange: Exchange<Fetch.Request, Fetch.Response>) (answer: Fetch.PartitionResponse option) =
        match exchange.Outcome with
        | Ok response when session.Epoch >= 0 ->
            let told = exchange.Request.Topics |> List.collect _.Partitions |> List.tryHead |> Option.orElse session.Told
            session <- told |> Option.map (fun told -> FetchSession.next told response answer session) |> Option.defaultValue opening
        // A session does not outlive its connection, and a request that was not sent does not count.
        | _ -> ()

    let heedReplica (result: Result<Fetch.PartitionResponse, ClientFault>) =
        match result with
        | Ok answer when not answer.Error.IsError || FetchSession.isLost answer.Error -> ()
        | Error ClientFault.Cancelled -> ()
        | _ -> leaveReplica (FetchSource.LeaderAlone(time.GetTimestamp()))

    let heedLeader (result: Result<Fetch.PartitionResponse, ClientFault>) =
        match result with
        | Ok answer when source.IsLeader && settings.RackId <> "" && answer.PreferredReadReplica >= 0 && not answer.Error.IsError ->
            source <- FetchSource.Replica(answer.PreferredReadReplica, None, time.GetTimestamp())
        | _ -> ()

    let heed (result: Result<ErrorCode, ClientFault>) (leader: CurrentLeader) (nodes: NodeEndpoint list) =
        match result with
        | Ok code -> client.Heed(code, leader, nodes)
        | Error(ClientFault.NotAnswered _) -> client.Close()
        | Error _ -> ()

    let listRequest (spec: OffsetSpec) (leader: Leader) (_: int16) : ListOffsets.Request =
        { ReplicaId = -1
          IsolationLevel = settings.IsolationLevel
          Topics =
            [ { Name = client.Partition.Topic
                Partitions = [ { PartitionIndex = client.Partition.Partition; CurrentLeaderEpoch = leader.Epoch; Spec = spec } ] } ]
          TimeoutMs = Milliseconds.ofTimeSpan client.Settings.CallTimeout }

    let epochRequest (leader: Leader) (_: int16) : OffsetForLeaderEpoch.Request =
        { ReplicaId = -1
          Topics =
            [ { Topic = client.Partition.Topic
                Partitions =
                  [ { Partition = client.Partition.Partition; CurrentLeaderEpoch = leader.Epoch; LeaderEpoch = position.LastEpoch } ] } ] }

    let aboutPartition (indexOf: 'Answer -> int32) (answers: 'Answer list) : Result<'Answer, ClientFault> =
        match answers |> List.tryFind (fun answer -> indexOf answer = client.Partition.Partition) with
        | Some answer -> Ok answer
        | None -> Error(ClientFault.NotAnswered client.Partition)

    // A call to the leader, whoever the batches come from.
    let askLeader api allowed request cancellation attempt : Exchange<'Request, 'Response> =
        let cancellation = defaultArg cancellation CancellationToken.None

        client.Exchange(
            client.Reach,
            api,
            allowed,
            request,
            (fun connection version request -> connection.CallAt(version, api, request, cancellation)),
            cancellation,
            defaultArg attempt 1
        )

    /// A fetcher that calls through a client that others may use too. Disposing of it leaves the client as it is.
    new(client, settings, offset: int64) = new PartitionFetcher(client, settings, FetchPosition.at offset, false)

    /// A fetcher that a client is handed over to: disposing of it closes the client.
    static member Owning(client: PartitionClient, settings: FetcherSettings, offset: int64) =
        new PartitionFetcher(client, settings, FetchPosition.at offset, true)

    /// The client that it calls through.
    member _.Client = client

    /// The settings it was made with.
    member _.Settings = settings

    /// Where the next fetch begins: see `Fetched.advance`. Fetching does not move it.
    member _.Position
        with get () = position
        and set value = position <- value

    /// The offset of the first record that the next fetch asks for. Setting it forgets the epoch of the record before, and with it whether
    /// the log has been cut off below: set `Position` where that is known.
    member _.Offset
        with get () = position.Offset
        and set value = position <- FetchPosition.at value

    /// The replica that the next fetch goes to; none for the leader.
    member _.Replica: int32 option =
        match source with
        | FetchSource.Replica(node, _, since) when not (isOver since) -> Some node
        | _ -> None

    /// Looks for an offset by its place or by a timestamp and moves `Position` there where it is found. See `Find`.
    member this.Seek(spec: OffsetSpec, ?cancellation: CancellationToken, ?attempt: int) : Sought =
        let sought = this.Find(spec, ?cancellation = cancellation, ?attempt = attempt)

        match sought.Result, sought.Offset with
        | Ok found, Some offset -> position <- { Offset = offset; LastEpoch = found.LeaderEpoch }
        | _ -> ()

        sought

    /// Looks for an offset by its place or by a timestamp, without moving `Position`. Where the broker does not know the place, such as the
    /// ends of tiered storage, it is `ClientFault.NoCommonVersion`. `attempt` is the number that the exchange gets: see `RetryPolicy`.
    member _.Find(spec: OffsetSpec, ?cancellation: CancellationToken, ?attempt: int) : Sought =
        let exchange = askLeader ListOffsets.api (fun _ -> Allowed.finding spec) (listRequest spec) cancellation attempt

        let result =
            exchange.Outcome
            |> Result.bind (fun response -> response.Topics |> List.collect _.Partitions |> aboutPartition _.PartitionIndex)

        heed (result |> Result.map _.Error) CurrentLeader.unknown []
        { Result = result; Exchange = exchange }

    /// Asks the leader whether the log still has what was read up to `Position`, which it knows by the epoch there: what a fetch finds out by
    /// itself from version 12 on. `attempt` is the number that the exchange gets: see `RetryPolicy`.
    member _.CheckTruncation(?cancellation: CancellationToken, ?attempt: int) : TruncationCheck =
        let exchange =
            askLeader OffsetForLeaderEpoch.api (fun _ -> OffsetForLeaderEpoch.api.Versions) epochRequest cancellation attempt

        let result =
            exchange.Outcome
            |> Result.bind (fun response -> response.Topics |> List.collect _.Partitions |> aboutPartition _.Partition)

        heed (result |> Result.map _.Error) CurrentLeader.unknown []
        { Position = position; Result = result; Exchange = exchange }

    /// Reads what there is from `Position` on, into memory of its own or the caller's. `attempt` is the number that the exchange gets: see
    /// `RetryPolicy`.
    ///
    /// Where it asked a replica, an error code may speak of the replica alone: one that is behind says OFFSET_OUT_OF_RANGE of what it does not
    /// have yet. The next fetch goes to the leader then.
    member _.Fetch(?cancellation: CancellationToken, ?attempt: int, ?memory: ReceiveBuffer) : Fetched =
        let cancellation = defaultArg cancellation CancellationToken.None

        let exchange =
            client.Exchange(
                reach,
                Fetch.api,
                Allowed.naming Fetch.api 13s,
                fetchRequest,
                (fun connection version request -> connection.CallAt(version, Fetch.api, request, cancellation, ?memory = memory)),
                cancellation,
                defaultArg attempt 1
            )

        let result = exchange.Outcome |> Result.bind fetchedIn
        goOnWithSession exchange (Result.toOption result)

        match source, exchange.Outcome with
        | FetchSource.Replica(_, Some _, _), _ -> heedReplica result
        | _, Ok response ->
            let leader = result |> Result.map _.CurrentLeader |> Result.defaultValue CurrentLeader.unknown
            heed (result |> Result.map _.Error) leader response.NodeEndpoints
            heedLeader result
        | _, Error _ -> ()

        { Position = position; Result = result; Exchange = exchange }

    interface IDisposable with
        member _.Dispose() =
            endSession ()
            leaveReplica FetchSource.Leader
            if ownsClient then client.Close()
