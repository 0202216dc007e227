namespace LibKafka.Client

open System

/// Memory that answers are read into, one after the other. It grows to the largest of them and is used again for the next, so that a caller who
/// keeps one takes no memory for each answer. What an answer has of it (the batches of a fetch) is good until the next call
/// that is made with it. It is for one call at a time.
[<Sealed>]
type ReceiveBuffer() =
    let mutable memory: byte[] = Array.empty

    /// How large an answer it can take without growing, in bytes.
    member _.Capacity = memory.Length

    /// Memory for an answer of this length. Whoever asks has held the length against the limits.
    member internal _.Take(length: int) : ArraySegment<byte> =
        if length > memory.Length then
            let doubled = min (2L * int64 memory.Length) (int64 Array.MaxLength)
            memory <- GC.AllocateUninitializedArray<byte>(max length (int doubled))

        ArraySegment<byte>(memory, 0, length)
