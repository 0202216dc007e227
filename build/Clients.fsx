// Clients in other languages, which judge the test broker; and tests that run again and again.
#load "Programs.fsx" "Tests.fsx"

open System
open System.Diagnostics
open System.IO
open Programs
open Tests

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
    Directory.CreateDirectory(Path.GetDirectoryName summary) |> ignore
    File.Delete summary
    let options = [ "--no-spinner"; "--colours"; "0"; "--filter-test-list"; name; "--junit-summary"; summary ]
    let outcome = captureWithin (TimeSpan.FromMinutes 5.0) (builtProgram "tests/Integration" "LibKafka.Integration" options)

    match outcome with
    | Some 0, lines ->
        match readSummary summary with
        | tally when tally.Failed = 0 -> Ok $"{tally.Passed} tests"
        | _ -> Error(lines @ [ $"There is no test list named {name}." ])
    | _, lines -> Error lines

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

    report
        { nothing with
            Passed = (clientScripts ()).Length - failures.Length
            Failures = [ for client, script, lines in failures -> String.Join("\n", $"{client}/{script}" :: lines) ] }

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
