/// Authentication: each mechanism against a broker that implements the other side, on a new connection and when it must be renewed.
module LibKafka.Integration.SaslTests

open System
open System.Collections.Concurrent
open System.Net
open System.Security.Authentication
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support

let private answerOffsets (received: Received) =
    match received.Request with
    | Request.ListOffsets request -> Script.answer ListOffsets.api received (Script.found 7L request)
    | _ -> Script.unexpected received

let private guardedBy (script: SaslScript) (test: ScriptedBroker -> unit) =
    let guard = SaslScript.guard script SaslScript.everything answerOffsets
    Scripted.broker (fun _ -> guard) test

let private by (mechanism: ISaslMechanism) = { patient with Sasl = Some mechanism }

let private ask (connection: Connection) = connection.Call(ListOffsets.api, Script.askLatest)

let private works (mechanism: ISaslMechanism) (script: SaslScript) =
    guardedBy script (fun broker ->
        use connection = Connection.Open(by mechanism, broker.Address) |> ok
        ok (ask connection).Result |> ignore
        ok (ask connection).Result |> ignore
        Expect.equal (broker.VersionsOf ApiKey.SaslHandshake) [ 1 ] "one handshake, in the version after which messages have frames")

let private failure (mechanism: ISaslMechanism) (script: SaslScript) : SaslFailure =
    let mutable found = None

    guardedBy script (fun broker ->
        match faultOf (Connection.Open(by mechanism, broker.Address)) with
        | ClientFault.SaslFailed(name, failure) ->
            Expect.equal name mechanism.Name "the mechanism"
            found <- Some failure
            broker.AwaitEnd 0
        | other -> failtestf "%O" other)

    found.Value

let private standard = SaslScript.standard
let private token (value: string) = Sasl.oauthBearer (fun _ -> { Value = value; Extensions = [] })

/// Every mechanism that takes a name and a password.
let private byPassword = [ Sasl.plain, "PLAIN"; Sasl.scramSha256, "SCRAM-SHA-256"; Sasl.scramSha512, "SCRAM-SHA-512" ]

let private passwords =
    testList
        "password"
        [ for mechanism, name in byPassword do
              let isRefused (mechanism: ISaslMechanism) =
                  match failure mechanism standard with
                  | SaslFailure.Refused(code, reason) ->
                      Expect.equal code ErrorCode.SaslAuthenticationFailed "the code"
                      Expect.equal reason "Authentication failed" "what the broker says of it"
                  | other -> failtestf "%O" other

              testCase (name + ": right") (fun () -> works (mechanism "orders" "s3cret,=pass") standard)
              testCase (name + ": right, with other letters than ASCII") (fun () -> works (mechanism "pässe" "wörd") standard)
              testCase (name + ": a wrong password") (fun () -> isRefused (mechanism "orders" "secret"))
              testCase (name + ": an unknown user") (fun () -> isRefused (mechanism "nobody" "s3cret,=pass"))

              testCase (name + ": the broker does not offer it") (fun () ->
                  let offered = [ "GSSAPI"; "KERBEROS" ]

                  Expect.equal
                      (failure (mechanism "orders" "s3cret,=pass") { standard with Mechanisms = offered })
                      (SaslFailure.NotOffered offered)
                      "what it does offer is told")

              testCase (name + ": no name or no password") (fun () ->
                  for user, password in [ "", "p"; "u", "" ] do
                      match failure (mechanism user password) standard with
                      | SaslFailure.NoCredentials _ -> ()
                      | other -> failtestf "%O" other)

              testCase (name + ": the secret is in no text and no exchange") (fun () ->
                  let observer = Observer()
                  let secret = "hunter2-hunter2"
                  let mechanism = mechanism "orders" secret
                  let settings = { by mechanism with Observe = observer.Note }
                  Expect.isFalse ((string mechanism).Contains secret) "the mechanism"
                  Expect.stringContains (string mechanism) "orders" "which says for whom it is"

                  guardedBy standard (fun broker ->
                      let fault = faultOf (Connection.Open(settings, broker.Address))
                      Expect.isFalse (fault.ToString().Contains secret) "the fault"
                      Expect.contains (observer.Exchanges |> List.map _.Api) ApiKey.SaslAuthenticate "the exchanges are told"

                      for info in observer.Exchanges do
                          Expect.isFalse ((string info).Contains secret) "the text of an exchange"
                          Expect.isFalse ((string info.Fault).Contains secret) "and of its fault"))

          testCase "PLAIN: a NUL would change the name" (fun () ->
              match failure (Sasl.plain "a\000b" "p") standard with
              | SaslFailure.NoCredentials _ -> ()
              | other -> failtestf "%O" other) ]

