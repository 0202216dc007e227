namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// SaslAuthenticate (API key 36): one step of a SASL exchange, after a SaslHandshake of version 1 (KIP-152). It goes to the broker that
/// the connection is to. From version 1 on the exchange may be repeated on a connection in use, to stay authenticated (KIP-368).
module SaslAuthenticate =

    type Request =
        {
            /// The client's message of the SASL mechanism.
            AuthBytes: Bytes
        }

    let request = message {
        let! authBytes = field "AuthBytes" _.AuthBytes bytes
        return { AuthBytes = authBytes }
    }

    type Response =
        {
            /// SASL_AUTHENTICATION_FAILED when the broker does not accept the credentials: it then closes the connection;
            /// ILLEGAL_SASL_STATE when no step is due.
            Error: ErrorCode
            /// What the broker says of the error; null where it says nothing.
            ErrorMessage: string option
            /// The broker's message of the SASL mechanism; empty where it has none.
            AuthBytes: Bytes
            /// How long the client counts as authenticated, in milliseconds; 0 without end, and where the exchange is not over. A
            /// request after that, other than a new exchange, has the connection closed (KIP-368).
            SessionLifetimeMs: int64
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! authBytes = field "AuthBytes" _.AuthBytes bytes
        and! lifetime = field "SessionLifetimeMs" _.SessionLifetimeMs (int64 |> since 1s 0L |> ignorable)

        return { Error = error; ErrorMessage = text; AuthBytes = authBytes; SessionLifetimeMs = lifetime }
    }

    let api = Api.define ApiKey.SaslAuthenticate 0s 2s (Some 2s) request response
