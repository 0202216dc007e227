namespace LibKafka.Compression

open System
open System.IO
open System.IO.Compression
open LibKafka.Records

/// gzip (RFC 1952) by the zlib that .NET brings along.
///
/// Of the four codecs it packs well and slowly. It reads any number of gzip members one behind another, as the Java client does,
/// and checks their checksums. Unlike the Java client, which passes over them, it refuses bytes behind the last member.
///
/// A value may be used by any number of threads at once. Its working memory lives as long as a call does, and is not the garbage
/// collector's.
[<Sealed>]
type Gzip(level: int) =
    do ArgumentOutOfRangeException.ThrowIfLessThan(level, 1, nameof level)
    do ArgumentOutOfRangeException.ThrowIfGreaterThan(level, 9, nameof level)
    let options = ZLibCompressionOptions(CompressionLevel = level)

    /// What the member below unpacks to. Its checksum, 0xE57B73CE, is no start of a block, so that nothing can be unpacked on behind it.
    static let endMark = [| for i in 0..15 -> byte (0x4B + 37 * i) |]

    /// A gzip member of its own, which is put behind every source. zlib does not say whether a source stopped within a member or
    /// has something behind the last one that is none, and calls both its end. Where this one is unpacked, as nothing but itself,
    /// the source was whole.
    static let endMember =
        use packed = new MemoryStream()

        using (new GZipStream(packed, CompressionLevel.NoCompression, true)) (fun stream -> stream.Write(endMark, 0, endMark.Length))

        packed.ToArray()

    /// The member that holds nothing, for which the class library writes nothing.
    static let emptyMember = Convert.FromHexString "1F8B080000000000000303000000000000000000"

    /// The level that zlib itself takes: 6.
    new() = Gzip 6

    /// 1, the fastest, to 9, the smallest.
    member _.Level = level

    /// As in `gzip, level 6`.
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
                        // What it says is about archives.
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
                Malformed.fail "The compressed data is cut off, or there are other bytes behind it."
