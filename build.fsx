// The build script, in plain F#: `dotnet fsi build.fsx <target>`, from any folder. Read it from the bottom up, like every F# file: the
// targets come last, after the functions that they use.

open System
open System.Diagnostics
open System.IO
open System.Runtime.InteropServices
open System.Text.RegularExpressions
open System.Xml.Linq

let help =
    """dotnet fsi build.fsx <target> [arguments]

  demo  [options]   build and run the demo, which produces, fetches and verifies a million records; `demo help` lists its options
  test  [--quick]   check the formatting, build everything, run all tests, and publish and run the Native AOT smoke program
  reliability [soak [minutes]]
                    run the long form of the reliability tests, or only their soak test, for 10 minutes by default
  coverage          run all tests, and report the lines of the libraries that no test runs; fails below 90 %
  mutants [--only number ...]
                    make small changes of the sources in a copy, one at a time, and check that a test notices each
  bench [name ...]  run all benchmarks, or those named; with --bootstrap HOST:PORT those of clients on a cluster of one broker
  clients           install kcat, kafkajs and @platformatic/kafka under artifacts, and run the scripts of tests/Clients with the test broker
  loop  NAME TIMES  run a test list of tests/Integration, or one of those scripts (kafkajs/group), on new clusters until it fails
  sizes             list the source files and their longest functions; files and functions above the limits come first
  format            format all source files
  pack              create the NuGet packages in artifacts/packages, a folder that NuGet takes as a source"""

// ---------------------------------------------------------------------------------------------------------------------
// Programs

let say (line: string) = Console.Out.WriteLine line
let complain (line: string) = Console.Error.WriteLine line
let root = __SOURCE_DIRECTORY__
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
extern int private sendSignal(int pid, int signal)

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

// ---------------------------------------------------------------------------------------------------------------------
// Steps

/// The results of a step.
type Tally =
    { Passed: int
      Failed: int
      Skipped: int }

    static member (+)(left, right) =
        { Passed = left.Passed + right.Passed; Failed = left.Failed + right.Failed; Skipped = left.Skipped + right.Skipped }

let nothing = { Passed = 0; Failed = 0; Skipped = 0 }
let passed = { nothing with Passed = 1 }
let failed = { nothing with Failed = 1 }
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

// ---------------------------------------------------------------------------------------------------------------------
// Restoring and building

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

// ---------------------------------------------------------------------------------------------------------------------
// Formatting

let sources = [ "src"; "tests"; "samples"; "benchmarks" ]
let fantomas options = command dotnet ([ "fantomas" ] @ options @ [ "build.fsx" ] @ sources)
let csharpier verb = command dotnet ([ "csharpier"; verb ] @ sources)

let checkFormatting () =
    step "Check the formatting" (fun () ->
        if succeeds [ fantomas [ "--check" ]; csharpier "check" ] then
            passed
        else
            say "   Run `dotnet fsi build.fsx format`."
            failed)

// ---------------------------------------------------------------------------------------------------------------------
// Testing

/// Counts the test cases of a JUnit file. A file without test cases is a failure.
let readSummary (file: string) =
    let has name (case: XElement) = not (Seq.isEmpty (case.Descendants(XName.Get name)))

    let cases =
        [ for case in XDocument.Load(file).Descendants(XName.Get "testcase") do
              if has "failure" case || has "error" case then failed
              elif has "skipped" case then skipped
              else passed ]

    if List.isEmpty cases then failed else List.reduce (+) cases

/// Runs a test program with arguments and environment variables. If its exit code contradicts its summary, that is a failure.
let runSuite folder assembly arguments environment =
    step $"Run {folder}" (fun () ->
        let summary = Path.Combine(artifacts, "test-results", assembly + ".xml")
        Directory.CreateDirectory(Path.GetDirectoryName summary) |> ignore
        File.Delete summary
        let colours = if Console.IsOutputRedirected then [ "--colours"; "0" ] else []
        let suite = builtProgram folder assembly ([ "--no-spinner"; "--junit-summary"; summary ] @ colours @ arguments)
        let code = run { suite with Environment = environment }

        if not (File.Exists summary) then
            say $"   exit code {code}, and no summary: {folder} did not finish."
            failed
        else
            match readSummary summary with
            | tally when code <> 0 && tally.Failed = 0 ->
                say $"   exit code {code}, although no test failed."
                tally + failed
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
                failed)

