// Fuzzing of the decoders with AFL++ and SharpFuzz. The targets are in tests/Fuzz.
#load "Programs.fsx" "Tests.fsx"

open System
open System.IO
open Programs
open Tests

let corpusFolder = Path.Combine(root, "tests/Fuzz/corpus")

/// The inputs of a target from earlier runs, in base64, one in each line.
let corpusFile target = Path.Combine(corpusFolder, target + ".txt")

/// The inputs that showed defects, in the same form.
let defectsFile target = Path.Combine(corpusFolder, target + "-defects.txt")

/// Each target has a file of inputs.
let fuzzTargets: string list =
    Directory.GetFiles(corpusFolder, "*.txt")
    |> Array.map Path.GetFileNameWithoutExtension
    |> Array.filter (fun name -> not (name.EndsWith "-defects"))
    |> Array.sort
    |> List.ofArray

let fuzzFolder = Path.Combine(artifacts, "fuzz")

/// The published harness, with instrumented libraries.
let harness = Path.Combine(fuzzFolder, "program")

let harnessProgram = Path.Combine(harness, "LibKafka.Fuzz.dll")

let instrumentedLibraries = [ "LibKafka.Core"; "LibKafka.Compression"; "K4os.Compression.LZ4"; "Snappier"; "ZstdSharp" ]

let emptyFolder (folder: string) =
    if Directory.Exists folder then Directory.Delete(folder, true)
    Directory.CreateDirectory folder |> ignore

let inputsIn (folder: string) : string list =
    if Directory.Exists folder then
        [ for file in Directory.GetFiles(folder, "id*") -> Convert.ToBase64String(File.ReadAllBytes file) ]
    else
        []

let readInputs (file: string) : string list = if File.Exists file then List.ofArray (File.ReadAllLines file) else []

/// Shorter inputs come first.
let writeInputs (file: string) (inputs: string list) =
    File.WriteAllLines(file, inputs |> List.distinct |> List.sortBy (fun input -> input.Length, input))

/// A program of AFL++, for a harness that it did not compile.
let afl (program: string) arguments =
    let environment =
        [ for name in [ "AFL_SKIP_BIN_CHECK"; "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES"; "AFL_SKIP_CPUFREQ"; "AFL_NO_UI"; "AFL_NO_AFFINITY" ] ->
              name, "1" ]

    { command program arguments with Environment = environment }

/// The harness as a program that AFL++ runs. Each run may take five seconds, although few take more than some milliseconds, because other
/// programs may use the processors.
let underAfl target options = [ "-t"; "5000"; "-m"; "none" ] @ options @ [ "--"; dotnet; harnessProgram; target ]

/// Prints what the fuzzer has done.
let reportFuzzing (statistics: string) =
    let wanted = [ "execs_done"; "run_time"; "execs_per_sec"; "corpus_count"; "edges_found"; "saved_crashes"; "saved_hangs" ]

    for line in File.ReadAllLines statistics do
        match line.Split(':', 2) with
        | [| name; value |] when List.contains (name.Trim()) wanted -> say $"   {name.Trim()}: {value.Trim()}"
        | _ -> ()

/// Builds the harness, writes the inputs to start with to a folder, and instruments the libraries. From then on they run only under AFL++.
let prepareFuzzing (target: string) (inputs: string) =
    List.iter emptyFolder [ harness; inputs ]
    let seeds = Path.Combine(fuzzFolder, "seeds")
    require "Build the harness" [ release "publish" "tests/Fuzz" [ "--output"; harness ] ]
    require "Write the seeds" [ command dotnet [ harnessProgram; "seeds"; seeds ] ]

    require
        "Instrument the libraries"
        [ for library in instrumentedLibraries -> command dotnet [ "sharpfuzz"; Path.Combine(harness, library + ".dll") ] ]

    for seed in Directory.GetFiles(Path.Combine(seeds, target)) do
        File.Copy(seed, Path.Combine(inputs, Path.GetFileName seed))

    for index, input in List.indexed (readInputs (corpusFile target) @ readInputs (defectsFile target)) do
        File.WriteAllBytes(Path.Combine(inputs, "known-" + string index), Convert.FromBase64String input)

/// Fuzzes a target for a number of seconds. It starts with seeds and the inputs of earlier runs. Fails if it finds an input that crashes the
/// target or takes it too long.
let fuzzTarget (target: string) (seconds: int) =
    let folder name = Path.Combine(fuzzFolder, target, name)
    let inputs, found, smallest = folder "in", folder "out", folder "corpus"
    restore ()
    prepareFuzzing target inputs
    List.iter emptyFolder [ found; smallest ]

    require $"Fuzz {target} for {seconds} s" [ afl "afl-fuzz" (underAfl target [ "-V"; string seconds; "-i"; inputs; "-o"; found ]) ]

    let result name = Path.Combine(found, "default", name)
    reportFuzzing (result "fuzzer_stats")

    require
        "Select the fewest inputs that reach the same code"
        [ afl "afl-cmin" (underAfl target [ "-e"; "-i"; result "queue"; "-o"; smallest ]) ]

    writeInputs (corpusFile target) (inputsIn smallest)

    match inputsIn (result "crashes") @ inputsIn (result "hangs") with
    | [] -> 0
    | defects ->
        writeInputs (defectsFile target) (readInputs (defectsFile target) @ defects)
        complain $"DEFECTS: {defects.Length} inputs, which tests/Reliability runs too, were added to {defectsFile target}"
        1

let fuzz (target: string) (seconds: int) =
    match [ "afl-fuzz"; "afl-cmin" ] |> List.filter (isOnPath >> not) with
    | [] -> fuzzTarget target seconds
    | missing ->
        let programs = String.Join(" and ", missing)
        complain $"Fuzzing needs AFL++, but {programs} cannot be found. On Debian and Ubuntu, it is the package afl++."
        1
