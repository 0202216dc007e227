/// From the start of a process to its end, with messages encoded on the way: what a program that lives for a moment pays for the library.
module LibKafka.Benchmarks.StartUp

open System
open System.Diagnostics
open System.Globalization
open System.IO
open System.Runtime.InteropServices
open LibKafka.Benchmarks.Rows

/// A program and the arguments that come before those of a run.
type private Start = { Kind: string; Program: string; Leading: string list }

/// What one run took.
type private Run =
    {
        /// From its start to its end, in milliseconds.
        Wall: float
        /// Processor time of all its threads, in milliseconds.
        Processor: float
        /// How many methods were compiled while it ran.
        Compiled: float
    }

/// How often each is started, in turn, so that what else the machine does hits all of them alike.
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

/// Runs a program to its end; milliseconds, and what it wrote.
let private timed (kind: Start) (arguments: string list) : float * string =
    let clock = Stopwatch.StartNew()
    use running = start kind.Program (kind.Leading @ arguments)
    running.WaitForExit()
    let elapsed = clock.Elapsed.TotalMilliseconds

    if running.ExitCode <> 0 then
        invalidOp $"{kind.Kind}, %A{arguments}: exit code {running.ExitCode}"

    elapsed, running.StandardOutput.ReadToEnd()

/// Twice: writing the report takes time that is not the task's.
let private measured (kind: Start) (task: string) : Run =
    let wall, _ = timed kind [ task ]
    let _, report = timed kind [ task; "report" ]

    match report.Split ' ' |> Array.map (fun part -> Double.Parse(part, CultureInfo.InvariantCulture)) with
    | [| processor; compiled |] -> { Wall = wall; Processor = processor; Compiled = compiled }
    | _ -> invalidOp $"{kind.Kind}, {task}: '{report}' is no report"

/// The program beside this one, to be compiled while it runs.
let private compiledAsItRuns =
    { Kind = "just in time"
      Program = dotnet
      Leading = [ Path.Combine(AppContext.BaseDirectory, "LibKafka.StartUp.dll") ] }

/// The same program published in another way; none where it cannot be, which is said. Published for a runtime that is named: what says only
/// that it is this machine's would hold for the library too, which would be compiled anew.
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
    // One of the two at a time is enough: quiet, it writes little.
    let said = publishing.StandardOutput.ReadToEnd()
    publishing.WaitForExit()

    if publishing.ExitCode = 0 then
        Some(started folder)
    else
        Console.Error.WriteLine($"the program could not be published for '{kind}', so that part is left out: {said}")
        None

/// Compiled before it runs, as far as that goes, with the runtime's own compiler at hand for the rest.
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

/// Each task beside a run that does nothing.
let private rowsOf (kind: Start) : Row list =
    let runs = [ for _ in 0..rounds -> tasks |> List.map (fun task -> task, measured kind task) ]

    let medians =
        // The first round finds the files in no cache.
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

    // What the task adds to a program that does nothing.
    let added task said : Row =
        { row task (said + ", added") "CPU ms" _.Processor with
            Value = medians[task].Processor - medians["nothing"].Processor
            Floor = Nullable() }

    [ for task, said in [ "one", "one message"; "all", "every API" ] do
          row task said "ms" _.Wall
          row task said "CPU ms" _.Processor
          added task said
          { row task said "methods" _.Compiled with Floor = Nullable() } ]

/// One message and one of every API, beside a program that does nothing: compiled just in time, before as far as that goes, and before.
let startUpRows () : Row list = compiledAsItRuns :: Option.toList (readyToRun ()) @ Option.toList (native ()) |> List.collect rowsOf
