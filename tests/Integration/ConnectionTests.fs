/// One connection, against brokers that break the protocol in every way that a connection must survive.
module LibKafka.Integration.ConnectionTests

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

let private ask (connection: Connection) = connection.Call(ListOffsets.api, Script.askLatest)

/// A valid response to `ask`, with an offset to identify it.
let private goodAnswer (offset: int64) (received: Received) : byte[] =
    Script.frame ListOffsets.api received (Script.found offset Script.askLatest)

let private offsetIn (exchange: Exchange<ListOffsets.Request, ListOffsets.Response>) : int64 =
    (ok exchange.Result).Topics[0].Partitions[0].Offset

/// The connection is closed, at both ends, and a further call neither sends nor reads anything.
let private staysClosed (broker: ScriptedBroker) (connection: Connection) =
    Expect.isFalse connection.IsOpen "the connection is closed"
    broker.AwaitEnd 0
    let sent = broker.Received.Length
    let exchange = ask connection

    match faultOf exchange.Result with
    | ClientFault.Unusable _ -> ()
    | other -> failtestf "a closed connection was used: %O" other

    Expect.isFalse exchange.Info.WasSent "nothing was sent"
    Expect.equal broker.Received.Length sent "nothing more arrived"

/// A call that ends with a fault because of what the broker does. The connection is then closed.
let private faultWhen (settings: ClientSettings) (act: Received -> Act list) (check: Exchange<_, _> -> ClientFault -> unit) =
    Scripted.connection settings act (fun broker connection ->
        let exchange = ask connection
        check exchange (faultOf exchange.Result)
        staysClosed broker connection)

let private isFault (expected: ClientFault) = fun (_: Exchange<_, _>) fault -> Expect.equal fault expected "the fault"

let private correlation =
    let answeredAs (change: int32 -> int32) (received: Received) =
        // The right response follows, so that a client that continued to read would find it.
        [ Act.Send(
              Script.frameFor
                  ListOffsets.api
                  received.Header.ApiVersion
                  (change received.Header.CorrelationId)
                  (Script.found 66L Script.askLatest)
          )
          Act.Send(goodAnswer 77L received) ]

    testList
        "correlation id"
        [ for name, change in
              [ "of the next request", (fun id -> id + 1)
                "of the request before, which has been answered", (fun id -> id - 1)
                "0", (fun _ -> 0)
                "negative", (fun id -> -id)
                "the largest", (fun _ -> Int32.MaxValue) ] do
              testCase ("correlation id is compared: a response with another one is refused, " + name) (fun () ->
                  faultWhen patient (answeredAs change) (fun exchange ->
                      let asked = exchange.Info.CorrelationId
                      isFault (ClientFault.WrongCorrelationId(asked, change asked)) exchange))

          testCase "each request has a higher correlation id, by which its response is recognized" (fun () ->
              let rest (received: Received) = [ Act.Send(goodAnswer (int64 received.Header.CorrelationId) received) ]

              Scripted.connection patient rest (fun broker connection ->
                  let exchanges = List.init 5 (fun _ -> ask connection)
                  let ids = exchanges |> List.map _.Info.CorrelationId
                  Expect.equal (broker.Calls |> List.map _.Header.CorrelationId) ids "the ids that were sent"
                  Expect.equal (List.distinct (List.sort ids)) ids "going upwards"
                  Expect.equal (exchanges |> List.map offsetIn) (ids |> List.map int64) "each has its own answer")) ]

