namespace LibKafka.Client

open System

/// Memory that responses are read into, one after another. It grows to the size of the largest response and is then reused, so a caller that
/// keeps one allocates no memory per response. The parts of a response that refer to it (the batches of a fetch) are valid until the next call
/// that uses it. Use it for one call at a time.
///
/// A buffer may get its memory from a function, such as that of a pool: it is called with the length of a response when the beginning of that
/// response has arrived, so a call that waits for a response holds no memory.
[<Sealed>]
type ReceiveBuffer private (rent: (int -> byte[]) voption) =
    let mutable memory: byte[] = Array.empty

    /// A buffer with memory of its own.
    new() = ReceiveBuffer ValueNone

    /// A buffer with the memory that this function returns for a length: an array of that length or longer, which nothing else uses until
    /// `Release` returns it.
    new(rent: int -> byte[]) = ReceiveBuffer(ValueSome rent)

    /// The largest response that fits without more memory, in bytes.
    member _.Capacity = memory.Length

    /// Gives the memory up, and returns it: the next response gets other memory. Empty if there was none.
    member _.Release() : byte[] =
        let released = memory
        memory <- Array.empty
        released

    /// Memory for a response of this length, which the caller has checked against the limits.
    member internal _.Take(length: int) : ArraySegment<byte> =
        if length > memory.Length then
            memory <-
                match rent with
                | ValueSome rent -> rent length
                | ValueNone ->
                    let doubled = min (2L * int64 memory.Length) (int64 Array.MaxLength)
                    GC.AllocateUninitializedArray<byte>(max length (int doubled))

        ArraySegment<byte>(memory, 0, length)
