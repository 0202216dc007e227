namespace LibKafka.Records

open System
open System.Buffers.Binary
open LibKafka.Wire

/// Sequence numbers of an idempotent producer: 31 bits, going round from 2,147,483,647 to 0. -1 stands for none.
[<RequireQualifiedAccess>]
module Sequence =

    /// No sequence: the producer is not idempotent.
    [<Literal>]
    let None = -1

    /// The sequence that comes `count` records after another; none after none.
    let add (sequence: int32) (count: int32) : int32 = if sequence < 0 then None else (sequence + count) &&& Int32.MaxValue

/// The header of a record batch of the current format (magic 2), field by field in wire order. It can be read without the records.
/// Source: Kafka documentation, section "Record Batch".
[<NoComparison>]
type BatchHeader =
    {
        /// The offset of the batch's first record at the time it was built. The broker sets it; a producer sends 0. It stays where
        /// compaction removes that record.
        BaseOffset: int64
        /// Bytes behind this field, up to the end of the batch.
        Length: int32
        /// The leader epoch in which the broker appended the batch, set by the broker (KIP-101); -1 where it is not known.
        PartitionLeaderEpoch: int32
        /// The format: 2.
        Magic: int8
        /// CRC-32C of everything behind this field. So base offset, length, leader epoch and magic can change without it.
        Crc: uint32
        Attributes: BatchAttributes
        /// The offset of the last record less the base offset. It stays where compaction removes that record, so that an emptied batch
        /// still takes up its offsets.
        LastOffsetDelta: int32
        /// What the records' timestamps are relative to, in milliseconds since 1970-01-01 UTC: the first record's timestamp, or the
        /// delete horizon where the attributes say so; -1 in an emptied batch.
        BaseTimestamp: int64
        /// The largest timestamp of the records, or the time at which the broker appended them where the attributes say LogAppendTime.
        MaxTimestamp: int64
        /// The idempotent or transactional producer (KIP-98); -1 for none.
        ProducerId: int64
        /// Tells apart producers with the same id, of which only the one with the highest epoch is let through; -1 for none.
        ProducerEpoch: int16
        /// The sequence of the first record, by which the broker knows repetitions and gaps; -1 for none.
        BaseSequence: int32
        /// How many records there are.
        Count: int32
    }

    override this.ToString() =
        "base offset "
        + string this.BaseOffset
        + ", length "
        + string this.Length
        + ", leader epoch "
        + string this.PartitionLeaderEpoch
        + ", magic "
        + string this.Magic
        + ", crc "
        + this.Crc.ToString "x8"
        + ", "
        + this.Attributes.ToString()
        + ", last offset delta "
        + string this.LastOffsetDelta
        + ", timestamps "
        + string this.BaseTimestamp
        + " to "
        + string this.MaxTimestamp
        + ", producer "
        + string this.ProducerId
        + " epoch "
        + string this.ProducerEpoch
        + " sequence "
        + string this.BaseSequence
        + ", "
        + string this.Count
        + " records"

/// Where the fields of a batch header are, in bytes from the start of the batch.
[<RequireQualifiedAccess>]
module internal At =

    [<Literal>]
    let BaseOffset = 0

    [<Literal>]
    let Length = 8

    /// The end of the length field, from where it counts.
    [<Literal>]
    let Counted = 12

    [<Literal>]
    let PartitionLeaderEpoch = 12

    [<Literal>]
    let Magic = 16

    [<Literal>]
    let Crc = 17

    /// The checksum covers everything from here on.
    [<Literal>]
    let Attributes = 21

    [<Literal>]
    let LastOffsetDelta = 23

    [<Literal>]
    let BaseTimestamp = 27

    [<Literal>]
    let MaxTimestamp = 35

    [<Literal>]
    let ProducerId = 43

    [<Literal>]
    let ProducerEpoch = 51

    [<Literal>]
    let BaseSequence = 53

    [<Literal>]
    let Count = 57

    /// The end of the header.
    [<Literal>]
    let Records = 61

