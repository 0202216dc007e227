/// Time by a clock that the test advances: lifetimes of connections, throttling, and time-outs.
module LibKafka.Integration.TimeTests

open System
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support

let private answer (received: Received) =
    match received.Request with
    | Request.ListOffsets request -> Script.answer ListOffsets.api received (Script.found 7L request)
    | Request.Fetch request -> Script.answer Fetch.api received (Script.fetched id request)
    | _ -> Script.unexpected received

let private ask (connection: Connection) = connection.Call(ListOffsets.api, Script.askLatest)

let private lifetimes =
    let ended (settings: ClientSettings) (unused: ManualTime -> Connection -> unit) (cause: string) =
        let time = ManualTime()

        Scripted.connection { settings with Time = time } answer (fun broker connection ->
            unused time connection
            Expect.isFalse connection.IsOpen "it counts as closed"
            let exchange = ask connection

            match faultOf exchange.Result with
            | ClientFault.Unusable reason -> Expect.stringContains reason cause "why"
            | other -> failtestf "%O" other

            Expect.isFalse exchange.Info.WasSent "nothing was sent"
            broker.AwaitEnd 0)

    let idle = { patient with MaxIdle = ms 1_000 }
    let old = { patient with ConnectionTtl = ms 1_000 }

    /// Fetches after each of some pauses, and returns the number of connections made.
    let connections (settings: ClientSettings) (pauses: int list) : int =
        let time = ManualTime()
        let mutable count = 0

        Scripted.partition { settings with Time = time } answer (fun broker client ->
            use fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
            ok (fetcher.Fetch()).Result |> ignore
            let before = broker.Connections

            for pause in pauses do
                time.Advance(ms pause)
                ok (fetcher.Fetch()).Result |> ignore

            // Of the two connections each time, one only asks for the leader.
            count <- (broker.Connections - before) / 2)

        count

    testList
        "lifetime"
        [ testCase "a connection that was unused for too long is closed before the next call" (fun () ->
              ended idle (fun time _ -> time.Advance(ms 1_000)) "MaxIdle")

          testCase "a connection that is too old is closed before the next call" (fun () ->
              ended old (fun time _ -> time.Advance(ms 1_000)) "ConnectionTtl")

          testCase "using it does not extend its lifetime" (fun () ->
              ended
                  old
                  (fun time connection ->
                      for _ in 1..9 do
                          time.Advance(ms 100)
                          ok (ask connection).Result |> ignore

                      time.Advance(ms 100))
                  "ConnectionTtl")

          testCase "using it keeps it from being idle" (fun () -> Expect.equal (connections idle (List.replicate 20 999)) 0 "no new one")

          testCase "a client makes another one and continues" (fun () ->
              Expect.equal (connections idle [ 1_000; 10; 5_000 ]) 2 "after each long pause"
              Expect.equal (connections old (List.replicate 20 250)) 5 "at each fourth call")

          testCase "without a limit it lives for ever" (fun () ->
              let settings = { patient with ConnectionTtl = Timeout.InfiniteTimeSpan; MaxIdle = Timeout.InfiniteTimeSpan }

              Expect.equal (connections settings [ Int32.MaxValue; Int32.MaxValue ]) 0 "no new one") ]

