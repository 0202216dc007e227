namespace LibKafka.Records

open System
open System.Buffers.Binary
open System.ComponentModel
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open System.Runtime.Intrinsics
open LibKafka.Wire

/// What a batch says about itself beside its records.
[<NoComparison>]
type BatchOptions =
    {
        /// The offset of the first record: 0 for producing, since the broker gives the offsets. Up to 2^63 - 2.
        BaseOffset: int64
        /// -1 for producing: it is the broker's to set.
        PartitionLeaderEpoch: int32
        TimestampType: TimestampType
        /// Whether the batch is part of a transaction (KIP-98).
        IsTransactional: bool
        /// Whether the records are control records. Brokers take such batches from no client.
        IsControl: bool
        /// From when on tombstones may be removed, in milliseconds since 1970-01-01 UTC (KIP-534): it takes the place of the base
        /// timestamp.
        DeleteHorizon: int64 voption
        /// The idempotent producer's id, or -1.
        ProducerId: int64
        /// The idempotent producer's epoch, or -1.
        ProducerEpoch: int16
        /// The sequence of the first record, or -1.
        BaseSequence: int32
        /// What timestamps are encoded relative to; the first record's where it is not given.
        BaseTimestamp: int64 voption
        /// The largest timestamp, or the append time of a batch of LogAppendTime; the largest of the records' where it is not given.
        MaxTimestamp: int64 voption
        /// The last offset that the batch takes up, where it is not the last record's: so does compaction leave it.
        LastOffset: int64 voption
    }

/// Makes batch options.
[<RequireQualifiedAccess>]
module BatchOptions =

    /// A batch to produce, by a producer that is not idempotent.
    let standard =
        { BaseOffset = 0L
          PartitionLeaderEpoch = -1
          TimestampType = TimestampType.CreateTime
          IsTransactional = false
          IsControl = false
          DeleteHorizon = ValueNone
          ProducerId = -1L
          ProducerEpoch = -1s
          BaseSequence = Sequence.None
          BaseTimestamp = ValueNone
          MaxTimestamp = ValueNone
          LastOffset = ValueNone }

    /// What makes a batch with the same records get the same header, compression and attribute bits without a meaning left out.
    let ofHeader (header: BatchHeader) : BatchOptions =
        { BaseOffset = header.BaseOffset
          PartitionLeaderEpoch = header.PartitionLeaderEpoch
          TimestampType = header.Attributes.TimestampType
          IsTransactional = header.Attributes.IsTransactional
          IsControl = header.Attributes.IsControl
          DeleteHorizon = if header.Attributes.HasDeleteHorizon then ValueSome header.BaseTimestamp else ValueNone
          ProducerId = header.ProducerId
          ProducerEpoch = header.ProducerEpoch
          BaseSequence = header.BaseSequence
          BaseTimestamp = ValueSome header.BaseTimestamp
          MaxTimestamp = ValueSome header.MaxTimestamp
          LastOffset = ValueSome(header.BaseOffset + int64 header.LastOffsetDelta) }

    /// Offsets end one before what 64 bits can say, so that the next one always exists.
    [<Literal>]
    let internal LastPossibleOffset = 9223372036854775806L

    /// The last offset that a batch from this one on can take up.
    let internal farthest (baseOffset: int64) : int64 = baseOffset + min (int64 Int32.MaxValue) (LastPossibleOffset - baseOffset)

    let private within (field: string) (at: int) (lowest: int64) (highest: int64) (value: int64) : Result<unit, Fault> =
        if value < lowest || value > highest then
            Error { Problem = Problem.OutOfRange(value, lowest, highest); Offset = at; Path = field }
        else
            Ok()

    /// Whether a batch can carry them: base offsets go from 0 to the highest one given, the last offset lies up to 2^31 - 1 behind it, and
    /// producer id, epoch and sequence are not below -1. Otherwise the fault is `OutOfRange`, with the field's name.
    let internal check (highestBase: int64) (options: BatchOptions) : Result<unit, Fault> =
        let from = options.BaseOffset
        let last = ValueOption.defaultValue from options.LastOffset

        within "BaseOffset" At.BaseOffset 0L highestBase from
        |> Result.bind (fun () -> within "LastOffset" At.LastOffsetDelta from (farthest from) last)
        |> Result.bind (fun () -> within "ProducerId" At.ProducerId -1L Int64.MaxValue options.ProducerId)
        |> Result.bind (fun () -> within "ProducerEpoch" At.ProducerEpoch -1L (int64 Int16.MaxValue) (int64 options.ProducerEpoch))
        |> Result.bind (fun () ->
            within "BaseSequence" At.BaseSequence (int64 Sequence.None) (int64 Int32.MaxValue) (int64 options.BaseSequence))

    let internal attributes (options: BatchOptions) : BatchAttributes =
        BatchAttributes.none
            .WithTimestampType(options.TimestampType)
            .WithTransactional(options.IsTransactional)
            .WithControl(options.IsControl)
            .WithDeleteHorizon
            options.DeleteHorizon.IsSome

