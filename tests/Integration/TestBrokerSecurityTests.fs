/// SASL, TLS and quotas of the broker inside the process, and the fault proxy, with the library's clients and Confluent.Kafka.
module LibKafka.Integration.TestBrokerSecurityTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.Net.Security
open Confluent.Kafka
open Expecto
open LibKafka
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Integration.Support

let private users = Map [ "alice", "alice-secret"; "pässe", "wörd,=1" ]

let private secured () = TestBrokerOptions(Users = (users |> Map.toSeq |> Seq.map KeyValuePair.Create))

let private withOptions (options: TestBrokerOptions) (test: TestBroker -> unit) =
    use kafka = TestBroker.Start options
    kafka.Topic "orders"
    test kafka
    Expect.isEmpty kafka.Failures "the broker failed"

let private metadata: Metadata.Request =
    { Topics = None
      AllowAutoTopicCreation = false
      IncludeClusterAuthorizedOperations = false
      IncludeTopicAuthorizedOperations = false }

let private address (kafka: TestBroker) : BrokerAddress = { Host = "127.0.0.1"; Port = kafka.State.Nodes[1].Port }

let private using (mechanism: ISaslMechanism) = { patient with Sasl = Some mechanism }

/// The number of topics that a client sees, or why it cannot connect.
let private ask (settings: ClientSettings) (kafka: TestBroker) : Result<int, ClientFault> =
    match Connection.Open(settings, address kafka) with
    | Result.Error fault -> Result.Error fault
    | Ok connection ->
        use connection = connection
        connection.Call(Metadata.api, metadata).Result |> Result.map _.Topics.Length

let private refusedWith (code: ErrorCode) (result: Result<int, ClientFault>) =
    match result with
    | Result.Error(ClientFault.SaslFailed(_, SaslFailure.Refused(found, _))) -> Expect.equal found code "the code"
    | other -> failtestf "%O" other

/// A JSON web token without a signature.
let private token (user: string) (expires: DateTimeOffset) : string =
    let encode (text: string) = Convert.ToBase64String(Text.Encoding.UTF8.GetBytes text).TrimEnd('=').Replace('+', '-').Replace('/', '_')
    let claims = "{\"sub\":\"" + user + "\",\"exp\":" + string (expires.ToUnixTimeSeconds()) + "}"
    encode "{\"alg\":\"none\"}" + "." + encode claims + "."

let private bearer (value: string) = Sasl.oauthBearer (fun _ -> { Value = value; Extensions = [] })

let private mechanisms = [ "PLAIN", Sasl.plain; "SCRAM-SHA-256", Sasl.scramSha256; "SCRAM-SHA-512", Sasl.scramSha512 ]

