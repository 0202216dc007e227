namespace LibKafka.Compression

open System
open System.Buffers.Binary
open ZstdSharp
open LibKafka.Records

/// What the outside of zstd frames tells about their content (RFC 8878).
[<Struct; NoEquality; NoComparison>]
type internal ZstdSize =
    {
        /// Bytes of the frames that say how many theirs are.
        Declared: int64
        /// The most that all frames can unpack to.
        Most: int64
    }

module internal ZstdSize =

    [<Literal>]
    let private FrameMagic = 0xFD2FB528u

    /// The magic of a frame that holds something else and is passed over; any of its lowest four bits may be set.
    [<Literal>]
    let private SkippedMagic = 0x184D2A50u

    let private largestBlock = 131072L

    /// Goes over the headers of frames and blocks. A frame that declares more than its blocks can hold is malformed.
    let ofFrames (packed: ReadOnlySpan<byte>) : ZstdSize =
        let mutable declared = 0L
        let mutable most = 0L
        let mutable at = 0

        while at < packed.Length do
            let rest = packed.Slice at
            if rest.Length < 8 then Malformed.cutOff ()
            let magic = BinaryPrimitives.ReadUInt32LittleEndian rest

            if magic &&& ~~~0xFu = SkippedMagic then
                let length = BinaryPrimitives.ReadUInt32LittleEndian(rest.Slice 4)
                if int64 length > int64 rest.Length - 8L then Malformed.cutOff ()
                at <- at + 8 + int length
            elif magic <> FrameMagic then
                Malformed.fail "This is no zstd frame."
            else
                let descriptor = int rest[4]
                let isSingle = descriptor &&& 0x20 <> 0
                let windowLength = if isSingle then 0 else 1
                let dictionaryLength = (1 <<< (descriptor &&& 0x03)) >>> 1

                let sizeLength =
                    match descriptor >>> 6 with
                    | 0 -> if isSingle then 1 else 0
                    | code -> 1 <<< code

                let sizeAt = 5 + windowLength + dictionaryLength
                if rest.Length < sizeAt + sizeLength then Malformed.cutOff ()
                let field = rest.Slice(sizeAt, sizeLength)

                let size =
                    match sizeLength with
                    | 0 -> 0UL
                    | 1 -> uint64 field[0]
                    | 2 -> 256UL + uint64 (BinaryPrimitives.ReadUInt16LittleEndian field)
                    | 4 -> uint64 (BinaryPrimitives.ReadUInt32LittleEndian field)
                    | _ -> BinaryPrimitives.ReadUInt64LittleEndian field

                let window =
                    if isSingle then
                        size
                    else
                        let code = int rest[5]
                        let floor = 1UL <<< (10 + (code >>> 3))
                        floor + (floor >>> 3) * uint64 (code &&& 7)

                let blockMost = int64 (min window (uint64 largestBlock))
                let mutable frameMost = 0L
                let mutable next = sizeAt + sizeLength
                let mutable reading = true

                while reading do
                    if rest.Length - next < 3 then Malformed.cutOff ()
                    let header = int rest[next] ||| (int rest[next + 1] <<< 8) ||| (int rest[next + 2] <<< 16)
                    let length = header >>> 3
                    next <- next + 3

                    if int64 length > blockMost then
                        Malformed.fail "A block is larger than the frame's header allows."

                    match (header >>> 1) &&& 0x03 with
                    // Stored as it is.
                    | 0 ->
                        frameMost <- frameMost + int64 length
                        next <- next + length
                    // One byte, so many times.
                    | 1 ->
                        frameMost <- frameMost + int64 length
                        next <- next + 1
                    | 2 ->
                        frameMost <- frameMost + blockMost
                        next <- next + length
                    | _ -> Malformed.fail "A block is of no known kind."

                    if next > rest.Length then Malformed.cutOff ()
                    reading <- header &&& 0x01 = 0

                if descriptor &&& 0x04 <> 0 then next <- next + 4
                if next > rest.Length then Malformed.cutOff ()

                if sizeLength = 0 then
                    most <- most + frameMost
                elif size > uint64 frameMost then
                    Malformed.fail ("A frame claims to hold " + size.ToString() + " bytes, which its blocks cannot.")
                else
                    declared <- declared + int64 size
                    most <- most + int64 size

                at <- at + next

        { Declared = declared; Most = most }

/// zstd (RFC 8878), by ZstdSharp. Brokers take it since Kafka 2.1 (KIP-110).
///
/// Its frames say how large their content is, which spares a reader from guessing. It reads frames with and without that, of any
/// window, and any number of them one behind another.
///
/// A value may be used by any number of threads at once. It keeps the working memory of up to as many calls as there are
/// processors, outside the garbage collector's heap: a megabyte or two at the levels below 10, tens of them at the highest. So make
/// one value and keep it, rather than one for each batch.
[<Sealed>]
type Zstd(level: int) =
    do ArgumentOutOfRangeException.ThrowIfLessThan(level, Compressor.MinCompressionLevel, nameof level)
    do ArgumentOutOfRangeException.ThrowIfGreaterThan(level, Compressor.MaxCompressionLevel, nameof level)
    let compressors = Pool<Compressor>(fun () -> new Compressor(level))
    let decompressors = Pool<Decompressor>(fun () -> new Decompressor())

    /// The level that Kafka's clients take: 3.
    new() = Zstd 3

    /// 1 to 22, the smallest; 0 is 3; the lower below 0, the faster and larger, down to -131072.
    member _.Level = level

    /// As in `zstd, level 3`.
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
                // Everything is unpacked in one go, straight to the destination, so the window that a frame claims takes no memory.
                // What a frame does not declare is asked for in steps; the destination gives more than that where it has it, and
                // grows by doubling.
                let mutable wanted = min size.Most (size.Declared + int64 Room.Unclaimed)
                let mutable reading = true

                while reading do
                    let room = destination.GetSpan(int (min wanted (int64 Array.MaxLength)))
                    let mutable written = 0

                    if decompressor.TryUnwrap(source.Span, room, &written) then
                        destination.Advance written
                        reading <- false
                    elif int64 room.Length >= size.Most then
                        Malformed.fail "The content is larger than its blocks can hold."
                    else
                        wanted <- min size.Most (int64 room.Length + int64 Room.Unclaimed)
            finally
                decompressors.Give decompressor
