/// Waiting for several calls, and receiving what has arrived of them.
module LibKafka.Integration.PendingWaitTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.Net
open System.Security.Authentication
open System.Threading
open System.Threading.Tasks
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Replay
open LibKafka.Integration.Support
open LibKafka.Integration.PendingSupport

let private authority = lazy (Authority "LibKafka pending tests")

let private secured =
    lazy
        (use folder = new PemFolder()

         let files =
             { Authorities = Some(folder.Add("ca.pem", authority.Value.Pem)); Certificate = None; Key = None; KeyPassword = None }

         { patient with Tls = Some(Tls.ofPemFiles files |> ok) })

/// So many connections to a broker, plain or with TLS.
let private manyOf (answer: Gate -> Received -> Act list) (isSecure: bool) (count: int) (test: Gate -> Connection array -> unit) =
    use gate = new Gate()
    let script _ = Script.knowing Script.everything (answer gate)

    let secure =
        if isSecure then
            let certificate = authority.Value.Issue(Purpose.Broker [ "127.0.0.1" ])
            BrokerTls.over (BrokerTls.options certificate SslProtocols.None None ignore)
        else
            id

    use broker = new ScriptedBroker(script, IPAddress.Loopback, secure)
    let settings = if isSecure then secured.Value else patient
    let connections = Array.init count (fun _ -> Connection.Open(settings, broker.Address) |> ok)

    try
        test gate connections
        Expect.isEmpty broker.Failures "every request could be read"
    finally
        gate.Open()

        for connection in connections do
            connection.Close()

/// Answers in two pieces, of which the second waits.
let private inPieces (gate: Gate) (size: int) (received: Received) : Act list =
    match received.Request with
    | Request.ListOffsets request ->
        let frame = Script.frame ListOffsets.api received (Script.found 7L request)
        [ Act.Send(Array.take size frame); Act.Do(fun () -> gate.Pass received.Connection); Act.Send(Array.skip size frame) ]
    | _ -> Script.unexpected received

let private pieces =
    testList
        "received in pieces"
        [ for isSecure in [ false; true ] do
              for size in [ 1; 3; 4; 10 ] do
                  let kind = if isSecure then "TLS" else "plain"

                  testCase $"{kind}, first {size} bytes: it is ready again when more arrives, and then complete" (fun () ->
                      manyOf (fun gate -> inPieces gate size) isSecure 1 (fun gate connections ->
                          let pending = begin' connections[0]
                          let all = [| pending :> PendingCall |]
                          Expect.equal (PendingCalls.WaitAny(all, ms 20_000)) 1 "something arrives"
                          Expect.isFalse (pending.Receive()) "not all of it"
                          Expect.isFalse pending.WasReady "it is not ready"
                          Expect.equal (PendingCalls.WaitAny(all, ms 50)) 0 "nothing more arrives"
                          gate.Open()

                          while not (pending.Receive()) do
                              Expect.equal (PendingCalls.WaitAny(all, ms 20_000)) 1 "more arrives"

                          Expect.isTrue (pending.WasReady && pending.Receive()) "and it stays so"
                          Expect.isOk (within 1_000 "no wait" pending.Complete).Result "the answer"
                          Expect.isOk (ask connections[0]).Result "the connection can still be used"))

          testCase "completing it waits for the rest" (fun () ->
              use gate = new Gate()

              Scripted.connection patient (inPieces gate 6) (fun _ connection ->
                  let pending = begin' connection
                  Expect.isTrue (SpinWait.SpinUntil((fun () -> pending.IsReady), 20_000)) "it has begun"
                  Expect.isFalse (pending.Receive()) "not all of it"
                  let opening = Task.Delay(200).ContinueWith(fun (_: Task) -> gate.Open())
                  Expect.isOk (pending.Complete()).Result "the answer"
                  opening.Wait()))

          testCase "the end of the connection ends it" (fun () ->
              let half (received: Received) =
                  match received.Request with
                  | Request.ListOffsets request ->
                      [ Act.Send(Script.frame ListOffsets.api received (Script.found 7L request) |> Array.take 10); Act.Close ]
                  | _ -> Script.unexpected received

              Scripted.connection patient half (fun _ connection ->
                  let pending = begin' connection
                  Expect.isTrue (SpinWait.SpinUntil(pending.Receive, 20_000)) "it is over"
                  Expect.equal (faultOf (pending.Complete()).Result) ClientFault.Closed "the fault"
                  Expect.isFalse connection.IsOpen "the connection"))

          testCase "a rest that does not come gets as much time again, and no more" (fun () ->
              use gate = new Gate()

              Scripted.connection patient (inPieces gate 6) (fun _ connection ->
                  let watch = Stopwatch.StartNew()
                  let pending = connection.Begin(ListOffsets.api, Script.askLatest, inTime 300)
                  Thread.Sleep 400
                  Expect.isFalse (pending.Receive()) "there is time for the rest"

                  while not (pending.Receive()) do
                      PendingCalls.WaitAny([| pending :> PendingCall |], ms 20_000) |> ignore

                  Expect.isGreaterThan watch.Elapsed (ms 600) "as much again"
                  Expect.isLessThan watch.Elapsed (ms 5_000) "and no more"
                  let exchange = within 1_000 "no wait" pending.Complete
                  Expect.isTrue (faultOf exchange.Result).IsTimedOut "the fault")) ]