let private sasl =
    [ for name, mechanism in mechanisms do
          testCase ("SASL with " + name) (fun () ->
              withOptions (secured ()) (fun kafka ->
                  for KeyValue(user, password) in users do
                      Expect.equal (ask (using (mechanism user password)) kafka) (Ok 1) user

                  ask (using (mechanism "alice" "wrong")) kafka |> refusedWith ErrorCode.SaslAuthenticationFailed
                  ask (using (mechanism "bob" "alice-secret")) kafka |> refusedWith ErrorCode.SaslAuthenticationFailed))

      testCase "SASL with OAUTHBEARER" (fun () ->
          withOptions (TestBrokerOptions(SaslMechanisms = [ "OAUTHBEARER" ])) (fun kafka ->
              Expect.equal (ask (using (bearer (token "alice" (DateTimeOffset.UtcNow.AddMinutes 5.0)))) kafka) (Ok 1) "valid"

              match ask (using (bearer (token "alice" (DateTimeOffset.UtcNow.AddMinutes -5.0)))) kafka with
              | Result.Error(ClientFault.SaslFailed _) -> ()
              | other -> failtestf "expired: %O" other))

      testCase "a client that does not authenticate is closed, and so is one with an unknown mechanism" (fun () ->
          withOptions (secured ()) (fun kafka ->
              Expect.isError (ask patient kafka) "without SASL"
              ask (using (bearer "a.b.c")) kafka |> ignore
              let exchange = kafka.WaitFor(ApiKey.SaslHandshake, ms 1000)

              match exchange.Response with
              | Some(Response.SaslHandshake response) ->
                  Expect.equal response.Error ErrorCode.UnsupportedSaslMechanism "the code"
                  Expect.equal response.Mechanisms [ "PLAIN"; "SCRAM-SHA-256"; "SCRAM-SHA-512" ] "the mechanisms"
              | other -> failtestf "%O" other))

      testCase "a session that is over closes the connection" (fun () ->
          let options = secured ()
          options.SessionLifetime <- TimeSpan.FromSeconds 1.0

          withOptions options (fun kafka ->
              use connection = Connection.Open(using (Sasl.plain "alice" "alice-secret"), address kafka) |> ok
              Expect.isOk (connection.Call(Metadata.api, metadata).Result) "in time"
              kafka.Change(fun state ->
                  let expire (one: Authentication) =
                      { one with Session = one.Session |> ValueOption.map (fun session -> { session with Expires = ValueSome 0L }) }

                  let connections = state.Security.Connections |> Map.map (fun _ one -> expire one)
                  { state with Security = { state.Security with Connections = connections } })

              let request: Heartbeat.Request = { GroupId = "g"; GenerationId = 0; MemberId = ""; GroupInstanceId = None }
              Expect.isError (connection.Call(Heartbeat.api, request).Result) "too late"))

      testCase "a client authenticates again on its open connection, but not as another user" (fun () ->
          let options = secured ()
          options.SessionLifetime <- TimeSpan.FromSeconds 1.5

          withOptions options (fun kafka ->
              use connection = Connection.Open(using (Sasl.plain "alice" "alice-secret"), address kafka) |> ok

              let authenticate (user: string) (password: string) =
                  let shake = connection.Call(SaslHandshake.api, { Mechanism = "PLAIN" }).Result |> ok
                  Expect.equal shake.Error ErrorCode.None "the mechanism"
                  let token = Bytes.ofString ("\000" + user + "\000" + password)
                  connection.Call(SaslAuthenticate.api, { AuthBytes = token }).Result

              Threading.Thread.Sleep 1000
              let again = authenticate "alice" "alice-secret" |> ok
              Expect.equal again.Error ErrorCode.None "the same user"
              Expect.isGreaterThan again.SessionLifetimeMs 0L "the new session"
              Threading.Thread.Sleep 1000
              Expect.isOk (connection.Call(Metadata.api, metadata).Result) "the first session would be over"

              match authenticate "pässe" "wörd,=1" with
              | Ok refused -> Expect.equal refused.Error ErrorCode.SaslAuthenticationFailed "another user"
              | Result.Error fault -> failtestf "%O" fault))

      testCase "Confluent.Kafka authenticates with SCRAM" (fun () ->
          withOptions (secured ()) (fun kafka ->
              let config =
                  ProducerConfig(
                      BootstrapServers = kafka.Bootstrap,
                      SecurityProtocol = Nullable Confluent.Kafka.SecurityProtocol.SaslPlaintext,
                      SaslMechanism = Nullable Confluent.Kafka.SaslMechanism.ScramSha512,
                      SaslUsername = "alice",
                      SaslPassword = "alice-secret"
                  )

              use producer = ProducerBuilder<Null, string>(config).Build()
              producer.ProduceAsync("orders", Message<Null, string>(Value = "a")).Wait(TimeSpan.FromSeconds 20.0) |> ignore
              Expect.equal (kafka.Log "orders" |> valuesOf) [ "a" ] "the log")) ]

let private authority = Lazy<Authority>(fun () -> Authority "testers")

let private tlsSettings (certificate: Security.Cryptography.X509Certificates.X509Certificate2 option) =
    let options = SslClientAuthenticationOptions(RemoteCertificateValidationCallback = (fun _ _ _ _ -> true))

    certificate
    |> Option.iter (fun certificate ->
        let certificates = Security.Cryptography.X509Certificates.X509CertificateCollection()
        certificates.Add certificate |> ignore
        options.ClientCertificates <- certificates)

    { patient with Tls = Some(Tls.ofOptions options) }

