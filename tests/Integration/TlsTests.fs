/// TLS and mTLS against a scripted broker, and clients and brokers that do not both use TLS.
module LibKafka.Integration.TlsTests

open System
open System.Collections.Concurrent
open System.Diagnostics
open System.IO
open System.Net
open System.Net.Security
open System.Net.Sockets
open System.Reflection
open System.Security.Authentication
open System.Security.Cryptography.X509Certificates
open System.Threading
open System.Threading.Tasks
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support

let private authority = lazy (Authority "LibKafka tests")
let private stranger = lazy (Authority "Somebody else")
let private here = Purpose.Broker [ "127.0.0.1"; "localhost" ]
let private right = lazy (authority.Value.Issue here)

let private script (received: Received) =
    match received.Request with
    | Request.ListOffsets request -> Script.answer ListOffsets.api received (Script.found 7L request)
    | Request.Produce request ->
        Script.answer Produce.api received (Script.produced (fun answer -> { answer with BaseOffset = 41L }) request)
    | _ -> Script.unexpected received

let private serverOptions certificate version clients =
    let seen = ConcurrentQueue<string>()
    BrokerTls.options certificate version clients seen.Enqueue, seen

/// A broker that uses TLS with these options.
let private behind (options: SslServerAuthenticationOptions) (test: ScriptedBroker -> unit) =
    use broker =
        new ScriptedBroker((fun _ -> Script.knowing Script.everything script), IPAddress.Loopback, BrokerTls.over options)
    test broker
    Expect.isEmpty broker.Failures "every request could be read"

let private files = { Authorities = None; Certificate = None; Key = None; KeyPassword = None }

/// Settings that trust only one authority, from a PEM file.
let private trusting (authority: Authority) (more: PemFolder -> PemFiles -> PemFiles) : ClientSettings =
    use folder = new PemFolder()
    let authorities = folder.Add("ca.pem", authority.Pem)
    let tls = Tls.ofPemFiles (more folder { files with Authorities = Some authorities }) |> ok
    { patient with Tls = Some tls }

let private plainly (_: PemFolder) (files: PemFiles) = files

let private withIdentity (certificate: X509Certificate2) (folder: PemFolder) (files: PemFiles) =
    { files with
        Certificate = Some(folder.Add("client.pem", certificate.ExportCertificatePem()))
        Key = Some(folder.Add("client.key", PrivateKey.pem certificate)) }

let private works (settings: ClientSettings) (address: BrokerAddress) =
    use connection = Connection.Open(settings, address) |> ok

    for _ in 1..3 do
        let exchange = connection.Call(ListOffsets.api, Script.askLatest)
        Expect.equal (ok exchange.Result).Topics.Length 1 "the answer"

/// The reason of a failed handshake.
let private refusal (settings: ClientSettings) (address: BrokerAddress) : string =
    match faultOf (Connection.Open(settings, address)) with
    | ClientFault.TlsFailed(broker, reason) as fault ->
        Expect.equal broker address "the broker is named"
        Expect.stringContains (fault.ToString()) (address.ToString()) "in the text too"
        reason
    | other -> failtestf "%O" other

let private versions = [ SslProtocols.Tls12; SslProtocols.Tls13 ]

