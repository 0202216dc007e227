/// TLS while connecting: handshakes that end, issuers that are not downloaded, own certificates and server names.
module LibKafka.Integration.ConnectingTlsTests

open System.Collections.Concurrent
open System.Diagnostics
open System.Net
open System.Net.Security
open System.Net.Sockets
open System.Security.Authentication
open System.Security.Cryptography.X509Certificates
open System.Threading
open System.Threading.Tasks
open Expecto
open LibKafka.Client
open LibKafka.Integration.Support
open LibKafka.Integration.ConnectingSupport

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

[<Tests>]
let tests = testList "connecting" [ tlsEndings; downloads; ownCertificates; serverNames ]
