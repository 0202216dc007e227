module LibKafka.Reliability.Program

open System
open System.Diagnostics
open Expecto
open LibKafka.Reliability.Support

[<EntryPoint>]
let main argv =
    let watch = Stopwatch.StartNew()
    // Most tests wait most of the time.
    let failed = runTestsInAssemblyWithCLIArgs [ Parallel_Workers 8 ] argv
    printfn "seed %d, %.0f s" seed watch.Elapsed.TotalSeconds
    Figures.print ()
    failed