/// The bytes that a call allocates in its thread.
let private allocatedBy (call: unit -> 'T) : int64 * 'T =
    let before = GC.GetAllocatedBytesForCurrentThread()
    let result = call ()
    GC.GetAllocatedBytesForCurrentThread() - before, result

let private thrift =
    testCase "a call allocates under 2 KB of its own" (fun () ->
        let act received = [ Act.Send(goodAnswer 1L received) ]

        Scripted.connection patient act (fun _ connection ->
            for _ in 1..50 do
                ask connection |> ignore

            let allocated, _ =
                allocatedBy (fun () ->
                    for _ in 1..100 do
                        ask connection |> ignore)

            Expect.isLessThan (allocated / 100L) 2048L "bytes for a call"))

let private lengths =
    let limit = Limits.standard.MaxFrameBytes

    let refused (length: int) =
        Scripted.connection patient (fun _ -> [ Act.Send(Script.length length) ]) (fun broker connection ->
            let allocated, exchange = allocatedBy (fun () -> ask connection)
            Expect.equal (faultOf exchange.Result) (ClientFault.BadFrameLength(length, limit)) "the fault"
            Expect.isLessThan allocated 1_000_000L "nothing was allocated for the frame"
            Expect.isLessThan exchange.Info.Elapsed (patient.CallTimeout / 2.0) "it was not waited for"
            Expect.equal exchange.Info.BytesIn 4 "what was read"
            staysClosed broker connection)

    /// A connection whose limit differs from the length of the response by this number of bytes.
    let limitedTo (difference: int) (check: int -> Exchange<_, _> -> unit) =
        let brokers =
            List.init 50 (fun i ->
                { Metadata.broker.Default with NodeId = i; Host = "a-broker-with-a-long-name"; Port = 9092 }: Metadata.Broker)
        let response = { Script.metadata { Host = "h"; Port = 1 } [] with Brokers = brokers }
        let version = Metadata.api.Versions.Highest
        let size = (Script.frameFor Metadata.api version 1 response).Length - 4
        let settings = { patient with Limits = { Limits.standard with MaxFrameBytes = size + difference } }

        Scripted.connection settings (fun received -> Script.answer Metadata.api received response) (fun _ connection ->
            check size (Cluster.Metadata(connection, None)))

    testList
        "frame length"
        [ testCase "length -1 is a fault" (fun () -> refused -1)
          testCase "length 0 is a fault" (fun () -> refused 0)
          testCase "a length too short for a correlation id is a fault" (fun () -> refused 3)
          testCase "the smallest integer as a length is a fault" (fun () -> refused Int32.MinValue)
          testCase "frame size is checked before allocation: 2^31 - 1" (fun () -> refused Int32.MaxValue)
          testCase "frame size is checked before allocation: one byte above the limit" (fun () -> refused (limit + 1))

          testCase "a frame as long as the limit is read" (fun () ->
              limitedTo 0 (fun _ exchange -> Expect.hasLength (ok exchange.Result).Brokers 50 "all of it"))

          testCase "a frame a byte longer than the limit is not" (fun () ->
              limitedTo -1 (fun size ->
                  fun exchange -> Expect.equal (faultOf exchange.Result) (ClientFault.BadFrameLength(size, size - 1)) "the fault")) ]

/// A broker is not trusted before it has reported its versions: what it may make the client take is limited to 1 MiB.
let private beforeAuthentication =
    let mebibyte = 1024 * 1024

    /// The fault of connecting to a broker that responds to ApiVersions with these bytes, and the memory that it took.
    let refused (act: Received -> Act list) : ClientFault * int64 =
        let mutable found = ClientFault.Cancelled, 0L

        Scripted.broker (fun _ -> act) (fun broker ->
            let allocated, opened = allocatedBy (fun () -> Connection.Open(patient, broker.Address))
            found <- faultOf opened, allocated)

        found

    testList
        "limits before authentication"
        [ testCase "a frame above 1 MiB is refused before anything is allocated for it" (fun () ->
              let fault, allocated = refused (fun _ -> [ Act.Send(Script.length (mebibyte + 1)) ])
              Expect.equal fault (ClientFault.BadFrameLength(mebibyte + 1, mebibyte)) "the fault"
              Expect.isLessThan allocated 1_000_000L "the memory")

          testCase "versions whose values take more than 1 MiB are refused, although the frame is smaller" (fun () ->
              let many = List.replicate 50_000 (Script.versions ApiKey.Fetch 0 1)
              let response = Script.versionsResponse ErrorCode.None many
              let fault, _ = refused (fun received -> Script.answer ApiVersions.api received response)

              match fault with
              | ClientFault.Malformed fault -> Expect.equal fault.Problem (Problem.DecodedTooLarge(int64 mebibyte)) "the problem"
              | other -> failtestf "%O" other)

          testCase "afterwards the limits are those of the settings" (fun () ->
              let brokers =
                  List.init 20_000 (fun i -> { NodeId = i; Host = "a-broker-with-a-long-name"; Port = 9092; Rack = None }: Metadata.Broker)

              let response = { Script.metadata { Host = "h"; Port = 1 } [] with Brokers = brokers }
              let answered received = Script.answer Metadata.api received response

              Scripted.connection patient answered (fun _ connection ->
                  Expect.hasLength (ok (Cluster.Metadata(connection, None)).Result).Brokers 20_000 "all of a large response")

              let settings = { patient with Limits = { Limits.standard with MaxDecodedBytes = 100_000L } }

              Scripted.connection settings answered (fun _ connection ->
                  match faultOf (Cluster.Metadata(connection, None)).Result with
                  | ClientFault.Malformed fault -> Expect.equal fault.Problem (Problem.DecodedTooLarge 100_000L) "the problem"
                  | other -> failtestf "%O" other)) ]

let private cuts =
    let half (received: Received) =
        let frame = goodAnswer 1L received
        Array.sub frame 0 (4 + (frame.Length - 4) / 2)

    let butOne (received: Received) =
        let frame = goodAnswer 1L received
        Array.sub frame 0 (frame.Length - 1)

    let cutAfter (bytes: Received -> byte[]) (ending: Act) =
        let mutable sent = 0

        let act received =
            let part = bytes received
            Volatile.Write(&sent, part.Length)
            [ Act.Send part; ending ]

        act, fun () -> Volatile.Read &sent

    let isEnd (exchange: Exchange<_, _>) fault =
        Expect.equal fault ClientFault.Closed "the fault"
        Expect.isTrue exchange.Info.WasSent "the request may have been carried out"

    testList
        "connection cut"
        [ testCase "before a response" (fun () -> faultWhen patient (fun _ -> [ Act.Close ]) isEnd)
          testCase "by a reset" (fun () -> faultWhen patient (fun _ -> [ Act.Reset ]) isEnd)

          for name, part in
              [ "within the length", (goodAnswer 1L >> Array.truncate 2)
                "after the length", (goodAnswer 1L >> Array.truncate 4)
                "within the correlation id", (goodAnswer 1L >> Array.truncate 6)
                "after half of the answer", half
                "a byte before the end", butOne ] do
              testCase ("in mid-response: " + name) (fun () ->
                  let act, sent = cutAfter part Act.Close

                  faultWhen patient act (fun exchange fault ->
                      isEnd exchange fault
                      Expect.equal exchange.Info.BytesIn (sent ()) "what came of the answer is counted")) ]

let private bodies =
    testList
        "body"
        [ testCase "a truncated response is malformed, and the fault says where" (fun () ->
              let host = String('h', 50)

              let act received =
                  let whole = Script.frame Metadata.api received (Script.metadata { Host = host; Port = 1 } [])
                  // The host begins at byte 15 of the frame; 20 of its bytes are left.
                  [ Act.Send(Script.framed (ReadOnlySpan(whole, 4, 35))) ]

              Scripted.connection patient act (fun broker connection ->
                  match faultOf (Cluster.Metadata(connection, None)).Result with
                  | ClientFault.Malformed fault ->
                      Expect.equal fault.Path "MetadataResponse/Brokers[0]/Host" "the path"
                      Expect.equal fault.Problem (Problem.Truncated(50L, 20)) "the problem"
                      Expect.equal fault.Offset 15 "the offset, from the start of the frame"
                  | other -> failtestf "%O" other

                  staysClosed broker connection))

          testCase "a response of only a correlation id is malformed" (fun () ->
              let act (received: Received) =
                  let whole = goodAnswer 1L received
                  [ Act.Send(Script.framed (ReadOnlySpan(whole, 4, 4))) ]

              faultWhen patient act (fun _ fault ->
                  match fault with
                  | ClientFault.Malformed _ -> ()
                  | other -> failtestf "%O" other))

          testCase "bytes after a response are ignored and counted, and the next response is found" (fun () ->
              let act (received: Received) =
                  let whole = goodAnswer (int64 received.Header.CorrelationId) received
                  [ Act.Send(Script.framed (ReadOnlySpan(Array.append whole [| 1uy; 2uy; 3uy |], 4, whole.Length - 4 + 3))) ]

              Scripted.connection patient act (fun _ connection ->
                  for _ in 1..3 do
                      let exchange = ask connection
                      Expect.equal (offsetIn exchange) (int64 exchange.Info.CorrelationId) "its own answer"
                      Expect.equal exchange.Info.UnreadBytes 3 "the unread bytes")) ]

/// Settings in which a call may take this long.
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

let private refusals =
    /// A request with a field that this version does not have.
    let lossy: Metadata.Request =
        { Metadata.request.Default with
            Topics = Some []
            AllowAutoTopicCreation = false
            IncludeTopicAuthorizedOperations = true }

    let refused (version: int16) (check: Fault -> unit) =
        Scripted.connection patient (fun received -> [ Act.Send(goodAnswer 5L received) ]) (fun broker connection ->
            let exchange = connection.CallAt(version, Metadata.api, lossy)

            match faultOf exchange.Result with
            | ClientFault.CannotEncode fault -> check fault
            | other -> failtestf "%O" other

            Expect.isFalse exchange.Info.WasSent "nothing was sent"
            Expect.isTrue connection.IsOpen "the connection is as good as before"
            Expect.equal (offsetIn (ask connection)) 5L "and usable"
            Expect.equal (broker.Calls |> List.map _.Header.ApiKey) [ ApiKey.ListOffsets ] "what arrived")

    testList
        "requests that cannot be written"
        [ testCase "a field that the version cannot carry: nothing is sent, the connection stays usable" (fun () ->
              refused 4s (fun fault ->
                  Expect.equal fault.Problem (Problem.LossyField 4s) "the problem"
                  Expect.equal fault.Path "MetadataRequest/IncludeTopicAuthorizedOperations" "the path"))

          testCase "a version that does not exist: nothing is sent, the connection stays usable" (fun () ->
              refused 99s (fun fault ->
                  let known = Metadata.api.Versions
                  Expect.equal fault.Problem (Problem.UnsupportedVersion(99s, known.Lowest, known.Highest)) "the problem"))

          testCase "null, also after a batch that is sent from where it is: nothing is sent, the next call is as it should be" (fun () ->
              Scripted.connection patient (fun received -> [ Act.Send(goodAnswer 5L received) ]) (fun broker connection ->
                  let nothing: string = Unchecked.defaultof<string>
                  let large = Bytes(Array.zeroCreate<byte> 100_000)

                  let topic name : Produce.TopicData =
                      { Name = name; TopicId = Guid.Empty; Partitions = [ { Index = 0; Records = Some large } ] }

                  let calls: (unit -> ClientFault) list =
                      [ (fun () ->
                            let request = { Produce.request.Default with Acks = Acks.All; Topics = [ topic "t"; topic nothing ] }
                            faultOf (connection.CallAt(9s, Produce.api, request)).Result)
                        (fun () ->
                            let request = { Produce.request.Default with Acks = Acks.None; Topics = [ topic "t"; topic nothing ] }
                            faultOf (connection.SendAt(9s, Produce.api, request)).Result)
                        (fun () -> faultOf (Cluster.Metadata(connection, Some [ "t"; nothing ])).Result)
                        (fun () -> faultOf (connection.Call(Metadata.api, Unchecked.defaultof<Metadata.Request>)).Result)
                        (fun () -> faultOf (Cluster.FindCoordinator(connection, CoordinatorType.Group, nothing)).Result) ]

                  for call in calls do
                      match call () with
                      | ClientFault.CannotEncode fault -> Expect.equal fault.Problem Problem.NullNotAllowed "the problem"
                      | other -> failtestf "%O" other

                      Expect.equal (offsetIn (ask connection)) 5L "the next call"

                  Expect.allEqual (broker.Calls |> List.map _.Header.ApiKey) ApiKey.ListOffsets "what arrived")) ]

let private exchanges =
    testList
        "exchange"
        [ testCase "it has the facts of the request: bytes, version, correlation id, broker, time" (fun () ->
              let act received = [ Act.Do(fun () -> Thread.Sleep 20); Act.Send(goodAnswer 1L received) ]
              let before = DateTimeOffset.UtcNow

              Scripted.connection patient act (fun broker connection ->
                  let sentBefore = broker.BytesOut
                  let exchange = ask connection
                  let info = exchange.Info
                  let received = List.last broker.Received
                  Expect.equal info.Api ApiKey.ListOffsets "the API"
                  Expect.equal info.Version received.Header.ApiVersion "the version"
                  Expect.equal info.CorrelationId received.Header.CorrelationId "the correlation id"
                  Expect.equal info.BytesOut received.Size "bytes out are those that the broker received"
                  Expect.equal (int64 info.BytesIn) (broker.BytesOut - sentBefore) "bytes in are those that the broker sent"
                  Expect.equal info.UnreadBytes 0 "nothing was left unread"
                  Expect.equal info.Broker (Some broker.Address) "the broker"
                  Expect.equal info.Fault None "no fault"
                  Expect.equal exchange.Request Script.askLatest "the request as it was asked"
                  Expect.isGreaterThanOrEqual info.Elapsed (ms 20) "it took as long as the broker did"
                  Expect.isGreaterThanOrEqual info.Began before "it began after the test"
                  Expect.isLessThanOrEqual info.Began DateTimeOffset.UtcNow "and is over"))

          testCase "every request has the client's name" (fun () ->
              let settings = { patient with ClientId = "somebody" }

              Scripted.connection settings (fun received -> [ Act.Send(goodAnswer 1L received) ]) (fun broker connection ->
                  ask connection |> ignore
                  Expect.equal (broker.Received |> List.map _.Header.ClientId) [ Some "somebody"; Some "somebody" ] "both requests"))

          testCase "an exception of the observer while connecting reaches the caller, and the socket is closed" (fun () ->
              Scripted.broker (fun _ -> Script.knowing Script.everything Script.unexpected) (fun broker ->
                  let settings = { patient with Observe = fun _ -> failwith "the disk is full" }

                  Expect.throwsC (fun () -> Connection.Open(settings, broker.Address) |> ignore) (fun error ->
                      Expect.equal error.Message "the disk is full" "the observer's own")

                  broker.AwaitEnd 0))

          testCase "the observer gets each exchange once, including failed ones, in the calling thread" (fun () ->
              let observer = Observer()

              let act (received: Received) =
                  if received.Header.CorrelationId > 2 then [ Act.Close ] else [ Act.Send(goodAnswer 1L received) ]

              Scripted.connection { patient with Observe = observer.Note } act (fun _ connection ->
                  let good = ask connection
                  let unwritten = connection.CallAt(99s, ListOffsets.api, Script.askLatest)
                  let cut = ask connection
                  let unusable = ask connection
                  let versions, calls = List.splitAt 1 observer.Exchanges
                  Expect.equal (versions |> List.map _.Api) [ ApiKey.ApiVersions ] "what the client asks for itself"
                  Expect.equal calls [ good.Info; unwritten.Info; cut.Info; unusable.Info ] "each call, in order"

                  let isFaulty = calls |> List.map _.Fault.IsSome
                  Expect.equal isFaulty [ false; true; true; true ] "which failed"
                  Expect.equal observer.Threads [ Environment.CurrentManagedThreadId ] "the caller's thread")) ]

let private noAnswer =
    let batchRequest acks : Produce.Request =
        { Produce.request.Default with
            Acks = acks
            TimeoutMs = 1000
            Topics = [ { Name = "t"; TopicId = Guid.Empty; Partitions = [ { Index = 0; Records = Some (batch "r" 1).Bytes } ] } ] }

    let sendUnasked (connection: Connection) = connection.SendAt(12s, Produce.api, batchRequest Acks.None)

    testList
        "requests without a response"
        [ testCase "acks=0 does not wait for a response, and the connection is usable afterwards" (fun () ->
              let act (received: Received) =
                  match received.Request with
                  | Request.Produce { Acks = acks } when acks = Acks.None -> []
                  | _ -> [ Act.Send(goodAnswer 8L received) ]

              Scripted.connection patient act (fun broker connection ->
                  for _ in 1..3 do
                      let exchange = sendUnasked connection
                      ok exchange.Result
                      Expect.isLessThan exchange.Info.Elapsed (patient.CallTimeout / 2.0) "it returned at once"
                      Expect.equal exchange.Info.BytesIn 0 "nothing was read"

                  Expect.equal (offsetIn (ask connection)) 8L "the next call has its answer"
                  Expect.equal broker.Connections 1 "on the same connection"
                  Expect.hasLength broker.Calls 4 "all of it arrived"))

          testCase "a broker that responds to acks=0 does not confuse the next call" (fun () ->
              let act (received: Received) =
                  match received.Request with
                  | Request.Produce request -> Script.answer Produce.api received (Script.produced id request)
                  | _ -> [ Act.Send(goodAnswer 9L received) ]

              Scripted.connection patient act (fun broker connection ->
                  for _ in 1..3 do
                      ok (sendUnasked connection).Result

                  for _ in 1..2 do
                      Expect.equal (offsetIn (ask connection)) 9L "its own answer"

                  Expect.equal broker.Connections 1 "on the same connection"))

          testCase "a second response to a request is refused" (fun () ->
              let act (received: Received) =
                  match received.Request with
                  | Request.Produce _ -> []
                  | _ -> [ Act.Send(goodAnswer 9L received); Act.Send(goodAnswer 9L received) ]

              Scripted.connection patient act (fun broker connection ->
                  ask connection |> offsetIn |> ignore
                  let answered = connection.BrokerVersions.Count
                  Expect.isGreaterThan answered 0 "the versions were told"

                  match faultOf (ask connection).Result with
                  | ClientFault.WrongCorrelationId _ -> ()
                  | other -> failtestf "%O" other

                  staysClosed broker connection)) ]

let private closing =
    testList
        "closing"
        [ testCase "a connection that its caller closes is closed at both ends, and later calls report that" (fun () ->
              Scripted.connection patient Script.unexpected (fun broker connection ->
                  connection.Close()
                  Expect.equal (faultOf (ask connection).Result) (ClientFault.Unusable "closed by the caller") "the fault"
                  staysClosed broker connection
                  // Closing it again is harmless.
                  connection.Close()))

          testCase "a closed connection reports why it was closed" (fun () ->
              Scripted.connection patient (fun _ -> [ Act.Close ]) (fun _ connection ->
                  ask connection |> ignore
                  Expect.equal (faultOf (ask connection).Result) (ClientFault.Unusable(ClientFault.Closed.ToString())) "the fault")) ]

let private hosts =
    let answered (host: string) (at: IPAddress) =
        let script _ = Script.knowing Script.everything (fun received -> [ Act.Send(goodAnswer 1L received) ])
        use broker = new ScriptedBroker(script, at)
        use connection = Connection.Open(patient, { broker.Address with Host = host }) |> ok
        Expect.equal (offsetIn (ask connection)) 1L "a response"

    testList
        "host"
        [ testCase "by name" (fun () -> answered "localhost" IPAddress.Loopback)
          testCase "by address" (fun () -> answered "127.0.0.1" IPAddress.Loopback)

          testCase "by an address of IPv6" (fun () ->
              if not Loopback.hasIPv6 then skiptest "this machine has no IPv6"
              answered "::1" IPAddress.IPv6Loopback) ]

/// The runtime has one thread that watches non-blocking sockets, and a pool for their completions. A blocking socket needs neither.
/// Measured while no other test runs.
let private threads =
    testSequenced (
        testList
            "threads"
            [ testCase "calls wait in the caller's own thread and use no thread of the pool" (fun () ->
                  let calls = 300

                  Scripted.connection patient (fun received -> [ Act.Send(goodAnswer 1L received) ]) (fun _ connection ->
                      let run () =
                          for _ in 1..calls do
                              ask connection |> offsetIn |> ignore

                      run ()
                      let before = ThreadPool.CompletedWorkItemCount
                      run ()
                      let items = ThreadPool.CompletedWorkItemCount - before
                      // The test runner may have queued some work too.
                      Expect.isLessThan items (int64 calls / 10L) "work items of the pool")) ]
    )

[<Tests>]
let tests =
    testList
        "connection"
        [ correlation
          lengths
          beforeAuthentication
          cuts
          bodies
          deadlines
          cancellation
          refusals
          exchanges
          noAnswer
          closing
          hosts
          threads
          thrift ]
