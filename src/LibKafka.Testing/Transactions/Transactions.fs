namespace LibKafka.Testing

open LibKafka.Records
open LibKafka.Protocol

/// Whether a batch, or an offset commit, of a transaction is admitted.
[<NoEquality; NoComparison>]
type internal Admission =
    /// It is. The state may have changed, because the partition was added to the transaction.
    | Admitted of State
    | Refused of ErrorCode * State
    /// Not yet: the last transaction is still being ended. Ask again after the next change of the state.
    | Delayed

/// Producer ids and transactions: InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, TxnOffsetCommit, EndTxn and WriteTxnMarkers.
[<RequireQualifiedAccess>]
module internal Transactions =

    /// The version of AddPartitionsToTxn, AddOffsetsToTxn and EndTxn from which a fenced producer gets PRODUCER_FENCED (KIP-588).
    [<Literal>]
    let private FencedSince = 2s

    let private fencedAs (since: int16) (call: Call) (code: ErrorCode) =
        if code = ErrorCode.ProducerFenced && call.Version < since then
            ErrorCode.InvalidProducerEpoch
        else
            code

    let private mayUse (call: Call) (operation: AclOperation) (transactionalId: string) (state: State) =
        Security.isAllowed call operation AclResourceType.TransactionalId transactionalId state

    let private coordinates (call: Call) (transactionalId: string) (state: State) : Result<unit, ErrorCode> =
        let code = Coordinators.check call CoordinatorType.Transaction transactionalId state
        if code.IsError then Error code else Ok()

    /// Whether the called broker may handle a request that changes the transactional id.
    let private check (call: Call) (transactionalId: string) (state: State) : Result<unit, ErrorCode> =
        if mayUse call AclOperation.Write transactionalId state then
            coordinates call transactionalId state
        else
            Error ErrorCode.TransactionalIdAuthorizationFailed

    /// Requests that add partitions by themselves need transaction.version 1 or 2.
    let private addsPartitions (state: State) = state.Settings.TransactionVersion > 0s

    /// Brokers check from 3.6 on that the partition of a transactional batch belongs to the transaction.
    let private verifies (state: State) = state.Settings.Release.IsAtLeast(3, 6)

    /// Adds a partition that is not part of the transaction yet, for a client that does not do it itself.
    let private addFor (call: Call) transactionalId producerId epoch (place: string * int32) (state: State) : Admission =
        if not (addsPartitions state) then
            Refused(ErrorCode.UnsupportedVersion, TransactionCoordinator.jam transactionalId state)
        else
            match TransactionCoordinator.add call.Now transactionalId producerId epoch true [ place ] state with
            | Ok state -> Admitted state
            | Error code when code = ErrorCode.ConcurrentTransactions -> Delayed
            | Error code -> Refused(code, state)

    let private verifyFor transactionalId producerId epoch (missing: ErrorCode) (place: string * int32) (state: State) : Admission =
        let code = TransactionCoordinator.verify transactionalId producerId epoch missing state place
        if code.IsError then Refused(code, state) else Admitted state

    let private hasOpened (batch: RecordBatch) (place: string * int32) (state: State) =
        match
            Cluster.tryPartition (fst place) (snd place) state
            |> Option.bind (fun found -> found.Log.Producers.TryFind batch.ProducerId)
        with
        | Some producer -> producer.OpenSince.IsSome && producer.Epoch = batch.ProducerEpoch
        | None -> false

    /// The code of a Produce response.
    let private asProduced (admission: Admission) : Admission =
        match admission with
        | Refused(code, state) when code = ErrorCode.ProducerFenced -> Refused(ErrorCode.InvalidProducerEpoch, state)
        // Old clients know how to retry this.
        | Refused(code, state) when code = ErrorCode.ConcurrentTransactions -> Refused(ErrorCode.NotEnoughReplicas, state)
        | admission -> admission

    /// Whether a batch may be appended to a partition, as to its transaction. Produce adds the partition itself from version 12 on.
    let admit (call: Call) (transactionalId: string option) (batch: RecordBatch) (topic: string) (partition: int32) (state: State) =
        let place = topic, partition

        match transactionalId with
        | _ when not batch.IsTransactional -> Admitted state
        | None -> Refused(ErrorCode.TransactionalIdAuthorizationFailed, state)
        | Some id when not (mayUse call AclOperation.Write id state) -> Refused(ErrorCode.TransactionalIdAuthorizationFailed, state)
        | Some _ when not (verifies state) || hasOpened batch place state -> Admitted state
        | Some id when call.Version >= Produce.addsPartitionsSince ->
            addFor call id batch.ProducerId batch.ProducerEpoch place state |> asProduced
        | Some id ->
            let missing = if call.Version >= 11s then ErrorCode.TransactionAbortable else ErrorCode.InvalidTxnState
            verifyFor id batch.ProducerId batch.ProducerEpoch missing place state |> asProduced

    // ---- Producer ids ----

    let private initialized (code: ErrorCode) (id: int64) (epoch: int16) : Answer =
        Reply(
            Response.InitProducerId
                { ThrottleTimeMs = 0
                  Error = code
                  ProducerId = id
                  ProducerEpoch = epoch
                  OngoingTxnProducerId = -1L
                  OngoingTxnProducerEpoch = -1s }
        )

    let private refuseProducer (code: ErrorCode) = initialized code -1L -1s

    let private initProducerId (call: Call) (request: InitProducerId.Request) (state: State) : State * Answer =
        match request.TransactionalId with
        | None when not (Security.isAllowed call AclOperation.IdempotentWrite AclResourceType.Cluster Security.clusterName state) ->
            state, refuseProducer ErrorCode.ClusterAuthorizationFailed
        | None ->
            let state, id = TransactionCoordinator.takeProducerId state
            state, initialized ErrorCode.None id 0s
        | Some id when not (mayUse call AclOperation.Write id state) -> state, refuseProducer ErrorCode.TransactionalIdAuthorizationFailed
        | Some "" -> state, refuseProducer ErrorCode.InvalidRequest
        | Some _ when request.TransactionTimeoutMs <= 0 || request.TransactionTimeoutMs > state.Transactions.MaxTimeoutMs ->
            state, refuseProducer ErrorCode.InvalidTransactionTimeout
        | Some id ->
            let known =
                if request.ProducerId < 0L then
                    ValueNone
                else
                    ValueSome(struct (request.ProducerId, request.ProducerEpoch))

            match coordinates call id state with
            | Ok() ->
                match TransactionCoordinator.initialize call.Now id request.TransactionTimeoutMs known state with
                | state, Ok transaction -> state, initialized ErrorCode.None transaction.ProducerId transaction.Epoch
                | state, Error code -> state, refuseProducer (fencedAs 4s call code)
            | Error code -> state, refuseProducer code

    // ---- AddPartitionsToTxn ----

    let private results (topics: AddPartitionsToTxn.Topic list) (code: string * int32 -> ErrorCode) : AddPartitionsToTxn.TopicResult list =
        [ for topic in topics ->
              { Name = topic.Name
                Partitions = [ for index in topic.Partitions -> { PartitionIndex = index; Error = code (topic.Name, index) } ] } ]

    /// What is wrong with a partition itself.
    let private partitionCode (call: Call) (state: State) (topic: string, index: int32) : ErrorCode =
        if not (Security.isAllowed call AclOperation.Write AclResourceType.Topic topic state) then
            ErrorCode.TopicAuthorizationFailed
        elif (Cluster.tryPartition topic index state).IsNone then
            ErrorCode.UnknownTopicOrPartition
        else
            ErrorCode.None

    /// Adds the partitions of one transaction, all or none.
    let private addPartitions (call: Call) (transaction: AddPartitionsToTxn.Transaction) (state: State) =
        let id = transaction.TransactionalId
        let places =
            [ for topic in transaction.Topics do
                  for index in topic.Partitions -> topic.Name, index ]
        let all code = state, results transaction.Topics (fun _ -> code)
        let wrong =
            places |> List.map (fun place -> place, partitionCode call state place) |> List.filter (fun (_, code) -> code.IsError)
        let producerId, epoch = transaction.ProducerId, transaction.ProducerEpoch

        match check call id state with
        | Ok() when transaction.VerifyOnly ->
            state, results transaction.Topics (TransactionCoordinator.verify id producerId epoch ErrorCode.TransactionAbortable state)
        | Ok() when not wrong.IsEmpty ->
            let codes = Map.ofList wrong
            state,
            results transaction.Topics (fun place -> codes |> Map.tryFind place |> Option.defaultValue ErrorCode.OperationNotAttempted)
        | Ok() ->
            match TransactionCoordinator.add call.Now id producerId epoch false places state with
            | Ok state -> state, results transaction.Topics (fun _ -> ErrorCode.None)
            | Error code -> all (fencedAs FencedSince call code)
        | Error code -> all code

    /// The transactions of several producers, as one broker sends them to another (from version 4 on).
    let private addBatch (call: Call) (request: AddPartitionsToTxn.Request) (state: State) : State * Answer =
        let reply code results : Answer =
            Reply(Response.AddPartitionsToTxn { ThrottleTimeMs = 0; Error = code; Transactions = results; Topics = [] })

        let adding = request.Transactions |> List.filter (fun transaction -> not transaction.VerifyOnly)

        if not (Security.isAllowed call AclOperation.ClusterAction AclResourceType.Cluster Security.clusterName state) then
            state, reply ErrorCode.ClusterAuthorizationFailed []
        elif not (adding.IsEmpty || addsPartitions state) then
            let jam state (transaction: AddPartitionsToTxn.Transaction) = TransactionCoordinator.jam transaction.TransactionalId state
            List.fold jam state adding, reply ErrorCode.UnsupportedVersion []
        elif request.Transactions.IsEmpty then
            // The broker never answers.
            state, Later Waiting.never
        else
            let one (state, found) (transaction: AddPartitionsToTxn.Transaction) =
                let state, topics = addPartitions call transaction state
                let result: AddPartitionsToTxn.TransactionResult = { TransactionalId = transaction.TransactionalId; Topics = topics }
                state, result :: found

            let state, found = request.Transactions |> List.fold one (state, [])
            state, reply ErrorCode.None (List.rev found)

    let private addPartitionsToTxn (call: Call) (request: AddPartitionsToTxn.Request) (state: State) : State * Answer =
        if call.Version >= AddPartitionsToTxn.transactionsSince then
            addBatch call request state
        else
            let state, topics =
                addPartitions
                    call
                    { TransactionalId = request.TransactionalId
                      ProducerId = request.ProducerId
                      ProducerEpoch = request.ProducerEpoch
                      VerifyOnly = false
                      Topics = request.Topics }
                    state

            state, Reply(Response.AddPartitionsToTxn { ThrottleTimeMs = 0; Error = ErrorCode.None; Transactions = []; Topics = topics })

    // ---- Offsets ----

    /// The partition that the offsets of a group belong to.
    let private offsetsPlace (groupId: string) (state: State) : State * (string * int32) =
        let state, partition = Coordinators.partition CoordinatorType.Group groupId state
        state, (Cluster.OffsetsTopic, partition.Index)

    let private addOffsetsToTxn (call: Call) (request: AddOffsetsToTxn.Request) (state: State) : State * Answer =
        let reply state code = state, Reply(Response.AddOffsetsToTxn { ThrottleTimeMs = 0; Error = code })

        match check call request.TransactionalId state with
        | Ok() when not (Security.isAllowed call AclOperation.Read AclResourceType.Group request.GroupId state) ->
            reply state ErrorCode.GroupAuthorizationFailed
        | Ok() ->
            let state, place = offsetsPlace request.GroupId state

            match
                TransactionCoordinator.add call.Now request.TransactionalId request.ProducerId request.ProducerEpoch false [ place ] state
            with
            | Ok state -> reply state ErrorCode.None
            | Error code -> reply state (fencedAs FencedSince call code)
        | Error code -> reply state code

    let private admitOffsets (call: Call) (request: TxnOffsetCommit.Request) (state: State) : Admission =
        let state, place = offsetsPlace request.GroupId state
        let id = request.TransactionalId

        if not (mayUse call AclOperation.Write id state) then
            Refused(ErrorCode.TransactionalIdAuthorizationFailed, state)
        elif not (verifies state) then
            Admitted state
        elif call.Version >= TxnOffsetCommit.addsGroupSince then
            addFor call id request.ProducerId request.ProducerEpoch place state
        else
            let missing = if call.Version >= 4s then ErrorCode.TransactionAbortable else ErrorCode.InvalidTxnState
            verifyFor id request.ProducerId request.ProducerEpoch missing place state

    let private refuseOffsets (code: ErrorCode) (request: TxnOffsetCommit.Request) : Answer =
        let code = if code = ErrorCode.ProducerFenced then ErrorCode.InvalidProducerEpoch else code

        let refused: TxnOffsetCommit.TopicResponse list =
            [ for topic in request.Topics ->
                  { Name = topic.Name
                    TopicId = topic.TopicId
                    Partitions = [ for partition in topic.Partitions -> { PartitionIndex = partition.PartitionIndex; Error = code } ] } ]

        Reply(Response.TxnOffsetCommit { ThrottleTimeMs = 0; Topics = refused })

    /// How long a request waits for the end of the transaction before (add.partitions.to.txn.retry.backoff.max.ms).
    [<Literal>]
    let private PatienceMs = 100L

    let private txnOffsetCommit (call: Call) (request: TxnOffsetCommit.Request) (state: State) : State * Answer =
        let until = call.Now + PatienceMs

        let ready now state =
            match admitOffsets { call with Now = now } request state with
            | Admitted state ->
                let state, response = GroupOffsets.commitInTransaction { call with Now = now } request state
                ValueSome(state, Reply(Response.TxnOffsetCommit response))
            | Refused(code, state) -> ValueSome(state, refuseOffsets code request)
            | Delayed when now < until -> ValueNone
            | Delayed -> ValueSome(state, refuseOffsets ErrorCode.ConcurrentTransactions request)

        match ready call.Now state with
        | ValueSome answered -> answered
        | ValueNone -> state, Later { Until = until; Concerns = Waiting.isAnythingChanged; Ready = ready }

    // ---- The end ----

    let private endTxn (call: Call) (request: EndTxn.Request) (state: State) : State * Answer =
        let reply state code id epoch =
            state, Reply(Response.EndTxn { ThrottleTimeMs = 0; Error = code; ProducerId = id; ProducerEpoch = epoch })

        let raises = call.Version >= EndTxn.newEpochSince
        let id = request.TransactionalId

        match check call id state with
        | Ok() ->
            match TransactionCoordinator.finish call.Now id request.ProducerId request.ProducerEpoch request.Committed raises state with
            | Ok(state, struct (producerId, epoch)) when raises -> reply state ErrorCode.None producerId epoch
            | Ok(state, _) -> reply state ErrorCode.None -1L -1s
            | Error code -> reply state (fencedAs FencedSince call code) -1L -1s
        | Error code -> reply state code -1L -1s

    /// Writes one marker, as an administrator does to end a transaction that its coordinator has forgotten.
    let private writeMarker (call: Call) (marker: WriteTxnMarkers.Marker) (topic: string) (state: State, found) (index: int32) =
        let result state code : State * WriteTxnMarkers.PartitionResult list = state, { PartitionIndex = index; Error = code } :: found

        match Cluster.lead call.Node -1 topic index state with
        | Error code -> result state code
        | Ok partition ->
            match partition.Log.Producers.TryFind marker.ProducerId with
            | Some producer when marker.ProducerEpoch < producer.Epoch -> result state ErrorCode.InvalidProducerEpoch
            | Some producer when marker.CoordinatorEpoch < producer.CoordinatorEpoch -> result state ErrorCode.TransactionCoordinatorFenced
            | _ ->
                let commit = marker.TransactionResult
                let append =
                    Log.appendMarker call.Now partition.LeaderEpoch commit marker.ProducerId marker.ProducerEpoch marker.CoordinatorEpoch

                let state = Cluster.updateLog topic index append state

                if topic = Cluster.OffsetsTopic then
                    result (GroupOffsets.endTransaction call.Now marker.ProducerId commit state) ErrorCode.None
                else
                    result state ErrorCode.None

    let private writeTxnMarkers (call: Call) (request: WriteTxnMarkers.Request) (state: State) : State * Answer =
        let isAllowed = Security.isAllowed call AclOperation.ClusterAction AclResourceType.Cluster Security.clusterName state

        let ofTopic (marker: WriteTxnMarkers.Marker) (state, found) (topic: WriteTxnMarkers.Topic) =
            let refuse (state, found) index : State * WriteTxnMarkers.PartitionResult list =
                state, { PartitionIndex = index; Error = ErrorCode.ClusterAuthorizationFailed } :: found

            let write = if isAllowed then writeMarker call marker topic.Name else refuse
            let state, partitions = topic.PartitionIndexes |> List.fold write (state, [])
            let result: WriteTxnMarkers.TopicResult = { Name = topic.Name; Partitions = List.rev partitions }
            state, result :: found

        let ofMarker (state, found) (marker: WriteTxnMarkers.Marker) =
            let state, topics = marker.Topics |> List.fold (ofTopic marker) (state, [])
            let result: WriteTxnMarkers.MarkerResult = { ProducerId = marker.ProducerId; Topics = List.rev topics }
            state, result :: found

        let state, markers = request.Markers |> List.fold ofMarker (state, [])
        state, Reply(Response.WriteTxnMarkers { Markers = List.rev markers })

    /// ValueNone for other requests.
    let tryHandle (call: Call) (request: Request) (state: State) : (State * Answer) voption =
        match request with
        | Request.InitProducerId request -> ValueSome(initProducerId call request state)
        | Request.AddPartitionsToTxn request -> ValueSome(addPartitionsToTxn call request state)
        | Request.AddOffsetsToTxn request -> ValueSome(addOffsetsToTxn call request state)
        | Request.TxnOffsetCommit request -> ValueSome(txnOffsetCommit call request state)
        | Request.EndTxn request -> ValueSome(endTxn call request state)
        | Request.WriteTxnMarkers request -> ValueSome(writeTxnMarkers call request state)
        | _ -> TransactionAdmin.tryHandle call request state

    /// Writes the markers that are due, and aborts the transactions whose time is over.
    let tick (now: Moment) (state: State) : State = TransactionCoordinator.tick now state

    /// When `tick` is due next.
    let nextTick (state: State) : Moment voption = TransactionCoordinator.nextTick state
