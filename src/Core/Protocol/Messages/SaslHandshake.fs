namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// SaslHandshake (API key 17): selects the SASL mechanism of a connection, before any request except ApiVersions. After version 1
/// SaslAuthenticate requests follow; after version 0 raw SASL messages follow, each with a length prefix (KIP-152). It applies to the
/// connection it is sent on.
module SaslHandshake =

    type Request =
        {
            /// Such as `PLAIN`, `SCRAM-SHA-256`, `GSSAPI` or `OAUTHBEARER`.
            Mechanism: string
        }

    let request = message {
        let! mechanism = field "Mechanism" _.Mechanism string
        return { Mechanism = mechanism }
    }

    type Response =
        {
            /// UNSUPPORTED_SASL_MECHANISM if the broker does not enable the mechanism; ILLEGAL_SASL_STATE if no handshake is expected, as
            /// on a listener without SASL.
            Error: ErrorCode
            /// The mechanisms that the broker enables.
            Mechanisms: string list
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! mechanisms = field "Mechanisms" _.Mechanisms (array string)
        return { Error = error; Mechanisms = mechanisms }
    }

    let api = Api.define ApiKey.SaslHandshake (versions 0 1) request response

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
