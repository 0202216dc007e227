/// The codecs that the tool brings along.
module LibKafka.Inspect.Compression

open System
open System.Buffers
open System.IO
open System.IO.Compression
open System.Runtime.InteropServices
open LibKafka.Records

let private gzip =
    { new ICompressionCodec with
        member _.Type = CompressionType.Gzip

        member _.Compress(source, destination) =
            use packed = new MemoryStream()

            (use packing = new GZipStream(packed, CompressionLevel.Fastest, true)
             packing.Write source.Span)

            BuffersExtensions.Write(destination, ReadOnlySpan<byte>(packed.GetBuffer(), 0, int packed.Length))

        member _.Decompress(source, destination) =
            let segment =
                match MemoryMarshal.TryGetArray source with
                | true, segment -> segment
                | _ -> ArraySegment<byte>(source.ToArray())

            use packed =
                match segment.Array with
                | null -> new MemoryStream()
                | array -> new MemoryStream(array, segment.Offset, segment.Count)

            use unpacking = new GZipStream(packed, CompressionMode.Decompress)
            let mutable more = true

            while more do
                let count = unpacking.Read(destination.GetSpan 16384)
                destination.Advance count
                more <- count > 0 }

/// Every codec that records are unpacked with. Batches of another compression are shown by their headers.
let codecs = Codecs.ofList [ gzip ]
