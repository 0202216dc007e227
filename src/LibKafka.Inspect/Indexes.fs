/// Index files and producer snapshots, and whether they match the log segments next to them.
module LibKafka.Inspect.Indexes

open System
open System.Collections.Generic
open System.Globalization
open System.IO
open System.Text
open System.Text.Json
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Storage
open LibKafka.Inspect.Wording
open LibKafka.Inspect.Input
open LibKafka.Inspect.Records
open LibKafka.Inspect.Output

/// The value of a field of an entry.
[<RequireQualifiedAccess>]
type Value =
    | Number of int64
    /// Milliseconds since the epoch.
    | Time of int64
    | Nothing

/// An entry of an index, with its fields in order.
type Entry =
    {
        Fields: (string * Value) list
        /// Why it does not match the segment, if it does not.
        Complaint: string option
    }

/// The content of a file.
type Index =
    {
        /// The kind of an entry, for JSON.
        Kind: string
        Entries: Entry list
        /// Whether there is a segment that the entries were checked against.
        IsChecked: bool
    }

/// What an index says of a batch.
[<NoComparison>]
type private SegmentBatch =
    {
        Position: int64
        BaseOffset: int64
        LastOffset: int64
        /// The latest timestamp up to this batch.
        MaxTimestamp: int64
        ProducerId: int64
        LastSequence: int32
        /// Of a control batch.
        Control: ControlRecordType option
    }

let private controlOf (batch: RecordBatch) : ControlRecordType option =
    if batch.IsControl then
        match RecordBatch.toList Reading.standard batch with
        | Ok(first :: _) ->
            match first.Key with
            | ValueSome key when key.Length >= 4 ->
                let code = Buffers.Binary.BinaryPrimitives.ReadInt16BigEndian(key.Span.Slice 2)
                Some(ControlRecordType.OfCode code)
            | _ -> None
        | _ -> None
    else
        None

/// The readable batches of a segment, in order.
let private batchesOf (limits: Limits) (path: string) : SegmentBatch[] =
    use file = openFile path
    let mutable latest = -1L

    [| for item in LogItems(limits, ByteReader(file, ValueNone)) do
           match item with
           | Item.Batch(position, batch, _) ->
               latest <- max latest batch.MaxTimestamp

               { Position = position
                 BaseOffset = batch.BaseOffset
                 LastOffset = batch.LastOffset
                 MaxTimestamp = latest
                 ProducerId = batch.ProducerId
                 LastSequence = batch.LastSequence
                 Control = controlOf batch }
           | Item.Legacy(position, batch, _) ->
               latest <- max latest batch.Timestamp

               { Position = position
                 BaseOffset = batch.LastOffset
                 LastOffset = batch.LastOffset
                 MaxTimestamp = latest
                 ProducerId = -1L
                 LastSequence = -1
                 Control = None }
           | Item.Trouble _
           | Item.CutOff _
           | Item.Zeros _ -> () |]

/// The first batch for which a condition holds. The condition holds for all batches after one for which it holds.
let private firstFrom (condition: SegmentBatch -> bool) (batches: SegmentBatch[]) : SegmentBatch option =
    let mutable low, high = 0, batches.Length

    while low < high do
        let middle = (low + high) / 2
        if condition batches[middle] then high <- middle else low <- middle + 1

    if low < batches.Length then Some batches[low] else None

/// The batch that has the offset, or the first after it.
let private batchFrom (offset: int64) (batches: SegmentBatch[]) = batches |> firstFrom (fun batch -> batch.LastOffset >= offset)

/// Whether each entry is after the one before, by a number.
let private ordered (number: 'Entry -> int64) (entries: 'Entry list) : bool list =
    match entries with
    | [] -> []
    | first :: _ -> true :: (entries |> List.pairwise |> List.map (fun (before, after) -> number after > number before))

let private firstOf (complaints: (bool * string) list) : string option = complaints |> List.tryFind fst |> Option.map snd

let private offsetEntries (batches: SegmentBatch[] option) (entries: OffsetIndexEntry list) : Entry list =
    let complaint (entry: OffsetIndexEntry) (isOrdered: bool) =
        let against (batches: SegmentBatch[]) =
            match batches |> firstFrom (fun batch -> batch.Position >= int64 entry.Position) with
            | Some batch when batch.Position = int64 entry.Position ->
                firstOf [ batch.BaseOffset > entry.Offset, "the batch at the position begins at offset " + string batch.BaseOffset ]
            | _ -> Some "no batch begins at the position"

        if not isOrdered then
            Some "the offset is not after that of the entry before"
        else
            batches |> Option.bind against

    List.map2
        (fun (entry: OffsetIndexEntry) isOrdered ->
            { Fields = [ "offset", Value.Number entry.Offset; "position", Value.Number(int64 entry.Position) ]
              Complaint = complaint entry isOrdered })
        entries
        (entries |> ordered _.Offset)

