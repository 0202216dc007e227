namespace LibKafka.Wire

open System
open System.Runtime.InteropServices
open System.Text

/// A run of bytes that does not change: a slice of memory that is compared by content. Decoded messages hold slices of the
/// frame they were read from, so taking a slice never copies; whoever makes one from an array of their own promises not to write
/// to that array again.
[<Struct; CustomEquality; CustomComparison>]
type Bytes =
    /// The bytes themselves.
    val Memory: ReadOnlyMemory<byte>

    new(memory: ReadOnlyMemory<byte>) = { Memory = memory }

    new(array: byte[]) = { Memory = ReadOnlyMemory<byte> array }

    /// The bytes as a span.
    member this.Span: ReadOnlySpan<byte> = this.Memory.Span

    /// How many bytes there are.
    member this.Length = this.Memory.Length

    /// `count` bytes from `start` on, without copying.
    member this.Slice(start: int, count: int) = Bytes(this.Memory.Slice(start, count))

    /// A fresh array with the same content.
    member this.ToArray() = this.Memory.ToArray()

    interface IEquatable<Bytes> with
        member this.Equals other = this.Span.SequenceEqual other.Span

    interface IComparable<Bytes> with
        member this.CompareTo other = this.Span.SequenceCompareTo other.Span

    interface IComparable with
        member this.CompareTo other =
            match other with
            | :? Bytes as bytes -> this.Span.SequenceCompareTo bytes.Span
            | _ -> 1

    override this.Equals other =
        match other with
        | :? Bytes as bytes -> this.Span.SequenceEqual bytes.Span
        | _ -> false

    override this.GetHashCode() =
        let mutable hash = HashCode()
        hash.AddBytes this.Span
        hash.ToHashCode()

    /// Lower-case hexadecimal digits, cut after 32 bytes.
    override this.ToString() =
        if this.Length <= 32 then
            Convert.ToHexStringLower this.Span
        else
            Convert.ToHexStringLower(this.Span.Slice(0, 32)) + "… (" + string this.Length + " bytes)"

/// Making and taking apart `Bytes`.
[<RequireQualifiedAccess>]
module Bytes =

    /// No bytes.
    let empty = Bytes(Array.empty<byte>)

    /// A copy of the array's content.
    let ofArray (array: byte[]) = Bytes(Array.copy array)

    /// A copy of the span's content.
    // Inlined, so that no caller makes a tail call with a span, which the garbage collector may not see.
    let inline ofSpan (span: ReadOnlySpan<byte>) = Bytes(span.ToArray())

    /// The text in UTF-8.
    let ofString (text: string) = Bytes(Encoding.UTF8.GetBytes text)

    /// The bytes that pairs of hexadecimal digits name.
    let ofHex (hex: string) = Bytes(Convert.FromHexString hex)

    /// All of the bytes as lower-case hexadecimal digits.
    let toHex (bytes: Bytes) = Convert.ToHexStringLower bytes.Span

    /// The bytes read as UTF-8; what is not valid UTF-8 becomes U+FFFD.
    let toText (bytes: Bytes) = Encoding.UTF8.GetString bytes.Span

    /// The array segment behind the bytes, or a copy where the memory is not an array's.
    let internal segment (bytes: Bytes) : ArraySegment<byte> =
        match MemoryMarshal.TryGetArray bytes.Memory with
        | true, segment when not (isNull segment.Array) -> segment
        | _ -> ArraySegment<byte>(bytes.ToArray())
