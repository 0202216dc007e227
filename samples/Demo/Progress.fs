/// How far a phase of the demo is: one line that is overwritten on a terminal, a line for each tenth otherwise.
namespace LibKafka.Demo

open System
open System.Diagnostics
open System.IO

[<Sealed>]
type Progress(name: string, total: int) =
    let watch = Stopwatch()
    let mutable count = 0
    let mutable shownAt = -1000L
    let mutable shownTenth = 0

    let timeLeft () : string =
        let left = watch.Elapsed.TotalSeconds * float (total - count) / float (max 1 count)
        if count = total then "" else ", " + (ceil left).ToString "N0" + " s left"

    let line () : string =
        let rate = float count / max 1e-9 watch.Elapsed.TotalSeconds
        let percent = 100L * int64 count / int64 total
        let share = count.ToString "N0" + " of " + total.ToString "N0" + " records (" + string percent + " %)"
        name + " " + share + ", " + rate.ToString "N0" + " records/s" + timeLeft ()

    // A line that fills the last column would wrap.
    static let width () : int =
        try
            max 20 (Console.WindowWidth - 1)
        with :? IOException ->
            79

    let show (text: string) =
        let width = width ()
        Console.Out.Write("\r" + (if text.Length > width then text.Substring(0, width) else text.PadRight width))

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
                Console.Out.WriteLine(line ())
        elif count = total || watch.ElapsedMilliseconds - shownAt > 100L then
            shownAt <- watch.ElapsedMilliseconds
            show (line ())
            if count = total then Console.Out.WriteLine()