let private timeouts =
    testList
        "time-outs"
        [ testCase "infinite: no limit" (fun () ->
              let settings = { patient with ConnectTimeout = Timeout.InfiniteTimeSpan; CallTimeout = Timeout.InfiniteTimeSpan }

              let asked = ref 0

              // The first response arrives slowly, and the second never.
              let slowly (received: Received) =
                  if Interlocked.Increment &asked.contents = 1 then
                      [ Act.Trickle(Script.frame ListOffsets.api received (Script.found 7L Script.askLatest), ms 5) ]
                  else
                      []

              Scripted.connection settings slowly (fun _ connection ->
                  ok (ask connection).Result |> ignore
                  use source = new CancellationTokenSource(50)
                  let exchange = connection.Call(ListOffsets.api, Script.askLatest, CallOptions.cancelledBy source.Token)
                  Expect.equal (faultOf exchange.Result) ClientFault.Cancelled "and yet it can be cancelled"))

          testCase "far longer than a socket supports: no limit that is ever reached" (fun () ->
              let settings = { patient with ConnectTimeout = TimeSpan.MaxValue; CallTimeout = TimeSpan.FromDays 400.0 }
              Scripted.connection settings answer (fun _ connection -> ok (ask connection).Result |> ignore))

          for name, change in
              [ "ConnectTimeout", (fun settings time -> { settings with ConnectTimeout = time })
                "CallTimeout", (fun settings time -> { settings with CallTimeout = time })
                "ConnectionTtl", (fun settings time -> { settings with ConnectionTtl = time })
                "MaxIdle", (fun settings time -> { settings with MaxIdle = time }) ] do
              testCase ("a negative time-out or zero is a fault: " + name) (fun () ->
                  for time in [ TimeSpan.Zero; ms -2; TimeSpan.MinValue ] do
                      let settings = change patient time
                      let socket, address = Loopback.refuse ()
                      use _ = socket

                      for fault in
                          [ faultOf (Connection.Open(settings, address))
                            faultOf (Cluster.Connect(settings, Bootstrap.ofAddresses [ address ]))
                            faultOf (ClientSettings.check settings) ] do
                          match fault with
                          | ClientFault.InvalidSetting(setting, _) -> Expect.equal setting name "which setting"
                          | other -> failtestf "%O" other)

          testCase "limits that allow nothing are a fault" (fun () ->
              let settings = { patient with Limits = { Limits.standard with MaxFrameBytes = -1 } }

              match faultOf (ClientSettings.check settings) with
              | ClientFault.InvalidSetting(setting, _) -> Expect.equal setting "Limits.MaxFrameBytes" "which setting"
              | other -> failtestf "%O" other)

          testCase "the standard settings are good" (fun () -> Expect.isOk (ClientSettings.check ClientSettings.standard) "no fault") ]