let private certificates =
    testList
        "certificate"
        [ for version in versions do
              testCase ("right: calls go through, over " + version.ToString()) (fun () ->
                  let options, _ = serverOptions right.Value version None

                  behind options (fun broker ->
                      works (trusting authority.Value plainly) broker.Address
                      works (trusting authority.Value plainly) { broker.Address with Host = "localhost" }))

          testCase "expired" (fun () ->
              let options, _ = serverOptions (authority.Value.Issue(here, -3.0, -2.0)) SslProtocols.None None

              behind options (fun broker ->
                  Expect.stringContains (refusal (trusting authority.Value plainly) broker.Address) "NotTimeValid" "the reason"))

          testCase "of another host" (fun () ->
              let options, _ = serverOptions (authority.Value.Issue(Purpose.Broker [ "elsewhere.example" ])) SslProtocols.None None

              behind options (fun broker ->
                  Expect.stringContains
                      (refusal (trusting authority.Value plainly) broker.Address)
                      "RemoteCertificateNameMismatch"
                      "the reason"))

          testCase "of an unknown authority" (fun () ->
              let options, _ = serverOptions (stranger.Value.Issue here) SslProtocols.None None

              behind options (fun broker ->
                  Expect.stringContains (refusal (trusting authority.Value plainly) broker.Address) "PartialChain" "the reason"
                  Expect.stringContains
                      (refusal { patient with Tls = Some Tls.standard } broker.Address)
                      "chain"
                      "nor does the system trust it"))

          testCase "a batch larger than TLS's records is sent completely" (fun () ->
              let options, _ = serverOptions right.Value SslProtocols.None None

              let script me = Script.knowing Script.everything (Script.leading [ Script.topic "t" (Guid.NewGuid()) ] me script)

              use broker = new ScriptedBroker(script, IPAddress.Loopback, BrokerTls.over options)
              let settings = trusting authority.Value plainly
              use client = new PartitionClient(settings, Bootstrap.ofAddresses [ broker.Address ], { Topic = "t"; Partition = 0 })
              use producer = new PartitionProducer(client, ProducerSettings.standard)
              let large = batchOf [ record 0 (String('x', 900_000)) ]
              let produced = producer.Produce large
              Expect.equal (acknowledged produced) 41L "produced"
              Expect.isGreaterThan produced.Exchange.Info.BytesOut 900_000 "what was sent is counted"

              match (List.last broker.Calls).Request with
              | Request.Produce { Topics = [ { Partitions = [ { Records = Some records } ] } ] } ->
                  Expect.equal records large.Bytes "the batch as it was"
              | other -> failtestf "%O" other) ]

let private terms =
    testCase "no version in common" (fun () ->
        let server, _ = serverOptions right.Value SslProtocols.Tls12 None
        let own = (trusting authority.Value plainly).Tls.Value.OptionsFor "127.0.0.1"
        own.EnabledSslProtocols <- SslProtocols.Tls13
        behind server (fun broker ->
            Expect.isNotEmpty (refusal { patient with Tls = Some(Tls.ofOptions own) } broker.Address) "the reason"))

let private clients =
    let own = lazy (authority.Value.Issue(Purpose.Client "orders"))

    // .NET's server closes the connection without an alert on Linux.
    let isTurnedAway (settings: ClientSettings) (address: BrokerAddress) =
        match faultOf (Connection.Open(settings, address)) with
        | ClientFault.TlsFailed _ -> ()
        | ClientFault.CannotConnect(_, reason) -> Expect.stringContains reason "TLS handshake" "the reason"
        | other -> failtestf "%O" other

    testList
        "client certificate"
        [ for version in versions do
              let name what = what + ", over " + version.ToString()

              testCase (name "right: the broker sees whose it is") (fun () ->
                  let options, seen = serverOptions right.Value version (Some authority.Value)

                  behind options (fun broker ->
                      works (trusting authority.Value (withIdentity own.Value)) broker.Address
                      Expect.contains (List.ofSeq seen) "CN=orders" "the subject"))

              testCase (name "missing") (fun () ->
                  let options, _ = serverOptions right.Value version (Some authority.Value)
                  behind options (fun broker -> isTurnedAway (trusting authority.Value plainly) broker.Address))

              testCase (name "of an authority that the broker does not know") (fun () ->
                  let options, _ = serverOptions right.Value version (Some authority.Value)
                  let settings = trusting authority.Value (withIdentity (stranger.Value.Issue(Purpose.Client "mallory")))
                  behind options (fun broker -> isTurnedAway settings broker.Address)) ]

