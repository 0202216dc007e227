/// The tool as a process of its own, and the commands that the pages show.
module LibKafka.Properties.ToolProcessTests

open System
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions
open System.Threading.Tasks
open Expecto
open LibKafka.Inspect
open LibKafka.Properties.InspectSupport
open LibKafka.Properties.LogToolTests

/// Runs a test with the tool as a process of its own.
let private withTool (arguments: string list) (test: Process -> unit) =
    let tool = Path.Combine(AppContext.BaseDirectory, "LibKafka.Inspect.dll")
    let start = ProcessStartInfo("dotnet", tool :: arguments)
    start.RedirectStandardInput <- true
    start.RedirectStandardOutput <- true
    start.RedirectStandardError <- true

    match Process.Start start with
    | null -> failtest "not started"
    | tool ->
        use tool = tool

        try
            test tool
        finally
            if not tool.HasExited then tool.Kill()

let private endsWhenClosed (tool: Process) =
    tool.StandardOutput.Close()
    Expect.isTrue (tool.WaitForExit(int patience.TotalMilliseconds)) "it has ended"
    Expect.equal (tool.ExitCode, tool.StandardError.ReadToEnd()) (0, "") "the exit code and complaints"

[<Tests>]
let tests =
    testList
        "libkafka-inspect as a process"
        [ testCase "it ends without an error when its output is closed" (fun () ->
              withTool [ "log"; "--records" ] (fun tool ->
                  // A log without an end.
                  let feeding =
                      Task.Run(fun () ->
                          try
                              while true do
                                  tool.StandardInput.BaseStream.Write(segment, 0, segment.Length)
                          with :? IOException ->
                              ())

                  Expect.stringStarts (nextLine tool.StandardOutput) "@0 offsets 0 to 2" "the first line"
                  endsWhenClosed tool
                  Expect.isTrue (feeding.Wait patience) "its input is closed"))

          testCase "it ends when its output is closed, also while it waits for more input" (fun () ->
              withTool [ "log" ] (fun tool ->
                  tool.StandardInput.BaseStream.Write segment
                  tool.StandardInput.BaseStream.Flush()
                  Expect.stringStarts (nextLine tool.StandardOutput) "@0 offsets 0 to 2" "the first line"
                  endsWhenClosed tool))

          testCase "it ends when its output is closed, also while it follows a log" (fun () ->
              withFolder [ name ".log", segment ] (fun path ->
                  withTool [ "log"; "--follow"; path (name ".log") ] (fun tool ->
                      Expect.stringStarts (nextLine tool.StandardOutput) "@0 offsets 0 to 2" "the first line"
                      endsWhenClosed tool)))

          testCase "the commands on the pages are right, and print what they are given" (fun () ->
              let pages = [ "docs/inspect.md"; "src/LibKafka.Inspect/README.md" ]

              let commands =
                  [ for page in pages do
                        for line in File.ReadAllLines(Path.Combine(TestData.checkout, page)) do
                            let found = Regex.Match(line, @"^(?:echo (\w+) \| |.* \| )?libkafka-inspect (\S.*)$")
                            if found.Success then found.Groups[1].Value, found.Groups[2].Value ]

              Expect.isGreaterThan commands.Length 15 "commands"

              for frame, arguments in commands do
                  Expect.isOk (Options.parse (List.ofArray (arguments.Split ' '))) arguments

                  if frame <> "" then
                      let outcome = inspectText arguments frame
                      Expect.equal (outcome.Code, outcome.Lines.Length) (0, 1) frame) ]
