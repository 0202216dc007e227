/// How connections are kept: two threads, closes at any moment, cancellation, large requests and deadlines.
module LibKafka.Integration.ConnectingTests

open System
open System.Diagnostics
open System.IO
open System.Net
open System.Net.Security
open System.Net.Sockets
open System.Security.Authentication
open System.Threading
open System.Threading.Tasks
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support
open LibKafka.Integration.ConnectingSupport

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
              let find call = (fetcher.FindOffset(OffsetSpec.Latest, call)).Exchange.Result
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

[<Tests>]
let tests = testList "connecting" [ threads; closedBefore; cancellation; large; deadlines ]
