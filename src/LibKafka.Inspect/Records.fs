/// Finds record batches in messages and in log segments.
module LibKafka.Inspect.Records

open System
open System.Buffers.Binary
open System.Runtime.InteropServices
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Inspect.Wording
open LibKafka.Inspect.Input
open LibKafka.Inspect.Frames

/// A field of a message that holds record batches.
type Field =
    {
        Path: string
        /// The topic's name, or its id if the message has only the id.
        Topic: string
        Partition: int32
        Records: Bytes
        /// Whether the bytes may end within a batch: a fetch response ends after a number of bytes.
        MayBeCutOff: bool
    }

/// A batch, or bytes that should be one.
[<RequireQualifiedAccess; NoComparison>]
type Item =
    | Batch of offset: int64 * RecordBatch * RecordSetItem
    | Legacy of offset: int64 * LegacyBatch * RecordSetItem
    | Trouble of offset: int64 * Trouble
    /// An incomplete batch at the end, if the bytes may end within a batch.
    | CutOff of offset: int64 * bytes: int
    /// Zeros up to the end: space that the broker has preallocated.
    | Zeros of offset: int64 * bytes: int64

let private topic (name: string) (id: Guid) = if name = "" then id.ToString() else name

/// The record batches of one partition in a message.
type private InPartition = { Topic: string; Partition: int32; Records: Bytes option }

/// The record fields of a message. `partitions` are the message's partitions in wire order, so the paths of its record fields match them.
let private located (message: Message<'T>) (value: 'T) (mayBeCutOff: bool) (partitions: InPartition list) : Field list =
    partitions
    |> List.filter _.Records.IsSome
    |> List.map2
        (fun (path, records) (one: InPartition) ->
            { Path = path; Topic = one.Topic; Partition = one.Partition; Records = records; MayBeCutOff = mayBeCutOff })
        (Message.records message value)
    |> List.filter (fun field -> field.Records.Length > 0)

/// The fields of a message that hold record batches.
let fields (body: Body) : Field list =
    match body with
    | Body.Request(Request.Produce request) ->
        [ for t in request.Topics do
              for p in t.Partitions -> { Topic = topic t.Name t.TopicId; Partition = p.Index; Records = p.Records } ]
        |> located Produce.api.Request request false
    | Body.Response(Response.Fetch response) ->
        [ for t in response.Topics do
              for p in t.Partitions -> { Topic = topic t.Topic t.TopicId; Partition = p.PartitionIndex; Records = p.Records } ]
        |> located Fetch.api.Response response true
    | Body.Response(Response.ShareFetch response) ->
        [ for t in response.Topics do
              for p in t.Partitions -> { Topic = string t.TopicId; Partition = p.PartitionIndex; Records = Some p.Records } ]
        |> located ShareFetch.api.Response response true
    | _ -> []

let private cutOff (path: string) (offset: int64) (bytes: int) =
    Item.Trouble(
        offset,
        Trouble.at offset path ("the last batch is incomplete: only " + string bytes + plural bytes " byte remains" " bytes remain")
    )

/// An item of a record set that starts at an offset of the input.
let private item (start: int64) (mayBeCutOff: bool) (item: RecordSetItem) : Item =
    let offset = start + int64 item.Position

    match item with
    | RecordSetItem.Batch(batch, _) -> Item.Batch(offset, batch, item)
    | RecordSetItem.Legacy(batch, _) -> Item.Legacy(offset, batch, item)
    | RecordSetItem.CutOff(bytes, _) when mayBeCutOff -> Item.CutOff(offset, bytes)
    | RecordSetItem.CutOff(bytes, place) -> cutOff place.Path offset bytes
    | RecordSetItem.Corrupt corrupt ->
        let trouble = Trouble.ofFault start corrupt.Fault

        let offsets =
            match corrupt.LastOffset with
            | ValueSome last -> "offsets " + string corrupt.FirstOffset + " to " + string last + ", "
            | ValueNone -> ""

        Item.Trouble(
            offset,
            { trouble with
                Reason = trouble.Reason + " (" + offsets + string corrupt.Bytes.Length + plural corrupt.Bytes.Length " byte)" " bytes)" }
        )

/// The offset of a slice of a frame in the input.
let private offsetOf (frame: Frame) (slice: Bytes) : int64 =
    match MemoryMarshal.TryGetArray frame.Bytes.Memory, MemoryMarshal.TryGetArray slice.Memory with
    | (true, whole), (true, part) when Object.ReferenceEquals(whole.Array, part.Array) -> frame.Start + int64 (part.Offset - whole.Offset)
    | _ -> frame.Start

/// The batches of a field of a frame.
let itemsOf (frame: Frame) (field: Field) : Item seq =
    let start = offsetOf frame field.Records

    RecordSet.splitVerified field.Records |> RecordSet.under (lazy field.Path) |> Seq.map (item start field.MayBeCutOff)

/// The size of the base offset and the length, which the length does not include.
[<Literal>]
let private Uncounted = 12

/// The size of the batch at the start, by its length; the least size if the length is not there in full.
let batchSize (bytes: Bytes) : int64 =
    if bytes.Length < Uncounted then
        int64 Uncounted
    else
        int64 (BinaryPrimitives.ReadInt32BigEndian(bytes.Span.Slice 8)) + int64 Uncounted

let private isZero (bytes: Bytes) = bytes.Span.IndexOfAnyExcept 0uy < 0

/// Whether there are only zeros up to the end. Takes them.
let rec private zerosFollow (byteReader: ByteReader) : bool =
    let bytes = byteReader.PeekAll 1
    byteReader.Skip bytes.Length
    bytes.Length = 0 || (isZero bytes && zerosFollow byteReader)