let buildAndTest quick =
    if step "Build the solution with warnings as errors" (fun () -> succeeds [ building "LibKafka.sln" ]) then
        let shortened = [ if quick then "LIBKAFKA_QUICK", "1" ]

        runSuite "tests/Properties" "LibKafka.Properties" [] shortened
        + runSuite "tests/Integration" "LibKafka.Integration" [] shortened
        + runSuite "tests/Reliability" "LibKafka.Reliability" [] []
        + checkNativeAot ()
    else
        failed

// ---------------------------------------------------------------------------------------------------------------------
// Clients in other languages, which judge the test broker

let clientsFolder = Path.Combine(artifacts, "clients")

/// Installs the packages of tests/Clients/package.json next to copies of the scripts.
let installNodeClients () =
    let source = Path.Combine(root, "tests", "Clients")

    for file in Directory.GetFiles(source, "*", SearchOption.AllDirectories) do
        let copy = Path.Combine(clientsFolder, Path.GetRelativePath(source, file))
        Directory.CreateDirectory(Path.GetDirectoryName copy) |> ignore
        File.Copy(file, copy, true)

    let npm = command "npm" [ "install"; "--loglevel"; "error"; "--no-audit"; "--no-fund"; "--no-package-lock" ]
    isOnPath "npm" && succeeds [ { npm with Folder = clientsFolder } ]

/// The Node.js that npm installed, or that of this machine.
let node () =
    match Directory.GetDirectories(Path.Combine(clientsFolder, "node_modules"), "node-linux-*") with
    | [||] -> "node"
    | folders -> Path.Combine(folders[0], "bin", "node")

let debianFolder = Path.Combine(clientsFolder, "debian")

/// kcat from this machine, or from Debian's packages, unpacked into a folder.
let kcatEnvironment () =
    if isOnPath "kcat" then
        []
    else
        let library = Directory.GetFiles(debianFolder, "librdkafka.so.1", SearchOption.AllDirectories) |> Array.head
        let path = Environment.GetEnvironmentVariable "PATH"
        [ "PATH", Path.Combine(debianFolder, "usr", "bin") + string Path.PathSeparator + path
          "LD_LIBRARY_PATH", Path.GetDirectoryName library ]

let installKcat () =
    let inFolder program arguments = { command program arguments with Folder = debianFolder }
    let download = inFolder "apt-get" [ "download"; "kcat"; "librdkafka1"; "libyajl2" ]

    let unpack () = [ for package in Directory.GetFiles(debianFolder, "*.deb") -> inFolder "dpkg" [ "--extract"; package; debianFolder ] ]

    let isInstalled () = isOnPath "kcat" || File.Exists(Path.Combine(debianFolder, "usr", "bin", "kcat"))

    let install () =
        Directory.CreateDirectory debianFolder |> ignore
        // The lists of packages may be missing or old.
        let isThere = fst (capture download) = 0 || succeeds [ inFolder "apt-get" [ "update" ]; download ]
        isThere && succeeds (unpack ())

    (isInstalled () || (isOnPath "apt-get" && install ()))
    && succeeds [ { command "bash" [ "-c"; "kcat -V" ] with Environment = kcatEnvironment () } ]

/// The clients, and the names of their scripts.
let clientScripts () =
    [ for client in [ "kcat"; "kafkajs"; "platformatic" ] do
          for script in [ "produce"; "consume"; "group"; "idempotent"; "transactional"; "admin" ] do
              client, script ]

/// Builds the test broker and installs the clients.
let prepareClients () =
    restore ()
    require "Build the test broker" [ building "src/LibKafka.TestBroker" ]
    let installed = step "Install the clients" (fun () -> installNodeClients () && installKcat ())

    if not installed then
        complain
            "The clients could not be installed. They need bash, npm, and apt-get or kcat, and the package registries of npm and Debian."
        exit 3

