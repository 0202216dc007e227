/// How connections are made and kept: several addresses, closes at any moment, versions that a broker hangs up on, deadlines, cancellation.
module LibKafka.Integration.ConnectingTests

open System
open System.Collections.Concurrent
open System.Diagnostics
open System.IO
open System.Net
open System.Net.Security
open System.Net.Sockets
open System.Security.Authentication
open System.Security.Cryptography.X509Certificates
open System.Threading
open System.Threading.Tasks
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support

let private authority = lazy (Authority "LibKafka connecting tests")
let private certificate = lazy (authority.Value.Issue(Purpose.Broker [ "127.0.0.1"; "localhost"; "broker.test" ]))

let private ask (connection: Connection) = connection.Call(ListOffsets.api, Script.askLatest)

let private script: Received -> Act list =
    Script.knowing Script.everything (fun received ->
        match received.Request with
        | Request.ListOffsets request -> Script.answer ListOffsets.api received (Script.found 7L request)
        | Request.Produce request ->
            Script.answer Produce.api received (Script.produced (fun answer -> { answer with BaseOffset = 41L }) request)
        | Request.Metadata _ -> Script.answer Metadata.api received (Script.metadata { Host = "127.0.0.1"; Port = 1 } [])
        | _ -> Script.unexpected received)

/// Settings that trust the tests' authority.
let private secured =
    lazy
        (use folder = new PemFolder()

         let files =
             { Authorities = Some(folder.Add("ca.pem", authority.Value.Pem)); Certificate = None; Key = None; KeyPassword = None }

         { patient with Tls = Some(Tls.ofPemFiles files |> ok) })

let private portOf (point: EndPoint | null) : int =
    match point with
    | :? IPEndPoint as point -> point.Port
    | _ -> failwith "a bound socket has a port"

/// A host at an address that does as it likes with each connection.
let private hostAt (at: IPAddress) (port: int) (act: int -> Socket -> unit) (test: BrokerAddress -> unit) =
    use listener = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
    listener.Bind(IPEndPoint(at, port))
    listener.Listen 500
    let port = listener.LocalEndPoint |> portOf

    let serveOne (index: int) (socket: Socket) =
        try
            use _ = socket
            act index socket
        with
        | :? SocketException
        | :? IOException
        | :? AuthenticationException
        | :? ObjectDisposedException -> ()

    let serve () =
        try
            let mutable index = 0

            while true do
                let socket = listener.Accept()
                let this = index
                index <- index + 1
                Thread((fun () -> serveOne this socket), IsBackground = true).Start()
        with
        | :? SocketException
        | :? ObjectDisposedException -> ()

    Thread(serve, IsBackground = true).Start()
    test { Host = at.ToString(); Port = port }

let private host act test = hostAt IPAddress.Loopback 0 (fun _ socket -> act socket) test

let private receive (socket: Socket) (count: int) = socket.Receive(Array.zeroCreate<byte> count) |> ignore

let private reset (socket: Socket) =
    socket.LingerState <- LingerOption(true, 0)
    socket.Dispose()

/// A broker that is over TLS, whose connections can be ended by the test.
let private overTls (version: SslProtocols) (rest: Received -> Act list) (test: ScriptedBroker -> unit) =
    let options = BrokerTls.options certificate.Value version None ignore
    use broker = new ScriptedBroker((fun _ -> rest), IPAddress.Loopback, BrokerTls.over options)
    test broker

// -- Two threads

let private threads =
    let isRefused (error: exn) =
        match error with
        | :? InvalidOperationException -> error.Message.Contains "used by two threads at once"
        | _ -> false

    /// Makes a call that stays in progress while another thread makes the second one.
    let during (first: unit -> unit) (inProgress: ManualResetEventSlim) (second: unit -> unit) (finish: unit -> unit) : exn option =
        let one = Task.Run first
        Expect.isTrue (inProgress.Wait 20_000) "the first call is in progress"

        let refusal =
            try
                second ()
                None
            with error ->
                Some error

        finish ()
        Expect.isTrue (one.Wait 20_000) "the first call ends"
        refusal

    testList
        "two threads"
        [ testCase "in one connection: the second is refused, and nothing of it is sent" (fun () ->
              use arrived = new ManualResetEventSlim()
              use release = new ManualResetEventSlim()

              let slow received =
                  [ Act.Do(fun () ->
                        arrived.Set()
                        release.Wait 20_000 |> ignore)
                    yield! Script.finding 1L received ]

              Scripted.connection patient slow (fun broker connection ->
                  let refusal = during (fun () -> ask connection |> ignore) arrived (fun () -> ask connection |> ignore) release.Set

                  Expect.isTrue (refusal |> Option.exists isRefused) "the refusal"
                  Expect.hasLength broker.Calls 1 "one request arrived"
                  Expect.isOk (ask connection).Result "the connection can still be used"))

          testCase "in one client: the second is refused, and nothing of it is sent" (fun () ->
              use arrived = new ManualResetEventSlim()
              use release = new ManualResetEventSlim()

              let slow (received: Received) =
                  match received.Request with
                  | Request.Produce request ->
                      [ Act.Do(fun () ->
                            arrived.Set()
                            release.Wait 20_000 |> ignore)
                        yield! Script.answer Produce.api received (Script.produced id request) ]
                  | _ -> Script.unexpected received

              Scripted.partition patient slow (fun broker client ->
                  use producer = new PartitionProducer(client, ProducerSettings.standard)
                  let produce () = producer.Produce(batch "a" 1) |> ignore
                  let refusal = during produce arrived produce release.Set
                  Expect.isTrue (refusal |> Option.exists isRefused) "the refusal"
                  Expect.equal (broker.VersionsOf ApiKey.Produce).Length 1 "one batch arrived"
                  producer.Produce(batch "b" 1) |> acknowledged |> ignore))

          testCase "that use a client in turn are not refused" (fun () ->
              Scripted.connection patient (Script.finding 1L) (fun _ connection ->
                  for _ in 1..20 do
                      Task.Run(fun () -> Expect.isOk (ask connection).Result "the call").Wait()))

          testCase "hammering one producer: every batch that was acknowledged was sent once" (fun () ->
              let answer (received: Received) =
                  match received.Request with
                  | Request.Produce request -> Script.answer Produce.api received (Script.produced id request)
                  | _ -> Script.unexpected received

              Scripted.partition patient answer (fun broker client ->
                  use producer = new PartitionProducer(client, ProducerSettings.standard)
                  let mutable sent = 0

                  let work () =
                      for _ in 1..200 do
                          try
                              producer.Produce(batch "a" 1) |> acknowledged |> ignore
                              Interlocked.Increment &sent |> ignore
                          with error when isRefused error ->
                              ()

                  Task.WaitAll(Task.Run work, Task.Run work)
                  Expect.equal (broker.VersionsOf ApiKey.Produce).Length sent "as many batches as acknowledgements"))

          testCase "one that closes a connection ends the call of the other" (fun () ->
              use arrived = new ManualResetEventSlim()

              Scripted.connection patient (fun _ -> [ Act.Do arrived.Set ]) (fun _ connection ->
                  let call = Task.Run(fun () -> (ask connection).Result)
                  Expect.isTrue (arrived.Wait 20_000) "the call is in progress"
                  connection.Close()
                  Expect.equal (faultOf call.Result) (ClientFault.Unusable "closed by the caller") "the fault")) ]

