/// The leaders of whole topics, shared by the clients of their partitions.
module LibKafka.Integration.LeaderDirectoryTests

open System
open System.Threading
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Integration.Support

let private topicId = Guid "11111111-2222-3333-4444-555555555555"
let private metadataAsked (broker: ScriptedBroker) = (broker.VersionsOf ApiKey.Metadata).Length

let private serve (received: Received) =
    match received.Request with
    | Request.Fetch request -> Script.answer Fetch.api received (Script.fetched id request)
    | _ -> Script.unexpected received

let private leading (node: int) (partitions: int) : Metadata.Partition list =
    [ for index in 0 .. partitions - 1 -> { Metadata.partition.Default with PartitionIndex = index; LeaderId = node; LeaderEpoch = 3 } ]

/// A broker that describes the topic `t`, whose partitions a broker at another address leads, and a directory on it with a clock that stands
/// still until it is set.
type private Stage(leader: BrokerAddress, partitions: int) =
    let mutable now = TimeSpan.FromSeconds 1.0
    let mutable topics = [ { Script.topic "t" topicId with Partitions = leading 2 partitions } ]

    let script (_: BrokerAddress) =
        Script.knowing Script.everything (fun received ->
            match received.Request with
            | Request.Metadata _ ->
                let brokers = [ { Metadata.broker.Default with NodeId = 2; Host = leader.Host; Port = leader.Port } ]
                Script.answer Metadata.api received { Script.metadata leader topics with Brokers = brokers }
            | _ -> Script.unexpected received)

    let broker = new ScriptedBroker(script)
    let bootstrap = Bootstrap.ofAddresses [ broker.Address ]
    let directory = LeaderDirectory(patient, bootstrap, LeaderTimes.standard, (fun () -> now))
    let clients =
        [ for index in 0 .. partitions - 1 -> new PartitionClient(patient, bootstrap, { Topic = "t"; Partition = index }) ]

    member _.Topics
        with set value = topics <- value

    member _.Directory = directory
    member _.Clients = clients
    member _.Asked = metadataAsked broker
    member _.Pass(time: TimeSpan) = now <- now + time
    member _.Now = now
    member _.Connect(client: PartitionClient) : Reached = directory.Connect(client, CancellationToken.None)

    interface IDisposable with
        member _.Dispose() =
            clients |> List.iter _.Close()
            (broker :> IDisposable).Dispose()

let private isConnected (reached: Reached) : bool =
    match reached with
    | Reached.Connected _ -> true
    | _ -> false

let private waits (reached: Reached) : TimeSpan =
    match reached with
    | Reached.NotBefore time -> time
    | Reached.Connected _ -> failtest "it must not connect now"
    | Reached.Failed fault -> failtestf "%O" fault

let private failure (reached: Reached) : ClientFault =
    match reached with
    | Reached.Failed fault -> fault
    | Reached.Connected _ -> failtest "it cannot connect"
    | Reached.NotBefore _ -> failtest "there is something to report"

let private withServing (partitions: int) (test: ScriptedBroker -> Stage -> unit) =
    Scripted.broker (fun _ -> Script.knowing Script.everything serve) (fun leader ->
        use stage = new Stage(leader.Address, partitions)
        test leader stage)

