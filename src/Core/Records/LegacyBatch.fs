namespace LibKafka.Records

open System
open System.Buffers
open System.Buffers.Binary
open System.Runtime.InteropServices
open LibKafka.Wire

/// Where the fields of a message are, in bytes from the start of its offset.
[<RequireQualifiedAccess>]
module internal LegacyAt =

    /// The checksum covers everything behind it.
    [<Literal>]
    let Crc = 12

    [<Literal>]
    let Magic = 16

    [<Literal>]
    let Attributes = 17

    /// At magic 1 only.
    [<Literal>]
    let Timestamp = 18

    /// Where the key's length is, and behind it the key, the value's length and the value.
    let key (magic: int8) = if magic = 0y then 18 else 26

    /// The fewest bytes that a message takes.
    let least (magic: int8) = key magic + 8

/// One message of the formats before Kafka 0.11, magic 0 and 1: a record, or, where it is compressed, all the records that stand in it as
/// messages. Such messages are read and not written here. It does not change and is compared by content. Only its shape has been checked:
/// whether the checksum is right and the records are well-formed shows when they are opened.
/// Source: Kafka documentation, section "Old Message Format"; KIP-31 (relative offsets) and KIP-32 (timestamps).
[<Sealed>]
type LegacyBatch internal (bytes: Bytes) =

    /// All of the bytes, its offset and length included.
    member _.Bytes = bytes

    /// How many bytes there are.
    member _.SizeInBytes = bytes.Length

    /// The format: 0 or 1.
    member _.Magic = int8 bytes.Span[LegacyAt.Magic]

    /// The record's offset; of a compressed message, the offset of the last record in it. Where the first one is shows when it is opened.
    member _.LastOffset = BinaryPrimitives.ReadInt64BigEndian bytes.Span

    /// The offset to fetch from to get what comes behind.
    member this.NextOffset = this.LastOffset + 1L

    /// The checksum that stands in the message, right or wrong: CRC-32.
    member _.Crc = BinaryPrimitives.ReadUInt32BigEndian(bytes.Span.Slice LegacyAt.Crc)

    /// The checksum of the message's content.
    member internal _.ComputedCrc = Crc32.compute (bytes.Span.Slice LegacyAt.Magic)

    /// The attributes as a record batch would have them. At magic 0 only the compression has a meaning.
    member private this.Attributes =
        BatchAttributes(int16 bytes.Span[LegacyAt.Attributes] &&& (if this.Magic = 0y then 0x07s else 0x0Fs))

    /// How the records are compressed. A code that has no meaning stays itself.
    member this.Compression = this.Attributes.Compression

    /// What the records' timestamps mean. At magic 0 there are none.
    member this.TimestampType = this.Attributes.TimestampType

    /// Milliseconds since 1970-01-01 UTC: the record's timestamp, the largest timestamp of the records in a compressed message, or the
    /// time at which the broker appended them where the type is LogAppendTime. -1 at magic 0, which has no timestamps.
    member this.Timestamp =
        if this.Magic = 0y then
            -1L
        else
            BinaryPrimitives.ReadInt64BigEndian(bytes.Span.Slice LegacyAt.Timestamp)

    interface IEquatable<LegacyBatch> with
        member _.Equals other =
            match other with
            | null -> false
            | batch -> bytes = batch.Bytes

    override _.Equals other =
        match other with
        | :? LegacyBatch as batch -> bytes = batch.Bytes
        | _ -> false

    override _.GetHashCode() = bytes.GetHashCode()

    /// As in `offset 9, magic 1, gzip, CreateTime, 345 bytes`; at magic 0 without a meaning of timestamps.
    override this.ToString() =
        "offset "
        + string this.LastOffset
        + ", magic "
        + string this.Magic
        + ", "
        + (if this.Magic = 0y then CompressionType.name this.Compression else this.Attributes.ToString())
        + ", "
        + string bytes.Length
        + " bytes"

/// Where one message is among the bytes of several, and its key and value in it; a length of -1 is null.
[<Struct; NoEquality; NoComparison>]
type internal LegacyParts = { Size: int; KeyStart: int; KeyLength: int; ValueStart: int; ValueLength: int }

