/// The golden vectors of Kafka's Java client: bytes and their meaning.
module LibKafka.Properties.Protocol.VectorTests

open System.Text.Json
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Properties
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol.Definitions

/// The number that a line has for a name.
let number (name: string) (line: JsonElement) = line.GetProperty(name).GetInt16()

/// The lines of the versions that Kafka 4.0 removed, without those between brokers (keys 4 to 7, and AlterPartition) and those that were never
/// final: they are not defined.
let private oldLines =
    TestData.jsonLinesIfAny TestData.vectors "messages-old.jsonl.gz"
    |> List.filter (fun line ->
        let key = number "key" line
        not ((key >= 4s && key <= 7s) || key = ApiKey.AlterPartition.Code || line.GetProperty("unstable").GetBoolean()))

/// The lines of all messages, by API key and type.
let private lines: Lazy<Map<int16 * string, JsonElement list>> =
    lazy
        (TestData.jsonLines TestData.vectors "messages.jsonl.gz" @ oldLines
         |> List.groupBy (fun line -> number "key" line, TestData.text "type" line)
         |> Map.ofList)

/// The lines of an API's requests or responses.
let linesOf (key: ApiKey) (kind: string) = lines.Value |> Map.tryFind (key.Code, kind) |> Option.defaultValue []

/// What is wrong with a definition according to these bytes and their JSON. The bytes that it writes must be those that it read, without
/// unknown tagged fields.
let private complaint (version: int16) (bytes: Bytes) (json: JsonElement) =
    { new IUse<string option> with
        member _.Use message =
            let known () = UnknownTags.without [ Message.shape version message |> ok "shape" ] bytes

            match Message.decode Limits.standard version message bytes with
            | Error fault -> Some("decode: " + fault.ToString())
            | Ok value ->
                let text = Message.toJson version message value |> ok "toJson"

                match JsonComparison.differenceOf json text, Message.encode version message value with
                | Some difference, _ -> Some("JSON " + difference)
                | None, Error fault -> Some("encode: " + fault.ToString())
                | None, Ok written when written = bytes || written = known () -> None
                | None, Ok written -> Some("bytes: " + Bytes.toHex bytes + " expected, " + Bytes.toHex written + " written") }

/// What is wrong with the value that is read from the JSON, if anything is. It must be the value of the bytes, and so be written in the
/// same way.
let private jsonComplaint (version: int16) (bytes: Bytes) (json: JsonElement) =
    { new IUse<string option> with
        member _.Use message =
            let written value = Message.encode version message value |> ok "encode"
            let meant = Message.decode Limits.standard version message bytes |> ok "decode"

            match Message.ofJson version message (json.GetRawText()) with
            | Error fault -> Some("ofJson: " + fault.ToString())
            | Ok read when written read <> written meant -> Some("read as " + Message.show message read)
            | Ok _ -> None }

/// The complaint, with its line.
let private about (line: JsonElement) (version: int16) (complaint: string) =
    "version " + string version + ", instance " + string (number "instance" line) + ": " + complaint

let private check (definition: Definition) (line: JsonElement) =
    let version = number "version" line

    complaint version (TestData.bytesOf "" line) (line.GetProperty "json")
    |> definition.Use
    |> Option.map (about line version)

let private checkJson (definition: Definition) (line: JsonElement) =
    let version = number "version" line

    jsonComplaint version (TestData.bytesOf "" line) (line.GetProperty "json")
    |> definition.Use
    |> Option.map (about line version)

let private eachVector (check: Definition -> JsonElement -> string option) (api: ApiDefinition) =
    messagesOf api
    |> List.map (fun (kind, definition) ->
        testCase definition.Name (fun () -> linesOf api.Key kind |> List.choose (check definition) |> noneOf "vectors fail"))

/// An API has vectors of both types, all of versions that it has. The set in the checkout covers every version; another set need not.
let private covered (api: ApiDefinition) =
    testCase api.Key.Name (fun () ->
        let requests = linesOf api.Key "request"
        let responses = linesOf api.Key "response"
        Expect.isNonEmpty requests "requests"
        Expect.isNonEmpty responses "responses"

        for lines in [ requests; responses ] do
            let versions = lines |> List.map (number "version") |> List.distinct |> List.sort
            Expect.isEmpty (Set.ofList versions - Set.ofList (api.Versions.ToList())) "versions that the API does not have"
            if TestData.areOwn "LIBKAFKA_VECTORS" then
                Expect.equal versions (api.Versions.ToList()) "versions"

        printfn
            "%-30s key %2d, versions %s: %d request and %d response vectors"
            api.Key.Name
            api.Key.Code
            (api.Versions.ToString())
            requests.Length
            responses.Length)

let private byName (lines: JsonElement list) = lines |> List.groupBy (TestData.text "name") |> Map.ofList
let private dataLines = lazy (byName (TestData.jsonLines TestData.vectors "embedded.jsonl.gz"))
let private storageLines = lazy (byName (TestData.jsonLines TestData.vectors "storage.jsonl.gz"))

let private namedLines (lines: Lazy<Map<string, JsonElement list>>) (definition: Definition) =
    lines.Value |> Map.tryFind definition.Name |> Option.defaultValue []

let private dataLinesOf (definition: Definition) = namedLines dataLines definition

let private eachNamedVector linesOf (check: Definition -> JsonElement -> string option) (definition: Definition) =
    testCase definition.Name (fun () ->
        let lines: JsonElement list = linesOf definition
        Expect.isNonEmpty lines "lines of this message"
        lines |> List.choose (check definition) |> noneOf "vectors fail")

