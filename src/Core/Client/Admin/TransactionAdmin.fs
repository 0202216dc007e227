namespace LibKafka.Client

open System
open LibKafka.Protocol

/// Which transactions to list. A transaction is listed if it meets every condition.
type TransactionListFilter =
    {
        /// In one of these states; empty for any.
        States: TransactionState list
        /// Of one of these producers; empty for any.
        ProducerIds: int64 list
        /// Those that have been running for longer than this (KIP-994, Kafka 3.8); none for any.
        LongerThan: TimeSpan option
        /// Those whose transactional id matches this regular expression as a whole (KIP-1152, Kafka 4.1); none for any.
        IdPattern: string option
    }

    /// A one-line description.
    override this.ToString() =
        let conditions =
            [ if not this.States.IsEmpty then "in state " + String.Join(" or ", this.States)
              if not this.ProducerIds.IsEmpty then
                  "of producer " + String.Join(" or ", this.ProducerIds)
              match this.LongerThan with
              | Some time -> "longer than " + string (int64 time.TotalMilliseconds) + " ms"
              | None -> ()
              match this.IdPattern with
              | Some pattern -> "with an id like " + pattern
              | None -> () ]

        if conditions.IsEmpty then "all transactions" else "transactions " + String.Join(", ", conditions)

[<RequireQualifiedAccess>]
module TransactionListFilter =

    /// All transactions.
    let all: TransactionListFilter = { States = []; ProducerIds = []; LongerThan = None; IdPattern = None }

/// A transaction that is open in one partition and is to be aborted there, because its coordinator does not end it (KIP-664). Abort it only if
/// `DescribeTransactions` shows that its coordinator no longer knows it.
type HangingTransaction =
    {
        Partition: TopicPartition
        ProducerId: int64
        ProducerEpoch: int16
        /// The leader epoch of the coordinator's partition. A broker refuses a lower one than it has seen.
        CoordinatorEpoch: int32
    }

    /// As in `producer 7 in epoch 2 on orders-3`.
    override this.ToString() =
        "producer " + string this.ProducerId + " in epoch " + string this.ProducerEpoch + " on " + this.Partition.ToString()

[<RequireQualifiedAccess>]
module HangingTransaction =

    /// The open transaction of a producer that `DescribeProducers` has returned; none if it has none.
    let ofProducer (partition: TopicPartition) (producer: DescribeProducers.Producer) : HangingTransaction option =
        if producer.CurrentTxnStartOffset < 0L then
            None
        else
            Some
                { Partition = partition
                  ProducerId = producer.ProducerId
                  ProducerEpoch = int16 producer.ProducerEpoch
                  // It is -1 before the first marker of the producer.
                  CoordinatorEpoch = max 0 producer.CoordinatorEpoch }

