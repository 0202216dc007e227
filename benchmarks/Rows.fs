/// The results of benchmarks as rows, printed as a table and written as JSON.
module LibKafka.Benchmarks.Rows

open System
open System.Collections.Generic
open System.Diagnostics
open System.Globalization
open System.IO
open System.Text.Json

/// One result. All numbers are medians; all but the last are in `Unit`.
type Row =
    {
        /// The name of the benchmark, as on the command line.
        Name: string
        /// The data that it ran on.
        Shape: string
        Unit: string
        Value: float
        /// The floor, measured in the same run; null if there is none.
        Floor: Nullable<float>
        /// Peers that do the same work, measured in the same run.
        Peers: IReadOnlyDictionary<string, float>
        /// Bytes of managed memory for each record or call. A fraction, since a batch's allocations are divided by its records.
        AllocatedPerRecord: Nullable<float>
    }

let peers (measured: (string * float) list) : IReadOnlyDictionary<string, float> = Dictionary(dict measured)

let median (values: float seq) : float =
    let sorted = values |> Seq.sort |> Array.ofSeq
    let middle = sorted.Length / 2
    if sorted.Length % 2 = 1 then sorted[middle] else (sorted[middle - 1] + sorted[middle]) / 2.0

/// The nanoseconds that each of several kinds of work takes: the median over rounds in which they take turns, so that other load on the
/// machine hits all of them. Each runs for a few tenths of a millisecond in a round, which is short enough for most rounds to pass without
/// an interruption by the scheduler.
let takingTurns (rounds: int) (works: (unit -> unit) list) : float list =
    let timed (times: int) (work: unit -> unit) =
        let clock = Stopwatch.StartNew()

        for _ in 1..times do
            work ()

        clock.Elapsed.TotalNanoseconds / float times

    // Warm up until the JIT compiler has optimised them.
    let settling = Stopwatch.StartNew()

    while settling.Elapsed < TimeSpan.FromSeconds 1.0 do
        for work in works do
            timed 10 work |> ignore

    // Work that ends before the clock moves counts as one nanosecond.
    let repeated =
        works |> List.map (fun work -> work, 1 + int (300_000.0 / max 1.0 (median [ for _ in 1..5 -> timed 1 work ])))

    [ for _ in 1..rounds -> [ for work, times in repeated -> timed times work ] ] |> List.transpose |> List.map median

/// Bytes that a call allocates in its thread, on average over many calls.
let allocatedBy (work: unit -> unit) : float =
    let calls = 1000
    work ()
    let before = GC.GetAllocatedBytesForCurrentThread()

    for _ in 1..calls do
        work ()

    float (GC.GetAllocatedBytesForCurrentThread() - before) / float calls

let private json = JsonSerializerOptions(JsonSerializerDefaults.Web, WriteIndented = true)

/// Writes the rows as a JSON array.
let save (path: string) (rows: Row list) =
    match Path.GetDirectoryName(Path.GetFullPath path) with
    | null -> ()
    | folder -> Directory.CreateDirectory folder |> ignore

    File.WriteAllText(path, JsonSerializer.Serialize(rows, json) + Environment.NewLine)

let private number (value: float) =
    let digits =
        if value >= 1000.0 then "N0"
        elif value >= 100.0 then "N1"
        else "N2"

    value.ToString(digits, CultureInfo.InvariantCulture)

let private optional (value: Nullable<float>) = if value.HasValue then number value.Value else "-"

/// The ratio to another result. Above 1 means better: a higher rate, or less time or memory.
let private advantage (row: Row) (other: float) = if row.Unit.EndsWith "/s" then row.Value / other else other / row.Value

let private peer (row: Row) (entry: KeyValuePair<string, float>) =
    let ratio = (advantage row entry.Value).ToString("0.00", CultureInfo.InvariantCulture)
    $"{entry.Key} {number entry.Value} ({ratio}x)"

let private floor (row: Row) =
    if row.Floor.HasValue then
        let share = (100.0 * advantage row row.Floor.Value).ToString("0", CultureInfo.InvariantCulture)
        $"{number row.Floor.Value} ({share} %%)"
    else
        "-"

let private cells (row: Row) =
    [ row.Name
      row.Shape
      row.Unit
      number row.Value
      floor row
      optional row.AllocatedPerRecord
      String.Join(", ", row.Peers |> Seq.map (peer row)) ]

let private titles = [ "name"; "shape"; "unit"; "value"; "floor (reached)"; "B/record"; "peers (our speed / theirs)" ]

/// The rows as the lines of a table.
let table (rows: Row list) : string list =
    let lines = titles :: List.map cells rows
    let widths = lines |> List.transpose |> List.map (List.map String.length >> List.max)
    // Words are aligned left and numbers right; there are no blanks after the last column.
    let pad column (width: int) (text: string) =
        match column with
        | 0
        | 1
        | 2 -> text.PadRight width
        | 6 -> text
        | _ -> text.PadLeft width

    [ for line in lines -> String.Join("  ", List.mapi2 pad widths line) ]
