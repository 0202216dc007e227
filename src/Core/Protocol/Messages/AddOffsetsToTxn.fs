namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AddOffsetsToTxn (API key 25): take a group's offsets into a transaction, before TxnOffsetCommit stores any (KIP-98). From version 5
/// of TxnOffsetCommit on it is not needed (KIP-890). It goes to the coordinator of the transactional id.
module AddOffsetsToTxn =

    type Request =
        {
            TransactionalId: string
            /// The id that InitProducerId gave.
            ProducerId: int64
            /// The epoch that InitProducerId gave.
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
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// CONCURRENT_TRANSACTIONS while the last transaction is still being ended: try again; NOT_COORDINATOR and
            /// COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; PRODUCER_FENCED, before version 2 INVALID_PRODUCER_EPOCH,
            /// when a newer producer has the transactional id; INVALID_PRODUCER_ID_MAPPING when the id is not the one of the
            /// transactional id; TRANSACTION_ABORTABLE, from version 4 on, when nothing is left but to abort;
            /// TRANSACTIONAL_ID_AUTHORIZATION_FAILED and GROUP_AUTHORIZATION_FAILED.
            Error: ErrorCode
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        return { ThrottleTimeMs = throttle; Error = error }
    }

    let api = Api.define ApiKey.AddOffsetsToTxn 0s 4s (Some 3s) request response