let private tls =
    [ testCase "TLS with a certificate of the brokers" (fun () ->
          let options = TestBrokerOptions(Certificate = authority.Value.Issue(Purpose.Broker [ "127.0.0.1" ]))
          withOptions options (fun kafka ->
              Expect.equal (ask (tlsSettings None) kafka) (Ok 1) "with TLS"
              Expect.isError (ask { patient with ConnectTimeout = ms 2000 } kafka) "without TLS"))

      testCase "a certificate that changes counts for new connections, and so does the client's file of authorities" (fun () ->
          let issue (authority: Authority) = authority.Issue(Purpose.Broker [ "127.0.0.1" ])
          let another = Authority "others"

          withOptions (TestBrokerOptions(Certificate = issue authority.Value)) (fun kafka ->
              use folder = new PemFolder()
              let files = { PemFiles.standard with Authorities = Some(folder.Add("ca.pem", authority.Value.Pem)) }
              let settings = { patient with Tls = Some(Tls.ofPemFiles files |> ok) }
              use old = Cluster.Connect(settings, Bootstrap.parse kafka.Bootstrap |> ok) |> ok
              kafka.ChangeCertificate(issue another)
              Expect.isError (ask settings kafka) "the client does not trust the new one"
              folder.Add("ca.pem", another.Pem) |> ignore
              Expect.equal (ask settings kafka) (Ok 1) "now it does"
              ok (Cluster.Metadata(old, None)).Result |> ignore)

          use plain = TestBroker.Start()
          let change () = plain.ChangeCertificate(issue another)
          Expect.throwsT<InvalidOperationException> change "brokers without TLS")

      testCase "the subject of a client's certificate is the principal, and ACLs apply to it" (fun () ->
          let options =
              TestBrokerOptions(
                  Certificate = authority.Value.Issue(Purpose.Broker [ "127.0.0.1" ]),
                  RequiresClientCertificate = true,
                  Authorizes = true,
                  SuperUsers = [ "User:CN=orders" ]
              )

          withOptions options (fun kafka ->
              Expect.isError (ask (tlsSettings None) kafka) "without a certificate"
              Expect.equal (ask (tlsSettings (Some(authority.Value.Issue(Purpose.Client "orders")))) kafka) (Ok 1) "a super user"
              Expect.equal (ask (tlsSettings (Some(authority.Value.Issue(Purpose.Client "mallory")))) kafka) (Ok 0) "another user")) ]

let private clientOf (bootstrap: string) =
    new PartitionClient(patient, Bootstrap.parse bootstrap |> ok, { Topic = "orders"; Partition = 0 })

let private quotas =
    [ testCase "a producer over its quota has its answer at once, and its next one after the throttle time" (fun () ->
          withOptions (TestBrokerOptions()) (fun kafka ->
              kafka.Change(fun state ->
                  let subject = { User = ValueNone; ClientId = ValueSome ""; Address = ValueNone }
                  let limits = Map [ subject, Map [ "producer_byte_rate", 60.0 ] ]
                  { state with Quotas = { state.Quotas with Limits = limits; Windows = 2 } })

              let settings = { patient with ClientId = "slow" }
              use client = new PartitionClient(settings, Bootstrap.parse kafka.Bootstrap |> ok, { Topic = "orders"; Partition = 0 })
              let producer = new PartitionProducer(client, ProducerSettings.standard)
              let watch = Stopwatch.StartNew()
              acknowledged (producer.Produce(batch "a" 1)) |> ignore
              let first = watch.Elapsed
              acknowledged (producer.Produce(batch "b" 1)) |> ignore
              Expect.isGreaterThan (watch.Elapsed - first) (ms 300) "the second answer"

              let times =
                  [ for exchange in kafka.Requests do
                        match exchange.Response with
                        | Some(Response.Produce response) -> response.ThrottleTimeMs
                        | _ -> () ]

              Expect.isGreaterThan times.Head 300 "the throttle time"))

      testCase "a connection over the quota of its address is closed after the throttle time, without an answer" (fun () ->
          withOptions (TestBrokerOptions()) (fun kafka ->
              let subject = { User = ValueNone; ClientId = ValueNone; Address = ValueSome "127.0.0.1" }
              let limit limits = kafka.Change(fun state -> { state with Quotas = { state.Quotas with Limits = limits; Windows = 2 } })
              let connect () = Connection.Open({ patient with CallTimeout = ms 10_000 }, address kafka)
              use before = connect () |> ok
              // One connection every two seconds.
              limit (Map [ subject, Map [ "connection_creation_rate", 0.5 ] ])
              let watch = Stopwatch.StartNew()

              match connect () with
              | Error _ -> Expect.isGreaterThan watch.Elapsed (ms 900) "it is kept open for a window"
              | Ok _ -> failtest "it is accepted"

              Expect.equal (ok (before.Call(Metadata.api, metadata)).Result).Topics.Length 1 "an earlier connection"
              limit Map.empty
              use after = connect () |> ok
              Expect.equal (ok (after.Call(Metadata.api, metadata)).Result).Topics.Length 1 "without the quota")) ]

