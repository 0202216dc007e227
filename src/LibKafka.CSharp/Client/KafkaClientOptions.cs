using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Wire;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>
/// Where the cluster is, and how connections to it are made and used. Nothing of it is global: it is handed to whatever uses it, and it
/// does not change; <c>with</c> makes a variant.
/// </summary>
public sealed record KafkaClientOptions
{
    private static readonly Client.ClientSettings Standard = Client.ClientSettingsModule.standard;

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
        BootstrapServers = [.. bootstrapServers];
    }

    /// <summary>
    /// Brokers to ask what the cluster looks like; they are tried in random order until one answers. Not all need to be named, but more
    /// than one, so that one may be down.
    /// </summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public IReadOnlyList<BrokerAddress> BootstrapServers
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            var own = new ValueList<BrokerAddress>(value);
            field = own.Count > 0 ? own : throw new ArgumentException("At least one broker is needed.", nameof(value));
        }
    }

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

    /// <summary>How long making a connection may take, asking for the broker's versions included: 10 seconds unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan ConnectTimeout
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.FromMilliseconds(1), nameof(value));
    } = Standard.ConnectTimeout;

    /// <summary>How long a call may take, from its first byte out to its last byte in: 30 seconds unless set.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is shorter than a millisecond or longer than 2³¹ milliseconds.</exception>
    public TimeSpan CallTimeout
    {
        get;
        init => field = Interop.CheckTime(value, TimeSpan.FromMilliseconds(1), nameof(value));
    } = Standard.CallTimeout;

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

    internal Client.Bootstrap ToBootstrap() =>
        Client.BootstrapModule.ofAddresses(BootstrapServers.Select(broker => broker.ToCore()).ToFSharpList());

    internal Client.ClientSettings ToSettings() =>
        new(
            clientId: ClientId,
            connectTimeout: ConnectTimeout,
            callTimeout: CallTimeout,
            connectionTtl: Standard.ConnectionTtl,
            maxIdle: Standard.MaxIdle,
            heedThrottle: Standard.HeedThrottle,
            tls: Standard.Tls,
            sasl: Standard.Sasl,
            lookUpHost: Standard.LookUpHost,
            limits: new Limits(MaxFrameBytes, Standard.Limits.MaxDecompressedBytes, Standard.Limits.MaxRecords),
            time: Standard.Time,
            observe: Observer is { } observer
                ? FuncConvert.FromAction<Client.ExchangeInfo>(info => observer(new ExchangeInfo(info)))
                : Standard.Observe
        );
}
