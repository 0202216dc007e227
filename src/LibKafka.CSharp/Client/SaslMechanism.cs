using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using LibKafka.Client;
using LibKafka.Wire;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace LibKafka;

/// <summary>
/// How a client shows brokers who it is: a SASL mechanism with the credentials that it needs. Credentials that cannot be used are found
/// when they are: the fault is <see cref="KafkaFaultKind.SaslFailed"/>.
/// </summary>
public sealed class SaslMechanism
{
    private SaslMechanism(Client.ISaslMechanism core)
    {
        Core = core;
    }

    /// <summary>The name that brokers know the mechanism by, such as <c>SCRAM-SHA-256</c>.</summary>
    public string Name => Core.Name;

    internal Client.ISaslMechanism Core { get; }

    /// <summary>PLAIN (RFC 4616): the password is sent as it is, so it is to be used over TLS only.</summary>
    /// <param name="user">The user's name.</param>
    /// <param name="password">The user's password.</param>
    /// <returns>The mechanism.</returns>
    public static SaslMechanism Plain(string user, string password) => WithPassword(Sasl.plain, user, password);

    /// <summary>
    /// SCRAM-SHA-256 (RFC 5802, RFC 7677). Name and password are taken as they are, without SASLprep, as Kafka does.
    /// </summary>
    /// <param name="user">The user's name.</param>
    /// <param name="password">The user's password.</param>
    /// <returns>The mechanism.</returns>
    public static SaslMechanism ScramSha256(string user, string password) => WithPassword(Sasl.scramSha256, user, password);

    /// <summary>SCRAM-SHA-512. Name and password are taken as they are, without SASLprep, as Kafka does.</summary>
    /// <param name="user">The user's name.</param>
    /// <param name="password">The user's password.</param>
    /// <returns>The mechanism.</returns>
    public static SaslMechanism ScramSha512(string user, string password) => WithPassword(Sasl.scramSha512, user, password);

    /// <summary>SCRAM-SHA-256 with a delegation token (KIP-48).</summary>
    /// <param name="tokenId">The token's id.</param>
    /// <param name="hmac">The token's HMAC, in base64.</param>
    /// <returns>The mechanism.</returns>
    public static SaslMechanism TokenScramSha256(string tokenId, string hmac) => WithPassword(Sasl.tokenScramSha256, tokenId, hmac);

    /// <summary>SCRAM-SHA-512 with a delegation token (KIP-48).</summary>
    /// <param name="tokenId">The token's id.</param>
    /// <param name="hmac">The token's HMAC, in base64.</param>
    /// <returns>The mechanism.</returns>
    public static SaslMechanism TokenScramSha512(string tokenId, string hmac) => WithPassword(Sasl.tokenScramSha512, tokenId, hmac);

    /// <summary>OAUTHBEARER (RFC 7628, KIP-255).</summary>
    /// <param name="token">
    /// Gives a token that is good now, each time one is needed, in the thread of the call. What it throws becomes the fault
    /// <see cref="KafkaFaultKind.SaslFailed"/>, its message included, which must not tell a secret.
    /// </param>
    /// <returns>The mechanism.</returns>
    public static SaslMechanism OAuthBearer(Func<CancellationToken, BearerToken> token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return new(Sasl.oauthBearer(FuncConvert.FromFunc<CancellationToken, Client.BearerToken>(stop => token(stop).ToCore())));
    }

    /// <summary>Any other mechanism.</summary>
    /// <param name="mechanism">The mechanism.</param>
    /// <returns>The mechanism, for <see cref="KafkaClientOptions.Sasl"/>.</returns>
    public static SaslMechanism Custom(ISaslMechanism mechanism)
    {
        ArgumentNullException.ThrowIfNull(mechanism);
        return new(new OfCaller(mechanism));
    }

    /// <summary>The name, and for whom; nothing that is secret.</summary>
    /// <returns>One line for people.</returns>
    public override string ToString() => Core.ToString() ?? Name;

    private static SaslMechanism WithPassword(Func<string, string, Client.ISaslMechanism> make, string user, string password)
    {
        ArgumentNullException.ThrowIfNull(user);
        ArgumentNullException.ThrowIfNull(password);
        return new(make(user, password));
    }

