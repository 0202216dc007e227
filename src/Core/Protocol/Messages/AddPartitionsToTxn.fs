namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AddPartitionsToTxn (API key 24): adds partitions to a transaction, before records are sent to them (KIP-98). Send it to the coordinator
/// of the transactional id.
///
/// Clients use versions 0 to 3. They do not need this API if the feature transaction.version is at 2: Produce 12 and later adds its
/// partitions to the transaction (KIP-890). Brokers use versions 4 and 5 to verify the transactions of producers that write to them.
module AddPartitionsToTxn =

    /// The first version with a list of transactions. Brokers send it to one another; clients use earlier versions (KIP-890).
    let transactionsSince = 4s

    /// Partitions of one topic.
    type Topic = { Name: string; Partitions: int32 list }

    let topic = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { Name = name; Partitions = partitions }
    }

    /// One transaction of a broker's request, in versions 4 and later.
    type Transaction =
        {
            TransactionalId: string
            ProducerId: int64
            ProducerEpoch: int16
            /// Whether the coordinator only checks that the partitions are in the transaction, and adds none.
            VerifyOnly: bool
            Topics: Topic list
        }

    let transaction = message {
        let! transactional = field "TransactionalId" _.TransactionalId string
        and! producer = field "ProducerId" _.ProducerId int64
        and! epoch = field "ProducerEpoch" _.ProducerEpoch int16
        and! verify = field "VerifyOnly" _.VerifyOnly bool
        and! topics = field "Topics" _.Topics (array topic)

        return { TransactionalId = transactional; ProducerId = producer; ProducerEpoch = epoch; VerifyOnly = verify; Topics = topics }
    }

    /// Up to version 3 it has one transaction, in `TransactionalId` to `Topics`. Since version 4 it has any number, in `Transactions`.
    type Request =
        {
            /// The transactions to add partitions to, or to verify. Since version 4 (KIP-890).
            Transactions: Transaction list
            /// The transaction's id. Up to version 3.
            TransactionalId: string
            /// The producer id from InitProducerId. Up to version 3.
            ProducerId: int64
            /// The producer epoch from InitProducerId. Up to version 3.
            ProducerEpoch: int16
            /// The partitions to add. Up to version 3.
            Topics: Topic list
        }

    let request = message {
        let! transactions = field "Transactions" _.Transactions (array transaction |> since transactionsSince [])
        and! transactional = field "V3AndBelowTransactionalId" _.TransactionalId (string |> until (transactionsSince - 1s) "")
        and! producer = field "V3AndBelowProducerId" _.ProducerId (int64 |> until (transactionsSince - 1s) 0L)
        and! epoch = field "V3AndBelowProducerEpoch" _.ProducerEpoch (int16 |> until (transactionsSince - 1s) 0s)
        and! topics = field "V3AndBelowTopics" _.Topics (array topic |> until (transactionsSince - 1s) [])

        return
            { Transactions = transactions
              TransactionalId = transactional
              ProducerId = producer
              ProducerEpoch = epoch
              Topics = topics }
    }

    /// The result for one partition.
    type PartitionResult =
        {
            PartitionIndex: int32
            /// CONCURRENT_TRANSACTIONS while the previous transaction is still completing: retry; NOT_COORDINATOR if another broker is the
            /// coordinator; COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state; PRODUCER_FENCED (INVALID_PRODUCER_EPOCH
            /// before version 2) if a newer producer uses the transactional id; INVALID_PRODUCER_ID_MAPPING if the producer id does not
            /// belong to the transactional id; UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED;
            /// TRANSACTIONAL_ID_AUTHORIZATION_FAILED; OPERATION_NOT_ATTEMPTED if another partition failed, because either all partitions
            /// are added or none. With `VerifyOnly`, TRANSACTION_ABORTABLE (INVALID_TXN_STATE in version 4) if the partition is not in the
            /// transaction.
            Error: ErrorCode
        }

    let partitionResult = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "PartitionErrorCode" _.Error errorCode
        return { PartitionIndex = partition; Error = error }
    }

    /// The results for one topic.
    type TopicResult = { Name: string; Partitions: PartitionResult list }

    let topicResult = message {
        let! name = field "Name" _.Name string
        and! partitions = field "ResultsByPartition" _.Partitions (array partitionResult)
        return { Name = name; Partitions = partitions }
    }

    /// The results for one transaction, in versions 4 and later.
    type TransactionResult = { TransactionalId: string; Topics: TopicResult list }

    let transactionResult = message {
        let! transactional = field "TransactionalId" _.TransactionalId string
        and! topics = field "TopicResults" _.Topics (array topicResult)
        return { TransactionalId = transactional; Topics = topics }
    }

    /// Up to version 3 the results are in `Topics`. Since version 4 they are in `Transactions`.
    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// The error of the whole request: CLUSTER_AUTHORIZATION_FAILED if the sender is not a broker. Since version 4.
            Error: ErrorCode
            /// The results of each transaction. Since version 4 (KIP-890).
            Transactions: TransactionResult list
            /// The results of the transaction. Up to version 3.
            Topics: TopicResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error (errorCode |> since transactionsSince ErrorCode.None |> ignorable)
        and! transactions = field "ResultsByTransaction" _.Transactions (array transactionResult |> since transactionsSince [])
        and! topics = field "ResultsByTopicV3AndBelow" _.Topics (array topicResult |> until (transactionsSince - 1s) [])

        return { ThrottleTimeMs = throttle; Error = error; Transactions = transactions; Topics = topics }
    }

    let api =
        Api.define ApiKey.AddPartitionsToTxn (versions 0 5 |> flexibleFrom 3) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Topic with
        override this.ToString() = Schema.show topic this
    type Transaction with
        override this.ToString() = Schema.show transaction this
    type Request with
        override this.ToString() = Message.show api.Request this
    type PartitionResult with
        override this.ToString() = Schema.show partitionResult this
    type TopicResult with
        override this.ToString() = Schema.show topicResult this
    type TransactionResult with
        override this.ToString() = Schema.show transactionResult this
    type Response with
        override this.ToString() = Message.show api.Response this
