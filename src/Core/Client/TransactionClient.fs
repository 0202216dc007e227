namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol

/// What became of one partition that was to be taken into a transaction.
type AddPartitionResult = { Partition: TopicPartition; Error: ErrorCode }

[<RequireQualifiedAccess>]
module Transaction =

    /// The options with which a batch belongs to the producer's open transaction. `baseSequence` counts the producer's records in the
    /// partition, from 0 on, and after 2^31 - 1 from 0 again.
    let batchOptions (identity: ProducerIdentity) (baseSequence: int32) (options: BatchOptions) : BatchOptions =
        { options with
            IsTransactional = true
            ProducerId = identity.ProducerId
            ProducerEpoch = identity.ProducerEpoch
            BaseSequence = baseSequence }

/// The calls of one transactional producer to its transaction coordinator (KIP-98), on a connection of its own: one method, one call, and
/// the error code is part of what comes back. What belongs between them is the user's: batches made with `Transaction.batchOptions`, in
/// requests that name the transactional id. It is not for use by several threads at a time.
[<Sealed>]
type TransactionClient(settings: ClientSettings, bootstrap: Bootstrap, transactionalId: string) =
    let coordinator = new CoordinatorClient(settings, bootstrap, CoordinatorType.Transaction, transactionalId)
    let mutable identity: ProducerIdentity option = None
    let token = Option.defaultValue CancellationToken.None
    let nobody = { ProducerId = -1L; ProducerEpoch = -1s }

    let current () = Option.defaultValue nobody identity

    // Up to this version EndTxn and TxnOffsetCommit belong to transactions of the first kind, in which each transaction has the same epoch.
    let mostOfFirstKind = 4s

    // The level of the feature `transaction.version` that the cluster has agreed on (KIP-890).
    let transactionVersion (connection: Connection) : int16 =
        connection.FinalizedFeatures |> Map.tryFind "transaction.version" |> Option.defaultValue 0s

    // A call that in its later versions, up to `most`, belongs to transactions of the second kind.
    let exchange (target: CoordinatorClient) (api: Api<'Request, 'Response>) (most: int16) (request: 'Request) cancellation =
        let began = settings.Time.GetTimestamp()

        match target.Connect cancellation with
        | Error fault -> Exchange.notMade settings 1 began api None request fault
        | Ok connection ->
            let most = if transactionVersion connection >= 2s then most else mostOfFirstKind
            target.Exchange(api, most, (fun _ -> request), cancellation)

    let init (timeout: TimeSpan) (previous: ProducerIdentity) cancellation =
        let request: InitProducerId.Request =
            { TransactionalId = Some transactionalId
              TransactionTimeoutMs = Milliseconds.ofTimeSpan timeout
              ProducerId = previous.ProducerId
              ProducerEpoch = previous.ProducerEpoch
              Enable2Pc = false
              KeepPreparedTxn = false }

        let codes result =
            match result with
            | Ok(_: ProducerIdentity) -> []
            | Error code -> [ code ]

        let reply =
            coordinator.Reply(coordinator.Call(InitProducerId.api, request, cancellation), codes, ProducerIdentity.ofResponse >> Ok)

        match reply.Result with
        | Ok(Ok given) -> identity <- Some given
        | _ -> ()

        reply

    let ending (commit: bool) cancellation : Exchange<EndTxn.Request, EndTxn.Response> =
        let producer = current ()

        let request: EndTxn.Request =
            { TransactionalId = transactionalId
              ProducerId = producer.ProducerId
              ProducerEpoch = producer.ProducerEpoch
              Committed = commit }

        let exchange = exchange coordinator EndTxn.api Int16.MaxValue request cancellation

        match exchange.Outcome with
        | Ok response when not response.Error.IsError && response.ProducerId >= 0L ->
            identity <- Some { ProducerId = response.ProducerId; ProducerEpoch = response.ProducerEpoch }
        | _ -> ()

        coordinator.Heeding(exchange, _.Error)

    /// The transactional id.
    member _.TransactionalId = transactionalId

    /// The settings it was made with.
    member _.Settings = settings

    /// The client of the coordinator that it calls through.
    member _.Coordinator = coordinator

    /// What the coordinator last gave: the id and epoch for the batches of the next transaction. None before `InitProducerId`.
    member _.Identity = identity

    /// Gets id and epoch under the transactional id, from when on any earlier producer with it is fenced, and the transaction that one left
    /// open is aborted. The coordinator aborts transactions that stay open longer than `timeout`.
    member _.InitProducerId(timeout: TimeSpan, ?cancellation: CancellationToken) = init timeout nobody (token cancellation)

    /// Gets the next epoch for the identity that the producer has, to go on with after an error that leaves its sequences uncertain (KIP-360,
    /// Kafka 2.5). Fenced where another producer has the transactional id by now.
    member _.RaiseEpoch(timeout: TimeSpan, ?cancellation: CancellationToken) = init timeout (current ()) (token cancellation)

    /// Takes partitions into the transaction, before the first batch for each. Where the cluster's `transaction.version` is 2 (KIP-890),
    /// Produce from version 12 on does so by itself.
    member _.AddPartitions
        (partitions: TopicPartition list, ?cancellation: CancellationToken)
        : Reply<AddPartitionsToTxn.Request, AddPartitionsToTxn.Response, AddPartitionResult list> =
        let producer = current ()

        let request: AddPartitionsToTxn.Request =
            { Transactions = []
              TransactionalId = transactionalId
              ProducerId = producer.ProducerId
              ProducerEpoch = producer.ProducerEpoch
              Topics =
                Offsets.byTopic id partitions
                |> List.map (fun (topic, ofTopic) -> { Name = topic; Partitions = ofTopic |> List.map _.Partition }) }

        // From version 4 on it is for brokers among themselves.
        coordinator.Reply(
            coordinator.Exchange(AddPartitionsToTxn.api, 3s, (fun _ -> request), token cancellation),
            List.map _.Error,
            fun response ->
                let answers = response.Topics |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)

                Offsets.eachOf partitions answers (fun partition answer -> { Partition = partition; Error = answer.Error })
        )

    /// Takes a group's offsets into the transaction, before `CommitOffsets`. Where the cluster's `transaction.version` is 2 (KIP-890) it is not
    /// needed.
    member _.AddOffsets(groupId: string, ?cancellation: CancellationToken) : Exchange<AddOffsetsToTxn.Request, AddOffsetsToTxn.Response> =
        let producer = current ()

        let request: AddOffsetsToTxn.Request =
            { TransactionalId = transactionalId
              ProducerId = producer.ProducerId
              ProducerEpoch = producer.ProducerEpoch
              GroupId = groupId }

        coordinator.Heeding(coordinator.Call(AddOffsetsToTxn.api, request, token cancellation), _.Error)

    /// Stores, as part of the transaction, how far the group has read: a call to the group's coordinator, on the group client's connection.
    /// With the membership of a consumer, one that has lost its place in the group stores nothing (KIP-447, Kafka 2.5);
    /// `GroupMembership.none` leaves that unchecked.
    member _.CommitOffsets
        (group: GroupClient, membership: GroupMembership, offsets: (TopicPartition * CommittedOffset) list, ?cancellation: CancellationToken) : Reply<
            TxnOffsetCommit.Request,
            TxnOffsetCommit.Response,
            CommitResult list
                                                                                                                                                 >
        =
        let cancellation = token cancellation
        let producer = current ()

        let partition (at: TopicPartition, offset: CommittedOffset) : TxnOffsetCommit.PartitionRequest =
            { PartitionIndex = at.Partition
              CommittedOffset = offset.Offset
              CommittedLeaderEpoch = offset.LeaderEpoch
              CommittedMetadata = Some offset.Metadata }

        let topic (name, ofTopic) : TxnOffsetCommit.TopicRequest =
            { Name = name; TopicId = Guid.Empty; Partitions = List.map partition ofTopic }

        let request: TxnOffsetCommit.Request =
            { TransactionalId = transactionalId
              GroupId = group.GroupId
              ProducerId = producer.ProducerId
              ProducerEpoch = producer.ProducerEpoch
              GenerationIdOrMemberEpoch = membership.GenerationOrEpoch
              MemberId = membership.MemberId
              GroupInstanceId = membership.GroupInstanceId
              Topics = Offsets.byTopic fst offsets |> List.map topic }

        // Topics are named by name: their ids take the place of names from version 6 on.
        group.Coordinator.Reply(
            exchange group.Coordinator TxnOffsetCommit.api 5s request cancellation,
            List.map _.Error,
            fun response ->
                let answers = response.Topics |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)

                Offsets.eachOf (List.map fst offsets) answers (fun partition answer -> { Partition = partition; Error = answer.Error })
        )

    /// Commits the open transaction: its records and offsets count from now on. Where the cluster's `transaction.version` is 2, the answer has
    /// the identity for the next transaction (KIP-890), and `Identity` is that.
    member _.Commit(?cancellation: CancellationToken) = ending true (token cancellation)

    /// Aborts the open transaction: readers of committed data pass over its records. The rest is as with `Commit`.
    member _.Abort(?cancellation: CancellationToken) = ending false (token cancellation)

    /// Sends any request to the coordinator, in the highest common version, and waits for its response.
    member _.Call(api: Api<'Request, 'Response>, request: 'Request, ?cancellation: CancellationToken) : Exchange<'Request, 'Response> =
        coordinator.Call(api, request, token cancellation)

    /// Closes the connection. A transaction that is open stays so until it is ended or its time is up.
    member _.Close() = coordinator.Close()

    interface IDisposable with
        member _.Dispose() = coordinator.Close()
