namespace LibKafka.Wire

open System
open System.Collections.Generic
open System.Buffers.Text
open System.Text.Json

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
    let write (hidesSecrets: bool) (codec: Codec<'T>) (value: 'T) : string =
        let writer = Utf8Writer 256
        codec.Visit(JsonVisitor(writer, false, hidesSecrets), value)
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
