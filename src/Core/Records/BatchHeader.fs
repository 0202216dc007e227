namespace LibKafka.Records

open System
open LibKafka.Wire

/// Sequence numbers of an idempotent producer (KIP-98): 31 bits, wrapping from 2,147,483,647 to 0. -1 means none.
[<RequireQualifiedAccess>]
module Sequence =

    /// No sequence: the producer is not idempotent.
    [<Literal>]
    let None = -1

    /// The sequence `count` records after another one; none if that is none.
    let add (sequence: int32) (count: int32) : int32 = if sequence < 0 then None else (sequence + count) &&& Int32.MaxValue

/// The header of a record batch of the current format (magic 2), field by field in wire order. It is readable without decompressing the
/// records.
/// Source: Kafka documentation, section "Record Batch".
[<NoComparison>]
type BatchHeader =
    {
        /// The offset of the first record that the batch had when it was built. The broker sets it; a producer sends 0. It does not change
        /// when compaction removes that record.
        BaseOffset: int64
        /// Bytes after this field, up to the end of the batch.
        Length: int32
        /// The leader epoch in which the broker appended the batch, set by the broker (KIP-101); -1 if unknown.
        PartitionLeaderEpoch: int32
        /// The format: 2.
        Magic: int8
        /// The CRC-32C of everything after this field. Base offset, leader epoch and the other fields before it are not covered.
        Crc: uint32
        Attributes: BatchAttributes
        /// The offset of the last record minus the base offset. It does not change when compaction removes that record, so that an emptied
        /// batch keeps its range of offsets.
        LastOffsetDelta: int32
        /// The base of the records' timestamp deltas, in milliseconds since 1970-01-01 UTC: the first record's timestamp, or the delete
        /// horizon if the attributes have that bit; -1 in an emptied batch.
        BaseTimestamp: int64
        /// The maximum timestamp of the records, or the time at which the broker appended them if the attributes have LogAppendTime.
        MaxTimestamp: int64
        /// The id of the idempotent or transactional producer (KIP-98); -1 for none.
        ProducerId: int64
        /// The epoch of the producer, which fences older producers with the same id; -1 for none.
        ProducerEpoch: int16
        /// The sequence of the first record, by which the broker detects duplicates and gaps; -1 for none.
        BaseSequence: int32
        /// The number of records.
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
        + FieldText.count (int64 this.Count) "record"

/// The positions of the fields of a batch header, in bytes from the start of the batch.
[<RequireQualifiedAccess>]
module internal At =

    [<Literal>]
    let BaseOffset = 0

    [<Literal>]
    let Length = 8

    /// The end of the length field, from which the length counts.
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
