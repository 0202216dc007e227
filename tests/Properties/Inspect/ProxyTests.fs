/// The proxy between clients and a test cluster, and the recordings that it makes.
module LibKafka.Properties.ProxyTests

open System
open System.Buffers.Binary
open System.IO
open System.Net.Sockets
open System.Security.Cryptography
open System.Security.Cryptography.X509Certificates
open System.Text
open System.Text.RegularExpressions
open System.Threading
open System.Threading.Tasks
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Testing
open LibKafka.Inspect.Program
open LibKafka.Inspect.Terminal
open LibKafka.Properties.Support
open LibKafka.Properties.InspectSupport

let private patience = TimeSpan.FromSeconds 30.0

/// Text that another thread reads while it is written.
[<Sealed>]
type private Shared() =
    let text = new StringWriter()
    let writer = TextWriter.Synchronized text
    member _.Writer = writer
    member _.Text = lock writer (fun () -> text.ToString())

let private await (what: string) (condition: unit -> bool) =
    let deadline = DateTime.UtcNow + patience

    while not (condition ()) do
        if DateTime.UtcNow > deadline then failtestf "%s did not happen" what
        Thread.Sleep 5

/// Sends a request and returns the frame of the response.
let private exchange (socket: TcpClient) (frame: Bytes) : Bytes =
    let stream = socket.GetStream()
    stream.ReadTimeout <- int patience.TotalMilliseconds
    let prefix = Array.zeroCreate<byte> 4
    BinaryPrimitives.WriteInt32BigEndian(prefix, frame.Length)
    stream.Write(ReadOnlySpan(Array.append prefix (frame.ToArray())))
    stream.ReadExactly(prefix, 0, 4)
    let response = Array.zeroCreate<byte>(BinaryPrimitives.ReadInt32BigEndian prefix)
    stream.ReadExactly(response, 0, response.Length)
    Bytes response

let private connect (host: string) (port: int) : TcpClient =
    let socket = new TcpClient()
    socket.Connect(host, port)
    socket

let private metadata (socket: TcpClient) (correlationId: int) : Metadata.Response =
    Frame.encodeRequest Metadata.api 9s correlationId (Some "tester") { Metadata.request.Default with Topics = None }
    |> ok "encode"
    |> exchange socket
    |> Frame.decodeResponse Limits.standard Metadata.api 9s
    |> ok "decode"
    |> snd

/// Runs the proxy before a cluster while an action uses its port. The exit code, the lines and the complaints.
let private printing (arguments: string list) (bootstrap: string) (action: int -> unit) : int * string list * string =
    use output = new MemoryStream()
    let complaints = Shared()
    use stop = new CancellationTokenSource()

    let surroundings = { Surroundings.none with Output = output; Complaints = complaints.Writer; Cancellation = stop.Token }

    let tool = Task.Run(fun () -> runIn surroundings ([ "proxy"; "--listen"; "0"; "--to"; bootstrap ] @ arguments))

    let listening () = Regex.Match(complaints.Text, @"listening on 127\.0\.0\.1:(\d+) for")

    try
        await "listening" (fun () -> tool.IsCompleted || (listening ()).Success)
        action (int (listening ()).Groups[1].Value)
    finally
        stop.Cancel()

    if not (tool.Wait patience) then failtest "the proxy does not end"
    tool.Result,
    List.ofArray ((Encoding.UTF8.GetString(output.ToArray())).Split('\n', StringSplitOptions.RemoveEmptyEntries)),
    complaints.Text

/// The same with JSON lines.
let private proxying (arguments: string list) = printing ("--format" :: "json" :: arguments)

let private shape (line: string) : string =
    let line = json line
    get "connection" line + " " + get "kind" line + " " + get "api" line + " " + get "correlationId" line

