/// The page of performance: the tables and drawings that are made from the results of the benchmarks in docs/performance.json.
module Performance

open System
open System.Globalization
open System.Text.Json
open System.Text.Json.Nodes

/// A result of a benchmark, as artifacts/bench.json has it.
type private Row = { Name: string; Shape: string; Unit: string; Value: float; Floor: float option; Peers: (string * float) list }

/// A part of the page: benchmarks by name, and the units of which it has a drawing.
type private Section = { Title: string; Text: string; Names: string list; Drawn: (string * string) list }

let private sections =
    [ { Title = "End to end"
        Text =
          "Records of 100 bytes through a client and over real sockets to brokers in another process. The floor is a bare socket with "
          + "hand-written frames and this library's record loop. What a client costs the processor does not depend on the speed of the brokers."
        Names = [ "produce"; "idempotent-produce"; "fetch"; "fetch-ahead"; "fetch-overlap"; "topic-produce"; "group-consume" ]
        Drawn = [ "cpu s/M records", "performance-cpu.svg"; "records/s", "performance-rates.svg" ] }
      { Title = "Encoding and decoding"
        Text =
          "Batches of 1,000 records in one thread: `a` has keys of 16 bytes and values of 100, `b` values of 1,000 bytes without keys, `c` is `a` "
          + "with two headers. The floor is a copy and a CRC-32C of the same bytes. Straightforward C# is a hand-written loop over spans that "
          + "allocates nothing, with a loop over the processor's CRC instruction or with this library's checksum."
        Names = [ "encode"; "decode" ]
        Drawn = List.singleton ("ns/record", "performance-records.svg") }
      { Title = "Compression"; Text = "The floor is the codec alone."; Names = [ "compressed" ]; Drawn = [] }
      { Title = "Single calls"
        Text = "A record in each call, acknowledged, and the first calls of a process."
        Names = [ "single-call"; "first-calls"; "produce call"; "consume call"; "connect"; "leaders"; "poll-cost"; "guard" ]
        Drawn = [] }
      { Title = "Messages and start-up"
        Text =
          "Encoding and decoding messages, where the floor is a copy of the same bytes, and whole processes. Decoding does not copy records."
        Names = [ "message encode"; "message decode"; "startup" ]
        Drawn = [] }
      { Title = "The test broker"
        Text = "The brokers of LibKafka.Testing in the process of their client."
        Names = [ "test-broker" ]
        Drawn = [] } ]

// ---- The results ----

let private parse (json: string) : JsonNode = nonNull (JsonNode.Parse json)
let private item (name: string) (node: JsonNode) : JsonNode = nonNull node[name]
let private textOf (name: string) (node: JsonNode) : string = (item name node).GetValue<string>()
let private elements (node: JsonNode) : JsonNode list = [ for element in node.AsArray() -> nonNull element ]

/// The rows of docs/performance.json.
let private read (json: string) : Row list =
    [ for row in parse json |> item "rows" |> elements ->
          { Name = textOf "name" row
            Shape = textOf "shape" row
            Unit = textOf "unit" row
            Value = (item "value" row).GetValue<float>()
            Floor = Option.ofObj row["floor"] |> Option.map _.GetValue<float>()
            Peers = [ for peer in (item "peers" row).AsObject() -> peer.Key, (nonNull peer.Value).GetValue<float>() ] } ]

/// The results with those of another run in the place of the same benchmarks, with a word about that run.
let merge (json: string) (run: string) (about: string) : string =
    let root = parse json
    let measured = elements (parse run)
    let replaced = set (List.map (textOf "name") measured)
    let kept = root |> item "rows" |> elements |> List.filter (fun row -> not (replaced.Contains(textOf "name" row)))
    root["about"] <- JsonValue.Create about
    root["rows"] <- JsonArray [| for row in kept @ measured -> row.DeepClone() |]
    root.ToJsonString(JsonSerializerOptions(WriteIndented = true)) + "\n"

// ---- The text ----

let private number (value: float) =
    let digits =
        if value >= 100.0 then "N0"
        elif value >= 10.0 then "N1"
        else "N2"

    value.ToString(digits, CultureInfo.InvariantCulture)

let private table (rows: Row list) : string list =
    [ "| benchmark | data | unit | LibKafka | floor | others |"
      "|---|---|---|---|---|---|"
      for row in rows do
          let floor = row.Floor |> Option.map number |> Option.defaultValue ""
          let others = String.Join(", ", [ for name, value in row.Peers -> $"{name}: {number value}" ])
          $"| {row.Name} | {row.Shape} | {row.Unit} | {number row.Value} | {floor} | {others} |" ]

