namespace LibKafka.Compression

open System
open System.Buffers
open System.Buffers.Binary
open K4os.Compression.LZ4
open K4os.Hash.xxHash
open LibKafka.Records

/// LZ4 in its frame format, by K4os.
///
/// It writes the frame that the Java client writes: independent blocks of 64 KiB, without checksums. It reads frames with independent
/// blocks of every size, and checks the checksums that they have. It refuses blocks that refer to earlier ones, as the Java client and
/// every broker do, and bytes behind the frame. The checksum of a frame's header may be the one of clients before Kafka 0.10, which
/// computed it over the frame's magic too (KIP-57); such frames stand in message sets of magic 0.
///
/// A value may be used by any number of threads at once.
[<Sealed>]
type Lz4(level: int) =
    // The frame is read and written here and only the blocks by K4os: its streams make several objects for each frame, and take the
    // memory for a block that a header claims before the block is there.
    do ArgumentOutOfRangeException.ThrowIfLessThan(level, 1, nameof level)
    do ArgumentOutOfRangeException.ThrowIfGreaterThan(level, 12, nameof level)

    static let magic = 0x184D2204u

    /// Version 1, independent blocks of up to 64 KiB, nothing else; and the checksum of that.
    static let frameHeader = [| 0x04uy; 0x22uy; 0x4Duy; 0x18uy; 0x60uy; 0x40uy; 0x82uy |]

    static let blockLength = 65536

    /// Set in the size of a block that is stored as it is.
    static let storedBit = 0x80000000u

    /// A byte of a length adds at most 255.
    static let mostExpansion = 255L

    static let descriptorChecksum (descriptor: ReadOnlySpan<byte>) = byte (XXH32.DigestOf descriptor >>> 8)

    let mode: LZ4Level = if level < 3 then LZ4Level.L00_FAST else enum level

    /// The same bytes to a destination.
    static let copy (block: ReadOnlySpan<byte>) (destination: IBufferWriter<byte>) : Span<byte> =
        let room = destination.GetSpan block.Length
        block.CopyTo room
        room.Slice(0, block.Length)

    /// Unpacks a block to a destination, without moving on there.
    static let unpack (block: ReadOnlySpan<byte>) (most: int) (destination: IBufferWriter<byte>) : Span<byte> =
        let most = int (min (int64 most) (mostExpansion * int64 block.Length))
        let mutable room = destination.GetSpan(min most Room.Unclaimed)
        let mutable count = LZ4Codec.Decode(block, room.Slice(0, min most room.Length))

        // Too little room and malformed bytes look alike, until there is as much room as the block can fill.
        while count < 0 do
            if room.Length >= most then Malformed.fail "A block is malformed."
            room <- destination.GetSpan(min most (room.Length + Room.Unclaimed))
            count <- LZ4Codec.Decode(block, room.Slice(0, min most room.Length))

        room.Slice(0, count)

    static let readFrame (packed: ReadOnlySpan<byte>) (destination: IBufferWriter<byte>) : unit =
        if packed.Length < frameHeader.Length then Malformed.cutOff ()

        if BinaryPrimitives.ReadUInt32LittleEndian packed <> magic then
            Malformed.fail "This is no LZ4 frame."

        let flags = int packed[4]
        let sizes = int packed[5]
        if flags &&& 0xC0 <> 0x40 then
            Malformed.fail "The frame's version is not known."
        if flags &&& 0x20 = 0 then
            Malformed.fail "The frame's blocks depend on each other."
        if flags &&& 0x03 <> 0 || sizes &&& 0x8F <> 0 || sizes < 0x40 then
            Malformed.fail "The frame's header is malformed."
        let blockChecksums = flags &&& 0x10 <> 0
        let hasSize = flags &&& 0x08 <> 0
        let hasChecksum = flags &&& 0x04 <> 0
        let most = 1 <<< (8 + 2 * (sizes >>> 4))
        let descriptorEnd = if hasSize then 14 else 6
        if packed.Length <= descriptorEnd then Malformed.cutOff ()

        let found = packed[descriptorEnd]

        if found <> descriptorChecksum (packed.Slice(4, descriptorEnd - 4)) then
            if found <> descriptorChecksum (packed.Slice(0, descriptorEnd)) then
                Malformed.fail "The checksum of the frame's header is wrong."

        let mutable checksum = Unchecked.defaultof<XXH32.State>
        XXH32.Reset(&checksum, 0u)
        let mutable total = 0L
        let mutable at = descriptorEnd + 1
        let mutable reading = true

        while reading do
            if packed.Length - at < 4 then Malformed.cutOff ()
            let field = BinaryPrimitives.ReadUInt32LittleEndian(packed.Slice at)
            let length = int (field &&& ~~~storedBit)
            at <- at + 4

            if field = 0u then
                reading <- false
            else
                if length > most then
                    Malformed.fail "A block is larger than the frame's header allows."
                if packed.Length - at < (if blockChecksums then length + 4 else length) then
                    Malformed.cutOff ()
                let block = packed.Slice(at, length)
                at <- at + length

                if blockChecksums then
                    if BinaryPrimitives.ReadUInt32LittleEndian(packed.Slice at) <> XXH32.DigestOf block then
                        Malformed.fail "A block's checksum is wrong."

                    at <- at + 4

                let unpacked = if field >= storedBit then copy block destination else unpack block most destination
                if hasChecksum then XXH32.Update(&checksum, Span.op_Implicit unpacked)
                total <- total + int64 unpacked.Length
                destination.Advance unpacked.Length

        if hasSize && BinaryPrimitives.ReadInt64LittleEndian(packed.Slice 6) <> total then
            Malformed.fail "The frame's content is not as large as its header says."

        if hasChecksum then
            if packed.Length - at < 4 then Malformed.cutOff ()

            if BinaryPrimitives.ReadUInt32LittleEndian(packed.Slice at) <> XXH32.Digest &checksum then
                Malformed.fail "The content's checksum is wrong."

            at <- at + 4

        if at < packed.Length then Malformed.trailing (packed.Length - at)

    /// The fast compressor.
    new() = Lz4 1

    /// 1 to 12: 1 and 2 are the fast compressor, 3 to 9 the one that packs better and more slowly, 10 to 12 the one that tries
    /// everything. All unpack equally fast.
    member _.Level = level

    /// As in `lz4, level 1`.
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
