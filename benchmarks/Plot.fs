/// Draws the rates of encoding and decoding against the size of a record.
module LibKafka.Benchmarks.Plot

open System
open System.Globalization
open System.IO
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Benchmarks.Rows

// ---------------------------------------------------------------------------------------------------------------------
// Drawing

/// A line with a name. A floor is drawn dashed.
type private Series = { Name: string; Colour: string; IsFloor: bool; Points: (float * float) list }

/// A diagram whose axes are both logarithmic.
type private Panel = { Title: string; Series: Series list }

let private panelWidth, private panelHeight = 400.0, 260.0
let private left, private top, private gap = 64.0, 40.0, 84.0
let private number (value: float) = value.ToString("0.##", CultureInfo.InvariantCulture)

/// 1 K for a thousand, 1 M for a million.
let private scale (value: float) =
    match value with
    | v when v >= 1e9 -> number (v / 1e9) + " G"
    | v when v >= 1e6 -> number (v / 1e6) + " M"
    | v when v >= 1e3 -> number (v / 1e3) + " K"
    | v -> number v

/// The powers of ten that enclose the values.
let private decades (values: float seq) : float * float =
    Math.Floor(Math.Log10(Seq.min values) + 1e-9), Math.Ceiling(Math.Log10(Seq.max values) - 1e-9)

let private text (x: float) (y: float) (attributes: string) (content: string) =
    $"<text x=\"{number x}\" y=\"{number y}\" {attributes}>{content}</text>"

let private line (kind: string) (x1: float) (y1: float) (x2: float) (y2: float) =
    $"<line class=\"{kind}\" x1=\"{number x1}\" y1=\"{number y1}\" x2=\"{number x2}\" y2=\"{number y2}\"/>"

let private panel (index: int) (panel: Panel) : string list =
    let originX = left + float index * (panelWidth + gap)
    let points = panel.Series |> List.collect _.Points
    let lowX, highX = decades (List.map fst points)
    let lowY, highY = decades (List.map snd points)
    let x (value: float) = originX + panelWidth * (Math.Log10 value - lowX) / (highX - lowX)
    let y (value: float) = top + panelHeight * (highY - Math.Log10 value) / (highY - lowY)

    let ticks (low: float) (high: float) =
        [ for exponent in int low .. int high do
              for digit in [ 1.0; 2.0; 5.0 ] do
                  let value = digit * Math.Pow(10.0, float exponent)
                  if value <= Math.Pow(10.0, high) * 1.001 then digit, value ]

    let kind digit = if digit = 1.0 then "grid" else "fine"

    let drawn (series: Series) =
        let path = String.Join(" ", [ for px, py in series.Points -> number (x px) + "," + number (y py) ])
        let dashes = if series.IsFloor then " stroke-dasharray=\"5 4\"" else ""
        $"<polyline points=\"{path}\" fill=\"none\" stroke=\"{series.Colour}\" stroke-width=\"2\"{dashes}/>"

    [ text (originX + panelWidth / 2.0) (top - 16.0) "text-anchor=\"middle\" font-weight=\"bold\"" panel.Title

      for digit, value in ticks lowX highX do
          line (kind digit) (x value) top (x value) (top + panelHeight)

          if digit = 1.0 then
              text (x value) (top + panelHeight + 18.0) "text-anchor=\"middle\"" (scale value)

      for digit, value in ticks lowY highY do
          line (kind digit) originX (y value) (originX + panelWidth) (y value)
          text
              (originX - 6.0)
              (y value + 4.0)
              (if digit = 1.0 then "text-anchor=\"end\"" else "text-anchor=\"end\" class=\"small\"")
              (scale value)

      text (originX + panelWidth / 2.0) (top + panelHeight + 38.0) "text-anchor=\"middle\"" "bytes in a record's value"
      yield! List.map drawn panel.Series ]

