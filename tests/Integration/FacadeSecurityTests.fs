/// The façade's options for connections: TLS, authentication, time-outs, name resolution, and secrets.
module LibKafka.Integration.FacadeSecurityTests

open System
open System.Collections.Generic
open System.Net
open System.Net.Security
open System.Security.Authentication
open System.Security.Cryptography
open System.Security.Cryptography.X509Certificates
open System.Threading
open System.Threading.Tasks
open Expecto
open LibKafka
open LibKafka.Client
open LibKafka.Protocol
open LibKafka.Integration.FacadeSupport

type private Options = LibKafka.KafkaClientOptions
type private Address = LibKafka.BrokerAddress

let private at (broker: ScriptedBroker) = Address(broker.Address.Host, broker.Address.Port)

let private optionsFor (broker: ScriptedBroker) = Options([ at broker ], ConnectTimeout = 20.0 * second, CallTimeout = 20.0 * second)

// ---- TLS ----

let private authority = lazy (Authority "LibKafka façade tests")
let private certificate = lazy (authority.Value.Issue(Purpose.Broker [ "127.0.0.1" ]))

let private withTls (test: ScriptedBroker -> unit) =
    let server = BrokerTls.options certificate.Value SslProtocols.None None ignore

    use broker =
        new ScriptedBroker((fun _ -> Script.knowing Script.everything Script.unexpected), IPAddress.Loopback, BrokerTls.over server)

    test broker

let private trusting () : SslClientAuthenticationOptions =
    use folder = new PemFolder()
    KafkaTls.FromPemFiles(authorities = folder.Add("ca.pem", authority.Value.Pem))

let private opening (options: Options) (broker: ScriptedBroker) : KafkaException =
    thrown "no connection" (fun () -> KafkaConnection.Open(options, at broker).ThrowIfError().Dispose())

let private tls =
    testList
        "TLS"
        [ testCase "options from PEM files work as they are and with changes" (fun () ->
              withTls (fun broker ->
                  let mutable seen = 0
                  let changed = trusting ()

                  changed.RemoteCertificateValidationCallback <-
                      (fun _ _ _ errors ->
                          seen <- seen + 1
                          errors = SslPolicyErrors.None)

                  for tls in [ trusting (); changed ] do
                      use connection =
                          KafkaConnection
                              .Open(Options([ at broker ], ConnectTimeout = 20.0 * second, Tls = tls), at broker)
                              .ThrowIfError()
                      Expect.isTrue connection.IsOpen "there is a connection"

                  Expect.equal seen 1 "the callback was asked"))

          testCase "a mismatch of TLS is a fault that says so" (fun () ->
              let alert = [| 0x15uy; 0x03uy; 0x03uy; 0x00uy; 0x02uy; 0x02uy; 0x46uy |]

              Scripted.broker (fun _ _ -> [ Act.Send alert ]) (fun broker ->
                  let fault = opening (optionsFor broker) broker
                  Expect.equal fault.Kind KafkaFaultKind.TlsExpected "TLS was expected"
                  Expect.equal fault.Broker (Nullable(at broker)) "the broker"
                  Expect.stringContains fault.Message (": " + string (at broker) + " speaks TLS") "the message"
                  Expect.hasLength (fault.Message.Split(string (at broker))) 2 "which names the broker once")

              withTls (fun broker ->
                  let strict = Options([ at broker ], ConnectTimeout = 20.0 * second, Tls = SslClientAuthenticationOptions())
                  Expect.equal (opening strict broker).Kind KafkaFaultKind.TlsFailed "an unknown authority")

              Scripted.broker (fun _ -> Script.knowing Script.everything Script.unexpected) (fun broker ->
                  let wanting = Options([ at broker ], ConnectTimeout = 20.0 * second, Tls = trusting ())
                  let fault = opening wanting broker
                  Expect.equal fault.Kind KafkaFaultKind.CannotConnect "the broker closes the connection"
                  Expect.isTrue fault.Fault.IsTransient "as one that stops does"))

          testCase "a client presents its certificate, whose key may be encrypted" (fun () ->
              let seen = System.Collections.Concurrent.ConcurrentQueue<string>()
              let server = BrokerTls.options certificate.Value SslProtocols.None (Some authority.Value) seen.Enqueue
              let script _ = Script.knowing Script.everything Script.unexpected
              use broker = new ScriptedBroker(script, IPAddress.Loopback, BrokerTls.over server)
              use folder = new PemFolder()
              let own = authority.Value.Issue(Purpose.Client "orders")
              let authorities = folder.Add("ca.pem", authority.Value.Pem)
              let shown = folder.Add("client.pem", own.ExportCertificatePem())

              let encrypted =
                  match own.GetECDsaPrivateKey() with
                  | null -> failtest "it has a key"
                  | key ->
                      let how = PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)
                      key.ExportEncryptedPkcs8PrivateKeyPem("s3cret".AsSpan(), how)

              let key = folder.Add("client.key", encrypted)
              let tls = KafkaTls.FromPemFiles(authorities, shown, key, "s3cret")
              use connection =
                  KafkaConnection.Open(Options([ at broker ], ConnectTimeout = 20.0 * second, Tls = tls), at broker).ThrowIfError()
              Expect.isTrue connection.IsOpen "there is a connection"
              Expect.stringContains (Seq.head seen) "orders" "the client that the broker saw"
              let wrong = thrown "a wrong password" (fun () -> KafkaTls.FromPemFiles(authorities, shown, key, "wr0ng") |> ignore)
              Expect.equal wrong.Kind KafkaFaultKind.InvalidSetting "the kind"
              Expect.isFalse (wrong.ToString().Contains "wr0ng") "no secret")

          testCase "files that are replaced are used for the next connection" (fun () ->
              let seen = System.Collections.Concurrent.ConcurrentQueue<string>()
              let server = BrokerTls.options certificate.Value SslProtocols.None (Some authority.Value) seen.Enqueue
              let script _ = Script.knowing Script.everything Script.unexpected
              use broker = new ScriptedBroker(script, IPAddress.Loopback, BrokerTls.over server)
              use folder = new PemFolder()

              let write name =
                  let own = authority.Value.Issue(Purpose.Client name)
                  folder.Add("client.pem", own.ExportCertificatePem() + "\n" + PrivateKey.pem own)

              let files = KafkaTlsFiles(Authorities = folder.Add("ca.pem", authority.Value.Pem), Certificate = write "first")

              use admin = new LibKafka.AdminClient(Options([ at broker ], ConnectTimeout = 20.0 * second, TlsFiles = files))

              let connect () =
                  admin.Disconnect()
                  admin.ListTopics() |> ignore

              connect ()
              write "the-second" |> ignore
              connect ()
              Expect.equal (List.ofSeq seen) [ "CN=first"; "CN=the-second" ] "the client that the broker saw"

              let both = Options([ at broker ], Tls = SslClientAuthenticationOptions(), TlsFiles = files)
              Expect.throwsT<InvalidOperationException> (fun () -> new LibKafka.AdminClient(both) |> ignore) "only one of them")

          testCase "a fault names the file that cannot be used" (fun () ->
              let fault = thrown "no file" (fun () -> KafkaTls.FromPemFiles(certificate = "no-such-file.pem") |> ignore)
              Expect.equal fault.Kind KafkaFaultKind.InvalidSetting "the kind"
              Expect.stringContains fault.Message "no-such-file.pem" "which") ]

