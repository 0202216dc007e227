namespace LibKafka.Client

open System
open System.Net
open System.Threading
open System.Threading.Tasks
open LibKafka.Wire
open LibKafka.Protocol

/// How connections are made and used. A value to hand over; nothing of it is global. Time-outs are positive, or
/// `Timeout.InfiniteTimeSpan` for no bound.
[<NoEquality; NoComparison>]
type ClientSettings =
    {
        /// The name that the client goes by in the broker's logs, metrics and quotas.
        ClientId: string
        /// How long making a connection may take: looking up the host, connecting, TLS, asking for the broker's versions, and authentication.
        ConnectTimeout: TimeSpan
        /// How long a call may take, from its first byte out to its last byte in, the renewal of an authentication before it included.
        CallTimeout: TimeSpan
        /// How old a connection may get. An older one is closed when it is to be used next, and its client makes another.
        ConnectionTtl: TimeSpan
        /// How long a connection may lie unused. One that did for longer is closed when it is to be used next, and its client makes another.
        /// It should be below what the brokers bear (`connections.max.idle.ms`, 10 minutes unless set): a request on a connection
        /// that the broker is about to close may be lost.
        MaxIdle: TimeSpan
        /// Whether a call first waits until the time has passed for which the broker last asked for a pause on its connection (KIP-219). The
        /// wait counts as part of the call. Brokers before 2.0 make their own pause before they answer, and are never waited for.
        HeedThrottle: bool
        /// TLS, where the brokers' listener has it.
        Tls: Tls option
        /// Authentication, where the brokers' listener demands it.
        Sasl: ISaslMechanism option
        /// The addresses of a host name. The caller's thread waits for it no longer than it has time; the token tells when nobody waits any
        /// more. It is not asked for what is an IP address already.
        LookUpHost: string -> CancellationToken -> Task<IPAddress[]>
        Limits: Limits
        /// The clock, and what time-outs and expiries are measured with.
        Time: TimeProvider
        /// Is told of every exchange, those that the client makes for itself included, in the thread that makes it. What it throws goes through
        /// the call.
        Observe: ExchangeInfo -> unit
    }

[<RequireQualifiedAccess>]
module ClientSettings =

    /// 10 seconds to connect, 30 seconds a call, connections of any age that lie unused for at most 9 minutes, neither TLS nor SASL,
    /// throttling told and not heeded, the system's look-up and clock, the standard limits, no observer.
    let standard =
        { ClientId = "libkafka"
          ConnectTimeout = TimeSpan.FromSeconds 10.0
          CallTimeout = TimeSpan.FromSeconds 30.0
          ConnectionTtl = Timeout.InfiniteTimeSpan
          MaxIdle = TimeSpan.FromMinutes 9.0
          HeedThrottle = false
          Tls = None
          Sasl = None
          LookUpHost = fun host stop -> Dns.GetHostAddressesAsync(host, stop)
          Limits = Limits.standard
          Time = TimeProvider.System
          Observe = ignore }

    /// The settings, or the fault `InvalidSetting` with the first of them that makes no sense.
    let check (settings: ClientSettings) : Result<ClientSettings, ClientFault> =
        let isTime (name, time: TimeSpan) =
            if time > TimeSpan.Zero || time = Timeout.InfiniteTimeSpan then
                None
            else
                Some(ClientFault.InvalidSetting(name, "it is to be positive or infinite"))

        let isCount (name, count: int) = if count > 0 then None else Some(ClientFault.InvalidSetting(name, "it is to be positive"))

        let times =
            [ "ConnectTimeout", settings.ConnectTimeout
              "CallTimeout", settings.CallTimeout
              "ConnectionTtl", settings.ConnectionTtl
              "MaxIdle", settings.MaxIdle ]

        let counts =
            [ "Limits.MaxFrameBytes", settings.Limits.MaxFrameBytes
              "Limits.MaxDecompressedBytes", settings.Limits.MaxDecompressedBytes
              "Limits.MaxRecords", settings.Limits.MaxRecords ]

        match List.tryPick isTime times |> Option.orElseWith (fun () -> List.tryPick isCount counts) with
        | Some fault -> Error fault
        | None -> Ok settings

[<RequireQualifiedAccess>]
module internal Exchange =

    /// A call that ended before anything was sent, and when it was begun, a timestamp of the settings' clock.
    let notMade settings (attempt: int) (began: int64) (api: Api<'Request, 'Response>) broker (request: 'Request) (fault: ClientFault) =
        let elapsed = settings.Time.GetElapsedTime began

        let info =
            { Api = api.Key
              Version = -1s
              Broker = broker
              CorrelationId = 0
              Attempt = attempt
              Began = settings.Time.GetUtcNow() - elapsed
              Elapsed = elapsed
              BytesOut = 0
              BytesIn = 0
              UnreadBytes = 0
              ThrottleTime = TimeSpan.Zero
              Fault = Some fault }

        Telemetry.tell settings.ClientId info
        settings.Observe info
        { Info = info; Request = request; Outcome = Error fault }
