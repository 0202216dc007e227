namespace LibKafka.Records

open System
open System.Buffers.Binary
open System.ComponentModel
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open System.Runtime.Intrinsics
open LibKafka.Wire

/// The header fields of a batch that do not follow from its records.
[<NoComparison>]
type BatchOptions =
    {
        /// The offset of the first record, from 0 to 2^63 - 2. A producer sends 0, and the broker assigns the offsets.
        BaseOffset: int64
        /// A producer sends -1, and the broker assigns the leader epoch.
        PartitionLeaderEpoch: int32
        /// The meaning of the records' timestamps. A producer sends CreateTime.
        TimestampType: TimestampType
        /// Whether the batch is part of a transaction (KIP-98).
        IsTransactional: bool
        /// Whether the records are control records. Brokers accept such batches from no client.
        IsControl: bool
        /// The time after which tombstones may be removed, in milliseconds since 1970-01-01 UTC (KIP-534). It is stored as the base
        /// timestamp.
        DeleteHorizon: int64 voption
        /// The idempotent producer's id; -1 for none.
        ProducerId: int64
        /// The idempotent producer's epoch; -1 for none.
        ProducerEpoch: int16
        /// The sequence of the first record; -1 for none.
        BaseSequence: int32
        /// The base of the timestamp deltas. `ValueNone` for the first record's timestamp.
        BaseTimestamp: int64 voption
        /// The maximum timestamp, or the append time if the type is LogAppendTime. `ValueNone` for the maximum of the records' timestamps.
        MaxTimestamp: int64 voption
        /// The last offset that the batch covers, if it is not the last record's, as after compaction.
        LastOffset: int64 voption
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show
            [ "BaseOffset", box this.BaseOffset
              "PartitionLeaderEpoch", box this.PartitionLeaderEpoch
              "TimestampType", box this.TimestampType
              "IsTransactional", box this.IsTransactional
              "IsControl", box this.IsControl
              "DeleteHorizon", FieldText.voptional this.DeleteHorizon
              "ProducerId", box this.ProducerId
              "ProducerEpoch", box this.ProducerEpoch
              "BaseSequence", box this.BaseSequence
              "BaseTimestamp", FieldText.voptional this.BaseTimestamp
              "MaxTimestamp", FieldText.voptional this.MaxTimestamp
              "LastOffset", FieldText.voptional this.LastOffset ]

/// Batch options to start from.
[<RequireQualifiedAccess>]
module BatchOptions =

    /// For a batch to be sent by a producer that is not idempotent.
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

    /// The options with which a batch of the same records gets the same header, except for compression and unassigned attribute bits.
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

    /// The last possible offset is one below the maximum of 64 bits, so that a next offset always exists.
    [<Literal>]
    let internal LastPossibleOffset = 9223372036854775806L

    /// The last offset that a batch with this base offset can cover.
    let internal farthest (baseOffset: int64) : int64 = baseOffset + min (int64 Int32.MaxValue) (LastPossibleOffset - baseOffset)

    let private within (field: string) (at: int) (lowest: int64) (highest: int64) (value: int64) : Result<unit, Fault> =
        if value < lowest || value > highest then
            Error(Fault.ofField field at (Problem.OutOfRange(value, lowest, highest)))
        else
            Ok()

    /// Whether a batch can have these options: the base offset is from 0 to `highestBase`, the last offset is at most 2^31 - 1 after it, and
    /// producer id, epoch and sequence are at least -1. Otherwise the fault is `OutOfRange` with the field's name.
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

/// Writes without bounds checks: the caller has reserved enough memory.
[<RequireQualifiedAccess>]
module internal Put =

    /// The most bytes that a record takes in addition to its key, value and headers: varints of 5 + 10 + 5 + 5 + 5 + 5 bytes and the
    /// attributes.
    [<Literal>]
    let Overhead = 36L

    /// The most of those bytes that follow the record's length.
    [<Literal>]
    let MostBody = 31L

    /// The fewest bytes that follow a record's length in addition to its key, value and headers: five varints of one byte and the attributes.
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

    /// Writes a plain varint and returns the position after it.
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

    /// `varint` as a call, for code that is not hot.
    let varintCall (origin: byref<byte>) (at: nativeint) (raw: uint64) : nativeint = varint &origin at raw

    // Not `inline`: without optimization, the F# compiler gives a generic inline function that is called from another inline function the same
    // type argument at every call.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    let copyAt<'Block> (target: byref<byte>) (source: byref<byte>) (at: nativeint) =
        Unsafe.WriteUnaligned(&Unsafe.Add(&target, at), Unsafe.ReadUnaligned<'Block>(&Unsafe.Add(&source, at)))

    /// Copies short runs, such as most keys and many values, without a call. The last block may overlap the one before it.
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

    /// Writes a length, given in its zig-zag form, and the bytes, and returns the position after them.
    let inline run (origin: byref<byte>) (at: nativeint) (length: uint64) (source: ReadOnlySpan<byte>) : nativeint =
        let next = varint &origin at length
        bytes (&Unsafe.Add(&origin, next)) source
        next + nativeint source.Length

/// Encodes records into a batch as they are added, in one pass, and knows the exact size after each one. It has its own memory, which grows
/// up to the limit; or it uses the caller's, such as an array from a pool, which does not grow. `Build` gives a batch that stays valid, with
/// memory of its own. `BuildInPlace` and `Reset` reuse the builder's memory, so that nothing is allocated once it has grown. Not thread-safe.
[<Sealed>]
type BatchBuilder private (options: BatchOptions, limit: int, given: ArraySegment<byte>) =
    let limit = min limit Array.MaxLength
    let mutable options = options

    let mutable buffer: byte[] =
        match given.Array with
        | null -> Array.empty
        | array -> array

    // Where the batch begins in the buffer, and the end of the space that it may use, which lies beyond the buffer as long as that can grow.
    let mutable origin = given.Offset
    let mutable bound = given.Offset + limit
    let mutable position = given.Offset + At.Records
    // Records that end before this position are added without further checks. It is the bound or the end of the buffer, and 0 before the
    // first record and after the batch has been built.
    let mutable ready = 0
    let mutable count = 0
    let mutable lastOffsetDelta = -1
    let mutable baseTimestamp = 0L
    let mutable maxTimestamp = Int64.MinValue
    let mutable built = false
    // The memory to begin with: what the previous batch needed.
    let mutable expected = 1024L

    // The base offset leaves room for as many records as a batch can hold.
    let check (given: BatchOptions) =
        match BatchOptions.check (BatchOptions.LastPossibleOffset - int64 Int32.MaxValue) given with
        | Error fault -> raise (ArgumentOutOfRangeException("options", fault.ToString()))
        | Ok() -> ()

    do check options

    /// A builder with its own memory. The limit is the maximum size of the batch in bytes, header included.
    /// ArgumentOutOfRangeException if an option is out of range: a base offset that is negative or leaves no room for 2^31 offsets, a last
    /// offset before it or more than 2^31 - 1 after it, or a producer id, epoch or sequence below -1.
    new(options: BatchOptions, limit: int) = BatchBuilder(options, limit, ArraySegment<byte>())

    /// A builder with its own memory and the limit of the format, 2^31 - 1 bytes.
    new(options: BatchOptions) = BatchBuilder(options, Int32.MaxValue)

    /// A builder that uses the caller's memory: the batch lies at its start and takes at most all of it, and nothing is allocated for it. The
    /// memory can be used for something else when the batch is no longer needed. It must belong to an array (ArgumentException).
    new(options: BatchOptions, memory: Memory<byte>) =
        let given = BatchBuilder.ArrayBehind memory
        BatchBuilder(options, given.Count, given)

    static member private ArrayBehind(memory: Memory<byte>) : ArraySegment<byte> =
        match MemoryMarshal.TryGetArray(Memory.op_Implicit memory: ReadOnlyMemory<byte>) with
        | true, segment -> segment
        | _ -> raise (ArgumentException("A batch can be built only in memory that belongs to an array.", nameof memory))

    /// The number of records added.
    member _.Count = count

    /// The exact size of the batch so far in bytes, header included.
    member _.SizeInBytes = position - origin

    /// The maximum size of the batch in bytes, header included.
    member _.Limit = limit

    member private _.Grow(total: int) =
        let needed = int64 position + int64 total
        let size = min (max (max needed (2L * int64 buffer.Length)) expected) (max needed (int64 bound))
        let grown = GC.AllocateUninitializedArray<byte>(int size)
        Buffer.BlockCopy(buffer, 0, grown, 0, min position buffer.Length)
        buffer <- grown

    /// The exact size of a record after its length. Lengths are in their zig-zag form; `content` is the size of key, value and headers.
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

    /// Reserves memory for a record if it fits, when `Begin` cannot be sure that there is enough. The first record determines the base
    /// timestamp.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    member private this.MakeRoom
        (offsetDelta: int, timestamp: int64, keyLength: uint64, valueLength: uint64, headerCount: int, content: int64)
        : bool =
        if built then
            raise (InvalidOperationException "The batch has been built. Reset the builder to begin the next one.")

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

    /// Encodes a record up to its headers, if it fits together with them, and counts it. Returns the position of the headers, or -1.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member private this.Begin
        (offsetDelta: int, attributes: byte, timestamp: int64, key: NullableSpan, value: NullableSpan, headerCount: int, headersSize: int64)
        : int =
        // Taken apart here, so that the parts stay in registers.
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

            // The size of the length field is obvious unless the content's size is close to where it changes.
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

    /// Adds a record at a given offset relative to the base offset. Returns the position of its headers, or -1 if it does not fit.
    member internal this.AppendAt
        (offsetDelta: int, timestamp: int64, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>)
        : int =
        let at = this.Begin(offsetDelta, 0uy, timestamp, key, value, headers.Length, BatchBuilder.Size headers)
        if at >= 0 then this.Put(headers, at)
        at

    // Members that take spans are inlined into F# callers, and the members that they call return something else. So no caller, not even a
    // function that ends with adding a record, can make a tail call with spans as arguments. The compiler would mark such a call, and if the
    // arguments do not all fit into registers, the runtime passes them through memory that the garbage collector does not scan for spans: a
    // collection at that moment leaves them referring to the old location, and wrong bytes get into the batch.

    /// Called by `TryAdd`; -1 if the record does not fit.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    member this.Append(timestamp: int64, key: NullableSpan, value: NullableSpan) : int =
        this.Begin(lastOffsetDelta + 1, 0uy, timestamp, key, value, 0, 0L)

    /// Called by `TryAdd` with headers; -1 if the record does not fit.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    member this.Append(timestamp: int64, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>) : int =
        this.AppendAt(lastOffsetDelta + 1, timestamp, key, value, headers)

    /// Called by `Add`: throws if the record did not fit.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    member _.MustFit(at: int) : unit =
        if at < 0 then
            raise (InvalidOperationException("The record does not fit into the batch's limit of " + string limit + " bytes."))

    /// Adds a record without headers. Returns false and changes nothing if the batch would exceed the limit. The timestamp is in
    /// milliseconds since 1970-01-01 UTC; -1 for none.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member inline this.TryAdd(timestamp: int64, key: NullableSpan, value: NullableSpan) : bool = this.Append(timestamp, key, value) >= 0

    /// Adds a record with headers, in order. Returns false and changes nothing if the batch would exceed the limit.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member inline this.TryAdd(timestamp: int64, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>) : bool =
        this.Append(timestamp, key, value, headers) >= 0

    /// Adds a copy of another batch's record with everything except its offset. Returns false and changes nothing if the batch would exceed
    /// the limit. InvalidOperationException if the record lies in this builder's own memory.
    member this.TryAdd(record: inref<Record>) : bool =
        if Object.ReferenceEquals(record.Slots.Memory.Array, buffer) then
            raise (InvalidOperationException "The record lies in the memory of the builder that it is to be added to.")

        let headers = record.EncodedHeaders

        let at =
            this.Begin(
                lastOffsetDelta + 1,
                record.Attributes,
                record.Timestamp,
                record.Key,
                record.Value,
                record.HeaderCount,
                int64 headers.Length
            )

        if at >= 0 then headers.CopyTo(buffer.AsSpan at)
        at >= 0

    /// Adds a record with headers, in order. InvalidOperationException if it does not fit.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member inline this.Add(timestamp: int64, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>) : unit =
        this.MustFit(this.Append(timestamp, key, value, headers))

    /// Adds a record without headers. InvalidOperationException if it does not fit.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member inline this.Add(timestamp: int64, key: NullableSpan, value: NullableSpan) : unit =
        this.MustFit(this.Append(timestamp, key, value))

    /// Writes the header in front of the records.
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

    /// The finished batch as a view into the builder's memory: header and checksum are written, and no byte is copied. It is valid until
    /// `Reset`, which must come before the next record: until then nothing can be added, and building again gives the same batch. For callers
    /// that send the batch at once and reuse the memory; `Build` gives a batch that stays valid.
    /// InvalidOperationException if there are no records, because every broker refuses such a batch, or if there are records after the options'
    /// last offset.
    member this.BuildInPlace() : RecordBatch =
        if count = 0 then
            raise (InvalidOperationException "A batch needs at least one record.")

        match options.LastOffset with
        | ValueSome last when last - options.BaseOffset < int64 lastOffsetDelta ->
            raise (InvalidOperationException("The batch has records after its last offset, " + string last + "."))
        | ValueSome last -> this.Finish(options, int (last - options.BaseOffset))
        | ValueNone -> this.Finish(options, lastOffsetDelta)

    /// Discards the records, invalidates batches from `BuildInPlace`, and begins a batch with the same options.
    member _.Reset() : unit =
        position <- origin + At.Records
        count <- 0
        lastOffsetDelta <- -1
        maxTimestamp <- Int64.MinValue
        ready <- 0
        built <- false

    /// Discards the records, invalidates batches from `BuildInPlace`, and begins a batch with other options.
    member this.Reset(next: BatchOptions) : unit =
        check next
        options <- next
        this.Reset()

    /// The finished batch, which keeps the memory that it was built in: it stays valid, or, in the caller's memory, until the caller reuses
    /// that. No byte is copied. The builder begins the next batch, with the same options and limit and with new memory of its own.
    /// InvalidOperationException if there are no records, because every broker refuses such a batch, or if there are records after the options'
    /// last offset.
    member this.Build() : RecordBatch =
        let batch = this.BuildInPlace()
        expected <- min (int64 batch.SizeInBytes) (int64 limit)
        buffer <- Array.empty
        origin <- 0
        bound <- limit
        this.Reset()
        batch

/// Builds whole batches.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module BatchBuilder =

    /// Adds records one after another, each at its own offset, and returns the last offset delta.
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
            let fail field problem = Error(Fault.ofField ("Records[" + string index + "]" + field) builder.SizeInBytes problem)
            let highest = BatchOptions.farthest baseOffset
            let delta = record.Offset - baseOffset

            if record.Offset < 0L || delta <= before || record.Offset > highest then
                fail "/Offset" (Problem.OutOfRange(record.Offset, baseOffset + before + 1L, highest))
            else
                let headers = ReadOnlySpan<RecordHeader>(List.toArray record.Headers)

                if builder.AppendAt(int delta, record.Timestamp, record.Key, record.Value, headers) < 0 then
                    fail "" (Problem.TooLong(int64 Array.MaxLength + 1L, int64 Array.MaxLength))
                else
                    addAll builder baseOffset delta (index + 1) rest

    let private buildAll (options: BatchOptions) (records: RecordData list) : Result<RecordBatch, Fault> =
        // The builder requires room for more offsets than the batch may have here.
        let builder = BatchBuilder({ options with BaseOffset = 0L; LastOffset = ValueNone })

        addAll builder options.BaseOffset -1L 0 records
        |> Result.bind (fun lastRecord ->
            let last = ValueOption.defaultValue (options.BaseOffset + lastRecord) options.LastOffset
            let lowest = options.BaseOffset + max 0L lastRecord

            if last < lowest then
                let problem = Problem.OutOfRange(last, lowest, BatchOptions.farthest options.BaseOffset)
                Error(Fault.ofField "LastOffset" At.LastOffsetDelta problem)
            else
                Ok(builder.Finish(options, int (last - options.BaseOffset))))

    /// Builds the batch of records that already have offsets, which must ascend from the base offset and may leave gaps.
    ///
    /// With `BatchOptions.ofHeader` and the records of an uncompressed batch it gives the same bytes again; if that batch has LogAppendTime,
    /// take its records with `BatchRecords.WithCreateTime`. Faults: `OutOfRange` for an offset that is not above the one before it or does not
    /// fit into the batch, for a batch without records and without a last offset, and for a producer id, epoch or sequence below -1;
    /// `TooLong` for a batch that no array can hold.
    let build (options: BatchOptions) (records: RecordData list) : Result<RecordBatch, Fault> =
        BatchOptions.check BatchOptions.LastPossibleOffset options |> Result.bind (fun () -> buildAll options records)
