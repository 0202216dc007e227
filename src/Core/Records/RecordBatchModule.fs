namespace LibKafka.Records

open System
open System.Buffers.Binary
open LibKafka.Wire

/// Why a batch cannot be forwarded: see `RecordBatch.forForwarding`.
[<RequireQualifiedAccess>]
type NotForwardable =
    /// The batch has control records, such as the end of a transaction, which only brokers write. Leave it out.
    | ControlBatch
    /// The batch has no records; compaction may have removed them. There is nothing to forward.
    | NoRecords
    /// Compaction has removed some of the batch's records. Brokers append a batch only if it has a record for each of its offsets:
    /// `RecordBatch.repack` closes the gaps.
    | OffsetGaps of records: int * offsets: int64
    /// The batch is damaged, or `RecordBatch.repack` has no codec for it or exceeds the limits.
    | Unreadable of Fault

    /// A one-line description that says what to do.
    override this.ToString() =
        match this with
        | ControlBatch -> "it has control records, which only brokers write: leave it out"
        | NoRecords -> "it has no records, like a batch that compaction has emptied: leave it out"
        | OffsetGaps(records, offsets) ->
            "it has "
            + FieldText.count (int64 records) "record"
            + " for "
            + FieldText.count offsets "offset"
            + ", as compaction leaves it: RecordBatch.repack (in C#: batch.Repack) closes the gaps"
        | Unreadable fault -> fault.ToString()

