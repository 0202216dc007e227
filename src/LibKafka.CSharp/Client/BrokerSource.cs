using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Client;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>
/// Where the bootstrap brokers come from. Values are compared by what the caller gave. What a look-up found is cached in <see cref="Core"/>,
/// which all clients with the same options share.
/// </summary>
internal sealed class BrokerSource : IEquatable<BrokerSource>
{
    private readonly ISrvLookUp? _lookUp;

    private BrokerSource(ValueList<BrokerAddress> servers, string? serviceName, ISrvLookUp? lookUp, Bootstrap core)
    {
        Servers = servers;
        ServiceName = serviceName;
        _lookUp = lookUp;
        Core = core;
    }

    public ValueList<BrokerAddress> Servers { get; }

    public string? ServiceName { get; }

    public Bootstrap Core { get; }

    /// <summary>A list of brokers, which is the argument with the name.</summary>
    public static BrokerSource Of(IEnumerable<BrokerAddress> bootstrapServers, string name)
    {
        var own = new ValueList<BrokerAddress>(Interop.RequiredAll(bootstrapServers, name));
        return own.Count > 0
            ? new(own, null, null, BootstrapModule.ofAddresses(own.Select(broker => broker.ToCore()).ToFSharpList()))
            : throw new ArgumentException("At least one broker is required.", name);
    }

    public static BrokerSource Of(string serviceName, ISrvLookUp lookUp)
    {
        ArgumentException.ThrowIfNullOrEmpty(serviceName);
        ArgumentNullException.ThrowIfNull(lookUp);
        return new(new ValueList<BrokerAddress>([]), serviceName, lookUp, BootstrapModule.ofService(lookUp, serviceName));
    }

    public bool Equals(BrokerSource? other) =>
        other is not null && Servers.Equals(other.Servers) && ServiceName == other.ServiceName && Equals(_lookUp, other._lookUp);

    public override bool Equals(object? obj) => Equals(obj as BrokerSource);

    public override int GetHashCode() => HashCode.Combine(Servers, ServiceName);
}
