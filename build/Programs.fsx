// Running programs, and steps of which the heading and the time are printed.

open System
open System.Diagnostics
open System.IO
open System.Runtime.InteropServices

let say (line: string) = Console.Out.WriteLine line
let complain (line: string) = Console.Error.WriteLine line
let root = Path.GetDirectoryName __SOURCE_DIRECTORY__
let artifacts = Path.Combine(root, "artifacts")

/// The `dotnet` that runs this script. Using it for everything guarantees a single SDK, even if it is not on the PATH.
let dotnet =
    match Environment.ProcessPath with
    | path when Path.GetFileNameWithoutExtension path = "dotnet" -> path
    | _ -> "dotnet"

/// A program, its arguments, additional environment variables and the folder in which it runs.
type Command = { Program: string; Arguments: string list; Environment: (string * string) list; Folder: string }

let command program arguments = { Program = program; Arguments = arguments; Environment = []; Folder = root }

let startInfo command =
    let info = ProcessStartInfo(command.Program, command.Arguments, WorkingDirectory = command.Folder)

    for name, value in command.Environment do
        info.Environment[name] <- value

    info

let mutable interrupted = false
let mutable child: Process option = None

[<DllImport("libc", EntryPoint = "kill")>]
extern int sendSignal(int pid, int signal)

/// Ctrl-C reaches every process of the terminal, including the child: only wait for the child to end. SIGTERM reaches only this process, so
/// it is forwarded.
let private signals =
    let forward (context: PosixSignalContext) =
        context.Cancel <- true
        interrupted <- true

        match child with
        | Some running when context.Signal = PosixSignal.SIGTERM -> sendSignal (running.Id, 15) |> ignore
        | _ -> ()

    [ for signal in [ PosixSignal.SIGINT; PosixSignal.SIGTERM ] do
          PosixSignalRegistration.Create(signal, forward) ]

let waitFor (started: Process) =
    child <- Some started
    started.WaitForExit()
    child <- None
    started.ExitCode

/// Runs a program on this terminal. Returns its exit code.
let run command =
    use started = Process.Start(startInfo command)
    waitFor started

/// Runs a program without output for a limited time. Returns its exit code, or None if it was killed, and its output lines.
let captureWithin (limit: TimeSpan) command =
    let info = startInfo command
    info.RedirectStandardOutput <- true
    info.RedirectStandardError <- true
    use started = new Process(StartInfo = info)
    let lines = Collections.Concurrent.ConcurrentQueue<string>()

    let keep (data: DataReceivedEventArgs) =
        match data.Data with
        | null -> ()
        | line -> lines.Enqueue line

    started.OutputDataReceived.Add keep
    started.ErrorDataReceived.Add keep
    started.Start() |> ignore
    started.BeginOutputReadLine()
    started.BeginErrorReadLine()
    child <- Some started
    let ended = started.WaitForExit limit

    if not ended then started.Kill(entireProcessTree = true)

    // Without a limit, it waits for the rest of the output too.
    started.WaitForExit()
    child <- None
    (if ended then Some started.ExitCode else None), List.ofSeq lines

/// Runs a program without output. Returns its exit code and its output lines.
let capture command =
    let code, lines = captureWithin Threading.Timeout.InfiniteTimeSpan command
    Option.get code, lines

let isOnPath program =
    match Environment.GetEnvironmentVariable "PATH" with
    | null -> false
    | path -> path.Split Path.PathSeparator |> Array.exists (fun folder -> File.Exists(Path.Combine(folder, program)))

/// Sets the environment of all commands. No compiler or build server keeps running when the script ends. The garbage collector gets a budget
/// of 128 MiB for new objects, because compilers allocate a lot of short-lived memory.
let prepareEnvironment () =
    for name, value in
        [ "DOTNET_NOLOGO", "1"
          "MSBUILDDISABLENODEREUSE", "1"
          "UseSharedCompilation", "false"
          "DOTNET_GCgen0size", "0x8000000" ] do
        Environment.SetEnvironmentVariable(name, value)

/// The results of a step. A failure is the name of what failed, and the message if there is one.
type Tally =
    { Passed: int
      Failures: string list
      Skipped: int }

    member this.Failed = this.Failures.Length

    static member (+)(left, right) =
        { Passed = left.Passed + right.Passed
          Failures = left.Failures @ right.Failures
          Skipped = left.Skipped + right.Skipped }

let nothing = { Passed = 0; Failures = []; Skipped = 0 }
let passed = { nothing with Passed = 1 }
let failed what = { nothing with Failures = [ what ] }
let skipped = { nothing with Skipped = 1 }

/// Prints a heading, does the work and prints the time it took.
let step (heading: string) (work: unit -> 'T) : 'T =
    say ("== " + heading)
    let clock = Stopwatch.StartNew()
    let result = work ()
    say $"   %.1f{clock.Elapsed.TotalSeconds} s"

    if interrupted then exit 130

    result

/// Runs programs without output until one fails, and prints the output of that one. True if none failed.
let succeeds commands =
    commands
    |> List.forall (fun command ->
        match capture command with
        | 0, _ -> true
        | code, lines ->
            if not interrupted then
                List.iter say lines
                let line = String.Join(" ", Path.GetFileName command.Program :: command.Arguments)
                say $"   exit code {code} from: {line}"

            false)

/// Runs a step, and ends the script if it fails.
let require heading commands = if not (step heading (fun () -> succeeds commands)) then exit 1

/// The same as the first build does, so that tools are there before it.
let restore () =
    let prepare = command dotnet [ "msbuild"; ".config/Prepare.proj"; "-nologo"; "-verbosity:quiet" ]
    require "Restore tools and packages" [ prepare ]

/// A Release build of a project or solution. It is quiet, so its output is only errors.
let release verb project options =
    command dotnet ([ verb; project; "--configuration"; "Release"; "--verbosity"; "quiet"; "--nologo" ] @ options)

let building project = release "build" project []

/// The program of a project's Release build.
let builtProgram folder assembly arguments =
    command dotnet (Path.Combine(root, folder, "bin", "Release", "net10.0", assembly + ".dll") :: arguments)
