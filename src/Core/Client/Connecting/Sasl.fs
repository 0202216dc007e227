namespace LibKafka.Client

open System.Threading
open LibKafka.Wire

/// A mechanism's reply to a message from the broker.
[<RequireQualifiedAccess>]
type SaslReply =
    /// The next message.
    | Send of Bytes
    /// No further message: the broker has proved all that the mechanism demands.
    | Done
    /// The broker's message is not acceptable. The reason must not contain a secret.
    | Refuse of reason: string

    /// A one-line description, without the message.
    override this.ToString() =
        match this with
        | Send _ -> "a message"
        | Done -> "done"
        | Refuse reason -> "refused: " + reason

/// One authentication by a SASL mechanism (RFC 4422). It is used once, in the thread of the call. An exception becomes the fault `NoCredentials`
/// from `First`, and `NotTrusted` from `Answer`, with the exception's message, which must not contain a secret.
type ISaslConversation =
    /// The client's first message.
    abstract First: Bytes

    /// The reply to a message from the broker, which is empty if the mechanism defines none.
    abstract Answer: message: Bytes -> SaslReply

/// A SASL mechanism with the credentials that it needs. One value may be used for many connections, and by several threads. Its `ToString` must
/// not contain a secret.
type ISaslMechanism =
    /// The name of the mechanism, such as `SCRAM-SHA-256`.
    abstract Name: string

    /// Begins an authentication with a broker: on a new connection, and again when the broker's session is about to end. It may block, for
    /// example to fetch a token, until the cancellation token is cancelled. An exception becomes the fault `NoCredentials` with its message,
    /// which must not contain a secret.
    abstract Begin: broker: BrokerAddress * cancellation: CancellationToken -> ISaslConversation
