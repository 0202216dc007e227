namespace LibKafka

open System
open LibKafka.Protocol

/// The offset that ListOffsets looks up: a place in the log, or the first record at or after a timestamp.
[<Struct>]
type OffsetSpec(timestamp: int64) =
    /// The number on the wire: milliseconds since the epoch, or a negative number for a place.
    member _.Timestamp = timestamp
    /// The high watermark, or the last stable offset with `ReadCommitted`.
    static member Latest = OffsetSpec(-1L)
    /// The log start offset.
    static member Earliest = OffsetSpec(-2L)
    /// The offset of the record with the highest timestamp (KIP-734).
    static member MaxTimestamp = OffsetSpec(-3L)
    /// The first offset on the leader's own disk (KIP-405).
    static member EarliestLocal = OffsetSpec(-4L)
    /// The last offset in tiered storage (KIP-1005).
    static member LatestTiered = OffsetSpec(-5L)
    /// The first offset that is not in tiered storage yet (KIP-1023).
    static member EarliestPendingUpload = OffsetSpec(-6L)
    /// The offset of the first record with this timestamp or a later one, in milliseconds since the epoch.
    /// It throws `ArgumentOutOfRangeException` if it is negative, because negative numbers are places, such as -1 for `Latest`.
    static member AtTimestamp(milliseconds: int64) =
        if milliseconds < 0L then
            raise (
                ArgumentOutOfRangeException(
                    nameof milliseconds,
                    milliseconds,
                    "A timestamp must not be negative: to find a place, use OffsetSpec.Latest, OffsetSpec.Earliest and so on."
                )
            )

        OffsetSpec milliseconds
    /// Kafka's name for a place. It is empty for a timestamp and if the number is not known.
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
