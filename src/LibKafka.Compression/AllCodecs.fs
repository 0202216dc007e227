namespace LibKafka.Compression

open System.Collections.Generic
open LibKafka.Records

/// A codec for each of Kafka's compression types, each at its default level, for reading what other clients wrote. Thread-safe.
[<AbstractClass; Sealed>]
type AllCodecs private () =
    static let codecs: ICompressionCodec list = [ Gzip(); Snappy(); Lz4(); Zstd() ]
    static let set = CompressionCodecs.ofList codecs

    /// gzip, snappy, lz4 and zstd as `Reading.Codecs` takes them.
    static member Set: CompressionCodecs = set

    /// gzip, snappy, lz4 and zstd as a list, which `RecordReadOptions.Codecs` takes in C#.
    static member List: IReadOnlyList<ICompressionCodec> = codecs