let private scram =
    let mechanism = Sasl.scramSha256 "orders" "s3cret,=pass"

    let isDistrusted (script: SaslScript) (word: string) =
        match failure mechanism script with
        | SaslFailure.NotTrusted reason -> Expect.stringContains reason word "the reason"
        | other -> failtestf "%O" other

    testList
        "SCRAM"
        [ testCase "a server's signature that was changed" (fun () ->
              isDistrusted { standard with Tamper = (fun _ -> "v=" + Convert.ToBase64String(Array.zeroCreate<byte> 32)) } "signature")

          testCase "a server that has no signature" (fun () -> isDistrusted { standard with Tamper = (fun _ -> "") } "v=")
          testCase "a server that demands too few iterations" (fun () -> isDistrusted { standard with Iterations = 1 } "iterations")
          testCase "a server that demands too many" (fun () -> isDistrusted { standard with Iterations = 100_000_000 } "iterations") ]

let private oauth =
    let extended = { Value = "abc.def-123=="; Extensions = [ "logicalCluster", "lkc-1"; "pool", "a b" ] }

    let isUnusable (token: BearerToken) (secret: string) =
        match failure (Sasl.oauthBearer (fun _ -> token)) standard with
        | SaslFailure.NoCredentials reason -> Expect.isFalse (reason.Contains secret) "the reason does not tell it"
        | other -> failtestf "%O" other

    testList
        "OAUTHBEARER"
        [ testCase "a valid token" (fun () -> works (token "abc.def-123==") standard)

          testCase "extensions are sent with it" (fun () ->
              guardedBy standard (fun broker ->
                  use _ = Connection.Open(by (Sasl.oauthBearer (fun _ -> extended)), broker.Address) |> ok

                  let sent =
                      broker.Calls
                      |> List.choose (fun received ->
                          match received.Request with
                          | Request.SaslAuthenticate request -> Some(Bytes.toText request.AuthBytes)
                          | _ -> None)

                  Expect.equal
                      sent
                      [ "n,,\001auth=Bearer abc.def-123==\001logicalCluster=lkc-1\001pool=a b\001\001" ]
                      "the message of RFC 7628"))

          testCase "an invalid token: the broker's reason is the fault's" (fun () ->
              let json = """{"status":"invalid_token"}"""

              Expect.equal
                  (failure (token "abc") { standard with Token = fun _ -> Some json })
                  (SaslFailure.Refused(ErrorCode.SaslAuthenticationFailed, json))
                  "the failure")

          testCase "a token or an extension that could end an attribute is not sent" (fun () ->
              isUnusable { Value = "hunter2\001admin=true"; Extensions = [] } "hunter2"
              isUnusable { Value = ""; Extensions = [] } "hunter2"
              isUnusable { Value = "t"; Extensions = [ "a", "hunter2\001auth=Bearer x" ] } "hunter2"
              isUnusable { Value = "t"; Extensions = [ "auth", "hunter2" ] } "hunter2"
              isUnusable { Value = "t"; Extensions = [ "a=b", "hunter2" ] } "hunter2")

          testCase "a token is not in its own text form" (fun () ->
              Expect.isFalse ((string extended).Contains extended.Value) "the token"
              Expect.isFalse ((string (token "hunter2")).Contains "hunter2") "the mechanism")

          testCase "no token can be obtained" (fun () ->
              let none = Sasl.oauthBearer (fun _ -> failwith "the authorization server is closed today")

              Expect.equal
                  (failure none standard)
                  (SaslFailure.NoCredentials "the authorization server is closed today")
                  "what the function says")

          testCase "getting a token is limited by ConnectTimeout, in the caller's thread" (fun () ->
              let thread = Environment.CurrentManagedThreadId
              let mutable asked = 0

              let slow =
                  Sasl.oauthBearer (fun stop ->
                      asked <- Environment.CurrentManagedThreadId
                      stop.WaitHandle.WaitOne() |> ignore
                      stop.ThrowIfCancellationRequested()
                      extended)

              guardedBy standard (fun broker ->
                  // Long enough for the steps before the token on a slow machine.
                  let limit = ms 2000
                  let settings = { by slow with ConnectTimeout = limit }
                  Expect.equal (faultOf (Connection.Open(settings, broker.Address))) (ClientFault.TimedOut limit) "the fault"
                  Expect.equal asked thread "the thread"))

          testCase "cancelling the call cancels its token" (fun () ->
              use source = new CancellationTokenSource()

              let slow =
                  Sasl.oauthBearer (fun stop ->
                      source.Cancel()
                      stop.WaitHandle.WaitOne() |> ignore
                      stop.ThrowIfCancellationRequested()
                      extended)

              guardedBy standard (fun broker ->
                  Expect.equal
                      (faultOf (Connection.Open(by slow, broker.Address, CallOptions.cancelledBy source.Token)))
                      ClientFault.Cancelled
                      "the fault")) ]

