namespace LibKafka.Wire

open System
open System.Collections.Generic

/// The message notation: the types, the properties of fields, and `message` and `field`, which combine them. A definition reads like the
/// protocol's own schema. Open this module only to define messages, because it shadows F#'s conversion functions.
module Notation =

    // Inlined, so that each codec calls the cursor directly. A closure would double the cost of a small field.
    let inline private primitive
        (kind: RelayKind)
        ([<InlineIfLambda>] shape: unit -> Shape)
        size
        fallback
        ([<InlineIfLambda>] write: Writer -> 'T -> unit)
        ([<InlineIfLambda>] read: Reader -> 'T)
        ([<InlineIfLambda>] visit: Visitor -> 'T -> unit)
        ([<InlineIfLambda>] build: Source -> 'T)
        =
        Schema.define
            { new Definition<'T>() with
                member _.Default = fallback

                member _.At _ =
                    { new Codec<'T>(size) with
                        member _.Shape = shape ()
                        member _.Write(writer, value) = write writer value
                        member _.Read reader = read reader
                        member _.Visit(visitor, value) = visit visitor value
                        member _.Relay(reader, visitor) = visit (visitor :> Visitor) (read reader)
                        member _.Build source = build source
                      interface IRelayedDirectly with
                          member _.Kind = kind } }

    // The conversions are arguments, because F# would look up those of a generic type by reflection, which Native AOT does not support.
    let inline private integer
        (kind: RelayKind)
        ([<InlineIfLambda>] shape: unit -> Shape)
        size
        (lowest: Int64)
        (highest: Int64)
        ([<InlineIfLambda>] ofInt64: Int64 -> 'T)
        ([<InlineIfLambda>] toInt64: 'T -> Int64)
        ([<InlineIfLambda>] write: Writer -> 'T -> unit)
        ([<InlineIfLambda>] read: Reader -> 'T)
        =
        primitive kind shape size (ofInt64 0L) write read (fun visitor value -> visitor.Integer(toInt64 value)) (fun source ->
            ofInt64 (source.Integer(lowest, highest)))

    /// A compact length takes at least one byte, a classic one has a fixed size.
    let private lengthSize compact classicSize = if compact then 1 else classicSize

    /// UTF-8 text of at most 32,767 bytes.
    let string =
        Schema.define
            { new Definition<string>() with
                member _.Default = ""

                member _.At version =
                    let compact = version.Flexible

                    { new LengthCodec<string>(lengthSize compact 2) with
                        member _.Shape = Shape.String compact
                        member _.Write(writer, value) = writer.Text(compact, value)
                        member _.WriteNull writer = writer.WriteStringLength(compact, -1)

                        member _.TryRead reader =
                            let length = reader.StringLength compact
                            if length < 0 then ValueNone else ValueSome(reader.Text length)

                        member _.TryRelay(reader, visitor) =
                            let length = reader.StringLength compact
                            if length >= 0 then visitor.Utf8(reader.Utf8 length)
                            length >= 0

                        member _.Project value = if isAbsent value then "" else value
                        member _.Visit(visitor, value) = if isAbsent value then visitor.LostNull() else visitor.String value
                        member _.Build source = source.String()
                      interface IRelayedDirectly with
                          member _.Kind = if compact then RelayKind.CompactString else RelayKind.String } }

    let private blob shape (visit: Visitor -> Bytes -> unit) =
        Schema.define
            { new Definition<Bytes>() with
                member _.Default = Bytes.empty

                member _.At version =
                    let compact = version.Flexible

                    { new LengthCodec<Bytes>(lengthSize compact 4) with
                        member _.Shape = shape compact
                        member _.Write(writer, value) =
                            writer.WriteLength(compact, value.Length)
                            writer.Blob value

                        member _.WriteNull writer = writer.WriteLength(compact, -1)

                        member _.TryRead reader =
                            let length = reader.Length compact
                            if length < 0 then ValueNone else ValueSome(reader.Slice length)

                        member _.Visit(visitor, value) = visit visitor value
                        member _.Build source = source.Bytes() } }

    /// Numbers, booleans, uuids and bytes. They are members, not values, so that a program does not create those that it does not use.
    [<AutoOpen; AbstractClass; Sealed>]
    type Primitives =
        static member int8: Schema<SByte> =
            integer
                RelayKind.Int8
                (fun () -> Shape.Int8)
                1
                (Operators.int64 SByte.MinValue)
                (Operators.int64 SByte.MaxValue)
                Operators.sbyte
                Operators.int64
                (fun w v -> w.Int8 v)
                (fun r -> r.Int8())

        static member int16: Schema<Int16> =
            integer
                RelayKind.Int16
                (fun () -> Shape.Int16)
                2
                (Operators.int64 Int16.MinValue)
                (Operators.int64 Int16.MaxValue)
                Operators.int16
                Operators.int64
                (fun w v -> w.Int16 v)
                (fun r -> r.Int16())

        static member uint16: Schema<UInt16> =
            integer
                RelayKind.ByCodec
                (fun () -> Shape.UInt16)
                2
                (Operators.int64 UInt16.MinValue)
                (Operators.int64 UInt16.MaxValue)
                Operators.uint16
                Operators.int64
                (fun w v -> w.UInt16 v)
                (fun r -> r.UInt16())

        static member int32: Schema<Int32> =
            integer
                RelayKind.Int32
                (fun () -> Shape.Int32)
                4
                (Operators.int64 Int32.MinValue)
                (Operators.int64 Int32.MaxValue)
                Operators.int32
                Operators.int64
                (fun w v -> w.Int32 v)
                (fun r -> r.Int32())

        static member uint32: Schema<UInt32> =
            integer
                RelayKind.ByCodec
                (fun () -> Shape.UInt32)
                4
                (Operators.int64 UInt32.MinValue)
                (Operators.int64 UInt32.MaxValue)
                Operators.uint32
                Operators.int64
                (fun w v -> w.UInt32 v)
                (fun r -> r.UInt32())

        static member int64: Schema<Int64> =
            integer
                RelayKind.Int64
                (fun () -> Shape.Int64)
                8
                (Operators.int64 Int64.MinValue)
                (Operators.int64 Int64.MaxValue)
                Operators.int64
                Operators.int64
                (fun w v -> w.Int64 v)
                (fun r -> r.Int64())

        /// A variable-length int32 with zig-zag, up to five bytes.
        static member varint: Schema<Int32> =
            integer
                RelayKind.ByCodec
                (fun () -> Shape.Varint)
                1
                (Operators.int64 Int32.MinValue)
                (Operators.int64 Int32.MaxValue)
                Operators.int32
                Operators.int64
                (fun w v -> w.UnsignedVarint(Varint.zigZag32 v))
                (fun r -> Varint.unZigZag32 (r.UnsignedVarint()))

        /// A variable-length int64 with zig-zag, up to ten bytes.
        static member varlong: Schema<Int64> =
            integer
                RelayKind.ByCodec
                (fun () -> Shape.Varlong)
                1
                (Operators.int64 Int64.MinValue)
                (Operators.int64 Int64.MaxValue)
                Operators.int64
                Operators.int64
                (fun w v -> w.UnsignedVarlong(Varint.zigZag64 v))
                (fun r -> Varint.unZigZag64 (r.UnsignedVarlong()))

        /// A variable-length uint32, up to five bytes.
        static member unsignedVarint: Schema<UInt32> =
            integer
                RelayKind.ByCodec
                (fun () -> Shape.UnsignedVarint)
                1
                (Operators.int64 UInt32.MinValue)
                (Operators.int64 UInt32.MaxValue)
                Operators.uint32
                Operators.int64
                (fun w v -> w.UnsignedVarint v)
                (fun r -> r.UnsignedVarint())

        /// A variable-length uint64, up to ten bytes.
        static member unsignedVarlong: Schema<UInt64> =
            integer
                RelayKind.ByCodec
                (fun () -> Shape.UnsignedVarlong)
                1
                (Operators.int64 Int64.MinValue)
                (Operators.int64 Int64.MaxValue)
                Operators.uint64
                Operators.int64
                (fun w v -> w.UnsignedVarlong v)
                (fun r -> r.UnsignedVarlong())

        /// One byte: 0 is false, anything else is true.
        static member bool: Schema<Boolean> =
            primitive
                RelayKind.Bool
                (fun () -> Shape.Bool)
                1
                false
                (fun w v -> w.Int8(if v then 1y else 0y))
                (fun r -> r.Int8() <> 0y)
                (fun visitor v -> visitor.Bool v)
                (fun source -> source.Bool())

        static member float64: Schema<Double> =
            primitive
                RelayKind.ByCodec
                (fun () -> Shape.Float64)
                8
                0.0
                (fun w v -> w.Float64 v)
                (fun r -> r.Float64())
                (fun visitor v -> visitor.Float64 v)
                (fun source -> source.Float64())

        /// Sixteen bytes, the most significant first. All zeros mean none.
        static member uuid: Schema<Guid> =
            primitive
                RelayKind.Uuid
                (fun () -> Shape.Uuid)
                16
                Guid.Empty
                (fun w v -> w.Uuid v)
                (fun r -> r.Uuid())
                (fun visitor v -> visitor.Uuid v)
                (fun source -> source.Uuid())

        /// Any bytes.
        static member bytes: Schema<Bytes> = blob Shape.Bytes (fun visitor -> visitor.Bytes)

        /// Bytes that a text does not show, such as those of a password.
        static member secret: Schema<Bytes> =
            blob Shape.Bytes (fun visitor value ->
                visitor.Secret()
                visitor.Bytes value)

        /// Consecutive record batches, kept as bytes. `LibKafka.Records` opens them.
        static member records: Schema<Bytes> = blob Shape.Records (fun visitor -> visitor.Records)

    let private requirePlain (schema: Schema<'T>) =
        if not (Object.ReferenceEquals(schema.Place, Place.everywhere)) then
            invalidArg (nameof schema) "versions, tags and `ignorable` apply to a field, not to the type of an element"

    /// Any number of elements.
    let array (element: Schema<'T>) : Schema<'T list> =
        requirePlain element

        Schema.define
            { new Definition<'T list>() with
                member _.Default = []

                member _.At version =
                    let compact = version.Flexible
                    let inner = element.At version

                    { new LengthCodec<'T list>(lengthSize compact 4) with
                        member _.Shape = Shape.Array(inner.Shape, compact)

                        member _.Write(writer, values) =
                            if isAbsent values then writer.Fail Problem.NullNotAllowed
                            writer.WriteLength(compact, List.length values)
                            Elements.write inner writer values

                        member _.WriteNull writer = writer.WriteLength(compact, -1)

                        member _.TryRead reader =
                            let count = reader.Count(compact, inner.MinSize)

                            if count < 0 then ValueNone else ValueSome(Elements.read inner reader count)

                        member _.TryRelay(reader, visitor) =
                            let count = reader.Count(compact, inner.MinSize)
                            if count >= 0 then Elements.relay inner reader visitor count
                            count >= 0

                        member _.Project values = if isAbsent values then [] else List.map inner.Project values
                        member _.Visit(visitor, values) = Elements.visit inner visitor values
                        member _.Build source = Elements.build inner source } }

    // A struct has no length that could express null, so a byte precedes it: 1 for a value; for null -1, or 0 in a tagged field, where the
    // byte is an unsigned varint.
    let rec private marked (isTagged: bool) (inner: Codec<'T>) : Codec<'T option> =
        let readIsNull (reader: Reader) = if isTagged then reader.UnsignedVarint() = 0u else reader.Int8() < 0y

        { new Codec<'T option>(1) with
            member _.Shape = Shape.Nullable inner.Shape

            member _.Write(writer, value) =
                match value with
                | Some value ->
                    writer.Int8 1y
                    inner.Write(writer, value)
                | None -> writer.Int8(if isTagged then 0y else -1y)

            member _.Read reader =
                if readIsNull reader then
                    None
                else
                    let value = inner.Read reader
                    reader.Charge(HeapSize.ofSome<'T>())
                    Some value

            member _.Project value = Option.map inner.Project value

            member _.Visit(visitor, value) =
                match value with
                | Some value -> inner.Visit(visitor, value)
                | None -> visitor.Null()

            member _.Relay(reader, visitor) = if readIsNull reader then visitor.Null() else inner.Relay(reader, visitor)
            member _.Build source = if source.IsNull() then None else Some(inner.Build source)
            member this.InTaggedField = if isTagged then this else marked true inner }

    let private lengthNullable (inner: LengthCodec<'T>) =
        { new Codec<'T option>(inner.MinSize) with
            member _.Shape = Shape.Nullable inner.Shape

            member _.Write(writer, value) =
                match value with
                | Some value -> inner.Write(writer, value)
                | None -> inner.WriteNull writer

            member _.Read reader =
                match inner.TryRead reader with
                | ValueSome value ->
                    reader.Charge(HeapSize.ofSome<'T>())
                    Some value
                | ValueNone -> None

            member _.Project value = Option.map inner.Project value

            member _.Visit(visitor, value) =
                match value with
                | Some value -> inner.Visit(visitor, value)
                | None -> visitor.Null()

            member _.Relay(reader, visitor) = if not (inner.TryRelay(reader, visitor)) then visitor.Null()
            member _.Build source = if source.IsNull() then None else Some(inner.Build source) }

    // The versions before null is allowed require a value. Null is projected to the type's empty value.
    let private required fallback (inner: Codec<'T>) =
        { new Codec<'T option>(inner.MinSize) with
            member _.Shape = inner.Shape

            member _.Write(writer, value) =
                match value with
                | Some value -> inner.Write(writer, value)
                | None -> writer.Fail Problem.NullNotAllowed

            member _.Read reader =
                let value = inner.Read reader
                reader.Charge(HeapSize.ofSome<'T>())
                Some value

            member _.Project value = Some(inner.Project(Option.defaultValue fallback value))

            member _.Visit(visitor, value) =
                match value with
                | Some value -> inner.Visit(visitor, value)
                | None -> visitor.LostNull()

            member _.Relay(reader, visitor) = inner.Relay(reader, visitor)
            member _.Build source = Some(inner.Build source) }

    /// Null is allowed since this version.
    let nullableSince (lowest: int16) (schema: Schema<'T>) : Schema<'T option> =
        let definition =
            { new Definition<'T option>() with
                member _.Default = Some schema.Default

                member _.At version =
                    match schema.At version with
                    | inner when version.Number >= 0s && version.Number < lowest -> required schema.Default inner
                    | :? LengthCodec<'T> as inner -> lengthNullable inner
                    | inner -> marked false inner }

        Schema<'T option>(definition, schema.Place, false, None)

    /// Null is allowed in every version.
    let nullable (schema: Schema<'T>) = nullableSince 0s schema

    /// A default other than the type's own, which is zero, empty or false.
    let withDefault (fallback: 'T) (schema: Schema<'T>) = schema.WithDefault(fallback, schema.Place)

    /// The field is in these versions. In the others it has the value given.
    let between (lowest: int16) (highest: int16) (fallback: 'T) (schema: Schema<'T>) =
        schema.WithDefault(fallback, { schema.Place with Versions = { Lowest = lowest; Highest = highest } })

    /// The field is in this version and all later ones. In the others it has the value given.
    let since lowest fallback schema = between lowest Int16.MaxValue fallback schema

    /// The field is in this version and all earlier ones. In the others it has the value given.
    let until highest fallback schema = between 0s highest fallback schema

    /// The field is in the tagged section. With its default it is left out.
    let tagged (tag: int) (schema: Schema<'T>) = schema.WithPlace({ schema.Place with Tag = Some(Operators.uint32 tag) })

    /// A version without the field drops its value silently, because the message means the same without it.
    let ignorable (schema: Schema<'T>) = schema.WithPlace({ schema.Place with Ignorable = true })

    /// Classic lengths and no tagged section, even in flexible versions.
    let classic (schema: Schema<'T>) : Schema<'T> =
        { new Definition<'T>() with
            member _.Default = schema.Default
            member _.At version = schema.At { version with Flexible = false } }
        |> Schema.redefine schema

    /// Inlined, so that a mapping given as a lambda needs no closure.
    let inline internal mappedCodec
        ([<InlineIfLambda>] ofWire: 'A -> 'B)
        ([<InlineIfLambda>] toWire: 'B -> 'A)
        ([<InlineIfLambda>] meaning: 'B -> string)
        (inner: Codec<'A>)
        =
        { new Codec<'B>(inner.MinSize) with
            member _.Shape = inner.Shape
            member _.Write(writer, value) = inner.Write(writer, toWire value)
            member _.Read reader = ofWire (inner.Read reader)
            member _.Project value = ofWire (inner.Project(toWire value))

            member _.Visit(visitor, value) =
                visitor.Meaning(meaning value)
                inner.Visit(visitor, toWire value)

            member this.Relay(reader, visitor) =
                // The mapping is only needed for the name.
                if visitor.WithMeanings then this.Visit(visitor, this.Read reader) else inner.Relay(reader, visitor)

            member _.Build source = ofWire (inner.Build source) }

    /// Another type with the same bytes. The first two functions are inverses. `meaning` is the readable name of a value, or empty.
    let mapped (ofWire: 'A -> 'B) (toWire: 'B -> 'A) (meaning: 'B -> string) (schema: Schema<'A>) : Schema<'B> =
        let definition =
            { new Definition<'B>() with
                member _.Default = ofWire schema.Default

                member _.At version =
                    match schema.At version with
                    // A type whose length can express null keeps that ability.
                    | :? LengthCodec<'A> as inner ->
                        { new LengthCodec<'B>(inner.MinSize) with
                            member _.Shape = inner.Shape
                            member _.Write(writer, value) = inner.Write(writer, toWire value)
                            member _.WriteNull writer = inner.WriteNull writer
                            member _.TryRead reader = ValueOption.map ofWire (inner.TryRead reader)
                            member _.Project value = ofWire (inner.Project(toWire value))

                            member _.Visit(visitor, value) =
                                visitor.Meaning(meaning value)
                                inner.Visit(visitor, toWire value)

                            member _.Build source = ofWire (inner.Build source) }
                    | inner -> mappedCodec ofWire toWire meaning inner }

        Schema<'B>(definition, schema.Place, false, Unchecked.defaultof<'B>)

    // The default comes first, because a value may have null in it, which cannot be asked whether it equals anything.
    let private isDefault (fallback: 'T) (value: 'T) = EqualityComparer<'T>.Default.Equals(fallback, value)

    // A field that this version does not have and must not drop silently.
    let private absent name (fallback: 'T) (get: 'R -> 'T) (version: MessageVersion) =
        { new Part<'R>(Absent, 0) with
            override _.Write(writer, record) =
                if not (isDefault fallback (get record)) then
                    match writer.Trail with
                    | null -> ()
                    | trail -> trail.Field name

                    writer.Fail(Problem.LossyField version.Number)

            override _.Visit(visitor, record) = if not (isDefault fallback (get record)) then visitor.Lost name }

    let inline private absentRow (fallback: 'T) =
        { new Row<'R, 'T>() with
            member _.Read _ = fallback
            member _.Project _ = fallback
            member _.Build _ = fallback }

    let private fieldShape name (schema: Schema<'T>) (codec: Codec<'T>) : FieldShape =
        { Name = name
          Type = codec.Shape
          Tag = Option.map Operators.int schema.Place.Tag
          Default = Text.show codec schema.Default
          Ignorable = schema.Place.Ignorable }

    // These are inlined, so that the JIT compiler has fewer functions to compile for each type of field.

    let inline private inOrder name (schema: Schema<'T>) (get: 'R -> 'T) (codec: Codec<'T>) =
        { new Part<'R>(InOrder, codec.MinSize) with
            override _.Shape = fieldShape name schema codec
            override _.Write(writer, record) = Field.write name codec writer (get record)
            override _.Visit(visitor, record) = Field.visit name codec visitor (get record)
            override _.Name = name
            override _.RelayKind = Relay.kind (box codec)

            override _.Relay(reader, visitor, text) =
                visitor.BeginField text
                codec.Relay(reader, visitor) }

    let inline private inOrderRow name (schema: Schema<'T>) (get: 'R -> 'T) (codec: Codec<'T>) =
        { new Row<'R, 'T>() with
            member _.Read reader = Field.read name codec reader
            member _.Project record = codec.Project(get record)
            member _.Build source = Field.build name codec schema.Default source }

    let private inTaggedSection name (schema: Schema<'T>) (get: 'R -> 'T) (codec: Codec<'T>) (tag: uint32) =
        let fallback = schema.Default
        let read = Func<Reader, 'T>(Field.read name codec)

        { new Part<'R>(InTaggedSection tag, 0) with
            override _.Shape = fieldShape name schema codec
            override _.IsTagged record = not (isDefault fallback (get record))

            override _.WriteTagged(writer, record) =
                writer.UnsignedVarint tag
                let mark = writer.BeginSized()
                Field.write name codec writer (get record)
                writer.EndSized mark

            override _.Visit(visitor, record) =
                let value = get record
                if not (isDefault fallback value) then Field.visit name codec visitor value

            override _.Name = name

            // The value is made, because it may be the default, which is left out.
            override _.Relay(reader, visitor, text) =
                if reader.HasTag tag then
                    let value = reader.Tagged(name, tag, fallback, read)

                    if not (isDefault fallback value) then
                        visitor.BeginField text
                        codec.Visit(visitor, value) }

    let private inTaggedSectionRow name (schema: Schema<'T>) (get: 'R -> 'T) (codec: Codec<'T>) (tag: uint32) =
        let fallback = schema.Default
        let read = Func<Reader, 'T>(Field.read name codec)

        { new Row<'R, 'T>() with
            member _.Read reader = reader.Tagged(name, tag, fallback, read)
            member _.Project record = codec.Project(get record)
            member _.Build source = Field.build name codec fallback source }

    /// A field: its name in the protocol, how to get it from the record, and its type.
    let field (name: string) (get: 'R -> 'T) (schema: Schema<'T>) : Fields<'R, 'T> =
        let place = schema.Place

        Fields
            { new FieldsDefinition<'R, 'T>(sizeof<'T>, []) with
                member _.Default = schema.Default

                member _.AddParts(version, parts) =
                    if place.Versions.IsIn version then
                        match place.Tag with
                        | Some tag -> parts.Add(inTaggedSection name schema get (schema.At version).InTaggedField tag)
                        | None -> parts.Add(inOrder name schema get (schema.At version))
                    elif not place.Ignorable then
                        parts.Add(absent name schema.Default get version)

                member _.Row version =
                    if place.Versions.IsIn version then
                        match place.Tag with
                        | Some tag -> inTaggedSectionRow name schema get (schema.At version).InTaggedField tag
                        | None -> inOrderRow name schema get (schema.At version)
                    else
                        absentRow schema.Default }

    /// Starts the definition of a message or of a struct in a message.
    let message = MessageBuilder()

    /// The versions of a message, from the lowest to the highest. None of them is flexible: see `flexibleFrom`.
    let inline versions (lowest: Int32) (highest: Int32) : MessageVersions =
        { Range = { Lowest = Operators.int16 lowest; Highest = Operators.int16 highest }; FlexibleSince = None }

    /// The first flexible version (KIP-482): `versions 0 4 |> flexibleFrom 4`.
    let inline flexibleFrom (first: Int32) (versions: MessageVersions) : MessageVersions =
        { versions with FlexibleSince = Some(Operators.int16 first) }
