namespace LibKafka.Testing

open System.Buffers.Binary
open LibKafka
open LibKafka.Wire
open LibKafka.Protocol

/// A request frame as a broker reads it.
[<RequireQualifiedAccess; NoEquality; NoComparison>]
type Incoming =
    | Request of RequestHeader * Request
    /// ApiVersions in a version that the broker does not have. The response is in version 0.
    | UnsupportedApiVersions of correlationId: int32
    /// The broker does not understand it and closes the connection.
    | Malformed

    override this.ToString() =
        match this with
        | Request(header, request) -> header.ToString() + ": " + request.ToString()
        | UnsupportedApiVersions correlationId -> "ApiVersions in an unsupported version, correlation id " + string correlationId
        | Malformed -> "malformed"

/// Frames, without their lengths.
[<RequireQualifiedAccess>]
module Frames =

    let private limits = Limits.standard

    let private decoded (frame: Bytes) : Incoming =
        match Frame.decodeRequest limits frame with
        | Ok(header, request) -> Incoming.Request(header, request)
        | Error { Problem = Problem.TrailingBytes count } ->
            // Brokers ignore what follows the request.
            match Frame.decodeRequest limits (frame.Slice(0, frame.Length - count)) with
            | Ok(header, request) -> Incoming.Request(header, request)
            | Error _ -> Incoming.Malformed
        | Error _ -> Incoming.Malformed

    /// Reads a request frame, as a broker in this state does.
    let read (state: State) (frame: Bytes) : Incoming =
        if frame.Length < 8 then
            Incoming.Malformed
        else
            let key = ApiKey(BinaryPrimitives.ReadInt16BigEndian frame.Span)
            let version = BinaryPrimitives.ReadInt16BigEndian(frame.Span.Slice 2)

            if Broker.accepts key version state then
                decoded frame
            elif key = ApiKey.ApiVersions then
                Incoming.UnsupportedApiVersions(BinaryPrimitives.ReadInt32BigEndian(frame.Span.Slice 4))
            else
                Incoming.Malformed
