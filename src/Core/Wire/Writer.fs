namespace LibKafka.Wire

open System
open System.Buffers.Binary
open System.Text

/// Bytes that a writer did not copy: where they stand in what was written, and before which byte of the writer's own buffer.
[<Struct>]
type internal Apart = { Start: int; Before: int; Content: Bytes }

/// A growing buffer that values are encoded into. It can be cleared and used again, keeping its memory.
[<Sealed>]
type Writer internal (capacity: int, apartFrom: int) =
    let mutable buffer: byte[] = Array.zeroCreate (max 16 capacity)
    let mutable position = 0
    let mutable trail: Trail | null = null

    // The latest first.
    let mutable apart: Apart list = []
    let mutable apartLength = 0
    let mutable sized = 0

    let rec dropFrom (length: int) =
        match apart with
        | last :: others when last.Start >= length ->
            apart <- others
            apartLength <- apartLength - last.Content.Length
            dropFrom length
        | _ -> ()

    // Strict: a lone surrogate is a fault, not a replacement character.
    static let utf8 = UTF8Encoding(false, true)

    /// A writer that copies whatever it is given.
    new(capacity) = Writer(capacity, Int32.MaxValue)

    /// Bytes written so far.
    member _.Length = position + apartLength

    /// What has been written. The span is good until the next write.
    member _.Written: ReadOnlySpan<byte> = ReadOnlySpan<byte>(buffer, 0, position)

    /// What has been written, as a segment of the writer's own buffer. It is good until the next write.
    member internal _.Segment = ArraySegment<byte>(buffer, 0, position)

    /// What has been written, in pieces one behind the other: of the writer's own buffer, and between them blobs as they were given. They are
    /// good until the next write.
    member internal _.Segments: ArraySegment<byte> list =
        let mutable finish = position
        let mutable segments = []

        for piece in apart do
            let behind = ArraySegment<byte>(buffer, piece.Before, finish - piece.Before)
            segments <- Bytes.segment piece.Content :: behind :: segments
            finish <- piece.Before

        ArraySegment<byte>(buffer, 0, finish) :: segments

    /// A copy of what has been written.
    member _.ToBytes() : Bytes = Bytes(buffer.AsSpan(0, position).ToArray())

    /// Forgets what has been written and keeps the memory.
    member this.Clear() = this.Truncate 0

    /// Forgets what has been written from `length` on.
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

    /// Room for `size` more bytes, already counted as written.
    member private this.Take(size: int) : int =
        if size > buffer.Length - position then this.Grow size

        let at = position
        position <- at + size
        at

    // The room is taken before the buffer is looked at: taking it may put a larger buffer in its place.
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

    /// The bytes as they are, without a length.
    member this.Raw(bytes: ReadOnlySpan<byte>) =
        let at = this.Take bytes.Length
        bytes.CopyTo(Span<byte>(buffer, at, bytes.Length))

    /// The bytes as they are, without a length: copied, or from a size on that is worth it kept as they are until the writer is cleared.
    member internal this.Blob(bytes: Bytes) =
        if bytes.Length < apartFrom || sized > 0 then
            this.Raw bytes.Span
        else
            if int64 this.Length + int64 bytes.Length > int64 Array.MaxLength then
                this.Fail(Problem.TooLong(int64 this.Length + int64 bytes.Length, int64 Array.MaxLength))

            apart <- { Start = this.Length; Before = position; Content = bytes } :: apart
            apartLength <- apartLength + bytes.Length

    /// The length of bytes or the count of an array: an int32, or its compact form. -1 stands for null.
    member internal this.WriteLength(compact: bool, length: int) =
        if compact then this.UnsignedVarint(uint32 (length + 1)) else this.Int32 length

    /// The length of a string: an int16, or its compact form. -1 stands for null. Both forms end at 32,767 bytes.
    member internal this.WriteStringLength(compact: bool, length: int) =
        if length > int Int16.MaxValue then
            this.Fail(Problem.TooLong(int64 length, int64 Int16.MaxValue))

        if compact then this.UnsignedVarint(uint32 (length + 1)) else this.Int16(int16 length)

    /// A string with its length before it.
    member internal this.Text(compact: bool, text: string) =
        let length =
            try
                utf8.GetByteCount text
            with :? EncoderFallbackException ->
                this.Fail Problem.BadUtf8

        this.WriteStringLength(compact, length)
        let at = this.Take length
        utf8.GetBytes(text.AsSpan(), Span<byte>(buffer, at, length)) |> ignore

    /// Keeps room for the size of the tagged field that is written next. What comes back is for `EndSized`.
    member internal this.BeginSized() : int =
        sized <- sized + 1
        this.Take 1

    /// Puts the size of what was written since `BeginSized` before it, moving it where the size takes more than the one byte kept.
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

    /// Writes an int32 over four bytes that were written before, and before any blob that was not copied.
    member internal _.PatchInt32(at: int, value: int32) = BinaryPrimitives.WriteInt32BigEndian(Span<byte>(buffer, at, 4), value)
