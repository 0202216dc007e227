/// Reads packet captures: the packets of pcap and pcapng files, and the TCP segments in them.
module LibKafka.Inspect.Packets

open System
open System.Buffers.Binary
open System.Collections.Generic
open System.Net
open LibKafka.Inspect.Input

/// A packet as it was captured, beginning with the header of its link layer.
[<NoComparison>]
type Packet =
    {
        /// The offset of the packet's record in the file.
        Offset: int64
        /// Milliseconds since the epoch; none if the file does not say.
        Time: int64 option
        LinkType: int
        Data: ReadOnlyMemory<byte>
    }

/// Raised if a capture cannot be read any further.
[<Sealed>]
type InvalidCapture(offset: int64, reason: string) =
    inherit Exception(reason)
    member _.Offset = offset

/// No packet is larger: it bounds the memory that a damaged file can ask for.
[<Literal>]
let private MostBytes = 67108864u

/// Integers in the byte order of a file.
[<Sealed>]
type private Order(isBig: bool) =
    member _.UInt16(bytes: byte[], at: int) : int =
        let span = ReadOnlySpan<byte>(bytes, at, 2)
        int (
            if isBig then
                BinaryPrimitives.ReadUInt16BigEndian span
            else
                BinaryPrimitives.ReadUInt16LittleEndian span
        )

    member _.UInt32(bytes: byte[], at: int) : uint32 =
        let span = ReadOnlySpan<byte>(bytes, at, 4)
        if isBig then
            BinaryPrimitives.ReadUInt32BigEndian span
        else
            BinaryPrimitives.ReadUInt32LittleEndian span

    member _.Int64(bytes: byte[], at: int) : int64 =
        let span = ReadOnlySpan<byte>(bytes, at, 8)
        if isBig then
            BinaryPrimitives.ReadInt64BigEndian span
        else
            BinaryPrimitives.ReadInt64LittleEndian span

/// Exactly so many bytes, or null at the end of the file.
let private take (reader: ByteReader) (count: uint32) : byte[] | null =
    let offset = reader.Position

    if count > MostBytes then
        raise (InvalidCapture(offset, "a block of " + string count + " bytes exceeds the limit of " + string MostBytes))

    match reader.Take(int count) with
    | bytes when bytes.Length = int count -> bytes
    | [||] -> null
    | bytes ->
        raise (InvalidCapture(offset, "the capture ends within a block, after " + string bytes.Length + " of " + string count + " bytes"))

/// The bytes, which must be there.
let private need (reader: ByteReader) (count: uint32) : byte[] =
    match take reader count with
    | null -> raise (InvalidCapture(reader.Position, "the capture ends within a block"))
    | bytes -> bytes

/// The packets of a pcap file after its magic number.
let private classic (reader: ByteReader) (order: Order) (fractions: int64) : Packet seq = seq {
    let header = need reader 20u
    // The upper bits are about the frame check sequence.
    let linkType = int (order.UInt32(header, 16) &&& 0xFFFFu)
    let mutable offset = reader.Position
    let mutable head = take reader 16u

    while not (isNull head) do
        match head with
        | null -> ()
        | found ->
            let seconds, fraction = int64 (order.UInt32(found, 0)), int64 (order.UInt32(found, 4))
            let data = need reader (order.UInt32(found, 8))
            let time = seconds * 1000L + fraction / (fractions / 1000L)
            { Offset = offset; Time = Some time; LinkType = linkType; Data = ReadOnlyMemory data }

        offset <- reader.Position
        head <- take reader 16u
}

/// An interface of a pcapng file.
[<Struct>]
type private Interface =
    {
        LinkType: int
        SnapLength: uint32
        /// The units of its timestamps in a second.
        Units: uint64
        /// Seconds that are added to its timestamps.
        Offset: int64
    }

/// Microseconds, the units of an interface that names none.
[<Literal>]
let private UsualUnits = 1_000_000UL

/// The value of an option of an interface; empty if it is not there.
let private optionOf (order: Order) (body: byte[]) (wanted: int) : ReadOnlyMemory<byte> =
    let rec find (at: int) =
        if at + 4 > body.Length then
            ReadOnlyMemory.Empty
        else
            match order.UInt16(body, at), order.UInt16(body, at + 2) with
            | code, length when code = wanted && at + 4 + length <= body.Length -> ReadOnlyMemory<byte>(body, at + 4, length)
            | 0, _ -> ReadOnlyMemory.Empty
            | _, length -> find (at + 4 + (length + 3) / 4 * 4)

    find 8

/// The resolution of an interface: a power of 10, or of 2 if the top bit is set.
let private unitsOf (order: Order) (body: byte[]) : uint64 =
    let option = optionOf order body 9
    let exponent = if option.Length = 0 then -1 else int (option.Span[0] &&& 0x7Fuy)

    if exponent < 0 then UsualUnits
    elif option.Span[0] < 128uy && exponent < 20 then pown 10UL exponent
    elif option.Span[0] >= 128uy && exponent < 64 then 1UL <<< exponent
    else UsualUnits

