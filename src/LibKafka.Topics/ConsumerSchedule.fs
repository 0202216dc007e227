namespace LibKafka.Topics

open System
open System.Collections.Generic
open System.Threading
open LibKafka
open LibKafka.Client

/// Where a partition waits for its turn.
type internal Place =
    | Nowhere = 0
    /// It can be asked now.
    | Due = 1
    /// It needs a connection first.
    | Unconnected = 2
    /// It must not be asked before a certain time.
    | Delayed = 3
    /// A request is in flight.
    | Watched = 4
    /// The answer to its request has arrived.
    | Answered = 5

/// One partition of a consumer.
[<Sealed>]
type internal ConsumedPartition(reader: PartitionReader, start: Start) =
    /// Its connection.
    member _.Reader = reader

    member val Progress = PartitionProgress.from start with get, set
    member val Place = Place.Nowhere with get, set
    /// Its index among the watched partitions.
    member val Index = -1 with get, set
    /// Its request in flight.
    member val Call: PendingCall voption = ValueNone with get, set
    /// Whether the answer to its request has arrived.
    member val HasArrived = false with get, set
    member val IsRemoved = false with get, set
    /// The bytes of memory into which its answer is being received.
    member val BytesArriving = 0L with get, set
    /// The bytes of memory of its event in hand.
    member val BytesInHand = 0L with get, set

/// The order in which the partitions of a consumer get their turn. Partitions that were paused or removed stay in their queue, and are passed
/// over when their turn comes.
[<Sealed>]
type internal ConsumerSchedule() =
    let due = Queue<ConsumedPartition>()
    let unconnected = Queue<ConsumedPartition>()
    let delayed = PriorityQueue<ConsumedPartition, TimeSpan>()
    let answered = Queue<ConsumedPartition>()
    let watched = List<ConsumedPartition>()
    // The calls of the watched partitions, in the same order.
    let calls = List<PendingCall>()

    let isWanted (partition: ConsumedPartition) = not partition.IsRemoved && PartitionProgress.isWanted partition.Progress

    let enqueue (place: Place) (queue: Queue<ConsumedPartition>) (partition: ConsumedPartition) =
        partition.Place <- place
        queue.Enqueue partition

    // The next partition of a queue for which a condition is true.
    let rec next (condition: ConsumedPartition -> bool) (queue: Queue<ConsumedPartition>) : ConsumedPartition voption =
        if queue.Count = 0 then
            ValueNone
        else
            let partition = queue.Dequeue()
            partition.Place <- Place.Nowhere
            if condition partition then ValueSome partition else next condition queue

    let unwatch (partition: ConsumedPartition) =
        let last = watched.Count - 1
        let index = partition.Index
        watched[index] <- watched[last]
        watched[index].Index <- index
        calls[index] <- calls[last]
        watched.RemoveAt last
        calls.RemoveAt last
        partition.Index <- -1
        partition.Place <- Place.Nowhere

    let rec wake (now: TimeSpan) =
        match delayed.TryPeek() with
        | true, partition, time when time <= now ->
            delayed.Dequeue() |> ignore
            partition.Place <- Place.Nowhere
            if isWanted partition then enqueue Place.Due due partition
            wake now
        | _ -> ()

    // Finds the watched calls that the wait has marked as ready.
    let collect () =
        for index in watched.Count - 1 .. -1 .. 0 do
            if calls[index].WasReady then
                let partition = watched[index]
                unwatch partition
                partition.HasArrived <- true
                enqueue Place.Answered answered partition

    /// Queues a partition that may be asked, now or later, or whose request is in flight, unless it is queued already.
    member _.Add(partition: ConsumedPartition, now: TimeSpan) =
        if partition.Place = Place.Nowhere && isWanted partition then
            if partition.Progress.NotBefore > now then
                partition.Place <- Place.Delayed
                delayed.Enqueue(partition, partition.Progress.NotBefore)
            else
                enqueue Place.Due due partition

    /// Queues a partition that needs a connection first.
    member _.AddUnconnected(partition: ConsumedPartition) = enqueue Place.Unconnected unconnected partition

    /// Watches a partition's request in flight until its answer has arrived, and queues it then.
    member _.Watch(partition: ConsumedPartition) =
        match partition.Call with
        | ValueSome _ when partition.Place <> Place.Nowhere -> ()
        | ValueSome _ when partition.HasArrived -> enqueue Place.Answered answered partition
        | ValueSome call ->
            partition.Place <- Place.Watched
            partition.Index <- watched.Count
            watched.Add partition
            calls.Add call
        | ValueNone -> ()

    /// Does not watch a partition's request any more.
    member _.Unwatch(partition: ConsumedPartition) = if partition.Place = Place.Watched then unwatch partition

    /// The next partition that can be asked now.
    member _.NextDue(now: TimeSpan) : ConsumedPartition voption =
        wake now
        next isWanted due

    /// The next partition that needs a connection.
    member _.NextUnconnected() : ConsumedPartition voption = next isWanted unconnected

    /// The next partition whose answer has arrived.
    member _.NextAnswered() : ConsumedPartition voption =
        next (fun partition -> not (partition.IsRemoved || partition.Progress.IsPaused)) answered

    /// How long to wait at most, of this time.
    member _.Patience(now: TimeSpan, time: TimeSpan) : TimeSpan =
        if unconnected.Count > 0 || due.Count > 0 || answered.Count > 0 then
            TimeSpan.Zero
        else
            match delayed.TryPeek() with
            | true, _, next when time = Timeout.InfiniteTimeSpan || next - now < time -> max TimeSpan.Zero (next - now)
            | _ -> time

    /// Whether nothing will happen without the caller.
    member _.IsIdle = due.Count + unconnected.Count + delayed.Count + answered.Count + watched.Count = 0

    /// Waits until an answer or one of the other calls is ready, for this time at most.
    member _.Wait(others: IReadOnlyList<PendingCall>, time: TimeSpan, cancellation: CancellationToken) =
        let own = calls.Count
        calls.AddRange others

        try
            PendingCalls.WaitAny(calls, time, cancellation) |> ignore
        finally
            calls.RemoveRange(own, others.Count)

        collect ()
