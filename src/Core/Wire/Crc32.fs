namespace LibKafka.Wire

open System
open System.Buffers.Binary
open System.ComponentModel

/// Reflected cyclic redundancy checks with lookup tables for eight bytes at a time. A *register* is the running sum before its final
/// inversion.
[<RequireQualifiedAccess>]
module internal CrcTables =

    /// Eight tables of 256 sums for a reflected polynomial without its leading bit.
    let make (polynomial: uint32) : uint32[] =
        let next (sum: uint32) = if sum &&& 1u <> 0u then (sum >>> 1) ^^^ polynomial else sum >>> 1

        let all = Array.zeroCreate<uint32>(8 * 256)

        for value in 0..255 do
            all[value] <- Seq.fold (fun sum _ -> next sum) (uint32 value) (seq { 1..8 })

        // Entry `value` of table t is the sum of that byte followed by t zero bytes.
        for at in 256 .. all.Length - 1 do
            let before = all[at - 256]
            all[at] <- (before >>> 8) ^^^ all[int (before &&& 0xFFu)]

        all

    /// The register after the bytes.
    let append (tables: uint32[]) (register: uint32) (span: ReadOnlySpan<byte>) : uint32 =
        let inline look (table: int) (value: uint32) = tables[(table <<< 8) + int (value &&& 0xFFu)]
        let mutable sum = register
        let mutable rest = span

        while rest.Length >= 8 do
            let low = BinaryPrimitives.ReadUInt32LittleEndian rest ^^^ sum
            let high = BinaryPrimitives.ReadUInt32LittleEndian(rest.Slice 4)

            sum <-
                look 7 low
                ^^^ look 6 (low >>> 8)
                ^^^ look 5 (low >>> 16)
                ^^^ look 4 (low >>> 24)
                ^^^ look 3 high
                ^^^ look 2 (high >>> 8)
                ^^^ look 1 (high >>> 16)
                ^^^ look 0 (high >>> 24)

            rest <- rest.Slice 8

        for value in rest do
            sum <- (sum >>> 8) ^^^ look 0 (sum ^^^ uint32 value)

        sum

/// The checksum of messages with magic 0 and 1, the formats before record batches: CRC-32 as in Ethernet and gzip, with the reflected
/// polynomial 0x04C11DB7 and inverted register and result (RFC 1952, section 8).
[<RequireQualifiedAccess>]
module Crc32 =

    let private tables = CrcTables.make 0xEDB88320u

    /// The register after the bytes. Called by `compute`.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    let run (span: ReadOnlySpan<byte>) : uint32 = CrcTables.append tables UInt32.MaxValue span

    /// The checksum of the bytes.
    // Inlined, because a tail call with a span may hide the span from the garbage collector.
    let inline compute (span: ReadOnlySpan<byte>) : uint32 = ~~~(run span)
