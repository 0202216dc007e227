/// How the façade's connections are made and kept: settings, threads, closes, old brokers.
module LibKafka.Integration.FacadeConnectingTests

open System
open System.Collections.Generic
open System.Net
open System.Net.Sockets
open System.Threading
open System.Threading.Tasks
open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Integration.FacadeSupport

let private at (broker: ScriptedBroker) = BrokerAddress(broker.Address.Host, broker.Address.Port)

let private settings =
    testList
        "options"
        [ testCase "a list of brokers may have blanks, empty entries and hosts without ports" (fun () ->
              let servers (text: string) = (KafkaClientOptions text).BootstrapServers |> Seq.map string |> List.ofSeq
              Expect.equal (servers "a:1, b:2, ") [ "a:1"; "b:2" ] "blanks"
              Expect.equal (servers ",a,,[::1],") [ "a:9092"; "[::1]:9092" ] "the usual port"
              Expect.throwsT<FormatException> (fun () -> servers " , " |> ignore) "no broker"
              Expect.throwsT<FormatException> (fun () -> servers "a:1, b:x" |> ignore) "a bad port")

          testCase "keep-alive and buffer sizes are those of the socket" (fun () ->
              Scripted.broker (fun _ -> Script.knowing Script.everything Script.unexpected) (fun broker ->
                  let options =
                      KafkaClientOptions(
                          [ at broker ],
                          KeepAlive = TcpKeepAlive(Idle = 44.0 * second, Interval = 5.0 * second, Probes = 2),
                          SendBufferBytes = Nullable 40_000,
                          ReceiveBufferBytes = Nullable 50_000
                      )

                  use connection = KafkaConnection.Open(options, at broker).ThrowIfError()
                  let option name = connection.Socket.GetSocketOption(SocketOptionLevel.Tcp, name) :?> int
                  Expect.equal (option SocketOptionName.TcpKeepAliveTime) 44 "the first probe"
                  Expect.equal (option SocketOptionName.TcpKeepAliveInterval) 5 "the others"
                  Expect.equal (option SocketOptionName.TcpKeepAliveRetryCount) 2 "how many"
                  Expect.contains [ 40_000; 80_000 ] connection.Socket.SendBufferSize "the send buffer"
                  Expect.contains [ 50_000; 100_000 ] connection.Socket.ReceiveBufferSize "the receive buffer"
                  use without = KafkaConnection.Open(KafkaClientOptions([ at broker ], KeepAlive = null), at broker).ThrowIfError()
                  let on = without.Socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive) :?> int
                  Expect.equal on 0 "off"))

          testCase "sizes and times that mean nothing are refused" (fun () ->
              let refused (make: unit -> obj) = Expect.throwsT<ArgumentOutOfRangeException> (fun () -> make () |> ignore) "refused"
              refused (fun () -> KafkaClientOptions("a", SendBufferBytes = Nullable 0))
              refused (fun () -> KafkaClientOptions("a", ReceiveBufferBytes = Nullable -1))
              refused (fun () -> TcpKeepAlive(Idle = TimeSpan.Zero))
              refused (fun () -> TcpKeepAlive(Interval = TimeSpan.FromMilliseconds 10.0))
              refused (fun () -> TcpKeepAlive(Probes = 0))) ]

let private threads =
    testCase "a second thread in one producer gets an exception, and nothing of it is sent" (fun () ->
        use arrived = new ManualResetEventSlim()
        use release = new ManualResetEventSlim()
        let mutable batches = 0

        let slow (received: Received) =
            match received.Request with
            | Request.Produce request ->
                [ Act.Do(fun () ->
                      Interlocked.Increment &batches |> ignore
                      arrived.Set()
                      release.Wait 20_000 |> ignore)
                  yield! Script.answer Produce.api received (Script.produced id request) ]
            | _ -> Script.unexpected received

        scripted slow (fun options ->
            use producer = new PartitionProducer(options, partition)
            let first = Task.Run(fun () -> producer.Produce(batch "a" 1))
            Expect.isTrue (arrived.Wait 20_000) "the first call is in progress"

            Expect.throwsC (fun () -> producer.Produce(batch "b" 1) |> ignore) (fun error ->
                Expect.isTrue (error :? InvalidOperationException) (error.ToString())
                Expect.stringContains error.Message "used by two threads at once" "the message")

            release.Set()
            Expect.isTrue first.Result.IsSuccess "the first call succeeds"
            Expect.equal batches 1 "one batch was sent"
            Expect.isTrue (producer.Produce(batch "c" 1)).IsSuccess "and the next call too"))