/// Transactions and the producers of partitions (KIP-664).
[<RequireQualifiedAccess>]
module internal TransactionAdmin =

    let list
        (brokers: AdminBrokers)
        (filter: TransactionListFilter)
        operation
        : Result<(BrokerAddress * Result<ListTransactions.Response, AdminFault>) list, AdminFault> =
        let request: ListTransactions.Request =
            { StateFilters = filter.States
              ProducerIdFilters = filter.ProducerIds
              DurationFilter =
                (match filter.LongerThan with
                 | Some time -> int64 time.TotalMilliseconds
                 | None -> -1L)
              TransactionalIdPattern = filter.IdPattern }

        let askOne broker =
            broker,
            AdminRequest.answer (brokers.Connect(broker, operation)) operation ListTransactions.api request (fun response ->
                AdminFault.check response.Error None response)

        brokers.All operation |> Result.map (List.map askOne)

    let describe (brokers: AdminBrokers) (ids: string list) operation =
        let askSome connection some =
            AdminRequest.ask connection operation some DescribeTransactions.api { TransactionalIds = some } id (fun response ->
                response.Transactions |> List.map (fun found -> found.TransactionalId, AdminFault.check found.Error None found))

        let coordinatorOf = brokers.Coordinators(CoordinatorType.Transaction, ids, operation)
        AdminRequest.askEach ids id coordinatorOf (fun broker -> brokers.Connect(broker, operation)) askSome

    // How long a transaction may take, in milliseconds. None begins: a producer that takes the id over says how long its own may take.
    let private fenceTimeoutMs = 60_000

    let fence (brokers: AdminBrokers) (ids: string list) operation : (string * Result<ProducerIdentity, AdminFault>) list =
        let fenceOne connection id =
            let request: InitProducerId.Request =
                { TransactionalId = Some id
                  TransactionTimeoutMs = fenceTimeoutMs
                  ProducerId = ProducerIdentity.none.ProducerId
                  ProducerEpoch = ProducerIdentity.none.ProducerEpoch
                  Enable2Pc = false
                  KeepPreparedTxn = false }

            AdminRequest.answer connection operation InitProducerId.api request (fun response ->
                ProducerIdentity.ofResponse response |> Result.mapError (fun code -> AdminFault.Refused(code, None)))

        let coordinatorOf = brokers.Coordinators(CoordinatorType.Transaction, ids, operation)
        let placeOf id = coordinatorOf id |> Result.map (fun broker -> struct (broker, id))

        // A request names one id.
        AdminRequest.askEach ids id placeOf (fun (struct (broker, _)) -> brokers.Connect(broker, operation)) (fun connection some ->
            some |> List.map (fun id -> id, fenceOne connection id))

    let describeProducers (brokers: AdminBrokers) (partitions: TopicPartition list) (broker: int32 option) operation =
        let askSome connection some =
            let topic (name, some: TopicPartition list) : DescribeProducers.TopicRequest =
                { Name = name; PartitionIndexes = some |> List.map _.Partition }

            let request: DescribeProducers.Request = { Topics = Offsets.byTopic id some |> List.map topic }

            AdminRequest.ask connection operation some DescribeProducers.api request id (fun response ->
                response.Topics
                |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)
                |> List.map (fun (partition, found) -> partition, AdminFault.check found.Error found.ErrorMessage found.ActiveProducers))

        match broker with
        | None -> OffsetAdmin.askLeaders brokers id partitions operation askSome
        | Some broker ->
            let address = brokers.ById operation broker
            AdminRequest.askEach partitions id (fun _ -> address) (fun address -> brokers.Connect(address, operation)) askSome

    // The abort of one transaction in one partition. It is not about any version of the transaction protocol, so it may have the epoch of the records.
    let private abortMarker (transaction: HangingTransaction) : WriteTxnMarkers.Marker =
        { ProducerId = transaction.ProducerId
          ProducerEpoch = transaction.ProducerEpoch
          TransactionResult = false
          Topics = [ { Name = transaction.Partition.Topic; PartitionIndexes = [ transaction.Partition.Partition ] } ]
          CoordinatorEpoch = transaction.CoordinatorEpoch
          TransactionVersion = 0y }

    let abort (brokers: AdminBrokers) (transactions: HangingTransaction list) operation =
        let keyOf (transaction: HangingTransaction) = struct (transaction.ProducerId, transaction.Partition)

        let askSome connection some =
            AdminRequest.ask connection operation some WriteTxnMarkers.api { Markers = List.map abortMarker some } keyOf (fun response ->
                [ for marker in response.Markers do
                      for topic in marker.Topics do
                          for partition, result in Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex ->
                              struct (marker.ProducerId, partition), AdminFault.check result.Error None () ])

        let leaderOf = brokers.Leaders(transactions |> List.map _.Partition, operation)

        AdminRequest.askEach
            transactions
            keyOf
            (fun transaction -> leaderOf transaction.Partition)
            (fun leader -> brokers.Connect(leader, operation))
            askSome
