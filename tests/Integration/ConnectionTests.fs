/// One connection, against brokers that break the protocol in every way that a connection must survive.
module LibKafka.Integration.ConnectionTests

open System
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support
open LibKafka.Integration.ConnectionSupport

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

[<Tests>]
let tests = testList "connection" [ correlation; lengths; beforeAuthentication; cuts; bodies; thrift ]
