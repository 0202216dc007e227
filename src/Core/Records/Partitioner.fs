namespace LibKafka.Records

open System
open System.Buffers.Binary
open System.ComponentModel

/// Chooses the partition of a record by its key as the Java client does, so that all clients write records with the same key to the same
/// partition.
[<RequireQualifiedAccess>]
module Partitioner =

    // The multiplier of MurmurHash2 and the seed that Kafka's Java client uses.
    let private seed = 0x9747b28cu
    let private multiplier = 0x5bd1e995u

    let private mix (word: uint32) : uint32 =
        let word = word * multiplier
        (word ^^^ (word >>> 24)) * multiplier

    /// Called by `murmur2`: the hash as an unsigned number.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    let hash (key: ReadOnlySpan<byte>) : uint32 =
        let mutable rest = key
        let mutable hash = seed ^^^ uint32 key.Length

        while rest.Length >= 4 do
            hash <- (hash * multiplier) ^^^ mix (BinaryPrimitives.ReadUInt32LittleEndian rest)
            rest <- rest.Slice 4

        if rest.Length > 0 then
            for i in rest.Length - 1 .. -1 .. 0 do
                hash <- hash ^^^ (uint32 rest[i] <<< (8 * i))

            hash <- hash * multiplier

        hash <- (hash ^^^ (hash >>> 13)) * multiplier
        hash ^^^ (hash >>> 15)

    /// Called by `ofKey`: the partition of keys with this hash.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    let ofHash (partitions: int) (hash: int32) : int =
        if partitions <= 0 then
            raise (ArgumentOutOfRangeException(nameof partitions, "a topic has at least one partition"))

        (hash &&& Int32.MaxValue) % partitions

    // Functions that take a span are inlined, so that no caller makes a tail call with it, in which the garbage collector may not see it.

    /// The 32-bit MurmurHash2 of the bytes, with the seed of Kafka's Java client.
    let inline murmur2 (key: ReadOnlySpan<byte>) : int32 = int32 (hash key)

    /// The partition, from 0 to `partitions - 1`, that the Java client's default partitioner chooses for records with this key. It changes when
    /// the number of partitions changes. ArgumentOutOfRangeException if that number is not positive.
    let inline ofKey (partitions: int) (key: ReadOnlySpan<byte>) : int = ofHash partitions (murmur2 key)