let private closes =
    testList
        "a broker that closes the connection"
        [ testCase "between two calls: the batch goes into another one" (fun () ->
              let mutable batches = 0

              let act (received: Received) =
                  match received.Request with
                  | Request.Produce request ->
                      let number = Interlocked.Increment &batches
                      Script.answer Produce.api received (Script.produced id request) @ (if number = 1 then [ Act.Close ] else [])
                  | _ -> Script.unexpected received

              scripted act (fun options ->
                  use producer = new PartitionProducer(options, partition)
                  Expect.isTrue (producer.Produce(batch "a" 1)).IsSuccess "the first batch"
                  Thread.Sleep 100
                  Expect.equal (producer.Produce(batch "b" 1)).Status ProduceStatus.Acknowledged "the second batch"
                  Expect.equal batches 2 "each was sent once"))

          testCase "at the first call of a client without authentication: the message names SASL" (fun () ->
              Scripted.broker (fun _ -> Script.knowing everyApi (fun _ -> [ Act.Close ])) (fun broker ->
                  let options = KafkaClientOptions([ at broker ])
                  use connection = KafkaConnection.Open(options, at broker).ThrowIfError()
                  let fault = there (connection.GetMetadata().Fault)
                  Expect.equal fault.Kind KafkaFaultKind.ClosedUnauthenticated "the kind"
                  Expect.stringContains fault.Message "SASL" "the hint"))

          testCase "while it receives a large batch: the message says how much was sent, and names the limit" (fun () ->
              let script (me: Client.BrokerAddress) =
                  Script.knowing everyApi (Script.leading [ Script.topic topic topicId ] me (fun _ -> [ Act.Reset ]))

              use broker = new ScriptedBroker(script)
              use producer = new PartitionProducer(KafkaClientOptions([ at broker ]), partition)
              // The scripted broker takes 100 MiB, as a broker does.
              let large = batchOf [ { plain "x" with Value = Some(Array.zeroCreate<byte> 105_000_000) } ]

              for _ in 1..2 do
                  let produced = producer.Produce large
                  let fault = there produced.Fault
                  Expect.equal fault.Kind KafkaFaultKind.ClosedWhileSending (fault.ToString())
                  Expect.isTrue fault.IsTransient "a close is transient"
                  Expect.stringContains fault.Message (string produced.Exchange.BytesOut + " of ") "how much"
                  Expect.stringContains fault.Message "socket.request.max.bytes" "the limit")

          testCase "at a version of ApiVersions: lower ones are tried" (fun () ->
              let script (received: Received) =
                  if received.Header.ApiKey = ApiKey.ApiVersions && received.Header.ApiVersion > 3s then
                      [ Act.Close ]
                  else
                      Script.knowing Script.everything Script.unexpected received

              use broker = new ScriptedBroker(fun _ -> script)
              use connection = KafkaConnection.Open(KafkaClientOptions([ at broker ]), at broker).ThrowIfError()
              Expect.isTrue connection.IsOpen "connected"
              Expect.equal (List.last (broker.VersionsOf ApiKey.ApiVersions)) 3 "in version 3") ]

