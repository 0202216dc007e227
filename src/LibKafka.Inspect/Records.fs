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
        /// The topic's name, or its id where the message has only that.
        Topic: string
        Partition: int32
        Records: Bytes
        /// It ends where a number of bytes was reached, be it within a batch.
        MayBeCutOff: bool
    }

/// One batch, or a stretch where there should be one.
[<RequireQualifiedAccess; NoComparison>]
type Item =
    | Batch of offset: int64 * RecordBatch
    | Legacy of offset: int64 * LegacyBatch
    | Trouble of offset: int64 * Trouble
    /// The end, where it may lie within a batch.
    | CutOff of offset: int64 * bytes: int
    /// Zeros up to the end: room that the broker has taken and not yet written to.
    | Zeros of offset: int64 * bytes: int64

let private topic (name: string) (id: Guid) = if name = "" then id.ToString() else name

/// The fields of a message that hold record batches.
let fields (body: Body) : Field list =
    let path (message: string) (topics: string) (i: int) (partitions: string) (j: int) =
        message + "/" + topics + "[" + string i + "]/" + partitions + "[" + string j + "]/Records"

    let field path topic partition mayBeCutOff (records: Bytes option) =
        match records with
        | Some records when records.Length > 0 ->
            [ { Path = path; Topic = topic; Partition = partition; Records = records; MayBeCutOff = mayBeCutOff } ]
        | _ -> []

    match body with
    | Body.Request(Request.Produce request) ->
        [ for i, t in List.indexed request.Topics do
              for j, p in List.indexed t.Partitions do
                  let path = path "ProduceRequest" "TopicData" i "PartitionData" j
                  yield! field path (topic t.Name t.TopicId) p.Index false p.Records ]
    | Body.Response(Response.Fetch response) ->
        [ for i, t in List.indexed response.Topics do
              for j, p in List.indexed t.Partitions do
                  let path = path "FetchResponse" "Responses" i "Partitions" j
                  yield! field path (topic t.Topic t.TopicId) p.PartitionIndex true p.Records ]
    | Body.Response(Response.ShareFetch response) ->
        [ for i, t in List.indexed response.Topics do
              for j, p in List.indexed t.Partitions do
                  let path = path "ShareFetchResponse" "Responses" i "Partitions" j
                  yield! field path (t.TopicId.ToString()) p.PartitionIndex true (Some p.Records) ]
    | _ -> []

let private cutOff (offset: int64) (bytes: int) =
    Item.Trouble(offset, Trouble.at offset "" ("the last batch is cut off after " + string bytes + " bytes"))

/// An item of a record set that begins at an offset of the input, with where it begins.
let private item (start: int64) (position: int) (mayBeCutOff: bool) (item: RecordSetItem) : Item =
    let offset = start + int64 position

    match item with
    | RecordSetItem.Batch batch -> Item.Batch(offset, batch)
    | RecordSetItem.Legacy batch -> Item.Legacy(offset, batch)
    | RecordSetItem.CutOff bytes when mayBeCutOff -> Item.CutOff(offset, bytes)
    | RecordSetItem.CutOff bytes -> cutOff offset bytes
    | RecordSetItem.Corrupt corrupt ->
        let trouble = Trouble.ofFault start corrupt.Fault

        let offsets =
            match corrupt.LastOffset with
            | ValueSome last -> "offsets " + string corrupt.FirstOffset + " to " + string last + ", "
            | ValueNone -> ""

        Item.Trouble(offset, { trouble with Reason = trouble.Reason + " (" + offsets + string corrupt.Bytes.Length + " bytes)" })

/// Where a slice of a frame begins in the input.
let private offsetOf (frame: Frame) (slice: Bytes) : int64 =
    match MemoryMarshal.TryGetArray frame.Bytes.Memory, MemoryMarshal.TryGetArray slice.Memory with
    | (true, whole), (true, part) when Object.ReferenceEquals(whole.Array, part.Array) -> frame.Start + int64 (part.Offset - whole.Offset)
    | _ -> frame.Start

