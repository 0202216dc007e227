/// Calls on one connection that run out of time or are cancelled.
module LibKafka.Integration.ConnectionTimeTests

open System
open System.Diagnostics
open System.Net
open System.Net.Sockets
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support
open LibKafka.Integration.ConnectionSupport

let private within (limit: TimeSpan) = { patient with CallTimeout = limit }

let private timesOut (limit: TimeSpan) (elapsed: TimeSpan) (fault: ClientFault) =
    Expect.equal fault (ClientFault.TimedOut limit) "the fault"
    Expect.isGreaterThanOrEqual elapsed (limit * 0.95) "not before its time"
    // Far below the time that the brokers in these tests need to respond, far above the delay of a busy machine.
    Expect.isLessThan elapsed (limit * 3.0 + ms 800) "not long after it"

let private deadlines =
    let limit = ms 300

    testList
        "deadline"
        [ testCase "a broker that accepts a request and never responds" (fun () ->
              faultWhen (within limit) (fun _ -> []) (fun exchange fault -> timesOut limit exchange.Info.Elapsed fault))

          testCase "there is one deadline for a whole call: single bytes do not extend it" (fun () ->
              // At this pace the response takes four seconds, and each byte arrives long before the deadline.
              let act received = [ Act.Trickle(goodAnswer 1L received, ms 90) ]

              faultWhen (within limit) act (fun exchange fault ->
                  timesOut limit exchange.Info.Elapsed fault
                  Expect.isGreaterThan exchange.Info.BytesIn 0 "bytes came"))

          testCase "a broker that does not read what is sent" (fun () ->
              // The broker does not read from its socket, and the system's buffers are soon full.
              let listener, address = Loopback.listen IPAddress.Loopback 1
              use _ = listener
              let operation = operation { patient with CallTimeout = limit }
              let deadline = operation.Deadline
              use transport = transportTo address operation

              let fault =
                  try
                      transport.Write([ ArraySegment(Array.zeroCreate<byte> 64_000_000) ], deadline)
                      None
                  with error ->
                      Some(transport.Fault(operation, error))

              Expect.isSome fault "64 MB have nowhere to go"
              timesOut limit deadline.Elapsed fault.Value
              Expect.isGreaterThan transport.BytesOut 0L "some was sent"
              Expect.isLessThan transport.BytesOut 64_000_000L "but not all")

          testCase "a broker that reads slowly does not extend the deadline" (fun () ->
              let listener, address = Loopback.listen IPAddress.Loopback 1
              use _ = listener
              listener.ReceiveBufferSize <- 4096
              let operation = operation { patient with CallTimeout = limit }
              let deadline = operation.Deadline
              use transport = transportTo address operation

              let sip () =
                  try
                      use socket = listener.Accept()
                      let buffer = Array.zeroCreate<byte> 16_384

                      while socket.Receive buffer > 0 do
                          Thread.Sleep 30
                  with :? SocketException ->
                      ()

              Thread(sip, IsBackground = true).Start()

              let fault =
                  try
                      transport.Write(
                          [ ArraySegment(Array.zeroCreate<byte> 1_000); ArraySegment(Array.zeroCreate<byte> 64_000_000) ],
                          deadline
                      )
                      None
                  with error ->
                      Some(transport.Fault(operation, error))

              Expect.isSome fault "64 MB take two minutes at this pace"
              timesOut limit deadline.Elapsed fault.Value)

          testCase "a broker that never reports its versions: connecting times out" (fun () ->
              Scripted.broker (fun _ _ -> []) (fun broker ->
                  let settings = { patient with ConnectTimeout = limit }
                  let clock = Stopwatch.StartNew()
                  let fault = faultOf (Connection.Open(settings, broker.Address))
                  timesOut limit clock.Elapsed fault
                  broker.AwaitEnd 0))

          testCase "a host that does not respond: connecting times out" (fun () ->
              let listener, address = Loopback.listen IPAddress.Loopback 0
              use _ = listener
              use _ = transportTo address (operation patient)
              let clock = Stopwatch.StartNew()
              let fault = faultOf (Connection.Open({ patient with ConnectTimeout = limit }, address))
              timesOut limit clock.Elapsed fault)

          testCase "time-outs are values, not global state: two simultaneous connections have different ones" (fun () ->
              Scripted.broker (fun _ -> Script.knowing Script.everything (fun _ -> [])) (fun broker ->
                  let timeOut (limit: TimeSpan) =
                      use connection = Connection.Open(within limit, broker.Address) |> ok
                      let exchange = ask connection
                      limit, exchange.Info.Elapsed, faultOf exchange.Result

                  let results = ResizeArray()

                  let inThread limit =
                      Thread(fun () ->
                          let result = timeOut limit
                          lock results (fun () -> results.Add result))

                  let threads = [ inThread (ms 200); inThread (ms 900) ]

                  for thread in threads do
                      thread.Start()

                  for thread in threads do
                      thread.Join()

                  Expect.hasLength results 2 "both ran"

                  for limit, elapsed, fault in results do
                      timesOut limit elapsed fault)) ]

