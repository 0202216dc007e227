/// Prints frames, batches and records as text or as JSON lines.
module LibKafka.Inspect.Output

open System
open System.Buffers
open System.Globalization
open System.IO
open System.Text
open System.Text.Encodings.Web
open System.Text.Json
open System.Text.Unicode
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Inspect.Options
open LibKafka.Inspect.Input
open LibKafka.Inspect.Frames
open LibKafka.Inspect.Records

/// Prints one line for each item. `field` belongs to the frame printed last; in a log there is none.
type Printer =
    /// The following items come from a file of this name.
    abstract File: name: string -> unit
    abstract Frame: frame: Frame -> unit
    abstract Item: field: Field option * item: Item -> unit
    /// A record of the batch printed last, which starts at an offset. The record is valid only during the call.
    abstract Record: field: Field option * offset: int64 * isControl: bool * record: Record -> unit

/// The control characters other than tabs and line ends. Bytes with one of them are not printed as text.
let private controls =
    SearchValues.Create
        [| for code in 0uy .. 0x7Fuy do
               if (code < ' 'B && code <> '\t'B && code <> '\n'B && code <> '\r'B) || code = 0x7Fuy then
                   code |]

let private isText (bytes: ReadOnlySpan<byte>) = Utf8.IsValid bytes && bytes.IndexOfAny controls < 0

/// A time in ISO 8601, or the number if it is out of range.
let private time (milliseconds: int64) =
    if milliseconds >= 0L && milliseconds < 253402300800000L then
        DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
    else
        string milliseconds

// ---------------------------------------------------------------------------------------------------------------------
// Text

[<Sealed>]
type TextPrinter(output: TextWriter, options: Options) =
    let line = StringBuilder()
    let mutable files = 0

    let add (text: string) = line.Append text |> ignore

    /// Text with control characters escaped, because a terminal might interpret them.
    let escape (text: string) =
        for letter in text do
            match letter with
            | '"' -> add "\\\""
            | '\\' -> add "\\\\"
            | '\n' -> add "\\n"
            | '\r' -> add "\\r"
            | '\t' -> add "\\t"
            | letter when Char.IsControl letter ->
                add "\\u"
                add ((int letter).ToString "x4")
            | letter -> line.Append letter |> ignore

    let quote (text: string) =
        add "\""
        escape text
        add "\""

    let write () =
        output.Write line
        output.Write '\n'
        line.Clear() |> ignore

    let unreadable (trouble: Trouble) =
        add "unreadable at byte "
        add (string trouble.At)
        add ": "

        if trouble.Path <> "" then
            add trouble.Path
            add ": "

        add trouble.Reason

    /// A message without its name, which has been printed already.
    let body (body: Body) =
        let text =
            match body with
            | Body.Request request -> Request.show request
            | Body.Response response -> Response.show response

        line.Append(text, text.IndexOf ' ' + 1, text.Length - text.IndexOf ' ' - 1) |> ignore

    let identify (isResponse: bool) (identity: Identity) =
        add identity.Api.Name
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
        add ("@" + string offset + " ")

        match field with
        | Some field ->
            escape field.Topic
            add ("-" + string field.Partition + ": ")
        | None -> ()

    let batch (batch: RecordBatch) =
        add (batch.ToString())
        add (", leader epoch " + string batch.PartitionLeaderEpoch)

        if batch.ProducerId >= 0L then
            add (", producer " + string batch.ProducerId + " epoch " + string batch.ProducerEpoch)
            if batch.BaseSequence >= 0 then add (" sequence " + string batch.BaseSequence)

        batch.DeleteHorizon |> ValueOption.iter (fun horizon -> add (", delete horizon " + time horizon))
        if batch.MaxTimestamp >= 0L then add (", latest " + time batch.MaxTimestamp)

    let content (isShown: bool) (isNull: bool) (bytes: ReadOnlySpan<byte>) =
        if isNull then
            add "null"
        elif not isShown then
            add (string bytes.Length + " bytes")
        elif isText bytes then
            quote (Encoding.UTF8.GetString bytes)
        else
            add "0x"
            add (Convert.ToHexStringLower bytes)

    let header (header: RecordHeader) =
        quote header.Name
        add ": "

        match header.Value with
        | ValueSome value -> content options.Values false value.Span
        | ValueNone -> add "null"

    interface Printer with

        member _.File(name) =
            if files > 0 then write ()
            files <- files + 1
            add ("==> " + name + " <==")
            write ()

        member _.Frame(frame) =
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
                add ("cut off after " + string bytes + " bytes, as is usual at the end of a fetch response")
            | Item.Zeros(offset, bytes) ->
                at field offset
                add (string bytes + (if bytes = 1L then " byte" else " bytes") + " of zeros: preallocated space")

            write ()

        member _.Record(field, _, isControl, record) =
            indent field
            add ("  " + string record.Offset + " ")
            if record.Timestamp >= 0L then add (time record.Timestamp + " ")

            match if isControl then Some(ControlRecord.ofRecord record) else None with
            | Some(Ok control) ->
                add "control "
                add (control.Type.ToString())

                match controlBody control, control.Value with
                | Some(Ok(text, _)), _ -> add (" " + text)
                | _, ValueSome value -> add (" 0x" + Bytes.toHex value)
                | _, ValueNone -> ()
            | _ ->
                add "key "
                content options.Keys (not record.HasKey) record.Key.Span
                add " value "
                content options.Values (not record.HasValue) record.Value.Span

                if record.HeaderCount > 0 then
                    add " headers {"
                    let mutable first = true

                    for found in record.Headers do
                        if not first then add ", "
                        first <- false
                        header (found.ToHeader())

                    add "}"

            write ()

