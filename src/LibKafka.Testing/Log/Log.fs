namespace LibKafka.Testing

open System
open System.Buffers.Binary
open System.Collections.Immutable
open System.Threading
open LibKafka.Wire
open LibKafka.Records

/// A point in time: milliseconds since 1970-01-01 UTC.
type Moment = int64

/// A batch of an idempotent producer that the log remembers, to recognise it when it is sent again.
[<Struct>]
type KnownBatch =
    {
        FirstSequence: int32
        LastSequence: int32
        /// The offset of the first record.
        Offset: int64
        /// The offset of the last record.
        LastOffset: int64
        MaxTimestamp: int64
    }

    override this.ToString() =
        "offsets "
        + string this.Offset
        + " to "
        + string this.LastOffset
        + ", sequences "
        + string this.FirstSequence
        + " to "
        + string this.LastSequence

/// What a log knows of an idempotent or transactional producer.
type Producer =
    {
        Epoch: int16
        /// The last five batches in this epoch, the latest first.
        Recent: KnownBatch list
        /// The first offset of the open transaction.
        OpenSince: int64 voption
        /// The epoch of the coordinator that wrote the last transaction marker; -1 if there is none.
        CoordinatorEpoch: int32
        /// The maximum timestamp of the last batch, or the time of the last transaction marker.
        LastTimestamp: Moment
    }

    override this.ToString() =
        FieldText.show
            [ "Epoch", box this.Epoch
              "Recent", box this.Recent
              "OpenSince", FieldText.voptional this.OpenSince
              "CoordinatorEpoch", box this.CoordinatorEpoch
              "LastTimestamp", box this.LastTimestamp ]

/// A transaction that was aborted.
type AbortedRange =
    {
        ProducerId: int64
        FirstOffset: int64
        /// The offset of the marker.
        LastOffset: int64
    }

    override this.ToString() =
        "producer " + string this.ProducerId + ", offsets " + string this.FirstOffset + " to " + string this.LastOffset

/// Memory for the batches of a log, one after another, so that consecutive ones can be sent without copying them.
[<Sealed>]
type LogChunk internal (size: int) =
    let bytes = GC.AllocateUninitializedArray<byte> size
    let mutable used = 0

    member internal _.Bytes = bytes

    /// Reserves space from a position on. It fails if there is too little, or if another version of the log has used it: the versions of a
    /// log share memory, but what one of them has never changes.
    member internal _.TryReserve(start: int, count: int) : bool =
        count <= size - start && Interlocked.CompareExchange(&used, start + count, start) = start

/// Where a log appends.
[<NoEquality; NoComparison>]
type LogTail =
    { Chunk: LogChunk
      Used: int }

    override this.ToString() = FieldText.count (int64 this.Used) "byte" + " of " + string this.Chunk.Bytes.Length

/// The log of a partition. Immutable; its batches have their offsets and leader epochs.
[<NoEquality; NoComparison>]
type Log =
    {
        Batches: ImmutableList<RecordBatch>
        /// The base offsets of the segments, in ascending order. The last segment is the active one, to which batches are appended.
        Segments: ImmutableList<int64>
        /// The bytes that were appended to the active segment.
        ActiveBytes: int64
        /// The maximum timestamp of the first batch of the active segment; ValueNone if it is empty.
        ActiveSince: Moment voption
        /// The log start offset.
        Start: int64
        /// The log end offset: the next record's.
        End: int64
        /// The size of all batches.
        Bytes: int64
        /// The offset up to which the log was compacted.
        Cleaned: int64
        /// The leader epochs in which batches were appended, with the offsets at which they began, the latest first.
        Epochs: (struct (int32 * int64)) list
        Producers: Map<int64, Producer>
        /// The aborted transactions, the latest marker first.
        Aborted: AbortedRange list
        /// The memory to which batches are appended.
        Tail: LogTail voption
    }

    override this.ToString() =
        "log start offset "
        + string this.Start
        + ", log end offset "
        + string this.End
        + ", "
        + FieldText.count (int64 this.Batches.Count) "batch"
        + ", "
        + FieldText.count this.Bytes "byte"

