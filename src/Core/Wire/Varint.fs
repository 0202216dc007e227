namespace LibKafka.Wire

/// Variable-length integers: seven bits in each byte, the least significant group first, and the top bit set in every byte but the last.
/// Signed values are mapped to unsigned ones first (zig-zag). Source: protocol guide, section "Protocol Primitive Types".
[<RequireQualifiedAccess>]
module Varint =

    open System
    open System.Numerics

    /// The longest form of a 32-bit value, in bytes.
    [<Literal>]
    let MaxBytes32 = 5

    /// The longest form of a 64-bit value, in bytes.
    [<Literal>]
    let MaxBytes64 = 10

    /// Maps signed numbers of small magnitude to small unsigned numbers: 0, -1, 1, -2 become 0, 1, 2, 3.
    let inline zigZag32 (value: int32) : uint32 = uint32 ((value <<< 1) ^^^ (value >>> 31))

    /// The inverse of `zigZag32`.
    let inline unZigZag32 (value: uint32) : int32 = int32 (value >>> 1) ^^^ -(int32 (value &&& 1u))

    /// Maps signed numbers of small magnitude to small unsigned numbers.
    let inline zigZag64 (value: int64) : uint64 = uint64 ((value <<< 1) ^^^ (value >>> 63))

    /// The inverse of `zigZag64`.
    let inline unZigZag64 (value: uint64) : int64 = int64 (value >>> 1) ^^^ -(int64 (value &&& 1UL))

    /// The size of an unsigned value, in bytes: 1 to 5.
    let inline size32 (value: uint32) : int = (BitOperations.Log2(value ||| 1u) * 9 + 73) >>> 6

    /// The size of an unsigned value, in bytes: 1 to 10.
    let inline size64 (value: uint64) : int = (BitOperations.Log2(value ||| 1UL) * 9 + 73) >>> 6

    /// Reads at most `longest` bytes, the last of which is at most `last`, and moves the position to the byte after them.
    // Inlined, because a tail call with a span may hide the span from the garbage collector.
    let inline private read (longest: int) (last: byte) (span: ReadOnlySpan<byte>) (position: byref<int>) : uint64 =
        let mutable value = 0UL
        let mutable size = 0
        let mutable more = true

        while more do
            if position >= span.Length then Fault.raise' (Problem.Truncated(1L, 0)) position

            let group = span[position]

            if size = longest - 1 && group > last then
                Fault.raise' (Problem.BadVarint longest) position

            value <- value ||| (uint64 (group &&& 0x7Fuy) <<< (7 * size))
            size <- size + 1
            position <- position + 1
            more <- group >= 0x80uy

        value

    // Positions, and the offsets of faults, count from the start of the span.

    /// Reads an unsigned 32-bit value at a position and moves the position to the byte after it. The fifth byte has room for four bits.
    let internal read32 (span: ReadOnlySpan<byte>) (position: byref<int>) : uint32 = uint32 (read MaxBytes32 0x0Fuy span &position)

    /// Reads an unsigned 64-bit value at a position and moves the position to the byte after it. The tenth byte has room for one bit.
    let internal read64 (span: ReadOnlySpan<byte>) (position: byref<int>) : uint64 = read MaxBytes64 1uy span &position
