/// One connection: what is sent, what is reported, and how it ends.
module LibKafka.Integration.ConnectionCallTests

open System
open System.Net
open System.Threading
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support
open LibKafka.Integration.ConnectionSupport

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
let tests = testList "connection" [ refusals; exchanges; noAnswer; closing; hosts; threads ]