let private apart =
    let secured = lazy (trusting authority.Value plainly)

    /// A host that does something with each connection.
    let host (act: Socket -> unit) (test: BrokerAddress -> unit) =
        let listener, address = Loopback.listen IPAddress.Loopback 5
        use _ = listener

        let serve () =
            try
                while true do
                    use socket = listener.Accept()
                    act socket
            with
            | :? SocketException
            | :? ObjectDisposedException -> ()

        Thread(serve, IsBackground = true).Start()
        test address

    let answering (bytes: byte[]) (socket: Socket) =
        socket.Receive(Array.zeroCreate<byte> 1000) |> ignore
        socket.Send bytes |> ignore
        // Waits for what the other side sends: closing a socket with unread bytes may discard the response.
        socket.Receive(Array.zeroCreate<byte> 1000) |> ignore

    testList
        "one side alone"
        [ testCase "a client without TLS at a broker with TLS: an alert is not read as a length" (fun () ->
              host (answering [| 0x15uy; 0x03uy; 0x03uy; 0x00uy; 0x02uy; 0x02uy; 0x46uy |]) (fun address ->
                  let fault = faultOf (Connection.Open(patient, address))
                  Expect.equal fault (ClientFault.TlsExpected address) "the fault"
                  Expect.stringContains (fault.ToString()) "speaks TLS" "its text"))

          testCase "a client without TLS at .NET's own TLS" (fun () ->
              let options, _ = serverOptions right.Value SslProtocols.None None

              behind options (fun broker ->
                  match faultOf (Connection.Open(patient, broker.Address)) with
                  | ClientFault.TlsExpected address -> Expect.equal address broker.Address "the broker"
                  // It may close the connection without an alert.
                  | ClientFault.CannotConnect(_, reason) -> Expect.stringContains reason "expects TLS" "what to look at"
                  | other -> failtestf "%O" other))

          testCase "a client with TLS at a broker without it, which closes the connection" (fun () ->
              Scripted.broker (fun _ -> Script.knowing Script.everything script) (fun broker ->
                  let fault = faultOf (Connection.Open(secured.Value, broker.Address))
                  // It may be a broker that stops.
                  Expect.isTrue (Transient.isFault fault) "transient"
                  Expect.stringContains (fault.ToString()) "a listener without TLS" "its text"))

          testCase "a client with TLS at a server that responds in plain text" (fun () ->
              host (answering "HTTP/1.1 400 Bad Request\r\n\r\n"B) (fun address ->
                  Expect.equal (faultOf (Connection.Open(secured.Value, address))) (ClientFault.TlsNotSpoken address) "the fault"))

          testCase "a broker that never completes the handshake: connecting times out" (fun () ->
              host
                  (fun socket ->
                      socket.Receive(Array.zeroCreate<byte> 1) |> ignore
                      Thread.Sleep 20_000)
                  (fun address ->
                      let clock = Stopwatch.StartNew()
                      let fault = faultOf (Connection.Open({ secured.Value with ConnectTimeout = ms 300 }, address))
                      Expect.equal fault (ClientFault.TimedOut(ms 300)) "the fault"
                      Expect.isLessThan clock.Elapsed (ms 10_000) "soon"))

          testCase "there is one deadline for the whole handshake: single bytes do not extend it" (fun () ->
              // The head of a record of 16 KB, and then its content, slowly.
              let trickle (socket: Socket) =
                  socket.Send [| 0x16uy; 0x03uy; 0x03uy; 0x3fuy; 0xffuy; 0x02uy; 0x00uy; 0x3fuy; 0xfbuy |] |> ignore

                  while true do
                      Thread.Sleep 60
                      socket.Send [| 0x03uy |] |> ignore

              host trickle (fun address ->
                  let clock = Stopwatch.StartNew()
                  let fault = faultOf (Connection.Open({ secured.Value with ConnectTimeout = ms 400 }, address))
                  Expect.equal fault (ClientFault.TimedOut(ms 400)) "the fault"
                  Expect.isLessThan clock.Elapsed (ms 10_000) "soon"))

          testCase "cancelling wakes a client that waits for the handshake" (fun () ->
              use source = new CancellationTokenSource()

              host
                  (fun socket ->
                      socket.Receive(Array.zeroCreate<byte> 1) |> ignore
                      source.Cancel()
                      Thread.Sleep 20_000)
                  (fun address ->
                      let clock = Stopwatch.StartNew()
                      Expect.equal
                          (faultOf (Connection.Open(secured.Value, address, CallOptions.cancelledBy source.Token)))
                          ClientFault.Cancelled
                          "the fault"
                      Expect.isLessThan clock.Elapsed (ms 10_000) "soon")) ]

