namespace LibKafka.Records

open System
open System.Buffers.Binary
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
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
        /// From when on tombstones may be removed, in milliseconds since 1970-01-01 UTC (KIP-534): it takes the place of the base timestamp.
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

    /// A varint that takes more than two bytes.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    let long (origin: byref<byte>) (at: int) (raw: uint64) : int =
        let mutable rest = raw
        let mutable next = at

        while rest >= 0x80UL do
            Unsafe.Add(&origin, next) <- byte (rest ||| 0x80UL)
            rest <- rest >>> 7
            next <- next + 1

        Unsafe.Add(&origin, next) <- byte rest
        next + 1

    /// A plain varint, giving the position behind it.
    let inline varint (origin: byref<byte>) (at: int) (raw: uint64) : int =
        if raw < 0x80UL then
            Unsafe.Add(&origin, at) <- byte raw
            at + 1
        elif raw < 0x4000UL then
            Unsafe.Add(&origin, at) <- byte (raw ||| 0x80UL)
            Unsafe.Add(&origin, at + 1) <- byte (raw >>> 7)
            at + 2
        else
            long &origin at raw

    /// The bytes of a span, giving the position behind them.
    let inline bytes (origin: byref<byte>) (at: int) (source: ReadOnlySpan<byte>) : int =
        source.CopyTo(MemoryMarshal.CreateSpan(&Unsafe.Add(&origin, at), source.Length))
        at + source.Length

    /// The zig-zag form of a length, -1 for null.
    let inline length (origin: byref<byte>) (at: int) (value: int) : int = varint &origin at (uint64 (Varint.zigZag32 value))

