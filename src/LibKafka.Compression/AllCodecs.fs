namespace LibKafka.Compression

open System.Collections.Generic
open LibKafka.Records

/// A codec for each compression type that Kafka has, each at its usual level, for whoever reads what others wrote.
///
/// Any number of threads may use them at once.
[<AbstractClass; Sealed>]
type AllCodecs private () =
    static let codecs: ICompressionCodec list = [ Gzip(); Snappy(); Lz4(); Zstd() ]
    static let set = Codecs.ofList codecs

    /// gzip, snappy, lz4 and zstd, as the core's functions take them.
    static member Set: Codecs = set

    /// gzip, snappy, lz4 and zstd, one by one: for C#, where `RecordReadOptions.Codecs` takes them.
    static member List: IReadOnlyList<ICompressionCodec> = codecs
