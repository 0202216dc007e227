module LibKafka.Integration.Program

open System.Threading
open Expecto

/// Most tests wait for brokers and time-outs most of the time, so more of them run at once than there are processors.
let private workers = 4

let private runTests (arguments: string[]) : int =
    // A test that waits for a task holds a thread of the pool, and the task needs another one.
    ThreadPool.SetMinThreads(4 * workers, 4 * workers) |> ignore
    let failed = runTestsInAssemblyWithCLIArgs [ Parallel_Workers workers ] arguments

    match Clusters.stop () with
    | [] -> failed
    | complaints ->
        for complaint in complaints do
            eprintfn "a mock broker was sent what it could not read: %s" complaint

        1

[<EntryPoint>]
let main arguments =
    match ForeignMember.tryRun (List.ofArray arguments) with
    | Some code -> code
    | None -> runTests arguments
