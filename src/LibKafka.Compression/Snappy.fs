namespace LibKafka.Compression

open System
open System.Buffers
open System.Buffers.Binary
open LibKafka.Records

/// Snappy, in blocks that stand in the framing of the Java library (Xerial's), by Snappier.
///
/// It writes what the Java client writes: blocks of 32 KiB, which become larger where there would be more than sixteen of them. It
/// reads that framing with blocks of any size, also several such streams one behind another, and single blocks without a framing,
/// which other clients send.
///
/// A value may be used by any number of threads at once.
[<Sealed>]
type Snappy() =

    /// The magic, the version, and the lowest version that can read it.
    static let frameHeader = [| 0x82uy; 0x53uy; 0x4Euy; 0x41uy; 0x50uy; 0x50uy; 0x59uy; 0uy; 0uy; 0uy; 0uy; 1uy; 0uy; 0uy; 0uy; 1uy |]

    /// How much of the header is the magic.
    static let magicLength = 8

    /// As many as one batch is cut into, since Snappier makes an object for each.
    static let mostBlocks = 16

    static let blockLength = 32768

    /// No element of a block unpacks to more than 64/3 times its size, so nothing does. A block that says otherwise lies.
    static let mostExpansion = 22L

    static let startsWithMagic (packed: ReadOnlySpan<byte>) =
        packed.Length >= magicLength
        && packed.Slice(0, magicLength).SequenceEqual(ReadOnlySpan<byte>(frameHeader, 0, magicLength))

    /// The unpacked length that stands at the start of a block: a varint of 32 bits. Gives where it ends.
    static let readLength (block: ReadOnlySpan<byte>) (length: byref<int>) : int =
        let mutable at = 0
        let mutable value = 0UL
        let mutable reading = true

        while reading do
            if at = block.Length then Malformed.cutOff ()
            let next = block[at]
            value <- value ||| (uint64 (next &&& 0x7Fuy) <<< (7 * at))
            at <- at + 1
            reading <- next >= 0x80uy
            if reading && at = 5 then Malformed.fail "A block's length is malformed."

        if value > uint64 (mostExpansion * int64 (block.Length - at)) || value > uint64 Array.MaxLength then
            Malformed.fail ("A block of " + string block.Length + " bytes claims to hold " + value.ToString() + ".")

        length <- int value
        at

    /// Puts the version's and the chunks' bytes aside, so that one block remains: its length and then the elements of all of the
    /// blocks, each of which refers to nothing before itself. Unpacking that goes straight to the destination, and at one object
    /// for all. (That a block keeps to itself and to its own length is not checked: the lengths are checked together, and the
    /// checksum of the batch is what tells damage.)
    static let joinBlocks (packed: ReadOnlySpan<byte>) (joined: Span<byte>) (total: byref<int64>) : int =
        let mutable at = 0
        let mutable into = 0
        total <- 0L

        while at < packed.Length do
            let rest = packed.Slice at

            if startsWithMagic rest then
                if rest.Length < frameHeader.Length then Malformed.cutOff ()

                if BinaryPrimitives.ReadInt32BigEndian(rest.Slice(magicLength + 4)) < 1 then
                    Malformed.fail "The framing's version is not known."

                at <- at + frameHeader.Length
            else
                if rest.Length < 4 then Malformed.cutOff ()
                let length = BinaryPrimitives.ReadInt32BigEndian rest
                if length < 0 then Malformed.fail "A chunk's length is negative."
                if length > rest.Length - 4 then Malformed.cutOff ()
                let block = rest.Slice(4, length)
                let mutable unpacked = 0
                let start = readLength block &unpacked
                let elements = block.Slice start
                elements.CopyTo(joined.Slice into)
                into <- into + elements.Length
                total <- total + int64 unpacked
                at <- at + 4 + length

        into

    static let unpack (block: ReadOnlyMemory<byte>) (destination: IBufferWriter<byte>) =
        let mutable length = 0
        let start = readLength block.Span &length

        if length > 0 then
            // Snappier asks for all of the room at once, which the destination refuses before taking memory for it.
            Snappier.Snappy.Decompress(ReadOnlySequence<byte> block, destination)
        elif start < block.Length then
            Malformed.trailing (block.Length - start)

    /// As it stands in Kafka's settings.
    override _.ToString() = "snappy"

    interface ICompressionCodec with
        member _.Type = CompressionType.Snappy

        member _.Compress(source, destination) =
            frameHeader.CopyTo(destination.GetSpan frameHeader.Length)
            destination.Advance frameHeader.Length
            let content = source.Span
            let step = max blockLength ((content.Length + mostBlocks - 1) / mostBlocks)
            let mutable at = 0

            while at < content.Length do
                let block = content.Slice(at, min step (content.Length - at))
                let room = destination.GetSpan(4 + Snappier.Snappy.GetMaxCompressedLength block.Length)
                let length = Snappier.Snappy.Compress(block, room.Slice 4)
                BinaryPrimitives.WriteInt32BigEndian(room, length)
                destination.Advance(4 + length)
                at <- at + block.Length

        member _.Decompress(source, destination) =
            if source.IsEmpty then Malformed.cutOff ()

            if startsWithMagic source.Span then
                // A varint of five bytes goes before the elements.
                let scratch = ArrayPool<byte>.Shared.Rent(source.Length + 5)

                try
                    let mutable total = 0L
                    let length = joinBlocks source.Span (scratch.AsSpan 5) &total

                    // The length stands in as few bytes as it needs, right before the elements.
                    let mutable size = 1

                    while total >>> (7 * size) > 0L do
                        size <- size + 1

                    if size > 5 then
                        Malformed.fail ("The blocks claim to hold " + total.ToString() + " bytes.")

                    for i in 0 .. size - 1 do
                        let more = if i < size - 1 then 0x80uy else 0uy
                        scratch[5 - size + i] <- byte ((total >>> (7 * i)) &&& 0x7FL) ||| more

                    unpack (ReadOnlyMemory<byte>(scratch, 5 - size, size + length)) destination
                finally
                    ArrayPool<byte>.Shared.Return scratch
            else
                unpack source destination
