/// An observer or a listener to activities that throws while a client authenticates again, or ends a fetch session.
module LibKafka.Integration.ThrowingObserverSessionTests

open System
open System.Reflection
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support
open LibKafka.Integration.ThrowingObserverSupport

// ---- Re-authentication ----

/// Runs a test on a broker whose sessions last ten seconds, with settings of a clock that is stopped.
let private withSessions
    (means: Fuse -> (ClientSettings -> unit) -> unit)
    (test: Fuse -> ManualTime -> ClientSettings -> ScriptedBroker -> unit)
    =
    let script me (received: Received) =
        match received.Request with
        | Request.SaslAuthenticate _ ->
            Script.answer SaslAuthenticate.api received { SaslAuthenticate.response.Default with SessionLifetimeMs = 10_000L }
        | _ -> respond me received

    let fuse = Fuse()
    let time = ManualTime()

    means fuse (fun settings ->
        Scripted.broker script (fun broker ->
            test fuse time { settings with Time = time; Sasl = Some(Sasl.plain "orders" "s3cret") } broker))

let private ask (connection: Connection) = connection.Call(ListOffsets.api, Script.askLatest)

let private renewal =
    [ for name, means in means do
          for at, exchange in [ 1, "the handshake"; 2, "the authentication" ] do
              testCase (exchange + " closes the connection, and a client makes another: " + name) (fun () ->
                  withSessions means (fun fuse time settings broker ->
                      let client = clientOf settings (Bootstrap.ofAddresses [ broker.Address ])
                      let connection = client.Connect() |> ok
                      let before = broker.Connections
                      time.Advance(ms 9_000)
                      fuse.Arm at
                      Expect.throwsC (fun () -> ask connection |> ignore) (fun error ->
                          Expect.equal error.Message message "it reaches the caller")
                      Expect.isFalse connection.IsOpen "it is closed"
                      broker.AwaitEnd(before - 1)
                      fuse.Arm 0
                      let unusable = faultOf (ask connection).Result
                      Expect.isTrue unusable.IsUnusable (unusable.ToString())
                      client.Call(ListOffsets.api, Script.askLatest).Result |> ok |> ignore
                      client.Close()

                      for connection in 0 .. broker.Connections - 1 do
                          broker.AwaitEnd connection))

          testCase ("the call itself leaves the session renewed: " + name) (fun () ->
              withSessions means (fun fuse time settings broker ->
                  use connection = Connection.Open(settings, broker.Address) |> ok
                  time.Advance(ms 9_000)
                  fuse.Arm 3
                  Expect.throwsC (fun () -> ask connection |> ignore) (fun error ->
                      Expect.equal error.Message message "it reaches the caller")
                  time.Advance(ms 8_000)
                  fuse.Arm 0
                  ask connection |> _.Result |> ok |> ignore
                  Expect.equal fuse.Seen 1 "no authentication before the next call"
                  Expect.equal broker.Connections 1 "one connection")) ]

// ---- Fetch sessions ----

/// Runs a test on a leader that names a replica, and on the replica.
let private withReplica (test: ScriptedBroker -> ScriptedBroker -> unit) =
    Scripted.broker respond (fun follower ->
        let lead me (received: Received) =
            match received.Request with
            | Request.Metadata _ ->
                let other: Metadata.Broker = { NodeId = 2; Host = follower.Address.Host; Port = follower.Address.Port; Rack = None }
                let one = Script.metadata me [ Script.topic "t" topicId ]
                Script.answer Metadata.api received { one with Brokers = one.Brokers @ [ other ] }
            | Request.Fetch request when request.RackId <> "" ->
                let named =
                    { fetched request with Topics = (Script.fetched (fun it -> { it with PreferredReadReplica = 2 }) request).Topics }
                Script.answer Fetch.api received named
            | _ -> respond me received

        Scripted.broker lead (fun leader -> test leader follower))

