namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// InitProducerId (API key 22): returns the producer id and epoch that idempotent and transactional producers need (KIP-98). With a
/// transactional id, it also aborts the open transaction of an earlier producer and fences that producer. Send it to the coordinator of
/// the transactional id; without one, to any broker.
///
/// Version 6 (KIP-939) is not stable: brokers support it only if unstable.api.versions.enable is set.
module InitProducerId =

    /// The first version in which a producer sends its present id and epoch, to get the next epoch (KIP-360).
    let producerSince = 3s

    type Request =
        {
            /// Null for a producer without transactions. An empty id is refused with INVALID_REQUEST.
            TransactionalId: string option
            /// How long a transaction can stay open before the coordinator aborts it, in milliseconds. Ignored without a transactional id.
            TransactionTimeoutMs: int32
            /// The current producer id, to bump its epoch after an error; -1 for a new producer. Since version 3 (KIP-360).
            ProducerId: int64
            /// The current producer epoch; -1 for a new producer. The coordinator checks it and returns the next one. Since version 3
            /// (KIP-360).
            ProducerEpoch: int16
            /// Whether the transactions are part of two-phase commits of an external coordinator, and so have no timeout. Since version 6
            /// (KIP-939).
            Enable2Pc: bool
            /// Whether a prepared transaction stays open instead of being aborted, so that it can still be committed. Since version 6
            /// (KIP-939).
            KeepPreparedTxn: bool
        }

    let request = message {
        let! transactional = field "TransactionalId" _.TransactionalId (string |> nullable)
        and! timeout = field "TransactionTimeoutMs" _.TransactionTimeoutMs int32
        and! producer = field "ProducerId" _.ProducerId (int64 |> since producerSince -1L)
        and! epoch = field "ProducerEpoch" _.ProducerEpoch (int16 |> since producerSince -1s)
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
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// 0 if the producer can begin. Otherwise:
            /// - CONCURRENT_TRANSACTIONS: a transaction of the transactional id is still completing; retry after a backoff.
            /// - NOT_COORDINATOR: another broker coordinates the transactional id; call FindCoordinator and retry there.
            /// - COORDINATOR_NOT_AVAILABLE: the coordinator is not active or could not write to its log in time; call FindCoordinator and
            ///   retry after a backoff.
            /// - COORDINATOR_LOAD_IN_PROGRESS: the coordinator is loading its state; retry after a backoff.
            /// - PRODUCER_FENCED (since version 4): a newer producer uses the transactional id; close this producer.
            /// - INVALID_PRODUCER_EPOCH (up to version 3): a newer producer uses the transactional id; close this producer.
            /// - INVALID_PRODUCER_ID_MAPPING: `ProducerId` does not belong to the transactional id, for example because it has expired;
            ///   retry with -1 for id and epoch.
            /// - INVALID_TRANSACTION_TIMEOUT: the timeout is not positive or exceeds the broker's transaction.max.timeout.ms; correct it.
            /// - INVALID_REQUEST: the transactional id is empty, or only one of `ProducerId` and `ProducerEpoch` is set; correct the
            ///   request.
            /// - TRANSACTION_ABORTABLE (since version 5): the transaction must be aborted; abort it and retry.
            /// - TRANSACTIONAL_ID_AUTHORIZATION_FAILED: the principal lacks the Write permission on the transactional id, or the
            ///   TwoPhaseCommit permission for `Enable2Pc`; grant it, do not retry.
            /// - CLUSTER_AUTHORIZATION_FAILED: without a transactional id, the principal lacks the IdempotentWrite permission on the
            ///   cluster and the Write permission on any topic; grant one of them.
            /// - REQUEST_TIMED_OUT: the broker got no producer ids from the controller in time; retry after a backoff.
            /// - UNKNOWN_SERVER_ERROR: the broker failed unexpectedly; find the cause in its log.
            Error: ErrorCode
            /// The producer id for record batches; -1 on error.
            ProducerId: int64
            /// The producer epoch for record batches; -1 on error.
            ProducerEpoch: int16
            /// The producer id of the transaction that `KeepPreparedTxn` kept open; -1 if there is none. Since version 6 (KIP-939).
            OngoingTxnProducerId: int64
            /// The producer epoch of the transaction that `KeepPreparedTxn` kept open; -1 if there is none. Since version 6 (KIP-939).
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

    let api =
        Api.define ApiKey.InitProducerId (versions 0 6 |> flexibleFrom 2) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
