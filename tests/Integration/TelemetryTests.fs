/// What .NET's instruments report about exchanges.
module LibKafka.Integration.TelemetryTests

open System
open System.Collections.Concurrent
open System.Collections.Generic
open System.Diagnostics
open System.Diagnostics.Metrics
open Expecto
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Support

let private ask (connection: Connection) = connection.Call(ListOffsets.api, Script.askLatest)

let private answer (received: Received) =
    match received.Request with
    | Request.ListOffsets request -> Script.answer ListOffsets.api received { Script.found 7L request with ThrottleTimeMs = 1_500 }
    | Request.Fetch _ -> [ Act.Close ]
    | _ -> Script.unexpected received

/// A value with its tags.
type private Measured = { Instrument: string; Unit: string; Value: float; Tags: Map<string, string> }

let private tagsOf (tags: ReadOnlySpan<KeyValuePair<string, obj | null>>) : Map<string, string> =
    let mutable all = Map.empty

    for tag in tags do
        all <- all.Add(tag.Key, string tag.Value)

    all

/// Listens to the meter, and returns the measurements about this broker. Other tests run at the same time.
let private measuring (broker: BrokerAddress) (work: unit -> unit) : Measured list =
    let heard = ConcurrentQueue<Measured>()
    use listener = new MeterListener()

    listener.InstrumentPublished <-
        Action<Instrument, MeterListener>(fun instrument listener ->
            if instrument.Meter.Name = Telemetry.Name then
                listener.EnableMeasurementEvents(instrument, null))

    let note (instrument: Instrument) (value: float) (tags: Map<string, string>) =
        heard.Enqueue { Instrument = instrument.Name; Unit = string instrument.Unit; Value = value; Tags = tags }

    listener.SetMeasurementEventCallback<float>(
        MeasurementCallback<float>(fun instrument value tags _ -> note instrument value (tagsOf tags))
    )

    listener.SetMeasurementEventCallback<int64>(
        MeasurementCallback<int64>(fun instrument value tags _ -> note instrument (float value) (tagsOf tags))
    )

    listener.Start()
    work ()
    heard |> Seq.filter (fun measured -> measured.Tags.TryFind "server.port" = Some(string broker.Port)) |> List.ofSeq

/// Listens to the source in the same way.
let private tracing (broker: BrokerAddress) (work: unit -> unit) : Activity list =
    let heard = ConcurrentQueue<Activity>()

    use listener =
        new ActivityListener(
            ShouldListenTo = (fun source -> source.Name = Telemetry.Name || source.Name = "the caller"),
            Sample = SampleActivity<ActivityContext>(fun _ -> ActivitySamplingResult.AllDataAndRecorded),
            ActivityStopped = (fun activity -> heard.Enqueue activity)
        )

    ActivitySource.AddActivityListener listener
    work ()
    let isBrokers (activity: Activity) = string (activity.GetTagItem "server.port") = string broker.Port
    heard |> Seq.filter isBrokers |> List.ofSeq

let private metrics =
    testList
        "meter"
        [ testCase "each exchange's duration and bytes, with OpenTelemetry's names" (fun () ->
              Scripted.connection patient answer (fun broker connection ->
                  let mutable infos = []

                  let heard =
                      measuring broker.Address (fun () ->
                          let exchange = ask connection
                          infos <- [ exchange.Info ])

                  let info = infos.Head

                  let tags =
                      Map.ofList
                          [ "messaging.system", "kafka"
                            "messaging.operation.name", "ListOffsets"
                            "server.address", broker.Address.Host
                            "server.port", string broker.Address.Port ]

                  Expect.equal
                      heard
                      [ { Instrument = "messaging.client.operation.duration"; Unit = "s"; Value = info.Elapsed.TotalSeconds; Tags = tags }
                        { Instrument = "libkafka.client.sent"; Unit = "By"; Value = float info.BytesOut; Tags = tags }
                        { Instrument = "libkafka.client.received"; Unit = "By"; Value = float info.BytesIn; Tags = tags } ]
                      "what was measured"))

          testCase "a fault is named, and a fetch receives" (fun () ->
              Scripted.partition patient answer (fun broker client ->
                  let heard =
                      measuring broker.Address (fun () ->
                          let fetched = (new PartitionFetcher(client, FetcherSettings.standard, 0L)).Fetch()
                          faultOf fetched.Result |> ignore)

                  match heard |> List.tryFind (fun measured -> measured.Tags["messaging.operation.name"] = "Fetch") with
                  | Some fetch ->
                      Expect.equal (fetch.Tags.TryFind "error.type") (Some "Closed") "the fault"
                      Expect.equal (fetch.Tags.TryFind "messaging.operation.type") (Some "receive") "what sort of operation"
                  | None -> failtest "the fetch was measured"))

          testCase "an exchange about a partition names it, and a broker's error code is its error type" (fun () ->
              let refuse (received: Received) =
                  match received.Request with
                  | Request.Produce request ->
                      let refused (answer: Produce.PartitionResponse) = { answer with Error = ErrorCode.MessageTooLarge; BaseOffset = -1L }

                      Script.answer Produce.api received (Script.produced refused request)
                  | _ -> Script.unexpected received

              Scripted.partition patient refuse (fun broker client ->
                  let heard =
                      measuring broker.Address (fun () ->
                          use producer = new PartitionProducer(client, ProducerSettings.standard)
                          producer.Produce(batch "a" 1) |> ignore)

                  let tagsOf name = (heard |> List.find (fun one -> one.Tags["messaging.operation.name"] = name)).Tags
                  let produce = tagsOf "Produce"
                  Expect.equal (produce.TryFind "messaging.system") (Some "kafka") "the system"
                  Expect.equal (produce.TryFind "messaging.operation.type") (Some "send") "the type"
                  Expect.equal (produce.TryFind "messaging.destination.name") (Some "t") "the topic"
                  Expect.equal (produce.TryFind "messaging.destination.partition.id") (Some "0") "the partition"
                  Expect.equal (produce.TryFind "error.type") (Some "MESSAGE_TOO_LARGE") "the error code"
                  let metadata = tagsOf "Metadata"
                  Expect.isFalse (metadata.ContainsKey "messaging.destination.name") "the search for the leader is not about it"
                  Expect.isFalse (metadata.ContainsKey "error.type") "and has no error"))

          testCase "the histogram in seconds has advice for its buckets" (fun () ->
              let mutable found: Histogram<float> option = None
              use listener = new MeterListener()

              listener.InstrumentPublished <-
                  Action<Instrument, MeterListener>(fun instrument _ ->
                      match instrument with
                      | :? Histogram<float> as histogram when histogram.Meter.Name = Telemetry.Name -> found <- Some histogram
                      | _ -> ())

              listener.Start()

              match found with
              | Some histogram ->
                  match histogram.Advice with
                  | null -> failtest "there is no advice"
                  | advice ->
                      let buckets = advice.HistogramBucketBoundaries |> Option.ofObj |> Option.map List.ofSeq |> Option.defaultValue []
                      Expect.equal buckets (List.sort buckets) "in order"
                      Expect.isLessThan buckets.Head 0.01 "milliseconds"
                      Expect.isGreaterThanOrEqual (List.last buckets) 10.0 "up to seconds"
              | None -> failtest "there is no histogram") ]

