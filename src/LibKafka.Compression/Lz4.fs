namespace LibKafka.Compression

open System
open System.Buffers
open System.Buffers.Binary
open K4os.Compression.LZ4
open K4os.Hash.xxHash
open LibKafka.Records

/// What the header of an LZ4 frame says.
[<Struct; NoEquality; NoComparison>]
type internal Lz4Header =
    {
        HasBlockChecksums: bool
        ContentSize: int64 voption
        HasContentChecksum: bool
        /// The most bytes in a block, compressed or not.
        MostInBlock: int
        /// The size of the header itself.
        Size: int
    }

/// LZ4 in its frame format, implemented with K4os.
///
/// It writes the frame that the Java client writes: independent blocks of 64 KiB, without checksums. It reads frames with independent blocks
/// of every size and verifies their checksums and the content's size, if there are any. It refuses blocks that refer to earlier ones, as the
/// Java client and every broker do. It also refuses bytes after the frame, which the Java client ignores, as it does the content's checksum
/// and size. The checksum of a frame's header may be the one of clients before Kafka 0.10, which included the frame's magic (KIP-57);
/// message sets with magic 0 have such frames.
///
/// Thread-safe.
[<Sealed>]
type Lz4(level: int) =
    // Only the blocks are left to K4os: its streams allocate several objects for each frame, and the memory for a block before the block has
    // been read.
    do ArgumentOutOfRangeException.ThrowIfLessThan(level, 1, nameof level)
    do ArgumentOutOfRangeException.ThrowIfGreaterThan(level, 12, nameof level)

    static let magic = 0x184D2204u

    /// The magic, then version 1, independent blocks of up to 64 KiB and nothing else, then the header's checksum.
    static let frameHeader = [| 0x04uy; 0x22uy; 0x4Duy; 0x18uy; 0x60uy; 0x40uy; 0x82uy |]

    static let blockLength = 65536

    /// Set in the size of a block that is stored uncompressed.
    static let storedBit = 0x80000000u

    /// A byte of a length adds at most 255 bytes of content.
    static let mostExpansion = 255L

    static let descriptorChecksum (descriptor: ReadOnlySpan<byte>) = byte (XXH32.DigestOf descriptor >>> 8)

    let mode: LZ4Level = if level < 3 then LZ4Level.L00_FAST else enum level

    /// Copies a stored block to the destination, without advancing it.
    static let copy (block: ReadOnlySpan<byte>) (destination: IBufferWriter<byte>) : Span<byte> =
        let room = destination.GetSpan block.Length
        block.CopyTo room
        room.Slice(0, block.Length)

    /// Decompresses a block to the destination, without advancing it.
    static let decompress (block: ReadOnlySpan<byte>) (most: int) (destination: IBufferWriter<byte>) : Span<byte> =
        let most = int (min (int64 most) (mostExpansion * int64 block.Length))
        let mutable room = destination.GetSpan(min most Room.Unclaimed)
        let mutable count = LZ4Codec.Decode(block, room.Slice(0, min most room.Length))

        // Too little space and malformed bytes have the same result, until there is as much space as the block can fill.
        while count < 0 do
            if room.Length >= most then Malformed.fail "A block is malformed."
            room <- destination.GetSpan(min most (room.Length + Room.Unclaimed))
            count <- LZ4Codec.Decode(block, room.Slice(0, min most room.Length))

        room.Slice(0, count)

    /// Reads the frame's header, whose checksum may also be the one that old clients computed.
    static let readHeader (compressed: ReadOnlySpan<byte>) : Lz4Header =
        if compressed.Length < frameHeader.Length then Malformed.cutOff ()

        if BinaryPrimitives.ReadUInt32LittleEndian compressed <> magic then
            Malformed.fail "This is not an LZ4 frame."

        let flags = int compressed[4]
        let sizes = int compressed[5]

        if flags &&& 0xC0 <> 0x40 then Malformed.fail "The frame's version is unknown."

        if flags &&& 0x20 = 0 then
            Malformed.fail "The frame's blocks depend on each other."

        if flags &&& 0x03 <> 0 || sizes &&& 0x8F <> 0 || sizes < 0x40 then
            Malformed.fail "The frame's header is malformed."

        let hasSize = flags &&& 0x08 <> 0
        let descriptorEnd = if hasSize then 14 else 6
        if compressed.Length <= descriptorEnd then Malformed.cutOff ()
        let found = compressed[descriptorEnd]

        if found <> descriptorChecksum (compressed.Slice(4, descriptorEnd - 4)) then
            if found <> descriptorChecksum (compressed.Slice(0, descriptorEnd)) then
                Malformed.fail "The checksum of the frame's header is wrong."

        { HasBlockChecksums = flags &&& 0x10 <> 0
          ContentSize = if hasSize then ValueSome(BinaryPrimitives.ReadInt64LittleEndian(compressed.Slice 6)) else ValueNone
          HasContentChecksum = flags &&& 0x04 <> 0
          MostInBlock = 1 <<< (8 + 2 * (sizes >>> 4))
          Size = descriptorEnd + 1 }

    /// Returns the block of the given length at a position, after its checksum has been verified.
    static let blockAt (compressed: ReadOnlySpan<byte>) (header: Lz4Header) (at: int) (length: int) : ReadOnlySpan<byte> =
        if length > header.MostInBlock then
            Malformed.fail "A block is larger than the frame's header allows."

        if compressed.Length - at < (if header.HasBlockChecksums then length + 4 else length) then
            Malformed.cutOff ()

        let block = compressed.Slice(at, length)

        if header.HasBlockChecksums then
            if BinaryPrimitives.ReadUInt32LittleEndian(compressed.Slice(at + length)) <> XXH32.DigestOf block then
                Malformed.fail "A block's checksum is wrong."

        block

    /// Checks the content's size and checksum after the last block, and returns where the frame ends.
    static let frameEnd (compressed: ReadOnlySpan<byte>) (header: Lz4Header) (at: int) (total: int64) (checksum: uint32) : int =
        if header.ContentSize.IsSome && header.ContentSize.Value <> total then
            Malformed.fail "The size of the frame's content differs from the one in its header."

        let finish = if header.HasContentChecksum then at + 4 else at
        if compressed.Length < finish then Malformed.cutOff ()

        if header.HasContentChecksum then
            if BinaryPrimitives.ReadUInt32LittleEndian(compressed.Slice at) <> checksum then
                Malformed.fail "The content's checksum is wrong."

        finish

    static let readFrame (compressed: ReadOnlySpan<byte>) (destination: IBufferWriter<byte>) : unit =
        let header = readHeader compressed
        let mutable checksum = Unchecked.defaultof<XXH32.State>
        XXH32.Reset(&checksum, 0u)
        let mutable total = 0L
        let mutable at = header.Size
        let mutable reading = true

        while reading do
            if compressed.Length - at < 4 then Malformed.cutOff ()
            let field = BinaryPrimitives.ReadUInt32LittleEndian(compressed.Slice at)
            let length = int (field &&& ~~~storedBit)
            at <- at + 4

            if field = 0u then
                reading <- false
            else
                let block = blockAt compressed header at length
                at <- at + (if header.HasBlockChecksums then length + 4 else length)
                let content =
                    if field >= storedBit then
                        copy block destination
                    else
                        decompress block header.MostInBlock destination
                if header.HasContentChecksum then
                    XXH32.Update(&checksum, Span.op_Implicit content)
                total <- total + int64 content.Length
                destination.Advance content.Length

        let finish = frameEnd compressed header at total (XXH32.Digest &checksum)
        if finish < compressed.Length then
            Malformed.trailing (compressed.Length - finish)

    /// The fast compressor, level 1.
    new() = Lz4 1

    /// From 1 to 12. 1 and 2 are the fast compressor, 3 to 9 compress better but more slowly, and 10 to 12 search exhaustively. The level
    /// does not affect decompression.
    member _.Level = level

    /// Such as `lz4, level 1`.
    override _.ToString() = "lz4, level " + string level

    interface ICompressionCodec with
        member _.Type = CompressionType.Lz4

        member _.Compress(source, destination) =
            frameHeader.CopyTo(destination.GetSpan frameHeader.Length)
            destination.Advance frameHeader.Length
            let content = source.Span
            let mutable at = 0

            while at < content.Length do
                let block = content.Slice(at, min blockLength (content.Length - at))
                let room = destination.GetSpan(4 + LZ4Codec.MaximumOutputSize block.Length)
                let length = LZ4Codec.Encode(block, room.Slice 4, mode)

                if length > 0 && length < block.Length then
                    BinaryPrimitives.WriteInt32LittleEndian(room, length)
                    destination.Advance(4 + length)
                else
                    BinaryPrimitives.WriteUInt32LittleEndian(room, uint32 block.Length ||| storedBit)
                    block.CopyTo(room.Slice 4)
                    destination.Advance(4 + block.Length)

                at <- at + block.Length

            BinaryPrimitives.WriteInt32LittleEndian(destination.GetSpan 4, 0)
            destination.Advance 4

        member _.Decompress(source, destination) = readFrame source.Span destination
