using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Security;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using LibKafka.Client;
using LibKafka.Wire;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>
/// The brokers of a cluster, and how to connect to them. An immutable value that is passed to every client; nothing is global. <c>with</c> makes
/// a variant.
/// </summary>
public sealed record KafkaClientOptions
{
    private static readonly ClientSettings Standard = ClientSettingsModule.standard;

    private readonly BrokerSource _source;

    /// <summary>Options with a list of brokers as text.</summary>
    /// <param name="bootstrapServers">
    /// Addresses separated by commas, such as <c>kafka-1:9092, kafka-2:9092</c>. Blanks around them and empty entries are ignored; the port is 9092
    /// if it is left out.
    /// </param>
    /// <exception cref="FormatException">The text names no broker, or a part of it is not an address.</exception>
    public KafkaClientOptions(string bootstrapServers)
        : this(BrokerAddress.ParseList(Interop.Required(bootstrapServers))) { }

    /// <summary>Options with a list of brokers.</summary>
    /// <param name="bootstrapServers">Brokers of the cluster, at least one.</param>
    /// <exception cref="ArgumentException">The list is empty, or a broker has no host.</exception>
    public KafkaClientOptions(IEnumerable<BrokerAddress> bootstrapServers)
    {
        _source = BrokerSource.Of(bootstrapServers, nameof(bootstrapServers));
    }

    /// <summary>
    /// Options with a DNS SRV name for the brokers. It is looked up when the brokers are first needed. The records are cached for as long as
    /// they are valid, shared by all clients with these options, and dropped if one of the brokers cannot be connected to.
    /// </summary>
    /// <param name="serviceName">A name such as <c>_kafka._tcp.example.org</c>.</param>
    /// <param name="lookUp">Looks up the name, such as <c>LibKafka.Dns.SrvLookUp</c>.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public KafkaClientOptions(string serviceName, ISrvLookUp lookUp)
    {
        _source = BrokerSource.Of(serviceName, lookUp);
    }

    /// <summary>Options with a DNS SRV name for the brokers, which a function looks up.</summary>
    /// <param name="serviceName">A name such as <c>_kafka._tcp.example.org</c>.</param>
    /// <param name="lookUp">
    /// Looks up the name. The caller's thread waits for it within the time-out of the call, after which the token is cancelled. What it throws
    /// becomes the fault <see cref="KafkaFaultKind.LookUpFailed"/>.
    /// </param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public KafkaClientOptions(string serviceName, Func<string, CancellationToken, Task<IReadOnlyList<SrvRecord>>> lookUp)
        : this(serviceName, new SrvFunction(Interop.Required(lookUp))) { }

    /// <summary>
    /// The brokers to bootstrap from. They are tried in random order until one answers. Not all brokers need to be named, but more than one
    /// should be, in case one is down. Empty if <see cref="ServiceName"/> is used instead.
    /// </summary>
    /// <exception cref="ArgumentException">The list is empty, or a broker has no host.</exception>
    public IReadOnlyList<BrokerAddress> BootstrapServers
    {
        get => _source.Servers;
        init => _source = BrokerSource.Of(value, nameof(value));
    }

    /// <summary>The DNS SRV name for the brokers; null if <see cref="BootstrapServers"/> names them.</summary>
    public string? ServiceName => _source.ServiceName;

    /// <summary>The client id, which appears in the brokers' logs, metrics and quotas: <c>libkafka</c> unless set.</summary>
    public string ClientId
    {
        get;
        init => field = Interop.Required(value);
    } = Standard.ClientId;

    /// <summary>
    /// How long it may take to make a connection, including name look-up, TLS, the broker's versions and authentication: 10 seconds unless
    /// set; <see cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan ConnectTimeout
    {
        get;
        init => field = Interop.CheckTimeout(value, nameof(ConnectTimeout));
    } = Standard.ConnectTimeout;

    /// <summary>
    /// How long a call may take, including finding the broker and connecting: 30 seconds unless set;
    /// <see cref="Timeout.InfiniteTimeSpan"/> for no limit. <see cref="CallOptions.Timeout"/> overrides it for one call.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan CallTimeout
    {
        get;
        init => field = Interop.CheckTimeout(value, nameof(CallTimeout));
    } = Standard.CallTimeout;

