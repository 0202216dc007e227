/// The programs of the guides, as their readers run them, on the test broker.
module LibKafka.Integration.GuideTests

open System
open System.IO
open System.Net
open System.Security.Cryptography.X509Certificates
open System.Text.Json.Nodes
open System.Text.RegularExpressions
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Properties
open LibKafka.Integration.Support
open LibKafka.Integration.SamplePrograms

let private csharp = run "Guides/CSharp" "LibKafka.Samples.Guides.CSharp"
let private fsharp = run "Guides/FSharp" "LibKafka.Samples.Guides.FSharp"

/// The programs of the guides that are there in both languages.
let private inBoth: (string * (string list -> Run)) list = [ "C#", csharp; "F#", fsharp ]

let private linesOf (text: string) : string list = List.ofArray (text.Split('\n', StringSplitOptions.RemoveEmptyEntries))

/// The lines that a program printed, which succeeded without a complaint.
let private printed (result: Run) : string list =
    Expect.equal (result.ExitCode, result.Errors) (0, "") "it succeeds"
    linesOf result.Output

// ---- A schema registry ----

let private answer (schema: JsonNode ref) (request: HttpListenerRequest) : string =
    use body = new StreamReader(request.InputStream)

    match request.HttpMethod with
    | "POST" ->
        schema.Value <- nonNull (JsonNode.Parse(body.ReadToEnd()))
        """{"id":1}"""
    | _ when (nonNull request.RawUrl).StartsWith "/associations" -> "[]"
    | _ -> schema.Value.ToJsonString()

/// Runs a test with the address of a registry that has one schema: the one that it was given last.
let private withRegistry (test: string -> unit) =
    let schema = ref (JsonNode.Parse "{}" |> nonNull)

    HttpService.running
        (fun context ->
            let text = Text.Encoding.UTF8.GetBytes(answer schema context.Request)
            context.Response.ContentType <- "application/vnd.schemaregistry.v1+json"
            context.Response.OutputStream.Write text)
        test

// ---- Tests ----

let private authority = lazy (Authority "LibKafka guides")

let private secured (options: TestBrokerOptions) (test: TestBroker -> PemFolder -> string -> unit) =
    options.Certificate <- authority.Value.Issue(Purpose.Broker [ "127.0.0.1"; "localhost" ])
    use kafka = TestBroker.Start options
    use folder = new PemFolder()
    test kafka folder (folder.Add("ca.pem", authority.Value.Pem))

let private security =
    testList
        "security"
        [ for language, program in inBoth do
              testCase $"a client certificate, in {language}" (fun () ->
                  secured (TestBrokerOptions(RequiresClientCertificate = true)) (fun kafka folder authorities ->
                      let own: X509Certificate2 = authority.Value.Issue(Purpose.Client "orders")
                      let certificate = folder.Add("client.pem", own.ExportCertificatePem())
                      let key = folder.Add("client.key", PrivateKey.pem own)
                      let lines = printed (program [ "security"; kafka.Bootstrap; authorities; "certificate"; certificate; key ])
                      Expect.all lines _.EndsWith("with 1 brokers") "the cluster"))

              testCase $"a password, right and wrong, in {language}" (fun () ->
                  let users = [ Collections.Generic.KeyValuePair("alice", "right") ]

                  secured (TestBrokerOptions(Users = users)) (fun kafka _ authorities ->
                      let log password = program [ "security"; kafka.Bootstrap; authorities; "password"; "alice"; password ]
                      Expect.hasLength (printed (log "right")) 1 "the cluster"
                      let refused = log "wrong"
                      Expect.notEqual refused.ExitCode 0 "the exit code"
                      Expect.stringContains refused.Errors "authentication by SCRAM-SHA-512 failed" "why"))

              testCase $"a token, valid and not, in {language}" (fun () ->
                  let valid = Func<string, string | null>(fun token -> if token = "good" then "alice" else null)
                  let options = TestBrokerOptions(SaslMechanisms = [ "OAUTHBEARER" ], BearerTokens = valid)

                  secured options (fun kafka _ authorities ->
                      let log token = program [ "security"; kafka.Bootstrap; authorities; "token"; token ]
                      Expect.hasLength (printed (log "good")) 1 "the cluster"
                      let refused = log "bad"
                      Expect.notEqual refused.ExitCode 0 "the exit code"
                      Expect.stringContains refused.Errors "OAUTHBEARER" "why")) ]