let private staysOnProxy =
    testCase "clients stay on the proxy: the addresses in responses are its own, and what is printed is what the broker sent" (fun () ->
        use kafka = TestBroker.Start 2
        let brokerPorts = kafka.Bootstrap.Split ',' |> Array.map (fun address -> int ((address.Split ':')[1])) |> Set.ofArray
        let bootstrap = (kafka.Bootstrap.Split ',')[0]

        let code, lines, _ =
            proxying [] bootstrap (fun port ->
                use first = connect "127.0.0.1" port
                let found = metadata first 1
                Expect.equal found.Brokers.Length 2 "both brokers"

                for broker in found.Brokers do
                    Expect.isFalse (brokerPorts.Contains broker.Port) "not the address of a broker"
                    use other = connect broker.Host broker.Port
                    Expect.equal (metadata other 7).Brokers found.Brokers "the same addresses by every broker")

        Expect.equal code 0 "the exit code"
        Expect.equal (shape lines[0], shape lines[1]) ("1 request Metadata 1", "1 response Metadata 1") "the first exchange"
        Expect.equal lines.Length 6 "three exchanges"
        let printed =
            [ for broker in (json lines[1]).GetProperty("body").GetProperty("brokers").EnumerateArray() -> int (get "port" broker) ]
        Expect.equal (Set.ofList printed) brokerPorts "the broker's own addresses"
        Expect.notEqual (get "time" (json lines[0])) "" "the time")

let private text =
    testCase "as text, each frame is a line with its connection, its time, its direction and the message" (fun () ->
        use kafka = TestBroker.Start 1
        let mutable received: Metadata.Response voption = ValueNone

        let code, lines, _ =
            printing [] kafka.Bootstrap (fun port ->
                use first = connect "127.0.0.1" port
                received <- ValueSome(metadata first 41)
                use second = connect "127.0.0.1" port
                metadata second 42 |> ignore)

        Expect.equal code 0 "the exit code"
        let time = @"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"

        let expected =
            [ for connection, correlation in [ 1, 41; 2, 42 ] do
                  let start = @"^\[" + string connection + @"\] " + time
                  let request = Message.show Metadata.api.Request { Metadata.request.Default with Topics = None }
                  let about = ", correlation " + string correlation
                  start, " → Metadata v9 request" + about + ", client \"tester\": " + request.Substring(request.IndexOf ' ' + 1)
                  start, " ← Metadata v9 response" + about + ": {" ]

        Expect.equal lines.Length expected.Length "the lines"

        for line, (start, rest) in List.zip lines expected do
            Expect.isTrue (Regex.IsMatch(line, start)) line
            Expect.stringContains line rest "the frame"

        // The broker's own port, and not that of the proxy.
        Expect.stringContains lines[1] ("Port: " + (kafka.Bootstrap.Split ':')[1]) "the broker's address"
        Expect.notEqual (string received.Value.Brokers[0].Port) ((kafka.Bootstrap.Split ':')[1]) "the client got that of the proxy")

let private controllers =
    testCase "clients that ask for controllers stay on the proxy too" (fun () ->
        use kafka = TestBroker.Start 1
        let controllers = [ 9190; 9191 ]

        let response =
            { DescribeCluster.response.Default with
                EndpointType = EndpointType.Controller
                ClusterId = "c"
                ControllerId = 3000
                Brokers =
                    [ for port in controllers ->
                          { BrokerId = port - 6190; Host = "controllers.example"; Port = port; Rack = None; IsFenced = false } ] }

        kafka.Script.On(ApiKey.DescribeCluster, Reaction.Reply(Response.DescribeCluster response)) |> ignore

        let code, lines, complaints =
            proxying [] kafka.Bootstrap (fun port ->
                use client = connect "127.0.0.1" port

                let found =
                    Frame.encodeRequest
                        DescribeCluster.api
                        1s
                        5
                        (Some "tester")
                        { DescribeCluster.request.Default with EndpointType = EndpointType.Controller }
                    |> ok "encode"
                    |> exchange client
                    |> Frame.decodeResponse Limits.standard DescribeCluster.api 1s
                    |> ok "decode"
                    |> snd

                let expected =
                    response.Brokers
                    |> List.map2
                        (fun (found: DescribeCluster.Broker) broker -> { broker with Host = "127.0.0.1"; Port = found.Port })
                        found.Brokers

                Expect.equal found { response with Brokers = expected } "only the addresses are others"

                for broker in found.Brokers do
                    Expect.isFalse (List.contains broker.Port controllers) "not the port of a controller"
                    // Something listens there.
                    (connect broker.Host broker.Port).Dispose())

        Expect.equal code 0 "the exit code"
        let printed = (json lines[1]).GetProperty("body").GetProperty("brokers").EnumerateArray()
        Expect.equal [ for broker in printed -> get "port" broker ] [ "9190"; "9191" ] "what the broker has sent"
        Expect.stringContains complaints "for controllers.example:9191" "the other port")

// ---- TLS

