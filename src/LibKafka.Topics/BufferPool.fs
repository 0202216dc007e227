namespace LibKafka.Topics

open System
open System.Collections.Generic

/// Memory for responses that is used again and again. `most` bounds the bytes that are kept for later.
[<Sealed>]
type internal BufferPool(most: int64) =
    let free = List<byte[]>()
    let mutable kept = 0L

    static let step = 1024 * 1024

    // Sizes that differ little from response to response use the same memory.
    static let rounded (length: int) : int =
        if length <= 4096 then 4096
        elif length <= step then int (Numerics.BitOperations.RoundUpToPowerOf2(uint32 length))
        else int (min (int64 Array.MaxLength) ((int64 length + int64 step - 1L) / int64 step * int64 step))

    let takeAt (index: int) : byte[] =
        let memory = free[index]
        free[index] <- free[free.Count - 1]
        free.RemoveAt(free.Count - 1)
        kept <- kept - int64 memory.Length
        memory

    // The smallest that is large enough; otherwise the largest.
    let isBetter (length: int) (candidate: int) (best: int) : bool =
        if candidate >= length then best < length || candidate < best else best < length && candidate > best

    let best (length: int) : int =
        let mutable found = -1

        for index in 0 .. free.Count - 1 do
            if found < 0 || isBetter length free[index].Length free[found].Length then
                found <- index

        found

    /// The bytes that are kept for later.
    member _.Kept = kept

    /// Memory of at least this length. If none is large enough, new memory takes the place of the largest that is kept.
    member _.Rent(length: int) : byte[] =
        let index = best length
        let found = if index < 0 then Array.empty else takeAt index
        if found.Length >= length then found else GC.AllocateUninitializedArray<byte>(rounded length)

    /// Gives memory back.
    member _.Return(memory: byte[]) =
        if memory.Length > 0 && kept + int64 memory.Length <= most then
            free.Add memory
            kept <- kept + int64 memory.Length