// -- A broker that has closed the connection

let private closedBefore =
    /// Answers everything; connection 0 of those that carry calls is closed after its first call.
    let closingAfterFirst (ending: Act list) (received: Received) : Act list =
        let answer = script received
        let isCall = received.Header.ApiKey = ApiKey.Produce || received.Header.ApiKey = ApiKey.ListOffsets
        if isCall && received.Header.CorrelationId = 2 && received.Connection < 2 then
            answer @ ending
        else
            answer

    let leading (ending: Act list) (me: BrokerAddress) (received: Received) =
        match received.Request with
        | Request.Metadata _ -> Script.answer Metadata.api received (Script.metadata me [ Script.topic "t" Guid.Empty ])
        | _ -> closingAfterFirst ending received

    let producing (settings: ClientSettings) (broker: ScriptedBroker) =
        use client = new PartitionClient(settings, Bootstrap.ofAddresses [ broker.Address ], { Topic = "t"; Partition = 0 })
        use producer = new PartitionProducer(client, ProducerSettings.standard)
        producer.Produce(batch "a" 1) |> acknowledged |> ignore
        broker.AwaitEnd 1
        let second = producer.Produce(batch "b" 1)
        Expect.equal (acknowledged second) 41L "the batch went into a new connection"
        Expect.equal (broker.VersionsOf ApiKey.Produce).Length 2 "each batch was sent once"

    let endings = [ "in an orderly way", [ Act.Close ]; "by a reset", [ Act.Reset ] ]

    testList
        "a broker that has closed the connection since the last call"
        [ for name, ending in endings do
              testCase (name + ": the client makes another one within the call") (fun () ->
                  use broker = new ScriptedBroker(leading ending)
                  producing patient broker)

              for version in [ SslProtocols.Tls12; SslProtocols.Tls13 ] do
                  testCase (name + ", over " + version.ToString() + ": the client makes another one within the call") (fun () ->
                      let options = BrokerTls.options certificate.Value version None ignore
                      use broker = new ScriptedBroker(leading ending, IPAddress.Loopback, BrokerTls.over options)
                      producing secured.Value broker)

          testCase "a close_notify without the end of the TCP connection counts" (fun () ->
              let options = BrokerTls.options certificate.Value SslProtocols.Tls13 None ignore
              let mutable last: SslStream option = None

              let secure stream : Stream =
                  let stream = BrokerTls.over options stream
                  last <- Some(stream :?> SslStream)
                  stream

              use broker = new ScriptedBroker((fun _ -> script), IPAddress.Loopback, secure)
              use connection = Connection.Open(secured.Value, broker.Address) |> ok
              Expect.isOk (ask connection).Result "the first call"
              last.Value.ShutdownAsync().Wait()
              Thread.Sleep 50
              let exchange = ask connection
              Expect.isTrue (faultOf exchange.Result).IsUnusable "the fault"
              Expect.isFalse exchange.Info.WasSent "nothing was sent")

          testCase "session tickets do not count: the connection is used again" (fun () ->
              overTls SslProtocols.Tls13 script (fun broker ->
                  use connection = Connection.Open(secured.Value, broker.Address) |> ok

                  for _ in 1..5 do
                      Expect.isOk (ask connection).Result "the call"

                  Expect.equal broker.Connections 1 "one connection"))

          testCase "a bare connection reports it, and sends nothing" (fun () ->
              use broker = new ScriptedBroker(fun _ -> closingAfterFirst [ Act.Close ])
              use connection = Connection.Open(patient, broker.Address) |> ok
              Expect.isOk (ask connection).Result "the first call"
              broker.AwaitEnd 0
              let exchange = ask connection
              Expect.isTrue (faultOf exchange.Result).IsUnusable "the fault"
              Expect.isFalse exchange.Info.WasSent "nothing was sent"
              Expect.isFalse connection.IsOpen "it is closed")

          testCase "an admin client makes another one within the call" (fun () ->
              let closing (me: BrokerAddress) (received: Received) =
                  match received.Request with
                  | Request.Metadata _ ->
                      Script.answer Metadata.api received (Script.metadata me []) @ (if received.Connection = 0 then [ Act.Close ] else [])
                  | _ -> script received

              use broker = new ScriptedBroker(closing)
              use admin = new AdminClient(patient, Bootstrap.ofAddresses [ broker.Address ])
              admin.ListTopics() |> ignore
              broker.AwaitEnd 0
              Expect.isOk (admin.ListTopics().Result) "the second call") ]

// -- TLS

