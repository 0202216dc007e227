namespace LibKafka.Records

open System
open System.Buffers.Binary
open LibKafka.Wire

/// The complete bytes of one record batch of the current format (magic 2), as they are sent and received: a header of 61 bytes, then the
/// records, which may be compressed. It is immutable, is compared by content, and is its own encoding. Only its structure has been checked:
/// opening it checks the checksum, and iterating over its records checks them.
[<Sealed>]
type RecordBatch internal (buffer: byte[], start: int, size: int, header: byte[] | null, owner: LentMemory | null) =
    // The bytes in one piece, if the header is apart and they were asked for.
    let mutable joined: byte[] | null = null

    let join (header: byte[]) : byte[] =
        LentMemory.check owner

        match joined with
        | null ->
            let bytes = ReadOnlySpan<byte>(buffer, start, size).ToArray()
            header.CopyTo(bytes, 0)
            joined <- bytes
            bytes
        | bytes -> bytes

    internal new(buffer, start, size) = RecordBatch(buffer, start, size, null, null)

    /// The size of the header in bytes.
    static member HeaderSize = At.Records

    /// The memory that has the records, after as many bytes as a header has.
    member internal _.Buffer = buffer

    member internal _.Start = start

    /// The memory that has the records, if it is lent.
    member internal _.Owner = owner

    /// The same, lent or not.
    member internal _.Memory =
        match owner with
        | null -> new LentMemory(buffer)
        | owner -> owner

    /// The header, if it is apart from the records: the bytes before the records are then not part of the batch.
    member internal _.HeaderApart = header

    /// A copy of the header.
    member internal _.HeaderBytes() : byte[] =
        LentMemory.check owner

        match header with
        | null -> ReadOnlySpan<byte>(buffer, start, At.Records).ToArray()
        | header -> ReadOnlySpan<byte>(header).ToArray()

    /// A batch of the same records with this header, in place of the one before the records. Nothing is copied.
    member internal _.WithHeaderApart(header: byte[]) = RecordBatch(buffer, start, size, header, owner)

    /// The bytes before the records, which are the header unless that is apart, and the records.
    member internal _.Stored = Bytes(LentMemory.slice owner buffer start size)

    member internal _.Span =
        LentMemory.check owner

        match header with
        | null -> ReadOnlySpan<byte>(buffer, start, size)
        | header -> ReadOnlySpan<byte>(join header)

    // A field of the header and what follows it there.
    member private _.From(field: int) =
        LentMemory.check owner

        match header with
        | null -> ReadOnlySpan<byte>(buffer, start + field, size - field)
        | header -> ReadOnlySpan<byte>(header, field, At.Records - field)

    /// All of the bytes, header included.
    member _.Bytes =
        match header with
        | null -> Bytes(LentMemory.slice owner buffer start size)
        | header -> Bytes(join header)

    /// The number of bytes, header included.
    member _.SizeInBytes = size

    /// The encoded records as they are, compressed or not.
    member _.Payload = Bytes(LentMemory.slice owner buffer (start + At.Records) (size - At.Records))

    /// See `BatchHeader.BaseOffset`.
    member this.BaseOffset = BinaryPrimitives.ReadInt64BigEndian(this.From At.BaseOffset)

    /// See `BatchHeader.PartitionLeaderEpoch`.
    member this.PartitionLeaderEpoch = BinaryPrimitives.ReadInt32BigEndian(this.From At.PartitionLeaderEpoch)

    /// The checksum in the header, right or wrong.
    member this.Crc = BinaryPrimitives.ReadUInt32BigEndian(this.From At.Crc)

    /// The checksum of the batch's content.
    member internal this.ComputedCrc =
        let crc = Crc32C.compute (this.From At.Attributes)

        if isNull header then
            crc
        else
            Crc32C.append crc (ReadOnlySpan<byte>(buffer, start + At.Records, size - At.Records))

    member this.Attributes = BatchAttributes(BinaryPrimitives.ReadInt16BigEndian(this.From At.Attributes))

    /// See `BatchHeader.LastOffsetDelta`; never negative.
    member this.LastOffsetDelta = BinaryPrimitives.ReadInt32BigEndian(this.From At.LastOffsetDelta)

    /// See `BatchHeader.BaseTimestamp`.
    member this.BaseTimestamp = BinaryPrimitives.ReadInt64BigEndian(this.From At.BaseTimestamp)

    /// See `BatchHeader.MaxTimestamp`.
    member this.MaxTimestamp = BinaryPrimitives.ReadInt64BigEndian(this.From At.MaxTimestamp)

    /// See `BatchHeader.ProducerId`.
    member this.ProducerId = BinaryPrimitives.ReadInt64BigEndian(this.From At.ProducerId)

    /// See `BatchHeader.ProducerEpoch`.
    member this.ProducerEpoch = BinaryPrimitives.ReadInt16BigEndian(this.From At.ProducerEpoch)

    /// See `BatchHeader.BaseSequence`.
    member this.BaseSequence = BinaryPrimitives.ReadInt32BigEndian(this.From At.BaseSequence)

    /// The number of records that the header declares. It has not been checked against the records.
    member this.Count = BinaryPrimitives.ReadInt32BigEndian(this.From At.Count)

    /// The compression of the records. An unassigned code is kept as a number without a name.
    member this.Compression = this.Attributes.Compression

    /// The meaning of the records' timestamps.
    member this.TimestampType = this.Attributes.TimestampType

    /// Whether the batch is part of a transaction.
    member this.IsTransactional = this.Attributes.IsTransactional

    /// Whether the records are control records, which the broker writes and which are not data: see `ControlRecord`.
    member this.IsControl = this.Attributes.IsControl

    /// The last offset that the batch covers. Compaction may have removed its record.
    member this.LastOffset = this.BaseOffset + int64 this.LastOffsetDelta

    /// The offset from which to fetch what comes after this batch. Counting records does not give it, because compaction and transactions
    /// leave offset gaps.
    member this.NextOffset = this.LastOffset + 1L

    /// The sequence of the last record, which wraps from 2,147,483,647 to 0; -1 for none.
    member this.LastSequence = Sequence.add this.BaseSequence this.LastOffsetDelta

    /// All header fields.
    member this.Header: BatchHeader =
        { BaseOffset = this.BaseOffset
          Length = size - At.Counted
          PartitionLeaderEpoch = this.PartitionLeaderEpoch
          Magic = 2y
          Crc = this.Crc
          Attributes = this.Attributes
          LastOffsetDelta = this.LastOffsetDelta
          BaseTimestamp = this.BaseTimestamp
          MaxTimestamp = this.MaxTimestamp
          ProducerId = this.ProducerId
          ProducerEpoch = this.ProducerEpoch
          BaseSequence = this.BaseSequence
          Count = this.Count }

    /// A copy with another base offset and leader epoch. The checksum does not cover these two fields and does not change.
    /// ArgumentOutOfRangeException if the batch's offsets do not lie between 0 and 2^63 - 2.
    member this.Rebase(baseOffset: int64, partitionLeaderEpoch: int32) : RecordBatch =
        if baseOffset < 0L || baseOffset >= Int64.MaxValue - int64 this.LastOffsetDelta then
            raise (ArgumentOutOfRangeException(nameof baseOffset))

        let copy = this.Span.ToArray()
        BinaryPrimitives.WriteInt64BigEndian(copy.AsSpan At.BaseOffset, baseOffset)
        BinaryPrimitives.WriteInt32BigEndian(copy.AsSpan At.PartitionLeaderEpoch, partitionLeaderEpoch)
        RecordBatch(copy, 0, size)

    /// A copy with its own memory: for a batch that must outlive the builder or codec buffer that owns its memory.
    member this.Copy() = RecordBatch(this.Span.ToArray(), 0, size)

    interface IEquatable<RecordBatch> with
        member this.Equals other =
            match other with
            | null -> false
            | batch -> this.Span.SequenceEqual batch.Span

    override this.Equals other =
        match other with
        | :? RecordBatch as batch -> this.Span.SequenceEqual batch.Span
        | _ -> false

    override this.GetHashCode() = this.Bytes.GetHashCode()

    /// Such as `offsets 5 to 9, 4 records, gzip, CreateTime, 345 bytes`.
    override this.ToString() =
        "offsets "
        + string this.BaseOffset
        + " to "
        + string this.LastOffset
        + ", "
        + FieldText.count (int64 this.Count) "record"
        + ", "
        + this.Attributes.ToString()
        + ", "
        + string size
        + " bytes"

/// Members of a batch that only F# can use.
[<AutoOpen>]
module RecordBatchValues =

    type RecordBatch with

        /// The time after which the batch's tombstones or its transaction marker may be removed, in milliseconds since 1970-01-01 UTC
        /// (KIP-534).
        member this.DeleteHorizon: int64 voption = if this.Attributes.HasDeleteHorizon then ValueSome this.BaseTimestamp else ValueNone
