/// Puts TCP segments together to the two streams of each connection.
module LibKafka.Inspect.TcpStreams

open System
open System.Collections.Generic
open System.Net
open LibKafka.Inspect.Packets

/// What a direction of a connection has next.
[<RequireQualifiedAccess; NoComparison>]
type Part =
    | Bytes of ReadOnlyMemory<byte>
    /// Bytes that were sent but not captured; none if their number is not known, because the capture began after the connection.
    | Lost of count: int64 option

/// One direction of a connection. Sequence numbers are counted from the first one, so that they do not wrap around.
[<Sealed>]
type Direction() =
    /// The most bytes that are kept while an earlier segment is missing.
    static let mostWaiting = 16 * 1024 * 1024
    let waiting = SortedDictionary<int64, struct (ReadOnlyMemory<byte> * int)>()
    let mutable waitingBytes = 0
    let mutable isStarted = false
    // The sequence number of position 0.
    let mutable origin = 0u
    let mutable next = 0L
    let mutable acknowledged = 0L

    /// The position of a sequence number that is near the next one.
    let position (sequence: uint32) : int64 =
        let expected = origin + uint32 next
        next + int64 (int32 (sequence - expected))

    /// The part of a segment from the next position on.
    let fresh (at: int64) (payload: ReadOnlyMemory<byte>) : ReadOnlyMemory<byte> =
        let known = next - at
        if known >= int64 payload.Length then ReadOnlyMemory.Empty else payload.Slice(int known)

    /// Passes on a segment that begins at the next position or before it, and the end of it that was not captured.
    let pass (parts: List<Part>) (at: int64) (payload: ReadOnlyMemory<byte>) (length: int) =
        let rest = fresh at payload

        if rest.Length > 0 then
            parts.Add(Part.Bytes rest)
            next <- next + int64 rest.Length

        let missing = at + int64 length - next

        if missing > 0L then
            parts.Add(Part.Lost(Some missing))
            next <- next + missing

    let first () =
        let entry = Seq.head waiting
        let struct (payload, length) = entry.Value
        struct (entry.Key, payload, length)

    let remove (at: int64) (payload: ReadOnlyMemory<byte>) =
        waiting.Remove at |> ignore
        waitingBytes <- waitingBytes - payload.Length

    /// Passes on the segments that waited for this one. A gap that the receiver has acknowledged was lost by the capture, not by the network.
    let rec drain (parts: List<Part>) (isLast: bool) =
        if waiting.Count > 0 then
            let struct (at, payload, length) = first ()

            if at <= next then
                remove at payload
                pass parts at payload length
                drain parts isLast
            elif isLast || acknowledged > next || waitingBytes > mostWaiting then
                parts.Add(Part.Lost(Some(at - next)))
                next <- at
                drain parts isLast

    /// The first sequence number of the connection. The first byte has the number after it.
    member _.Begin(sequence: uint32) =
        isStarted <- true
        origin <- sequence + 1u

    /// Whether any segment has come.
    member _.IsStarted = isStarted

    /// Takes the acknowledgement of the other side.
    member _.Acknowledge(sequence: uint32) : Part list =
        if not isStarted then
            []
        else
            acknowledged <- max acknowledged (position sequence)
            let parts = List<Part>()
            // Acknowledged bytes of which no later segment waits can still come, if the capture is not in order.
            if waiting.Count > 0 then drain parts false
            List.ofSeq parts

    /// Takes a segment, and returns what can now be read.
    member _.Add(segment: Segment) : Part list =
        let parts = List<Part>()

        if not isStarted then
            isStarted <- true
            origin <- segment.Sequence
            parts.Add(Part.Lost None)

        let at = position segment.Sequence

        if at <= next then
            pass parts at segment.Payload segment.Length
        elif not (waiting.ContainsKey at) then
            waiting[at] <- struct (segment.Payload, segment.Length)
            waitingBytes <- waitingBytes + segment.Payload.Length

        drain parts false
        List.ofSeq parts

    /// What still waits, at the end of the capture.
    member _.Finish() : Part list =
        let parts = List<Part>()
        drain parts true
        List.ofSeq parts

/// A connection.
[<Sealed>]
type TcpConnection(number: int, client: IPEndPoint, server: IPEndPoint) =
    let requests, responses = Direction(), Direction()
    member _.Number = number
    member _.Client = client
    member _.Server = server
    member _.Requests = requests
    member _.Responses = responses

/// The connections of a capture.
[<Sealed>]
type TcpConnections(port: int option) =
    let connections = Dictionary<struct (IPEndPoint * IPEndPoint), TcpConnection>()
    // Also those whose ports have been used again.
    let all = List<TcpConnection>()

    let make (client: IPEndPoint) (server: IPEndPoint) : TcpConnection =
        let made = TcpConnection(all.Count + 1, client, server)
        all.Add made
        connections[struct (client, server)] <- made
        made

    /// Without the beginning of the connection, the side with the lower port is taken for the server, unless its port is given.
    let guess (segment: Segment) : TcpConnection =
        let isToServer =
            match port with
            | Some port -> segment.Destination.Port = port
            | None -> segment.Destination.Port <= segment.Source.Port

        if isToServer then
            make segment.Source segment.Destination
        else
            make segment.Destination segment.Source

    let isWanted (segment: Segment) =
        match port with
        | Some port -> segment.Source.Port = port || segment.Destination.Port = port
        | None -> true

    /// The connection of a segment and whether the client sent it; none if its port is not wanted.
    member _.Of(segment: Segment) : (TcpConnection * bool) option =
        if not (isWanted segment) then
            None
        elif segment.IsSyn && not segment.IsAck then
            match connections.TryGetValue(struct (segment.Source, segment.Destination)) with
            // The SYN was sent again.
            | true, known when not known.Responses.IsStarted -> Some(known, true)
            | _ -> Some(make segment.Source segment.Destination, true)
        else
            match connections.TryGetValue(struct (segment.Source, segment.Destination)) with
            | true, known -> Some(known, true)
            | _ ->
                match connections.TryGetValue(struct (segment.Destination, segment.Source)) with
                | true, known -> Some(known, false)
                | _ ->
                    let made = guess segment
                    Some(made, made.Client.Equals segment.Source)

    member _.All = List.ofSeq all
