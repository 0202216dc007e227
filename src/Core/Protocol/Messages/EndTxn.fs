namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// EndTxn (API key 26): commit or abort a transaction (KIP-98). The coordinator answers when it has made the decision last; the markers
/// follow. It goes to the coordinator of the transactional id.
module EndTxn =

    type Request =
        {
            TransactionalId: string
            /// The id that InitProducerId, or the last EndTxn, gave.
            ProducerId: int64
            /// The epoch that InitProducerId, or the last EndTxn, gave.
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
            /// How long the client is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// CONCURRENT_TRANSACTIONS while the same transaction is still being ended: try again; NOT_COORDINATOR and
            /// COORDINATOR_LOAD_IN_PROGRESS when to ask elsewhere or again; INVALID_TXN_STATE when there is no transaction to end like
            /// this; PRODUCER_FENCED, before version 2 INVALID_PRODUCER_EPOCH, when a newer producer has the transactional id;
            /// INVALID_PRODUCER_ID_MAPPING when the id is not the one of the transactional id; TRANSACTION_ABORTABLE, from version 4
            /// on, when nothing is left but to abort; TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The id for the next transaction (KIP-890); -1 on error, and where it is not told.
            ProducerId: int64
            /// The epoch for the next transaction, which is one higher each time (KIP-890); -1 on error, and where it is not told.
            ProducerEpoch: int16
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! producer = field "ProducerId" _.ProducerId (int64 |> since 5s -1L |> ignorable)
        and! epoch = field "ProducerEpoch" _.ProducerEpoch (int16 |> since 5s -1s |> ignorable)

        return { ThrottleTimeMs = throttle; Error = error; ProducerId = producer; ProducerEpoch = epoch }
    }

    let api = Api.define ApiKey.EndTxn 0s 5s (Some 3s) request response