/// The seconds that are added to the timestamps of an interface.
let private offsetOf (order: Order) (body: byte[]) : int64 =
    let option = optionOf order body 14
    if option.Length = 8 then order.Int64(option.ToArray(), 0) else 0L

/// The blocks of a pcapng file.
[<Sealed>]
type private Blocks(reader: ByteReader) =
    let interfaces = List<Interface>()
    let mutable order = Order false

    let packet (offset: int64) (number: uint32) (time: (uint32 * uint32) option) (body: byte[]) (start: int) (length: uint32) : Packet =
        if number >= uint32 interfaces.Count then
            raise (InvalidCapture(offset, "a packet is of interface " + string number + ", which the capture does not describe"))

        if int64 start + int64 length > int64 body.Length then
            raise (InvalidCapture(offset, "a packet is longer than its block"))

        let found = interfaces[int number]
        let milliseconds (high: uint32, low: uint32) =
            let wide (value: uint64) = UInt128.op_Implicit value
            let ticks = wide ((uint64 high <<< 32) ||| uint64 low)
            int64 (UInt128.op_Explicit (ticks * wide 1000UL / wide found.Units): uint64) + found.Offset * 1000L

        { Offset = offset
          Time = Option.map milliseconds time
          LinkType = found.LinkType
          Data = ReadOnlyMemory<byte>(body, start, int length) }

    let least (offset: int64) (body: byte[]) (count: int) =
        if body.Length < count then
            raise (InvalidCapture(offset, "a block of " + string body.Length + " bytes is too short for its type"))

    /// Takes the body of a block; a packet if it has one.
    let block (offset: int64) (kind: uint32) (body: byte[]) : Packet voption =
        match kind with
        | 1u ->
            least offset body 8
            interfaces.Add
                { LinkType = order.UInt16(body, 0)
                  SnapLength = order.UInt32(body, 4)
                  Units = unitsOf order body
                  Offset = offsetOf order body }
            ValueNone
        | 2u ->
            least offset body 20
            let time = Some(order.UInt32(body, 4), order.UInt32(body, 8))
            ValueSome(packet offset (uint32 (order.UInt16(body, 0))) time body 20 (order.UInt32(body, 12)))
        | 3u ->
            least offset body 4
            let snap =
                if interfaces.Count > 0 && interfaces[0].SnapLength > 0u then
                    interfaces[0].SnapLength
                else
                    UInt32.MaxValue
            ValueSome(packet offset 0u None body 4 (min (order.UInt32(body, 0)) (min snap (uint32 (body.Length - 4)))))
        | 6u ->
            least offset body 20
            let time = Some(order.UInt32(body, 4), order.UInt32(body, 8))
            ValueSome(packet offset (order.UInt32(body, 0)) time body 20 (order.UInt32(body, 12)))
        | _ -> ValueNone

    /// The rest of a section header, which says the byte order. A section has interfaces of its own.
    let section (offset: int64) (length: byte[]) =
        let magic = need reader 4u

        order <-
            match BinaryPrimitives.ReadUInt32BigEndian magic with
            | 0x1A2B3C4Du -> Order true
            | 0x4D3C2B1Au -> Order false
            | _ -> raise (InvalidCapture(offset, "a section of the capture has no byte order"))

        interfaces.Clear()
        let size = order.UInt32(length, 0)
        if size < 28u then
            raise (InvalidCapture(offset, "a section header of " + string size + " bytes is too short"))
        need reader (size - 12u) |> ignore

    /// The packets after the type of the first block.
    member _.Packets(first: byte[]) : Packet seq = seq {
        let mutable offset = reader.Position - 4L
        let mutable kind: byte[] | null = first

        while not (isNull kind) do
            match kind with
            | null -> ()
            | found ->
                let length = need reader 4u

                if BinaryPrimitives.ReadUInt32BigEndian found = 0x0A0D0D0Au then
                    section offset length
                else
                    let size = order.UInt32(length, 0)

                    if size < 12u || size % 4u <> 0u then
                        raise (InvalidCapture(offset, "a block has the length " + string size))

                    let body = need reader (size - 8u)

                    match block offset (order.UInt32(found, 0)) (Array.truncate (body.Length - 4) body) with
                    | ValueSome packet -> packet
                    | ValueNone -> ()

            offset <- reader.Position
            kind <- take reader 4u
    }

/// The packets of a capture in either format, which its first bytes tell apart.
let packets (reader: ByteReader) : Packet seq =
    match take reader 4u with
    | null -> Seq.empty
    | magic ->
        match BinaryPrimitives.ReadUInt32BigEndian magic with
        | 0xA1B2C3D4u -> classic reader (Order true) 1_000_000L
        | 0xD4C3B2A1u -> classic reader (Order false) 1_000_000L
        | 0xA1B23C4Du -> classic reader (Order true) 1_000_000_000L
        | 0x4D3CB2A1u -> classic reader (Order false) 1_000_000_000L
        | 0x0A0D0D0Au -> Blocks(reader).Packets magic
        | _ -> raise (InvalidCapture(0L, "neither a pcap nor a pcapng file"))

