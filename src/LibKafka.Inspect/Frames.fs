/// Reads frames and matches responses to requests.
module LibKafka.Inspect.Frames

open System.Buffers.Binary
open System.Collections.Generic
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Inspect.Options
open LibKafka.Inspect.Input

/// A message of any API.
[<RequireQualifiedAccess>]
type Body =
    | Request of Request
    | Response of Response
    /// The bytes of a SASL mechanism without a header, as they follow a SaslHandshake request of version 0.
    | SaslToken of Bytes

/// The header data of a frame.
type Identity =
    {
        Api: ApiKey
        Version: int16
        /// None if there is no header.
        CorrelationId: int32 option
        /// The client id of a request, if its header could be read.
        ClientId: string option
    }

/// A frame and its content.
type Frame =
    {
        /// The number of the frame in its input, counted from 1. A response has the number of its request, or none if there is no request.
        Number: int64 option
        /// The number of the frame's connection, if the input has several.
        Connection: int option
        /// When the frame was sent, in milliseconds since the epoch, if that is known.
        Time: int64 option
        /// The offset of the frame in the input, including its length; 0 for a frame on a line.
        Offset: int64
        /// The line of the frame, if there are lines.
        Line: int64 option
        /// The offset of the bytes in the input, after the length.
        Start: int64
        Bytes: Bytes
        IsResponse: bool
        Identity: Identity option
        /// The message. There is also trouble if bytes remain after it.
        Body: Body option
        Trouble: Trouble option
    }

[<RequireQualifiedAccess>]
module Frame =

    /// A frame that has not been read yet. `length` is the size of its length prefix.
    let unread (isResponse: bool) (offset: int64) (length: int) (line: int64 option) (bytes: Bytes) : Frame =
        { Number = None
          Connection = None
          Time = None
          Offset = offset
          Line = line
          Start = offset + int64 length
          Bytes = bytes
          IsResponse = isResponse
          Identity = None
          Body = None
          Trouble = None }

/// A request that waits for its response.
[<Struct>]
type private Waiting = { Number: int64; Api: ApiKey; Version: int16; CorrelationId: int32 }

/// The requests of one connection without a response. A broker responds in order, so a response also ends the wait of all earlier
/// requests.
[<Sealed>]
type private Unanswered() =
    /// Far more than a client has in flight. If no responses come, the oldest requests are discarded.
    static let most = 100_000
    let queue = Queue<Waiting>()
    // The number of requests in the queue with each correlation id.
    let counts = Dictionary<int32, int>()

    let dequeue () =
        let request = queue.Dequeue()

        match counts[request.CorrelationId] with
        | 1 -> counts.Remove request.CorrelationId |> ignore
        | count -> counts[request.CorrelationId] <- count - 1

        request

    member _.Add(request: Waiting) =
        if queue.Count = most then dequeue () |> ignore
        queue.Enqueue request

        match counts.TryGetValue request.CorrelationId with
        | true, count -> counts[request.CorrelationId] <- count + 1
        | _ -> counts[request.CorrelationId] <- 1

    member _.Has(correlationId: int32) = counts.ContainsKey correlationId

    /// Removes the request with the correlation id, and all earlier ones, and returns it.
    member this.Answer(correlationId: int32) : Waiting voption =
        if this.Has correlationId then
            let mutable request = dequeue ()

            while request.CorrelationId <> correlationId do
                request <- dequeue ()

            ValueSome request
        else
            ValueNone

