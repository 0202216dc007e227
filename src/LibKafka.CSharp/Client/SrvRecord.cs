using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace LibKafka;

/// <summary>A broker from a DNS SRV record (RFC 2782).</summary>
/// <param name="Target">The address of the broker.</param>
/// <param name="Priority">Brokers with a lower number are tried first.</param>
/// <param name="Weight">Among brokers of the same priority, the relative probability of being tried first.</param>
/// <param name="TimeToLive">How long the record may be cached.</param>
public readonly record struct SrvRecord(BrokerAddress Target, int Priority, int Weight, TimeSpan TimeToLive)
{
    internal Client.SrvRecord ToCore() => new(Target.ToCore(), Priority, Weight, TimeToLive);
}

/// <summary>A look-up by the caller's function. It is equal to another look-up by the same function.</summary>
internal sealed record SrvFunction(Func<string, CancellationToken, Task<IReadOnlyList<SrvRecord>>> LookUp) : Client.ISrvLookUp
{
    async Task<IReadOnlyList<Client.SrvRecord>> Client.ISrvLookUp.LookUp(string name, CancellationToken cancellation)
    {
        var records = await LookUp(name, cancellation).ConfigureAwait(false);
        return [.. records.Select(record => record.ToCore())];
    }
}