/// A TCP segment.
[<NoComparison>]
type Segment =
    {
        Source: IPEndPoint
        Destination: IPEndPoint
        Sequence: uint32
        Acknowledged: uint32
        IsSyn: bool
        IsAck: bool
        IsEnd: bool
        /// What was captured of the payload.
        Payload: ReadOnlyMemory<byte>
        /// The size of the whole payload.
        Length: int
    }

let private big16 (data: ReadOnlyMemory<byte>) (at: int) : int = int (BinaryPrimitives.ReadUInt16BigEndian(data.Span.Slice at))

let private tcp (source: IPAddress) (destination: IPAddress) (data: ReadOnlyMemory<byte>) (length: int) : Segment option =
    if data.Length < 20 then
        None
    else
        let span = data.Span
        let header = int (span[12] >>> 4) * 4
        let flags = span[13]

        if header < 20 || header > length then
            None
        else
            Some
                { Source = IPEndPoint(source, big16 data 0)
                  Destination = IPEndPoint(destination, big16 data 2)
                  Sequence = BinaryPrimitives.ReadUInt32BigEndian(span.Slice 4)
                  Acknowledged = BinaryPrimitives.ReadUInt32BigEndian(span.Slice 8)
                  IsSyn = flags &&& 0x02uy <> 0uy
                  IsAck = flags &&& 0x10uy <> 0uy
                  // Finished or reset.
                  IsEnd = flags &&& 0x05uy <> 0uy
                  Payload =
                    if header >= data.Length then
                        ReadOnlyMemory.Empty
                    else
                        data.Slice(header, min (data.Length - header) (length - header))
                  Length = length - header }

let private ipv4 (data: ReadOnlyMemory<byte>) : Segment option =
    if data.Length < 20 then
        None
    else
        let span = data.Span
        let header = int (span[0] &&& 0x0Fuy) * 4
        let length = big16 data 2
        // A network card may leave the length to itself.
        let total = if length = 0 then data.Length else length
        let isFragment = big16 data 6 &&& 0x3FFF <> 0

        if span[9] <> 6uy || isFragment || header < 20 || header > data.Length || header > total then
            None
        else
            let content = data.Slice(header, min (data.Length - header) (total - header))
            tcp (IPAddress(span.Slice(12, 4))) (IPAddress(span.Slice(16, 4))) content (total - header)

let private ipv6 (data: ReadOnlyMemory<byte>) : Segment option =
    if data.Length < 40 then
        None
    else
        let source, destination = IPAddress(data.Span.Slice(8, 16)), IPAddress(data.Span.Slice(24, 16))
        let total = if big16 data 4 = 0 then data.Length else 40 + big16 data 4

        /// Skips the headers before the TCP header.
        let rec after (next: byte) (at: int) : Segment option =
            match next with
            | 6uy when at <= data.Length && at <= total ->
                tcp source destination (data.Slice(at, min (data.Length - at) (total - at))) (total - at)
            | 0uy
            | 43uy
            | 60uy when at + 8 <= data.Length -> after data.Span[at] (at + 8 + int data.Span[at + 1] * 8)
            | _ -> None

        after data.Span[6] 40

let private ip (data: ReadOnlyMemory<byte>) : Segment option =
    if data.Length = 0 then
        None
    else
        match data.Span[0] >>> 4 with
        | 4uy -> ipv4 data
        | 6uy -> ipv6 data
        | _ -> None

/// The packet after the type of an Ethernet frame, which may have VLAN tags before it.
let rec private etherType (data: ReadOnlyMemory<byte>) (at: int) : Segment option =
    if data.Length < at + 2 then
        None
    else
        match big16 data at with
        | 0x0800
        | 0x86DD -> ip (data.Slice(at + 2))
        | 0x8100
        | 0x88A8 -> etherType data (at + 4)
        | _ -> None

/// The TCP segment in a packet, if it has one.
let segmentOf (packet: Packet) : Segment option =
    let after (count: int) = if packet.Data.Length < count then None else ip (packet.Data.Slice count)

    match packet.LinkType with
    // BSD loopback: four bytes with the address family, in the byte order of the machine or of the network.
    | 0
    | 108 -> after 4
    | 1 -> etherType packet.Data 12
    // Without a header of a link layer.
    | 12
    | 14
    | 101
    | 228
    | 229 -> after 0
    // Linux "cooked" captures of all interfaces.
    | 113 -> etherType packet.Data 14
    | 276 -> if packet.Data.Length < 20 then None else after 20
    | _ -> None

/// Whether the packets of a link type can be read.
let isKnownLink (linkType: int) : bool = List.contains linkType [ 0; 1; 12; 14; 101; 108; 113; 228; 229; 276 ]