let private custom =
    /// A made-up mechanism: it sends `ping` until it has received three replies.
    let counting (rounds: ConcurrentQueue<string>) =
        { new ISaslMechanism with
            member _.Name = "COUNTING"

            member _.Begin(broker, _) =
                { new ISaslConversation with
                    member _.First = Bytes.ofString ("ping from " + broker.Host)

                    member _.Answer message =
                        rounds.Enqueue(Bytes.toText message)
                        if rounds.Count < 3 then SaslReply.Send(Bytes.ofString "ping") else SaslReply.Done } }

    testList
        "others"
        [ testCase "the messages of a mechanism of the caller's own are exchanged" (fun () ->
              let rounds = ConcurrentQueue<string>()

              let script (received: Received) =
                  match received.Request with
                  | Request.SaslHandshake _ ->
                      Script.answer SaslHandshake.api received { SaslHandshake.response.Default with Mechanisms = [ "COUNTING" ] }
                  | Request.SaslAuthenticate { AuthBytes = message } ->
                      let response: SaslAuthenticate.Response =
                          { SaslAuthenticate.response.Default with
                              ErrorMessage = None
                              AuthBytes = Bytes.ofString ("pong to " + Bytes.toText message) }

                      Script.answer SaslAuthenticate.api received response
                  | _ -> Script.unexpected received

              Scripted.broker (fun _ -> Script.knowing SaslScript.everything script) (fun broker ->
                  use _ = Connection.Open(by (counting rounds), broker.Address) |> ok
                  Expect.equal (List.ofSeq rounds) [ "pong to ping from 127.0.0.1"; "pong to ping"; "pong to ping" ] "the rounds"))

          for name, first, expected in
              [ "its first message", (fun () -> failwith "no ticket"), SaslFailure.NoCredentials "no ticket"
                "a response", (fun () -> Bytes.ofString "hello"), SaslFailure.NotTrusted "what is this?" ] do
              testCase ("a mechanism of the caller's own that throws over " + name + " is a fault, and the connection is closed") (fun () ->
                  let throwing =
                      { new ISaslMechanism with
                          member _.Name = "PLAIN"

                          member _.Begin(_, _) =
                              { new ISaslConversation with
                                  member _.First = first ()
                                  member _.Answer _ = failwith "what is this?" } }

                  let script (received: Received) =
                      match received.Request with
                      | Request.SaslHandshake _ ->
                          Script.answer SaslHandshake.api received { SaslHandshake.response.Default with Mechanisms = [ "PLAIN" ] }
                      | Request.SaslAuthenticate _ -> Script.answer SaslAuthenticate.api received SaslAuthenticate.response.Default
                      | _ -> Script.unexpected received

                  Scripted.broker (fun _ -> Script.knowing SaslScript.everything script) (fun broker ->
                      let fault = faultOf (Connection.Open(by throwing, broker.Address))
                      Expect.equal fault (ClientFault.SaslFailed("PLAIN", expected)) "the fault"
                      broker.AwaitEnd 0))

          testCase "a listener without SASL" (fun () ->
              let script (received: Received) =
                  match received.Request with
                  | Request.SaslHandshake _ ->
                      Script.answer SaslHandshake.api received { SaslHandshake.response.Default with Error = ErrorCode.IllegalSaslState }
                  | _ -> Script.unexpected received

              Scripted.broker (fun _ -> Script.knowing SaslScript.everything script) (fun broker ->
                  Expect.equal
                      (faultOf (Connection.Open(by (Sasl.plain "a" "b"), broker.Address)))
                      (ClientFault.SaslFailed("PLAIN", SaslFailure.Refused(ErrorCode.IllegalSaslState, "")))
                      "the fault"))

          testCase "a broker that does not know SaslAuthenticate" (fun () ->
              Scripted.broker
                  (fun _ ->
                      Script.knowing (Script.versions ApiKey.SaslHandshake 0 1 :: Script.everything) (fun received ->
                          Script.answer SaslHandshake.api received { SaslHandshake.response.Default with Mechanisms = [ "PLAIN" ] }))
                  (fun broker ->
                      match faultOf (Connection.Open(by (Sasl.plain "a" "b"), broker.Address)) with
                      | ClientFault.NoCommonVersion(api, _, None) -> Expect.equal api ApiKey.SaslAuthenticate "the API"
                      | other -> failtestf "%O" other))

          testCase "over TLS" (fun () ->
              let authority = Authority "LibKafka tests"
              let certificate = authority.Issue(Purpose.Broker [ "127.0.0.1" ])
              use folder = new PemFolder()
              let files = { Authorities = Some(folder.Add("ca.pem", authority.Pem)); Certificate = None; Key = None; KeyPassword = None }
              let guard = SaslScript.guard standard SaslScript.everything answerOffsets
              let options = BrokerTls.options certificate SslProtocols.None None ignore
              use broker = new ScriptedBroker((fun _ -> guard), IPAddress.Loopback, BrokerTls.over options)
              let settings = { by (Sasl.scramSha512 "orders" "s3cret,=pass") with Tls = Some(Tls.ofPemFiles files |> ok) }
              use connection = Connection.Open(settings, broker.Address) |> ok
              ok (ask connection).Result |> ignore) ]

