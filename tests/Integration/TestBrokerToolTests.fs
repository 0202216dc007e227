/// The program that runs a test cluster: what it prints, what its brokers are, and how it exits.
module LibKafka.Integration.TestBrokerToolTests

open System
open System.IO
open System.Net
open System.Net.Sockets
open System.Threading
open System.Threading.Tasks
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.TestBroker
open LibKafka.Integration.Support

/// Runs the tool until the test has ended, and returns its exit code and its complaints.
let private running (arguments: string list) (test: Bootstrap -> unit) : int * string =
    use stop = new CancellationTokenSource()
    use written = new StringWriter()
    use complaints = new StringWriter()
    // It locks itself while it writes.
    let output = TextWriter.Synchronized written
    let shown () = lock output (fun () -> written.ToString())
    let tool = Task.Run(fun () -> Program.run arguments output complaints stop.Token)

    try
        Clusters.awaiting "the tool is ready" (fun () -> tool.IsCompleted || (shown ()).Contains "Ctrl-C")
        let firstLine = (shown ()).Split '\n' |> Array.head
        let address = firstLine.Split ' ' |> Array.last
        test (Bootstrap.parse address |> ok)
    finally
        stop.Cancel()

    tool.Result, complaints.ToString()

let private outcome (arguments: string list) : int * string * string =
    use output = new StringWriter()
    use complaints = new StringWriter()
    let code = Program.run arguments output complaints (CancellationToken true)
    code, output.ToString(), complaints.ToString()

[<Tests>]
let tests =
    testList
        "libkafka-testbroker"
        [ testCase "runs brokers of a release with topics until it is told to stop" (fun () ->
              let arguments = [ "--port"; "0"; "--brokers"; "2"; "--release"; "2.8"; "--create"; "orders:3"; "--no-auto-create" ]

              let ended =
                  running arguments (fun bootstrap ->
                      use connection = Cluster.Connect(patient, bootstrap) |> ok
                      Expect.equal (connection.VersionOf Fetch.api) (Ok 12s) "the versions of the release"

                      match Cluster.FindLeaders(patient, bootstrap, [ "orders"; "others" ]) |> ok with
                      | [ orders; others ] ->
                          Expect.equal orders.PartitionCount 3 "the topic that was asked for"
                          Expect.equal others.Error ErrorCode.UnknownTopicOrPartition "no other is created"
                          let leaders = [ for entry in orders.Partitions -> entry.Value |> Result.map _.NodeId |> ok ]
                          Expect.equal (List.distinct leaders).Length 2 "the partitions are spread over the brokers"
                      | other -> failtestf "%A" other)

              Expect.equal ended (0, "") "it ends without a complaint")

          testCase "says that nothing is kept on disk" (fun () ->
              for arguments in [ [ "--port"; "0" ]; [ "--help" ]; [ "-h" ]; [ "help" ] ] do
                  let code, output, _ = outcome arguments
                  Expect.equal code 0 "the exit code"
                  Expect.stringContains output "on disk" (String.concat " " arguments))

          testCase "exits with 1 if the port is taken" (fun () ->
              use taken = new TcpListener(IPAddress.Loopback, 0)
              taken.Start()
              let port = (taken.LocalEndpoint :?> IPEndPoint).Port
              let code, _, complaint = outcome [ "--port"; string port ]
              Expect.equal code 1 "the exit code"
              Expect.stringContains complaint ("port " + string port) "which port")

          testCase "exits with 2 and says what is wrong" (fun () ->
              for arguments, part in
                  [ [ "--brokers"; "0" ], "--brokers must be a number from 1"
                    [ "--brokers" ], "--brokers needs a value"
                    [ "--port"; "x" ], "not 'x'"
                    [ "--port"; "65535"; "--brokers"; "2" ], "not so many ports"
                    [ "--release"; "0.9" ], "there is no Kafka release '0.9'"
                    [ "--create"; "orders" ], "TOPIC:PARTITIONS"
                    [ "--create"; "orders:0" ], "not '0'"
                    [ "--create"; "a/b:1"; "--port"; "0" ], "a/b"
                    [ "--create"; "a:1"; "--create"; "a:1"; "--port"; "0" ], "exists already"
                    [ "--wrong" ], "'--wrong' is not an option" ] do
                  let code, _, complaint = outcome arguments
                  Expect.equal code 2 (String.concat " " arguments)
                  Expect.stringContains complaint part (String.concat " " arguments)
                  Expect.hasLength (complaint.Split('\n', StringSplitOptions.RemoveEmptyEntries)) 1 "one line") ]
