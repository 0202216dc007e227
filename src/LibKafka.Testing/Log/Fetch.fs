namespace LibKafka.Testing

open System
open System.Runtime.InteropServices
open LibKafka
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol

/// Fetch: reading batches from partitions, and waiting for them.
[<RequireQualifiedAccess>]
module internal Fetching =

    /// What is read from one partition: whole batches from an index on, and a number of bytes of them.
    [<NoEquality; NoComparison>]
    type private Slice = { Log: Log; First: int; Bytes: int; UpTo: int64 }

    [<NoEquality; NoComparison>]
    type private Read =
        {
            Response: Fetch.PartitionResponse
            Slice: Slice voption
            /// Whether the answer must not wait for more bytes.
            IsFinal: bool
        }

    let private noSlice = ValueNone

    let private failed (index: int32) (code: ErrorCode) : Fetch.PartitionResponse =
        { PartitionIndex = index
          Error = code
          HighWatermark = -1L
          LastStableOffset = -1L
          LogStartOffset = -1L
          AbortedTransactions = None
          PreferredReadReplica = -1
          Records = Some Bytes.empty
          DivergingEpoch = { Epoch = -1; EndOffset = -1L }
          CurrentLeader = CurrentLeader.unknown
          SnapshotId = SnapshotId.none }

    let private final response = { Response = response; Slice = noSlice; IsFinal = true }

    /// The batches of one segment from an offset up to a limit, in at most so many bytes. A batch may be cut off, but the first one comes whole if
    /// `isFirst` says so.
    let private slice (offset: int64) (limit: int64) (mostBytes: int) (isFirst: bool) (isHard: bool) (log: Log) : Slice voption =
        let first = Log.indexOf offset log

        let limit =
            if first < log.Batches.Count then
                min limit (Log.endOfSegment (Log.segmentOf log.Batches[first].BaseOffset log) log)
            else
                limit

        let mutable bytes = 0L
        let mutable index = first

        while index < log.Batches.Count && log.Batches[index].LastOffset < limit && bytes < int64 mostBytes do
            bytes <- bytes + int64 log.Batches[index].SizeInBytes
            index <- index + 1

        if index = first then
            // Nothing, or no byte is wanted; the first batch comes all the same if it must.
            if isFirst && first < log.Batches.Count && log.Batches[first].LastOffset < limit then
                ValueSome { Log = log; First = first; Bytes = log.Batches[first].SizeInBytes; UpTo = log.Batches[first].NextOffset }
            else
                ValueNone
        else
            let firstSize = log.Batches[first].SizeInBytes
            let upTo = log.Batches[index - 1].NextOffset

            if firstSize <= mostBytes then
                ValueSome { Log = log; First = first; Bytes = int (min bytes (int64 mostBytes)); UpTo = upTo }
            elif isFirst then
                ValueSome { Log = log; First = first; Bytes = firstSize; UpTo = upTo }
            elif isHard then
                ValueSome { Log = log; First = first; Bytes = mostBytes; UpTo = upTo }
            else
                ValueNone

    let private segmentOf (batch: RecordBatch) : ArraySegment<byte> =
        match MemoryMarshal.TryGetArray batch.Bytes.Memory with
        | true, segment -> segment
        | _ -> ArraySegment<byte>()

    /// The bytes of a slice where they are, if its batches lie one after another in memory.
    let private contiguous (slice: Slice) : Bytes voption =
        let first = segmentOf slice.Log.Batches[slice.First]
        let mutable finish = first.Offset
        let mutable index = slice.First
        let mutable isContiguous = true

        while isContiguous && finish - first.Offset < slice.Bytes do
            let next = segmentOf slice.Log.Batches[index]
            isContiguous <- Object.ReferenceEquals(next.Array, first.Array) && next.Offset = finish
            finish <- next.Offset + next.Count
            index <- index + 1

        match first.Array with
        | null -> ValueNone
        | array when isContiguous -> ValueSome(Bytes(ReadOnlyMemory<byte>(array, first.Offset, slice.Bytes)))
        | _ -> ValueNone

    /// The bytes of a slice.
    let private bytesOf (slice: Slice) : Bytes =
        match contiguous slice with
        | ValueSome bytes -> bytes
        | ValueNone ->
            let all = GC.AllocateUninitializedArray<byte> slice.Bytes
            let mutable at = 0
            let mutable index = slice.First

            while at < all.Length do
                let batch = slice.Log.Batches[index].Bytes.Span
                let size = min batch.Length (all.Length - at)
                batch.Slice(0, size).CopyTo(all.AsSpan at)
                at <- at + size
                index <- index + 1

            Bytes all

    /// The batches of a slice. One that is cut off is left out.
    let private batchesOf (slice: Slice) : RecordBatch list =
        let rec from index (room: int) =
            if room <= 0 || index >= slice.Log.Batches.Count then
                []
            else
                let batch = slice.Log.Batches[index]
                if batch.SizeInBytes > room then [] else batch :: from (index + 1) (room - batch.SizeInBytes)

        from slice.First slice.Bytes

    let private replicaId (request: Fetch.Request) (call: Call) : int32 =
        if call.Version >= 15s then request.ReplicaState.ReplicaId else request.ReplicaId

    /// The in-sync replica in the consumer's rack, if the leader is in another one.
    let private preferred (call: Call) (request: Fetch.Request) (partition: Partition) (state: State) : int32 =
        let rackOf node = state.Nodes[node].Rack

        if
            not state.Settings.IsRackAware
            || call.Version < 11s
            || request.RackId = ""
            || replicaId request call >= 0
            || partition.Leader <> ValueSome call.Node
            || rackOf call.Node = Some request.RackId
        then
            -1
        else
            partition.InSync
            |> List.tryFind (fun node -> rackOf node = Some request.RackId && Cluster.isRunning node state)
            |> Option.defaultValue -1

    /// Whether a follower of this id, which is -1 for a consumer, may read from the leader.
    let private mayFollow (id: int32) (partition: Partition) : bool =
        id < 0 || (List.contains id partition.Replicas && partition.Leader <> ValueSome id)

    /// The partition's replica that the request may read, or an error.
    let private replica (call: Call) (request: Fetch.Request) (target: SessionPartition) (name: string) (state: State) =
        let index = target.Request.Partition
        let known = if call.Version >= 9s then target.Request.CurrentLeaderEpoch else -1
        let fromFollower = call.Version >= 11s && replicaId request call < 0 && state.Settings.Release.IsAtLeast(2, 4)

        match Cluster.tryPartition name index state with
        | Some partition when fromFollower && List.contains call.Node partition.Replicas ->
            let code = Cluster.checkEpoch known partition
            if code.IsError then Error code else Ok partition
        | _ ->
            match Cluster.lead call.Node known name index state with
            | Ok partition when not (mayFollow (replicaId request call) partition) -> Error ErrorCode.NotLeaderOrFollower
            | result -> result

    /// An error with the new leader, if the version has it.
    let private failedWithLeader (call: Call) (name: string) (index: int32) (code: ErrorCode) (state: State) : Fetch.PartitionResponse =
        let failed = failed index code

        match Cluster.tryPartition name index state with
        | Some partition when call.Version >= 16s && (code = ErrorCode.NotLeaderOrFollower || code = ErrorCode.FencedLeaderEpoch) ->
            { failed with CurrentLeader = Cluster.currentLeader partition }
        | _ -> failed

    /// Where the log parts from the reader's, if it does.
    let private divergence
        (call: Call)
        (wanted: Fetch.PartitionRequest)
        (partition: Partition)
        : Result<Fetch.EpochEndOffset voption, ErrorCode> =
        if call.Version < Fetch.lastFetchedEpochSince || wanted.LastFetchedEpoch < 0 then
            Ok ValueNone
        else
            let struct (epoch, finish) = Log.endOfEpoch wanted.LastFetchedEpoch partition.Log

            if epoch < 0 || finish < 0L then
                Error ErrorCode.OffsetOutOfRange
            elif epoch < wanted.LastFetchedEpoch || finish < wanted.FetchOffset then
                Ok(ValueSome { Epoch = epoch; EndOffset = finish })
            else
                Ok ValueNone

    let private aborted (request: Fetch.Request) (offset: int64) (slice: Slice voption) (log: Log) : AbortedTransaction list option =
        if request.IsolationLevel <> IsolationLevel.ReadCommitted then
            None
        else
            match slice with
            | ValueNone -> Some []
            | ValueSome slice ->
                Some
                    [ for range in Log.abortedIn offset slice.UpTo log -> { ProducerId = range.ProducerId; FirstOffset = range.FirstOffset } ]

    let private readLog
        (call: Call)
        (request: Fetch.Request)
        (target: SessionPartition)
        (most: int)
        (isFirst: bool)
        (partition: Partition)
        (state: State)
        =
        let wanted = target.Request
        let log = partition.Log
        let ownEnd = Cluster.endOf call.Node partition
        let watermark = min (Cluster.highWatermark partition) ownEnd
        let stable = Log.stableUpTo watermark log

        let limit =
            if replicaId request call >= 0 then ownEnd
            elif request.IsolationLevel = IsolationLevel.ReadCommitted then stable
            else watermark

        let bytes = min most wanted.PartitionMaxBytes

        if bytes < 0 then
            final (failed wanted.Partition ErrorCode.UnknownServerError)
        elif wanted.FetchOffset < log.Start || wanted.FetchOffset > ownEnd then
            final (failed wanted.Partition ErrorCode.OffsetOutOfRange)
        else
            let isHard = call.Version < Fetch.wholeBatchSince
            let slice =
                if wanted.FetchOffset >= limit then
                    noSlice
                else
                    slice wanted.FetchOffset limit bytes isFirst isHard log

            { Response =
                { failed wanted.Partition ErrorCode.None with
                    HighWatermark = watermark
                    LastStableOffset =
                        (if request.IsolationLevel = IsolationLevel.ReadCommitted || state.Settings.Release.IsAtLeast(2, 0) then
                             stable
                         else
                             -1L)
                    LogStartOffset = log.Start
                    AbortedTransactions = aborted request wanted.FetchOffset slice log }
              Slice = slice
              IsFinal = false }

    /// Reads one partition, whose topic is known.
    let private readPartition (call: Call) (request: Fetch.Request) (target: SessionPartition) name most isFirst (state: State) : Read =
        let index = target.Request.Partition

        match replica call request target name state with
        | Error code -> final (failedWithLeader call name index code state)
        | Ok partition ->
            match divergence call target.Request partition with
            | Error code -> final (failed index code)
            | Ok(ValueSome diverging) ->
                final
                    { failed index ErrorCode.None with
                        HighWatermark = Cluster.highWatermark partition
                        LastStableOffset = Cluster.lastStableOffset partition
                        LogStartOffset = partition.Log.Start
                        DivergingEpoch = diverging }
            | Ok ValueNone ->
                let read = readLog call request target most isFirst partition state
                let elsewhere = if read.IsFinal then -1 else preferred call request partition state

                if elsewhere >= 0 then final { read.Response with PreferredReadReplica = elsewhere } else read

    /// The topic of a partition to read, or the error in its place.
    let private topicOf (call: Call) (target: SessionPartition) (state: State) : Result<Topic, ErrorCode> =
        let found =
            if call.Version < Fetch.topicIdsSince then
                Cluster.tryTopic target.Topic state |> Option.toValueOption, ErrorCode.UnknownTopicOrPartition
            else
                match Cluster.tryTopicById target.TopicId state with
                | Some topic -> ValueSome topic, ErrorCode.None
                | None when target.Topic = "" -> ValueNone, ErrorCode.UnknownTopicId
                // A session knows the name that the id once had.
                | None ->
                    let code =
                        if state.Topics.ContainsKey target.Topic then
                            ErrorCode.InconsistentTopicId
                        else
                            ErrorCode.UnknownTopicOrPartition
                    ValueNone, code

        match found with
        | ValueNone, code -> Error code
        | ValueSome topic, _ when not (Security.isAllowed call AclOperation.Read AclResourceType.Topic topic.Name state) ->
            Error ErrorCode.TopicAuthorizationFailed
        | ValueSome topic, _ ->
            let index = target.Request.Partition
            if index < 0 || index >= topic.Partitions.Length then
                Error ErrorCode.UnknownTopicOrPartition
            else
                Ok topic

    /// A partition as it was found when the request came: those that were not known are not read again.
    [<NoEquality; NoComparison>]
    type private Target = { Partition: SessionPartition; Topic: Result<string, ErrorCode> }

    let private readAll (call: Call) (request: Fetch.Request) (targets: Target list) (state: State) : (Target * Read) list =
        let mutable remaining = if call.Version >= Fetch.wholeBatchSince then request.MaxBytes else Int32.MaxValue
        let mutable isFirst = call.Version >= Fetch.wholeBatchSince

        [ for target in targets do
              let index = target.Partition.Request.Partition

              match target.Topic with
              | Error code ->
                  // This one comes from the log, which ends a long poll.
                  let isOfLog = code = ErrorCode.InconsistentTopicId
                  let aborted = if isOfLog || not (state.Settings.Release.IsAtLeast(3, 0)) then None else Some []
                  let response = { failed index code with AbortedTransactions = aborted }
                  target, { Response = response; Slice = noSlice; IsFinal = isOfLog }
              | Ok name ->
                  let read = readPartition call request target.Partition name remaining isFirst state

                  match read.Slice with
                  | ValueSome slice ->
                      isFirst <- false
                      remaining <- remaining - slice.Bytes
                  | ValueNone -> ()

                  remaining <- max 0 remaining

                  target, read ]

    let private isReady (request: Fetch.Request) (reads: (Target * Read) list) : bool =
        let bytes =
            reads
            |> List.sumBy (fun (_, read) ->
                match read.Slice with
                | ValueSome slice -> int64 slice.Bytes
                | ValueNone -> 0L)

        bytes >= int64 request.MinBytes
        || reads |> List.exists (fun (_, read) -> read.IsFinal)
        || reads |> List.forall (fun (target, _) -> target.Topic.IsError)

    let private delivered (call: Call) (target: Target) (state: State) (read: Read) : Fetch.PartitionResponse =
        let name = Result.defaultValue "" target.Topic
        let offset = target.Partition.Request.FetchOffset
        let most = target.Partition.Request.PartitionMaxBytes

        match read.Slice with
        | ValueNone -> read.Response
        | ValueSome slice ->
            let isOld =
                call.Version < Fetch.batchesSince
                || not (state.Settings.Release.IsAtLeast(3, 0)) && LegacyWriter.magicOfTopic state.Topics[name] state < 2y

            let records =
                if isOld then
                    LegacyWriter.convert call state.Topics[name] offset slice.Bytes most (batchesOf slice) state
                else
                    bytesOf slice

            { read.Response with Records = Some records }

    let private topicKey (call: Call) (partition: SessionPartition) : struct (string * Guid) =
        if call.Version >= Fetch.topicIdsSince then
            struct ("", partition.TopicId)
        else
            struct (partition.Topic, Guid.Empty)

    let private responseOf (call: Call) (session: int32) (results: (SessionPartition * Fetch.PartitionResponse) list) (state: State) =
        let topics: Fetch.TopicResponse list =
            [ for _, ofTopic in results |> List.groupBy (fun (partition, _) -> topicKey call partition) ->
                  let first = fst ofTopic.Head
                  { Topic = first.Topic; TopicId = first.TopicId; Partitions = ofTopic |> List.map snd } ]

        let leaders =
            results |> Seq.map (fun (_, response) -> response.CurrentLeader) |> Seq.filter (fun leader -> leader.LeaderId >= 0)

        Reply(
            Response.Fetch
                { ThrottleTimeMs = 0
                  Error = ErrorCode.None
                  SessionId = session
                  Topics = topics
                  NodeEndpoints = (if call.Version >= 16s then Cluster.endpoints leaders state else []) }
        )

    /// The answer with what was read, and the state in which the session knows it.
    let private answer (call: Call) (request: Fetch.Request) (context: FetchContext) (reads: (Target * Read) list) (state: State) =
        let results = reads |> List.map (fun (target, read) -> target.Partition, delivered call target state read)

        match context with
        | FetchContext.Sessionless -> state, responseOf call 0 results state
        | FetchContext.Opening ->
            let isFollower = replicaId request call >= 0
            let state, id = FetchSessions.opened call isFollower (FetchSessions.remembered results) state
            state, responseOf call id results state
        | FetchContext.Continuing session ->
            let news = results |> List.filter (fun (partition, response) -> FetchSessions.isNews partition response)
            FetchSessions.answered call session results state, responseOf call session.Id news state

    let private wait (call: Call) (request: Fetch.Request) (context: FetchContext) (targets: Target list) (state: State) : State * Answer =
        let until = call.Now + int64 (max 0 request.MaxWaitMs)

        let ready now state =
            let reads = readAll call request targets state

            if now >= until || isReady request reads then
                ValueSome(answer call request context reads state)
            else
                ValueNone

        match ready call.Now state with
        | ValueSome answer -> answer
        | ValueNone ->
            let concerns before after =
                Waiting.isClusterChanged before after
                || targets
                   |> List.exists (fun target ->
                       Waiting.isPartitionChanged target.Partition.Topic target.Partition.Request.Partition before after)

            state, Later { Until = until; Concerns = concerns; Ready = ready }

    let private refused (code: ErrorCode) : Answer =
        Reply(Response.Fetch { ThrottleTimeMs = 0; Error = code; SessionId = 0; Topics = []; NodeEndpoints = [] })

    let handle (call: Call) (request: Fetch.Request) (state: State) : State * Answer =
        if int request.IsolationLevel < 0 || int request.IsolationLevel > 1 then
            state, refused ErrorCode.UnknownServerError
        else
            match FetchSessions.resolve call request state with
            | state, Error code -> state, refused code
            | state, Ok(context, partitions) ->
                let targets =
                    [ for partition in partitions ->
                          let topic = topicOf call partition state |> Result.map _.Name
                          let named = { partition with Topic = Result.defaultValue partition.Topic topic }
                          { Partition = named; Topic = topic } ]

                wait call request context targets state