/// Operations on a partition's log.
[<RequireQualifiedAccess>]
module Log =

    /// A log without records.
    let empty =
        { Batches = ImmutableList<RecordBatch>.Empty
          Segments = ImmutableList<int64>.Empty.Add 0L
          ActiveBytes = 0L
          ActiveSince = ValueNone
          Start = 0L
          End = 0L
          Bytes = 0L
          Cleaned = 0L
          Epochs = []
          Producers = Map.empty
          Aborted = []
          Tail = ValueNone }

    [<Literal>]
    let private LeastChunk = 16384L

    [<Literal>]
    let private MostChunk = 8388608L

    /// Space for a batch at the tail, or in a new chunk. That is small compared with the log, so that the memory follows from its size.
    let private reserve (size: int) (log: Log) : LogTail =
        match log.Tail with
        | ValueSome tail when tail.Chunk.TryReserve(tail.Used, size) -> tail
        | _ ->
            let chunk = LogChunk(max (int64 size) (Math.Clamp(log.Bytes / 4L, LeastChunk, MostChunk)) |> int)
            chunk.TryReserve(0, size) |> ignore
            { Chunk = chunk; Used = 0 }

    /// A copy of a batch in the log's memory, with its offset and leader epoch.
    let private place (leaderEpoch: int32) (batch: RecordBatch) (log: Log) : struct (RecordBatch * LogTail) =
        let size = batch.SizeInBytes
        let tail = reserve size log
        let target = tail.Chunk.Bytes.AsSpan(tail.Used, size)
        batch.Bytes.Span.CopyTo target
        // The base offset is the first field, and the leader epoch follows the length. The checksum covers neither.
        BinaryPrimitives.WriteInt64BigEndian(target, log.End)
        BinaryPrimitives.WriteInt32BigEndian(target.Slice 12, leaderEpoch)

        match RecordBatch.ofBytes (Bytes(ReadOnlyMemory<byte>(tail.Chunk.Bytes, tail.Used, size))) with
        | Ok placed -> struct (placed, { tail with Used = tail.Used + size })
        | Error fault -> raise (InvalidOperationException("The log is full: " + fault.ToString()))

    /// The index of the first batch whose last offset is at or after an offset; the number of batches if there is none.
    let indexOf (offset: int64) (log: Log) : int =
        let mutable low = 0
        let mutable high = log.Batches.Count

        while low < high do
            let middle = (low + high) / 2
            if log.Batches[middle].LastOffset < offset then low <- middle + 1 else high <- middle

        low

    /// The size of the batches before an offset.
    let bytesBefore (offset: int64) (log: Log) : int64 =
        if offset >= log.End then
            log.Bytes
        else
            Seq.init (indexOf offset log) (fun index -> int64 log.Batches[index].SizeInBytes) |> Seq.sum

    /// The index of the segment with an offset.
    let segmentOf (offset: int64) (log: Log) : int =
        let found = log.Segments.BinarySearch offset
        max 0 (if found >= 0 then found else ~~~found - 1)

    /// The offset at which a segment ends: the base offset of the next one, or the log end.
    let endOfSegment (index: int) (log: Log) : int64 = if index + 1 < log.Segments.Count then log.Segments[index + 1] else log.End

    /// Begins a new segment at the log end, unless the active one is empty.
    let roll (log: Log) : Log =
        if log.ActiveSince.IsNone || log.Segments[log.Segments.Count - 1] = log.End then
            log
        else
            { log with Segments = log.Segments.Add log.End; ActiveBytes = 0L; ActiveSince = ValueNone }

    /// The log with the segments that remain after the removal of batches. The active segment is the last one with its batches.
    let private withSegments (segments: ImmutableList<int64>) (log: Log) : Log =
        let active = indexOf segments[segments.Count - 1] log
        let batches = log.Batches.GetRange(active, log.Batches.Count - active)

        { log with
            Segments = segments
            ActiveBytes = batches |> Seq.sumBy (fun batch -> int64 batch.SizeInBytes)
            ActiveSince = (if batches.IsEmpty then ValueNone else ValueSome batches[0].MaxTimestamp) }

    /// Notes that a leader epoch begins at the log end. It replaces epochs in which nothing was appended.
    let beginEpoch (epoch: int32) (log: Log) : Log =
        match log.Epochs with
        | struct (latest, _) :: _ when latest >= epoch -> log
        | earlier ->
            let kept = earlier |> List.skipWhile (fun (struct (_, start)) -> start >= log.End)
            { log with Epochs = struct (epoch, log.End) :: kept }

    let private remembered (batch: RecordBatch) (log: Log) : Map<int64, Producer> =
        if batch.ProducerId < 0L || batch.IsControl then
            log.Producers
        else
            let known =
                { FirstSequence = batch.BaseSequence
                  LastSequence = batch.LastSequence
                  Offset = batch.BaseOffset
                  LastOffset = batch.LastOffset
                  MaxTimestamp = batch.MaxTimestamp }

            let openedBy before = if batch.IsTransactional && ValueOption.isNone before then ValueSome batch.BaseOffset else before

            let producer =
                match log.Producers.TryFind batch.ProducerId with
                | Some producer ->
                    let recent = if producer.Epoch = batch.ProducerEpoch then producer.Recent else []
                    { producer with
                        Epoch = batch.ProducerEpoch
                        Recent = List.truncate 5 (known :: recent)
                        OpenSince = openedBy producer.OpenSince
                        LastTimestamp = batch.MaxTimestamp }
                | None ->
                    { Epoch = batch.ProducerEpoch
                      Recent = [ known ]
                      OpenSince = openedBy ValueNone
                      CoordinatorEpoch = -1
                      LastTimestamp = batch.MaxTimestamp }

            log.Producers.Add(batch.ProducerId, producer)

    /// Appends a batch at the log end in a leader epoch. The batch gets its offsets; nothing is checked.
    let append (leaderEpoch: int32) (batch: RecordBatch) (log: Log) : Log =
        let struct (placed, tail) = place leaderEpoch batch log
        let log = beginEpoch leaderEpoch log

        { log with
            Batches = log.Batches.Add placed
            End = placed.NextOffset
            Bytes = log.Bytes + int64 placed.SizeInBytes
            ActiveBytes = log.ActiveBytes + int64 placed.SizeInBytes
            ActiveSince = ValueSome(ValueOption.defaultValue placed.MaxTimestamp log.ActiveSince)
            Tail = ValueSome tail
            Producers = remembered placed log }

    /// A batch with one control record that ends a transaction.
    let private markerBatch (now: Moment) (commit: bool) (producerId: int64) (epoch: int16) (coordinatorEpoch: int32) : RecordBatch =
        let options =
            { BatchOptions.standard with IsControl = true; IsTransactional = true; ProducerId = producerId; ProducerEpoch = epoch }

        let key = Bytes [| 0uy; 0uy; 0uy; (if commit then 1uy else 0uy) |]
        let value = Array.zeroCreate<byte> 6
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(System.Span<byte>(value, 2, 4), coordinatorEpoch)
        let record = { Offset = 0L; Timestamp = now; Key = ValueSome key; Value = ValueSome(Bytes value); Headers = [] }

        match BatchBuilder.build options [ record ] with
        | Ok batch -> batch
        | Error fault -> invalidArg (nameof producerId) (fault.ToString())

    /// Appends the marker that ends a producer's transaction. The producer's epoch is the marker's from then on, and its sequences begin anew
    /// if that is a new epoch.
    let appendMarker
        (now: Moment)
        (leaderEpoch: int32)
        (commit: bool)
        (producerId: int64)
        (epoch: int16)
        (coordinatorEpoch: int32)
        (log: Log)
        =
        let marker = markerBatch now commit producerId epoch coordinatorEpoch
        let appended = append leaderEpoch marker log
        let before = log.Producers.TryFind producerId

        let producer =
            { Epoch = epoch
              Recent =
                (match before with
                 | Some known when known.Epoch = epoch -> known.Recent
                 | _ -> [])
              OpenSince = ValueNone
              CoordinatorEpoch = coordinatorEpoch
              LastTimestamp = now }

        let aborted =
            match before |> Option.map _.OpenSince with
            | Some(ValueSome first) when not commit -> { ProducerId = producerId; FirstOffset = first; LastOffset = log.End } :: log.Aborted
            | _ -> log.Aborted

        { appended with Producers = appended.Producers.Add(producerId, producer); Aborted = aborted }

    /// The first offset of an open transaction, or the given offset if that is lower: with the high watermark, it is the last stable offset.
    let stableUpTo (highWatermark: int64) (log: Log) : int64 =
        let lower limit _ (producer: Producer) =
            match producer.OpenSince with
            | ValueSome offset -> min limit offset
            | ValueNone -> limit

        log.Producers |> Map.fold lower highWatermark

    /// The aborted transactions that overlap the offsets from `first` up to, but without, `upTo`, by their markers.
    let abortedIn (first: int64) (upTo: int64) (log: Log) : AbortedRange list =
        log.Aborted |> List.filter (fun range -> range.LastOffset >= first && range.FirstOffset < upTo) |> List.rev

    /// The leader epoch of the last batch before an offset; -1 if there is none.
    let epochBefore (offset: int64) (log: Log) : int32 =
        log.Epochs
        |> List.tryFind (fun (struct (_, start)) -> start < offset)
        |> Option.map (fun (struct (epoch, _)) -> epoch)
        |> Option.defaultValue -1

    /// The leader epoch of the record at an offset; -1 if it is not known.
    let epochAt (offset: int64) (log: Log) : int32 = epochBefore (offset + 1L) log

    /// The largest known leader epoch at or before a given one, and its end offset: where the next epoch begins, or the log end. -1 and -1
    /// if the epoch is later than all that are known. An epoch before all that are known is returned itself.
    let endOfEpoch (epoch: int32) (log: Log) : struct (int32 * int64) =
        match log.Epochs with
        | struct (latest, _) :: _ when latest = epoch -> struct (epoch, log.End)
        | struct (latest, _) :: _ when epoch >= 0 && epoch < latest ->
            let struct (_, finish) = log.Epochs |> List.findBack (fun (struct (known, _)) -> known > epoch)

            match log.Epochs |> List.tryFind (fun (struct (known, _)) -> known <= epoch) with
            | Some(struct (known, _)) -> struct (known, finish)
            | None -> struct (epoch, finish)
        | _ -> struct (-1, -1L)

    /// Removes whole batches before an offset, and moves the log start offset to it.
    let deleteBefore (offset: int64) (log: Log) : Log =
        if offset <= log.Start then
            log
        else
            let removed = indexOf offset log
            let clamp (struct (epoch, start)) = struct (epoch, max start offset)

            let epochs =
                let current, older = log.Epochs |> List.partition (fun (struct (_, start)) -> start > offset)
                current @ (older |> List.truncate 1 |> List.map clamp)

            { log with
                Batches = log.Batches.RemoveRange(0, removed)
                Segments = log.Segments.RemoveRange(0, segmentOf offset log)
                Start = offset
                Bytes = log.Bytes - bytesBefore offset log
                Epochs = epochs
                Aborted = log.Aborted |> List.filter (fun range -> range.LastOffset >= offset) }

    /// Forgets the producers of which the log has no batch any more, as brokers before 2.4 do after deleting records.
    let forgetProducers (log: Log) : Log =
        let isKnown _ (producer: Producer) =
            producer.OpenSince.IsSome || producer.Recent |> List.exists (fun known -> known.LastOffset >= log.Start)

        { log with Producers = log.Producers |> Map.filter isKnown }

    /// Removes everything from an offset on, as a follower does that was ahead of its new leader.
    let truncateTo (offset: int64) (log: Log) : Log =
        if offset >= log.End then
            log
        else
            let kept = log.Batches |> Seq.filter (fun batch -> batch.LastOffset < offset) |> ImmutableList.CreateRange

            let trim (producer: Producer) =
                { producer with
                    Recent = producer.Recent |> List.filter (fun known -> known.LastOffset < offset)
                    OpenSince = producer.OpenSince |> ValueOption.bind (fun first -> if first < offset then ValueSome first else ValueNone) }

            let segments = log.Segments.RemoveAll(fun first -> first > offset)

            { log with
                Batches = kept
                End = offset
                Bytes = kept |> Seq.sumBy (fun batch -> int64 batch.SizeInBytes)
                Cleaned = min offset log.Cleaned
                Epochs = log.Epochs |> List.filter (fun (struct (_, start)) -> start < offset)
                Producers = log.Producers |> Map.map (fun _ producer -> trim producer)
                Aborted = log.Aborted |> List.filter (fun range -> range.LastOffset < offset) }
            |> withSegments (if segments.IsEmpty then segments.Add offset else segments)

    /// The log with other batches in the same range of offsets, as compaction makes them.
    let withBatches (batches: RecordBatch seq) (log: Log) : Log =
        let kept = ImmutableList.CreateRange batches
        { log with Batches = kept; Bytes = kept |> Seq.sumBy (fun batch -> int64 batch.SizeInBytes) }

    /// Removes the oldest batches until the log has at most a number of bytes. The last batch is always kept.
    let retain (mostBytes: int64) (log: Log) : Log =
        if log.Bytes <= mostBytes || log.Batches.Count < 2 then
            log
        else
            let mutable left = log.Bytes
            let mutable index = 0

            while left > mostBytes && index < log.Batches.Count - 1 do
                left <- left - int64 log.Batches[index].SizeInBytes
                index <- index + 1

            deleteBefore log.Batches[index].BaseOffset log
