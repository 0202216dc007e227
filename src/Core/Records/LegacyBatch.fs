namespace LibKafka.Records

open System
open System.Buffers
open System.Buffers.Binary
open System.Runtime.InteropServices
open LibKafka.Wire

/// The positions of the fields of a message, in bytes from the start of its offset.
[<RequireQualifiedAccess>]
module internal LegacyAt =

    /// The checksum covers everything after it.
    [<Literal>]
    let Crc = 12

    [<Literal>]
    let Magic = 16

    [<Literal>]
    let Attributes = 17

    /// Only with magic 1.
    [<Literal>]
    let Timestamp = 18

    /// The position of the key's length, which is followed by the key, the value's length and the value.
    let key (magic: int8) = if magic = 0y then 18 else 26

    /// The fewest bytes that a message takes.
    let least (magic: int8) = key magic + 8

/// One message of the formats before Kafka 0.11, magic 0 and 1: a record, or, if it is compressed, a wrapper around messages with one record
/// each. Such messages are read but not written here. It is immutable and compared by content. Only its structure has been checked: opening
/// it checks the checksum and the records.
/// Source: Kafka documentation, section "Old Message Format"; KIP-31 (relative offsets) and KIP-32 (timestamps).
[<Sealed>]
type LegacyBatch internal (bytes: Bytes) =

    /// All of the bytes, including the offset and the length.
    member _.Bytes = bytes

    /// The number of bytes.
    member _.SizeInBytes = bytes.Length

    /// The format: 0 or 1.
    member _.Magic = int8 bytes.Span[LegacyAt.Magic]

    /// The record's offset; in a compressed message, the offset of its last record. The first record's offset is known when the message is
    /// opened.
    member _.LastOffset = BinaryPrimitives.ReadInt64BigEndian bytes.Span

    /// The offset from which to fetch what comes after this message.
    member this.NextOffset = this.LastOffset + 1L

    /// The checksum in the message, a CRC-32, right or wrong.
    member _.Crc = BinaryPrimitives.ReadUInt32BigEndian(bytes.Span.Slice LegacyAt.Crc)

    /// The checksum of the message's content.
    member internal _.ComputedCrc = Crc32.compute (bytes.Span.Slice LegacyAt.Magic)

    /// The attributes as a record batch would have them. With magic 0, only the compression is assigned.
    member private this.Attributes =
        BatchAttributes(int16 bytes.Span[LegacyAt.Attributes] &&& (if this.Magic = 0y then 0x07s else 0x0Fs))

    /// The compression of the records. An unassigned code is kept as a number without a name.
    member this.Compression = this.Attributes.Compression

    /// The meaning of the records' timestamps. With magic 0 there are none.
    member this.TimestampType = this.Attributes.TimestampType

    /// Milliseconds since 1970-01-01 UTC: the record's timestamp; in a compressed message, the maximum timestamp of its records; with
    /// LogAppendTime, the time at which the broker appended them. -1 with magic 0, which has no timestamps.
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

    /// Such as `offset 9, magic 1, gzip, CreateTime, 345 bytes`; with magic 0, without a timestamp type.
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

/// The positions of one message, its key and its value among the bytes of several messages. A length of -1 is null.
[<Struct; NoEquality; NoComparison>]
type internal LegacyParts = { Size: int; KeyStart: int; KeyLength: int; ValueStart: int; ValueLength: int }

