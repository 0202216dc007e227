namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AllocateProducerIds (API key 67): reserve a block of producer ids, which a broker then gives out one by one through InitProducerId
/// (KIP-730). It goes from a broker to the active controller; clients have no use for it.
module AllocateProducerIds =

    type Request =
        {
            /// The broker that asks.
            BrokerId: int32
            /// The epoch of the broker's registration; -1 where it is not known.
            BrokerEpoch: int64
        }

    let request = message {
        let! broker = field "BrokerId" _.BrokerId int32
        and! epoch = field "BrokerEpoch" _.BrokerEpoch (int64 |> withDefault -1L)

        return { BrokerId = broker; BrokerEpoch = epoch }
    }

    type Response =
        {
            /// How long the sender is asked to pause because it exceeded a quota, in milliseconds; 0 where it did not.
            ThrottleTimeMs: int32
            /// STALE_BROKER_EPOCH when the broker has registered anew since; BROKER_ID_NOT_REGISTERED; NOT_CONTROLLER when to ask
            /// elsewhere; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The first id of the block.
            ProducerIdStart: int64
            /// How many ids the block has.
            ProducerIdLen: int32
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! start = field "ProducerIdStart" _.ProducerIdStart int64
        and! length = field "ProducerIdLen" _.ProducerIdLen int32

        return { ThrottleTimeMs = throttle; Error = error; ProducerIdStart = start; ProducerIdLen = length }
    }

    let api = Api.define ApiKey.AllocateProducerIds 0s 0s (Some 0s) request response
