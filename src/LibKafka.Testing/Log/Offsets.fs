namespace LibKafka.Testing

open LibKafka
open LibKafka.Records
open LibKafka.Protocol

/// ListOffsets, OffsetForLeaderEpoch and DeleteRecords.
[<RequireQualifiedAccess>]
module internal Offsets =

    /// The records of a batch, as far as they can be read.
    let private recordsOf (state: State) (batch: RecordBatch) : RecordData list =
        RecordBatch.toList { Reading.withCodecs state.Settings.Codecs with VerifyChecksum = false } batch
        |> Result.defaultValue []

    /// An offset that was found: its timestamp and its leader epoch.
    [<Struct>]
    type private Found = { Offset: int64; Timestamp: int64; Epoch: int32 }

    let private missing = { Offset = -1L; Timestamp = -1L; Epoch = -1 }

    /// The first record of the batches that has a timestamp of at least `timestamp`.
    let private search (timestamp: int64) (before: int64) (log: Log) (state: State) : Found =
        log.Batches
        |> Seq.filter (fun batch -> batch.MaxTimestamp >= timestamp)
        |> Seq.collect (fun batch ->
            match recordsOf state batch with
            | [] ->
                // Compressed with a codec that is not at hand: the batch as a whole.
                Seq.singleton { Offset = batch.BaseOffset; Timestamp = batch.MaxTimestamp; Epoch = batch.PartitionLeaderEpoch }
            | records ->
                records
                |> Seq.map (fun record -> { Offset = record.Offset; Timestamp = record.Timestamp; Epoch = batch.PartitionLeaderEpoch }))
        |> Seq.tryFind (fun found -> found.Timestamp >= timestamp && found.Offset >= log.Start)
        |> Option.filter (fun found -> found.Offset < before)
        |> Option.defaultValue missing

    /// The first record with the maximum timestamp of the whole log. It is missing if it is not before `before`, even if records before that have
    /// timestamps.
    let private withMaxTimestamp (before: int64) (log: Log) (state: State) : Found =
        if log.Batches.IsEmpty then
            missing
        else
            search (log.Batches |> Seq.map _.MaxTimestamp |> Seq.max) before log state

    let private epochAtStart (log: Log) : int32 =
        match log.Epochs |> List.tryLast with
        | Some(struct (epoch, start)) when start <= log.Start -> epoch
        | _ -> -1

    let private lookUp (spec: OffsetSpec) (isolation: IsolationLevel) (replica: int32) (partition: Partition) (state: State) : Found =
        let log = partition.Log

        let upTo =
            if replica >= 0 then log.End
            elif isolation = IsolationLevel.ReadCommitted then Cluster.lastStableOffset partition
            else Cluster.highWatermark partition

        if spec = OffsetSpec.Latest then
            { Offset = upTo; Timestamp = -1L; Epoch = partition.LeaderEpoch }
        elif spec = OffsetSpec.Earliest || spec = OffsetSpec.EarliestLocal then
            { Offset = log.Start; Timestamp = -1L; Epoch = epochAtStart log }
        elif spec = OffsetSpec.MaxTimestamp then
            withMaxTimestamp upTo log state
        elif spec.Timestamp < 0L then
            missing
        else
            search spec.Timestamp upTo log state

    /// Version 0: the end and the starts of the segments, the latest first. With a timestamp, the starts of the segments that begin with a batch that is
    /// not later.
    let private oldStyle (wanted: ListOffsets.PartitionRequest) (partition: Partition) : int64 list =
        let log = partition.Log
        let finish = Cluster.highWatermark partition
        let starts = log.Segments |> Seq.map (max log.Start) |> Seq.filter (fun start -> start <= finish) |> Seq.rev |> List.ofSeq

        let isEarly (start: int64) =
            let first = Log.indexOf start log
            first < log.Batches.Count && log.Batches[first].MaxTimestamp <= wanted.Spec.Timestamp

        let all =
            if wanted.Spec = OffsetSpec.Latest then List.distinct (finish :: starts)
            elif wanted.Spec = OffsetSpec.Earliest then [ log.Start ]
            else List.filter isEarly starts

        List.truncate wanted.MaxNumOffsets all

    let private listOne
        (call: Call)
        (request: ListOffsets.Request)
        (isTwice: bool)
        (topic: string)
        (wanted: ListOffsets.PartitionRequest)
        state
        =
        let failed code : ListOffsets.PartitionResponse =
            { PartitionIndex = wanted.PartitionIndex
              Error = code
              OldStyleOffsets = []
              Timestamp = -1L
              Offset = -1L
              LeaderEpoch = -1 }

        let epoch = if call.Version >= 4s then wanted.CurrentLeaderEpoch else -1

        if isTwice then
            failed ErrorCode.InvalidRequest
        elif not (Security.isAllowed call AclOperation.Describe AclResourceType.Topic topic state) then
            failed ErrorCode.TopicAuthorizationFailed
        elif state.Settings.Release.IsAtLeast(3, 9) && call.Version < ListOffsets.supportedSince wanted.Spec then
            failed ErrorCode.UnsupportedVersion
        else
            match Cluster.lead call.Node epoch topic wanted.PartitionIndex state with
            | Error code -> failed code
            | Ok partition when call.Version = 0s -> { failed ErrorCode.None with OldStyleOffsets = oldStyle wanted partition }
            | Ok partition ->
                let found = lookUp wanted.Spec request.IsolationLevel request.ReplicaId partition state
                let epoch = if call.Version >= 4s then found.Epoch else -1
                { failed ErrorCode.None with Offset = found.Offset; Timestamp = found.Timestamp; LeaderEpoch = epoch }

    let list (call: Call) (request: ListOffsets.Request) (state: State) : State * Answer =
        let twice =
            request.Topics
            |> List.collect (fun topic -> topic.Partitions |> List.map (fun it -> topic.Name, it.PartitionIndex))
            |> List.countBy id
            |> List.filter (fun (_, count) -> count > 1)
            |> List.map fst
            |> set

        let topics: ListOffsets.TopicResponse list =
            [ for topic in request.Topics ->
                  { Name = topic.Name
                    Partitions =
                      [ for wanted in topic.Partitions ->
                            listOne call request (twice.Contains((topic.Name, wanted.PartitionIndex))) topic.Name wanted state ] } ]

        state, Reply(Response.ListOffsets { ThrottleTimeMs = 0; Topics = topics })

    let private endOfEpoch (call: Call) (topic: string) (wanted: OffsetForLeaderEpoch.PartitionRequest) (state: State) =
        let result code epoch offset : OffsetForLeaderEpoch.PartitionResponse =
            { Error = code; Partition = wanted.Partition; LeaderEpoch = epoch; EndOffset = offset }

        if not (Security.isAllowed call AclOperation.Describe AclResourceType.Topic topic state) then
            result ErrorCode.TopicAuthorizationFailed -1 -1L
        else
            match Cluster.lead call.Node wanted.CurrentLeaderEpoch topic wanted.Partition state with
            | Error code -> result code -1 -1L
            | Ok partition ->
                let struct (epoch, offset) = Log.endOfEpoch wanted.LeaderEpoch partition.Log
                result ErrorCode.None epoch offset

    let forLeaderEpoch (call: Call) (request: OffsetForLeaderEpoch.Request) (state: State) : State * Answer =
        let topics: OffsetForLeaderEpoch.TopicResponse list =
            [ for topic in request.Topics ->
                  { Topic = topic.Topic; Partitions = [ for wanted in topic.Partitions -> endOfEpoch call topic.Topic wanted state ] } ]

        state, Reply(Response.OffsetForLeaderEpoch { ThrottleTimeMs = 0; Topics = topics })

    let private deleteOne (call: Call) (topic: string) (state: State) (wanted: DeleteRecords.Partition) =
        let result low code : DeleteRecords.PartitionResult = { PartitionIndex = wanted.PartitionIndex; LowWatermark = low; Error = code }

        if not (Security.isAllowed call AclOperation.Delete AclResourceType.Topic topic state) then
            state, result -1L ErrorCode.TopicAuthorizationFailed
        else
            match Cluster.lead call.Node -1 topic wanted.PartitionIndex state with
            | Error code -> state, result -1L code
            | Ok partition ->
                let offset = if wanted.Offset = -1L then Cluster.highWatermark partition else wanted.Offset

                if offset < 0L || offset > Cluster.highWatermark partition then
                    state, result -1L ErrorCode.OffsetOutOfRange
                else
                    let forget = if state.Settings.Release.IsAtLeast(2, 4) then id else Log.forgetProducers
                    let deleted = Log.deleteBefore offset partition.Log |> forget
                    Cluster.updateLog topic wanted.PartitionIndex (fun _ -> deleted) state, result deleted.Start ErrorCode.None

    let deleteRecords (call: Call) (request: DeleteRecords.Request) (state: State) : State * Answer =
        let delete state (topic: DeleteRecords.Topic) : State * DeleteRecords.TopicResult =
            let state, partitions = Cluster.foldResults (deleteOne call topic.Name) state topic.Partitions
            state, { Name = topic.Name; Partitions = partitions }

        let state, topics = Cluster.foldResults delete state request.Topics
        state, Reply(Response.DeleteRecords { ThrottleTimeMs = 0; Topics = topics })
