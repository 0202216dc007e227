namespace LibKafka.Wire

open System
open System.Runtime.InteropServices
open System.Text

/// An immutable sequence of bytes: a slice of memory with structural equality. Slicing never copies, and decoded messages hold slices of the
/// frame that they were read from. Do not modify an array after making `Bytes` from it.
[<Struct; CustomEquality; CustomComparison>]
type Bytes =
    /// The memory of the bytes.
    val Memory: ReadOnlyMemory<byte>

    new(memory: ReadOnlyMemory<byte>) = { Memory = memory }

    new(array: byte[]) = { Memory = ReadOnlyMemory<byte> array }

    /// The bytes as a span.
    member this.Span: ReadOnlySpan<byte> = this.Memory.Span

    /// The number of bytes.
    member this.Length = this.Memory.Length

    /// The `count` bytes that start at `start`, without copying.
    member this.Slice(start: int, count: int) = Bytes(this.Memory.Slice(start, count))

    /// A new array with the same content.
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

    /// Lower-case hexadecimal digits, truncated after 32 bytes.
    override this.ToString() =
        if this.Length <= 32 then
            Convert.ToHexStringLower this.Span
        else
            Convert.ToHexStringLower(this.Span.Slice(0, 32)) + "… (" + string this.Length + " bytes)"

/// Conversions to and from `Bytes`.
[<RequireQualifiedAccess>]
module Bytes =

    /// No bytes.
    let empty = Bytes(Array.empty<byte>)

    /// A copy of the array's content.
    let ofArray (array: byte[]) = Bytes(Array.copy array)

    /// A copy of the span's content.
    // Inlined, because a tail call with a span may hide the span from the garbage collector.
    let inline ofSpan (span: ReadOnlySpan<byte>) = Bytes(span.ToArray())

    /// The UTF-8 form of the text.
    let ofString (text: string) = Bytes(Encoding.UTF8.GetBytes text)

    /// The bytes of pairs of hexadecimal digits.
    let ofHex (hex: string) = Bytes(Convert.FromHexString hex)

    /// All bytes as lower-case hexadecimal digits.
    let toHex (bytes: Bytes) = Convert.ToHexStringLower bytes.Span

    /// The bytes as UTF-8 text. Invalid UTF-8 becomes U+FFFD.
    let toText (bytes: Bytes) = Encoding.UTF8.GetString bytes.Span

    /// The array segment that holds the bytes, or a copy if the memory does not belong to an array.
    let internal segment (bytes: Bytes) : ArraySegment<byte> =
        match MemoryMarshal.TryGetArray bytes.Memory with
        | true, segment when not (isNull segment.Array) -> segment
        | _ -> ArraySegment<byte>(bytes.ToArray())
