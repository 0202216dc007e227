namespace LibKafka.Wire

open System
open System.Buffers
open System.Collections.Generic
open System.Text
open System.Text.Encodings.Web
open System.Text.Json

module internal JsonName =

    /// The name of a field in JSON: the protocol's name with a lower-case first letter.
    let ofField (name: string) = name.Substring(0, 1).ToLowerInvariant() + name.Substring 1

    /// A comma, the name in quotation marks, and a colon, as a member of an object begins unless it is the first.
    let text (name: string) : byte[] =
        Encoding.UTF8.GetBytes(",\"" + JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(ofField name) + "\":")

/// Writes a value as JSON in Kafka's own form: names in camelCase, bytes and records in base64, uuids in URL-safe base64 without padding. A
/// tagged field with its default is left out. With `withMeanings`, a number of a type that has names is written as a string: its name, or its
/// digits if it has none. With `hidesSecrets`, a secret that is not empty is the string `[secret]`; a relayed value must not have any.
[<Sealed>]
type JsonVisitor internal (writer: Utf8Writer, withMeanings: bool, hidesSecrets: bool) =
    inherit Visitor()
    static let encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping

    /// The characters that JSON has as they are.
    static let plain =
        SearchValues.Create
            [| for code in ' 'B .. '~'B do
                   if code <> '"'B && code <> '\\'B then code |]

    // The texts of the names of fields.
    let names = Dictionary<string, byte[]>(HashIdentity.Reference)
    let uuid = Array.zeroCreate<byte> 16
    // Whether the next field is the first of its object.
    let mutable isFirst = true
    // The name of the number that follows, which may be empty; null if its type has no names.
    let mutable meaning: string | null = null
    // Whether the next value must be hidden.
    let mutable isHidden = false

    let textOf (name: string) : byte[] =
        match names.TryGetValue name with
        | true, known -> known
        | _ ->
            let made = JsonName.text name
            names[name] <- made
            made

    /// A string of characters that JSON has as they are.
    let quoted (text: string) =
        writer.Byte '"'B
        writer.Text text
        writer.Byte '"'B

    /// Whether names of numbers are written.
    member internal _.WithMeanings = withMeanings

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

    override _.Secret() = isHidden <- hidesSecrets

    override _.Utf8 value =
        writer.Byte '"'B

        if value.IndexOfAnyExcept plain < 0 then
            writer.Utf8 value
        else
            writer.Utf8 (JsonEncodedText.Encode(value, encoder)).EncodedUtf8Bytes

        writer.Byte '"'B

    override this.String value =
        if isHidden && value <> "" then
            quoted SecretText.Hidden
        else
            this.Utf8(ReadOnlySpan<byte>(Encoding.UTF8.GetBytes value))

        isHidden <- false

    override _.Bytes value =
        if isHidden && value.Length > 0 then
            quoted SecretText.Hidden
        else
            writer.Byte '"'B
            writer.Base64 value.Span
            writer.Byte '"'B

        isHidden <- false

    override _.Null() =
        writer.Text "null"
        isHidden <- false

    override this.LostNull() = this.Null()

    override _.BeginStruct() =
        writer.Byte '{'B
        isFirst <- true

    override _.EndStruct() =
        writer.Byte '}'B
        isFirst <- false

    override this.BeginField name = this.BeginField(textOf name)

    /// A field, by the text of its name: see `JsonName.text`.
    member internal _.BeginField(name: byte[]) =
        let text = ReadOnlySpan<byte> name
        writer.Utf8(if isFirst then text.Slice 1 else text)
        isFirst <- false
        // The value of the field before was perhaps not a number.
        meaning <- null

    override _.BeginArray _ = writer.Byte '['B
    override _.BeginElement index = if index > 0 then writer.Byte ','B
    override _.EndArray() = writer.Byte ']'B
