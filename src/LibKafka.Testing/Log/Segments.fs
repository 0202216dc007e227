namespace LibKafka.Testing

open LibKafka
open LibKafka.Records

/// The segments of logs: when a new one begins, and when an old one is deleted.
[<RequireQualifiedAccess>]
module internal Segments =

    /// What is in a segment.
    [<Struct>]
    type private Content = { Bytes: int64; MaxTimestamp: Moment; End: int64 }

    let private contentOf (index: int) (log: Log) : Content =
        let finish = Log.endOfSegment index log
        let mutable bytes = 0L
        let mutable most = -1L
        let mutable at = Log.indexOf (max log.Start log.Segments[index]) log

        while at < log.Batches.Count && log.Batches[at].BaseOffset < finish do
            bytes <- bytes + int64 log.Batches[at].SizeInBytes
            most <- max most log.Batches[at].MaxTimestamp
            at <- at + 1

        { Bytes = bytes; MaxTimestamp = most; End = finish }

    /// The log with a new segment if the active one has no room for a batch (segment.bytes), or is too old for it (segment.ms).
    let rollFor (batch: RecordBatch) (topic: Topic) (state: State) (log: Log) : Log =
        match log.ActiveSince with
        | ValueNone -> log
        | ValueSome since ->
            let isFull = log.ActiveBytes > Configs.number64 "segment.bytes" topic state - int64 batch.SizeInBytes
            let isOld = batch.MaxTimestamp - since > Configs.number64 "segment.ms" topic state
            if isFull || isOld then Log.roll log else log

    /// The number of the oldest segments of which each may be deleted. `isDeletable` gets the size of the log without those before.
    let private countDeletable (highWatermark: int64) (isDeletable: int64 -> Content -> bool) (log: Log) : int =
        let rec count (index: int) (bytes: int64) =
            if index >= log.Segments.Count then
                index
            else
                let content = contentOf index log

                if content.End <= highWatermark && content.Bytes > 0L && isDeletable bytes content then
                    count (index + 1) (bytes - content.Bytes)
                else
                    index

        count 0 log.Bytes

    let private deleteOldest (count: int) (log: Log) : Log =
        if count = 0 then log
        // A new segment begins if even the active one is deleted.
        elif count = log.Segments.Count then log |> Log.roll |> Log.deleteBefore log.End
        else Log.deleteBefore log.Segments[count] log

    /// Deletes the old segments of a partition: those with which the log would still have retention.bytes, and those whose records are all older than
    /// retention.ms. Compacted topics keep theirs, unless they also have the policy `delete`.
    let retain (now: Moment) (topic: Topic) (state: State) (partition: Partition) : Partition =
        let mostBytes = Configs.number64 "retention.bytes" topic state
        let mostMs = Configs.number64 "retention.ms" topic state
        let isLarge (bytes: int64) (content: Content) = mostBytes >= 0L && bytes - content.Bytes >= mostBytes
        let isOld (_: int64) (content: Content) = mostMs >= 0L && now - content.MaxTimestamp > mostMs

        let delete isDeletable (partition: Partition) =
            let count = countDeletable (Cluster.highWatermark partition) isDeletable partition.Log
            { partition with Log = deleteOldest count partition.Log }

        if Configs.isDeleted topic state then partition |> delete isOld |> delete isLarge else partition

    /// Applies retention to all partitions of a topic.
    let retainTopic (now: Moment) (topic: Topic) (state: State) : State = Cluster.updatePartitions topic.Name (retain now topic state) state

    /// The high watermark that a partition keeps, if it has too few replicas in sync for it to rise.
    let private frozen (topic: Topic) (state: State) (partition: Partition) : FrozenWatermark voption =
        let least = int (Configs.leastInSync topic partition state)

        if state.Settings.Release.IsAtLeast(3, 7) && partition.InSync.Length < least then
            ValueSome { Offset = Cluster.highWatermark partition; LeastInSync = least }
        else
            ValueNone

    /// The partition with a batch at the end of its log. If a new segment began, retention is applied and the log cleaner runs.
    let append (now: Moment) (batch: RecordBatch) (topic: Topic) (state: State) (partition: Partition) : Partition =
        let rolled = rollFor batch topic state partition.Log

        let appended = { partition with Log = Log.append partition.LeaderEpoch batch rolled; Frozen = frozen topic state partition }

        let isNew = rolled.Segments.Count > partition.Log.Segments.Count
        let retained = if isNew then appended |> retain now topic state |> Compaction.clean now topic state else appended
        { retained with Log = Log.retain state.Settings.MostLogBytes retained.Log }
