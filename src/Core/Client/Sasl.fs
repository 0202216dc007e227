namespace LibKafka.Client

open System.Threading
open LibKafka.Wire

/// What a mechanism says to a message of the broker.
[<RequireQualifiedAccess>]
type SaslReply =
    /// The next message.
    | Send of Bytes
    /// Nothing more: the broker has shown all that the mechanism demands of it.
    | Done
    /// The broker's message is not acceptable. The reason must not tell a secret.
    | Refuse of reason: string

/// One authentication by a SASL mechanism (RFC 4422). It is used once, in the thread of the call. What it throws becomes a fault, its
/// message included, which must not tell a secret: `NoCredentials` from `First`, `NotTrusted` from `Answer`.
type ISaslConversation =
    /// The client's first message.
    abstract First: Bytes

    /// What to say to a message of the broker, which is empty where the mechanism has none.
    abstract Answer: message: Bytes -> SaslReply

/// A SASL mechanism with the credentials that it needs. One value may be used for many connections, and by several threads. Its `ToString` must
/// not tell a secret.
type ISaslMechanism =
    /// The name that the broker knows it by, such as `SCRAM-SHA-256`.
    abstract Name: string

    /// Begins an authentication with a broker: on a new connection, and again when the broker's session is about to end. It may take its time,
    /// as to fetch a token, until the token here says that nobody waits any more. What it throws becomes the fault `NoCredentials`, its
    /// message included, which must not tell a secret.
    abstract Begin: broker: BrokerAddress * cancellation: CancellationToken -> ISaslConversation
