namespace LibKafka.Storage

open System
open LibKafka.Wire

/// An action on the content of a record of the metadata log, or of `__remote_log_metadata`, of any type.
type IContentVisitor<'Result> =
    abstract Visit: id: int32 * message: Message<'T> * value: 'T -> 'Result
    abstract Unknown: content: UnknownContent -> 'Result

/// The frame of records in the metadata log and in `__remote_log_metadata`: three unsigned varints, which are the version of the frame, the
/// number of the type, and the version of the message that follows (KIP-595).
[<RequireQualifiedAccess>]
module internal Framed =

    /// The only version of the frame.
    [<Literal>]
    let FrameVersion = 1u

    let private names = [| "FrameVersion"; "Type"; "Version" |]

    /// An unsigned varint of at most five bytes at a position, and the position after it.
    let private varint (name: string) (bytes: Bytes) (position: int) : Result<struct (uint32 * int), Fault> =
        let fault problem at = Error { Problem = problem; Offset = at; Path = name }

        let rec next (value: uint32) (size: int) =
            let at = position + size

            if at >= bytes.Length then
                fault (Problem.Truncated(1L, 0)) at
            else
                let group = bytes.Span[at]

                if size = Varint.MaxBytes32 - 1 && group > 0x0Fuy then
                    fault (Problem.BadVarint Varint.MaxBytes32) at
                else
                    let value = value ||| (uint32 (group &&& 0x7Fuy) <<< (7 * size))
                    if group >= 0x80uy then next value (size + 1) else Ok(struct (value, at + 1))

        next 0u 0

    /// A number that must fit in 16 bits.
    let private small (name: string) (at: int) (number: uint32) : Result<int16, Fault> =
        if number <= uint32 Int16.MaxValue then
            Ok(int16 number)
        else
            Error { Problem = Problem.OutOfRange(int64 number, 0L, int64 Int16.MaxValue); Offset = at; Path = name }

    /// Reads the frame, and then the content according to the number of its type and its version.
    let decode
        (topic: string)
        (bytes: Bytes)
        (decodeBody: int32 -> int16 -> Bytes -> Result<'Record, Fault>)
        : Result<Versioned<'Record>, Fault> =
        let read index position = varint (topic + "/" + names[index]) bytes position

        let content (id: uint32) (at: int) =
            read 2 at
            |> Result.bind (fun struct (version, start) ->
                small (topic + "/" + names[2]) at version
                |> Result.bind (fun version ->
                    small (topic + "/" + names[1]) 0 id
                    |> Result.bind (fun id ->
                        decodeBody (int32 id) version (bytes.Slice(start, bytes.Length - start))
                        |> Result.map (fun record -> { Version = version; Value = record })
                        |> Result.mapError (Fault.after start))))

        read 0 0
        |> Result.bind (fun struct (frame, at) ->
            if frame <> FrameVersion then
                let problem = Problem.OutOfRange(int64 frame, int64 FrameVersion, int64 FrameVersion)
                Error { Problem = problem; Offset = 0; Path = topic + "/" + names[0] }
            else
                read 1 at |> Result.bind (fun struct (id, at) -> content id at))

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
                |> Result.map (fun json -> { Name = message.Name; Id = id; Key = ""; Value = Some { Version = version; Value = json } })

            member _.Unknown content =
                let body = "\"" + Convert.ToBase64String content.Body.Span + "\""
                Ok { Name = ""; Id = content.Id; Key = ""; Value = Some { Version = version; Value = body } } }

    let show (version: int16) =
        { new IContentVisitor<string> with
            member _.Visit(_, message, value) = message.Name + " v" + string version + " " + Schema.show message.Schema value

            member _.Unknown content =
                "record of unknown type " + string content.Id + " v" + string version + " 0x" + content.Body.ToString() }