// ---------------------------------------------------------------------------------------------------------------------
// JSON lines

[<Sealed>]
type JsonPrinter(output: TextWriter, options: Options) =
    let buffer = ArrayBufferWriter<byte>()

    let json =
        new Utf8JsonWriter(buffer, JsonWriterOptions(Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true))

    let mutable file: string option = None

    let write (offset: int64) (fill: unit -> unit) =
        json.WriteStartObject()
        file |> Option.iter (fun name -> json.WriteString("file", name))
        json.WriteNumber("offset", offset)
        fill ()
        json.WriteEndObject()
        json.Flush()
        output.Write(Encoding.UTF8.GetString buffer.WrittenSpan)
        output.Write '\n'
        buffer.Clear()
        json.Reset()

    let trouble (trouble: Trouble) =
        json.WriteString("fault", trouble.Reason)
        json.WriteString("path", trouble.Path)
        json.WriteNumber("faultOffset", trouble.At)

    let kind (name: string) = json.WriteString("kind", name)

    let whereabouts (field: Field option) =
        match field with
        | Some field ->
            json.WriteString("path", field.Path)
            json.WriteString("topic", field.Topic)
            json.WriteNumber("partition", field.Partition)
        | None -> ()

    let number (name: string) (value: int64) = json.WriteNumber(name, value)

    let timestampType (value: TimestampType) =
        json.WriteString("timestampType", if value = TimestampType.LogAppendTime then "LogAppendTime" else "CreateTime")

    let batch (batch: RecordBatch) =
        json.WriteStartObject "batch"
        number "baseOffset" batch.BaseOffset
        number "lastOffset" batch.LastOffset
        number "count" (int64 batch.Count)
        number "sizeInBytes" (int64 batch.SizeInBytes)
        number "partitionLeaderEpoch" (int64 batch.PartitionLeaderEpoch)
        number "magic" 2L
        number "crc" (int64 batch.Crc)
        json.WriteString("compression", CompressionType.name batch.Compression)

        timestampType batch.TimestampType
        json.WriteBoolean("transactional", batch.IsTransactional)
        json.WriteBoolean("control", batch.IsControl)

        match batch.DeleteHorizon with
        | ValueSome horizon -> number "deleteHorizon" horizon
        | ValueNone -> json.WriteNull "deleteHorizon"

        number "baseTimestamp" batch.BaseTimestamp
        number "maxTimestamp" batch.MaxTimestamp
        number "producerId" batch.ProducerId
        number "producerEpoch" (int64 batch.ProducerEpoch)
        number "baseSequence" (int64 batch.BaseSequence)
        json.WriteEndObject()

    let message (batch: LegacyBatch) =
        json.WriteStartObject "message"
        number "lastOffset" batch.LastOffset
        number "sizeInBytes" (int64 batch.SizeInBytes)
        number "magic" (int64 batch.Magic)
        number "crc" (int64 batch.Crc)
        json.WriteString("compression", CompressionType.name batch.Compression)

        if batch.Magic > 0y then
            timestampType batch.TimestampType
            number "timestamp" batch.Timestamp

        json.WriteEndObject()

    /// Text has the name itself, hexadecimal digits have `<name>Hex`, and a size has `<name>Bytes`.
    let content (name: string) (isShown: bool) (isNull: bool) (bytes: ReadOnlySpan<byte>) =
        if isNull then json.WriteNull name
        elif not isShown then json.WriteNumber(name + "Bytes", bytes.Length)
        elif isText bytes then json.WriteString(name, bytes)
        else json.WriteString(name + "Hex", Convert.ToHexStringLower bytes)

    let header (header: RecordHeader) =
        json.WriteStartObject()
        content "key" true false header.Key.Span

        match header.Value with
        | ValueSome value -> content "value" options.Values false value.Span
        | ValueNone -> json.WriteNull "value"

        json.WriteEndObject()

    let control (control: ControlRecord) =
        json.WriteString("control", control.Type.ToString())

        match controlBody control, control.Value with
        | Some(Ok(_, body)), _ ->
            json.WritePropertyName "body"
            json.WriteRawValue(body, true)
        | _, ValueSome value -> json.WriteString("valueHex", Bytes.toHex value)
        | _, ValueNone -> json.WriteNull "value"

    interface Printer with

        member _.File(name) = file <- Some name

        member _.Frame(frame) =
            write frame.Offset (fun () ->
                frame.Line |> Option.iter (fun number -> json.WriteNumber("line", number))
                kind (if frame.IsResponse then "response" else "request")

                match frame.Identity with
                | Some identity ->
                    json.WriteString("api", identity.Api.Name)
                    json.WriteNumber("apiKey", int identity.Api.Code)
                    json.WriteNumber("apiVersion", int identity.Version)
                    identity.CorrelationId |> Option.iter (fun id -> json.WriteNumber("correlationId", id))

                    if not frame.IsResponse && frame.Body.IsSome && identity.CorrelationId.IsSome then
                        match identity.ClientId with
                        | Some client -> json.WriteString("clientId", client)
                        | None -> json.WriteNull "clientId"
                | None -> ()

                match frame.Body, frame.Identity with
                | Some body, Some identity ->
                    let text =
                        match body with
                        | Body.Request request -> Request.toJson identity.Version request
                        | Body.Response response -> Response.toJson identity.Version response

                    match text with
                    | Ok text ->
                        json.WritePropertyName "body"
                        json.WriteRawValue(text, true)
                    | Error _ -> ()
                | _ -> ()

                frame.Trouble |> Option.iter trouble)

        member _.Item(field, item) =
            match item with
            | Item.Batch(offset, found, _) ->
                write offset (fun () ->
                    kind "batch"
                    whereabouts field
                    batch found)
            | Item.Legacy(offset, found, _) ->
                write offset (fun () ->
                    kind "message"
                    whereabouts field
                    message found)
            | Item.Trouble(offset, found) -> write offset (fun () -> trouble found)
            | Item.CutOff(offset, bytes) ->
                write offset (fun () ->
                    kind "cutOff"
                    whereabouts field
                    json.WriteNumber("bytes", bytes))
            | Item.Zeros(offset, bytes) ->
                write offset (fun () ->
                    kind "zeros"
                    json.WriteNumber("bytes", bytes))

        member _.Record(field, offset, isControl, record) =
            let key, value = record.KeyMemory.GetValueOrDefault(), record.ValueMemory.GetValueOrDefault()
            let record = record

            write offset (fun () ->
                kind "record"
                whereabouts field
                json.WriteStartObject "record"
                json.WriteNumber("offset", record.Offset)
                json.WriteNumber("timestamp", record.Timestamp)

                match if isControl then Some(ControlRecord.ofRecord record) else None with
                | Some(Ok found) -> control found
                | _ ->
                    content "key" options.Keys (not record.HasKey) key.Span
                    content "value" options.Values (not record.HasValue) value.Span
                    json.WriteStartArray "headers"

                    for found in record.Headers do
                        header (found.ToHeader())

                    json.WriteEndArray()

                json.WriteEndObject())
