namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// ListTransactions (API key 66): lists the transactional ids that a broker coordinates, with the states of their transactions (KIP-664).
/// Send it to each broker for all of the cluster.
module ListTransactions =

    /// A transaction is listed only if it matches all filters.
    type Request =
        {
            /// Empty for all states.
            StateFilters: TransactionState list
            /// Empty for all producers.
            ProducerIdFilters: int64 list
            /// Only transactions that have been open for longer than this, in milliseconds; negative for all. Since version 1 (KIP-994).
            DurationFilter: int64
            /// A regular expression (RE2 syntax) that the transactional id must match; null or empty for all. Since version 2 (KIP-1152).
            TransactionalIdPattern: string option
        }

    let request = message {
        let! states = field "StateFilters" _.StateFilters (array transactionState)
        and! producers = field "ProducerIdFilters" _.ProducerIdFilters (array int64)
        and! duration = field "DurationFilter" _.DurationFilter (int64 |> since 1s -1L)
        and! pattern = field "TransactionalIdPattern" _.TransactionalIdPattern (string |> nullable |> since 2s None)

        return { StateFilters = states; ProducerIdFilters = producers; DurationFilter = duration; TransactionalIdPattern = pattern }
    }

    /// A transactional id. Those that the client may not see are omitted.
    type Transaction = { TransactionalId: string; ProducerId: int64; State: TransactionState }

    let transaction = message {
        let! id = field "TransactionalId" _.TransactionalId string
        and! producer = field "ProducerId" _.ProducerId int64
        and! state = field "TransactionState" _.State transactionState

        return { TransactionalId = id; ProducerId = producer; State = state }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// COORDINATOR_LOAD_IN_PROGRESS while the broker loads its transactions; COORDINATOR_NOT_AVAILABLE while it shuts down;
            /// INVALID_REGULAR_EXPRESSION.
            Error: ErrorCode
            /// The states of `StateFilters` that the broker does not know.
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

    let api =
        Api.define ApiKey.ListTransactions (versions 0 2 |> flexibleFrom 0) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Transaction with
        override this.ToString() = Schema.show transaction this
    type Response with
        override this.ToString() = Message.show api.Response this
