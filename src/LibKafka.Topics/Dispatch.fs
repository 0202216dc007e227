namespace LibKafka.Topics

open System
open System.Collections.Generic
open System.Threading
open LibKafka
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Client

/// Sends what a collector has, all partitions at once, and follows up each batch until it is delivered or given up.
[<Sealed>]
type internal Dispatch
    (
        topic: string,
        settings: ClientSettings,
        producing: TopicProducerSettings,
        collector: BatchCollector,
        leaders: LeaderDirectory,
        preparation: Preparation
    ) =
    let time = settings.Time
    let policy = producing.Retry
    let packer = Packer(producing.Codec, producing.CompressionThreads, time)
    let lanes = List<Lane>()
    // The lanes whose requests are in flight, and their calls in the same order.
    let flying = List<Lane>()
    let calls = List<PendingCall>()
    let waiting = List<Lane>()
    let departing = Queue<Lane>()
    // Batches that were taken from the collector and are compressed now.
    let unpacked = List<Shipment>()
    let events = List<ProducerEvent>()
    let mutable reported = 0L

    let laneOf (partition: int) : Lane =
        while lanes.Count <= partition do
            lanes.Add(Lane { Topic = topic; Partition = lanes.Count })

        lanes[partition]

    let timestampAfter (delay: TimeSpan) : int64 = time.GetTimestamp() + int64 (delay.TotalSeconds * float time.TimestampFrequency)

    let wait (lane: Lane) (delay: TimeSpan) =
        lane.Stage <- Stage.Waiting
        lane.NotBefore <- timestampAfter delay
        waiting.Add lane

    let depart (lane: Lane) =
        lane.Stage <- Stage.Departing
        departing.Enqueue lane

    // After a failure a partition gets no more keyless records until its delay is over.
    let pause (lane: Lane) (delay: TimeSpan) =
        collector.SetAvailable(lane.Partition.Partition, false)
        wait lane delay

    let deliver (lane: Lane) (shipment: Shipment) (acknowledgement: Acknowledgement) =
        let collected = shipment.Collected

        events.Add(
            ProducerEvent.Delivered
                { Partition = lane.Partition; Batch = collected.Number; Acknowledgement = acknowledgement; Life = shipment.Life }
        )

        reported <- reported + 1L
        packer.Return shipment
        collector.Release collected

    let giveUp (lane: Lane) (shipment: Shipment) (reason: UndeliveredReason) =
        let collected = shipment.Collected

        events.Add(
            ProducerEvent.Undelivered
                { Partition = lane.Partition
                  Batch = collected.Number
                  Reason = reason
                  MayBeInLog = shipment.MayBeInLog
                  Records = collected.Batch
                  Life = shipment.Life }
        )

        reported <- reported + 1L
        collector.Forget collected

    let notSent (fault: ClientFault) = UndeliveredReason.NotProduced(ProduceResult.Rejected(Rejection.NotSent fault))

    let attempted (shipment: Shipment) (mayMove: bool) : Attempted =
        { Number = shipment.Attempts
          Elapsed = shipment.Elapsed
          MayMove = mayMove
          MayRenew = preparation.MayRenew
          Random = policy.Random() }

    // Another partition that can take a batch now.
    let otherThan (lane: Lane) : Lane voption =
        let own = lane.Partition.Partition
        let isOther partition = partition <> own && collector.IsAvailable partition
        Partitioning.next isOther collector.Partitions own |> ValueOption.map laneOf

    let mayMove (lane: Lane) (shipment: Shipment) = producing.MoveKeyless && shipment.Collected.IsMovable && (otherThan lane).IsSome

    let move (lane: Lane) (shipment: Shipment) =
        match otherThan lane with
        | ValueSome other ->
            other.Moved.Enqueue shipment
            if other.Stage = Stage.Idle then depart other
        | ValueNone -> lane.Moved.Enqueue shipment

    // An attempt that ended before the batch was sent.
    let fail (lane: Lane) (shipment: Shipment) (obstacle: Obstacle) (moves: bool) =
        shipment.Begin()

        match AfterAttempt.delay policy (attempted shipment moves) with
        | ValueSome _ when obstacle.IsTransient && moves ->
            lane.Shipment <- null
            pause lane (policy.Delay(1, policy.Random()))
            move lane shipment
        | ValueSome delay when obstacle.IsTransient -> pause lane delay
        | _ ->
            lane.Shipment <- null
            giveUp lane shipment obstacle.Reason
            wait lane TimeSpan.Zero

    // The leader could not be connected to.
    let unreached (lane: Lane) (shipment: Shipment) (fault: ClientFault) =
        let moves = not shipment.MayBeInLog && mayMove lane shipment
        fail lane shipment { IsTransient = fault.IsTransient; Reason = notSent fault } moves

    // Waits until a connection may be made, if the batch has the time.
    let postpone (lane: Lane) (shipment: Shipment) (wait: TimeSpan) =
        shipment.Touch()

        if policy.TimeLimit = Timeout.InfiniteTimeSpan || shipment.Elapsed + wait < policy.TimeLimit then
            pause lane wait
        else
            lane.Shipment <- null
            giveUp lane shipment (notSent (leaders.Obstacle lane.Partition))
            pause lane wait

    let throttle (produced: Produced) = if settings.HeedThrottle then produced.Exchange.Info.ThrottleTime else TimeSpan.Zero

    let decide (lane: Lane) (shipment: Shipment) (produced: Produced) : AfterAttempt =
        let state = lane.Sender |> ValueOption.bind _.State
        AfterAttempt.decide policy (attempted shipment (mayMove lane shipment)) state produced

    // Brings a lane and its batch up to date with the reply to an attempt.
    let settle (lane: Lane) (shipment: Shipment) (produced: Produced) (next: AfterAttempt) =
        shipment.Note produced

        match next with
        | AfterAttempt.Deliver acknowledgement ->
            lane.Shipment <- null
            collector.SetAvailable(lane.Partition.Partition, true)
            deliver lane shipment acknowledgement
            wait lane (throttle produced)
        | AfterAttempt.Again delay
        | AfterAttempt.Renew delay -> pause lane (max delay (throttle produced))
        | AfterAttempt.Move ->
            lane.Shipment <- null
            pause lane (policy.Delay(1, policy.Random()))
            move lane shipment
        | AfterAttempt.GiveUp ->
            lane.Shipment <- null
            giveUp lane shipment (UndeliveredReason.NotProduced produced.Result)
            wait lane (throttle produced)

    // Completes the call at this place. An observer or the policy may throw: then nothing has changed, and the reply is there the next time.
    let land (index: int) =
        let lane = flying[index]

        match lane.Call, lane.Shipment with
        | null, _
        | _, null -> ()
        | call, shipment ->
            let produced = call.Complete()
            let next = decide lane shipment produced
            let last = flying.Count - 1
            flying[index] <- flying[last]
            calls[index] <- calls[last]
            flying.RemoveAt last
            calls.RemoveAt last
            lane.Call <- null
            settle lane shipment produced next

    // The next batch of a lane that has none: one that was moved here, or else one that was collected for it, which is to be compressed first.
    let load (lane: Lane) =
        if isNull lane.Shipment then
            if lane.Moved.Count > 0 then
                lane.Shipment <- lane.Moved.Dequeue()
            else
                match collector.TryTake lane.Partition.Partition with
                | ValueNone -> ()
                | ValueSome collected -> unpacked.Add(Shipment(collected, time))

    let board (shipment: Shipment) (fault: Fault voption) =
        let lane = laneOf shipment.Collected.Partition

        match fault with
        | ValueNone -> lane.Shipment <- shipment
        | ValueSome fault -> giveUp lane shipment (UndeliveredReason.NotCompressed fault)

    // Gives each lane that is about to send a batch, if there is one for it. If one cannot be compressed, the next one is tried.
    let rec fill () =
        for lane in departing do
            load lane

        if unpacked.Count > 0 then
            packer.Pack(unpacked, board)
            let hasFault = unpacked.Exists(fun shipment -> isNull (laneOf shipment.Collected.Partition).Shipment)
            unpacked.Clear()
            if hasFault then fill ()

    let send (lane: Lane) (shipment: Shipment) (sender: Sender) =
        shipment.Begin()
        let call = lane.Begin(sender, shipment, { CallOptions.standard with Attempt = shipment.Attempts })
        lane.Call <- call
        lane.Stage <- Stage.Flying
        flying.Add lane
        calls.Add call

    // Sends the lane's batch if there is a connection or one can be made now. Returns whether that has taken an attempt to make one.
    let sendTo (lane: Lane) (shipment: Shipment) (sender: Sender) (cancellation: CancellationToken) : bool =
        let wasConnected = lane.IsConnected

        match leaders.Connect(sender.Client, cancellation) with
        | Reached.Connected _ ->
            send lane shipment sender
            not wasConnected
        | Reached.NotBefore time ->
            postpone lane shipment (max TimeSpan.Zero (time - leaders.Now))
            false
        | Reached.Failed ClientFault.Cancelled -> true
        | Reached.Failed fault ->
            unreached lane shipment fault
            true

    // Sends the lane's batch, unless its producer must not send it. Returns whether that has taken an attempt to make a connection.
    let launch (lane: Lane) (cancellation: CancellationToken) : bool =
        match lane.Shipment with
        | null ->
            lane.Stage <- Stage.Idle
            false
        | shipment ->
            match preparation.SenderFor(lane, shipment) with
            | Ok(struct (sender, change)) ->
                change |> ValueOption.iter (ProducerEvent.IdentityChanged >> events.Add)
                sendTo lane shipment sender cancellation
            | Error obstacle ->
                fail lane shipment obstacle false
                false

    // Whatever happens, the lane stays in one of the lists.
    let launchNext (lane: Lane) (cancellation: CancellationToken) : bool =
        try
            launch lane cancellation
        finally
            if lane.Stage = Stage.Departing then departing.Enqueue lane

    // Lets the lanes depart whose time has come.
    let wake () =
        let now = time.GetTimestamp()

        for index in waiting.Count - 1 .. -1 .. 0 do
            let lane = waiting[index]

            if lane.NotBefore <= now then
                waiting[index] <- waiting[waiting.Count - 1]
                waiting.RemoveAt(waiting.Count - 1)
                collector.SetAvailable(lane.Partition.Partition, true)
                depart lane

    // Lets the lanes depart that the collector has a batch for. One that is busy asks for it later.
    let gather () =
        let mutable partition = collector.NextReady()

        while partition >= 0 do
            let lane = laneOf partition
            if lane.Stage = Stage.Idle then depart lane
            partition <- collector.NextReady()

    // Lanes that need a connection, until one of them has tried to make it.
    let rec launchUnconnected (count: int) (cancellation: CancellationToken) =
        if count > 0 && not (launchNext (departing.Dequeue()) cancellation) then
            launchUnconnected (count - 1) cancellation

    // Connecting takes time, so lanes with a connection go first, and at most one connection is made.
    let launchAll (cancellation: CancellationToken) =
        for _ in 1 .. departing.Count do
            let lane = departing.Dequeue()

            if isNull lane.Shipment || lane.IsConnected || preparation.HasObstacle lane then
                launchNext lane cancellation |> ignore
            else
                departing.Enqueue lane

        launchUnconnected departing.Count cancellation

    /// The number of batches that have been reported.
    member _.Reported = reported

    /// What has happened since the last `TakeEvents`.
    member _.HasEvents = events.Count > 0

    /// The calls in flight.
    member _.Calls: IReadOnlyList<PendingCall> = calls

    member _.TakeEvents() : ProducerEvent list =
        let taken = List.ofSeq events
        events.Clear()
        taken

    /// Settles the calls that are known to be ready.
    member _.Settle() =
        for index in calls.Count - 1 .. -1 .. 0 do
            if calls[index].WasReady && calls[index].Receive() then land index

    /// Sends what is ready. At most one connection is made.
    member _.Send(cancellation: CancellationToken) =
        wake ()
        gather ()

        if departing.Count > 0 then
            fill ()
            preparation.Prepare departing
            launchAll cancellation

    /// How long there is nothing to do but to wait for calls; `Timeout.InfiniteTimeSpan` for ever.
    member _.Rest: TimeSpan =
        if departing.Count > 0 then
            TimeSpan.Zero
        else
            let now = time.GetTimestamp()
            let mutable rest = collector.NextDue

            for lane in waiting do
                let left = if lane.NotBefore <= now then TimeSpan.Zero else time.GetElapsedTime(now, lane.NotBefore)
                rest <- Waiting.shorter left rest

            rest

    /// Ends all calls in flight, and gives up all batches.
    member this.Abandon() =
        for index in calls.Count - 1 .. -1 .. 0 do
            calls[index].Abandon()
            land index

        for lane in lanes do
            match lane.Shipment with
            | null -> ()
            | shipment ->
                lane.Shipment <- null
                giveUp lane shipment UndeliveredReason.Closed

            while lane.Moved.Count > 0 do
                giveUp lane (lane.Moved.Dequeue()) UndeliveredReason.Closed

            lane.Stage <- Stage.Idle
            if lane.Partition.Partition < collector.Partitions then
                collector.SetAvailable(lane.Partition.Partition, true)

        waiting.Clear()
        departing.Clear()
        collector.Flush TimeSpan.Zero

        let rec giveUpAll () =
            match collector.TryTake() with
            | ValueNone -> ()
            | ValueSome collected ->
                giveUp (laneOf collected.Partition) (Shipment(collected, time)) UndeliveredReason.Closed
                giveUpAll ()

        giveUpAll ()

        for lane in lanes do
            lane.Sender |> ValueOption.iter preparation.Close