let private options =
    testList
        "options"
        [ testCase "a copy has every property of the original" (fun () ->
              let context = SslStreamCertificateContext.Create(right.Value, null, true)

              let original =
                  SslClientAuthenticationOptions(
                      AllowRenegotiation = false,
                      AllowTlsResume = false,
                      AllowRsaPkcs1Padding = false,
                      AllowRsaPssPadding = false,
                      ApplicationProtocols = ResizeArray [ SslApplicationProtocol.Http2 ],
                      CertificateChainPolicy = X509ChainPolicy(),
                      CertificateRevocationCheckMode = X509RevocationMode.Offline,
                      CipherSuitesPolicy = CipherSuitesPolicy [ TlsCipherSuite.TLS_AES_128_GCM_SHA256 ],
                      ClientCertificateContext = context,
                      ClientCertificates = X509CertificateCollection(),
                      EnabledSslProtocols = SslProtocols.Tls13,
                      LocalCertificateSelectionCallback = LocalCertificateSelectionCallback(fun _ _ _ _ _ -> right.Value),
                      RemoteCertificateValidationCallback = RemoteCertificateValidationCallback(fun _ _ _ _ -> true)
                  )

              let copy = (Tls.ofOptions original).OptionsFor "kafka-1"
              let fresh = SslClientAuthenticationOptions()
              Expect.equal copy.TargetHost "kafka-1" "the host is filled in"

              for property in typeof<SslClientAuthenticationOptions>.GetProperties(BindingFlags.Public ||| BindingFlags.Instance) do
                  if property.CanWrite && property.Name <> "TargetHost" then
                      Expect.equal (property.GetValue copy) (property.GetValue original) property.Name

                      // `EncryptionPolicy` has no other value that is not obsolete.
                      if property.Name <> "EncryptionPolicy" then
                          Expect.notEqual (property.GetValue original) (property.GetValue fresh) (property.Name + " is set in this test"))

          testCase "a given host and a given policy are kept" (fun () ->
              let policy = X509ChainPolicy()
              let named = SslClientAuthenticationOptions(TargetHost = "kafka.example", CertificateChainPolicy = policy)
              let used = (Tls.ofOptions named).OptionsFor "kafka-1"
              Expect.equal used.TargetHost "kafka.example" "the host"
              Expect.isTrue (obj.ReferenceEquals(used.CertificateChainPolicy, policy)) "the policy"

              // Its certificate is for another name, which the options require.
              let server, _ = serverOptions (authority.Value.Issue(Purpose.Broker [ "kafka.example" ])) SslProtocols.None None
              let trusted = (trusting authority.Value plainly).Tls.Value.OptionsFor "127.0.0.1"
              trusted.TargetHost <- "kafka.example"
              behind server (fun broker -> works { patient with Tls = Some(Tls.ofOptions trusted) } broker.Address))

          testCase "a function is called for each connection, with the broker's host" (fun () ->
              let hosts = ConcurrentQueue<string>()
              let trusted = trusting authority.Value plainly

              let tls =
                  Tls.ofFunction (fun host ->
                      hosts.Enqueue host
                      trusted.Tls.Value.OptionsFor host)

              let server, _ = serverOptions right.Value SslProtocols.None None

              behind server (fun broker ->
                  works { patient with Tls = Some tls } broker.Address
                  works { patient with Tls = Some tls } { broker.Address with Host = "localhost" }
                  Expect.equal (List.ofSeq hosts) [ "127.0.0.1"; "localhost" ] "the hosts")) ]