let private continuesTrace (program: string list -> Run) =
    use kafka = TestBroker.Start()
    kafka.Topic "orders"
    let lines = printed (program [ "tracing"; kafka.Bootstrap; "orders" ])
    let spans = lines |> List.map (fun line -> Regex.Match(line, "^(\\w{32}) (\\w{16}) (\\w{16}) (.*)$"))

    match spans with
    | [ sent; _; handled ] ->
        Expect.equal handled.Groups[1].Value sent.Groups[1].Value "one trace"
        Expect.equal handled.Groups[2].Value sent.Groups[3].Value "its parent"
        let headers =
            [ for header in (kafka.Log "orders").Head.Headers -> header.Name, header.Value |> ValueOption.map Bytes.toText ]

        match headers with
        | [ "traceparent", ValueSome text ] ->
            // Version, trace, span, and flags, which say that it is sampled.
            Expect.stringStarts text $"00-{sent.Groups[1].Value}-{sent.Groups[3].Value}-0" "the header"
        | other -> failtestf "%A" other
    | _ -> failtestf "%A" lines

let private proxy =
    testCase "the proxy shows requests and responses" (fun () ->
        use kafka = TestBroker.Start()
        let socket, address = Loopback.refuse ()
        (socket :> IDisposable).Dispose()
        let broker = kafka.Bootstrap.Split ':'
        use program =
            new Program("Guides/FSharp", "LibKafka.Samples.Guides.FSharp", [ "proxy"; string address.Port; broker[0]; broker[1] ])
        let through = Bootstrap.parse (address.ToString()) |> ok

        let metadata () =
            match Cluster.Connect(ClientSettings.standard, through) with
            | Error _ -> false
            | Ok connection ->
                use _ = connection
                (Cluster.Metadata(connection, None)).Result.IsOk

        program.Await("metadata through the proxy", metadata)
        let shows (start: string) = program.Printed |> List.exists _.StartsWith(start)
        program.Await("a request and a response", (fun () -> shows "MetadataRequest" && shows "MetadataResponse")))

let private hosting (language: string, folder: string, assembly: string) =
    testCase $"the service handles orders, and stops with a commit, in {language}" (fun () ->
        use kafka = TestBroker.Start()
        kafka.Topic "orders"
        kafka.Produce("orders", "2 books") |> ignore
        let arguments = [ "hosting"; kafka.Bootstrap; "orders"; "shipping" ]
        use program = new Program(folder, assembly, arguments)
        program.Await("an order", (fun () -> program.Printed |> List.exists _.Contains("order 2 books")))
        program.Stop()
        Expect.exists program.Printed _.Contains("closed: ") "the result of closing"
        use group = new GroupClient(patient, Bootstrap.parse kafka.Bootstrap |> ok, "shipping")
        let reply = group.FetchOffsets(GroupMembership.none, [ { Topic = "orders"; Partition = 0 } ], false)

        match (ok reply.Result).Head.Result with
        | Ok(Some committed) -> Expect.equal committed.Offset 1L "what was handled is committed"
        | other -> failtestf "%A" other)

// ---- OpenTelemetry ----

/// Text of a collector without what differs from run to run: ids, times and measured values.
let private withoutChance (lines: string seq) : string list =
    [ for line in lines do
          let line = Regex.Replace(line, "\\b[0-9a-f]{16,32}\\b", "ID")
          let line = Regex.Replace(line, @"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.?\d* \+0000 UTC", "TIME")
          let line = Regex.Replace(line, "^(Sum|Min|Max): .*$", "$1: MEASURED")
          let line = Regex.Replace(line, "^(Buckets #\\d+), Count: \\d+$", "$1, Count: MEASURED")
          Regex.Replace(line, @"(server\.port): Int\(\d+\)", "$1: Int(PORT)").TrimEnd() ]

