namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// SaslAuthenticate (API key 36): one step of a SASL exchange, after SaslHandshake 1 (KIP-152). It applies to the connection it is sent
/// on. Since version 1 the exchange can be repeated on an open connection to re-authenticate (KIP-368).
module SaslAuthenticate =

    type Request =
        {
            /// The client's SASL message.
            AuthBytes: Bytes
        }

    let request = message {
        let! authBytes = field "AuthBytes" _.AuthBytes secret
        return { AuthBytes = authBytes }
    }

    type Response =
        {
            /// SASL_AUTHENTICATION_FAILED if the broker does not accept the credentials: it then closes the connection; ILLEGAL_SASL_STATE
            /// if no SASL exchange is in progress.
            Error: ErrorCode
            /// The broker's description of the error; null if it gives none.
            ErrorMessage: string option
            /// The broker's SASL message; empty if it has none.
            AuthBytes: Bytes
            /// How long the connection stays authenticated, in milliseconds; 0 if the time is not limited or the exchange is not complete.
            /// Afterwards the broker closes the connection on any request that does not re-authenticate. Since version 1 (KIP-368).
            SessionLifetimeMs: int64
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! authBytes = field "AuthBytes" _.AuthBytes secret
        and! lifetime = field "SessionLifetimeMs" _.SessionLifetimeMs (int64 |> since 1s 0L |> ignorable)

        return { Error = error; ErrorMessage = text; AuthBytes = authBytes; SessionLifetimeMs = lifetime }
    }

    let api = Api.define ApiKey.SaslAuthenticate (versions 0 2 |> flexibleFrom 2) request response

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
