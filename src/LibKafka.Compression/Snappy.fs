namespace LibKafka.Compression

open System
open System.Buffers
open System.Buffers.Binary
open LibKafka.Records

/// Snappy in the framing of the Java library (Xerial's), implemented with Snappier.
///
/// It writes what the Java client writes: blocks of 32 KiB, or larger ones if there would be more than sixteen. It reads that framing with
/// blocks of any size, several such streams one after another, and single blocks without framing, which other clients send. As the Java
/// client does, it reads every version of the framing from 1 on, and ignores the lowest compatible version next to it.
///
/// Thread-safe.
[<Sealed>]
type Snappy() =

    /// The magic, the version and the lowest version that can read it.
    static let frameHeader = [| 0x82uy; 0x53uy; 0x4Euy; 0x41uy; 0x50uy; 0x50uy; 0x59uy; 0uy; 0uy; 0uy; 0uy; 1uy; 0uy; 0uy; 0uy; 1uy |]

    /// The size of the magic at the start of the header.
    static let magicLength = 8

    /// The most blocks for one batch, because Snappier allocates an object for each.
    static let mostBlocks = 16

    static let blockLength = 32768

    /// No element of a block decompresses to more than 64/3 times its size, so a block that declares more is malformed.
    static let mostExpansion = 22L

    static let startsWithMagic (compressed: ReadOnlySpan<byte>) =
        compressed.Length >= magicLength
        && compressed.Slice(0, magicLength).SequenceEqual(ReadOnlySpan<byte>(frameHeader, 0, magicLength))

    /// Reads the decompressed length at the start of a block, a varint of 32 bits, and returns where it ends.
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
            Malformed.fail ("A block of " + string block.Length + " bytes declares " + value.ToString() + " bytes of content.")

        length <- int value
        at

    /// Removes the framing and joins the elements of all blocks, none of which refers to an earlier block, so that they can be decompressed
    /// as one block, directly to the destination and with a single object. Returns the size of the elements and sets the total decompressed
    /// size. (Whether a block refers only to itself and matches its own length is not checked: the lengths are checked together, and the
    /// batch's checksum detects damage.)
    static let joinBlocks (compressed: ReadOnlySpan<byte>) (joined: Span<byte>) (total: byref<int64>) : int =
        let mutable at = 0
        let mutable into = 0
        total <- 0L

        while at < compressed.Length do
            let rest = compressed.Slice at

            if startsWithMagic rest then
                if rest.Length < frameHeader.Length then Malformed.cutOff ()

                let version = BinaryPrimitives.ReadInt32BigEndian(rest.Slice magicLength)
                if version < 1 then
                    Malformed.fail ("The framing has version " + string version + ", and the first one is 1.")

                at <- at + frameHeader.Length
            else
                if rest.Length < 4 then Malformed.cutOff ()
                let length = BinaryPrimitives.ReadInt32BigEndian rest
                if length < 0 then Malformed.fail "A chunk's length is negative."
                if length > rest.Length - 4 then Malformed.cutOff ()
                let block = rest.Slice(4, length)
                let mutable size = 0
                let start = readLength block &size
                let elements = block.Slice start
                elements.CopyTo(joined.Slice into)
                into <- into + elements.Length
                total <- total + int64 size
                at <- at + 4 + length

        into

    static let decompress (block: ReadOnlyMemory<byte>) (destination: IBufferWriter<byte>) =
        let mutable length = 0
        let start = readLength block.Span &length

        if length > 0 then
            // Snappier requests all of the space at once. If it is too much, the destination refuses before it allocates memory.
            Snappier.Snappy.Decompress(ReadOnlySequence<byte> block, destination)
        elif start < block.Length then
            Malformed.trailing (block.Length - start)

    /// The name in Kafka's configuration.
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
                // A varint of up to five bytes precedes the elements.
                let scratch = ArrayPool<byte>.Shared.Rent(source.Length + 5)

                try
                    let mutable total = 0L
                    let length = joinBlocks source.Span (scratch.AsSpan 5) &total

                    // The length is written in as few bytes as possible, directly before the elements.
                    let mutable size = 1

                    while total >>> (7 * size) > 0L do
                        size <- size + 1

                    if size > 5 then
                        Malformed.fail ("The blocks declare " + total.ToString() + " bytes of content.")

                    for i in 0 .. size - 1 do
                        let more = if i < size - 1 then 0x80uy else 0uy
                        scratch[5 - size + i] <- byte ((total >>> (7 * i)) &&& 0x7FL) ||| more

                    decompress (ReadOnlyMemory<byte>(scratch, 5 - size, size + length)) destination
                finally
                    ArrayPool<byte>.Shared.Return scratch
            else
                decompress source destination
