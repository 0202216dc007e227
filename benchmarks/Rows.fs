/// What a benchmark measured: rows, in a table for people and in JSON for programs.
module LibKafka.Benchmarks.Rows

open System
open System.Collections.Generic
open System.Diagnostics
open System.Globalization
open System.IO
open System.Text.Json

/// One line of results. All numbers are medians, in `Unit` but for the last.
type Row =
    {
        /// The benchmark, by which it can be asked for.
        Name: string
        /// Which of its data.
        Shape: string
        Unit: string
        Value: float
        /// What cannot be beaten, measured in the same run; null where there is no such thing.
        Floor: Nullable<float>
        /// The same work done by others, in the same run.
        Peers: IReadOnlyDictionary<string, float>
        /// Bytes of managed memory. What a batch or a call allocates is spread over its records, so this need not be whole.
        AllocatedPerRecord: Nullable<float>
    }

let peers (measured: (string * float) list) : IReadOnlyDictionary<string, float> = Dictionary(dict measured)

let median (values: float seq) : float =
    let sorted = values |> Seq.sort |> Array.ofSeq
    let middle = sorted.Length / 2
    if sorted.Length % 2 = 1 then sorted[middle] else (sorted[middle - 1] + sorted[middle]) / 2.0

/// How many nanoseconds each of several kinds of work takes, as the median of so many rounds in which they take turns, so that what else the
/// machine does hits all of them. In a round each is repeated for a few tenths of a millisecond, which is short enough for most rounds to be
/// spared by the scheduler.
let takingTurns (rounds: int) (works: (unit -> unit) list) : float list =
    let timed (times: int) (work: unit -> unit) =
        let clock = Stopwatch.StartNew()

        for _ in 1..times do
            work ()

        clock.Elapsed.TotalNanoseconds / float times

    // Until the compiler is done with them.
    let settling = Stopwatch.StartNew()

    while settling.Elapsed < TimeSpan.FromSeconds 1.0 do
        for work in works do
            timed 10 work |> ignore

    // What is over before the clock moves on takes a nanosecond at the least.
    let repeated =
        works |> List.map (fun work -> work, 1 + int (300_000.0 / max 1.0 (median [ for _ in 1..5 -> timed 1 work ])))

    [ for _ in 1..rounds -> [ for work, times in repeated -> timed times work ] ] |> List.transpose |> List.map median

/// Bytes that a call allocates in the long run, in its own thread.
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

/// Above 1 is better than the other: rates are better the larger, times and memory the smaller.
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

/// The rows as lines of a table with columns.
let table (rows: Row list) : string list =
    let lines = titles :: List.map cells rows
    let widths = lines |> List.transpose |> List.map (List.map String.length >> List.max)
    // Words to the left, numbers to the right; nothing stands behind the last column.
    let pad column (width: int) (text: string) =
        match column with
        | 0
        | 1
        | 2 -> text.PadRight width
        | 6 -> text
        | _ -> text.PadLeft width

    [ for line in lines -> String.Join("  ", List.mapi2 pad widths line) ]