    private sealed class OfCaller(ISaslMechanism mechanism) : Client.ISaslMechanism
    {
        public string Name => mechanism.Name;

        public Client.ISaslConversation Begin(Client.BrokerAddress broker, CancellationToken cancellation) =>
            new Conversation(mechanism.Begin(BrokerAddress.Of(broker), cancellation));

        public override string ToString() => mechanism.ToString() ?? Name;
    }

    private sealed class Conversation(ISaslConversation conversation) : Client.ISaslConversation
    {
        public Bytes First => new(conversation.First);

        public Client.SaslReply Answer(Bytes message) => conversation.Answer(message.Memory).ToCore();
    }
}

/// <summary>A token for OAUTHBEARER. It is not told by <see cref="ToString"/>.</summary>
public sealed record BearerToken
{
    // It is compared by content, and does not change.
    private readonly FSharpMap<string, string> _extensions = new([]);

    /// <summary>A token without extensions.</summary>
    /// <param name="value">The token, as the authorization server issued it.</param>
    public BearerToken(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        Value = value;
    }

    /// <summary>The token, as the authorization server issued it.</summary>
    public string Value { get; }

    /// <summary>
    /// Extensions that the broker is told beside it (KIP-342): names of ASCII letters, values of visible ASCII letters and white space.
    /// </summary>
    public IReadOnlyDictionary<string, string> Extensions
    {
        get => _extensions;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            _extensions = Interop.ToFSharpMap(value);
        }
    }

    /// <summary>Nothing of the token.</summary>
    /// <returns>The same text for every token.</returns>
    public override string ToString() => ToCore().ToString();

    internal Client.BearerToken ToCore() => new(Value, MapModule.ToList(_extensions));
}

/// <summary>
/// A SASL mechanism of the caller's own. One value may be used for many connections, and by several threads. Its <c>ToString</c> must not
/// tell a secret.
/// </summary>
public interface ISaslMechanism
{
    /// <summary>The name that the broker knows it by, such as <c>GSSAPI</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Begins an authentication with a broker: on a new connection, and again when the broker's session is about to end. It may take
    /// its time. What it throws becomes the fault <see cref="KafkaFaultKind.SaslFailed"/>, its message included, which must not tell a
    /// secret.
    /// </summary>
    /// <param name="broker">The broker.</param>
    /// <param name="cancellationToken">Tells when nobody waits for it any more.</param>
    /// <returns>The authentication.</returns>
    ISaslConversation Begin(BrokerAddress broker, CancellationToken cancellationToken);
}

/// <summary>One authentication by a SASL mechanism (RFC 4422). It is used once, in the thread of the call.</summary>
public interface ISaslConversation
{
    /// <summary>The client's first message.</summary>
    ReadOnlyMemory<byte> First { get; }

    /// <summary>What to say to a message of the broker.</summary>
    /// <param name="message">The message, which is empty where the mechanism has none.</param>
    /// <returns>The reply.</returns>
    SaslReply Answer(ReadOnlyMemory<byte> message);
}

/// <summary>What a mechanism says to a message of the broker.</summary>
public sealed class SaslReply
{
    private readonly Client.SaslReply _core;

    private SaslReply(Client.SaslReply core)
    {
        _core = core;
    }

    /// <summary>Nothing more: the broker has shown all that the mechanism demands of it.</summary>
    public static SaslReply Done { get; } = new(Client.SaslReply.Done);

    /// <summary>The next message.</summary>
    /// <param name="message">The message.</param>
    /// <returns>The reply.</returns>
    public static SaslReply Send(ReadOnlyMemory<byte> message) => new(Client.SaslReply.NewSend(new(message)));

    /// <summary>The broker's message is not acceptable.</summary>
    /// <param name="reason">Why; it must not tell a secret.</param>
    /// <returns>The reply.</returns>
    public static SaslReply Refuse(string reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        return new(Client.SaslReply.NewRefuse(reason));
    }

    internal Client.SaslReply ToCore() => _core;
}
