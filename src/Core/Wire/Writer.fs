namespace LibKafka.Wire

open System
open System.Buffers.Binary
open System.Text

/// Bytes that a writer did not copy: their position in the output, and the position in the writer's own buffer at which they are inserted.
[<Struct>]
type internal Apart = { Start: int; Before: int; Content: Bytes }

/// A growing buffer into which values are encoded. It can be cleared and reused with its memory. Blobs, such as the records of a partition, of at
/// least `apartFrom` bytes are not copied but referenced until the writer is cleared: `Segments` has them in their places.
[<Sealed>]
type Writer(capacity: int, apartFrom: int) =
    let mutable buffer: byte[] = Array.zeroCreate (max 16 capacity)
    let mutable position = 0
    let mutable trail: Trail | null = null

    // The latest first.
    let mutable apart: Apart list = []
    let mutable apartLength = 0
    let mutable sized = 0
    let mutable blobStart: byte[] | null = null

    let rec dropFrom (length: int) =
        match apart with
        | last :: others when last.Start >= length ->
            apart <- others
            apartLength <- apartLength - last.Content.Length
            dropFrom length
        | _ -> ()

    // A lone surrogate is a fault; it is not replaced.
    static let utf8 = UTF8Encoding(false, true)

    /// A writer that copies all its input.
    new(capacity) = Writer(capacity, Int32.MaxValue)

    /// The number of bytes written so far.
    member _.Length = position + apartLength

    /// The output of a writer that copies all its input. The span is valid until the next write.
    member _.Written: ReadOnlySpan<byte> =
        if not apart.IsEmpty then
            raise (InvalidOperationException "Some blobs were not copied, so the output is in several segments.")

        ReadOnlySpan<byte>(buffer, 0, position)

    /// The output as a segment of the writer's own buffer. It is valid until the next write.
    member internal _.Segment = ArraySegment<byte>(buffer, 0, position)

    /// The output in consecutive segments: parts of the writer's own buffer, and between them the blobs that were not copied. They are valid
    /// until the next write.
    member _.Segments: ArraySegment<byte> list =
        let mutable finish = position
        let mutable segments = []

        for piece in apart do
            let next = ArraySegment<byte>(buffer, piece.Before, finish - piece.Before)
            segments <- Bytes.segment piece.Content :: next :: segments
            finish <- piece.Before

        ArraySegment<byte>(buffer, 0, finish) :: segments

    /// A copy of the output.
    member this.ToBytes() : Bytes =
        let all = GC.AllocateUninitializedArray<byte> this.Length
        let mutable at = 0

        for segment in this.Segments do
            segment.AsSpan().CopyTo(all.AsSpan at)
            at <- at + segment.Count

        Bytes all

    /// Discards the output and keeps the memory.
    member this.Clear() =
        blobStart <- null
        this.Truncate 0

    /// What the next blob begins with, in place of as many of its own bytes. The rest of the blob is written from where it is.
    member internal _.BlobStart
        with set (bytes: byte[] | null) = blobStart <- bytes

    /// Discards the output after the first `length` bytes.
    member internal _.Truncate(length: int) =
        dropFrom length
        position <- length - apartLength
        sized <- 0

    member internal _.Trail
        with get () = trail
        and set value = trail <- value

    member internal _.Fail(problem: Problem) : 'T = Fault.raise' problem (position + apartLength)

    member private this.Grow(size: int) =
        let needed = int64 position + int64 size

        if needed > int64 Array.MaxLength then
            this.Fail(Problem.TooLong(needed, int64 Array.MaxLength))

        let doubled = min (int64 buffer.Length * 2L) (int64 Array.MaxLength)
        Array.Resize(&buffer, int (max needed doubled))

    /// Reserves `size` more bytes and returns their position.
    member private this.Take(size: int) : int =
        if size > buffer.Length - position then this.Grow size

        let at = position
        position <- at + size
        at

    // `Take` may replace the buffer, so it comes before any access to the buffer.
    member private this.Byte(value: byte) =
        let at = this.Take 1
        buffer[at] <- value

    member this.Int8(value: int8) = this.Byte(byte value)

    member this.Int16(value: int16) =
        let at = this.Take 2
        BinaryPrimitives.WriteInt16BigEndian(Span<byte>(buffer, at, 2), value)

    member this.UInt16(value: uint16) =
        let at = this.Take 2
        BinaryPrimitives.WriteUInt16BigEndian(Span<byte>(buffer, at, 2), value)

    member this.Int32(value: int32) =
        let at = this.Take 4
        BinaryPrimitives.WriteInt32BigEndian(Span<byte>(buffer, at, 4), value)

    member this.UInt32(value: uint32) =
        let at = this.Take 4
        BinaryPrimitives.WriteUInt32BigEndian(Span<byte>(buffer, at, 4), value)

    member this.Int64(value: int64) =
        let at = this.Take 8
        BinaryPrimitives.WriteInt64BigEndian(Span<byte>(buffer, at, 8), value)

    member this.Float64(value: float) =
        let at = this.Take 8
        BinaryPrimitives.WriteDoubleBigEndian(Span<byte>(buffer, at, 8), value)

    member this.Uuid(value: Guid) =
        let at = this.Take 16
        value.TryWriteBytes(Span<byte>(buffer, at, 16), true) |> fst |> ignore

    member this.UnsignedVarint(value: uint32) =
        let mutable rest = value

        while rest >= 0x80u do
            this.Byte(byte (rest ||| 0x80u))
            rest <- rest >>> 7

        this.Byte(byte rest)

    member this.UnsignedVarlong(value: uint64) =
        let mutable rest = value

        while rest >= 0x80UL do
            this.Byte(byte (rest ||| 0x80UL))
            rest <- rest >>> 7

        this.Byte(byte rest)

    /// The bytes without a length.
    member this.Raw(bytes: ReadOnlySpan<byte>) =
        let at = this.Take bytes.Length
        bytes.CopyTo(Span<byte>(buffer, at, bytes.Length))

    // Large blobs are not copied but referenced until the writer is cleared.
    member private this.Append(bytes: Bytes) =
        if bytes.Length < apartFrom || sized > 0 then
            this.Raw bytes.Span
        else
            if int64 this.Length + int64 bytes.Length > int64 Array.MaxLength then
                this.Fail(Problem.TooLong(int64 this.Length + int64 bytes.Length, int64 Array.MaxLength))

            apart <- { Start = this.Length; Before = position; Content = bytes } :: apart
            apartLength <- apartLength + bytes.Length

    /// The bytes without a length. Large ones are not copied but referenced until the writer is cleared.
    member internal this.Blob(bytes: Bytes) =
        match blobStart with
        | null -> this.Append bytes
        | start ->
            blobStart <- null
            this.Raw(ReadOnlySpan start)
            this.Append(bytes.Slice(start.Length, bytes.Length - start.Length))

    /// The length of bytes or the count of an array: an int32, or its compact form. -1 means null.
    member internal this.WriteLength(compact: bool, length: int) =
        if compact then this.UnsignedVarint(uint32 (length + 1)) else this.Int32 length

    /// The length of a string: an int16, or its compact form. -1 means null. Both allow at most 32,767 bytes.
    member internal this.WriteStringLength(compact: bool, length: int) =
        if length > int Int16.MaxValue then
            this.Fail(Problem.TooLong(int64 length, int64 Int16.MaxValue))

        if compact then this.UnsignedVarint(uint32 (length + 1)) else this.Int16(int16 length)

    /// A string, preceded by its length.
    member internal this.Text(compact: bool, text: string) =
        if Object.ReferenceEquals(text, null) then this.Fail Problem.NullNotAllowed

        let length =
            try
                utf8.GetByteCount text
            with :? EncoderFallbackException ->
                this.Fail Problem.BadUtf8

        this.WriteStringLength(compact, length)
        let at = this.Take length
        utf8.GetBytes(text.AsSpan(), Span<byte>(buffer, at, length)) |> ignore

    /// Reserves one byte for the size of the tagged field that follows. Returns a mark for `EndSized`.
    member internal this.BeginSized() : int =
        sized <- sized + 1
        this.Take 1

    /// Inserts the size of the bytes written since `BeginSized`. They are moved if the size takes more than the reserved byte.
    member internal this.EndSized(mark: int) =
        sized <- sized - 1
        let size = position - mark - 1
        let extra = Varint.size32 (uint32 size) - 1

        if extra > 0 then
            this.Take extra |> ignore
            Buffer.BlockCopy(buffer, mark + 1, buffer, mark + 1 + extra, size)

        let finish = position
        position <- mark
        this.UnsignedVarint(uint32 size)
        position <- finish

    /// Overwrites four bytes of the output with an int32. They must come before any blob that was not copied.
    member internal _.PatchInt32(at: int, value: int32) = BinaryPrimitives.WriteInt32BigEndian(Span<byte>(buffer, at, 4), value)