let private many = manyOf held

let private asPending (calls: PendingCall<'T> array) : PendingCall array = calls |> Array.map (fun call -> call :> PendingCall)

/// No calls, and a count that takes its time when it is asked for the second time.
type private LateList() =
    let mutable asked = 0
    member val Delay = TimeSpan.Zero with get, set

    interface IReadOnlyList<PendingCall> with
        member _.Item
            with get _ = raise (ArgumentOutOfRangeException())

        member this.Count =
            asked <- asked + 1

            if asked % 3 = 2 then
                let watch = Stopwatch.StartNew()

                while watch.Elapsed < this.Delay do
                    Thread.SpinWait 1

            0

        member _.GetEnumerator() : IEnumerator<PendingCall> = (Seq.empty<PendingCall>).GetEnumerator()
        member _.GetEnumerator() : System.Collections.IEnumerator =
            (Seq.empty<PendingCall> :> System.Collections.IEnumerable).GetEnumerator()

// A thousand handshakes take some seconds.
let private manySecured = if Environment.GetEnvironmentVariable "LIBKAFKA_QUICK" = "1" then 100 else 1_000

let private waiting =
    testList
        "waiting for any of several"
        [ for isSecure, count in [ false, 1; false, 1_000; true, 1; true, manySecured ] do
              let kind = if isSecure then "TLS" else "plain"

              testCase (string count + " connections, " + kind + ": it wakes for the one that is answered, and marks it") (fun () ->
                  many isSecure count (fun gate connections ->
                      let calls = connections |> Array.map begin'
                      let pending = asPending calls
                      Expect.equal (PendingCalls.WaitAny(pending, TimeSpan.Zero)) 0 "none is ready"
                      Expect.equal (PendingCalls.WaitAny(pending, ms 50)) 0 "none becomes ready"
                      // Connections are counted in the order in which they were made.
                      let chosen = count / 2
                      gate.Open chosen
                      Expect.equal (PendingCalls.WaitAny(pending, ms 20_000)) 1 "one is ready"
                      let marked = pending |> Array.indexed |> Array.filter (fun (_, call) -> call.WasReady) |> Array.map fst
                      Expect.equal marked [| chosen |] "the one that was answered"
                      Expect.equal (PendingCalls.WaitAny(pending, ms 20_000)) 1 "it stays ready"
                      Expect.isOk (calls[chosen].Complete()).Result "its answer"
                      gate.Open()
                      let rest = pending |> Array.filter (fun call -> not call.IsCompleted) |> ResizeArray

                      while rest.Count > 0 do
                          Expect.isGreaterThan (PendingCalls.WaitAny(rest, ms 20_000)) 0 "some are ready"
                          rest.RemoveAll(fun call -> call.WasReady) |> ignore

                      for call in calls do
                          Expect.isOk (call.Complete()).Result "the answers"))

          testCase "cancelling wakes it, without any call being ready" (fun () ->
              many false 3 (fun _ connections ->
                  let pending = connections |> Array.map begin' |> asPending
                  use stop = new CancellationTokenSource(200)

                  Expect.equal
                      (within 10_000 "it wakes" (fun () -> PendingCalls.WaitAny(pending, ms 20_000, stop.Token)))
                      0
                      "none is ready"

                  Expect.equal (PendingCalls.WaitAny(pending, ms 20_000, stop.Token)) 0 "it does not wait again"
                  Expect.equal (PendingCalls.WaitAny(pending, ms 50)) 0 "and it works afterwards"))

          testCase "cancelling one of the calls makes that call ready" (fun () ->
              many false 3 (fun _ connections ->
                  use stop = new CancellationTokenSource()
                  let options = [| CallOptions.standard; CallOptions.cancelledBy stop.Token; CallOptions.standard |]

                  let calls =
                      Array.map2
                          (fun (connection: Connection) call -> connection.Begin(ListOffsets.api, Script.askLatest, call))
                          connections
                          options

                  stop.CancelAfter 200
                  Expect.equal (within 10_000 "it wakes" (fun () -> PendingCalls.WaitAny(asPending calls, ms 20_000))) 1 "one is ready"
                  Expect.isTrue calls[1].WasReady "the cancelled one"
                  Expect.equal (faultOf (calls[1].Complete()).Result) ClientFault.Cancelled "its fault"))

          testCase "the end of a call's time makes that call ready" (fun () ->
              many false 3 (fun _ connections ->
                  let calls =
                      connections
                      |> Array.mapi (fun index connection ->
                          connection.Begin(ListOffsets.api, Script.askLatest, (if index = 2 then inTime 200 else inTime 20_000)))

                  let watch = Stopwatch.StartNew()
                  Expect.equal (PendingCalls.WaitAny(asPending calls, Timeout.InfiniteTimeSpan)) 1 "one is ready"
                  Expect.isGreaterThan watch.Elapsed (ms 150) "not before"
                  Expect.isLessThan watch.Elapsed (ms 10_000) "and not long after"
                  Expect.isTrue calls[2].WasReady "the one whose time is over"))

          testCase "closing a connection in another thread makes its call ready" (fun () ->
              many false 3 (fun _ connections ->
                  let pending = connections |> Array.map begin' |> asPending
                  let closing = Task.Delay(200).ContinueWith(fun (_: Task) -> connections[1].Close())
                  Expect.equal (within 10_000 "it wakes" (fun () -> PendingCalls.WaitAny(pending, ms 20_000))) 1 "one is ready"
                  closing.Wait()
                  Expect.isTrue pending[1].WasReady "the one that was closed"))

          testCase "nothing to wait for is a pause, but not for ever" (fun () ->
              let watch = Stopwatch.StartNew()
              Expect.equal (PendingCalls.WaitAny([||], ms 100)) 0 "none is ready"
              Expect.isGreaterThan watch.Elapsed (ms 90) "the time"
              use stop = new CancellationTokenSource(100)
              let wait () = PendingCalls.WaitAny([||], Timeout.InfiniteTimeSpan, stop.Token)
              Expect.equal (within 10_000 "it wakes" wait) 0 "none is ready"
              Expect.throwsT<ArgumentException> (fun () -> PendingCalls.WaitAny([||], Timeout.InfiniteTimeSpan) |> ignore) "for ever"
              Expect.throwsT<ArgumentOutOfRangeException> (fun () -> PendingCalls.WaitAny([||], ms -2) |> ignore) "a negative time")

          testCase "a wait that ends a millisecond late is not taken for one without a limit" (fun () ->
              // One millisecond less than nothing is the value of Timeout.InfiniteTimeSpan, to the tick. Each round aims at it with its delay.
              use stop = new CancellationTokenSource(20_000)
              let late = LateList()

              for round in 0..2_999 do
                  late.Delay <- TimeSpan.FromMicroseconds(980.0 + float (round % 30))
                  Expect.equal (PendingCalls.WaitAny(late, TimeSpan.Zero, stop.Token)) 0 "none is ready"
                  Expect.isFalse stop.IsCancellationRequested "it did not wait for the cancellation")

          testCase "under TLS, what is not for the client does not make a call ready" (fun () ->
              // TLS 1.3 sends session tickets after the handshake.
              many true 1 (fun gate connections ->
                  let pending = connections |> Array.map begin' |> asPending
                  Expect.equal (PendingCalls.WaitAny(pending, ms 300)) 0 "none is ready"
                  Expect.isFalse pending[0].IsReady "it is not"
                  gate.Open()
                  Expect.equal (PendingCalls.WaitAny(pending, ms 20_000)) 1 "now it is")) ]

[<Tests>]
let tests = testList "pending call" [ pieces; testSequenced waiting ]
