namespace LibKafka.Topics

open System
open LibKafka.Records

/// Chooses the partition of a record from its key and the topic's number of partitions: from 0 to `partitions - 1`, or `Partitioning.Any`. It
/// is called once for each record that is added without a partition, so it must be fast. It must not keep the key.
type ChoosePartition = delegate of key: NullableSpan * partitions: int -> int

/// The ways to choose the partition of a record. `Partitioning.byKey` is the standard one. To use one of your own:
///
/// <code>
/// let byFirstByte = ChoosePartition(fun key partitions -> if key.Length = 0 then Partitioning.Any else int key.Span[0] % partitions)
/// </code>
[<RequireQualifiedAccess>]
module Partitioning =

    /// What a `ChoosePartition` returns if any partition will do. Such records go a whole batch at a time to the next available partition:
    /// full batches compress better and cost fewer requests than single records that are spread over all partitions.
    [<Literal>]
    let Any = -1

    /// As the Java client does: a record with a key goes to the partition that the murmur2 hash of the key selects (an empty key is a key),
    /// so all clients write a key to the same partition; a record without a key may go to any partition.
    ///
    /// If partitions are added to the topic, keys move to other partitions.
    let byKey: ChoosePartition =
        ChoosePartition(fun key partitions -> if key.IsNull then Any else Partitioner.ofKey partitions key.Span)

    /// Ignores the keys: every record may go to any partition.
    let any: ChoosePartition = ChoosePartition(fun _ _ -> Any)

    /// The next partition after this one, in turn, for which `isAvailable` is true; the partition itself comes last. `ValueNone` if there is
    /// none. Start with -1 to begin with partition 0.
    let next (isAvailable: int -> bool) (partitions: int) (after: int) : int voption =
        let mutable found = ValueNone
        let mutable step = 1

        while found.IsNone && step <= partitions do
            let candidate = (after + step) % partitions
            if isAvailable candidate then found <- ValueSome candidate
            step <- step + 1

        found
