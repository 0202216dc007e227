namespace LibKafka.Client

open System

/// Memory that responses are read into, one after another. It grows to the size of the largest response and is then reused, so a caller that
/// keeps one allocates no memory per response. The parts of a response that refer to it (the batches of a fetch) are valid until the next call
/// that uses it. Use it for one call at a time.
[<Sealed>]
type ReceiveBuffer() =
    let mutable memory: byte[] = Array.empty

    /// The largest response that fits without growing, in bytes.
    member _.Capacity = memory.Length

    /// Memory for a response of this length, which the caller has checked against the limits.
    member internal _.Take(length: int) : ArraySegment<byte> =
        if length > memory.Length then
            let doubled = min (2L * int64 memory.Length) (int64 Array.MaxLength)
            memory <- GC.AllocateUninitializedArray<byte>(max length (int doubled))

        ArraySegment<byte>(memory, 0, length)
