/// Reads the inputs and prints their content.
module LibKafka.Inspect.Program

open System
open System.IO
open System.Text
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Compression
open LibKafka.Inspect.Options
open LibKafka.Inspect.Input
open LibKafka.Inspect.Frames
open LibKafka.Inspect.Records
open LibKafka.Inspect.Output

/// One run of the tool. Every frame and batch is printed and flushed immediately, because the output may be a pipe.
[<Sealed>]
type private Inspection(options: Options, printer: Printer, flush: unit -> unit) =
    let reading =
        { Limits = options.Limits
          Codecs = AllCodecs.Set
          Buffer = ValueSome(CodecBuffer())
          // The record sets were split with verified checksums.
          VerifyChecksum = false }

    let mutable isWhole = true

    let records (field: Field option) (offset: int64) (isControl: bool) (compression: CompressionType) (item: RecordSetItem) =
        let print () (record: Record) = printer.Record(field, offset, isControl, record)

        match RecordSetItem.openRecords reading item |> Result.bind (BatchRecords.fold print ()) with
        | Ok() -> ()
        | Error fault ->
            let found =
                match fault.Problem with
                | _ when compression = CompressionType.None -> Trouble.ofFault (offset - int64 item.Position) fault
                | problem ->
                    Trouble.at offset fault.Path (problem.ToString() + " (byte " + string fault.Offset + " of the decompressed records)")

            isWhole <- false
            printer.Item(field, Item.Trouble(offset, found))

    let item (field: Field option) (item: Item) =
        printer.Item(field, item)

        match item with
        | Item.Batch(offset, batch, found) when options.Records -> records field offset batch.IsControl batch.Compression found
        | Item.Legacy(offset, batch, found) when options.Records -> records field offset false batch.Compression found
        | Item.Trouble _ -> isWhole <- false
        | Item.Batch _
        | Item.Legacy _
        | Item.CutOff _
        | Item.Zeros _ -> ()

    let print (frame: Frame) =
        if frame.Trouble.IsSome then isWhole <- false
        printer.Frame frame

        if options.Records then
            for field in frame.Body |> Option.map fields |> Option.defaultValue [] do
                itemsOf frame field |> Seq.iter (item (Some field))

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
            | StreamFrame.Whole(_, bytes) -> request.IsNone || ahead = 100 || reader.HasRequestOf bytes
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

    let line (reader: Reader) (decoder: TextDecoder) (line: Line) =
        let begins (mark: byte) = line.Text.Length > 0 && line.Text.Span[0] = mark
        let text = if begins '<'B || begins '>'B then line.Text.Slice 1 else line.Text

        let unread bytes = Frame.unread (begins '<'B) 0L 0 (Some line.Number) bytes

        if line.IsTooLong then
            noFrame (unread Bytes.empty) (Trouble.at 0L "" "the line is longer than the largest frame")
        elif text.Length > 0 && not (begins '#'B) then
            match decoder.Line text with
            | Ok bytes -> frame reader (unread (Bytes bytes))
            | Error(at, reason) -> noFrame (unread Bytes.empty) (Trouble.at at "" reason)

    let lines (newDecoder: unit -> TextDecoder) (input: Stream) =
        let reader = Reader options.Limits
        let lines = Lines(input, int (min (int64 Array.MaxLength) (4L * int64 options.Limits.MaxFrameBytes)))
        let mutable next = lines.Next()

        while next.IsSome do
            line reader (newDecoder ()) next.Value
            next <- lines.Next()

    let alone (input: Stream) =
        let most = min (int64 Array.MaxLength) (int64 options.Limits.MaxFrameBytes + 1L)
        let bytes = ByteReader(input, ValueNone).Fill([||], int most)
        frame (Reader options.Limits) (Frame.unread false 0L 0 None (Bytes bytes))

    let log (byteReader: ByteReader) =
        for found in segment options.Limits byteReader do
            item None found
            flush ()

    let decoder (encoding: Encoding) : TextDecoder voption =
        match encoding with
        | Encoding.Hex -> ValueSome(TextDecoder.hex ())
        | Encoding.Base64 -> ValueSome(TextDecoder.base64 ())
        | Encoding.Raw -> ValueNone

    let byteReader (input: Stream) = ByteReader(input, decoder (defaultArg options.Encoding Encoding.Raw))
    let frames (input: Stream) = StreamFrames(options.Limits, byteReader input)

    /// Whether all input so far was readable.
    member _.IsWhole = isWhole

    /// Records that an input could not be read.
    member _.Fail() = isWhole <- false

    member _.One(content: Content, input: Stream) =
        match content, options.Encoding with
        | Content.Frames, Some Encoding.Raw -> alone input
        | Content.Frames, Some Encoding.Base64 -> lines TextDecoder.base64 input
        | Content.Frames, _ -> lines TextDecoder.hex input
        | Content.Stream, _ -> stream (frames input)
        | Content.Log, _ -> log (byteReader input)

    member _.Conversation(requests: Stream, responses: Stream) = conversation (frames requests) (frames responses)

let private inspect (options: Options) (input: Stream) (output: TextWriter) (complain: string -> unit) : int =
    let printer: Printer =
        match options.Format with
        | Format.Text -> TextPrinter(output, options)
        | Format.Json -> JsonPrinter(output, options)

    let inspection = Inspection(options, printer, output.Flush)

    let name (place: Place) =
        match place with
        | Place.StandardInput -> "standard input"
        | Place.File path -> path

    let reading (place: Place) (read: Stream -> unit) =
        try
            match place with
            | Place.StandardInput -> read input
            | Place.File path ->
                use file = openFile path
                read file
        with :? InputFailure as failure ->
            inspection.Fail()
            complain ("cannot read " + name place + ": " + failure.Message)

    for source in options.Inputs do
        match source with
        | Input.One(content, place) ->
            if options.Inputs.Length > 1 then printer.File(name place)
            reading place (fun input -> inspection.One(content, input))
        | Input.Conversation(requests, responses) ->
            reading requests (fun requests -> reading responses (fun responses -> inspection.Conversation(requests, responses)))

    if inspection.IsWhole then 0 else 1

let private version () =
    match typeof<Inspection>.Assembly.GetName().Version with
    | null -> "libkafka-inspect"
    | version -> "libkafka-inspect " + version.ToString 3

/// Runs the tool with its arguments, standard input, output and error output. Returns the exit code.
let run (arguments: string list) (input: Stream) (output: TextWriter) (complaints: TextWriter) : int =
    let complain (line: string) = complaints.Write("libkafka-inspect: " + line + "\n")

    let code =
        match parse arguments with
        | Ok(Command.Run options) -> inspect options input output complain
        | Ok Command.Help ->
            output.Write(help + "\n")
            0
        | Ok Command.Version ->
            output.Write(version () + "\n")
            0
        | Error reason ->
            complain (reason + "; see --help")
            2

    output.Flush()
    code

[<EntryPoint>]
let main arguments =
    use input = Console.OpenStandardInput()
    use output = new StreamWriter(Console.OpenStandardOutput(), UTF8Encoding false, 65536)

    try
        run (List.ofArray arguments) input output Console.Error
    with :? IOException as failure ->
        Console.Error.WriteLine("libkafka-inspect: cannot write: " + failure.Message)
        1