// ---- SASL ----

let private guardedBy (script: SaslScript) (test: ScriptedBroker -> unit) =
    let guard = SaslScript.guard script SaslScript.everything Script.unexpected
    Scripted.broker (fun _ -> guard) test

let private by (mechanism: SaslMechanism) (broker: ScriptedBroker) =
    Options([ at broker ], ConnectTimeout = 20.0 * second, Sasl = mechanism)

let private secret = "s3cret,=pass"

/// PLAIN as a caller would implement it.
type private Plain(user: string, password: string, answer: LibKafka.SaslReply) =
    interface LibKafka.ISaslMechanism with
        member _.Name = "PLAIN"

        member _.Begin(broker, _) =
            Expect.equal broker.Host "127.0.0.1" "the broker is passed on"

            { new LibKafka.ISaslConversation with
                member _.First = ReadOnlyMemory(text ("\000" + user + "\000" + password))
                member _.Answer _ = answer }

    override _.ToString() = "PLAIN of the caller's own"

let private sasl =
    testList
        "SASL"
        [ testCase "each mechanism opens a connection" (fun () ->
              let token: CancellationToken -> LibKafka.BearerToken =
                  fun _ -> LibKafka.BearerToken("good.token", Extensions = readOnlyDict [ "cluster", "one" ])

              for mechanism, name in
                  [ SaslMechanism.Plain("orders", secret), "PLAIN"
                    SaslMechanism.ScramSha256("orders", secret), "SCRAM-SHA-256"
                    SaslMechanism.ScramSha512("orders", secret), "SCRAM-SHA-512"
                    SaslMechanism.OAuthBearer token, "OAUTHBEARER"
                    SaslMechanism.Custom(Plain("orders", secret, LibKafka.SaslReply.Done)), "PLAIN" ] do
                  Expect.equal mechanism.Name name "its name"

                  guardedBy SaslScript.standard (fun broker ->
                      use connection = KafkaConnection.Open(by mechanism broker, at broker).ThrowIfError()
                      Expect.isTrue connection.IsOpen name))

          testCase "a refusal has the broker's error code, and no secret" (fun () ->
              guardedBy SaslScript.standard (fun broker ->
                  for mechanism in
                      [ SaslMechanism.Plain("orders", "wrong-pass")
                        SaslMechanism.ScramSha256("orders", "wrong-pass")
                        SaslMechanism.TokenScramSha256("orders", "wrong-pass")
                        SaslMechanism.TokenScramSha512("orders", "wrong-pass") ] do
                      let fault = opening (by mechanism broker) broker
                      Expect.equal fault.Kind KafkaFaultKind.SaslFailed "the kind"
                      Expect.equal fault.ErrorCode ErrorCode.SaslAuthenticationFailed "the code"
                      Expect.isFalse (fault.ToString().Contains "wrong-pass") "no secret"))

          testCase "a custom mechanism can refuse, and can throw" (fun () ->
              guardedBy SaslScript.standard (fun broker ->
                  let refusing = SaslMechanism.Custom(Plain("orders", secret, LibKafka.SaslReply.Refuse "it does not know me"))
                  let fault = opening (by refusing broker) broker
                  Expect.equal (fault.Kind, fault.ErrorCode) (KafkaFaultKind.SaslFailed, ErrorCode.None) "the kind"
                  Expect.stringContains fault.Message "it does not know me" "why"
                  let failing = SaslMechanism.OAuthBearer(fun _ -> raise (TimeoutException "the server of tokens is away"))
                  Expect.stringContains (opening (by failing broker) broker).Message "the server of tokens is away" "why"))

          testCase "no text contains a secret" (fun () ->
              let tls = SslClientAuthenticationOptions()

              for mechanism in
                  [ SaslMechanism.Plain("orders", secret)
                    SaslMechanism.ScramSha256("orders", secret)
                    SaslMechanism.ScramSha512("orders", secret)
                    SaslMechanism.TokenScramSha256("orders", secret)
                    SaslMechanism.TokenScramSha512("orders", secret)
                    SaslMechanism.OAuthBearer(fun _ -> LibKafka.BearerToken secret)
                    SaslMechanism.Custom(Plain("orders", secret, LibKafka.SaslReply.Done)) ] do
                  let options = Options("a:1", Sasl = mechanism, Tls = tls)
                  Expect.isFalse (options.ToString().Contains secret) "the options"
                  Expect.stringContains (options.ToString()) (mechanism.ToString()) "but which mechanism"

              let token = LibKafka.BearerToken(secret, Extensions = readOnlyDict [ "key", secret ])
              Expect.isFalse (token.ToString().Contains secret) "a token") ]

