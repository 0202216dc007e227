/// A message's bytes without the tagged fields that its definition does not have: what a reader that skips them can write again. The bytes are
/// copied by the shape of the message, so that neither the reader nor the writer of the definition takes part.
[<RequireQualifiedAccess>]
module LibKafka.Properties.UnknownTags

open LibKafka.Wire

let private copyBytes (reader: Reader) (writer: Writer) (count: int) = writer.Raw((reader.Slice(max 0 count)).Span)

/// Copies the length before text, bytes or an array. Null has the length -1.
let private copyLength (reader: Reader) (writer: Writer) (compact: bool) : int =
    if compact then
        let length = reader.UnsignedVarint()
        writer.UnsignedVarint length
        int length - 1
    else
        let length = reader.Int32()
        writer.Int32 length
        length

let private copyStringLength (reader: Reader) (writer: Writer) (compact: bool) : int =
    if compact then
        copyLength reader writer true
    else
        let length = reader.Int16()
        writer.Int16 length
        int length

/// Copies a varint of any kind: bytes up to the first without a continuation bit.
let rec private copyVarint (reader: Reader) (writer: Writer) =
    let part = reader.Int8()
    writer.Int8 part
    if part < 0y then copyVarint reader writer

let rec private copy (reader: Reader) (writer: Writer) (shape: Shape) : unit =
    let copyBytes = copyBytes reader writer

    match shape with
    // Any byte other than 0 is true.
    | Shape.Bool -> writer.Int8(if reader.Int8() = 0y then 0y else 1y)
    | Shape.Int8 -> copyBytes 1
    | Shape.Int16
    | Shape.UInt16 -> copyBytes 2
    | Shape.Int32
    | Shape.UInt32 -> copyBytes 4
    | Shape.Int64
    | Shape.Float64 -> copyBytes 8
    | Shape.Uuid -> copyBytes 16
    | Shape.Varint
    | Shape.Varlong
    | Shape.UnsignedVarint
    | Shape.UnsignedVarlong -> copyVarint reader writer
    | Shape.String compact -> copyBytes (copyStringLength reader writer compact)
    | Shape.Bytes compact
    | Shape.Records compact -> copyBytes (copyLength reader writer compact)
    | Shape.Array(element, compact) ->
        for _ in 1 .. copyLength reader writer compact do
            copy reader writer element
    | Shape.Nullable(Shape.Struct _ as inner) ->
        let marker = reader.Int8()
        writer.Int8 marker
        if marker >= 0y then copy reader writer inner
    | Shape.Nullable inner -> copy reader writer inner
    | Shape.Struct(fields, flexible) ->
        let tagged, plain = fields |> List.partition _.Tag.IsSome

        for field in plain do
            copy reader writer field.Type

        if flexible then copyKnownTags reader writer tagged

and private copyKnownTags (reader: Reader) (writer: Writer) (fields: FieldShape list) =
    let values =
        [ for _ in 1 .. int (reader.UnsignedVarint()) do
              let tag = reader.UnsignedVarint()
              tag, reader.Slice(int (reader.UnsignedVarint())) ]

    let known =
        [ for tag, value in values do
              match fields |> List.tryFind (fun field -> field.Tag = Some(int tag)) with
              | Some { Type = Shape.Nullable(Shape.Struct _ as inner) } -> tag, withoutInNullable inner value
              | Some field -> tag, withoutIn [ field.Type ] value
              | None -> () ]

    writer.UnsignedVarint(uint32 known.Length)

    for tag, value in known do
        writer.UnsignedVarint tag
        writer.UnsignedVarint(uint32 value.Length)
        writer.Raw value.Span

// The mark of a nullable struct in a tagged field is 0 for null.
and private withoutInNullable (inner: Shape) (value: Bytes) : Bytes =
    if value = Bytes [| 0uy |] then
        value
    else
        let rest = withoutIn [ inner ] (value.Slice(1, value.Length - 1))
        Bytes(Array.append (value.Slice(0, 1).ToArray()) (rest.ToArray()))

and private withoutIn (shapes: Shape list) (bytes: Bytes) : Bytes =
    let reader, writer = Reader(bytes, System.Int64.MaxValue), Writer(bytes.Length + 16)

    for shape in shapes do
        copy reader writer shape

    if reader.Remaining > 0 then
        failwithf "%d bytes remain after the shapes" reader.Remaining
    writer.ToBytes()

/// The bytes of values of these shapes, one after the other, without tagged fields that the shapes do not have.
let without (shapes: Shape list) (bytes: Bytes) : Bytes = withoutIn shapes bytes
