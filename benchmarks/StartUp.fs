/// The time of a whole process that encodes messages: what a short-lived program pays for the library.
module LibKafka.Benchmarks.StartUp

open System
open System.Diagnostics
open System.Globalization
open System.IO
open System.Runtime.InteropServices
open LibKafka.Benchmarks.Rows

/// A program and its first arguments; those of a run follow them.
type private Start = { Kind: string; Program: string; Leading: string list }

/// The measurements of one run.
type private Run =
    {
        /// Wall time in milliseconds.
        Wall: float
        /// Processor time of all threads in milliseconds.
        Processor: float
        /// The number of methods that the JIT compiler compiled.
        Compiled: float
    }

/// The number of runs of each. They take turns, so that other load on the machine hits all of them.
let private rounds = 20

/// The host that runs this program, or the one on the PATH.
let private dotnet =
    match Environment.ProcessPath with
    | null -> "dotnet"
    | path when Path.GetFileNameWithoutExtension path = "dotnet" -> path
    | _ -> "dotnet"

let private start (program: string) (arguments: string list) : Process =
    let info = ProcessStartInfo(program, arguments, RedirectStandardOutput = true, RedirectStandardError = true)

    match Process.Start info with
    | null -> invalidOp $"{program} was not started"
    | started -> started

/// Runs a program; returns the milliseconds it took and its output.
let private timed (kind: Start) (arguments: string list) : float * string =
    let clock = Stopwatch.StartNew()
    use running = start kind.Program (kind.Leading @ arguments)
    running.WaitForExit()
    let elapsed = clock.Elapsed.TotalMilliseconds

    if running.ExitCode <> 0 then
        invalidOp $"{kind.Kind}, %A{arguments}: exit code {running.ExitCode}"

    elapsed, running.StandardOutput.ReadToEnd()

/// Runs it twice: writing the report takes time that must not count as the task's.
let private measured (kind: Start) (task: string) : Run =
    let wall, _ = timed kind [ task ]
    let _, report = timed kind [ task; "report" ]

    match report.Split ' ' |> Array.map (fun part -> Double.Parse(part, CultureInfo.InvariantCulture)) with
    | [| processor; compiled |] -> { Wall = wall; Processor = processor; Compiled = compiled }
    | _ -> invalidOp $"{kind.Kind}, {task}: '{report}' is no report"

/// The start-up program, compiled just in time.
let private compiledAsItRuns =
    { Kind = "just in time"
      Program = dotnet
      Leading = [ Path.Combine(AppContext.BaseDirectory, "LibKafka.StartUp.dll") ] }

/// The same program published in another way; none if that fails, which is printed. The runtime identifier is named explicitly: with
/// `--use-current-runtime` the library would be rebuilt too.
let private published (kind: string) (folder: string) (options: string list) (started: string -> Start) : Start option =
    let folder = Path.GetFullPath(Path.Combine("artifacts", folder))

    let fixedOptions =
        [ "publish"
          "benchmarks/StartUp"
          "--configuration"
          "Release"
          "--verbosity"
          "quiet"
          "--nologo"
          "--runtime"
          RuntimeInformation.RuntimeIdentifier
          "--output"
          folder ]

    use publishing = start dotnet (fixedOptions @ options)
    // Reading one stream after the other is safe: a quiet build writes little.
    let said = publishing.StandardOutput.ReadToEnd()
    publishing.WaitForExit()

    if publishing.ExitCode = 0 then
        Some(started folder)
    else
        Console.Error.WriteLine($"the program could not be published for '{kind}', so that part is left out: {said}")
        None

/// Compiled ahead of time (ReadyToRun), with the JIT compiler for the rest.
let private readyToRun () : Start option =
    published "ready to run" "start-up-ready" [ "-p:PublishAot=false"; "-p:PublishReadyToRun=true"; "--no-self-contained" ] (fun folder ->
        { Kind = "ready to run"; Program = dotnet; Leading = [ Path.Combine(folder, "LibKafka.StartUp.dll") ] })

/// Compiled with Native AOT.
let private native () : Start option =
    let linker =
        if OperatingSystem.IsLinux() && not (File.Exists "/usr/bin/clang") then
            [ "-p:CppCompilerAndLinker=gcc" ]
        else
            []

    published "native" "start-up" linker (fun folder ->
        { Kind = "native"; Program = Path.Combine(folder, "LibKafka.StartUp"); Leading = [] })

let private tasks = [ "nothing"; "one"; "all" ]

/// Each task, compared with a run that does nothing.
let private rowsOf (kind: Start) : Row list =
    let runs = [ for _ in 0..rounds -> tasks |> List.map (fun task -> task, measured kind task) ]

    let medians =
        // In the first round no file is cached.
        runs
        |> List.tail
        |> List.concat
        |> List.groupBy fst
        |> List.map (fun (task, runs) ->
            let middle (part: Run -> float) = runs |> List.map (snd >> part) |> median
            task, { Wall = middle _.Wall; Processor = middle _.Processor; Compiled = middle _.Compiled })
        |> Map.ofList

    let row task said unit (value: Run -> float) : Row =
        { Name = "startup"
          Shape = kind.Kind + ", " + said
          Unit = unit
          Value = value medians[task]
          Floor = Nullable(value medians["nothing"])
          Peers = peers []
          AllocatedPerRecord = Nullable() }

    // The difference to a program that does nothing.
    let added task said : Row =
        { row task (said + ", added") "CPU ms" _.Processor with
            Value = medians[task].Processor - medians["nothing"].Processor
            Floor = Nullable() }

    [ for task, said in [ "one", "one message"; "all", "every API" ] do
          row task said "ms" _.Wall
          row task said "CPU ms" _.Processor
          added task said
          { row task said "methods" _.Compiled with Floor = Nullable() } ]

/// One message, and one of every API, compared with a program that does nothing: just in time, ReadyToRun and Native AOT.
let startUpRows () : Row list = compiledAsItRuns :: Option.toList (readyToRun ()) @ Option.toList (native ()) |> List.collect rowsOf
