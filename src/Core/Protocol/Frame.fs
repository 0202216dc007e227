namespace LibKafka.Protocol

open System.Buffers.Binary
open LibKafka.Wire

/// Frames: a header and a message. On a connection, four bytes with the length precede each frame.
[<RequireQualifiedAccess>]
module Frame =

    /// Writes the length, the header and the request. After a fault or an exception the writer is unchanged.
    let internal writeRequest
        (writer: Writer)
        (api: Api<'Request, 'Response>)
        (version: int16)
        (correlationId: int32)
        (clientId: string option)
        (request: 'Request)
        : Result<unit, Fault> =
        let start = writer.Length
        let header = { ApiKey = api.Key; ApiVersion = version; CorrelationId = correlationId; ClientId = clientId }
        let mutable isWhole = false

        try
            writer.Int32 0

            let written =
                match Message.writeTo writer (api.RequestHeaderVersion version) RequestHeader.message header with
                | Ok() -> Message.writeTo writer version api.Request request
                | Error fault -> Error fault

            isWhole <- written.IsOk
            if isWhole then writer.PatchInt32(start, writer.Length - start - 4)
            written
        finally
            if not isWhole then writer.Truncate start

    /// A request frame without its length.
    let encodeRequest (api: Api<'Request, 'Response>) version correlationId clientId (request: 'Request) : Result<Bytes, Fault> =
        let writer = Writer 256

        writeRequest writer api version correlationId clientId request
        |> Result.map (fun () -> writer.ToBytes().Slice(4, writer.Length - 4))

    /// A response frame without its length.
    let encodeResponse (api: Api<'Request, 'Response>) version (correlationId: int32) (response: 'Response) : Result<Bytes, Fault> =
        let writer = Writer 256

        Message.writeTo writer (api.ResponseHeaderVersion version) ResponseHeader.message { CorrelationId = correlationId }
        |> Result.bind (fun () -> Message.writeTo writer version api.Response response)
        |> Result.map (fun () -> writer.ToBytes())

    /// Appends the length, the header and a response of any API to what the writer holds. After a fault or an exception the writer is unchanged.
    let writeAnyResponse (writer: Writer) (version: int16) (correlationId: int32) (response: Response) : Result<unit, Fault> =
        let start = writer.Length
        let mutable isWhole = false

        // Of all flexible responses, only that to ApiVersions has the old header.
        let headerVersion (key: ApiKey) (message: Message<'T>) =
            match Message.version message version with
            | Ok version when version.Flexible && key <> ApiKey.ApiVersions -> 1s
            | _ -> 0s

        try
            writer.Int32 0

            let written =
                response
                |> Response.visit
                    { new IMessageVisitor<Result<unit, Fault>> with
                        member _.Visit(key, message, value) =
                            match
                                Message.writeTo writer (headerVersion key message) ResponseHeader.message { CorrelationId = correlationId }
                            with
                            | Ok() -> Message.writeTo writer version message value
                            | Error fault -> Error fault }

            isWhole <- written.IsOk
            if isWhole then writer.PatchInt32(start, writer.Length - start - 4)
            written
        finally
            if not isWhole then writer.Truncate start

    /// Reads a header and the message after it, which must take the rest of the frame.
    let private decodeBoth limits headerVersion (header: Message<'Header>) (frame: Bytes) version message =
        Message.reader limits header.Name frame
        |> Result.bind (fun reader ->
            Message.readFrom reader headerVersion header
            |> Result.bind (fun header -> Message.readToEnd reader version message |> Result.map (fun body -> header, body)))

    /// The response in a response frame, and the number of bytes that remain after it. Some brokers send more than the protocol says, and a
    /// client can only ignore it.
    let internal readResponse
        limits
        (api: Api<'Request, 'Response>)
        (version: int16)
        (frame: Bytes)
        : Result<struct ('Response * int), Fault> =
        match Message.reader limits ResponseHeader.message.Name frame with
        | Error fault -> Error fault
        | Ok reader ->
            match Message.readFrom reader (api.ResponseHeaderVersion version) ResponseHeader.message with
            | Error fault -> Error fault
            | Ok _ ->
                match Message.readFrom reader version api.Response with
                | Error fault -> Error fault
                | Ok response -> Ok(struct (response, reader.Remaining))

    /// The correlation id and the response in a response frame.
    let decodeResponse (limits: Limits) (api: Api<'Request, 'Response>) (version: int16) (frame: Bytes) : Result<int32 * 'Response, Fault> =
        decodeBoth limits (api.ResponseHeaderVersion version) ResponseHeader.message frame version api.Response
        |> Result.map (fun (header, response) -> header.CorrelationId, response)

    // The first two fields of a request header are the same in every version. They determine the version of the rest.
    let private peek (frame: Bytes) : Result<ApiKey * int16, Fault> =
        if frame.Length < 4 then
            Error { Problem = Problem.Truncated(4L, frame.Length); Offset = 0; Path = "RequestHeader" }
        else
            Ok(ApiKey(BinaryPrimitives.ReadInt16BigEndian frame.Span), BinaryPrimitives.ReadInt16BigEndian(frame.Span.Slice 2))

    let private unknown (key: ApiKey) : Fault = { Problem = Problem.UnknownApi key.Code; Offset = 0; Path = "RequestHeader/RequestApiKey" }

    /// The header and the request in a request frame of any API.
    let decodeRequest (limits: Limits) (frame: Bytes) : Result<RequestHeader * Request, Fault> =
        peek frame
        |> Result.bind (fun (key, version) ->
            key
            |> Apis.visit
                { new IApiVisitor<Result<RequestHeader * Request, Fault>> with
                    member _.Visit(api, ofRequest, _) =
                        Message.version api.Request version
                        |> Result.bind (fun _ ->
                            decodeBoth limits (api.RequestHeaderVersion version) RequestHeader.message frame version api.Request)
                        |> Result.map (fun (header, request) -> header, ofRequest request) }
            |> Option.defaultWith (fun () -> Error(unknown key)))

    /// The correlation id and the response in a response frame. The API and the version are those of the request.
    let decodeAnyResponse (limits: Limits) (key: ApiKey) (version: int16) (frame: Bytes) : Result<int32 * Response, Fault> =
        key
        |> Apis.visit
            { new IApiVisitor<Result<int32 * Response, Fault>> with
                member _.Visit(api, _, ofResponse) =
                    decodeResponse limits api version frame |> Result.map (fun (correlation, response) -> correlation, ofResponse response) }
        |> Option.defaultWith (fun () -> Error(unknown key))