let private traces =
    testList
        "activity source"
        [ testCase "each exchange is a client's span, with its time and its facts" (fun () ->
              Scripted.connection { patient with ClientId = "billing" } answer (fun broker connection ->
                  let mutable infos = []

                  let heard =
                      tracing broker.Address (fun () ->
                          let exchange = ask connection
                          infos <- [ exchange.Info ])

                  let info = infos.Head

                  match heard with
                  | [ span ] ->
                      Expect.equal span.DisplayName "ListOffsets" "the name"
                      Expect.equal span.Kind ActivityKind.Client "the kind"
                      Expect.equal span.StartTimeUtc info.Began.UtcDateTime "when it began"
                      Expect.isLessThan (abs (span.Duration - info.Elapsed).TotalMilliseconds) 0.01 "how long it took"
                      Expect.equal span.Status ActivityStatusCode.Unset "no error"

                      for name, value in
                          [ "messaging.system", "kafka"
                            "messaging.operation.name", "ListOffsets"
                            "messaging.client.id", "billing"
                            "server.address", broker.Address.Host
                            "libkafka.api.version", string info.Version
                            "libkafka.correlation_id", string info.CorrelationId
                            "libkafka.attempt", "1"
                            "libkafka.sent", string info.BytesOut
                            "libkafka.received", string info.BytesIn
                            "libkafka.throttle_time", "1.5" ] do
                          Expect.equal (string (span.GetTagItem name)) value name
                  | other -> failtestf "%d spans" other.Length))

          testCase "every exchange of a call has its attempt, including those that find the broker" (fun () ->
              Scripted.partition patient answer (fun broker client ->
                  let fetcher = new PartitionFetcher(client, FetcherSettings.standard, 0L)
                  let heard = tracing broker.Address (fun () -> fetcher.Fetch({ CallOptions.standard with Attempt = 3 }) |> ignore)
                  Expect.equal (heard |> List.map _.DisplayName) [ "ApiVersions"; "Metadata"; "ApiVersions"; "Fetch t" ] "the exchanges"
                  Expect.equal
                      (heard |> List.map (fun span -> string (span.GetTagItem "libkafka.attempt")) |> List.distinct)
                      [ "3" ]
                      "which"))

          testCase "it is a child of the caller's activity, and a fault is an error" (fun () ->
              use caller = new ActivitySource("the caller")

              Scripted.partition patient answer (fun broker client ->
                  let mutable parent = ActivityTraceId()

                  let heard =
                      tracing broker.Address (fun () ->
                          use activity = caller.StartActivity "work"
                          parent <- (nonNull activity).TraceId
                          let fetched = (new PartitionFetcher(client, FetcherSettings.standard, 0L)).Fetch()
                          faultOf fetched.Result |> ignore)

                  Expect.equal
                      (heard |> List.map _.DisplayName)
                      [ "ApiVersions"; "Metadata"; "ApiVersions"; "Fetch t" ]
                      "the client's own too"

                  for span in heard do
                      Expect.equal span.TraceId parent "in the caller's trace"

                  let fetch = List.last heard
                  Expect.equal fetch.Status ActivityStatusCode.Error "the status"
                  Expect.equal (string (fetch.GetTagItem "error.type")) "Closed" "the fault")) ]

let private off =
    testSequenced (
        testCase "without listeners, reporting an exchange allocates nothing" (fun () ->
            let info =
                { Api = ApiKey.Produce
                  Version = 9s
                  Broker = Some { Host = "kafka-1"; Port = 9092 }
                  CorrelationId = 1
                  Attempt = 1
                  Partition = None
                  Began = DateTimeOffset.UtcNow
                  Elapsed = ms 1
                  BytesOut = 1
                  BytesIn = 1
                  UnreadBytes = 0
                  ThrottleTime = TimeSpan.Zero
                  Fault = None }

            Telemetry.report "client" info ErrorCode.None
            let before = GC.GetAllocatedBytesForCurrentThread()

            for _ in 1..1_000 do
                Telemetry.report "client" info ErrorCode.None

            Expect.equal (GC.GetAllocatedBytesForCurrentThread() - before) 0L "bytes")
    )

[<Tests>]
let tests = testList "telemetry" [ metrics; traces; off ]
