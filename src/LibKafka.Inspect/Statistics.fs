/// A summary of record batches.
module LibKafka.Inspect.Statistics

open System
open System.Collections.Generic
open System.Globalization
open System.IO
open System.Numerics
open System.Text.Json
open LibKafka.Records
open LibKafka.Inspect.Wording
open LibKafka.Inspect.Output

/// What was counted of one kind of thing.
[<NoComparison>]
type Count =
    {
        mutable Batches: int64
        mutable Records: int64
        /// In the log.
        mutable Bytes: int64
        /// Of keys and values, decompressed.
        mutable ContentBytes: int64
    }

let private noCount () = { Batches = 0L; Records = 0L; Bytes = 0L; ContentBytes = 0L }

/// One producer's part.
[<NoComparison>]
type Producer = { Count: Count; mutable LastEpoch: int16; mutable Commits: int64; mutable Aborts: int64 }

let private bySize () = Array.zeroCreate<int64> 64

/// The class of a size: 0 for nothing, and otherwise the number of its bits.
let private classOf (size: int64) = if size <= 0L then 0 else 1 + BitOperations.Log2(uint64 size)

/// Counts batches and records.
[<Sealed>]
type Statistics() =
    let total = noCount ()
    let codecs = Dictionary<string, Count>()
    let producers = Dictionary<int64, Producer>()
    let recordSizes = bySize ()
    let batchRecords = bySize ()
    // Of the compression of the batch taken last.
    let mutable current = noCount ()
    let mutable firstOffset = -1L
    let mutable nextOffset = -1L
    let mutable gaps = 0L
    let mutable missing = 0L
    let mutable tombstones = 0L
    let mutable withoutKey = 0L
    let mutable controls = 0L
    let mutable transactional = 0L
    let mutable troubles = 0L
    let mutable earliest = Int64.MaxValue
    let mutable latest = Int64.MinValue

    let codec (name: string) : Count =
        match codecs.TryGetValue name with
        | true, found -> found
        | _ ->
            let count = noCount ()
            codecs[name] <- count
            count

    let producer (id: int64) : Producer =
        match producers.TryGetValue id with
        | true, found -> found
        | _ ->
            let made = { Count = noCount (); LastEpoch = -1s; Commits = 0L; Aborts = 0L }
            producers[id] <- made
            made

    let add (records: int64) (bytes: int64) (count: Count) =
        count.Batches <- count.Batches + 1L
        count.Records <- count.Records + records
        count.Bytes <- count.Bytes + bytes

    /// Offsets that should be in the log between two batches, or in a batch that has fewer records than offsets.
    let gap (offsets: int64) =
        if offsets > 0L then
            gaps <- gaps + 1L
            missing <- missing + offsets

    let offsets (first: int64) (last: int64) (records: int64) =
        if firstOffset < 0L then firstOffset <- first
        if nextOffset >= 0L then gap (first - nextOffset)
        gap (last - first + 1L - records)
        nextOffset <- max nextOffset (last + 1L)

    /// Takes a batch.
    member _.Batch(batch: RecordBatch) =
        let records, bytes = int64 batch.Count, int64 batch.SizeInBytes
        current <- codec (CompressionType.name batch.Compression)
        List.iter (add records bytes) [ total; current ]
        offsets batch.BaseOffset batch.LastOffset records
        batchRecords[classOf records] <- batchRecords[classOf records] + 1L
        if batch.IsControl then controls <- controls + records
        if batch.IsTransactional && not batch.IsControl then
            transactional <- transactional + records

        if batch.ProducerId >= 0L then
            let found = producer batch.ProducerId
            found.LastEpoch <- batch.ProducerEpoch
            if not batch.IsControl then add records bytes found.Count

    /// Takes a message of an older format, with the number of records in it.
    member _.Legacy(batch: LegacyBatch, first: int64, records: int64) =
        current <- codec (CompressionType.name batch.Compression)
        List.iter (add records (int64 batch.SizeInBytes)) [ total; current ]
        offsets first batch.LastOffset records
        batchRecords[classOf records] <- batchRecords[classOf records] + 1L

    /// Takes a record of the batch taken last.
    member _.Record(batch: RecordBatch voption, record: Record) =
        let size = int64 record.Key.Length + int64 record.Value.Length
        total.ContentBytes <- total.ContentBytes + size
        current.ContentBytes <- current.ContentBytes + size

        if record.Timestamp >= 0L then
            earliest <- min earliest record.Timestamp
            latest <- max latest record.Timestamp

        match batch with
        | ValueSome batch when batch.IsControl ->
            match ControlRecord.ofRecord record with
            | Ok { Type = ControlRecordType.Commit } when batch.ProducerId >= 0L ->
                let found = producer batch.ProducerId
                found.Commits <- found.Commits + 1L
            | Ok { Type = ControlRecordType.Abort } when batch.ProducerId >= 0L ->
                let found = producer batch.ProducerId
                found.Aborts <- found.Aborts + 1L
            | _ -> ()
        | _ ->
            recordSizes[classOf size] <- recordSizes[classOf size] + 1L
            if not record.HasValue then tombstones <- tombstones + 1L
            if not record.HasKey then withoutKey <- withoutKey + 1L

    /// Takes bytes that cannot be read.
    member _.Trouble() = troubles <- troubles + 1L

    member _.Total = total
    member _.Codecs = [ for entry in codecs -> entry.Key, entry.Value ] |> List.sortByDescending (fun (_, count) -> count.Bytes)
    member _.Producers =
        [ for entry in producers -> entry.Key, entry.Value ] |> List.sortByDescending (fun (_, found) -> found.Count.Records)
    /// How many records have a size, by the number of bits of the size.
    member _.RecordSizes = List.ofArray recordSizes
    /// How many batches have a number of records, by the number of bits of the number.
    member _.BatchRecords = List.ofArray batchRecords
    /// The first and the last offset; none without batches.
    member _.Offsets = if firstOffset < 0L then None else Some(firstOffset, nextOffset - 1L)
    /// The number of gaps, and of the offsets in them.
    member _.Gaps = gaps, missing
    /// The earliest and the latest timestamp.
    member _.Times = if earliest > latest then None else Some(earliest, latest)
    member _.Tombstones = tombstones
    member _.WithoutKey = withoutKey
    member _.Controls = controls
    member _.Transactional = transactional
    member _.Troubles = troubles

