namespace LibKafka.Records

open System
open System.Collections.Generic
open System.Diagnostics.CodeAnalysis
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open LibKafka.Wire

/// Thrown while records are iterated, where one of them is malformed although the batch's checksum is right. Nothing behind it in the
/// batch can be read. `RecordView.fold` and `RecordBatch.toList` give its fault as a value in place of throwing.
[<Sealed>]
type CorruptRecordException(fault: Fault) =
    inherit Exception(fault.ToString())

    /// What is wrong and where: the path names the record, and the offset counts from the start of the batch, or of its decompressed
    /// records where it is compressed.
    member _.Fault = fault

/// Bytes for a record's key, a record's value or a header's value: either null or a run of bytes, which may be empty. Null and empty
/// are different things in Kafka: a null value is a tombstone. `default` is null; a span, an array or a `Bytes` converts to it without
/// being copied, an empty span to empty and a null array to null.
///
/// An F# function that takes it, or a span, is best `inline`, or compiled with `<Tailcalls>false</Tailcalls>`: in a call that the compiler
/// marks as a tail call, .NET may not let the garbage collector see spans among the arguments, and they can come to point at other bytes.
[<Struct; IsByRefLike; IsReadOnly; NoEquality; NoComparison>]
type NullableSpan =
    // A null reference stands for null; an empty span that is given is replaced by one with a reference.
    val private content: ReadOnlySpan<byte>

    private new(content: ReadOnlySpan<byte>, _raw: bool) = { content = content }

    /// The bytes; never null.
    new(span: ReadOnlySpan<byte>) = { content = if span.IsEmpty then ReadOnlySpan<byte>(Array.Empty<byte>()) else span }

    /// Whether it is null.
    member this.IsNull = Unsafe.IsNullRef(&MemoryMarshal.GetReference this.content)

    /// The bytes; none for null.
    member this.Span: ReadOnlySpan<byte> = this.content

    /// The number of bytes, or -1 for null, in its zig-zag form.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member internal this.ZigZagLength() = if this.IsNull then 1UL else 2UL * uint64 this.content.Length

    /// No bytes and not empty either.
    static member Null = NullableSpan(ReadOnlySpan<byte>(), true)

    static member op_Implicit(span: ReadOnlySpan<byte>) : NullableSpan = NullableSpan span

    static member op_Implicit(memory: ReadOnlyMemory<byte>) : NullableSpan = NullableSpan memory.Span

    static member op_Implicit(bytes: Bytes) : NullableSpan = NullableSpan bytes.Span

    static member op_Implicit(bytes: Bytes voption) : NullableSpan =
        match bytes with
        | ValueSome bytes -> NullableSpan bytes.Span
        | ValueNone -> NullableSpan.Null

    static member op_Implicit(array: byte[] | null) : NullableSpan =
        match array with
        | null -> NullableSpan.Null
        | array -> NullableSpan(ReadOnlySpan<byte> array)

/// A header of a record: a name and bytes (KIP-82). Headers keep their order, and a name may stand twice.
[<Struct; NoComparison>]
type RecordHeader =
    {
        /// The name in UTF-8. Bytes and not a string, so that what was read is written back the same even where it is not valid UTF-8.
        Key: Bytes
        /// The value; `ValueNone` is null, which is not empty.
        Value: Bytes voption
    }

    /// The name as text.
    member this.Name = Bytes.toText this.Key

    /// As in `trace=00ff` or `trace=null`.
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

