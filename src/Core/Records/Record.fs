namespace LibKafka.Records

open System
open System.Collections.Generic
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open LibKafka.Wire

/// Thrown during iteration if a record is malformed although the batch's checksum is right. The rest of the batch cannot be read.
/// `BatchRecords.fold`, `RecordBatch.fold` and `RecordBatch.toList` return the fault as a value instead.
[<Sealed>]
type CorruptRecordException(fault: Fault) =
    inherit Exception(fault.ToString())

    /// The problem and its location. The path names the record and its field. The offset counts from the start of the batch, or of the
    /// record set if the batch was opened as an item of one; if the batch is compressed, from the start of its decompressed records.
    member _.Fault = fault

[<RequireQualifiedAccess>]
module internal CorruptRecord =

    /// Iterates over records, with the fault that it may throw as a value.
    let inline asFault ([<InlineIfLambda>] iterate: unit -> 'T) : Result<'T, Fault> =
        try
            Ok(iterate ())
        with :? CorruptRecordException as corrupt ->
            Error corrupt.Fault

/// The bytes of a record's key, a record's value or a header's value: either null, or any number of bytes, including zero. Null and empty
/// differ in Kafka: a null value is a tombstone. `default` is null. A span, memory, an array or a `Bytes` converts to it without a copy: an
/// empty span becomes empty, and a null array becomes null. It converts to a span, which is empty for null.
///
/// Declare an F# function that takes it, or a span, `inline`, or compile it with `<Tailcalls>false</Tailcalls>`: in a call that the compiler
/// marks as a tail call, .NET may hide span arguments from the garbage collector, and they may then refer to other bytes.
[<Struct; IsByRefLike; IsReadOnly; NoEquality; NoComparison>]
type NullableSpan =
    // Null is a span without a reference. An empty span without a reference is replaced by one that has a reference.
    val private content: ReadOnlySpan<byte>

    private new(content: ReadOnlySpan<byte>, _raw: bool) = { content = content }

    /// The bytes of the span; never null.
    new(span: ReadOnlySpan<byte>) = { content = if span.IsEmpty then ReadOnlySpan<byte>(Array.Empty<byte>()) else span }

    /// Whether it is null.
    member this.IsNull = Unsafe.IsNullRef(&MemoryMarshal.GetReference this.content)

    /// The bytes; empty for null.
    member this.Span: ReadOnlySpan<byte> = this.content

    /// The number of bytes; 0 for null.
    member this.Length = this.content.Length

    /// A copy of the bytes, or null.
    member this.ToArray() : byte[] | null = if this.IsNull then null else this.content.ToArray()

    /// The span of a record's bytes, or null.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    static member internal OfArray(buffer: byte[], start: int, length: int, isNull: bool) : NullableSpan =
        // A span within an array has a reference even if it is empty.
        if isNull then NullableSpan.Null else NullableSpan(ReadOnlySpan<byte>(buffer, start, length), true)

    /// The number of bytes, or -1 for null, in its zig-zag form.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member internal this.ZigZagLength() = if this.IsNull then 1UL else 2UL * uint64 this.content.Length

    /// Null.
    static member Null = NullableSpan(ReadOnlySpan<byte>(), true)

    /// The bytes; empty for null.
    static member op_Implicit(value: NullableSpan) : ReadOnlySpan<byte> = value.Span

    static member op_Implicit(span: ReadOnlySpan<byte>) : NullableSpan = NullableSpan span

    static member op_Implicit(memory: ReadOnlyMemory<byte>) : NullableSpan = NullableSpan memory.Span

    static member op_Implicit(memory: Nullable<ReadOnlyMemory<byte>>) : NullableSpan =
        if memory.HasValue then NullableSpan memory.Value.Span else NullableSpan.Null

    static member op_Implicit(bytes: Bytes) : NullableSpan = NullableSpan bytes.Span

    static member op_Implicit(bytes: Bytes voption) : NullableSpan =
        match bytes with
        | ValueSome bytes -> NullableSpan bytes.Span
        | ValueNone -> NullableSpan.Null

    static member op_Implicit(array: byte[] | null) : NullableSpan =
        match array with
        | null -> NullableSpan.Null
        | array -> NullableSpan(ReadOnlySpan<byte> array)

/// Copies of nullable spans.
[<RequireQualifiedAccess>]
module internal NullableBytes =

    // Inlined, because it takes a span.
    let inline copy (value: NullableSpan) : Bytes voption =
        match value.ToArray() with
        | null -> ValueNone
        | bytes -> ValueSome(Bytes bytes)

/// A header of a record: a name and bytes (KIP-82). Headers are ordered, and names may repeat.
[<Struct; NoComparison>]
type RecordHeader =
    {
        /// The name in UTF-8. It is not a string, so that a name that is not valid UTF-8 is written back as it was read.
        Key: Bytes
        /// The value; `ValueNone` is null, which differs from empty.
        Value: Bytes voption
    }

    /// The name as text.
    member this.Name = Bytes.toText this.Key

    /// Such as `trace=00ff` or `trace=null`.
    override this.ToString() =
        match this.Value with
        | ValueSome value -> this.Name + "=" + value.ToString()
        | ValueNone -> this.Name + "=null"

/// Makes headers.
[<RequireQualifiedAccess>]
module RecordHeader =

    /// A header with a value.
    let create (name: string) (value: Bytes) : RecordHeader = { Key = Bytes.ofString name; Value = ValueSome value }

    /// A header whose value is null.
    let withoutValue (name: string) : RecordHeader = { Key = Bytes.ofString name; Value = ValueNone }

/// A record as an independent value that shares no memory with a batch: for records that are kept, compared or constructed. `Record`, on
/// the hot path, is a view into its batch.
[<NoComparison>]
type RecordData =
    {
        /// The offset in the partition.
        Offset: int64
        /// Milliseconds since 1970-01-01 UTC, or -1 for none.
        Timestamp: int64
        /// `ValueNone` is null, which differs from empty.
        Key: Bytes voption
        /// `ValueNone` is null: a tombstone, which deletes the key in a compacted topic.
        Value: Bytes voption
        /// In order.
        Headers: RecordHeader list
    }

    override this.ToString() =
        let show (bytes: Bytes voption) =
            match bytes with
            | ValueSome bytes -> "0x" + bytes.ToString()
            | ValueNone -> "null"

        let headers =
            if List.isEmpty this.Headers then
                ""
            else
                " [" + (this.Headers |> List.map string |> String.concat ", ") + "]"

        string this.Offset + " @" + string this.Timestamp + " " + show this.Key + " -> " + show this.Value + headers

/// Reads varints with every check. It decides whether bytes are malformed: faster code leaves every unclear case to it. Positions and the
/// offsets of faults count from the start of the span.
[<RequireQualifiedAccess>]
module internal Scan =

    /// A zig-zag varint of at most five bytes.
    let varint (span: ReadOnlySpan<byte>) (position: byref<int>) : int = Varint.unZigZag32 (Varint.read32 span &position)

    /// A zig-zag varint of at most ten bytes.
    let varlong (span: ReadOnlySpan<byte>) (position: byref<int>) : int64 = Varint.unZigZag64 (Varint.read64 span &position)

    /// Reads a length and skips that many bytes. Returns the length, or -1 for null, and sets `start` to the first byte.
    let run (span: ReadOnlySpan<byte>) (position: byref<int>) (start: byref<int>) : int =
        let at = position
        let length = varint span &position

        if length < -1 then Fault.raise' (Problem.NegativeLength(int64 length)) at

        if length > span.Length - position then
            Fault.raise' (Problem.Truncated(int64 length, span.Length - position)) at

        start <- position
        position <- position + max 0 length
        length

    /// Skips one header and sets the positions of its parts. A value length of -1 is null.
    let header
        (span: ReadOnlySpan<byte>)
        (position: byref<int>)
        (keyStart: byref<int>)
        (keyLength: byref<int>)
        (valueStart: byref<int>)
        (valueLength: byref<int>)
        =
        let at = position
        keyLength <- run span &position &keyStart
        if keyLength < 0 then Fault.raise' Problem.NullNotAllowed at
        valueLength <- run span &position &valueStart

    /// Reads the number of headers, which is checked against the remaining bytes.
    let headerCount (span: ReadOnlySpan<byte>) (position: byref<int>) : int =
        let at = position
        let count = varint span &position
        if count < 0 then Fault.raise' (Problem.NegativeLength(int64 count)) at
        // A header takes at least two bytes.
        let most = (span.Length - position) / 2
        if count > most then
            Fault.raise' (Problem.CountTooLarge(int64 count, int64 most)) at
        count

    /// Skips the headers of a record.
    let headers (span: ReadOnlySpan<byte>) (position: byref<int>) (count: int) =
        let mutable start = 0
        let mutable length = 0

        for _ in 1..count do
            header span &position &start &length &start &length

    /// Where the header at `start` ends, or Int32.MaxValue if it is malformed.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    let afterHeader (buffer: byte[]) (start: int) (finish: int) : int =
        let mutable position = start

        try
            headers (ReadOnlySpan<byte>(buffer, 0, finish)) &position 1
            position
        with :? FaultException ->
            Int32.MaxValue

/// A header of a record in its batch's memory. It is valid as long as the record is.
[<Struct; IsReadOnly; NoEquality; NoComparison>]
type HeaderSlice internal (memory: LentMemory, keyStart: int, keyLength: int, valueStart: int, valueLength: int) =

    /// The name in UTF-8.
    member _.Key = ReadOnlySpan<byte>(memory.Array, keyStart, keyLength)

    /// The name in UTF-8.
    member _.KeyMemory = memory.Slice(keyStart, keyLength)

    /// The name as a new string. Invalid UTF-8 is replaced by U+FFFD.
    member _.Name = Text.Encoding.UTF8.GetString(memory.Array, keyStart, keyLength)

    /// Whether the value is not null. It may be empty.
    member _.HasValue = valueLength >= 0

    /// The value, which may be null.
    member _.Value = NullableSpan.OfArray(memory.Array, valueStart, valueLength, valueLength < 0)

    /// The value, which may be null.
    member _.ValueMemory: Nullable<ReadOnlyMemory<byte>> =
        if valueLength >= 0 then Nullable(memory.Slice(valueStart, valueLength)) else Nullable()

    member internal this.Copy() : RecordHeader = { Key = Bytes.ofSpan this.Key; Value = NullableBytes.copy this.Value }

    override this.ToString() = this.Copy().ToString()

/// The positions of a header's parts.
[<Struct; NoEquality; NoComparison>]
type internal HeaderSlots =
    {
        KeyStart: int
        KeyLength: int
        ValueStart: int
        /// -1 for null.
        ValueLength: int
        /// The position of the next header.
        Finish: int
    }

/// Iterates over the headers of a record in order. `for` and `foreach` over `Record.Headers` create it.
[<Struct; NoEquality; NoComparison>]
type HeaderEnumerator =
    val private memory: LentMemory
    val mutable private position: int
    val mutable private remaining: int
    val mutable private keyStart: int
    val mutable private keyLength: int
    val mutable private valueStart: int
    val mutable private valueLength: int

    internal new(memory: LentMemory, start: int, count: int) =
        { memory = memory; position = start; remaining = count; keyStart = 0; keyLength = 0; valueStart = 0; valueLength = 0 }

    /// The headers were checked with their record, so this fails only if the batch's memory has been overwritten since. The enumerator
    /// itself is not passed, so that its fields can stay in registers.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member private ReadCarefully(buffer: byte[], start: int) : HeaderSlots =
        try
            let mutable position = start
            let mutable keyStart = 0
            let mutable keyLength = 0
            let mutable valueStart = 0
            let mutable valueLength = 0
            Scan.header (ReadOnlySpan<byte> buffer) &position &keyStart &keyLength &valueStart &valueLength

            { KeyStart = keyStart; KeyLength = keyLength; ValueStart = valueStart; ValueLength = valueLength; Finish = position }
        with :? FaultException as fault ->
            raise (CorruptRecordException(Fault.ofField "Headers" fault.Offset fault.Problem))

    /// Moves to the next header; false after the last one.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member this.MoveNext() : bool =
        if this.remaining <= 0 then
            false
        else
            // A common header has a name and a value of less than 64 bytes.
            let buffer = this.memory.Array
            let keyStart = this.position + 1
            let key = if keyStart <= buffer.Length then int buffer[keyStart - 1] else 1
            let valueStart = keyStart + (key >>> 1) + 1
            let value = if valueStart <= buffer.Length then int buffer[valueStart - 1] else 1
            let finish = valueStart + (value >>> 1)

            if (key ||| value) &&& 0x81 <> 0 || finish > buffer.Length then
                let slots = HeaderEnumerator.ReadCarefully(buffer, this.position)
                this.keyStart <- slots.KeyStart
                this.keyLength <- slots.KeyLength
                this.valueStart <- slots.ValueStart
                this.valueLength <- slots.ValueLength
                this.position <- slots.Finish
            else
                this.keyStart <- keyStart
                this.keyLength <- key >>> 1
                this.valueStart <- valueStart
                this.valueLength <- value >>> 1
                this.position <- finish

            this.remaining <- this.remaining - 1
            true

    /// The current header.
    member this.Current = HeaderSlice(this.memory, this.keyStart, this.keyLength, this.valueStart, this.valueLength)

/// The headers of a record, in order.
[<Struct; IsReadOnly; NoEquality; NoComparison>]
type RecordHeaders internal (memory: LentMemory, start: int, count: int) =

    /// The number of headers.
    member _.Count = count

    member _.GetEnumerator() = HeaderEnumerator(memory, start, count)

    member internal this.Copy() : RecordHeader list =
        let headers = List<RecordHeader>(count)

        for header in this do
            headers.Add(header.Copy())

        List.ofSeq headers

/// The positions of a record's parts. It is separate from `Record` because the enumerator changes it in place, which a readonly struct
/// forbids: writing the reference to the memory again would cost a write barrier for every record. Numbers keep the zig-zag form that they
/// have on the wire until they are read.
[<Struct; NoEquality; NoComparison>]
type internal RecordSlots =
    val mutable Memory: LentMemory
    val mutable BaseOffset: int64
    /// Also the timestamp of every record if the batch has LogAppendTime.
    val mutable BaseTimestamp: int64
    /// 0 if the batch has LogAppendTime, which cancels each record's own timestamp; otherwise -1.
    val mutable DeltaMask: int64
    val mutable TimestampDelta: uint64
    val mutable OffsetDelta: uint32
    /// Where the record begins, after its length.
    val mutable Start: int
    val mutable KeyStart: int
    val mutable KeyLength: uint32
    val mutable ValueStart: int
    val mutable ValueLength: uint32
    val mutable HeadersStart: int
    val mutable HeaderCount: uint32

/// One record as a view into its batch's memory: nothing is copied or allocated. It is valid as long as that memory is: until a consumer's event
/// is handled, until the next use of the receive buffer, the codec buffer or the builder that owns the memory, and otherwise for ever. Reading
/// its key, value or headers after that raises an InvalidOperationException, except that the memory of a builder is not checked.
/// Source: Kafka documentation, section "Record".
[<Struct; IsReadOnly; NoEquality; NoComparison>]
type Record =
    val internal Slots: RecordSlots

    /// The offset in the partition.
    member this.Offset = this.Slots.BaseOffset + int64 (Varint.unZigZag32 this.Slots.OffsetDelta)

    /// Milliseconds since 1970-01-01 UTC, or -1 for none: the time at which the record was created, or, if the batch has LogAppendTime, at
    /// which the broker appended it.
    member this.Timestamp = this.Slots.BaseTimestamp + (Varint.unZigZag64 this.Slots.TimestampDelta &&& this.Slots.DeltaMask)

    /// The record's own attributes. No bit is assigned yet.
    member this.Attributes = this.Slots.Memory.Array[this.Slots.Start]

    /// Whether the key is not null. It may be empty.
    member this.HasKey = this.Slots.KeyLength <> 1u

    /// The key, which may be null.
    member this.Key =
        NullableSpan.OfArray(this.Slots.Memory.Array, this.Slots.KeyStart, int (this.Slots.KeyLength >>> 1), not this.HasKey)

    /// The key, which may be null.
    member this.KeyMemory: Nullable<ReadOnlyMemory<byte>> =
        if this.HasKey then
            Nullable(this.Slots.Memory.Slice(this.Slots.KeyStart, int (this.Slots.KeyLength >>> 1)))
        else
            Nullable()

    /// Whether the value is not null. It may be empty. A record whose value is null is a tombstone.
    member this.HasValue = this.Slots.ValueLength <> 1u

    /// The value, which may be null: then the record is a tombstone.
    member this.Value =
        NullableSpan.OfArray(this.Slots.Memory.Array, this.Slots.ValueStart, int (this.Slots.ValueLength >>> 1), not this.HasValue)

    /// The value, which may be null: then the record is a tombstone.
    member this.ValueMemory: Nullable<ReadOnlyMemory<byte>> =
        if this.HasValue then
            Nullable(this.Slots.Memory.Slice(this.Slots.ValueStart, int (this.Slots.ValueLength >>> 1)))
        else
            Nullable()

    /// The number of headers.
    member this.HeaderCount = int (this.Slots.HeaderCount >>> 1)

    /// The headers, in order.
    member this.Headers = RecordHeaders(this.Slots.Memory, this.Slots.HeadersStart, this.HeaderCount)

    /// The encoded headers, without their count.
    member internal this.EncodedHeaders =
        let mutable position = this.Slots.HeadersStart
        if this.HeaderCount > 0 then
            Scan.headers (ReadOnlySpan<byte> this.Slots.Memory.Array) &position this.HeaderCount

        ReadOnlySpan<byte>(this.Slots.Memory.Array, this.Slots.HeadersStart, position - this.Slots.HeadersStart)

    member internal this.Copy() : RecordData =
        { Offset = this.Offset
          Timestamp = this.Timestamp
          Key = NullableBytes.copy this.Key
          Value = NullableBytes.copy this.Value
          Headers = this.Headers.Copy() }

    override this.ToString() = this.Copy().ToString()

/// Records and headers as F# values. These are extensions, so that the views themselves have no member that only F# can use.
[<AutoOpen>]
module RecordValues =

    type HeaderSlice with

        /// A copy that shares no memory with the batch.
        member this.ToHeader() : RecordHeader = this.Copy()

    type RecordHeaders with

        /// Copies that share no memory with the batch.
        member this.ToList() : RecordHeader list = this.Copy()

    type Record with

        /// A copy that shares no memory with the batch.
        member this.ToData() : RecordData = this.Copy()
