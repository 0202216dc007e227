namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// Envelope (API key 58): forwards a client's request and returns its response (KIP-590). Brokers send it to the controller.
module Envelope =

    type Request =
        {
            /// The client's request: header and body, without the length prefix.
            RequestData: Bytes
            /// The client's principal, as the cluster's principal builder serializes it; null if not given.
            RequestPrincipal: Bytes option
            /// The client's IP address, 4 or 16 bytes.
            ClientHostAddress: Bytes
        }

    let request = message {
        let! data = field "RequestData" _.RequestData secret
        and! principal = field "RequestPrincipal" _.RequestPrincipal (bytes |> nullable)
        and! address = field "ClientHostAddress" _.ClientHostAddress bytes

        return { RequestData = data; RequestPrincipal = principal; ClientHostAddress = address }
    }

    type Response =
        {
            /// The response to the client: header and body, without the length prefix; null on error.
            ResponseData: Bytes option
            /// The error of the envelope; errors of the client's request are in its own response. NOT_CONTROLLER if another node is the
            /// active controller; CLUSTER_AUTHORIZATION_FAILED if the sender may not forward requests; PRINCIPAL_DESERIALIZATION_FAILURE
            /// if the principal cannot be read; UNSUPPORTED_VERSION if the controller does not support the version of the request;
            /// INVALID_REQUEST if the request cannot be read or is of an API that is not forwarded.
            Error: ErrorCode
        }

    let response = message {
        let! data = field "ResponseData" _.ResponseData (secret |> nullable |> withDefault None)
        and! error = field "ErrorCode" _.Error errorCode
        return { ResponseData = data; Error = error }
    }

    let api = Api.define ApiKey.Envelope (versions 0 0 |> flexibleFrom 0) request response

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
