/// From the start of a process to its end, with messages encoded on the way: what a program that lives for a moment pays for the library.
module LibKafka.Benchmarks.StartUp

open System
open System.Diagnostics
open System.IO
open LibKafka.Benchmarks.Rows

/// A program and the arguments that come before those of a run.
type private Start = { Kind: string; Program: string; Leading: string list }

/// How often each is started, in turn, so that what else the machine does hits all of them alike.
let private rounds = 30

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

/// Runs a program to its end; milliseconds.
let private timed (kind: Start) (task: string) : float =
    let clock = Stopwatch.StartNew()
    use running = start kind.Program (kind.Leading @ [ task ])
    running.WaitForExit()
    let elapsed = clock.Elapsed.TotalMilliseconds
    if running.ExitCode <> 0 then
        invalidOp $"{kind.Kind}, {task}: exit code {running.ExitCode}"
    elapsed

/// The program beside this one, to be compiled while it runs.
let private compiledAsItRuns =
    { Kind = "just in time"
      Program = dotnet
      Leading = [ Path.Combine(AppContext.BaseDirectory, "LibKafka.StartUp.dll") ] }

/// The same program published with Native AOT; none where it cannot be, which is said.
let private compiledBefore () : Start option =
    let folder = Path.GetFullPath "artifacts/start-up"
    let linker =
        if OperatingSystem.IsLinux() && not (File.Exists "/usr/bin/clang") then
            [ "-p:CppCompilerAndLinker=gcc" ]
        else
            []

    use publishing =
        start
            dotnet
            ([ "publish"
               "benchmarks/StartUp"
               "--configuration"
               "Release"
               "--verbosity"
               "quiet"
               "--nologo"
               "--use-current-runtime"
               "--output"
               folder ]
             @ linker)

    // One of the two at a time is enough: quiet, it writes little.
    let said = publishing.StandardOutput.ReadToEnd()
    publishing.WaitForExit()

    if publishing.ExitCode = 0 then
        Some { Kind = "native"; Program = Path.Combine(folder, "LibKafka.StartUp"); Leading = [] }
    else
        Console.Error.WriteLine("the program could not be published with Native AOT, so that part is left out: " + said)
        None

let private tasks = [ "nothing"; "one"; "all" ]

/// Each task beside a run that does nothing.
let private rowsOf (kind: Start) : Row list =
    let times = [ for _ in 0..rounds -> tasks |> List.map (fun task -> task, timed kind task) ]

    let medians =
        // The first round finds the files in no cache.
        times
        |> List.tail
        |> List.concat
        |> List.groupBy fst
        |> List.map (fun (task, times) -> task, median (Seq.map snd times))
        |> Map.ofList

    let row task said : Row =
        { Name = "startup"
          Shape = kind.Kind + ", " + said
          Unit = "ms"
          Value = medians[task]
          Floor = Nullable medians["nothing"]
          Peers = peers []
          AllocatedPerRecord = Nullable() }

    [ row "one" "one message"; row "all" "every API" ]

/// One message and one of every API, beside a program that does nothing, compiled just in time and before.
let startUpRows () : Row list = compiledAsItRuns :: Option.toList (compiledBefore ()) |> List.collect rowsOf
