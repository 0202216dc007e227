/// Calls of any API through the façade, with messages as JSON or bytes.
module LibKafka.Integration.FacadeRawTests

open System
open System.Text.Json
open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Wire
open LibKafka.Integration.FacadeSupport

/// A connection to a broker that answers everything but the look-ups by `rest`.
let private connected (rest: Received -> Act list) (test: KafkaConnection -> unit) =
    scripted rest (fun options ->
        use connection = KafkaCluster.Connect(options).ThrowIfError()
        test connection)

let private found: DescribeCluster.Response =
    { DescribeCluster.response.Default with
        ThrottleTimeMs = 250
        ClusterId = "c"
        ControllerId = 3
        Brokers = [ { DescribeCluster.broker.Default with BrokerId = 3; Host = "h"; Port = 9 } ] }

let private describing (received: Received) =
    match received.Request with
    | Request.DescribeCluster _ -> Script.answer DescribeCluster.api received found
    | _ -> Script.unexpected received

let private encoded (version: int16) (message: Message<'T>) (value: 'T) : ReadOnlyMemory<byte> =
    match Message.encode version message value with
    | Ok bytes -> bytes.Memory
    | Error fault -> failtestf "%O" fault

let private refused (result: KafkaResult<'T>) (text: string) =
    let fault = there result.Fault
    Expect.equal fault.Kind KafkaFaultKind.CannotEncode "the kind"
    Expect.stringContains (fault.ToString() + " " + string fault.Path) text "the place"
    Expect.isFalse (result.Exchanges |> Seq.exists _.WasSent) "nothing was sent"

[<Tests>]
let tests =
    testList
        "façade, raw calls"
        [ testCase "a request in JSON gets a response in JSON, at the highest common version" (fun () ->
              connected describing (fun connection ->
                  let result = connection.Call(ApiKey.DescribeCluster, """{ "includeClusterAuthorizedOperations": true }""")
                  use response = JsonDocument.Parse(result.ThrowIfError())
                  Expect.equal (response.RootElement.GetProperty("clusterId").GetString()) "c" "a field"
                  let broker = response.RootElement.GetProperty("brokers").EnumerateArray() |> Seq.exactlyOne
                  Expect.equal (broker.GetProperty("port").GetInt32()) 9 "a field in a list"
                  let exchange = there result.Exchange
                  Expect.equal (exchange.Api, exchange.Version) (ApiKey.DescribeCluster, DescribeCluster.api.Versions.Highest) "the call"
                  Expect.equal result.ThrottleTime (TimeSpan.FromMilliseconds 250.0) "the throttle time"))

          testCase "the version and the options of the call can be given" (fun () ->
              connected describing (fun connection ->
                  let result = connection.Call(ApiKey.DescribeCluster, "{}", Nullable 0s, CallOptions(Attempt = 4))
                  let exchange = there result.Exchange
                  Expect.equal (exchange.Version, exchange.Attempt) (0s, 4) "as given"
                  let bytes =
                      connection.Call(ApiKey.DescribeCluster, ReadOnlyMemory [| 0uy; 0uy |], Nullable 0s, CallOptions(Attempt = 5))
                  Expect.equal (there bytes.Exchange).Attempt 5 "with bytes, too"))

          testCase "a request in bytes gets the bytes of the response, unchanged" (fun () ->
              connected describing (fun connection ->
                  let api = DescribeCluster.api

                  for version in api.Versions.ToList() do
                      let request = encoded version api.Request api.Request.Schema.Default
                      let result = connection.Call(ApiKey.DescribeCluster, request, Nullable version)
                      let expected = encoded version api.Response found
                      Expect.isTrue (result.ThrowIfError().Span.SequenceEqual expected.Span) "the bytes"
                      Expect.equal (there result.Exchange).Version version "the version"
                      Expect.equal result.ThrottleTime (TimeSpan.FromMilliseconds 250.0) "the throttle time"))

          testCase "a request that is not valid is a fault, and nothing is sent" (fun () ->
              connected Script.unexpected (fun connection ->
                  refused (connection.Call(ApiKey.DescribeCluster, "{")) "JSON"
                  refused (connection.Call(ApiKey.DescribeCluster, """{ "nosuchField": 1 }""")) "nosuchField"
                  refused (connection.Call(ApiKey.DescribeCluster, "{}", Nullable 99s)) "99"
                  refused (connection.Call(ApiKey.DescribeCluster, ReadOnlyMemory [| 1uy |], Nullable 1s)) "DescribeClusterRequest"
                  refused
                      (connection.Call(ApiKey.DescribeCluster, ReadOnlyMemory(Array.zeroCreate 9), Nullable 0s))
                      "DescribeClusterRequest"
                  refused (connection.Call(ApiKey 999s, "{}")) "999"
                  refused (connection.Call(ApiKey 999s, ReadOnlyMemory.Empty)) "999"
                  Expect.isTrue connection.IsOpen "the connection stays open"))

          testCase "after any request that is refused the next one is sent as it should be" (fun () ->
              let finding (received: Received) =
                  match received.Request with
                  | Request.FindCoordinator request when request.Key = "good" ->
                      Script.answer FindCoordinator.api received { FindCoordinator.response.Default with NodeId = 3 }
                  | _ -> Script.unexpected received

              connected finding (fun connection ->
                  let inJson (json: string) = connection.Call(ApiKey.FindCoordinator, json, Nullable 2s) |> ignore

                  let inBytes (hex: string) =
                      connection.Call(ApiKey.FindCoordinator, ReadOnlyMemory(Convert.FromHexString hex), Nullable 2s) |> ignore

                  let refusals: (unit -> unit) list =
                      [ (fun () -> inJson """{ "key": null }""")
                        (fun () -> inJson """{ "key": "half of a pair: \ud800" }""")
                        (fun () -> inJson """{ "key": "x", "\udc00": 1 }""")
                        (fun () -> inJson ("""{ "key": """ + "\"" + String('x', 40_000) + "\" }"))
                        (fun () -> inJson """{ "key": "x", "keyType": 1000 }""")
                        (fun () -> inJson """{ "key": [ "x" ] }""")
                        (fun () -> inJson "null")
                        (fun () -> inJson "")
                        (fun () -> inJson (String('[', 100)))
                        (fun () -> inBytes "")
                        (fun () -> inBytes "ffff00")
                        (fun () -> inBytes "7fff78")
                        (fun () -> inBytes "000178000000")
                        (fun () -> inBytes "0001ff00") ]

                  for refuse in refusals do
                      refuse ()
                      let good = connection.Call(ApiKey.FindCoordinator, """{ "key": "good", "keyType": 0 }""", Nullable 2s)
                      use response = JsonDocument.Parse(good.ThrowIfError())
                      Expect.equal (response.RootElement.GetProperty("nodeId").GetInt32()) 3 "the next call"))

          testCase "text in JSON that .NET has no string for is a fault with its place" (fun () ->
              connected Script.unexpected (fun connection ->
                  refused (connection.Call(ApiKey.FindCoordinator, """{ "key": "\ud800" }""", Nullable 2s)) "FindCoordinatorRequest/Key"))

          testCase "a request that has no answer is refused" (fun () ->
              connected Script.unexpected (fun connection ->
                  let api = Produce.api
                  let silent = { Produce.request.Default with Acks = Acks.None }
                  let json = connection.Call(ApiKey.Produce, """{ "acks": 0, "timeoutMs": 1 }""")
                  Expect.equal (there json.Fault).Kind KafkaFaultKind.NeverAnswered "in JSON"
                  let version = api.Versions.Highest
                  let bytes = connection.Call(ApiKey.Produce, encoded version api.Request silent, Nullable version)
                  Expect.equal (there bytes.Fault).Kind KafkaFaultKind.NeverAnswered "in bytes")) ]