let private fetchesAt (broker: ScriptedBroker) =
    [ for received in broker.Calls do
          match received.Request with
          | Request.Fetch request -> request.SessionId, request.SessionEpoch
          | _ -> () ]

let private awaitAllEnds (broker: ScriptedBroker) =
    for connection in 0 .. broker.Connections - 1 do
        broker.AwaitEnd connection

let private sessions =
    let settings = { FetcherSettings.standard with UseSession = true; RackId = "here" }
    let disposing (fetcher: PartitionFetcher) () = (fetcher :> IDisposable).Dispose()

    let throws (work: unit -> unit) = Expect.throwsC work (fun error -> Expect.equal error.Message message "it reaches the caller")

    [ for name, means in means do
          testCase ("at the end of a session with the leader: its fetcher and client are closed, " + name) (fun () ->
              let fuse = Fuse()

              means fuse (fun client ->
                  Scripted.broker respond (fun broker ->
                      let fetcher = PartitionFetcher.Owning(clientOf client (Bootstrap.ofAddresses [ broker.Address ]), settings, 3L)
                      fetcher.Fetch() |> ignore
                      fuse.Arm 1
                      throws (disposing fetcher)
                      awaitAllEnds broker
                      Expect.equal (fetchesAt broker) [ 0, 0; 5, -1 ] "the session was closed")))

          testCase ("at the end of a session on another's client: the connection stays, " + name) (fun () ->
              let fuse = Fuse()

              means fuse (fun client ->
                  Scripted.broker respond (fun broker ->
                      let client = clientOf client (Bootstrap.ofAddresses [ broker.Address ])
                      let fetcher = new PartitionFetcher(client, settings, 3L)
                      fetcher.Fetch() |> ignore
                      let connection = client.Connection
                      fuse.Arm 1
                      throws (disposing fetcher)
                      fuse.Arm 0
                      // The broker responds to the request that closed the session, and nothing waits for that.
                      client.Call(ListOffsets.api, Script.askLatest).Result |> ok |> ignore
                      Expect.equal client.Connection connection "the same connection"
                      client.Close()
                      awaitAllEnds broker)))

          testCase ("at the end of a session with a replica: all connections are closed, " + name) (fun () ->
              let fuse = Fuse()

              means fuse (fun client ->
                  withReplica (fun leader follower ->
                      let client = clientOf client (Bootstrap.ofAddresses [ leader.Address ])
                      let fetcher = PartitionFetcher.Owning(client, settings, 3L)

                      for _ in 1..3 do
                          fetcher.Fetch() |> ignore

                      Expect.equal fetcher.Replica (Some 2) "it reads from the replica"
                      fuse.Arm 1
                      throws (disposing fetcher)
                      awaitAllEnds follower
                      awaitAllEnds leader
                      Expect.equal (fetchesAt follower) [ 0, 0; 5, 1; 5, -1 ] "the session was closed")))

          testCase
              ("when a fetcher leaves a replica: the replica's connection is closed, and the next fetch goes to the leader, " + name)
              (fun () ->
                  let fuse = Fuse()
                  let time = ManualTime()

                  means fuse (fun client ->
                      withReplica (fun leader follower ->
                          let client = clientOf { client with Time = time } (Bootstrap.ofAddresses [ leader.Address ])
                          let fetcher = PartitionFetcher.Owning(client, settings, 3L)

                          for _ in 1..2 do
                              fetcher.Fetch() |> ignore

                          time.Advance(settings.ReplicaTime + ms 1)
                          fuse.Arm 1
                          throws (fun () -> fetcher.Fetch() |> ignore)
                          awaitAllEnds follower
                          fuse.Arm 0
                          let next = fetcher.Fetch()
                          Expect.equal next.Exchange.Info.Broker (Some leader.Address) "the broker"
                          Expect.equal fetcher.Position (FetchPosition.at 3L) "the position"
                          disposing fetcher ()
                          awaitAllEnds leader))) ]

[<Tests>]
let tests = testList "an exception of an observer" [ testList "in a re-authentication, in" renewal; testList "in" sessions ]
