namespace LibKafka.Wire

/// Sizes and the zig-zag mapping of the protocol's variable-length integers: seven bits a byte, least significant group first, the top
/// bit set on every byte but the last. Source: protocol guide, section "Protocol Primitive Types".
[<RequireQualifiedAccess>]
module Varint =

    open System.Numerics

    /// Longest form of a 32-bit value, in bytes.
    [<Literal>]
    let MaxBytes32 = 5

    /// Longest form of a 64-bit value, in bytes.
    [<Literal>]
    let MaxBytes64 = 10

    /// Maps numbers of small magnitude, whatever their sign, to small unsigned ones: 0, -1, 1, -2 become 0, 1, 2, 3.
    let inline zigZag32 (value: int32) : uint32 = uint32 ((value <<< 1) ^^^ (value >>> 31))

    /// Undoes `zigZag32`.
    let inline unZigZag32 (value: uint32) : int32 = int32 (value >>> 1) ^^^ -(int32 (value &&& 1u))

    /// Maps numbers of small magnitude, whatever their sign, to small unsigned ones.
    let inline zigZag64 (value: int64) : uint64 = uint64 ((value <<< 1) ^^^ (value >>> 63))

    /// Undoes `zigZag64`.
    let inline unZigZag64 (value: uint64) : int64 = int64 (value >>> 1) ^^^ -(int64 (value &&& 1UL))

    /// Bytes that the plain (unsigned) form of the value takes: 1 to 5.
    let inline size32 (value: uint32) : int = (BitOperations.Log2(value ||| 1u) * 9 + 73) >>> 6

    /// Bytes that the plain (unsigned) form of the value takes: 1 to 10.
    let inline size64 (value: uint64) : int = (BitOperations.Log2(value ||| 1UL) * 9 + 73) >>> 6