/// The parts of what a collector prints, on the page of a guide: the blocks of text, divided where lines are left out.
let private shownOn (page: string) : string list list =
    let text = File.ReadAllText(Path.Combine(TestData.checkout, "docs", "how-to", page)).ReplaceLineEndings "\n"

    [ for block in Regex.Matches(text, "(?ms)^```text\n(.*?)^```") do
          for part in Regex.Split(block.Groups[1].Value, "(?m)^…\n") do
              withoutChance (part.TrimEnd('\n').Split '\n') ]

let rec private contains (part: string list) (lines: string list) : bool =
    part = List.truncate part.Length lines || (not lines.IsEmpty && contains part lines.Tail)

let private telemetry =
    testList
        "OpenTelemetry"
        [ for language, folder, assembly in
              [ "C#", "Guides/CSharp", "LibKafka.Samples.Guides.CSharp"; "F#", "Guides/FSharp", "LibKafka.Samples.Guides.FSharp" ] do
              testCase $"a collector gets what docs/how-to/opentelemetry.md shows, in {language}" (fun () ->
                  use kafka = TestBroker.Start()
                  kafka.Topic "orders"

                  let received =
                      Collector.collecting (fun address ->
                          let variables =
                              [ "OTEL_EXPORTER_OTLP_ENDPOINT", address
                                "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"
                                "OTEL_SERVICE_NAME", "orders" ]

                          let result = runWith variables folder assembly [ "telemetry"; kafka.Bootstrap; "orders" ]
                          Expect.equal (printed result) [ "offset 0" ] "the batch")

                  let lines = withoutChance (received.Traces @ received.Metrics)
                  let parts = shownOn "opentelemetry.md"
                  Expect.isGreaterThan parts.Length 4 "the page shows several parts"

                  for part in parts do
                      Expect.isTrue (contains part lines) (String.Join("\n", part @ [ ""; "is not in"; "" ] @ lines)))

          testCase "the collector of the tests prints as the real one does" (fun () ->
              Expect.equal (Collector.showTraces Collector.Examples.traces) Collector.Examples.tracesText "a span"
              Expect.equal (Collector.showMetrics Collector.Examples.metrics) Collector.Examples.metricsText "metrics") ]

