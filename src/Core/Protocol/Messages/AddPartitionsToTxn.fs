namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AddPartitionsToTxn (API key 24): take partitions into a transaction, before records are sent to them (KIP-98). It goes to the
/// coordinator of the transactional id.
///
/// Clients use versions 0 to 3, and none at all where the feature transaction.version is at 2: there Produce takes its partitions in by
/// itself, from its version 12 on (KIP-890). Versions 4 and 5 are for brokers that ask about the producers writing to them.
module AddPartitionsToTxn =

    /// Partitions of one topic.
    type Topic = { Name: string; Partitions: int32 list }

    let topic = message {
        let! name = field "Name" _.Name string
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { Name = name; Partitions = partitions }
    }

    /// One transaction, from version 4 on.
    type Transaction =
        {
            TransactionalId: string
            ProducerId: int64
            ProducerEpoch: int16
            /// Only check whether the partitions are in the transaction.
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

    /// Up to version 3 one transaction, in `TransactionalId` to `Topics`; from version 4 on several, in `Transactions`.
    type Request =
        {
            Transactions: Transaction list
            TransactionalId: string
            /// The id that InitProducerId gave.
            ProducerId: int64
            /// The epoch that InitProducerId gave.
            ProducerEpoch: int16
            Topics: Topic list
        }

    let request = message {
        let! transactions = field "Transactions" _.Transactions (array transaction |> since 4s [])
        and! transactional = field "V3AndBelowTransactionalId" _.TransactionalId (string |> until 3s "")
        and! producer = field "V3AndBelowProducerId" _.ProducerId (int64 |> until 3s 0L)
        and! epoch = field "V3AndBelowProducerEpoch" _.ProducerEpoch (int16 |> until 3s 0s)
        and! topics = field "V3AndBelowTopics" _.Topics (array topic |> until 3s [])

        return
            { Transactions = transactions
              TransactionalId = transactional
              ProducerId = producer
              ProducerEpoch = epoch
              Topics = topics }
    }

    /// What became of one partition.
    type PartitionResult =
        {
            PartitionIndex: int32
            /// CONCURRENT_TRANSACTIONS while the last transaction is still being ended: try again; NOT_COORDINATOR and
            /// COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; PRODUCER_FENCED, before version 2 INVALID_PRODUCER_EPOCH,
            /// when a newer producer has the transactional id; INVALID_PRODUCER_ID_MAPPING when the id is not the one of the
            /// transactional id; UNKNOWN_TOPIC_OR_PARTITION; TOPIC_AUTHORIZATION_FAILED and TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
            /// OPERATION_NOT_ATTEMPTED when another partition had an error, since all are taken in or none. With `VerifyOnly`,
            /// TRANSACTION_ABORTABLE, in version 4 INVALID_TXN_STATE, when the partition is not in the transaction.
            Error: ErrorCode
        }

    let partitionResult = message {
        let! partition = field "PartitionIndex" _.PartitionIndex int32
        and! error = field "PartitionErrorCode" _.Error errorCode
        return { PartitionIndex = partition; Error = error }
    }

    /// What became of one topic.
    type TopicResult = { Name: string; Partitions: PartitionResult list }

    let topicResult = message {
        let! name = field "Name" _.Name string
        and! partitions = field "ResultsByPartition" _.Partitions (array partitionResult)
        return { Name = name; Partitions = partitions }
    }

    /// What became of one transaction, from version 4 on.
    type TransactionResult = { TransactionalId: string; Topics: TopicResult list }

    let transactionResult = message {
        let! transactional = field "TransactionalId" _.TransactionalId string
        and! topics = field "TopicResults" _.Topics (array topicResult)
        return { TransactionalId = transactional; Topics = topics }
    }

    /// Up to version 3 the answer is in `Topics`, from version 4 on in `Transactions`.
    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// What concerns the request as a whole: CLUSTER_AUTHORIZATION_FAILED to one who is not a broker.
            Error: ErrorCode
            Transactions: TransactionResult list
            Topics: TopicResult list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error (errorCode |> since 4s ErrorCode.None |> ignorable)
        and! transactions = field "ResultsByTransaction" _.Transactions (array transactionResult |> since 4s [])
        and! topics = field "ResultsByTopicV3AndBelow" _.Topics (array topicResult |> until 3s [])

        return { ThrottleTimeMs = throttle; Error = error; Transactions = transactions; Topics = topics }
    }

    let api = Api.define ApiKey.AddPartitionsToTxn 0s 5s (Some 3s) request response
