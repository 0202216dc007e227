namespace LibKafka.Testing

open LibKafka.Records
open LibKafka.Protocol

/// Whether a batch of a transaction may be appended.
[<NoEquality; NoComparison>]
type internal Admission =
    /// It may. The state may have changed, because the partition was added to the transaction.
    | Admitted of State
    | Refused of ErrorCode
    /// Not yet: the last transaction is still being ended. Ask again after the next change of the state.
    | Delayed

/// Producer ids and transactions: InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn, DescribeTransactions, ListTransactions,
/// DescribeProducers, WriteTxnMarkers.
[<RequireQualifiedAccess>]
module internal Transactions =

    /// Whether a transactional batch may be appended to a partition. `version` is that of Produce: from 12 on it adds the partition itself.
    let admit
        (_call: Call)
        (transactionalId: string option)
        (batch: RecordBatch)
        (_topic: string)
        (_partition: int32)
        (state: State)
        : Admission =
        match transactionalId with
        | None when batch.IsTransactional -> Refused ErrorCode.TransactionalIdAuthorizationFailed
        | _ -> Admitted state

    let private initProducerId (request: InitProducerId.Request) (state: State) : State * Answer =
        let id = state.Transactions.NextProducerId

        { state with Transactions = { state.Transactions with NextProducerId = id + 1L } },
        Reply(
            Response.InitProducerId
                { ThrottleTimeMs = 0
                  Error = ErrorCode.None
                  ProducerId = id
                  ProducerEpoch = 0s
                  OngoingTxnProducerId = -1L
                  OngoingTxnProducerEpoch = -1s }
        )

    /// ValueNone for other requests.
    let tryHandle (_call: Call) (request: Request) (state: State) : (State * Answer) voption =
        match request with
        | Request.InitProducerId request -> ValueSome(initProducerId request state)
        | _ -> ValueNone

    /// Aborts the transactions whose time is over.
    let tick (_now: Moment) (state: State) : State = state

    /// When the next transaction times out.
    let nextTick (_state: State) : Moment voption = ValueNone
