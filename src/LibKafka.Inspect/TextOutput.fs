/// Prints frames, batches and records as text.
module LibKafka.Inspect.TextOutput

open System
open System.Buffers
open System.Text
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Inspect.Wording
open LibKafka.Inspect.Terminal
open LibKafka.Storage
open LibKafka.Inspect.Utf8Output
open LibKafka.Inspect.Options
open LibKafka.Inspect.Input
open LibKafka.Inspect.Frames
open LibKafka.Inspect.Records
open LibKafka.Inspect.Output

/// What most lines have. It is UTF-8 already.
module private Words =

    let offsets = "offsets "B
    let upTo = " to "B
    let comma = ", "B
    let record = " record, "B
    let records = " records, "B
    let bytes = " bytes, leader epoch "B
    let latest = ", latest "B
    let version = " v"B
    let indent = "  "B

/// The bytes of UTF-8 text that are not printed as they are, because a terminal might interpret them: quotation marks, backslashes and
/// control characters. Those above 0x7F begin with the byte 0xC2, as other characters do.
let private special =
    SearchValues.Create
        [| yield! "\"\\"B
           for code in 0uy .. 0x1Fuy do
               code
           0x7Fuy
           0xC2uy |]

[<Sealed>]
type TextPrinter(output: Utf8Output, options: Options, hasColors: bool) =
    let mutable files = 0
    let mutable lastSecond = Int64.MinValue
    let mutable lastTime = Array.empty<byte>
    let mutable lastAttributes = BatchAttributes.none
    let mutable lastAttributesText = ""

    let add (text: string) = output.Add text
    let addNumber (number: int64) = output.Add number
    let addWord (word: byte[]) = output.Add(ReadOnlySpan<byte> word)
    let addSpace () = output.Add ' 'B

    let start (style: Style) = if hasColors then add (Style.start style)
    let reset () = if hasColors then add Style.Reset

    let styled (style: Style) (text: string) =
        start style
        add text
        reset ()

    let escapeCode (code: byte) =
        add "\\u00"
        add (code.ToString "x2")

    /// Prints the special byte at the start of the text, and returns the number of bytes of the character.
    let escapeFirst (text: ReadOnlySpan<byte>) : int =
        match text[0] with
        | '"'B -> add "\\\""
        | '\\'B -> add "\\\\"
        | '\n'B -> add "\\n"
        | '\r'B -> add "\\r"
        | '\t'B -> add "\\t"
        | 0xC2uy when text.Length > 1 && text[1] < 0xA0uy -> escapeCode text[1]
        | 0xC2uy -> output.Add 0xC2uy
        | code -> escapeCode code

        if text[0] = 0xC2uy && text.Length > 1 && text[1] < 0xA0uy then 2 else 1

    let escapeBytes (text: ReadOnlySpan<byte>) =
        let mutable rest = text
        let mutable at = rest.IndexOfAny special

        while at >= 0 do
            output.Add(rest.Slice(0, at))
            let size = escapeFirst (rest.Slice at)
            rest <- rest.Slice(at + size)
            at <- rest.IndexOfAny special

        output.Add rest

    let escape (text: string) = escapeBytes (ReadOnlySpan<byte>(Encoding.UTF8.GetBytes text))

    /// A time. Most records have the same second as the one before, whose text is kept.
    let addTime (milliseconds: int64) =
        let second = milliseconds / 1000L

        if second <> lastSecond then
            lastSecond <- second
            lastTime <- Encoding.UTF8.GetBytes(time milliseconds)

        let zone = lastTime.Length - 1

        // Out of range it is a number.
        if lastTime[zone] = 'Z'B then
            let rest = int (milliseconds % 1000L)
            lastTime[zone - 3] <- '0'B + byte (rest / 100)
            lastTime[zone - 2] <- '0'B + byte (rest / 10 % 10)
            lastTime[zone - 1] <- '0'B + byte (rest % 10)
            output.Add(ReadOnlySpan<byte> lastTime)
        else
            addNumber milliseconds

    let quote (text: string) =
        add "\""
        escape text
        add "\""

    let write () = output.EndLine()

    let unreadable (trouble: Trouble) =
        start Style.Trouble
        add "unreadable at byte "
        add (string trouble.At)
        add ": "

        if trouble.Path <> "" then
            add trouble.Path
            add ": "

        add trouble.Reason
        reset ()

    /// A message without its name, which has been printed already.
    let body (body: Body) =
        let message (text: string) = add (text.Substring(text.IndexOf ' ' + 1))

        match body with
        | Body.Request request when options.ShowSecrets -> message (Request.showWithSecrets request)
        | Body.Request request -> message (Request.show request)
        | Body.Response response when options.ShowSecrets -> message (Response.showWithSecrets response)
        | Body.Response response -> message (Response.show response)
        | Body.SaslToken token ->
            styled Style.Name "SASL token"
            add ": "
            add (if options.ShowSecrets || token.Length = 0 then "0x" + Bytes.toHex token else SecretText.Hidden)

    let identify (isResponse: bool) (identity: Identity) =
        styled Style.Name identity.Api.Name
        add (" v" + string identity.Version)
        add (if isResponse then " response" else " request")
        identity.CorrelationId |> Option.iter (fun id -> add (", correlation " + string id))

        match identity.ClientId with
        | Some client ->
            add ", client "
            quote client
        | None -> ()

        add ": "

    let indent (field: Field option) = if field.IsSome then add "  "

    let at (field: Field option) (offset: int64) =
        indent field
        start Style.Dim
        output.Add '@'B
        addNumber offset
        addSpace ()
        reset ()

        match field with
        | Some field ->
            escape field.Topic
            add ("-" + string field.Partition + ": ")
        | None -> ()

    /// Most batches have the same attributes as the one before, whose text is kept.
    let attributes (found: BatchAttributes) : string =
        if found <> lastAttributes || lastAttributesText = "" then
            lastAttributes <- found
            lastAttributesText <- found.ToString()

        lastAttributesText

    let batch (batch: RecordBatch) =
        addWord Words.offsets
        addNumber batch.BaseOffset
        addWord Words.upTo
        addNumber batch.LastOffset
        addWord Words.comma
        addNumber batch.Count
        addWord (if batch.Count = 1 then Words.record else Words.records)
        add (attributes batch.Attributes)
        addWord Words.comma
        addNumber batch.SizeInBytes
        addWord Words.bytes
        addNumber batch.PartitionLeaderEpoch

        if batch.ProducerId >= 0L then
            add (", producer " + string batch.ProducerId + " epoch " + string batch.ProducerEpoch)
            if batch.BaseSequence >= 0 then add (" sequence " + string batch.BaseSequence)

        batch.DeleteHorizon |> ValueOption.iter (fun horizon -> add (", delete horizon " + time horizon))
        if batch.MaxTimestamp >= 0L then
            addWord Words.latest
            addTime batch.MaxTimestamp

    let addSize (bytes: int) = add (string bytes + plural bytes " byte" " bytes")

    let content (isShown: bool) (isNull: bool) (bytes: ReadOnlySpan<byte>) =
        if isNull then
            add "null"
        elif not isShown then
            addSize bytes.Length
        elif isText bytes then
            add "\""
            escapeBytes bytes
            add "\""
        else
            add "0x"
            add (Convert.ToHexStringLower bytes)

    let header (header: RecordHeader) =
        quote header.Name
        add ": "

        match header.Value with
        | ValueSome value -> content options.Values false value.Span
        | ValueNone -> add "null"

    let headers (record: inref<Record>) =
        if record.HeaderCount > 0 then
            add " headers {"
            let mutable first = true

            for found in record.Headers do
                if not first then add ", "
                first <- false
                header (found.ToHeader())

            add "}"

    let plain (record: inref<Record>) =
        add "key "
        start Style.Key
        content options.Keys (not record.HasKey) record.Key.Span
        reset ()
        add " value "
        content options.Values (not record.HasValue) record.Value.Span
        headers &record

    let control (record: inref<Record>) =
        match ControlRecord.ofRecord record with
        | Ok control ->
            add "control "
            styled Style.Name (control.Type.ToString())

            match controlBody control, control.Value with
            | Some(Ok(text, _)), _ -> add (" " + text)
            | _, ValueSome value -> add (" 0x" + Bytes.toHex value)
            | _, ValueNone -> ()
        | Error _ -> plain &record

    /// A record of an internal topic: its type, its key, and its value with the version.
    let stored (decoded: StoredUtf8) (record: inref<Record>) =
        styled Style.Name decoded.Name

        if not decoded.Key.IsEmpty then
            addSpace ()
            start Style.Key
            if options.Keys then output.Add decoded.Key.Span else addSize record.Key.Length
            reset ()

        match decoded.Value with
        | ValueNone -> add " tombstone"
        | ValueSome value ->
            addWord Words.version
            addNumber (int64 value.Version)
            addSpace ()
            if options.Values then output.Add value.Value.Span else addSize record.Value.Length

        headers &record

    interface Printer with

        member _.On(other) = TextPrinter(other, options, hasColors)

        member _.File(name) =
            if files > 0 then write ()
            files <- files + 1
            styled Style.Heading ("==> " + name + " <==")
            write ()

        member _.Frame(frame) =
            start Style.Dim
            frame.Connection |> Option.iter (fun number -> add ("[" + string number + "] "))

            match frame.Time with
            | Some time ->
                addTime time
                add " "
            | None -> ()

            reset ()
            frame.Number |> Option.iter (fun number -> add ("#" + string number + " "))
            if frame.Trouble.IsSome then
                frame.Line |> Option.iter (fun number -> add ("line " + string number + " "))
            add (if frame.IsResponse then "← " else "→ ")
            frame.Identity |> Option.iter (identify frame.IsResponse)
            frame.Body |> Option.iter body

            match frame.Body, frame.Trouble with
            | Some _, Some trouble ->
                add " ("
                unreadable trouble
                add ")"
            | _, trouble -> trouble |> Option.iter unreadable

            write ()

        member _.Item(field, item) =
            match item with
            | Item.Batch(offset, found, _) ->
                at field offset
                batch found
            | Item.Legacy(offset, found, _) ->
                at field offset
                add (found.ToString())
                if found.Timestamp >= 0L then add (", latest " + time found.Timestamp)
            | Item.Trouble(offset, trouble) ->
                at field offset
                unreadable trouble
            | Item.CutOff(offset, bytes) ->
                at field offset
                add ("cut off after " + string bytes + plural bytes " byte" " bytes" + ", as is usual at the end of a fetch response")
            | Item.Zeros(offset, bytes) ->
                at field offset
                add (string bytes + plural bytes " byte" " bytes" + " of zeros: preallocated space")

            write ()

        member _.Record(field, place, record) =
            indent field
            start Style.Dim
            addWord Words.indent
            addNumber record.Offset
            addSpace ()

            if record.Timestamp >= 0L then
                addTime record.Timestamp
                addSpace ()

            reset ()

            match place.Content with
            | RecordContent.Plain -> plain &record
            | RecordContent.Control -> control &record
            | RecordContent.Decoded decoded when decoded.Name <> "" -> stored decoded &record
            | RecordContent.Decoded decoded ->
                plain &record
                add (" (record of unknown type " + string decoded.Id + ")")
            | RecordContent.Broken fault ->
                plain &record
                styled Style.Trouble (" (not decoded: " + fault.ToString() + ")")

            write ()
