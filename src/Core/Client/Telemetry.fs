namespace LibKafka.Client

open System
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
        meter.CreateHistogram<float>("messaging.client.operation.duration", "s", "How long an exchange with a broker took.")

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

    let private measure (info: ExchangeInfo) =
        let mutable tags = TagList()
        tags.Add("messaging.system", "kafka")
        tags.Add("messaging.operation.name", info.Api.Name)

        match operationType info.Api with
        | null -> ()
        | kind -> tags.Add("messaging.operation.type", kind)

        match info.Broker with
        | Some broker ->
            tags.Add("server.address", broker.Host)
            tags.Add("server.port", broker.Port)
        | None -> ()

        match info.Fault with
        | Some fault -> tags.Add("error.type", fault.Name)
        | None -> ()

        duration.Record(info.Elapsed.TotalSeconds, &tags)
        sent.Add(int64 info.BytesOut, &tags)
        received.Add(int64 info.BytesIn, &tags)

    // The activity is made when the exchange is over, with the time at which it began.
    let private trace (clientId: string) (info: ExchangeInfo) =
        match source.StartActivity(info.Api.Name, ActivityKind.Client, ActivityContext(), null, null, info.Began) with
        | null -> ()
        | activity ->
            use activity = activity
            let set (name: string) (value: obj | null) = activity.SetTag(name, value) |> ignore
            set "messaging.system" "kafka"
            set "messaging.operation.name" info.Api.Name
            set "messaging.operation.type" (operationType info.Api)
            set "messaging.client.id" clientId
            set "libkafka.api.version" (int info.Version)
            set "libkafka.correlation_id" info.CorrelationId
            set "libkafka.attempt" info.Attempt
            set "libkafka.sent" info.BytesOut
            set "libkafka.received" info.BytesIn

            if info.ThrottleTime.Ticks > 0L then
                set "libkafka.throttle_time" info.ThrottleTime.TotalSeconds

            match info.Broker with
            | Some broker ->
                set "server.address" broker.Host
                set "server.port" broker.Port
            | None -> ()

            match info.Fault with
            | Some fault ->
                set "error.type" fault.Name
                activity.SetStatus(ActivityStatusCode.Error, fault.ToString()) |> ignore
            | None -> ()

            activity.SetEndTime((info.Began + info.Elapsed).UtcDateTime) |> ignore

    /// Reports an exchange.
    let internal report (clientId: string) (info: ExchangeInfo) =
        if duration.Enabled || sent.Enabled || received.Enabled then measure info
        if source.HasListeners() then trace clientId info
