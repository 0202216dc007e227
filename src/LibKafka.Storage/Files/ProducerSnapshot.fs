namespace LibKafka.Storage

open LibKafka.Wire
open LibKafka.Wire.Notation

/// ProducerSnapshot: the content of a `.snapshot` file of a partition: its producers with their last sequence numbers, so that a broker
/// need not read the whole log when it starts (KIP-98). Two bytes with the version precede it in the file.
module ProducerSnapshot =

    /// The state of a producer.
    type ProducerEntry =
        {
            ProducerId: int64
            Epoch: int16
            /// The sequence number of the last record; -1 for none.
            LastSequence: int32
            /// The offset of the last record; -1 for none.
            LastOffset: int64
            /// The number of records in the last batch, minus one.
            OffsetDelta: int32
            /// The timestamp of the last batch, in milliseconds since the epoch.
            Timestamp: int64
            /// The leader epoch of the transaction coordinator that wrote the last transaction marker; -1 for none.
            CoordinatorEpoch: int32
            /// The first offset of the open transaction; -1 for none.
            CurrentTxnFirstOffset: int64
        }

    let producerEntry = message {
        let! producerId = field "ProducerId" _.ProducerId int64
        and! epoch = field "Epoch" _.Epoch int16
        and! lastSequence = field "LastSequence" _.LastSequence int32
        and! lastOffset = field "LastOffset" _.LastOffset int64
        and! offsetDelta = field "OffsetDelta" _.OffsetDelta int32
        and! timestamp = field "Timestamp" _.Timestamp int64
        and! coordinatorEpoch = field "CoordinatorEpoch" _.CoordinatorEpoch int32
        and! currentTxnFirstOffset = field "CurrentTxnFirstOffset" _.CurrentTxnFirstOffset int64

        return
            { ProducerId = producerId
              Epoch = epoch
              LastSequence = lastSequence
              LastOffset = lastOffset
              OffsetDelta = offsetDelta
              Timestamp = timestamp
              CoordinatorEpoch = coordinatorEpoch
              CurrentTxnFirstOffset = currentTxnFirstOffset }
    }

    type Value =
        {
            /// The CRC-32C of the rest of the file.
            Crc: uint32
            ProducerEntries: ProducerEntry list
        }

    let schema = message {
        let! crc = field "Crc" _.Crc uint32
        and! producerEntries = field "ProducerEntries" _.ProducerEntries (array producerEntry)

        return { Crc = crc; ProducerEntries = producerEntries }
    }

    let message: Message<Value> = Message.define "ProducerSnapshot" (versions 1 1) schema

    type ProducerEntry with
        override this.ToString() = Schema.show producerEntry this
    type Value with
        override this.ToString() = Message.show message this