/// The complete bytes of one record batch of the current format (magic 2), as they are sent and received: a header of 61 bytes and the
/// records, perhaps compressed. It does not change and is compared by content; forwarding it costs nothing, since it already is its
/// own encoding. Only its shape has been checked: whether the checksum is right and the records are well-formed shows when they are
/// opened.
[<Sealed>]
type RecordBatch internal (buffer: byte[], start: int, size: int) =

    /// Bytes that the header takes.
    static member HeaderSize = At.Records

    member internal _.Buffer = buffer
    member internal _.Start = start
    member internal _.Span = ReadOnlySpan<byte>(buffer, start, size)
    member private _.From(field: int) = ReadOnlySpan<byte>(buffer, start + field, size - field)

    /// All of the bytes, header included.
    member _.Bytes = Bytes(ReadOnlyMemory<byte>(buffer, start, size))

    /// How many bytes there are, header included.
    member _.SizeInBytes = size

    /// The encoded records as they are, compressed or not.
    member _.Payload = Bytes(ReadOnlyMemory<byte>(buffer, start + At.Records, size - At.Records))

    /// See `BatchHeader.BaseOffset`.
    member this.BaseOffset = BinaryPrimitives.ReadInt64BigEndian(this.From At.BaseOffset)

    /// See `BatchHeader.PartitionLeaderEpoch`.
    member this.PartitionLeaderEpoch = BinaryPrimitives.ReadInt32BigEndian(this.From At.PartitionLeaderEpoch)

    /// The checksum that stands in the batch, right or wrong.
    member this.Crc = BinaryPrimitives.ReadUInt32BigEndian(this.From At.Crc)

    /// The checksum of the batch's content.
    member internal this.ComputedCrc = Crc32C.compute (this.From At.Attributes)

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

    /// How many records the batch declares. It has not been held against the records.
    member this.Count = BinaryPrimitives.ReadInt32BigEndian(this.From At.Count)

    /// How the records are compressed. A code that has no meaning stays itself.
    member this.Compression = this.Attributes.Compression

    /// What the records' timestamps mean.
    member this.TimestampType = this.Attributes.TimestampType

    /// Whether the batch is part of a transaction.
    member this.IsTransactional = this.Attributes.IsTransactional

    /// Whether the records are control records, which are the broker's and no data: see `ControlRecord`.
    member this.IsControl = this.Attributes.IsControl

    /// The offset of the last record, or of the one that compaction removed from there.
    member this.LastOffset = this.BaseOffset + int64 this.LastOffsetDelta

    /// The offset to fetch from to get what comes behind this batch. Counting records would go wrong: compaction and transactions
    /// leave gaps.
    member this.NextOffset = this.LastOffset + 1L

    /// The sequence of the last record; -1 for none. It goes round from 2,147,483,647 to 0.
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

    /// A copy of the bytes at another place in a log. The checksum does not cover these two fields and stays as it is.
    /// The offsets of the batch must lie between 0 and 2^63 - 2; otherwise ArgumentOutOfRangeException.
    member this.Rebase(baseOffset: int64, partitionLeaderEpoch: int32) : RecordBatch =
        if baseOffset < 0L || baseOffset >= Int64.MaxValue - int64 this.LastOffsetDelta then
            raise (ArgumentOutOfRangeException(nameof baseOffset))

        let copy = this.Span.ToArray()
        BinaryPrimitives.WriteInt64BigEndian(copy.AsSpan At.BaseOffset, baseOffset)
        BinaryPrimitives.WriteInt32BigEndian(copy.AsSpan At.PartitionLeaderEpoch, partitionLeaderEpoch)
        RecordBatch(copy, 0, size)

    /// A copy with memory of its own: for a batch that is to outlive the builder or codec buffer that it was made in.
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

    /// As in `offsets 5 to 9, 4 records, gzip, CreateTime, 345 bytes`.
    override this.ToString() =
        "offsets "
        + string this.BaseOffset
        + " to "
        + string this.LastOffset
        + ", "
        + string this.Count
        + " records, "
        + this.Attributes.ToString()
        + ", "
        + string size
        + " bytes"

/// What a batch says in a form that only F# knows how to use.
[<AutoOpen>]
module RecordBatchValues =

    type RecordBatch with

        /// From when on the batch's tombstones or transaction marker may be removed, in milliseconds since 1970-01-01 UTC (KIP-534).
        member this.DeleteHorizon: int64 voption = if this.Attributes.HasDeleteHorizon then ValueSome this.BaseTimestamp else ValueNone