let private others =
    testList
        "others"
        [ testCase "the other address of a host is tried if one fails" (fun () ->
              use broker = new ScriptedBroker(fun _ -> Script.knowing Script.everything Script.unexpected)

              let lookUp =
                  Func<string, CancellationToken, Task<IPAddress[]>>(fun _ _ ->
                      Task.FromResult [| IPAddress.Parse "127.0.0.9"; IPAddress.Loopback |])

              let options = KafkaClientOptions([ at broker ], HostLookUp = lookUp)

              for _ in 1..6 do
                  use connection = KafkaConnection.Open(options, BrokerAddress("several.test", broker.Address.Port)).ThrowIfError()
                  Expect.isTrue connection.IsOpen "connected")

          testCase "an exception of the observer reaches the caller, and the next call reports its own exchanges alone" (fun () ->
              scripted Script.unexpected (fun options ->
                  let mutable countdown = 0

                  let observe =
                      Action<ExchangeInfo>(fun _ ->
                          countdown <- countdown - 1
                          if countdown = 0 then failwith "the disk is full")

                  let options = KafkaClientOptions(options.BootstrapServers, Observer = observe)

                  // The versions of a broker, the metadata, and the versions of the leader.
                  for at in 1..3 do
                      use client = new PartitionClient(options, partition)
                      countdown <- at

                      Expect.throwsC (fun () -> client.Connect() |> ignore) (fun error ->
                          Expect.equal error.Message "the disk is full" "the observer's own")

                      let connected = client.Connect()
                      Expect.isTrue connected.IsSuccess "the next call"
                      Expect.equal connected.Exchanges.Count 3 "its exchanges"))

          testCase "a broker that is too old for requireStable is told by a kind of its own" (fun () ->
              let table = Script.everythingBut [ Script.versions ApiKey.OffsetFetch 0 6; Script.versions ApiKey.FindCoordinator 0 2 ]

              let script (me: Client.BrokerAddress) =
                  Script.knowing table (fun received ->
                      match received.Request with
                      | Request.FindCoordinator request -> Replay.coordinating me received request
                      | _ -> Script.unexpected received)

              use broker = new ScriptedBroker(script)
              use group = new GroupClient(KafkaClientOptions([ at broker ]), "g")
              let fetched = group.FetchOffsets([ partition ], requireStable = true)
              let fault = there fetched.Fault
              Expect.equal fault.Kind KafkaFaultKind.BrokerTooOld (fault.ToString())
              Expect.stringContains fault.Message "requireStable, which needs Kafka 2.5" "the message"
              Expect.isFalse fault.IsTransient "it stays too old")

          testCase "a broker that is too old for the synonyms and the documentation of configs says which Kafka knows them" (fun () ->
              for version, synonyms, documentation, release in [ 0, true, false, "1.1"; 2, false, true, "2.6" ] do
                  Replay.lone ApiKey.DescribeConfigs version Script.unexpected (fun broker ->
                      use admin = new AdminClient(KafkaClientOptions([ at broker ]))
                      let resources = [ ConfigResource.Topic "t" ]
                      let described = admin.DescribeConfigs(resources, null, synonyms, documentation, CallOptions.Default)
                      let fault = there described[0].Fault
                      Expect.equal fault.Kind KafkaFaultKind.BrokerTooOld (fault.ToString())
                      Expect.stringContains fault.Message ("of configs, which needs Kafka " + release) "the message"))

          testCase "a committed offset of a group prints its values" (fun () ->
              let table = Script.everythingBut [ Script.versions ApiKey.OffsetFetch 0 5; Script.versions ApiKey.FindCoordinator 0 2 ]

              let script (me: Client.BrokerAddress) =
                  Script.knowing table (fun received ->
                      match received.Request with
                      | Request.FindCoordinator request -> Replay.coordinating me received request
                      | Request.OffsetFetch _ ->
                          let answer offset index : OffsetFetch.PartitionResponse =
                              { OffsetFetch.partitionResponse.Default with
                                  PartitionIndex = index
                                  CommittedOffset = offset
                                  CommittedLeaderEpoch = 7
                                  Metadata = Some "note" }

                          Script.answer
                              OffsetFetch.api
                              received
                              { OffsetFetch.response.Default with
                                  Topics = [ { Name = topic; Partitions = [ answer 12L 0; answer -1L 1 ] } ] }
                      | _ -> Script.unexpected received)

              use broker = new ScriptedBroker(script)
              use group = new GroupClient(KafkaClientOptions([ at broker ]), "g")
              let fetched = group.FetchOffsets [ partition; TopicPartition(topic, 1) ]
              let lines = fetched |> Seq.map string |> List.ofSeq
              Expect.stringContains lines[0] "12" "the offset"
              Expect.stringContains lines[0] "7" "the epoch"
              Expect.stringContains lines[0] "note" "the note"
              Expect.stringContains lines[1] "none" "no offset")

          testCase "an exchange about a partition names it" (fun () ->
              let seen = List<ExchangeInfo>()

              let act (received: Received) =
                  match received.Request with
                  | Request.Produce request -> Script.answer Produce.api received (Script.produced id request)
                  | _ -> Script.unexpected received

              scripted act (fun options ->
                  use client = new PartitionClient(options, partition)
                  use producer = new PartitionProducer(client)
                  let produced = producer.Produce(batch "a" 1)
                  Expect.equal produced.Exchange.Partition (Nullable partition) "the partition")) ]

[<Tests>]
let tests = testList "façade: connecting" [ settings; threads; closes; others ]
