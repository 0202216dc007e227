namespace LibKafka.Topics

open System
open LibKafka.Wire
open System.Collections.Generic
open System.Threading
open LibKafka
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client

/// Makes records from records. It is called again with the same records if their transaction was aborted, so it must have no other effect
/// than to add records to the output.
type Transform = delegate of from: TopicPartition * records: FetchedRecords * output: TransformOutput -> unit

/// How records are transformed exactly once.
[<NoEquality; NoComparison>]
type ExactlyOnceSettings =
    {
        /// How the records are read. Offsets are committed in the transactions only, whatever `CommitInterval` says. `RequireStable` must
        /// be on, except with brokers before Kafka 2.5, which cannot do it; there each partition needs a transactional id of its own.
        Group: GroupSettings
        /// Identifies the producer from one start of the program to the next, so that an unfinished transaction of the last run is aborted.
        /// Each process that runs at the same time needs its own.
        TransactionalId: string
        /// The coordinator aborts a transaction that stays open longer.
        TransactionTimeout: TimeSpan
        /// How long a transaction takes more input after its first records. It is committed at the next `Poll` after that, and before the member
        /// gives up partitions. Zero to commit each fetched part of a partition in a transaction of its own. Readers of committed records wait as
        /// long for the output. It must be shorter than `TransactionTimeout`.
        TransactionInterval: TimeSpan
        /// How partitions are read. Only committed records are read.
        Reading: ConsumerSettings
        /// How the output is collected into batches.
        Collecting: CollectorSettings
        /// Compresses the output; none to send it as it is.
        Codec: ICompressionCodec option
    }

    /// The values in one line.
    override this.ToString() =
        FieldText.show
            [ "Group", box this.Group
              "TransactionalId", box this.TransactionalId
              "TransactionTimeout", box this.TransactionTimeout
              "TransactionInterval", box this.TransactionInterval
              "Reading", box this.Reading
              "Collecting", box this.Collecting
              "Codec", FieldText.optional this.Codec ]

[<RequireQualifiedAccess>]
module ExactlyOnceSettings =

    /// A dynamic member of a classic group that reads these topics from the earliest offset. Transactions that take input for 100 ms and may stay
    /// open for a minute, no compression.
    let make (groupId: string) (topics: string list) (transactionalId: string) =
        { Group = { GroupSettings.make groupId topics with RequireStable = true }
          TransactionalId = transactionalId
          TransactionTimeout = TimeSpan.FromMinutes 1.0
          TransactionInterval = TimeSpan.FromMilliseconds 100.0
          Reading = ConsumerSettings.standard
          Collecting = { CollectorSettings.standard with Linger = Timeout.InfiniteTimeSpan }
          Codec = None }

    /// The settings, or the fault `InvalidSetting` for the first one that is invalid.
    let check (settings: ExactlyOnceSettings) : Result<ExactlyOnceSettings, ClientFault> =
        let interval = settings.TransactionInterval

        settings
        |> Checked.byRules
            [ "TransactionInterval",
              interval >= TimeSpan.Zero && interval < settings.TransactionTimeout,
              "it must not be negative, and shorter than TransactionTimeout" ]
        |> Result.bind (fun _ -> GroupSettings.check settings.Group)
        |> Result.bind (fun _ -> CollectorSettings.check settings.Collecting)
        |> Result.map (fun _ -> settings)

/// What happened in `ExactlyOnce.Poll`.
[<RequireQualifiedAccess; NoComparison>]
type ExactlyOnceEvent =
    /// A transaction was committed: `records` records of output, and the positions up to which their input was read.
    | Committed of positions: (TopicPartition * FetchPosition) list * records: int
    /// A transaction was aborted. Its input is read and transformed again, here or by another member.
    | Aborted of from: TopicPartition list * TransactionProblem
    /// What the last transaction has led to is not known yet, because the coordinator cannot be reached. The next `Poll` asks again.
    | Unsettled of TransactionProblem
    /// Something else about the group or a partition.
    | Group of GroupEvent
    /// The producer cannot continue: another one has taken over its transactional id, or it is not allowed to produce. Every further `Poll`
    /// returns the same.
    | Failed of TransactionProblem

    /// A one-line description.
    override this.ToString() =
        match this with
        | Committed(positions, records) ->
            let each = positions |> List.map (fun (from, next) -> from.ToString() + " up to " + next.ToString())
            "committed " + FieldText.count (int64 records) "record" + ": " + String.Join("; ", each)
        | Aborted(from, problem) -> "aborted " + String.Join(", ", from) + ": " + problem.ToString()
        | Unsettled problem -> "not settled yet: " + problem.ToString()
        | Group event -> event.ToString()
        | Failed problem -> problem.ToString()