// ---------------------------------------------------------------------------------------------------------------------
// Text

let private invariant = CultureInfo.InvariantCulture

/// A number with separators between its thousands.
let private number (value: int64) : string = value.ToString("N0", invariant)

let private units = [ "B"; "KiB"; "MiB"; "GiB"; "TiB" ]

/// A number of bytes in a readable unit.
let private size (bytes: int64) : string =
    let rec scale (value: float) (units: string list) =
        match units with
        | [ last ] -> value.ToString("0.0", invariant) + " " + last
        | _ :: larger when value >= 1024.0 -> scale (value / 1024.0) larger
        | unit :: _ when unit = "B" -> value.ToString("0", invariant) + " " + unit
        | unit :: _ -> value.ToString("0.0", invariant) + " " + unit
        | [] -> ""

    scale (float bytes) units

/// The bounds of a class of sizes.
let private bounds (index: int) : string =
    match index with
    | 0 -> "0"
    | 1 -> "1"
    | index -> number (1L <<< (index - 1)) + "-" + number ((1L <<< index) - 1L)

/// A bar of so many eighths of a character.
let private bar (eighths: int64) : string =
    let rest = int (eighths % 8L)
    String.replicate (int (eighths / 8L)) "█" + (if rest = 0 then "" else string (char (0x2590 - rest)))

/// A bar chart: names, values and what is written after the bars.
let private chart (width: int) (title: string) (rows: (string * int64 * string) list) : string list =
    let longest measure = rows |> List.map measure |> List.fold max 0
    let names = longest (fun (name, _, _) -> name.Length)
    let notes = longest (fun (_, _, note) -> note.Length)
    let most = rows |> List.map (fun (_, value, _) -> value) |> List.fold max 1L
    let room = max 8 (width - names - notes - 6)

    let row (name: string, value: int64, note: string) =
        // Whatever is not zero can be seen.
        let eighths = if value = 0L then 0L else max 1L (int64 (float value / float most * float room * 8.0))
        ("  " + name.PadLeft names + "  " + (bar eighths).PadRight room + "  " + note.PadLeft notes).TrimEnd()

    if rows.IsEmpty then [] else "" :: title :: List.map row rows

/// The classes up to the last that is not empty, from the first that is not.
let private histogram (counts: int64 list) : (string * int64 * string) list =
    let used = counts |> List.indexed |> List.filter (fun (_, count) -> count > 0L) |> List.map fst

    match used with
    | [] -> []
    | _ -> [ for index in List.min used .. List.max used -> bounds index, counts[index], number counts[index] ]

let private ratio (count: Count) : string =
    if count.Bytes = 0L then
        ""
    else
        (float count.ContentBytes / float count.Bytes).ToString("0.00", invariant)

let private producerRow (id: int64, found: Producer) =
    let markers =
        if found.Commits + found.Aborts = 0L then
            ""
        else
            ", " + number found.Commits + " committed, " + number found.Aborts + " aborted"

    let records = number found.Count.Records + plural found.Count.Records " record" " records"
    string id, found.Count.Records, records + ", epoch " + string found.LastEpoch + markers

/// The most producers that the text lists.
let private mostProducers = 20