let private rowsOf (section: Section) (rows: Row list) = rows |> List.filter (fun row -> List.contains row.Name section.Names)

let private drawnRows (section: Section) (rows: Row list) =
    [ for unit, file in section.Drawn do
          match rowsOf section rows |> List.filter (fun row -> row.Unit = unit) with
          | [] -> ()
          | drawn -> unit, file, drawn ]

/// A benchmark without a section would be missing from the page.
let private demandSections (rows: Row list) =
    let placed = sections |> List.collect _.Names |> Set.ofList

    match rows |> List.map _.Name |> List.filter (placed.Contains >> not) |> List.distinct with
    | [] -> ()
    | missing -> failwith ("no section of the page has " + String.Join(", ", missing))

/// The part of the page that the results determine.
let private text (json: string) : string =
    let rows = read json
    demandSections rows

    String.Join(
        "\n",
        [ textOf "about" (parse json)
          for section in sections do
              match rowsOf section rows with
              | [] -> ()
              | found ->
                  ""
                  $"## {section.Title}"
                  ""
                  section.Text

                  for unit, file, _ in drawnRows section rows do
                      ""
                      $"![{section.Title}: {unit}]({file})"

                  ""
                  yield! table found ]
    )

// Around the part of the page that the results determine.
let private first, private last = "<!-- results -->", "<!-- end of results -->"

/// The page with the text of these results.
let update (page: string) (json: string) : string =
    let start = page.IndexOf first + first.Length
    page.Substring(0, start) + "\n\n" + text json + "\n\n" + page.Substring(page.IndexOf last)

// ---- The drawings ----

let private escape (text: string) : string = nonNull (Net.WebUtility.HtmlEncode text)
let private coordinate (value: float) = value.ToString("0.#", CultureInfo.InvariantCulture)

let private colour (name: string) =
    match name with
    | "LibKafka" -> "#2f81f7"
    | "floor" -> "#8b949e"
    | "Confluent.Kafka" -> "#db6d28"
    | _ -> "#a371f7"

let private barHeight, private left, private width = 16.0, 230.0, 380.0

/// Bars for rows of the same unit: LibKafka, the floor and the others.
let private draw (title: string) (unit: string) (rows: Row list) : string =
    let bars (row: Row) =
        [ "LibKafka", row.Value
          yield! row.Floor |> Option.map (fun floor -> "floor", floor) |> Option.toList
          yield! row.Peers ]

    let longest = rows |> List.collect bars |> List.map snd |> List.max
    let heights = rows |> List.map (fun row -> float (bars row).Length * (barHeight + 2.0) + 10.0)
    let tops = List.scan (+) 40.0 heights

    let bar (top: float) (index: int) (name: string, value: float) =
        let y = top + float index * (barHeight + 2.0)
        let length = max 1.0 (width * value / longest)

        [ $"<rect x=\"{left}\" y=\"{coordinate y}\" width=\"{coordinate length}\" height=\"{barHeight}\" fill=\"{colour name}\"/>"
          $"<text x=\"{coordinate (left + length + 6.0)}\" y=\"{coordinate (y + 12.5)}\">{number value} {escape name}</text>" ]

    let group (row: Row, top: float) =
        let label = if row.Shape = "" then row.Name else $"{row.Name}, {row.Shape}"

        $"<text x=\"{left - 8.0}\" y=\"{coordinate (top + 12.5)}\" text-anchor=\"end\">{escape label}</text>"
        :: (bars row |> List.mapi (bar top) |> List.concat)

    let height = List.last tops

    String.Join(
        "\n",
        [ $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 {coordinate height}\" role=\"img\">"
          $"<title>{title}: {unit}</title>"
          "<style>text { font: 12px sans-serif; fill: #57606a }"
          "@media (prefers-color-scheme: dark) { text { fill: #b1bac4 } }</style>"
          $"<text x=\"{left}\" y=\"22\" font-weight=\"bold\">{unit}</text>"
          yield! List.zip rows (List.truncate rows.Length tops) |> List.collect group
          "</svg>"
          "" ]
    )

/// The drawings of the page: the names of their files, and what is in them.
let drawings (json: string) : (string * string) list =
    let rows = read json

    [ for section in sections do
          for unit, file, drawn in drawnRows section rows -> file, draw section.Title unit drawn ]
