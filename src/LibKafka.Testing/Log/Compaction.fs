namespace LibKafka.Testing

open System.Collections.Generic
open LibKafka.Wire
open LibKafka.Records

/// Compaction of logs, as the log cleaner does it.
[<RequireQualifiedAccess>]
module internal Compaction =

    /// A batch that can be opened, with its records.
    [<NoEquality; NoComparison>]
    type private Opened = { Batch: RecordBatch; Records: RecordData list }

    let private opened (codecs: CompressionCodecs) (batch: RecordBatch) : Opened voption =
        match RecordBatch.toList { Reading.withCodecs codecs with VerifyChecksum = false } batch with
        | Ok records -> ValueSome { Batch = batch; Records = records }
        | Error _ -> ValueNone

    /// Whether the batch belongs to an aborted transaction, so that its records go.
    let private isAborted (log: Log) (batch: RecordBatch) : bool =
        batch.IsTransactional
        && not batch.IsControl
        && log.Aborted
           |> List.exists (fun range ->
               range.ProducerId = batch.ProducerId && range.FirstOffset <= batch.BaseOffset && range.LastOffset > batch.LastOffset)

    /// The batch with other records but its own range of offsets, compressed as it was.
    let private rewritten (codecs: CompressionCodecs) (horizon: Moment voption) (records: RecordData list) (batch: RecordBatch) =
        let options = BatchOptions.ofHeader batch.Header
        let maxTimestamp = if records.IsEmpty then -1L else records |> List.map _.Timestamp |> List.max

        let options =
            { options with
                BaseTimestamp = (if horizon.IsSome then ValueNone else options.BaseTimestamp)
                DeleteHorizon = horizon
                MaxTimestamp =
                    if batch.TimestampType = TimestampType.LogAppendTime then
                        options.MaxTimestamp
                    else
                        ValueSome maxTimestamp }

        let built = BatchBuilder.build options records

        match batch.Compression, codecs.Find batch.Compression with
        | CompressionType.None, _
        | _, null -> built
        | _, codec when records.IsEmpty -> built
        | _, codec -> built |> Result.bind (RecordBatch.compress codec)

    /// The log without the records that later ones with the same key replace, except for the last batch, which is in the active segment:
    /// neither does it lose records nor does it replace any.
    /// Tombstones go once they were compacted before and `retentionMs` (delete.retention.ms) has passed. A batch that loses all its records
    /// goes too, unless it is the last one of its producer.
    let compact (now: Moment) (retentionMs: int64) (codecs: CompressionCodecs) (upTo: int64) (log: Log) : Log =
        let active = log.Batches.Count - 1
        let batches = [ for index in 0..active -> struct (index, log.Batches[index]) ]
        let isCleaned index (batch: RecordBatch) = index < active && batch.LastOffset < upTo
        let latest = Dictionary<Bytes, int64>()

        for struct (index, batch) in batches do
            if isCleaned index batch && not batch.IsControl && not (isAborted log batch) then
                match opened codecs batch with
                | ValueSome opened ->
                    for record in opened.Records do
                        match record.Key with
                        | ValueSome key -> latest[key] <- record.Offset
                        | ValueNone -> ()
                | ValueNone -> ()

        let isLastOf (batch: RecordBatch) =
            match log.Producers.TryFind batch.ProducerId with
            | Some { Recent = last :: _ } -> last.Offset = batch.BaseOffset
            | _ -> false

        let clean (batch: RecordBatch) : RecordBatch voption =
            match opened codecs batch with
            | ValueNone -> ValueSome batch
            | ValueSome opened ->
                let isExpired =
                    match batch.DeleteHorizon with
                    | ValueSome horizon -> horizon <= now
                    | ValueNone -> false

                let isKept (record: RecordData) =
                    match record.Key with
                    | ValueNone -> false
                    | ValueSome _ when isAborted log batch -> false
                    | ValueSome key -> latest[key] = record.Offset && (record.Value.IsSome || not isExpired)

                let kept = opened.Records |> List.filter isKept
                let hasTombstones = kept |> List.exists (fun record -> record.Value.IsNone)

                let horizon =
                    match batch.DeleteHorizon with
                    | ValueNone when hasTombstones -> ValueSome(now + retentionMs)
                    | set -> set

                if kept.IsEmpty && not (isLastOf batch) then
                    ValueNone
                elif kept.Length = opened.Records.Length && horizon = batch.DeleteHorizon then
                    ValueSome batch
                else
                    match rewritten codecs horizon kept batch with
                    | Ok cleaned -> ValueSome cleaned
                    | Error _ -> ValueSome batch

        if log.Batches.IsEmpty then
            log
        else
            { log with Cleaned = max log.Cleaned (min upTo log.Batches[active].BaseOffset) }
            |> Log.withBatches
                [ for struct (index, batch) in batches do
                      if not (isCleaned index batch) || batch.IsControl then
                          batch
                      else
                          match clean batch with
                          | ValueSome batch -> batch
                          | ValueNone -> () ]

    let private compactUpTo (now: Moment) (upTo: int64) (topic: Topic) (state: State) (partition: Partition) : Partition =
        let retention = Configs.number64 "delete.retention.ms" topic state
        { partition with Log = compact now retention state.Settings.Codecs upTo partition.Log }

    /// Compacts all partitions of a topic now, up to their last stable offsets.
    let compactTopic (now: Moment) (topic: Topic) (state: State) : State =
        let compact (partition: Partition) = compactUpTo now (Cluster.lastStableOffset partition) topic state partition
        Cluster.updatePartitions topic.Name compact state

    /// The offset up to which the log cleaner may compact a partition: the beginning of its active segment, or of an earlier one with a record that
    /// is younger than min.compaction.lag.ms; at most the last stable offset.
    let private cleanableUpTo (now: Moment) (topic: Topic) (state: State) (partition: Partition) : int64 =
        let log = partition.Log
        let active = log.Segments[log.Segments.Count - 1]
        let lag = Configs.number64 "min.compaction.lag.ms" topic state

        let young =
            if lag > 0L then
                log.Batches |> Seq.tryFind (fun batch -> batch.BaseOffset >= active || batch.MaxTimestamp > now - lag)
            else
                None

        let segment =
            match young with
            | Some batch -> log.Segments[Log.segmentOf batch.BaseOffset log]
            | None -> active

        min segment (Cluster.lastStableOffset partition)

    /// Compacts the closed segments of a partition if its topic is compacted, and more than min.cleanable.dirty.ratio of them has not been compacted
    /// yet.
    let clean (now: Moment) (topic: Topic) (state: State) (partition: Partition) : Partition =
        if Configs.isCompacted topic state then
            let log = partition.Log
            let upTo = cleanableUpTo now topic state partition
            let whole = Log.bytesBefore upTo log
            let dirty = whole - Log.bytesBefore (min upTo log.Cleaned) log
            let isDirty = float dirty > Configs.fraction "min.cleanable.dirty.ratio" topic state * float whole
            if isDirty then compactUpTo now upTo topic state partition else partition
        else
            partition