let private tlsEndings =
    let closing (act: Socket -> unit) (check: ClientFault -> unit) =
        host act (fun address -> check (faultOf (Connection.Open(secured.Value, address))))

    let isTransient (fault: ClientFault) =
        Expect.isTrue (Transient.isFault fault) (fault.ToString())
        Expect.isFalse (fault.IsTlsNotSpoken || fault.IsTlsFailed) (fault.ToString())

    // The beginning of a handshake record, as a broker that stops in the middle of one leaves it.
    let partOfRecord = [| 0x16uy; 0x03uy; 0x03uy; 0x00uy; 0x7auy; 0x02uy; 0x00uy; 0x00uy |]

    let handshakeThen (ending: SslStream -> Socket -> unit) (socket: Socket) =
        use stream = new SslStream(new NetworkStream(socket, false))
        stream.AuthenticateAsServer(BrokerTls.options certificate.Value SslProtocols.None None ignore)
        ending stream socket

    testList
        "TLS that ends while it is made"
        [ for name, act in
              [ "at once", (fun (_: Socket) -> ())
                "at once, by a reset", reset
                "after the ClientHello", (fun socket -> receive socket 1000)
                "after the ClientHello, by a reset",
                (fun socket ->
                    receive socket 1000
                    reset socket)
                "after a part of the ClientHello",
                (fun socket ->
                    receive socket 5
                    reset socket)
                "in the middle of the handshake",
                (fun socket ->
                    receive socket 1000
                    socket.Send partOfRecord |> ignore)
                "in the middle of the handshake, by a reset",
                (fun socket ->
                    receive socket 1000
                    socket.Send partOfRecord |> ignore
                    Thread.Sleep 20
                    reset socket)
                "right after the handshake", handshakeThen (fun _ _ -> ())
                "right after the handshake, by a reset", handshakeThen (fun _ socket -> reset socket)
                "right after the handshake, with a close_notify", handshakeThen (fun stream _ -> stream.ShutdownAsync().Wait())
                "after the request for versions", handshakeThen (fun stream _ -> stream.Read(Array.zeroCreate<byte> 4, 0, 4) |> ignore) ] do
              testCase ("is transient: " + name) (fun () -> closing act isTransient)

          testCase "is tried as often as without TLS" (fun () ->
              let mutable attempts = 0

              host
                  (fun socket ->
                      receive socket 1000
                      Interlocked.Increment &attempts |> ignore)
                  (fun address ->
                      let again =
                          function
                          | Ok _ -> false
                          | Error fault -> Transient.isFault fault
                      let policy = { RetryPolicy.make again with FirstDelay = ms 1 }
                      policy.Run(fun call -> Connection.Open(secured.Value, address, call)) |> faultOf |> isTransient
                      Expect.equal attempts 5 "five attempts"))

          testCase "bytes that are not TLS are final, and an alert is too" (fun () ->
              let answering (bytes: byte[]) (socket: Socket) =
                  receive socket 1000
                  socket.Send bytes |> ignore
                  receive socket 1000

              closing (answering "SSH-2.0-OpenSSH_9.2\r\n"B) (fun fault -> Expect.isTrue fault.IsTlsNotSpoken (fault.ToString()))

              // handshake_failure
              closing (answering [| 0x15uy; 0x03uy; 0x03uy; 0x00uy; 0x02uy; 0x02uy; 0x28uy |]) (fun fault ->
                  Expect.isTrue fault.IsTlsFailed (fault.ToString())
                  Expect.isFalse (Transient.isFault fault) "final"))

          testCase "a token provider that fails once is transient" (fun () ->
              let fault = ClientFault.SaslFailed("OAUTHBEARER", SaslFailure.NoCredentials "the token endpoint is down")
              Expect.isTrue (Transient.isFault fault) "worth another attempt") ]

let private downloads =
    /// Counts the requests to an HTTP server, and answers with 404.
    let counting (test: string -> (unit -> int) -> unit) =
        let mutable requests = 0

        host
            (fun socket ->
                receive socket 1000
                Interlocked.Increment &requests |> ignore
                socket.Send "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"B |> ignore)
            (fun address -> test ("http://" + address.ToString() + "/ca.crt") (fun () -> Volatile.Read &requests))

    let naming (url: string) =
        let information = X509AuthorityInformationAccessExtension([], [ url ])
        Authority("Nobody's authority").Issue(Purpose.Broker [ "127.0.0.1" ], extension = information)

    let opened (settings: SslClientAuthenticationOptions) (certificate: X509Certificate2) =
        let options = BrokerTls.options certificate SslProtocols.None None ignore
        use broker = new ScriptedBroker((fun _ -> script), IPAddress.Loopback, BrokerTls.over options)
        Connection.Open({ patient with Tls = Some(Tls.ofOptions settings) }, broker.Address)

    testList
        "issuers of certificates"
        [ testCase "are not downloaded, whatever address the broker's certificate names" (fun () ->
              counting (fun url requests ->
                  let fault = faultOf (opened (SslClientAuthenticationOptions()) (naming url))
                  Expect.isTrue fault.IsTlsFailed (fault.ToString())
                  Expect.equal (requests ()) 0 "no request"))

          testCase "are not downloaded for options with a target host either, or by a function" (fun () ->
              counting (fun url requests ->
                  opened (SslClientAuthenticationOptions(TargetHost = "127.0.0.1")) (naming url) |> faultOf |> ignore

                  let tls = Tls.ofFunction (fun _ -> SslClientAuthenticationOptions())

                  match (tls.OptionsFor "a").CertificateChainPolicy with
                  | null -> failtest "there is a policy"
                  | policy -> Expect.isTrue policy.DisableCertificateDownloads "by a function"

                  Expect.equal (requests ()) 0 "no request"))

          testCase "are downloaded if the caller's own policy allows it" (fun () ->
              counting (fun url requests ->
                  let policy = X509ChainPolicy(DisableCertificateDownloads = false)
                  let policy =
                      (policy.UrlRetrievalTimeout <- ms 2_000
                       policy)
                  opened (SslClientAuthenticationOptions(CertificateChainPolicy = policy)) (naming url) |> faultOf |> ignore
                  Expect.isGreaterThan (requests ()) 0 "the server was asked")) ]