/// Parses, opens, compresses, decompresses and forwards record batches.
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
                |> Result.map (fun () -> RecordBatch(nonNull segment.Array, segment.Offset, segment.Count, null, LentMemory.owning bytes))

    /// Whether the checksum is right. Fault: `BadCrc` (field `Crc`).
    let verify (batch: RecordBatch) : Result<unit, Fault> =
        let computed = batch.ComputedCrc
        if computed = batch.Crc then Ok() else fail "Crc" At.Crc (Problem.BadCrc(batch.Crc, computed))

    /// The fewest bytes that a record takes: seven fields of one byte.
    [<Literal>]
    let private LeastRecord = 7

    let private checkCount (limits: Limits) (batch: RecordBatch) (recordBytes: int) : Result<unit, Fault> =
        let count = batch.Count
        let most = recordBytes / LeastRecord

        if count < 0 then
            fail "Count" At.Count (Problem.BadRecordCount(count, 0))
        elif count > most then
            fail "Count" At.Count (Problem.CountTooLarge(int64 count, int64 most))
        elif count > limits.MaxRecords then
            fail "Count" At.Count (Problem.TooManyRecords(int64 limits.MaxRecords))
        else
            Ok()

    /// Replaces the batch's header in front of the records in the buffer, with another compression.
    let private withHeader (batch: RecordBatch) (compression: CompressionType) (buffer: CodecBuffer) : RecordBatch =
        let bytes = buffer.Array.AsSpan(0, buffer.Length)
        batch.Span.Slice(0, At.Records).CopyTo bytes
        BinaryPrimitives.WriteInt32BigEndian(bytes.Slice At.Length, bytes.Length - At.Counted)
        BinaryPrimitives.WriteInt16BigEndian(bytes.Slice At.Attributes, (batch.Attributes.WithCompression compression).Bits)
        BinaryPrimitives.WriteUInt32BigEndian(bytes.Slice At.Crc, Crc32C.compute (Span.op_Implicit (bytes.Slice At.Attributes)))
        RecordBatch(buffer.Array, 0, bytes.Length, null, buffer.Lend())

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

    let private records (place: RecordSetPlace) (batch: RecordBatch) (memory: LentMemory) (origin: int) (start: int) (finish: int) =
        BatchRecords
            { Memory = memory
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
                |> Result.map (fun () -> records place batch batch.Memory (batch.Start - place.Position) first (first + payload))
            | Ok compression ->
                let buffer = Reading.buffer reading
                // How many records the decompressed bytes can hold is not known yet, but some counts are impossible for any bytes.
                checkCount reading.Limits batch Int32.MaxValue
                |> Result.bind (fun () -> decompressTo buffer 0 reading compression batch)
                |> Result.bind (fun () -> checkCount reading.Limits batch buffer.Length)
                |> Result.map (fun () -> records place batch (Reading.memory batch.Owner buffer reading) 0 0 buffer.Length)

        match opened with
        | Ok _ -> opened
        | Error fault -> Error(place.Locate fault)

    /// Opens a batch for reading its records: verifies the checksum, checks that the codec exists and that the count is possible, and
    /// decompresses the records if necessary. The records themselves are read and checked one by one during iteration.
    ///
    /// Faults: `BadCrc` (field `Crc`), `UnknownCodec` and `CodecMissing` (`Attributes`), `BadRecordCount` for a negative count and
    /// `CountTooLarge` and `TooManyRecords` (`Count`), `CodecFailed` and `DecompressedTooLarge` (`Records`). Faults of records count their offsets from the start
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

    /// Overwrites the attributes and the producer's identity, and corrects the checksum.
    let private stamp (attributes: BatchAttributes) (producerId: int64) (producerEpoch: int16) (baseSequence: int32) (bytes: Span<byte>) =
        BinaryPrimitives.WriteInt16BigEndian(bytes.Slice At.Attributes, attributes.Bits)
        BinaryPrimitives.WriteInt64BigEndian(bytes.Slice At.ProducerId, producerId)
        BinaryPrimitives.WriteInt16BigEndian(bytes.Slice At.ProducerEpoch, producerEpoch)
        BinaryPrimitives.WriteInt32BigEndian(bytes.Slice At.BaseSequence, baseSequence)
        BinaryPrimitives.WriteUInt32BigEndian(bytes.Slice At.Crc, Crc32C.compute (Span.op_Implicit (bytes.Slice At.Attributes)))

    let private stamped (attributes: BatchAttributes) producerId producerEpoch baseSequence (batch: RecordBatch) =
        // A new checksum over damaged content would hide the damage.
        match verify batch with
        | Error fault -> Error fault
        | Ok() ->
            let copy = batch.Span.ToArray()
            stamp attributes producerId producerEpoch baseSequence (copy.AsSpan())
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

    /// The batch as a producer sends it, in a transaction or not: see `withProducer`. It has a header apart, with base offset 0 and leader epoch -1,
    /// and shares the records: nothing is copied, and no record is read. The checksum is combined from the one that the batch has, so a wrong one
    /// stays wrong, and the broker refuses the batch.
    let internal withHeaderApart
        (isTransactional: bool)
        producerId
        producerEpoch
        baseSequence
        (batch: RecordBatch)
        : Result<RecordBatch, Fault> =
        match checkProducer producerId producerEpoch baseSequence with
        | Error fault -> Error fault
        | Ok() ->
            let header = batch.HeaderBytes()
            let crcOf () = Crc32C.compute (ReadOnlySpan<byte>(header, At.Attributes, At.Records - At.Attributes))
            let before = crcOf ()
            BinaryPrimitives.WriteInt64BigEndian(header.AsSpan At.BaseOffset, 0L)
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan At.PartitionLeaderEpoch, -1)
            BinaryPrimitives.WriteInt16BigEndian(header.AsSpan At.Attributes, (batch.Attributes.WithTransactional isTransactional).Bits)
            BinaryPrimitives.WriteInt64BigEndian(header.AsSpan At.ProducerId, producerId)
            BinaryPrimitives.WriteInt16BigEndian(header.AsSpan At.ProducerEpoch, producerEpoch)
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan At.BaseSequence, baseSequence)
            let change = Crc32C.pastZeros (before ^^^ crcOf ()) (batch.SizeInBytes - At.Records)
            BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan At.Crc, batch.Crc ^^^ change)
            Ok(batch.WithHeaderApart header)

    /// The attributes without the bits that mean something only in the source's log. Unassigned bits are preserved, as brokers do it.
    let private forwardedAttributes (batch: RecordBatch) : BatchAttributes =
        batch.Attributes.WithTransactional(false).WithTimestampType(TimestampType.CreateTime).WithDeleteHorizon false

    /// Whether the header allows the batch to be forwarded, and the reason if it does not. The checksum is not verified.
    let forwardingObstacle (batch: RecordBatch) : NotForwardable voption =
        let offsets = int64 batch.LastOffsetDelta + 1L
        let unreadable field at problem = ValueSome(NotForwardable.Unreadable(Fault.ofField field at problem))

        match Compression.known At.Attributes batch.Compression with
        | Error fault -> ValueSome(NotForwardable.Unreadable fault)
        | Ok _ when batch.IsControl -> ValueSome NotForwardable.ControlBatch
        | Ok _ when batch.Count = 0 -> ValueSome NotForwardable.NoRecords
        | Ok _ when batch.Count < 0 -> unreadable "Count" At.Count (Problem.BadRecordCount(batch.Count, 0))
        | Ok _ when int64 batch.Count > offsets -> unreadable "Count" At.Count (Problem.CountTooLarge(int64 batch.Count, offsets))
        | Ok _ when int64 batch.Count < offsets -> ValueSome(NotForwardable.OffsetGaps(batch.Count, offsets))
        | Ok _ -> ValueNone

    let private isForwarded (batch: RecordBatch) : bool =
        batch.BaseOffset = 0L
        && batch.PartitionLeaderEpoch = -1
        && batch.Attributes.Bits = (forwardedAttributes batch).Bits
        && batch.ProducerId = -1L
        && batch.ProducerEpoch = -1s
        && batch.BaseSequence = Sequence.None

    /// A copy of a fetched batch that can be produced to another log, with its records still compressed as they are. It has base offset 0,
    /// leader epoch -1 and no producer's id, epoch and sequence, and it is not transactional: forward the batches of a transaction only
    /// after it has been committed, such as the data of a read-committed fetch. The checksum is verified and written anew. A batch that is
    /// already so is returned as it is.
    ///
    /// Every record has the timestamp from its producer. In a log with LogAppendTime, the broker's time was only in the header, and the
    /// target's broker sets its own if the topic has LogAppendTime. The header's maximum timestamp remains the source's append time,
    /// because the records may be compressed; brokers compute it anew when they append the batch. The delete horizon (KIP-534) becomes an
    /// ordinary base timestamp, so that the target keeps tombstones for as long as its own `delete.retention.ms` says.
    ///
    /// To give each record the source's append time instead, add the records of the batch to a `BatchBuilder`.
    let forForwarding (batch: RecordBatch) : Result<RecordBatch, NotForwardable> =
        match verify batch with
        | Error fault -> Error(NotForwardable.Unreadable fault)
        | Ok() ->
            match forwardingObstacle batch with
            | ValueSome obstacle -> Error obstacle
            | ValueNone when isForwarded batch -> Ok batch
            | ValueNone ->
                let copy = batch.Span.ToArray()
                BinaryPrimitives.WriteInt64BigEndian(copy.AsSpan At.BaseOffset, 0L)
                BinaryPrimitives.WriteInt32BigEndian(copy.AsSpan At.PartitionLeaderEpoch, -1)
                stamp (forwardedAttributes batch) -1L -1s Sequence.None (copy.AsSpan())
                Ok(RecordBatch(copy, 0, copy.Length))

    /// A batch of the same records at consecutive offsets, not compressed.
    let private dense (batch: RecordBatch) (records: BatchRecords) : Result<RecordBatch, Fault> =
        let builder = BatchBuilder BatchOptions.standard

        let added =
            CorruptRecord.asFault (fun () ->
                let mutable records = records.GetEnumerator()
                let mutable fits = true

                while fits && records.MoveNext() do
                    fits <- builder.TryAdd &records.Current

                fits)

        match added with
        | Error fault -> Error fault
        | Ok false -> fail "Records" At.Records (Problem.TooLong(int64 Array.MaxLength + 1L, int64 Array.MaxLength))
        | Ok true ->
            let built = builder.Build()
            let attributes = (forwardedAttributes batch).WithCompression CompressionType.None
            stamp attributes -1L -1s Sequence.None (Span<byte>(built.Buffer, built.Start, built.SizeInBytes))
            Ok built

    let private repacked (reading: Reading) (batch: RecordBatch) : Result<RecordBatch, Fault> =
        // `forForwarding` has verified the checksum.
        openRecords { reading with VerifyChecksum = false } batch
        |> Result.bind (fun records -> dense batch (records.WithCreateTime()))
        |> Result.bind (fun plain ->
            match batch.Compression with
            | CompressionType.None -> Ok plain
            | compression -> Compression.find At.Attributes reading.Codecs compression |> Result.bind (fun codec -> compress codec plain))

    /// Like `forForwarding`, but also for a batch with offset gaps, as compaction leaves it: its records are decompressed, get consecutive
    /// offsets from 0, and are compressed again with the codec of the same type. Keys, values, headers and the producers' timestamps are
    /// preserved. `OffsetGaps` is never the reason why not. If the codec compresses less than the source's did, the batch may become
    /// larger, although it has fewer records.
    let repack (reading: Reading) (batch: RecordBatch) : Result<RecordBatch, NotForwardable> =
        match forForwarding batch with
        | Error(NotForwardable.OffsetGaps _) -> repacked reading batch |> Result.mapError NotForwardable.Unreadable
        | other -> other
