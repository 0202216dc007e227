using System;
using System.Collections.Generic;
using System.Linq;
using LibKafka.Protocol;
using LibKafka.Wire;
using Core = LibKafka.Client;

namespace LibKafka;

/// <summary>A SCRAM credential of a user, without its secret.</summary>
/// <param name="Mechanism">The mechanism.</param>
/// <param name="Iterations">The iterations of its hash function.</param>
public sealed record ScramCredentialInfo(ScramMechanism Mechanism, int Iterations)
{
    internal static ScramCredentialInfo Of(DescribeUserScramCredentials.Credential core) => new(core.Mechanism, core.Iterations);
}

/// <summary>
/// What brokers keep of a user's password for one SCRAM mechanism (KIP-554, RFC 5802). It is computed here, so that the password itself is not sent.
/// </summary>
public sealed class ScramCredential
{
    /// <summary>The iterations that Kafka's own tools use unless told otherwise.</summary>
    public const int StandardIterations = Core.ScramCredentialModule.StandardIterations;

    private ScramCredential(Core.ScramCredential core)
    {
        Inner = core;
    }

    /// <summary>The mechanism.</summary>
    public ScramMechanism Mechanism => Inner.Mechanism;

    /// <summary>The iterations of the hash function.</summary>
    public int Iterations => Inner.Iterations;

    /// <summary>The salt.</summary>
    public ReadOnlyMemory<byte> Salt => Inner.Salt.Memory;

    /// <summary>The salted password. Keep it as secret as the password.</summary>
    public ReadOnlyMemory<byte> SaltedPassword => Inner.SaltedPassword.Memory;

    internal Core.ScramCredential Inner { get; }

    /// <summary>The credential of a password, with a random salt.</summary>
    /// <param name="mechanism">The mechanism.</param>
    /// <param name="password">The password.</param>
    /// <param name="iterations">The iterations, from 4,096 to 16,384.</param>
    /// <returns>The credential.</returns>
    /// <exception cref="ArgumentException">The password is empty or has no form in UTF-8, or the mechanism is not known.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Kafka does not accept the number of iterations.</exception>
    public static ScramCredential OfPassword(ScramMechanism mechanism, string password, int iterations = StandardIterations) =>
        new(Core.ScramCredentialModule.ofPassword(mechanism, iterations, Interop.Required(password)));

    /// <summary>As in <c>SCRAM-SHA-256 with 4096 iterations</c>.</summary>
    /// <returns>A description without the secret.</returns>
    public override string ToString() => Inner.ToString();
}

/// <summary>A change of one SCRAM credential of a user.</summary>
public sealed class ScramChange
{
    private ScramChange(Core.ScramChange core)
    {
        Inner = core;
    }

    /// <summary>The name of the user.</summary>
    public string User => Inner.User;

    internal Core.ScramChange Inner { get; }

    /// <summary>Sets a user's credential for its mechanism, whether there is one or not.</summary>
    /// <param name="user">The name of the user.</param>
    /// <param name="credential">The credential.</param>
    /// <returns>The change.</returns>
    public static ScramChange Upsert(string user, ScramCredential credential) =>
        new(Core.ScramChange.NewUpsert(Interop.Required(user), Interop.Required(credential).Inner));

    /// <summary>Deletes a user's credential for a mechanism.</summary>
    /// <param name="user">The name of the user.</param>
    /// <param name="mechanism">The mechanism.</param>
    /// <returns>The change.</returns>
    public static ScramChange Delete(string user, ScramMechanism mechanism) =>
        new(Core.ScramChange.NewDelete(Interop.Required(user), mechanism));

    /// <summary>As in <c>alice: SCRAM-SHA-256 with 4096 iterations</c>.</summary>
    /// <returns>A description without the secret.</returns>
    public override string ToString() => Inner.ToString();
}