let private facts (all: Statistics) : (string * string) list =
    let gaps, missing = all.Gaps

    [ "batches", number all.Total.Batches
      "records", number all.Total.Records
      "size", size all.Total.Bytes
      "keys and values", size all.Total.ContentBytes
      match all.Offsets with
      | Some(first, last) -> "offsets", string first + " to " + string last
      | None -> ()
      match all.Times with
      | Some(earliest, latest) -> "timestamps", time earliest + " to " + time latest
      | None -> ()
      if all.Total.Batches > 0L then
          "records per batch", (float all.Total.Records / float all.Total.Batches).ToString("0.0", invariant)
      "gaps", number gaps + (if gaps = 0L then "" else " (" + number missing + plural missing " offset)" " offsets)")
      if all.WithoutKey > 0L then "without key", number all.WithoutKey
      if all.Tombstones > 0L then "tombstones", number all.Tombstones
      if all.Transactional > 0L then "in transactions", number all.Transactional
      if all.Controls > 0L then "control records", number all.Controls
      if all.Troubles > 0L then "unreadable parts", number all.Troubles ]

/// The summary as lines of text, with bar charts of a width.
let toText (width: int) (all: Statistics) : string list =
    let names = facts all |> List.map (fun (name, _) -> name.Length) |> List.fold max 0

    let codecs =
        all.Codecs
        |> List.map (fun (name, count) ->
            let batches = number count.Batches + plural count.Batches " batch" " batches"
            name, count.Bytes, size count.Bytes + ", " + batches + ", ratio " + ratio count)

    let producers = all.Producers |> List.truncate mostProducers |> List.map producerRow
    let others = all.Producers.Length - producers.Length

    [ for name, value in facts all do
          name.PadRight names + "  " + value
      yield! chart width "Bytes by compression" codecs
      yield! chart width "Records by size of key and value, in bytes" (histogram all.RecordSizes)
      yield! chart width "Batches by number of records" (histogram all.BatchRecords)
      yield! chart width "Records by producer id" producers
      if others > 0 then
          "  and " + number (int64 others) + plural others " other producer" " other producers" ]

// ---------------------------------------------------------------------------------------------------------------------
// JSON

let private writeCount (json: Utf8JsonWriter) (count: Count) =
    json.WriteNumber("batches", count.Batches)
    json.WriteNumber("records", count.Records)
    json.WriteNumber("sizeInBytes", count.Bytes)

let private writeHistogram (json: Utf8JsonWriter) (name: string) (counts: int64 list) =
    json.WriteStartArray name

    for index, count in List.indexed counts do
        if count > 0L then
            json.WriteStartObject()
            json.WriteNumber("from", (if index = 0 then 0L else 1L <<< (index - 1)))
            json.WriteNumber("count", count)
            json.WriteEndObject()

    json.WriteEndArray()

let private writeProducers (json: Utf8JsonWriter) (producers: (int64 * Producer) list) =
    json.WriteStartArray "producers"

    for id, found in producers do
        json.WriteStartObject()
        json.WriteNumber("producerId", id)
        json.WriteNumber("lastEpoch", int found.LastEpoch)
        writeCount json found.Count
        json.WriteNumber("commits", found.Commits)
        json.WriteNumber("aborts", found.Aborts)
        json.WriteEndObject()

    json.WriteEndArray()

/// Writes a range, or nothing if there is none.
let private writeRange (json: Utf8JsonWriter) (first: string) (last: string) (range: (int64 * int64) option) =
    match range with
    | Some(low, high) ->
        json.WriteNumber(first, low)
        json.WriteNumber(last, high)
    | None -> ()

/// The summary as a JSON object.
let toJson (file: string option) (all: Statistics) : string =
    use buffer = new MemoryStream()
    use json = new Utf8JsonWriter(buffer)
    let gaps, missing = all.Gaps
    json.WriteStartObject()
    file |> Option.iter (fun name -> json.WriteString("file", name))
    json.WriteString("kind", "statistics")
    writeCount json all.Total
    json.WriteNumber("contentBytes", all.Total.ContentBytes)
    writeRange json "firstOffset" "lastOffset" all.Offsets
    writeRange json "earliestTimestamp" "latestTimestamp" all.Times
    json.WriteNumber("gaps", gaps)
    json.WriteNumber("missingOffsets", missing)
    json.WriteNumber("withoutKey", all.WithoutKey)
    json.WriteNumber("tombstones", all.Tombstones)
    json.WriteNumber("transactionalRecords", all.Transactional)
    json.WriteNumber("controlRecords", all.Controls)
    json.WriteNumber("unreadableParts", all.Troubles)
    json.WriteStartArray "compression"

    for name, count in all.Codecs do
        json.WriteStartObject()
        json.WriteString("type", name)
        writeCount json count
        json.WriteNumber("contentBytes", count.ContentBytes)
        json.WriteEndObject()

    json.WriteEndArray()
    writeHistogram json "recordsBySize" all.RecordSizes
    writeHistogram json "batchesByRecords" all.BatchRecords
    writeProducers json all.Producers
    json.WriteEndObject()
    json.Flush()
    System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, int buffer.Length)