/// Counts the bytes that are written.
type private CountingStream(inner: Stream) =
    inherit Stream()
    member val Written = 0L with get, set
    override _.CanRead = true
    override _.CanWrite = true
    override _.CanSeek = false
    override _.Length = inner.Length

    override _.Position
        with get () = inner.Position
        and set value = inner.Position <- value

    override _.Seek(offset, origin) = inner.Seek(offset, origin)
    override _.SetLength length = inner.SetLength length
    override _.Flush() = inner.Flush()
    override _.Read(target: byte[], offset: int, count: int) : int = inner.Read(target, offset, count)

    override this.Write(bytes: byte[], offset: int, count: int) : unit =
        this.Written <- this.Written + int64 count
        inner.Write(bytes, offset, count)

    override _.Dispose(_: bool) = inner.Dispose()

let private resumption =
    let own = lazy (authority.Value.Issue(Purpose.Client "orders"))

    /// The sizes of the broker's part of the handshakes of some connections, one after another. .NET keeps sessions by the name of the host, so the
    /// broker has a name that no other test uses.
    let handshakes version clients (settings: ClientSettings) : int64 list =
        let host = "broker-" + Guid.NewGuid().ToString "N" + ".example"
        let settings = { settings with LookUpHost = fun _ _ -> Task.FromResult [| IPAddress.Loopback |] }
        let options, _ = serverOptions (authority.Value.Issue(Purpose.Broker [ host ])) version clients
        let sizes = ConcurrentQueue<int64>()

        let secure (stream: Stream) : Stream =
            let counting = new CountingStream(stream)
            let secure = BrokerTls.over options counting
            sizes.Enqueue counting.Written
            secure

        use broker = new ScriptedBroker((fun _ -> Script.knowing Script.everything script), IPAddress.Loopback, secure)

        for _ in 1..3 do
            works settings { broker.Address with Host = host }

        List.ofSeq sizes

    testList
        "a session"
        [ for version in versions do
              for what, clients, more in
                  [ "", None, plainly; " with a client certificate", Some authority.Value, (fun folder -> withIdentity own.Value folder) ] do
                  testCase ("is resumed by later connections to the same host name, over " + version.ToString() + what) (fun () ->
                      match handshakes version clients (trusting authority.Value more) with
                      | [ first; second; third ] ->
                          Expect.isLessThan (second * 3L) (first * 2L) "the second connection's handshake has no certificate"
                          Expect.isLessThan (third * 3L) (first * 2L) "nor has the third one's"
                      | sizes -> failtestf "%A" sizes)

          testCase "is not resumed if the options do not allow it" (fun () ->
              let settings = trusting authority.Value plainly
              let options = settings.Tls.Value.OptionsFor "localhost"
              options.AllowTlsResume <- false

              options.TargetHost <- ""

              match handshakes SslProtocols.Tls13 None { settings with Tls = Some(Tls.ofOptions options) } with
              | first :: others ->
                  for other in others do
                      Expect.isGreaterThan (other * 3L) (first * 2L) "each handshake has the certificate"
              | [] -> failtest "there were connections") ]

