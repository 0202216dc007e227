namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// Envelope (API key 58): pass a client's request on, and its answer back (KIP-590). It goes from a broker to the controller.
module Envelope =

    type Request =
        {
            /// The client's request, header and body, without the length before it.
            RequestData: Bytes
            /// The client's user, as the cluster's principal builder writes it; null where it is not told.
            RequestPrincipal: Bytes option
            /// The client's IP address: 4 or 16 bytes.
            ClientHostAddress: Bytes
        }

    let request = message {
        let! data = field "RequestData" _.RequestData bytes
        and! principal = field "RequestPrincipal" _.RequestPrincipal (bytes |> nullable)
        and! address = field "ClientHostAddress" _.ClientHostAddress bytes

        return { RequestData = data; RequestPrincipal = principal; ClientHostAddress = address }
    }

    type Response =
        {
            /// The answer to the client, header and body, without the length before it; null on error.
            ResponseData: Bytes option
            /// What concerns the envelope; errors of the request in it are in its own answer. NOT_CONTROLLER when to ask elsewhere;
            /// CLUSTER_AUTHORIZATION_FAILED when the sender may not act for others; PRINCIPAL_DESERIALIZATION_FAILURE when the user
            /// cannot be read; UNSUPPORTED_VERSION when the controller does not know the version of the request; INVALID_REQUEST when it
            /// cannot be read, or is one that is not passed on.
            Error: ErrorCode
        }

    let response = message {
        let! data = field "ResponseData" _.ResponseData (bytes |> nullable |> withDefault None)
        and! error = field "ErrorCode" _.Error errorCode
        return { ResponseData = data; Error = error }
    }

    let api = Api.define ApiKey.Envelope 0s 0s (Some 0s) request response
