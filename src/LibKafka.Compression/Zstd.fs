namespace LibKafka.Compression

open System
open System.Buffers.Binary
open ZstdSharp
open LibKafka.Records

/// What the headers of zstd frames and blocks say about the content (RFC 8878).
[<Struct; NoEquality; NoComparison>]
type internal ZstdSize =
    {
        /// Bytes of content in the frames that declare their size.
        Declared: int64
        /// The most bytes to which all frames can decompress.
        Most: int64
    }

/// The header of one frame.
[<Struct; NoEquality; NoComparison>]
type internal ZstdHeader =
    {
        /// The size of the header itself.
        Length: int
        HasChecksum: bool
        /// The content's size, if the frame declares it.
        ContentSize: uint64 voption
        /// The most bytes in a block, compressed or not.
        MostInBlock: int64
    }

module internal ZstdSize =

    [<Literal>]
    let private FrameMagic = 0xFD2FB528u

    /// The magic of a skippable frame. Any of its lowest four bits may be set.
    [<Literal>]
    let private SkippableMagic = 0x184D2A50u

    let private largestBlock = 131072UL

    /// The declared size of the content, which takes this many bytes.
    let private contentSize (field: ReadOnlySpan<byte>) : uint64 voption =
        match field.Length with
        | 0 -> ValueNone
        | 1 -> ValueSome(uint64 field[0])
        | 2 -> ValueSome(256UL + uint64 (BinaryPrimitives.ReadUInt16LittleEndian field))
        | 4 -> ValueSome(uint64 (BinaryPrimitives.ReadUInt32LittleEndian field))
        | _ -> ValueSome(BinaryPrimitives.ReadUInt64LittleEndian field)

    let private window (code: byte) : uint64 =
        let floor = 1UL <<< (10 + (int code >>> 3))
        floor + (floor >>> 3) * uint64 (code &&& 7uy)

    let private header (frame: ReadOnlySpan<byte>) : ZstdHeader =
        let descriptor = int frame[4]
        let isSingle = descriptor &&& 0x20 <> 0
        let dictionaryLength = (1 <<< (descriptor &&& 0x03)) >>> 1

        let sizeLength =
            match descriptor >>> 6 with
            | 0 -> if isSingle then 1 else 0
            | code -> 1 <<< code

        let sizeAt = 5 + (if isSingle then 0 else 1) + dictionaryLength
        if frame.Length < sizeAt + sizeLength then Malformed.cutOff ()
        let size = contentSize (frame.Slice(sizeAt, sizeLength))
        // A single segment is its own window, and always declares its size.
        let window = if isSingle then ValueOption.defaultValue 0UL size else window frame[5]

        { Length = sizeAt + sizeLength
          HasChecksum = descriptor &&& 0x04 <> 0
          ContentSize = size
          MostInBlock = int64 (min window largestBlock) }

    /// Skips the blocks of a frame from `position` on, and returns the most bytes to which they can decompress.
    let private skipBlocks (frame: ReadOnlySpan<byte>) (mostInBlock: int64) (position: byref<int>) : int64 =
        let mutable most = 0L
        let mutable reading = true

        while reading do
            if frame.Length - position < 3 then Malformed.cutOff ()
            let field = int frame[position] ||| (int frame[position + 1] <<< 8) ||| (int frame[position + 2] <<< 16)
            let length = field >>> 3

            if int64 length > mostInBlock then
                Malformed.fail "A block is larger than the frame's header allows."

            match (field >>> 1) &&& 0x03 with
            // Stored uncompressed.
            | 0 ->
                most <- most + int64 length
                position <- position + 3 + length
            // One byte, repeated.
            | 1 ->
                most <- most + int64 length
                position <- position + 4
            | 2 ->
                most <- most + mostInBlock
                position <- position + 3 + length
            | _ -> Malformed.fail "A block has an unknown type."

            if position > frame.Length then Malformed.cutOff ()
            reading <- field &&& 0x01 = 0

        most

    /// The size of the skippable frame at the start of the bytes.
    let private skippableSize (frame: ReadOnlySpan<byte>) : int =
        let length = BinaryPrimitives.ReadUInt32LittleEndian(frame.Slice 4)
        if int64 length > int64 frame.Length - 8L then Malformed.cutOff ()
        8 + int length

    /// Reads the headers of frames and blocks. A frame that declares more content than its blocks can have is malformed.
    let ofFrames (compressed: ReadOnlySpan<byte>) : ZstdSize =
        let mutable declared = 0L
        let mutable most = 0L
        let mutable at = 0

        while at < compressed.Length do
            let frame = compressed.Slice at
            if frame.Length < 8 then Malformed.cutOff ()
            let magic = BinaryPrimitives.ReadUInt32LittleEndian frame

            if magic &&& ~~~0xFu = SkippableMagic then
                at <- at + skippableSize frame
            elif magic <> FrameMagic then
                Malformed.fail "This is not a zstd frame."
            else
                let header = header frame
                let mutable position = header.Length
                let frameMost = skipBlocks frame header.MostInBlock &position
                if header.HasChecksum then position <- position + 4
                if position > frame.Length then Malformed.cutOff ()

                match header.ContentSize with
                | ValueNone -> most <- most + frameMost
                | ValueSome size when size > uint64 frameMost ->
                    Malformed.fail ("A frame declares " + size.ToString() + " bytes of content, more than its blocks can have.")
                | ValueSome size ->
                    declared <- declared + int64 size
                    most <- most + int64 size

                at <- at + position

        { Declared = declared; Most = most }