/// Starts a test cluster of three brokers, does the work with its addresses, and stops it. Returns its complaints too.
let withTestCluster (work: string -> 'T) : 'T * string list =
    let arguments = [ "--port"; "0"; "--brokers"; "3"; "--create"; "orders:4" ]
    let info = startInfo (builtProgram "src/LibKafka.TestBroker" "LibKafka.TestBroker" arguments)
    info.RedirectStandardOutput <- true
    info.RedirectStandardError <- true
    use broker = Process.Start info

    let result =
        try
            let line = broker.StandardOutput.ReadLine()
            work (line.Substring(line.LastIndexOf ' ' + 1))
        finally
            sendSignal (broker.Id, 15) |> ignore

    let complaints = broker.StandardError.ReadToEnd()
    broker.WaitForExit()
    result, List.ofArray (complaints.Split('\n', StringSplitOptions.RemoveEmptyEntries))

/// Runs a script on a new cluster. Returns its summary, or the output of what failed.
let runScript (client: string, script: string) : Result<string, string list> =
    let bootstrap addresses = "BOOTSTRAP", addresses

    let script addresses =
        match client with
        | "kcat" -> { command "bash" [ $"kcat/{script}.sh" ] with Environment = bootstrap addresses :: kcatEnvironment () }
        | client -> { command (node ()) [ "--no-warnings"; $"{client}/{script}.mjs" ] with Environment = [ bootstrap addresses ] }

    let limit = TimeSpan.FromMinutes 2.0
    let outcome, complaints =
        withTestCluster (fun addresses -> captureWithin limit { script addresses with Folder = clientsFolder })

    match outcome with
    | Some 0, lines when complaints.IsEmpty -> Ok(List.last lines)
    | Some _, lines -> Error(lines @ complaints)
    | None, lines -> Error(lines @ complaints @ [ $"It was stopped after {limit}." ])

/// Runs a test list of tests/Integration, whose cluster is in its own process. Returns the number of its tests, or the output if it failed.
let runTestList (name: string) : Result<string, string list> =
    let summary = Path.Combine(artifacts, "test-results", "loop.xml")
    File.Delete summary
    let options = [ "--no-spinner"; "--colours"; "0"; "--filter-test-list"; name; "--junit-summary"; summary ]
    let outcome = captureWithin (TimeSpan.FromMinutes 5.0) (builtProgram "tests/Integration" "LibKafka.Integration" options)

    match outcome with
    | Some 0, lines ->
        match readSummary summary with
        | tally when tally.Failed = 0 -> Ok $"{tally.Passed} tests"
        | _ -> Error(lines @ [ $"There is no test list named {name}." ])
    | _, lines -> Error lines

// ---------------------------------------------------------------------------------------------------------------------
// Sizes. The sources are formatted, so indentation shows where a function ends, in F# and in C#.

/// The limit for files of the core, in lines.
let fileLimit = 600

/// The limit for functions, in lines.
let functionLimit = 60

/// A function, method, constructor or property of a source file.
type Function = { Name: string; Line: int; Length: int }

/// A source file and its functions, the longest first. A function inside a function is part of the outer one.
type SourceFile =
    { Path: string
      Lines: int
      Functions: Function list }

    member file.IsTooLong = file.Lines > fileLimit && file.Path.StartsWith "src/Core/"

/// The source with the text of its multi-line strings replaced by dots, because that text is not indented like code.
let maskStrings source =
    Regex.Replace(source, "\"\"\".*?\"\"\"", (fun (found: Match) -> Regex.Replace(found.Value, "[^\n]", ".")), RegexOptions.Singleline)

let indentOf (line: string) = line.Length - line.TrimStart().Length

/// The number of lines of the declaration at an index: the following lines that are indented deeper, and brackets at its own indentation.
/// Trailing blank lines do not count.
let lengthAt (lines: string[]) start =
    let continues (line: string) =
        String.IsNullOrWhiteSpace line
        || line[0] = '#'
        || indentOf line > indentOf lines[start]
        || (indentOf line = indentOf lines[start] && "{})]".Contains line[indentOf line])

    let block = lines |> Seq.skip (start + 1) |> Seq.takeWhile continues |> Array.ofSeq
    1 + block.Length - (block |> Array.rev |> Seq.takeWhile String.IsNullOrWhiteSpace |> Seq.length)

/// An F# member, or an F# function: a `let` with a parameter. A `let` without one is a value.
let fsharpFunction =
    let modifier = @"(?:inline|private|internal|public|rec|mutable|static)"
    let modifiers = $@"(?:{modifier}\s+)*"
    let name = $@"(?!{modifier}\b)(``[^`]+``|\([^)]*\)|[\w.]+)(?:<[^=(]*>)?"
    let binding = $@"(?:let|and(?=\s+[a-z(]))\s+{modifiers}{name}"
    let parameter = @"(?:\s+(?![:=])\S|\s*\(|\s*$|[^=]*=\s*(?:fun|function)\b)"
    let membership = $@"(?:static\s+)?(?:member|override|default)\s+(?!val\b){modifiers}{name}"
    Regex $@"^\s*(?:\[<.*>\]\s*)?(?:{binding}{parameter}|{membership}|{modifiers}(new)\s*\()"

/// A C# method, constructor or property. It begins with a modifier and declares neither a type nor a field nor an event.
let csharpFunction =
    let others = @"(?!.*\b(?:class|struct|interface|enum|record|delegate|event|const)\b)"
    let name = @"([\w.]+)\s*(?:<[^=(]*>)?"
    Regex $@"^\s+(?:public|private|protected|internal|static)\s{others}[^=(;]*?{name}(?:\(|\{{|=>|$)"

let functionsOf (path: string) (lines: string[]) =
    let declaration = if path.EndsWith ".cs" then csharpFunction else fsharpFunction

    let rec find start =
        if start >= lines.Length then
            []
        else
            let found = declaration.Match lines[start]

            if found.Success then
                let name = found.Groups |> Seq.cast<Group> |> Seq.skip 1 |> Seq.find _.Success
                let length = lengthAt lines start
                { Name = name.Value; Line = start + 1; Length = length } :: find (start + length)
            else
                find (start + 1)

    find 0 |> List.sortByDescending _.Length

let readSource (path: string) =
    let lines = (maskStrings (File.ReadAllText path)).TrimEnd('\n').Split '\n'
    let relative = Path.GetRelativePath(root, path).Replace('\\', '/')
    { Path = relative; Lines = lines.Length; Functions = functionsOf relative lines }

let sourceFiles folder =
    let isBuilt (path: string) = path.Split Path.DirectorySeparatorChar |> Array.exists (fun part -> part = "obj" || part = "bin")

    [ for pattern in [ "*.fs"; "*.cs" ] do
          yield! Directory.GetFiles(Path.Combine(root, folder), pattern, SearchOption.AllDirectories) ]
    |> List.filter (isBuilt >> not)
    |> List.map readSource
    |> List.sortBy (fun file -> -file.Lines, file.Path)

// ---------------------------------------------------------------------------------------------------------------------
// Coverage

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

/// Runs a suite and notes which lines of the libraries it has run.
let measureCoverage suite =
    let output = coverageFile suite
    File.Delete output

    let test =
        [ "test"; "tests/" + suite; "--no-build"; "-c"; "Release"; "-v"; "q" ]
        @ [ "-p:CollectCoverage=true"
            "-p:CoverletOutputFormat=cobertura"
            "-p:CoverletOutput=" + output
            "-p:Include=\"[LibKafka.Core]*,[LibKafka.Testing]*\"" ]

    // Tests of memory may fail, because measuring takes some.
    step $"Run tests/{suite} with coverage" (fun () ->
        capture { command dotnet test with Environment = [ ("LIBKAFKA_QUICK", "1") ] } |> ignore)

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

// ---------------------------------------------------------------------------------------------------------------------
// Mutants: small changes of the sources, each of which a test must notice. They are made in a copy of the repository. The test projects are
// built once, without optimization, so that no code of a library is inlined into them. After a change, only its library is built again.

/// A change of one place of a source file, and the tests that must notice it.
type Mutant =
    { Number: int
      File: string
      Old: string
      New: string
      Project: string
      Tests: string }

    override this.ToString() = $"{this.Number} {this.File}: {this.Old.Trim()}  =>  {this.New.Trim()}"

let readMutants () : Mutant list =
    let paragraphs = File.ReadAllText(Path.Combine(root, "tests/Mutants/mutants.txt")).Split("\n\n")

    let parse index (paragraph: string) =
        let field (name: string) =
            let start = name + ": "
            (paragraph.Split '\n' |> Array.find (fun line -> line.StartsWith start)).Substring start.Length

        match (field "test").Split(", ", 2) with
        | [| project; tests |] ->
            { Number = index + 1; File = field "file"; Old = field "old"; New = field "new"; Project = project; Tests = tests }
        | _ -> failwith $"the tests of mutant {index + 1}"

    paragraphs |> Array.filter (fun paragraph -> paragraph.StartsWith "file: ") |> Array.mapi parse |> List.ofArray

/// Copies the files of the repository that are not ignored.
let copyRepository (target: string) =
    let _, files = capture (command "git" [ "ls-files"; "--cached"; "--others"; "--exclude-standard" ])

    for file in files |> List.filter (fun file -> File.Exists(Path.Combine(root, file))) do
        let copy = Path.Combine(target, file)
        Directory.CreateDirectory(Path.GetDirectoryName copy) |> ignore
        File.Copy(Path.Combine(root, file), copy, true)

/// The project file of a source file: the nearest one above it.
let rec projectOf (folder: string) : string =
    match Directory.GetFiles(folder, "*.?sproj") with
    | [||] -> projectOf (Path.GetDirectoryName folder)
    | projects -> projects[0]

/// Whether the tests of a mutant pass. Tests that do not end within two minutes, or none at all, do not.
let passes (copy: string) (mutant: Mutant) : bool =
    let folder = Path.Combine(copy, "tests", mutant.Project, "bin", "Debug", "net10.0")
    let summary = Path.Combine(copy, "summary.xml")
    File.Delete summary
    let program = Path.Combine(folder, "LibKafka." + mutant.Project + ".dll")
    let arguments = [ program; "--no-spinner"; "--junit-summary"; summary; "--filter-test-list"; mutant.Tests ]
    let info = startInfo (command dotnet arguments)
    info.RedirectStandardOutput <- true
    info.RedirectStandardError <- true
    use running = new Process(StartInfo = info)
    running.OutputDataReceived.Add ignore
    running.ErrorDataReceived.Add ignore
    running.Start() |> ignore
    running.BeginOutputReadLine()
    running.BeginErrorReadLine()

    if running.WaitForExit(TimeSpan.FromMinutes 2.0) then
        running.ExitCode = 0 && File.Exists summary && (readSummary summary).Failed = 0
    else
        running.Kill true
        false

/// Makes a mutant, runs its tests and takes it back. Returns the complaint if no test has noticed it.
let tryMutant (copy: string) (mutant: Mutant) : string option =
    let file = Path.Combine(copy, mutant.File)
    let source = File.ReadAllText file

    if source.Split(mutant.Old).Length <> 2 then
        Some "the old text does not occur once"
    else
        let project = projectOf (Path.GetDirectoryName file)
        let assembly = Path.GetFileNameWithoutExtension project + ".dll"
        let built = Path.Combine(Path.GetDirectoryName project, "bin", "Debug", "net10.0", assembly)
        let used = Path.Combine(copy, "tests", mutant.Project, "bin", "Debug", "net10.0", assembly)
        let original = File.ReadAllBytes used
        File.WriteAllText(file, source.Replace(mutant.Old, mutant.New))

        try
            match capture (command dotnet [ "build"; project; "--no-dependencies"; "-c"; "Debug"; "-v"; "q"; "--nologo" ]) with
            | 0, _ ->
                File.Copy(built, used, true)
                if passes copy mutant then Some "no test has noticed it" else None
            | _, lines ->
                List.iter say lines
                Some "it does not compile"
        finally
            File.WriteAllText(file, source)
            File.WriteAllBytes(used, original)

// ---------------------------------------------------------------------------------------------------------------------
// Targets. Each returns the script's exit code.

let wrongUse (complaint: string) =
    complain complaint
    complain help
    2

let demo arguments =
    restore ()
    require "Build the demo" [ building "samples/Demo" ]
    run (builtProgram "samples/Demo" "LibKafka.Demo" arguments)

/// Prints the results of tests. Returns the script's exit code.
let report total =
    let skippedToo = if total.Skipped > 0 then $", {total.Skipped} skipped" else ""
    say $"{total.Passed} passed, {total.Failed} failed{skippedToo}"
    if total.Failed = 0 then 0 else 1

let test quick =
    restore ()
    let formatting = checkFormatting ()
    report (formatting + buildAndTest quick)

let reliability arguments environment =
    restore ()
    require "Build the reliability tests" [ building "tests/Reliability" ]
    report (runSuite "tests/Reliability" "LibKafka.Reliability" arguments environment)

let clients () =
    prepareClients ()

    let failures =
        [ for client, script in clientScripts () do
              let clock = Stopwatch.StartNew()
              let result = runScript (client, script)
              let text =
                  match result with
                  | Ok summary -> summary
                  | Error _ -> "FAILED"
              say $"  %-13s{client} %-14s{script} %5.1f{clock.Elapsed.TotalSeconds} s  {text}"

              match result with
              | Ok _ -> ()
              | Error lines -> client, script, lines ]

    for client, script, lines in failures do
        say $"\n{client}/{script}"
        List.iter say lines

    report { nothing with Passed = (clientScripts ()).Length - failures.Length; Failed = failures.Length }

/// Runs a test list or a script again and again, until it fails.
let loop (name: string) (times: int) =
    let run =
        match clientScripts () |> List.tryFind (fun (client, script) -> $"{client}/{script}" = name) with
        | Some script ->
            prepareClients ()
            fun () -> runScript script
        | None ->
            restore ()
            require "Build the tests" [ building "tests/Integration" ]
            fun () -> runTestList name

    let rec next (seconds: float list) =
        let clock = Stopwatch.StartNew()

        if seconds.Length = times then
            seconds, None
        else
            match run () with
            | Ok summary ->
                if seconds.IsEmpty then say $"   {summary}"
                next (clock.Elapsed.TotalSeconds :: seconds)
            | Error lines -> seconds, Some lines

    let seconds, failure = next []

    match failure with
    | Some lines ->
        List.iter say lines
        say $"{name}: run {seconds.Length + 1} failed"
    | None -> ()

    if not seconds.IsEmpty then
        let sorted = List.sort seconds
        say $"{name}: {seconds.Length} of {times} passed, median %.1f{sorted[sorted.Length / 2]} s"

    if failure.IsNone then 0 else 1

let coverage () =
    let suites = [ "Properties"; "Integration"; "Reliability" ]
    restore ()
    require "Build the tests" [ for suite in suites -> building ("tests/" + suite) ]
    Directory.CreateDirectory(Path.Combine(artifacts, "coverage")) |> ignore
    List.iter measureCoverage suites

    match reportCoverage (readCoverage suites) with
    | [] -> 0
    | parts ->
        let names = String.concat ", " parts
        say $"Less than {leastCoverage} %% of the lines were run: {names}"
        1

/// Tries the mutants with these numbers; all of them if there are none.
let mutants (numbers: int list) =
    let chosen = readMutants () |> List.filter (fun mutant -> numbers.IsEmpty || List.contains mutant.Number numbers)
    let copy = Path.Combine(Path.GetTempPath(), "libkafka-mutants")
    if Directory.Exists copy then Directory.Delete(copy, true)
    step $"Copy the repository to {copy}" (fun () -> copyRepository copy)
    let there (command: Command) = { command with Folder = copy }

    require
        "Build the tests"
        [ for project in chosen |> List.map _.Project |> List.distinct ->
              there (command dotnet [ "build"; "tests/" + project; "-c"; "Debug"; "-v"; "q"; "--nologo" ]) ]

    let broken =
        step "Run the tests without a mutant" (fun () ->
            chosen |> List.distinctBy (fun mutant -> mutant.Project, mutant.Tests) |> List.filter (passes copy >> not))

    for mutant in broken do
        say $"these tests fail without a mutant: {mutant.Project}, {mutant.Tests}"

    let survivors =
        chosen
        |> List.filter (fun mutant ->
            let complaint = step (string mutant) (fun () -> tryMutant copy mutant)
            complaint |> Option.iter (fun complaint -> say ("   SURVIVED: " + complaint))
            complaint.IsSome)

    say $"{chosen.Length - survivors.Length} of {chosen.Length} mutants caught"
    Directory.Delete(copy, true)
    if survivors.IsEmpty && broken.IsEmpty then 0 else 1

let bench names =
    restore ()
    require "Build the benchmarks" [ building "benchmarks" ]
    run (builtProgram "benchmarks" "LibKafka.Benchmarks" names)

let sizes () =
    let files = sourceFiles "src"

    let tooLong =
        [ for file in files do
              for declared in file.Functions |> List.filter (fun declared -> declared.Length > functionLimit) -> file, declared ]
        |> List.sortBy (fun (file, declared) -> -declared.Length, file.Path)

    say $"Files of the core above {fileLimit} lines"

    for file in files |> List.filter _.IsTooLong do
        say $"%8d{file.Lines}  {file.Path}"

    say $"\nFunctions above {functionLimit} lines"

    for file, declared in tooLong do
        say $"%8d{declared.Length}  {file.Path}:{declared.Line}  {declared.Name}"

    say "\nFiles, and the longest functions of each\n   lines"

    for file in files do
        let longest =
            [ for declared in List.truncate 3 file.Functions -> $"{declared.Length} {declared.Name}" ] |> String.concat ", "
        say $"%8d{file.Lines}  %-55s{file.Path}  {longest}"

    let total = files |> List.sumBy _.Lines
    let count = files |> List.sumBy (fun file -> file.Functions.Length)
    say $"\n{total} lines and {count} functions in {files.Length} files"
    0

let format () =
    restore ()
    require "Format every source file" [ fantomas []; csharpier "format" ]
    0

/// A script that uses a package from the feed, as the README shows it, with a package cache of its own.
let useIn (feed: string) : Command =
    let script = Path.Combine(feed, "use.fsx")

    File.WriteAllText(
        script,
        $"""#i "nuget: {feed}"
#r "nuget: LibKafka.Topics"
open LibKafka.Client
Bootstrap.parse "localhost:9092" |> Result.defaultWith failwith
"""
    )

    let cache = Path.Combine(artifacts, "package-cache")
    if Directory.Exists cache then Directory.Delete(cache, true)
    { command dotnet [ "fsi"; script ] with Environment = List.singleton ("NUGET_PACKAGES", cache) }

let pack () =
    restore ()
    let output = Path.Combine(artifacts, "packages")
    let projects = Directory.GetFiles(Path.Combine(root, "src"), "*.?sproj", SearchOption.AllDirectories) |> Array.sort
    require $"Pack into {output}" [ for project in projects -> release "pack" project [ "--output"; output ] ]
    require "Use a package in a script" [ useIn output ]
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
    | [ "reliability" ] -> reliability [] [ ("LIBKAFKA_RELIABILITY", "long") ]
    | "reliability" :: "soak" :: ([] | [ _ ] as minutes) ->
        reliability [ "--filter-test-list"; "9 soak" ] [ ("LIBKAFKA_SOAK", List.tryHead minutes |> Option.defaultValue "10") ]
    | [ "coverage" ] -> coverage ()
    | [ "mutants" ] -> mutants []
    | "mutants" :: "--only" :: (_ :: _ as numbers) when List.forall (Seq.forall Char.IsDigit) numbers -> mutants (List.map int numbers)
    | "bench" :: names -> bench names
    | [ "clients" ] -> clients ()
    | [ "loop"; name; times ] when fst (Int32.TryParse times) && int times > 0 -> loop name (int times)
    | "loop" :: _ -> wrongUse "loop needs the name of a test list or script, and how many times it runs."
    | [ "sizes" ] -> sizes ()
    | [ "format" ] -> format ()
    | [ "pack" ] -> pack ()
    | ("test" | "reliability" | "clients" | "mutants" | "coverage" | "sizes" | "format" | "pack") as target :: rest ->
        wrongUse ($"{target} does not take these arguments: " + String.Join(" ", rest))
    | target :: _ -> wrongUse $"There is no target named {target}."
)
