namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AddOffsetsToTxn (API key 25): adds a group's offsets to a transaction, before TxnOffsetCommit stores them (KIP-98). It is not needed
/// with TxnOffsetCommit 5 and later (KIP-890). Send it to the coordinator of the transactional id.
module AddOffsetsToTxn =

    type Request =
        {
            TransactionalId: string
            /// The producer id from InitProducerId.
            ProducerId: int64
            /// The producer epoch from InitProducerId.
            ProducerEpoch: int16
            /// The group whose offsets the transaction will store.
            GroupId: string
        }

    let request = message {
        let! transactional = field "TransactionalId" _.TransactionalId string
        and! producer = field "ProducerId" _.ProducerId int64
        and! epoch = field "ProducerEpoch" _.ProducerEpoch int16
        and! group = field "GroupId" _.GroupId string

        return { TransactionalId = transactional; ProducerId = producer; ProducerEpoch = epoch; GroupId = group }
    }

    type Response =
        {
            /// How long the client is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// CONCURRENT_TRANSACTIONS while the previous transaction is still completing: retry; NOT_COORDINATOR if another broker is the
            /// coordinator; COORDINATOR_LOAD_IN_PROGRESS while the coordinator loads its state; PRODUCER_FENCED (INVALID_PRODUCER_EPOCH
            /// before version 2) if a newer producer uses the transactional id; INVALID_PRODUCER_ID_MAPPING if the producer id does not
            /// belong to the transactional id; TRANSACTION_ABORTABLE (since version 4) if the transaction must be aborted;
            /// TRANSACTIONAL_ID_AUTHORIZATION_FAILED; GROUP_AUTHORIZATION_FAILED.
            Error: ErrorCode
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        return { ThrottleTimeMs = throttle; Error = error }
    }

    let api =
        Api.define ApiKey.AddOffsetsToTxn (versions 0 4 |> flexibleFrom 3) request response |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
