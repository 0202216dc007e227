namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// The header of a request.
type RequestHeader =
    {
        ApiKey: ApiKey
        ApiVersion: int16
        /// Chosen by the client. The header of the response repeats it.
        CorrelationId: int32
        /// The name of the client in the broker's logs, metrics and quotas.
        ClientId: string option
    }

    /// A one-line description, such as `Produce v9, correlation id 5, client id billing`.
    override this.ToString() =
        this.ApiKey.ToString()
        + " v"
        + this.ApiVersion.ToString()
        + ", correlation id "
        + this.CorrelationId.ToString()
        + (match this.ClientId with
           | Some name -> ", client id " + name
           | None -> "")

[<RequireQualifiedAccess>]
module RequestHeader =

    let private schema = message {
        let! key = field "RequestApiKey" _.ApiKey apiKey
        and! version = field "RequestApiVersion" _.ApiVersion int16
        and! correlation = field "CorrelationId" _.CorrelationId int32
        // The broker reads it before it knows whether the request is flexible, so it is never compact.
        and! client = field "ClientId" _.ClientId (string |> nullable |> classic)

        return { ApiKey = key; ApiVersion = version; CorrelationId = correlation; ClientId = client }
    }

    /// Version 2 has a tagged section; version 1 has none.
    let message: Message<RequestHeader> = Message.define "RequestHeader" (versions 1 2 |> flexibleFrom 2) schema

/// The header of a response.
type ResponseHeader =
    {
        /// The correlation id of the request.
        CorrelationId: int32
    }

    /// A one-line description.
    override this.ToString() = "correlation id " + this.CorrelationId.ToString()

[<RequireQualifiedAccess>]
module ResponseHeader =

    let private schema = message {
        let! correlation = field "CorrelationId" (fun (header: ResponseHeader) -> header.CorrelationId) int32
        return { ResponseHeader.CorrelationId = correlation }
    }

    /// Version 1 has a tagged section; version 0 has none.
    let message: Message<ResponseHeader> = Message.define "ResponseHeader" (versions 0 1 |> flexibleFrom 1) schema
