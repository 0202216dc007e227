namespace LibKafka.Wire

open System
open System.Buffers
open System.Buffers.Text
open System.Text.Encodings.Web
open System.Text.Json

/// Writes a value as JSON in Kafka's own form: camelCase names, bytes and records in base64, uuids in URL-safe base64 without padding, tagged
/// fields left out while they have their default.
[<Sealed>]
type internal JsonVisitor(writer: Utf8JsonWriter) =
    inherit Visitor()

    let camelCase (name: string) = name.Substring(0, 1).ToLowerInvariant() + name.Substring 1

    override _.Bool value = writer.WriteBooleanValue value
    override _.Integer value = writer.WriteNumberValue value

    override _.Float64 value =
        // JSON has no infinities and no NaN.
        if Double.IsFinite value then
            writer.WriteNumberValue value
        else
            writer.WriteStringValue(value.ToString(Globalization.CultureInfo.InvariantCulture))

    override _.Uuid value = writer.WriteStringValue(Base64Url.EncodeToString(value.ToByteArray true))

    override _.String value = writer.WriteStringValue value
    override _.Bytes value = writer.WriteBase64StringValue value.Span
    override _.Null() = writer.WriteNullValue()
    override _.LostNull() = writer.WriteNullValue()
    override _.BeginStruct() = writer.WriteStartObject()
    override _.EndStruct() = writer.WriteEndObject()
    override _.BeginField name = writer.WritePropertyName(camelCase name)
    override _.BeginArray _ = writer.WriteStartArray()
    override _.EndArray() = writer.WriteEndArray()

[<RequireQualifiedAccess>]
module internal Json =

    let private options = JsonWriterOptions(Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping)

    /// The value as one line of JSON.
    let write (codec: Codec<'T>) (value: 'T) : string =
        let buffer = ArrayBufferWriter<byte>()
        use writer = new Utf8JsonWriter(buffer, options)
        codec.Visit(JsonVisitor writer, value)
        writer.Flush()
        Text.Encoding.UTF8.GetString buffer.WrittenSpan
