/// The golden vectors, the recorded conversations and the protocol's schema: their folders, and how to read them.
module LibKafka.Properties.TestData

open System
open System.IO
open System.IO.Compression
open System.Text.Json
open LibKafka.Wire

/// The checkout that this program was built in.
let checkout: string =
    let rec up (directory: DirectoryInfo | null) =
        match directory with
        | null -> failwith "run the tests from inside a checkout: tests/data is not above the program"
        | here when Directory.Exists(Path.Combine(here.FullName, "tests", "data")) -> here.FullName
        | here -> up here.Parent

    up (DirectoryInfo AppContext.BaseDirectory)

let private root = Path.Combine(checkout, "tests", "data")

/// The folders in an environment variable, separated as in PATH. If it is not set, the folders of these names in `tests/data`.
let private folders (variable: string) (names: string list) : string list =
    match Environment.GetEnvironmentVariable variable with
    | null
    | "" -> [ for name in names -> Path.Combine(root, name) ]
    | given -> List.ofArray (given.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))

/// Whether the data is that of the checkout, and not other data that the environment variable names.
let areOwn (variable: string) = String.IsNullOrEmpty(Environment.GetEnvironmentVariable variable)

/// The golden vectors. `LIBKAFKA_VECTORS` names another set of the same form.
let vectors = List.head (folders "LIBKAFKA_VECTORS" [ "vectors" ])

/// The sets of recorded conversations. `LIBKAFKA_CAPTURES` names other sets of the same form.
let captures = folders "LIBKAFKA_CAPTURES" [ "captures"; "captures-2" ]

/// Log segments of internal topics, each with what Kafka's own tool prints of it. `LIBKAFKA_SEGMENTS` names another set of the same form.
let segments = List.head (folders "LIBKAFKA_SEGMENTS" [ "segments" ])

/// Packet captures of a client and test brokers, and the requests in them.
let packets = Path.Combine(root, "packets")

/// Two segments that Kafka 4.0 wrote in which two producers aborted and committed transactions, with their indexes.
let aborts = Path.Combine(root, "aborts")

/// The versions that the brokers of each release report.
let releases = Path.Combine(root, "releases")

let private open' (path: string) : StreamReader =
    let file = File.OpenRead path
    if path.EndsWith ".gz" then
        new StreamReader(new GZipStream(file, CompressionMode.Decompress))
    else
        new StreamReader(file)

/// The lines of a text file, compressed or not.
let textLines (directory: string) (file: string) : string list =
    use reader = open' (Path.Combine(directory, file))

    [ while not reader.EndOfStream do
          match reader.ReadLine() with
          | null -> ()
          | line -> line ]

/// The objects of a compressed JSON lines file.
let jsonLines (directory: string) (file: string) : JsonElement list =
    textLines directory file |> List.map (fun line -> JsonDocument.Parse(line).RootElement)

/// The same, and none if a set of data does not have the file.
let jsonLinesIfAny (directory: string) (file: string) : JsonElement list =
    if File.Exists(Path.Combine(directory, file)) then jsonLines directory file else []

/// The rows of a tab-separated file, by the names in its first line.
let tsvRows (directory: string) (file: string) : Map<string, string> list =
    match textLines directory file with
    | [] -> []
    | names :: rows ->
        let names = names.Split '\t'
        rows |> List.map (fun row -> Map.ofArray (Array.zip names (row.Split '\t')))

let private schemaIn (file: string) : Lazy<JsonElement> =
    lazy (JsonDocument.Parse(File.ReadAllText(Path.Combine(root, "protocol", file))).RootElement)

/// Every message of the protocol according to the published schema.
let schema = schemaIn "schema.json"

/// The same of Kafka 3.9, the last release with the versions that Kafka 4.0 removed (KIP-896).
let oldSchema = schemaIn "schema-old.json"

/// The messages that Kafka stores: in internal topics, in the metadata log and in a few files.
let storageSchema = schemaIn "storage-schema.json"

/// The text of a property.
let text (name: string) (json: JsonElement) : string =
    match json.GetProperty(name).GetString() with
    | null -> failwith (name + " is null")
    | value -> value

/// The bytes of a line: its `<name>hex` or `<name>base64` property.
let bytesOf (prefix: string) (json: JsonElement) : Bytes =
    match json.TryGetProperty(prefix + "hex") with
    | true, hex when hex.ValueKind = JsonValueKind.String -> Bytes.ofHex (text (prefix + "hex") json)
    | _ -> Bytes(json.GetProperty(prefix + "base64").GetBytesFromBase64())