let private legend (series: Series list) : string list =
    [ for index, series in List.indexed series do
          let x = left + float index * 220.0
          let y = top + panelHeight + 62.0
          let dashes = if series.IsFloor then " stroke-dasharray=\"5 4\"" else ""

          $"<line x1=\"{number x}\" y1=\"{number y}\" x2=\"{number (x + 30.0)}\" y2=\"{number y}\" stroke=\"{series.Colour}\" stroke-width=\"2\"{dashes}/>"
          text (x + 38.0) (y + 4.0) "" series.Name ]

/// The panels side by side, with the legend of the first below them. The colours are readable on white and on black.
let private svg (description: string) (panels: Panel list) : string =
    let width = left + float panels.Length * (panelWidth + gap) - gap + 24.0
    let height = top + panelHeight + 80.0

    String.Join(
        "\n",
        [ $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {number width} {number height}\" role=\"img\">"
          $"<title>{description}</title>"
          "<style>"
          "text { font: 12px sans-serif; fill: #57606a } .small { font-size: 10px }"
          ".grid { stroke: #888; stroke-opacity: 0.5 } .fine { stroke: #888; stroke-opacity: 0.2 }"
          "@media (prefers-color-scheme: dark) { text { fill: #b1bac4 } }"
          "</style>"
          yield! panels |> List.mapi panel |> List.concat
          yield! legend panels.Head.Series
          "</svg>"
          "" ]
    )

// ---------------------------------------------------------------------------------------------------------------------
// Measuring

let private rounds = 41
let private sizes = [ 10; 20; 50; 100; 200; 500; 1_000; 2_000; 5_000; 10_000 ]

let private kinds =
    [ "encode", "#2f81f7", false
      "its floor: copy and CRC", "#2f81f7", true
      "decode", "#db6d28", false
      "its floor: CRC alone", "#db6d28", true ]

/// The times of a batch of one size in nanoseconds, one for each kind, and its records and bytes.
let private measure (size: int) : float list * float * float =
    let shape = Shapes.ofSize size
    let builder = BatchBuilder BatchOptions.standard
    let batch = (Micro.encode (BatchBuilder BatchOptions.standard) shape).Copy().Bytes
    let target = Array.zeroCreate<byte> batch.Length

    let times =
        takingTurns
            rounds
            [ fun () -> Micro.encode builder shape |> ignore
              fun () ->
                  batch.Span.CopyTo(target.AsSpan())
                  Crc32C.compute (ReadOnlySpan target) |> ignore
              fun () -> Micro.decode batch |> ignore
              fun () -> Crc32C.compute batch.Span |> ignore ]

    times, float shape.Inputs.Length, float batch.Length

let private rowsOf (size: int) (times: float list, records: float, _: float) : Row list =
    let row name value floor : Row =
        { Name = name
          Shape = $"{size} B"
          Unit = "ns/record"
          Value = value / records
          Floor = Nullable(floor / records)
          Peers = peers []
          AllocatedPerRecord = Nullable() }

    match times with
    | [ encode; copied; decode; crc ] -> [ row "encode" encode copied; row "decode" decode crc ]
    | _ -> invalidOp "there are four kinds"

/// The file of the drawing.
let path = "docs/record-batches.svg"

/// Measures every size and draws the results.
let rows () : Row list =
    let measured = sizes |> List.map (fun size -> size, measure size)

    let series (rate: float -> float -> float) (value: float list * float * float -> float) =
        kinds
        |> List.mapi (fun index (name, colour, isFloor) ->
            { Name = name
              Colour = colour
              IsFloor = isFloor
              Points = [ for size, (times, _, _ as all) in measured -> float size, rate (value all) times[index] ] })

    let panels =
        [ { Title = "records/s"; Series = series (fun records time -> 1e9 * records / time) (fun (_, records, _) -> records) }
          { Title = "GB/s"; Series = series (fun bytes time -> bytes / time) (fun (_, _, bytes) -> bytes) } ]

    Directory.CreateDirectory "docs" |> ignore
    File.WriteAllText(path, svg "Encoding and decoding record batches, one thread: records/s and GB/s against the size of a value" panels)
    measured |> List.collect (fun (size, times) -> rowsOf size times)
