namespace LibKafka.Topics

open System
open System.Collections.Generic
open System.ComponentModel
open System.Diagnostics.CodeAnalysis
open System.Runtime.CompilerServices
open System.Threading
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Client

/// The place of a record among those that were added: what its batch's report says is true of the record.
[<Struct>]
type Ticket =
    {
        /// The partition that the record was collected for.
        Partition: int
        /// The number of its batch, from 0. Batches are numbered in the order in which they begin, over all partitions of a collector.
        Batch: int64
        /// The place of the record in its batch, from 0. In the log, its offset is the batch's base offset plus this.
        Index: int
    }

    /// A one-line description.
    override this.ToString() = "record " + string this.Index + " of batch " + string this.Batch + " for partition " + string this.Partition

/// What adding a record led to. Only `Collected` means that the record has been taken.
[<Struct; RequireQualifiedAccess>]
type Added =
    /// The record is in a batch.
    | Collected of ticket: Ticket
    /// The bound on buffered bytes is reached, and the record was not taken. Send batches, and add it again.
    | Full
    /// The record alone makes a batch that is larger than `MaxBatchBytes`, and was not taken. It never will be: make it smaller, or raise
    /// the limit, and the broker's (`max.message.bytes`) too if necessary.
    | TooLarge

    /// A one-line description.
    override this.ToString() =
        match this with
        | Collected ticket -> ticket.ToString()
        | Full -> "not taken: the buffer is full"
        | TooLarge -> "not taken: the record is larger than a batch may be"

