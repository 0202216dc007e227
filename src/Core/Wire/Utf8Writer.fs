namespace LibKafka.Wire

open System
open System.Buffers
open System.Buffers.Text
open System.Globalization
open System.Text

/// A growing buffer of UTF-8 text. It can be cleared and reused with its memory.
[<Sealed>]
type Utf8Writer(capacity: int) =
    let mutable buffer: byte[] = Array.zeroCreate (max 16 capacity)
    let mutable position = 0

    let grow (size: int) =
        let needed = int64 position + int64 size

        if needed > int64 Array.MaxLength then
            raise (OutOfMemoryException("Text of " + string needed + " bytes does not fit in an array."))

        Array.Resize(&buffer, int (min (max needed (2L * int64 buffer.Length)) (int64 Array.MaxLength)))

    /// Makes room for `size` more bytes.
    let reserve (size: int) = if size > buffer.Length - position then grow size

    /// The number of bytes written so far.
    member _.Length = position

    /// The text. It is valid until the next write.
    member _.Written: ReadOnlyMemory<byte> = ReadOnlyMemory<byte>(buffer, 0, position)

    /// Discards the text and keeps the memory.
    member _.Clear() = position <- 0

    member _.Byte(value: byte) =
        reserve 1
        buffer[position] <- value
        position <- position + 1

    /// Text that is UTF-8 already.
    member _.Utf8(text: ReadOnlySpan<byte>) =
        reserve text.Length
        text.CopyTo(Span<byte>(buffer, position, text.Length))
        position <- position + text.Length

    member _.Text(text: string) =
        reserve (Encoding.UTF8.GetMaxByteCount text.Length)
        let mutable size = 0

        if Ascii.FromUtf16(text.AsSpan(), buffer.AsSpan position, &size) <> OperationStatus.Done then
            size <- Encoding.UTF8.GetBytes(text.AsSpan(), buffer.AsSpan position)

        position <- position + size

    member _.Integer(value: int64) =
        reserve 20

        // Most numbers of messages are of one digit.
        if uint64 value < 10UL then
            buffer[position] <- '0'B + byte value
            position <- position + 1
        else
            let mutable size = 0
            value.TryFormat(buffer.AsSpan position, &size) |> ignore
            position <- position + size

    /// A finite number.
    member _.Float64(value: float) =
        let mutable size = 0
        reserve 32
        value.TryFormat(buffer.AsSpan position, &size, ReadOnlySpan(), CultureInfo.InvariantCulture) |> ignore
        position <- position + size

    member _.Base64(bytes: ReadOnlySpan<byte>) =
        reserve (Base64.GetMaxEncodedToUtf8Length bytes.Length)
        let mutable consumed, size = 0, 0
        Base64.EncodeToUtf8(bytes, buffer.AsSpan position, &consumed, &size) |> ignore
        position <- position + size

    /// URL-safe base64 without padding.
    member _.Base64Url(bytes: ReadOnlySpan<byte>) =
        reserve (Base64Url.GetEncodedLength bytes.Length)
        position <- position + Base64Url.EncodeToUtf8(bytes, buffer.AsSpan position)

    /// For writers of other formats.
    interface IBufferWriter<byte> with
        member _.Advance(count) = position <- position + count

        member _.GetMemory(sizeHint) =
            reserve (max 1 sizeHint)
            buffer.AsMemory position

        member _.GetSpan(sizeHint) =
            reserve (max 1 sizeHint)
            buffer.AsSpan position
