namespace LibKafka.Wire

open System
open System.Buffers
open System.Collections.Generic
open System.Buffers.Text
open System.Text.Encodings.Web
open System.Text.Json

module internal JsonName =

    /// The name of a field in JSON: the protocol's name with a lower-case first letter.
    let ofField (name: string) = name.Substring(0, 1).ToLowerInvariant() + name.Substring 1

/// A field's name, and the field that followed it last time. A message has the same fields again and again.
[<Sealed>]
type private Property(name: string, text: byte[]) =
    member _.Name = name

    /// A comma, the name in quotation marks, and a colon.
    member _.Text = text

    member val Next: Property | null = null with get, set

/// Writes a value as JSON in Kafka's own form: names in camelCase, bytes and records in base64, uuids in URL-safe base64 without padding. A
/// tagged field with its default is left out. With `withMeanings`, a number of a type that has names is written as a string: its name, or its
/// digits if it has none.
[<Sealed>]
type internal JsonVisitor(writer: Utf8Writer, withMeanings: bool) =
    inherit Visitor()
    static let encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping

    /// The characters that JSON has as they are.
    static let plain =
        SearchValues.Create
            [| for code in ' 'B .. '~'B do
                   if code <> '"'B && code <> '\\'B then code |]

    let properties = Dictionary<string, Property>(HashIdentity.Reference)
    let mutable last = Property("", Array.empty)
    let uuid = Array.zeroCreate<byte> 16
    // Whether the next field is the first of its object.
    let mutable isFirst = true
    // The name of the number that follows, which may be empty; null if its type has no names.
    let mutable meaning: string | null = null

    let find (name: string) : Property =
        match properties.TryGetValue name with
        | true, known -> known
        | _ ->
            let made = Property(name, Text.Encoding.UTF8.GetBytes(",\"" + encoder.Encode(JsonName.ofField name) + "\":"))
            properties[name] <- made
            made

    let property (name: string) : Property =
        match last.Next with
        | NonNull next when Object.ReferenceEquals(next.Name, name) -> last <- next
        | _ ->
            let found = find name
            last.Next <- found
            last <- found

        last

    /// A string of characters that JSON has as they are.
    let quoted (text: string) =
        writer.Byte '"'B
        writer.Text text
        writer.Byte '"'B

    override _.Bool value = writer.Text(if value then "true" else "false")

    override _.Meaning name = if withMeanings then meaning <- name

    override _.Integer value =
        match meaning with
        | null -> writer.Integer value
        | name ->
            quoted (if name = "" then string value else name)
            meaning <- null

    override _.Float64 value =
        // JSON has no infinities and no NaN.
        if Double.IsFinite value then
            writer.Float64 value
        else
            quoted (value.ToString(Globalization.CultureInfo.InvariantCulture))

    override _.Uuid value =
        writer.Byte '"'B
        value.TryWriteBytes(Span uuid, true) |> fst |> ignore
        writer.Base64Url(ReadOnlySpan uuid)
        writer.Byte '"'B

    override _.Utf8 value =
        writer.Byte '"'B

        if value.IndexOfAnyExcept plain < 0 then
            writer.Utf8 value
        else
            writer.Utf8 (JsonEncodedText.Encode(value, encoder)).EncodedUtf8Bytes

        writer.Byte '"'B

    override this.String value = this.Utf8(ReadOnlySpan<byte>(Text.Encoding.UTF8.GetBytes value))

    override _.Bytes value =
        writer.Byte '"'B
        writer.Base64 value.Span
        writer.Byte '"'B

    override _.Null() = writer.Text "null"
    override this.LostNull() = this.Null()

    override _.BeginStruct() =
        writer.Byte '{'B
        isFirst <- true

    override _.EndStruct() =
        writer.Byte '}'B
        isFirst <- false

    override _.BeginField name =
        let text = ReadOnlySpan<byte>((property name).Text)
        writer.Utf8(if isFirst then text.Slice 1 else text)
        isFirst <- false
        // The value of the field before was perhaps not a number.
        meaning <- null

    override _.BeginArray _ = writer.Byte '['B
    override _.BeginElement index = if index > 0 then writer.Byte ','B
    override _.EndArray() = writer.Byte ']'B