/// How records are collected into batches.
[<NoEquality; NoComparison>]
type CollectorSettings =
    {
        /// The largest batch in bytes before compression, including its header. Brokers refuse batches that are larger after compression than
        /// their own limit (`max.message.bytes`, 1,048,588 by default). A record that does not fit into such a batch alone is not taken.
        MaxBatchBytes: int
        /// How long a batch may wait for more records after its first one. Zero: it never has to wait. `Timeout.InfiniteTimeSpan`: until it is
        /// full or flushed.
        Linger: TimeSpan
        /// The most bytes of all batches that are being filled or have not been released yet, before compression. At least `MaxBatchBytes`.
        MaxBufferedBytes: int64
        /// Chooses the partitions of records that are added without one.
        Partitioning: ChoosePartition
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show [ "MaxBatchBytes", box this.MaxBatchBytes; "Linger", box this.Linger; "MaxBufferedBytes", box this.MaxBufferedBytes ]

/// Settings to start from.
[<RequireQualifiedAccess>]
module CollectorSettings =

    /// Batches of up to 1,000,000 bytes, a linger of 5 ms, up to 64 MiB in the buffer, partitions by key as the Java client chooses them.
    let standard =
        { MaxBatchBytes = 1_000_000
          Linger = TimeSpan.FromMilliseconds 5.0
          MaxBufferedBytes = 64L * 1024L * 1024L
          Partitioning = Partitioning.byKey }

    /// The settings, or the fault `InvalidSetting` for the first one that is invalid.
    let check (settings: CollectorSettings) : Result<CollectorSettings, ClientFault> =
        settings
        |> Checked.byRules
            [ "MaxBatchBytes", settings.MaxBatchBytes > RecordBatch.HeaderSize, "it must be more than the 61 bytes of a batch's header"
              "Linger",
              settings.Linger >= TimeSpan.Zero || settings.Linger = Timeout.InfiniteTimeSpan,
              "it must be a time, or Timeout.InfiniteTimeSpan"
              "MaxBufferedBytes", settings.MaxBufferedBytes >= int64 settings.MaxBatchBytes, "it must be at least MaxBatchBytes" ]

/// Sizes of records in a batch.
[<RequireQualifiedAccess>]
module internal RecordSize =

    /// The most bytes that a record adds to its collector in addition to its key, value and headers: 36 for the record's own fields and 61 for
    /// the header of a new batch.
    [<Literal>]
    let MostOverhead = 97L

    let private varint (value: int) = int64 (Varint.size32 (Varint.zigZag32 value))

    /// The exact bytes that the headers take in a record.
    let headers (headers: ReadOnlySpan<RecordHeader>) : int64 =
        let mutable size = 0L

        for i in 0 .. headers.Length - 1 do
            let key = headers[i].Key.Length
            size <- size + varint key + int64 key

            match headers[i].Value with
            | ValueSome value -> size <- size + varint value.Length + int64 value.Length
            | ValueNone -> size <- size + 1L

        size

    let private run (bytes: NullableSpan) = if bytes.IsNull then 1L else varint bytes.Length + int64 bytes.Length

    /// The exact size of a batch that has only this record.
    let alone (key: NullableSpan) (value: NullableSpan) (headerCount: int) (headersSize: int64) : int64 =
        // The attributes and the two deltas, which are zero, take a byte each.
        let body = 3L + run key + run value + varint headerCount + headersSize
        int64 RecordBatch.HeaderSize + int64 (Varint.size64 (Varint.zigZag64 body)) + body

/// A builder, whose memory is used for one batch after another.
[<Sealed; AllowNullLiteral>]
type internal BatchMemory(limit: int) =
    let mutable largest = 0

    member val Builder = BatchBuilder(BatchOptions.standard, limit)

    /// About the most memory that it has: a builder doubles its memory when it grows.
    member _.Capacity = min (2L * int64 largest) (int64 limit)

    /// Notes the size of a finished batch.
    member this.Finish() = largest <- max largest this.Builder.SizeInBytes

/// A batch that is complete. It lies in the collector's memory, which is used for another batch after `BatchCollector.Release`.
[<Sealed>]
type CollectedBatch
    internal
    (partition: int, number: int64, batch: RecordBatch, isMovable: bool, began: DateTimeOffset, beganAt: int64, sealedAt: int64, memory) =
    let mutable memory: BatchMemory = memory

    /// The partition that it was collected for.
    member _.Partition = partition

    /// Its number: see `Ticket.Batch`.
    member _.Number = number

    /// The records, without compression and without a producer's identity. Valid until the batch is released.
    member _.Batch = batch

    /// Whether none of its records was added with a partition or has a partition by its key, so that the batch may go to any other partition.
    member _.IsMovable = isMovable

    /// When its first record was added, by the clock.
    member _.Began = began

    /// The timestamp of the collector's `TimeProvider` when its first record was added.
    member _.BeganAt = beganAt

    /// The timestamp of the collector's `TimeProvider` when it was completed.
    member _.SealedAt = sealedAt

    /// The memory that it lies in, once.
    member internal _.TakeMemory() : BatchMemory =
        if isNull memory then
            raise (InvalidOperationException("Batch " + string number + " has been released already."))

        let taken = memory
        memory <- null
        taken

    /// A one-line description.
    override _.ToString() = "batch " + string number + " for partition " + string partition + ": " + batch.ToString()

/// What a collector has for one partition.
[<Sealed>]
type internal PartitionBatches() =
    /// The batch that is being filled; null for none.
    member val Open: BatchMemory = null with get, set
    member val Number = -1L with get, set
    member val Began = DateTimeOffset.MinValue with get, set
    member val BeganAt = 0L with get, set
    /// Whether the open batch has waited long enough.
    member val IsDue = false with get, set
    member val IsMovable = true with get, set
    /// Complete batches, in order.
    member val Sealed = Queue<CollectedBatch>()
    /// Whether the partition is in the collector's list of those that have a batch to take.
    member val IsListed = false with get, set
    member val IsAvailable = true with get, set
    member this.HasBatch = this.Sealed.Count > 0 || this.IsDue

/// A batch that has begun, in the list that is ordered by time.
[<Struct; NoEquality; NoComparison>]
type internal BegunBatch = { Partition: int; Number: int64; BeganAt: int64 }

/// Collects the records of one topic into batches, one being filled for each partition. It does no I/O and has no thread. A batch can be taken
/// when it is full, when it has lingered, or when it is flushed; until it is taken, a batch that is not full takes more records.
///
/// <code>
/// let collector = BatchCollector(CollectorSettings.standard, partitions, TimeProvider.System)
///
/// match collector.Add(key, value, ReadOnlySpan.Empty, timestamp) with
/// | Added.Collected ticket -> ()      // the record is number ticket.Index of batch ticket.Batch
/// | Added.Full -> ()                  // send what can be taken, and add it again
/// | Added.TooLarge -> ()              // larger than MaxBatchBytes
///
/// let rec sendAll () =
///     match collector.TryTake() with
///     | ValueNone -> ()
///     | ValueSome batch ->
///         send batch.Partition batch.Batch    // such as PartitionProducer.Produce
///         collector.Release batch
///         sendAll ()
/// </code>
///
/// Records of a partition stay in the order in which they were added. Each is in exactly one batch, at the place that its ticket says.
/// Adding a record allocates nothing once the memory has grown: a batch's memory is used again after `Release`. Not thread-safe.
[<Sealed>]
type BatchCollector(settings: CollectorSettings, partitions: int, time: TimeProvider) =
    let settings = CollectorSettings.check settings |> Checked.orThrow (nameof settings)

    let lingerTicks =
        if settings.Linger = Timeout.InfiniteTimeSpan then
            Int64.MaxValue
        else
            int64 (ceil (settings.Linger.TotalSeconds * float time.TimestampFrequency))

    let mutable places: PartitionBatches[] = Array.empty
    let mutable partitions = partitions
    // Batches that have begun and are not due yet, in order, and some that have been sealed since.
    let begun = Queue<BegunBatch>()
    // The partitions that have a batch to take.
    let ready = Queue<int>()
    let idle = Stack<BatchMemory>()
    // The memory of all builders, idle or not.
    let mutable memoryBytes = 0L
    let mutable bufferedBytes = 0L
    let mutable nextNumber = 0L
    // The partition that records go to that may go to any, and the batch there that they go into.
    let mutable favorite = -1
    let mutable favoriteBatch = -1L
    // The place of the record that was added last.
    let mutable lastPartition = -1
    let mutable lastBatch = -1L

    let resize (count: int) =
        if count <= 0 then
            raise (ArgumentOutOfRangeException("partitions", "A topic has at least one partition."))

        if count > places.Length then
            places <- Array.init count (fun at -> if at < places.Length then places[at] else PartitionBatches())

        partitions <- count

    do resize partitions

    let list (partition: int) =
        let place = places[partition]

        if not place.IsListed && place.HasBatch then
            place.IsListed <- true
            ready.Enqueue partition

    let isLive (entry: BegunBatch) =
        let place = places[entry.Partition]
        not (isNull place.Open) && place.Number = entry.Number && not place.IsDue

    // There is at most one live entry for each partition, so the list stays short even if batches linger for long.
    let compact () =
        if begun.Count > 2 * places.Length + 64 then
            for _ in 1 .. begun.Count do
                let entry = begun.Dequeue()
                if isLive entry then begun.Enqueue entry

    let start (partition: int) =
        let place = places[partition]

        if idle.Count > 0 then
            place.Open <- idle.Pop()
        else
            place.Open <- BatchMemory settings.MaxBatchBytes

        place.Number <- nextNumber
        place.Began <- time.GetUtcNow()
        place.BeganAt <- time.GetTimestamp()
        place.IsDue <- false
        place.IsMovable <- true
        nextNumber <- nextNumber + 1L
        bufferedBytes <- bufferedBytes + int64 RecordBatch.HeaderSize
        compact ()
        begun.Enqueue { Partition = partition; Number = place.Number; BeganAt = place.BeganAt }

    let complete (partition: int) =
        let place = places[partition]
        let memory = place.Open
        memoryBytes <- memoryBytes - memory.Capacity
        memory.Finish()
        memoryBytes <- memoryBytes + memory.Capacity
        let batch = memory.Builder.BuildInPlace()
        let sealedAt = time.GetTimestamp()

        place.Sealed.Enqueue(CollectedBatch(partition, place.Number, batch, place.IsMovable, place.Began, place.BeganAt, sealedAt, memory))

        place.Open <- null
        place.IsDue <- false
        list partition

    // Whether the entry needs no more waiting: its batch is sealed or due, or is so many ticks old.
    let isFinished (now: int64) (ticks: int64) (entry: BegunBatch) = not (isLive entry) || now - entry.BeganAt >= ticks

    // Makes the open batches due that began at least so many ticks ago.
    let makeDue (ticks: int64) =
        if begun.Count > 0 then
            let now = time.GetTimestamp()

            while begun.Count > 0 && isFinished now ticks (begun.Peek()) do
                let entry = begun.Dequeue()

                if isLive entry then
                    places[entry.Partition].IsDue <- true
                    list entry.Partition

    let isAvailable partition = places[partition].IsAvailable

    // The partition for a record that may go to any: the same one until its batch is sealed.
    let favored () : int =
        let stays =
            favorite >= 0
            && favorite < partitions
            && isAvailable favorite
            && not (isNull places[favorite].Open)
            && places[favorite].Number = favoriteBatch

        if not stays then
            favorite <-
                match Partitioning.next isAvailable partitions favorite with
                | ValueSome partition -> partition
                | ValueNone -> (favorite + 1) % partitions

            favoriteBatch <- -1L

        favorite

    let misplaced (partition: int) : unit =
        raise (
            InvalidOperationException(
                "The partitioning function chose partition "
                + string partition
                + " of "
                + FieldText.count (int64 partitions) "partition"
                + "."
            )
        )

    /// A collector for the partitions from 0 to `partitions - 1`. ArgumentException if a setting is invalid.
    new(settings: CollectorSettings, partitions: int) = BatchCollector(settings, partitions, TimeProvider.System)

    /// The settings it was made with.
    member _.Settings = settings

    /// The number of partitions that records can be added to. Batches of partitions that the topic no longer has can still be taken.
    member _.Partitions
        with get () = partitions
        and set (count: int) = resize count

    /// The exact size of all batches that are being filled or have not been released yet, before compression, including their headers.
    member _.BufferedBytes = bufferedBytes

    /// Says whether a partition gets records that may go to any partition; all do at first. If none does, they go to all of them in turn.
    member _.SetAvailable(partition: int, isAvailable: bool) = places[partition].IsAvailable <- isAvailable

    /// Whether a partition gets records that may go to any partition.
    member _.IsAvailable(partition: int) : bool = isAvailable partition

    /// The number of batches that have begun.
    member _.BatchesBegun: int64 = nextNumber

    /// Adds to the open batch, if there is one and the record fits.
    member private _.Fits(partition, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>, timestamp: int64) : bool =
        let memory = places[partition].Open

        if isNull memory then
            false
        else
            let builder = memory.Builder
            let before = builder.SizeInBytes
            let at = builder.Append(timestamp, key, value, headers)
            bufferedBytes <- bufferedBytes + int64 (builder.SizeInBytes - before)
            at >= 0

    /// Adds a record that is known to fit into a batch. Returns its index.
    member private this.Put
        (partition: int, isFree: bool, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>, timestamp: int64)
        : int =
        let mutable partition = partition

        if not (this.Fits(partition, key, value, headers, timestamp)) then
            if not (isNull places[partition].Open) then
                complete partition
                if isFree then partition <- favored ()

            if not (this.Fits(partition, key, value, headers, timestamp)) then
                if not (isNull places[partition].Open) then complete partition
                start partition
                this.Fits(partition, key, value, headers, timestamp) |> ignore

        let place = places[partition]

        if isFree then favoriteBatch <- place.Number else place.IsMovable <- false

        lastPartition <- partition
        lastBatch <- place.Number
        place.Open.Builder.Count - 1

    /// Called by `Add`: the record's index in its batch, -1 if the buffer is full, -2 if the record is too large.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    member this.Append
        (partition: int, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>, timestamp: int64)
        : int =
        if partition < Partitioning.Any || partition >= partitions then
            raise (
                ArgumentOutOfRangeException(
                    nameof partition,
                    "The topic has "
                    + FieldText.count (int64 partitions) "partition"
                    + ", and there is no partition "
                    + string partition
                    + "."
                )
            )

        let headersSize = if headers.IsEmpty then 0L else RecordSize.headers headers
        let most = int64 key.Length + int64 value.Length + headersSize + RecordSize.MostOverhead

        if
            most > int64 settings.MaxBatchBytes
            && RecordSize.alone key value headers.Length headersSize > int64 settings.MaxBatchBytes
        then
            -2
        elif bufferedBytes + most > settings.MaxBufferedBytes && bufferedBytes > 0L then
            -1
        else
            let isFree = partition = Partitioning.Any
            this.Put((if isFree then favored () else partition), isFree, key, value, headers, timestamp)

    /// Called by `Add`: the partition that the settings choose for a key.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    member _.Choose(key: NullableSpan) : int =
        let partition = settings.Partitioning.Invoke(key, partitions)
        if partition < Partitioning.Any || partition >= partitions then
            misplaced partition
        partition

    /// Called by `Add`: what its result means.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    member _.Outcome(index: int) : Added =
        if index >= 0 then Added.Collected { Partition = lastPartition; Batch = lastBatch; Index = index }
        elif index = -1 then Added.Full
        else Added.TooLarge

    /// Adds a record for the partition that the settings choose by its key. The timestamp is in milliseconds since 1970-01-01 UTC. The bytes are
    /// copied.
    ///
    /// The result is `Full` if the buffer might exceed `MaxBufferedBytes`, that is, if fewer bytes remain than key, value and headers and 97 bytes
    /// more. An empty buffer is never full. InvalidOperationException if the partitioning function chooses a partition that does not exist.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member inline this.Add(key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>, timestamp: int64) : Added =
        this.Outcome(this.Append(this.Choose key, key, value, headers, timestamp))

    /// Adds a record for this partition, or for any partition if it is `Partitioning.Any`. ArgumentOutOfRangeException if there is no such
    /// partition.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member inline this.Add
        (partition: int, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>, timestamp: int64)
        : Added =
        this.Outcome(this.Append(partition, key, value, headers, timestamp))

    /// Lets every batch be taken whose first record was added at least this long ago; `TimeSpan.Zero` for all.
    member _.Flush(olderThan: TimeSpan) : unit = makeDue (int64 (ceil (olderThan.TotalSeconds * float time.TimestampFrequency)))

    /// The partition that has had a batch to take for longest; -1 if no partition has one. It is returned once: again only after `TryTake` for it,
    /// if it has another batch, or when it has a new one.
    member _.NextReady() : int =
        makeDue lingerTicks
        let mutable partition = -1

        while partition < 0 && ready.Count > 0 do
            let first = places[ready.Peek()]
            first.IsListed <- false
            let listed = ready.Dequeue()
            if first.HasBatch then partition <- listed

        partition

    /// The next batch of a partition that is full, has lingered or was flushed.
    member _.TryTake(partition: int) : CollectedBatch voption =
        makeDue lingerTicks
        let place = places[partition]
        if place.Sealed.Count = 0 && place.IsDue then complete partition

        if place.Sealed.Count > 0 then
            let batch = place.Sealed.Dequeue()
            list partition
            ValueSome batch
        else
            ValueNone

    /// The next batch of any partition that is full, has lingered or was flushed.
    member this.TryTake() : CollectedBatch voption =
        match this.NextReady() with
        | -1 -> ValueNone
        | partition -> this.TryTake partition

    /// How long until a batch has lingered, if nothing is taken before: zero if one has, `Timeout.InfiniteTimeSpan` if none will.
    member _.NextDue: TimeSpan =
        while begun.Count > 0 && not (isLive (begun.Peek())) do
            begun.Dequeue() |> ignore

        if begun.Count = 0 || lingerTicks = Int64.MaxValue then
            Timeout.InfiniteTimeSpan
        else
            let elapsed = time.GetElapsedTime(begun.Peek().BeganAt)
            if elapsed >= settings.Linger then TimeSpan.Zero else settings.Linger - elapsed

    /// Ends the use of a batch that was taken: its bytes no longer count, and its memory is used again. InvalidOperationException if it has been
    /// released already.
    member _.Release(batch: CollectedBatch) : unit =
        let memory = batch.TakeMemory()
        bufferedBytes <- bufferedBytes - int64 batch.Batch.SizeInBytes

        // Memory that grew for large batches is not kept if all of it is more than the buffer can use.
        if memoryBytes > 2L * settings.MaxBufferedBytes then
            memoryBytes <- memoryBytes - memory.Capacity
        else
            memory.Builder.Reset()
            idle.Push memory

    /// Ends the use of a batch that was taken without using its memory again, so that `CollectedBatch.Batch` stays valid.
    member _.Forget(batch: CollectedBatch) : unit =
        let memory = batch.TakeMemory()
        bufferedBytes <- bufferedBytes - int64 batch.Batch.SizeInBytes
        memoryBytes <- memoryBytes - memory.Capacity
