/// Finds Kafka's frames in the connections of a packet capture.
module LibKafka.Inspect.Capture

open System
open System.Buffers.Binary
open System.Collections.Generic
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Inspect.Input
open LibKafka.Inspect.Frames
open LibKafka.Inspect.Packets
open LibKafka.Inspect.TcpStreams

/// The bytes of a request that show whether it is one: its length, and its header up to the length of the client id.
[<Literal>]
let private FirstBytes = 14

/// Whether these bytes can be the beginning of a request.
let private canBeRequest (limits: Limits) (bytes: ReadOnlySpan<byte>) : bool =
    if bytes.Length < FirstBytes then
        false
    else
        let length = BinaryPrimitives.ReadInt32BigEndian bytes
        let api = ApiKey(BinaryPrimitives.ReadInt16BigEndian(bytes.Slice 4))
        let version = BinaryPrimitives.ReadInt16BigEndian(bytes.Slice 6)
        let clientId = BinaryPrimitives.ReadInt16BigEndian(bytes.Slice 12)

        length >= 10
        && length <= limits.MaxFrameBytes
        && api.Name <> ""
        && version >= 0s
        && version < 32s
        && clientId >= -1s
        && int clientId <= length - 10

/// Whether the bytes begin with a request, or with a part of one, that can be read.
let private isRequest (limits: Limits) (bytes: ReadOnlyMemory<byte>) : bool =
    canBeRequest limits bytes.Span
    && (let size = BinaryPrimitives.ReadInt32BigEndian bytes.Span
        let captured = min size (bytes.Length - 4)

        match LibKafka.Protocol.Frame.decodeRequest limits (Bytes(bytes.Slice(4, captured))) with
        | Ok _ -> true
        | Error { Problem = (Problem.Truncated _ | Problem.CountTooLarge _) } -> captured < size
        | Error _ -> false)

/// One direction of a connection, split into frames.
[<Sealed>]
type private Framer(limits: Limits, canBegin: ReadOnlyMemory<byte> -> bool) =
    let mutable buffer: byte[] = Array.zeroCreate 1024
    let mutable filled = 0
    // Whether the buffer begins where a frame does.
    let mutable isInStep = true

    let append (bytes: ReadOnlyMemory<byte>) =
        if bytes.Length > buffer.Length - filled then
            Array.Resize(&buffer, max (filled + bytes.Length) (2 * buffer.Length))

        bytes.Span.CopyTo(Span<byte>(buffer, filled, bytes.Length))
        filled <- filled + bytes.Length

    let discard () =
        filled <- 0
        isInStep <- false

    /// The whole frames in the buffer, and the reason if their lengths are wrong.
    let rec frames (found: List<Bytes>) (at: int) : string option =
        let remaining = filled - at
        let length = if remaining >= 4 then BinaryPrimitives.ReadInt32BigEndian(ReadOnlySpan<byte>(buffer, at, 4)) else 0

        if remaining >= 4 && (length < 0 || length > limits.MaxFrameBytes) then
            discard ()
            Some("a frame has the length " + string length)
        elif remaining >= 4 && remaining - 4 >= length then
            found.Add(Bytes(ReadOnlySpan<byte>(buffer, at + 4, length).ToArray()))
            frames found (at + 4 + length)
        else
            Buffer.BlockCopy(buffer, at, buffer, 0, remaining)
            filled <- remaining
            None

    /// Bytes are missing. The next frame is looked for at the beginning of a segment.
    member _.Lose() = discard ()

    /// The frames that are whole with these bytes.
    member _.Add(bytes: ReadOnlyMemory<byte>) : Bytes list * string option =
        if not isInStep then isInStep <- canBegin bytes

        if isInStep then
            append bytes
            let found = List<Bytes>()
            let wrong = frames found 0
            List.ofSeq found, wrong
        else
            [], None

