/// Prints what the inputs have.
module LibKafka.Inspect.Inspection

open System
open System.Collections.Generic
open System.IO
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Inspect.Utf8Output
open LibKafka.Inspect.InternalTopics
open LibKafka.Inspect.Options
open LibKafka.Inspect.Input
open LibKafka.Inspect.Frames
open LibKafka.Inspect.Records
open LibKafka.Inspect.Output
open LibKafka.Inspect.Batches
open LibKafka.Inspect.Parts
open LibKafka.Inspect.Statistics
open LibKafka.Inspect.Packets

/// One run of the tool. What is read from a pipe, or from a file that grows, is printed and flushed immediately; a large log file is divided.
[<Sealed>]
type Inspection(options: Options, printer: Printer, output: Utf8Output, width: int, division: Division) =
    let batches = BatchPrinter(options, printer)
    let mutable isWhole = true

    // Whether more input may come later, because it is not a plain file.
    let mutable isLive = true
    let flush () = if isLive then output.Flush()

    let fail () = isWhole <- false

    let print (frame: Frame) =
        if frame.Trouble.IsSome then fail ()
        printer.Frame frame

        if options.Records then
            for field in frame.Body |> Option.map fields |> Option.defaultValue [] do
                for found in itemsOf frame field do
                    batches.Item(InternalTopic.ofName field.Topic, Some field, found)

        flush ()

    let frame (reader: Reader) (unread: Frame) = print (reader.Read(options.Named, unread))

    /// Prints the trouble in place of a frame that could not be found.
    let noFrame (unread: Frame) (trouble: Trouble) =
        let isResponse = unread.IsResponse || options.Named |> Option.exists _.IsResponse
        print { unread with IsResponse = isResponse; Trouble = Some trouble }

    let streamed (reader: Reader) (isResponse: bool) (frame': StreamFrame) =
        match frame' with
        | StreamFrame.Whole(offset, bytes) -> frame reader (Frame.unread isResponse offset LengthSize None bytes)
        | StreamFrame.Broken(offset, trouble) -> noFrame (Frame.unread isResponse offset 0 None Bytes.empty) trouble

    let stream (frames: StreamFrames) =
        let reader = Reader options.Limits
        let mutable next = frames.Next()

        while next.IsSome do
            streamed reader false next.Value
            next <- frames.Next()

    let conversation (requests: StreamFrames) (responses: StreamFrames) =
        let reader = Reader options.Limits
        let mutable request = requests.Next()
        let mutable response = responses.Next()
        // Requests read since the last response.
        let mutable ahead = 0

        // A response is printed right after its request. If its request does not come, it does not hold up the others forever.
        let isDue (response: StreamFrame) =
            match response with
            | StreamFrame.Whole(_, bytes) -> request.IsNone || ahead = 100 || reader.AwaitsToken || reader.HasRequestOf bytes
            | StreamFrame.Broken _ -> true

        while request.IsSome || response.IsSome do
            if response.IsSome && isDue response.Value then
                streamed reader true response.Value
                response <- responses.Next()
                ahead <- 0
            else
                streamed reader false request.Value
                request <- requests.Next()
                ahead <- ahead + 1

    /// Prints the frame on a line. Each connection has a reader of its own.
    let line (readerOf: int option -> Reader) (decoder: TextDecoder) (line: Line) =
        let mark = Recording.markOf line.Text
        let text = line.Text.Slice mark.Length

        let unread bytes =
            { Frame.unread mark.IsResponse 0L 0 (Some line.Number) bytes with Connection = mark.Connection; Time = mark.Time }

        if line.IsTooLong then
            noFrame (unread Bytes.empty) (Trouble.at 0L "" "the line is longer than the largest frame")
        elif text.Length > 0 && text.Span[0] <> '#'B then
            match decoder.Line text with
            | Ok bytes -> frame (readerOf mark.Connection) (unread (Bytes bytes))
            | Error(at, reason) -> noFrame (unread Bytes.empty) (Trouble.at at "" reason)

    let lines (newDecoder: unit -> TextDecoder) (input: Stream) =
        let readers = Dictionary<int, Reader>()

        let readerOf (connection: int option) =
            let number = defaultArg connection 0

            match readers.TryGetValue number with
            | true, reader -> reader
            | _ ->
                let reader = Reader options.Limits
                readers[number] <- reader
                reader

        let lines = Lines(input, int (min (int64 Array.MaxLength) (4L * int64 options.Limits.MaxFrameBytes)))
        let mutable next = lines.Next()

        while next.IsSome do
            line readerOf (newDecoder ()) next.Value
            next <- lines.Next()

    let alone (input: Stream) =
        let most = min (int64 Array.MaxLength) (int64 options.Limits.MaxFrameBytes + 1L)
        let bytes = ByteReader(input, ValueNone).Take(int most)
        frame (Reader options.Limits) (Frame.unread false 0L 0 None (Bytes bytes))

    let log (topic: InternalTopic option) (byteReader: ByteReader) =
        for found in LogItems(options.Limits, byteReader) do
            batches.Item(topic, None, found)
            flush ()

    /// Prints a part of a log, and returns whether the log ends in it.
    let logPart (topic: InternalTopic option) (batches: BatchPrinter) (byteReader: ByteReader) : bool =
        let items = LogItems(options.Limits, byteReader)

        for found in items do
            batches.Item(topic, None, found)

        items.IsLast

    let logInParts (topic: InternalTopic option) (input: Stream) =
        let newPrinter (output: Utf8Output) = BatchPrinter(options, printer.On output)
        let printers = Parts.print division options.Limits input output newPrinter (logPart topic)
        if not (printers |> List.forall _.IsWhole) then fail ()

    /// Prints a summary of a log.
    let statistics (file: string option) (byteReader: ByteReader) =
        let all = Statistics()

        for found in LogItems(options.Limits, byteReader) do
            match found with
            | Item.Batch(offset, batch, item) ->
                all.Batch batch
                batches.EachRecord(offset, batch.Compression, item, (fun record -> all.Record(ValueSome batch, record)))
            | Item.Legacy(offset, batch, item) ->
                let count = ref 0L
                let first = ref batch.LastOffset

                batches.EachRecord(
                    offset,
                    batch.Compression,
                    item,
                    (fun record ->
                        if count.Value = 0L then first.Value <- record.Offset
                        count.Value <- count.Value + 1L)
                )

                all.Legacy(batch, first.Value, count.Value)
                batches.EachRecord(offset, batch.Compression, item, (fun record -> all.Record(ValueNone, record)))
            | Item.Trouble(_, _)
            | Item.CutOff _ ->
                all.Trouble()
                fail ()
                printer.Item(None, found)
            | Item.Zeros _ -> ()

        match options.Format with
        | Format.Text -> toText width all |> List.iter output.Line
        | Format.Json -> output.Line(toJson file all)

    let index (file: string option) (path: string) =
        match Indexes.read options.Limits path with
        | Error trouble ->
            fail ()
            printer.Item(None, Item.Trouble(0L, trouble))
        | Ok index ->
            if not (Indexes.isRight index) then fail ()

            match options.Format with
            | Format.Text -> Indexes.toText index
            | Format.Json -> Indexes.toJson file index
            |> List.iter output.Line

    let decoder (encoding: Encoding) : TextDecoder voption =
        match encoding with
        | Encoding.Hex -> ValueSome(TextDecoder.hex ())
        | Encoding.Base64 -> ValueSome(TextDecoder.base64 ())
        | Encoding.Raw -> ValueNone

    let byteReader (input: Stream) = ByteReader(input, decoder (defaultArg options.Encoding Encoding.Raw))
    let frames (input: Stream) = StreamFrames(options.Limits, byteReader input)

    /// Prints the frames of a packet capture, and says what else it has.
    let capture (report: string -> unit) (input: Stream) =
        let show (found: Frame) = print found
        let bytes = byteReader input

        let trouble (offset: int64) (found: Trouble) =
            fail ()
            printer.Item(None, Item.Trouble(offset, found))

        try
            let summary = Capture.read options.Limits options.Port show bytes

            if summary.Others > 0 then
                let ending = if summary.Others = 1 then " connection is" else " connections are"
                report (string summary.Others + ending + " not of Kafka, or encrypted")

            for linkType, packets in summary.UnknownLinks do
                report (string packets + " packets have the link type " + string linkType + ", which cannot be read")
                fail ()
        with
        | :? InvalidCapture as wrong -> trouble wrong.Offset (Trouble.at wrong.Offset "" wrong.Message)
        | :? InvalidText as wrong -> trouble bytes.Arrived (Trouble.ofText bytes.Arrived wrong)

    /// Whether all input so far was readable.
    member _.IsWhole = isWhole && batches.IsWhole

    /// Records that an input could not be read.
    member _.Fail() = fail ()

    /// Prints a file or standard input. `file` is its name if there are several.
    member _.One(content: Content, place: Place, file: string option, input: Stream, report: string -> unit) =
        isLive <- options.Follow || not input.CanSeek

        let topic () =
            match options.Decoding, place with
            | Decoding.Topic topic, _ -> Some topic
            | Decoding.ByFile, Place.File path -> InternalTopic.ofFile path
            | Decoding.ByFile, Place.StandardInput
            | Decoding.Never, _ -> None

        match content, options.Encoding with
        | Content.Frames, Some Encoding.Raw -> alone input
        | Content.Frames, Some Encoding.Base64 -> lines TextDecoder.base64 input
        | Content.Frames, _ -> lines TextDecoder.hex input
        | Content.Stream, _ -> stream (frames input)
        | Content.Log, (None | Some Encoding.Raw) when not isLive && Division.isWorthwhile division input -> logInParts (topic ()) input
        | Content.Log, _ -> log (topic ()) (byteReader input)
        | Content.Capture, _ -> capture report input
        | Content.Statistics, _ -> statistics file (byteReader input)
        | Content.Index, _ ->
            match place with
            | Place.File path -> index file path
            | Place.StandardInput -> ()

    /// Prints a frame that has been read.
    member _.Show(frame: Frame) = print frame

    member _.Conversation(requests: Stream, responses: Stream) =
        isLive <- not (requests.CanSeek && responses.CanSeek)
        conversation (frames requests) (frames responses)
