namespace LibKafka.Storage

open System
open LibKafka.Wire

/// An action on the content of a record of the metadata log, or of `__remote_log_metadata`, of any type.
type IContentVisitor<'Result> =
    abstract Visit: id: int32 * message: Message<'T> * value: 'T -> 'Result
    abstract Unknown: content: UnknownContent -> 'Result

/// An action on a type of record of the metadata log, or of `__remote_log_metadata`. `case` is the case of the union.
type internal IContentTypeAction<'Record, 'Result> =
    abstract Type: message: Message<'T> * case: ('T -> 'Record) -> 'Result
    abstract Unknown: 'Result

/// The frame of records in the metadata log and in `__remote_log_metadata`: the version of the frame, the number of the type, and the version
/// of the message that follows (KIP-595).
type internal FrameHead = { FrameVersion: uint32; Type: uint32; Version: uint32 }

[<RequireQualifiedAccess>]
module internal FrameHead =

    open LibKafka.Wire.Notation

    let private schema = message {
        let! frameVersion = field "FrameVersion" _.FrameVersion unsignedVarint
        and! recordType = field "Type" _.Type unsignedVarint
        and! version = field "Version" _.Version unsignedVarint
        return { FrameVersion = frameVersion; Type = recordType; Version = version }
    }

    /// The frame of the records of a topic.
    let message (topic: string) : Message<FrameHead> = Message.define topic (versions 0 0) schema

/// Writes the records of one type of the metadata log, or of `__remote_log_metadata`, as JSON.
[<AbstractClass>]
type internal ContentTranscoder() =
    abstract Transcode: transcoder: StoredTranscoder * version: int16 * body: Bytes -> Result<StoredUtf8, Fault>