/// A certificate of a client whose issuer only the broker has. It names a host that accepts connections and never answers.
let private ownCertificates =
    let clients = lazy (Authority "LibKafka clients")

    /// Counts the connections to the host.
    let unanswering (test: string -> (unit -> int) -> unit) =
        let mutable connections = 0
        use finished = new ManualResetEventSlim()

        host
            (fun _ ->
                Interlocked.Increment &connections |> ignore
                finished.Wait 20_000 |> ignore)
            (fun address ->
                try
                    test ("http://" + address.ToString() + "/ca.crt") (fun () -> Volatile.Read &connections)
                finally
                    finished.Set())

    let issued (url: string) (name: string) =
        let information = X509AuthorityInformationAccessExtension([], [ url ])
        clients.Value.Issue(Purpose.Client name, extension = information)

    let collection (certificates: X509Certificate list) = X509CertificateCollection(Array.ofList certificates)

    let selecting (certificate: X509Certificate) = LocalCertificateSelectionCallback(fun _ _ _ _ _ -> certificate)

    let withoutKey (certificate: X509Certificate2) = X509CertificateLoader.LoadCertificate(certificate.Export X509ContentType.Cert)

    let ways: (string * (SslClientAuthenticationOptions -> X509Certificate2 -> unit)) list =
        [ "in ClientCertificates", (fun options own -> options.ClientCertificates <- collection [ own ])
          "in ClientCertificates after others, the first of which has no key",
          (fun options own ->
              let other = withoutKey (authority.Value.Issue(Purpose.Client "another"))
              options.ClientCertificates <- collection [ other; own; authority.Value.Issue(Purpose.Client "later") ])
          "selected by a callback", (fun options own -> options.LocalCertificateSelectionCallback <- selecting own)
          "selected by a callback from ClientCertificates",
          (fun options own ->
              options.ClientCertificates <- collection [ authority.Value.Issue(Purpose.Client "another"); own ]
              options.LocalCertificateSelectionCallback <- LocalCertificateSelectionCallback(fun _ _ local _ _ -> local[1])) ]

    let connects version (settings: ClientSettings) (seen: ConcurrentQueue<string>) =
        let server = BrokerTls.options certificate.Value version (Some clients.Value) seen.Enqueue
        use broker = new ScriptedBroker((fun _ -> script), IPAddress.Loopback, BrokerTls.over server)
        let clock = Stopwatch.StartNew()
        use connection = Connection.Open({ settings with ConnectTimeout = ms 10_000 }, broker.Address) |> ok
        Expect.isLessThan clock.Elapsed (ms 10_000) "the deadline"
        Expect.isOk (ask connection).Result "a call"

    testList
        "issuers of the client's own certificate"
        [ for version in [ SslProtocols.Tls12; SslProtocols.Tls13 ] do
              for name, give in ways do
                  testCase ("are not downloaded if it is " + name + ", over " + version.ToString()) (fun () ->
                      unanswering (fun url connections ->
                          let options = secured.Value.Tls.Value.OptionsFor "127.0.0.1"
                          give options (issued url "orders")
                          let seen = ConcurrentQueue<string>()
                          connects version { patient with Tls = Some(Tls.ofOptions options) } seen
                          Expect.equal (List.ofSeq seen) [ "CN=orders" ] "the client that the broker saw"
                          Expect.equal (connections ()) 0 "no connection to the host that the certificate names"))

          testCase "a callback that selects nothing at first is asked again during the handshake" (fun () ->
              let options = secured.Value.Tls.Value.OptionsFor "127.0.0.1"
              let own = clients.Value.Issue(Purpose.Client "late")

              options.LocalCertificateSelectionCallback <-
                  LocalCertificateSelectionCallback(fun _ _ _ remote _ -> if isNull remote then null else own)

              let seen = ConcurrentQueue<string>()
              connects SslProtocols.Tls12 { patient with Tls = Some(Tls.ofOptions options) } seen
              Expect.equal (List.ofSeq seen) [ "CN=late" ] "the client that the broker saw")

          testCase "a context of the caller's is used as it is" (fun () ->
              let options = SslClientAuthenticationOptions()
              let context = SslStreamCertificateContext.Create(clients.Value.Issue(Purpose.Client "given"), null, true)
              options.ClientCertificateContext <- context
              options.ClientCertificates <- collection [ clients.Value.Issue(Purpose.Client "other") ]
              let used = (Tls.ofOptions options).OptionsFor "a"
              Expect.isTrue (obj.ReferenceEquals(used.ClientCertificateContext, context)) "the context") ]

let private serverNames =
    let nameFor (host: string) (options: SslClientAuthenticationOptions) =
        let names = ConcurrentQueue<string>()
        let server = BrokerTls.options certificate.Value SslProtocols.None None ignore
        server.ServerCertificateContext <- null

        server.ServerCertificateSelectionCallback <-
            ServerCertificateSelectionCallback(fun _ name ->
                names.Enqueue(string name)
                certificate.Value)

        use broker = new ScriptedBroker((fun _ -> script), IPAddress.Loopback, BrokerTls.over server)

        let settings =
            { patient with Tls = Some(Tls.ofOptions options); LookUpHost = fun _ _ -> Task.FromResult [| IPAddress.Loopback |] }

        use _ = Connection.Open(settings, { broker.Address with Host = host }) |> ok
        List.ofSeq names

    let trusting () =
        let options = secured.Value.Tls.Value.OptionsFor "x"
        options.TargetHost <- null
        options

    testList
        "server name indication"
        [ testCase "leaves out the dot at the end of a host name, and the certificate is checked without it" (fun () ->
              Expect.equal (nameFor "broker.test." (trusting ())) [ "broker.test" ] "the name")

          testCase "leaves it out of the caller's target host too" (fun () ->
              let options = trusting ()
              options.TargetHost <- "broker.test."
              Expect.equal (nameFor "elsewhere" options) [ "broker.test" ] "the name")

          testCase "is the host otherwise" (fun () -> Expect.equal (nameFor "broker.test" (trusting ())) [ "broker.test" ] "the name") ]

// -- Several addresses

