namespace LibKafka.Wire

/// A definition together with its name and its versions: everything needed to write and read it by itself.
[<NoEquality; NoComparison>]
type Message<'T> =
    {
        Name: string
        Versions: VersionRange
        /// The first flexible version, or none.
        FlexibleSince: int16 option
        Schema: Schema<'T>
    }

/// What can be done with a message. Everything here is pure; what cannot be done is a `Fault`.
[<RequireQualifiedAccess>]
module Message =

    /// The version with what it implies, or a fault where the message does not have it.
    let version (message: Message<'T>) (number: int16) : Result<MessageVersion, Fault> =
        if number >= message.Versions.Lowest && number <= message.Versions.Highest then
            Ok { Number = number; Flexible = message.FlexibleSince |> Option.exists (fun first -> number >= first) }
        else
            Error
                { Problem = Problem.UnsupportedVersion(number, message.Versions.Lowest, message.Versions.Highest)
                  Offset = 0
                  Path = message.Name }

    let private at (message: Message<'T>) number (interpret: Codec<'T> -> 'U) : Result<'U, Fault> =
        version message number |> Result.map (message.Schema.At >> interpret)

    let private fault (error: FaultException) (path: string) = { Problem = error.Problem; Offset = error.Offset; Path = path }

    // A fault costs a second pass, which keeps track of where it is; a message without fault pays nothing for paths.
    let private located (message: Message<'T>) (first: FaultException) (again: Trail | null -> unit) : Fault =
        let trail = Trail message.Name

        try
            again trail
            fault first message.Name
        with :? FaultException ->
            fault first (trail.ToString())

    /// Writes a value behind what the writer holds already. On a fault the writer is as it was before.
    let internal writeTo (writer: Writer) (number: int16) (message: Message<'T>) (value: 'T) : Result<unit, Fault> =
        let start = writer.Length

        match version message number with
        | Error fault -> Error fault
        | Ok version ->
            let codec = message.Schema.At version

            try
                codec.Write(writer, value)
                Ok()
            with :? FaultException as first ->
                let fault =
                    located message first (fun (trail: Trail | null) ->
                        writer.Truncate start
                        writer.Trail <- trail
                        codec.Write(writer, value))

                writer.Trail <- null
                writer.Truncate start
                Error { fault with Offset = fault.Offset - start }

    /// The bytes of a value at a version. Refused where a field is set that the version cannot carry, unless it may be ignored.
    let encode (number: int16) (message: Message<'T>) (value: 'T) : Result<Bytes, Fault> =
        let writer = Writer 256

        writeTo writer number message value |> Result.map (fun () -> writer.ToBytes())

    /// Reads a value from where the reader is. A fault counts its offset from where the reader's bytes begin.
    let internal readFrom (reader: Reader) (number: int16) (message: Message<'T>) : Result<'T, Fault> =
        let start = reader.Offset

        match version message number with
        | Error fault -> Error fault
        | Ok version ->
            let codec = message.Schema.At version

            try
                Ok(codec.Read reader)
            with :? FaultException as first ->
                let fault =
                    located message first (fun (trail: Trail | null) ->
                        reader.Restart start
                        reader.Trail <- trail
                        codec.Read reader |> ignore)

                reader.Trail <- null
                Error fault

    /// Reads a value and gives it together with the bytes behind it.
    let internal decodePrefix (number: int16) (message: Message<'T>) (bytes: Bytes) : Result<'T * Bytes, Fault> =
        let reader = Reader bytes

        readFrom reader number message |> Result.map (fun value -> value, bytes.Slice(reader.Offset, reader.Remaining))

    /// The value that the bytes say at a version; all of the bytes belong to it. Blobs in it are slices of the bytes given.
    let decode (limits: Limits) (number: int16) (message: Message<'T>) (bytes: Bytes) : Result<'T, Fault> =
        if bytes.Length > limits.MaxFrameBytes then
            Error { Problem = Problem.FrameTooLarge(int64 bytes.Length, int64 limits.MaxFrameBytes); Offset = 0; Path = message.Name }
        else
            let reader = Reader bytes

            match readFrom reader number message with
            | Ok _ when reader.Remaining > 0 ->
                Error { Problem = Problem.TrailingBytes reader.Remaining; Offset = reader.Offset; Path = message.Name }
            | result -> result

    /// What of a value survives a version: fields that it does not have take their default. It can always be encoded there, and
    /// decoding gives it back.
    let project (number: int16) (message: Message<'T>) (value: 'T) : Result<'T, Fault> =
        at message number (fun codec -> codec.Project value)

    /// What the message looks like on the wire at a version.
    let shape (number: int16) (message: Message<'T>) : Result<Shape, Fault> = at message number (fun codec -> codec.Shape)

    /// The least number of bytes that the message takes at a version.
    let minSize (number: int16) (message: Message<'T>) : Result<int, Fault> = at message number (fun codec -> codec.MinSize)

    /// The paths of the fields for which `encode` refuses the value at a version; empty where it does not.
    let lossy (number: int16) (message: Message<'T>) (value: 'T) : Result<string list, Fault> =
        at message number (fun codec ->
            let visitor = LossVisitor message.Name
            codec.Visit(visitor, value)
            visitor.Paths)

    /// One line for people with every field that has a value, whatever versions have it.
    let show (message: Message<'T>) (value: 'T) : string = message.Name + " " + Text.show (message.Schema.At MessageVersion.Every) value

    /// The value at a version as JSON in Kafka's own form.
    let toJson (number: int16) (message: Message<'T>) (value: 'T) : Result<string, Fault> =
        at message number (fun codec -> Json.write codec value)

    /// The value that JSON of Kafka's own form says at a version. A field that is not there takes its default; a property that this version does
    /// not have is a fault. The offset of a fault means nothing here.
    let ofJson (number: int16) (message: Message<'T>) (json: string) : Result<'T, Fault> =
        version message number |> Result.bind (fun version -> Json.read (message.Schema.At version) message.Name json)
