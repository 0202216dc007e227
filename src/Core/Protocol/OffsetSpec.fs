namespace LibKafka.Protocol

/// What ListOffsets is asked for: an end of the log, or the first record from a time on.
[<Struct>]
type OffsetSpec(timestamp: int64) =
    /// The number on the wire: milliseconds since the epoch, or a negative number with a meaning of its own.
    member _.Timestamp = timestamp
    /// The end: the offset that the next record will have, or with `ReadCommitted` the first open transaction's.
    static member Latest = OffsetSpec(-1L)
    /// The start: the first offset that can still be read.
    static member Earliest = OffsetSpec(-2L)
    /// The record with the highest timestamp (KIP-734, version 7).
    static member MaxTimestamp = OffsetSpec(-3L)
    /// The first offset on the leader's own disk (KIP-405, version 8).
    static member EarliestLocal = OffsetSpec(-4L)
    /// The last offset in tiered storage (KIP-1005, version 9).
    static member LatestTiered = OffsetSpec(-5L)
    /// The first offset that is not in tiered storage yet (KIP-1023, version 11).
    static member EarliestPendingUpload = OffsetSpec(-6L)
    /// The first record with this timestamp or a later one, in milliseconds since the epoch.
    static member AtTimestamp(milliseconds: int64) = OffsetSpec milliseconds
    /// The name that Kafka has for the negative number; empty for a time and where the number is not known.
    member _.Name =
        match timestamp with
        | -1L -> "LATEST"
        | -2L -> "EARLIEST"
        | -3L -> "MAX_TIMESTAMP"
        | -4L -> "EARLIEST_LOCAL"
        | -5L -> "LATEST_TIERED"
        | -6L -> "EARLIEST_PENDING_UPLOAD"
        | _ -> ""
    override this.ToString() = Code.text (if timestamp < 0L then "OffsetSpec" else "AT_TIMESTAMP") this.Name timestamp
    static member op_Equality(a: OffsetSpec, b: OffsetSpec) = a.Timestamp = b.Timestamp
    static member op_Inequality(a: OffsetSpec, b: OffsetSpec) = a.Timestamp <> b.Timestamp
