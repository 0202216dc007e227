/// The number of values for a law, in all test projects.
module LibKafka.Cases

open System

/// Whether the run is short: fewer values for each law, and everything else as usual.
let quick = Environment.GetEnvironmentVariable "LIBKAFKA_QUICK" = "1"

/// How many times the usual number of values: `build.fsx laws` sets it to find what goes wrong rarely.
let private factor =
    match Environment.GetEnvironmentVariable "LIBKAFKA_CASES" with
    | null
    | "" -> 1
    | text -> Int32.Parse text

let cases (usual: int) : int = if quick then max 1 (usual / 5) else usual * factor
