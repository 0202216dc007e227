namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// EndTxn (API key 26): commits or aborts a transaction (KIP-98). The coordinator answers when the decision is persistent; the markers are
/// written afterwards. Send it to the coordinator of the transactional id.
module EndTxn =

    /// The first version that gives the producer a new epoch for its next transaction (KIP-890). It requires transactions of version 2.
    let newEpochSince = 5s

    type Request =
        {
            TransactionalId: string
            /// The producer id from InitProducerId or the last EndTxn.
            ProducerId: int64
            /// The producer epoch from InitProducerId or the last EndTxn.
            ProducerEpoch: int16
            /// True to commit, false to abort.
            Committed: bool
        }

    let request = message {
        let! transactional = field "TransactionalId" _.TransactionalId string
        and! producer = field "ProducerId" _.ProducerId int64
        and! epoch = field "ProducerEpoch" _.ProducerEpoch int16
        and! committed = field "Committed" _.Committed bool

        return { TransactionalId = transactional; ProducerId = producer; ProducerEpoch = epoch; Committed = committed }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// CONCURRENT_TRANSACTIONS while the transaction is still completing: retry; NOT_COORDINATOR if another broker is the
            /// coordinator; COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state; INVALID_TXN_STATE if there is no
            /// transaction that can end this way; PRODUCER_FENCED (INVALID_PRODUCER_EPOCH before version 2) if a newer producer uses the
            /// transactional id; INVALID_PRODUCER_ID_MAPPING if the producer id does not belong to the transactional id;
            /// TRANSACTION_ABORTABLE (since version 4) if the transaction must be aborted; TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The producer id for the next transaction; -1 on error or if not given. Since version 5 (KIP-890).
            ProducerId: int64
            /// The producer epoch for the next transaction, which increases each time; -1 on error or if not given. Since version 5
            /// (KIP-890).
            ProducerEpoch: int16
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! producer = field "ProducerId" _.ProducerId (int64 |> since newEpochSince -1L |> ignorable)
        and! epoch = field "ProducerEpoch" _.ProducerEpoch (int16 |> since newEpochSince -1s |> ignorable)

        return { ThrottleTimeMs = throttle; Error = error; ProducerId = producer; ProducerEpoch = epoch }
    }

    let api = Api.define ApiKey.EndTxn (versions 0 5 |> flexibleFrom 3) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
