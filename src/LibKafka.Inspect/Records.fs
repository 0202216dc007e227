/// Finds record batches in messages and in log segments.
module LibKafka.Inspect.Records

open System
open System.Buffers.Binary
open System.Runtime.InteropServices
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
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
    Item.Trouble(offset, Trouble.at offset path ("the last batch is incomplete: only " + string bytes + " bytes remain"))

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

        Item.Trouble(offset, { trouble with Reason = trouble.Reason + " (" + offsets + string corrupt.Bytes.Length + " bytes)" })

/// The offset of a slice of a frame in the input.
let private offsetOf (frame: Frame) (slice: Bytes) : int64 =
    match MemoryMarshal.TryGetArray frame.Bytes.Memory, MemoryMarshal.TryGetArray slice.Memory with
    | (true, whole), (true, part) when Object.ReferenceEquals(whole.Array, part.Array) -> frame.Start + int64 (part.Offset - whole.Offset)
    | _ -> frame.Start

/// The batches of a field of a frame.
let itemsOf (frame: Frame) (field: Field) : Item seq =
    let start = offsetOf frame field.Records

    RecordSet.splitVerified field.Records |> RecordSet.under (lazy field.Path) |> Seq.map (item start field.MayBeCutOff)

/// The size of the base offset, the length and the fields up to the magic, which are at the same place in every format.
[<Literal>]
let private Head = 17

/// The size of the base offset and the length, which the length does not include.
[<Literal>]
let private Uncounted = 12

let private isZero (bytes: byte[]) = bytes.AsSpan().IndexOfAnyExcept 0uy < 0

/// Whether there are only zeros up to the end.
let rec private zerosFollow (byteReader: ByteReader) : bool =
    match byteReader.Fill([||], 65536) with
    | [||] -> true
    | bytes -> isZero bytes && zerosFollow byteReader

/// The next item of a log segment, and whether more items may follow.
let private next (limits: Limits) (byteReader: ByteReader) : struct (Item * bool) voption =
    let offset = byteReader.Position
    let more item = ValueSome(struct (item, true))
    let last item = ValueSome(struct (item, false))

    let hopeless (at: int64) (reason: string) =
        last (Item.Trouble(offset, Trouble.at at "" (reason + "; the rest of the log cannot be read")))

    try
        let head = byteReader.Fill([||], Head)

        if head.Length = 0 then
            ValueNone
        elif head.Length < Head && isZero head then
            last (Item.Zeros(offset, int64 head.Length))
        elif head.Length < Head then
            last (cutOff "" offset head.Length)
        else
            let length = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan<byte>(head, 8, 4))
            let size = int64 length + int64 Uncounted

            if size > int64 limits.MaxFrameBytes then
                hopeless (offset + 8L) ("a batch of " + string size + " bytes exceeds the limit of " + string limits.MaxFrameBytes)
            elif length = 0 && isZero head && zerosFollow byteReader then
                last (Item.Zeros(offset, byteReader.Position - offset))
            else
                let bytes = byteReader.Fill(head, int (max size (int64 Head)))
                // In a log, the offset is enough to find a batch, so there is no path to it.
                let mutable found = (RecordSet.splitVerified (Bytes bytes) |> RecordSet.under (lazy "")).GetEnumerator()
                found.MoveNext() |> ignore

                match found.Current with
                | RecordSetItem.Corrupt { Fault = { Problem = Problem.BadBatchLength _ as problem } } ->
                    hopeless (offset + 8L) (problem.ToString())
                | RecordSetItem.CutOff _ as cut -> last (item offset false cut)
                | whole -> more (item offset false whole)
    with :? InvalidText as wrong ->
        last (Item.Trouble(offset, Trouble.ofText byteReader.Position wrong))

/// The batches of a log segment. Only one is in memory at a time.
let segment (limits: Limits) (byteReader: ByteReader) : Item seq =
    true
    |> Seq.unfold (fun more ->
        match if more then next limits byteReader else ValueNone with
        | ValueSome(struct (item, more)) -> Some(item, more)
        | ValueNone -> None)

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
