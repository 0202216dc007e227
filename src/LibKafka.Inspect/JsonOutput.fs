/// Prints frames, batches and records as JSON lines.
module LibKafka.Inspect.JsonOutput

open System
open System.Collections.Generic
open System.Text
open System.Text.Encodings.Web
open System.Text.Json
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Storage
open LibKafka.Inspect.Utf8Output
open LibKafka.Inspect.Options
open LibKafka.Inspect.Input
open LibKafka.Inspect.Frames
open LibKafka.Inspect.Records
open LibKafka.Inspect.Output

[<Sealed>]
type JsonPrinter(output: Utf8Output, options: Options) =
    let json =
        new Utf8JsonWriter(output.Buffer, JsonWriterOptions(Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true))

    let mutable file: string option = None

    let write (offset: int64) (fill: unit -> unit) =
        json.WriteStartObject()
        file |> Option.iter (fun name -> json.WriteString("file", name))
        json.WriteNumber("offset", offset)
        fill ()
        json.WriteEndObject()
        json.Flush()
        output.EndLine()
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
        number "lastSequence" (int64 batch.LastSequence)
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

    let headers (record: Record) =
        json.WriteStartArray "headers"

        for found in record.Headers do
            header (found.ToHeader())

        json.WriteEndArray()

    let plain (record: Record) =
        content "key" options.Keys (not record.HasKey) record.Key.Span
        content "value" options.Values (not record.HasValue) record.Value.Span
        headers record

    let shoutedNames = Dictionary<string, string>()

    /// The type's name as Kafka's own tool writes it for records without keys: `TOPIC_RECORD`.
    let shouted (name: string) : string =
        match shoutedNames.TryGetValue name with
        | true, known -> known
        | _ ->
            let text = StringBuilder()

            name
            |> Seq.iteri (fun index letter ->
                if index > 0 && Char.IsUpper letter then text.Append '_' |> ignore
                text.Append(Char.ToUpperInvariant letter) |> ignore)

            shoutedNames[name] <- text.ToString()
            shoutedNames[name]

    let raw (name: string) (body: ReadOnlyMemory<byte>) =
        json.WritePropertyName name
        json.WriteRawValue(body.Span, true)

    /// The content in the form of Kafka's own tool.
    let stored (decoded: StoredUtf8) (record: Record) =
        json.WriteString("type", decoded.Name)
        if record.HasKey then json.WriteNumber("keySize", record.Key.Length)
        if record.HasValue then json.WriteNumber("valueSize", record.Value.Length)

        if not decoded.Key.IsEmpty && options.Keys then
            json.WriteStartObject "key"
            json.WriteString("type", string decoded.Id)
            raw "data" decoded.Key
            json.WriteEndObject()

        match decoded.Value with
        | ValueNone -> json.WriteNull "payload"
        | ValueSome _ when not options.Values -> ()
        | ValueSome value ->
            json.WriteStartObject "payload"

            if not decoded.Key.IsEmpty then
                json.WriteString("version", string value.Version)
            else
                json.WriteString("type", shouted decoded.Name)
                json.WriteNumber("version", int value.Version)

            raw "data" value.Value
            json.WriteEndObject()

        headers record

    let recordContent (found: RecordContent) (record: Record) =
        match found with
        | RecordContent.Control ->
            match ControlRecord.ofRecord record with
            | Ok found -> control found
            | Error _ -> plain record
        | RecordContent.Decoded decoded when decoded.Name <> "" -> stored decoded record
        | RecordContent.Decoded decoded ->
            json.WriteNumber("unknownType", decoded.Id)
            plain record
        | RecordContent.Broken fault ->
            plain record
            json.WriteString("fault", fault.Problem.ToString())
            json.WriteString("path", fault.Path)
        | RecordContent.Plain -> plain record

    /// The content of a frame. A SASL token has no API and no version.
    let content (body: Body) (identity: Identity option) =
        let write (text: Result<string, Fault>) =
            match text with
            | Ok text ->
                json.WritePropertyName "body"
                json.WriteRawValue(text, true)
            | Error _ -> ()

        match body, identity with
        | Body.Request request, Some identity when options.ShowSecrets -> write (Request.toJson identity.Version request)
        | Body.Request request, Some identity -> write (Request.toJsonWithoutSecrets identity.Version request)
        | Body.Response response, Some identity when options.ShowSecrets -> write (Response.toJson identity.Version response)
        | Body.Response response, Some identity -> write (Response.toJsonWithoutSecrets identity.Version response)
        | Body.SaslToken token, _ ->
            let isShown = options.ShowSecrets || token.Length = 0
            json.WriteString("saslToken", (if isShown then Convert.ToBase64String token.Span else SecretText.Hidden))
        | _, None -> ()

    interface Printer with

        member _.On(other) =
            let printer: Printer = JsonPrinter(other, options)
            file |> Option.iter printer.File
            printer

        member _.File(name) = file <- Some name

        member _.Frame(frame) =
            write frame.Offset (fun () ->
                frame.Line |> Option.iter (fun number -> json.WriteNumber("line", number))
                frame.Connection |> Option.iter (fun number -> json.WriteNumber("connection", number))
                frame.Time |> Option.iter (fun time -> json.WriteNumber("time", time))
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
                | Some body, identity -> content body identity
                | None, _ -> ()

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

        member _.Record(field, place, record) =
            let record = record

            write place.Offset (fun () ->
                kind "record"
                whereabouts field
                json.WriteStartObject "record"
                json.WriteNumber("offset", record.Offset)
                json.WriteNumber("timestamp", record.Timestamp)

                match place.Sequence with
                | ValueSome sequence -> json.WriteNumber("sequence", sequence)
                | ValueNone -> ()

                recordContent place.Content record
                json.WriteEndObject())