/// Parses and opens messages with magic 0 and 1.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module LegacyBatch =

    let private fail (field: string) (offset: int) (problem: Problem) : Result<'T, Fault> = Error(Fault.ofField field offset problem)

    let private int32At (span: ReadOnlySpan<byte>) (at: int) = BinaryPrimitives.ReadInt32BigEndian(span.Slice at)
    let private int64At (span: ReadOnlySpan<byte>) (at: int) = BinaryPrimitives.ReadInt64BigEndian(span.Slice at)

    /// The message that consists of exactly these bytes, which are not copied. It is checked that they are complete, that the format is 0 or
    /// 1, and that the offset is at most 2^63 - 2. Opening the message checks the rest.
    ///
    /// Faults: `Truncated`, `TrailingBytes` and `BadBatchLength` (field `Length`), `BadMagic` (`Magic`), `OutOfRange` (`Offset`).
    let ofBytes (bytes: Bytes) : Result<LegacyBatch, Fault> =
        let span = bytes.Span

        if span.Length <= LegacyAt.Magic then
            fail "Magic" 0 (Problem.Truncated(int64 (LegacyAt.least 0y), span.Length))
        elif span[LegacyAt.Magic] > 1uy then
            fail "Magic" LegacyAt.Magic (Problem.BadMagic(int8 span[LegacyAt.Magic]))
        else
            let length = int32At span At.Length
            let size = int64 length + int64 At.Counted

            if size < int64 (LegacyAt.least (int8 span[LegacyAt.Magic])) then
                fail "Length" At.Length (Problem.BadBatchLength length)
            elif size > int64 span.Length then
                fail "Length" 0 (Problem.Truncated(size, span.Length))
            elif size < int64 span.Length then
                fail "Length" (int size) (Problem.TrailingBytes(span.Length - int size))
            elif int64At span 0 = Int64.MaxValue then
                fail "Offset" At.BaseOffset (Problem.OutOfRange(Int64.MaxValue, Int64.MinValue, Int64.MaxValue - 1L))
            else
                Ok(LegacyBatch bytes)

    /// Whether the message's own checksum is right. The messages in a compressed one have checksums too, which are verified when it is opened.
    /// Fault: `BadCrc` (field `Crc`).
    let verify (batch: LegacyBatch) : Result<unit, Fault> =
        let computed = batch.ComputedCrc
        if computed = batch.Crc then Ok() else fail "Crc" LegacyAt.Crc (Problem.BadCrc(batch.Crc, computed))

    /// Reads the length of a nullable run of bytes, -1 for null, and sets `start` to its first byte.
    let private run (span: ReadOnlySpan<byte>) (at: int) (start: byref<int>) : int =
        let left = span.Length - at - 4
        if left < 0 then Fault.raise' (Problem.Truncated(4L, span.Length - at)) at
        let length = int32At span at
        if length < -1 then Fault.raise' (Problem.NegativeLength(int64 length)) at
        if length > left then Fault.raise' (Problem.Truncated(int64 length, left)) at
        start <- at + 4
        length

    /// Parses the message of the given format at a position.
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

    /// Checks a message that was compressed in another one: it must not be compressed itself, and its checksum must be right.
    let private checkInner (span: ReadOnlySpan<byte>) (at: int) (size: int) : unit =
        let compression: CompressionType = enum (int span[at + LegacyAt.Attributes] &&& 0x07)

        if compression <> CompressionType.None then
            Fault.raise' (Problem.NestedCompression(CompressionType.name compression)) (at + LegacyAt.Attributes)

        let stored = BinaryPrimitives.ReadUInt32BigEndian(span.Slice(at + LegacyAt.Crc))
        let computed = Crc32.compute (span.Slice(at + LegacyAt.Magic, size - LegacyAt.Magic))
        if stored <> computed then
            Fault.raise' (Problem.BadCrc(stored, computed)) (at + LegacyAt.Crc)

    /// The field at which a fault in the message at `start` occurred.
    let private fieldOf (magic: int8) (start: int) (fault: FaultException) : string =
        match fault.Problem, fault.Offset - start with
        | Problem.TooManyRecords _, _ -> ""
        | Problem.OutOfRange _, _ -> "/Offset"
        | _, at when at < LegacyAt.Crc -> "/Length"
        | _, LegacyAt.Crc -> "/Crc"
        | _, LegacyAt.Magic -> "/Magic"
        | _, LegacyAt.Attributes -> "/Attributes"
        | _, at when at = LegacyAt.key magic -> "/Key"
        | _ -> "/Value"

    /// Checks messages and returns how many there are and the last one's offset.
    let private check (limits: Limits) (magic: int8) (isInner: bool) (messages: byte[]) (size: int) : Result<struct (int * int64), Fault> =
        let span = ReadOnlySpan<byte>(messages, 0, size)
        let mutable count = 0
        let mutable last = 0L
        let mutable at = 0

        try
            while at < size || count = 0 do
                if count >= limits.MaxRecords then
                    Fault.raise' (Problem.TooManyRecords(int64 limits.MaxRecords)) at

                let found = parts magic span at

                if isInner then checkInner span at found.Size
                last <- int64At span at
                let delta = last - int64At span 0

                if int64 (int delta) <> delta then
                    Fault.raise' (Problem.OutOfRange(delta, int64 Int32.MinValue, int64 Int32.MaxValue)) at

                count <- count + 1
                at <- at + found.Size

            Ok(struct (count, last))
        with :? FaultException as fault ->
            fail ("Records[" + string count + "]" + fieldOf magic at fault) fault.Offset fault.Problem

    /// Rewrites messages that have been checked as records of the current format, in place, and returns their size. A record takes fewer bytes
    /// in the current format, and its key and value begin earlier in it, so no byte is overwritten before it has been read.
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
            // The attributes, of which no bit is assigned.
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

    /// The records of the messages in the buffer.
    let private records (reading: Reading) (batch: LegacyBatch) (isInner: bool) (buffer: CodecBuffer) : Result<BatchRecords, Fault> =
        let messages = buffer.Array

        match check reading.Limits batch.Magic isInner messages buffer.Length with
        | Error fault -> Error fault
        | Ok(struct (count, last)) ->
            let first = int64At (ReadOnlySpan<byte> messages) 0
            let timestamp = if batch.Magic = 0y then -1L else int64At (ReadOnlySpan<byte> messages) LegacyAt.Timestamp

            // With magic 1, the offsets in a compressed message are relative to a base that only the last of them gives, because its absolute
            // offset is the outer message's. If they are absolute after all, the base is 0.
            let origin = if batch.Magic = 0y then 0L else batch.LastOffset - last

            Ok(
                BatchRecords
                    { Memory = Reading.memory (LentMemory.owning batch.Bytes) buffer reading
                      Origin = 0
                      Start = 0
                      Finish = rewrite batch.Magic messages buffer.Length
                      Count = count
                      BaseOffset = origin + first
                      BaseTimestamp = timestamp
                      AppendTime = if batch.TimestampType = TimestampType.LogAppendTime then ValueSome batch.Timestamp else ValueNone
                      Place = RecordSetPlace() }
            )

    /// Decompresses the messages in a compressed one, which are its value, into the buffer.
    let private decompressTo
        (buffer: CodecBuffer)
        (reading: Reading)
        (compression: CompressionType)
        (batch: LegacyBatch)
        : Result<unit, Fault> =
        match Compression.find LegacyAt.Attributes reading.Codecs compression with
        | Error fault -> Error fault
        | Ok codec ->
            try
                let found = parts batch.Magic batch.Bytes.Span 0

                if found.ValueLength < 0 then
                    Fault.raise' Problem.NullNotAllowed (found.ValueStart - 4)

                let source = batch.Bytes.Memory.Slice(found.ValueStart, found.ValueLength)

                Compression.decompress codec reading.Limits.MaxDecompressedBytes 0 source buffer
                |> Result.mapError (Fault.within "Value" >> Fault.after found.ValueStart)
            with :? FaultException as fault ->
                fail "Value" fault.Offset fault.Problem

    let private copyTo (buffer: CodecBuffer) (batch: LegacyBatch) : unit =
        buffer.Start(batch.SizeInBytes, Problem.TooLong(int64 batch.SizeInBytes, int64 Array.MaxLength))
        BuffersExtensions.Write(buffer, batch.Bytes.Span)

    /// `openRecords` for a message that is an item of a record set.
    let internal openAt (place: RecordSetPlace) (reading: Reading) (batch: LegacyBatch) : Result<BatchRecords, Fault> =
        let buffer = Reading.buffer reading

        let opened =
            match if reading.VerifyChecksum then verify batch else Ok() with
            | Error fault -> Error fault
            | Ok() ->
                match Compression.known LegacyAt.Attributes batch.Compression with
                | Error fault -> Error fault
                | Ok CompressionType.None ->
                    copyTo buffer batch
                    records reading batch false buffer
                | Ok compression ->
                    decompressTo buffer reading compression batch |> Result.bind (fun () -> records reading batch true buffer)

        match opened with
        | Ok _ -> opened
        | Error fault -> Error(place.Locate fault)

    /// Opens a message for reading its record, or the records that are compressed in it: verifies the checksums, checks the codec and that the
    /// messages are well-formed, and decompresses them if necessary. The records have the form of a record batch's, without headers, and lie
    /// in the buffer of `Reading` even if nothing is compressed. With LogAppendTime, all have the message's own timestamp;
    /// `BatchRecords.WithCreateTime` gives the timestamps that they had before they were compressed. `Reading.VerifyChecksum` concerns the
    /// message's own checksum.
    ///
    /// Faults: `BadCrc` (field `Crc`), `UnknownCodec` and `CodecMissing` (`Attributes`), `CodecFailed` and `DecompressedTooLarge` (`Value`);
    /// in the records, `TooManyRecords`, `NestedCompression`, `BadMagic`, `BadCrc`, `Truncated`, `BadBatchLength`, `NegativeLength`,
    /// `BadRecordLength`, `NullNotAllowed` and `OutOfRange`. Faults of records count their offsets from the start of the message, or of the
    /// decompressed messages if it is compressed.
    let openRecords (reading: Reading) (batch: LegacyBatch) : Result<BatchRecords, Fault> = openAt (RecordSetPlace()) reading batch
