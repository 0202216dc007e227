// The build script, in plain F#: `dotnet fsi build.fsx <target>`, from any folder. The targets are at the end, after the functions that they use;
// the larger ones are in build/.

#load "build/Performance.fs" "build/Programs.fsx" "build/Tests.fsx" "build/Clients.fsx" "build/Sizes.fsx" "build/Coverage.fsx" "build/Mutants.fsx" "build/Docs.fsx" "build/Browser.fsx" "build/Fuzz.fsx"

open System
open System.IO
open Programs
open Tests
open Clients
open Sizes
open Coverage
open Mutants
open Docs
open Browser
open Fuzz

let help =
    """dotnet fsi build.fsx <target> [arguments]

  demo  [options]   build and run the demo, which produces, fetches and verifies a million records; `demo help` lists its options
  test  [--quick]   check the formatting, build everything, run all tests, and publish and run the Native AOT smoke program
  laws  [times]     check each law with 20 times the usual number of values, or so many times, to find what fails rarely
  reliability [soak [minutes]]
                    run the long form of the reliability tests, or only their soak test, for 10 minutes by default
  coverage          run all tests, and report the lines of the libraries that no test runs; fails below 90 %
  fuzz TARGET SECONDS
                    fuzz a decoder with AFL++, which must be installed; the targets are the files in tests/Fuzz/corpus
  mutants [--only number ...]
                    make small changes of the sources in a copy, one at a time, and check that a test notices each
  bench [name ...]  run all benchmarks, or those named; with --bootstrap HOST:PORT those of clients on a cluster of one broker
  performance ABOUT write the results of the last run of benchmarks, with a word about the machine, into docs/performance.md
  clients           install kcat, kafkajs and @platformatic/kafka under artifacts, and run the scripts of tests/Clients with the test broker
  loop  NAME TIMES  run a test list of tests/Integration, or one of those scripts (kafkajs/group), on new clusters until it fails
  docs  [--watch | --check]
                    build the documentation site in artifacts/site; serve it, and build pages again when they change; or open its
                    pages in Chromium, check them, and take screenshots
  sizes             list the source files and their longest functions; files and functions above the limits come first
  format            format all source files
  pack              create the NuGet packages in artifacts/packages, a folder that NuGet takes as a source"""

let sources = [ "src"; "tests"; "samples"; "benchmarks" ]
let fantomas options = command dotnet ([ "fantomas" ] @ options @ [ "build.fsx"; "build" ] @ sources)
let csharpier verb = command dotnet ([ "csharpier"; verb ] @ sources)

let checkFormatting () =
    step "Check the formatting" (fun () ->
        if succeeds [ fantomas [ "--check" ]; csharpier "check" ] then
            passed
        else
            failed "the formatting: run `dotnet fsi build.fsx format`")

/// Programs that use packages from the feed as the README shows it, a script and a C# project, with a package cache of their own.
let useOf (feed: string) : Command list =
    // Outside the repository, whose build properties must not apply.
    let folder = Directory.CreateTempSubdirectory("libkafka-use").FullName
    let write (name: string) (content: string) = File.WriteAllText(Path.Combine(folder, name), content)

    write
        "use.fsx"
        $"""#i "nuget: {feed}"
#r "nuget: LibKafka.Topics"
open LibKafka.Client
Bootstrap.parse "localhost:9092" |> Result.defaultWith (string >> failwith)
"""

    write
        "NuGet.config"
        $"""<configuration>
  <packageSources>
    <add key="LibKafka" value="{feed}" />
  </packageSources>
</configuration>
"""

    write
        "Use.csproj"
        """<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
  </PropertyGroup>
</Project>
"""

    write
        "Program.cs"
        """using LibKafka;

Console.WriteLine(BrokerAddress.Parse("localhost:9092"));
"""

    [ [ "fsi"; "use.fsx" ]; [ "add"; "package"; "LibKafka" ]; [ "run" ] ]
    |> List.map (fun arguments ->
        { command dotnet arguments with
            Environment = List.singleton ("NUGET_PACKAGES", Path.Combine(folder, "cache"))
            Folder = folder })

// Targets. Each returns the script's exit code.

let wrongUse (complaint: string) =
    complain complaint
    complain help
    2

let demo arguments =
    restore ()
    require "Build the demo" [ building "samples/Demo" ]
    run (builtProgram "samples/Demo" "LibKafka.Demo" arguments)

let test quick =
    restore ()
    let formatting = checkFormatting ()
    report (formatting + buildAndTest quick)

