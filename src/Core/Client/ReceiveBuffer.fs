namespace LibKafka.Client

open System
open LibKafka.Wire

/// Memory that responses are read into, one after another. It grows to the size of the largest response and is then reused, so a caller that
/// keeps one allocates no memory per response. The parts of a response that refer to it (the batches of a fetch) are valid until the next response
/// is read into it, or until `Release`: reading them after that raises an InvalidOperationException. Use it for one call at a time.
///
/// A buffer may get its memory from a function, such as that of a pool: it is called with the length of a response when the beginning of that
/// response has arrived, so a call that waits for a response holds no memory.
[<Sealed>]
type ReceiveBuffer private (rent: (int -> byte[]) voption) =
    let mutable memory: byte[] = Array.empty
    let mutable lent: LentMemory | null = null

    let endLoan () =
        match lent with
        | null -> ()
        | ended ->
            lent <- null
            ended.Return()

    /// A buffer with memory of its own.
    new() = ReceiveBuffer ValueNone

    /// A buffer with the memory that this function returns for a length: an array of that length or longer, which nothing else uses until
    /// `Release` returns it.
    new(rent: int -> byte[]) = ReceiveBuffer(ValueSome rent)

    /// The largest response that fits without more memory, in bytes.
    member _.Capacity = memory.Length

    /// Gives the memory up, and returns it: the next response gets other memory. Empty if there was none.
    member _.Release() : byte[] =
        endLoan ()
        let released = memory
        memory <- Array.empty
        released

    /// Memory for a response of this length, which the caller has checked against the limits. `origin` is what the response is about; null if
    /// that is not known.
    member internal _.Take(length: int, origin: obj | null) : LentMemory =
        endLoan ()

        if length > memory.Length then
            memory <-
                match rent with
                | ValueSome rent -> rent length
                | ValueNone ->
                    let doubled = min (2L * int64 memory.Length) (int64 Array.MaxLength)
                    GC.AllocateUninitializedArray<byte>(max length (int doubled))

        let taken = new LentMemory(memory, length, origin)
        lent <- taken
        taken