/// A certificate of this machine that is its own authority.
let private certificate () : X509Certificate2 =
    use key = ECDsa.Create ECCurve.NamedCurves.nistP256
    let request = CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256)
    let names = SubjectAlternativeNameBuilder()
    names.AddIpAddress Net.IPAddress.Loopback
    request.CertificateExtensions.Add(names.Build())
    request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays -1.0, DateTimeOffset.UtcNow.AddDays 1.0)

/// Runs the proxy before a cluster with TLS. The arguments may name the file of the authority.
let private proxyingTls (brokers: int) (arguments: string -> string list) (action: int -> unit) : int * string list * string =
    use certificate = certificate ()
    use kafka = TestBroker.Start(TestBrokerOptions(Brokers = brokers, Certificate = certificate))

    let broker = (kafka.Bootstrap.Split ',')[0]
    let folder = Directory.CreateTempSubdirectory "inspect"

    try
        let authority = Path.Combine(folder.FullName, "authority.pem")
        File.WriteAllText(authority, certificate.ExportCertificatePem())
        proxying (arguments authority) broker action
    finally
        folder.Delete true

/// Whether the other side closes the connection after a request.
let private closes (port: int) : bool =
    use client = connect "127.0.0.1" port

    try
        metadata client 1 |> ignore
        false
    with :? IOException ->
        true

let private tls =
    testList
        "with --tls"
        [ testCase "clients without TLS reach all brokers" (fun () ->
              let code, lines, _ =
                  proxyingTls 2 (fun authority -> [ "--tls"; "--ca"; authority ]) (fun port ->
                      use first = connect "127.0.0.1" port
                      let found = metadata first 1
                      Expect.equal found.Brokers.Length 2 "both brokers"

                      for broker in found.Brokers do
                          use other = connect broker.Host broker.Port
                          Expect.equal (metadata other 7).Brokers found.Brokers "the same addresses by every broker")

              Expect.equal code 0 "the exit code"
              Expect.equal
                  (List.map shape (List.truncate 2 lines))
                  [ "1 request Metadata 1"; "1 response Metadata 1" ]
                  "the first exchange"
              Expect.equal lines.Length 6 "three exchanges")

          testCase "a broker whose certificate is not trusted is reported, and the client's connection is closed" (fun () ->
              let _, lines, complaints = proxyingTls 1 (fun _ -> [ "--tls" ]) (fun port -> Expect.isTrue (closes port) "closed")

              Expect.equal lines [] "no frames"
              Expect.isMatch complaints @"connection 1: cannot connect to 127\.0\.0\.1:\d+: .*certificate" "the reason")

          testCase "without it, a broker with TLS is reported" (fun () ->
              let _, lines, complaints = proxyingTls 1 (fun _ -> []) (fun port -> Expect.isTrue (closes port) "closed")
              let faults = lines |> List.map (fun line -> get "fault" (json line))
              // Not every broker sends an alert before it closes the connection.
              let hasReason =
                  List.contains "the broker answers with a TLS alert: use --tls" faults || complaints.Contains "connection 1: "
              Expect.isTrue hasReason "the reason")

          testCase "a file without certificates is reported" (fun () ->
              withFiles [ [| 1uy; 2uy |] ] ".pem" (fun paths ->
                  let outcome = inspectWith [ "proxy"; "--listen"; "0"; "--to"; "localhost:9092"; "--ca"; paths[0] ] Array.empty
                  Expect.equal outcome.Code 1 "the exit code"
                  Expect.stringContains outcome.Complaints (paths[0] + ": it has no certificate in PEM") "the reason"
                  let outcome = inspectWith [ "proxy"; "--listen"; "0"; "--to"; "localhost:9092"; "--ca"; paths[0] + "x" ] Array.empty
                  Expect.equal outcome.Code 1 "the exit code"
                  Expect.stringContains outcome.Complaints ("cannot read " + paths[0] + "x: ") "a file that does not exist")) ]

let private recordings =
    testCase "a recording is read again, each connection by itself" (fun () ->
        use kafka = TestBroker.Start 1
        let folder = Directory.CreateTempSubdirectory "inspect"

        try
            let path = Path.Combine(folder.FullName, "recorded.txt")

            let _, lines, _ =
                proxying [ "--record"; path ] kafka.Bootstrap (fun port ->
                    use first = connect "127.0.0.1" port
                    use second = connect "127.0.0.1" port
                    // The same correlation ids on both.
                    metadata first 1 |> ignore
                    metadata second 1 |> ignore
                    metadata first 2 |> ignore)

            // The line is the only difference.
            let withoutPlace (line: string) = Regex.Replace(line, "^\\{\"offset\":0,(\"line\":[0-9]+,)?", "{")
            let again = inspectWith [ "--format"; "json"; path ] Array.empty
            Expect.equal again.Code 0 "the exit code"
            Expect.equal (List.map withoutPlace again.Lines) (List.map withoutPlace lines) "the same frames"
            Expect.equal lines.Length 6 "three exchanges"
        finally
            folder.Delete true)

