using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Security;
using System.Threading;
using System.Threading.Tasks;
using LibKafka.Client;
using LibKafka.Wire;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>
/// Where the cluster is, and how connections to it are made and used. Nothing of it is global: it is handed to whatever uses it, and it
/// does not change; <c>with</c> makes a variant.
/// </summary>
public sealed record KafkaClientOptions
{
    private static readonly ClientSettings Standard = ClientSettingsModule.standard;

    private readonly BrokerSource _source;

    /// <summary>Options with a list of brokers in one text.</summary>
    /// <param name="bootstrapServers">Addresses with commas between them, such as <c>kafka-1:9092,kafka-2:9092</c>.</param>
    /// <exception cref="FormatException">The text is empty, or something in it is not of the form host:port.</exception>
    public KafkaClientOptions(string bootstrapServers)
        : this(BrokerAddress.ParseList(bootstrapServers)) { }

    /// <summary>Options with a list of brokers.</summary>
    /// <param name="bootstrapServers">Brokers of the cluster, at least one.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public KafkaClientOptions(IEnumerable<BrokerAddress> bootstrapServers)
    {
        _source = BrokerSource.Of(bootstrapServers);
    }

    /// <summary>
    /// Options with a DNS SRV name that stands for the brokers. It is looked up when they are first needed; what was found is kept as
    /// long as its records allow, shared by whatever uses these options, and forgotten as soon as one of the brokers cannot be
    /// connected to.
    /// </summary>
    /// <param name="serviceName">Such as <c>_kafka._tcp.example.org</c>.</param>
    /// <param name="lookUp">Looks up the name: <c>LibKafka.Dns.SrvLookUp</c>, or one of the caller's own.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public KafkaClientOptions(string serviceName, ISrvLookUp lookUp)
    {
        _source = BrokerSource.Of(serviceName, lookUp);
    }

    /// <summary>
    /// Brokers to ask what the cluster looks like; they are tried in random order until one answers. Not all need to be named, but more
    /// than one, so that one may be down. Empty where <see cref="ServiceName"/> stands for them.
    /// </summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public IReadOnlyList<BrokerAddress> BootstrapServers
    {
        get => _source.Servers;
        init => _source = BrokerSource.Of(value);
    }

    /// <summary>The DNS SRV name that stands for the brokers; null where <see cref="BootstrapServers"/> names them.</summary>
    public string? ServiceName => _source.ServiceName;

    /// <summary>The name that the client goes by in the broker's logs, metrics and quotas: <c>libkafka</c> unless set.</summary>
    public string ClientId
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
        }
    } = Standard.ClientId;

    /// <summary>
    /// How long making a connection may take, with the look-up of the host, TLS, the broker's versions and authentication: 10 seconds
    /// unless set; <see cref="Timeout.InfiniteTimeSpan"/> for no bound.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan ConnectTimeout
    {
        get;
        init => field = Interop.CheckTimeout(value, nameof(value));
    } = Standard.ConnectTimeout;

    /// <summary>
    /// How long a call may take, from its first byte out to its last byte in: 30 seconds unless set;
    /// <see cref="Timeout.InfiniteTimeSpan"/> for no bound.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan CallTimeout
    {
        get;
        init => field = Interop.CheckTimeout(value, nameof(value));
    } = Standard.CallTimeout;

    /// <summary>
    /// How old a connection may get: <see cref="Timeout.InfiniteTimeSpan"/>, without a bound, unless set. An older one is closed when
    /// it is to be used next, and its client makes another.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan ConnectionTtl
    {
        get;
        init => field = Interop.CheckTimeout(value, nameof(value));
    } = Standard.ConnectionTtl;

    /// <summary>
    /// How long a connection may lie unused: 9 minutes unless set; <see cref="Timeout.InfiniteTimeSpan"/> for no bound. One that did for
    /// longer is closed when it is to be used next, and its client makes another. It should be below what the brokers bear
    /// (<c>connections.max.idle.ms</c>, 10 minutes unless set): a request on a connection that the broker is about to close may be lost.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan MaxIdle
    {
        get;
        init => field = Interop.CheckTimeout(value, nameof(value));
    } = Standard.MaxIdle;

    /// <summary>
    /// Whether a call first waits until the time has passed for which the broker last asked for a pause on its connection (KIP-219):
    /// not unless set. The wait counts as part of the call.
    /// </summary>
    public bool HeedThrottle { get; init; } = Standard.HeedThrottle;

    /// <summary>
    /// TLS, where the brokers' listener has it; null for none. The options are taken as they are, with the broker's host as
    /// <c>TargetHost</c> where that is not set, and are not to be changed from then on. <see cref="KafkaTls.FromPemFiles"/> makes them
    /// of files in PEM form.
    /// </summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>Authentication, where the brokers' listener demands it; null for none.</summary>
    public SaslMechanism? Sasl { get; init; }

    /// <summary>
    /// Finds the addresses of a host name; null for the system's look-up. The caller's thread waits for it no longer than it has time;
    /// the token tells when nobody waits any more. It is not asked for what is an IP address already.
    /// </summary>
    public Func<string, CancellationToken, Task<IPAddress[]>>? HostLookUp { get; init; }

    /// <summary>The clock, and what time-outs and expiries are measured with: the system's unless set.</summary>
    public TimeProvider TimeProvider
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
        }
    } = Standard.Time;

    /// <summary>
    /// The largest answer to accept, in bytes: 256 MiB unless set. A broker, or whatever answers in its place, cannot make the client
    /// use more memory than that for an answer.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is zero or negative.</exception>
    public int MaxFrameBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = Standard.Limits.MaxFrameBytes;

    /// <summary>
    /// Is told of every exchange with a broker, those included that the client makes for itself, in the thread that makes it and before
    /// the call returns. What it throws comes out of the call.
    /// </summary>
    public Action<ExchangeInfo>? Observer { get; init; }

    internal Bootstrap ToBootstrap() => _source.Core;

    internal ClientSettings ToSettings() =>
        new(
            clientId: ClientId,
            connectTimeout: ConnectTimeout,
            callTimeout: CallTimeout,
            connectionTtl: ConnectionTtl,
            maxIdle: MaxIdle,
            heedThrottle: HeedThrottle,
            tls: Tls is null ? Standard.Tls : FSharpOption<Tls>.Some(TlsModule.ofOptions(Tls)),
            sasl: Sasl is null ? Standard.Sasl : FSharpOption<Client.ISaslMechanism>.Some(Sasl.Core),
            lookUpHost: HostLookUp is null ? Standard.LookUpHost : FuncConvert.FromFunc(HostLookUp),
            limits: new Limits(MaxFrameBytes, Standard.Limits.MaxDecompressedBytes, Standard.Limits.MaxRecords),
            time: TimeProvider,
            observe: Observer is { } observer
                ? FuncConvert.FromAction<Client.ExchangeInfo>(info => observer(new ExchangeInfo(info)))
                : Standard.Observe
        );
}
