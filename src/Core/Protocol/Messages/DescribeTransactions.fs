namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// DescribeTransactions (API key 65): describes the transactions of transactional ids (KIP-664). Send it to the coordinator of each
/// transactional id.
module DescribeTransactions =

    type Request =
        {
            /// An empty list selects nothing.
            TransactionalIds: string list
        }

    let request = message {
        let! ids = field "TransactionalIds" _.TransactionalIds (array string)
        return { TransactionalIds = ids }
    }

    /// Partitions of one topic in a transaction.
    type Topic = { Topic: string; Partitions: int32 list }

    let topic = message {
        let! topic = field "Topic" _.Topic string
        and! partitions = field "Partitions" _.Partitions (array int32)
        return { Topic = topic; Partitions = partitions }
    }

    /// The transaction of one transactional id: the open one, otherwise the last one.
    type Transaction =
        {
            /// TRANSACTIONAL_ID_NOT_FOUND; NOT_COORDINATOR if another broker is the coordinator; COORDINATOR_LOAD_IN_PROGRESS while the
            /// coordinator loads its state; COORDINATOR_NOT_AVAILABLE while the broker shuts down; INVALID_REQUEST for an empty
            /// transactional id; TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
            Error: ErrorCode
            TransactionalId: string
            State: TransactionState
            /// How long a transaction can stay open before the coordinator aborts it, in milliseconds.
            TimeoutMs: int32
            /// When the transaction began, in milliseconds since the epoch; -1 if there is none.
            StartTimeMs: int64
            ProducerId: int64
            ProducerEpoch: int16
            /// The partitions in the transaction; while it completes, those that still lack a marker. Topics that the client may not see
            /// are omitted.
            Topics: Topic list
        }

    let transaction = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! id = field "TransactionalId" _.TransactionalId string
        and! state = field "TransactionState" _.State transactionState
        and! timeout = field "TransactionTimeoutMs" _.TimeoutMs int32
        and! start = field "TransactionStartTimeMs" _.StartTimeMs int64
        and! producer = field "ProducerId" _.ProducerId int64
        and! epoch = field "ProducerEpoch" _.ProducerEpoch int16
        and! topics = field "Topics" _.Topics (array topic)

        return
            { Error = error
              TransactionalId = id
              State = state
              TimeoutMs = timeout
              StartTimeMs = start
              ProducerId = producer
              ProducerEpoch = epoch
              Topics = topics }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            Transactions: Transaction list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! transactions = field "TransactionStates" _.Transactions (array transaction)

        return { ThrottleTimeMs = throttle; Transactions = transactions }
    }

    let api =
        Api.define ApiKey.DescribeTransactions (versions 0 0 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Topic with
        override this.ToString() = Schema.show topic this
    type Transaction with
        override this.ToString() = Schema.show transaction this
    type Response with
        override this.ToString() = Message.show api.Response this
