// Running the test projects, and counting their results.
#load "Programs.fsx"

open System
open System.IO
open System.Xml.Linq
open Programs

/// The first lines of a message of a JUnit file, without the test framework's part of the stack.
let private messageOf (reason: XElement) =
    let text = if reason.Value = "" then reason.Attribute(XName.Get "message").Value else reason.Value

    text.Trim().Split '\n'
    |> Array.filter (fun line -> not (line.StartsWith "   at Expecto." || line.StartsWith "   at Microsoft.FSharp."))
    |> Array.truncate 20
    |> String.concat "\n"

/// Counts the test cases of a JUnit file. A file without test cases is a failure.
let readSummary (file: string) =
    let under name (case: XElement) = List.ofSeq (case.Descendants(XName.Get name))

    let name (case: XElement) = case.Attribute(XName.Get "name").Value

    let cases =
        [ for case in XDocument.Load(file).Descendants(XName.Get "testcase") do
              match under "failure" case @ under "error" case with
              | [] when not (under "skipped" case).IsEmpty -> skipped
              | [] -> passed
              | reasons -> failed (String.Join("\n", name case :: List.map messageOf reasons)) ]

    if List.isEmpty cases then failed $"{file} has no tests" else List.reduce (+) cases

/// Runs the program of a folder of tests/ with arguments and environment variables. If its exit code contradicts its summary, that is a failure.
let runSuite name arguments environment =
    let folder, assembly = $"tests/{name}", $"LibKafka.{name}"

    step $"Run {folder}" (fun () ->
        let summary = Path.Combine(artifacts, "test-results", assembly + ".xml")
        Directory.CreateDirectory(Path.GetDirectoryName summary) |> ignore
        File.Delete summary
        let colours = if Console.IsOutputRedirected then [ "--colours"; "0" ] else []
        let suite = builtProgram folder assembly ([ "--no-spinner"; "--junit-summary"; summary ] @ colours @ arguments)
        let code = run { suite with Environment = environment }

        if not (File.Exists summary) then
            failed $"{folder} did not finish: exit code {code}, and no summary"
        else
            match readSummary summary with
            | tally when code <> 0 && tally.Failed = 0 -> tally + failed $"{folder}: exit code {code}, although no test failed"
            | tally -> tally)

/// Native AOT links with a C compiler driver: clang by default, or gcc.
let aotLinker () =
    if not (OperatingSystem.IsLinux()) || isOnPath "clang" then Some []
    elif isOnPath "gcc" then Some [ "-p:CppCompilerAndLinker=gcc" ]
    else None

let checkNativeAot () =
    step "Publish and run the smoke program with Native AOT" (fun () ->
        match aotLinker () with
        | None ->
            say "   skipped: Native AOT needs clang or gcc for linking, and neither is installed."
            skipped
        | Some linker ->
            let folder = Path.Combine(artifacts, "aot")
            let publishing = release "publish" "samples/Aot" ([ "--output"; folder ] @ linker)

            if succeeds [ publishing ] && run (command (Path.Combine(folder, "LibKafka.Aot")) []) = 0 then
                passed
            else
                failed "the smoke program with Native AOT")

/// A project that refers to the library builds it for debugging, without optimization, unless it says otherwise.
let checkDebugBuild () =
    step "Build the smoke program for debugging, and run it" (fun () ->
        let project = "samples/Aot"
        let folder = Path.Combine(artifacts, "debug")
        let building = command dotnet [ "build"; project; "-c"; "Debug"; "-v"; "q"; "--nologo"; "--output"; folder ]

        if succeeds [ building; command dotnet [ Path.Combine(folder, "LibKafka.Aot.dll") ] ] then
            passed
        else
            failed "the smoke program built for debugging")

let buildAndTest quick =
    if step "Build the solution with warnings as errors" (fun () -> succeeds [ building "LibKafka.sln" ]) then
        let shortened = [ if quick then "LIBKAFKA_QUICK", "1" ]

        runSuite "Properties" [] shortened
        + runSuite "Integration" [] shortened
        + runSuite "Reliability" [] []
        + checkNativeAot ()
        + checkDebugBuild ()
    else
        failed "the build of the solution"

/// Prints what failed, which is far up in the output otherwise, and then the results of tests. Returns the script's exit code.
let report total =
    for failure in total.Failures do
        say $"FAILED: {failure}"

    let skippedToo = if total.Skipped > 0 then $", {total.Skipped} skipped" else ""
    say $"{total.Passed} passed, {total.Failed} failed{skippedToo}"
    if total.Failed = 0 then 0 else 1
