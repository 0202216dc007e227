/// Tests for any listener with TLS or SASL: a scripted one always, and a real cluster's if the environment names it.
module LibKafka.Integration.SecureListenerTests

open System.Collections.Concurrent
open System.Net
open System.Security.Authentication
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support

/// A listener, with the settings that it accepts.
type private Listener = { Bootstrap: Bootstrap; Pem: PemFiles; User: string; Password: string }

/// Runs a test with the address of a listener.
type private Place = { Name: string; With: (Listener -> unit) -> unit }

/// The fault of every broker that was tried.
let private faultsOf (settings: ClientSettings) (listener: Listener) : ClientFault list =
    match faultOf (Cluster.Connect(settings, listener.Bootstrap)) with
    | ClientFault.NoBroker tried -> List.map snd tried
    | other -> failtestf "%O" other

let private works (settings: ClientSettings) (listener: Listener) =
    use connection = Cluster.Connect(settings, listener.Bootstrap) |> ok
    let response = ok (Cluster.Metadata(connection, Some [])).Result
    Expect.isNonEmpty response.Brokers "the brokers"

let private script (me: BrokerAddress) = Script.leading [] me Script.unexpected

let private scripted (make: BrokerAddress -> Received -> Act list) : Place =
    { Name = "scripted"
      With =
        fun test ->
            let authority = Authority "LibKafka tests"
            let certificate = authority.Issue(Purpose.Broker [ "127.0.0.1" ])
            let client = authority.Issue(Purpose.Client "tests")
            use folder = new PemFolder()

            let files =
                { Authorities = Some(folder.Add("ca.pem", authority.Pem))
                  Certificate = Some(folder.Add("client.pem", client.ExportCertificatePem()))
                  Key = Some(folder.Add("client.key", PrivateKey.pem client))
                  KeyPassword = None }

            let options = BrokerTls.options certificate SslProtocols.None (Some authority) ignore
            let made = ConcurrentDictionary<BrokerAddress, Received -> Act list>()

            // Made once: it remembers which connections are authenticated.
            let script me =
                made.TryAdd(me, make me) |> ignore
                made[me]

            use broker = new ScriptedBroker(script, IPAddress.Loopback, BrokerTls.over options)

            test { Bootstrap = Bootstrap.ofAddresses [ broker.Address ]; Pem = files; User = "orders"; Password = "s3cret,=pass" } }

let private real (bootstrap: string) (user: string) (password: string) : Place =
    { Name = "at " + bootstrap
      With = fun test -> test { Bootstrap = Bootstrap.parse bootstrap |> ok; Pem = Clusters.pemFiles (); User = user; Password = password } }

let private onEach (name: string) (places: Place list) (tests: (string * (Listener -> unit)) list) : Test =
    testList
        name
        [ for place in places do
              testList
                  place.Name
                  [ for name, test in tests do
                        testCase name (fun () -> place.With test) ] ]

let private tls =
    let places =
        [ scripted (fun me -> Script.knowing Script.everything (script me))
          for bootstrap in Option.toList Clusters.tlsListener do
              real bootstrap "" "" ]

    let secured listener = Clusters.withTls listener.Pem patient

    let isRefused (settings: ClientSettings) (listener: Listener) =
        for fault in faultsOf settings listener do
            match fault with
            | ClientFault.TlsFailed _ -> ()
            // .NET's own server closes the connection without an alert.
            | ClientFault.CannotConnect(_, reason) -> Expect.stringContains reason "TLS handshake" "the reason"
            | other -> failtestf "%O" other

    onEach
        "TLS listener"
        places
        [ "the right certificates", (fun listener -> works (secured listener) listener)

          "a broker of an unknown authority",
          (fun listener ->
              use folder = new PemFolder()
              let stranger = folder.Add("ca.pem", (Authority "Somebody else").Pem)
              isRefused (Clusters.withTls { listener.Pem with Authorities = Some stranger } patient) listener)

          "no TLS",
          (fun listener ->
              for fault in faultsOf patient listener do
                  match fault with
                  | ClientFault.TlsExpected _ -> ()
                  | ClientFault.CannotConnect(_, reason) -> Expect.stringContains reason "expects TLS" "what to look at"
                  | other -> failtestf "%O" other)

          "no certificate where the brokers demand one",
          (fun listener ->
              if listener.Pem.Certificate.IsSome then
                  isRefused (Clusters.withTls { listener.Pem with Certificate = None; Key = None } patient) listener
              else
                  works (secured listener) listener) ]

let private sasl =
    let places =
        [ scripted (fun me -> SaslScript.guard SaslScript.standard SaslScript.everything (script me))
          for bootstrap, user, password in Option.toList Clusters.saslListener do
              real bootstrap user password ]

    let right (listener: Listener) = Clusters.withSasl listener.Bootstrap listener.Pem listener.User listener.Password

    let by (mechanism: string -> string -> ISaslMechanism) user password listener =
        { right listener with Sasl = Some(mechanism user password) }

    /// Not offered, or refused for the credentials.
    let isRefused (fault: ClientFault) =
        match fault with
        | ClientFault.SaslFailed(_, SaslFailure.NotOffered _) -> ()
        | ClientFault.SaslFailed(_, SaslFailure.Refused(code, _)) -> Expect.equal code ErrorCode.SaslAuthenticationFailed "the code"
        | other -> failtestf "%O" other

    let mechanisms = [ "PLAIN", Sasl.plain; "SCRAM-SHA-256", Sasl.scramSha256; "SCRAM-SHA-512", Sasl.scramSha512 ]

    onEach
        "SASL listener"
        places
        [ "the right password", (fun listener -> works (right listener) listener)

          for name, mechanism in mechanisms do
              name + ": a wrong password, or a user that is not there",
              (fun listener ->
                  for user, password in [ listener.User, listener.Password + "x"; "nobody-here", listener.Password ] do
                      List.iter isRefused (faultsOf (by mechanism user password listener) listener))

          "no SASL: the broker ends the connection at the first call",
          (fun listener ->
              use connection = Cluster.Connect({ right listener with Sasl = None }, listener.Bootstrap) |> ok
              Expect.equal (faultOf (Cluster.Metadata(connection, None)).Result) ClientFault.ClosedUnauthenticated "the fault") ]

[<Tests>]
let tests = testList "secure listeners" [ tls; sasl ]