/// The part of a partition that the open transaction has read.
[<Struct>]
type private Input = { Start: FetchPosition; Next: FetchPosition }

/// Consumes, transforms and produces, each record exactly once (KIP-98, KIP-447): the output and the positions of the input are committed
/// in one transaction, which is aborted if the member has lost its place in the group. A transaction takes the input of all partitions for
/// `TransactionInterval`, and its output may go to any topics.
///
/// Everything happens in the caller's thread, inside `Poll`. What fails for a transient reason is repeated, for half a minute. Readers of
/// the output see each record once if they read committed records only. Two threads must not use it at the same time.
[<Sealed>]
type ExactlyOnce(settings: ClientSettings, bootstrap: Bootstrap, process': ExactlyOnceSettings, transform: Transform) =
    let process' = ExactlyOnceSettings.check process' |> Checked.orThrow (nameof process')
    do FetcherSettings.check settings process'.Reading.Fetching |> Checked.orThrow (nameof process') |> ignore
    let group = { process'.Group with CommitInterval = None }

    let reading =
        { process'.Reading with Fetching = { process'.Reading.Fetching with IsolationLevel = IsolationLevel.ReadCommitted } }

    let consumer = new GroupConsumer(settings, bootstrap, group, reading)
    let transaction = new TransactionClient(settings, bootstrap, process'.TransactionalId)
    let offsets = new GroupClient(settings, bootstrap, group.GroupId)
    let output = TransformOutput(settings, bootstrap, transaction, process'.Collecting, process'.Codec)
    let time = settings.Time
    // The input of the open transaction, and when it took the first of it.
    let input = Dictionary<TopicPartition, Input>()
    let mutable since = 0L
    // Partitions that the member gives up in its next poll or has lost: if it has them again, it reads them from the committed position.
    let mutable leaving: Set<TopicPartition> = Set.empty
    // What the next polls return.
    let told = Queue<ExactlyOnceEvent>()
    let mutable failure: TransactionProblem option = None
    let mutable left = GroupLeave.Silent

    let fail (problem: TransactionProblem) : 'T = raise (TransactionException problem)

    let check (api: ApiKey) (result: Result<'Value, CallFailure>) =
        match result with
        | Ok _ -> ()
        | Error(CallFailure.Code code) -> fail (TransactionProblem.Refused(api, code))
        | Error(CallFailure.Fault fault) -> fail (TransactionProblem.Unanswered(api, fault))

    let isTransient (problem: TransactionProblem) =
        match problem with
        | TransactionProblem.Refused(_, code) -> code.IsRetriable
        | TransactionProblem.Unanswered(_, fault) -> fault.IsTransient
        | TransactionProblem.NotProduced _
        | TransactionProblem.PartitionsLost _ -> true

    // ---- the steps of a transaction ----

    // Fences earlier producers of the id, and ends what they have left open.
    let initialize () =
        let reply = RetryPolicy.standard.Run(fun call -> transaction.InitProducerId(process'.TransactionTimeout, call))
        check ApiKey.InitProducerId reply.Result

    // Continues as the same producer, after whatever has happened. Brokers before 2.5 only know the other way.
    let renew () =
        let reply = RetryPolicy.standard.Run(fun call -> transaction.RaiseEpoch(process'.TransactionTimeout, call))

        match reply.Result with
        | Error(CallFailure.Fault(ClientFault.CannotEncode _)) -> initialize ()
        | result -> check ApiKey.InitProducerId result

    // Since level 2 of the feature `transaction.version`, the commit of the offsets adds the group to the transaction.
    let mustAddGroup () =
        match transaction.Coordinator.Connection with
        | Some connection -> connection.FinalizedFeatures |> Map.tryFind "transaction.version" |> Option.forall (fun level -> level < 2s)
        | None -> true

    let commitOffsets (taken: (TopicPartition * Input) list) =
        if mustAddGroup () then
            let reply = RetryPolicy.standard.Run(fun call -> transaction.AddOffsets(group.GroupId, call))
            check ApiKey.AddOffsetsToTxn reply.Result

        let after (input: Input) : CommittedOffset = { Offset = input.Next.Offset; LeaderEpoch = input.Next.LastEpoch; Metadata = "" }
        let positions = taken |> List.map (fun (from, input) -> from, after input)
        // With the place from before a loss, the coordinator refuses the positions.
        let place = consumer.Membership
        consumer.Losses |> List.tryHead |> Option.iter (fun (_, reason) -> fail (TransactionProblem.PartitionsLost reason))
        let reply = RetryPolicy.standard.Run(fun call -> transaction.CommitOffsets(offsets, place, positions, call))
        check ApiKey.TxnOffsetCommit (reply.Result |> Result.mapError _.First)

    let commit () =
        let reply = RetryPolicy.standard.Run(fun call -> transaction.Commit(call))
        check ApiKey.EndTxn reply.Result

    // Whether the group has these positions, when no transaction can change that any more. One transaction has committed all of them, or none.
    let isCommitted (taken: (TopicPartition * Input) list) : bool =
        let partitions = List.map fst taken
        let policy = RetryPolicy.standard
        let reply = policy.Run(fun call -> offsets.FetchOffsets(GroupMembership.none, partitions, group.RequireStable, call))

        let offsetOf (fetched: FetchedOffset) =
            match fetched.Result with
            | Ok offset -> fetched.Partition, offset |> Option.map _.Offset |> Option.defaultValue -1L
            | Error code -> fail (TransactionProblem.Refused(ApiKey.OffsetFetch, code))

        match reply.Result with
        | Error fault -> fail (TransactionProblem.Unanswered(ApiKey.OffsetFetch, fault))
        | Ok results ->
            let known = results |> List.map offsetOf |> Map.ofList
            taken |> List.forall (fun (from, input) -> known[from] >= input.Next.Offset)

    let abort () =
        output.Clear()

        if transaction.Identity.IsSome then
            RetryPolicy.standard.Run(fun call -> transaction.Abort(call)) |> ignore
            renew ()

    // The input of an aborted transaction is read again, unless it is another member's by now.
    let goBack (taken: (TopicPartition * Input) list) =
        let lost = consumer.Losses |> List.collect fst |> Set.ofList
        let owned = Set.ofList consumer.Partitions - leaving - lost

        for from, input in taken do
            if owned.Contains from then consumer.Seek(from, Start.At input.Start)

    // ---- what is not settled ----

    // What has to be done before anything is read: at first, to get the producer's identity, and later, to settle a transaction that has
    // failed.
    let mutable unsettled: (unit -> ExactlyOnceEvent option) option =
        Some(fun () ->
            initialize ()
            None)

    let settle (work: unit -> ExactlyOnceEvent option) : ExactlyOnceEvent option =
        try
            let event = work ()
            unsettled <- None
            event
        with :? TransactionException as ended ->
            if isTransient ended.Problem then
                Some(ExactlyOnceEvent.Unsettled ended.Problem)
            else
                failure <- Some ended.Problem
                Some(ExactlyOnceEvent.Failed ended.Problem)

    // Work that is repeated until it has succeeded.
    let settleLater (work: unit -> ExactlyOnceEvent option) = unsettled <- Some work

    let takenNow () = [ for entry in input -> entry.Key, entry.Value ]

    let undo (taken: (TopicPartition * Input) list) (event: ExactlyOnceEvent option) : ExactlyOnceEvent option =
        abort ()
        goBack taken
        input.Clear()
        event

    // What the transaction led to is known once the producer has a new epoch: nothing of it is open then.
    let findOut (taken: (TopicPartition * Input) list) (count: int) (problem: TransactionProblem) : ExactlyOnceEvent option =
        output.Clear()
        renew ()
        let isCommitted = isCommitted taken
        if not isCommitted then goBack taken
        input.Clear()

        if isCommitted then
            Some(ExactlyOnceEvent.Committed(taken |> List.map (fun (from, input) -> from, input.Next), count))
        else
            Some(ExactlyOnceEvent.Aborted(List.map fst taken, problem))

    let giveUp (problem: TransactionProblem) : ExactlyOnceEvent option =
        let taken = takenNow ()
        let work () = undo taken (Some(ExactlyOnceEvent.Aborted(List.map fst taken, problem)))
        settleLater work
        settle work

    // ---- the open transaction ----

    let isOpen () = input.Count > 0

    // How long it takes more input.
    let rest () : TimeSpan = Waiting.left time since process'.TransactionInterval

    let isDue () = isOpen () && rest () = TimeSpan.Zero

    let note (from: TopicPartition) (start: FetchPosition) (next: FetchPosition) =
        if not (isOpen ()) then since <- time.GetTimestamp()

        input[from] <-
            match input.TryGetValue from with
            | true, before -> { before with Next = next }
            | false, _ -> { Start = start; Next = next }

    // Transforms records. If the transform throws, nothing of the transaction is kept, and its input is read again.
    let takeIn (from: TopicPartition) (records: FetchedRecords) (start: FetchPosition) (next: FetchPosition) : ExactlyOnceEvent option =
        note from start next
        let taken = takenNow ()
        settleLater (fun () -> undo taken None)

        try
            transform.Invoke(from, records, output)
            output.Send()
            unsettled <- None
            None
        with :? TransactionException as ended ->
            giveUp ended.Problem

    // Commits the open transaction.
    let finish () : ExactlyOnceEvent option =
        let taken = takenNow ()
        let count = output.Count
        let mutable isEnding = false
        settleLater (fun () -> undo taken None)

        try
            output.Deliver()
            commitOffsets taken
            isEnding <- true
            commit ()
            unsettled <- None
            output.Clear()
            input.Clear()
            Some(ExactlyOnceEvent.Committed(taken |> List.map (fun (from, input) -> from, input.Next), count))
        with :? TransactionException as ended ->
            if isEnding then
                let work () = findOut taken count ended.Problem
                settleLater work
                settle work
            else
                giveUp ended.Problem

    // The transaction ends before something else happens to its input.
    let endBefore (event: GroupEvent) (finish: unit -> ExactlyOnceEvent option) : ExactlyOnceEvent option =
        match finish () with
        | Some first ->
            told.Enqueue(ExactlyOnceEvent.Group event)
            Some first
        | None -> Some(ExactlyOnceEvent.Group event)

    let handle (event: GroupEvent) : ExactlyOnceEvent option =
        match event with
        | GroupEvent.Read(ConsumerEvent.Fetched(from, records, fetched, next)) -> takeIn from records fetched.Position next
        | GroupEvent.Revoking partitions when isOpen () ->
            leaving <- Set.ofList partitions
            endBefore event finish
        | GroupEvent.Lost(partitions, reason) when partitions |> List.exists input.ContainsKey ->
            leaving <- Set.ofList partitions
            endBefore event (fun () -> giveUp (TransactionProblem.PartitionsLost reason))
        | GroupEvent.Read _ when isOpen () -> endBefore event finish
        | other -> Some(ExactlyOnceEvent.Group other)

    let rec poll (began: int64) (timeout: TimeSpan) (cancellation: CancellationToken) : ExactlyOnceEvent option =
        let left () = Waiting.left time began timeout
        let isOver () = left () = TimeSpan.Zero || cancellation.IsCancellationRequested

        match unsettled |> Option.bind settle with
        | Some event -> Some event
        | None when isDue () -> finish ()
        | None ->
            leaving <- Set.empty
            let patience = if isOpen () then Waiting.shorter (left ()) (rest ()) else left ()

            match consumer.Poll(patience, cancellation) with
            | Some event ->
                match handle event with
                | Some event -> Some event
                | None when isDue () -> finish ()
                | None when isOver () -> None
                | None -> poll began timeout cancellation
            | None when isDue () -> finish ()
            | None when isOver () || not (isOpen ()) -> None
            | None -> poll began timeout cancellation

    /// The settings it was made with.
    member _.Settings = process'

    /// The consumer of the input.
    member _.Consumer = consumer

    /// Transforms records, and returns the next transaction that has ended, or what else has happened. None if there is nothing within the time,
    /// or if it is cancelled; a transaction may stay open then, which a later `Poll` ends. An exception of the transform passes through, and
    /// its transaction is aborted.
    member _.Poll(timeout: TimeSpan, ?cancellation: CancellationToken) : ExactlyOnceEvent option =
        match told.TryDequeue(), failure with
        | (true, event), _ -> Some event
        | _, Some problem -> Some(ExactlyOnceEvent.Failed problem)
        | _, None -> poll (time.GetTimestamp()) timeout (defaultArg cancellation CancellationToken.None)

    /// Leaves the group and closes all connections. A transaction that is open is aborted, and its input is transformed again by another member or
    /// at the next start.
    member _.Close(?call: CallOptions) : GroupLeave =
        let abandon () =
            output.Clear()

            if (isOpen () || unsettled.IsSome) && transaction.Identity.IsSome then
                transaction.Abort(?call = call) |> ignore

        // An observer may throw, but every connection must be closed.
        try
            try
                abandon ()
            finally
                output.Close()
                transaction.Close()
                offsets.Close()
        finally
            input.Clear()
            left <- (consumer.Close(?call = call)).Leave

        left

    interface IDisposable with
        member this.Dispose() = this.Close() |> ignore
