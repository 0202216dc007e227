namespace LibKafka.Wire

open System
open System.ComponentModel
open System.Numerics
open System.Runtime.CompilerServices
open System.Runtime.InteropServices
open System.Runtime.Intrinsics
open System.Runtime.Intrinsics.X86

/// The checksum of record batches: CRC-32C as in iSCSI (RFC 3720, appendix B.4), with the reflected Castagnoli polynomial 0x1EDC6F41 and
/// inverted register and result. Processors compute it in hardware.
///
/// All variants give the same sums. They differ in the processor features that they need and in the length from which they are fastest.
/// In this module a *register* is the running sum before its final inversion, so one variant can continue the sum of another.
[<RequireQualifiedAccess>]
module Crc32C =

    /// The reflected polynomial without its leading bit.
    [<Literal>]
    let private Polynomial = 0x82F63B78u

    /// The tables for processors without the instruction, built on first use.
    [<AbstractClass; Sealed>]
    type private Tables private () =
        static let tables = Lazy<uint32[]>(fun () -> CrcTables.make Polynomial)
        static member All = tables.Value

    /// Works on every processor.
    let internal portable (register: uint32) (span: ReadOnlySpan<byte>) : uint32 = CrcTables.append Tables.All register span

    /// One instruction for eight bytes, each waiting for the previous one. It is worthwhile with SSE 4.2 or the Armv8 checksum instructions.
    let internal instruction (register: uint32) (span: ReadOnlySpan<byte>) : uint32 =
        let origin = &MemoryMarshal.GetReference span
        let mutable sum = register
        let mutable at = 0

        while at <= span.Length - 8 do
            sum <- BitOperations.Crc32C(sum, Unsafe.ReadUnaligned<uint64>(&Unsafe.Add(&origin, at)))
            at <- at + 8

        while at < span.Length do
            sum <- BitOperations.Crc32C(sum, Unsafe.Add(&origin, at))
            at <- at + 1

        sum

    /// Multiplies a sum by a power of x, as if zero bits followed the summed bytes; the factor determines how many. The product of two
    /// reflected 32-bit values has one bit less than 64, and its reduction multiplies by x^32 again, hence factors are x^(bits - 33).
    let inline private shift (sum: uint32) (factor: uint64) : uint64 =
        Pclmulqdq.CarrylessMultiply(Vector128.CreateScalar(uint64 sum), Vector128.CreateScalar factor, 0uy).ToScalar()

    /// Whether this processor can run `streams`.
    let internal hasStreams () = Sse42.X64.IsSupported && Pclmulqdq.IsSupported

    /// Sums three runs of `length` bytes in parallel, because the instruction has a latency of three cycles, and joins the sums.
    let inline private threeRuns (origin: byref<byte>) (register: uint32) (length: int) (byTwo: uint64) (byOne: uint64) : uint32 =
        let mutable first = uint64 register
        let mutable second = 0UL
        let mutable third = 0UL
        let mutable at = 0

        while at < length do
            first <- Sse42.X64.Crc32(first, Unsafe.ReadUnaligned<uint64>(&Unsafe.Add(&origin, at)))
            second <- Sse42.X64.Crc32(second, Unsafe.ReadUnaligned<uint64>(&Unsafe.Add(&origin, at + length)))
            third <- Sse42.X64.Crc32(third, Unsafe.ReadUnaligned<uint64>(&Unsafe.Add(&origin, at + 2 * length)))
            at <- at + 8

        let joined = shift (uint32 first) byTwo ^^^ shift (uint32 second) byOne
        uint32 (Sse42.X64.Crc32(0UL, joined)) ^^^ uint32 third

    /// Needs SSE 4.2 and carry-less multiplication.
    let internal streams (register: uint32) (span: ReadOnlySpan<byte>) : uint32 =
        let origin = &MemoryMarshal.GetReference span
        let mutable sum = register
        let mutable at = 0

        while at <= span.Length - 3 * 2048 do
            sum <- threeRuns (&Unsafe.Add(&origin, at)) sum 2048 0x82F89C77UL 0xA51B6135UL
            at <- at + 3 * 2048

        while at <= span.Length - 3 * 256 do
            sum <- threeRuns (&Unsafe.Add(&origin, at)) sum 256 0xDD7E3B0CUL 0xB9E02B86UL
            at <- at + 3 * 256

        instruction sum (span.Slice at)

    /// Whether this processor can run `folding`.
    let internal hasFolding () = Sse42.X64.IsSupported && Pclmulqdq.V512.IsSupported

    let inline private load (origin: byref<byte>) (at: int) = Unsafe.ReadUnaligned<Vector512<uint64>>(&Unsafe.Add(&origin, at))

    let inline private repeat (low: uint64) (high: uint64) = Vector512.Create(low, high, low, high, low, high, low, high)

    /// Moves a sum past the bytes that follow and adds them. The low halves of 128 bits move 64 bits further than the high ones.
    let inline private fold (sum: Vector512<uint64>) (factors: Vector512<uint64>) (next: Vector512<uint64>) : Vector512<uint64> =
        Pclmulqdq.V512.CarrylessMultiply(sum, factors, 0x00uy)
        ^^^ Pclmulqdq.V512.CarrylessMultiply(sum, factors, 0x11uy)
        ^^^ next

    /// Needs SSE 4.2, carry-less multiplication of 512 bits, and at least 256 bytes. Four sums of 64 bytes each take turns over the bytes. At
    /// the end they are folded into one of 64 bytes, then into one of 16, and the sum of those 16 bytes is the sum of the whole. Moving
    /// by n bits takes the factors x^(n + 32) and x^(n - 32), reflected and shifted left by one.
    let internal folding (register: uint32) (span: ReadOnlySpan<byte>) : uint32 =
        let origin = &MemoryMarshal.GetReference span
        let by256Bytes = repeat 0xDCB17AA4UL 0xB9E02B86UL
        let by64Bytes = repeat 0x740EEF02UL 0x9E4ADDF8UL
        // The four quarters of 64 bytes are 48, 32, 16 and 0 bytes before the last of them.
        let toLast =
            Vector512.Create(0x1C291D04UL, 0x1D82C63DAUL, 0x1384AA63AUL, 0xBA4FC28EUL, 0xF20C0DFEUL, 0x14CD00BD6UL, 0UL, 0UL)

        let mutable sum0 = load &origin 0 ^^^ Vector512.CreateScalar(uint64 register)
        let mutable sum1 = load &origin 64
        let mutable sum2 = load &origin 128
        let mutable sum3 = load &origin 192
        let mutable at = 256

        while at <= span.Length - 256 do
            sum0 <- fold sum0 by256Bytes (load &origin at)
            sum1 <- fold sum1 by256Bytes (load &origin (at + 64))
            sum2 <- fold sum2 by256Bytes (load &origin (at + 128))
            sum3 <- fold sum3 by256Bytes (load &origin (at + 192))
            at <- at + 256

        let mutable sum = fold (fold (fold sum0 by64Bytes sum1) by64Bytes sum2) by64Bytes sum3

        while at <= span.Length - 64 do
            sum <- fold sum by64Bytes (load &origin at)
            at <- at + 64

        let last = sum &&& Vector512.Create(0UL, 0UL, 0UL, 0UL, 0UL, 0UL, UInt64.MaxValue, UInt64.MaxValue)
        let moved = fold sum toLast last
        let half = moved.GetLower() ^^^ moved.GetUpper()
        let quarter = half.GetLower() ^^^ half.GetUpper()
        let upper = Sse42.X64.Crc32(Sse42.X64.Crc32(0UL, quarter.ToScalar()), quarter.GetElement 1)
        instruction (uint32 upper) (span.Slice at)

    /// From this length in bytes, joining several sums costs less than waiting for one.
    [<Literal>]
    let private WorthJoining = 256

    /// Selects the variant for this processor. Called by `append` and `compute`. The JIT compiler knows the processor's features, so the
    /// feature tests cost nothing at run time.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    let run (register: uint32) (span: ReadOnlySpan<byte>) : uint32 =
        if Sse42.IsSupported || Arm.Crc32.IsSupported then
            if span.Length < WorthJoining then instruction register span
            elif hasFolding () then folding register span
            elif hasStreams () then streams register span
            else instruction register span
        else
            portable register span

    /// The product of two reflected polynomials, reduced. The highest bit is the coefficient of x^0.
    let private product (one: uint32) (other: uint32) : uint32 =
        let mutable factor = other
        let mutable sum = 0u

        for bit in 31..-1..0 do
            if one &&& (1u <<< bit) <> 0u then sum <- sum ^^^ factor

            factor <- if factor &&& 1u <> 0u then (factor >>> 1) ^^^ Polynomial else factor >>> 1

        sum

    /// The factors that move a sum past 2^n zero bytes, for n from 0 to 30.
    [<AbstractClass; Sealed>]
    type private Powers private () =
        // The value, its square, the square of that, and so on.
        static let squares (count: int) (square: uint32 -> uint32) (first: uint32) : uint32[] =
            List.scan (fun value _ -> square value) first [ 2..count ] |> Array.ofList

        // x^8, and its squares.
        static let plain = Lazy<uint32[]>(fun () -> squares 31 (fun value -> product value value) 0x00800000u)

        // For a multiplication whose reduction adds x^33 (see `shift`): x^(64 - 33), for 8 bytes, and so on.
        static let shifted =
            Lazy<uint32[]>(fun () -> squares 28 (fun value -> uint32 (Sse42.X64.Crc32(0UL, shift value (uint64 value)))) 1u)

        static member Plain = plain.Value
        static member Shifted = shifted.Value

    /// Works on every processor. See `pastZeros`.
    let internal pastZerosPortable (register: uint32) (count: int) : uint32 =
        let powers = Powers.Plain
        let mutable sum = register

        for n in 0..30 do
            if count &&& (1 <<< n) <> 0 then sum <- product sum powers[n]

        sum

    /// Needs what `streams` needs. See `pastZeros`.
    let internal pastZerosInHardware (register: uint32) (count: int) : uint32 =
        let powers = Powers.Shifted
        let mutable sum = register

        for _ in 1 .. count &&& 7 do
            sum <- BitOperations.Crc32C(sum, 0uy)

        for n in 3..30 do
            if count &&& (1 <<< n) <> 0 then
                sum <- uint32 (Sse42.X64.Crc32(0UL, shift sum (uint64 powers[n - 3])))

        sum

    /// A register after so many zero bytes, in a time that grows with the logarithm of their count. The checksums of two runs of bytes that differ
    /// only at the beginning differ by what this makes of the difference between the checksums of their beginnings.
    let internal pastZeros (register: uint32) (count: int) : uint32 =
        if hasStreams () then pastZerosInHardware register count else pastZerosPortable register count

    // Both are inlined, because a tail call with a span may hide the span from the garbage collector.

    /// The checksum of bytes that follow others with the checksum `crc`. `append 0u` equals `compute`.
    let inline append (crc: uint32) (span: ReadOnlySpan<byte>) : uint32 = ~~~(run (~~~crc) span)

    /// The checksum of the bytes.
    let inline compute (span: ReadOnlySpan<byte>) : uint32 = append 0u span
