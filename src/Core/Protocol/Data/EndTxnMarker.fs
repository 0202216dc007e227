namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// The value of the control record that ends a transaction in a partition, after a two-byte version (KIP-98). The key of the record
/// determines whether it commits or aborts.
module EndTxnMarker =

    type Marker =
        {
            /// The leader epoch of the transaction coordinator's own partition.
            CoordinatorEpoch: int32
        }

    let schema = message {
        let! epoch = field "CoordinatorEpoch" _.CoordinatorEpoch int32
        return { CoordinatorEpoch = epoch }
    }

    let message: Message<Marker> = Message.define "EndTxnMarker" (versions 0 0) schema

    type Marker with
        override this.ToString() = Message.show message this