let private cancellation =
    testList
        "cancellation"
        [ testCase "it wakes a call that waits for its response" (fun () ->
              use source = new CancellationTokenSource()

              Scripted.connection patient (fun _ -> [ Act.Do source.Cancel ]) (fun broker connection ->
                  let exchange = connection.Call(ListOffsets.api, Script.askLatest, CallOptions.cancelledBy source.Token)
                  Expect.equal (faultOf exchange.Result) ClientFault.Cancelled "the fault"
                  Expect.isLessThan exchange.Info.Elapsed (patient.CallTimeout / 2.0) "soon"
                  Expect.isTrue exchange.Info.WasSent "the request may have been carried out"
                  staysClosed broker connection))

          testCase "it wakes a connection that waits for the broker's versions" (fun () ->
              use source = new CancellationTokenSource()

              Scripted.broker (fun _ _ -> [ Act.Do source.Cancel ]) (fun broker ->
                  let clock = Stopwatch.StartNew()
                  Expect.equal
                      (faultOf (Connection.Open(patient, broker.Address, CallOptions.cancelledBy source.Token)))
                      ClientFault.Cancelled
                      "the fault"
                  Expect.isLessThan clock.Elapsed (patient.ConnectTimeout / 2.0) "soon"
                  broker.AwaitEnd 0))

          testCase "it wakes a connection that waits for the host" (fun () ->
              let listener, address = Loopback.listen IPAddress.Loopback 0
              use _ = listener
              use _ = transportTo address (operation patient)
              use source = new CancellationTokenSource(100)
              let clock = Stopwatch.StartNew()
              Expect.equal
                  (faultOf (Connection.Open(patient, address, CallOptions.cancelledBy source.Token)))
                  ClientFault.Cancelled
                  "the fault"
              Expect.isLessThan clock.Elapsed (patient.ConnectTimeout / 2.0) "soon")

          testCase "it leaves a partition's client usable: the next call makes a new connection" (fun () ->
              use source = new CancellationTokenSource()

              let answer (received: Received) =
                  if source.IsCancellationRequested then
                      [ Act.Send(goodAnswer 5L received) ]
                  else
                      [ Act.Do source.Cancel ]

              Scripted.partition patient answer (fun _ client ->
                  use fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
                  Expect.equal
                      (faultOf (fetcher.FindOffset(OffsetSpec.Latest, CallOptions.cancelledBy source.Token)).Result)
                      ClientFault.Cancelled
                      "the fault"
                  Expect.isNone client.Connection "its connection is gone"
                  Expect.equal (fetcher.FindOffset OffsetSpec.Latest).Offset (Some 5L) "the next call"))

          testCase "a call that is cancelled beforehand sends nothing, and the connection stays open" (fun () ->
              Scripted.connection patient (fun received -> [ Act.Send(goodAnswer 1L received) ]) (fun broker connection ->
                  let exchange = connection.Call(ListOffsets.api, Script.askLatest, CallOptions.cancelledBy (CancellationToken true))
                  Expect.equal (faultOf exchange.Result) ClientFault.Cancelled "the fault"
                  Expect.isFalse exchange.Info.WasSent "nothing was sent"
                  Expect.isTrue connection.IsOpen "the connection is open"
                  Expect.isOk (ask connection).Result "the next call"
                  Expect.hasLength broker.Calls 1 "only that arrived"))

          testCase "at any moment, the call succeeds or is cancelled, and the connection is usable or closed" (fun () ->
              // A response that takes a while to decode, so that some cancellations happen during that.
              let slow =
                  let partition = ((Script.found 1L Script.askLatest).Topics[0]).Partitions[0]
                  let partitions = List.init 100_000 (fun i -> { partition with PartitionIndex = i })

                  // It is always the second request on its connection.
                  Script.frameFor
                      ListOffsets.api
                      ListOffsets.api.Versions.Highest
                      2
                      { ListOffsets.response.Default with Topics = [ { Name = "t"; Partitions = partitions } ] }

              let source = ref (new CancellationTokenSource())

              let act (received: Received) =
                  match received.Request with
                  | Request.ListOffsets request when request.TimeoutMs > 0 ->
                      let cancelLater () =
                          Thread.Sleep(request.TimeoutMs - 1)
                          (Volatile.Read &source.contents).Cancel()

                      [ Act.Send slow; Act.Do cancelLater ]
                  | _ -> [ Act.Send(goodAnswer 2L received) ]

              Scripted.broker (fun _ -> Script.knowing Script.everything act) (fun broker ->
                  for round in 0..29 do
                      Volatile.Write(&source.contents, new CancellationTokenSource())
                      use connection = Connection.Open(patient, broker.Address) |> ok
                      let request = { Script.askLatest with TimeoutMs = 1 + round / 2 }
                      let exchange = connection.Call(ListOffsets.api, request, CallOptions.cancelledBy source.Value.Token)

                      match exchange.Result with
                      | Ok _
                      | Error ClientFault.Cancelled -> ()
                      | Error other -> failtestf "%O" other

                      let wasOpen = connection.IsOpen

                      match (ask connection).Result with
                      | Ok _ -> Expect.isTrue wasOpen "it was whole"
                      | Error(ClientFault.Unusable _) -> Expect.isFalse wasOpen "it was known to be closed"
                      | Error other -> failtestf "half a connection was left: %O" other)) ]

[<Tests>]
let tests = testList "connection" [ deadlines; cancellation ]
