namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// AllocateProducerIds (API key 67): reserves a block of producer ids, from which a broker answers InitProducerId (KIP-730). Brokers send
/// it to the active controller; clients do not use it.
module AllocateProducerIds =

    type Request =
        {
            /// The broker that requests the block.
            BrokerId: int32
            /// The epoch of the broker's registration; -1 if unknown.
            BrokerEpoch: int64
        }

    let request = message {
        let! broker = field "BrokerId" _.BrokerId int32
        and! epoch = field "BrokerEpoch" _.BrokerEpoch (int64 |> withDefault -1L)

        return { BrokerId = broker; BrokerEpoch = epoch }
    }

    type Response =
        {
            /// How long the sender is throttled because it exceeded a quota, in milliseconds; 0 if it did not.
            ThrottleTimeMs: int32
            /// STALE_BROKER_EPOCH if the broker has registered again since; BROKER_ID_NOT_REGISTERED; NOT_CONTROLLER if another node is
            /// the active controller; CLUSTER_AUTHORIZATION_FAILED.
            Error: ErrorCode
            /// The first id of the block.
            ProducerIdStart: int64
            /// The number of ids in the block.
            ProducerIdLen: int32
        }

    let response = message {
        let! throttle = field "ThrottleTimeMs" _.ThrottleTimeMs int32
        and! error = field "ErrorCode" _.Error errorCode
        and! start = field "ProducerIdStart" _.ProducerIdStart int64
        and! length = field "ProducerIdLen" _.ProducerIdLen int32

        return { ThrottleTimeMs = throttle; Error = error; ProducerIdStart = start; ProducerIdLen = length }
    }

    let api =
        Api.define ApiKey.AllocateProducerIds (versions 0 0 |> flexibleFrom 0) request response
        |> Api.throttledBy _.ThrottleTimeMs

    type Request with
        override this.ToString() = Message.show api.Request this
    type Response with
        override this.ToString() = Message.show api.Response this