[<Tests>]
let tests =
    // Each starts a process. One after another they do not keep each other from being done in time.
    testSequencedGroup "guides"
    <| testList
        "guides"
        [ testCase "a compacted topic has the latest value of each key, with and without compaction" (fun () ->
              use kafka = TestBroker.Start()
              Expect.equal (printed (csharp [ "compaction"; kafka.Bootstrap; "table" ])) [ "alice = Porto" ] "in C#"
              let values = List.ofSeq (kafka.Values "table")
              Expect.equal values [ "Lisbon"; "Oslo"; "Porto"; null ] "the log, with a tombstone"
              Expect.equal (printed (fsharp [ "compaction"; kafka.Bootstrap; "table" ])) [ "alice = Porto" ] "in F#"
              // The last batch is not compacted.
              let bytes (text: string) = ValueSome(Bytes.ofString text)
              let record = { Offset = 0L; Timestamp = 0L; Key = bytes "carol"; Value = bytes "Rome"; Headers = [] }
              kafka.Produce("table", 0, [ record ]) |> ignore
              kafka.Compact "table"
              Expect.equal (List.ofSeq (kafka.Values "table")) [ "Porto"; null; "Rome" ] "the log after compaction"
              Expect.equal (printed (fsharp [ "compaction"; kafka.Bootstrap; "table" ])) [ "alice = Porto"; "carol = Rome" ] "with gaps")

          testCase "asynchronous code gets the offsets of its records" (fun () ->
              use kafka = TestBroker.Start()
              kafka.Topic "orders"
              Expect.equal (printed (csharp [ "async-producing"; kafka.Bootstrap; "orders" ])) [ "0 1 2" ] "the offsets"
              Expect.equal (List.ofSeq (kafka.Values "orders")) [ "order 1"; "order 2"; "order 3" ] "the log"
              let missing = csharp [ "async-producing"; kafka.Bootstrap; "not a topic" ]
              Expect.equal missing.ExitCode 1 "the exit code"
              Expect.stringContains missing.Errors "INVALID_TOPIC_EXCEPTION" "why")

          testCase "records that cannot be handled go to another topic" (fun () ->
              use kafka = TestBroker.Start()
              kafka.Topic "numbers"
              kafka.Topic "numbers.dead"

              for value in [ "1"; "two"; "3" ] do
                  kafka.Produce("numbers", value) |> ignore

              let arguments = [ "dead-letters"; kafka.Bootstrap; "numbers"; "numbers.dead"; "g" ]
              use program = new Program("Guides/CSharp", "LibKafka.Samples.Guides.CSharp", arguments)
              program.Await("the last number", (fun () -> program.Printed |> List.contains "3"))
              program.Stop()
              Expect.equal program.Printed [ "1"; "3" ] "what was handled"
              let buried = List.exactlyOne (List.ofSeq (kafka.Log "numbers.dead"))
              Expect.equal (buried.Value |> ValueOption.map Bytes.toText) (ValueSome "two") "what was not"
              let headers = buried.Headers |> List.map (fun header -> header.Name, header.Value |> ValueOption.map Bytes.toText)
              Expect.equal (List.map fst headers) [ "error"; "from" ] "headers"
              Expect.equal (snd headers[1]) (ValueSome "numbers-0 1") "where it was")

          for language, program in inBoth do
              testCase $"a trace continues in the consumer, in {language}" (fun () -> continuesTrace program)

          security

          testCase "values go through a schema registry" (fun () ->
              withRegistry (fun registry ->
                  use kafka = TestBroker.Start()
                  kafka.Topic "orders"
                  let lines = printed (csharp [ "schema-registry"; kafka.Bootstrap; "orders"; registry ])
                  Expect.equal lines [ "Order { Customer = alice, Books = 2 }" ] "the value"
                  let value = ((kafka.Log "orders").Head.Value |> ValueOption.get).Span.ToArray()
                  Expect.equal (Array.truncate 5 value) [| 0uy; 0uy; 0uy; 0uy; 1uy |] "the id of the schema"))

          hosting ("C#", "Guides/CSharp", "LibKafka.Samples.Guides.CSharp")
          hosting ("F#", "Guides/FSharp", "LibKafka.Samples.Guides.FSharp")

          testCase "the health check says how the cluster is" (fun () ->
              use kafka = TestBroker.Start 2
              Expect.equal (printed (csharp [ "health"; kafka.Bootstrap ])) [ "Healthy: 2 brokers" ] "a cluster"
              let socket, address = Loopback.refuse ()
              use _ = socket
              let result = csharp [ "health"; address.ToString() ]
              Expect.equal result.ExitCode 1 "the exit code"
              Expect.stringContains result.Output ("Unhealthy: none of the bootstrap brokers can be used") "why")

          telemetry

          testCase "a request by hand" (fun () ->
              use kafka = TestBroker.Start()
              let result = csharp [ "request"; kafka.Bootstrap ]
              Expect.stringContains result.Errors "ListTransactions 0-" "the versions"
              Expect.stringContains result.Output "\"transactionStates\":[]" "in C#"
              Expect.all (printed (fsharp [ "request"; kafka.Bootstrap ])) _.StartsWith("ListTransactionsResponse") "in F#")

          proxy

          testCase "without a command, the programs name all of them" (fun () ->
              for result in [ csharp []; fsharp [] ] do
                  Expect.equal result.ExitCode 2 "the exit code"
                  Expect.isNonEmpty (linesOf result.Errors) "the commands") ]
