namespace LibKafka.Testing

open System
open System.Buffers.Binary
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol

/// Why a batch is refused.
type internal BatchRefusal =
    {
        Code: ErrorCode
        Records: Produce.RecordError list
        Text: string option
        /// Whether the response has the log start offset: the log itself refused the batch.
        ByLog: bool
    }

/// What a topic demands of batches.
[<NoEquality; NoComparison>]
type internal BatchRules =
    {
        Release: Release
        Codecs: CompressionCodecs
        ProduceVersion: int16
        Now: Moment
        MostBytes: int64
        IsCompacted: bool
        AppendTime: bool
        /// How much earlier and later than now timestamps may be.
        MostBefore: int64
        MostAfter: int64
        /// The format in which the topic keeps records.
        Magic: int8
    }

/// Checks the batches that clients send, as a broker does, and sets what the broker decides.
[<RequireQualifiedAccess>]
module internal Batches =

    // Positions in a batch.
    [<Literal>]
    let private MagicAt = 16

    [<Literal>]
    let private CrcAt = 17

    [<Literal>]
    let private AttributesAt = 21

    [<Literal>]
    let private MaxTimestampAt = 35

    let private refusal (code: ErrorCode) = { Code = code; Records = []; Text = None; ByLog = false }

    let private refuse (code: ErrorCode) : Result<'T, BatchRefusal> = Error(refusal code)

    let private refuseWith (code: ErrorCode) (text: string) : Result<'T, BatchRefusal> = Error { refusal code with Text = Some text }

    let private refuseByLog (code: ErrorCode) : Result<'T, BatchRefusal> = Error { refusal code with ByLog = true }

    let private malformed (rules: BatchRules) : ErrorCode =
        if rules.Release.IsAtLeast(2, 4) then ErrorCode.InvalidRecord else ErrorCode.CorruptMessage

    /// The fewest bytes that the length field of a batch of any format may say.
    [<Literal>]
    let private LeastLength = 14

    /// Whether there is one batch of the current format, and no other after it.
    let isSingle (records: Bytes) : bool =
        match RecordSet.split records |> Seq.truncate 2 |> List.ofSeq with
        | RecordSetItem.Batch _ :: ([] | [ RecordSetItem.CutOff _ ]) -> true
        | _ -> false

    /// The single batch of a request's records.
    let private single (rules: BatchRules) (records: Bytes) : Result<RecordBatch, BatchRefusal> =
        let items = RecordSet.split records |> Seq.truncate 2 |> List.ofSeq
        let length = if records.Length < 12 then 0 else BinaryPrimitives.ReadInt32BigEndian(records.Span.Slice 8)

        match items with
        | RecordSetItem.Batch(batch, _) :: ([] | [ RecordSetItem.CutOff _ ]) -> Ok batch
        | RecordSetItem.Corrupt _ :: _ when records.Length >= 12 && length < LeastLength ->
            refuseWith
                ErrorCode.CorruptMessage
                ("Record size " + string length + " is less than the minimum record overhead (" + string LeastLength + ")")
        | RecordSetItem.Corrupt _ :: _ when records.Length > MagicAt && records.Span[MagicAt] > 2uy ->
            refuseWith ErrorCode.CorruptMessage ("Invalid magic found in record: " + string records.Span[MagicAt])
        | RecordSetItem.Corrupt { Fault = { Problem = Problem.OutOfRange _ } } :: _ -> refuseByLog (malformed rules)
        | RecordSetItem.Batch(_, _) :: RecordSetItem.Corrupt _ :: _ -> refuse ErrorCode.CorruptMessage
        | _ -> refuse (malformed rules)

    /// The checks that need no look at the records.
    let private checkHeader (rules: BatchRules) (batch: RecordBatch) : Result<RecordBatch, BatchRefusal> =
        let isOld = rules.ProduceVersion < Produce.zstdSince

        if int batch.Compression >= int CompressionType.Zstd && not (rules.Release.IsAtLeast(2, 1)) then
            refuseByLog ErrorCode.UnknownServerError
        elif batch.Compression = CompressionType.Zstd && isOld then
            refuse ErrorCode.UnsupportedCompressionType
        elif batch.BaseOffset <> 0L then
            refuse (malformed rules)
        elif int64 batch.SizeInBytes > rules.MostBytes then
            refuse ErrorCode.MessageTooLarge
        elif RecordBatch.verify batch |> Result.isError then
            refuse ErrorCode.CorruptMessage
        elif int batch.Compression > int CompressionType.Zstd then
            // Old versions look the codec up to refuse zstd; else the log does.
            if isOld then refuse ErrorCode.UnknownServerError else refuseByLog ErrorCode.UnknownServerError
        elif rules.Magic < 2y && (batch.ProducerId >= 0L || batch.IsTransactional) then
            refuseByLog ErrorCode.UnsupportedForMessageFormat
        elif batch.IsControl then
            refuseByLog ErrorCode.InvalidRecord
        elif batch.ProducerId >= 0L && batch.BaseSequence < 0 then
            refuseByLog (malformed rules)
        elif batch.Count <= 0 || (batch.Count <> batch.LastOffsetDelta + 1 && rules.Release.IsAtLeast(2, 0)) then
            refuseByLog (malformed rules)
        else
            Ok batch

    let private lengthOf (bytes: NullableSpan) : string = if bytes.IsNull then "-1" else string bytes.Length

    let private timestampFault
        (rules: BatchRules)
        (isCompressed: bool)
        (isAppendTime: bool)
        (index: int)
        (record: inref<Record>)
        : string voption =
        let timestamp = record.Timestamp

        if not rules.AppendTime && timestamp <> -1L && (rules.Release.IsAtLeast(3, 6) || not isAppendTime) then
            if rules.Now - timestamp > rules.MostBefore || timestamp - rules.Now > rules.MostAfter then
                ValueSome(
                    "Timestamp "
                    + string timestamp
                    + " of message with offset "
                    + string index
                    + " is out of range. The timestamp should be within ["
                    + string (rules.Now - min rules.MostBefore rules.Now)
                    + ", "
                    + string (if rules.MostAfter > Int64.MaxValue - rules.Now then Int64.MaxValue else rules.Now + rules.MostAfter)
                    + "]"
                )
            else
                ValueNone
        elif isAppendTime then
            ValueSome(
                "Invalid timestamp type in message "
                + (if isCompressed then "PartialDefaultRecord" else "DefaultRecord")
                + "(offset="
                + string index
                + ", timestamp="
                + string timestamp
                + ", key="
                + lengthOf record.Key
                + " bytes, value="
                + lengthOf record.Value
                + " bytes). Producer should not set timestamp type to LogAppendTime."
            )
        else
            ValueNone

    /// What the records of a batch have to say.
    [<NoEquality; NoComparison>]
    type private Findings = { MaxTimestamp: int64; Keyless: int list; BadTimestamps: (struct (int * string)) list; HasHeaders: bool }

    /// The records whose timestamps the topic refuses.
    let private badTimestamps (rules: BatchRules) (batch: RecordBatch) (records: BatchRecords) : (struct (int * string)) list =
        let isCompressed = batch.Compression <> CompressionType.None
        let isAppendTime = batch.TimestampType = TimestampType.LogAppendTime
        let mutable found = []
        let mutable index = 0
        let mutable each = records.GetEnumerator()

        while each.MoveNext() do
            match timestampFault rules isCompressed isAppendTime index &each.Current with
            | ValueSome text -> found <- struct (index, text) :: found
            | ValueNone -> ()

            index <- index + 1

        List.rev found

    /// Reads all records. It throws `CorruptRecordException` if one cannot be read.
    let private inspect (rules: BatchRules) (batch: RecordBatch) (records: BatchRecords) : Findings =
        let records = records.WithCreateTime()
        let mutable least = rules.Now
        let mutable most = -1L
        let mutable index = 0
        let mutable keyless = []
        let mutable hasHeaders = false
        let mutable each = records.GetEnumerator()

        while each.MoveNext() do
            let record = &each.Current
            let timestamp = record.Timestamp
            if timestamp > most then most <- timestamp
            if timestamp < least && timestamp <> -1L then least <- timestamp
            if rules.IsCompacted && not record.HasKey then keyless <- index :: keyless
            if rules.Magic < 2y && record.Headers.Count > 0 then hasHeaders <- true
            index <- index + 1

        let isSuspect =
            batch.TimestampType = TimestampType.LogAppendTime
            || rules.Now - least > rules.MostBefore
            || most - rules.Now > rules.MostAfter

        { MaxTimestamp = most
          Keyless = List.rev keyless
          BadTimestamps = (if isSuspect then badTimestamps rules batch records else [])
          HasHeaders = hasHeaders }

    let private recordError index text : Produce.RecordError = { BatchIndex = index; Message = Some text }

    let private keylessRefusal (rules: BatchRules) (place: string) (indexes: int list) : BatchRefusal =
        let text = "Compacted topic cannot accept message without key in topic partition " + place

        let shown =
            indexes
            |> List.truncate 3
            |> List.map (fun index -> "RecordError(batchIndex=" + string index + ", message='" + text + "')")
            |> String.concat ", "

        { Code = (if rules.Release.IsAtLeast(2, 4) then ErrorCode.InvalidRecord else ErrorCode.CorruptMessage)
          Records = indexes |> List.map (fun index -> recordError index text)
          Text =
            Some(
                "One or more records have been rejected due to "
                + string indexes.Length
                + " record errors in total, and only showing the first three errors at most: ["
                + shown
                + "]"
            )
          ByLog = true }

    let private timestampRefusal (late: (struct (int * string)) list) : BatchRefusal =
        { Code = ErrorCode.InvalidTimestamp
          Records = late |> List.map (fun (struct (index, text)) -> recordError index text)
          Text = Some "One or more records have been rejected due to invalid timestamp"
          ByLog = true }

    let private judge (rules: BatchRules) (place: string) (found: Findings) : Result<Findings, BatchRefusal> =
        // An old format has no headers, and the broker fails.
        if found.HasHeaders then Error { refusal ErrorCode.UnknownServerError with ByLog = true }
        elif not found.Keyless.IsEmpty then Error(keylessRefusal rules place found.Keyless)
        elif not found.BadTimestamps.IsEmpty then Error(timestampRefusal found.BadTimestamps)
        else Ok found

    /// Sets the attributes and the maximum timestamp, and the checksum with them.
    let private stamped (attributes: BatchAttributes) (maxTimestamp: int64) (batch: RecordBatch) : RecordBatch =
        if batch.Attributes.Bits = attributes.Bits && batch.MaxTimestamp = maxTimestamp then
            batch
        else
            let bytes = batch.Bytes.ToArray()
            BinaryPrimitives.WriteInt16BigEndian(bytes.AsSpan AttributesAt, attributes.Bits)
            BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan MaxTimestampAt, maxTimestamp)
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan CrcAt, Crc32C.compute (ReadOnlySpan<byte>(bytes).Slice AttributesAt))

            match RecordBatch.ofBytes (Bytes bytes) with
            | Ok stamped -> stamped
            | Error _ -> batch

    let private timed (rules: BatchRules) (found: Findings) (batch: RecordBatch) : RecordBatch =
        if rules.AppendTime then
            stamped (batch.Attributes.WithTimestampType TimestampType.LogAppendTime) rules.Now batch
        else
            stamped (batch.Attributes.WithTimestampType TimestampType.CreateTime) found.MaxTimestamp batch

    let private checkRecords (rules: BatchRules) (place: string) (batch: RecordBatch) : Result<RecordBatch, BatchRefusal> =
        let reading =
            { Reading.withCodecs rules.Codecs with
                VerifyChecksum = false
                Limits = { Limits.standard with MaxDecompressedBytes = Int32.MaxValue } }

        if batch.Compression <> CompressionType.None && isNull (rules.Codecs.Find batch.Compression) then
            // Without a codec the records cannot be looked at.
            Ok(timed rules { MaxTimestamp = batch.MaxTimestamp; Keyless = []; BadTimestamps = []; HasHeaders = false } batch)
        else
            match RecordBatch.openRecords reading batch with
            | Error { Problem = Problem.CodecFailed _ } -> refuseByLog ErrorCode.UnknownServerError
            | Error _ -> refuseByLog (malformed rules)
            | Ok records ->
                try
                    inspect rules batch records |> judge rules place |> Result.map (fun found -> timed rules found batch)
                with :? CorruptRecordException ->
                    refuseByLog (malformed rules)

    /// The batch as the log keeps it, without its offset. `place` is the name of the partition.
    let check (rules: BatchRules) (place: string) (records: Bytes) : Result<RecordBatch, BatchRefusal> =
        let isOldSet = records.Length > MagicAt && records.Span[MagicAt] < 2uy && rules.ProduceVersion < Produce.batchesSince

        let batch =
            if isOldSet then
                match LegacyWriter.read rules.Codecs records with
                | Some batch -> Ok batch
                | None -> refuse ErrorCode.CorruptMessage
            else
                single rules records

        batch |> Result.bind (checkHeader rules) |> Result.bind (checkRecords rules place)