let private timeEntries (batches: SegmentBatch[] option) (entries: TimeIndexEntry list) : Entry list =
    let complaint (entry: TimeIndexEntry) (isOrdered: bool) =
        let against (batches: SegmentBatch[]) =
            match batchFrom entry.Offset batches with
            | Some batch when batch.BaseOffset <= entry.Offset && batch.MaxTimestamp <> entry.Timestamp ->
                Some("the latest timestamp up to the offset is " + time batch.MaxTimestamp)
            | Some batch when batch.BaseOffset > entry.Offset -> Some "no batch has the offset"
            | None -> Some "no batch has the offset"
            | Some _ -> None

        if not isOrdered then
            Some "the timestamp is not after that of the entry before"
        else
            batches |> Option.bind against

    List.map2
        (fun (entry: TimeIndexEntry) isOrdered ->
            { Fields = [ "timestamp", Value.Time entry.Timestamp; "offset", Value.Number entry.Offset ]
              Complaint = complaint entry isOrdered })
        entries
        (entries |> ordered _.Timestamp)

/// Whether a batch of another producer has the offset. The transaction may have begun in an earlier segment, and compaction may have removed
/// its first batch.
let private isOfAnother (offset: int64) (producerId: int64) (batches: SegmentBatch[]) : bool =
    match batchFrom offset batches with
    | Some batch -> batch.BaseOffset <= offset && batch.ProducerId <> producerId
    | None -> false

let private transactionEntries (batches: SegmentBatch[] option) (entries: LibKafka.Protocol.AbortedTxn.Transaction list) : Entry list =
    let complaint (entry: LibKafka.Protocol.AbortedTxn.Transaction) =
        let against (batches: SegmentBatch[]) =
            match batchFrom entry.LastOffset batches with
            | Some batch when batch.BaseOffset <= entry.LastOffset ->
                firstOf
                    [ batch.Control <> Some ControlRecordType.Abort, "the last offset is not that of an abort marker"
                      batch.ProducerId <> entry.ProducerId, "the abort marker is of producer " + string batch.ProducerId
                      isOfAnother entry.FirstOffset entry.ProducerId batches, "the batch at the first offset is not of the producer" ]
            | _ -> Some "no batch has the last offset"

        firstOf [ entry.FirstOffset > entry.LastOffset, "the first offset is after the last" ]
        |> Option.orElse (batches |> Option.bind against)

    entries
    |> List.map (fun entry ->
        { Fields =
            [ "producerId", Value.Number entry.ProducerId
              "firstOffset", Value.Number entry.FirstOffset
              "lastOffset", Value.Number entry.LastOffset
              "lastStableOffset", Value.Number entry.LastStableOffset ]
          Complaint = complaint entry })

let private optional (value: int64) (known: Value) = if value < 0L then Value.Nothing else known

let private producerEntries (batches: SegmentBatch[] option) (snapshot: ProducerSnapshot.Value) : Entry list =
    let complaint (entry: ProducerSnapshot.ProducerEntry) =
        let against (batches: SegmentBatch[]) =
            match batchFrom entry.LastOffset batches with
            | Some batch when batch.BaseOffset <= entry.LastOffset ->
                firstOf
                    [ batch.ProducerId <> entry.ProducerId, "the last offset is of producer " + string batch.ProducerId
                      batch.LastSequence <> entry.LastSequence,
                      "the last sequence number at the last offset is " + string batch.LastSequence ]
            // The segment with the last offset may have been deleted.
            | _ when batches.Length > 0 && entry.LastOffset < batches[0].BaseOffset -> None
            | _ -> Some "no batch has the last offset"

        if entry.LastOffset < 0L then None else batches |> Option.bind against

    // The sequence number after the largest is 0.
    let firstSequence (entry: ProducerSnapshot.ProducerEntry) =
        if entry.LastSequence < 0 then -1L
        elif entry.LastSequence >= entry.OffsetDelta then int64 (entry.LastSequence - entry.OffsetDelta)
        else int64 entry.LastSequence - int64 entry.OffsetDelta + int64 Int32.MaxValue + 1L

    snapshot.ProducerEntries
    |> List.map (fun entry ->
        let first = firstSequence entry

        { Fields =
            [ "producerId", Value.Number entry.ProducerId
              "producerEpoch", Value.Number(int64 entry.Epoch)
              "firstSequence", optional first (Value.Number first)
              "lastSequence", optional (int64 entry.LastSequence) (Value.Number(int64 entry.LastSequence))
              "lastOffset", optional entry.LastOffset (Value.Number entry.LastOffset)
              "offsetDelta", Value.Number(int64 entry.OffsetDelta)
              "timestamp", Value.Time entry.Timestamp
              "coordinatorEpoch", optional (int64 entry.CoordinatorEpoch) (Value.Number(int64 entry.CoordinatorEpoch))
              "currentTxnFirstOffset", optional entry.CurrentTxnFirstOffset (Value.Number entry.CurrentTxnFirstOffset) ]
          Complaint = complaint entry })

