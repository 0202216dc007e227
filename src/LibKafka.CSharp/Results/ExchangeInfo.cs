using System;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>
/// One request to a broker and its answer, for metrics and debugging: the API, the broker, the time, the bytes and the fault.
/// </summary>
public sealed class ExchangeInfo
{
    private readonly Client.ExchangeInfo _core;

    internal ExchangeInfo(Client.ExchangeInfo core)
    {
        _core = core;
        Partition = core.Partition is { } partition ? TopicPartition.Of(partition.Value) : null;
        Broker = core.Broker is { } broker ? BrokerAddress.Of(broker.Value) : null;
        Fault = core.Fault is { } fault ? KafkaFault.Of(fault.Value, Broker) : null;
    }

    /// <summary>The API that was called.</summary>
    public ApiKey Api => _core.Api;

    /// <summary>The version of the request; -1 if the call failed before a version was chosen.</summary>
    public short Version => _core.Version;

    /// <summary>The broker; null if there was no connection.</summary>
    public BrokerAddress? Broker { get; }

    /// <summary>The correlation id, which matches an answer to its request on one connection.</summary>
    public int CorrelationId => _core.CorrelationId;

    /// <summary>The number of the attempt, from 1: see <see cref="CallOptions.Attempt"/>.</summary>
    public int Attempt => _core.Attempt;

    /// <summary>The topic partition that the request is about; null if it is about none or several.</summary>
    public TopicPartition? Partition { get; }

    /// <summary>When the exchange began.</summary>
    public DateTimeOffset Began => _core.Began;

    /// <summary>How long it took.</summary>
    public TimeSpan Elapsed => _core.Elapsed;

    /// <summary>Bytes sent, including length and header. If the connection broke, some of them may not have left the machine.</summary>
    public int BytesOut => _core.BytesOut;

    /// <summary>Bytes received, including length and header.</summary>
    public int BytesIn => _core.BytesIn;

    /// <summary>
    /// Bytes that remained after the answer was read. They were ignored. A broker that follows the protocol sends none.
    /// </summary>
    public int UnreadBytes => _core.UnreadBytes;

    /// <summary>How long the broker asks the client to pause because it exceeded a quota (KIP-219); zero if it does not.</summary>
    public TimeSpan ThrottleTime => _core.ThrottleTime;

    /// <summary>Whether any part of the request may have reached the broker.</summary>
    public bool WasSent => _core.WasSent;

    /// <summary>Why there is no answer; null if there is one. An error code in the answer is not a fault.</summary>
    public KafkaFault? Fault { get; }

    /// <summary>As in <c>Fetch v12 to 127.0.0.1:9092: 131 bytes out, 5120 bytes in, 1.25 ms</c>.</summary>
    /// <returns>A one-line description.</returns>
    public override string ToString() => _core.ToString();
}
