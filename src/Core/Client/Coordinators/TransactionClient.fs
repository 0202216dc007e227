namespace LibKafka.Client

open System
open LibKafka.Wire
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

/// The calls of one transactional producer to its transaction coordinator (KIP-98), on a connection of its own: one method, one call. The
/// error code is part of the reply. Producing the transaction's batches is up to the caller: see `Transaction.batchOptions`. A client must not
/// be used by several threads at a time.
[<Sealed>]
type TransactionClient(settings: ClientSettings, bootstrap: Bootstrap, transactionalId: string) =
    let coordinator = new CoordinatorClient(settings, bootstrap, CoordinatorType.Transaction, transactionalId)
    let mutable identity: ProducerIdentity option = None

    let begin' (call: CallOptions option) = Operation.Begin(settings, call)
    let current () = Option.defaultValue ProducerIdentity.none identity

    // The highest version, which depends on whether the cluster has finalized level 2 of the feature `transaction.version` (KIP-890).
    let upTo (before: int16) (since: int16) (connection: Connection) : int16 =
        match connection.FinalizedFeatures |> Map.tryFind "transaction.version" with
        | Some level when level >= 2s -> since
        | _ -> before

    let init (timeout: TimeSpan) (previous: ProducerIdentity) (call: CallOptions option) =
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
            given |> Result.iter (fun given -> identity <- Some given)
            Ok given

        coordinator.Ask(begin' call, InitProducerId.api, CoordinatorClient.AnyVersion, (fun _ -> request), codesOf, read)

    let finish (commit: bool) (call: CallOptions option) : Exchange<EndTxn.Request, EndTxn.Response> =
        let producer = current ()

        let request: EndTxn.Request =
            { TransactionalId = transactionalId
              ProducerId = producer.ProducerId
              ProducerEpoch = producer.ProducerEpoch
              Committed = commit }

        let settle (exchange: Exchange<EndTxn.Request, EndTxn.Response>) =
            match exchange.Result with
            | Ok response when not response.Error.IsError && response.ProducerId >= 0L ->
                identity <- Some { ProducerId = response.ProducerId; ProducerEpoch = response.ProducerEpoch }
            | _ -> ()

        coordinator.Call(
            begin' call,
            EndTxn.api,
            upTo Caps.endTxnBeforeTransactionVersion2 Int16.MaxValue,
            (fun _ -> request),
            _.Error,
            settle
        )

    /// The transactional id.
    member _.TransactionalId = transactionalId

    /// The settings it was made with.
    member _.Settings = settings

    /// The client of the coordinator that it uses.
    member _.Coordinator = coordinator

    /// The identity that the coordinator gave last, for the batches of the next transaction. None before `InitProducerId`.
    member _.Identity = identity

    /// Gets an identity for the transactional id. From then on any earlier producer with the id is fenced, and a transaction that it left open is
    /// aborted. The coordinator aborts transactions that stay open longer than `timeout`.
    member _.InitProducerId
        (timeout: TimeSpan, ?call: CallOptions)
        : Reply<InitProducerId.Request, InitProducerId.Response, Result<Result<ProducerIdentity, ErrorCode>, ClientFault>> =
        init timeout ProducerIdentity.none call

    /// Gets the next epoch for the identity that the producer has, to continue with after an error that leaves its sequences uncertain
    /// (KIP-360, Kafka 2.5). The producer is fenced if another one has taken over the transactional id.
    member _.RaiseEpoch
        (timeout: TimeSpan, ?call: CallOptions)
        : Reply<InitProducerId.Request, InitProducerId.Response, Result<Result<ProducerIdentity, ErrorCode>, ClientFault>> =
        init timeout (current ()) call

    /// Adds partitions to the transaction, before the first batch for each. If the cluster's `transaction.version` is 2 (KIP-890),
    /// Produce from version 12 on does so by itself.
    member _.AddPartitions
        (partitions: TopicPartition list, ?call: CallOptions)
        : Reply<AddPartitionsToTxn.Request, AddPartitionsToTxn.Response, Result<PartitionResult list, ClientFault>> =
        let producer = current ()

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
            Offsets.codes partitions answers _.Error

        coordinator.Ask(begin' call, AddPartitionsToTxn.api, (fun _ -> Caps.addPartitionsToTxn), (fun _ -> request), List.map _.Error, read)

    /// Adds a group's offsets to the transaction, before `CommitOffsets`. If the cluster's `transaction.version` is 2 (KIP-890) it is not
    /// needed.
    member _.AddOffsets(groupId: string, ?call: CallOptions) : Exchange<AddOffsetsToTxn.Request, AddOffsetsToTxn.Response> =
        let producer = current ()

        let request: AddOffsetsToTxn.Request =
            { TransactionalId = transactionalId
              ProducerId = producer.ProducerId
              ProducerEpoch = producer.ProducerEpoch
              GroupId = groupId }

        coordinator.Call(begin' call, AddOffsetsToTxn.api, CoordinatorClient.AnyVersion, (fun _ -> request), _.Error, ignore)

    /// Stores, as part of the transaction, how far the group has read: a call to the group's coordinator, on the group client's connection.
    /// With the membership of a consumer, one that has lost its place in the group stores nothing (KIP-447, Kafka 2.5);
    /// `GroupMembership.none` leaves that unchecked.
    member _.CommitOffsets
        (group: GroupClient, membership: GroupMembership, offsets: (TopicPartition * CommittedOffset) list, ?call: CallOptions)
        : Reply<TxnOffsetCommit.Request, TxnOffsetCommit.Response, Result<PartitionResult list, ClientFault>> =
        let request = OffsetRequests.commitInTransaction transactionalId (current ()) group.GroupId membership offsets

        let read (response: TxnOffsetCommit.Response) =
            let answers = response.Topics |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)
            Offsets.codes (List.map fst offsets) answers _.Error

        let most = upTo Caps.txnOffsetCommitBeforeTransactionVersion2 Caps.txnOffsetCommit
        group.Coordinator.Ask(begin' call, TxnOffsetCommit.api, most, (fun _ -> request), List.map _.Error, read)

    /// Commits the open transaction: readers of committed data see its records and offsets from now on. If the cluster's `transaction.version`
    /// is 2, the response has the identity for the next transaction (KIP-890), and `Identity` becomes that.
    member _.Commit(?call: CallOptions) : Exchange<EndTxn.Request, EndTxn.Response> = finish true call

    /// Aborts the open transaction: readers of committed data skip its records. The identity changes as with `Commit`.
    member _.Abort(?call: CallOptions) : Exchange<EndTxn.Request, EndTxn.Response> = finish false call

    /// Sends any request to the coordinator in the highest common version, and waits for its response.
    member _.Call(api: Api<'Request, 'Response>, request: 'Request, ?call: CallOptions) : Exchange<'Request, 'Response> =
        coordinator.Call(api, request, ?call = call)

    /// Closes the connection. A transaction that is open stays open until it is ended or times out.
    member _.Close() = coordinator.Close()

    interface IDisposable with
        member _.Dispose() = coordinator.Close()