let private troubles =
    testList
        "trouble"
        [ testCase "a client that begins a TLS handshake is told so, and others are served" (fun () ->
              use kafka = TestBroker.Start 1

              let code, lines, _ =
                  proxying [] kafka.Bootstrap (fun port ->
                      use secure = connect "127.0.0.1" port
                      let stream = secure.GetStream()
                      stream.ReadTimeout <- int patience.TotalMilliseconds
                      stream.Write(ReadOnlySpan [| 0x16uy; 3uy; 1uy; 0uy; 5uy; 0uy; 0uy; 0uy; 0uy; 0uy |])
                      let closed =
                          try
                              stream.ReadByte() = -1
                          with :? IOException ->
                              true
                      Expect.isTrue closed "closed"
                      use plain = connect "127.0.0.1" port
                      metadata plain 1 |> ignore)

              Expect.equal code 1 "the exit code"
              Expect.stringContains (get "fault" (json lines.Head)) "begins a TLS handshake" "the reason"
              Expect.equal lines.Length 3 "and one exchange")

          testCase "a broker that cannot be reached is reported" (fun () ->
              let free =
                  let listener = new TcpListener(Net.IPAddress.Loopback, 0)
                  listener.Start()
                  let port = (listener.LocalEndpoint :?> Net.IPEndPoint).Port
                  listener.Stop()
                  port

              let _, _, complaints =
                  proxying [] ("127.0.0.1:" + string free) (fun port ->
                      use client = connect "127.0.0.1" port
                      let stream = client.GetStream()
                      stream.ReadTimeout <- int patience.TotalMilliseconds

                      try
                          Expect.equal (stream.ReadByte()) -1 "closed"
                      with :? IOException ->
                          ())

              Expect.stringContains complaints ("cannot connect to 127.0.0.1:" + string free) "the reason")

          testCase "a port that is in use is reported" (fun () ->
              let listener = new TcpListener(Net.IPAddress.Loopback, 0)
              listener.Start()

              try
                  let port = (listener.LocalEndpoint :?> Net.IPEndPoint).Port
                  let outcome = inspectWith [ "proxy"; "--listen"; string port; "--to"; "localhost:9092" ] Array.empty
                  Expect.equal outcome.Code 1 "the exit code"
                  Expect.stringStarts outcome.Complaints ("libkafka-inspect: cannot listen on 127.0.0.1:" + string port) "the reason"
              finally
                  listener.Stop()) ]

let private usage =
    testList
        "usage"
        [ for arguments, reason in
              [ "proxy", "a proxy needs --listen and --to"
                "proxy --listen 9093", "a proxy needs --listen and --to"
                "proxy --listen x --to localhost:9092", "--listen needs a port, or an IP address and a port"
                "proxy --listen 99999 --to localhost:9092", "--listen needs a port"
                "proxy --listen 0 --to localhost", "--to needs a host and a port such as localhost:9092"
                "proxy --listen 0 --to localhost:9092 file", "a proxy reads no files"
                "log --listen 0", "--listen, --to, --record, --tls and --ca go with a proxy"
                "--ca a.pem", "--listen, --to, --record, --tls and --ca go with a proxy"
                "--tls", "--listen, --to, --record, --tls and --ca go with a proxy"
                "log --port 9092", "--port goes with captures"
                "capture --port x", "--port needs a port number" ] do
              testCase ("'" + arguments + "' is wrong") (fun () ->
                  let outcome = inspect arguments Array.empty
                  Expect.equal outcome.Code 2 "the exit code"
                  Expect.stringContains outcome.Complaints reason "the message")

          testCase "help lists these options too" (fun () ->
              let help = String.Join('\n', (inspect "--help" Array.empty).Lines)

              for option in [ "--listen"; "--to"; "--record"; "--tls"; "--ca"; "--port"; "proxy"; "capture" ] do
                  Expect.stringContains help option "an option") ]

[<Tests>]
let tests = testList "libkafka-inspect as a proxy" [ staysOnProxy; text; controllers; tls; recordings; troubles; usage ]