    /// <summary>
    /// The maximum age of a connection: <see cref="Timeout.InfiniteTimeSpan"/>, no limit, unless set. An older connection is closed before it is
    /// used again, and its client makes a new one.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan ConnectionTtl
    {
        get;
        init => field = Interop.CheckTimeout(value, nameof(ConnectionTtl));
    } = Standard.ConnectionTtl;

    /// <summary>
    /// How long a connection may be idle: 9 minutes unless set; <see cref="Timeout.InfiniteTimeSpan"/> for no limit. A connection that was idle
    /// for longer is closed before it is used again, and its client makes a new one. The limit should be below that of the brokers
    /// (<c>connections.max.idle.ms</c>, 10 minutes by default): a request on a connection that the broker is closing may be lost.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan MaxIdle
    {
        get;
        init => field = Interop.CheckTimeout(value, nameof(MaxIdle));
    } = Standard.MaxIdle;

    /// <summary>
    /// Whether a call first waits for the pause that the broker last asked for on the connection (KIP-219): false unless set. The wait is part
    /// of the call.
    /// </summary>
    public bool HeedThrottle { get; init; } = Standard.HeedThrottle;

    /// <summary>
    /// Whether a client of a partition lets the brokers create its topic when it looks for the leader and there is none: false unless set. They do
    /// only if their own config allows it (<c>auto.create.topics.enable</c>), with their default number of partitions. The first attempts then
    /// end with LEADER_NOT_AVAILABLE or UNKNOWN_TOPIC_OR_PARTITION, which are transient. No other call creates a topic;
    /// <see cref="AdminClient.CreateTopics(IEnumerable{NewTopic}, TimeSpan?, CallOptions)"/> does with the settings that you choose.
    /// </summary>
    public bool AllowAutoTopicCreation { get; init; } = Standard.AllowAutoTopicCreation;

    /// <summary>
    /// TCP's probes of idle connections: the first after a minute, then one every 15 seconds, four in all, unless set; null for the system's own
    /// defaults, which usually have no probes.
    /// </summary>
    public TcpKeepAlive? KeepAlive { get; init; } = new();

    /// <summary>
    /// The size of a socket's send buffer in bytes; null, unless set, to let the system choose, which adapts it to the connection.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is zero or negative.</exception>
    public int? SendBufferBytes
    {
        get;
        init => field = Interop.CheckSize(value, nameof(SendBufferBytes));
    }

    /// <summary>
    /// The size of a socket's receive buffer in bytes; null, unless set, to let the system choose, which adapts it to the connection.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is zero or negative.</exception>
    public int? ReceiveBufferBytes
    {
        get;
        init => field = Interop.CheckSize(value, nameof(ReceiveBufferBytes));
    }

    /// <summary>
    /// The TLS options, if the brokers' listener uses TLS; null for none. Each connection uses a copy, with the broker's host as
    /// <c>TargetHost</c> if that is not set. Certificates that are missing in the broker's chain are not downloaded, unless the options have a
    /// <c>CertificateChainPolicy</c> that allows it; revocation lists only if the options ask for them. The options must not be changed
    /// afterwards. <see cref="KafkaTls.FromPemFiles"/> makes them from PEM files.
    /// A connection resumes the TLS session of an earlier one with the same host name and the same options, which saves most of the handshake,
    /// unless <c>AllowTlsResume</c> is false. On Linux, .NET cannot do that with a broker that is known by its IP address.
    /// </summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>
    /// PEM files for TLS, in place of <see cref="Tls"/>; null for none. They are read anew for new connections after they have changed.
    /// </summary>
    public KafkaTlsFiles? TlsFiles { get; init; }

    /// <summary>The authentication, if the brokers' listener requires it; null for none.</summary>
    public SaslMechanism? Sasl { get; init; }

    /// <summary>
    /// Resolves a host name; null for the system's resolver. The caller's thread waits for it within the time-out of the call, after which the
    /// token is cancelled. It is not called for IP addresses.
    /// </summary>
    public Func<string, CancellationToken, Task<IPAddress[]>>? HostLookUp { get; init; }

    /// <summary>The clock that time-outs and ages are measured with: the system's unless set.</summary>
    public TimeProvider TimeProvider
    {
        get;
        init => field = Interop.Required(value);
    } = Standard.Time;

