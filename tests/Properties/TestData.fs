/// Where the golden vectors, the recorded conversations and the protocol's schema are, and how to read them.
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

/// `tests/data/<name>`, or the folder that the environment variable names where it is set.
let private folder (variable: string) (name: string) : string =
    match Environment.GetEnvironmentVariable variable with
    | null
    | "" -> Path.Combine(root, name)
    | given -> given

/// The golden vectors. `LIBKAFKA_VECTORS` names another set of the same form.
let vectors = folder "LIBKAFKA_VECTORS" "vectors"

/// The recorded conversations. `LIBKAFKA_CAPTURES` names another set of the same form.
let captures = folder "LIBKAFKA_CAPTURES" "captures"

/// What the brokers of each release tell of their versions.
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

/// The rows of a tab-separated file, by the names in its first line.
let tsvRows (directory: string) (file: string) : Map<string, string> list =
    match textLines directory file with
    | [] -> []
    | names :: rows ->
        let names = names.Split '\t'
        rows |> List.map (fun row -> Map.ofArray (Array.zip names (row.Split '\t')))

/// Every message of the protocol, as the published schema has it.
let schema: Lazy<JsonElement> =
    lazy (JsonDocument.Parse(File.ReadAllText(Path.Combine(root, "protocol", "schema.json"))).RootElement)

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
