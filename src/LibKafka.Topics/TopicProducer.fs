namespace LibKafka.Topics

open System
open System.Collections.Generic
open System.ComponentModel
open System.Runtime.CompilerServices
open System.Threading
open LibKafka
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client

/// Produces records to a topic: collects them into batches, and sends the batches of all partitions at once, each on a connection of its own, with one
/// request in flight for each. Everything happens in the thread that calls `Poll` or `Flush`; `Add` does no I/O. Nothing is sent between these calls,
/// so call `Poll` often: after each hundredth or thousandth record, and whenever there is nothing to add.
///
/// <code>
/// open System
/// open System.Text
/// open LibKafka.Client
/// open LibKafka.Topics
///
/// let report (events: ProducerEvent list) =
///     for event in events do
///         match event with
///         | ProducerEvent.Undelivered batch -> Console.Error.WriteLine(batch.ToString())
///         | _ -> ()
///
/// let rec add (producer: TopicProducer) (key: byte[]) (value: byte[]) =
///     match producer.Add(key, value) with
///     | Added.Collected _ -> ()
///     | Added.TooLarge -> Console.Error.WriteLine "a record is too large"
///     | Added.Full ->
///         report (producer.Poll(TimeSpan.FromSeconds 1.0))
///         add producer key value
///
/// match TopicProducer.Open(ClientSettings.standard, Bootstrap.ofAddresses [ { Host = "localhost"; Port = 9092 } ], "orders") with
/// | Error fault -> Console.Error.WriteLine(fault.ToString())
/// | Ok producer ->
///     use _ = producer
///
///     for number in 1 .. 100_000 do
///         add producer (Encoding.UTF8.GetBytes("customer " + string (number % 100))) (Encoding.UTF8.GetBytes("order " + string number))
///
///     report (producer.Flush(TimeSpan.FromMinutes 1.0))
/// </code>
///
/// Each batch is reported once: `ProducerEvent.Delivered`, or `ProducerEvent.Undelivered` with the reason. The ticket that `Add` returns says which batch
/// a record is in. Records of a partition are appended in the order in which they were added, also if a batch is sent again: the next one waits. A batch
/// that is given up is left out, and the next one is sent.
///
/// By default brokers append a batch once, however often it is sent (`Guarantee.Idempotent`); see `TopicProducerSettings` for that, compression,
/// retries and limits. New partitions, moved leaders and a recreated topic are taken up. A producer must not be used by several threads at a time:
/// InvalidOperationException.
[<Sealed>]
type TopicProducer
    private
    (
        topic: string,
        settings: ClientSettings,
        bootstrap: Bootstrap,
        producing: TopicProducerSettings,
        leaders: LeaderDirectory,
        partitions: int
    ) =
    let time = settings.Time
    let collector = BatchCollector(producing.Batches, partitions, time)
    let preparation = Preparation(topic, settings, bootstrap, producing)
    let dispatch = Dispatch(topic, settings, producing, collector, leaders, preparation)
    let guard = ThreadGuard("producer of " + topic)
    let mutable isUsed = false
    // Whether `Add` has said since the last poll that the buffer is full.
    let mutable needsRoom = false
    let mutable isClosed = false

    // Asks for all leaders at once if that is due, and takes up new partitions. What cannot be asked now is asked again.
    let maintain (cancellation: CancellationToken) =
        match leaders.Refresh cancellation with
        | Ok(_ :: _) ->
            match leaders.Topic topic with
            | Some found when found.PartitionCount > 0 -> collector.Partitions <- found.PartitionCount
            | _ -> ()
        | Ok []
        | Error _ -> ()

    let look () =
        if dispatch.Calls.Count > 0 then
            PendingCalls.WaitAny(dispatch.Calls, TimeSpan.Zero) |> ignore

    // Takes each step that is possible without waiting.
    let step (cancellation: CancellationToken) =
        look ()
        dispatch.Settle()
        maintain cancellation
        dispatch.Send cancellation

        if needsRoom && not dispatch.HasEvents then
            collector.Flush TimeSpan.Zero
            dispatch.Send cancellation

        needsRoom <- false

    // Waits for what happens next.
    let rest (left: TimeSpan) (cancellation: CancellationToken) =
        let untilRefresh =
            match leaders.NextRefresh with
            | ValueSome due -> max TimeSpan.Zero (due - leaders.Now)
            | ValueNone -> Timeout.InfiniteTimeSpan

        PendingCalls.WaitAny(dispatch.Calls, left |> Waiting.shorter dispatch.Rest |> Waiting.shorter untilRefresh, cancellation)
        |> ignore

    // Steps and waits until it is enough, the time is over, or it is cancelled.
    let run (timeout: TimeSpan) (cancellation: CancellationToken) (isEnough: unit -> bool) : ProducerEvent list =
        // A producer waits by the clock of the machine, as `WaitAny` does.
        let clock = TimeProvider.System
        let began = clock.GetTimestamp()
        let left () = Waiting.left clock began timeout

        step cancellation

        while not (isEnough () || left () = TimeSpan.Zero || cancellation.IsCancellationRequested) do
            rest (left ()) cancellation
            step cancellation

        dispatch.TakeEvents()

    let outstanding () = collector.BatchesBegun - dispatch.Reported

    // Begins a use by one thread. An observer or a codec must not use the producer that is at work.
    let hold () : GuardedUse =
        let held = guard.Hold()

        if isUsed then
            (held :> IDisposable).Dispose()
            raise (InvalidOperationException("The producer of " + topic + " is used by something that it called, such as an observer."))

        isUsed <- true
        held

    let exit (held: GuardedUse) =
        // A conversion to IDisposable would allocate.
        use _ = held
        isUsed <- false

    let enter () : GuardedUse =
        let held = hold ()

        if isClosed then
            exit held
            raise (ObjectDisposedException("TopicProducer", "The producer of " + topic + " has been closed."))

        held

    /// Looks up the topic's partitions and their leaders, by one request, and makes a producer. It has no connection yet. Fault: `ClientFault.NoLeader` if
    /// there is no such topic, which is transient, as the topic may be about to be created; wrap the call with `RetryPolicy.connect` to wait for it.
    /// ArgumentException if the topic name is empty or a setting is invalid; InvalidOperationException for a transaction before `TransactionClient.InitProducerId`.
    static member Open
        (settings: ClientSettings, bootstrap: Bootstrap, topic: string, ?producing: TopicProducerSettings, ?call: CallOptions)
        : Result<TopicProducer, ClientFault> =
        let topic = TopicName.required (nameof topic) topic

        let producing =
            TopicProducerSettings.check (defaultArg producing TopicProducerSettings.standard) |> Checked.orThrow (nameof producing)

        match producing.Guarantee with
        | Guarantee.InTransaction transaction when transaction.Identity.IsNone ->
            raise (InvalidOperationException "The transaction has no identity yet: call InitProducerId first.")
        | _ -> ()

        let began = settings.Time.GetTimestamp()
        let times = LeaderTimes.withAge producing.MetadataAge
        let leaders = LeaderDirectory(settings, bootstrap, times, (fun () -> settings.Time.GetElapsedTime began))

        leaders.Ask([ topic ], defaultArg call CallOptions.standard)
        |> Result.bind (fun found ->
            match found with
            | [ one ] when one.PartitionCount > 0 ->
                Ok(new TopicProducer(topic, settings, bootstrap, producing, leaders, one.PartitionCount))
            | found ->
                let code = found |> List.map _.Error |> List.tryFind _.IsError
                let partition = { Topic = topic; Partition = 0 }
                Error(ClientFault.NoLeader(partition, Option.defaultValue ErrorCode.LeaderNotAvailable code)))

    /// The topic.
    member _.Topic = topic

    /// The number of partitions that the topic is known to have.
    member _.Partitions = collector.Partitions

    /// The settings it was made with.
    member _.Settings = producing

    /// The number of batches that have begun and have not been reported yet.
    member _.Outstanding: int64 = outstanding ()

    /// The bytes of the records that are in batches that have not been reported yet: see `CollectorSettings.MaxBufferedBytes`.
    member _.BufferedBytes: int64 = collector.BufferedBytes

    /// The identity that the producers of partitions begin with; none before the first batch is sent, and none for a producer that is not idempotent.
    member _.Identity: ProducerIdentity option = preparation.Identity

    /// Called by `Add`: adds a record for a partition, or for the one that the settings choose.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    member _.Append
        (hasPartition: bool, partition: int, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>, timestamp: int64)
        : int =
        let held = enter ()

        try
            let partition = if hasPartition then partition else collector.Choose key
            let index = collector.Append(partition, key, value, headers, timestamp)
            if index = -1 then needsRoom <- true
            index
        finally
            exit held

    /// Called by `Add`: what the result means.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    member _.Outcome(index: int) : Added = collector.Outcome index

    /// Called by `Add`: the time of a record that is added now.
    [<EditorBrowsable(EditorBrowsableState.Never)>]
    member _.Now() : int64 = time.GetUtcNow().ToUnixTimeMilliseconds()

    /// Adds a record without headers whose timestamp is the present time: see the other overload.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member inline this.Add(key: NullableSpan, value: NullableSpan) : Added =
        this.Outcome(this.Append(false, 0, key, value, ReadOnlySpan<RecordHeader>.Empty, this.Now()))

    /// Adds a record for the partition that the settings choose by its key. Spans, memory, arrays and `Bytes` convert to `NullableSpan`; a null value is
    /// a tombstone. The timestamp is in milliseconds since 1970-01-01 UTC. The bytes are copied, and nothing else is allocated or done.
    ///
    /// If the result is `Full`, nothing was added: poll, and add the record again. See also `BatchCollector.Add`.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member inline this.Add(key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>, timestamp: int64) : Added =
        this.Outcome(this.Append(false, 0, key, value, headers, timestamp))

    /// Adds a record for this partition, or for any partition if it is `Partitioning.Any`. ArgumentOutOfRangeException if the topic is not known to have
    /// it.
    [<MethodImpl(MethodImplOptions.AggressiveInlining)>]
    member inline this.Add
        (partition: int, key: NullableSpan, value: NullableSpan, headers: ReadOnlySpan<RecordHeader>, timestamp: int64)
        : Added =
        this.Outcome(this.Append(true, partition, key, value, headers, timestamp))

    /// Sends the batches that are full or have lingered, and returns what has happened to batches since the last call. If nothing has, it waits until
    /// something does, the time is over, or it is cancelled; then the list is empty. `TimeSpan.Zero` does not wait. If `Add` has just said that the buffer
    /// is full, batches that have not lingered are sent too if nothing else makes room.
    ///
    /// It takes longer than the time-out while a connection is made or a broker is slow to accept a batch: see `ClientSettings.ConnectTimeout` and
    /// `CallTimeout`. Cancelling ends the wait and no request. An exception of an observer passes through; the events are returned by the next call.
    member _.Poll(timeout: TimeSpan, ?cancellation: CancellationToken) : ProducerEvent list =
        let held = enter ()

        try
            // An endless wait ends if there is nothing that it could wait for.
            let isInVain () = dispatch.Calls.Count = 0 && dispatch.Rest = Timeout.InfiniteTimeSpan
            let isEnough () = dispatch.HasEvents || (timeout = Timeout.InfiniteTimeSpan && isInVain ())
            run timeout (defaultArg cancellation CancellationToken.None) isEnough
        finally
            exit held

    /// Sends all batches, full or not, and waits until each is delivered or given up, the time is over, or it is cancelled. Returns what has happened
    /// since the last call. Afterwards `Outstanding` is 0 if the time was enough.
    member _.Flush(timeout: TimeSpan, ?cancellation: CancellationToken) : ProducerEvent list =
        let held = enter ()

        try
            collector.Flush TimeSpan.Zero
            run timeout (defaultArg cancellation CancellationToken.None) (fun () -> outstanding () = 0L)
        finally
            exit held

    /// Gives up all batches without an event, after their transaction has failed. What is in flight is abandoned.
    member internal _.Discard() =
        let held = hold ()

        try
            look ()
            dispatch.Settle()
            dispatch.Abandon()
            dispatch.TakeEvents() |> ignore
        finally
            exit held

    /// Closes all connections, and returns what has happened since the last call. Batches that have not been delivered are given up: call `Flush` before.
    /// If one is in flight, it may be in the log. Later calls return nothing. The connections of a transaction are left to its client.
    member _.Close() : ProducerEvent list =
        if isClosed then
            []
        else
            let held = hold ()

            try
                look ()
                dispatch.Settle()
                dispatch.Abandon()
                isClosed <- true
                dispatch.TakeEvents()
            finally
                exit held

    interface IDisposable with
        member this.Dispose() = this.Close() |> List.iter producing.Unreported
