/// The samples and the demo, as their users run them: what they print, and how they exit.
module LibKafka.Integration.SampleTests

open System
open Expecto
open LibKafka.Client
open LibKafka.Integration.Support
open LibKafka.Integration.SamplePrograms

let private fsharp = run "FSharp" "LibKafka.Samples.FSharp"
let private csharp = run "CSharp" "LibKafka.Samples.CSharp"
let private demo = run "Demo" "LibKafka.Demo"

/// Runs a test with the address of a port that refuses connections.
let private refused (test: string -> unit) =
    let socket, address = Loopback.refuse ()
    use _ = socket
    test (address.ToString())

/// Runs a test with the address of a broker that has no topics.
let private empty (test: string -> unit) =
    Scripted.broker (fun me -> Script.knowing Script.everything (Script.leading [] me Script.unexpected)) (fun broker ->
        test (broker.Address.ToString()))

let private failsWith (code: int) (parts: string list) (result: Run) =
    Expect.equal result.ExitCode code ("the exit code: " + result.Errors)
    let lines = result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)
    Expect.hasLength lines 1 ("one line: " + result.Errors)

    for part in parts do
        Expect.stringContains lines[0] part "what went wrong"

let private values (count: int) (text: int -> string) (result: Run) =
    Expect.equal (result.ExitCode, result.Errors) (0, "") "it succeeds"

    for number in 1..count do
        Expect.stringContains result.Output (text number) "a record"

[<Tests>]
let tests =
    testList
        "samples"
        [ testCase "the sample in F# exits with 1 and says why if no broker listens" (fun () ->
              refused (fun address -> fsharp [ address; "orders" ] |> failsWith 1 [ "not sent"; "cannot connect to " + address ]))

          testCase "the sample in F# exits with 1 and says why if the topic does not exist" (fun () ->
              empty (fun address ->
                  fsharp [ address; "orders" ] |> failsWith 1 [ "no leader is known for orders-0"; "UNKNOWN_TOPIC_OR_PARTITION" ]))

          testCase "the sample in F# exits with 1 if the list of brokers is not one" (fun () ->
              fsharp [ "a:b:c"; "orders" ] |> failsWith 1 [ "a:b:c" ])

          testCase "the samples write and read their records" (fun () ->
              Clusters.withMock 1 (fun cluster ->
                  for topic in [ "f"; "c" ] do
                      cluster.CreateTopic(topic, 1, 1)

                  fsharp [ cluster.Bootstrap; "f" ] |> values 10 (fun number -> ": order " + string number + "\n")
                  csharp [ cluster.Bootstrap; "c" ] |> values 9 (fun number -> ": key " + string number + " = value " + string number)))

          testCase "the sample in C# fails and says why if no broker listens" (fun () ->
              refused (fun address ->
                  let result = csharp [ address; "c" ]
                  Expect.notEqual result.ExitCode 0 "the exit code"
                  Expect.stringContains result.Errors ("cannot connect to " + address) "why"))

          testCase "the sample of tests in C# passes" (fun () ->
              let result = run "Testing/CSharp" "LibKafka.Samples.Testing.CSharp" []
              Expect.equal (result.ExitCode, result.Errors) (0, "") "it succeeds"
              Expect.stringContains result.Output "Total: 3, Errors: 0, Failed: 0, Skipped: 0" "the tests")

          testCase "the demo verifies every record on brokers of its own" (fun () ->
              let result = demo [ "--records"; "1000"; "--partitions"; "3" ]
              Expect.equal (result.ExitCode, result.Errors) (0, "") "it succeeds"
              Expect.stringContains result.Output "1,000 of 100 bytes, every byte and offset as produced" "what it checked")

          testCase "the demo takes a load that does not fit into memory at once" (fun () ->
              let result = demo [ "--records"; "1200"; "--size"; "900000"; "--partitions"; "7" ]
              Expect.equal (result.ExitCode, result.Errors) (0, "") "it succeeds"
              Expect.stringContains result.Output "1,200 of 900,000 bytes, every byte and offset as produced" "what it checked")

          testCase "the demo shows rate and time left in terminals of any width" (fun () ->
              let line (width: int) = LibKafka.Demo.ProgressLine.within width "produced" 250_000 1_000_000 (TimeSpan.FromSeconds 0.5)
              let whole = "produced 250,000 of 1,000,000 records (25 %), 500,000 records/s, 2 s left"
              Expect.equal (line whole.Length) whole "the longest form"
              Expect.equal (line (whole.Length - 1)) "produced 25 %, 500,000 records/s, 2 s left" "a shorter one"
              Expect.equal (line 30) "25 %, 500,000/s, 2 s left" "the shortest"

              for width in 0..100 do
                  Expect.isLessThanOrEqual (line width).Length width "it fits")

          testCase "the demo exits with 1 and says why if no broker listens" (fun () ->
              refused (fun address ->
                  demo [ "--bootstrap"; address ] |> failsWith 1 [ "the topic cannot be created"; "cannot connect to " + address ]))

          testCase "the demo exits with 2 and says why if its arguments are wrong" (fun () ->
              for arguments, part in
                  [ [ "--records"; "none" ], "--records takes a whole number"
                    [ "--size" ], "--size needs a value"
                    [ "--keep" ], "--keep goes with --bootstrap"
                    [ "--speed" ], "'--speed'" ] do
                  demo arguments |> failsWith 2 [ part ]) ]
