/// Addresses and sockets: several addresses of a host, listeners that require SASL, and the options of sockets.
module LibKafka.Integration.ConnectingAddressTests

open System
open System.Diagnostics
open System.Net
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

// -- SASL listeners, options of sockets

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

[<Tests>]
let tests = testList "connecting" [ addresses; hints; sockets ]
