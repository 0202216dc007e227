namespace LibKafka.Records

open System
open System.Buffers.Binary
open LibKafka.Wire

/// The complete bytes of one record batch of the current format (magic 2), as they are sent and received: a header of 61 bytes, then the
/// records, which may be compressed. It is immutable, is compared by content, and is its own encoding. Only its structure has been checked:
/// opening it checks the checksum, and iterating over its records checks them.
[<Sealed>]
type RecordBatch internal (buffer: byte[], start: int, size: int) =

    /// The size of the header in bytes.
    static member HeaderSize = At.Records

    member internal _.Buffer = buffer
    member internal _.Start = start
    member internal _.Span = ReadOnlySpan<byte>(buffer, start, size)
    member private _.From(field: int) = ReadOnlySpan<byte>(buffer, start + field, size - field)

    /// All of the bytes, header included.
    member _.Bytes = Bytes(ReadOnlyMemory<byte>(buffer, start, size))

    /// The number of bytes, header included.
    member _.SizeInBytes = size

    /// The encoded records as they are, compressed or not.
    member _.Payload = Bytes(ReadOnlyMemory<byte>(buffer, start + At.Records, size - At.Records))

    /// See `BatchHeader.BaseOffset`.
    member this.BaseOffset = BinaryPrimitives.ReadInt64BigEndian(this.From At.BaseOffset)

    /// See `BatchHeader.PartitionLeaderEpoch`.
    member this.PartitionLeaderEpoch = BinaryPrimitives.ReadInt32BigEndian(this.From At.PartitionLeaderEpoch)

    /// The checksum in the header, right or wrong.
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
        + string this.Count
        + " records, "
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

