module LibKafka.Properties.Program

open Expecto

/// Expecto lets some milliseconds pass between one test of a worker and the next. There are thousands of tests and most are over in less, so
/// more workers than processors are what keeps the processors busy.
let private workers = 16

[<EntryPoint>]
let main argv = runTestsInAssemblyWithCLIArgs [ Parallel_Workers workers ] argv
