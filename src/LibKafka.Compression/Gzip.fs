namespace LibKafka.Compression

open System
open System.IO
open System.IO.Compression
open LibKafka.Records

/// gzip (RFC 1952), implemented with .NET's zlib.
///
/// Of the four codecs, it compresses well but slowly. It reads any number of consecutive gzip members, as the Java client does, and verifies
/// their checksums. It refuses bytes after the last member, which the Java client ignores.
///
/// Thread-safe. Its working memory is unmanaged and lives only during a call.
[<Sealed>]
type Gzip(level: int) =
    do ArgumentOutOfRangeException.ThrowIfLessThan(level, 1, nameof level)
    do ArgumentOutOfRangeException.ThrowIfGreaterThan(level, 9, nameof level)
    let options = ZLibCompressionOptions(CompressionLevel = level)

    /// The content of the member below. Its checksum, 0xE57B73CE, is not the start of a block, so nothing can be decompressed from there on.
    static let endMark = [| for i in 0..15 -> byte (0x4B + 37 * i) |]

    /// A separate gzip member that is appended to every source. zlib reports the end both for a source that stops within a member and for a
    /// source with other bytes after its last member. If this member decompresses to exactly its content, the source was complete.
    static let endMember =
        use compressed = new MemoryStream()

        using (new GZipStream(compressed, CompressionLevel.NoCompression, true)) (fun stream -> stream.Write(endMark, 0, endMark.Length))

        compressed.ToArray()

    /// The member without content, for which the class library writes nothing.
    static let emptyMember = Convert.FromHexString "1F8B080000000000000303000000000000000000"

    /// zlib's default level, 6.
    new() = Gzip 6

    /// From 1, the fastest, to 9, the smallest.
    member _.Level = level

    /// Such as `gzip, level 6`.
    override _.ToString() = "gzip, level " + string level

    interface ICompressionCodec with
        member _.Type = CompressionType.Gzip

        member _.Compress(source, destination) =
            let stream = new DestinationStream(destination)

            if source.IsEmpty then
                stream.Write(ReadOnlySpan<byte> emptyMember)
            else
                use gzip = new GZipStream(stream, options, true)
                gzip.Write source.Span

        member _.Decompress(source, destination) =
            if source.IsEmpty then Malformed.cutOff ()
            let marked = new MarkedStream(source, endMember)
            use stream = new GZipStream(marked, CompressionMode.Decompress, true)
            let mutable foundEnd = false
            let mutable reading = true

            while reading do
                let room = destination.GetSpan Room.Unclaimed

                let count =
                    try
                        stream.Read room
                    with :? InvalidDataException as malformed ->
                        // Its own message is about archives.
                        raise (InvalidDataException("The compressed data is malformed.", malformed))

                if count = 0 then
                    reading <- false
                elif not marked.IsBeyond then
                    destination.Advance count
                else
                    let content = count - endMark.Length

                    if foundEnd || content < 0 || not (room.Slice(content, endMark.Length).SequenceEqual endMark) then
                        Malformed.cutOff ()

                    destination.Advance content
                    foundEnd <- true

            if not foundEnd then
                Malformed.fail "The compressed data is cut off, or other bytes follow it."
