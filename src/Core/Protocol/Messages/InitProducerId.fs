namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// InitProducerId (API key 22): the id and the epoch that a producer needs for idempotence and transactions (KIP-98). With a
/// transactional id it also ends what an earlier producer left open, and fences that producer. It goes to the coordinator of the
/// transactional id; without one, to any broker.
///
/// Version 6 (KIP-939) is not stable yet: brokers offer it only where they are told to (unstable.api.versions.enable).
module InitProducerId =

    type Request =
        {
            /// Null for a producer without transactions. The empty text is an INVALID_REQUEST.
            TransactionalId: string option
            /// How long a transaction may stay open before the coordinator aborts it, in milliseconds. INVALID_TRANSACTION_TIMEOUT
            /// above the broker's limit (transaction.max.timeout.ms). Without meaning where there is no transactional id.
            TransactionTimeoutMs: int32
            /// The id that the producer has and wants to go on with after an error (KIP-360); -1 to begin anew.
            ProducerId: int64
            /// The epoch that the producer has (KIP-360); -1 to begin anew. It must be the coordinator's, which then raises it.
            ProducerEpoch: int16
            /// Whether transactions wait for an outer coordinator's decision and have no time-out (KIP-939).
            Enable2Pc: bool
            /// Whether to leave a prepared transaction open instead of aborting it, so that it can still be committed (KIP-939).
            KeepPreparedTxn: bool
        }

    let request = message {
        let! transactional = field "TransactionalId" _.TransactionalId (string |> nullable)
        and! timeout = field "TransactionTimeoutMs" _.TransactionTimeoutMs int32
        and! producer = field "ProducerId" _.ProducerId (int64 |> since 3s -1L)
        and! epoch = field "ProducerEpoch" _.ProducerEpoch (int16 |> since 3s -1s)
        and! twoPhase = field "Enable2Pc" _.Enable2Pc (bool |> since 6s false)
        and! keep = field "KeepPreparedTxn" _.KeepPreparedTxn (bool |> since 6s false)

        return
            { TransactionalId = transactional
              TransactionTimeoutMs = timeout
              ProducerId = producer
              ProducerEpoch = epoch
              Enable2Pc = twoPhase
              KeepPreparedTxn = keep }
    }

    type Response =
        {
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// CONCURRENT_TRANSACTIONS while an earlier transaction is still being ended: try again; NOT_COORDINATOR and
            /// COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; PRODUCER_FENCED, before version 4 INVALID_PRODUCER_EPOCH,
            /// when a newer producer has the transactional id; INVALID_PRODUCER_ID_MAPPING when the id is not the one of the
            /// transactional id; TRANSACTIONAL_ID_AUTHORIZATION_FAILED, and without a transactional id CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The id to send batches with; -1 on error.
            ProducerId: int64
            /// The epoch to send batches with; -1 on error.
            ProducerEpoch: int16
            /// The id that the transaction left open was begun with, for `KeepPreparedTxn`; -1 where none is open.
            OngoingTxnProducerId: int64
            /// The epoch that the transaction left open was begun with, for `KeepPreparedTxn`; -1 where none is open.
            OngoingTxnProducerEpoch: int16
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs (int32 |> ignorable)
        and! error = field "ErrorCode" _.Error errorCode
        and! producer = field "ProducerId" _.ProducerId (int64 |> withDefault -1L)
        and! epoch = field "ProducerEpoch" _.ProducerEpoch int16
        and! ongoing = field "OngoingTxnProducerId" _.OngoingTxnProducerId (int64 |> since 6s -1L)
        and! ongoingEpoch = field "OngoingTxnProducerEpoch" _.OngoingTxnProducerEpoch (int16 |> since 6s -1s)

        return
            { ThrottleTimeMs = throttle
              Error = error
              ProducerId = producer
              ProducerEpoch = epoch
              OngoingTxnProducerId = ongoing
              OngoingTxnProducerEpoch = ongoingEpoch }
    }

    let api = Api.define ApiKey.InitProducerId 0s 6s (Some 2s) request response