/// <summary>A principal: who a client is.</summary>
/// <param name="Type">The type: <c>User</c>, unless the cluster has its own types.</param>
/// <param name="Name">The name.</param>
public sealed record KafkaPrincipal(string Type, string Name)
{
    /// <summary>The type: <c>User</c>, unless the cluster has its own types.</summary>
    public string Type
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Type);

    /// <summary>The name.</summary>
    public string Name
    {
        get;
        init => field = Interop.Required(value);
    } = Interop.Required(Name);

    /// <summary>A user.</summary>
    /// <param name="name">The name.</param>
    /// <returns>The principal.</returns>
    public static KafkaPrincipal User(string name) => new("User", Interop.Required(name));

    /// <summary>As in <c>User:alice</c>.</summary>
    /// <returns>The type and the name.</returns>
    public override string ToString() => $"{Type}:{Name}";

    internal static KafkaPrincipal Of(DelegationTokenPrincipal core) => new(core.PrincipalType, core.PrincipalName);

    internal DelegationTokenPrincipal ToCore() => new(Type, Name);
}

/// <summary>A delegation token to create (KIP-48).</summary>
public sealed record NewDelegationToken
{
    /// <summary>Who owns the token; null, unless set, for the caller. Another owner needs Kafka 3.3 (KIP-373).</summary>
    public KafkaPrincipal? Owner { get; init; }

    /// <summary>Who may renew the token in addition to its owner.</summary>
    public IReadOnlyList<KafkaPrincipal> Renewers
    {
        get;
        init => field = new ValueList<KafkaPrincipal>(Interop.RequiredAll(value));
    } = new ValueList<KafkaPrincipal>([]);

    /// <summary>
    /// The lifetime with all renewals; null, unless set, for the broker's limit (<c>delegation.token.max.lifetime.ms</c>).
    /// </summary>
    public TimeSpan? MaxLifetime { get; init; }

    internal Core.NewDelegationToken ToCore() =>
        new(
            Interop.OptionOf(Owner?.ToCore()),
            Renewers.Select(renewer => renewer.ToCore()).ToFSharpList(),
            MaxLifetime is { } time ? new(time) : null
        );
}

/// <summary>
/// A delegation token (KIP-48). A client authenticates with it by SCRAM: see <see cref="SaslMechanism"/>.
/// </summary>
public sealed record DelegationToken
{
    /// <summary>The id, which is the user name for SCRAM.</summary>
    public required string Id
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>The secret. It also names the token in calls that change it.</summary>
    public required ReadOnlyMemory<byte> Hmac { get; init; }

    /// <summary>The owner.</summary>
    public required KafkaPrincipal Owner
    {
        get;
        init => field = Interop.Required(value);
    }

    /// <summary>Who created it; null if the broker does not report it (before Kafka 3.3).</summary>
    public KafkaPrincipal? Requester { get; init; }

    /// <summary>Who may renew the token in addition to its owner.</summary>
    public IReadOnlyList<KafkaPrincipal> Renewers
    {
        get;
        init => field = new ValueList<KafkaPrincipal>(Interop.RequiredAll(value));
    } = new ValueList<KafkaPrincipal>([]);

    /// <summary>When it was created.</summary>
    public DateTimeOffset Issued { get; init; }

    /// <summary>When it expires unless it is renewed.</summary>
    public DateTimeOffset Expires { get; init; }

    /// <summary>The latest time until which it can be renewed.</summary>
    public DateTimeOffset MaxExpires { get; init; }

    /// <summary>The password for SCRAM: the secret in base64.</summary>
    public string Password => Convert.ToBase64String(Hmac.Span);

    /// <summary>As in <c>delegation token abc of User:alice</c>.</summary>
    /// <returns>A description without the secret.</returns>
    public override string ToString() => $"delegation token {Id} of {Owner}";

    internal static DelegationToken Of(Core.DelegationToken core) =>
        new()
        {
            Id = core.Id,
            Hmac = core.Hmac.Memory,
            Owner = KafkaPrincipal.Of(core.Owner),
            Requester = core.Requester.OrNull() is { } requester ? KafkaPrincipal.Of(requester) : null,
            Renewers = [.. core.Renewers.Select(KafkaPrincipal.Of)],
            Issued = core.Issued,
            Expires = core.Expires,
            MaxExpires = core.MaxExpires,
        };
}