/// The batches in a field of a frame.
let itemsOf (frame: Frame) (field: Field) : Item seq = seq {
    let start = offsetOf frame field.Records
    let mutable position = 0

    for found in RecordSet.splitVerified field.Records do
        item start position field.MayBeCutOff found

        position <-
            match found with
            | RecordSetItem.Batch batch -> position + batch.SizeInBytes
            | RecordSetItem.Legacy batch -> position + batch.SizeInBytes
            | RecordSetItem.Corrupt corrupt -> corrupt.Position + corrupt.Bytes.Length
            | RecordSetItem.CutOff bytes -> position + bytes
}

/// Base offset and length, which every format has in the same place, and the fields up to the magic.
[<Literal>]
let private Head = 17

/// The base offset and the length field itself, which the length does not count.
[<Literal>]
let private Uncounted = 12

let private isZero (bytes: byte[]) = bytes.AsSpan().IndexOfAnyExcept 0uy < 0

/// Whether there is nothing but zeros up to the end.
let rec private zerosFollow (intake: Intake) : bool =
    match intake.Fill([||], 65536) with
    | [||] -> true
    | bytes -> isZero bytes && zerosFollow intake

/// The next item of a log segment, and whether more may stand behind it.
let private next (limits: Limits) (intake: Intake) : struct (Item * bool) voption =
    let offset = intake.Position
    let more item = ValueSome(struct (item, true))
    let last item = ValueSome(struct (item, false))

    let hopeless (at: int64) (reason: string) = last (Item.Trouble(offset, Trouble.at at "" (reason + "; this log cannot be read on")))

    try
        let head = intake.Fill([||], Head)

        if head.Length = 0 then
            ValueNone
        elif head.Length < Head then
            last (cutOff offset head.Length)
        else
            let length = BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan<byte>(head, 8, 4))
            let size = int64 length + int64 Uncounted

            if size > int64 limits.MaxFrameBytes then
                hopeless (offset + 8L) ("a batch of " + string size + " bytes exceeds the limit of " + string limits.MaxFrameBytes)
            elif length = 0 && isZero head && zerosFollow intake then
                last (Item.Zeros(offset, intake.Position - offset))
            else
                let bytes = intake.Fill(head, int (max size (int64 Head)))
                let mutable found = (RecordSet.splitVerified (Bytes bytes)).GetEnumerator()
                found.MoveNext() |> ignore

                match found.Current with
                | RecordSetItem.Corrupt { Fault = { Problem = Problem.BadBatchLength _ as problem } } ->
                    hopeless (offset + 8L) (problem.ToString())
                | RecordSetItem.CutOff _ as cut -> last (item offset 0 false cut)
                | whole -> more (item offset 0 false whole)
    with :? Misspelt as wrong ->
        last (Item.Trouble(offset, Trouble.ofSpelling intake.Position wrong))

/// The batches of a log segment. Only one of them is in memory at a time.
let segment (limits: Limits) (intake: Intake) : Item seq =
    true
    |> Seq.unfold (fun more ->
        match if more then next limits intake else ValueNone with
        | ValueSome(struct (item, more)) -> Some(item, more)
        | ValueNone -> None)

/// What a control record says, as text and as JSON; none where its value is null or its type not known.
let controlBody (control: ControlRecord) : Result<string * string, Fault> option =
    let shown (message: Message<'T>) (version: int16) (bytes: Bytes) =
        Message.decode Limits.standard version message bytes
        |> Result.bind (fun value -> Message.toJson version message value |> Result.map (fun json -> Message.show message value, json))

    match control.Value with
    | ValueSome value when value.Length >= 2 ->
        let version = BinaryPrimitives.ReadInt16BigEndian value.Span

        match control.Type with
        // Here the version stands in front; in the others it is the first field.
        | ControlRecordType.Abort
        | ControlRecordType.Commit -> Some(shown EndTxnMarker.message version (value.Slice(2, value.Length - 2)))
        | ControlRecordType.LeaderChange -> Some(shown LeaderChangeMessage.message version value)
        | ControlRecordType.SnapshotHeader -> Some(shown SnapshotHeaderRecord.message version value)
        | ControlRecordType.SnapshotFooter -> Some(shown SnapshotFooterRecord.message version value)
        | ControlRecordType.KRaftVersion -> Some(shown KRaftVersionRecord.message version value)
        | ControlRecordType.KRaftVoters -> Some(shown VotersRecord.message version value)
        | ControlRecordType.Unknown _ -> None
    | _ -> None