[<RequireQualifiedAccess>]
module internal Framed =

    /// The only version of the frame.
    [<Literal>]
    let FrameVersion = 1u

    let private splitAny (limits: Limits) (topic: string) (bytes: Bytes) : Result<struct (int32 * int16 * Bytes), Fault> =
        match Message.decodePrefix limits 0s (FrameHead.message topic) bytes with
        | Error fault -> Error fault
        | Ok(struct (head, size)) ->
            let versionAt = size - Varint.size32 head.Version
            let typeAt = versionAt - Varint.size32 head.Type
            let most = uint32 Int16.MaxValue

            let refuse (name: string) (offset: int) (number: uint32) (lowest: uint32) (highest: uint32) =
                let problem = Problem.OutOfRange(int64 number, int64 lowest, int64 highest)
                Error { Problem = problem; Offset = offset; Path = topic + "/" + name }

            if head.FrameVersion <> FrameVersion then
                refuse "FrameVersion" 0 head.FrameVersion FrameVersion FrameVersion
            elif head.Type > most then
                refuse "Type" typeAt head.Type 0u most
            elif head.Version > most then
                refuse "Version" versionAt head.Version 0u most
            else
                Ok(struct (int32 head.Type, int16 head.Version, bytes.Slice(size, bytes.Length - size)))

    /// The number of the type, the version and the content of a record. All types so far have a frame of three bytes.
    let private split (limits: Limits) (topic: string) (bytes: Bytes) : Result<struct (int32 * int16 * Bytes), Fault> =
        let span = bytes.Span

        if span.Length >= 3 && span[0] = byte FrameVersion && span[1] < 0x80uy && span[2] < 0x80uy then
            Ok(struct (int32 span[1], int16 span[2], bytes.Slice(3, bytes.Length - 3)))
        else
            splitAny limits topic bytes

    /// Reads the frame, and then the content according to the number of its type and its version.
    let decode
        (topic: string)
        (visitType: IContentTypeAction<'Record, Result<'Record, Fault>> -> int32 -> Result<'Record, Fault>)
        (unknown: UnknownContent -> 'Record)
        (limits: Limits)
        (bytes: Bytes)
        : Result<Versioned<'Record>, Fault> =
        split limits topic bytes
        |> Result.bind (fun struct (id, version, body) ->
            id
            |> visitType
                { new IContentTypeAction<'Record, Result<'Record, Fault>> with
                    member _.Type(message, case) = Message.decode limits version message body |> Result.map case
                    member _.Unknown = Ok(unknown { Id = id; Body = body }) }
            |> Result.map (fun record -> { Version = version; Value = record })
            |> Result.mapError (Fault.after (bytes.Length - body.Length)))

    /// The frame and the content after it.
    let encode (id: int32) (version: int16) (body: Bytes) : Bytes =
        let writer = Writer(8 + body.Length)
        writer.UnsignedVarint FrameVersion
        writer.UnsignedVarint(uint32 id)
        writer.UnsignedVarint(uint32 version)
        writer.Raw body.Span
        writer.ToBytes()

    let encodeContent (version: int16) =
        { new IContentVisitor<Result<Bytes, Fault>> with
            member _.Visit(id, message, value) = Message.encode version message value |> Result.map (encode id version)
            member _.Unknown content = Ok(encode content.Id version content.Body) }

    let toJson (version: int16) =
        { new IContentVisitor<Result<StoredJson, Fault>> with
            member _.Visit(id, message, value) =
                Message.toJson version message value
                |> Result.map (fun json ->
                    { StoredJson.Name = message.Name; Id = id; Key = ""; Value = Some { Version = version; Value = json } })

            member _.Unknown content =
                let body = "\"" + Convert.ToBase64String content.Body.Span + "\""
                Ok { StoredJson.Name = ""; Id = content.Id; Key = ""; Value = Some { Version = version; Value = body } } }

    let show (version: int16) =
        { new IContentVisitor<string> with
            member _.Visit(_, message, value) = message.Name + " v" + string version + " " + Schema.show message.Schema value

            member _.Unknown content = StoredText.ofUnknown content.Id + " v" + string version + " " + StoredText.ofBytes content.Body }

    /// A one-line description without the version.
    let text =
        { new IContentVisitor<string> with
            member _.Visit(_, message, value) = Message.show message value
            member _.Unknown content = content.ToString() }

    /// It is a fault if bytes remain after the message.
    let private knownTranscoder (id: int32) (message: Message<'T>) =
        { new ContentTranscoder() with
            member _.Transcode(transcoder, version, body) =
                match transcoder.Write(version, message, body) with
                | Error fault -> Error fault
                | Ok size when size < body.Length ->
                    Error { Problem = Problem.TrailingBytes(body.Length - size); Offset = size; Path = message.Name }
                | Ok _ ->
                    Ok
                        { StoredUtf8.Name = message.Name
                          Id = id
                          Key = ReadOnlyMemory.Empty
                          Value = ValueSome { Version = version; Value = transcoder.Written } } }

    let private unknownTranscoder (id: int32) =
        { new ContentTranscoder() with
            member _.Transcode(_, version, body) = (toJson version).Unknown { Id = id; Body = body } |> Result.map StoredUtf8.OfJson }

    /// The transcoders of the types of a topic.
    let transcoders (visitType: IContentTypeAction<'Record, ContentTranscoder> -> int32 -> ContentTranscoder) : ByType<ContentTranscoder> =
        ByType(fun id ->
            id
            |> visitType
                { new IContentTypeAction<'Record, ContentTranscoder> with
                    member _.Type(message, _) = knownTranscoder id message
                    member _.Unknown = unknownTranscoder id })

    /// The JSON of a record, according to the number of its type and its version.
    let transcode
        (topic: string)
        (transcoders: ByType<ContentTranscoder>)
        (transcoder: StoredTranscoder)
        (bytes: Bytes)
        : Result<StoredUtf8, Fault> =
        transcoder.Clear()

        match split transcoder.Limits topic bytes with
        | Error fault -> Error fault
        | Ok(struct (id, version, body)) ->
            match transcoders.Of(id).Transcode(transcoder, version, body) with
            | Error fault -> Error(Fault.after (bytes.Length - body.Length) fault)
            | found -> found