/// Encodes records into a batch as they are added, in one pass, and knows the exact size at every step. Its memory grows as needed, up to the limit, and is
/// used again after `Reset`, so that nothing is allocated once it has grown. It is for one thread at a time.
[<Sealed>]
type BatchBuilder(options: BatchOptions, limit: int) =
    let limit = min limit Array.MaxLength
    let mutable options = options
    let mutable buffer: byte[] = Array.empty
    let mutable position = At.Records
    let mutable count = 0
    let mutable lastOffsetDelta = -1
    let mutable baseTimestamp = 0L
    let mutable maxTimestamp = Int64.MinValue
    let mutable built = false

    let check (given: BatchOptions) =
        if given.BaseOffset < 0L || given.BaseOffset > Int64.MaxValue - 1L - int64 Int32.MaxValue then
            raise (ArgumentOutOfRangeException("options", "The base offset must leave room for 2^31 offsets."))

    do check options

    /// A builder without a limit but that of the format, 2^31 - 1 bytes.
    new(options: BatchOptions) = BatchBuilder(options, Int32.MaxValue)

    /// How many records have been added.
    member _.Count = count

    /// The exact size of the batch as it is now, header included.
    member _.SizeInBytes = position

    /// The most bytes that the batch may take, header included.
    member _.Limit = limit

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private _.Grow(total: int) =
        let needed = int64 position + int64 total
        let size = min (max (max needed (2L * int64 buffer.Length)) 1024L) (max needed (int64 limit))
        let grown = GC.AllocateUninitializedArray<byte>(int size)
        Buffer.BlockCopy(buffer, 0, grown, 0, min position buffer.Length)
        buffer <- grown

    /// Encodes a record up to its headers if it fits with them, and counts it. What comes back is where the headers go, or -1.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member private this.Begin
        (offsetDelta: int, attributes: byte, timestamp: int64, key: NullableSpan, value: NullableSpan, headerCount: int, headersSize: int64)
        : int =
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

        let timestampDelta = Varint.zigZag64 (timestamp - first)
        let offset = Varint.zigZag32 offsetDelta
        let keyLength = key.WireLength
        let valueLength = value.WireLength

        let body =
            int64 (
                1
                + Varint.size64 timestampDelta
                + Varint.size32 offset
                + Varint.size32 (Varint.zigZag32 keyLength)
                + Varint.size32 (Varint.zigZag32 valueLength)
                + Varint.size32 (Varint.zigZag32 headerCount)
            )
            + int64 key.Span.Length
            + int64 value.Span.Length
            + headersSize

        let total = body + int64 (Varint.size64 (Varint.zigZag64 body))

        if total > int64 (limit - position) then
            -1
        else
            if total > int64 (buffer.Length - position) then this.Grow(int total)
            let origin = &MemoryMarshal.GetArrayDataReference buffer
            let mutable at = Put.varint &origin position (uint64 body <<< 1)
            Unsafe.Add(&origin, at) <- attributes
            at <- Put.varint &origin (at + 1) timestampDelta
            at <- Put.varint &origin at (uint64 offset)
            at <- Put.length &origin at keyLength
            at <- Put.bytes &origin at key.Span
            at <- Put.length &origin at valueLength
            at <- Put.bytes &origin at value.Span
            at <- Put.length &origin at headerCount
            position <- position + int total
            baseTimestamp <- first
            maxTimestamp <- max maxTimestamp timestamp
            lastOffsetDelta <- offsetDelta
            count <- count + 1
            at

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
        let mutable at = start

        for i in 0 .. headers.Length - 1 do
            let key = headers[i].Key.Span
            at <- Put.length &origin at key.Length
            at <- Put.bytes &origin at key

            match headers[i].Value with
            | ValueSome value ->
                at <- Put.length &origin at value.Length
                at <- Put.bytes &origin at value.Span
            | ValueNone -> at <- Put.length &origin at -1

    /// Adds a record at an offset that is given, relative to the base offset.
    member internal this.TryAddAt
        (offsetDelta: int, timestamp: int64, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>)
        : bool =
        let at = this.Begin(offsetDelta, 0uy, timestamp, key, value, headers.Length, BatchBuilder.Size headers)
        if at >= 0 then this.Put(headers, at)
        at >= 0

    /// Adds a record without headers behind the ones added so far, unless the batch would exceed the limit with it: then nothing changes and
    /// the answer is false. The timestamp is in milliseconds since 1970-01-01 UTC, -1 for none.
    member this.TryAdd(timestamp: int64, key: NullableSpan, value: NullableSpan) : bool =
        this.Begin(lastOffsetDelta + 1, 0uy, timestamp, key, value, 0, 0L) >= 0

    /// The same with headers, in order.
    member this.TryAdd(timestamp: int64, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>) : bool =
        this.TryAddAt(lastOffsetDelta + 1, timestamp, key, value, headers)

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
    member this.Add(timestamp: int64, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>) : unit =
        if not (this.TryAdd(timestamp, key, value, headers)) then
            raise (InvalidOperationException("The record does not fit into the batch's limit of " + string limit + " bytes."))

    /// Adds a record without headers, which must fit; InvalidOperationException where it does not.
    member this.Add(timestamp: int64, key: NullableSpan, value: NullableSpan) : unit =
        this.Add(timestamp, key, value, ReadOnlySpan<RecordHeader>.Empty)

    /// Writes the header before the records.
    member internal this.Finish(given: BatchOptions, offsetDelta: int) : RecordBatch =
        if buffer.Length < At.Records then this.Grow 0
        let header = buffer.AsSpan(0, At.Records)

        let firstTimestamp =
            match given.DeleteHorizon with
            | ValueSome horizon -> horizon
            | ValueNone when count > 0 -> baseTimestamp
            | ValueNone -> ValueOption.defaultValue -1L given.BaseTimestamp

        let lastTimestamp = if count > 0 then maxTimestamp else -1L
        BinaryPrimitives.WriteInt64BigEndian(header, given.BaseOffset)
        BinaryPrimitives.WriteInt32BigEndian(header.Slice At.Length, position - At.Counted)
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
        let content = ReadOnlySpan<byte>(buffer, At.Attributes, position - At.Attributes)
        BinaryPrimitives.WriteUInt32BigEndian(header.Slice At.Crc, Crc32C.compute content)
        built <- true
        RecordBatch(buffer, 0, position)

    /// The finished batch: header and checksum are written, no byte is copied. It lies in the builder's memory, so it is good until `Reset`; `Detach`
    /// or `RecordBatch.Copy` give one that stays. Nothing can be added before `Reset`; building again gives the same batch. A batch
    /// without records would be refused by every broker, so InvalidOperationException.
    member this.Build() : RecordBatch =
        if count = 0 then raise (InvalidOperationException "A batch needs a record.")

        let last =
            match options.LastOffset with
            | ValueSome offset -> max (int64 lastOffsetDelta) (offset - options.BaseOffset)
            | ValueNone -> int64 lastOffsetDelta

        this.Finish(options, int last)

    /// Forgets the records, and with them the batches built from this memory, and begins a batch with the same options.
    member _.Reset() : unit =
        position <- At.Records
        count <- 0
        lastOffsetDelta <- -1
        maxTimestamp <- Int64.MinValue
        built <- false

    /// Forgets the records, and with them the batches built from this memory, and begins a batch with other options.
    member this.Reset(next: BatchOptions) : unit =
        check next
        options <- next
        this.Reset()

    /// The finished batch, with the builder's memory: it stays good for ever. The builder begins the next batch, with the same options and new memory.
    member this.Detach() : RecordBatch =
        let batch = this.Build()
        buffer <- Array.empty
        this.Reset()
        batch
