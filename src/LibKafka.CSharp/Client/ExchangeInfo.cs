using System;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>
/// The facts of one call, for metrics and debugging: what was asked of which broker, when, how many bytes it took, and what went wrong.
/// </summary>
public sealed class ExchangeInfo
{
    private readonly Client.ExchangeInfo _core;

    internal ExchangeInfo(Client.ExchangeInfo core)
    {
        _core = core;
        Broker = core.Broker is { } broker ? BrokerAddress.Of(broker.Value) : null;
        Fault = core.Fault is { } fault ? KafkaFault.Of(fault.Value, Broker) : null;
    }

    /// <summary>What was asked.</summary>
    public ApiKey Api => _core.Api;

    /// <summary>The version that was used; -1 where it did not come to that.</summary>
    public short Version => _core.Version;

    /// <summary>The broker that was asked; null where no connection was made.</summary>
    public BrokerAddress? Broker { get; }

    /// <summary>The number by which request and answer on one connection belong together.</summary>
    public int CorrelationId => _core.CorrelationId;

    /// <summary>Which attempt at the same call it was, from 1, as the caller counts them: see <see cref="RetryPolicy{TResult}"/>.</summary>
    public int Attempt => _core.Attempt;

    /// <summary>When the call began.</summary>
    public DateTimeOffset Began => _core.Began;

    /// <summary>How long it took.</summary>
    public TimeSpan Elapsed => _core.Elapsed;

    /// <summary>Bytes sent, lengths and headers included. Where the connection broke, some of them may never have left.</summary>
    public int BytesOut => _core.BytesOut;

    /// <summary>Bytes received, lengths and headers included.</summary>
    public int BytesIn => _core.BytesIn;

    /// <summary>
    /// Bytes of the answer behind those that its version should have. They were ignored; a broker that keeps to the protocol sends
    /// none.
    /// </summary>
    public int UnreadBytes => _core.UnreadBytes;

    /// <summary>How long the client is asked to pause because it exceeded a quota (KIP-219); zero where it did not.</summary>
    public TimeSpan ThrottleTime => _core.ThrottleTime;

    /// <summary>Whether any part of the request may have reached the broker.</summary>
    public bool WasSent => _core.WasSent;

    /// <summary>What went wrong; null where nothing did. An error code from the broker is not a fault but part of the result.</summary>
    public KafkaFault? Fault { get; }

    /// <summary>As in <c>Fetch v12 to 127.0.0.1:9092: 131 bytes out, 5120 bytes in, 1.25 ms</c>.</summary>
    /// <returns>One line for people.</returns>
    public override string ToString()
    {
        var version = Version < 0 ? "" : FormattableString.Invariant($" v{Version}");
        var broker = Broker is { } address ? $" to {address}" : "";
        var end = Fault is { } fault ? $", {fault}" : "";
        return FormattableString.Invariant(
            $"{Api}{version}{broker}: {BytesOut} bytes out, {BytesIn} bytes in, {Elapsed.TotalMilliseconds:0.##} ms{end}"
        );
    }
}
