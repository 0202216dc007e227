namespace LibKafka.Records

open System.Runtime.CompilerServices

/// What the timestamps of a batch's records mean: bit 3 of the batch attributes (KIP-32).
type TimestampType =
    /// When the record was made: each record has the timestamp that its producer gave it.
    | CreateTime = 0
    /// When the broker appended the batch: every record has the batch's largest timestamp.
    | LogAppendTime = 1

/// How the records of a batch are compressed: bits 0 to 2 of the batch attributes. The codes 5 to 7 have no meaning (yet).
type CompressionType =
    /// The records stand in the batch as they are.
    | None = 0
    | Gzip = 1
    | Snappy = 2
    | Lz4 = 3
    /// Since KIP-110.
    | Zstd = 4

/// Names of the compression types.
[<RequireQualifiedAccess>]
module CompressionType =

    /// As it stands in Kafka's settings, such as `zstd`; the number where there is no such type.
    let name (compression: CompressionType) : string =
        match compression with
        | CompressionType.None -> "none"
        | CompressionType.Gzip -> "gzip"
        | CompressionType.Snappy -> "snappy"
        | CompressionType.Lz4 -> "lz4"
        | CompressionType.Zstd -> "zstd"
        | other -> (int other).ToString()

/// The attributes of a record batch: sixteen bits, of which seven have a meaning. Bits that have none are kept as they are.
/// Source: Kafka documentation, section "Record Batch".
[<Struct; IsReadOnly>]
type BatchAttributes =
    /// All sixteen bits.
    val Bits: int16

    new(bits: int16) = { Bits = bits }

    member inline private this.Has(mask: int16) = this.Bits &&& mask <> 0s

    member inline private this.With(mask: int16, on: bool) = BatchAttributes(if on then this.Bits ||| mask else this.Bits &&& ~~~mask)

    /// The compression's code, 0 to 7, known or not: bits 0 to 2.
    member this.CompressionCode = int (this.Bits &&& 0x07s)

    /// How the records are compressed. A code that has no meaning stays itself.
    member this.Compression: CompressionType = enum this.CompressionCode

    /// What the records' timestamps mean: bit 3.
    member this.TimestampType = if this.Has 0x08s then TimestampType.LogAppendTime else TimestampType.CreateTime

    /// Whether the batch is part of a transaction: bit 4 (KIP-98).
    member this.IsTransactional = this.Has 0x10s

    /// Whether the batch holds control records, which are the broker's and no data: bit 5 (KIP-98).
    member this.IsControl = this.Has 0x20s

    /// Whether the batch's base timestamp is the time from which its tombstones or its transaction marker may be removed, in place of
    /// the first record's timestamp: bit 6 (KIP-534).
    member this.HasDeleteHorizon = this.Has 0x40s

    /// The same with another compression, known or not; only the lowest three bits of the code count.
    member this.WithCompression(compression: CompressionType) = BatchAttributes((this.Bits &&& ~~~0x07s) ||| (int16 compression &&& 0x07s))

    /// The same with another meaning of timestamps.
    member this.WithTimestampType(timestamps: TimestampType) = this.With(0x08s, (timestamps = TimestampType.LogAppendTime))

    /// The same as part of a transaction or not.
    member this.WithTransactional(on: bool) = this.With(0x10s, on)

    /// The same as a control batch or not.
    member this.WithControl(on: bool) = this.With(0x20s, on)

    /// The same with or without a delete horizon.
    member this.WithDeleteHorizon(on: bool) = this.With(0x40s, on)

    /// The words for what is set, as in `zstd, LogAppendTime, transactional`, and the rest in hexadecimal.
    override this.ToString() =
        let it = this
        let rest = it.Bits &&& ~~~0x7Fs

        String.concat
            ", "
            [ CompressionType.name it.Compression
              if it.TimestampType = TimestampType.LogAppendTime then "LogAppendTime" else "CreateTime"
              if it.IsTransactional then "transactional"
              if it.IsControl then "control"
              if it.HasDeleteHorizon then "delete horizon"
              if rest <> 0s then "0x" + rest.ToString "x4" ]

/// Makes batch attributes.
[<RequireQualifiedAccess>]
module BatchAttributes =

    /// Not compressed, CreateTime, data, part of no transaction.
    let none = BatchAttributes 0s
