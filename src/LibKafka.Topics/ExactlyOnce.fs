namespace LibKafka.Topics

open System
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
        /// How partitions are read. Only committed records are read.
        Reading: ConsumerSettings
        /// How the output is collected into batches.
        Collecting: CollectorSettings
        /// Compresses the output; none to send it as it is.
        Codec: ICompressionCodec option
    }

[<RequireQualifiedAccess>]
module ExactlyOnceSettings =

    /// A dynamic member of a classic group that reads these topics from the earliest offset. Transactions of at most a minute, no
    /// compression.
    let make (groupId: string) (topics: string list) (transactionalId: string) =
        { Group = { GroupSettings.make groupId topics with RequireStable = true }
          TransactionalId = transactionalId
          TransactionTimeout = TimeSpan.FromMinutes 1.0
          Reading = ConsumerSettings.standard
          Collecting = { CollectorSettings.standard with Linger = Timeout.InfiniteTimeSpan }
          Codec = None }

/// What happened in `ExactlyOnce.Poll`.
[<RequireQualifiedAccess; NoComparison>]
type ExactlyOnceEvent =
    /// A transaction was committed: the output of the records of a partition up to this position, and the position itself.
    | Committed of from: TopicPartition * next: FetchPosition * records: int
    /// A transaction was aborted. Its records are read and transformed again, here or by another member.
    | Aborted of from: TopicPartition * TransactionProblem
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
        | Committed(from, next, records) -> from.ToString() + ": committed " + string records + " records up to " + next.ToString()
        | Aborted(from, problem) -> from.ToString() + ": aborted: " + problem.ToString()
        | Unsettled problem -> "not settled yet: " + problem.ToString()
        | Group event -> event.ToString()
        | Failed problem -> problem.ToString()

