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
/// A SASL mechanism with its credentials. Credentials that are invalid cause the fault <see cref="KafkaFaultKind.SaslFailed"/> when a connection
/// is made.
/// </summary>
public sealed class SaslMechanism
{
    private SaslMechanism(Client.ISaslMechanism core)
    {
        Core = core;
    }

    /// <summary>The name of the mechanism, such as <c>SCRAM-SHA-256</c>.</summary>
    public string Name => Core.Name;

    internal Client.ISaslMechanism Core { get; }

    /// <summary>PLAIN (RFC 4616). The password is sent in clear text, so use it over TLS only.</summary>
    /// <param name="user">The user name.</param>
    /// <param name="password">The password.</param>
    /// <returns>The mechanism.</returns>
    public static SaslMechanism Plain(string user, string password) => WithPassword(Sasl.plain, user, password);

    /// <summary>
    /// SCRAM-SHA-256 (RFC 5802, RFC 7677). The user name and password are used as they are, without SASLprep, as in Kafka.
    /// </summary>
    /// <param name="user">The user name.</param>
    /// <param name="password">The password.</param>
    /// <returns>The mechanism.</returns>
    public static SaslMechanism ScramSha256(string user, string password) => WithPassword(Sasl.scramSha256, user, password);

    /// <summary>SCRAM-SHA-512. The user name and password are used as they are, without SASLprep, as in Kafka.</summary>
    /// <param name="user">The user name.</param>
    /// <param name="password">The password.</param>
    /// <returns>The mechanism.</returns>
    public static SaslMechanism ScramSha512(string user, string password) => WithPassword(Sasl.scramSha512, user, password);

    /// <summary>SCRAM-SHA-256 with a delegation token (KIP-48).</summary>
    /// <param name="tokenId">The id of the token.</param>
    /// <param name="hmac">The HMAC of the token, in base64.</param>
    /// <returns>The mechanism.</returns>
    public static SaslMechanism TokenScramSha256(string tokenId, string hmac) =>
        WithPassword(Sasl.tokenScramSha256, Interop.Required(tokenId), Interop.Required(hmac));

    /// <summary>SCRAM-SHA-512 with a delegation token (KIP-48).</summary>
    /// <param name="tokenId">The id of the token.</param>
    /// <param name="hmac">The HMAC of the token, in base64.</param>
    /// <returns>The mechanism.</returns>
    public static SaslMechanism TokenScramSha512(string tokenId, string hmac) =>
        WithPassword(Sasl.tokenScramSha512, Interop.Required(tokenId), Interop.Required(hmac));

    /// <summary>OAUTHBEARER (RFC 7628, KIP-255).</summary>
    /// <param name="token">
    /// Returns a valid token. It is called in the thread of the call each time a token is needed. What it throws becomes the fault
    /// <see cref="KafkaFaultKind.SaslFailed"/> with the same message, which must not contain a secret.
    /// </param>
    /// <returns>The mechanism.</returns>
    public static SaslMechanism OAuthBearer(Func<CancellationToken, BearerToken> token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return new(Sasl.oauthBearer(FuncConvert.FromFunc<CancellationToken, Client.BearerToken>(stop => token(stop).ToCore())));
    }

    /// <summary>A mechanism that the caller implements.</summary>
    /// <param name="mechanism">The mechanism.</param>
    /// <returns>The mechanism, for <see cref="KafkaClientOptions.Sasl"/>.</returns>
    public static SaslMechanism Custom(ISaslMechanism mechanism)
    {
        ArgumentNullException.ThrowIfNull(mechanism);
        return new(new OfCaller(mechanism));
    }

    /// <summary>The name of the mechanism and the user, without secrets.</summary>
    /// <returns>A one-line description.</returns>
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

/// <summary>A token for OAUTHBEARER. <see cref="ToString"/> does not reveal it.</summary>
public sealed record BearerToken
{
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
    /// SASL extensions that are sent along with the token (KIP-342). Names consist of ASCII letters; values of printable ASCII characters and white
    /// space.
    /// </summary>
    public IReadOnlyDictionary<string, string> Extensions
    {
        get => _extensions;
        init => _extensions = Interop.RequiredMap(value);
    }

    /// <summary>A text without the token.</summary>
    /// <returns>The same text for every token.</returns>
    public override string ToString() => ToCore().ToString();

    internal Client.BearerToken ToCore() => new(Value, MapModule.ToList(_extensions));
}

/// <summary>
/// A SASL mechanism that the caller implements. One value may be used for many connections, and by several threads. Its <c>ToString</c> must not
/// reveal a secret.
/// </summary>
public interface ISaslMechanism
{
    /// <summary>The name of the mechanism, such as <c>GSSAPI</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Begins an authentication with a broker: on a new connection, and again before the broker's session expires. It may block. What it throws
    /// becomes the fault <see cref="KafkaFaultKind.SaslFailed"/> with the same message, which must not contain a secret.
    /// </summary>
    /// <param name="broker">The broker.</param>
    /// <param name="cancellationToken">Is cancelled when the call ends.</param>
    /// <returns>The authentication.</returns>
    ISaslConversation Begin(BrokerAddress broker, CancellationToken cancellationToken);
}

/// <summary>One authentication with a SASL mechanism (RFC 4422). It is used once, in the thread of the call.</summary>
public interface ISaslConversation
{
    /// <summary>The client's first message.</summary>
    ReadOnlyMemory<byte> First { get; }

    /// <summary>Replies to a message from the broker.</summary>
    /// <param name="message">The message; empty if the mechanism has none.</param>
    /// <returns>The reply.</returns>
    SaslReply Answer(ReadOnlyMemory<byte> message);
}

/// <summary>A mechanism's reply to a message from the broker.</summary>
public sealed class SaslReply
{
    private readonly Client.SaslReply _core;

    private SaslReply(Client.SaslReply core)
    {
        _core = core;
    }

    /// <summary>No more messages: the mechanism accepts the broker.</summary>
    public static SaslReply Done { get; } = new(Client.SaslReply.Done);

    /// <summary>The next message to send.</summary>
    /// <param name="message">The message.</param>
    /// <returns>The reply.</returns>
    public static SaslReply Send(ReadOnlyMemory<byte> message) => new(Client.SaslReply.NewSend(new(message)));

    /// <summary>The mechanism does not accept the broker's message.</summary>
    /// <param name="reason">The reason, which must not contain a secret.</param>
    /// <returns>The reply.</returns>
    public static SaslReply Refuse(string reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        return new(Client.SaslReply.NewRefuse(reason));
    }

    internal Client.SaslReply ToCore() => _core;
}