/// Taking messages of magic 0 and 1 from bytes, and opening them.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module LegacyBatch =

    let private fail (offset: int) (problem: Problem) : Result<'T, Fault> = Error(Fault.at offset problem)

    let private int32At (span: ReadOnlySpan<byte>) (at: int) = BinaryPrimitives.ReadInt32BigEndian(span.Slice at)
    let private int64At (span: ReadOnlySpan<byte>) (at: int) = BinaryPrimitives.ReadInt64BigEndian(span.Slice at)

    /// The bytes of exactly one message, not copied. What is checked is that they are complete, that the format is 0 or 1, and that the
    /// offset is not beyond 2^63 - 2; the rest when it is opened.
    let ofBytes (bytes: Bytes) : Result<LegacyBatch, Fault> =
        let span = bytes.Span

        if span.Length <= LegacyAt.Magic then
            fail 0 (Problem.Truncated(int64 (LegacyAt.least 0y), span.Length))
        elif span[LegacyAt.Magic] > 1uy then
            fail LegacyAt.Magic (Problem.BadMagic(int8 span[LegacyAt.Magic]))
        else
            let length = int32At span At.Length
            let size = int64 length + int64 At.Counted

            if size < int64 (LegacyAt.least (int8 span[LegacyAt.Magic])) then
                fail At.Length (Problem.BadBatchLength length)
            elif size > int64 span.Length then
                fail 0 (Problem.Truncated(size, span.Length))
            elif size < int64 span.Length then
                fail (int size) (Problem.TrailingBytes(span.Length - int size))
            elif int64At span 0 = Int64.MaxValue then
                Error
                    { Problem = Problem.OutOfRange(Int64.MaxValue, Int64.MinValue, Int64.MaxValue - 1L)
                      Offset = At.BaseOffset
                      Path = "Offset" }
            else
                Ok(LegacyBatch bytes)

    /// Whether the checksum is right. (That of a compressed message: each message in it has one too, which is checked when it is opened.)
    let verify (batch: LegacyBatch) : Result<unit, Fault> =
        let computed = batch.ComputedCrc
        if computed = batch.Crc then Ok() else fail LegacyAt.Crc (Problem.BadCrc(batch.Crc, computed))

    /// A nullable run of bytes: where it begins and, as the result, its length or -1.
    let private run (span: ReadOnlySpan<byte>) (at: int) (start: byref<int>) : int =
        let left = span.Length - at - 4
        if left < 0 then Fault.raise' (Problem.Truncated(4L, span.Length - at)) at
        let length = int32At span at
        if length < -1 then Fault.raise' (Problem.NegativeLength(int64 length)) at
        if length > left then Fault.raise' (Problem.Truncated(int64 length, left)) at
        start <- at + 4
        length

    /// Takes apart the message of a format that begins at a place.
    let private parts (magic: int8) (span: ReadOnlySpan<byte>) (at: int) : LegacyParts =
        let left = span.Length - at
        let least = LegacyAt.least magic

        if left <= LegacyAt.Magic then
            Fault.raise' (Problem.Truncated(int64 least, left)) at

        if int8 span[at + LegacyAt.Magic] <> magic then
            Fault.raise' (Problem.BadMagic(int8 span[at + LegacyAt.Magic])) (at + LegacyAt.Magic)

        let length = int32At span (at + At.Length)
        if length < least - At.Counted then
            Fault.raise' (Problem.BadBatchLength length) (at + At.Length)

        if length > left - At.Counted then
            Fault.raise' (Problem.Truncated(int64 length, left - At.Counted)) (at + At.Length)

        let finish = at + At.Counted + length
        let message = span.Slice(0, finish)
        let mutable keyStart = 0
        let keyLength = run message (at + LegacyAt.key magic) &keyStart
        let mutable valueStart = 0
        let valueLength = run message (keyStart + max 0 keyLength) &valueStart
        let actual = valueStart + max 0 valueLength

        if actual <> finish then
            Fault.raise' (Problem.BadRecordLength(int64 length, int64 (actual - at - At.Counted))) (at + At.Length)

        { Size = finish - at; KeyStart = keyStart; KeyLength = keyLength; ValueStart = valueStart; ValueLength = valueLength }

    /// What is wrong with one of several messages, the path naming which.
    let private inRecord (index: int) (fault: FaultException) : Result<'T, Fault> =
        Error { Problem = fault.Problem; Offset = fault.Offset; Path = "Records[" + string index + "]" }

    /// Checks messages, of which the first one's offset is `first`; gives how many there are and the last one's offset. Those that were
    /// unpacked from another may not be compressed and have checksums that nobody has looked at yet.
    let private check (limits: Limits) (magic: int8) (unpacked: bool) (messages: byte[]) (size: int) : Result<struct (int * int64), Fault> =
        let span = ReadOnlySpan<byte>(messages, 0, size)
        let mutable count = 0
        let mutable last = 0L
        let mutable at = 0

        try
            while at < size || count = 0 do
                if count >= limits.MaxRecords then
                    Fault.raise' (Problem.CountTooLarge(int64 count + 1L, int64 limits.MaxRecords)) at

                let found = parts magic span at

                if unpacked then
                    let compression: CompressionType = enum (int span[at + LegacyAt.Attributes] &&& 0x07)

                    if compression <> CompressionType.None then
                        Fault.raise' (Problem.NestedCompression(CompressionType.name compression)) (at + LegacyAt.Attributes)

                    let stored = BinaryPrimitives.ReadUInt32BigEndian(span.Slice(at + LegacyAt.Crc))
                    let computed = Crc32.compute (span.Slice(at + LegacyAt.Magic, found.Size - LegacyAt.Magic))
                    if stored <> computed then
                        Fault.raise' (Problem.BadCrc(stored, computed)) (at + LegacyAt.Crc)

                last <- int64At span at
                let delta = last - int64At span 0

                if int64 (int delta) <> delta then
                    Fault.raise' (Problem.OutOfRange(delta, int64 Int32.MinValue, int64 Int32.MaxValue)) at

                count <- count + 1
                at <- at + found.Size

            Ok(struct (count, last))
        with :? FaultException as fault ->
            inRecord count fault

    /// Writes messages that have been checked as records of the current format, in place: there a record takes fewer bytes,
    /// and its key and its value begin earlier in it, so what is yet to be read is never written over. Gives how many bytes they take.
    let private rewrite (magic: int8) (messages: byte[]) (size: int) : int =
        let span = Span<byte>(messages, 0, size)
        let origin = &MemoryMarshal.GetArrayDataReference messages
        let offset = int64At (Span.op_Implicit span) 0
        let timestampAt (at: int) = if magic = 0y then -1L else int64At (ReadOnlySpan<byte> messages) (at + LegacyAt.Timestamp)
        let timestamp = timestampAt 0
        let mutable into = 0
        let mutable at = 0

        while at < size do
            let found = parts magic (Span.op_Implicit span) at
            let offsetDelta = Varint.zigZag64 (int64At (Span.op_Implicit span) at - offset)
            let timestampDelta = Varint.zigZag64 (timestampAt at - timestamp)
            let keyLength = Varint.zigZag64 (int64 found.KeyLength)
            let valueLength = Varint.zigZag64 (int64 found.ValueLength)

            let body =
                1
                + Varint.size64 timestampDelta
                + Varint.size64 offsetDelta
                + Varint.size64 keyLength
                + max 0 found.KeyLength
                + Varint.size64 valueLength
                + max 0 found.ValueLength
                + 1

            let mutable next = Put.varintCall &origin (nativeint into) (Varint.zigZag64 (int64 body))
            // The attributes, of which none has a meaning.
            span[int next] <- 0uy
            next <- Put.varintCall &origin (next + 1n) timestampDelta
            next <- Put.varintCall &origin next offsetDelta
            next <- Put.varintCall &origin next keyLength
            span.Slice(found.KeyStart, max 0 found.KeyLength).CopyTo(span.Slice(int next))
            next <- Put.varintCall &origin (next + nativeint (max 0 found.KeyLength)) valueLength
            span.Slice(found.ValueStart, max 0 found.ValueLength).CopyTo(span.Slice(int next))
            next <- next + nativeint (max 0 found.ValueLength)
            // No headers.
            span[int next] <- 0uy
            into <- int next + 1
            at <- at + found.Size

        into

    /// A view of the messages that stand in the buffer.
    let private view (limits: Limits) (batch: LegacyBatch) (unpacked: bool) (buffer: CodecBuffer) : Result<RecordView, Fault> =
        let messages = buffer.Array

        match check limits batch.Magic unpacked messages buffer.Length with
        | Error fault -> Error fault
        | Ok(struct (count, last)) ->
            let first = int64At (ReadOnlySpan<byte> messages) 0

            let timestamp = if batch.Magic = 0y then -1L else int64At (ReadOnlySpan<byte> messages) LegacyAt.Timestamp

            // At magic 1 offsets in a compressed message count from one that only the last of them tells, since its own is the message's.
            // Where they are absolute after all, that is 0.
            let origin = if batch.Magic = 0y then 0L else batch.LastOffset - last

            Ok(
                RecordView
                    { Buffer = messages
                      Origin = 0
                      Start = 0
                      Finish = rewrite batch.Magic messages buffer.Length
                      Count = count
                      BaseOffset = origin + first
                      BaseTimestamp = timestamp
                      AppendTime = if batch.TimestampType = TimestampType.LogAppendTime then ValueSome batch.Timestamp else ValueNone }
            )

    /// The packed messages in a compressed one: its value.
    let private packed (batch: LegacyBatch) : Result<ReadOnlyMemory<byte>, Fault> =
        try
            let found = parts batch.Magic batch.Bytes.Span 0

            if found.ValueLength < 0 then
                Fault.raise' Problem.NullNotAllowed (found.ValueStart - 4)

            Ok(batch.Bytes.Memory.Slice(found.ValueStart, found.ValueLength))
        with :? FaultException as fault ->
            Error { Problem = fault.Problem; Offset = fault.Offset; Path = "Value" }

    let private copied (batch: LegacyBatch) (buffer: CodecBuffer) : Result<unit, Fault> =
        buffer.Start(batch.SizeInBytes, Problem.TooLong(int64 batch.SizeInBytes, int64 Array.MaxLength))
        BuffersExtensions.Write(buffer, batch.Bytes.Span)
        Ok()

    let private openIn
        (checksum: bool)
        (buffer: CodecBuffer)
        (limits: Limits)
        (codecs: Codecs)
        (batch: LegacyBatch)
        : Result<RecordView, Fault> =
        match if checksum then verify batch else Ok() with
        | Error fault -> Error fault
        | Ok() ->
            match Compression.known LegacyAt.Attributes batch.Compression with
            | Error fault -> Error fault
            | Ok CompressionType.None -> copied batch buffer |> Result.bind (fun () -> view limits batch false buffer)
            | Ok compression ->
                Compression.find LegacyAt.Attributes codecs compression
                |> Result.bind (fun codec ->
                    packed batch |> Result.bind (fun source -> Compression.decompress codec limits.MaxDecompressedBytes 0 source buffer))
                |> Result.bind (fun () -> view limits batch true buffer)

    /// Opens a message for reading its record, or the records that are compressed in it: checks the checksums, the codec, and that the
    /// messages are well-formed, and decompresses where need be. The records are the same that a record batch has, without headers.
    /// Where the type is LogAppendTime all have the message's own timestamp; `RecordView.WithCreateTime` gives those that they had before
    /// they were compressed.
    ///
    /// Faults: `BadCrc`, `UnknownCodec`, `CodecMissing`, `CodecFailed`, `DecompressedTooLarge`, `CountTooLarge`; `NestedCompression` and
    /// `BadMagic` for a message that may not stand in another; `Truncated`, `BadBatchLength`, `NegativeLength`, `BadRecordLength`,
    /// `NullNotAllowed` and `OutOfRange` for what is malformed. Offsets of faults count from the start of the message, or of what is
    /// decompressed.
    let openRecords (limits: Limits) (codecs: Codecs) (batch: LegacyBatch) : Result<RecordView, Fault> =
        openIn true (CodecBuffer()) limits codecs batch

    /// The same with the records in memory that the caller keeps: they are good until it is used for another. (They stand there also where
    /// nothing is compressed.)
    let openRecordsIn (buffer: CodecBuffer) (limits: Limits) (codecs: Codecs) (batch: LegacyBatch) : Result<RecordView, Fault> =
        openIn true buffer limits codecs batch

    /// The same without looking at the message's own checksum: for one that has been verified.
    let openVerifiedIn (buffer: CodecBuffer) (limits: Limits) (codecs: Codecs) (batch: LegacyBatch) : Result<RecordView, Fault> =
        openIn false buffer limits codecs batch

    /// Opens the message and copies its records, in order, with every fault as a value.
    let toList (limits: Limits) (codecs: Codecs) (batch: LegacyBatch) : Result<RecordData list, Fault> =
        openRecords limits codecs batch |> Result.bind RecordView.toList