let private addresses =
    let second = IPAddress.Parse "127.0.0.2"
    let third = IPAddress.Parse "127.0.0.3"

    let named (settings: ClientSettings) (all: IPAddress list) = { settings with LookUpHost = fun _ _ -> Task.FromResult(Array.ofList all) }

    let at (broker: ScriptedBroker) = { broker.Address with Host = "several.test" }

    let sasl: ISaslMechanism = Sasl.plain "orders" "s3cret,=pass"

    let hanging (_: int) (socket: Socket) =
        while socket.Receive(Array.zeroCreate<byte> 1000) > 0 do
            ()

    testList
        "several addresses"
        [ for name, bad in
              [ "closes at once", (fun (_: int) (_: Socket) -> ())
                "closes at the request for versions", (fun _ socket -> receive socket 4)
                "responds with nonsense",
                (fun _ socket ->
                    receive socket 1000
                    socket.Send [| 0uy; 0uy; 0uy; 8uy; 9uy; 9uy; 9uy; 9uy; 0uy; 0uy; 0uy; 0uy |] |> ignore
                    Thread.Sleep 50) ] do
              testCase ("one of which " + name + ": the other one is used") (fun () ->
                  use broker = new ScriptedBroker(fun _ -> script)

                  hostAt second broker.Address.Port bad (fun _ ->
                      for _ in 1..6 do
                          use connection = Connection.Open(named patient [ second; IPAddress.Loopback ], at broker) |> ok
                          Expect.isOk (ask connection).Result "the call"))

          testCase "one of which hangs: the others get their share of the time" (fun () ->
              use broker = new ScriptedBroker(fun _ -> script)

              hostAt second broker.Address.Port hanging (fun _ ->
                  for _ in 1..4 do
                      let settings = named { patient with ConnectTimeout = ms 1_000 } [ second; IPAddress.Loopback ]
                      let clock = Stopwatch.StartNew()
                      use _ = Connection.Open(settings, at broker) |> ok
                      Expect.isLessThan clock.Elapsed (ms 1_000) "within the time"))

          testCase "one of which fails in TLS: the other one is used" (fun () ->
              overTls SslProtocols.None script (fun broker ->
                  hostAt
                      second
                      broker.Address.Port
                      (fun _ socket ->
                          receive socket 1000
                          socket.Send "HTTP/1.1 400 Bad Request\r\n\r\n"B |> ignore
                          receive socket 1000)
                      (fun _ ->
                          let tls = Tls.ofFunction (fun _ -> secured.Value.Tls.Value.OptionsFor "localhost")

                          for _ in 1..6 do
                              use connection =
                                  Connection.Open(named { patient with Tls = Some tls } [ second; IPAddress.Loopback ], at broker) |> ok

                              Expect.isOk (ask connection).Result "the call")))

          testCase "one of which fails in SASL: the other one is used" (fun () ->
              let guarded = SaslScript.guard SaslScript.standard SaslScript.everything script
              use good = new ScriptedBroker(fun _ -> guarded)

              let refusing (received: Received) =
                  match received.Request with
                  | Request.SaslHandshake _ ->
                      Script.answer SaslHandshake.api received { Error = ErrorCode.UnsupportedSaslMechanism; Mechanisms = [ "GSSAPI" ] }
                  | _ -> Script.knowing SaslScript.everything Script.unexpected received

              use _ = new ScriptedBroker((fun _ -> refusing), second, id, good.Address.Port)

              for _ in 1..6 do
                  let settings = { named patient [ second; IPAddress.Loopback ] with Sasl = Some sasl }
                  use connection = Connection.Open(settings, at good) |> ok
                  Expect.isTrue connection.IsOpen "connected")

          testCase "begin at a random one" (fun () ->
              use one = new ScriptedBroker(fun _ -> script)
              use two = new ScriptedBroker((fun _ -> script), second, id, one.Address.Port)

              for _ in 1..40 do
                  use _ = Connection.Open(named patient [ IPAddress.Loopback; second ], at one) |> ok
                  ()

              Expect.isGreaterThan one.Connections 5 "some begin at the first"
              Expect.isGreaterThan two.Connections 5 "and some at the second")

          testCase "those that failed are tried last in the client's next calls" (fun () ->
              let leading (me: BrokerAddress) (received: Received) =
                  match received.Request with
                  | Request.Metadata _ ->
                      let me = { me with Host = "several.test" }
                      Script.answer Metadata.api received (Script.metadata me [ Script.topic "t" Guid.Empty ])
                  | _ -> script received

              use broker = new ScriptedBroker(leading)
              let mutable failures = 0

              hostAt second broker.Address.Port (fun _ _ -> Interlocked.Increment &failures |> ignore) (fun _ ->
                  let bootstrap = Bootstrap.ofAddresses [ at broker ]
                  let settings = named patient [ second; IPAddress.Loopback ]
                  use client = new PartitionClient(settings, bootstrap, { Topic = "t"; Partition = 0 })

                  for _ in 1..20 do
                      client.Connect() |> ok |> ignore
                      client.Close()

                  Thread.Sleep 50
                  Expect.isLessThan failures 4 "the bad address is not tried again, except on a fall-back"))

          testCase "if all fail, the fault is that of the one that went furthest" (fun () ->
              use broker = new ScriptedBroker(fun _ -> Script.knowing Script.everything (fun _ -> [ Act.Close ]))

              for _ in 1..6 do
                  let settings = { named patient [ third; IPAddress.Loopback ] with Sasl = Some sasl }

                  match faultOf (Connection.Open(settings, at broker)) with
                  | ClientFault.CannotConnect _ -> failtest "the refused connection says less"
                  | _ -> ()) ]

// -- ApiVersions

let private versions =
    let highest = int ApiVersions.api.Versions.Highest

    /// Closes the connection at ApiVersions above a version, as Azure Event Hubs does.
    let hangingUp (above: int) (rest: Received -> Act list) (received: Received) : Act list =
        if received.Header.ApiKey = ApiKey.ApiVersions && int received.Header.ApiVersion > above then
            [ Act.Close ]
        else
            rest received

    let leading (above: unit -> int) (me: BrokerAddress) (received: Received) =
        match received.Request with
        | Request.Metadata _ -> Script.answer Metadata.api received (Script.metadata me [ Script.topic "t" Guid.Empty ])
        | _ -> hangingUp (above ()) script received

    let asked (broker: ScriptedBroker) = broker.VersionsOf ApiKey.ApiVersions

    let client (settings: ClientSettings) (broker: ScriptedBroker) =
        new PartitionClient(settings, Bootstrap.ofAddresses [ broker.Address ], { Topic = "t"; Partition = 0 })

    testList
        "a broker that hangs up on a version of ApiVersions"
        [ for above, expected in [ 3, [ highest; 3 ]; 2, [ highest; 3; 0 ]; 0, [ highest; 3; 0 ] ] do
              testCase ("above " + string above + " is asked in lower ones, on new connections") (fun () ->
                  use broker = new ScriptedBroker(fun _ -> hangingUp above script)
                  use connection = Connection.Open(patient, broker.Address) |> ok
                  Expect.equal (asked broker) expected "asked"
                  Expect.equal broker.Connections expected.Length "each on a connection of its own"
                  Expect.isOk (ask connection).Result "a call")

          testCase "even at version 0 is not asked again, and the fault says why a broker may do that" (fun () ->
              use broker = new ScriptedBroker(fun _ -> hangingUp -1 script)
              let fault = faultOf (Connection.Open(patient, broker.Address))
              Expect.isTrue (fault.IsCannotConnect && fault.IsTransient) "it may be a broker that stops"
              Expect.stringContains (fault.ToString()) "expects TLS" "or one with TLS"
              Expect.equal (asked broker) [ highest; 3; 0 ] "asked")

          testCase "is remembered by the client, and by no other" (fun () ->
              use broker = new ScriptedBroker(leading (fun () -> 3))
              use first = client patient broker
              first.Connect() |> ok |> ignore
              let before = (asked broker).Length
              first.Close()
              first.Connect() |> ok |> ignore
              Expect.equal (List.skip before (asked broker)) [ 3; 3 ] "the next time version 3 comes first"
              let before = (asked broker).Length
              use other = client patient broker
              other.Connect() |> ok |> ignore
              Expect.equal (List.item before (asked broker)) highest "another client asks in the highest")

          testCase "is asked in the highest again after a while" (fun () ->
              let time = ManualTime()
              let mutable above = 3
              use broker = new ScriptedBroker(leading (fun () -> Volatile.Read &above))
              use client = client { patient with Time = time } broker
              client.Connect() |> ok |> ignore
              client.Close()
              Volatile.Write(&above, highest)
              time.Advance(TimeSpan.FromHours 1.0)
              let before = (asked broker).Length
              client.Connect() |> ok |> ignore
              Expect.equal (List.skip before (asked broker)) [ highest; highest ] "the highest"
              client.Close()
              client.Connect() |> ok |> ignore
              Expect.equal (List.last (asked broker)) highest "and stays")

          testCase "because it restarts downgrades nobody: no lower version has succeeded right after the close" (fun () ->
              let mutable above = -1
              use broker = new ScriptedBroker(leading (fun () -> Volatile.Read &above))
              use client = client patient broker
              client.Connect() |> faultOf |> ignore
              Volatile.Write(&above, highest)
              let before = (asked broker).Length
              client.Connect() |> ok |> ignore
              Expect.equal (List.item before (asked broker)) highest "the highest") ]

