/// Bootstrap: addresses and DNS SRV names.
module LibKafka.Integration.BootstrapTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.Net
open System.Net.Sockets
open System.Threading
open System.Threading.Tasks
open Expecto
open LibKafka.Client
open LibKafka.Dns
open LibKafka.Integration.Support

let private live (test: ScriptedBroker -> unit) = Scripted.broker (fun _ -> Script.knowing Script.everything Script.unexpected) test

let private minute = TimeSpan.FromMinutes 1.0

let private srv (broker: BrokerAddress) (live: TimeSpan) : SrvRecord = { Target = broker; Priority = 0; Weight = 0; TimeToLive = live }

/// A look-up that returns fixed records and counts its calls.
type private LookUp(records: SrvRecord list) =
    let mutable asked = 0
    member val Records = records with get, set
    member _.Asked = asked

    interface ISrvLookUp with
        member this.LookUp(_, _) =
            asked <- asked + 1
            Task.FromResult(this.Records :> IReadOnlyList<_>)

let private lookUpBy (find: CancellationToken -> Task<IReadOnlyList<SrvRecord>>) =
    { new ISrvLookUp with
        member _.LookUp(_, stop) = find stop }

let private name = "_kafka._tcp.example.org"

let private connects (settings: ClientSettings) (bootstrap: Bootstrap) (broker: ScriptedBroker) =
    use connection = Cluster.Connect(settings, bootstrap) |> ok
    Expect.equal connection.Broker broker.Address "the broker that the name stands for"

let private addresses =
    testList
        "addresses"
        [ testCase "from text, one or several, IPv4 and IPv6" (fun () ->
              for text in [ "kafka-1:9092"; "kafka-1:9092,kafka-2:9093"; "127.0.0.1:9092,[::1]:9092" ] do
                  Expect.equal ((Bootstrap.parse text |> ok).ToString()) text "the text"

              for text in [ ""; "kafka-1:"; "kafka-1:0"; "a:1,b:x" ] do
                  Expect.isError (Bootstrap.parse text) text)

          testCase "each of them comes first sometimes" (fun () ->
              let brokers = [ for i in 1..4 -> { Host = "b"; Port = i } ]
              let bootstrap = Bootstrap.ofAddresses brokers
              let tries = List.init 400 (fun _ -> bootstrap.Brokers(operation patient) |> ok)

              for order in tries do
                  Expect.equal (List.sort order) brokers "each of them once"

              // One of them never comes first in 400 tries once in 10^49 runs.
              Expect.hasLength (tries |> List.map List.head |> List.distinct) 4 "each of them first") ]