/// Runs a call in a thread of its own; the returned function waits for it.
let private inThread (call: unit -> 'T) : unit -> 'T =
    let mutable result = None
    let thread = Thread(fun () -> result <- Some(call ()))
    thread.Start()

    fun () ->
        if not (thread.Join 20_000) then failtest "the call does not end"
        result.Value

let private throttling =
    let throttled (milliseconds: int) (received: Received) =
        match received.Request with
        | Request.ListOffsets request ->
            Script.answer ListOffsets.api received { Script.found 7L request with ThrottleTimeMs = milliseconds }
        | Request.Produce request -> Script.answer Produce.api received { Script.produced id request with ThrottleTimeMs = milliseconds }
        | _ -> Script.unexpected received

    let heeding (time: ManualTime) = { patient with HeedThrottle = true; Time = time }

    testList
        "throttling"
        [ testCase "throttle time is in the exchange, and the client waits only if the settings say so" (fun () ->
              let time = ManualTime()

              Scripted.connection { patient with Time = time } (throttled 1_234) (fun _ connection ->
                  for _ in 1..3 do
                      let exchange = ask connection
                      Expect.equal exchange.Info.ThrottleTime (ms 1_234) "as the broker says"

                  let produce: Produce.Request = { Produce.request.Default with Acks = Acks.All; TimeoutMs = 1 }
                  Expect.equal (connection.Call(Produce.api, produce)).Info.ThrottleTime (ms 1_234) "of any API"))

          testCase "it is zero if the response has none or a negative one" (fun () ->
              Scripted.connection patient (throttled -5) (fun _ connection ->
                  Expect.equal (ask connection).Info.ThrottleTime TimeSpan.Zero "below zero")

              Expect.equal (SaslHandshake.api.ThrottleTimeMs SaslHandshake.response.Default) 0 "none")

          testCase "a client that heeds it waits once, and then calls" (fun () ->
              let time = ManualTime()

              Scripted.connection (heeding time) (throttled 5_000) (fun broker connection ->
                  ok (ask connection).Result |> ignore
                  let second = inThread (fun () -> ask connection)
                  time.AwaitTimer(ms 5_000)
                  Expect.hasLength broker.Calls 1 "nothing was sent meanwhile"
                  time.Advance(ms 5_000)
                  let exchange = second ()
                  ok exchange.Result |> ignore
                  Expect.hasLength broker.Calls 2 "then it was"
                  time.Advance(ms 5_000)
                  ok (ask connection).Result |> ignore
                  Expect.hasLength broker.Calls 3 "a pause that has passed by itself is not waited for"))

          testCase "a call that was begun waits before it is sent, and not after" (fun () ->
              let time = ManualTime()

              Scripted.connection (heeding time) (throttled 5_000) (fun broker connection ->
                  let first = connection.Begin(ListOffsets.api, Script.askLatest)
                  // The pause begins when the answer is read.
                  time.Advance(ms 3_000)
                  Expect.equal (first.Complete()).Info.ThrottleTime (ms 5_000) "the pause"
                  let second = inThread (fun () -> connection.Begin(ListOffsets.api, Script.askLatest))
                  time.AwaitTimer(ms 5_000)
                  Expect.hasLength broker.Calls 1 "nothing was sent meanwhile"
                  time.Advance(ms 5_000)
                  let second = second ()
                  Expect.equal (PendingCalls.WaitAny([| second :> PendingCall |], ms 20_000)) 1 "its answer arrives"
                  ok (second.Complete()).Result |> ignore
                  Expect.hasLength broker.Calls 2 "then it was"))

          testCase "the wait is within the time of the call" (fun () ->
              let time = ManualTime()

              Scripted.connection { heeding time with CallTimeout = ms 2_000 } (throttled 5_000) (fun broker connection ->
                  ok (ask connection).Result |> ignore
                  let second = inThread (fun () -> ask connection)
                  time.AwaitTimer(ms 5_000)
                  time.AwaitTimer(ms 2_000)
                  time.Advance(ms 2_000)
                  let exchange = second ()
                  Expect.equal (faultOf exchange.Result) (ClientFault.TimedOut(ms 2_000)) "the fault"
                  Expect.isFalse exchange.Info.WasSent "nothing was sent"
                  Expect.hasLength broker.Calls 1 "nothing came"))

          testCase "cancelling ends the wait" (fun () ->
              let time = ManualTime()
              use source = new CancellationTokenSource()

              Scripted.connection (heeding time) (throttled 5_000) (fun broker connection ->
                  ok (ask connection).Result |> ignore
                  let second =
                      inThread (fun () -> connection.Call(ListOffsets.api, Script.askLatest, CallOptions.cancelledBy source.Token))
                  time.AwaitTimer(ms 5_000)
                  source.Cancel()
                  let exchange = second ()
                  Expect.equal (faultOf exchange.Result) ClientFault.Cancelled "the fault"
                  Expect.isFalse exchange.Info.WasSent "nothing was sent"
                  Expect.hasLength broker.Calls 1 "nothing came"))

          testCase "a broker before 2.0 has paused by itself, so there is no wait" (fun () ->
              let time = ManualTime()
              let table = Script.everythingBut [ Script.versions ApiKey.ApiVersions 0 1 ]

              Scripted.broker (fun _ -> Script.knowing table (throttled 5_000)) (fun broker ->
                  use connection = Connection.Open(heeding time, broker.Address) |> ok

                  for _ in 1..3 do
                      ok (ask connection).Result |> ignore)) ]

let private neverAnswered =
    let produce acks : Produce.Request = { Produce.request.Default with Acks = acks; TimeoutMs = 1 }

    testList
        "acks 0"
        [ testCase "a request that has no response cannot be called: it is refused, and the connection stays open" (fun () ->
              Scripted.connection patient answer (fun broker connection ->
                  for call in
                      [ (fun () -> connection.Call(Produce.api, produce Acks.None))
                        (fun () -> connection.CallAt(7s, Produce.api, produce Acks.None)) ] do
                      let exchange = call ()
                      Expect.equal (faultOf exchange.Result) (ClientFault.NeverAnswered ApiKey.Produce) "the fault"
                      Expect.isFalse exchange.Info.WasSent "nothing was sent"

                  Expect.isTrue connection.IsOpen "the connection is good"
                  ok (ask connection).Result |> ignore
                  Expect.hasLength broker.Calls 1 "only that came")) ]

[<Tests>]
let tests = testList "time" [ lifetimes; timeouts; throttling; neverAnswered ]