let private connecting =
    testList
        "connecting"
        [ testCase "asks for the leaders of all partitions once, and each client connects to its leader" (fun () ->
              withServing 20 (fun leader stage ->
                  Expect.all (List.map stage.Connect stage.Clients) isConnected "the clients"
                  Expect.equal stage.Asked 1 "metadata requests"
                  Expect.equal leader.Connections 20 "connections"

                  match stage.Directory.Topic "t" with
                  | Some topic -> Expect.equal (topic.PartitionCount, topic.TopicId) (20, topicId) "the topic"
                  | None -> failtest "the topic is known"))

          testCase "after a connection has ended asks again first, and not for each" (fun () ->
              withServing 3 (fun leader stage ->
                  List.map stage.Connect stage.Clients |> ignore

                  for client in stage.Clients do
                      (Option.get client.Connection).Close()

                  let reached = List.map stage.Connect stage.Clients
                  Expect.equal stage.Asked 1 "it is too early to ask again"
                  let time = reached |> List.map waits |> List.max
                  Expect.isGreaterThan time stage.Now "they wait"
                  stage.Pass(time - stage.Now)
                  Expect.all (List.map stage.Connect stage.Clients) isConnected "the clients"
                  Expect.equal stage.Asked 2 "metadata requests"
                  Expect.equal leader.Connections 6 "connections"))

          testCase "to a broker that is down is tried by one partition, and by the others when it is back" (fun () ->
              let socket, address = Loopback.refuse ()
              use stage = new Stage(address, 10)

              match failure (stage.Connect stage.Clients.Head) with
              | ClientFault.CannotConnect(broker, _) -> Expect.equal broker address "the broker"
              | other -> failtestf "%O" other

              for client in stage.Clients do
                  waits (stage.Connect client) |> ignore

              socket.Dispose()
              use leader = new ScriptedBroker((fun _ -> Script.knowing Script.everything serve), Net.IPAddress.Loopback, id, address.Port)

              stage.Pass(ms 2000)
              Expect.all (List.map stage.Connect stage.Clients) isConnected "the clients"
              Expect.equal leader.Connections 10 "connections"
              Expect.equal stage.Asked 2 "metadata requests")

          testCase "to a leader that another broker has named does not ask" (fun () ->
              withServing 1 (fun second stage ->
                  let refuse (received: Received) =
                      match received.Request with
                      | Request.Fetch request ->
                          let refused (answer: Fetch.PartitionResponse) =
                              { answer with Error = ErrorCode.NotLeaderOrFollower; CurrentLeader = { LeaderId = 5; LeaderEpoch = 4 } }

                          let node = { NodeId = 5; Host = second.Address.Host; Port = second.Address.Port; Rack = None }
                          Script.answer Fetch.api received { Script.fetched refused request with NodeEndpoints = [ node ] }
                      | _ -> Script.unexpected received

                  Scripted.broker (fun _ -> Script.knowing Script.everything refuse) (fun first ->
                      use stage = new Stage(first.Address, 1)
                      let client = stage.Clients.Head
                      Expect.isTrue (isConnected (stage.Connect client)) "the first broker"
                      (new PartitionFetcher(client, FetcherSettings.standard, 0L)).Fetch() |> ignore
                      Expect.isTrue (isConnected (stage.Connect client)) "the second broker"
                      Expect.equal (client.Leader |> Option.map _.NodeId) (Some 5) "the one that was named"
                      Expect.equal stage.Asked 1 "metadata requests")))

          testCase "reports a topic without a leader once for each answer" (fun () ->
              withServing 2 (fun _ stage ->
                  stage.Topics <- [ { Script.topic "t" topicId with Partitions = []; Error = ErrorCode.TopicAuthorizationFailed } ]

                  for client in stage.Clients do
                      match failure (stage.Connect client) with
                      | ClientFault.NoLeader(partition, code) ->
                          Expect.equal (partition, code) (client.Partition, ErrorCode.TopicAuthorizationFailed) "what is reported"
                      | other -> failtestf "%O" other

                  let time = waits (stage.Connect stage.Clients.Head)
                  stage.Pass(time - stage.Now)
                  stage.Topics <- [ { Script.topic "t" topicId with Partitions = leading 2 2 } ]
                  Expect.isTrue (isConnected (stage.Connect stage.Clients.Head)) "there is a leader now"))

          testCase "reports that no broker answers, and then waits before it asks again" (fun () ->
              let socket, nobody = Loopback.refuse ()
              use _ = socket
              let now = ref TimeSpan.Zero
              let bootstrap = Bootstrap.ofAddresses [ nobody ]
              let directory = LeaderDirectory(patient, bootstrap, LeaderTimes.standard, (fun () -> now.Value))
              use client = new PartitionClient(patient, bootstrap, { Topic = "t"; Partition = 0 })

              for _ in 1..3 do
                  match failure (directory.Connect(client, CancellationToken.None)) with
                  | ClientFault.NoBroker _ -> ()
                  | other -> failtestf "%O" other

                  let time = waits (directory.Connect(client, CancellationToken.None))
                  Expect.isGreaterThan time now.Value "it waits"
                  now.Value <- time)

          testCase "that is cancelled is not counted as a failure of the broker" (fun () ->
              withServing 1 (fun _ stage ->
                  stage.Directory.Watch "t"
                  stage.Directory.Refresh CancellationToken.None |> ok |> ignore
                  let client = stage.Clients.Head

                  match stage.Directory.Connect(client, CancellationToken true) with
                  | Reached.Failed ClientFault.Cancelled -> ()
                  | _ -> failtest "it was cancelled"

                  Expect.isTrue (isConnected (stage.Connect client)) "the next attempt"
                  Expect.equal stage.Asked 1 "metadata requests")) ]

let private refreshing =
    testCase "refreshing returns the changes since the last time, when it is due" (fun () ->
        withServing 2 (fun _ stage ->
            let refresh () = stage.Directory.Refresh CancellationToken.None |> ok
            Expect.equal stage.Directory.NextRefresh ValueNone "there is no topic"
            Expect.equal (refresh ()) [] "nothing to ask"
            stage.Directory.Watch "t"
            Expect.equal (refresh ()) [ TopicChange.Grown("t", 0, 2) ] "a topic"
            Expect.equal (refresh ()) [] "it is not due"
            stage.Topics <- [ { Script.topic "t" topicId with Partitions = leading 2 3 } ]
            stage.Directory.Want()

            match stage.Directory.NextRefresh with
            | ValueSome time -> stage.Pass(time - stage.Now)
            | ValueNone -> failtest "it is wanted"

            // What a connecting client finds is not lost.
            Expect.isTrue (isConnected (stage.Connect stage.Clients.Head)) "a client"
            Expect.equal (refresh ()) [ TopicChange.Grown("t", 2, 3) ] "a new partition"
            stage.Directory.Unwatch "t"
            Expect.isNone (stage.Directory.Topic "t") "it is forgotten"
            Expect.equal stage.Asked 2 "metadata requests"))

[<Tests>]
let tests = testList "leader directory" [ connecting; refreshing ]
