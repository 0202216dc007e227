/// How far a phase of the demo is: one line that is overwritten on a terminal, a line for each tenth otherwise.
namespace LibKafka.Demo

open System
open System.Diagnostics
open System.IO

[<RequireQualifiedAccess>]
module ProgressLine =

    /// The phase, its share, rate and time left in at most so many characters: the longest form that fits.
    let within (width: int) (name: string) (count: int) (total: int) (elapsed: TimeSpan) : string =
        let seconds = max 1e-9 elapsed.TotalSeconds
        let rate = (float count / seconds).ToString "N0"
        let percent = string (100L * int64 count / int64 total) + " %"
        let left = (ceil (seconds * float (total - count) / float (max 1 count))).ToString "N0"
        let timeLeft = if count = total then "" else ", " + left + " s left"
        let share = count.ToString "N0" + " of " + total.ToString "N0" + " records (" + percent + ")"

        let forms =
            [ name + " " + share + ", " + rate + " records/s" + timeLeft
              name + " " + percent + ", " + rate + " records/s" + timeLeft
              percent + ", " + rate + "/s" + timeLeft ]

        match forms |> List.tryFind (fun form -> form.Length <= width) with
        | Some form -> form
        | None -> percent.Substring(0, min width percent.Length)

[<Sealed>]
type Progress(name: string, total: int) =
    let watch = Stopwatch()
    let mutable count = 0
    let mutable shownAt = -1000L
    let mutable shownTenth = 0

    let line (width: int) : string = ProgressLine.within width name count total watch.Elapsed

    // A line that fills the last column would wrap. A terminal of unknown width reports none.
    static let width () : int =
        try
            match Console.WindowWidth with
            | columns when columns > 0 -> columns - 1
            | _ -> 79
        with :? IOException ->
            79

    let show () =
        let width = width ()
        Console.Out.Write("\r" + (line width).PadRight width)

    /// The time of the work that was counted.
    member _.Elapsed = watch.Elapsed

    /// Counts the time of some work.
    member _.During(work: unit -> unit) =
        watch.Start()
        work ()
        watch.Stop()

    /// Counts some records as done.
    member _.Add(more: int) =
        count <- count + more

        if Console.IsOutputRedirected then
            let tenth = int (10L * int64 count / int64 total)

            if tenth > shownTenth then
                shownTenth <- tenth
                Console.Out.WriteLine(line Int32.MaxValue)
        elif count = total || watch.ElapsedMilliseconds - shownAt > 100L then
            shownAt <- watch.ElapsedMilliseconds
            show ()
            if count = total then Console.Out.WriteLine()
