namespace LibKafka.Client

open System
open System.Collections.Generic
open LibKafka.Records
open LibKafka.Protocol

[<RequireQualifiedAccess>]
module Transaction =

    /// The options for a batch of the producer's open transaction. `baseSequence` counts the producer's records in the partition, from 0 on,
    /// and after 2^31 - 1 from 0 again.
    let batchOptions (identity: ProducerIdentity) (baseSequence: int32) (options: BatchOptions) : BatchOptions =
        { options with
            IsTransactional = true
            ProducerId = identity.ProducerId
            ProducerEpoch = identity.ProducerEpoch
            BaseSequence = baseSequence }

/// The reply to a step of a transaction whose response has nothing to read but an error code. The response is in its exchange.
type TransactionReply<'Request, 'Response> = Reply<'Request, 'Response, Result<unit, CallFailure>>

/// One transactional producer (KIP-98): its calls to its transaction coordinator, on a connection of its own, and its producers of partitions.
/// One method makes one call. The error code is part of the reply. Batches are produced with `Producer`. Before `InitProducerId` there is no
/// transaction: whatever belongs to one is an InvalidOperationException, and nothing is sent. A client must not be used by several threads at a
/// time.
[<Sealed>]
type TransactionClient(settings: ClientSettings, bootstrap: Bootstrap, transactionalId: string) =
    do
        if transactionalId = "" then
            raise (ArgumentException("The transactional id must not be empty.", nameof transactionalId))

    let coordinator = new CoordinatorClient(settings, bootstrap, CoordinatorType.Transaction, transactionalId)
    let guard = coordinator.Lease.Guard
    let mutable identity: ProducerIdentity option = None
    let producers = Dictionary<TopicPartition, IdempotentProducer>()
    // The partitions of the open transaction.
    let added = HashSet<TopicPartition>()

    let begin' (call: CallOptions option) = Operation.Begin(settings, call)

    // The identity, without which no transaction can be open.
    let known () =
        match identity with
        | Some identity -> identity
        | None -> raise (InvalidOperationException "The transaction has no identity yet: call InitProducerId first.")

    let codesOf (results: PartitionResult list) = results |> List.map _.Error

    // Sequences begin anew exactly when a response brings a new identity.
    let continueWith (next: ProducerIdentity) =
        identity <- Some next

        for producer in producers.Values do
            producer.RenewWith next

    // Brokers before Kafka 4.0 append batches for a partition that is not part of the transaction, and such batches never end.
    let link: TransactionLink =
        let obstacle partition =
            if added.Contains partition then
                None
            else
                Some(ClientFault.CannotProduce(partition.ToString() + " is not part of the open transaction: call AddPartitions first"))

        { TransactionalId = transactionalId; Obstacle = obstacle }

    // No more batches are sent for the open transaction. The result takes that back.
    let leaveTransaction () : unit -> unit =
        let partitions = List.ofSeq added
        let doubtful = producers.Values |> Seq.filter _.LeavesDoubt |> List.ofSeq

        let strand (isOver: bool) =
            for producer in doubtful do
                producer.Strand isOver

        added.Clear()
        strand true

        fun () ->
            added.UnionWith partitions
            strand false

    // Makes a call that ends the open transaction: from before its request is sent, unless nothing of it is sent. No batch may be in flight. An
    // observer may throw while the coordinator is found, and after `settle`.
    let ending check (request: 'Request) (settle: Exchange<'Request, 'Response> -> unit) call : Reply<'Request, 'Response, 'Result> =
        use held = new HeldGuards()

        for producer in producers.Values do
            held.Enter producer.Client.Lease.Guard

        check ()
        let takeBack = ref ignore

        let make (_: int16) =
            takeBack.Value <- leaveTransaction ()
            request

        let settle (exchange: Exchange<'Request, 'Response>) =
            if not exchange.Info.WasSent then takeBack.Value()

            settle exchange

        (call make settle: Call<Reply<'Request, 'Response, 'Result>>).Complete()

    let refuseDoubt () =
        producers
        |> Seq.filter _.Value.LeavesDoubt
        |> Seq.tryHead
        |> Option.iter (fun entry ->
            raise (
                InvalidOperationException(
                    "It is not known whether the last batch for "
                    + entry.Key.ToString()
                    + " is in the log: settle that with Retry before Commit, or abort the transaction."
                )
            ))

    // The highest version, which depends on whether the cluster has finalized level 2 of the feature `transaction.version` (KIP-890).
    let upTo (before: int16) (since: int16) (connection: Connection) : int16 =
        match connection.FinalizedFeatures |> Map.tryFind "transaction.version" with
        | Some level when level >= 2s -> since
        | _ -> before

    let init (timeout: TimeSpan) (previous: ProducerIdentity) (call: CallOptions option) =
        Argument.time (nameof timeout) "The transaction time-out" timeout

        let request: InitProducerId.Request =
            { TransactionalId = Some transactionalId
              TransactionTimeoutMs = Milliseconds.ofTimeSpan timeout
              ProducerId = previous.ProducerId
              ProducerEpoch = previous.ProducerEpoch
              Enable2Pc = false
              KeepPreparedTxn = false }

        let codesOf result =
            match result with
            | Ok(_: ProducerIdentity) -> []
            | Error code -> [ code ]

        let read (response: InitProducerId.Response) =
            let given = ProducerIdentity.ofResponse response
            given |> Result.iter continueWith
            Ok given

        ending ignore request ignore (fun make settle ->
            coordinator.BeginAsking(begin' call, InitProducerId.api, CoordinatorClient.AnyVersion, make, codesOf, read, settle))
        |> Reply.flat (fun _ -> [])

    let finish (commit: bool) (call: CallOptions option) =
        let producer = known ()

        let request: EndTxn.Request =
            { TransactionalId = transactionalId
              ProducerId = producer.ProducerId
              ProducerEpoch = producer.ProducerEpoch
              Committed = commit }

        let settle (exchange: Exchange<EndTxn.Request, EndTxn.Response>) =
            match exchange.Result with
            | Ok response when not response.Error.IsError && response.ProducerId >= 0L ->
                continueWith { ProducerId = response.ProducerId; ProducerEpoch = response.ProducerEpoch }
            | _ -> ()

        ending (if commit then refuseDoubt else ignore) request settle (fun make settle ->
            coordinator.BeginCall(begin' call, EndTxn.api, upTo Caps.endTxnBeforeTransactionVersion2 Int16.MaxValue, make, _.Error, settle))
        |> Reply.map ignore

    /// The transactional id.
    member _.TransactionalId = transactionalId

    /// The settings it was made with.
    member _.Settings = settings

    /// Whether the partition is part of the open transaction, so that batches for it may be sent.
    member _.Contains(partition: TopicPartition) : bool = added.Contains partition

    /// The client of the coordinator that it uses.
    member _.Coordinator = coordinator

    /// The identity that the coordinator gave last, for the batches of the next transaction. None before `InitProducerId`.
    member _.Identity = identity

    /// The producer of the transactions' batches for a partition, which is made when it is first asked for, with a connection of its own. It keeps
    /// its sequences from one transaction to the next, and gets every new identity that the coordinator gives. Before `InitProducerId` there is
    /// none: InvalidOperationException. The settings must have `Acks.All` and be the same each time, else ArgumentException.
    ///
    /// Batches are sent only while the partition is part of the open transaction, that is, after `AddPartitions` and until the transaction is
    /// ended; else the fault is `ClientFault.CannotProduce`.
    member _.Producer(partition: TopicPartition, ?producerSettings: ProducerSettings) : IdempotentProducer =
        use _ = guard.Hold()

        match producers.TryGetValue partition with
        | true, producer when producerSettings |> Option.forall (fun given -> given = producer.Settings) -> producer
        | true, _ -> raise (ArgumentException("The producer of " + partition.ToString() + " has other settings.", nameof producerSettings))
        | _ ->
            let identity = known ()
            let client = new PartitionClient(settings, bootstrap, partition)
            let producer =
                IdempotentProducer.InTransaction(client, defaultArg producerSettings ProducerSettings.standard, identity, link)

            producers.Add(partition, producer)
            producer

    /// Gets an identity for the transactional id. From then on any earlier producer with the id is fenced, and a transaction that it left open is
    /// aborted. The coordinator aborts transactions that stay open longer than `timeout`.
    member _.InitProducerId
        (timeout: TimeSpan, ?call: CallOptions)
        : Reply<InitProducerId.Request, InitProducerId.Response, Result<ProducerIdentity, CallFailure>> =
        use _ = guard.Hold()
        init timeout ProducerIdentity.none call

    /// Gets the next epoch for the identity that the producer has, to continue with after an error that leaves its sequences uncertain
    /// (KIP-360, Kafka 2.5). A batch in doubt is given up, and an open transaction is aborted. The producer is fenced if another one has taken over the transactional id.
    member _.RaiseEpoch
        (timeout: TimeSpan, ?call: CallOptions)
        : Reply<InitProducerId.Request, InitProducerId.Response, Result<ProducerIdentity, CallFailure>> =
        use _ = guard.Hold()
        init timeout (Option.defaultValue ProducerIdentity.none identity) call

    /// Adds partitions to the transaction, before the first batch for each in this transaction. Either all are added, or none.
    member _.AddPartitions
        (partitions: TopicPartition list, ?call: CallOptions)
        : Reply<AddPartitionsToTxn.Request, AddPartitionsToTxn.Response, Result<unit, PartitionsFailure>> =
        use _ = guard.Hold()
        let producer = known ()

        let request: AddPartitionsToTxn.Request =
            { Transactions = []
              TransactionalId = transactionalId
              ProducerId = producer.ProducerId
              ProducerEpoch = producer.ProducerEpoch
              Topics =
                Offsets.byTopic id partitions
                |> List.map (fun (topic, ofTopic) -> { Name = topic; Partitions = ofTopic |> List.map _.Partition }) }

        let read (response: AddPartitionsToTxn.Response) =
            let answers = response.Topics |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)
            let results = Offsets.codes partitions answers _.Error

            for result in results |> Result.defaultValue [] do
                if not result.Error.IsError then added.Add result.Partition |> ignore

            results

        coordinator
            .BeginAsking(begin' call, AddPartitionsToTxn.api, (fun _ -> Caps.addPartitionsToTxn), (fun _ -> request), codesOf, read)
            .Complete()
        |> Offsets.coded

    /// Adds a group's offsets to the transaction, before `CommitOffsets`. If the cluster's `transaction.version` is 2 (KIP-890) it is not
    /// needed.
    member _.AddOffsets(groupId: string, ?call: CallOptions) : TransactionReply<AddOffsetsToTxn.Request, AddOffsetsToTxn.Response> =
        use _ = guard.Hold()
        let producer = known ()

        let request: AddOffsetsToTxn.Request =
            { TransactionalId = transactionalId
              ProducerId = producer.ProducerId
              ProducerEpoch = producer.ProducerEpoch
              GroupId = groupId }

        coordinator
            .BeginCall(begin' call, AddOffsetsToTxn.api, CoordinatorClient.AnyVersion, (fun _ -> request), _.Error, ignore)
            .Complete()
        |> Reply.map ignore

    /// Stores, as part of the transaction, how far the group has read: a call to the group's coordinator, on the group client's connection.
    /// With the membership of a consumer, one that has lost its place in the group stores nothing (KIP-447, Kafka 2.5);
    /// `GroupMembership.none` leaves that unchecked.
    member _.CommitOffsets
        (group: GroupClient, membership: GroupMembership, offsets: (TopicPartition * CommittedOffset) list, ?call: CallOptions)
        : Reply<TxnOffsetCommit.Request, TxnOffsetCommit.Response, Result<unit, PartitionsFailure>> =
        use _ = guard.Hold()
        let request = OffsetRequests.commitInTransaction transactionalId (known ()) group.GroupId membership offsets

        let read (response: TxnOffsetCommit.Response) =
            let answers = response.Topics |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)
            Offsets.codes (List.map fst offsets) answers _.Error

        let most = upTo Caps.txnOffsetCommitBeforeTransactionVersion2 Caps.txnOffsetCommit
        use _ = group.Coordinator.Lease.Guard.Hold()
        group.Coordinator.BeginAsking(begin' call, TxnOffsetCommit.api, most, (fun _ -> request), codesOf, read).Complete()
        |> Offsets.coded

    /// Commits the open transaction: readers of committed data see its records and offsets from now on. If the cluster's `transaction.version`
    /// is 2, the response has the identity for the next transaction (KIP-890), and `Identity` becomes that. If the call has no response, or one
    /// with a transient error, make it again. While a batch of the transaction is in doubt, InvalidOperationException: the transaction would be
    /// committed with that batch or without it.
    member _.Commit(?call: CallOptions) : TransactionReply<EndTxn.Request, EndTxn.Response> =
        use _ = guard.Hold()
        finish true call

    /// Aborts the open transaction: readers of committed data skip its records. The identity changes as with `Commit`. If a batch of it was in
    /// doubt and the identity did not change, the producer of its partition continues only after `RaiseEpoch` or `InitProducerId`.
    member _.Abort(?call: CallOptions) : TransactionReply<EndTxn.Request, EndTxn.Response> =
        use _ = guard.Hold()
        finish false call

    /// Sends any request to the coordinator in the highest common version, and waits for its response.
    member _.Call(api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions) : Exchange<'Request, 'Response> =
        coordinator.Call(api, request, ?call = call)

    /// Closes the connection to the coordinator, and those of the producers. A transaction that is open stays open until it is ended or times
    /// out.
    member _.Close() =
        coordinator.Close()

        for producer in producers.Values do
            producer.Client.Close()

    interface IDisposable with
        member this.Dispose() = this.Close()
