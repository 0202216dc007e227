namespace LibKafka.Records

open System
open System.Buffers.Binary
open LibKafka.Wire

/// Taking record batches from bytes and from records, opening them, and packing and unpacking them.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module RecordBatch =

    let private fail (offset: int) (problem: Problem) : Result<'T, Fault> = Error(Fault.at offset problem)
    let private failAt (path: string) (offset: int) (problem: Problem) : Result<'T, Fault> =
        Error { Problem = problem; Offset = offset; Path = path }

    /// The bytes of exactly one batch, not copied. What is checked is that they are complete, that the format is 2, and that the
    /// batch's offsets go upwards and not beyond 2^63 - 2; the rest when it is opened.
    let ofBytes (bytes: Bytes) : Result<RecordBatch, Fault> =
        let span = bytes.Span

        if span.Length <= At.Magic then
            fail 0 (Problem.Truncated(int64 At.Records, span.Length))
        elif span[At.Magic] <> 2uy then
            fail At.Magic (Problem.BadMagic(int8 span[At.Magic]))
        else
            let length = BinaryPrimitives.ReadInt32BigEndian(span.Slice At.Length)
            let size = int64 length + int64 At.Counted

            if size < int64 At.Records then
                fail At.Length (Problem.BadBatchLength length)
            elif size > int64 span.Length then
                fail 0 (Problem.Truncated(size, span.Length))
            elif size < int64 span.Length then
                fail (int size) (Problem.TrailingBytes(span.Length - int size))
            else
                let baseOffset = BinaryPrimitives.ReadInt64BigEndian span
                let lastOffsetDelta = BinaryPrimitives.ReadInt32BigEndian(span.Slice At.LastOffsetDelta)

                if lastOffsetDelta < 0 then
                    failAt "LastOffsetDelta" At.LastOffsetDelta (Problem.OutOfRange(int64 lastOffsetDelta, 0L, int64 Int32.MaxValue))
                elif baseOffset >= Int64.MaxValue - int64 lastOffsetDelta then
                    let highest = Int64.MaxValue - 1L - int64 lastOffsetDelta
                    failAt "BaseOffset" At.BaseOffset (Problem.OutOfRange(baseOffset, Int64.MinValue, highest))
                else
                    let segment = Bytes.segment bytes

                    match segment.Array with
                    | null -> fail 0 (Problem.Truncated(int64 At.Records, 0))
                    | array -> Ok(RecordBatch(array, segment.Offset, segment.Count))

    /// Whether the checksum is right.
    let verify (batch: RecordBatch) : Result<unit, Fault> =
        let computed = batch.ComputedCrc
        if computed = batch.Crc then Ok() else fail At.Crc (Problem.BadCrc(batch.Crc, computed))

    /// The fewest bytes that a record takes: seven fields of one byte.
    [<Literal>]
    let private LeastRecord = 7

    let private checkCount (limits: Limits) (batch: RecordBatch) (recordBytes: int) : Result<unit, Fault> =
        let count = batch.Count
        let most = min limits.MaxRecords (recordBytes / LeastRecord)

        if count < 0 then fail At.Count (Problem.BadRecordCount(count, 0))
        elif count > most then fail At.Count (Problem.CountTooLarge(int64 count, int64 most))
        else Ok()

    let private view (batch: RecordBatch) (buffer: byte[]) (origin: int) (start: int) (finish: int) : RecordView =
        RecordView
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
                    ValueNone }

    /// Writes the batch's header, with another compression, before the records that stand behind it in the buffer.
    let private reheaded (batch: RecordBatch) (compression: CompressionType) (buffer: CodecBuffer) : RecordBatch =
        let bytes = buffer.Array.AsSpan(0, buffer.Length)
        batch.Span.Slice(0, At.Records).CopyTo bytes
        BinaryPrimitives.WriteInt32BigEndian(bytes.Slice At.Length, bytes.Length - At.Counted)
        BinaryPrimitives.WriteInt16BigEndian(bytes.Slice At.Attributes, (batch.Attributes.WithCompression compression).Bits)
        BinaryPrimitives.WriteUInt32BigEndian(bytes.Slice At.Crc, Crc32C.compute (Span.op_Implicit (bytes.Slice At.Attributes)))
        RecordBatch(buffer.Array, 0, bytes.Length)

    /// Unpacks the records into the buffer, behind `prefix` bytes.
    let private unpack
        (buffer: CodecBuffer)
        (limits: Limits)
        (codecs: Codecs)
        (batch: RecordBatch)
        (prefix: int)
        (compression: CompressionType)
        : Result<unit, Fault> =
        match Compression.find At.Attributes codecs compression with
        | Error fault -> Error fault
        | Ok codec -> Compression.decompress codec limits.MaxDecompressedBytes prefix batch.Payload.Memory buffer

    /// What every path to the records begins with: an existing codec and, where that is asked, the right checksum.
    let private admit (checksum: bool) (batch: RecordBatch) : Result<CompressionType, Fault> =
        match if checksum then verify batch else Ok() with
        | Ok() -> Compression.known At.Attributes batch.Compression
        | Error fault -> Error fault

    let private openIn
        (checksum: bool)
        (buffer: CodecBuffer)
        (limits: Limits)
        (codecs: Codecs)
        (batch: RecordBatch)
        : Result<RecordView, Fault> =
        let payload = batch.SizeInBytes - At.Records

        match admit checksum batch with
        | Error fault -> Error fault
        // A batch that compaction has emptied keeps its codec and has nothing to unpack.
        | Ok compression when compression = CompressionType.None || payload = 0 ->
            let first = batch.Start + At.Records

            checkCount limits batch payload |> Result.map (fun () -> view batch batch.Buffer batch.Start first (first + payload))
        | Ok compression ->
            // How many the unpacked bytes can hold is not known yet; what no bytes could hold need not be unpacked.
            checkCount limits batch Int32.MaxValue
            |> Result.bind (fun () -> unpack buffer limits codecs batch 0 compression)
            |> Result.bind (fun () -> checkCount limits batch buffer.Length)
            |> Result.map (fun () -> view batch buffer.Array 0 0 buffer.Length)

    /// Opens a batch for reading its records: checks the checksum, the codec and that the count is possible, and decompresses where
    /// need be. The records themselves are read, and checked, one by one as they are iterated.
    ///
    /// Faults: `BadCrc`, `UnknownCodec`, `CodecMissing`, `CodecFailed`, `DecompressedTooLarge`, `BadRecordCount` (negative),
    /// `CountTooLarge`. Faults of records count their offsets from the start of the batch, or of the decompressed records where it is
    /// compressed.
    let openRecords (limits: Limits) (codecs: Codecs) (batch: RecordBatch) : Result<RecordView, Fault> =
        openIn true (CodecBuffer()) limits codecs batch

    /// The same with the records of a compressed batch in memory that the caller keeps: they are good until it is used for another.
    let openRecordsIn (buffer: CodecBuffer) (limits: Limits) (codecs: Codecs) (batch: RecordBatch) : Result<RecordView, Fault> =
        openIn true buffer limits codecs batch

    /// The same without looking at the checksum: for a batch whose checksum has been verified, or that does not leave the process.
    let openVerifiedIn (buffer: CodecBuffer) (limits: Limits) (codecs: Codecs) (batch: RecordBatch) : Result<RecordView, Fault> =
        openIn false buffer limits codecs batch

    /// Opens the batch and folds over its records in order, with every fault as a value; the record given to the folder is good for
    /// that call only.
    let fold
        (folder: 'State -> Record -> 'State)
        (initial: 'State)
        (limits: Limits)
        (codecs: Codecs)
        (batch: RecordBatch)
        : Result<'State, Fault> =
        openRecords limits codecs batch |> Result.bind (RecordView.fold folder initial)

    /// Opens the batch and copies its records, in order, with every fault as a value.
    let toList (limits: Limits) (codecs: Codecs) (batch: RecordBatch) : Result<RecordData list, Fault> =
        openRecords limits codecs batch |> Result.bind RecordView.toList

    /// Packs a batch's records in memory that the caller keeps: the batch is good until that is used for another.
    let compressIn (buffer: CodecBuffer) (codec: ICompressionCodec) (batch: RecordBatch) : Result<RecordBatch, Fault> =
        match codec.Type with
        | CompressionType.Gzip
        | CompressionType.Snappy
        | CompressionType.Lz4
        | CompressionType.Zstd ->
            // A wrong checksum must not be made right by computing another.
            match admit true batch with
            | Error fault -> Error fault
            | Ok CompressionType.None ->
                Compression.compress codec At.Records batch.Payload.Memory buffer
                |> Result.map (fun () -> reheaded batch codec.Type buffer)
            | Ok compression -> fail At.Attributes (Problem.AlreadyCompressed(CompressionType.name compression))
        | other -> fail At.Attributes (Problem.UnknownCodec(int other))

    /// The batch with its records packed. All other attribute bits and header fields stay. Faults: `AlreadyCompressed`,
    /// `UnknownCodec`, `CodecFailed`, and `BadCrc`, since a new checksum over damaged content would hide the damage.
    let compress (codec: ICompressionCodec) (batch: RecordBatch) : Result<RecordBatch, Fault> = compressIn (CodecBuffer()) codec batch

    /// Unpacks a batch's records in memory that the caller keeps: the batch is good until that is used for another. One that is not
    /// compressed is given back as it is.
    let decompressIn (buffer: CodecBuffer) (codecs: Codecs) (limits: Limits) (batch: RecordBatch) : Result<RecordBatch, Fault> =
        match admit true batch with
        | Error fault -> Error fault
        | Ok CompressionType.None -> Ok batch
        // Nothing was packed, so there is nothing to unpack.
        | Ok _ when batch.SizeInBytes = At.Records ->
            buffer.Start(At.Records, Problem.DecompressedTooLarge 0L)
            buffer.Skip At.Records
            Ok(reheaded batch CompressionType.None buffer)
        | Ok compression ->
            unpack buffer limits codecs batch At.Records compression
            |> Result.map (fun () -> reheaded batch CompressionType.None buffer)

    /// The batch with its records unpacked. All other attribute bits and header fields stay. One that is not compressed is given back
    /// as it is. Faults: `BadCrc`, `UnknownCodec`, `CodecMissing`, `CodecFailed`, `DecompressedTooLarge`.
    let decompress (codecs: Codecs) (limits: Limits) (batch: RecordBatch) : Result<RecordBatch, Fault> =
        decompressIn (CodecBuffer()) codecs limits batch

    let private stamped
        (attributes: BatchAttributes)
        (producerId: int64)
        (producerEpoch: int16)
        (baseSequence: int32)
        (batch: RecordBatch)
        =
        // A wrong checksum must not be made right by computing another.
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
            failAt "ProducerId" At.ProducerId (Problem.OutOfRange(producerId, 0L, Int64.MaxValue))
        elif producerEpoch < 0s then
            failAt "ProducerEpoch" At.ProducerEpoch (Problem.OutOfRange(int64 producerEpoch, 0L, int64 Int16.MaxValue))
        elif baseSequence < 0 then
            failAt "BaseSequence" At.BaseSequence (Problem.OutOfRange(int64 baseSequence, 0L, int64 Int32.MaxValue))
        else
            Ok()

    /// A copy of the batch as an idempotent producer sends it outside a transaction (KIP-98), whoever sent it before: with the producer's
    /// id and epoch and the sequence of the first record, and not transactional. Records and compression stay as they are.
    /// Faults: `OutOfRange` for a negative number, and `BadCrc`, since a new checksum over damaged content would hide the damage.
    let withProducer (producerId: int64) (producerEpoch: int16) (baseSequence: int32) (batch: RecordBatch) : Result<RecordBatch, Fault> =
        checkProducer producerId producerEpoch baseSequence
        |> Result.bind (fun () -> stamped (batch.Attributes.WithTransactional false) producerId producerEpoch baseSequence batch)

    /// The same as part of a transaction.
    let withTransactionalProducer producerId producerEpoch baseSequence (batch: RecordBatch) : Result<RecordBatch, Fault> =
        checkProducer producerId producerEpoch baseSequence
        |> Result.bind (fun () -> stamped (batch.Attributes.WithTransactional true) producerId producerEpoch baseSequence batch)

    /// A copy of the batch without a producer's id, epoch and sequence, and not transactional: as a batch that was fetched and is to go
    /// into another log, where its producer has no sequences. Fault: `BadCrc`.
    let withoutProducer (batch: RecordBatch) : Result<RecordBatch, Fault> =
        stamped (batch.Attributes.WithTransactional false) -1L -1s Sequence.None batch

    /// Adds records in turn, each at its own offset, giving the last offset delta.
    let rec private addAll
        (builder: BatchBuilder)
        (baseOffset: int64)
        (before: int64)
        (index: int)
        (records: RecordData list)
        : Result<int64, Fault> =
        match records with
        | [] -> Ok before
        | record :: rest ->
            let fail field problem = failAt ("Records[" + string index + "]" + field) builder.SizeInBytes problem

            let highest = BatchOptions.farthest baseOffset
            let delta = record.Offset - baseOffset

            if record.Offset < 0L || delta <= before || record.Offset > highest then
                fail "/Offset" (Problem.OutOfRange(record.Offset, baseOffset + before + 1L, highest))
            elif
                builder.AppendAt(
                    int delta,
                    record.Timestamp,
                    record.Key,
                    record.Value,
                    ReadOnlySpan<RecordHeader>(List.toArray record.Headers)
                )
                    <
                    0
            then
                fail "" (Problem.TooLong(int64 Array.MaxLength + 1L, int64 Array.MaxLength))
            else
                addAll builder baseOffset delta (index + 1) rest

    /// The batch of records that know their offsets, which must go upwards from the base offset on and may leave gaps.
    ///
    /// With `BatchOptions.ofHeader` and the records of a batch that is not compressed it gives the same bytes again; where that batch
    /// says LogAppendTime, take its records with `RecordView.WithCreateTime`. Faults: `OutOfRange` for an offset that does not lie
    /// behind the one before it or fit into the batch, for a batch without records whose last offset is not given, and for a producer
    /// id, epoch or sequence below -1; `TooLong` for one that no array can hold.
    let ofRecords (options: BatchOptions) (records: RecordData list) : Result<RecordBatch, Fault> =
        let build () =
            // The builder leaves room for more records than there may be here.
            let builder = BatchBuilder({ options with BaseOffset = 0L; LastOffset = ValueNone })

            addAll builder options.BaseOffset -1L 0 records
            |> Result.bind (fun lastRecord ->
                let last = ValueOption.defaultValue (options.BaseOffset + lastRecord) options.LastOffset
                let lowest = options.BaseOffset + max 0L lastRecord

                if last < lowest then
                    failAt "LastOffset" At.LastOffsetDelta (Problem.OutOfRange(last, lowest, BatchOptions.farthest options.BaseOffset))
                else
                    Ok(builder.Finish(options, int (last - options.BaseOffset))))

        BatchOptions.check BatchOptions.LastPossibleOffset options |> Result.bind build
