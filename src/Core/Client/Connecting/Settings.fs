namespace LibKafka.Client

open System
open System.Net
open System.Threading
open System.Threading.Tasks
open LibKafka.Wire

/// How connections are made and used. Settings are immutable values that are passed in; nothing is global. Time-outs are positive, or
/// `Timeout.InfiniteTimeSpan` for no limit.
[<NoEquality; NoComparison>]
type ClientSettings =
    {
        /// The client's name in the broker's logs, metrics and quotas.
        ClientId: string
        /// The time to make one connection: looking up the host, TCP, TLS, asking for the broker's versions, and authentication. It lies within
        /// the time of the call that needs the connection.
        ConnectTimeout: TimeSpan
        /// The time for a whole call unless `CallOptions.Timeout` sets another: finding the broker, connecting, renewing the authentication,
        /// sending the request and receiving the response.
        CallTimeout: TimeSpan
        /// The maximum age of a connection. An older one is closed before its next use, and its client makes another.
        ConnectionTtl: TimeSpan
        /// How long a connection may be unused. After a longer time it is closed before its next use, and its client makes another. Keep it
        /// below the brokers' own limit (`connections.max.idle.ms`, 10 minutes by default): a request on a connection that the broker is
        /// about to close may be lost.
        MaxIdle: TimeSpan
        /// Whether a call first waits out the pause that the broker last asked for on its connection (KIP-219). The wait counts as part of the
        /// call. Brokers before 2.0 pause by themselves before they respond, so there is no wait with them.
        HeedThrottle: bool
        /// TCP's probes of idle connections; none for the system's own defaults, which usually have no probes.
        KeepAlive: TcpKeepAlive option
        /// The size of a socket's send buffer in bytes; none to let the system choose, which adapts it to the connection.
        SendBufferBytes: int option
        /// The size of a socket's receive buffer in bytes; none to let the system choose, which adapts it to the connection.
        ReceiveBufferBytes: int option
        /// Whether a client of a partition lets brokers create its topic when it looks for the leader and there is none. They do only if their own
        /// config allows it (`auto.create.topics.enable`), with their default number of partitions. The first attempts then end with
        /// LEADER_NOT_AVAILABLE or UNKNOWN_TOPIC_OR_PARTITION, which are transient. No other call creates a topic.
        AllowAutoTopicCreation: bool
        /// TLS, if the brokers' listener uses it.
        Tls: Tls option
        /// Authentication, if the brokers' listener requires it.
        Sasl: ISaslMechanism option
        /// Looks up the addresses of a host name. The caller's thread waits for the task while the call has time; the token is cancelled when
        /// it stops waiting. It is not called for an IP address.
        LookUpHost: string -> CancellationToken -> Task<IPAddress[]>
        /// Bounds on responses and batches. Until a connection is authenticated, or knows the broker's versions if there is no authentication,
        /// a response is limited to 1 MiB, and so is the memory of its values.
        Limits: Limits
        /// The clock, which time-outs and expiries use too.
        Time: TimeProvider
        /// Receives every exchange, including those that the client makes on its own, in the thread that makes it. An exception that it throws
        /// passes through the call.
        Observe: ExchangeInfo -> unit
    }

    /// The values in one line, without secrets.
    override this.ToString() =
        FieldText.show
            [ "ClientId", box this.ClientId
              "ConnectTimeout", box this.ConnectTimeout
              "CallTimeout", box this.CallTimeout
              "ConnectionTtl", box this.ConnectionTtl
              "MaxIdle", box this.MaxIdle
              "HeedThrottle", box this.HeedThrottle
              "KeepAlive", FieldText.optional this.KeepAlive
              "SendBufferBytes", FieldText.optional this.SendBufferBytes
              "ReceiveBufferBytes", FieldText.optional this.ReceiveBufferBytes
              "AllowAutoTopicCreation", box this.AllowAutoTopicCreation
              "Tls", FieldText.optional this.Tls
              "Sasl", FieldText.optional this.Sasl
              "Limits", box this.Limits ]

[<RequireQualifiedAccess>]
module ClientSettings =

    /// 10 seconds to connect, 30 seconds per call, connections of any age that are unused for at most 9 minutes, neither TLS nor SASL,
    /// no waiting for throttling, TCP's probes after a minute, socket buffers of the system's choice, no topics created on demand, the system's
    /// DNS and clock, the standard limits, no observer.
    let standard =
        { ClientId = "libkafka"
          ConnectTimeout = TimeSpan.FromSeconds 10.0
          CallTimeout = TimeSpan.FromSeconds 30.0
          ConnectionTtl = Timeout.InfiniteTimeSpan
          MaxIdle = TimeSpan.FromMinutes 9.0
          HeedThrottle = false
          KeepAlive = Some TcpKeepAlive.standard
          SendBufferBytes = None
          ReceiveBufferBytes = None
          AllowAutoTopicCreation = false
          Tls = None
          Sasl = None
          LookUpHost = fun host stop -> Dns.GetHostAddressesAsync(host, stop)
          Limits = Limits.standard
          Time = TimeProvider.System
          Observe = ignore }

    /// The limits for responses of a broker that has not authenticated the connection yet. Its versions and the messages of an authentication
    /// are small.
    let internal limitsBeforeAuthentication (limits: Limits) : Limits =
        { limits with
            MaxFrameBytes = min limits.MaxFrameBytes (1024 * 1024)
            MaxDecodedBytes = min limits.MaxDecodedBytes (1024L * 1024L) }

    /// The settings, or the fault `InvalidSetting` for the first one that is invalid.
    let check (settings: ClientSettings) : Result<ClientSettings, ClientFault> =
        // By ticks, because F#'s operators would box both times.
        let isTime (name, time: TimeSpan) =
            if time.Ticks > 0L || time.Ticks = Timeout.InfiniteTimeSpan.Ticks then
                None
            else
                Some(ClientFault.InvalidSetting(name, "it must be positive or infinite"))

        let isCount (name, count: int64) = if count > 0L then None else Some(ClientFault.InvalidSetting(name, "it must be positive"))

        let times =
            [ "ConnectTimeout", settings.ConnectTimeout
              "CallTimeout", settings.CallTimeout
              "ConnectionTtl", settings.ConnectionTtl
              "MaxIdle", settings.MaxIdle ]

        let keepAlive =
            match settings.KeepAlive with
            | Some probes when min probes.Idle.Ticks probes.Interval.Ticks < TimeSpan.TicksPerSecond ->
                Some(ClientFault.InvalidSetting("KeepAlive", "its times must be at least a second"))
            | Some probes when probes.Probes <= 0 -> Some(ClientFault.InvalidSetting("KeepAlive", "it must have at least one probe"))
            | _ -> None

        let counts =
            [ "SendBufferBytes", int64 (Option.defaultValue 1 settings.SendBufferBytes)
              "ReceiveBufferBytes", int64 (Option.defaultValue 1 settings.ReceiveBufferBytes)
              "Limits.MaxFrameBytes", int64 settings.Limits.MaxFrameBytes
              "Limits.MaxDecodedBytes", settings.Limits.MaxDecodedBytes
              "Limits.MaxDecompressedBytes", int64 settings.Limits.MaxDecompressedBytes
              "Limits.MaxRecords", int64 settings.Limits.MaxRecords ]

        match List.tryPick isTime times |> Option.orElseWith (fun () -> List.tryPick isCount counts) |> Option.orElse keepAlive with
        | Some fault -> Error fault
        | None -> Ok settings