/// The offset in the name of a file.
let private offsetOf (path: string) : int64 option =
    match Int64.TryParse(Path.GetFileNameWithoutExtension path, NumberStyles.None, CultureInfo.InvariantCulture) with
    | true, offset -> Some offset
    | _ -> None

/// The batches of the segment of an index, if the segment exists.
let private segmentOf (limits: Limits) (path: string) : SegmentBatch[] option =
    let segment = Path.ChangeExtension(path, ".log") |> Option.ofObj |> Option.defaultValue path
    if File.Exists segment then Some(batchesOf limits segment) else None

/// The batches of the segments that a snapshot is about, if there are any.
let private segmentsBefore (limits: Limits) (path: string) (offset: int64) : SegmentBatch[] option =
    let folder = Path.GetDirectoryName(Path.GetFullPath path) |> Option.ofObj |> Option.defaultValue "."

    let segments =
        Directory.EnumerateFiles(folder, "*.log")
        |> Seq.choose (fun file -> offsetOf file |> Option.map (fun first -> first, file))
        |> Seq.filter (fun (first, _) -> first < offset)
        |> Seq.sort
        |> List.ofSeq

    match segments with
    | [] -> None
    | segments -> Some(segments |> List.map (snd >> batchesOf limits) |> Array.concat)

/// Reads a file whose name says what it is. The trouble is that of the whole file.
let read (limits: Limits) (path: string) : Result<Index, Trouble> =
    let bytes = Bytes(wholeFile path limits.MaxFrameBytes)
    let index kind batches entries = { Kind = kind; Entries = entries; IsChecked = Option.isSome batches }
    let named = offsetOf path

    let ofSegment kind (decode: int64 -> Result<'Entry list, Fault>) (entries: SegmentBatch[] option -> 'Entry list -> Entry list) =
        match named with
        | None -> Error(Trouble.at 0L "" "the name of an index must be the base offset of its segment")
        | Some offset ->
            let batches = segmentOf limits path
            decode offset |> Result.map (entries batches >> index kind batches) |> Result.mapError (Trouble.ofFault 0L)

    match Path.GetExtension path with
    | ".index" -> ofSegment "offsetIndexEntry" (fun offset -> SegmentIndexes.offsets offset bytes) offsetEntries
    | ".timeindex" -> ofSegment "timeIndexEntry" (fun offset -> SegmentIndexes.times offset bytes) timeEntries
    | ".txnindex" -> ofSegment "abortedTransaction" (fun _ -> SegmentIndexes.transactions limits bytes) transactionEntries
    | ".snapshot" ->
        let batches = named |> Option.bind (segmentsBefore limits path)

        ProducerSnapshotFile.decode limits bytes
        |> Result.map (producerEntries batches >> index "producer" batches)
        |> Result.mapError (Trouble.ofFault 0L)
    | _ -> Error(Trouble.at 0L "" "an index is named *.index, *.timeindex or *.txnindex, and a producer snapshot *.snapshot")

/// An entry as text: the names and values of its fields.
let private text (entry: Entry) : string =
    let line = StringBuilder()

    for name, value in entry.Fields do
        let shown =
            match value with
            | Value.Number number -> string number
            | Value.Time milliseconds -> time milliseconds
            | Value.Nothing -> "none"

        line.Append(if line.Length = 0 then "" else " ").Append(name).Append(' ').Append(shown) |> ignore

    entry.Complaint |> Option.iter (fun complaint -> line.Append(" (wrong: ").Append(complaint).Append(')') |> ignore)
    line.ToString()

let private json (kind: string) (file: string option) (entry: Entry) : string =
    use buffer = new MemoryStream()
    use json = new Utf8JsonWriter(buffer)
    json.WriteStartObject()
    file |> Option.iter (fun name -> json.WriteString("file", name))
    json.WriteString("kind", kind)

    for name, value in entry.Fields do
        match value with
        | Value.Number number
        | Value.Time number -> json.WriteNumber(name, number)
        | Value.Nothing -> json.WriteNull name

    entry.Complaint |> Option.iter (fun complaint -> json.WriteString("fault", complaint))
    json.WriteEndObject()
    json.Flush()
    Encoding.UTF8.GetString(buffer.GetBuffer(), 0, int buffer.Length)

/// The entries as lines of text, and what they were checked against.
let toText (index: Index) : string list =
    let wrong = index.Entries |> List.filter _.Complaint.IsSome |> List.length
    let count = string index.Entries.Length + plural index.Entries.Length " entry" " entries"

    let summary =
        if not index.IsChecked then
            ", not checked: there is no segment next to it"
        else
            ", " + (if wrong = 0 then "all match the segment" else string wrong + " wrong")

    List.map text index.Entries @ [ count + summary ]

/// The entries as JSON objects.
let toJson (file: string option) (index: Index) : string list = index.Entries |> List.map (json index.Kind file)

/// Whether no entry is wrong.
let isRight (index: Index) : bool = index.Entries |> List.forall _.Complaint.IsNone