/// A record as a value of its own that shares no memory with a batch: for records that are kept, compared or made by hand. The hot
/// path has `Record`, which only looks into its batch.
[<NoComparison>]
type RecordData =
    {
        /// The record's place in its partition.
        Offset: int64
        /// Milliseconds since 1970-01-01 UTC, or -1 for none.
        Timestamp: int64
        /// `ValueNone` is null, which is not empty.
        Key: Bytes voption
        /// `ValueNone` is null: a tombstone, which in a compacted topic removes what the key stood for.
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

/// Reads varints with every check there is. It is what decides whether bytes are malformed; faster code beside it must give way to it
/// wherever it is not sure. Positions, and the offsets of faults, count from the start of the span.
[<RequireQualifiedAccess>]
module internal Scan =

    /// A zig-zag varint of at most five bytes.
    let varint (span: ReadOnlySpan<byte>) (position: byref<int>) : int = Varint.unZigZag32 (Varint.read32 span &position)

    /// A zig-zag varint of at most ten bytes.
    let varlong (span: ReadOnlySpan<byte>) (position: byref<int>) : int64 = Varint.unZigZag64 (Varint.read64 span &position)

    /// The length of a run of bytes, or -1 for null, and goes behind the run, whose start it gives through `start`.
    let run (span: ReadOnlySpan<byte>) (position: byref<int>) (start: byref<int>) : int =
        let at = position
        let length = varint span &position

        if length < -1 then Fault.raise' (Problem.NegativeLength(int64 length)) at

        if length > span.Length - position then
            Fault.raise' (Problem.Truncated(int64 length, span.Length - position)) at

        start <- position
        position <- position + max 0 length
        length

    /// Goes behind one header, giving where its parts are; a value's length of -1 is null.
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

    /// Goes behind the headers of a record.
    let headers (span: ReadOnlySpan<byte>) (position: byref<int>) (count: int) =
        let mutable start = 0
        let mutable length = 0

        for _ in 1..count do
            header span &position &start &length &start &length

    /// Where the header ends that begins there, or Int32.MaxValue where it is malformed.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    let behindHeader (buffer: byte[]) (start: int) (finish: int) : int =
        let mutable position = start

        try
            headers (ReadOnlySpan<byte>(buffer, 0, finish)) &position 1
            position
        with :? FaultException ->
            Int32.MaxValue

/// A header of a record in its batch's memory. Whatever bounds the life of the record's bytes bounds the header's.
[<Struct; IsReadOnly; NoEquality; NoComparison>]
type HeaderSlice internal (buffer: byte[], keyStart: int, keyLength: int, valueStart: int, valueLength: int) =

    /// The name in UTF-8.
    member _.Key = ReadOnlySpan<byte>(buffer, keyStart, keyLength)

    /// The name in UTF-8.
    member _.KeyMemory = ReadOnlyMemory<byte>(buffer, keyStart, keyLength)

    /// The name as a new string; what is not valid UTF-8 becomes U+FFFD.
    member _.Name = Text.Encoding.UTF8.GetString(buffer, keyStart, keyLength)

    /// Whether there is a value, be it empty; otherwise it is null.
    member _.HasValue = valueLength >= 0

    /// The value; no bytes where it is null.
    member _.Value = ReadOnlySpan<byte>(buffer, valueStart, max 0 valueLength)

    /// The value; no bytes where it is null.
    member _.ValueMemory = ReadOnlyMemory<byte>(buffer, valueStart, max 0 valueLength)

    member internal this.Copy() : RecordHeader =
        { Key = Bytes.ofSpan this.Key; Value = if this.HasValue then ValueSome(Bytes.ofSpan this.Value) else ValueNone }

    override this.ToString() = this.Copy().ToString()

/// Where a header's parts are.
[<Struct; NoEquality; NoComparison>]
type internal HeaderSlots =
    {
        KeyStart: int
        KeyLength: int
        ValueStart: int
        /// -1 for null.
        ValueLength: int
        /// Where the next header begins.
        Finish: int
    }

/// Walks the headers of a record in order. Made by `for` or `foreach` over `Record.Headers`.
[<Struct; NoEquality; NoComparison>]
type HeaderEnumerator =
    val private buffer: byte[]
    val mutable private position: int
    val mutable private remaining: int
    val mutable private keyStart: int
    val mutable private keyLength: int
    val mutable private valueStart: int
    val mutable private valueLength: int

    internal new(buffer: byte[], start: int, count: int) =
        { buffer = buffer; position = start; remaining = count; keyStart = 0; keyLength = 0; valueStart = 0; valueLength = 0 }

    /// The headers were checked with their record; this can only fail where somebody wrote over the batch's memory since. The enumerator
    /// itself is not handed over, so that its fields can stay in registers.
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
            raise (CorruptRecordException(Fault.at fault.Offset fault.Problem))

    /// Goes to the next header; false behind the last one.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member this.MoveNext() : bool =
        if this.remaining <= 0 then
            false
        else
            // The common header has a name and a value of less than 64 bytes.
            let buffer = this.buffer
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

    /// The header gone to.
    member this.Current = HeaderSlice(this.buffer, this.keyStart, this.keyLength, this.valueStart, this.valueLength)

/// The headers of a record, in order.
[<Struct; IsReadOnly; NoEquality; NoComparison>]
type RecordHeaders internal (buffer: byte[], start: int, count: int) =

    /// How many there are.
    member _.Count = count

    member _.GetEnumerator() = HeaderEnumerator(buffer, start, count)

    member internal this.Copy() : RecordHeader list =
        let headers = List<RecordHeader>(count)

        for header in this do
            headers.Add(header.Copy())

        List.ofSeq headers

/// Where a record's parts are. Apart from `Record` only because the enumerator has to change it in place, which a readonly struct
/// forbids: writing the buffer's reference again for every record would cost a write barrier each time. Numbers stay in the zig-zag
/// form that they have on the wire until somebody asks for them.
[<Struct; NoEquality; NoComparison>]
type internal RecordSlots =
    val mutable Buffer: byte[]
    val mutable BaseOffset: int64
    /// Also the timestamp of every record, where the broker appended them.
    val mutable BaseTimestamp: int64
    /// 0 where the broker appended the records, which takes away each one's own timestamp; otherwise -1.
    val mutable DeltaMask: int64
    val mutable TimestampDelta: uint64
    val mutable OffsetDelta: uint32
    /// Where the record begins, behind its length.
    val mutable Start: int
    val mutable KeyStart: int
    val mutable KeyLength: uint32
    val mutable ValueStart: int
    val mutable ValueLength: uint32
    val mutable HeadersStart: int
    val mutable HeaderCount: uint32

/// One record, looking into the memory of its batch: nothing is copied, and nothing is allocated. It is good as long as that memory
/// is: for ever where the batch was received or built for keeping, until its next use where the memory is a builder's or a codec
/// buffer's. Source: Kafka documentation, section "Record".
[<Struct; IsReadOnly; NoEquality; NoComparison>]
type Record =
    val internal Slots: RecordSlots

    /// The record's place in its partition.
    member this.Offset = this.Slots.BaseOffset + int64 (Varint.unZigZag32 this.Slots.OffsetDelta)

    /// Milliseconds since 1970-01-01 UTC, or -1 for none: when the record was made, or, where the batch says LogAppendTime, when the
    /// broker appended it.
    member this.Timestamp = this.Slots.BaseTimestamp + (Varint.unZigZag64 this.Slots.TimestampDelta &&& this.Slots.DeltaMask)

    /// The record's own attributes byte. No bit of it has a meaning so far.
    member this.Attributes = this.Slots.Buffer[this.Slots.Start]

    /// Whether there is a key, be it empty; otherwise it is null.
    member this.HasKey = this.Slots.KeyLength <> 1u

    /// The key; no bytes where it is null.
    member this.Key = ReadOnlySpan<byte>(this.Slots.Buffer, this.Slots.KeyStart, int (this.Slots.KeyLength >>> 1))

    /// The key; no bytes where it is null.
    member this.KeyMemory = ReadOnlyMemory<byte>(this.Slots.Buffer, this.Slots.KeyStart, int (this.Slots.KeyLength >>> 1))

    /// The key with null and empty kept apart, as a builder takes it.
    member this.NullableKey = if this.HasKey then NullableSpan this.Key else NullableSpan.Null

    /// Whether there is a value, be it empty; otherwise it is null and the record is a tombstone.
    member this.HasValue = this.Slots.ValueLength <> 1u

    /// The value; no bytes where it is null.
    member this.Value = ReadOnlySpan<byte>(this.Slots.Buffer, this.Slots.ValueStart, int (this.Slots.ValueLength >>> 1))

    /// The value; no bytes where it is null.
    member this.ValueMemory = ReadOnlyMemory<byte>(this.Slots.Buffer, this.Slots.ValueStart, int (this.Slots.ValueLength >>> 1))

    /// The value with null and empty kept apart, as a builder takes it.
    member this.NullableValue = if this.HasValue then NullableSpan this.Value else NullableSpan.Null

    /// How many headers there are.
    member this.HeaderCount = int (this.Slots.HeaderCount >>> 1)

    /// The headers, in order.
    member this.Headers = RecordHeaders(this.Slots.Buffer, this.Slots.HeadersStart, this.HeaderCount)

    /// The headers as they are encoded, without their count.
    member internal this.EncodedHeaders =
        let mutable position = this.Slots.HeadersStart
        if this.HeaderCount > 0 then
            Scan.headers (ReadOnlySpan<byte> this.Slots.Buffer) &position this.HeaderCount

        ReadOnlySpan<byte>(this.Slots.Buffer, this.Slots.HeadersStart, position - this.Slots.HeadersStart)

    member internal this.Copy() : RecordData =
        { Offset = this.Offset
          Timestamp = this.Timestamp
          Key = if this.HasKey then ValueSome(Bytes.ofSpan this.Key) else ValueNone
          Value = if this.HasValue then ValueSome(Bytes.ofSpan this.Value) else ValueNone
          Headers = this.Headers.Copy() }

    override this.ToString() = this.Copy().ToString()

/// Records and headers as F# values. They are extensions, so that the views themselves have nothing that only F# knows how to use.
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
