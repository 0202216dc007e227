/// The programs of the samples, as their users run them.
module LibKafka.Integration.SamplePrograms

open System
open System.Collections.Generic
open System.Diagnostics
open System.IO
open System.Threading.Tasks
open Expecto
open LibKafka.Properties
open LibKafka.Integration.Support

/// The file of a program, which is built in the same configuration as the tests.
let private path (folder: string) (assembly: string) : string =
    let output = Path.GetRelativePath(Path.Combine(TestData.checkout, "tests", "Integration"), AppContext.BaseDirectory)
    Path.Combine(TestData.checkout, "samples", folder, output, assembly + ".dll")

/// What a program did.
type Run = { ExitCode: int; Output: string; Errors: string }

/// Runs a program with variables in its environment until it ends.
let runWith (variables: (string * string) list) (folder: string) (assembly: string) (arguments: string list) : Run =
    let program = path folder assembly
    let start = ProcessStartInfo("dotnet", program :: arguments, RedirectStandardOutput = true, RedirectStandardError = true)

    for name, value in variables do
        start.Environment[name] <- value

    match Process.Start start with
    | null -> failtestf "%s does not start" program
    | started ->
        use started = started
        let read = [| started.StandardOutput.ReadToEndAsync(); started.StandardError.ReadToEndAsync() |]

        if not (started.WaitForExit(ms 120_000)) then
            started.Kill()
            failtestf "%s does not end" program

        let texts = Task.WhenAll(read).Result
        { ExitCode = started.ExitCode; Output = texts[0]; Errors = texts[1] }

/// Runs a program until it ends.
let run (folder: string) (assembly: string) (arguments: string list) : Run = runWith [] folder assembly arguments

/// A sample that runs until it ends by itself or is stopped.
[<Sealed>]
type Program(folder: string, assembly: string, arguments: string list) =
    let start =
        // A shell that starts the tests in the background makes them ignore Ctrl-C.
        ProcessStartInfo(
            "env",
            "--default-signal=INT" :: "dotnet" :: path folder assembly :: arguments,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        )

    let running = nonNull (Process.Start start)
    let printed, errors = List<string>(), List<string>()

    let collect (lines: List<string>) (event: DataReceivedEventArgs) =
        match event.Data with
        | null -> ()
        | line -> lock lines (fun () -> lines.Add line)

    do
        running.OutputDataReceived.Add(collect printed)
        running.ErrorDataReceived.Add(collect errors)
        running.BeginOutputReadLine()
        running.BeginErrorReadLine()

    let linesOf (lines: List<string>) : string list = lock lines (fun () -> List.ofSeq lines)

    /// The lines of its standard output.
    member _.Printed: string list = linesOf printed

    /// The lines of its standard error output.
    member _.Errors: string list = linesOf errors

    /// Writes lines to its standard input, and ends the input.
    member _.Write(lines: string list) =
        for line in lines do
            running.StandardInput.WriteLine line

        running.StandardInput.Close()

    /// Waits until a condition is true.
    member this.Await(what: string, isTrue: unit -> bool) =
        let clock = Stopwatch.StartNew()

        while not (isTrue ()) do
            if running.HasExited || clock.Elapsed > ms 60_000 then
                failtestf "%s did not happen: %A, %A" what this.Printed this.Errors

            Threading.Thread.Sleep 20

    /// Waits for its end. Returns its exit code.
    member this.Wait() : int =
        if not (running.WaitForExit(ms 60_000)) then
            running.Kill()
            failtestf "it does not end: %A, %A" this.Printed this.Errors

        // Waits for the rest of the output too.
        running.WaitForExit()
        running.ExitCode

    /// Presses Ctrl-C, and waits for its end. It must succeed.
    member this.Stop() =
        using (Process.Start("kill", [ "-INT"; string running.Id ])) _.WaitForExit()
        Expect.equal (this.Wait()) 0 ("the exit code: " + String.Join("\n", this.Errors))

    interface IDisposable with
        member _.Dispose() =
            if not running.HasExited then running.Kill()
            running.Dispose()
