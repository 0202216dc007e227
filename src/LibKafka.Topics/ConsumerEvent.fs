namespace LibKafka.Topics

open System
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client

/// Where a partition is read from.
[<RequireQualifiedAccess; NoComparison>]
type Start =
    /// From this position on.
    | At of FetchPosition
    /// From the offset that the leader finds for a place or a timestamp.
    | Find of OffsetSpec

    /// A one-line description, such as `offset 42 after epoch 3`.
    override this.ToString() =
        match this with
        | At position -> position.ToString()
        | Find spec -> spec.ToString()

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Start =

    /// From the first record that the partition still has.
    let earliest = Start.Find OffsetSpec.Earliest

    /// From the next record that is appended.
    let latest = Start.Find OffsetSpec.Latest

    /// From this offset on, without the epoch of the record before it: truncation below it is not detected.
    let atOffset (offset: int64) = Start.At(FetchPosition.at offset)

    /// Refuses a negative offset.
    let internal check (parameter: string) (start: Start) : unit =
        match start with
        | Start.At position -> Argument.offset parameter position.Offset
        | Start.Find _ -> ()

/// What a consumer reports about a partition. The memory of fetched records is valid until the event has been handled: see
/// `TopicConsumer.Poll`.
[<RequireQualifiedAccess; NoComparison>]
type ConsumerEvent =
    /// Records from the partition's position on. All checksums have been verified. `fetched` is the raw reply, with the batches and the high
    /// watermark; `next` is the position after the records.
    | Fetched of partition: TopicPartition * records: FetchedRecords * fetched: Fetched * next: FetchPosition
    /// The position is not in the log: its records have been deleted, or the log ends before it.
    | OutOfRange of partition: TopicPartition * fetched: Fetched
    /// An election has removed records from the log that were read before. The log diverges from what was read at this position.
    | Truncated of partition: TopicPartition * fetched: Fetched * divergesAt: FetchPosition
    /// The bytes at the partition's position are not a readable batch. To continue from `next` is to skip them; `next` is none if the end of the
    /// damage is not known. Readable records before the damage come in a `Fetched` of their own.
    | Damaged of partition: TopicPartition * fetched: Fetched * stretches: CorruptBatch list * next: FetchPosition option
    /// The topic was deleted and created again: it has another id than the one that was read. The position belongs to the old topic.
    | Recreated of partition: TopicPartition * before: Guid * now: Guid
    /// The partition could not be read, `attempt` times in a row.
    | Failed of partition: TopicPartition * failure: CallFailure * attempt: int

    /// The partition that the event is about.
    member this.Partition =
        match this with
        | Fetched(partition, _, _, _)
        | OutOfRange(partition, _)
        | Truncated(partition, _, _)
        | Damaged(partition, _, _, _)
        | Recreated(partition, _, _)
        | Failed(partition, _, _) -> partition

    /// A one-line description.
    override this.ToString() =
        this.Partition.ToString()
        + ": "
        + match this with
          | Fetched(_, _, fetched, next) ->
              string fetched.RawRecords.Length
              + " bytes of records from offset "
              + string fetched.Offset
              + " to "
              + string (next.Offset - 1L)
          | OutOfRange(_, fetched) -> "the offset " + string fetched.Offset + " is not in the log"
          | Truncated(_, _, position) -> (Advance.Truncated position).ToString()
          | Damaged(_, _, stretches, next) -> (Advance.Damaged(stretches, next)).ToString()
          | Recreated(_, before, now) -> "the topic was created again: its id was " + string before + " and is " + string now
          | Failed(_, failure, attempt) -> "attempt " + string attempt + " failed: " + failure.ToString()