/// Decodes a message. If bytes remain after it, the result has both the message and the fault.
let private read (decode: Bytes -> Result<'T, Fault>) (bytes: Bytes) : 'T option * Fault option =
    match decode bytes with
    | Ok value -> Some value, None
    | Error fault ->
        match fault.Problem with
        | Problem.TrailingBytes count when count > 0 && count <= bytes.Length ->
            match decode (bytes.Slice(0, bytes.Length - count)) with
            | Ok value -> Some value, Some fault
            | Error _ -> None, Some fault
        | _ -> None, Some fault

/// Reads the frames of one connection, or of one input with frames of one kind.
[<Sealed>]
type Reader(limits: Limits) =
    let unanswered = Unanswered()
    let mutable number = 0L
    // Whether the frames of the client are SASL tokens: from a SaslHandshake request of version 0 to the next request.
    let mutable isAuthenticating = false
    // The tokens of the client that the broker has not answered.
    let mutable unansweredTokens = 0

    let next () =
        number <- number + 1L
        number

    let found (frame: Frame) identity body fault =
        { frame with Identity = identity; Body = body; Trouble = fault |> Option.map (Trouble.ofFault frame.Start) }

    /// The first eight bytes of every request header.
    let peek (bytes: Bytes) : Identity option =
        if bytes.Length < 8 then
            None
        else
            Some
                { Api = ApiKey(BinaryPrimitives.ReadInt16BigEndian bytes.Span)
                  Version = BinaryPrimitives.ReadInt16BigEndian(bytes.Span.Slice 2)
                  CorrelationId = Some(BinaryPrimitives.ReadInt32BigEndian(bytes.Span.Slice 4))
                  ClientId = None }

    let isAnswered (body: Body option) =
        match body with
        | Some(Body.Request request) -> Request.isAnswered request
        | _ -> true

    let token (at: Frame) : Frame = { at with Body = Some(Body.SaslToken at.Bytes) }

    let precedesTokens (request: Frame) : bool =
        match request.Body, request.Identity with
        | Some(Body.Request(Request.SaslHandshake _)), Some { Version = 0s } -> true
        | _ -> false

    /// Whether the frame of a client is a SASL token.
    let isToken (content: (RequestHeader * Request) option) (fault: Fault option) : bool =
        if isAuthenticating then isAuthenticating <- content.IsNone || fault.IsSome
        isAuthenticating

    let decodedRequest (at: Frame) (content: (RequestHeader * Request) option) (fault: Fault option) : Frame =
        let peeked = peek at.Bytes
        let body = content |> Option.map (snd >> Body.Request)

        match peeked with
        | Some { Api = api; Version = version; CorrelationId = Some id } when isAnswered body ->
            unanswered.Add { Number = number; Api = api; Version = version; CorrelationId = id }
        | _ -> ()

        let identity =
            match content with
            | Some(header, _) -> peeked |> Option.map (fun identity -> { identity with ClientId = header.ClientId })
            | None -> peeked |> Option.filter (fun identity -> identity.Api.Name <> "")

        found at identity body fault

    let request (at: Frame) : Frame =
        let at = { at with Number = Some(next ()) }
        let content, fault = read (LibKafka.Protocol.Frame.decodeRequest limits) at.Bytes

        if isToken content fault then
            unansweredTokens <- unansweredTokens + 1
            token at
        else
            let frame = decodedRequest at content fault
            isAuthenticating <- precedesTokens frame
            frame

    /// A response to a request of the API and version.
    let answer (api: ApiKey) (version: int16) (at: Frame) : Frame =
        let decode version = LibKafka.Protocol.Frame.decodeAnyResponse limits api version

        let found version (content, fault) =
            let correlationId = if at.Bytes.Length >= 4 then Some(BinaryPrimitives.ReadInt32BigEndian at.Bytes.Span) else None

            let identity = { Api = api; Version = version; CorrelationId = correlationId; ClientId = None }
            let known = if api.Name = "" then None else Some identity
            found at known (content |> Option.map (snd >> Body.Response)) fault

        match read (decode version) at.Bytes with
        | None, fault when api = ApiKey.ApiVersions && version <> 0s ->
            // A broker that does not support the version responds in version 0 (KIP-511).
            match decode 0s at.Bytes with
            | Ok(_, Response.ApiVersions refusal as content) when refusal.Error = ErrorCode.UnsupportedVersion ->
                found 0s (Some content, None)
            | _ -> found version (None, fault)
        | content -> found version content

    let hasRequestOf (response: Bytes) : bool = response.Length >= 4 && unanswered.Has(BinaryPrimitives.ReadInt32BigEndian response.Span)

    let response (at: Frame) : Frame =
        let refuse path reason = { at with Trouble = Some(Trouble.at at.Start path reason) }

        if unansweredTokens > 0 && not (hasRequestOf at.Bytes) then
            unansweredTokens <- unansweredTokens - 1
            token at
        elif at.Bytes.Length < 4 then
            refuse "ResponseHeader/CorrelationId" ((Problem.Truncated(4L, at.Bytes.Length)).ToString())
        else
            let correlationId = BinaryPrimitives.ReadInt32BigEndian at.Bytes.Span

            match unanswered.Answer correlationId with
            | ValueSome request ->
                // A broker answers in order, and the empty frame that may end an authentication is not on a line.
                if not isAuthenticating then unansweredTokens <- 0
                answer request.Api request.Version { at with Number = Some request.Number }
            | ValueNone -> refuse "ResponseHeader/CorrelationId" ("no earlier request has the correlation id " + string correlationId)

    let body (named: Named) (at: Frame) : Frame =
        let identity = { Api = named.Api; Version = named.Version; CorrelationId = None; ClientId = None }

        let content, fault =
            if named.IsResponse then
                let response, fault = read (Response.decode limits named.Api named.Version) at.Bytes
                response |> Option.map Body.Response, fault
            else
                let request, fault = read (Request.decode limits named.Api named.Version) at.Bytes
                request |> Option.map Body.Request, fault

        found at (Some identity) content fault

    /// Reads a frame.
    member _.Read(named: Named option, frame: Frame) : Frame =
        match named with
        | Some named ->
            let frame = { frame with Number = Some(next ()); IsResponse = named.IsResponse }
            if named.IsBody then body named frame else answer named.Api named.Version frame
        | None -> if frame.IsResponse then response frame else request frame

    /// Whether a request that this response answers has been read.
    member _.HasRequestOf(response: Bytes) : bool = hasRequestOf response

    /// Whether the next response answers a SASL token.
    member _.AwaitsToken = unansweredTokens > 0

/// A frame of a stream.
[<RequireQualifiedAccess; NoComparison>]
type StreamFrame =
    | Whole of offset: int64 * bytes: Bytes
    /// The rest of the stream cannot be split into frames.
    | Broken of offset: int64 * Trouble

/// The size of a length, in bytes.
[<Literal>]
let LengthSize = 4

/// The frames of a stream.
[<Sealed>]
type StreamFrames(limits: Limits, byteReader: ByteReader) =
    let mutable ended = false

    /// After a wrong length the start of the next frame is unknown.
    let broken (offset: int64) (reason: string) =
        ended <- true
        ValueSome(StreamFrame.Broken(offset, Trouble.at offset "" (reason + "; the rest of the stream cannot be read")))

    let next () =
        let offset = byteReader.Position
        let head = byteReader.Take LengthSize

        if head.Length = 0 then
            ValueNone
        elif head.Length < LengthSize then
            broken offset ("a frame's length " + (Problem.Truncated(int64 LengthSize, head.Length)).ToString())
        else
            let length = BinaryPrimitives.ReadInt32BigEndian head

            if length < 0 then
                broken offset ("a frame has the " + (Problem.NegativeLength(int64 length)).ToString())
            elif length > limits.MaxFrameBytes then
                broken offset ((Problem.FrameTooLarge(int64 length, int64 limits.MaxFrameBytes)).ToString())
            else
                let bytes = byteReader.Take length

                if bytes.Length < length then
                    broken offset ("a frame " + (Problem.Truncated(int64 length, bytes.Length)).ToString())
                else
                    ValueSome(StreamFrame.Whole(offset, Bytes bytes))

    /// The next frame; none at the end of the stream and after a broken frame.
    member _.Next() : StreamFrame voption =
        let offset = byteReader.Position

        try
            if ended then ValueNone else next ()
        with :? InvalidText as wrong ->
            ended <- true
            ValueSome(StreamFrame.Broken(offset, Trouble.ofText byteReader.Arrived wrong))