/// Parses, opens, compresses and decompresses record batches.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module RecordBatch =

    let private fail (field: string) (offset: int) (problem: Problem) : Result<'T, Fault> = Error(Fault.ofField field offset problem)

    /// Checks that the batch's offsets ascend and leave room for a next one.
    let private checkOffsets (baseOffset: int64) (lastOffsetDelta: int32) : Result<unit, Fault> =
        if lastOffsetDelta < 0 then
            fail "LastOffsetDelta" At.LastOffsetDelta (Problem.OutOfRange(int64 lastOffsetDelta, 0L, int64 Int32.MaxValue))
        elif baseOffset >= Int64.MaxValue - int64 lastOffsetDelta then
            let highest = Int64.MaxValue - 1L - int64 lastOffsetDelta
            fail "BaseOffset" At.BaseOffset (Problem.OutOfRange(baseOffset, Int64.MinValue, highest))
        else
            Ok()

    /// The batch that consists of exactly these bytes, which are not copied. It is checked that they are complete, that the format is 2, and
    /// that the offsets ascend to at most 2^63 - 2. Opening the batch checks the rest.
    ///
    /// Faults: `Truncated`, `TrailingBytes`, `BadBatchLength` (field `Length`), `BadMagic` (`Magic`), `OutOfRange` (`LastOffsetDelta`,
    /// `BaseOffset`).
    let ofBytes (bytes: Bytes) : Result<RecordBatch, Fault> =
        let span = bytes.Span

        if span.Length <= At.Magic then
            fail "Magic" 0 (Problem.Truncated(int64 At.Records, span.Length))
        elif span[At.Magic] <> 2uy then
            fail "Magic" At.Magic (Problem.BadMagic(int8 span[At.Magic]))
        else
            let length = BinaryPrimitives.ReadInt32BigEndian(span.Slice At.Length)
            let size = int64 length + int64 At.Counted

            if size < int64 At.Records then
                fail "Length" At.Length (Problem.BadBatchLength length)
            elif size > int64 span.Length then
                fail "Length" 0 (Problem.Truncated(size, span.Length))
            elif size < int64 span.Length then
                fail "Length" (int size) (Problem.TrailingBytes(span.Length - int size))
            else
                let baseOffset = BinaryPrimitives.ReadInt64BigEndian span
                let lastOffsetDelta = BinaryPrimitives.ReadInt32BigEndian(span.Slice At.LastOffsetDelta)
                let segment = Bytes.segment bytes

                checkOffsets baseOffset lastOffsetDelta
                |> Result.map (fun () -> RecordBatch(nonNull segment.Array, segment.Offset, segment.Count))

    /// Whether the checksum is right. Fault: `BadCrc` (field `Crc`).
    let verify (batch: RecordBatch) : Result<unit, Fault> =
        let computed = batch.ComputedCrc
        if computed = batch.Crc then Ok() else fail "Crc" At.Crc (Problem.BadCrc(batch.Crc, computed))

    /// The fewest bytes that a record takes: seven fields of one byte.
    [<Literal>]
    let private LeastRecord = 7

    let private checkCount (limits: Limits) (batch: RecordBatch) (recordBytes: int) : Result<unit, Fault> =
        let count = batch.Count
        let most = min limits.MaxRecords (recordBytes / LeastRecord)

        if count < 0 then fail "Count" At.Count (Problem.BadRecordCount(count, 0))
        elif count > most then fail "Count" At.Count (Problem.CountTooLarge(int64 count, int64 most))
        else Ok()

    /// Replaces the batch's header in front of the records in the buffer, with another compression.
    let private withHeader (batch: RecordBatch) (compression: CompressionType) (buffer: CodecBuffer) : RecordBatch =
        let bytes = buffer.Array.AsSpan(0, buffer.Length)
        batch.Span.Slice(0, At.Records).CopyTo bytes
        BinaryPrimitives.WriteInt32BigEndian(bytes.Slice At.Length, bytes.Length - At.Counted)
        BinaryPrimitives.WriteInt16BigEndian(bytes.Slice At.Attributes, (batch.Attributes.WithCompression compression).Bits)
        BinaryPrimitives.WriteUInt32BigEndian(bytes.Slice At.Crc, Crc32C.compute (Span.op_Implicit (bytes.Slice At.Attributes)))
        RecordBatch(buffer.Array, 0, bytes.Length)

    /// A codec's fault concerns the records as a whole.
    let private inRecords (result: Result<unit, Fault>) : Result<unit, Fault> =
        result |> Result.mapError (Fault.within "Records" >> Fault.after At.Records)

    /// Decompresses the records into the buffer, after `prefix` bytes.
    let private decompressTo
        (buffer: CodecBuffer)
        (prefix: int)
        (reading: Reading)
        (compression: CompressionType)
        (batch: RecordBatch)
        : Result<unit, Fault> =
        match Compression.find At.Attributes reading.Codecs compression with
        | Error fault -> Error fault
        | Ok codec -> Compression.decompress codec reading.Limits.MaxDecompressedBytes prefix batch.Payload.Memory buffer |> inRecords

    /// The first step of every path to the records: verifies the checksum, if asked to, and checks that the codec exists.
    let private admit (checksum: bool) (batch: RecordBatch) : Result<CompressionType, Fault> =
        match if checksum then verify batch else Ok() with
        | Ok() -> Compression.known At.Attributes batch.Compression
        | Error fault -> Error fault

    let private records (place: RecordSetPlace) (batch: RecordBatch) (buffer: byte[]) (origin: int) (start: int) (finish: int) =
        BatchRecords
            { Buffer = buffer
              Origin = origin
              Start = start
              Finish = finish
              Count = batch.Count
              BaseOffset = batch.BaseOffset
              BaseTimestamp = batch.BaseTimestamp
              AppendTime =
                if batch.TimestampType = TimestampType.LogAppendTime then
                    ValueSome batch.MaxTimestamp
                else
                    ValueNone
              Place = place }

    /// `openRecords` for a batch that is an item of a record set.
    let internal openAt (place: RecordSetPlace) (reading: Reading) (batch: RecordBatch) : Result<BatchRecords, Fault> =
        let payload = batch.SizeInBytes - At.Records

        let opened =
            match admit reading.VerifyChecksum batch with
            | Error fault -> Error fault
            // A batch that compaction has emptied keeps its codec and has nothing to decompress.
            | Ok compression when compression = CompressionType.None || payload = 0 ->
                let first = batch.Start + At.Records

                checkCount reading.Limits batch payload
                |> Result.map (fun () -> records place batch batch.Buffer (batch.Start - place.Position) first (first + payload))
            | Ok compression ->
                let buffer = Reading.buffer reading
                // How many records the decompressed bytes can hold is not known yet, but some counts are impossible for any bytes.
                checkCount reading.Limits batch Int32.MaxValue
                |> Result.bind (fun () -> decompressTo buffer 0 reading compression batch)
                |> Result.bind (fun () -> checkCount reading.Limits batch buffer.Length)
                |> Result.map (fun () -> records place batch buffer.Array 0 0 buffer.Length)

        match opened with
        | Ok _ -> opened
        | Error fault -> Error(place.Locate fault)

    /// Opens a batch for reading its records: verifies the checksum, checks that the codec exists and that the count is possible, and
    /// decompresses the records if necessary. The records themselves are read and checked one by one during iteration.
    ///
    /// Faults: `BadCrc` (field `Crc`), `UnknownCodec` and `CodecMissing` (`Attributes`), `BadRecordCount` for a negative count and
    /// `CountTooLarge` (`Count`), `CodecFailed` and `DecompressedTooLarge` (`Records`). Faults of records count their offsets from the start
    /// of the batch, or of the decompressed records if the batch is compressed.
    let openRecords (reading: Reading) (batch: RecordBatch) : Result<BatchRecords, Fault> = openAt (RecordSetPlace()) reading batch

    /// Opens the batch and folds over its records in order, with every fault as a value. The record passed to the folder is valid for that
    /// call only.
    let fold (folder: 'State -> Record -> 'State) (initial: 'State) (reading: Reading) (batch: RecordBatch) : Result<'State, Fault> =
        openRecords reading batch |> Result.bind (BatchRecords.fold folder initial)

    /// Opens the batch and copies its records, in order, with every fault as a value.
    let toList (reading: Reading) (batch: RecordBatch) : Result<RecordData list, Fault> =
        openRecords reading batch |> Result.bind BatchRecords.toList

    /// Decompresses a batch. All other attribute bits and header fields are preserved. An uncompressed batch is returned as it is.
    /// The checksum is always verified, because a new checksum over damaged content would hide the damage.
    ///
    /// Faults: `BadCrc` (field `Crc`), `UnknownCodec` and `CodecMissing` (`Attributes`), `CodecFailed` and `DecompressedTooLarge`
    /// (`Records`).
    let decompress (reading: Reading) (batch: RecordBatch) : Result<RecordBatch, Fault> =
        match admit true batch with
        | Error fault -> Error fault
        | Ok CompressionType.None -> Ok batch
        | Ok compression ->
            let buffer = Reading.buffer reading

            let decompressed =
                if batch.SizeInBytes > At.Records then
                    decompressTo buffer At.Records reading compression batch
                else
                    // A batch that compaction has emptied has nothing to decompress.
                    buffer.Start(At.Records, Problem.DecompressedTooLarge 0L)
                    Ok(buffer.Skip At.Records)

            decompressed |> Result.map (fun () -> withHeader batch CompressionType.None buffer)

    /// Compresses a batch into the caller's buffer: the new batch is valid until the buffer's next use. See `compress`.
    let compressIn (buffer: CodecBuffer) (codec: ICompressionCodec) (batch: RecordBatch) : Result<RecordBatch, Fault> =
        match Compression.known At.Attributes codec.Type with
        | Error fault -> Error fault
        | Ok CompressionType.None -> fail "Attributes" At.Attributes (Problem.UnknownCodec(int CompressionType.None))
        | Ok compression ->
            match admit true batch with
            | Error fault -> Error fault
            | Ok CompressionType.None ->
                Compression.compress codec At.Records batch.Payload.Memory buffer
                |> inRecords
                |> Result.map (fun () -> withHeader batch compression buffer)
            | Ok compression -> fail "Attributes" At.Attributes (Problem.AlreadyCompressed(CompressionType.name compression))

    /// Compresses a batch. All other attribute bits and header fields are preserved. The checksum is verified first, because a new checksum
    /// over damaged content would hide the damage.
    ///
    /// Faults: `BadCrc` (field `Crc`), `AlreadyCompressed` and `UnknownCodec` (`Attributes`), `CodecFailed` (`Records`).
    let compress (codec: ICompressionCodec) (batch: RecordBatch) : Result<RecordBatch, Fault> = compressIn (CodecBuffer()) codec batch

    let private stamped
        (attributes: BatchAttributes)
        (producerId: int64)
        (producerEpoch: int16)
        (baseSequence: int32)
        (batch: RecordBatch)
        =
        // A new checksum over damaged content would hide the damage.
        match verify batch with
        | Error fault -> Error fault
        | Ok() ->
            let copy = batch.Span.ToArray()
            BinaryPrimitives.WriteInt16BigEndian(copy.AsSpan At.Attributes, attributes.Bits)
            BinaryPrimitives.WriteInt64BigEndian(copy.AsSpan At.ProducerId, producerId)
            BinaryPrimitives.WriteInt16BigEndian(copy.AsSpan At.ProducerEpoch, producerEpoch)
            BinaryPrimitives.WriteInt32BigEndian(copy.AsSpan At.BaseSequence, baseSequence)
            BinaryPrimitives.WriteUInt32BigEndian(copy.AsSpan At.Crc, Crc32C.compute (ReadOnlySpan<byte>(copy).Slice At.Attributes))
            Ok(RecordBatch(copy, 0, copy.Length))

    let private checkProducer (producerId: int64) (producerEpoch: int16) (baseSequence: int32) : Result<unit, Fault> =
        if producerId < 0L then
            fail "ProducerId" At.ProducerId (Problem.OutOfRange(producerId, 0L, Int64.MaxValue))
        elif producerEpoch < 0s then
            fail "ProducerEpoch" At.ProducerEpoch (Problem.OutOfRange(int64 producerEpoch, 0L, int64 Int16.MaxValue))
        elif baseSequence < 0 then
            fail "BaseSequence" At.BaseSequence (Problem.OutOfRange(int64 baseSequence, 0L, int64 Int32.MaxValue))
        else
            Ok()

    /// A copy of the batch as an idempotent producer sends it outside a transaction (KIP-98): with the producer's id and epoch and the
    /// sequence of the first record, and not transactional. Any earlier producer's identity is replaced. Records and compression are
    /// preserved. Faults: `OutOfRange` for a negative number, and `BadCrc`, because a new checksum over damaged content would hide the
    /// damage.
    let withProducer (producerId: int64) (producerEpoch: int16) (baseSequence: int32) (batch: RecordBatch) : Result<RecordBatch, Fault> =
        checkProducer producerId producerEpoch baseSequence
        |> Result.bind (fun () -> stamped (batch.Attributes.WithTransactional false) producerId producerEpoch baseSequence batch)

    /// A copy of the batch as a transactional producer sends it: see `withProducer`.
    let withTransactionalProducer producerId producerEpoch baseSequence (batch: RecordBatch) : Result<RecordBatch, Fault> =
        checkProducer producerId producerEpoch baseSequence
        |> Result.bind (fun () -> stamped (batch.Attributes.WithTransactional true) producerId producerEpoch baseSequence batch)

    /// A copy of the batch without a producer's id, epoch and sequence, and not transactional: for a fetched batch that goes to another log,
    /// where its producer has no sequences. Fault: `BadCrc`.
    let withoutProducer (batch: RecordBatch) : Result<RecordBatch, Fault> =
        stamped (batch.Attributes.WithTransactional false) -1L -1s Sequence.None batch