/// In a log, the offset is enough to find a batch, so there is no path to it.
let private noPath = Lazy<string> ""

/// The items of a log segment. Only a part of the log is in memory at a time: an item is valid until the next one is read.
[<Sealed>]
type LogItems(limits: Limits, byteReader: ByteReader) =
    let split (bytes: Bytes) = (RecordSet.splitVerified bytes |> RecordSet.under noPath).GetEnumerator()

    // The bytes that had arrived at the position of the reader, and their items.
    let mutable window = Bytes.empty
    let mutable items = split Bytes.empty
    let mutable current: Item voption = ValueNone
    let mutable ended = false
    // The last position at which a corrupt batch was read again.
    let mutable rereadAt = -1L

    let last (item: Item) : Item voption =
        ended <- true
        ValueSome item

    let hopeless (offset: int64) (reason: string) =
        last (Item.Trouble(offset, Trouble.at (offset + 8L) "" (reason + "; the rest of the log cannot be read")))

    let tooLarge (offset: int64) (size: int64) =
        hopeless offset ("a batch of " + string size + " bytes exceeds the limit of " + string limits.MaxFrameBytes)

    /// Takes the part of the window that has been read.
    let skip (count: int) =
        byteReader.Skip count
        window <- window.Slice(count, window.Length - count)

    /// The window has bytes that are no batch. It may be space that the broker has preallocated.
    let noBatch (problem: Problem) =
        let offset = byteReader.Position

        if zerosFollow byteReader then
            last (Item.Zeros(offset, byteReader.Position - offset))
        else
            hopeless offset (problem.ToString())

    /// The window has an incomplete batch, and nothing follows it.
    let incomplete () =
        let offset = byteReader.Position

        if window.Length = 0 then ValueNone
        elif isZero window then last (Item.Zeros(offset, int64 window.Length))
        else last (cutOff "" offset window.Length)

    let isHeadZero () = isZero (window.Slice(0, min Uncounted window.Length))

    /// Makes a corrupt item the first one, and reads it again in a file that grows: a broker may be writing it, or write a batch later in place of
    /// preallocated zeros. False if it was read again before.
    let readAgain (corrupt: CorruptBatch) : bool =
        skip corrupt.Position
        let isFirst = byteReader.Position <> rereadAt
        let isAwaited = isHeadZero ()

        if isFirst || isAwaited then
            rereadAt <- byteReader.Position
            let changes = byteReader.Reread()
            if changes then window <- byteReader.PeekAll Uncounted

            while isHeadZero () && byteReader.Reread() do
                window <- byteReader.PeekAll Uncounted

            if isAwaited && not (isHeadZero ()) then rereadAt <- -1L
            items <- split window
            isFirst || changes
        else
            false

    let rec next () : Item voption =
        if not (items.MoveNext()) then
            skip window.Length
            further ()
        else
            match items.Current with
            | RecordSetItem.CutOff(_, place) ->
                skip place.Position
                further ()
            | RecordSetItem.Corrupt corrupt when readAgain corrupt -> next ()
            | RecordSetItem.Corrupt { Fault = { Problem = Problem.BadBatchLength _ as problem } } -> noBatch problem
            | whole when whole.SizeInBytes > limits.MaxFrameBytes ->
                tooLarge (byteReader.Position + int64 whole.Position) (int64 whole.SizeInBytes)
            | whole -> ValueSome(item byteReader.Position false whole)

    /// Reads the rest of the batch that the window begins with.
    and further () : Item voption =
        let size = batchSize window

        if size > int64 limits.MaxFrameBytes then
            tooLarge byteReader.Position size
        else
            let before = window.Length
            window <- byteReader.PeekAll(int size)

            if window.Length = before then
                incomplete ()
            else
                items <- split window
                next ()

    /// Moves to the next item; false at the end, and after an item that must be the last.
    member _.MoveNext() : bool =
        current <-
            try
                if ended then ValueNone else next ()
            with :? InvalidText as wrong ->
                last (Item.Trouble(byteReader.Position, Trouble.ofText byteReader.Arrived wrong))

        current.IsSome

    member _.Current = current.Value

    /// Whether the rest of the log cannot be read, or there is none.
    member _.IsLast = ended

    /// For `for`. The items can be read once.
    member this.GetEnumerator() = this

/// The content of a control record as text and as JSON; none if its value is null or its type unknown.
let controlBody (control: ControlRecord) : Result<string * string, Fault> option =
    let shown (message: Message<'T>) (version: int16) (bytes: Bytes) =
        Message.decode Limits.standard version message bytes
        |> Result.bind (fun value -> Message.toJson version message value |> Result.map (fun json -> Message.show message value, json))

    match control.Value with
    | ValueSome value when value.Length >= 2 ->
        let version = BinaryPrimitives.ReadInt16BigEndian value.Span

        match control.Type with
        // Here the version precedes the message; in the others it is the first field.
        | ControlRecordType.Abort
        | ControlRecordType.Commit -> Some(shown EndTxnMarker.message version (value.Slice(2, value.Length - 2)))
        | ControlRecordType.LeaderChange -> Some(shown LeaderChangeMessage.message version value)
        | ControlRecordType.SnapshotHeader -> Some(shown SnapshotHeaderRecord.message version value)
        | ControlRecordType.SnapshotFooter -> Some(shown SnapshotFooterRecord.message version value)
        | ControlRecordType.KRaftVersion -> Some(shown KRaftVersionRecord.message version value)
        | ControlRecordType.KRaftVoters -> Some(shown VotersRecord.message version value)
        | ControlRecordType.Unknown _ -> None
    | _ -> None
