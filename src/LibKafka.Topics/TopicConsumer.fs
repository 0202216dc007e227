namespace LibKafka.Topics

open System
open System.Collections.Generic
open System.Threading
open LibKafka
open LibKafka.Client

/// Reads partitions, all at once, in the caller's thread. Every partition has a connection of its own to its leader, or to the replica that
/// the leader names, and a request in flight on it as long as it has nothing in hand: so an empty partition does not hold up a full one.
///
/// `Poll` returns one event at a time. It sends requests, receives responses and makes connections; between polls nothing happens. An event
/// is in hand until the next `Poll`, or until `Handled` after `Keep`. Then its partition is asked again, from where
/// `ConsumerSettings.NextStep` says, and its memory is used again: no memory is allocated for each record. Reading its records after that
/// raises an InvalidOperationException.
///
/// Positions are in the caller's hands: they are set when a partition is added, and nothing is committed. A partition's position moves
/// when an event has been handled.
///
/// Making a connection blocks: a poll may take longer than its time-out by `ClientSettings.ConnectTimeout`. Answers that have arrived are
/// handed out before a second connection is made. Leaders are asked for by one request for all partitions. While a broker cannot be connected
/// to, one of its partitions tries it after growing pauses and reports the failure; the others connect one after another when it is back.
///
/// Two threads must not use a consumer at the same time: the second one gets an InvalidOperationException. ArgumentException if a call has no
/// time for `MaxWait`: see `FetcherSettings.check`.
[<Sealed>]
type TopicConsumer(settings: ClientSettings, bootstrap: Bootstrap, consumer: ConsumerSettings) =
    do FetcherSettings.check settings consumer.Fetching |> Checked.orThrow (nameof consumer) |> ignore

    let guard = ThreadGuard "consumer"
    let time = settings.Time
    let began = time.GetTimestamp()
    let pool = BufferPool consumer.MaxBytesInHand
    let partitions = Dictionary<TopicPartition, ConsumedPartition>()
    let schedule = ConsumerSchedule()
    // The partition whose event the last poll has handed out.
    let mutable current: ConsumedPartition voption = ValueNone
    let mutable bytesInHand = 0L
    // The bytes of memory into which answers are being received, and the partitions whose answers must wait because of them.
    let mutable bytesArriving = 0L
    let unreceived = Queue<ConsumedPartition>()
    let mutable isClosed = false

    let now () = time.GetElapsedTime began
    let leaders = LeaderDirectory(settings, bootstrap, LeaderTimes.standard, now)

    let change (partition: ConsumedPartition) (change: PartitionProgress -> PartitionProgress) =
        partition.Progress <- change partition.Progress

    let enter () : GuardedUse =
        let held = guard.Hold()

        if isClosed then
            (held :> IDisposable).Dispose()
            raise (ObjectDisposedException(nameof TopicConsumer))

        held

    let find (partition: TopicPartition) : ConsumedPartition voption =
        match partitions.TryGetValue partition with
        | true, found -> ValueSome found
        | _ -> ValueNone

    let release (partition: ConsumedPartition) =
        bytesInHand <- bytesInHand - partition.BytesInHand
        partition.BytesInHand <- 0L
        partition.Reader.Release()

    // The event in hand has been handled.
    let settle (partition: ConsumedPartition) =
        release partition
        change partition (PartitionProgress.handled (now ()))
        schedule.Add(partition, now ())

    let settleCurrent () =
        match current with
        | ValueSome partition ->
            current <- ValueNone
            if not (PartitionProgress.isKept partition.Progress) then settle partition
        | ValueNone -> ()

    // The step is asked for first, because the function may throw.
    let handOut (partition: ConsumedPartition) (event: ConsumerEvent) : ConsumerEvent voption =
        let step = consumer.NextStep event
        change partition (PartitionProgress.handedOut event step)
        partition.BytesInHand <- int64 partition.Reader.Held
        bytesInHand <- bytesInHand + partition.BytesInHand
        current <- ValueSome partition
        ValueSome event

    // Does something with a partition that is in no queue. The observer of an exchange and `NextStep` may throw: then it gets another turn.
    let inTurn (partition: ConsumedPartition) (work: unit -> 'T) : 'T =
        try
            work ()
        with _ ->
            schedule.Add(partition, now ())
            reraise ()

    let ask (partition: ConsumedPartition) =
        partition.Call <- ValueSome(partition.Reader.Begin partition.Progress.Start)
        partition.HasArrived <- false
        change partition PartitionProgress.asked
        schedule.Watch partition

    // Sends the requests that need no connection first.
    let rec askConnected () =
        match schedule.NextDue(now ()) with
        | ValueSome partition ->
            inTurn partition (fun () -> if partition.Reader.IsConnected then ask partition else schedule.AddUnconnected partition)
            askConnected ()
        | ValueNone -> ()

    // Connects a partition and asks it. The second value says whether it has tried to make a connection.
    let connectAndAsk (partition: ConsumedPartition) (cancellation: CancellationToken) : struct (ConsumerEvent voption * bool) =
        match partition.Reader.Connect(leaders, cancellation) with
        | Reached.Connected _ ->
            ask partition
            struct (ValueNone, true)
        | Reached.NotBefore time ->
            change partition (PartitionProgress.delayed time)
            schedule.Add(partition, now ())
            struct (ValueNone, false)
        | Reached.Failed ClientFault.Cancelled ->
            schedule.Add(partition, now ())
            struct (ValueNone, true)
        | Reached.Failed fault ->
            let attempt = partition.Progress.Failures + 1
            struct (handOut partition (ConsumerEvent.Failed(partition.Reader.Partition, CallFailure.Fault fault, attempt)), true)

    // Makes one connection, if one is needed and may be made now.
    let rec connectNext (cancellation: CancellationToken) : ConsumerEvent voption =
        match schedule.NextUnconnected() with
        | ValueSome partition ->
            match inTurn partition (fun () -> connectAndAsk partition cancellation) with
            | struct (event, true) -> event
            | struct (_, false) -> connectNext cancellation
        | ValueNone -> ValueNone

    // Receives the answer of a partition. If an exception is thrown, the partition is asked again.
    let receive (partition: ConsumedPartition) : ConsumerEvent voption =
        let progress = partition.Progress
        change partition PartitionProgress.dropped
        partition.Call <- ValueNone
        let mutable event = ValueNone

        try
            let answer = partition.Reader.Complete(progress.Failures + 1)
            let struct (after, found) = PartitionProgress.answered partition.Reader.Partition (now ()) answer progress
            partition.Progress <- after
            event <- found |> ValueOption.bind (handOut partition)
        finally
            if event.IsNone then
                release partition
                schedule.Add(partition, now ())

        event

    // The answer of a partition is no longer being received.
    let endArrival (partition: ConsumedPartition) =
        bytesArriving <- bytesArriving - partition.BytesArriving
        partition.BytesArriving <- 0L

        while unreceived.Count > 0 && bytesArriving < consumer.MaxBytesInHand do
            schedule.Watch(unreceived.Dequeue())

    // Receives what has arrived of an answer. Whether that is all of it: the rest of it is waited for together with the other answers.
    let isReceived (partition: ConsumedPartition) : bool =
        if partition.Reader.Receive() then
            endArrival partition
            true
        else
            bytesArriving <- bytesArriving - partition.BytesArriving + int64 partition.Reader.Held
            partition.BytesArriving <- int64 partition.Reader.Held
            partition.HasArrived <- false
            schedule.Watch partition
            false

    let rec takeAnswered () : ConsumerEvent voption =
        match schedule.NextAnswered() with
        | ValueSome partition when partition.BytesArriving = 0L && bytesArriving >= consumer.MaxBytesInHand ->
            unreceived.Enqueue partition
            takeAnswered ()
        | ValueSome partition when not (isReceived partition) -> takeAnswered ()
        | ValueSome partition ->
            match receive partition with
            | ValueSome event -> ValueSome event
            | ValueNone -> takeAnswered ()
        | ValueNone -> ValueNone

    let hasRoom () = bytesInHand < consumer.MaxBytesInHand

    // What one turn of a poll finds: it asks all partitions that can be asked, makes one connection, and takes the next answer.
    let turn (cancellation: CancellationToken) : ConsumerEvent voption =
        askConnected ()

        match connectNext cancellation with
        | ValueSome event -> ValueSome event
        | ValueNone -> takeAnswered ()

    let rec poll (others: IReadOnlyList<PendingCall>) (since: int64) (timeout: TimeSpan) (cancellation: CancellationToken) =
        let left () = Waiting.left time since timeout
        let isReady (call: PendingCall) = call.WasReady
        let found = if hasRoom () then turn cancellation else ValueNone

        if found.IsSome || cancellation.IsCancellationRequested then
            found
        elif timeout = Timeout.InfiniteTimeSpan && others.Count = 0 && (schedule.IsIdle || not (hasRoom ())) then
            // Nothing would ever end the wait.
            ValueNone
        else
            let patience = if hasRoom () then schedule.Patience(now (), left ()) else left ()
            schedule.Wait(others, patience, cancellation)
            let answered = if hasRoom () then takeAnswered () else ValueNone

            if answered.IsSome || Seq.exists isReady others || left () = TimeSpan.Zero then
                answered
            else
                poll others since timeout cancellation

    let add (partition: TopicPartition) (start: Start) =
        if partitions.ContainsKey partition then
            raise (
                ArgumentException(
                    "The consumer reads " + partition.ToString() + " already: use Seek to set its position.",
                    nameof partition
                )
            )

        let client = new PartitionClient(settings, bootstrap, partition)
        let added = ConsumedPartition(PartitionReader(client, consumer, pool), start)
        partitions.Add(partition, added)
        schedule.Add(added, now ())

    let close (partition: ConsumedPartition) =
        partition.IsRemoved <- true
        schedule.Unwatch partition
        endArrival partition
        bytesInHand <- bytesInHand - partition.BytesInHand
        partition.BytesInHand <- 0L
        partition.Reader.Close()

    /// The settings of its connections.
    member _.ClientSettings = settings

    /// The settings it was made with.
    member _.Settings = consumer

    /// The partitions.
    member _.Partitions: TopicPartition list = List.ofSeq partitions.Keys

    /// The bytes of memory that events in hand hold.
    member _.BytesInHand = bytesInHand

    /// Adds a partition, which is read from the next `Poll` on. ArgumentException if it is there already, its topic name is
    /// empty, or its number or the offset is negative.
    member _.Add(partition: TopicPartition, start: Start) : unit =
        Start.check (nameof start) start
        use _ = enter ()
        add partition start

    /// Adds all partitions of a topic that are not there yet, and returns them. Partitions that the topic gets later are not noticed: call it again.
    /// ArgumentException if the topic name is empty or the offset is negative.
    member _.AddTopic(topic: string, start: Start, ?call: CallOptions) : Result<TopicPartition list, ClientFault> =
        let topic = TopicName.required (nameof topic) topic
        Start.check (nameof start) start
        use _ = enter ()

        match leaders.Ask([ topic ], defaultArg call CallOptions.standard) with
        | Error fault -> Error fault
        | Ok [ found ] when found.Error.IsError -> Error(ClientFault.NoLeader({ Topic = topic; Partition = 0 }, found.Error))
        | Ok found ->
            let count = found |> List.sumBy _.PartitionCount
            let all = List.init count (fun partition -> { Topic = topic; Partition = partition })
            let added = all |> List.filter (partitions.ContainsKey >> not)
            added |> List.iter (fun partition -> add partition start)
            Ok added

    /// Removes a partition and closes its connection. What is in flight is dropped; an event in hand stays valid until the next `Poll`. Nothing
    /// happens if the partition is not there.
    member _.Remove(partition: TopicPartition) : unit =
        use _ = enter ()

        match find partition with
        | ValueSome found ->
            partitions.Remove partition |> ignore
            close found

            if partitions.Keys |> Seq.forall (fun other -> other.Topic <> partition.Topic) then
                leaders.Unwatch partition.Topic
        | ValueNone -> ()

    /// Sets where a partition is read from. It counts at once: an event in hand no longer moves the position, and the answer to a request in
    /// flight is dropped. A partition that was given up is read again. ArgumentException if the partition is not there or the offset is negative.
    member _.Seek(partition: TopicPartition, start: Start) : unit =
        Start.check (nameof start) start
        use _ = enter ()

        match find partition with
        | ValueSome found ->
            change found (PartitionProgress.moved start)
            schedule.Add(found, now ())
        | ValueNone -> raise (ArgumentException("The consumer does not read " + partition.ToString() + ": add it first.", nameof partition))

    /// Asks for nothing more of a partition until `Resume`. The answer to a request in flight is kept until then. Nothing happens if the partition
    /// is not there.
    member _.Pause(partition: TopicPartition) : unit =
        use _ = enter ()

        match find partition with
        | ValueSome found when not found.Progress.IsPaused ->
            change found (fun progress -> { progress with IsPaused = true })
            schedule.Unwatch found
        | _ -> ()

    /// Reads a partition again after `Pause`.
    member _.Resume(partition: TopicPartition) : unit =
        use _ = enter ()

        match find partition with
        | ValueSome found when found.Progress.IsPaused ->
            change found (fun progress -> { progress with IsPaused = false })

            schedule.Watch found
            schedule.Add(found, now ())
        | _ -> ()

    /// The position after all records of a partition that have been handled; none while its offset is being looked for, and if the partition is
    /// not there. While an event is in hand, it is where the event began.
    member _.Position(partition: TopicPartition) : FetchPosition option =
        match find partition with
        | ValueSome found -> PartitionProgress.position found.Progress
        | ValueNone -> None

    /// What is known of a partition; none if it is not there.
    member _.Status(partition: TopicPartition) : PartitionStatus option =
        match find partition with
        | ValueSome found ->
            let progress = found.Progress

            Some
                { Partition = partition
                  Position = PartitionProgress.position progress
                  HighWatermark = progress.HighWatermark
                  IsPaused = progress.IsPaused
                  IsGivenUp = progress.Activity.IsGivenUp
                  IsInHand = progress.Activity.IsInHand
                  Failures = progress.Failures
                  Broker = found.Reader.Broker }
        | ValueNone -> None

    /// Keeps the event of a partition in hand over the next polls, until `Handled`. Nothing happens if it has none.
    member _.Keep(partition: TopicPartition) : unit =
        use _ = enter ()
        find partition |> ValueOption.iter (fun found -> change found PartitionProgress.kept)

    /// The event of a partition has been handled: its memory is used again, and the next `Poll` asks for what follows. Nothing happens if it has
    /// none.
    member _.Handled(partition: TopicPartition) : unit =
        use _ = enter ()

        match find partition with
        | ValueSome found when found.Progress.Activity.IsInHand -> settle found
        | _ -> ()

    /// The next event. The event of the last poll counts as handled, unless it is kept. None if there is none within the time, if it is
    /// cancelled, or if the time is unlimited and nothing would ever end the wait.
    member this.Poll(timeout: TimeSpan, ?cancellation: CancellationToken) : ConsumerEvent option =
        this.PollWith(Array.Empty<PendingCall>(), timeout, ?cancellation = cancellation)

    /// The next event, as `Poll`; also none as soon as one of the other calls is ready. Events come first: look at the other calls between
    /// polls.
    member _.PollWith(others: IReadOnlyList<PendingCall>, timeout: TimeSpan, ?cancellation: CancellationToken) : ConsumerEvent option =
        use _ = enter ()
        settleCurrent ()

        match poll others (time.GetTimestamp()) timeout (defaultArg cancellation CancellationToken.None) with
        | ValueSome event -> Some event
        | ValueNone -> None

    interface IDisposable with
        member _.Dispose() =
            use _ = guard.Hold()

            if not isClosed then
                isClosed <- true

                let all = List.ofSeq partitions.Values
                partitions.Clear()
                Observed.each close all
