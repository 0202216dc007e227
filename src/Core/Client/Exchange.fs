namespace LibKafka.Client

open System
open LibKafka.Wire
open LibKafka.Protocol

/// The facts of one call, for metrics and debugging.
type ExchangeInfo =
    {
        Api: ApiKey
        /// The version that was used; -1 where it did not come to that.
        Version: int16
        /// The broker that was asked; none where no connection was made.
        Broker: BrokerAddress option
        CorrelationId: int32
        Began: DateTimeOffset
        Elapsed: TimeSpan
        /// Bytes sent, lengths and headers included.
        BytesOut: int
        /// Bytes received, lengths and headers included.
        BytesIn: int
        /// Bytes of the answer that stand behind what its version should have. They were ignored; a broker that keeps to the protocol
        /// sends none.
        UnreadBytes: int
        /// What went wrong, where something did.
        Fault: ClientFault option
    }

    /// Whether any part of the request may have reached the broker.
    member this.WasSent = this.BytesOut > 0

/// One call: what was asked and what came of it. An error code from the broker is not a fault but part of the response.
type Exchange<'Request, 'Response> = { Info: ExchangeInfo; Request: 'Request; Outcome: Result<'Response, ClientFault> }

/// How connections are made and used. A value to hand over; nothing of it is global.
[<NoEquality; NoComparison>]
type ClientSettings =
    {
        /// The name that the client goes by in the broker's logs, metrics and quotas.
        ClientId: string
        /// How long making a connection may take, asking for the broker's versions included.
        ConnectTimeout: TimeSpan
        /// How long a call may take, from its first byte out to its last byte in.
        CallTimeout: TimeSpan
        Limits: Limits
        /// The clock, and what time-outs and expiries are measured with.
        Time: TimeProvider
        /// Is told of every exchange, those that the client makes for itself included, in the thread that makes it.
        Observe: ExchangeInfo -> unit
    }

[<RequireQualifiedAccess>]
module ClientSettings =

    /// 10 seconds to connect, 30 seconds a call, the standard limits, the system's clock, no observer.
    let standard =
        { ClientId = "libkafka"
          ConnectTimeout = TimeSpan.FromSeconds 10.0
          CallTimeout = TimeSpan.FromSeconds 30.0
          Limits = Limits.standard
          Time = TimeProvider.System
          Observe = ignore }

[<RequireQualifiedAccess>]
module internal Exchange =

    /// A call that ended before anything was sent, and when it was begun, a timestamp of the settings' clock.
    let notMade (settings: ClientSettings) (began: int64) (api: Api<'Request, 'Response>) broker (request: 'Request) (fault: ClientFault) =
        let elapsed = settings.Time.GetElapsedTime began

        let info =
            { Api = api.Key
              Version = -1s
              Broker = broker
              CorrelationId = 0
              Began = settings.Time.GetUtcNow() - elapsed
              Elapsed = elapsed
              BytesOut = 0
              BytesIn = 0
              UnreadBytes = 0
              Fault = Some fault }

        settings.Observe info
        { Info = info; Request = request; Outcome = Error fault }