// -- Cancellation

let private cancellation =
    let isLong = not (String.IsNullOrEmpty(Environment.GetEnvironmentVariable "LIBKAFKA_CANCELLATIONS"))
    let rounds = if isLong then 20_000 else 1_500

    /// Makes an attempt many times, and cancels it each time at a random moment. The longest wait before that follows from the attempts before, so
    /// that about half of them are cancelled on a machine of any speed. `check` gets the value of an attempt that succeeded, after the cancellation.
    /// `follow` comes after each attempt.
    let run (name: string) (rounds: int) (attempt: CallOptions -> Result<'T, ClientFault>) (check: 'T -> unit) (follow: unit -> unit) =
        let random = Random 5
        let mutable cancelled = 0
        let mutable longest = 1.0

        for _ in 1..rounds do
            use source = new CancellationTokenSource()
            let wait = random.NextDouble() * longest
            let clock = Stopwatch.StartNew()

            let canceller =
                Thread(fun () ->
                    while clock.Elapsed.TotalMilliseconds < wait do
                        Thread.Yield() |> ignore

                    source.Cancel())

            canceller.Start()

            try
                match attempt (CallOptions.cancelledBy source.Token) with
                | Ok value ->
                    canceller.Join()
                    check value
                    longest <- longest * 0.8
                | Error ClientFault.Cancelled ->
                    cancelled <- cancelled + 1
                    longest <- longest * 1.25
                | Error other -> failtestf "%O" other

                follow ()
            finally
                canceller.Join()

        if isLong then printfn "%s: %d times, cancelled %d times" name rounds cancelled

        Expect.isGreaterThan cancelled (rounds / 10) "many were cancelled"
        Expect.isLessThan cancelled (rounds * 9 / 10) "and many were not"

    let connecting (name: string) (rounds: int) (settings: ClientSettings) (broker: BrokerAddress) =
        let check (connection: Connection) =
            use connection = connection
            Expect.isTrue connection.IsOpen "the connection is open"
            Expect.isOk (ask connection).Result "and can be used"

        run name rounds (fun call -> Connection.Open(settings, broker, call)) check ignore

    let led = Script.everythingBut [ Script.versions ApiKey.SaslHandshake 0 1; Script.versions ApiKey.SaslAuthenticate 0 2 ]

    /// A broker that leads the partition and accepts any password.
    let everywhere (me: BrokerAddress) =
        Script.knowing led (fun received ->
            match received.Request with
            | Request.SaslHandshake _ ->
                Script.answer SaslHandshake.api received { SaslHandshake.response.Default with Mechanisms = [ "PLAIN" ] }
            | Request.SaslAuthenticate _ -> Script.answer SaslAuthenticate.api received SaslAuthenticate.response.Default
            | _ -> Script.leading [ Script.topic "t" Guid.Empty ] me script received)

    let secret = { patient with Sasl = Some(Sasl.plain "orders" "s3cret") }

    testList
        "cancelling"
        [ testCase "while connecting, at random moments, gives an open connection or Cancelled, never anything else" (fun () ->
              use broker = new ScriptedBroker(fun _ -> script)
              connecting "connecting" rounds patient broker.Address)

          testCase "while connecting over TLS gives the same" (fun () ->
              overTls SslProtocols.None script (fun broker -> connecting "connecting over TLS" (rounds / 10) secured.Value broker.Address))

          testCase "while authenticating gives the same" (fun () ->
              use broker = new ScriptedBroker(everywhere)
              connecting "authenticating" (rounds / 4) secret broker.Address)

          testCase "a call of a client at random moments gives its result or Cancelled, and the client can be used afterwards" (fun () ->
              use broker = new ScriptedBroker(everywhere)
              let bootstrap = Bootstrap.ofAddresses [ broker.Address ]
              use client = new PartitionClient(secret, bootstrap, { Topic = "t"; Partition = 0 })
              let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
              let find call = (fetcher.FindOffset(OffsetSpec.Latest, call)).Result
              let isFound () = Expect.equal (fetcher.FindOffset OffsetSpec.Latest).Offset (Some 7L) "the next call"
              run "finding an offset" (rounds / 2) find ignore isFound

              let lead call = Cluster.FindLeader(secret, bootstrap, client.Partition, call)
              run "finding a leader" (rounds / 4) lead ignore ignore) ]

// -- Large requests

let private large =
    /// Reads the length of each request and closes the connection if it is too large, as a broker does.
    let limited (most: int) (linger: bool) (_: int) (socket: Socket) =
        use stream = new NetworkStream(socket, false)

        let rec serve () =
            let prefix = Array.zeroCreate<byte> 4
            stream.ReadExactly prefix
            let length = Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan prefix)

            if length <= most then
                let frame = Array.zeroCreate<byte> length
                stream.ReadExactly frame

                match Frame.decodeRequest Limits.standard (Bytes frame) with
                | Ok(header, Request.ApiVersions _) ->
                    stream.Write(
                        Script.frameFor
                            ApiVersions.api
                            header.ApiVersion
                            header.CorrelationId
                            (Script.versionsResponse ErrorCode.None Script.everything)
                    )
                | _ -> ()

                serve ()
            elif linger then
                socket.Shutdown SocketShutdown.Send
                Thread.Sleep 100

        serve ()

    let produceOf (size: int) : Produce.Request =
        { TransactionalId = None
          Acks = Acks.All
          TimeoutMs = 1000
          Topics =
            [ { Name = "t"; TopicId = Guid.Empty; Partitions = [ { Index = 0; Records = Some(Bytes(Array.zeroCreate<byte> size)) } ] } ] }

    let isNamed (size: int) (exchange: Exchange<Produce.Request, Produce.Response>) =
        match faultOf exchange.Result with
        | ClientFault.ClosedWhileSending(sent, whole) as fault ->
            Expect.isGreaterThan whole (int64 size) "the size of the request"
            Expect.isLessThanOrEqual sent whole "what was sent"
            Expect.equal sent (int64 exchange.Info.BytesOut) "as the exchange has it"
            Expect.stringContains (fault.ToString()) "socket.request.max.bytes" "the likely cause"
            Expect.stringContains (fault.ToString()) (string sent) "what was sent"
            Expect.isTrue (Transient.isFault fault) "a close is transient"
        | other -> failtestf "%O" other

    testList
        "a request that is larger than the broker accepts"
        [ for linger in [ false; true ] do
              testCase ("105 MB to a broker that takes 100 MiB, every time" + (if linger then ", half-closed first" else "")) (fun () ->
                  let request = produceOf 105_000_000

                  hostAt IPAddress.Loopback 0 (limited (100 * 1024 * 1024) linger) (fun address ->
                      for _ in 1..5 do
                          use connection = Connection.Open(patient, address) |> ok
                          isNamed 105_000_000 (connection.CallAt(12s, Produce.api, request))))

          testCase "2 MB, of which the socket's buffers hold a large part" (fun () ->
              hostAt IPAddress.Loopback 0 (limited (1024 * 1024) false) (fun address ->
                  for _ in 1..20 do
                      use connection = Connection.Open(patient, address) |> ok
                      isNamed 2_000_000 (connection.CallAt(12s, Produce.api, produceOf 2_000_000))))

          testCase "small requests do not name it" (fun () ->
              hostAt IPAddress.Loopback 0 (limited 1_000 false) (fun address ->
                  use connection = Connection.Open(patient, address) |> ok
                  let fault = faultOf (connection.CallAt(12s, Produce.api, produceOf 2_000)).Result
                  Expect.equal fault ClientFault.Closed "just closed")) ]

