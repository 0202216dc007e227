namespace LibKafka.Client

/// The position of a reader in a partition.
type FetchPosition =
    {
        /// The offset of the next record.
        Offset: int64
        /// The leader epoch of the record before it, by which a broker detects whether the log was truncated below it (KIP-320). If it is not
        /// known, it is -1, and truncation is not detected.
        LastEpoch: int32
    }

    /// As in `offset 42 after epoch 3`.
    override this.ToString() = "offset " + string this.Offset + (if this.LastEpoch < 0 then "" else " after epoch " + string this.LastEpoch)

[<RequireQualifiedAccess>]
module FetchPosition =

    /// An offset, without the epoch of the record before it.
    let at (offset: int64) = { Offset = offset; LastEpoch = -1 }