/// The frames of one connection.
[<Sealed>]
type private Conversation(limits: Limits, number: int, show: Frame -> unit) =
    let reader = Reader limits

    let canBeResponse (bytes: ReadOnlyMemory<byte>) =
        bytes.Length >= 8 && BinaryPrimitives.ReadInt32BigEndian bytes.Span >= 4 && reader.HasRequestOf(Bytes(bytes.Slice 4))

    let requests = Framer(limits, fun bytes -> canBeRequest limits bytes.Span)
    let responses = Framer(limits, canBeResponse)
    // None until enough bytes of the client have come.
    let mutable isKafka: bool option = None
    let mutable undecided: byte[] = [||]
    // Whether the beginning of the connection is not in the capture.
    let mutable isMidway = false
    // Whether the client is on the other side than the ports suggest.
    let mutable isTurned = false

    let unread (packet: Packet) (isResponse: bool) (bytes: Bytes) : Frame =
        { Frame.unread isResponse packet.Offset 0 None bytes with Connection = Some number; Time = packet.Time }

    let trouble (packet: Packet) (isResponse: bool) (reason: string) =
        show { unread packet isResponse Bytes.empty with Trouble = Some(Trouble.at packet.Offset "" reason) }

    let take (packet: Packet) (isResponse: bool) (framer: Framer) (bytes: ReadOnlyMemory<byte>) =
        let frames, wrong = framer.Add bytes

        for frame in frames do
            show (reader.Read(None, unread packet isResponse frame))

        wrong
        |> Option.iter (fun reason -> trouble packet isResponse (reason + "; frames are looked for in the following packets"))

    /// Looks for the first request of a connection whose beginning is not in the capture. It shows which side is the client.
    let find (packet: Packet) (isResponse: bool) (bytes: ReadOnlyMemory<byte>) =
        if isRequest limits bytes then
            isKafka <- Some true
            isTurned <- isResponse
            requests.Lose()
            responses.Lose()
            take packet false requests bytes

    /// Takes the next part of a direction.
    member _.Add(packet: Packet, toClient: bool, part: Part) =
        let isResponse = toClient <> isTurned
        let framer = if isResponse then responses else requests

        match part with
        | Part.Lost count ->
            match isKafka, count with
            | Some true, Some count -> trouble packet isResponse (string count + " bytes are not in the capture")
            | None, _ -> isMidway <- true
            | _ -> ()

            framer.Lose()
        | Part.Bytes bytes when isKafka = Some true -> take packet isResponse framer bytes
        | Part.Bytes bytes when isMidway && isKafka.IsNone -> find packet isResponse bytes
        | Part.Bytes _ when isResponse || isKafka = Some false -> ()
        | Part.Bytes bytes ->
            undecided <- Array.append undecided (bytes.ToArray())

            if undecided.Length >= FirstBytes then
                isKafka <- Some(canBeRequest limits (ReadOnlySpan undecided))
                if isKafka = Some true then take packet false framer (ReadOnlyMemory undecided)
                undecided <- [||]

    /// Whether it has had bytes, and requests are among them.
    member _.IsKafka = isKafka = Some true

/// What was found besides frames.
type Summary =
    {
        /// Connections with Kafka's frames.
        Connections: int
        /// Other connections, among them those with TLS.
        Others: int
        /// The link types that cannot be read, with the number of their packets.
        UnknownLinks: (int * int) list
    }

/// What has been read of a capture.
[<Sealed>]
type private Reassembly(limits: Limits, port: int option, show: Frame -> unit) =
    let connections = TcpConnections port
    let conversations = Dictionary<int, Conversation>()
    let unknown = Dictionary<int, int>()
    let mutable last: Packet voption = ValueNone

    let count (linkType: int) =
        match unknown.TryGetValue linkType with
        | true, known -> unknown[linkType] <- known + 1
        | _ -> unknown[linkType] <- 1

    let conversation (connection: TcpConnection) =
        match conversations.TryGetValue connection.Number with
        | true, found -> found
        | _ ->
            let made = Conversation(limits, connection.Number, show)
            conversations[connection.Number] <- made
            made

    let pass (packet: Packet) (connection: TcpConnection) (isResponse: bool) (parts: Part list) =
        for part in parts do
            (conversation connection).Add(packet, isResponse, part)

    let segment (packet: Packet) (segment: Segment) (connection: TcpConnection) (fromClient: bool) =
        let own, other =
            if fromClient then
                connection.Requests, connection.Responses
            else
                connection.Responses, connection.Requests

        // What it acknowledges was sent before it.
        if segment.IsAck then
            pass packet connection fromClient (other.Acknowledge segment.Acknowledged)

        if segment.IsSyn then
            own.Begin segment.Sequence
        elif segment.Length > 0 then
            pass packet connection (not fromClient) (own.Add segment)

    member _.Add(packet: Packet) =
        last <- ValueSome packet

        match segmentOf packet with
        | Some found ->
            match connections.Of found with
            | Some(connection, fromClient) -> segment packet found connection fromClient
            | None -> ()
        | None -> if not (isKnownLink packet.LinkType) then count packet.LinkType

    /// Takes the end of the capture.
    member _.Finish() =
        match last with
        | ValueSome packet ->
            for connection in connections.All do
                pass packet connection false (connection.Requests.Finish())
                pass packet connection true (connection.Responses.Finish())
        | ValueNone -> ()

    member _.Summary: Summary =
        let kafka, others = List.ofSeq conversations.Values |> List.partition _.IsKafka

        { Connections = kafka.Length
          Others = others.Length
          UnknownLinks = [ for entry in unknown -> entry.Key, entry.Value ] }

/// Shows the frames of a capture. Only connections to or from the port are read, if there is one. `InvalidCapture` if the file is damaged.
let read (limits: Limits) (port: int option) (show: Frame -> unit) (input: ByteReader) : Summary =
    let found = Reassembly(limits, port, show)

    try
        for packet in packets input do
            found.Add packet
    finally
        found.Finish()

    found.Summary
