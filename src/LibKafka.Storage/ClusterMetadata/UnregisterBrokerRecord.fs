namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// UnregisterBrokerRecord (type 1 of the metadata log): a broker has been removed from the cluster (KIP-631).
module UnregisterBrokerRecord =

    type Value =
        {
            /// The node id of the broker.
            BrokerId: int32
            /// The epoch of the broker's registration: the offset of its RegisterBrokerRecord.
            BrokerEpoch: int64
        }

    let schema = message {
        let! brokerId = field "BrokerId" _.BrokerId int32
        and! brokerEpoch = field "BrokerEpoch" _.BrokerEpoch int64

        return { BrokerId = brokerId; BrokerEpoch = brokerEpoch }
    }

    let message: Message<Value> = Message.define "UnregisterBrokerRecord" (versions 0 0 |> flexibleFrom 0) schema

    type Value with
        override this.ToString() = Message.show message this