let private services =
    testList
        "SRV"
        [ testCase "the records of a name are cached for their time to live, and no longer" (fun () ->
              live (fun broker ->
                  let time = ManualTime()
                  let settings = { patient with Time = time }
                  let lookUp = LookUp [ srv broker.Address minute; srv broker.Address (minute * 2.0) ]
                  let bootstrap = Bootstrap.ofService lookUp name
                  connects settings bootstrap broker
                  time.Advance(ms 59_999)
                  connects settings bootstrap broker
                  Expect.equal lookUp.Asked 1 "within the shortest time to live"
                  time.Advance(ms 1)
                  connects settings bootstrap broker
                  Expect.equal lookUp.Asked 2 "after it"))

          testCase "records with a time to live of zero are not cached" (fun () ->
              live (fun broker ->
                  let lookUp = LookUp [ srv broker.Address TimeSpan.Zero ]
                  let bootstrap = Bootstrap.ofService lookUp name
                  connects patient bootstrap broker
                  connects patient bootstrap broker
                  Expect.equal lookUp.Asked 2 "each time"))

          testCase "the cache is cleared when one of the brokers cannot be connected to, and the others are tried" (fun () ->
              live (fun broker ->
                  let socket, dead = Loopback.refuse ()
                  use _ = socket
                  let lookUp = LookUp [ srv dead minute ]
                  let bootstrap = Bootstrap.ofService lookUp name

                  match faultOf (Cluster.Connect(patient, bootstrap)) with
                  | ClientFault.NoBroker [ tried, _ ] -> Expect.equal tried dead "the one there was"
                  | other -> failtestf "%O" other

                  lookUp.Records <- [ srv broker.Address minute ]
                  connects patient bootstrap broker
                  connects patient bootstrap broker
                  Expect.equal lookUp.Asked 2 "again after the failure, and not again after that"))

          testCase "clients share the cache, in several threads" (fun () ->
              live (fun broker ->
                  let lookUp = LookUp [ srv broker.Address minute ]
                  let bootstrap = Bootstrap.ofService lookUp name
                  connects patient bootstrap broker
                  let threads = List.init 4 (fun _ -> Thread(fun () -> connects patient bootstrap broker))
                  threads |> List.iter _.Start()
                  threads |> List.iter _.Join()
                  Expect.equal lookUp.Asked 1 "once"
                  Expect.equal broker.Connections 5 "connections"))

          testCase "lower priorities come first, and within a priority each record comes first in proportion to its weight" (fun () ->
              let record priority weight port =
                  { Target = { Host = "b"; Port = port }; Priority = priority; Weight = weight; TimeToLive = minute }

              let bootstrap = Bootstrap.ofService (LookUp [ record 2 0 4; record 1 1 1; record 1 3 2; record 1 0 3 ]) name
              let orders = List.init 4000 (fun _ -> bootstrap.Brokers(operation patient) |> ok |> List.map _.Port)

              for order in orders do
                  Expect.equal (List.last order) 4 "the higher priority last"
                  Expect.equal (List.sort order) [ 1; 2; 3; 4 ] "each once"

              let first port = orders |> List.filter (fun order -> order.Head = port) |> List.length
              // Expected are 3,000 and 1,000 with a deviation of 27.
              Expect.isTrue (first 2 > 2700 && first 2 < 3250) ("three quarters: " + string (first 2))
              Expect.isTrue (first 1 > 750 && first 1 < 1250) ("one quarter: " + string (first 1)))

          testCase "a look-up that fails or finds nothing is a fault with the name" (fun () ->
              for find, word in
                  [ (fun _ -> Task.FromResult([] :> IReadOnlyList<SrvRecord>)), "no SRV record"
                    (fun _ -> Task.FromException<IReadOnlyList<SrvRecord>>(Exception "server on fire")), "server on fire"
                    (fun _ -> failwith "not even begun"), "not even begun" ] do
                  match faultOf (Cluster.Connect(patient, Bootstrap.ofService (lookUpBy find) name)) with
                  | ClientFault.LookUpFailed(found, reason) ->
                      Expect.equal found name "the name"
                      Expect.stringContains reason word "the reason"
                  | other -> failtestf "%O" other)

          testCase "a look-up that never ends times out, and its token is cancelled" (fun () ->
              let never' = TaskCompletionSource<IReadOnlyList<SrvRecord>>()
              let mutable token = CancellationToken.None

              let lookUp =
                  lookUpBy (fun stop ->
                      token <- stop
                      never'.Task)

              let settings = { patient with ConnectTimeout = ms 200 }
              Expect.equal
                  (faultOf (Cluster.Connect(settings, Bootstrap.ofService lookUp name)))
                  (ClientFault.TimedOut(ms 200))
                  "the fault"
              Expect.isTrue token.IsCancellationRequested "its token is cancelled")

          testCase "cancelling ends a look-up" (fun () ->
              use source = new CancellationTokenSource()

              let lookUp =
                  lookUpBy (fun _ ->
                      source.Cancel()
                      TaskCompletionSource<IReadOnlyList<SrvRecord>>().Task)

              Expect.equal
                  (faultOf (Cluster.Connect(patient, Bootstrap.ofService lookUp name, CallOptions.cancelledBy source.Token)))
                  ClientFault.Cancelled
                  "the fault") ]

let private withServer (answer: string -> DnsAnswer) (test: DnsServer -> Bootstrap -> unit) =
    use server = new DnsServer(answer)
    test server (Bootstrap.ofService (SrvLookUp [ server.EndPoint ]) name)

let private dns =
    let port (broker: ScriptedBroker) = broker.Address.Port

    testList
        "DNS"
        [ testCase "a client finds its brokers by a name" (fun () ->
              live (fun broker ->
                  withServer (fun _ -> DnsAnswer.Records [ 60, 1, 0, port broker, "localhost" ]) (fun server bootstrap ->
                      use connection = Cluster.Connect(patient, bootstrap) |> ok
                      Expect.equal connection.Broker { Host = "localhost"; Port = port broker } "host without the dot at its end"
                      use _ = Cluster.Connect(patient, bootstrap) |> ok
                      Expect.equal server.Asked [ name ] "it was asked once")))

          testCase "every field of a record is read, and an empty target is no broker" (fun () ->
              withServer
                  (fun _ ->
                      DnsAnswer.Records [ 300, 1, 20, 9092, "kafka-1.example.org"; 70_000, 65535, 65535, 65535, "b"; 1, 0, 0, 0, "" ])
                  (fun server _ ->
                      let lookUp = SrvLookUp [ server.EndPoint ] :> ISrvLookUp
                      let found = List.ofSeq (lookUp.LookUp(name, CancellationToken.None).GetAwaiter().GetResult())

                      Expect.equal
                          found
                          [ { Target = { Host = "kafka-1.example.org"; Port = 9092 }
                              Priority = 1
                              Weight = 20
                              TimeToLive = TimeSpan.FromSeconds 300.0 }
                            { Target = { Host = "b"; Port = 65535 }
                              Priority = 65535
                              Weight = 65535
                              TimeToLive = TimeSpan.FromSeconds 70_000.0 } ]
                          "the records"))

          testCase "it has no cache of its own" (fun () ->
              live (fun broker ->
                  withServer (fun _ -> DnsAnswer.Records [ 60, 1, 0, port broker, "127.0.0.1" ]) (fun server bootstrap ->
                      connects patient bootstrap broker
                      bootstrap.Forget()
                      connects patient bootstrap broker
                      Expect.equal server.Asked [ name; name ] "asked again")))

          testCase "a name that does not exist is a fault" (fun () ->
              withServer (fun _ -> DnsAnswer.Error 3) (fun _ bootstrap ->
                  match faultOf (Cluster.Connect(patient, bootstrap)) with
                  | ClientFault.LookUpFailed(found, reason) ->
                      Expect.equal found name "the name"
                      Expect.isNotEmpty reason "the reason"
                  | other -> failtestf "%O" other))

          testCase "a name server that does not respond: the look-up times out" (fun () ->
              withServer (fun _ -> DnsAnswer.Silence) (fun _ bootstrap ->
                  let clock = Stopwatch.StartNew()
                  let settings = { patient with ConnectTimeout = ms 300 }
                  Expect.equal (faultOf (Cluster.Connect(settings, bootstrap))) (ClientFault.TimedOut(ms 300)) "the fault"
                  Expect.isLessThan clock.Elapsed (ms 10_000) "soon")) ]

let private hosts =
    let brokerAt = { Host = "kafka-1.example"; Port = 9092 }

    let finding (find: CancellationToken -> Task<IPAddress[]>) = { patient with LookUpHost = (fun _ stop -> find stop) }

    let unending () = TaskCompletionSource<IPAddress[]>().Task

    testList
        "host name"
        [ testCase "looking up a host obeys ConnectTimeout" (fun () ->
              let mutable token = CancellationToken.None

              let settings =
                  finding (fun stop ->
                      token <- stop
                      unending ())

              let fault = faultOf (Connection.Open({ settings with ConnectTimeout = ms 200 }, brokerAt))
              Expect.equal fault (ClientFault.TimedOut(ms 200)) "the fault"
              Expect.isTrue token.IsCancellationRequested "its token is cancelled")

          testCase "looking up a host obeys cancellation" (fun () ->
              use source = new CancellationTokenSource()

              let settings =
                  finding (fun _ ->
                      source.Cancel()
                      unending ())

              Expect.equal
                  (faultOf (Connection.Open(settings, brokerAt, CallOptions.cancelledBy source.Token)))
                  ClientFault.Cancelled
                  "the fault")

          testCase "nothing is looked up after cancellation, or for an address" (fun () ->
              use source = new CancellationTokenSource()
              source.Cancel()
              let settings = finding (fun _ -> failtest "it was looked up")
              Expect.equal
                  (faultOf (Connection.Open(settings, brokerAt, CallOptions.cancelledBy source.Token)))
                  ClientFault.Cancelled
                  "the fault"
              live (fun broker -> Connection.Open(settings, broker.Address) |> ok |> _.Close()))

          testCase "a look-up that fails is a fault with the broker" (fun () ->
              let settings = finding (fun _ -> Task.FromException<IPAddress[]>(SocketException(int SocketError.HostNotFound)))

              match faultOf (Connection.Open(settings, brokerAt)) with
              | ClientFault.CannotConnect(broker, reason) ->
                  Expect.equal broker brokerAt "the broker"
                  Expect.stringContains reason "HostNotFound" "the reason"
              | other -> failtestf "%O" other)

          testCase "an address that does not answer leaves time for the others" (fun () ->
              live (fun broker ->
                  // A host whose queue of connections is full.
                  let mute = if OperatingSystem.IsMacOS() then IPAddress.IPv6Loopback else IPAddress.Parse "127.0.0.2"
                  let port = broker.Address.Port
                  use full = new Socket(mute.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
                  full.Bind(IPEndPoint(mute, port))
                  full.Listen 0
                  use _ = transportTo { Host = mute.ToString(); Port = port } (operation patient)
                  let settings = finding (fun _ -> Task.FromResult [| mute; IPAddress.Loopback |])
                  let settings = { settings with ConnectTimeout = ms 3_000 }
                  use connection = Connection.Open(settings, { broker.Address with Host = "kafka-1.example" }) |> ok
                  Expect.isTrue connection.IsOpen "connected to the other")) ]

[<Tests>]
let tests = testList "bootstrap" [ addresses; services; dns; hosts ]
