namespace LibKafka.Wire

open System
open System.Buffers
open System.Runtime.InteropServices

/// The exception for memory that was returned.
[<RequireQualifiedAccess>]
module internal LentMemoryFault =

    // It only raises an exception, which the JIT compiler recognizes: its callers save no registers for it.
    let refuse (origin: obj | null) : byte[] =
        raise (
            InvalidOperationException(
                "These bytes"
                + (if isNull origin then "" else " of " + string origin)
                + " are no longer valid: their memory may be in use again. What a consumer returns is valid until the next Poll, or until Handled "
                + "after Keep. What was read into a ReceiveBuffer or a CodecBuffer is valid until the next use of that buffer. Copy what you keep "
                + "longer, for example with ToArray."
            )
        )

/// Memory that records and other bytes refer to. If it is used again later, such as that of a receive buffer, it is lent: reading it after it was
/// returned raises an InvalidOperationException, so that a record that is kept too long is noticed and does not show other bytes.
///
/// `origin` is what the bytes were received from, such as a topic partition; null if it is not known.
[<Sealed>]
type internal LentMemory private (bytes: byte[], length: int, isLent: bool, origin: obj | null) =
    inherit MemoryManager<byte>()

    // Null after it was returned, so that reading a record costs no more than this reference. It is not volatile: another thread may have a span
    // of the memory in any case.
    let mutable valid: byte[] | null = bytes
    let mutable dependent: LentMemory | null = null

    /// Memory that is never used again.
    new(bytes: byte[]) = new LentMemory(bytes, bytes.Length, false, null)

    /// The first bytes of memory that is lent.
    new(bytes: byte[], length: int, origin: obj | null) = new LentMemory(bytes, length, true, origin)

    /// What the bytes were received from; null if it is not known.
    member _.Origin = origin

    /// The memory that was last filled from this one, for which the same rule holds: it is returned together with this one.
    member _.Dependent
        with set (value: LentMemory) = dependent <- value

    /// From now on, reading it raises an exception.
    member _.Return() : unit =
        valid <- null

        match dependent with
        | null -> ()
        | dependent -> dependent.Return()

    /// The array, in which the bytes begin at 0. InvalidOperationException if the memory was returned.
    member _.Array: byte[] =
        match valid with
        | null -> LentMemoryFault.refuse origin
        | valid -> valid

    /// The bytes as a part of the array.
    member this.Segment = ArraySegment<byte>(this.Array, 0, length)

    /// A part of the bytes, which is checked each time it is read.
    member this.Slice(start: int, count: int) : ReadOnlyMemory<byte> =
        let array = this.Array

        if isLent then
            Memory<byte>.op_Implicit(this.CreateMemory(start, count))
        else
            ReadOnlyMemory<byte>(array, start, count)

    override this.GetSpan() : Span<byte> = Span<byte>(this.Array, 0, length)

    override this.Pin(elementIndex: int) : MemoryHandle = Memory<byte>(this.Array, 0, length).Slice(elementIndex).Pin()

    override _.Unpin() = ()

    override this.TryGetArray(segment: byref<ArraySegment<byte>>) : bool =
        segment <- this.Segment
        true

    override _.Dispose(_: bool) = ()

/// Bytes that may be lent.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module internal LentMemory =

    /// InvalidOperationException if it was returned.
    let inline check (memory: LentMemory | null) : unit =
        match memory with
        | null -> ()
        | memory -> memory.Array |> ignore

    /// Bytes of the array, which is that of the lent memory if there is one.
    let slice (memory: LentMemory | null) (array: byte[]) (start: int) (count: int) : ReadOnlyMemory<byte> =
        match memory with
        | null -> ReadOnlyMemory<byte>(array, start, count)
        | memory -> memory.Slice(start, count)

    /// The lent memory that the bytes are a part of; null if they are not.
    let owning (bytes: Bytes) : LentMemory | null =
        let mutable owner: LentMemory | null = null
        if MemoryMarshal.TryGetMemoryManager<byte, LentMemory>(bytes.Memory, &owner) then owner else null