    /// <summary>
    /// The largest answer to accept, in bytes: 256 MiB unless set. It limits the memory that an answer can take.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is zero or negative.</exception>
    public int MaxFrameBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(MaxFrameBytes));
            field = value;
        }
    } = Standard.Limits.MaxFrameBytes;

    /// <summary>
    /// The most memory that the values of one answer may take, in bytes: 256 MiB by default. Every object that is made from the answer counts,
    /// before it is made, at its size on a 64-bit runtime. Record batches do not count: they are slices of the answer, which
    /// <see cref="MaxFrameBytes"/> limits. The subscriptions of a group's members, which its leader reads, together are limited to the same.
    /// </summary>
    /// <remarks>
    /// Until a connection is authenticated, or knows the broker's versions if there is no authentication, an answer is limited to 1 MiB, and
    /// so is the memory of its values.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">It is zero or negative.</exception>
    public long MaxDecodedBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(MaxDecodedBytes));
            field = value;
        }
    } = Standard.Limits.MaxDecodedBytes;

    /// <summary>
    /// Receives every exchange with a broker, including those for finding brokers, connecting and authenticating. It is called in the thread of
    /// the call, before the call returns. What it throws is thrown by the call.
    /// </summary>
    public Action<ExchangeInfo>? Observer { get; init; }

    private bool PrintMembers(StringBuilder builder) =>
        builder.AppendMembers(
            (nameof(BootstrapServers), BootstrapServers),
            (nameof(ServiceName), ServiceName),
            (nameof(ClientId), ClientId),
            (nameof(ConnectTimeout), ConnectTimeout),
            (nameof(CallTimeout), CallTimeout),
            (nameof(ConnectionTtl), ConnectionTtl),
            (nameof(MaxIdle), MaxIdle),
            (nameof(HeedThrottle), HeedThrottle),
            (nameof(AllowAutoTopicCreation), AllowAutoTopicCreation),
            (nameof(KeepAlive), KeepAlive),
            (nameof(SendBufferBytes), SendBufferBytes),
            (nameof(ReceiveBufferBytes), ReceiveBufferBytes),
            (nameof(Tls), Tls),
            (nameof(TlsFiles), TlsFiles),
            (nameof(Sasl), Sasl),
            (nameof(HostLookUp), HostLookUp),
            (nameof(TimeProvider), TimeProvider),
            (nameof(MaxFrameBytes), MaxFrameBytes),
            (nameof(MaxDecodedBytes), MaxDecodedBytes),
            (nameof(Observer), Observer)
        );

    internal Bootstrap ToBootstrap() => _source.Core;

    internal ClientSettings ToSettings(ExchangeLog log) =>
        new(
            clientId: ClientId,
            connectTimeout: ConnectTimeout,
            callTimeout: CallTimeout,
            connectionTtl: ConnectionTtl,
            maxIdle: MaxIdle,
            heedThrottle: HeedThrottle,
            keepAlive: KeepAlive is null
                ? FSharpOption<Client.TcpKeepAlive>.None
                : FSharpOption<Client.TcpKeepAlive>.Some(KeepAlive.ToCore()),
            sendBufferBytes: SendBufferBytes is { } send ? FSharpOption<int>.Some(send) : FSharpOption<int>.None,
            receiveBufferBytes: ReceiveBufferBytes is { } receive ? FSharpOption<int>.Some(receive) : FSharpOption<int>.None,
            allowAutoTopicCreation: AllowAutoTopicCreation,
            tls: CoreTls(),
            sasl: Sasl is null ? Standard.Sasl : FSharpOption<Client.ISaslMechanism>.Some(Sasl.Core),
            lookUpHost: HostLookUp is null ? Standard.LookUpHost : FuncConvert.FromFunc(HostLookUp),
            limits: new Limits(MaxFrameBytes, MaxDecodedBytes, Standard.Limits.MaxDecompressedBytes, Standard.Limits.MaxRecords),
            time: TimeProvider,
            observe: FuncConvert.FromAction<Client.ExchangeInfo>(info =>
            {
                log.Add(info);
                Observer?.Invoke(new ExchangeInfo(info));
            })
        );

    private FSharpOption<Tls>? CoreTls() =>
        (Tls, TlsFiles) switch
        {
            (null, null) => Standard.Tls,
            ({ } options, null) => FSharpOption<Tls>.Some(TlsModule.ofOptions(options)),
            (null, { } files) => FSharpOption<Tls>.Some(TlsModule.ofPemFiles(files.ToCore()).ValueOrThrow()),
            _ => throw new InvalidOperationException("Both Tls and TlsFiles are set: leave out one of them."),
        };
}
