namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// SaslHandshake (API key 17): choose the SASL mechanism of a connection, before any other request but ApiVersions. What follows are
/// SaslAuthenticate requests after version 1, and bare SASL messages after version 0, each behind its length (KIP-152). It goes to the
/// broker that the connection is to.
module SaslHandshake =

    type Request =
        {
            /// Such as `PLAIN`, `SCRAM-SHA-256`, `GSSAPI` and `OAUTHBEARER`.
            Mechanism: string
        }

    let request = message {
        let! mechanism = field "Mechanism" _.Mechanism string
        return { Mechanism = mechanism }
    }

    type Response =
        {
            /// UNSUPPORTED_SASL_MECHANISM when the broker does not offer the mechanism; ILLEGAL_SASL_STATE when no handshake is due, as
            /// on a listener without SASL.
            Error: ErrorCode
            /// The mechanisms that the broker offers.
            Mechanisms: string list
        }

    let response = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! mechanisms = field "Mechanisms" _.Mechanisms (array string)
        return { Error = error; Mechanisms = mechanisms }
    }

    let api = Api.define ApiKey.SaslHandshake 0s 1s None request response
