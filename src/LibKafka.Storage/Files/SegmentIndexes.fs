namespace LibKafka.Storage

open System
open System.Buffers.Binary
open LibKafka.Wire
open LibKafka.Protocol

/// An entry of a segment's offset index: a position in the segment from which the offset can be found.
[<Struct>]
type OffsetIndexEntry =
    {
        /// The last offset of the batch at the position.
        Offset: int64
        /// The position of the batch in the segment, in bytes.
        Position: int32
    }

    /// Such as `offset 42 at position 4096`.
    override this.ToString() = "offset " + string this.Offset + " at position " + string this.Position

/// An entry of a segment's time index: records from this offset on are the first with a later timestamp.
[<Struct>]
type TimeIndexEntry =
    {
        /// The latest timestamp of the segment up to the offset, in milliseconds since the epoch.
        Timestamp: int64
        /// The last offset of the batch with that timestamp.
        Offset: int64
    }

    /// Such as `timestamp 1700000000000 at offset 42`.
    override this.ToString() = "timestamp " + string this.Timestamp + " at offset " + string this.Offset

/// The index files of a log segment. Their names are the segment's base offset, from which the offsets in them count. An index that the
/// broker has open is larger than its content: zeros follow the last entry.
[<RequireQualifiedAccess>]
module SegmentIndexes =

    /// The size of an entry of an offset index, in bytes.
    [<Literal>]
    let OffsetEntrySize = 8

    /// The size of an entry of a time index, in bytes.
    [<Literal>]
    let TimeEntrySize = 12

    /// The size of an entry of a transaction index, in bytes.
    [<Literal>]
    let TransactionEntrySize = 34

    /// The entries up to the zeros at the end. Bytes that do not make up an entry are a fault.
    let private entries (name: string) (size: int) (bytes: Bytes) (read: Bytes -> 'Entry) : Result<'Entry list, Fault> =
        let isUsed (at: int) = bytes.Slice(at, size).Span.IndexOfAnyExcept 0uy >= 0

        if bytes.Length % size <> 0 then
            let remaining = bytes.Length % size
            Error { Problem = Problem.Truncated(int64 size, remaining); Offset = bytes.Length - remaining; Path = name }
        else
            let mutable count = bytes.Length / size

            while count > 0 && not (isUsed ((count - 1) * size)) do
                count <- count - 1

            Ok(List.init count (fun index -> read (bytes.Slice(index * size, size))))

    /// The entries of an offset index (`.index`).
    let offsets (baseOffset: int64) (bytes: Bytes) : Result<OffsetIndexEntry list, Fault> =
        entries "OffsetIndex" OffsetEntrySize bytes (fun entry ->
            { Offset = baseOffset + int64 (BinaryPrimitives.ReadInt32BigEndian entry.Span)
              Position = BinaryPrimitives.ReadInt32BigEndian(entry.Span.Slice 4) })

    /// The entries of a time index (`.timeindex`).
    let times (baseOffset: int64) (bytes: Bytes) : Result<TimeIndexEntry list, Fault> =
        entries "TimeIndex" TimeEntrySize bytes (fun entry ->
            { Timestamp = BinaryPrimitives.ReadInt64BigEndian entry.Span
              Offset = baseOffset + int64 (BinaryPrimitives.ReadInt32BigEndian(entry.Span.Slice 8)) })

    /// The entries of a transaction index (`.txnindex`): the aborted transactions whose markers are in the segment.
    let transactions (limits: Limits) (bytes: Bytes) : Result<AbortedTxn.Transaction list, Fault> =
        let entry (index: int) =
            let at = index * TransactionEntrySize

            Prefix.split "AbortedTxn/Version" (bytes.Slice(at, TransactionEntrySize))
            |> Result.bind (fun struct (version, body) ->
                Message.decode limits version AbortedTxn.message body |> Result.mapError (Fault.after 2))
            |> Result.mapError (Fault.after at)

        let remaining = bytes.Length % TransactionEntrySize

        if remaining <> 0 then
            let problem = Problem.Truncated(int64 TransactionEntrySize, remaining)
            Error { Problem = problem; Offset = bytes.Length - remaining; Path = "TransactionIndex" }
        else
            (Ok [], [ 0 .. bytes.Length / TransactionEntrySize - 1 ])
            ||> List.fold (fun result index -> result |> Result.bind (fun found -> entry index |> Result.map (fun one -> one :: found)))
            |> Result.map List.rev