/// Writes that know nothing of bounds: whoever calls has made room.
[<RequireQualifiedAccess>]
module internal Put =

    /// The most that a record takes beside its key, value and headers: varints of 5 + 10 + 5 + 5 + 5 + 5 bytes and the attributes.
    [<Literal>]
    let Overhead = 36L

    /// The most of that behind the record's length.
    [<Literal>]
    let MostBody = 31L

    /// The fewest bytes behind a record's length beside its key, value and headers: five varints of a byte and the attributes.
    [<Literal>]
    let LeastBody = 6L

    /// A varint that takes more than two bytes.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    let long (origin: byref<byte>) (at: nativeint) (raw: uint64) : nativeint =
        let mutable rest = raw
        let mutable next = at

        while rest >= 0x80UL do
            Unsafe.Add(&origin, next) <- byte (rest ||| 0x80UL)
            rest <- rest >>> 7
            next <- next + 1n

        Unsafe.Add(&origin, next) <- byte rest
        next + 1n

    /// A plain varint, giving the position behind it.
    let inline varint (origin: byref<byte>) (at: nativeint) (raw: uint64) : nativeint =
        if raw < 0x80UL then
            Unsafe.Add(&origin, at) <- byte raw
            at + 1n
        elif raw < 0x4000UL then
            // Moves the upper seven bits up by one and sets the bit between.
            let both = uint16 (raw + (raw &&& 0x3F80UL) + 0x80UL)
            Unsafe.WriteUnaligned(
                &Unsafe.Add(&origin, at),
                (if BitConverter.IsLittleEndian then both else BinaryPrimitives.ReverseEndianness both)
            )
            at + 2n
        else
            long &origin at raw

    /// The same where a call does not matter.
    let varintCall (origin: byref<byte>) (at: nativeint) (raw: uint64) : nativeint = varint &origin at raw

    let inline copyAt<'Block> (target: byref<byte>) (source: byref<byte>) (at: nativeint) =
        Unsafe.WriteUnaligned(&Unsafe.Add(&target, at), Unsafe.ReadUnaligned<'Block>(&Unsafe.Add(&source, at)))

    /// Copies without a call what is short, as most keys and many values are; a last block that overlaps the one before takes what is left.
    let inline bytes (target: byref<byte>) (source: ReadOnlySpan<byte>) =
        let first = &MemoryMarshal.GetReference source
        let size = nativeint source.Length

        if size >= 64n && size <= 512n then
            let last = size - 64n
            let mutable at = 0n

            while at < last do
                copyAt<Vector512<byte>> &target &first at
                at <- at + 64n

            copyAt<Vector512<byte>> &target &first last
        elif size >= 8n && size <= 16n then
            copyAt<uint64> &target &first 0n
            copyAt<uint64> &target &first (size - 8n)
        elif size >= 32n && size < 64n then
            copyAt<Vector256<byte>> &target &first 0n
            copyAt<Vector256<byte>> &target &first (size - 32n)
        elif size > 0n then
            source.CopyTo(MemoryMarshal.CreateSpan(&target, source.Length))

    /// A length in its zig-zag form and the bytes, giving the position behind them.
    let inline run (origin: byref<byte>) (at: nativeint) (length: uint64) (source: ReadOnlySpan<byte>) : nativeint =
        let next = varint &origin at length
        bytes (&Unsafe.Add(&origin, next)) source
        next + nativeint source.Length

/// Encodes records into a batch as they are added, in one pass, and knows the exact size at every step. Its memory is its own, which grows
/// as needed, up to the limit, and is used again after `Reset`, so that nothing is allocated once it has grown; or the caller's, such as
/// an array from a pool, which does not grow. It is for one thread at a time.
[<Sealed>]
type BatchBuilder private (options: BatchOptions, limit: int, given: ArraySegment<byte>) =
    let limit = min limit Array.MaxLength
    let mutable options = options

    let mutable buffer: byte[] =
        match given.Array with
        | null -> Array.empty
        | array -> array

    // Where the batch begins in the buffer, and the end of what it may take up there: further than the buffer while that can grow.
    let mutable origin = given.Offset
    let mutable bound = given.Offset + limit
    let mutable position = given.Offset + At.Records
    // Up to where records go in without further questions: the bound or the end of the buffer, and nowhere before the first record and once
    // the batch has been built.
    let mutable ready = 0
    let mutable count = 0
    let mutable lastOffsetDelta = -1
    let mutable baseTimestamp = 0L
    let mutable maxTimestamp = Int64.MinValue
    let mutable built = false

    // Wherever the batch begins, there is room for as many records as it can hold.
    let check (given: BatchOptions) =
        match BatchOptions.check (BatchOptions.LastPossibleOffset - int64 Int32.MaxValue) given with
        | Error fault -> raise (ArgumentOutOfRangeException("options", fault.ToString()))
        | Ok() -> ()

    do check options

    /// A builder with memory of its own. The limit is the most bytes that the batch may take, header included.
    /// ArgumentOutOfRangeException where an option lies outside the range that it has in a batch: a base offset that is negative or
    /// leaves no room for 2^31 offsets, a last offset before it or 2^31 behind it, a producer id, epoch or sequence below -1.
    new(options: BatchOptions, limit: int) = BatchBuilder(options, limit, ArraySegment<byte>())

    /// A builder without a limit but that of the format, 2^31 - 1 bytes.
    new(options: BatchOptions) = BatchBuilder(options, Int32.MaxValue)

    /// A builder in memory that the caller owns: the batch lies at its start and takes up all of it at most, and nothing is allocated for
    /// it. Once the batch is not needed any more, the memory can be put to another use. It must be an array's (ArgumentException).
    new(options: BatchOptions, memory: Memory<byte>) =
        let given = BatchBuilder.ArrayBehind memory
        BatchBuilder(options, given.Count, given)

    static member private ArrayBehind(memory: Memory<byte>) : ArraySegment<byte> =
        match MemoryMarshal.TryGetArray(Memory.op_Implicit memory: ReadOnlyMemory<byte>) with
        | true, segment -> segment
        | _ -> raise (ArgumentException("A batch can only be built in memory that is an array's.", nameof memory))

    /// How many records have been added.
    member _.Count = count

    /// The exact size of the batch as it is now, header included.
    member _.SizeInBytes = position - origin

    /// The most bytes that the batch may take, header included.
    member _.Limit = limit

    member private _.Grow(total: int) =
        let needed = int64 position + int64 total
        let size = min (max (max needed (2L * int64 buffer.Length)) 1024L) (max needed (int64 bound))
        let grown = GC.AllocateUninitializedArray<byte>(int size)
        Buffer.BlockCopy(buffer, 0, grown, 0, min position buffer.Length)
        buffer <- grown

    /// The exact size of a record behind its length. Lengths are in their zig-zag form; `content` are the bytes of key, value and headers.
    static member private BodySize
        (timestampDelta: int64, offsetDelta: int, keyLength: uint64, valueLength: uint64, headerCount: int, content: int64)
        : int64 =
        let size (value: uint64) = int64 (Varint.size64 value)

        1L
        + size (Varint.zigZag64 timestampDelta)
        + size (2UL * uint64 offsetDelta)
        + size keyLength
        + size valueLength
        + size (2UL * uint64 headerCount)
        + content

    /// Makes room for a record, or says no, where it is not plain that there is enough; the first record also settles the base timestamp.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private this.MakeRoom
        (offsetDelta: int, timestamp: int64, keyLength: uint64, valueLength: uint64, headerCount: int, content: int64)
        : bool =
        if built then
            raise (InvalidOperationException "The batch has been built; reset the builder to begin the next one.")

        let first =
            if count > 0 then
                baseTimestamp
            else
                match options.DeleteHorizon, options.BaseTimestamp with
                | ValueSome horizon, _ -> horizon
                | ValueNone, ValueSome given -> given
                | ValueNone, ValueNone -> timestamp

        let body = BatchBuilder.BodySize(timestamp - first, offsetDelta, keyLength, valueLength, headerCount, content)

        let total = body + int64 (Varint.size64 (uint64 body <<< 1))

        if total > int64 (bound - position) then
            false
        else
            if total > int64 (buffer.Length - position) then this.Grow(int total)
            baseTimestamp <- first
            ready <- min bound buffer.Length
            true

    /// Encodes a record up to its headers if it fits with them, and counts it. What comes back is where the headers go, or -1.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member private this.Begin
        (offsetDelta: int, attributes: byte, timestamp: int64, key: NullableSpan, value: NullableSpan, headerCount: int, headersSize: int64)
        : int =
        // Taken apart at once, so that they stay in registers.
        let keyLength = key.ZigZagLength()
        let valueLength = value.ZigZagLength()
        let keySpan = key.Span
        let valueSpan = value.Span
        let content = int64 keySpan.Length + int64 valueSpan.Length + headersSize

        if
            content + Put.Overhead > int64 (ready - position)
            && not (this.MakeRoom(offsetDelta, timestamp, keyLength, valueLength, headerCount, content))
        then
            -1
        else
            let timestampDelta = timestamp - baseTimestamp

            // How many bytes the record's length takes is plain unless the content is near where it changes.
            let prefix =
                if content >= 64L - Put.LeastBody && content < 8192L - Put.MostBody then
                    2
                elif content < 64L - Put.MostBody then
                    1
                else
                    let body = BatchBuilder.BodySize(timestampDelta, offsetDelta, keyLength, valueLength, headerCount, content)
                    Varint.size64 (uint64 body <<< 1)

            let origin = &MemoryMarshal.GetArrayDataReference buffer
            let start = nativeint (position + prefix)
            Unsafe.Add(&origin, start) <- attributes
            let mutable at = Put.varint &origin (start + 1n) (Varint.zigZag64 timestampDelta)
            at <- Put.varint &origin at (2UL * uint64 offsetDelta)
            at <- Put.run &origin at keyLength keySpan
            at <- Put.run &origin at valueLength valueSpan
            at <- Put.varint &origin at (2UL * uint64 headerCount)
            let finish = at + nativeint headersSize
            Put.varint &origin (nativeint position) (uint64 (2n * (finish - start))) |> ignore
            position <- int finish
            maxTimestamp <- max maxTimestamp timestamp
            lastOffsetDelta <- offsetDelta
            count <- count + 1
            int at

    static member private Size(headers: ReadOnlySpan<RecordHeader>) : int64 =
        let mutable size = 0L

        for i in 0 .. headers.Length - 1 do
            let key = headers[i].Key.Length
            size <- size + int64 (Varint.size32 (Varint.zigZag32 key)) + int64 key

            match headers[i].Value with
            | ValueSome value -> size <- size + int64 (Varint.size32 (Varint.zigZag32 value.Length)) + int64 value.Length
            | ValueNone -> size <- size + 1L

        size

    member private _.Put(headers: ReadOnlySpan<RecordHeader>, start: int) =
        let origin = &MemoryMarshal.GetArrayDataReference buffer
        let mutable at = nativeint start

        for i in 0 .. headers.Length - 1 do
            let key = headers[i].Key.Span
            at <- Put.run &origin at (2UL * uint64 key.Length) key

            at <-
                match headers[i].Value with
                | ValueSome value -> Put.run &origin at (2UL * uint64 value.Length) value.Span
                | ValueNone -> Put.varint &origin at 1UL

    /// Adds a record at an offset that is given, relative to the base offset. What comes back is where its headers are, or -1 where it does
    /// not fit.
    member internal this.AppendAt
        (offsetDelta: int, timestamp: int64, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>)
        : int =
        let at = this.Begin(offsetDelta, 0uy, timestamp, key, value, headers.Length, BatchBuilder.Size headers)
        if at >= 0 then this.Put(headers, at)
        at

    // What takes spans is inlined into F# callers, and what it calls gives something else than it does. So no caller, be it a function that
    // ends with adding a record, can make a tail call with spans as its arguments. The compiler would mark it as one, and where the arguments
    // do not all fit into registers the runtime makes such a call through memory in which the garbage collector does not see them:
    // a collection at that moment leaves them pointing at what was there before, and something else gets into the batch.

    /// What `TryAdd` calls; -1 where the record does not fit.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    member this.Append(timestamp: int64, key: NullableSpan, value: NullableSpan) : int =
        this.Begin(lastOffsetDelta + 1, 0uy, timestamp, key, value, 0, 0L)

    /// What `TryAdd` calls where there are headers; -1 where the record does not fit.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    member this.Append(timestamp: int64, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>) : int =
        this.AppendAt(lastOffsetDelta + 1, timestamp, key, value, headers)

    /// What `Add` makes of what `Append` gives.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    member _.MustFit(at: int) : unit =
        if at < 0 then
            raise (InvalidOperationException("The record does not fit into the batch's limit of " + string limit + " bytes."))

    /// Adds a record without headers behind the ones added so far, unless the batch would exceed the limit with it: then nothing
    /// changes and the answer is false. The timestamp is in milliseconds since 1970-01-01 UTC, -1 for none.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member inline this.TryAdd(timestamp: int64, key: NullableSpan, value: NullableSpan) : bool = this.Append(timestamp, key, value) >= 0

    /// The same with headers, in order.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member inline this.TryAdd(timestamp: int64, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>) : bool =
        this.Append(timestamp, key, value, headers) >= 0

    /// The same with all that another batch's record holds except its offset. The record must not lie in this builder's own memory.
    member this.TryAdd(record: inref<Record>) : bool =
        let headers = record.EncodedHeaders

        let at =
            this.Begin(
                lastOffsetDelta + 1,
                record.Attributes,
                record.Timestamp,
                record.NullableKey,
                record.NullableValue,
                record.HeaderCount,
                int64 headers.Length
            )

        if at >= 0 then headers.CopyTo(buffer.AsSpan at)
        at >= 0

    /// Adds a record with headers, which must fit; InvalidOperationException where it does not.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member inline this.Add(timestamp: int64, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>) : unit =
        this.MustFit(this.Append(timestamp, key, value, headers))

    /// Adds a record without headers, which must fit; InvalidOperationException where it does not.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member inline this.Add(timestamp: int64, key: NullableSpan, value: NullableSpan) : unit =
        this.MustFit(this.Append(timestamp, key, value))

    /// Writes the header before the records.
    member internal this.Finish(given: BatchOptions, offsetDelta: int) : RecordBatch =
        if buffer.Length < At.Records then this.Grow 0
        let header = buffer.AsSpan(origin, At.Records)

        let firstTimestamp =
            match given.DeleteHorizon with
            | ValueSome horizon -> horizon
            | ValueNone when count > 0 -> baseTimestamp
            | ValueNone -> ValueOption.defaultValue -1L given.BaseTimestamp

        let lastTimestamp = if count > 0 then maxTimestamp else -1L
        BinaryPrimitives.WriteInt64BigEndian(header, given.BaseOffset)
        BinaryPrimitives.WriteInt32BigEndian(header.Slice At.Length, position - origin - At.Counted)
        BinaryPrimitives.WriteInt32BigEndian(header.Slice At.PartitionLeaderEpoch, given.PartitionLeaderEpoch)
        header[At.Magic] <- 2uy
        BinaryPrimitives.WriteInt16BigEndian(header.Slice At.Attributes, (BatchOptions.attributes given).Bits)
        BinaryPrimitives.WriteInt32BigEndian(header.Slice At.LastOffsetDelta, offsetDelta)
        BinaryPrimitives.WriteInt64BigEndian(header.Slice At.BaseTimestamp, firstTimestamp)
        BinaryPrimitives.WriteInt64BigEndian(header.Slice At.MaxTimestamp, ValueOption.defaultValue lastTimestamp given.MaxTimestamp)
        BinaryPrimitives.WriteInt64BigEndian(header.Slice At.ProducerId, given.ProducerId)
        BinaryPrimitives.WriteInt16BigEndian(header.Slice At.ProducerEpoch, given.ProducerEpoch)
        BinaryPrimitives.WriteInt32BigEndian(header.Slice At.BaseSequence, given.BaseSequence)
        BinaryPrimitives.WriteInt32BigEndian(header.Slice At.Count, count)
        let content = ReadOnlySpan<byte>(buffer, origin + At.Attributes, position - origin - At.Attributes)
        BinaryPrimitives.WriteUInt32BigEndian(header.Slice At.Crc, Crc32C.compute content)
        built <- true
        ready <- 0
        RecordBatch(buffer, origin, position - origin)

    /// The finished batch: header and checksum are written, no byte is copied. It lies in the builder's memory, so it is good until
    /// `Reset`; `Detach` or `RecordBatch.Copy` give one that stays. Nothing can be added before `Reset`; building again gives the same
    /// batch. InvalidOperationException where there are no records, since every broker would refuse such a batch, and where there are
    /// more than the options' last offset lets in.
    member this.Build() : RecordBatch =
        if count = 0 then raise (InvalidOperationException "A batch needs a record.")

        match options.LastOffset with
        | ValueSome last when last - options.BaseOffset < int64 lastOffsetDelta ->
            raise (InvalidOperationException("The batch has records behind its last offset, " + string last + "."))
        | ValueSome last -> this.Finish(options, int (last - options.BaseOffset))
        | ValueNone -> this.Finish(options, lastOffsetDelta)

    /// Forgets the records, and with them the batches built from this memory, and begins a batch with the same options.
    member _.Reset() : unit =
        position <- origin + At.Records
        count <- 0
        lastOffsetDelta <- -1
        maxTimestamp <- Int64.MinValue
        ready <- 0
        built <- false

    /// Forgets the records, and with them the batches built from this memory, and begins a batch with other options.
    member this.Reset(next: BatchOptions) : unit =
        check next
        options <- next
        this.Reset()

    /// The finished batch, with the builder's memory: it stays good for ever, or as long as the caller whose memory it is leaves it alone.
    /// The builder begins the next batch, with the same options and limit and new memory of its own.
    member this.Detach() : RecordBatch =
        let batch = this.Build()
        buffer <- Array.empty
        origin <- 0
        bound <- limit
        this.Reset()
        batch
