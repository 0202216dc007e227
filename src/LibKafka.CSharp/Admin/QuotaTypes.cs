using System;
using System.Collections.Generic;
using System.Linq;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>A part of what a client quota applies to.</summary>
/// <param name="EntityType">The type: <c>user</c>, <c>client-id</c> or <c>ip</c>.</param>
/// <param name="Name">The name; null for all names without a quota of their own.</param>
public sealed record ClientQuotaPart(string EntityType, string? Name)
{
    /// <summary>The type: <c>user</c>, <c>client-id</c> or <c>ip</c>.</summary>
    public string EntityType
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(EntityType);

    internal Tuple<string, Core.QuotaName> ToCore() =>
        Tuple.Create(EntityType, Name is null ? Core.QuotaName.Default : Core.QuotaName.NewNamed(Name));
}

/// <summary>What a client quota applies to (KIP-546): users, client ids, both, or IP addresses.</summary>
public sealed record ClientQuotaEntity
{
    /// <summary>The parts, of different types.</summary>
    public required IReadOnlyList<ClientQuotaPart> Parts
    {
        get;
        init => field = new ValueList<ClientQuotaPart>(Interop.RequiredAll(value));
    }

    /// <summary>A user.</summary>
    /// <param name="name">The name; null for all users without a quota of their own.</param>
    /// <returns>The entity.</returns>
    public static ClientQuotaEntity User(string? name) => new() { Parts = [new("user", name)] };

    /// <summary>A client id.</summary>
    /// <param name="name">The client id; null for all client ids without a quota of their own.</param>
    /// <returns>The entity.</returns>
    public static ClientQuotaEntity ClientId(string? name) => new() { Parts = [new("client-id", name)] };

    /// <summary>A client id of a user.</summary>
    /// <param name="user">The name of the user; null for all users without a quota of their own.</param>
    /// <param name="clientId">The client id; null for all client ids without a quota of their own.</param>
    /// <returns>The entity.</returns>
    public static ClientQuotaEntity UserAndClientId(string? user, string? clientId) =>
        new() { Parts = [new("user", user), new("client-id", clientId)] };

    /// <summary>An IP address (KIP-612).</summary>
    /// <param name="address">The address; null for all addresses without a quota of their own.</param>
    /// <returns>The entity.</returns>
    public static ClientQuotaEntity Ip(string? address) => new() { Parts = [new("ip", address)] };

    /// <summary>As in <c>user alice, client-id &lt;default&gt;</c>.</summary>
    /// <returns>The parts.</returns>
    public override string ToString() => ToCore().ToString();

    internal static ClientQuotaEntity Of(Core.ClientQuotaEntity core) =>
        new()
        {
            Parts = [.. core.Parts.Select(part => new ClientQuotaPart(part.Item1, part.Item2 is Core.QuotaName.Named it ? it.Item : null))],
        };

    internal Core.ClientQuotaEntity ToCore() => Core.ClientQuotaEntity.OfParts(Parts.Select(part => part.ToCore()).ToFSharpList());
}

/// <summary>A condition of a filter for client quotas.</summary>
/// <param name="EntityType">The type that an entity must have: <c>user</c>, <c>client-id</c> or <c>ip</c>.</param>
/// <param name="Match">Whether the entity must have the name, the default, or either.</param>
/// <param name="Name">The name, for <see cref="QuotaMatchType.Exact"/>.</param>
public sealed record ClientQuotaCondition(string EntityType, QuotaMatchType Match, string? Name = null)
{
    /// <summary>The type that an entity must have: <c>user</c>, <c>client-id</c> or <c>ip</c>.</summary>
    public string EntityType
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(EntityType);

    internal Tuple<string, Core.QuotaMatch> ToCore() =>
        Tuple.Create(
            EntityType,
            Match switch
            {
                QuotaMatchType.Exact => Core.QuotaMatch.NewExactly(Core.QuotaName.NewNamed(Name ?? "")),
                QuotaMatchType.Default => Core.QuotaMatch.NewExactly(Core.QuotaName.Default),
                _ => Core.QuotaMatch.Any,
            }
        );
}

/// <summary>Which client quotas to describe: an entity must meet all conditions.</summary>
public sealed record ClientQuotaFilter
{
    /// <summary>The conditions; none, unless set, for all entities.</summary>
    public IReadOnlyList<ClientQuotaCondition> Conditions
    {
        get;
        init => field = new ValueList<ClientQuotaCondition>(Interop.RequiredAll(value));
    } = new ValueList<ClientQuotaCondition>([]);

    /// <summary>Whether an entity must not have other types than those of the conditions.</summary>
    public bool IsStrict { get; init; }

    /// <summary>A filter for one entity.</summary>
    /// <param name="entity">The entity.</param>
    /// <returns>The filter.</returns>
    public static ClientQuotaFilter Exactly(ClientQuotaEntity entity) =>
        new()
        {
            Conditions =
            [
                .. Interop
                    .Required(entity)
                    .Parts.Select(part => new ClientQuotaCondition(
                        part.EntityType,
                        part.Name is null ? QuotaMatchType.Default : QuotaMatchType.Exact,
                        part.Name
                    )),
            ],
            IsStrict = true,
        };

    internal Core.ClientQuotaFilter ToCore() => new(Conditions.Select(condition => condition.ToCore()).ToFSharpList(), IsStrict);
}

/// <summary>The quotas of one entity.</summary>
/// <param name="Entity">The entity.</param>
/// <param name="Values">The quotas by their keys: see <see cref="QuotaKeys"/>.</param>
public sealed record ClientQuotas(ClientQuotaEntity Entity, IReadOnlyDictionary<string, double> Values)
{
    /// <summary>The entity.</summary>
    public ClientQuotaEntity Entity
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Entity);

    /// <summary>The quotas by their keys: see <see cref="QuotaKeys"/>.</summary>
    public IReadOnlyDictionary<string, double> Values
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Values);

    internal static ClientQuotas Of(Core.ClientQuotas core) => new(ClientQuotaEntity.Of(core.Entity), core.Values);
}

/// <summary>A change of a client quota.</summary>
/// <param name="Entity">What the quota applies to.</param>
/// <param name="Key">The key: see <see cref="QuotaKeys"/>. Each may occur only once for an entity.</param>
/// <param name="Value">The new quota; null to remove it.</param>
public sealed record ClientQuotaChange(ClientQuotaEntity Entity, string Key, double? Value)
{
    /// <summary>What the quota applies to.</summary>
    public ClientQuotaEntity Entity
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Entity);

    /// <summary>The key: see <see cref="QuotaKeys"/>. Each may occur only once for an entity.</summary>
    public string Key
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Key);
}
