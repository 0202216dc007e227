namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ListTransactions (API key 66): the transactional ids that a broker coordinates, and how far their transactions have come (KIP-664).
/// Each broker answers for its own, so it goes to all of them.
module ListTransactions =

    /// A transaction is listed only if every filter lets it pass.
    type Request =
        {
            /// Empty for any state.
            StateFilters: TransactionState list
            /// Empty for any producer.
            ProducerIdFilters: int64 list
            /// Only transactions that have been running for longer than this, in milliseconds (KIP-994); negative for all.
            DurationFilter: int64
            /// A regular expression in RE2's syntax that the transactional id must match (KIP-1152); null or empty for all.
            TransactionalIdPattern: string option
        }

    let request = message {
        let! states = field "StateFilters" _.StateFilters (array transactionState)
        and! producers = field "ProducerIdFilters" _.ProducerIdFilters (array int64)
        and! duration = field "DurationFilter" _.DurationFilter (int64 |> since 1s -1L)
        and! pattern = field "TransactionalIdPattern" _.TransactionalIdPattern (string |> nullable |> since 2s None)

        return { StateFilters = states; ProducerIdFilters = producers; DurationFilter = duration; TransactionalIdPattern = pattern }
    }

    /// A transactional id. Those that the client may not see are left out.
    type Transaction = { TransactionalId: string; ProducerId: int64; State: TransactionState }

    let transaction = message {
        let! id = field "TransactionalId" _.TransactionalId string
        and! producer = field "ProducerId" _.ProducerId int64
        and! state = field "TransactionState" _.State transactionState

        return { TransactionalId = id; ProducerId = producer; State = state }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// COORDINATOR_LOAD_IN_PROGRESS while the broker still reads its transactions; COORDINATOR_NOT_AVAILABLE while it shuts down;
            /// INVALID_REGULAR_EXPRESSION.
            Error: ErrorCode
            /// The states asked for that the broker does not know.
            UnknownStateFilters: TransactionState list
            Transactions: Transaction list
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! unknown = field "UnknownStateFilters" _.UnknownStateFilters (array transactionState)
        and! transactions = field "TransactionStates" _.Transactions (array transaction)

        return { ThrottleTimeMs = throttle; Error = error; UnknownStateFilters = unknown; Transactions = transactions }
    }

    let api = Api.define ApiKey.ListTransactions 0s 2s (Some 0s) request response