// -- SASL listeners, options of sockets, deadlines

let private hints =
    let table = Script.everythingBut [ Script.versions ApiKey.SaslHandshake 0 1 ]

    testList
        "a client without SASL at a listener that requires it"
        [ testCase "gets a hint at the first call" (fun () ->
              Scripted.broker (fun _ -> Script.knowing table (fun _ -> [ Act.Close ])) (fun broker ->
                  use connection = Connection.Open(patient, broker.Address) |> ok
                  let fault = faultOf (ask connection).Result
                  Expect.equal fault ClientFault.ClosedUnauthenticated "the fault"
                  Expect.stringContains (fault.ToString()) "SASL" "the hint"))

          testCase "gets it from a client that looks for a leader too" (fun () ->
              Scripted.broker (fun _ -> Script.knowing table (fun _ -> [ Act.Close ])) (fun broker ->
                  use client = new PartitionClient(patient, Bootstrap.ofAddresses [ broker.Address ], { Topic = "t"; Partition = 0 })
                  Expect.stringContains ((faultOf (client.Connect())).ToString()) "SASL" "the hint"))

          testCase "gets none once the broker has answered" (fun () ->
              let act (received: Received) = if received.Header.CorrelationId > 2 then [ Act.Close ] else Script.finding 1L received

              Scripted.broker (fun _ -> Script.knowing table act) (fun broker ->
                  use connection = Connection.Open(patient, broker.Address) |> ok
                  Expect.isOk (ask connection).Result "the first call"
                  Expect.equal (faultOf (ask connection).Result) ClientFault.Closed "the fault")) ]

let private sockets =
    testList
        "sockets"
        [ testCase "keep-alive and buffer sizes are those of the settings" (fun () ->
              Scripted.broker (fun _ -> script) (fun broker ->
                  let probes = { Idle = TimeSpan.FromSeconds 33.0; Interval = TimeSpan.FromSeconds 7.0; Probes = 3 }

                  let settings = { patient with KeepAlive = Some probes; SendBufferBytes = Some 40_000; ReceiveBufferBytes = Some 50_000 }

                  use connection = Connection.Open(settings, broker.Address) |> ok
                  let socket = connection.Socket
                  let option level name = socket.GetSocketOption(level, name) :?> int
                  Expect.isGreaterThan (option SocketOptionLevel.Socket SocketOptionName.KeepAlive) 0 "probes are on"
                  Expect.equal (option SocketOptionLevel.Tcp SocketOptionName.TcpKeepAliveTime) 33 "the first"
                  Expect.equal (option SocketOptionLevel.Tcp SocketOptionName.TcpKeepAliveInterval) 7 "the others"
                  Expect.equal (option SocketOptionLevel.Tcp SocketOptionName.TcpKeepAliveRetryCount) 3 "how many"
                  // Linux reserves twice the size.
                  Expect.contains [ 40_000; 80_000 ] socket.SendBufferSize "the send buffer"
                  Expect.contains [ 50_000; 100_000 ] socket.ReceiveBufferSize "the receive buffer"
                  Expect.isOk (ask connection).Result "a call"))

          testCase "without probes they are off" (fun () ->
              Scripted.broker (fun _ -> script) (fun broker ->
                  use connection = Connection.Open({ patient with KeepAlive = None }, broker.Address) |> ok
                  let on = connection.Socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive) :?> int
                  Expect.equal on 0 "off"))

          testCase "sizes and times that mean nothing are faults" (fun () ->
              for name, settings in
                  [ "SendBufferBytes", { patient with SendBufferBytes = Some 0 }
                    "ReceiveBufferBytes", { patient with ReceiveBufferBytes = Some -1 }
                    "KeepAlive", { patient with KeepAlive = Some { TcpKeepAlive.standard with Idle = TimeSpan.Zero } }
                    "KeepAlive", { patient with KeepAlive = Some { TcpKeepAlive.standard with Probes = 0 } } ] do
                  match ClientSettings.check settings with
                  | Error(ClientFault.InvalidSetting(found, _)) -> Expect.equal found name "the setting"
                  | other -> failtestf "%O" other)

          testCase "a small send buffer does not make a call longer than its deadline" (fun () ->
              use stop = new ManualResetEventSlim()

              hostAt
                  IPAddress.Loopback
                  0
                  (fun _ socket ->
                      socket.ReceiveBufferSize <- 4096
                      use stream = new NetworkStream(socket, false)
                      let prefix = Array.zeroCreate<byte> 4
                      stream.ReadExactly prefix
                      let length = Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan prefix)
                      stream.ReadExactly(Array.zeroCreate<byte> length)
                      let answer = Script.versionsResponse ErrorCode.None Script.everything
                      stream.Write(Script.frameFor ApiVersions.api ApiVersions.api.Versions.Highest 1 answer)

                      // Accepts a little now and then, so that no single send times out.
                      while not (stop.Wait 40) do
                          receive socket 500)
                  (fun address ->
                      let settings = { patient with SendBufferBytes = Some 4_096; CallTimeout = ms 500 }
                      use connection = Connection.Open(settings, address) |> ok
                      let records = Some(Bytes(Array.zeroCreate<byte> 60_000))

                      let request: Produce.Request =
                          { TransactionalId = None
                            Acks = Acks.All
                            TimeoutMs = 1
                            Topics = [ { Name = "t"; TopicId = Guid.Empty; Partitions = [ { Index = 0; Records = records } ] } ] }

                      let clock = Stopwatch.StartNew()
                      let fault = faultOf (connection.CallAt(12s, Produce.api, request)).Result
                      stop.Set()
                      Expect.equal fault (ClientFault.TimedOut(ms 500)) "the fault"
                      Expect.isLessThan clock.Elapsed (ms 1_500) "in time")) ]

