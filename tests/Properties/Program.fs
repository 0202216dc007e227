module LibKafka.Properties.Program

open System.Threading
open Expecto

/// Expecto lets some milliseconds pass between one test of a worker and the next. There are thousands of tests and most are over in less, so
/// more workers than processors are what keeps the processors busy.
let private workers = 16

[<EntryPoint>]
let main argv =
    // A test that waits for a task holds a thread of the pool, and the task needs another one.
    ThreadPool.SetMinThreads(4 * workers, 4 * workers) |> ignore
    runTestsInAssemblyWithCLIArgs [ Parallel_Workers workers ] argv