/// Reads a value from JSON in the form that `JsonVisitor` writes. A missing field takes its default. A property that is not a field of the
/// version is a fault, so that misspellings are found.
[<Sealed>]
type internal JsonSource(root: JsonElement, trail: Trail) =
    inherit Source()
    let values = Stack<JsonElement>()
    let fields = Stack<HashSet<string>>()
    do values.Push root

    let fail (reason: string) : 'T = Fault.raise' (Problem.BadJson reason) 0

    let kindName (kind: JsonValueKind) =
        match kind with
        | JsonValueKind.Object -> "an object"
        | JsonValueKind.Array -> "an array"
        | JsonValueKind.String -> "a string"
        | JsonValueKind.Number -> "a number"
        | JsonValueKind.True
        | JsonValueKind.False -> "true or false"
        | _ -> "null"

    let expect (kind: JsonValueKind) : JsonElement =
        let value = values.Peek()

        if value.ValueKind = kind then value
        elif value.ValueKind = JsonValueKind.Null then Fault.raise' Problem.NullNotAllowed 0
        else fail ("expected " + kindName kind + ", not " + kindName value.ValueKind)

    let text () : string =
        match (expect JsonValueKind.String).GetString() with
        | null -> ""
        | text -> text

    override _.Bool() =
        match (values.Peek()).ValueKind with
        | JsonValueKind.True -> true
        | JsonValueKind.False -> false
        | _ -> (expect JsonValueKind.True).GetBoolean()

    override _.Integer(lowest, highest) =
        match (expect JsonValueKind.Number).TryGetInt64() with
        | true, value when value >= lowest && value <= highest -> value
        | true, value -> Fault.raise' (Problem.OutOfRange(value, lowest, highest)) 0
        | _ -> fail "expected a 64-bit integer"

    override _.Float64() =
        match (values.Peek()).ValueKind with
        | JsonValueKind.String ->
            match Double.TryParse(text (), Globalization.NumberStyles.Float, Globalization.CultureInfo.InvariantCulture) with
            | true, value -> value
            | _ -> fail "expected a number"
        | _ -> (expect JsonValueKind.Number).GetDouble()

    override _.Uuid() =
        let encoded = text ()

        match
            (if Base64Url.IsValid(encoded.AsSpan()) then
                 Base64Url.DecodeFromChars(encoded.AsSpan())
             else
                 Array.empty)
        with
        | bytes when bytes.Length = 16 -> Guid(ReadOnlySpan<byte> bytes, true)
        | _ -> fail "expected a uuid: 22 characters of URL-safe base64"

    override _.String() = text ()

    override _.Bytes() =
        match (expect JsonValueKind.String).TryGetBytesFromBase64() with
        | true, NonNull bytes -> Bytes bytes
        | _ -> fail "expected base64"

    override _.IsNull() = (values.Peek()).ValueKind = JsonValueKind.Null

    override _.BeginStruct() =
        expect JsonValueKind.Object |> ignore
        fields.Push(HashSet<string>())

    override _.EndStruct() =
        let known = fields.Pop()

        for property in (values.Peek()).EnumerateObject() do
            if not (known.Contains property.Name) then
                fail ("this version has no field '" + property.Name + "'")

    override _.BeginField name =
        let property = JsonName.ofField name
        fields.Peek().Add property |> ignore

        match (values.Peek()).TryGetProperty property with
        | true, value ->
            trail.Field name
            values.Push value
            true
        | _ -> false

    override _.EndField() =
        values.Pop() |> ignore
        trail.Leave()

    override _.BeginArray() = (expect JsonValueKind.Array).GetArrayLength()

    override _.BeginElement index =
        trail.Element index
        values.Push((values.Peek())[index])

    override _.EndElement() =
        values.Pop() |> ignore
        trail.Leave()

    override _.EndArray() = ()

[<RequireQualifiedAccess>]
module internal Json =

    /// The value as a single line of JSON.
    let write (codec: Codec<'T>) (value: 'T) : string =
        let writer = Utf8Writer 256
        codec.Visit(JsonVisitor(writer, false), value)
        Text.Encoding.UTF8.GetString writer.Written.Span

    /// The value of a JSON document. A fault has the path in the document.
    let read (codec: Codec<'T>) (name: string) (json: string) : Result<'T, Fault> =
        let trail = Trail name

        let fault problem = Error { Problem = problem; Offset = 0; Path = trail.ToString() }

        try
            use document = JsonDocument.Parse json
            Ok(codec.Build(JsonSource(document.RootElement, trail)))
        with
        | :? FaultException as error -> fault error.Problem
        | :? JsonException as error -> fault (Problem.BadJson error.Message)
        // Text or a name with half of a surrogate pair: JSON allows it, and .NET has no string for it.
        | :? InvalidOperationException as error -> fault (Problem.BadJson error.Message)
