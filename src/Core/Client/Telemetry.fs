namespace LibKafka.Client

open System.Diagnostics
open System.Diagnostics.Metrics
open LibKafka.Protocol

/// Reports exchanges to .NET's own instruments under the name `LibKafka`: an activity and three measurements. The names are those of
/// OpenTelemetry's conventions for messaging and for servers; others begin with `libkafka`. If nothing listens, nothing is allocated.
module Telemetry =

    /// The name of the `ActivitySource` and of the `Meter`.
    [<Literal>]
    let Name = "LibKafka"

    let private version =
        match typeof<ExchangeInfo>.Assembly.GetName().Version with
        | null -> "0.0.0"
        | version -> version.ToString 3

    let private source = new ActivitySource(Name, version)
    let private meter = new Meter(Name, version)

    let private duration =
        meter.CreateHistogram<float>(
            "messaging.client.operation.duration",
            "s",
            "How long an exchange with a broker took.",
            null,
            InstrumentAdvice<float>(
                HistogramBucketBoundaries = [| 0.005; 0.01; 0.025; 0.05; 0.075; 0.1; 0.25; 0.5; 0.75; 1.0; 2.5; 5.0; 7.5; 10.0 |]
            )
        )

    let private sent =
        meter.CreateCounter<int64>("libkafka.client.sent", "By", "Bytes sent to brokers, lengths and headers included.")

    let private received =
        meter.CreateCounter<int64>("libkafka.client.received", "By", "Bytes received from brokers, lengths and headers included.")

    // OpenTelemetry's type of the operation; most exchanges have none.
    let private operationType (api: ApiKey) : string | null =
        if api = ApiKey.Produce then "send"
        elif api = ApiKey.Fetch then "receive"
        elif api = ApiKey.OffsetCommit then "settle"
        else null

    // The fault or, if there is a response, the error code in it, by a name that stays the same from release to release.
    let private errorType (info: ExchangeInfo) (code: ErrorCode) : string | null =
        match info.Fault with
        | Some fault -> fault.Name
        | None when not code.IsError -> null
        | None when code.Name = "" -> code.ToString()
        | None -> code.Name

    // The tags that measurements and activities have in common.
    let private describe (info: ExchangeInfo) (code: ErrorCode) (set: string -> obj | null -> unit) =
        set "messaging.system" "kafka"
        set "messaging.operation.name" info.Api.Name

        match operationType info.Api with
        | null -> ()
        | kind -> set "messaging.operation.type" kind

        match info.Partition with
        | Some partition ->
            set "messaging.destination.name" partition.Topic
            set "messaging.destination.partition.id" (string partition.Partition)
        | None -> ()

        match info.Broker with
        | Some broker ->
            set "server.address" broker.Host
            set "server.port" broker.Port
        | None -> ()

        match errorType info code with
        | null -> ()
        | error -> set "error.type" error

    let private measure (info: ExchangeInfo) (code: ErrorCode) =
        let mutable tags = TagList()
        describe info code (fun name value -> tags.Add(name, value))
        duration.Record(info.Elapsed.TotalSeconds, &tags)
        sent.Add(int64 info.BytesOut, &tags)
        received.Add(int64 info.BytesIn, &tags)

    // As the conventions have it: the operation, and what it is about.
    let private spanName (info: ExchangeInfo) : string =
        match info.Partition with
        | Some partition -> info.Api.Name + " " + partition.Topic
        | None -> info.Api.Name

    // The activity is made when the exchange is over, with the time at which it began.
    let private trace (clientId: string) (info: ExchangeInfo) (code: ErrorCode) =
        match source.StartActivity(spanName info, ActivityKind.Client, ActivityContext(), null, null, info.Began) with
        | null -> ()
        | activity ->
            use activity = activity
            let set (name: string) (value: obj | null) = activity.SetTag(name, value) |> ignore
            describe info code set
            set "messaging.client.id" clientId
            set "libkafka.api.version" (int info.Version)
            set "libkafka.correlation_id" info.CorrelationId
            set "libkafka.attempt" info.Attempt
            set "libkafka.sent" info.BytesOut
            set "libkafka.received" info.BytesIn

            if info.ThrottleTime.Ticks > 0L then
                set "libkafka.throttle_time" info.ThrottleTime.TotalSeconds

            match info.Fault with
            | Some fault -> activity.SetStatus(ActivityStatusCode.Error, fault.ToString()) |> ignore
            | None when code.IsError -> activity.SetStatus(ActivityStatusCode.Error, code.Description) |> ignore
            | None -> ()

            activity.SetEndTime((info.Began + info.Elapsed).UtcDateTime) |> ignore

    /// Reports an exchange, with the error code in its response.
    let internal report (clientId: string) (info: ExchangeInfo) (code: ErrorCode) =
        if duration.Enabled || sent.Enabled || received.Enabled then measure info code
        if source.HasListeners() then trace clientId info code