let laws (times: string) =
    restore ()
    let suites = [ "Properties"; "Integration" ]
    require "Build the tests" [ for suite in suites -> building ("tests/" + suite) ]
    report (List.reduce (+) [ for suite in suites -> runSuite suite [] [ ("LIBKAFKA_CASES", times) ] ])

let reliability arguments environment =
    restore ()
    require "Build the reliability tests" [ building "tests/Reliability" ]
    report (runSuite "Reliability" arguments environment)

let bench names =
    restore ()
    require "Build the benchmarks" [ building "benchmarks" ]
    run (builtProgram "benchmarks" "LibKafka.Benchmarks" names)

/// Replaces the results of the benchmarks that were run in the page of performance.
let performance (about: string) =
    let docs = Path.Combine(root, "docs")
    let data, page = Path.Combine(docs, "performance.json"), Path.Combine(docs, "performance.md")
    let results = Performance.merge (File.ReadAllText data) (File.ReadAllText(Path.Combine(artifacts, "bench.json"))) about
    File.WriteAllText(data, results)
    File.WriteAllText(page, Performance.update (File.ReadAllText page) results)

    for file, drawing in Performance.drawings results do
        File.WriteAllText(Path.Combine(docs, file), drawing)

    0

let format () =
    restore ()
    require "Format every source file" [ fantomas []; csharpier "format" ]
    0

let pack () =
    restore ()
    let output = Path.Combine(artifacts, "packages")
    let projects = Directory.GetFiles(Path.Combine(root, "src"), "*.?sproj", SearchOption.AllDirectories) |> Array.sort
    require $"Pack into {output}" [ for project in projects -> release "pack" project [ "--output"; output ] ]
    require "Use the packages in a script and in a project" (useOf output)
    0

prepareEnvironment ()

exit (
    match List.tail (List.ofArray fsi.CommandLineArgs) with
    | []
    | [ "help" | "--help" | "-h" ] ->
        say help
        0
    // fsi takes `--help` for itself.
    | [ "demo"; "help" ] -> demo [ "--help" ]
    | "demo" :: arguments -> demo arguments
    | [ "test" ] -> test false
    | [ "test"; "--quick" ] -> test true
    | [ "laws" ] -> laws "20"
    | [ "laws"; times ] when fst (Int32.TryParse times) && int times > 0 -> laws times
    | "laws" :: _ -> wrongUse "laws needs how many times the usual number of values."
    | [ "reliability" ] -> reliability [] [ ("LIBKAFKA_RELIABILITY", "long") ]
    | "reliability" :: "soak" :: ([] | [ _ ] as minutes) ->
        reliability [ "--filter-test-list"; "9 soak" ] [ ("LIBKAFKA_SOAK", List.tryHead minutes |> Option.defaultValue "10") ]
    | [ "coverage" ] -> coverage ()
    | [ "fuzz"; target; seconds ] when List.contains target fuzzTargets && fst (Int32.TryParse seconds) && int seconds > 0 ->
        fuzz target (int seconds)
    | "fuzz" :: _ ->
        let targets = String.Join(", ", fuzzTargets)
        wrongUse $"fuzz needs a target and a number of seconds. The targets are {targets}."
    | [ "mutants" ] -> mutants []
    | "mutants" :: "--only" :: (_ :: _ as numbers) when List.forall (Seq.forall Char.IsDigit) numbers -> mutants (List.map int numbers)
    | "bench" :: names -> bench names
    | [ "performance"; about ] -> performance about
    | "performance" :: _ -> wrongUse "performance needs a word about the machine and the day, in quotes."
    | [ "clients" ] -> clients ()
    | [ "loop"; name; times ] when fst (Int32.TryParse times) && int times > 0 -> loop name (int times)
    | "loop" :: _ -> wrongUse "loop needs the name of a test list or script, and how many times it runs."
    | [ "docs" ] ->
        buildSite () |> ignore
        0
    | [ "docs"; "--watch" ] -> watchSite ()
    | [ "docs"; "--check" ] -> checkSite ()
    | [ "sizes" ] -> sizes ()
    | [ "format" ] -> format ()
    | [ "pack" ] -> pack ()
    | ("test" | "reliability" | "clients" | "mutants" | "coverage" | "docs" | "sizes" | "format" | "pack") as target :: rest ->
        wrongUse ($"{target} does not take these arguments: " + String.Join(" ", rest))
    | target :: _ -> wrongUse $"There is no target named {target}."
)