let private pem =
    let refused (files: PemFiles) (named: string) =
        match Tls.ofPemFiles files with
        | Error(ClientFault.InvalidSetting("Tls", reason)) ->
            Expect.stringContains reason named "what cannot be used"
            reason
        | Error other -> failtestf "%O" other
        | Ok _ -> failtest "it cannot be used"

    testList
        "PEM files"
        [ testCase "a key in the same file, and one with a password" (fun () ->
              let own = authority.Value.Issue(Purpose.Client "orders")
              let options, seen = serverOptions right.Value SslProtocols.None (Some authority.Value)

              let together (folder: PemFolder) files =
                  { files with Certificate = Some(folder.Add("both.pem", own.ExportCertificatePem() + "\n" + PrivateKey.pem own)) }

              let locked (folder: PemFolder) files =
                  { withIdentity own folder files with
                      Key = Some(folder.Add("locked.key", PrivateKey.encryptedPem own "open sesame"))
                      KeyPassword = Some "open sesame" }

              behind options (fun broker ->
                  works (trusting authority.Value together) broker.Address
                  works (trusting authority.Value locked) broker.Address
                  Expect.equal (List.ofSeq seen) [ "CN=orders"; "CN=orders" ] "the subjects"))

          testCase "files that are replaced are used for the next connection, unless they cannot be used" (fun () ->
              let options, seen = serverOptions right.Value SslProtocols.None (Some authority.Value)
              let issue name = authority.Value.Issue(Purpose.Client name)
              let one, two, three = issue "one", issue "two", issue "three"
              use folder = new PemFolder()

              let rotating =
                  { files with
                      Authorities = Some(folder.Add("ca.pem", authority.Value.Pem))
                      Certificate = Some(folder.Add("client.pem", one.ExportCertificatePem()))
                      Key = Some(folder.Add("client.key", PrivateKey.pem one)) }

              let settings = { patient with Tls = Some(Tls.ofPemFiles rotating |> ok) }

              behind options (fun broker ->
                  let connect () = works settings broker.Address
                  connect ()
                  // The new certificate, with the key of the old one.
                  folder.Add("client.pem", two.ExportCertificatePem() + "\n") |> ignore
                  connect ()
                  folder.Add("client.key", PrivateKey.pem two + "\n") |> ignore
                  connect ()
                  // Half of the next one.
                  let next = three.ExportCertificatePem() + "\n" + PrivateKey.pem three
                  folder.Add("client.key", PrivateKey.pem three) |> ignore
                  folder.Add("client.pem", next.Substring(0, next.Length / 4)) |> ignore
                  connect ()
                  folder.Add("client.pem", next) |> ignore
                  connect ()
                  File.Delete rotating.Key.Value
                  connect ()
                  let subjects = [ "CN=one"; "CN=one"; "CN=two"; "CN=two"; "CN=three"; "CN=three" ]
                  Expect.equal (List.ofSeq seen) subjects "the subjects"

                  folder.Add("client.key", PrivateKey.pem three) |> ignore
                  // An authority that has not issued the broker's certificate.
                  folder.Add("ca.pem", Authority("another").Pem) |> ignore
                  refusal settings broker.Address |> ignore
                  folder.Add("ca.pem", authority.Value.Pem + "\n") |> ignore
                  connect ()))

          testCase "a missing or empty file is named" (fun () ->
              use folder = new PemFolder()
              let absent = Path.Combine(Path.GetTempPath(), "libkafka-not-there.pem")
              refused { files with Authorities = Some absent } absent |> ignore
              refused { files with Certificate = Some absent } absent |> ignore
              let empty = folder.Add("empty.pem", "")
              refused { files with Authorities = Some empty } empty |> ignore
              refused { files with Key = Some empty } "no certificate" |> ignore)

          testCase "a wrong password is a fault that does not contain it" (fun () ->
              use folder = new PemFolder()
              let own = authority.Value.Issue(Purpose.Client "orders")

              let locked =
                  { withIdentity own folder files with
                      Key = Some(folder.Add("locked.key", PrivateKey.encryptedPem own "open sesame"))
                      KeyPassword = Some "hunter2" }

              let reason = refused locked "client.pem"
              Expect.isFalse (reason.Contains "hunter2") "the password is nowhere in the fault"
              Expect.isFalse (locked.ToString().Contains "hunter2") "nor in the text of the files") ]

[<Tests>]
let tests = testList "TLS" [ certificates; terms; clients; apart; options; resumption; pem ]
