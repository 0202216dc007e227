namespace LibKafka.Testing

open System
open LibKafka.Protocol

/// The rules of transactions: what a request does to a transactional id, and the markers that end a transaction.
[<RequireQualifiedAccess>]
module internal TransactionCoordinator =

    [<Literal>]
    let private NoEpoch = -1s

    /// A broker never gives a producer the last epoch, which is left for fencing it.
    let private isExhausted (epoch: int16) = epoch >= Int16.MaxValue - 1s

    let private next (epoch: int16) = if epoch = Int16.MaxValue then epoch else epoch + 1s

    let tryFind (transactionalId: string) (state: State) : Transaction option = state.Transactions.ById.TryFind transactionalId

    let private set (transactionalId: string) (transaction: Transaction) (state: State) : State =
        { state with
            Transactions = { state.Transactions with ById = state.Transactions.ById.Add(transactionalId, transaction) } }

    /// A new producer id.
    let takeProducerId (state: State) : State * int64 =
        let id = state.Transactions.NextProducerId
        { state with Transactions = { state.Transactions with NextProducerId = id + 1L } }, id

    /// Whether another request must wait: CONCURRENT_TRANSACTIONS.
    let private isBusy (transaction: Transaction) =
        match transaction.Stage with
        | TransactionStage.Ending _ -> true
        | _ -> transaction.IsStuck

    /// Writes the marker into the log of one partition. None if the partition has no leader at the moment.
    let private mark (now: Moment) (commit: bool) (transaction: Transaction) (topic: string, index: int32) (state: State) : State option =
        let append = Log.appendMarker now
        match Cluster.tryPartition topic index state with
        | _ when topic = Cluster.OffsetsTopic -> Some(GroupOffsets.endTransaction now transaction.ProducerId commit state)
        | None -> Some state
        | Some partition when partition.Leader |> ValueOption.exists (fun leader -> Cluster.isRunning leader state) ->
            let change = append partition.LeaderEpoch commit transaction.ProducerId transaction.Epoch 0
            Some(Cluster.updateLog topic index change state)
        | Some _ -> None

    /// The transaction after its last marker.
    let private ended (commit: bool) (transaction: Transaction) : Transaction =
        let ended = { transaction with Stage = TransactionStage.Ended commit; Partitions = Set.empty }

        match transaction.NextProducerId with
        | ValueNone -> ended
        | ValueSome id ->
            { ended with ProducerId = id; Epoch = 0s; PreviousProducerId = transaction.ProducerId; NextProducerId = ValueNone }

    /// Writes the markers of a transaction that is ending. It is tried again later for partitions without a leader.
    let private complete (now: Moment) (transactionalId: string) (commit: bool) (state: State) : State =
        let transaction = state.Transactions.ById[transactionalId]

        let write (state, left) place =
            match mark now commit transaction place state with
            | Some state -> state, left
            | None -> state, Set.add place left

        let state, left = transaction.Partitions |> Set.fold write (state, Set.empty)

        if left.IsEmpty then
            set transactionalId (ended commit transaction) state
        else
            let stage = TransactionStage.Ending(commit, now + 100L)
            set transactionalId { transaction with Partitions = left; Stage = stage } state

    /// Decides a transaction. With `raises`, the producer's next transaction has a new epoch, or a new producer id if the epochs are
    /// exhausted.
    let private decide (now: Moment) (transactionalId: string) (commit: bool) (raises: bool) (transaction: Transaction) (state: State) =
        let state, nextId =
            if raises && isExhausted transaction.Epoch then
                let state, id = takeProducerId state
                state, ValueSome id
            else
                state, ValueNone

        let due = if transaction.Partitions.IsEmpty then now else now + int64 state.Transactions.MarkerDelayMs

        let decided =
            { transaction with
                Stage = TransactionStage.Ending(commit, due)
                Epoch = (if raises then next transaction.Epoch else transaction.Epoch)
                LastEpoch = (if raises then transaction.Epoch else transaction.LastEpoch)
                NextProducerId = nextId
                Started = (if transaction.Partitions.IsEmpty then now else transaction.Started) }

        let state = set transactionalId decided state
        if due <= now then complete now transactionalId commit state else state

    /// Aborts a transaction with a new epoch, which fences its producer.
    let private fence (now: Moment) (transactionalId: string) (transaction: Transaction) (state: State) : State =
        let raised = next transaction.Epoch
        let epoch = if transaction.RaisesEpoch then next raised else raised
        decide now transactionalId false false { transaction with Epoch = epoch; LastEpoch = NoEpoch } state

    /// The epoch after InitProducerId from a producer that knows the epoch `known`, if it knows one (KIP-360).
    let private raise' (known: int16 voption) (transaction: Transaction) : Result<Transaction, ErrorCode> =
        match known with
        | ValueNone -> Ok { transaction with Epoch = next transaction.Epoch; LastEpoch = NoEpoch }
        | ValueSome known when transaction.Epoch = NoEpoch || known = transaction.Epoch ->
            Ok { transaction with Epoch = next transaction.Epoch; LastEpoch = transaction.Epoch }
        | ValueSome known when known = transaction.LastEpoch -> Ok transaction
        | ValueSome _ -> Error ErrorCode.ProducerFenced

    /// Starts a producer. `known` is the producer id and epoch that it has already, if it has them.
    let initialize (now: Moment) (transactionalId: string) (timeoutMs: int32) (known: struct (int64 * int16) voption) (state: State) =
        let state, transaction =
            match tryFind transactionalId state with
            | Some transaction -> state, transaction
            | None ->
                let state, id = takeProducerId state

                state,
                { ProducerId = id
                  Epoch = NoEpoch
                  LastEpoch = NoEpoch
                  PreviousProducerId = -1L
                  NextProducerId = ValueNone
                  TimeoutMs = timeoutMs
                  Started = -1L
                  Stage = TransactionStage.Empty
                  Partitions = Set.empty
                  RaisesEpoch = false
                  IsStuck = false }

        let isKnown (struct (id, epoch)) =
            transaction.Epoch = NoEpoch || id = transaction.ProducerId || (id = transaction.PreviousProducerId && isExhausted epoch)

        let hasEpoch (struct (_, epoch)) = epoch = transaction.Epoch

        if isBusy transaction then
            state, Error ErrorCode.ConcurrentTransactions
        elif not (ValueOption.forall isKnown known) then
            state, Error ErrorCode.ProducerFenced
        elif transaction.Stage = TransactionStage.Ongoing then
            // The client asks again, and then gets an epoch after this one.
            fence now transactionalId transaction state, Error ErrorCode.ConcurrentTransactions
        else
            let state, initialized =
                if isExhausted transaction.Epoch && ValueOption.forall hasEpoch known then
                    let state, id = takeProducerId state
                    let last = if known.IsSome then transaction.Epoch else NoEpoch

                    state,
                    Ok { transaction with ProducerId = id; Epoch = 0s; LastEpoch = last; PreviousProducerId = transaction.ProducerId }
                else
                    state, raise' (known |> ValueOption.map (fun (struct (_, epoch)) -> epoch)) transaction

            match initialized with
            | Error code -> state, Error code
            | Ok initialized ->
                let initialized = { initialized with Stage = TransactionStage.Empty; TimeoutMs = timeoutMs; Partitions = Set.empty }
                set transactionalId initialized state, Ok initialized

    /// Checks the producer of a request.
    let private identify (producerId: int64) (epoch: int16) (transaction: Transaction) : Result<Transaction, ErrorCode> =
        if transaction.ProducerId <> producerId then Error ErrorCode.InvalidProducerIdMapping
        elif transaction.Epoch <> epoch then Error ErrorCode.ProducerFenced
        else Ok transaction

    /// Adds partitions to the transaction, and begins one if there is none. `raises`: see `Transaction.RaisesEpoch`.
    let add (now: Moment) (transactionalId: string) producerId epoch (raises: bool) (partitions: (string * int32) list) (state: State) =
        match tryFind transactionalId state with
        | None -> Error ErrorCode.InvalidProducerIdMapping
        | Some transaction when isBusy transaction -> Error ErrorCode.ConcurrentTransactions
        | Some transaction ->
            identify producerId epoch transaction
            |> Result.map (fun transaction ->
                let isNew = transaction.Stage <> TransactionStage.Ongoing

                let added =
                    { transaction with
                        Stage = TransactionStage.Ongoing
                        Partitions = Set.union transaction.Partitions (Set.ofList partitions)
                        Started = (if isNew then now else transaction.Started)
                        RaisesEpoch = raises }

                set transactionalId added state)

    /// Whether the transaction has the partitions. `missing` is the code for those that it does not have.
    let verify (transactionalId: string) producerId epoch (missing: ErrorCode) (state: State) : (string * int32) -> ErrorCode =
        match tryFind transactionalId state with
        | None -> fun _ -> ErrorCode.InvalidProducerIdMapping
        | Some transaction ->
            match identify producerId epoch transaction, transaction.Stage with
            | Error code, _ -> fun _ -> code
            | Ok _, TransactionStage.Ending _ -> fun _ -> ErrorCode.ConcurrentTransactions
            | Ok transaction, _ -> fun place -> if transaction.Partitions.Contains place then ErrorCode.None else missing

    /// Makes the transactional id unusable, as a request does that its transaction.version does not allow.
    let jam (transactionalId: string) (state: State) : State =
        match tryFind transactionalId state with
        | Some transaction -> set transactionalId { transaction with IsStuck = true } state
        | None -> state

    /// Whether a request to end a transaction with a new epoch repeats one that was carried out.
    let private isRepeated (producerId: int64) (epoch: int16) (transaction: Transaction) =
        let isEnded =
            match transaction.Stage with
            | TransactionStage.Ended _ -> true
            | _ -> false

        let sameId = transaction.ProducerId = producerId && transaction.Epoch = next epoch

        let newId = transaction.PreviousProducerId = producerId && epoch = Int16.MaxValue - 1s && transaction.Epoch = 0s
        isEnded && (sameId || newId)

    let private endWithEpoch
        now
        transactionalId
        producerId
        epoch
        commit
        (transaction: Transaction)
        (state: State)
        : Result<State, ErrorCode> =
        let decide () = Ok(decide now transactionalId commit true transaction state)

        if isBusy transaction then
            Error ErrorCode.ConcurrentTransactions
        elif isRepeated producerId epoch transaction then
            if transaction.Stage = TransactionStage.Ended commit then
                Ok state
            else
                Error ErrorCode.InvalidTxnState
        else
            match identify producerId epoch transaction, transaction.Stage with
            | Error code, _ -> Error code
            | Ok _, TransactionStage.Ongoing -> decide ()
            // A transaction without partitions can be aborted, but not committed.
            | Ok _, _ -> if commit then Error ErrorCode.InvalidTxnState else decide ()

    let private endWithoutEpoch
        now
        transactionalId
        producerId
        epoch
        commit
        (transaction: Transaction)
        (state: State)
        : Result<State, ErrorCode> =
        match identify producerId epoch transaction with
        | Error code -> Error code
        | Ok _ when isBusy transaction -> Error ErrorCode.ConcurrentTransactions
        | Ok _ ->
            match transaction.Stage with
            | TransactionStage.Ongoing -> Ok(decide now transactionalId commit false transaction state)
            | TransactionStage.Ended committed when committed = commit -> Ok state
            | _ -> Error ErrorCode.InvalidTxnState

    /// Commits or aborts. With `raises`, the producer gets a new epoch (EndTxn from version 5 on). The result has the producer id and epoch
    /// of the next transaction.
    let finish (now: Moment) (transactionalId: string) producerId epoch (commit: bool) (raises: bool) (state: State) =
        match tryFind transactionalId state with
        | None -> Error ErrorCode.InvalidProducerIdMapping
        | Some transaction ->
            let finish = if raises then endWithEpoch else endWithoutEpoch

            finish now transactionalId producerId epoch commit transaction state
            |> Result.map (fun state ->
                let after = state.Transactions.ById[transactionalId]

                match after.NextProducerId with
                | ValueSome id -> state, struct (id, 0s)
                | ValueNone -> state, struct (after.ProducerId, after.Epoch))

    /// When a transactional id needs `tick`.
    let private due (transaction: Transaction) : Moment voption =
        match transaction.Stage with
        | TransactionStage.Ending(_, due) -> ValueSome due
        | TransactionStage.Ongoing when not transaction.IsStuck -> ValueSome(transaction.Started + int64 transaction.TimeoutMs)
        | _ -> ValueNone

    /// Writes the markers that are due, and aborts the transactions whose time is over.
    let tick (now: Moment) (state: State) : State =
        let step state transactionalId (transaction: Transaction) =
            match due transaction, transaction.Stage with
            | ValueSome moment, TransactionStage.Ending(commit, _) when moment <= now -> complete now transactionalId commit state
            | ValueSome moment, TransactionStage.Ongoing when moment <= now -> fence now transactionalId transaction state
            | _ -> state

        state.Transactions.ById |> Map.fold step state

    /// When `tick` is due next.
    let nextTick (state: State) : Moment voption =
        let earlier found _ transaction =
            match found, due transaction with
            | ValueSome a, ValueSome b -> ValueSome(min a b)
            | found, ValueNone -> found
            | ValueNone, found -> found

        state.Transactions.ById |> Map.fold earlier ValueNone