/// Consumes, transforms and produces, each record exactly once (KIP-98, KIP-447): the output and the positions of the input are committed
/// in one transaction, which is aborted if the member has lost its place in the group. Each fetched part of a partition is a transaction.
///
/// Everything happens in the caller's thread, inside `Poll`. What fails for a transient reason is repeated, for half a minute. Readers of
/// the output see each record once if they read committed records only. Two threads must not use it at the same time.
[<Sealed>]
type ExactlyOnce(settings: ClientSettings, bootstrap: Bootstrap, process': ExactlyOnceSettings, transform: Transform) =
    let group = { process'.Group with CommitInterval = None }

    let reading =
        { process'.Reading with Fetching = { process'.Reading.Fetching with IsolationLevel = IsolationLevel.ReadCommitted } }

    let consumer = new GroupConsumer(settings, bootstrap, group, reading)
    let transaction = new TransactionClient(settings, bootstrap, process'.TransactionalId)
    let offsets = new GroupClient(settings, bootstrap, group.GroupId)
    let output = TransformOutput(settings, transaction, process'.Collecting, process'.Codec)
    let mutable failure: TransactionProblem option = None
    let mutable refreshed = settings.Time.GetTimestamp()

    let fail (problem: TransactionProblem) : 'T = raise (TransactionException problem)

    let check (api: ApiKey) (result: Result<ErrorCode list, ClientFault>) =
        match result with
        | Error fault -> fail (TransactionProblem.Unanswered(api, fault))
        | Ok codes -> codes |> List.tryFind _.IsError |> Option.iter (fun code -> fail (TransactionProblem.Refused(api, code)))

    let isTransient (problem: TransactionProblem) =
        match problem with
        | TransactionProblem.Refused(_, code) -> code.IsRetriable
        | TransactionProblem.Unanswered(_, fault) -> fault.IsTransient
        | TransactionProblem.NotProduced _ -> true

    let identified (result: Result<Result<ProducerIdentity, ErrorCode>, ClientFault>) : Result<ErrorCode list, ClientFault> =
        result
        |> Result.map (fun given ->
            match given with
            | Ok _ -> []
            | Error code -> [ code ])

    // Fences earlier producers of the id, and ends what they have left open.
    let initialize () =
        let reply = RetryPolicy.standard.Run(fun call -> transaction.InitProducerId(process'.TransactionTimeout, call))
        check ApiKey.InitProducerId (identified reply.Result)

    // Continues as the same producer, after whatever has happened. Brokers before 2.5 only know the other way.
    let renew () =
        let reply = RetryPolicy.standard.Run(fun call -> transaction.RaiseEpoch(process'.TransactionTimeout, call))

        match reply.Result with
        | Error(ClientFault.CannotEncode _) -> initialize ()
        | result -> check ApiKey.InitProducerId (identified result)

    // Since level 2 of the feature `transaction.version`, the commit of the offsets adds the group to the transaction.
    let mustAddGroup () =
        match transaction.Coordinator.Connection with
        | Some connection -> connection.FinalizedFeatures |> Map.tryFind "transaction.version" |> Option.forall (fun level -> level < 2s)
        | None -> true

    let commitOffset (from: TopicPartition) (next: FetchPosition) =
        if mustAddGroup () then
            let reply = RetryPolicy.standard.Run(fun call -> transaction.AddOffsets(group.GroupId, call))
            check ApiKey.AddOffsetsToTxn (reply.Result |> Result.map (fun response -> [ response.Error ]))

        let offset = { Offset = next.Offset; LeaderEpoch = next.LastEpoch; Metadata = "" }
        let place = consumer.Membership
        let reply = RetryPolicy.standard.Run(fun call -> transaction.CommitOffsets(offsets, place, [ from, offset ], call))
        check ApiKey.TxnOffsetCommit (reply.Result |> Result.map (List.map _.Error))

    let commit () =
        let reply = RetryPolicy.standard.Run(fun call -> transaction.Commit(call))
        check ApiKey.EndTxn (reply.Result |> Result.map (fun response -> [ response.Error ]))

    // How far the group has read a partition, when no transaction can change it any more.
    let committed (from: TopicPartition) : int64 =
        let policy = RetryPolicy.standard
        let reply = policy.Run(fun call -> offsets.FetchOffsets(GroupMembership.none, [ from ], group.RequireStable, call))

        match reply.Result with
        | Error fault -> fail (TransactionProblem.Unanswered(ApiKey.OffsetFetch, fault))
        | Ok results ->
            match results.Head.Result with
            | Ok offset -> offset |> Option.map _.Offset |> Option.defaultValue -1L
            | Error code -> fail (TransactionProblem.Refused(ApiKey.OffsetFetch, code))

    // The records of an aborted transaction are read again, unless they are another member's by now.
    let goBack (from: TopicPartition) (start: FetchPosition) =
        if List.contains from consumer.Partitions then
            consumer.Seek(from, Start.At start)

    let abort () =
        output.Clear()

        if transaction.Identity.IsSome then
            RetryPolicy.standard.Run(fun call -> transaction.Abort(call)) |> ignore
            renew ()

    // What the partition's transaction led to is known once the producer has a new epoch: nothing of it is open then.
    let recover
        (from: TopicPartition)
        (start: FetchPosition)
        (next: FetchPosition)
        (isEnding: bool)
        (problem: TransactionProblem)
        : ExactlyOnceEvent =
        if isEnding then
            output.Clear()
            renew ()
        else
            abort ()

        if isEnding && committed from >= next.Offset then
            ExactlyOnceEvent.Committed(from, next, 0)
        else
            goBack from start
            ExactlyOnceEvent.Aborted(from, problem)

    // What has to be done before anything is read: at first, to get the producer's identity, and later, to settle a transaction that has
    // failed.
    let mutable unsettled: (unit -> ExactlyOnceEvent option) option =
        Some(fun () ->
            initialize ()
            None)

    let refresh () =
        if settings.Time.GetElapsedTime refreshed >= group.MetadataInterval then
            refreshed <- settings.Time.GetTimestamp()
            output.Refresh()

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

    let transact (from: TopicPartition) (records: FetchedRecords) (start: FetchPosition) (next: FetchPosition) : ExactlyOnceEvent option =
        let mutable isEnding = false

        // If the transform fails, nothing of it is kept, and the records are read again.
        unsettled <-
            Some(fun () ->
                abort ()
                goBack from start
                None)

        try
            refresh ()
            transform.Invoke(from, records, output)
            output.Deliver()
            commitOffset from next
            isEnding <- true
            commit ()
            unsettled <- None
            let count = output.Count
            output.Clear()
            Some(ExactlyOnceEvent.Committed(from, next, count))
        with :? TransactionException as ended ->
            let isEnding = isEnding
            let work () = Some(recover from start next isEnding ended.Problem)
            unsettled <- Some work
            settle work

    let handle (event: GroupEvent) : ExactlyOnceEvent option =
        match event with
        | GroupEvent.Read(ConsumerEvent.Fetched(from, records, fetched, next)) -> transact from records fetched.Position next
        | other -> Some(ExactlyOnceEvent.Group other)

    let poll (timeout: TimeSpan) (cancellation: CancellationToken) : ExactlyOnceEvent option =
        match unsettled |> Option.bind settle with
        | Some event -> Some event
        | None -> consumer.Poll(timeout, cancellation) |> Option.bind handle

    /// The settings it was made with.
    member _.Settings = process'

    /// The consumer of the input.
    member _.Consumer = consumer

    /// Transforms the next records, or says what else has happened. None if there is nothing within the time, or if it is cancelled. An
    /// exception of the transform passes through, after its transaction was aborted.
    member _.Poll(timeout: TimeSpan, ?cancellation: CancellationToken) : ExactlyOnceEvent option =
        match failure with
        | Some problem -> Some(ExactlyOnceEvent.Failed problem)
        | None -> poll timeout (defaultArg cancellation CancellationToken.None)

    /// Leaves the group and closes all connections. A transaction that is open, because the transform or a step has failed, is aborted.
    member _.Close(?call: CallOptions) : GroupLeave =
        try
            if unsettled.IsSome && transaction.Identity.IsSome then
                transaction.Abort(?call = call) |> ignore
            (consumer.Close(?call = call)).Leave
        finally
            transaction.Close()
            offsets.Close()

    interface IDisposable with
        member this.Dispose() = this.Close() |> ignore
