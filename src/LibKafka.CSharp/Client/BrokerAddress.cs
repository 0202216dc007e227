using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Linq;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>The address at which a broker listens.</summary>
/// <param name="Host">A host name or an IP address; an IPv6 address without brackets.</param>
/// <param name="Port">The TCP port, 1 to 65535.</param>
public readonly record struct BrokerAddress(string Host, int Port)
{
    /// <summary>A host name or an IP address; an IPv6 address without brackets.</summary>
    public string Host
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Host);

    /// <summary>Parses an address such as <c>kafka-1:9092</c>, <c>kafka-1</c> or <c>[::1]:9092</c>.</summary>
    /// <param name="text">
    /// A host and a port separated by a colon; an IPv6 address is in brackets. The port is 9092 if it is left out.
    /// </param>
    /// <returns>The address.</returns>
    /// <exception cref="FormatException">The text is not an address.</exception>
    public static BrokerAddress Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Of(OrFormatException(Client.BrokerAddressModule.parse(text)));
    }

    /// <summary>Tries to parse an address such as <c>kafka-1:9092</c>, <c>kafka-1</c> or <c>[::1]:9092</c>.</summary>
    /// <param name="text">
    /// A host and a port separated by a colon; an IPv6 address is in brackets. The port is 9092 if it is left out.
    /// </param>
    /// <param name="address">The address.</param>
    /// <returns>Whether the text is an address.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out BrokerAddress address)
    {
        address = default;
        if (text is null || Client.BrokerAddressModule.parse(text) is not { IsOk: true } parsed)
        {
            return false;
        }

        address = Of(parsed.ResultValue);
        return true;
    }

    /// <summary>Parses a list of addresses such as <c>kafka-1:9092, kafka-2:9092</c>.</summary>
    /// <param name="text">Addresses separated by commas. Blanks around them and empty entries are ignored.</param>
    /// <returns>The addresses, in order; at least one.</returns>
    /// <exception cref="FormatException">The text names no broker, or a part of it is not an address.</exception>
    public static IReadOnlyList<BrokerAddress> ParseList(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return [.. OrFormatException(Client.BrokerAddressModule.parseList(text)).Select(Of)];
    }

    /// <summary>As in <c>kafka-1:9092</c> or <c>[::1]:9092</c>.</summary>
    /// <returns>Text that <see cref="Parse"/> accepts.</returns>
    public override string ToString() => ToCore().ToString();

    internal static BrokerAddress Of(Client.BrokerAddress core) => new(core.Host, core.Port);

    internal Client.BrokerAddress ToCore() => new(Host ?? "", Port);

    private static T OrFormatException<T>(FSharpResult<T, string> parsed) =>
        parsed.IsOk ? parsed.ResultValue : throw new FormatException(parsed.ErrorValue);
}
