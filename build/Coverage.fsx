// The lines of the libraries that the tests run. Everything is built without optimization: code that the compiler inlines into its callers
// would count as not run.
#load "Programs.fsx" "Tests.fsx"

open System
open System.IO
open System.Text.RegularExpressions
open System.Xml.Linq
open Programs
open Tests

/// The parts whose lines the tests must run, and how their source files are recognised.
let coveredParts: (string * (string -> bool)) list =
    let isIn (folder: string) (file: string) = file.StartsWith folder

    [ "Wire", isIn "src/Core/Wire/"
      "Records", isIn "src/Core/Records/"
      "Protocol without messages", Regex("^src/Core/Protocol/[^/]*$").IsMatch
      "Client", isIn "src/Core/Client/"
      "Testing", isIn "src/LibKafka.Testing/" ]

/// The least part of the lines, in percent.
let leastCoverage = 90.0

let coverageFile suite = Path.Combine(artifacts, "coverage", suite + ".xml")

/// Runs a suite and notes which lines of the libraries it has run. Returns whether it ran to its end and wrote them down.
let measureCoverage suite : bool =
    let output = coverageFile suite
    let summary = Path.ChangeExtension(output, ".tests.xml")
    List.iter File.Delete [ output; summary ]

    let test =
        [ "test"; "tests/" + suite; "--no-build"; "-c"; "Debug"; "-v"; "q" ]
        @ [ "-p:CollectCoverage=true"
            "-p:CoverletOutputFormat=cobertura"
            "-p:CoverletOutput=" + output
            $"-p:TestArguments=--no-spinner --junit-summary {summary}"
            "-p:Include=\"[LibKafka.Core]*,[LibKafka.Testing]*\"" ]

    step $"Run tests/{suite} with coverage" (fun () ->
        let _, lines = capture { command dotnet test with Environment = [ ("LIBKAFKA_QUICK", "1") ] }
        let isComplete = File.Exists summary && File.Exists output

        // Tests of memory may fail, because measuring takes some.
        if isComplete then
            let tally = readSummary summary
            say $"   {tally.Passed} passed, {tally.Failed} failed"
        else
            List.iter say lines

        isComplete)

/// How often each line of each source file was run.
let readCoverage (suites: string list) : Map<string, Map<int, int>> =
    [ for suite in suites |> List.filter (coverageFile >> File.Exists) do
          let report = XDocument.Load(coverageFile suite)
          let text (name: string) (element: XElement) = element.Attribute(XName.Get name).Value
          let folders = [ for source in report.Descendants(XName.Get "source") -> source.Value ]

          let relative (file: string) =
              let whole = folders |> List.map (fun folder -> Path.Combine(folder, file)) |> List.tryFind File.Exists
              Path.GetRelativePath(root, Option.defaultValue file whole).Replace('\\', '/')

          for found in report.Descendants(XName.Get "class") do
              for line in found.Descendants(XName.Get "line") ->
                  relative (text "filename" found), int (text "number" line), int (text "hits" line) ]
    |> List.groupBy (fun (file, _, _) -> file)
    |> List.map (fun (file, lines) ->
        let hits = lines |> List.groupBy (fun (_, number, _) -> number)
        file, Map.ofList [ for number, same in hits -> number, same |> List.map (fun (_, _, count) -> count) |> List.max ])
    |> Map.ofList

/// Consecutive numbers as ranges.
let ranges (numbers: int list) : string =
    let extend (found: (int * int) list) number =
        match found with
        | (first, last) :: rest when number <= last + 2 -> (first, number) :: rest
        | _ -> (number, number) :: found

    numbers
    |> List.fold extend []
    |> List.rev
    |> List.map (fun (first, last) -> if first = last then string first else $"{first}-{last}")
    |> String.concat ", "

let percentage (lines: Map<int, int>) : float =
    100.0 * float (lines |> Map.filter (fun _ hits -> hits > 0)).Count / float (max 1 lines.Count)

/// Writes the lines that were not run to a report. Returns the parts that are covered too little.
let reportCoverage (covered: Map<string, Map<int, int>>) : string list =
    let report = Path.Combine(artifacts, "coverage", "uncovered.txt")

    let uncovered =
        [ for KeyValue(file, lines) in covered do
              let missed =
                  [ for KeyValue(number, hits) in lines do
                        if hits = 0 then number ]
              if not missed.IsEmpty && coveredParts |> List.exists (fun (_, isPart) -> isPart file) then
                  $"%5.1f{percentage lines} %%  {file}: {ranges missed}" ]

    File.WriteAllLines(report, uncovered |> List.sort)

    let tooLittle =
        [ for name, isPart in coveredParts do
              let files = covered |> Map.filter (fun file _ -> isPart file)
              let lines =
                  Map.ofSeq (files |> Seq.collect (fun file -> file.Value |> Seq.map (fun line -> (file.Key, line.Key), line.Value)))
              let run = (lines |> Map.filter (fun _ hits -> hits > 0)).Count
              let percent = 100.0 * float run / float (max 1 lines.Count)
              say $"%6.1f{percent} %%  %6d{run} of %6d{lines.Count} lines  {name}"
              if percent < leastCoverage then name ]

    say $"What was not run: {report}"
    tooLittle

let coverage () =
    let suites = [ "Properties"; "Integration"; "Reliability" ]
    restore ()
    let build suite = command dotnet [ "build"; "tests/" + suite; "-c"; "Debug"; "-v"; "q"; "--nologo" ]
    require "Build the tests" (List.map build suites)
    Directory.CreateDirectory(Path.Combine(artifacts, "coverage")) |> ignore

    match suites |> List.filter (measureCoverage >> not) with
    | [] ->
        match reportCoverage (readCoverage suites) with
        | [] -> 0
        | parts ->
            let names = String.concat ", " parts
            say $"Less than {leastCoverage} %% of the lines were run: {names}"
            1
    | stopped ->
        for suite in stopped do
            say $"tests/{suite} did not run to its end, so its lines are not known."

        1