/// zstd (RFC 8878), implemented with ZstdSharp. Brokers support it since Kafka 2.1 (KIP-110).
///
/// It writes frames that declare the size of their content. It reads frames with and without that size, with any window, and any number of
/// frames one after another.
///
/// Thread-safe. It keeps the working memory of up to as many calls as there are processors, outside the garbage collector's heap: one or two
/// megabytes at levels below 10, tens of megabytes at the highest levels. Create one codec and reuse it, not one for each batch.
[<Sealed>]
type Zstd(level: int) =
    do ArgumentOutOfRangeException.ThrowIfLessThan(level, Compressor.MinCompressionLevel, nameof level)
    do ArgumentOutOfRangeException.ThrowIfGreaterThan(level, Compressor.MaxCompressionLevel, nameof level)
    let compressors = Pool<Compressor>(fun () -> new Compressor(level))
    let decompressors = Pool<Decompressor>(fun () -> new Decompressor())

    /// The default level of Kafka's clients, 3.
    new() = Zstd 3

    /// From 1 to 22, the smallest. 0 is 3. Negative levels, down to -131072, are faster and compress less.
    member _.Level = level

    /// Such as `zstd, level 3`.
    override _.ToString() = "zstd, level " + string level

    interface ICompressionCodec with
        member _.Type = CompressionType.Zstd

        member _.Compress(source, destination) =
            let most = Compressor.GetCompressBoundLong(uint64 source.Length)
            let room = destination.GetSpan(int (min most (uint64 Array.MaxLength)))
            let compressor = compressors.Take()

            try
                destination.Advance(compressor.Wrap(source.Span, room))
            finally
                compressors.Give compressor

        member _.Decompress(source, destination) =
            if source.IsEmpty then Malformed.cutOff ()
            let size = ZstdSize.ofFrames source.Span
            let decompressor = decompressors.Take()

            try
                // Everything is decompressed at once, directly to the destination, so the window that a frame declares takes no memory.
                // Space for content of undeclared size is requested in steps; the destination returns more if it has it, and grows by
                // doubling.
                let mutable wanted = min size.Most (size.Declared + int64 Room.Unclaimed)
                let mutable reading = true

                while reading do
                    let room = destination.GetSpan(int (min wanted (int64 Array.MaxLength)))
                    let mutable written = 0

                    if decompressor.TryUnwrap(source.Span, room, &written) then
                        destination.Advance written
                        reading <- false
                    elif int64 room.Length >= size.Most then
                        Malformed.fail "The content is larger than its blocks can have."
                    else
                        wanted <- min size.Most (int64 room.Length + int64 Room.Unclaimed)
            finally
                decompressors.Give decompressor