let private deadlines =
    let hanging (_: int) (socket: Socket) =
        while socket.Receive(Array.zeroCreate<byte> 1000) > 0 do
            ()

    testList
        "the deadline of a call"
        [ testCase "bounds the search for a leader over ten brokers that do not answer" (fun () ->
              hostAt IPAddress.Loopback 0 hanging (fun address ->
                  let brokers = List.init 10 (fun i -> { address with Host = "10.0.0." + string i + ".test" })

                  let settings =
                      { patient with
                          CallTimeout = ms 1_000
                          ConnectTimeout = ms 400
                          LookUpHost = fun _ _ -> Task.FromResult [| IPAddress.Loopback |] }

                  use client = new PartitionClient(settings, Bootstrap.ofAddresses brokers, { Topic = "t"; Partition = 0 })
                  use producer = new PartitionProducer(client, ProducerSettings.standard)
                  let clock = Stopwatch.StartNew()
                  let produced = producer.Produce(batch "a" 1)
                  Expect.isLessThan clock.Elapsed (ms 1_800) "in time"
                  Expect.isFalse produced.Exchange.Info.WasSent "nothing was sent"

                  match faultOf produced.Exchange.Result with
                  | ClientFault.NoBroker tried ->
                      for _, fault in tried do
                          Expect.isTrue fault.IsTimedOut (fault.ToString())
                  | other -> failtestf "%O" other))

          testCase "does not extend the disposal of a fetch session, which waits for nothing" (fun () ->
              let act (received: Received) =
                  match received.Request with
                  | Request.Fetch request ->
                      Script.answer Fetch.api received { Script.fetched id request with SessionId = 77; ThrottleTimeMs = 10_000 }
                  | _ -> Script.unexpected received

              Scripted.partition { patient with HeedThrottle = true } act (fun broker client ->
                  let fetcher = new PartitionFetcher(client, { FetcherSettings.standard with UseSession = true }, 0L)
                  fetcher.Fetch() |> ignore
                  let clock = Stopwatch.StartNew()
                  (fetcher :> IDisposable).Dispose()
                  Expect.isLessThan clock.Elapsed (ms 2_000) "at once"
                  broker.AwaitRequests 5

                  match (List.last broker.Received).Request with
                  | Request.Fetch request -> Expect.equal (request.SessionId, request.SessionEpoch) (77, -1) "the session was closed"
                  | other -> failtestf "%O" other)) ]

let private tooOld =
    let knowing (api: ApiKey) highest rest = Script.knowing (Script.everythingBut [ Script.versions api 0 highest ]) rest

    let coordinated (api: ApiKey) highest (me: BrokerAddress) (received: Received) =
        let coordinator = { FindCoordinator.response.Default with Host = me.Host; Port = me.Port; NodeId = 1 }
        let table = Script.everythingBut [ Script.versions api 0 highest; Script.versions ApiKey.FindCoordinator 0 2 ]

        Script.knowing
            table
            (fun received ->
                match received.Request with
                | Request.FindCoordinator _ -> Script.answer FindCoordinator.api received coordinator
                | Request.InitProducerId _ ->
                    Script.answer InitProducerId.api received { InitProducerId.response.Default with ProducerId = 5L; ProducerEpoch = 0s }
                | _ -> Script.unexpected received)
            received

    let names (option: string) (release: string) (fault: ClientFault) =
        match fault with
        | ClientFault.BrokerTooOld(part, needs, _) ->
            Expect.stringContains part option "the option"
            Expect.equal needs release "the release"
            Expect.stringContains (fault.ToString()) "too old" "the text"
        | other -> failtestf "%O" other

    testList
        "a broker that is too old"
        [ testCase "for requireStable" (fun () ->
              use broker = new ScriptedBroker(coordinated ApiKey.OffsetFetch 6)
              use group = new GroupClient(patient, Bootstrap.ofAddresses [ broker.Address ], "g")
              let reply = group.FetchOffsets(GroupMembership.none, [ { Topic = "t"; Partition = 0 } ], true)
              names "requireStable" "Kafka 2.5" (faultOf reply.Exchange.Result)
              Expect.isFalse reply.Exchange.Info.WasSent "nothing was sent")

          testCase "for RaiseEpoch" (fun () ->
              use broker = new ScriptedBroker(coordinated ApiKey.InitProducerId 2)
              use transaction = new TransactionClient(patient, Bootstrap.ofAddresses [ broker.Address ], "tx")
              transaction.InitProducerId(ms 10_000).Exchange.Result |> ok |> ignore
              names "RaiseEpoch" "Kafka 2.5" (faultOf (transaction.RaiseEpoch(ms 10_000)).Exchange.Result))

          testCase "for a field without an option of its own: its path and the version that has it" (fun () ->
              use broker = new ScriptedBroker(fun _ -> knowing ApiKey.Metadata 7 Script.unexpected)
              use connection = Connection.Open(patient, broker.Address) |> ok

              let request: Metadata.Request =
                  { Topics = Some []
                    AllowAutoTopicCreation = true
                    IncludeClusterAuthorizedOperations = false
                    IncludeTopicAuthorizedOperations = true }

              names
                  "MetadataRequest/IncludeTopicAuthorizedOperations"
                  "Metadata version 8"
                  (faultOf (connection.Call(Metadata.api, request)).Result)

              Expect.isTrue connection.IsOpen "the connection stays open")

          testCase "is not blamed for a version that the caller has chosen" (fun () ->
              use broker = new ScriptedBroker(fun _ -> script)
              use connection = Connection.Open(patient, broker.Address) |> ok

              let request: Metadata.Request =
                  { Topics = Some []
                    AllowAutoTopicCreation = true
                    IncludeClusterAuthorizedOperations = false
                    IncludeTopicAuthorizedOperations = true }

              Expect.isTrue (faultOf (connection.CallAt(7s, Metadata.api, request)).Result).IsCannotEncode "the field") ]

[<Tests>]
let tests =
    testList
        "connecting"
        [ threads
          closedBefore
          tlsEndings
          downloads
          ownCertificates
          serverNames
          addresses
          versions
          cancellation
          large
          hints
          sockets
          deadlines
          tooOld ]
