namespace LibKafka.Records

open System.Runtime.CompilerServices

/// The meaning of the timestamps in a batch: bit 3 of the batch attributes (KIP-32).
type TimestampType =
    /// The time at which the producer created the record. Each record has its own.
    | CreateTime = 0
    /// The time at which the broker appended the batch. Every record has the batch's maximum timestamp.
    | LogAppendTime = 1

/// The compression of a batch's records: bits 0 to 2 of the batch attributes. The codes 5 to 7 are not assigned.
type CompressionType =
    /// The records are not compressed.
    | None = 0
    | Gzip = 1
    | Snappy = 2
    | Lz4 = 3
    /// Since Kafka 2.1 (KIP-110).
    | Zstd = 4

/// Names of the compression types.
[<RequireQualifiedAccess>]
module CompressionType =

    /// The name in Kafka's configuration, such as `zstd`; the number if the code is not assigned.
    let name (compression: CompressionType) : string =
        match compression with
        | CompressionType.None -> "none"
        | CompressionType.Gzip -> "gzip"
        | CompressionType.Snappy -> "snappy"
        | CompressionType.Lz4 -> "lz4"
        | CompressionType.Zstd -> "zstd"
        | other -> (int other).ToString()

/// The attributes of a record batch: sixteen bits, of which seven are assigned. Unassigned bits are preserved.
/// Source: Kafka documentation, section "Record Batch".
[<Struct; IsReadOnly>]
type BatchAttributes =
    /// All sixteen bits.
    val Bits: int16

    new(bits: int16) = { Bits = bits }

    member inline private this.Has(mask: int16) = this.Bits &&& mask <> 0s

    member inline private this.With(mask: int16, on: bool) = BatchAttributes(if on then this.Bits ||| mask else this.Bits &&& ~~~mask)

    /// The code of the compression, 0 to 7, assigned or not: bits 0 to 2.
    member this.CompressionCode = int (this.Bits &&& 0x07s)

    /// The compression of the records. An unassigned code is kept as a number without a name.
    member this.Compression: CompressionType = enum this.CompressionCode

    /// The meaning of the records' timestamps: bit 3.
    member this.TimestampType = if this.Has 0x08s then TimestampType.LogAppendTime else TimestampType.CreateTime

    /// Whether the batch is part of a transaction: bit 4 (KIP-98).
    member this.IsTransactional = this.Has 0x10s

    /// Whether the batch contains control records, which the broker writes and which are not data: bit 5 (KIP-98).
    member this.IsControl = this.Has 0x20s

    /// Whether the base timestamp is the delete horizon, that is, the time after which the batch's tombstones or its transaction marker may
    /// be removed, and not the first record's timestamp: bit 6 (KIP-534).
    member this.HasDeleteHorizon = this.Has 0x40s

    /// The same attributes with another compression. Only the lowest three bits of the code are used.
    member this.WithCompression(compression: CompressionType) = BatchAttributes((this.Bits &&& ~~~0x07s) ||| (int16 compression &&& 0x07s))

    /// The same attributes with another timestamp type.
    member this.WithTimestampType(timestamps: TimestampType) = this.With(0x08s, (timestamps = TimestampType.LogAppendTime))

    /// The same attributes with the transactional bit set or cleared.
    member this.WithTransactional(on: bool) = this.With(0x10s, on)

    /// The same attributes with the control bit set or cleared.
    member this.WithControl(on: bool) = this.With(0x20s, on)

    /// The same attributes with the delete horizon bit set or cleared.
    member this.WithDeleteHorizon(on: bool) = this.With(0x40s, on)

    /// What is set, such as `zstd, LogAppendTime, transactional`. Unassigned bits are in hexadecimal.
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

/// Batch attributes to start from.
[<RequireQualifiedAccess>]
module BatchAttributes =

    /// Not compressed, CreateTime, data, not part of a transaction.
    let none = BatchAttributes 0s
