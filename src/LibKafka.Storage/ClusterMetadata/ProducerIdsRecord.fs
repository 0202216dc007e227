namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// ProducerIdsRecord (type 15 of the metadata log): a broker has reserved a block of producer ids (KIP-730).
module ProducerIdsRecord =

    type Value =
        {
            /// The broker that has the block.
            BrokerId: int32
            /// The epoch of the broker's registration: the offset of its RegisterBrokerRecord.
            BrokerEpoch: int64
            /// The first id after the block.
            NextProducerId: int64
        }

    let schema = message {
        let! brokerId = field "BrokerId" _.BrokerId int32
        and! brokerEpoch = field "BrokerEpoch" _.BrokerEpoch (int64 |> withDefault -1L)
        and! nextProducerId = field "NextProducerId" _.NextProducerId int64

        return { BrokerId = brokerId; BrokerEpoch = brokerEpoch; NextProducerId = nextProducerId }
    }

    let message: Message<Value> = Message.define "ProducerIdsRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