let private proxy =
    [ testCase "a proxy leads clients through itself to all brokers" (fun () ->
          use kafka = TestBroker.Start 3
          kafka.Topic("orders", 3)
          use proxy = FaultProxy.Start(kafka.Bootstrap.Split(',')[0])

          for partition in 0..2 do
              use client =
                  new PartitionClient(patient, Bootstrap.parse proxy.Bootstrap |> ok, { Topic = "orders"; Partition = partition })

              acknowledged ((new PartitionProducer(client, ProducerSettings.standard)).Produce(batch "a" 2)) |> ignore
              Expect.equal (kafka.Log("orders", partition) |> valuesOf) [ "a0"; "a1" ] "the log"

          let produced = proxy.Requests |> Seq.filter (fun exchange -> exchange.Api = ApiKey.Produce) |> Seq.length
          Expect.equal produced 3 "the proxy saw the requests"
          Expect.isEmpty kafka.Failures "the broker failed")

      for name, reaction, isAppended in
          [ "the response is cut off", Reaction.CutAfter 7, true
            "the request is not answered", Reaction.Silence, true
            "the request is not forwarded", Reaction.Ignore, false
            "the connection is closed", Reaction.Close, false
            "the request is cut off", Reaction.CutRequestAfter 9, false
            "the correlation id is wrong", Reaction.WrongCorrelationId, true ] do
          testCase ("a producer behind a proxy is unsure when " + name) (fun () ->
              use kafka = TestBroker.Start 1
              kafka.Topic "orders"
              use proxy = FaultProxy.Start kafka.Bootstrap
              proxy.Script.On(ApiKey.Produce, reaction) |> ignore
              let settings = { patient with CallTimeout = ms 500 }

              let produce name =
                  use client = new PartitionClient(settings, Bootstrap.parse proxy.Bootstrap |> ok, { Topic = "orders"; Partition = 0 })
                  (new PartitionProducer(client, ProducerSettings.standard)).Produce(batch name 1).Result

              match produce "a" with
              | ProduceResult.Unknown _ -> ()
              | other -> failtestf "%O" other

              Expect.equal (kafka.Log "orders" |> valuesOf) (if isAppended then [ "a0" ] else []) "the log"

              match produce "b" with
              | ProduceResult.Acknowledged _ -> ()
              | other -> failtestf "the next request: %O" other)

      testCase "a proxy connects to brokers with TLS" (fun () ->
          let certificate = authority.Value.Issue(Purpose.Broker [ "127.0.0.1" ])
          use kafka = TestBroker.Start(TestBrokerOptions(Brokers = 2, Certificate = certificate))
          kafka.Topic("orders", 2)
          let trusting host =
              SslClientAuthenticationOptions(TargetHost = host, RemoteCertificateValidationCallback = (fun _ _ _ _ -> true))
          use proxy = FaultProxy.Start(kafka.Bootstrap.Split(',')[0], Func<_, _> trusting)

          for partition in 0..1 do
              use client =
                  new PartitionClient(patient, Bootstrap.parse proxy.Bootstrap |> ok, { Topic = "orders"; Partition = partition })

              acknowledged ((new PartitionProducer(client, ProducerSettings.standard)).Produce(batch "a" 2)) |> ignore
              Expect.equal (kafka.Log("orders", partition) |> valuesOf) [ "a0"; "a1" ] "the log")

      testCase "a proxy answers with errors and changed responses" (fun () ->
          use kafka = TestBroker.Start 1
          kafka.Topic "orders"
          use proxy = FaultProxy.Start kafka.Bootstrap
          let filter = RequestFilter(Api = Nullable ApiKey.Produce, Topic = "orders")
          proxy.Script.On(filter, Reaction.Fail ErrorCode.MessageTooLarge) |> ignore
          use client = clientOf proxy.Bootstrap
          let producer = new PartitionProducer(client, ProducerSettings.standard)

          match (producer.Produce(batch "a" 1)).Result with
          | ProduceResult.Rejected(Rejection.ByBroker answer) -> Expect.equal answer.Error ErrorCode.MessageTooLarge "the code"
          | other -> failtestf "%O" other

          acknowledged (producer.Produce(batch "b" 1)) |> ignore
          Expect.equal (kafka.Log "orders" |> valuesOf) [ "b0" ] "the log") ]

[<Tests>]
let tests =
    testList
        "security of the test broker"
        [ testList "SASL" sasl; testList "TLS" tls; testList "quotas" quotas; testList "fault proxy" proxy ]
