namespace LibKafka.Storage

open System.Buffers
open System.Text
open System.Text.Json
open LibKafka.Wire

/// The file `quorum-state`, whole: the JSON form of QuorumStateData, with the version in the field `data_version`.
[<RequireQualifiedAccess>]
module QuorumStateFile =

    [<Literal>]
    let private VersionField = "data_version"

    /// The members of an object but one, as the text of an object.
    let private without (name: string) (json: JsonElement) : string =
        let buffer = ArrayBufferWriter<byte>()
        use writer = new Utf8JsonWriter(buffer)
        writer.WriteStartObject()

        for property in json.EnumerateObject() do
            if property.Name <> name then property.WriteTo writer

        writer.WriteEndObject()
        writer.Flush()
        Encoding.UTF8.GetString buffer.WrittenSpan

    let private fault (reason: string) = Error { Problem = Problem.BadJson reason; Offset = 0; Path = "QuorumStateData" }

    /// The content of a file.
    let decode (text: string) : Result<Versioned<QuorumStateData.Value>, Fault> =
        try
            use document = JsonDocument.Parse text
            let json = document.RootElement

            if json.ValueKind <> JsonValueKind.Object then
                fault "expected an object"
            else
                match json.TryGetProperty VersionField with
                | true, number when number.ValueKind = JsonValueKind.Number ->
                    match number.TryGetInt16() with
                    | true, version ->
                        Message.ofJson version QuorumStateData.message (without VersionField json)
                        |> Result.map (fun value -> { Version = version; Value = value })
                    | _ -> fault (VersionField + " is not a version number")
                | _ -> fault ("the field " + VersionField + " is missing or is not a number")
        with
        | :? JsonException as error -> fault error.Message
        // Text or a name with half of a surrogate pair: JSON allows it, and .NET has no string for it.
        | :? System.InvalidOperationException as error -> fault error.Message

    /// The text of a file.
    let encode (state: Versioned<QuorumStateData.Value>) : Result<string, Fault> =
        Message.toJson state.Version QuorumStateData.message state.Value
        |> Result.map (fun json -> json.Substring(0, json.Length - 1) + ",\"" + VersionField + "\":" + string state.Version + "}")