/// Two bytes with the version precede data messages in storage.
let private versionPrefix (definition: Definition) =
    testCase definition.Name (fun () ->
        for line in dataLinesOf definition do
            let prefixed = Bytes.ofHex (TestData.text "versionPrefixedHex" line)
            Expect.equal (Reader(prefixed.Slice(0, 2), System.Int64.MaxValue).Int16()) (number "version" line) "the version"
            Expect.equal (prefixed.Slice(2, prefixed.Length - 2)) (TestData.bytesOf "" line) "the body")

let private eachDataVector = eachNamedVector dataLinesOf
let private eachStorageVector = eachNamedVector (namedLines storageLines)

let private storageVersions (definition: Definition) =
    testCase definition.Name (fun () ->
        let versions = namedLines storageLines definition |> List.map (number "version") |> List.distinct |> List.sort
        Expect.isEmpty (Set.ofList versions - Set.ofList definition.Versions) "versions that the message does not have"
        if TestData.areOwn "LIBKAFKA_VECTORS" then
            Expect.equal versions definition.Versions "versions")

let private noOtherData =
    testCase "no vector is of another data message" (fun () ->
        Expect.isEmpty (Set.ofSeq dataLines.Value.Keys - Set.ofList (data |> List.map _.Name)) "names")

let private headerLines =
    lazy
        (TestData.jsonLines TestData.vectors "headers.jsonl.gz"
         |> List.groupBy (fun line -> TestData.text "header" line, number "headerVersion" line)
         |> Map.ofList)

let private checkHeader (definition: Definition) version (line: JsonElement) =
    complaint version (TestData.bytesOf "" line) (line.GetProperty "json")
    |> definition.Use
    |> Option.map (about line version)

let private headersDecodeAndEncode =
    [ for definition in headers do
          for version in definition.Versions do
              testCase (definition.Name + " " + string version) (fun () ->
                  let lines = headerLines.Value |> Map.tryFind (definition.Name, version) |> Option.defaultValue []
                  Expect.isNonEmpty lines "lines of this version"
                  lines |> List.choose (checkHeader definition version) |> noneOf "vectors fail") ]

let private headerOfVersion0 =
    testCase "a request header of version 0, which Kafka 4 no longer has, is refused as such" (fun () ->
        let lines = headerLines.Value |> Map.tryFind ("RequestHeader", 0s) |> Option.defaultValue []
        Expect.isNonEmpty lines "lines of this version"

        for line in lines do
            Message.decode Limits.standard 0s RequestHeader.message (TestData.bytesOf "" line)
            |> faultsWith (Problem.UnsupportedVersion(0s, 1s, 2s)) 0 "RequestHeader")

let private noOtherHeaders =
    testCase "no vector is of another header" (fun () ->
        let known =
            ("RequestHeader", 0s)
            :: [ for definition in headers do
                     for version in definition.Versions -> definition.Name, version ]

        Expect.isEmpty (Set.ofSeq headerLines.Value.Keys - Set.ofList known) "headers and versions")

/// Which header goes before which message, by key and type.
let private headerTable =
    lazy
        (TestData.tsvRows TestData.vectors "headers.tsv.gz"
         |> List.groupBy (fun row -> int16 row["key"], row["type"])
         |> Map.ofList)

/// Version, header version and whether it is flexible, according to the table.
let private expectedHeaders (key: ApiKey) kind =
    headerTable.Value[key.Code, kind]
    |> List.map (fun row -> int16 row["version"], int16 row["headerVersion"], bool.Parse row["flexible"])

let private headerVersions (api: ApiDefinition) =
    testCase api.Key.Name (fun () ->
        let defined (headerVersion: int16 -> int16) =
            api.Versions.ToList() |> List.map (fun version -> version, headerVersion version, api.IsFlexible version)

        // The table has no versions that Kafka 4.0 removed. They are not flexible.
        let expected kind (ofOld: int16) =
            let known = expectedHeaders api.Key kind
            let lowest = known |> List.map (fun (version, _, _) -> version) |> List.min
            [ for version in api.Versions.Lowest .. lowest - 1s -> version, ofOld, false ] @ known

        Expect.equal (defined api.RequestHeaderVersion) (expected "request" 1s) "requests"
        Expect.equal (defined api.ResponseHeaderVersion) (expected "response" 0s) "responses")

[<Tests>]
let tests =
    testList
        "Golden vectors"
        [ testCase "there are APIs to test" (fun () -> Expect.isNonEmpty Apis.keys "keys")
          testList "every API has vectors of requests and responses, of its own versions" (List.map covered apis)
          testList "bytes are read as their JSON says and written again" (List.collect (eachVector check) apis)
          testList "JSON is read as what its bytes mean" (List.collect (eachVector checkJson) apis)
          testList "headers are read as their JSON says and written again" headersDecodeAndEncode
          headerOfVersion0
          noOtherHeaders
          forEach "data messages are read as their JSON says and written again" data (eachDataVector check)
          forEach "the JSON of data messages is read as what its bytes mean" data (eachDataVector checkJson)
          forEach "data messages have their version before them" data versionPrefix
          noOtherData
          forEach "stored messages are read as their JSON says and written again" storage (eachStorageVector check)
          forEach "the JSON of stored messages is read as what its bytes mean" storage (eachStorageVector checkJson)
          forEach "stored messages have vectors of their own versions" storage storageVersions
          testList "versions, flexible versions and header versions are Kafka's" (List.map headerVersions apis) ]
