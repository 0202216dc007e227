/// Reads frames, and finds the request that a response belongs to.
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

/// What is known of a frame apart from its message.
type Identity =
    {
        Api: ApiKey
        Version: int16
        /// None where there is no header.
        CorrelationId: int32 option
        /// A request's, where its header could be read.
        ClientId: string option
    }

/// What was found in one frame.
type Frame =
    {
        /// Counts the frames of an input from 1; a response has its request's. None where there is no such request.
        Number: int64 option
        /// Where the frame begins in the input, with its length where it has one; 0 for one on a line.
        Offset: int64
        /// The line that it stands on.
        Line: int64 option
        /// Where what is read begins: behind the length.
        Start: int64
        Bytes: Bytes
        IsResponse: bool
        Identity: Identity option
        /// The message; together with trouble where bytes are left over behind it.
        Body: Body option
        Trouble: Trouble option
    }

[<RequireQualifiedAccess>]
module Frame =

    /// A frame that is still to be read, at an offset behind `length` bytes that say its length.
    let unread (isResponse: bool) (offset: int64) (length: int) (line: int64 option) (bytes: Bytes) : Frame =
        { Number = None
          Offset = offset
          Line = line
          Start = offset + int64 length
          Bytes = bytes
          IsResponse = isResponse
          Identity = None
          Body = None
          Trouble = None }

/// A request that waits for its answer.
[<Struct>]
type private Waiting = { Number: int64; Api: ApiKey; Version: int16; CorrelationId: int32 }

/// The requests of one connection that have not been answered. A broker answers in the order of the requests, so an answer settles all requests
/// before its own.
[<Sealed>]
type private Unanswered() =
    /// Far more than a client has in flight: where no answers come, requests are forgotten in the end.
    static let most = 100_000
    let queue = Queue<Waiting>()
    // How many requests of the queue have the correlation id.
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

    /// The request with the correlation id, which waits no more.
    member this.Answer(correlationId: int32) : Waiting voption =
        if this.Has correlationId then
            let mutable request = dequeue ()

            while request.CorrelationId <> correlationId do
                request <- dequeue ()

            ValueSome request
        else
            ValueNone

/// Where bytes are left over behind a message that is otherwise whole, the message and the fault.
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

/// The frames of one connection, or of one input that has frames of one kind.
[<Sealed>]
type Reader(limits: Limits) =
    let unanswered = Unanswered()
    let mutable number = 0L

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

    /// The broker does not answer a Produce request for which it need not tell.
    let isAnswered (body: Body option) =
        match body with
        | Some(Body.Request(Request.Produce request)) -> request.Acks <> Acks.None
        | _ -> true

    let request (at: Frame) : Frame =
        let at = { at with Number = Some(next ()) }
        let content, fault = read (LibKafka.Protocol.Frame.decodeRequest limits) at.Bytes
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

    /// A response to a request of the API and version.
    let answer (api: ApiKey) (version: int16) (at: Frame) : Frame =
        let decode version = LibKafka.Protocol.Frame.decodeAnyResponse limits api version

        let found version (content, fault) =
            let correlationId = if at.Bytes.Length >= 4 then Some(BinaryPrimitives.ReadInt32BigEndian at.Bytes.Span) else None

            let identity = { Api = api; Version = version; CorrelationId = correlationId; ClientId = None }
            let known = if api.Name = "" then None else Some identity
            found at known (content |> Option.map (snd >> Body.Response)) fault

        match read (decode version) at.Bytes with
        | None, fault when api = ApiKey.ApiVersions && version > 0s ->
            // A broker that does not know the version says so in version 0 (KIP-511).
            match decode 0s at.Bytes with
            | Ok(_, Response.ApiVersions refusal as content) when refusal.Error = ErrorCode.UnsupportedVersion ->
                found 0s (Some content, None)
            | _ -> found version (None, fault)
        | content -> found version content

    let response (at: Frame) : Frame =
        let refuse path reason = { at with Trouble = Some(Trouble.at at.Start path reason) }

        if at.Bytes.Length < 4 then
            refuse "ResponseHeader/CorrelationId" ((Problem.Truncated(4L, at.Bytes.Length)).ToString())
        else
            let correlationId = BinaryPrimitives.ReadInt32BigEndian at.Bytes.Span

            match unanswered.Answer correlationId with
            | ValueSome request -> answer request.Api request.Version { at with Number = Some request.Number }
            | ValueNone ->
                refuse "ResponseHeader/CorrelationId" ("no request with the correlation id " + string correlationId + " came before it")

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

    /// Reads the frame.
    member _.Read(named: Named option, frame: Frame) : Frame =
        match named with
        | Some named ->
            let frame = { frame with Number = Some(next ()); IsResponse = named.IsResponse }
            if named.IsBody then body named frame else answer named.Api named.Version frame
        | None -> if frame.IsResponse then response frame else request frame

    /// Whether a request that this response answers has been read.
    member _.HasRequestOf(response: Bytes) : bool =
        response.Length >= 4 && unanswered.Has(BinaryPrimitives.ReadInt32BigEndian response.Span)

/// A frame as it stands behind its length.
[<RequireQualifiedAccess; NoComparison>]
type Piece =
    | Whole of offset: int64 * bytes: Bytes
    /// The rest of the stream cannot be told apart.
    | Broken of offset: int64 * Trouble

/// Bytes that a length takes.
[<Literal>]
let LengthSize = 4

/// The frames of a stream.
[<Sealed>]
type Pieces(limits: Limits, intake: Intake) =
    let mutable ended = false

    /// Where a length is wrong, nothing tells where the next frame begins.
    let broken (offset: int64) (reason: string) =
        ended <- true
        ValueSome(Piece.Broken(offset, Trouble.at offset "" (reason + "; this stream cannot be read on")))

    let next () =
        let offset = intake.Position
        let head = intake.Fill([||], LengthSize)

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
                let bytes = intake.Fill([||], length)

                if bytes.Length < length then
                    broken offset ("a frame " + (Problem.Truncated(int64 length, bytes.Length)).ToString())
                else
                    ValueSome(Piece.Whole(offset, Bytes bytes))

    /// The next frame; none at the end of the stream, and behind what is broken.
    member _.Next() : Piece voption =
        let offset = intake.Position

        try
            if ended then ValueNone else next ()
        with :? Misspelt as wrong ->
            ended <- true
            ValueSome(Piece.Broken(offset, Trouble.ofSpelling intake.Position wrong))