// ---- look-ups and times ----

type private LookUp(find: string -> SrvRecord list) =
    let mutable asked = 0
    member _.Asked = asked

    interface ISrvLookUp with
        member _.LookUp(name, _) =
            asked <- asked + 1
            Task.FromResult(find name :> IReadOnlyList<SrvRecord>)

let private service = "_kafka._tcp.example.org"

let private lookUps =
    testList
        "look-ups"
        [ testCase "an SRV name is looked up once for all clients with the same options" (fun () ->
              Scripted.broker (fun _ -> Script.knowing Script.everything Script.unexpected) (fun broker ->
                  let record = { Target = broker.Address; Priority = 0; Weight = 0; TimeToLive = TimeSpan.FromHours 1.0 }
                  let lookUp = LookUp(fun name -> if name = service then [ record ] else [])
                  let options = Options(service, lookUp)
                  Expect.equal options.ServiceName service "the name"
                  Expect.isEmpty options.BootstrapServers "and no servers"
                  Expect.equal options (Options(service, lookUp)) "compared by content"
                  Expect.notEqual options (Options(service, LookUp(fun _ -> []))) "another look-up"

                  for _ in 1..3 do
                      use connection = KafkaCluster.Connect(options).ThrowIfError()
                      Expect.equal connection.Broker (at broker) "the broker"

                  Expect.equal lookUp.Asked 1 "asked once"

                  let mutable asked = []

                  let find =
                      Func<string, CancellationToken, Task<IReadOnlyList<LibKafka.SrvRecord>>>(fun name _ ->
                          asked <- name :: asked
                          let found = LibKafka.SrvRecord(at broker, 0, 0, TimeSpan.FromHours 1.0)
                          Task.FromResult([ found ] :> IReadOnlyList<_>))

                  let options = Options(service, find)
                  Expect.equal options (Options(service, find)) "compared by content"
                  use connection = KafkaCluster.Connect(options).ThrowIfError()
                  Expect.equal (connection.Broker, asked) (at broker, [ service ]) "a function of the caller's"))

          testCase "a name without brokers is a fault" (fun () ->
              let options = Options(service, LookUp(fun _ -> []))
              let fault = thrown "no record" (fun () -> KafkaCluster.Connect(options).ThrowIfError().Dispose())
              Expect.equal fault.Kind KafkaFaultKind.LookUpFailed "the kind"
              Expect.isTrue fault.Fault.IsTransient "it may go away"
              Expect.throwsT<ArgumentException> (fun () -> Options("", LookUp(fun _ -> [])) |> ignore) "no name")

          testCase "a host is resolved by the resolver of the options" (fun () ->
              Scripted.broker (fun _ -> Script.knowing Script.everything Script.unexpected) (fun broker ->
                  let asked = List<string>()

                  let find (host: string) (_: CancellationToken) =
                      asked.Add host
                      Task.FromResult [| IPAddress.Loopback |]

                  let options = Options([ Address("kafka.example", broker.Address.Port) ], HostLookUp = Func<_, _, _>(find))
                  use connection = KafkaCluster.Connect(options).ThrowIfError()
                  Expect.equal (connection.Broker.Host, List.ofSeq asked) ("kafka.example", [ "kafka.example" ]) "by its name"))

          testCase "a connection that is too old or was idle for too long is replaced, by the clock of the options" (fun () ->
              let rest (received: Received) =
                  match received.Request with
                  | Request.ListOffsets request -> Script.answer ListOffsets.api received (Script.found 7L request)
                  | _ -> Script.unexpected received

              let topic = Script.topic "t" topicId

              for old in [ true; false ] do
                  Scripted.broker (fun me -> Script.knowing Script.everything (Script.leading [ topic ] me rest)) (fun broker ->
                      let time = ManualTime()
                      let endless, minute = Timeout.InfiniteTimeSpan, TimeSpan.FromMinutes 1.0

                      let options =
                          Options(
                              [ at broker ],
                              CallTimeout = endless,
                              ConnectTimeout = endless,
                              ConnectionTtl = (if old then minute else endless),
                              MaxIdle = (if old then endless else minute),
                              TimeProvider = time
                          )

                      use fetcher = new LibKafka.PartitionFetcher(options, LibKafka.TopicPartition("t", 0))
                      let find () = fetcher.FindOffset(OffsetSpec.Latest).ThrowIfError().Exchange
                      let first = find ()
                      let connection = fetcher.Client.Connection
                      find () |> ignore
                      Expect.isTrue (obj.ReferenceEquals(connection, fetcher.Client.Connection)) "it is used again"
                      time.Advance(minute + second)
                      Expect.isGreaterThan (find ()).Began first.Began "by the clock"
                      Expect.isFalse (obj.ReferenceEquals(connection, fetcher.Client.Connection)) "another connection"

                      for call in broker.Calls do
                          match call.Request with
                          | Request.ListOffsets request -> Expect.equal request.TimeoutMs Int32.MaxValue "no bound, for the broker too"
                          | _ -> ()))

          testCase "a throttle time is reported, and waited for if the options say so" (fun () ->
              let arrivals = System.Collections.Concurrent.ConcurrentQueue<int64>()

              let rest (received: Received) =
                  match received.Request with
                  | Request.ListOffsets request ->
                      arrivals.Enqueue(TimeProvider.System.GetTimestamp())
                      Script.answer ListOffsets.api received { Script.found 7L request with ThrottleTimeMs = 300 }
                  | _ -> Script.unexpected received

              let leading me = Script.knowing Script.everything (Script.leading [ Script.topic "t" topicId ] me rest)

              Scripted.broker leading (fun broker ->
                  let options = Options([ at broker ], CallTimeout = 20.0 * second, HeedThrottle = true)
                  use fetcher = new LibKafka.PartitionFetcher(options, LibKafka.TopicPartition("t", 0))

                  for _ in 1..2 do
                      let found = fetcher.FindOffset(OffsetSpec.Latest).ThrowIfError()
                      Expect.equal found.Exchange.ThrottleTime (TimeSpan.FromMilliseconds 300.0) "in the exchange"
                      Expect.equal found.ThrottleTime found.Exchange.ThrottleTime "and in the result"

                  let times = List.ofSeq arrivals

                  Expect.isGreaterThanOrEqual
                      (TimeProvider.System.GetElapsedTime(times[0], times[1]))
                      (TimeSpan.FromMilliseconds 290.0)
                      "the second came after the pause, but for the clock's grain")) ]

[<Tests>]
let tests = testList "façade, connections" [ tls; sasl; lookUps ]
