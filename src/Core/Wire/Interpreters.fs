namespace LibKafka.Wire

/// A definition with its name and versions: everything that is needed to write and read it by itself.
[<NoEquality; NoComparison>]
type Message<'T> =
    {
        Name: string
        Versions: VersionRange
        /// The first flexible version, or none.
        FlexibleSince: int16 option
        Schema: Schema<'T>
    }

    /// The name and the versions, such as `FetchRequest 4-18`.
    override this.ToString() = this.Name + " " + this.Versions.ToString()

/// The operations on messages. All are pure, and a failure is a `Fault`.
[<RequireQualifiedAccess>]
module Message =

    /// A message from its name, its versions and its definition: `Message.define "EndTxnMarker" (versions 0 0) schema`.
    let define (name: string) (versions: MessageVersions) (schema: Schema<'T>) : Message<'T> =
        { Name = name; Versions = versions.Range; FlexibleSince = versions.FlexibleSince; Schema = schema }

    /// The version of that number, which the message has.
    let private known (message: Message<'T>) (number: int16) : MessageVersion =
        { Number = number; Flexible = message.FlexibleSince |> Option.exists (fun first -> number >= first) }

    let private unsupported (message: Message<'T>) (number: int16) : Fault =
        { Problem = Problem.UnsupportedVersion(number, message.Versions.Lowest, message.Versions.Highest)
          Offset = 0
          Path = message.Name }

    /// The version of that number, or a fault if the message does not have it.
    let version (message: Message<'T>) (number: int16) : Result<MessageVersion, Fault> =
        if message.Versions.Contains number then
            Ok(known message number)
        else
            Error(unsupported message number)

    let private at (message: Message<'T>) number (interpret: Codec<'T> -> 'U) : Result<'U, Fault> =
        version message number |> Result.map (message.Schema.At >> interpret)

    let private fault (error: FaultException) (path: string) = { Problem = error.Problem; Offset = error.Offset; Path = path }

    // After a fault, a second pass keeps track of the path. A message without a fault costs nothing extra.
    let private located (message: Message<'T>) (first: FaultException) (again: Trail | null -> unit) : Fault =
        let trail = Trail message.Name

        try
            again trail
            fault first message.Name
        with :? FaultException ->
            fault first (trail.ToString())

    /// Appends a value to what the writer holds. After a fault or an exception the writer is as it was before.
    let internal writeTo (writer: Writer) (number: int16) (message: Message<'T>) (value: 'T) : Result<unit, Fault> =
        let start = writer.Length

        match version message number with
        | Error fault -> Error fault
        | Ok version ->
            let codec = message.Schema.At version

            try
                codec.Write(writer, value)
                Ok()
            with
            | :? FaultException as first ->
                try
                    let fault =
                        located message first (fun (trail: Trail | null) ->
                            writer.Truncate start
                            writer.Trail <- trail
                            codec.Write(writer, value))

                    Error { fault with Offset = fault.Offset - start }
                finally
                    writer.Trail <- null
                    writer.Truncate start
            | _ ->
                writer.Truncate start
                reraise ()

    /// The bytes of a value at a version. It is a fault if a field is set that the version cannot carry, unless the field is ignorable.
    let encode (number: int16) (message: Message<'T>) (value: 'T) : Result<Bytes, Fault> =
        let writer = Writer 256

        writeTo writer number message value |> Result.map (fun () -> writer.ToBytes())

    /// Reads from the reader's position. The offset of a fault counts from the start of the reader's bytes.
    let inline private reading
        (reader: Reader)
        (number: int16)
        (message: Message<'T>)
        ([<InlineIfLambda>] read: Codec<'T> -> 'U)
        : Result<'U, Fault> =
        let start = reader.Offset
        let decoded = reader.Decoded

        if not (message.Versions.Contains number) then
            Error(unsupported message number)
        else
            let codec = message.Schema.At(known message number)

            try
                Ok(read codec)
            with :? FaultException as first ->
                let fault =
                    located message first (fun (trail: Trail | null) ->
                        reader.Restart(start, decoded)
                        reader.Trail <- trail
                        codec.Read reader |> ignore)

                reader.Trail <- null
                Error fault

    /// Reads a value from the reader's position.
    let internal readFrom (reader: Reader) (number: int16) (message: Message<'T>) : Result<'T, Fault> =
        reading reader number message _.Read(reader)

    /// Reads a value that takes all bytes that remain.
    let internal readToEnd (reader: Reader) (number: int16) (message: Message<'T>) : Result<'T, Fault> =
        match readFrom reader number message with
        | Ok _ when reader.Remaining > 0 ->
            Error { Problem = Problem.TrailingBytes reader.Remaining; Offset = reader.Offset; Path = message.Name }
        | result -> result

    let private tooLarge (limits: Limits) (path: string) (bytes: Bytes) : Fault =
        { Problem = Problem.FrameTooLarge(int64 bytes.Length, int64 limits.MaxFrameBytes); Offset = 0; Path = path }

    /// A reader of bytes that are within the limits. `path` is that of the fault if they are not.
    let internal reader (limits: Limits) (path: string) (bytes: Bytes) : Result<Reader, Fault> =
        if bytes.Length > limits.MaxFrameBytes then
            Error(tooLarge limits path bytes)
        else
            Ok(Reader(bytes, limits.MaxDecodedBytes))

    /// Passes the value at the start of the bytes to a visitor, without making it, and returns the number of bytes that it takes. If it cannot be
    /// read, the visitor has received a part of it. The reader is loaded with the bytes.
    let internal relay
        (reader: Reader)
        (limits: Limits)
        (number: int16)
        (message: Message<'T>)
        (visitor: JsonVisitor)
        (bytes: Bytes)
        : Result<int, Fault> =
        if bytes.Length > limits.MaxFrameBytes then
            Error(tooLarge limits message.Name bytes)
        else
            reader.Load(bytes, limits.MaxDecodedBytes)

            reading reader number message (fun codec ->
                codec.Relay(reader, visitor)
                reader.Offset)

    /// Reads a value from the start of the bytes. What comes after it is ignored. The number is the memory that the value takes, in bytes.
    let internal decodeMeasured
        (limits: Limits)
        (number: int16)
        (message: Message<'T>)
        (bytes: Bytes)
        : Result<struct ('T * int64), Fault> =
        reader limits message.Name bytes
        |> Result.bind (fun reader -> readFrom reader number message |> Result.map (fun value -> struct (value, reader.Decoded)))

    /// The value at the start of the bytes, and the number of bytes that it takes. What comes after them is ignored.
    let decodePrefix (limits: Limits) (number: int16) (message: Message<'T>) (bytes: Bytes) : Result<struct ('T * int), Fault> =
        reader limits message.Name bytes
        |> Result.bind (fun reader -> readFrom reader number message |> Result.map (fun value -> struct (value, reader.Offset)))

    /// The value of the bytes at a version. It is a fault if bytes remain after it, or if the limits do not allow its size. The value's `Bytes`
    /// are slices of the given bytes, not copies.
    let decode (limits: Limits) (number: int16) (message: Message<'T>) (bytes: Bytes) : Result<'T, Fault> =
        reader limits message.Name bytes |> Result.bind (fun reader -> readToEnd reader number message)

    /// The part of a value that survives a version: fields that the version does not have take their default. The result can be
    /// encoded at that version without loss.
    let project (number: int16) (message: Message<'T>) (value: 'T) : Result<'T, Fault> =
        at message number (fun codec -> codec.Project value)

    /// The wire form of the message at a version.
    let shape (number: int16) (message: Message<'T>) : Result<Shape, Fault> = at message number (fun codec -> codec.Shape)

    /// The smallest number of bytes that the message takes at a version.
    let minSize (number: int16) (message: Message<'T>) : Result<int, Fault> = at message number (fun codec -> codec.MinSize)

    /// The paths of the fields that a version cannot carry and because of which `encode` is a fault; empty if there are none.
    let lossy (number: int16) (message: Message<'T>) (value: 'T) : Result<string list, Fault> =
        at message number (fun codec ->
            let visitor = LossVisitor message.Name
            codec.Visit(visitor, value)
            visitor.Found)

    /// A value as one readable line, the name of the message first, with every field that any version has. A secret is shown as `[secret]`,
    /// and long bytes are truncated. `Schema.show` shows a part of a message.
    let show (message: Message<'T>) (value: 'T) : string = message.Name + " " + Schema.show message.Schema value

    /// The same line with the secrets in it: for a tool whose user has asked for them.
    let showWithSecrets (message: Message<'T>) (value: 'T) : string =
        message.Name + " " + Text.showWithSecrets (message.Schema.At MessageVersion.Every) value

    /// The fields of a value that hold record batches, each with its path, in wire order. Fields that are null are left out.
    let records (message: Message<'T>) (value: 'T) : (string * Bytes) list =
        let visitor = RecordsVisitor message.Name
        (message.Schema.At MessageVersion.Every).Visit(visitor, value)
        visitor.Found

    /// A value at a version as JSON in Kafka's own form, with its secrets: `ofJson` reads it.
    let toJson (number: int16) (message: Message<'T>) (value: 'T) : Result<string, Fault> =
        at message number (fun codec -> Json.write false codec value)

    /// The same JSON for a log or a screen: the string `[secret]` replaces each secret that is not empty. `ofJson` cannot restore the value.
    let toJsonWithoutSecrets (number: int16) (message: Message<'T>) (value: 'T) : Result<string, Fault> =
        at message number (fun codec -> Json.write true codec value)

    /// The value of JSON in Kafka's own form at a version. A missing field takes its default, and a property that the version does not have is
    /// a fault. A fault has a path but no offset.
    let ofJson (number: int16) (message: Message<'T>) (json: string) : Result<'T, Fault> =
        version message number |> Result.bind (fun version -> Json.read (message.Schema.At version) message.Name json)