let private renewal =
    let time () = ManualTime()
    let lasting (milliseconds: int64) = { standard with Lifetime = fun () -> milliseconds }

    let settings (time: ManualTime) (mechanism: ISaslMechanism) = { by mechanism with Time = time }

    testList
        "re-authentication"
        [ testCase "happens before a call on a session that is about to end, on the same connection and in the caller's thread" (fun () ->
              let time = time ()
              let observer = Observer()

              guardedBy (lasting 10_000L) (fun broker ->
                  let settings = { settings time (Sasl.scramSha256 "orders" "s3cret,=pass") with Observe = observer.Note }
                  use connection = Connection.Open(settings, broker.Address) |> ok
                  let handshakes () = (broker.VersionsOf ApiKey.SaslHandshake).Length

                  for round in 1..3 do
                      time.Advance(ms 8_400)
                      ok (ask connection).Result |> ignore
                      Expect.equal (handshakes ()) round "not before it is due"
                      time.Advance(ms 200)
                      ok (ask connection).Result |> ignore
                      Expect.equal (handshakes ()) (round + 1) "when most of its time is over"

                  Expect.equal broker.Connections 1 "one connection"
                  Expect.equal observer.Threads [ Environment.CurrentManagedThreadId ] "one thread"
                  Expect.equal (observer.Exchanges |> List.filter (fun info -> info.Fault.IsSome)) [] "no fault"))

          testCase "waits for a call in flight, even if the session ends meanwhile, and happens before the next one" (fun () ->
              let time = time ()

              guardedBy (lasting 10_000L) (fun broker ->
                  use connection = Connection.Open(settings time (Sasl.plain "orders" "s3cret,=pass"), broker.Address) |> ok
                  let pending = connection.Begin(ListOffsets.api, Script.askLatest)
                  time.Advance(ms 12_000)
                  Expect.isOk (pending.Complete()).Result "the answer to a request that was sent in time"
                  Expect.equal (broker.VersionsOf ApiKey.SaslHandshake).Length 1 "not yet"
                  let next = connection.Begin(ListOffsets.api, Script.askLatest)
                  Expect.equal (broker.VersionsOf ApiKey.SaslHandshake).Length 2 "before the next request is sent"
                  Expect.isOk (next.Complete()).Result "its answer"
                  Expect.equal broker.Connections 1 "one connection"))

          testCase "happens on a session that has ended too: the broker accepts a new authentication and nothing else" (fun () ->
              let time = time ()

              guardedBy (lasting 10_000L) (fun broker ->
                  use connection = Connection.Open(settings time (Sasl.plain "orders" "s3cret,=pass"), broker.Address) |> ok
                  time.Advance(ms 60_000)
                  ok (ask connection).Result |> ignore
                  Expect.equal (broker.VersionsOf ApiKey.SaslHandshake).Length 2 "again"))

          for name, lifetime in [ "has no end", 0L; "ends when time does", Int64.MaxValue ] do
              testCase ("never happens if the session " + name) (fun () ->
                  let time = time ()

                  guardedBy (lasting lifetime) (fun broker ->
                      use connection = Connection.Open(settings time (Sasl.plain "orders" "s3cret,=pass"), broker.Address) |> ok

                      for _ in 1..100 do
                          time.Advance(ms 300_000)
                          ok (ask connection).Result |> ignore

                      Expect.equal (broker.VersionsOf ApiKey.SaslHandshake).Length 1 "once"))

          testCase "gets a new token each time" (fun () ->
              let time = time ()
              let seen = ConcurrentQueue<string>()
              let mutable count = 0

              let counted =
                  Sasl.oauthBearer (fun _ ->
                      count <- count + 1
                      { Value = "token" + string count; Extensions = [] })

              let script =
                  { lasting 10_000L with
                      Token =
                          fun token ->
                              seen.Enqueue token
                              None }

              guardedBy script (fun broker ->
                  use connection = Connection.Open(settings time counted, broker.Address) |> ok
                  time.Advance(ms 9_000)
                  ok (ask connection).Result |> ignore
                  Expect.equal (List.ofSeq seen) [ "token1"; "token2" ] "the tokens"))

          testCase "that fails is the call's fault: the call was not sent, and the connection is closed" (fun () ->
              let time = time ()
              let mutable isGood = true
              let script = { lasting 10_000L with Token = fun _ -> if isGood then None else Some "revoked" }

              guardedBy script (fun broker ->
                  use connection = Connection.Open(settings time (token "abc"), broker.Address) |> ok
                  isGood <- false
                  time.Advance(ms 9_000)
                  let exchange = ask connection

                  Expect.equal
                      (faultOf exchange.Result)
                      (ClientFault.SaslFailed("OAUTHBEARER", SaslFailure.Refused(ErrorCode.SaslAuthenticationFailed, "revoked")))
                      "the fault"

                  Expect.isFalse exchange.Info.WasSent "nothing of the call was sent"
                  Expect.isFalse connection.IsOpen "closed"
                  Expect.isEmpty (broker.VersionsOf ApiKey.ListOffsets) "the broker has not seen it"))

          testCase "is within the time of the call" (fun () ->
              let mutable isSlow = false
              let time = ManualTime()

              let guard = SaslScript.guard (lasting 10_000L) SaslScript.everything answerOffsets

              let script (received: Received) =
                  match received.Request with
                  | Request.SaslHandshake _ when isSlow -> [ Act.Do(fun () -> time.Advance(ms 30_000)) ]
                  | _ -> guard received

              Scripted.broker (fun _ -> script) (fun broker ->
                  let settings = { settings time (Sasl.plain "orders" "s3cret,=pass") with CallTimeout = ms 300 }
                  use connection = Connection.Open(settings, broker.Address) |> ok
                  isSlow <- true
                  time.Advance(ms 9_000)
                  let exchange = ask connection
                  Expect.equal (faultOf exchange.Result) (ClientFault.TimedOut(ms 300)) "the fault"
                  Expect.isFalse exchange.Info.WasSent "nothing of the call was sent")) ]

[<Tests>]
let tests = testList "SASL" [ passwords; scram; oauth; custom; renewal ]
